// The npm package ioredis, as far as one connection a command goes.
const { names, absent, send, transaction, pairs, urlOf, withDatabase } = require('devstack:redis-commands');
const EventEmitter = require('events');

class ReplyError extends Error {
  constructor(message) { super(message); Object.defineProperty(this, 'name', { value: 'ReplyError' }); }
}
const flat = (args) => args.flatMap((a) => (Array.isArray(a) ? flat(a) : a instanceof Map ? [...a].flat() : a === null || a === undefined ? [''] :
  typeof a === 'boolean' ? [String(a)] : typeof a === 'object' && !(a instanceof Uint8Array) ? Object.entries(a).flat() : [a]));
const replies = { hgetall: pairs };
const commandOf = (name, args) => ({ words: [name.toUpperCase(), ...flat(args)], reply: replies[name] ?? ((r) => r) });
const optionsOf = (args) => {
  const o = typeof args.at(-1) === 'object' && args.at(-1) ? args.at(-1) : {};
  const [first, second] = args;
  if (typeof first === 'string' && /^rediss?:/.test(first)) return { ...o, url: first };
  if (typeof first === 'number' || /^\d+$/.test(first)) return { ...o, port: Number(first), ...(typeof second === 'string' ? { host: second } : {}) };
  return typeof first === 'string' ? { ...o, host: first } : o;
};

class Pipeline {
  #url; #commands = []; #atomic;
  constructor(url, atomic) { this.#url = url; this.#atomic = atomic; }
  get length() { return this.#commands.length; }
  queue(name, args) { this.#commands.push(commandOf(name, args)); return this; }
  call(name, ...args) { return this.queue(name, args); }
  exec(callback) {
    const p = this.#run();
    if (callback) p.then((r) => callback(null, r), (err) => callback(err));
    return p;
  }
  async #run() {
    if (!this.#commands.length) return [];
    const list = this.#commands.map((c) => c.words);
    let out;
    try {
      out = await (this.#atomic ? transaction(this.#url, list) : send(this.#url, list));
    } catch (err) {
      throw err.code ? err : new ReplyError(err.message);
    }
    return out && out.map((r, i) => (r instanceof Error ? [new ReplyError(r.message), undefined] : [null, this.#commands[i].reply(r)]));
  }
}

class Redis extends EventEmitter {
  #url;
  status = 'wait';
  constructor(...args) {
    super();
    const o = optionsOf(args);
    for (const k of ['keyPrefix', 'sentinels', 'enableAutoPipelining']) if (o[k]) throw absent(`option ${k} of ioredis`);
    this.options = o;
    this.#url = urlOf({ ...o, database: o.db });
    if (o.url && o.db) this.#url = withDatabase(this.#url, o.db);
  }
  async connect() { await this.run('ping', []); this.status = 'ready'; this.emit('ready'); }
  async run(name, args) {
    if (this.status === 'end') throw new Error('Connection is closed.');
    const { words, reply } = commandOf(name, args);
    const [r] = await send(this.#url, [words]);
    this.status = 'ready';
    if (r instanceof Error) throw new ReplyError(r.message);
    return reply(r);
  }
  call(name, ...args) { return this.send(name, args); }
  send(name, args) {
    const callback = typeof args.at(-1) === 'function' ? args.pop() : undefined;
    const p = this.run(name, args);
    if (!callback) return p;
    p.then((r) => callback(null, r), (err) => callback(err));
    return undefined;
  }
  pipeline() { return new Pipeline(this.#url, false); }
  multi(o) {
    if (o) throw absent('an option of multi');
    return new Pipeline(this.#url, true);
  }
  duplicate(o) { return new Redis({ ...this.options, url: this.#url, db: 0, ...o }); }
  async select(n) { this.#url = withDatabase(this.#url, n); return 'OK'; }
  async quit() { this.disconnect(); return 'OK'; }
  disconnect() { this.status = 'end'; this.emit('end'); }
}
const method = (target, name, value) => Object.defineProperty(target, name, { value, writable: true, configurable: true });
for (const camel of names) {
  const name = camel.toLowerCase();
  method(Redis.prototype, name, function (...args) { return this.send(name, args); });
  method(Pipeline.prototype, name, function (...args) { return this.queue(name, args); });
}
for (const name of ['subscribe', 'psubscribe', 'ssubscribe', 'unsubscribe', 'punsubscribe', 'monitor', 'watch', 'unwatch', 'scanStream', 'hscanStream', 'sscanStream', 'zscanStream', 'defineCommand', 'getBuffer', 'hgetallBuffer']) {
  method(Redis.prototype, name, () => { throw absent(name); });
}
module.exports = Object.assign(Redis, { Redis, ReplyError, default: Redis });
