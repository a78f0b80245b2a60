// node:worker_threads: there is one thread.
class Worker { constructor() { throw new Error('worker_threads.Worker is not provided by the js runtime; use runtime = "nodejs22.x" for functions that need it'); } }

// MessagePort is one end of a channel between parts of the one thread. A port that is listened to by a handler starts by itself.
class MessagePort extends EventTarget {
  #other = null; #waiting = []; #open = true; #started = false; #handler = null; #listeners = new Map();
  static pair() { const a = new MessagePort(), b = new MessagePort(); a.#other = b; b.#other = a; return [a, b]; }
  get onmessage() { return this.#handler; }
  set onmessage(f) {
    if ((this.#handler = typeof f === 'function' ? f : null)) this.start(); // an EventTarget calls what is its onmessage
  }
  postMessage(value) { const copy = structuredClone(value), to = this.#other; if (to && to.#open) { to.#waiting.push(copy); to.#deliver(); } }
  start() { this.#started = true; this.#deliver(); }
  close() {
    if (!this.#open) return;
    this.#open = false;
    setImmediate(() => this.dispatchEvent(new Event('close')));
    this.#other?.close();
  }
  // As Node has it beside the browsers' way: listeners are given the value itself.
  on(name, f) {
    const listener = (event) => f(name === 'message' ? event.data : event.error);
    this.#listeners.set(f, listener);
    this.addEventListener(name, listener);
    if (name === 'message') this.start();
    return this;
  }
  off(name, f) { this.removeEventListener(name, this.#listeners.get(f)); this.#listeners.delete(f); return this; }
  once(name, f) { const g = (value) => { this.off(name, g); f(value); }; return this.on(name, g); }
  ref() { return this; }
  unref() { return this; }
  #deliver() {
    if (!this.#started || !this.#waiting.length) return;
    setImmediate(() => {
      if (!this.#open || !this.#waiting.length) return;
      this.dispatchEvent(Object.assign(new Event('message'), { data: this.#waiting.shift(), ports: [] }));
      this.#deliver();
    });
  }
}
class MessageChannel { constructor() { [this.port1, this.port2] = MessagePort.pair(); } }

module.exports = { MessageChannel, MessagePort, isMainThread: true, threadId: 0, parentPort: null, workerData: null, resourceLimits: {}, SHARE_ENV: Symbol.for('nodejs.worker_threads.SHARE_ENV'), Worker, isInternalThread: false };
