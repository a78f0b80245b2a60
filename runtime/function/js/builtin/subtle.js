// crypto.subtle, by Go's crypto.
const pairs = host.group('keys');
const keys = require('devstack:keys');
const { Buffer } = require('buffer');
const { bytes, KeyObject } = keys;
const failure = (message, name) => new (require('devstack:fetch').DOMException)(message, name);
const symbol = Symbol.for('devstack.key');
const own = Symbol('CryptoKey');

class CryptoKey {
  constructor(k, key, algorithm, extractable, usages) {
    if (k !== own) throw new TypeError('Illegal constructor');
    Object.defineProperty(this, symbol, { value: key });
    Object.assign(this, { type: key.type, extractable, algorithm, usages: [...usages] });
  }
  get [Symbol.toStringTag]() { return 'CryptoKey'; }
}
const names = ['HMAC', 'AES-GCM', 'AES-CBC', 'AES-CTR', 'RSASSA-PKCS1-v1_5', 'RSA-PSS', 'RSA-OAEP', 'ECDSA', 'ECDH', 'Ed25519', 'X25519', 'PBKDF2', 'HKDF', 'SHA-1', 'SHA-256', 'SHA-384', 'SHA-512'];
const algorithmOf = (a) => {
  const o = typeof a === 'string' ? { name: a } : { ...a };
  const name = names.find((n) => n.toUpperCase() === String(o.name).toUpperCase());
  if (!name) throw failure(`Unrecognized algorithm name: ${o.name}`, 'NotSupportedError');
  if (o.hash !== undefined) o.hash = algorithmOf(o.hash);
  return { ...o, name };
};
const blockSizes = { 'SHA-1': 64, 'SHA-256': 64, 'SHA-384': 128, 'SHA-512': 128 };
const curveNames = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' };
const hashName = (h) => h.name.toLowerCase().replace('-', '');
const need = (key, usage, algorithm) => {
  if (key.algorithm.name !== algorithm.name) throw failure('Key algorithm mismatch', 'InvalidAccessError');
  if (!key.usages.includes(usage)) throw failure(`Unable to use this key to ${usage}`, 'InvalidAccessError');
};
const exact = (b) => new Uint8Array(b).buffer;

// wrap makes a CryptoKey of a KeyObject.
const wrap = (key, algorithm, extractable, usages) => {
  const a = algorithmOf(algorithm);
  if (key.type === 'secret') {
    const length = key.symmetricKeySize * 8;
    if (a.name.startsWith('AES-') && ![128, 192, 256].includes(length)) throw failure('Invalid key length', 'DataError');
    if (a.name === 'HMAC') return new CryptoKey(own, key, { name: a.name, hash: { name: a.hash.name }, length }, extractable, usages);
    return new CryptoKey(own, key, a.name.startsWith('AES-') ? { name: a.name, length } : { name: a.name }, extractable, usages);
  }
  const details = key.asymmetricKeyDetails;
  if (key.asymmetricKeyType === 'rsa') {
    if (!a.name.startsWith('RSA')) throw failure('Invalid key type', 'DataError');
    return new CryptoKey(own, key, { name: a.name, modulusLength: details.modulusLength, publicExponent: new Uint8Array([1, 0, 1]), hash: { name: a.hash.name } }, extractable, usages);
  }
  if (key.asymmetricKeyType === 'ec') {
    const namedCurve = curveNames[details.namedCurve];
    if (!a.name.startsWith('EC') || a.namedCurve && a.namedCurve !== namedCurve) throw failure('Named curve mismatch', 'DataError');
    return new CryptoKey(own, key, { name: a.name, namedCurve }, extractable, usages);
  }
  if (a.name.toLowerCase() !== key.asymmetricKeyType) throw failure('Invalid key type', 'DataError');
  return new CryptoKey(own, key, { name: a.name }, extractable, usages);
};
const pairUsages = (a, usages, isPrivate) => usages.filter((u) => (isPrivate ? ['sign', 'decrypt', 'deriveKey', 'deriveBits', 'unwrapKey'] : ['verify', 'encrypt', 'wrapKey']).includes(u));

