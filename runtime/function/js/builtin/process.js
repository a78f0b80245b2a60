// process, as far as handlers need it.
const missing = (name) => () => {
  throw new Error(`process.${name} is not provided by the js runtime; use runtime = "nodejs22.x" for functions that need it`);
};
const began = host.now();
const memory = host.info()[1] * 1024 * 1024;
const hrtime = (since) => {
  const ns = host.now() * 1e6;
  const now = [Math.floor(ns / 1e9), Math.floor(ns % 1e9)];
  if (!since) return now;
  const d = (now[0] - since[0]) * 1e9 + now[1] - since[1];
  return [Math.floor(d / 1e9), d % 1e9];
};
hrtime.bigint = () => BigInt(Math.floor(host.now() * 1e6));
const own = (name, value) => { Object.defineProperty(module.exports, name, { value, writable: true, configurable: true, enumerable: true }); return value; };
// output is a stream to the log. It becomes one of node:stream's when somebody needs more than write.
const output = (fd) => {
  const out = {
    fd, isTTY: false, writable: true, columns: 80, _type: 'fs',
    write(chunk, encoding, callback) {
      host.write(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
      callback = typeof encoding === 'function' ? encoding : callback;
      if (callback) queueMicrotask(callback);
      return true;
    },
    getColorDepth: () => 1, hasColors: () => false, end() {},
  };
  let stream;
  const real = () => (stream ||= new (require('stream').Writable)({ decodeStrings: false, write(chunk, encoding, done) { out.write(chunk); done(); } }));
  for (const name of ['on', 'once', 'off', 'emit', 'addListener', 'removeListener', 'removeAllListeners', 'listenerCount', 'listeners', 'prependListener', 'cork', 'uncork', 'destroy', 'setDefaultEncoding']) out[name] = (...args) => { const r = real()[name](...args); return r === stream ? out : r; };
  for (const name of ['_writableState', 'writableLength', 'writableHighWaterMark', 'writableEnded', 'writableFinished', 'writableNeedDrain', 'destroyed']) Object.defineProperty(out, name, { get: () => real()[name], configurable: true });
  return out;
};

module.exports = {
  env: host.env(),
  argv: ['js', '/var/task/function.js'],
  execArgv: [],
  platform: 'linux',
  arch: 'x64',
  pid: 1,
  version: 'v22.0.0', // packages ask for what they know of Node by it
  versions: { node: '22.0.0', devstack: '1', goja: '1' },
  release: { name: 'node' },
  features: {},
  config: { variables: {} },
  title: 'js',
  exitCode: undefined,
  stdin: { fd: 0, isTTY: false, on() { return this; }, once() { return this; }, resume() {}, pause() {} },
  get stdout() { return own('stdout', output(1)); },
  get stderr() { return own('stderr', output(2)); },
  cwd: () => '/var/task',
  uptime: () => (host.now() - began) / 1000,
  hrtime,
  nextTick: (f, ...args) => queueMicrotask(() => f(...args)),
  exit(code) { host.exit(code === undefined ? module.exports.exitCode || 0 : code); for (;;); },
  emitWarning(warning) { console.warn(`(${warning.name || 'Warning'}) ${warning.message || warning}`); },
  memoryUsage: Object.assign(() => ({ rss: memory, heapTotal: memory, heapUsed: 0, external: 0, arrayBuffers: 0 }), { rss: () => memory }),
  cpuUsage: () => ({ user: Math.floor(host.now() * 1000), system: 0 }),
  resourceUsage: () => ({ userCPUTime: Math.floor(host.now() * 1000), systemCPUTime: 0, maxRSS: memory / 1024 }),
  umask: () => 0o022,
  getuid: () => 993, getgid: () => 990, geteuid: () => 993, getegid: () => 990,
  execPath: '/var/lang/bin/node',
  ppid: 0,
  abort() { host.exit(134); for (;;); },
  getBuiltinModule: (name) => { try { return require(String(name).replace(/^node:/, '')); } catch { return undefined; } },
  chdir: missing('chdir'), kill: missing('kill'), binding: missing('binding'), dlopen: missing('dlopen'),
};

// What is heard of a process: 'exit', signals and 'beforeExit' never come, since a sandbox ends without a word, as on Lambda.
for (const name of ['on', 'once', 'off', 'addListener', 'removeListener', 'removeAllListeners', 'emit', 'listeners', 'rawListeners', 'listenerCount', 'eventNames', 'prependListener', 'prependOnceListener', 'setMaxListeners', 'getMaxListeners']) {
  module.exports[name] = function (...args) { return require('events').EventEmitter.prototype[name].apply(this, args); };
}
Object.defineProperty(module.exports, Symbol.toStringTag, { value: 'process', configurable: true });
