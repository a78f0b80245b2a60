// node:crypto, by Go's crypto. Streams of it and crypto.subtle are made when they are first asked for.
const pairs = host.group('keys');
const { Buffer } = require('buffer');
const { KeyObject, bytes, privateKey, publicKey, secretKey, secretOf, pairOf, keyOf } = require('devstack:keys');
const failure = (message, code, Class = Error) => Object.assign(new Class(message), { code });
const shown = (b, encoding) => (encoding && encoding !== 'buffer' ? b.toString(encoding) : b);

// streamed gives a class what a Transform has, if somebody uses it as one: on, pipe and the like.
const streamed = (Class, consume) => {
  for (const name of ['on', 'once', 'pipe', 'write', 'end', 'emit', 'read', 'setEncoding', 'addListener', 'removeListener', 'off', 'resume', 'pause', 'destroy', Symbol.asyncIterator]) {
    Object.defineProperty(Class.prototype, name, { configurable: true, writable: true, value(...args) {
      const { Transform } = require('stream');
      const t = new Transform(consume(this));
      for (const k of ['on', 'once', 'pipe', 'write', 'end', 'emit', 'read', 'setEncoding', 'addListener', 'removeListener', 'off', 'resume', 'pause', 'destroy', Symbol.asyncIterator]) {
        Object.defineProperty(this, k, { value: t[k].bind(t), configurable: true, writable: true });
      }
      Object.defineProperty(this, 'stream', { value: t });
      for (const k of ['writable', 'readable', 'writableNeedDrain', '_writableState', '_readableState', 'destroyed']) Object.defineProperty(this, k, { get: () => t[k], configurable: true });
      for (const k of ['listenerCount', 'removeAllListeners', 'listeners', 'prependListener', 'eventNames', 'unpipe', 'cork', 'uncork']) Object.defineProperty(this, k, { value: t[k].bind(t), configurable: true });
      return t[name](...args);
    } });
  }
};

