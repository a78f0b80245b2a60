// The keys of node:crypto and of crypto.subtle.
const pairs = host.group('keys');
const { Buffer } = require('buffer');
const bytes = (v, encoding) => (typeof v === 'string' ? Buffer.from(v, encoding) : v instanceof ArrayBuffer ? new Uint8Array(v) : new Uint8Array(v.buffer, v.byteOffset, v.byteLength));
const invalid = (message, code = 'ERR_INVALID_ARG_TYPE') => Object.assign(new TypeError(message), { code });

class KeyObject {
  #secret; #pair;
  constructor(secret, pair) { this.#secret = secret; this.#pair = pair; }
  get type() { return this.#pair ? this.#pair.type : 'secret'; }
  get asymmetricKeyType() { return this.#pair?.kind; }
  get asymmetricKeyDetails() {
    const p = this.#pair;
    return p && (p.kind === 'rsa' ? { modulusLength: p.bits, publicExponent: BigInt(p.exponent) } : p.kind === 'ec' ? { namedCurve: p.curve } : {});
  }
  get symmetricKeySize() { return this.#secret?.length; }
  static secret(k) { return k.#secret; }
  static pair(k) { return k.#pair; }
  static from(key) { return key[Symbol.for('devstack.key')]; }
  equals(other) {
    if (this.type !== other.type) return false;
    return this.#secret ? this.#secret.equals(other.#secret) : pairs.toJWK(this.#pair.key) === pairs.toJWK(other.#pair.key);
  }
  export(options = {}) {
    const { format = this.#secret ? 'buffer' : undefined, type } = options;
    if (this.#secret) return format === 'jwk' ? { kty: 'oct', k: this.#secret.toString('base64url') } : Buffer.from(this.#secret);
    if (options.cipher || options.passphrase !== undefined) throw new Error('The js runtime does not provide private keys with a passphrase');
    if (format === 'jwk') return JSON.parse(pairs.toJWK(this.#pair.key));
    if (format !== 'pem' && format !== 'der') throw invalid("The property 'options.format' is invalid.", 'ERR_INVALID_ARG_VALUE');
    return format === 'pem' ? pairs.toPEM(this.#pair.key, type) : Buffer.from(pairs.toDER(this.#pair.key, type));
  }
  toCryptoKey(algorithm, extractable, usages) { return require('devstack:subtle').wrap(this, algorithm, extractable, usages); }
  get [Symbol.toStringTag]() { return 'KeyObject'; }
}
const pairOf = (p) => new KeyObject(undefined, p);
const secretKey = (v, encoding) => new KeyObject(Buffer.from(bytes(v, encoding)), undefined);

// parse makes a key of whatever Node takes for one.
const parse = (v) => {
  if (v instanceof KeyObject) return v;
  if (v && v[Symbol.for('devstack.key')]) return v[Symbol.for('devstack.key')];
  if (typeof v === 'string' || ArrayBuffer.isView(v) || v instanceof ArrayBuffer) return pairOf(pairs.pem(bytes(v)));
  if (!v || typeof v !== 'object') throw invalid(`The "key" argument must be of type string or an instance of ArrayBuffer, Buffer, TypedArray, DataView, KeyObject, or CryptoKey. Received ${v === null ? 'null' : typeof v}`);
  if (v.passphrase !== undefined && v.passphrase !== '') throw new Error('The js runtime does not provide private keys with a passphrase');
  if (v.format === 'jwk') return pairOf(pairs.jwk(JSON.stringify(v.key)));
  if (v.format === 'der') return pairOf(pairs.der(bytes(v.key), v.type || 'pkcs8'));
  return parse(v.key);
};
const privateKey = (v) => {
  const k = parse(v);
  if (k.type !== 'private') throw invalid(`Invalid key object type ${k.type}, expected private.`, 'ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE');
  return k;
};
const publicKey = (v) => {
  const k = parse(v && v.format === 'der' && !v.type ? { ...v, type: 'spki' } : v);
  return k.type === 'private' ? pairOf(pairs.public(KeyObject.pair(k).key)) : k;
};
// secretOf is the bytes of a symmetric key, given as such or as an object.
const secretOf = (v, encoding) => {
  if (v && v[Symbol.for('devstack.key')]) v = v[Symbol.for('devstack.key')];
  if (!(v instanceof KeyObject)) {
    if (typeof v !== 'string' && !ArrayBuffer.isView(v) && !(v instanceof ArrayBuffer)) throw invalid(`The "key" argument must be of type string or an instance of ArrayBuffer, Buffer, TypedArray, DataView, KeyObject, or CryptoKey. Received ${v === null ? 'null' : typeof v}`);
    return bytes(v, encoding);
  }
  if (v.type !== 'secret') throw invalid(`Invalid key object type ${v.type}, expected secret.`, 'ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE');
  return KeyObject.secret(v);
};
module.exports = { KeyObject, bytes, parse, privateKey, publicKey, secretKey, secretOf, pairOf, keyOf: (k) => KeyObject.pair(k).key };
