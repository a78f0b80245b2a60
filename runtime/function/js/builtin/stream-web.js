// node:stream/web, whose classes are global too.
const streams = require('devstack:web-streams');
const { TransformStream } = streams;

class TextDecoderStream {
  #decoder; #transform;
  constructor(label, options) {
    this.#decoder = new TextDecoder(label, options);
    this.#transform = new TransformStream({
      transform: (chunk, controller) => { const text = this.#decoder.decode(chunk, { stream: true }); if (text) controller.enqueue(text); },
      flush: (controller) => { const text = this.#decoder.decode(); if (text) controller.enqueue(text); },
    });
  }
  get encoding() { return this.#decoder.encoding; }
  get readable() { return this.#transform.readable; }
  get writable() { return this.#transform.writable; }
}
class TextEncoderStream {
  #transform = new TransformStream({
    transform(chunk, controller) { const b = new TextEncoder().encode(String(chunk)); if (b.length) controller.enqueue(b); },
  });
  get encoding() { return 'utf-8'; }
  get readable() { return this.#transform.readable; }
  get writable() { return this.#transform.writable; }
}
// A compression works on the whole of what it is given once that has ended.
const whole = (kinds) => class {
  #transform;
  constructor(format) {
    const kind = kinds[format];
    if (!kind) throw new TypeError(`Unsupported compression format: '${format}'`);
    const parts = [];
    this.#transform = new TransformStream({
      transform(chunk) { parts.push(Buffer.from(chunk)); },
      async flush(controller) { controller.enqueue(new Uint8Array(await host.zlibLater(kind, Buffer.concat(parts), -1))); },
    });
  }
  get readable() { return this.#transform.readable; }
  get writable() { return this.#transform.writable; }
};
const CompressionStream = whole({ gzip: 'gzip', deflate: 'deflate', 'deflate-raw': 'deflateRaw' });
const DecompressionStream = whole({ gzip: 'gunzip', deflate: 'inflate', 'deflate-raw': 'inflateRaw' });
for (const [name, Class] of Object.entries({ CompressionStream, DecompressionStream })) Object.defineProperty(Class, 'name', { value: name });
module.exports = { ...streams, TextDecoderStream, TextEncoderStream, CompressionStream, DecompressionStream };