const scheme = (a, key) => ({
  hash: a.name === 'Ed25519' ? '' : hashName(a.hash || key.algorithm.hash), pss: a.name === 'RSA-PSS', salt: a.saltLength, flat: a.name === 'ECDSA',
});
const sign = (a, key, data) => {
  if (a.name === 'HMAC') return host.hmac(hashName(key.algorithm.hash), KeyObject.secret(key[symbol]), data);
  if (!['RSASSA-PKCS1-v1_5', 'RSA-PSS', 'ECDSA', 'Ed25519'].includes(a.name)) throw failure('Unsupported algorithm', 'NotSupportedError');
  return pairs.sign(keys.keyOf(key[symbol]), scheme(a, key), data);
};
const crypt = (a, key, data, encrypt) => {
  if (a.name === 'RSA-OAEP') return pairs[encrypt ? 'encrypt' : 'decrypt'](keys.keyOf(key[symbol]), hashName(key.algorithm.hash), data, a.label ? bytes(a.label) : '');
  const secret = KeyObject.secret(key[symbol]), kind = 'aes-' + secret.length * 8;
  if (a.name === 'AES-CTR') {
    if (a.length !== undefined && a.length < 32 && data.length / 16 > 2 ** a.length) throw failure('The counter is too short', 'OperationError');
    return host.cipher(kind + '-ctr', encrypt, secret, bytes(a.counter)).update(data);
  }
  if (a.name === 'AES-CBC') {
    const c = host.cipher(kind + '-cbc', encrypt, secret, bytes(a.iv));
    return Buffer.concat([Buffer.from(c.update(data)), Buffer.from(c.final())]);
  }
  const size = (a.tagLength ?? 128) / 8, c = host.cipher(kind + '-gcm', encrypt, secret, bytes(a.iv));
  if (a.additionalData) c.aad(bytes(a.additionalData));
  if (encrypt) {
    c.tagSize(size);
    const out = Buffer.from(c.update(data));
    c.final();
    return Buffer.concat([out, Buffer.from(c.tag())]);
  }
  if (data.length < size) throw new Error('The provided data is too small');
  c.setTag(data.subarray(data.length - size));
  const out = c.update(data.subarray(0, data.length - size));
  c.final();
  return out;
};
const operation = async (f) => {
  try { return await f(); } catch (e) { if (e instanceof TypeError || e?.name !== 'Error') throw e; throw Object.assign(failure('The operation failed for an operation-specific reason', 'OperationError'), { cause: e }); }
};

