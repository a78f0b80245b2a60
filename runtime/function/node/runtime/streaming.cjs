// Response streaming: what a handler writes becomes frames while it goes on.
// https://docs.aws.amazon.com/lambda/latest/dg/config-rs-write-functions.html
'use strict';

const { Writable } = require('stream');
const { InvalidStreamingOperation, MalformedStreamingHandler } = require('./faults.cjs');

const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const HIGH_WATER_MARK = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark');

const PRELUDE_TYPE = 'application/vnd.awslambda.http-integration-response';

/** ResponseStream is what a handler writes to. send(kind, body, done) delivers a frame and calls done once it is on its way. */
class ResponseStream extends Writable {
  #send;
  #type = 'application/octet-stream';
  #written = false;
  #begun = false;

  constructor(send, highWaterMark) {
    super(highWaterMark === undefined ? {} : { highWaterMark });
    this.#send = send;
  }

  setContentType(type) {
    if (this.#written) throw new InvalidStreamingOperation('Cannot set content-type, too late.');
    this.#type = type;
  }

  // As on AWS, a value that is not text or bytes is written as JSON, and a prelude goes out with the first write: end alone does
  // not send it.
  write(chunk, encoding, callback) {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) chunk = JSON.stringify(chunk);
    if (!this.#written && typeof this._onBeforeFirstWrite === 'function') {
      this._onBeforeFirstWrite((first) => super.write(first));
    }
    const ready = super.write(chunk, encoding, callback);
    this.#written = true;
    return ready;
  }

  _writev(chunks, done) {
    this.#begin();
    this.#send('C', Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  _write(chunk, encoding, done) {
    this.#begin();
    this.#send('C', chunk, done);
  }

  _final(done) {
    this.#begin();
    done();
  }

  #begin() {
    if (this.#begun) return;
    this.#begun = true;
    this.#send('B', Buffer.from(this.#type), () => {});
  }
}

class HttpResponseStream {
  static from(stream, prelude) {
    stream.setContentType(PRELUDE_TYPE);
    const text = JSON.stringify(prelude);
    stream._onBeforeFirstWrite = (write) => {
      write(text);
      write(new Uint8Array(8));
    };
    return stream;
  }
}

function streamifyResponse(handler, options) {
  handler[STREAMING] = 'response';
  if (typeof options?.highWaterMark === 'number') handler[HIGH_WATER_MARK] = Math.trunc(options.highWaterMark);
  return handler;
}

/** streams reports whether a handler streams its response. */
function streams(handler) {
  const mode = handler[STREAMING];
  if (mode === undefined || mode === null || mode === false) return false;
  if (mode === 'response') return true;
  throw new MalformedStreamingHandler('Only response streaming is supported.');
}

/**
 * run has a handler stream its response. end() is called once all of it is on its way, fail(e) with what cut it short.
 *
 * A handler that returns without ending its stream is waited for until its time is up, as on AWS.
 */
function run(handler, event, context, { send, end, fail, modern }) {
  const mark = Number(handler[HIGH_WATER_MARK] || undefined);
  const stream = new ResponseStream(send, Number.isNaN(mark) ? undefined : mark);
  const complaint = (text) => (modern ? new Error(text) : text);
  let returned = false;
  let closed = false;
  let broken; // {error} of the stream
  stream.on('error', (error) => { broken ??= { error }; });
  const settle = () => {
    if (!returned) return;
    if (stream.writableFinished) end();
    else if (closed) cut(broken === undefined ? complaint('Response stream is not finished.') : broken.error);
  };
  // What was written before goes out before the error does.
  const cut = (e) => {
    if (closed || stream.writableFinished) {
      fail(e);
      return;
    }
    stream.once('close', () => fail(e));
    if (!stream.destroyed) stream.end();
  };
  stream.on('finish', settle).on('close', () => {
    closed = true;
    settle();
  });
  let promise;
  try {
    promise = handler(event, stream, context);
  } catch (e) {
    cut(e);
    return;
  }
  if (typeof promise?.then !== 'function') {
    cut(complaint('Streaming does not support non-async handlers.'));
    return;
  }
  promise.then((value) => {
    if (value !== undefined) console.warn('Streaming handlers ignore return values.');
    returned = true;
    settle();
  }, cut);
}

module.exports = { HttpResponseStream, run, streamifyResponse, streams };
