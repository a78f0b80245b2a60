// setTimeout and its kin. They hang on the stack's clock.
class Timeout {
  #id; #held = true;
  constructor(f, ms, repeat, args) {
    if (typeof f !== 'function') {
      throw new TypeError(`The "callback" argument must be of type function. Received ${f === null ? 'null' : typeof f}`);
    }
    this.start = () => { this.#id = host.setTimer(args.length ? () => f(...args) : f, Number(ms), repeat); };
    Object.defineProperty(this, 'start', { enumerable: false });
    this.start();
  }
  stop() { host.clearTimer(this.#id); }
  ref() { this.#held = true; host.holdTimer(this.#id, true); return this; }
  unref() { this.#held = false; host.holdTimer(this.#id, false); return this; }
  hasRef() { return this.#held; }
  refresh() { this.stop(); this.start(); return this; }
  close() { this.stop(); return this; }
  [Symbol.toPrimitive]() { byNumber.set(this.#id, this); return this.#id; }
  [Symbol.dispose]() { this.stop(); }
}
const byNumber = new Map(); // timers that a script knows as numbers
const stop = (t) => {
  if (t instanceof Timeout) t.stop();
  else if (byNumber.has(Number(t))) byNumber.get(Number(t)).stop();
};

module.exports = {
  setTimeout: (f, ms, ...args) => new Timeout(f, ms, false, args),
  setInterval: (f, ms, ...args) => new Timeout(f, ms, true, args),
  setImmediate: (f, ...args) => new Timeout(f, 0, false, args),
  clearTimeout: stop,
  clearInterval: stop,
  clearImmediate: stop,
};
