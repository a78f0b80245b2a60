// The global awslambda: handlers that stream their response.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html
const streaming = Symbol.for('aws.lambda.runtime.handler.streaming');
const highWaterMark = Symbol.for('aws.lambda.runtime.handler.highWaterMark');
const late = () => Object.assign(new Error('Cannot set content-type, too late.'), { name: 'InvalidStreamingOperation' });

// responseStream is what a handler writes to. Its facts are those of AWS's runtime interface client, src/ResponseStream.js: what is
// neither text nor bytes is written as JSON; what HttpResponseStream
// puts before the first byte comes with the first write, and not with what end is given.
const responseStream = (options) => {
  const { Writable } = require('stream');
  let type = 'application/octet-stream', begun = false;
  const begin = () => { if (!begun) host.beginResponse(type); begun = true; };
  const stream = new Writable({
    ...options,
    write(chunk, encoding, done) {
      begin();
      const waits = host.respond(chunk);
      waits ? waits.then(() => done(), done) : done();
    },
    final(done) { begin(); done(); },
  });
  const write = stream.write.bind(stream);
  let written = false;
  stream.write = (chunk, encoding, callback) => {
    if (typeof chunk !== 'string' && !ArrayBuffer.isView(chunk)) chunk = JSON.stringify(chunk);
    if (!written && typeof stream._onBeforeFirstWrite === 'function') stream._onBeforeFirstWrite((v) => write(v));
    written = true;
    return write(chunk, encoding, callback);
  };
  stream.setContentType = (v) => {
    if (written) throw late();
    type = v;
  };
  return stream;
};

exports.invoke = (handler, event, context, ok, fail) => {
  const options = handler[highWaterMark] ? { highWaterMark: handler[highWaterMark] } : undefined;
  const stream = responseStream(options);
  let over = false;
  const once = (f) => (v) => { if (!over) { over = true; f(v); } };
  const failed = once((err) => { // what has been written before comes first
    if (!stream.writableLength || stream.destroyed) { fail(err); return; }
    stream.once('close', () => fail(err));
    if (!stream.writableEnded) stream.end();
  }), done = once(() => ok(''));
  stream.on('error', failed);
  let result;
  try {
    result = handler(event, stream, context);
  } catch (err) {
    failed(err);
    return;
  }
  if (!result || typeof result.then !== 'function') {
    failed('Streaming does not support non-async handlers.');
    return;
  }
  result.then((v) => {
    if (v !== undefined) console.warn('Streaming handlers ignore return values.');
    if (stream.writableFinished) { done(); return; }
    stream.once('finish', done);
    ok(() => failed('Response stream is not finished.')); // once nothing is left that could end it
  }, failed);
};

exports.awslambda = {
  streamifyResponse(handler, options) {
    handler[streaming] = 'response';
    if (options?.highWaterMark) handler[highWaterMark] = parseInt(options.highWaterMark, 10);
    return handler;
  },
  HttpResponseStream: class HttpResponseStream {
    static from(stream, prelude) {
      stream.setContentType('application/vnd.awslambda.http-integration-response');
      const metadata = JSON.stringify(prelude);
      stream._onBeforeFirstWrite = (write) => { write(metadata); write(new Uint8Array(8)); };
      return stream;
    }
  },
};
