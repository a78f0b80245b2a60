// The npm package redis (node-redis 5), as far as one connection a command goes.
const { names, absent, send, transaction, pairs, urlOf, withDatabase } = require('devstack:redis-commands');
const EventEmitter = require('events');

class ErrorReply extends Error {}
class SimpleError extends ErrorReply {}
class ClientClosedError extends Error { constructor() { super('The client is closed'); } }
class ClientOfflineError extends Error { constructor() { super('The client is offline'); } }
class WatchError extends Error { constructor() { super('One (or more) of the watched keys has been changed'); } }
class MultiErrorReply extends ErrorReply {
  constructor(replies) {
    super(`${replies.filter((r) => r instanceof Error).length} commands failed, see .replies and .errorIndexes for more information`);
    this.replies = replies;
    this.errorIndexes = replies.flatMap((r, i) => (r instanceof Error ? [i] : []));
  }
}
const replyError = (err) => Object.assign(new SimpleError(err.message), { name: 'SimpleError' });

const flat = (args) => args.flatMap((a) => (Array.isArray(a) ? flat(a) : a === undefined ? [] : [a]));
const limit = (o) => (o?.LIMIT ? ['LIMIT', o.LIMIT.offset, o.LIMIT.count] : []);
const flags = (o, ...keys) => keys.filter((k) => o?.[k]);
const fields = (v) => (v instanceof Map ? [...v].flat() : Array.isArray(v) ? v.flat() : Object.entries(v).flat());
const isOptions = (v) => typeof v === 'object' && v !== null && !Array.isArray(v) && !(v instanceof Uint8Array);
const known = (command, o, ...allowed) => {
  for (const k of Object.keys(o ?? {})) if (!allowed.includes(k)) throw absent(`option ${k} of ${command}`);
};

