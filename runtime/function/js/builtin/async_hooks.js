// node:async_hooks: AsyncLocalStorage and AsyncResource. A context is a Map that is never changed, only replaced.
const contextOf = () => host.context();
const within = (context, f, self, args) => {
  const before = host.context();
  host.setContext(context);
  try {
    return f.apply(self, args);
  } finally {
    host.setContext(before);
  }
};
const changed = (change) => { const m = new Map(contextOf()); change(m); return m; };

class AsyncLocalStorage {
  #default; #name;
  constructor({ defaultValue, name = '' } = {}) { this.#default = defaultValue; this.#name = name; }
  get name() { return this.#name; }
  getStore() { const m = contextOf(); return m !== undefined && m.has(this) ? m.get(this) : this.#default; }
  run(store, f, ...args) { return within(changed((m) => m.set(this, store)), f, undefined, args); }
  exit(f, ...args) { return within(changed((m) => m.delete(this)), f, undefined, args); }
  enterWith(store) { host.setContext(changed((m) => m.set(this, store))); }
  disable() { host.setContext(changed((m) => m.delete(this))); }
  static bind(f) { const context = contextOf(); return function (...args) { return within(context, f, this, args); }; }
  static snapshot() { const context = contextOf(); return (f, ...args) => within(context, f, undefined, args); }
}

let lastId = 1;
class AsyncResource {
  #context = contextOf(); #id = ++lastId;
  constructor(type) { if (typeof type !== 'string') throw new TypeError('The "type" argument must be of type string.'); this.type = type; }
  runInAsyncScope(f, self, ...args) { return within(this.#context, f, self, args); }
  bind(f) { const resource = this; return function (...args) { return resource.runInAsyncScope(f, this, ...args); }; }
  static bind(f, type = f.name || 'bound-anonymous-fn') { return new AsyncResource(type).bind(f); }
  emitDestroy() { return this; }
  asyncId() { return this.#id; }
  triggerAsyncId() { return 1; }
}
module.exports = {
  AsyncLocalStorage, AsyncResource,
  executionAsyncId: () => 1, triggerAsyncId: () => 0, executionAsyncResource: () => ({}),
  createHook: () => ({ enable() { return this; }, disable() { return this; } }), // whose callbacks are never called
};
