// node:util: inspect and format (which console uses), promisify and a few more.
const kindOf = (v) => Object.prototype.toString.call(v).slice(8, -1);
const identifier = /^[A-Za-z_$][\w$]*$/;

const quote = (s) => {
  const q = !s.includes("'") ? "'" : !s.includes('"') ? '"' : !s.includes('`') && !s.includes('${') ? '`' : "'";
  const escapes = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\b': '\\b', '\f': '\\f', '\v': '\\v', '\\': '\\\\' };
  let out = '';
  for (const c of s) {
    if (c === q) out += '\\' + c;
    else if (escapes[c]) out += escapes[c];
    else if (c < ' ') out += '\\x' + c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0');
    else out += c;
  }
  return q + out + q;
};

const primitive = (v) => {
  switch (typeof v) {
    case 'string': return quote(v);
    case 'bigint': return v + 'n';
    case 'number': return Object.is(v, -0) ? '-0' : String(v);
    case 'symbol': return v.toString();
    default: return String(v);
  }
};

const constructorName = (v) => {
  for (let p = v; p; p = Object.getPrototypeOf(p)) {
    const d = Object.getOwnPropertyDescriptor(p, 'constructor');
    if (d && typeof d.value === 'function' && d.value.name) return d.value.name;
  }
  return null;
};

class Inspector {
  constructor({ depth = 2, breakLength = 72, maxArrayLength = 100, showHidden = false, compact = 3 } = {}) {
    this.depth = depth === null ? Infinity : depth;
    this.breakLength = breakLength;
    this.maxItems = maxArrayLength === null ? Infinity : maxArrayLength;
    this.showHidden = showHidden;
    this.compact = compact;
    this.path = [];
    this.circular = new Map();
  }

  value(v, level) {
    if (v === null || (typeof v !== 'object' && typeof v !== 'function')) return primitive(v);
    const custom = v[inspect.custom];
    if (typeof custom === 'function' && custom !== inspect) {
      const out = custom.call(v, this.depth - level, {}, inspect);
      return typeof out === 'string' ? out : this.value(out, level);
    }
    if (this.path.includes(v)) {
      if (!this.circular.has(v)) this.circular.set(v, this.circular.size + 1);
      return `[Circular *${this.circular.get(v)}]`;
    }
    this.path.push(v);
    const out = this.object(v, level);
    this.path.pop();
    return this.circular.has(v) ? `<ref *${this.circular.get(v)}> ${out}` : out;
  }

  object(v, level) {
    const kind = kindOf(v), name = constructorName(v);
    const keys = Reflect.ownKeys(v).filter((k) => this.showHidden || Object.prototype.propertyIsEnumerable.call(v, k));
    if (Array.isArray(v) || ArrayBuffer.isView(v) && !(v instanceof DataView)) return this.list(v, keys, name, level);
    const props = (skip = []) => keys.filter((k) => !skip.includes(k)).map((k) => this.property(v, k, level));
    const with_ = (head, skip) => {
      const p = props(skip);
      return p.length ? this.wrap(head + ' {', p, '}', level) : head;
    };
    if (typeof v === 'function') {
      const isClass = /^class\b/.test(Function.prototype.toString.call(v));
      const base = isClass ? Object.getPrototypeOf(v)?.name : '';
      return with_(isClass ? `[class ${v.name || '(anonymous)'}${base ? ' extends ' + base : ''}]`
        : v.name ? `[${name || 'Function'}: ${v.name}]` : `[${name || 'Function'} (anonymous)]`);
    }
    if (v instanceof Error) return this.error(v, keys, level);
    if (v instanceof Date) return with_(isNaN(v) ? 'Invalid Date' : v.toISOString());
    if (v instanceof RegExp) return with_(String(v));
    if (v instanceof Promise) return with_('Promise { <state not shown> }');
    const boxed = v instanceof String || v instanceof Number || v instanceof Boolean;
    if (boxed) return `[${name}: ${primitive(v.valueOf())}]`;
    const head = name === null ? '[Object: null prototype] ' : name === 'Object' ? '' : name + ' ';
    if (level > this.depth) return name === null ? '[Object: null prototype]' : `[${name}]`;
    if (v instanceof Map) {
      const entries = [...v].map(([k, x]) => `${this.value(k, level + 1)} => ${this.value(x, level + 1)}`);
      return this.wrap(`${name}(${v.size}) {`, [...entries, ...props()], '}', level);
    }
    if (v instanceof Set) return this.wrap(`${name}(${v.size}) {`, [...[...v].map((x) => this.value(x, level + 1)), ...props()], '}', level);
    if (v instanceof ArrayBuffer) return `ArrayBuffer { byteLength: ${v.byteLength} }`;
    const tag = kind !== 'Object' && kind !== name && v[Symbol.toStringTag] ? `[${kind}] ` : '';
    return this.wrap(head + tag + '{', props(), '}', level);
  }

