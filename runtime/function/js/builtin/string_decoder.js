// node:string_decoder.
const { Buffer } = require('buffer');
class StringDecoder {
  #rest = Buffer.alloc(0);
  constructor(encoding = 'utf8') {
    this.encoding = Buffer.isEncoding(encoding) ? String(encoding).toLowerCase().replace(/^utf-8$/, 'utf8').replace(/^(ucs-?2|utf-16le)$/, 'utf16le').replace(/^binary$/, 'latin1') : (() => {
      const e = new TypeError(`Unknown encoding: ${encoding}`); e.code = 'ERR_UNKNOWN_ENCODING'; throw e;
    })();
  }
  // #whole is the length without an incomplete character at the end.
  #whole(b) {
    switch (this.encoding) {
      case 'utf16le': {
        const n = b.length & ~1;
        return n >= 2 && (b[n - 1] & 0xfc) === 0xd8 ? n - 2 : n; // half a pair waits for the other
      }
      case 'base64': case 'base64url': return b.length - (b.length % 3);
      case 'utf8':
        for (let back = 1; back <= Math.min(3, b.length); back++) {
          const c = b[b.length - back];
          if ((c & 0xc0) === 0x80) continue;
          const size = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
          return size > back ? b.length - back : b.length;
        }
    }
    return b.length;
  }
  write(chunk) {
    if (typeof chunk === 'string') return chunk;
    const b = this.#rest.length ? Buffer.concat([this.#rest, chunk]) : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const n = this.#whole(b);
    this.#rest = n < b.length ? Buffer.from(b.subarray(n)) : Buffer.alloc(0);
    return b.toString(this.encoding, 0, n);
  }
  end(chunk) {
    const text = chunk === undefined ? '' : this.write(chunk), rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return text + (rest.length && this.encoding === 'utf8' ? '\ufffd' : rest.toString(this.encoding));
  }
}
module.exports = { StringDecoder };
