// node:console: the global console, and Console, which writes to streams.
const { format, inspect } = require('util');
class Console {
  #out; #err; #indent = ''; #counts = new Map(); #times = new Map();
  constructor(stdout, stderr) {
    if (stdout && typeof stdout.write !== 'function') ({ stdout, stderr } = stdout);
    this.#out = stdout;
    this.#err = stderr || stdout;
    for (const name of Object.getOwnPropertyNames(Console.prototype)) if (name !== 'constructor') this[name] = this[name].bind(this);
  }
  #print(stream, args) { const text = format(...args); stream.write((this.#indent ? text.replace(/^/gm, this.#indent) : text) + '\n'); }
  log(...args) { this.#print(this.#out, args); }
  info(...args) { this.#print(this.#out, args); }
  debug(...args) { this.#print(this.#out, args); }
  warn(...args) { this.#print(this.#err, args); }
  error(...args) { this.#print(this.#err, args); }
  trace(...args) { this.#print(this.#err, [host.stack(new Error(args.length ? format(...args) : '').stack).replace(/^Error/, 'Trace')]); }
  dir(v, options) { this.#print(this.#out, [inspect(v, options)]); }
  dirxml(...args) { this.log(...args); }
  table(v) { this.#print(this.#out, [inspect(v)]); }
  assert(condition, ...args) { if (!condition) this.#print(this.#err, typeof args[0] === 'string' ? ['Assertion failed: ' + args[0], ...args.slice(1)] : ['Assertion failed', ...args]); }
  count(label = 'default') { this.#counts.set(label, (this.#counts.get(label) || 0) + 1); this.log(`${label}: ${this.#counts.get(label)}`); }
  countReset(label = 'default') { this.#counts.delete(label); }
  time(label = 'default') { this.#times.set(label, host.now()); }
  timeLog(label = 'default', ...args) { if (this.#times.has(label)) this.log(`${label}: ${(host.now() - this.#times.get(label)).toFixed(3)}ms`, ...args); }
  timeEnd(label = 'default') { this.timeLog(label); this.#times.delete(label); }
  group(...args) { if (args.length) this.log(...args); this.#indent += '  '; }
  groupCollapsed(...args) { this.group(...args); }
  groupEnd() { this.#indent = this.#indent.slice(2); }
  clear() {}
}
module.exports = new Proxy({ Console }, {
  get: (own, key) => (key in own ? own[key] : console[key]),
  set: (_, key, v) => { console[key] = v; return true; },
  has: (own, key) => key in own || key in console,
  ownKeys: (own) => [...new Set([...Object.keys(own), ...Object.keys(console)])],
  getOwnPropertyDescriptor: (own, key) => ({ value: key in own ? own[key] : console[key], writable: true, enumerable: true, configurable: true }),
});
