// The runtime inside a sandbox of a nodejs* function: it takes frames from descriptor 3, answers on 4, and leaves standard
// output and error to the function. What the frames are is written in devstack's package pipe.
'use strict';

const dns = require('dns');
const fs = require('fs');
const net = require('net');
const path = require('path');
const util = require('util');
const Module = require('module');
const { Writable } = require('stream');
const { pathToFileURL } = require('url');

const ANSWERS = 4;

/** write writes all of a buffer, and waits while the daemon is behind. */
function write(descriptor, buffer) {
  for (let at = 0; at < buffer.length;) {
    try {
      at += fs.writeSync(descriptor, buffer, at);
    } catch (e) {
      if (e.code !== 'EAGAIN') throw e;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

function send(kind, ...parts) {
  const head = Buffer.alloc(5);
  head[0] = kind.charCodeAt(0);
  head.writeUInt32BE(parts.reduce((n, p) => n + p.length, 0), 1);
  try {
    write(ANSWERS, Buffer.concat([head, ...parts]));
  } catch {
    process.reallyExit(1); // there is no daemon any more
  }
}

// ---- errors ----

class RuntimeError extends Error {}

/** kindOf makes a class of the runtime's own errors. Its name is on the prototype so that the stack begins with it. */
function kindOf(name) {
  const kind = class extends RuntimeError {};
  kind.prototype.name = 'Runtime.' + name;
  return kind;
}

const ImportModuleError = kindOf('ImportModuleError');
const HandlerNotFound = kindOf('HandlerNotFound');
const MalformedHandlerName = kindOf('MalformedHandlerName');
const UserCodeSyntaxError = kindOf('UserCodeSyntaxError');
const UnhandledPromiseRejection = kindOf('UnhandledPromiseRejection');
const NodeJsExit = kindOf('NodeJsExit');
const CallbackHandlerDeprecated = kindOf('CallbackHandlerDeprecated');
const MalformedStreamingHandler = kindOf('MalformedStreamingHandler');

const isError = (e) => e instanceof Error || util.types.isNativeError(e);

/** bodyOf is what a caller receives of a thrown value. */
function bodyOf(e) {
  try {
    if (isError(e)) {
      return { errorType: String(e.name), errorMessage: String(e.message), trace: String(e.stack).split('\n') };
    }
    return { errorType: typeof e, errorMessage: String(e), trace: [] };
  } catch {
    return { errorType: 'handled', errorMessage: 'callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack' };
  }
}

/** loggable is what the log shows of a thrown value: the body with all that the error carries. */
function loggable(e) {
  if (!isError(e)) return JSON.stringify(bodyOf(e));
  const all = { errorType: e.name, errorMessage: e.message, code: e.code, ...e };
  if (typeof e.stack === 'string') all.stack = e.stack.split('\n');
  try {
    return JSON.stringify(all);
  } catch {
    return JSON.stringify(bodyOf(e)); // it refers to itself
  }
}

function sendError(kind, e) {
  const body = bodyOf(e);
  const type = Buffer.from(body.errorType);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(type.length);
  send(kind, length, type, Buffer.from(JSON.stringify(body)));
}

// ---- log ----

let requestId; // of the event that is being handled, or was handled last

/** print delivers a message as one, whatever lines it has. */
function print(level, text) {
  const message = `${new Date().toISOString()}\t${requestId}\t${level}\t${text}`.replaceAll('\n', '\0n');
  try {
    write(1, Buffer.from(`\0P${requestId ?? ''}\0${message}\n`));
  } catch {
    // the function has closed its standard output
  }
}

for (const [method, level] of Object.entries({
  log: 'INFO', info: 'INFO', debug: 'DEBUG', warn: 'WARN', error: 'ERROR', fatal: 'FATAL', trace: 'TRACE',
})) {
  console[method] = (...args) => print(level, util.format(...args));
}

// ---- the endpoint ----

/**
 * resolvePrefixes makes names like sync-127.0.0.1 resolve: SDKs put such a prefix before the host of a few operations, of
 * StartSyncExecution for one, and the endpoint of a stack has no name below which there could be others.
 */
function resolvePrefixes() {
  if (!process.env.AWS_ENDPOINT_URL) return;
  const { hostname } = new URL(process.env.AWS_ENDPOINT_URL);
  const { lookup } = dns;
  dns.lookup = (name, ...rest) => lookup(String(name).endsWith('-' + hostname) ? hostname : name, ...rest);
}

// ---- the function ----

let handler;
let streaming = false;
let loading = false;

/** load finds the handler. what: {name, entry, format, code, exports, env}. */
async function load(what) {
  for (const [name, value] of Object.entries(what.env ?? {})) process.env[name] = value;
  resolvePrefixes();
  if (!what.entry) {
    throw new ImportModuleError(`Error: Cannot find module '${what.module}'\nRequire stack:\n- /var/runtime/index.mjs`);
  }
  let found = await loadModule(what);
  for (const name of what.exports) found = found == null ? undefined : found[name];
  if (found === undefined || found === null) throw new HandlerNotFound(`${what.name} is undefined or not exported`);
  if (typeof found !== 'function') throw new HandlerNotFound(`${what.name} is not a function`);
  streaming = found[STREAMING] === true;
  if (callbacksAreGone() && found.length >= 3 && !streaming) {
    throw new CallbackHandlerDeprecated('ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. ' +
      'You need to modify this function to use a supported handler signature to use Node.js 24 or later. ' +
      'For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.');
  }
  handler = found;
}

/** callbacksAreGone: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html (callback-based function handlers) */
function callbacksAreGone() {
  const major = /^AWS_Lambda_nodejs(\d+)/.exec(process.env.AWS_EXECUTION_ENV ?? '');
  return major !== null && Number(major[1]) >= 24;
}

async function loadModule({ entry, format, code }) {
  try {
    if (code === undefined) return format === 'esm' ? await import(pathToFileURL(entry)) : Module.createRequire(entry)(entry);
    process.setSourceMapsEnabled(true);
    if (format === 'esm') return await importBundle(entry, code);
    const module = new Module(entry);
    module.filename = entry;
    module.paths = Module._nodeModulePaths(path.dirname(entry));
    module._compile(code, entry);
    return module.exports;
  } catch (e) {
    if (e instanceof SyntaxError) {
      const error = new UserCodeSyntaxError(String(e));
      error.stack = e.stack; // it shows the place
      throw error;
    }
    if (isError(e) && e.code === 'MODULE_NOT_FOUND') throw new ImportModuleError(String(e));
    throw e;
  }
}

let hooks; // the port to hooks.mjs

/** needHooks lets the source of an ES module come from somewhere else than its file. */
function needHooks() {
  if (hooks !== undefined) return;
  if (typeof Module.register !== 'function') {
    throw new Error(`Node.js ${process.version} cannot load ES modules written in TypeScript: it needs 18.19, 20.6 or a later version`);
  }
  const { port1, port2 } = new MessageChannel();
  hooks = port1;
  hooks.unref();
  Module.register(pathToFileURL(path.join(__dirname, 'hooks.mjs')), { data: { port: port2 }, transferList: [port2] });
}

async function importBundle(entry, code) {
  needHooks();
  const url = pathToFileURL(entry).href;
  await new Promise((received) => {
    hooks.once('message', received);
    hooks.unref(); // listening has made it count
    hooks.postMessage({ url, code });
  });
  return import(url);
}

/** warm loads packages that the function is going to load. What fails here will fail, or not, in the function itself. */
async function warm({ packages, hooks: wanted }) {
  if (wanted) needHooks();
  for (const { name, from, esm } of packages) {
    try {
      if (esm) await importFrom(from, name);
      else Module.createRequire(from)(name);
    } catch {
      // not installed, or not in the mood
    }
  }
}

/** importFrom imports as a module in the file from would. */
function importFrom(from, name) {
  const module = new Module(from);
  module.filename = from;
  module.paths = Module._nodeModulePaths(path.dirname(from));
  module._compile('module.exports = (name) => import(name)', from);
  return module.exports(name);
}

// ---- response streaming ----

// A function that streams is answered to callers of Invoke as a whole.
// https://docs.aws.amazon.com/lambda/latest/dg/config-rs-write-functions.html
const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');

class ResponseStream extends Writable {
  #parts = [];
  _write(chunk, encoding, done) {
    this.#parts.push(Buffer.from(chunk, encoding));
    done();
  }
  setContentType(type) {
    this.contentType = type;
  }
  bytes() {
    return Buffer.concat(this.#parts);
  }
}

globalThis.awslambda = {
  streamifyResponse(handler) {
    handler[STREAMING] = true;
    return handler;
  },
  HttpResponseStream: class {
    static from(stream, prelude) {
      stream.setContentType('application/vnd.awslambda.http-integration-response');
      stream.write(JSON.stringify(prelude) + '\0'.repeat(8));
      return stream;
    }
  },
};

function invokeStreaming(event, context, settle) {
  const stream = new ResponseStream();
  let returned = false;
  const done = () => returned && stream.writableFinished && settle('S', stream.bytes());
  stream.on('finish', done);
  stream.on('error', (e) => settle('E', e));
  const promise = handler(event, stream, context);
  if (typeof promise?.then !== 'function') throw new MalformedStreamingHandler('Streaming does not support non-async handlers.');
  promise.then(() => {
    returned = true;
    if (!stream.writableEnded) stream.end();
    done();
  }, (e) => settle('E', e));
}

// ---- events ----

let current; // {settle, asynchronous, atEnd} of the event that is being handled

function invoke(facts, payload) {
  requestId = facts.id;
  if (facts.trace) process.env._X_AMZN_TRACE_ID = facts.trace;
  else delete process.env._X_AMZN_TRACE_ID;
  const state = { asynchronous: false, atEnd: undefined, waits: true };
  state.settle = (kind, value) => {
    if (current !== state) return; // answered already
    current = undefined;
    input.ref();
    answer(kind, value);
  };
  current = state;
  input.unref(); // so that Node says when the function has nothing left to wait for
  try {
    const event = JSON.parse(payload);
    const context = contextOf(facts, state);
    if (streaming) {
      state.asynchronous = true;
      invokeStreaming(event, context, state.settle);
      return;
    }
    const returned = callbacksAreGone() ? handler(event, context) : handler(event, context, callbackOf(state));
    if (typeof returned?.then === 'function') {
      state.asynchronous = true;
      returned.then((value) => state.settle('R', value), (e) => state.settle('E', e));
    } else if (callbacksAreGone()) {
      state.settle('R', returned);
    }
  } catch (e) {
    state.settle('E', e);
  }
}

/** callbackOf answers with the callback's arguments once nothing is left to wait for, or at once if told not to wait. */
function callbackOf(state) {
  return (error, value) => {
    const failed = error !== undefined && error !== null;
    const finish = () => (failed ? state.settle('E', error) : state.settle('R', value));
    if (state.waits) state.atEnd = finish;
    else finish();
  };
}

function contextOf(facts, state) {
  const deadline = Date.now() + facts.ms;
  const context = {
    get callbackWaitsForEmptyEventLoop() { return state.waits; },
    set callbackWaitsForEmptyEventLoop(value) { state.waits = Boolean(value); },
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: facts.client ? JSON.parse(facts.client) : undefined,
    identity: undefined,
    invokedFunctionArn: facts.arn,
    awsRequestId: facts.id,
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
  if (callbacksAreGone()) {
    delete context.callbackWaitsForEmptyEventLoop;
    return context;
  }
  context.done = (error, value) => {
    state.waits = false;
    callbackOf(state)(error, value);
  };
  context.succeed = (value) => context.done(null, value);
  context.fail = (error) => context.done(error === undefined || error === null ? 'handled' : error);
  return context;
}

/** answer sends the outcome: R, a value; S, bytes; E, what was thrown. */
function answer(kind, value) {
  let bytes = value;
  if (kind === 'R') {
    try {
      bytes = Buffer.from(JSON.stringify(value === undefined ? null : value) ?? 'null');
    } catch {
      kind = 'E';
      value = new Error('Unable to stringify response body');
    }
  }
  if (kind === 'E') {
    console.error('Invoke Error', '\t' + loggable(value));
    sendError('E', value);
    return;
  }
  send('R', bytes);
}

process.on('beforeExit', () => {
  if (current === undefined) return;
  if (current.atEnd !== undefined) {
    current.atEnd();
  } else if (current.asynchronous) {
    current.settle('E', new NodeJsExit('The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a ' +
      'Promise that was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes'));
  } else {
    current.settle('R', null); // a handler that has not called its callback
  }
});

/** die tells what ends the process, to whoever waits for an answer, and ends it. */
function die(what, e, status) {
  print('ERROR', `${what} \t${loggable(e)}`);
  if (current !== undefined) sendError('D', e);
  else if (loading) sendError('X', e);
  process.exit(status);
}

process.on('uncaughtException', (e) => die('Uncaught Exception', e, 129));
process.on('unhandledRejection', (reason, promise) => {
  const e = new UnhandledPromiseRejection(isError(reason) ? reason.toString() : String(reason));
  e.reason = isError(reason) ? JSON.parse(loggable(reason)) : reason;
  e.promise = promise;
  die('Unhandled Promise Rejection', e, 128);
});

// ---- frames ----

let work = Promise.resolve(); // warming and loading, one after the other

function take(kind, body) {
  switch (kind) {
    case 'I': {
      const length = body.readUInt32BE(0);
      invoke(JSON.parse(body.toString('utf8', 4, 4 + length)), body.toString('utf8', 4 + length));
      break;
    }
    case 'W':
      work = work.then(() => warm(JSON.parse(body))).catch(() => {});
      break;
    case 'L':
      work = work.then(async () => {
        loading = true;
        await load(JSON.parse(body));
        await new Promise(setImmediate); // promises that the function has left behind may have something to say
        loading = false;
        send('O');
      }).catch((e) => {
        print('ERROR', `Uncaught Exception \t${loggable(e)}`);
        sendError('X', e);
      });
      break;
  }
}

let pending = [];
let size = 0;

function receive(chunk) {
  pending.push(chunk);
  size += chunk.length;
  for (;;) {
    if (size < 5) return;
    if (pending[0].length < 5) pending = [Buffer.concat(pending)];
    const length = 5 + pending[0].readUInt32BE(1);
    if (size < length) return;
    const all = pending.length === 1 ? pending[0] : Buffer.concat(pending);
    size -= length;
    pending = size > 0 ? [all.subarray(length)] : [];
    take(String.fromCharCode(all[0]), all.subarray(5, length));
  }
}

const input = new net.Socket({ fd: 3, readable: true, writable: false });
input.on('data', receive);
input.on('close', () => process.reallyExit(0)); // there is no daemon any more