const subtle = {
  async digest(algorithm, data) {
    const name = String(algorithm.name || algorithm).toUpperCase();
    if (!blockSizes[name]) throw failure('Unrecognized algorithm name', 'NotSupportedError');
    return host.digest(name.toLowerCase(), bytes(data));
  },
  async sign(algorithm, key, data) {
    const a = algorithmOf(algorithm);
    need(key, 'sign', a);
    return operation(() => exact(sign(a, key, bytes(data))));
  },
  async verify(algorithm, key, signature, data) {
    const a = algorithmOf(algorithm);
    need(key, 'verify', a);
    if (a.name === 'HMAC') {
      const made = new Uint8Array(sign(a, key, bytes(data))), given = bytes(signature);
      return made.length === given.length && require('crypto').timingSafeEqual(made, given);
    }
    return operation(() => pairs.verify(keys.keyOf(key[symbol]), scheme(a, key), bytes(data), bytes(signature)));
  },
  async encrypt(algorithm, key, data) {
    const a = algorithmOf(algorithm);
    need(key, 'encrypt', a);
    return operation(() => exact(crypt(a, key, bytes(data), true)));
  },
  async decrypt(algorithm, key, data) {
    const a = algorithmOf(algorithm);
    need(key, 'decrypt', a);
    return operation(() => exact(crypt(a, key, bytes(data), false)));
  },
  async importKey(format, data, algorithm, extractable, usages) {
    const a = algorithmOf(algorithm);
    let key;
    try {
      if (format === 'jwk' && data.kty === 'oct') key = keys.secretKey(data.k, 'base64url');
      else if (format === 'jwk') key = keys.pairOf(pairs.jwk(JSON.stringify(data)));
      else if (format === 'spki' || format === 'pkcs8') key = keys.pairOf(pairs.der(bytes(data), format));
      else if (format !== 'raw') throw failure(`Unsupported key format ${format}`, 'NotSupportedError');
      else if (/^(HMAC|AES-|PBKDF2|HKDF)/.test(a.name)) key = keys.secretKey(data);
      else key = keys.pairOf(pairs.raw(a.namedCurve || a.name, bytes(data)));
    } catch (e) {
      if (e?.name !== 'Error') throw e;
      throw Object.assign(failure(`Invalid keyData: ${e.message}`, 'DataError'), { cause: e });
    }
    return wrap(key, a, key.type === 'public' ? true : extractable, usages);
  },
  async exportKey(format, key) {
    if (!key.extractable) throw failure('key is not extractable', 'InvalidAccessError');
    const k = key[symbol];
    if (format === 'jwk') {
      const hash = key.algorithm.hash?.name.replace('SHA-', '');
      const alg = { HMAC: 'HS' + hash, 'RSASSA-PKCS1-v1_5': 'RS' + hash, 'RSA-PSS': 'PS' + hash, 'RSA-OAEP': hash === '1' ? 'RSA-OAEP' : 'RSA-OAEP-' + hash, 'AES-GCM': `A${key.algorithm.length}GCM`, 'AES-CBC': `A${key.algorithm.length}CBC`, 'AES-CTR': `A${key.algorithm.length}CTR` }[key.algorithm.name];
      return { key_ops: key.usages, ext: key.extractable, ...k.export({ format: 'jwk' }), ...(alg ? { alg } : {}) };
    }
    if (format === 'raw' && k.type === 'secret') return exact(KeyObject.secret(k));
    return operation(() => exact(pairs.toDER(keys.keyOf(k), format)));
  },
  async generateKey(algorithm, extractable, usages) {
    const a = algorithmOf(algorithm);
    if (a.name === 'HMAC' || a.name.startsWith('AES-')) {
      const size = a.length ? a.length / 8 : blockSizes[a.hash?.name];
      return wrap(keys.secretKey(host.random(size)), a, extractable, usages);
    }
    const kind = a.name.startsWith('RSA') ? 'rsa' : a.name.startsWith('EC') ? 'ec' : a.name.toLowerCase();
    const privateKey = keys.pairOf(pairs.generate(kind, a.modulusLength || 0, a.namedCurve || ''));
    return {
      privateKey: wrap(privateKey, a, extractable, pairUsages(a, usages, true)),
      publicKey: wrap(keys.publicKey(privateKey), a, true, pairUsages(a, usages, false)),
    };
  },
  async deriveBits(algorithm, key, length) {
    const a = algorithmOf(algorithm);
    if (key.algorithm.name !== a.name) throw failure('Key algorithm mismatch', 'InvalidAccessError');
    if (!key.usages.includes('deriveBits') && !key.usages.includes('deriveKey')) throw failure('baseKey does not have deriveBits usage', 'InvalidAccessError');
    return derive(a, key, length);
  },
  async deriveKey(algorithm, key, derived, extractable, usages) {
    const a = algorithmOf(algorithm), d = algorithmOf(derived);
    need(key, 'deriveKey', a);
    const length = d.length ?? (d.name === 'HMAC' ? blockSizes[d.hash.name] * 8 : null);
    return wrap(keys.secretKey(await derive(a, key, length)), d, extractable, usages);
  },
  async wrapKey(format, key, wrapping, algorithm) {
    const exported = await subtle.exportKey(format, key);
    const a = algorithmOf(algorithm);
    need(wrapping, 'wrapKey', a);
    const data = format === 'jwk' ? Buffer.from(JSON.stringify(exported)) : new Uint8Array(exported);
    return operation(() => exact(crypt(a, wrapping, data, true)));
  },
  async unwrapKey(format, wrapped, unwrapping, algorithm, keyAlgorithm, extractable, usages) {
    const a = algorithmOf(algorithm);
    need(unwrapping, 'unwrapKey', a);
    const data = await operation(() => exact(crypt(a, unwrapping, bytes(wrapped), false)));
    return subtle.importKey(format, format === 'jwk' ? JSON.parse(Buffer.from(data).toString()) : data, keyAlgorithm, extractable, usages);
  },
};
const derive = (a, key, length) => operation(async () => {
  const k = key[symbol];
  if (a.name === 'PBKDF2') return host.derive('pbkdf2', hashName(a.hash), KeyObject.secret(k), bytes(a.salt), '', length / 8, a.iterations);
  if (a.name === 'HKDF') return host.derive('hkdf', hashName(a.hash), KeyObject.secret(k), bytes(a.salt), bytes(a.info), length / 8);
  const secret = pairs.agree(keys.keyOf(k), keys.keyOf(a.public[symbol]));
  return length === null || length === undefined ? secret : secret.slice(0, length / 8);
});
module.exports = { subtle, CryptoKey, wrap };