class Hash {
  #parts = []; #finish; #done = false;
  constructor(finish) { this.#finish = finish; }
  update(data, encoding) {
    if (this.#done) throw failure('Digest already called', 'ERR_CRYPTO_HASH_FINALIZED');
    if (typeof data !== 'string' && !ArrayBuffer.isView(data)) throw failure(`The "data" argument must be of type string or an instance of Buffer, TypedArray, or DataView. Received ${data === null ? 'null' : typeof data}`, 'ERR_INVALID_ARG_TYPE', TypeError);
    this.#parts.push(Buffer.from(bytes(data, encoding)));
    return this;
  }
  digest(encoding) {
    if (this.#done) throw failure('Digest already called', 'ERR_CRYPTO_HASH_FINALIZED');
    this.#done = true;
    return shown(Buffer.from(this.#finish(Buffer.concat(this.#parts))), encoding);
  }
  copy() { const h = new Hash(this.#finish); h.#parts = [...this.#parts]; return h; }
}
streamed(Hash, (h) => ({ transform(chunk, encoding, done) { h.update(chunk, encoding); done(); }, flush(done) { done(null, h.digest()); } }));
const hash = (name) => { host.digest(name, ''); return new Hash((b) => host.digest(name, b)); };

class Cipher {
  #cipher; #make; #started = false; #auto = true; #left = '';
  constructor(name, encrypt, key, iv, options) {
    const k = secretOf(key), v = iv === null ? '' : bytes(iv);
    this.#make = () => host.cipher(name, encrypt, k, v, !this.#auto);
    this.#cipher = this.#make();
    if (options?.authTagLength && this.#cipher.tagSize) this.#cipher.tagSize(options.authTagLength);
  }
  setAutoPadding(auto = true) { this.#auto = Boolean(auto); this.#cipher = this.#make(); return this; }
  setAAD(b) { this.#cipher.aad(bytes(b)); return this; }
  setAuthTag(tag, encoding) { this.#cipher.setTag(bytes(tag, encoding)); return this; }
  getAuthTag() { return Buffer.from(this.#cipher.tag()); }
  #show(b, encoding, last) {
    if (!encoding || encoding === 'buffer') return b;
    this.#left ||= new (require('string_decoder').StringDecoder)(encoding);
    return last ? this.#left.end(b) : this.#left.write(b);
  }
  update(data, from, to) { return this.#show(Buffer.from(this.#cipher.update(bytes(data, from))), to, false); }
  final(to) { return this.#show(Buffer.from(this.#cipher.final()), to, true); }
}
streamed(Cipher, (c) => ({ transform(chunk, encoding, done) { done(null, c.update(chunk, encoding)); }, flush(done) { let b; try { b = c.final(); } catch (e) { return done(e); } done(null, b); } }));

const PSS = 6;
// schemeOf is how a key is used, by what comes with it.
const schemeOf = (hashName, key) => {
  const o = key && typeof key === 'object' && !(key instanceof KeyObject) ? key : {};
  return { hash: hashName ?? '', pss: o.padding === PSS, salt: o.saltLength, flat: o.dsaEncoding === 'ieee-p1363' };
};
const signOf = (name, data, key) => Buffer.from(pairs.sign(keyOf(privateKey(key)), schemeOf(name, key), data));
const verifyOf = (name, data, key, signature) => pairs.verify(keyOf(publicKey(key)), schemeOf(name, key), data, signature);
const digestName = (name) => { if (name !== null && name !== undefined) host.digest(String(name).replace(/^(RSA|ECDSA)-/i, ''), ''); return name; };
class Collector {
  #parts = [];
  constructor(name) { this.name = digestName(name); }
  update(data, encoding) { this.#parts.push(Buffer.from(bytes(data, encoding))); return this; }
  write(data, encoding) { this.update(data, encoding); return true; }
  end(data, encoding) { if (data !== undefined) this.update(data, encoding); return this; }
  whole() { return Buffer.concat(this.#parts); }
}
class Sign extends Collector { sign(key, encoding) { return shown(signOf(this.name, this.whole(), key), encoding); } }
class Verify extends Collector { verify(key, signature, encoding) { return verifyOf(this.name, this.whole(), key, bytes(signature, encoding)); } }

const constants = { RSA_PKCS1_PADDING: 1, RSA_NO_PADDING: 3, RSA_PKCS1_OAEP_PADDING: 4, RSA_PKCS1_PSS_PADDING: PSS, RSA_PSS_SALTLEN_DIGEST: -1, RSA_PSS_SALTLEN_MAX_SIGN: -2, RSA_PSS_SALTLEN_AUTO: -2, defaultCoreCipherList: '', TLS1_2_VERSION: 771, TLS1_3_VERSION: 772 };
const oaep = (key) => (key && key.padding === constants.RSA_PKCS1_PADDING ? '' : (key && key.oaepHash) || 'sha1');

const later = (work, callback) => { work.then((b) => callback(null, b), (e) => callback(e)); };
const soon = (f, callback) => { let out, err = null; try { out = f(); } catch (e) { err = e; } setImmediate(() => (err ? callback(err) : callback(null, out))); };
const randomBytes = (n, callback) => (callback ? soon(() => Buffer.from(host.random(n)), callback) : Buffer.from(host.random(n)));
const fill = (view, offset = 0, size = view.byteLength - offset) => {
  new Uint8Array(view.buffer || view, (view.byteOffset || 0) + offset, size).set(new Uint8Array(host.random(size)));
  return view;
};
const randomInt = (min, max, callback) => {
  if (max === undefined || typeof max === 'function') [min, max, callback] = [0, min, max];
  const range = max - min;
  if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max) || range <= 0 || range > 2 ** 48 - 1) throw failure('The value of "max" is out of range.', 'ERR_OUT_OF_RANGE', RangeError);
  const limit = 2 ** 48 - (2 ** 48 % range);
  const draw = () => {
    let v;
    do { v = Buffer.from(host.random(6)).readUIntBE(0, 6); } while (v >= limit);
    return min + (v % range);
  };
  return callback ? soon(draw, callback) : draw();
};
const scryptOf = (kind, password, salt, length, o = {}) => host.derive(kind, '', bytes(password), bytes(salt), '', length, o.N ?? o.cost ?? 16384, o.r ?? o.blockSize ?? 8, o.p ?? o.parallelization ?? 1);
const generate = (kind, o = {}) => {
  if (!['rsa', 'ec', 'ed25519', 'x25519'].includes(kind)) throw failure(`The js runtime does not provide key pairs of the type ${kind}`, 'ERR_INVALID_ARG_VALUE', TypeError);
  const key = pairOf(pairs.generate(kind, o.modulusLength || 2048, o.namedCurve || ''));
  const as = (k, encoding) => (encoding ? k.export(encoding) : k);
  return { publicKey: as(publicKey(key), o.publicKeyEncoding), privateKey: as(key, o.privateKeyEncoding) };
};
const random = {
  randomUUID: () => host.uuid(),
  getRandomValues(view) {
    if (view.byteLength > 65536) throw new (require('devstack:fetch').DOMException)(`The ArrayBufferView's byte length (${view.byteLength}) exceeds the number of bytes of entropy available via this API (65536)`, 'QuotaExceededError');
    return fill(view);
  },
};
const webcrypto = { ...random, get subtle() { return require('devstack:subtle').subtle; }, get CryptoKey() { return require('devstack:subtle').CryptoKey; } };
module.exports = {
  webcrypto,
  get subtle() { return webcrypto.subtle; },
  ...random,
  randomBytes, pseudoRandomBytes: randomBytes, randomInt,
  randomFillSync: fill,
  randomFill: (view, ...more) => { const callback = more.pop(); soon(() => fill(view, ...more), callback); },
  createHash: hash,
  hash: (name, data, encoding = 'hex') => shown(hash(name).update(data).digest(), encoding),
  createHmac: (name, key) => {
    const k = Buffer.from(secretOf(key));
    host.hmac(name, k, '');
    return new Hash((b) => host.hmac(name, k, b));
  },
  getHashes: () => ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'],
  getCiphers: () => [128, 192, 256].flatMap((n) => ['cbc', 'ctr', 'ecb', 'gcm'].map((m) => `aes-${n}-${m}`)),
  getCurves: () => ['prime256v1', 'secp384r1', 'secp521r1'],
  createCipheriv: (name, key, iv, options) => new Cipher(name, true, key, iv, options),
  createDecipheriv: (name, key, iv, options) => new Cipher(name, false, key, iv, options),
  Hash, Hmac: Hash, Cipher, Cipheriv: Cipher, Decipher: Cipher, Decipheriv: Cipher, Sign, Verify, KeyObject,
  createSign: (name) => new Sign(name),
  createVerify: (name) => new Verify(name),
  sign: (name, data, key, callback) => { const work = () => signOf(digestName(name), bytes(data), key); return callback ? soon(work, callback) : work(); },
  verify: (name, data, key, signature, callback) => { const work = () => verifyOf(digestName(name), bytes(data), key, bytes(signature)); return callback ? soon(work, callback) : work(); },
  publicEncrypt: (key, data) => Buffer.from(pairs.encrypt(keyOf(publicKey(key)), oaep(key), bytes(data), key.oaepLabel ? bytes(key.oaepLabel) : '')),
  privateDecrypt: (key, data) => Buffer.from(pairs.decrypt(keyOf(privateKey(key)), oaep(key), bytes(data), key.oaepLabel ? bytes(key.oaepLabel) : '')),
  createPrivateKey: privateKey,
  createPublicKey: publicKey,
  createSecretKey: secretKey,
  generateKeyPairSync: generate,
  generateKeyPair: (kind, o, callback) => soon(() => generate(kind, o), (err, pair) => (err ? callback(err) : callback(null, pair.publicKey, pair.privateKey))),
  generateKeySync: (kind, { length }) => secretKey(host.random(length / 8)),
  diffieHellman: ({ privateKey: own, publicKey: other }) => Buffer.from(pairs.agree(keyOf(own), keyOf(other))),
  pbkdf2Sync: (password, salt, n, length, name) => Buffer.from(host.derive('pbkdf2Sync', name, bytes(password), bytes(salt), '', length, n)),
  pbkdf2: (password, salt, n, length, name, callback) => later(host.derive('pbkdf2', name, bytes(password), bytes(salt), '', length, n).then((b) => Buffer.from(b)), callback),
  hkdfSync: (name, key, salt, info, length) => host.derive('hkdfSync', name, secretOf(key), bytes(salt), bytes(info), length),
  hkdf: (name, key, salt, info, length, callback) => later(host.derive('hkdf', name, secretOf(key), bytes(salt), bytes(info), length), callback),
  scryptSync: (password, salt, length, o) => Buffer.from(scryptOf('scryptSync', password, salt, length, o)),
  scrypt: (password, salt, length, o, callback) => { if (typeof o === 'function') [o, callback] = [undefined, o]; later(scryptOf('scrypt', password, salt, length, o).then((b) => Buffer.from(b)), callback); },
  constants,
  timingSafeEqual(a, b) {
    if (a.byteLength !== b.byteLength) throw failure('Input buffers must have the same byte length', 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH', RangeError);
    const x = bytes(a), y = bytes(b);
    let d = 0;
    for (let i = 0; i < x.length; i++) d |= x[i] ^ y[i];
    return d === 0;
  },
};
const none = (name) => () => { throw new Error(`crypto.${name} is not provided by the js runtime; use runtime = "nodejs22.x" for functions that need it`); };
for (const name of ['createDiffieHellman', 'createECDH', 'getDiffieHellman', 'createCipher', 'createDecipher', 'privateEncrypt', 'publicDecrypt', 'X509Certificate', 'generatePrime', 'generatePrimeSync', 'checkPrime', 'checkPrimeSync', 'generateKey', 'setEngine', 'secureHeapUsed']) module.exports[name] = none(name);
module.exports.getFips = () => 0;
module.exports.generateKeyPair[require('util').promisify.custom] = async (kind, o) => generate(kind, o);
