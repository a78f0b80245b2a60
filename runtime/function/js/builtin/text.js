// TextEncoder and TextDecoder.
const encodings = { 'utf-8': 'utf8', utf8: 'utf8', 'utf-16le': 'utf16le', 'utf-16': 'utf16le', latin1: 'latin1', 'iso-8859-1': 'latin1', ascii: 'latin1', 'us-ascii': 'latin1', 'windows-1252': 'latin1' };

class TextEncoder {
  get encoding() { return 'utf-8'; }
  encode(text = '') { return new Uint8Array(host.encode(String(text), 'utf8')); }
  encodeInto(text, target) {
    let read = 0, written = 0;
    for (const c of String(text)) {
      const b = this.encode(c);
      if (written + b.length > target.length) break;
      target.set(b, written);
      written += b.length;
      read += c.length;
    }
    return { read, written };
  }
}

class TextDecoder {
  #name; #encoding; #fatal; #keepMark; #rest = new Uint8Array(0);
  constructor(label = 'utf-8', { fatal = false, ignoreBOM = false } = {}) {
    this.#name = String(label).trim().toLowerCase();
    this.#encoding = encodings[this.#name];
    if (!this.#encoding) throw new RangeError(`The "${label}" encoding is not supported`);
    this.#fatal = fatal;
    this.#keepMark = ignoreBOM;
  }
  get encoding() { return this.#name === 'utf8' ? 'utf-8' : this.#name; }
  get fatal() { return this.#fatal; }
  get ignoreBOM() { return this.#keepMark; }
  decode(input = new Uint8Array(0), { stream = false } = {}) {
    let b = input instanceof ArrayBuffer ? new Uint8Array(input) : new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
    if (this.#rest.length) {
      const joined = new Uint8Array(this.#rest.length + b.length);
      joined.set(this.#rest);
      joined.set(b, this.#rest.length);
      b = joined;
    }
    const whole = stream ? this.#whole(b) : b.length;
    this.#rest = b.slice(whole);
    const text = host.decode(b.subarray(0, whole), this.#encoding);
    if (this.#fatal && this.#encoding === 'utf8' && text.includes('\ufffd') && !this.#same(b, whole, text)) {
      const e = new TypeError(`The encoded data was not valid for encoding ${this.encoding}`);
      e.code = 'ERR_ENCODING_INVALID_ENCODED_DATA';
      throw e;
    }
    return !this.#keepMark && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  }
  #same(b, n, text) {
    const again = new Uint8Array(host.encode(text, 'utf8'));
    return again.length === n && again.every((x, i) => x === b[i]);
  }
  // #whole is the length without an incomplete character at the end.
  #whole(b) {
    if (this.#encoding === 'latin1') return b.length;
    if (this.#encoding === 'utf16le') return b.length & ~1;
    for (let back = 1; back <= Math.min(3, b.length); back++) {
      const c = b[b.length - back];
      if ((c & 0xc0) === 0x80) continue;
      const size = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
      return size > back ? b.length - back : b.length;
    }
    return b.length;
  }
}

module.exports = { TextEncoder, TextDecoder };
