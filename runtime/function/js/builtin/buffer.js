// node:buffer: Buffer, atob, btoa and Blob.
const canonical = (encoding) => {
  switch (encoding === undefined || encoding === null ? 'utf8' : String(encoding).toLowerCase()) {
    case 'utf8': case 'utf-8': return 'utf8';
    case 'hex': return 'hex';
    case 'base64': return 'base64';
    case 'base64url': return 'base64url';
    case 'latin1': case 'binary': return 'latin1';
    case 'ascii': return 'ascii';
    case 'utf16le': case 'utf-16le': case 'ucs2': case 'ucs-2': return 'utf16le';
    default: return undefined;
  }
};
const encodingOf = (encoding) => {
  const c = canonical(encoding);
  if (!c) { const e = new TypeError(`Unknown encoding: ${encoding}`); e.code = 'ERR_UNKNOWN_ENCODING'; throw e; }
  return c;
};
const encode = (text, encoding) => {
  const e = encodingOf(encoding);
  return host.encode(text, e === 'base64url' ? 'base64' : e === 'ascii' ? 'latin1' : e);
};
const bytesOf = (v, encoding) => (typeof v === 'string' ? new Uint8Array(encode(v, encoding)) : v);
const outOfRange = (name, range, v) => {
  const e = new RangeError(`The value of "${name}" is out of range. It must be ${range}. Received ${v}`);
  e.code = 'ERR_OUT_OF_RANGE';
  throw e;
};

