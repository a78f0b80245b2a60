// node:crypto: random values, hashes and HMACs, and webcrypto's part of it.
const { Buffer } = require('buffer');
const bytes = (v, encoding) => (typeof v === 'string' ? Buffer.from(v, encoding) : v instanceof ArrayBuffer ? new Uint8Array(v) : new Uint8Array(v.buffer, v.byteOffset, v.byteLength));
class Hash {
  #parts = []; #finish; #done = false;
  constructor(finish) { this.#finish = finish; }
  update(data, encoding) {
    if (this.#done) { const e = new Error('Digest already called'); e.code = 'ERR_CRYPTO_HASH_FINALIZED'; throw e; }
    this.#parts.push(Buffer.from(bytes(data, encoding)));
    return this;
  }
  digest(encoding) {
    if (this.#done) { const e = new Error('Digest already called'); e.code = 'ERR_CRYPTO_HASH_FINALIZED'; throw e; }
    this.#done = true;
    const out = Buffer.from(this.#finish(Buffer.concat(this.#parts)));
    return encoding && encoding !== 'buffer' ? out.toString(encoding) : out;
  }
  copy() { const h = new Hash(this.#finish); h.#parts = [...this.#parts]; return h; }
}
const hash = (name) => { host.digest(name, ''); return new Hash((b) => host.digest(name, b)); };
const randomBytes = (n, callback) => {
  const b = Buffer.from(host.random(n));
  if (callback) { setImmediate(() => callback(null, b)); return undefined; }
  return b;
};
const fill = (view) => {
  const b = new Uint8Array(view.buffer || view, view.byteOffset || 0, view.byteLength);
  b.set(new Uint8Array(host.random(b.length)));
  return view;
};
const randomInt = (min, max, callback) => {
  if (max === undefined || typeof max === 'function') [min, max, callback] = [0, min, max];
  const range = max - min;
  if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max) || range <= 0 || range > 2 ** 48 - 1) throw new RangeError('The value of "max" is out of range.');
  const limit = 2 ** 48 - (2 ** 48 % range);
  let v;
  do { v = Buffer.from(host.random(6)).readUIntBE(0, 6); } while (v >= limit);
  v = min + (v % range);
  if (callback) { setImmediate(() => callback(null, v)); return undefined; }
  return v;
};
const digestNames = { 'SHA-1': 'sha1', 'SHA-256': 'sha256', 'SHA-384': 'sha384', 'SHA-512': 'sha512' };
const webcrypto = {
  randomUUID: () => host.uuid(),
  getRandomValues(view) {
    if (view.byteLength > 65536) throw new (require('devstack:fetch').DOMException)(`The ArrayBufferView's byte length (${view.byteLength}) exceeds the number of bytes of entropy available via this API (65536)`, 'QuotaExceededError');
    return fill(view);
  },
  subtle: {
    async digest(algorithm, data) {
      const name = digestNames[String(algorithm.name || algorithm).toUpperCase()];
      if (!name) throw new (require('devstack:fetch').DOMException)('Unrecognized algorithm name', 'NotSupportedError');
      return host.digest(name, bytes(data));
    },
  },
};
for (const name of ['encrypt', 'decrypt', 'sign', 'verify', 'generateKey', 'importKey', 'exportKey', 'deriveKey', 'deriveBits', 'wrapKey', 'unwrapKey']) {
  webcrypto.subtle[name] = async () => { throw new Error(`crypto.subtle.${name} is not provided by the js runtime`); };
}
module.exports = {
  webcrypto,
  subtle: webcrypto.subtle,
  getRandomValues: webcrypto.getRandomValues,
  randomUUID: () => host.uuid(),
  randomBytes,
  randomInt,
  randomFillSync: (view, offset = 0, size = view.byteLength - offset) => { fill(new Uint8Array(view.buffer || view, (view.byteOffset || 0) + offset, size)); return view; },
  createHash: hash,
  hash: (name, data, encoding = 'hex') => hash(name).update(data).digest(encoding),
  createHmac: (name, key) => {
    const k = bytes(key);
    host.hmac(name, k, '');
    return new Hash((b) => host.hmac(name, k, b));
  },
  getHashes: () => ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'],
  timingSafeEqual(a, b) {
    if (a.byteLength !== b.byteLength) { const e = new RangeError('Input buffers must have the same byte length'); e.code = 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH'; throw e; }
    const x = bytes(a), y = bytes(b);
    let d = 0;
    for (let i = 0; i < x.length; i++) d |= x[i] ^ y[i];
    return d === 0;
  },
};
