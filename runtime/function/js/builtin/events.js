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
}
const heard = new WeakMap();
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
const onceOf = (emitter, name, f) => {
  const g = function (...args) { emitter.off(name, g); return f.apply(emitter, args); };
  g.listener = f;
  return g;
};
const methods = {
  on(name, f) { return add(this, name, f, false); },
  addListener(name, f) { return add(this, name, f, false); },
  prependListener(name, f) { return add(this, name, f, true); },
  once(name, f) { return add(this, name, onceOf(this, name, f), false); },
  prependOnceListener(name, f) { return add(this, name, onceOf(this, name, f), true); },
  off(name, f) {
    const list = of(this).get(name) || [];
    const i = list.findLastIndex((g) => g === f || g.listener === f);
    if (i >= 0) {
      if (list.length === 1) of(this).delete(name);
      else of(this).set(name, list.toSpliced(i, 1));
      if (of(this).has('removeListener')) this.emit('removeListener', name, f);
    }
    return this;
  },
  removeListener(name, f) { return this.off(name, f); },
  removeAllListeners(name) { name === undefined ? of(this).clear() : of(this).delete(name); return this; },
  emit(name, ...args) {
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
  setMaxListeners() { return this; },
  getMaxListeners() { return EventEmitter.defaultMaxListeners; },
};
for (const [k, f] of Object.entries(methods)) Object.defineProperty(EventEmitter.prototype, k, { value: f, writable: true, configurable: true });
function Callable(...args) { // inherited from in the old way too: EventEmitter.call(this)
  return new.target ? Reflect.construct(EventEmitter, args, new.target === Callable ? EventEmitter : new.target) : undefined;
}
Object.setPrototypeOf(Callable, EventEmitter);
Callable.prototype = EventEmitter.prototype;
Object.defineProperty(Callable.prototype, 'constructor', { value: Callable, writable: true, configurable: true });
Object.defineProperty(Callable, 'name', { value: 'EventEmitter' });
module.exports = Object.assign(Callable, { EventEmitter: Callable, once: EventEmitter.once, listenerCount: EventEmitter.listenerCount });
