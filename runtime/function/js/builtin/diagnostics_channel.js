// node:diagnostics_channel.
class Channel {
  #listeners = [];
  constructor(name) { this.name = name; }
  get hasSubscribers() { return this.#listeners.length > 0; }
  subscribe(f) { this.#listeners.push(f); }
  unsubscribe(f) { const n = this.#listeners.length; this.#listeners = this.#listeners.filter((g) => g !== f); return this.#listeners.length < n; }
  publish(message) { for (const f of this.#listeners) f(message, this.name); }
  bindStore() {}
  unbindStore() { return false; }
  runStores(data, f, self, ...args) { this.publish(data); return f.apply(self, args); }
}
const channels = new Map();
const channel = (name) => { if (!channels.has(name)) channels.set(name, new Channel(name)); return channels.get(name); };
const tracingChannel = (name) => {
  const out = Object.fromEntries(['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map((k) => [k, typeof name === 'string' ? channel(`tracing:${name}:${k}`) : name[k]]));
  const call = (f, context, self, args) => {
    out.start.publish(context);
    try { return f.apply(self, args); } catch (error) { context.error = error; out.error.publish(context); throw error; } finally { out.end.publish(context); }
  };
  return Object.assign(out, {
    get hasSubscribers() { return ['start', 'end', 'asyncStart', 'asyncEnd', 'error'].some((k) => out[k].hasSubscribers); },
    traceSync: (f, context = {}, self = undefined, ...args) => call(f, context, self, args),
    tracePromise: async (f, context = {}, self = undefined, ...args) => call(f, context, self, args),
    traceCallback: (f, _, context = {}, self = undefined, ...args) => call(f, context, self, args),
  });
};
module.exports = { Channel, channel, tracingChannel, hasSubscribers: (name) => channel(name).hasSubscribers, subscribe: (name, f) => channel(name).subscribe(f), unsubscribe: (name, f) => channel(name).unsubscribe(f) };