const expiration = (o) => {
  const out = [];
  if (o.expiration === 'KEEPTTL' || o.KEEPTTL || o.expiration?.type === 'KEEPTTL') out.push('KEEPTTL');
  else if (o.expiration) out.push(o.expiration.type, Number(o.expiration.value));
  for (const k of ['EX', 'PX', 'EXAT', 'PXAT']) if (o[k] !== undefined) out.push(k, Number(o[k]));
  return out;
};
// How the options and objects of some commands are written as words.
const members = (list) => [].concat(list).flatMap(({ score, value }) => [score, value]);
const scanning = (name) => (...args) => {
  const o = isOptions(args.at(-1)) ? args.pop() : {};
  known(name, o, 'MATCH', 'COUNT', 'TYPE');
  return [...args, ...Object.entries(o).filter(([, v]) => v !== undefined).flat()];
};
const scored = (key, min, max, o) => { known('zRangeByScore', o, 'LIMIT'); return [key, min, max, ...limit(o)]; };
const script = (code, o = {}) => { known('eval', o, 'keys', 'arguments'); return [code, (o.keys ?? []).length, ...(o.keys ?? []), ...(o.arguments ?? [])]; };
const words = {
  set(key, value, o = {}) {
    known('set', o, 'expiration', 'condition', 'KEEPTTL', 'EX', 'PX', 'EXAT', 'PXAT', 'NX', 'XX', 'GET');
    return [key, value, ...expiration(o), ...(o.condition ? [o.condition] : []), ...flags(o, 'NX', 'XX', 'GET')];
  },
  getEx(key, o) {
    if (o.type) return [key, o.type, ...(o.value === undefined ? [] : [Number(o.value)])];
    known('getEx', o, 'EX', 'PX', 'EXAT', 'PXAT', 'PERSIST');
    return [key, ...expiration(o), ...flags(o, 'PERSIST')];
  },
  mSet: (o) => fields(o),
  mSetNX: (o) => fields(o),
  hSet: (key, field, value) => (value === undefined ? [key, ...fields(field)] : [key, field, value]),
  zAdd(key, list, o) {
    known('zAdd', o, 'condition', 'comparison', 'NX', 'XX', 'LT', 'GT', 'CH', 'INCR');
    return [key, ...[o?.condition, o?.comparison].filter(Boolean), ...flags(o, 'NX', 'XX', 'LT', 'GT', 'CH', 'INCR'), ...members(list)];
  },
  zRange(key, min, max, o) {
    known('zRange', o, 'BY', 'REV', 'LIMIT');
    return [key, min, max, ...(o?.BY ? ['BY' + o.BY] : []), ...flags(o, 'REV'), ...limit(o)];
  },
  zRangeByScore: scored,
  zRangeByLex: scored,
  expire: (key, seconds, mode) => [key, seconds, ...(mode ? [mode] : [])],
  sPop: (key, count) => [key, ...(count === undefined ? [] : [count])],
  scan: scanning('scan'), hScan: scanning('hScan'), sScan: scanning('sScan'), zScan: scanning('zScan'),
  eval: script,
  evalSha: script,
};
const number = (v) => (v === null ? null : v === 'inf' ? Infinity : v === '-inf' ? -Infinity : Number(v));
const withScores = (list) => Array.from({ length: list.length / 2 }, (_, i) => ({ value: list[2 * i], score: number(list[2 * i + 1]) }));
const fromScan = (name, make) => ([cursor, list]) => ({ cursor, [name]: make(list) });
const popped = (r) => r && { key: r[0], element: r[1] };
// What some replies become.
const replies = {
  hGetAll: pairs,
  zScore: number, zIncrBy: number,
  zmScore: (list) => list.map(number),
  zPopMin: (r) => (r.length ? withScores(r)[0] : null), zPopMax: (r) => (r.length ? withScores(r)[0] : null),
  bzPopMin: (r) => r && { key: r[0], value: r[1], score: number(r[2]) }, bzPopMax: (r) => r && { key: r[0], value: r[1], score: number(r[2]) },
  blPop: popped, brPop: popped,
  scan: fromScan('keys', (l) => l), sScan: fromScan('members', (l) => l), zScan: fromScan('members', withScores),
  hScan: fromScan('entries', (l) => Object.entries(pairs(l)).map(([field, value]) => ({ field, value }))),
};
// Commands that go by another name, with words put after theirs.
const variants = {
  zRangeWithScores: ['zRange', ['WITHSCORES'], withScores],
  zRangeByScoreWithScores: ['zRangeByScore', ['WITHSCORES'], withScores],
  sPopCount: ['sPop', [], (r) => r],
  lPopCount: ['lPop', [], (r) => r],
  rPopCount: ['rPop', [], (r) => r],
};

const commandOf = (name, args) => {
  const [base, suffix, reply] = variants[name] ?? [name, [], replies[name]];
  if (isOptions(args.at(-1)) && !words[base] || base.startsWith('x') && args.some(isOptions) || base.startsWith('geo') && args.some(isOptions)) {
    throw absent(`an object as an argument of ${name}`);
  }
  const list = words[base] ? words[base](...args) : args;
  return { words: [base.toUpperCase(), ...flat(list), ...suffix], reply: reply ?? ((r) => r) };
};
const result = (r, reply) => {
  if (r instanceof Error) throw replyError(r);
  return reply(r);
};