class Buffer extends Uint8Array {
  static poolSize = 8192;
  static from(v, encoding, length) {
    if (typeof v === 'string') return new Buffer(encode(v, encoding));
    if (v instanceof ArrayBuffer) return new Buffer(v, encoding, length);
    if (ArrayBuffer.isView(v)) { const b = new Buffer(v.length); b.set(v); return b; }
    if (v && v.type === 'Buffer' && Array.isArray(v.data)) return Buffer.from(v.data);
    if (v && typeof v === 'object') {
      if (typeof v.length === 'number' || typeof v[Symbol.iterator] === 'function') {
        const items = Array.from(v), b = new Buffer(items.length);
        for (let i = 0; i < items.length; i++) b[i] = items[i];
        return b;
      }
      const inner = v.valueOf();
      if (inner !== v) return Buffer.from(inner, encoding, length);
    }
    const e = new TypeError('The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object.' + ` Received ${v === null ? 'null' : typeof v}`);
    e.code = 'ERR_INVALID_ARG_TYPE';
    throw e;
  }
  static of(...items) { return Buffer.from(items); }
  static alloc(size, fill, encoding) {
    const b = new Buffer(size);
    return fill === undefined ? b : b.fill(fill, encoding);
  }
  static allocUnsafe(size) { return new Buffer(size); }
  static allocUnsafeSlow(size) { return new Buffer(size); }
  static isBuffer(v) { return v instanceof Buffer; }
  static isEncoding(e) { return typeof e === 'string' && canonical(e) !== undefined; }
  static byteLength(v, encoding) { return typeof v === 'string' ? encode(v, encoding).byteLength : v.byteLength; }
  static concat(list, total = list.reduce((n, b) => n + b.length, 0)) {
    const out = new Buffer(total);
    let at = 0;
    for (const b of list) {
      if (at >= total) break;
      out.set(b.length > total - at ? b.subarray(0, total - at) : b, at);
      at += b.length;
    }
    return out;
  }
  static compare(a, b) {
    const n = Math.min(a.length, b.length);
    for (let i = 0; i < n; i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
    return Math.sign(a.length - b.length);
  }

  get parent() { return this.buffer; }
  get offset() { return this.byteOffset; }
  toString(encoding, start = 0, end = this.length) {
    const e = encodingOf(encoding);
    return host.decode(start <= 0 && end >= this.length ? this : this.subarray(start, end), e);
  }
  toLocaleString(encoding, start, end) { return this.toString(encoding, start, end); }
  toJSON() { return { type: 'Buffer', data: Array.from(this) }; }
  equals(other) { return Buffer.compare(this, other) === 0; }
  compare(target, ts = 0, te = target.length, ss = 0, se = this.length) { return Buffer.compare(this.subarray(ss, se), target.subarray(ts, te)); }
  slice(start, end) { return this.subarray(start, end); }
  subarray(start = 0, end = this.length) {
    const at = (i) => (i < 0 ? Math.max(this.length + Math.trunc(i), 0) : Math.min(Math.trunc(i) || 0, this.length));
    const from = at(start);
    return new Buffer(this.buffer, this.byteOffset + from, Math.max(at(end) - from, 0));
  }
  write(text, offset = 0, length = this.length - offset, encoding = 'utf8') {
    if (typeof offset === 'string') return this.write(text, 0, this.length, offset);
    if (typeof length === 'string') return this.write(text, offset, this.length - offset, length);
    const b = new Uint8Array(encode(text, encoding)), n = Math.min(b.length, length, this.length - offset);
    this.set(b.subarray(0, n), offset);
    return n;
  }
  copy(target, at = 0, start = 0, end = this.length) {
    const part = this.subarray(start, Math.min(end, start + target.length - at));
    target.set(part, at);
    return part.length;
  }
  fill(v, start = 0, end = this.length, encoding = 'utf8') {
    if (typeof start === 'string') { encoding = start; start = 0; end = this.length; }
    if (typeof v === 'number' || typeof v === 'boolean') return super.fill(v, start, end);
    const b = bytesOf(v, encoding);
    if (!b.length) return super.fill(0, start, end);
    for (let i = start, j = 0; i < end; i++, j++) this[i] = b[j % b.length];
    return this;
  }
  indexOf(v, from = 0, encoding = 'utf8') {
    if (typeof v === 'number') return super.indexOf(v & 255, from);
    const b = bytesOf(v, encoding);
    for (let i = from < 0 ? Math.max(this.length + from, 0) : from; i + b.length <= this.length; i++) {
      let j = 0;
      while (j < b.length && this[i + j] === b[j]) j++;
      if (j === b.length) return i;
    }
    return -1;
  }
  lastIndexOf(v, from = this.length, encoding = 'utf8') {
    if (typeof v === 'number') return super.lastIndexOf(v & 255, from);
    const b = bytesOf(v, encoding);
    for (let i = Math.min(from, this.length - b.length); i >= 0; i--) {
      let j = 0;
      while (j < b.length && this[i + j] === b[j]) j++;
      if (j === b.length) return i;
    }
    return -1;
  }
  includes(v, from, encoding) { return this.indexOf(v, from, encoding) !== -1; }
  swap16() { for (let i = 0; i + 1 < this.length; i += 2) [this[i], this[i + 1]] = [this[i + 1], this[i]]; return this; }
  readUIntBE(at, n) { let v = 0; for (let i = 0; i < n; i++) v = v * 256 + this[at + i]; return v; }
  readUIntLE(at, n) { let v = 0; for (let i = n - 1; i >= 0; i--) v = v * 256 + this[at + i]; return v; }
  readIntBE(at, n) { const v = this.readUIntBE(at, n), half = 2 ** (8 * n - 1); return v >= half ? v - 2 * half : v; }
  readIntLE(at, n) { const v = this.readUIntLE(at, n), half = 2 ** (8 * n - 1); return v >= half ? v - 2 * half : v; }
  writeUIntBE(v, at, n) { for (let i = n - 1; i >= 0; i--) { this[at + i] = v % 256; v = Math.floor(v / 256); } return at + n; }
  writeUIntLE(v, at, n) { for (let i = 0; i < n; i++) { this[at + i] = v % 256; v = Math.floor(v / 256); } return at + n; }
  writeIntBE(v, at, n) { return this.writeUIntBE(v < 0 ? v + 2 ** (8 * n) : v, at, n); }
  writeIntLE(v, at, n) { return this.writeUIntLE(v < 0 ? v + 2 ** (8 * n) : v, at, n); }
  [Symbol.for('nodejs.util.inspect.custom')]() {
    const shown = Array.from(this.subarray(0, 50), (b) => b.toString(16).padStart(2, '0')).join(' ');
    const more = this.length - 50;
    return `<Buffer${shown ? ' ' + shown : ''}${more > 0 ? ` ... ${more} more byte${more > 1 ? 's' : ''}` : ''}>`;
  }
}

// readUInt8, writeInt32BE, readDoubleLE … by DataView.
const kinds = { UInt8: ['Uint8', 1], Int8: ['Int8', 1], UInt16: ['Uint16', 2], Int16: ['Int16', 2], UInt32: ['Uint32', 4], Int32: ['Int32', 4],
  BigUInt64: ['BigUint64', 8], BigInt64: ['BigInt64', 8], Float: ['Float32', 4], Double: ['Float64', 8] };
for (const [name, [view, size]] of Object.entries(kinds)) {
  for (const order of size === 1 ? [''] : ['LE', 'BE']) {
    const at = (b, offset) => {
      if (!Number.isInteger(offset) || offset < 0 || offset + size > b.length) outOfRange('offset', `>= 0 and <= ${b.length - size}`, offset);
      return new DataView(b.buffer, b.byteOffset, b.byteLength);
    };
    const methods = {
      ['read' + name + order](offset = 0) { return at(this, offset)['get' + view](offset, order === 'LE'); },
      ['write' + name + order](v, offset = 0) { at(this, offset)['set' + view](offset, v, order === 'LE'); return offset + size; },
    };
    for (const [k, f] of Object.entries(methods)) {
      Object.defineProperty(Buffer.prototype, k, { value: f, writable: true, configurable: true });
      if (name.includes('UInt')) Object.defineProperty(Buffer.prototype, k.replace('UInt', 'Uint'), { value: f, writable: true, configurable: true });
    }
  }
}
for (const [alias, name] of [['readUintBE', 'readUIntBE'], ['readUintLE', 'readUIntLE'], ['writeUintBE', 'writeUIntBE'], ['writeUintLE', 'writeUIntLE']]) {
  Object.defineProperty(Buffer.prototype, alias, { value: Buffer.prototype[name], writable: true, configurable: true });
}

// Buffer(…) without new, and new Buffer("text"), as Node still takes them.
function Callable(...args) {
  const target = this instanceof Callable && new.target !== Callable ? new.target : Buffer; // see RegExp in prelude.js
  if (typeof args[0] === 'number') return Reflect.construct(Buffer, [args[0]], target);
  return args[0] instanceof ArrayBuffer ? Reflect.construct(Buffer, args, target) : Buffer.from(...args);
}
Object.setPrototypeOf(Callable, Buffer);
Callable.prototype = Buffer.prototype;
Object.defineProperty(Callable.prototype, 'constructor', { value: Callable, writable: true, configurable: true });
Object.defineProperty(Callable, 'name', { value: 'Buffer' });

// Packages copy what Buffer has by for…in.
for (const k of ['from', 'of', 'alloc', 'allocUnsafe', 'allocUnsafeSlow', 'isBuffer', 'isEncoding', 'byteLength', 'concat', 'compare', 'poolSize']) {
  Object.defineProperty(Callable, k, { value: Buffer[k], writable: true, configurable: true, enumerable: true });
}

class Blob {
  #bytes; #type;
  constructor(parts = [], { type = '' } = {}) {
    this.#bytes = Buffer.concat(parts.map((p) => (p instanceof Blob ? p.#bytes : p instanceof ArrayBuffer ? Buffer.from(p) : ArrayBuffer.isView(p) ? Buffer.from(p.buffer, p.byteOffset, p.byteLength) : Buffer.from(String(p)))));
    this.#type = type;
  }
  get size() { return this.#bytes.length; }
  get type() { return this.#type; }
  slice(start, end, type) { return new Blob([this.#bytes.subarray(start, end)], { type }); }
  stream() {
    const bytes = this.#bytes;
    return new (require('devstack:web-streams').ReadableStream)({ start(c) { if (bytes.length) c.enqueue(new Uint8Array(bytes)); c.close(); } });
  }
  [Symbol.for('devstack.bytes')]() { return this.#bytes; }
  get [Symbol.toStringTag]() { return 'Blob'; }
  async text() { return this.#bytes.toString(); }
  async bytes() { return new Uint8Array(this.#bytes); }
  async arrayBuffer() { return new Uint8Array(this.#bytes).buffer; }
}

const invalid = () => { throw new (require('devstack:fetch').DOMException)('Invalid character', 'InvalidCharacterError'); };
module.exports = {
  Buffer: Callable,
  SlowBuffer: Callable,
  Blob,
  get File() { return require('devstack:fetch').File; },
  isUtf8: (v) => !host.decode(v, 'utf8').includes('\ufffd') || Buffer.from(host.decode(v, 'utf8')).equals(Buffer.from(v)),
  isAscii: (v) => Buffer.from(v).every((b) => b < 128),
  transcode: (v, from, to) => Buffer.from(Buffer.from(v).toString(from), to),
  INSPECT_MAX_BYTES: 50,
  atob: (text) => {
    const clean = String(text).replace(/[\t\n\f\r ]/g, '');
    if (/[^A-Za-z0-9+/=]/.test(clean) || /=[^=]/.test(clean) || clean.replace(/=+$/, '').length % 4 === 1) invalid();
    return host.decode(host.encode(clean, 'base64'), 'latin1');
  },
  btoa: (text) => {
    if (/[^\0-\xff]/.test(String(text))) invalid();
    return host.decode(host.encode(String(text), 'latin1'), 'base64');
  },
  constants: { MAX_LENGTH: 2 ** 31 - 1, MAX_STRING_LENGTH: 2 ** 29 - 24 },
  kMaxLength: 2 ** 31 - 1,
};
