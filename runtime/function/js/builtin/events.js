// node:events.
class EventEmitter {
  static defaultMaxListeners = 10;
  static EventEmitter = EventEmitter;
  static once(emitter, name) {
    return new Promise((resolve, reject) => {
      const failed = (err) => { emitter.off(name, done); reject(err); };
      const done = (...args) => { emitter.off('error', failed); resolve(args); };
      emitter.once(name, done);
      if (name !== 'error') emitter.once('error', failed);
    });
  }
  static listenerCount(emitter, name) { return emitter.listenerCount(name); }
  static errorMonitor = Symbol('events.errorMonitor');
  static captureRejectionSymbol = Symbol.for('nodejs.rejection');
  static captureRejections = false;
  static usingDomains = false;
  static getEventListeners(emitter, name) { return typeof emitter.listeners === 'function' ? emitter.listeners(name) : []; }
  static getMaxListeners(emitter) { return emitter.getMaxListeners?.() ?? EventEmitter.defaultMaxListeners; }
  static setMaxListeners() {}
  static addAbortListener(signal, f) {
    if (signal.aborted) queueMicrotask(f);
    else signal.addEventListener('abort', f, { once: true });
    return { [Symbol.dispose]() { signal.removeEventListener('abort', f); } };
  }
  static on(emitter, name, { signal, close = [] } = {}) {
    const events = [], waiting = [];
    let error, done = false;
    const finish = () => { done = true; while (waiting.length) waiting.shift().resolve({ value: undefined, done: true }); };
    const heard = (...args) => { if (waiting.length) waiting.shift().resolve({ value: args, done: false }); else events.push(args); };
    const failed = (err) => { if (waiting.length) waiting.shift().reject(err); else error = err; stop(); };
    const stop = () => { emitter.off(name, heard); emitter.off('error', failed); for (const c of close) emitter.off(c, finish); finish(); };
    emitter.on(name, heard);
    if (name !== 'error') emitter.on('error', failed);
    for (const c of close) emitter.on(c, finish);
    signal?.addEventListener('abort', () => failed(signal.reason), { once: true });
    return {
      next() {
        if (events.length) return Promise.resolve({ value: events.shift(), done: false });
        if (error) { const e = error; error = undefined; return Promise.reject(e); }
        if (done) return Promise.resolve({ value: undefined, done: true });
        return new Promise((resolve, reject) => { waiting.push({ resolve, reject }); });
      },
      return(value) { stop(); return Promise.resolve({ value, done: true }); },
      throw(err) { failed(err); return Promise.resolve({ value: undefined, done: true }); },
      [Symbol.asyncIterator]() { return this; },
    };
  }
}
const heard = new WeakMap(), max = new WeakMap();
const of = (emitter) => { // also for objects that inherit without having called the constructor
  if (!heard.has(emitter)) heard.set(emitter, new Map());
  return heard.get(emitter);
};
const add = (emitter, name, f, first) => {
  if (typeof f !== 'function') throw new TypeError(`The "listener" argument must be of type function. Received ${f === null ? 'null' : typeof f}`);
  const all = of(emitter);
  if (all.has('newListener')) emitter.emit('newListener', name, f.listener || f);
  const list = all.get(name) || [];
  all.set(name, first ? [f, ...list] : [...list, f]);
  return emitter;
};
const remove = (emitter, name, f) => {
  const all = of(emitter), list = all.get(name) || [];
  const i = list.findLastIndex((g) => g === f || g.listener === f);
  if (i >= 0) {
    if (list.length === 1) all.delete(name);
    else all.set(name, list.toSpliced(i, 1));
    if (all.has('removeListener')) emitter.emit('removeListener', name, f);
  }
  return emitter;
};
const onceOf = (emitter, name, f) => {
  if (typeof f !== 'function') return f; // which add refuses
  const g = function (...args) { emitter.removeListener(name, g); return f.apply(emitter, args); };
  g.listener = f;
  return g;
};
const methods = {
  on(name, f) { return add(this, name, f, false); },
  addListener(name, f) { return add(this, name, f, false); },
  prependListener(name, f) { return add(this, name, f, true); },
  once(name, f) { return this.on(name, onceOf(this, name, f)); },
  prependOnceListener(name, f) { return this.prependListener(name, onceOf(this, name, f)); },
  off(name, f) { return remove(this, name, f); },
  removeListener(name, f) { return remove(this, name, f); },
  removeAllListeners(name) { name === undefined ? of(this).clear() : of(this).delete(name); return this; },
  emit(name, ...args) {
    if (name === 'error' && of(this).has(EventEmitter.errorMonitor)) this.emit(EventEmitter.errorMonitor, ...args);
    const list = of(this).get(name);
    if (!list) {
      if (name !== 'error') return false;
      if (args[0] instanceof Error) throw args[0];
      const err = new Error(`Unhandled error. (${require('util').inspect(args[0])})`);
      err.code = 'ERR_UNHANDLED_ERROR';
      err.context = args[0];
      throw err;
    }
    for (const f of list) f.apply(this, args);
    return true;
  },
  listeners(name) { return (of(this).get(name) || []).map((f) => f.listener || f); },
  rawListeners(name) { return [...(of(this).get(name) || [])]; },
  listenerCount(name) { return (of(this).get(name) || []).length; },
  eventNames() { return [...of(this).keys()]; },
  setMaxListeners(n) { max.set(this, n); return this; },
  getMaxListeners() { return max.get(this) ?? EventEmitter.defaultMaxListeners; },
};
for (const [k, f] of Object.entries(methods)) Object.defineProperty(EventEmitter.prototype, k, { value: f, writable: true, configurable: true });
function Callable(...args) { // inherited from in the old way too: EventEmitter.call(this)
  return new.target ? Reflect.construct(EventEmitter, args, new.target === Callable ? EventEmitter : new.target) : undefined;
}
Object.setPrototypeOf(Callable, EventEmitter);
Callable.prototype = EventEmitter.prototype;
Object.defineProperty(Callable.prototype, 'constructor', { value: Callable, writable: true, configurable: true });
Object.defineProperty(Callable, 'name', { value: 'EventEmitter' });
const { once, on, listenerCount, errorMonitor, captureRejectionSymbol, getEventListeners, getMaxListeners, setMaxListeners, addAbortListener } = EventEmitter;
module.exports = Object.assign(Callable, { EventEmitter: Callable, once, on, listenerCount, errorMonitor, captureRejectionSymbol, getEventListeners, getMaxListeners, setMaxListeners, addAbortListener, defaultMaxListeners: 10 });
Object.defineProperty(Callable, 'EventEmitterAsyncResource', { enumerable: true, get() {
  const { AsyncResource } = require('async_hooks');
  return class EventEmitterAsyncResource extends Callable {
    #resource = new AsyncResource('EventEmitterAsyncResource');
    emit(name, ...args) { return this.#resource.runInAsyncScope(super.emit, this, name, ...args); }
    get asyncResource() { return this.#resource; }
  };
} });