class RedisClientMultiCommand {
  #url; #commands = [];
  constructor(url) { this.#url = url; }
  addCommand(list) { this.#commands.push({ words: list, reply: (r) => r }); return this; }
  queue(name, args) { this.#commands.push(commandOf(name, args)); return this; }
  async exec() {
    let list;
    try {
      list = await transaction(this.#url, this.#commands.map((c) => c.words));
    } catch (err) {
      throw err.code ? err : replyError(err);
    }
    if (list === null) throw new WatchError();
    return RedisClientMultiCommand.#all(list, this.#commands);
  }
  async execAsPipeline() { return RedisClientMultiCommand.#all(await send(this.#url, this.#commands.map((c) => c.words)), this.#commands); }
  static #all(list, commands) {
    const out = list.map((r, i) => (r instanceof Error ? replyError(r) : commands[i].reply(r)));
    if (out.some((r) => r instanceof Error)) throw new MultiErrorReply(out);
    return out;
  }
}

class RedisClient extends EventEmitter {
  #url; #open = false;
  constructor(options = {}) {
    super();
    if (typeof options === 'string') options = { url: options };
    this.options = options;
    const { socket = {} } = options;
    this.#url = urlOf({ ...socket, ...options });
    if (options.url && options.database) this.#url = withDatabase(this.#url, options.database);
  }
  get isOpen() { return this.#open; }
  get isReady() { return this.#open; }
  async connect() {
    if (this.#open) throw new Error('Socket already opened');
    this.emit('connect');
    try {
      const [r] = await send(this.#url, [['PING']]);
      result(r, (x) => x);
    } catch (err) {
      if (this.listenerCount('error')) this.emit('error', err);
      throw err;
    }
    this.#open = true;
    this.emit('ready');
    return this;
  }
  duplicate(overrides) { return new RedisClient({ ...this.options, ...overrides }); }
  async run(name, args) {
    if (!this.#open) throw new ClientClosedError();
    const { words: list, reply } = commandOf(name, args);
    const [r] = await send(this.#url, [list]);
    return result(r, reply);
  }
  async sendCommand(list) {
    if (!this.#open) throw new ClientClosedError();
    const [r] = await send(this.#url, [list]);
    return result(r, (x) => x);
  }
  multi() { return new RedisClientMultiCommand(this.#url); }
  async select(n) { this.#url = withDatabase(this.#url, n); }
  async close() { if (!this.#open) throw new ClientClosedError(); this.#open = false; this.emit('end'); }
  async quit() { await this.close(); return 'OK'; }
  async disconnect() { await this.close(); }
  destroy() { if (!this.#open) throw new ClientClosedError(); this.#open = false; this.emit('end'); }
  unref() {}
  ref() {}
}
const iterator = (step, pick) => (client, ...args) => {
  const o = isOptions(args.at(-1)) ? args.pop() : {};
  let cursor = '0', done = false;
  return {
    async next() {
      while (!done) {
        const page = await client[step](...args, cursor, o);
        cursor = page.cursor;
        done = cursor === '0';
        if (page[pick].length) return { value: page[pick], done: false };
      }
      return { value: undefined, done: true };
    },
    async return(value) { done = true; return { value, done: true }; },
    [Symbol.asyncIterator]() { return this; },
  };
};
const iterators = { scanIterator: iterator('scan', 'keys'), hScanIterator: iterator('hScan', 'entries'), sScanIterator: iterator('sScan', 'members'), zScanIterator: iterator('zScan', 'members') };
const method = (target, name, value) => Object.defineProperty(target, name, { value, writable: true, configurable: true });
for (const [name, f] of Object.entries(iterators)) method(RedisClient.prototype, name, function (...args) { return f(this, ...args); });
for (const name of [...names, ...Object.keys(variants)]) {
  for (const alias of new Set([name, name.toUpperCase()])) {
    if (alias in RedisClient.prototype) continue;
    method(RedisClient.prototype, alias, function (...args) { return this.run(name, args); });
    method(RedisClientMultiCommand.prototype, alias, function (...args) { return this.queue(name, args); });
  }
}
for (const name of ['subscribe', 'pSubscribe', 'sSubscribe', 'unsubscribe', 'pUnsubscribe', 'monitor', 'watch', 'unwatch', 'auth', 'withCommandOptions', 'withTypeMapping']) {
  method(RedisClient.prototype, name, () => { throw absent(name); });
}

const lacking = (name) => () => { throw absent(name); };
module.exports = {
  createClient: (options) => new RedisClient(options),
  createCluster: lacking('createCluster'),
  createClientPool: lacking('createClientPool'),
  createSentinel: lacking('createSentinel'),
  RedisClient, ErrorReply, SimpleError, MultiErrorReply, ClientClosedError, ClientOfflineError, WatchError,
};