  list(v, keys, name, level) {
    if (level > this.depth) return `[${name}]`;
    const isArray = Array.isArray(v);
    const head = isArray && name === 'Array' ? '[' : `${name}(${v.length}) [`;
    const out = [];
    let holes = 0;
    const flush = () => { if (holes) out.push(`<${holes} empty item${holes > 1 ? 's' : ''}>`); holes = 0; };
    for (let i = 0; i < v.length && out.length < this.maxItems; i++) {
      if (isArray && !(i in v)) { holes++; continue; }
      flush();
      out.push(this.value(v[i], level + 1));
    }
    flush();
    const more = v.length - this.maxItems;
    if (more > 0) out.push(`... ${more} more item${more > 1 ? 's' : ''}`);
    for (const k of keys) if (typeof k === 'symbol' || !/^\d+$/.test(k)) out.push(this.property(v, k, level));
    return this.wrap(head, out, ']', level);
  }

  error(v, keys, level) {
    let text = typeof v.stack === 'string' && v.stack ? host.stack(v.stack) : `[${Error.prototype.toString.call(v)}]`;
    text = text.replace(/\n/g, '\n' + '  '.repeat(level));
    const p = keys.filter((k) => k !== 'stack' && k !== 'message').map((k) => this.property(v, k, level));
    if (v.cause !== undefined && !keys.includes('cause')) p.push('[cause]: ' + this.value(v.cause, level + 1));
    if (Array.isArray(v.errors) && !keys.includes('errors')) p.push('[errors]: ' + this.value(v.errors, level + 1));
    return p.length ? `${text} {\n${p.map((x) => '  '.repeat(level + 1) + x).join(',\n')}\n${'  '.repeat(level)}}` : text;
  }

  property(v, k, level) {
    const d = Object.getOwnPropertyDescriptor(v, k) || { value: v[k] };
    const shown = typeof k === 'symbol' ? `[${k.toString()}]` : identifier.test(k) ? k : quote(k);
    const text = d.get ? (d.set ? '[Getter/Setter]' : '[Getter]') : d.set ? '[Setter]' : this.value(d.value, level + 1);
    return `${d.enumerable === false ? `[${String(k)}]` : shown}: ${text}`;
  }

