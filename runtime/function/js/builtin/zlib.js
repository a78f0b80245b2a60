// node:zlib, by Go's libraries. A stream of it works on the whole of what it is given once that has ended.
const { Transform } = require('stream');
const { Buffer } = require('buffer');
const constants = {
  Z_NO_FLUSH: 0, Z_PARTIAL_FLUSH: 1, Z_SYNC_FLUSH: 2, Z_FULL_FLUSH: 3, Z_FINISH: 4, Z_BLOCK: 5,
  Z_OK: 0, Z_STREAM_END: 1, Z_NEED_DICT: 2, Z_ERRNO: -1, Z_STREAM_ERROR: -2, Z_DATA_ERROR: -3, Z_MEM_ERROR: -4, Z_BUF_ERROR: -5, Z_VERSION_ERROR: -6,
  Z_NO_COMPRESSION: 0, Z_BEST_SPEED: 1, Z_BEST_COMPRESSION: 9, Z_DEFAULT_COMPRESSION: -1, Z_DEFAULT_LEVEL: -1,
  Z_FILTERED: 1, Z_HUFFMAN_ONLY: 2, Z_RLE: 3, Z_FIXED: 4, Z_DEFAULT_STRATEGY: 0, Z_MIN_WINDOWBITS: 8, Z_MAX_WINDOWBITS: 15, Z_DEFAULT_WINDOWBITS: 15,
  Z_MIN_CHUNK: 64, Z_MAX_CHUNK: Infinity, Z_DEFAULT_CHUNK: 16384, Z_MIN_MEMLEVEL: 1, Z_MAX_MEMLEVEL: 9, Z_DEFAULT_MEMLEVEL: 8,
  BROTLI_OPERATION_PROCESS: 0, BROTLI_OPERATION_FLUSH: 1, BROTLI_OPERATION_FINISH: 2, BROTLI_OPERATION_EMIT_METADATA: 3,
  BROTLI_PARAM_MODE: 0, BROTLI_MODE_GENERIC: 0, BROTLI_MODE_TEXT: 1, BROTLI_MODE_FONT: 2, BROTLI_DEFAULT_MODE: 0,
  BROTLI_PARAM_QUALITY: 1, BROTLI_MIN_QUALITY: 0, BROTLI_MAX_QUALITY: 11, BROTLI_DEFAULT_QUALITY: 11,
  BROTLI_PARAM_LGWIN: 2, BROTLI_PARAM_LGBLOCK: 3, BROTLI_PARAM_SIZE_HINT: 5, BROTLI_DECODER_PARAM_LARGE_WINDOW: 1,
};
const bytes = (v) => {
  if (typeof v === 'string') return Buffer.from(v);
  if (v instanceof ArrayBuffer) return new Uint8Array(v);
  if (ArrayBuffer.isView(v)) return new Uint8Array(v.buffer, v.byteOffset, v.byteLength);
  const e = new TypeError(`The "buffer" argument must be of type string or an instance of Buffer, TypedArray, DataView, or ArrayBuffer. Received ${v === null ? 'null' : typeof v}`);
  e.code = 'ERR_INVALID_ARG_TYPE';
  throw e;
};
const levelOf = (kind, options = {}) => {
  if (options.dictionary) throw new Error('The js runtime does not provide dictionaries of node:zlib');
  return kind === 'brotliCompress' ? options.params?.[constants.BROTLI_PARAM_QUALITY] ?? 6 : options.level ?? -1;
};
const limited = (out, options) => {
  if (options?.maxOutputLength !== undefined && out.length > options.maxOutputLength) {
    const e = new RangeError(`Cannot create a Buffer larger than ${options.maxOutputLength} bytes`);
    e.code = 'ERR_BUFFER_TOO_LARGE';
    throw e;
  }
  return out;
};

const kinds = { gzip: 'Gzip', gunzip: 'Gunzip', deflate: 'Deflate', inflate: 'Inflate', deflateRaw: 'DeflateRaw', inflateRaw: 'InflateRaw', unzip: 'Unzip', brotliCompress: 'BrotliCompress', brotliDecompress: 'BrotliDecompress' };
exports.constants = constants;
exports.crc32 = (v, before = 0) => host.crc32(bytes(v), before);
exports.codes = Object.fromEntries(Object.entries(constants).filter(([k]) => /^Z_(OK|STREAM_END|NEED_DICT|\w+_ERROR|ERRNO)$/.test(k)));
for (const [kind, name] of Object.entries(kinds)) {
  exports[kind + 'Sync'] = (v, options) => limited(Buffer.from(host.zlib(kind, bytes(v), levelOf(kind, options))), options);
  exports[kind] = (v, options, callback) => {
    if (typeof options === 'function') [options, callback] = [undefined, options];
    host.zlibLater(kind, bytes(v), levelOf(kind, options)).then((b) => limited(Buffer.from(b), options)).then((b) => callback(null, b), (e) => callback(e));
  };
  class Zip extends Transform {
    #parts = []; #options;
    constructor(options = {}) { super(options); this.#options = options; this.bytesWritten = 0; }
    _transform(chunk, encoding, done) {
      const b = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : Buffer.from(chunk);
      this.bytesWritten += b.length;
      this.#parts.push(b);
      done();
    }
    _flush(done) { exports[kind](Buffer.concat(this.#parts), this.#options, done); }
    flush(_, callback) { if (typeof (callback ?? _) === 'function') setImmediate(callback ?? _); }
    close(callback) { this.destroy(); if (callback) setImmediate(callback); }
    reset() { this.#parts = []; }
  }
  Object.defineProperty(Zip, 'name', { value: name });
  exports[name] = Zip;
  exports['create' + name] = (options) => new Zip(options);
}
Object.assign(exports, constants);
