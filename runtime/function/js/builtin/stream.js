// node:stream: Node's own, as its maintainers publish it, with the bridges to web streams.
const stream = require('devstack:streams');
const { Readable, Writable, Duplex } = stream;
const chunk = (v) => (typeof v === 'string' ? Buffer.from(v) : v);

const define = (target, name, value) => Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false });
define(Readable, 'fromWeb', (web, options = {}) => {
  const reader = web.getReader();
  return new Readable({
    ...options,
    read() {
      reader.read().then(({ value, done }) => this.push(done ? null : options.objectMode ? value : chunk(value)), (e) => this.destroy(e));
    },
    destroy(err, done) { reader.cancel(err ?? undefined).then(() => done(err), () => done(err)); },
  });
});
define(Readable, 'toWeb', (readable) => {
  const { ReadableStream } = require('devstack:web-streams');
  const it = readable[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await it.next();
      if (done) controller.close();
      else controller.enqueue(ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : value);
    },
    async cancel(reason) { readable.destroy(reason); },
  }, { highWaterMark: 0 });
});
define(Writable, 'fromWeb', (web, options = {}) => {
  const writer = web.getWriter();
  return new Writable({
    ...options,
    write(v, _, done) { writer.write(v).then(() => done(), done); },
    final(done) { writer.close().then(() => done(), done); },
    destroy(err, done) { err ? writer.abort(err).then(() => done(err), () => done(err)) : done(null); },
  });
});
define(Writable, 'toWeb', (writable) => {
  const { WritableStream } = require('devstack:web-streams');
  return new WritableStream({
    write(v) { return new Promise((resolve, reject) => writable.write(v, (e) => (e ? reject(e) : resolve()))); },
    close() { return new Promise((resolve, reject) => { writable.once('error', reject); writable.end(resolve); }); },
    abort(reason) { writable.destroy(reason); },
  });
});
define(Duplex, 'toWeb', (duplex) => ({ readable: Readable.toWeb(duplex), writable: Writable.toWeb(duplex) }));
module.exports = stream;