  // wrap puts items on one line if they are few and short, as Node's compact mode 3 does, else on a line each.
  wrap(open, items, close, level) {
    if (!items.length) return open + close;
    const length = items.reduce((n, s) => n + s.length + 2, open.length);
    const nested = items.some((s) => s.includes('\n'));
    const deep = items.filter((s) => /[[{]/.test(s)).length > this.compact;
    if (!nested && !deep && length + level * 2 <= this.breakLength + 4) return `${open} ${items.join(', ')} ${close}`;
    const pad = '\n' + '  '.repeat(level + 1);
    if (open.endsWith('[') && items.length > 6 && items.every((s) => s.length <= 6)) items = this.rows(items);
    return `${open}${pad}${items.join(',' + pad)}\n${'  '.repeat(level)}${close}`;
  }

  // rows joins short items of a long list.
  rows(items) {
    const width = Math.max(...items.map((s) => s.length)) + 2, per = Math.max(1, Math.min(16, Math.floor(this.breakLength / width)));
    const out = [];
    for (let i = 0; i < items.length; i += per) {
      out.push(items.slice(i, i + per).map((s) => s.padStart(width - 2)).join(', '));
    }
    return out;
  }
}

const inspect = (v, options) => new Inspector(typeof options === 'object' && options ? options : undefined).value(v, 0);
inspect.custom = Symbol.for('nodejs.util.inspect.custom');

const format = (...args) => {
  let i = 0, out = '';
  if (typeof args[0] === 'string') {
    i = 1;
    if (args.length === 1) return args[0];
    out = args[0].replace(/%[sdifjoOc%]/g, (m) => {
      if (m === '%%') return '%';
      if (i >= args.length) return m;
      const v = args[i++];
      switch (m) {
        case '%s': return typeof v === 'string' ? v : typeof v === 'object' && v !== null ? inspect(v, { depth: 0 }) : primitive(v);
        case '%d': return typeof v === 'bigint' ? v + 'n' : typeof v === 'symbol' ? 'NaN' : String(Number(v));
        case '%i': return typeof v === 'bigint' ? v + 'n' : String(parseInt(v));
        case '%f': return String(parseFloat(v));
        case '%j': try { return JSON.stringify(v); } catch { return '[Circular]'; }
        case '%c': return '';
        default: return inspect(v, m === '%o' ? { depth: 4, showHidden: false } : undefined);
      }
    });
  }
  for (; i < args.length; i++) {
    const v = args[i];
    out += (i ? ' ' : '') + (typeof v === 'string' ? v : inspect(v));
  }
  return out;
};

const custom = Symbol.for('nodejs.util.promisify.custom');
const promisify = (f) => {
  if (typeof f !== 'function') throw new TypeError('The "original" argument must be of type function');
  if (f[custom]) return f[custom];
  return function (...args) {
    return new Promise((resolve, reject) => f.call(this, ...args, (err, v) => (err ? reject(err) : resolve(v))));
  };
};
promisify.custom = custom;

const equal = (a, b, strict, seen = new Map()) => {
  if (Object.is(a, b) || !strict && (a == b)) return true; // eslint-disable-line eqeqeq
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (strict && Object.getPrototypeOf(a) !== Object.getPrototypeOf(b) || kindOf(a) !== kindOf(b)) return false;
  if (seen.get(a) === b) return true;
  seen.set(a, b);
  if (a instanceof Date) return a.getTime() === b.getTime();
  if (a instanceof RegExp) return String(a) === String(b);
  if (a instanceof Error && (a.message !== b.message || a.name !== b.name)) return false;
  if (a instanceof Set) return a.size === b.size && [...a].every((x) => b.has(x) || [...b].some((y) => equal(x, y, strict, seen)));
  if (a instanceof Map) return a.size === b.size && [...a].every(([k, v]) => b.has(k) && equal(v, b.get(k), strict, seen));
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((k) => Object.hasOwn(b, k) && equal(a[k], b[k], strict, seen));
};

module.exports = {
  inspect, format, promisify,
  isDeepStrictEqual: (a, b) => equal(a, b, true),
  callbackify: (f) => (...args) => {
    const cb = args.pop();
    f(...args).then((v) => setTimeout(() => cb(null, v)), (e) => setTimeout(() => cb(e)));
  },
  deprecate: (f) => f,
  inherits(c, base) {
    Object.defineProperty(c, 'super_', { value: base, writable: true, configurable: true });
    Object.setPrototypeOf(c.prototype, base.prototype);
  },
  debuglog: () => Object.assign(() => {}, { enabled: false }),
  stripVTControlCharacters: (s) => s.replace(/\u001b\[[0-9;]*[A-Za-z]/g, ''),
  toUSVString: (s) => String(s).replace(/[\ud800-\udfff]/gu, '\ufffd'),
  get TextEncoder() { return require('devstack:text').TextEncoder; },
  get TextDecoder() { return require('devstack:text').TextDecoder; },
  isArray: Array.isArray,
  isBuffer: (v) => require('buffer').Buffer.isBuffer(v),
  isError: (v) => v instanceof Error,
  isFunction: (v) => typeof v === 'function',
  isRegExp: (v) => v instanceof RegExp,
  isDate: (v) => v instanceof Date,
  isObject: (v) => typeof v === 'object' && v !== null,
  isString: (v) => typeof v === 'string',
  _extend: Object.assign,
  debug: () => Object.assign(() => {}, { enabled: false }),
  aborted: (signal) => new Promise((resolve) => { signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true }); }),
  styleText: (_, text) => text,
  getSystemErrorName: (n) => Object.entries(require('constants')).find(([k, v]) => k.startsWith('E') && v === -n)?.[0],
  parseArgs: () => { throw new Error('util.parseArgs is not provided by the js runtime: a function has no arguments'); },
  MIMEType: class MIMEType { constructor() { throw new Error('util.MIMEType is not provided by the js runtime'); } },
  types: {
    isPromise: (v) => v instanceof Promise,
    isDate: (v) => v instanceof Date,
    isRegExp: (v) => v instanceof RegExp,
    isNativeError: (v) => v instanceof Error,
    isMap: (v) => v instanceof Map,
    isSet: (v) => v instanceof Set,
    isWeakMap: (v) => v instanceof WeakMap,
    isWeakSet: (v) => v instanceof WeakSet,
    isMapIterator: (v) => kindOf(v) === 'Map Iterator',
    isSetIterator: (v) => kindOf(v) === 'Set Iterator',
    ...Object.fromEntries(['Uint8Array', 'Int8Array', 'Uint8ClampedArray', 'Uint16Array', 'Int16Array', 'Uint32Array', 'Int32Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array']
      .map((name) => ['is' + name, (v) => ArrayBuffer.isView(v) && v[Symbol.toStringTag] === name])),
    isUint8Array: (v) => v instanceof Uint8Array,
    isTypedArray: (v) => ArrayBuffer.isView(v) && !(v instanceof DataView),
    isDataView: (v) => v instanceof DataView,
    isArrayBufferView: (v) => ArrayBuffer.isView(v),
    isArrayBuffer: (v) => v instanceof ArrayBuffer,
    isAnyArrayBuffer: (v) => v instanceof ArrayBuffer,
    isSharedArrayBuffer: () => false,
    isAsyncFunction: (v) => kindOf(v) === 'AsyncFunction',
    isGeneratorFunction: (v) => kindOf(v) === 'GeneratorFunction',
    isGeneratorObject: (v) => kindOf(v) === 'Generator',
    isArgumentsObject: (v) => kindOf(v) === 'Arguments',
    isProxy: () => false,
    isBoxedPrimitive: (v) => v instanceof String || v instanceof Number || v instanceof Boolean,
    isNumberObject: (v) => v instanceof Number,
    isStringObject: (v) => v instanceof String,
    isBooleanObject: (v) => v instanceof Boolean,
    isSymbolObject: (v) => kindOf(v) === 'Symbol' && typeof v === 'object',
    isKeyObject: (v) => v instanceof require('devstack:keys').KeyObject,
    isCryptoKey: (v) => v instanceof require('devstack:subtle').CryptoKey,
    isModuleNamespaceObject: () => false,
    isExternal: () => false,
  },
};
Object.defineProperty(module.exports, 'equal', { value: equal, enumerable: false }); // node:assert's
