// The runtime inside a sandbox of a nodejs* function: it takes frames from descriptor 3, answers on 4, and leaves standard
// output and error to the function. What the frames are is written in devstack's package pipe.
'use strict';

const dns = require('dns');
const fs = require('fs');
const inspector = require('inspector');
const net = require('net');
const path = require('path');
const Module = require('module');
const { pathToFileURL } = require('url');

const faults = require('./faults.cjs');
const log = require('./log.cjs');
const streaming = require('./streaming.cjs');

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

/** frame makes one buffer of a frame's kind and its body, of which text is written in place. */
function frame(kind, body = '') {
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  const all = Buffer.allocUnsafe(5 + length);
  all[0] = kind.charCodeAt(0);
  all.writeUInt32BE(length, 1);
  if (typeof body === 'string') all.write(body, 5);
  else all.set(body, 5);
  return all;
}

function send(kind, body) {
  try {
    write(ANSWERS, frame(kind, body));
  } catch {
    process.reallyExit(1); // there is no daemon any more
  }
}

let sending; // the frame that is being written while the handler goes on
const waiting = []; // those behind it: {bytes, done}

/** sendBeside delivers a frame while the handler goes on, however slow its reader is. */
function sendBeside(kind, body, done) {
  waiting.push({ bytes: frame(kind, body), done });
  if (sending === undefined) sendNext(0);
}

function sendNext(at) {
  sending ??= waiting.shift();
  if (sending === undefined) return;
  fs.write(ANSWERS, sending.bytes, at, (e, n) => {
    if (e && e.code !== 'EAGAIN') process.reallyExit(1); // there is no daemon any more
    at += n ?? 0;
    if (at < sending.bytes.length) {
      if (e) setTimeout(sendNext, 1, at);
      else sendNext(at);
      return;
    }
    const { done } = sending;
    sending = undefined;
    done();
    if (sending === undefined) sendNext(0);
  });
}

/** sendError sends an error's type and body. */
function sendError(kind, e) {
  const body = faults.bodyOf(e, modern);
  const type = Buffer.from(String(body.errorType));
  const length = Buffer.alloc(2);
  length.writeUInt16BE(type.length);
  send(kind, Buffer.concat([length, type, Buffer.from(JSON.stringify(body))]));
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
let streams = false;
let loading = false;
let modern = false; // the function asked for Node.js 24 or later, whose runtime has no callbacks

/** become takes over the environment of a function. */
function become({ env, environment }) {
  if (environment !== undefined) {
    for (const name of ['PATH', 'HOME', 'LANG', 'TZ']) delete process.env[name]; // what a blank process has that is no function's
    Object.assign(process.env, environment);
    process.chdir(environment.LAMBDA_TASK_ROOT);
    Module._initPaths(); // of NODE_PATH
  }
  Object.assign(process.env, env);
  modern = Number(/^AWS_Lambda_nodejs(\d+)/.exec(process.env.AWS_EXECUTION_ENV ?? '')?.[1] ?? 0) >= 24;
  log.setUp((line) => write(1, line), modern);
  resolvePrefixes();
  if (['1', 'true'].includes(process.env.AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA)) return;
  const { streamifyResponse, HttpResponseStream } = streaming;
  globalThis.awslambda = { ...globalThis.awslambda, streamifyResponse, HttpResponseStream };
}

/** load finds the handler. what: {name, module, entry, format, code, exports, env, environment}. */
async function load(what) {
  become(what);
  if (what.hooks) needHooks();
  if (what.wait) inspector.waitForDebugger();
  if (!what.entry) {
    throw new faults.ImportModuleError(`Error: Cannot find module '${what.module}'\nRequire stack:\n- /var/runtime/index.mjs`);
  }
  const module = await loadModule(what);
  const among = (all) => what.exports.reduce((found, name) => found && found[name], all);
  const found = among(module) || modern && among(module?.default);
  if (!found) throw new faults.HandlerNotFound(`${what.name} is undefined or not exported`);
  if (typeof found !== 'function') throw new faults.HandlerNotFound(`${what.name} is not a function`);
  streams = streaming.streams(found);
  if (modern && found.length >= 3 && !streams) {
    throw new faults.CallbackHandlerDeprecated('ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. ' +
      'You need to modify this function to use a supported handler signature to use Node.js 24 or later. ' +
      'For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.');
  }
  handler = found;
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
      const error = new faults.UserCodeSyntaxError(String(e));
      error.stack = e.stack; // it shows the place
      throw error;
    }
    if (e?.code === 'MODULE_NOT_FOUND') throw new faults.ImportModuleError(String(e));
    throw e;
  }
}

let hooks; // the port to hooks.mjs

/** needHooks lets the source of an ES module come from somewhere else than its file. */
function needHooks() {
  if (hooks !== undefined) return;
  if (typeof Module.register !== 'function') {
    throw new Error(`Node.js ${process.version} cannot load ES modules written in TypeScript, or import from layers: it needs 18.19, 20.6 or a later version`);
  }
  const { port1, port2 } = new MessageChannel();
  hooks = port1;
  hooks.unref();
  Module.register(pathToFileURL(path.join(__dirname, 'hooks.mjs')), { data: { port: port2, places: process.env.NODE_PATH ?? '' }, transferList: [port2] });
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

// ---- events ----

let current; // {settle, asynchronous, waits, done} of the event that is being handled

// What is called when nothing is left to wait for. It is a global, as on AWS, because tools that measure functions wrap it.
const AT_END = Symbol.for('aws.lambda.beforeExit');
globalThis[AT_END] = () => {};

function invoke(facts, payload) {
  globalThis[log.REQUEST] = facts.id;
  globalThis[log.TENANT] = facts.tenant;
  if (facts.trace) process.env._X_AMZN_TRACE_ID = facts.trace;
  else if (process.env._X_AMZN_TRACE_ID !== undefined) delete process.env._X_AMZN_TRACE_ID;
  const state = { asynchronous: false, waits: true, done: false };
  state.settle = (kind, value) => {
    if (current !== state) return; // answered already
    current = undefined;
    globalThis[AT_END] = () => {};
    if (!streams) input.ref();
    answer(kind, value);
  };
  current = state;
  try {
    const event = JSON.parse(payload);
    if (streams) {
      const end = () => state.settle('S');
      const fail = (e) => state.settle('E', e);
      streaming.run(handler, event, contextOf(facts, state), { send: sendBeside, end, fail, modern });
      return;
    }
    input.unref(); // so that Node says when the function has nothing left to wait for
    globalThis[AT_END] = () => drained(state);
    const context = contextOf(facts, state);
    const returned = modern ? handler(event, context) : handler(event, context, callbackOf(state));
    if (typeof returned?.then === 'function') {
      state.asynchronous = true;
      returned.then((value) => state.settle('R', value), (e) => state.settle('E', modern ? e : e ?? 'handled'));
    } else if (modern) {
      state.settle('R', returned);
    }
  } catch (e) {
    if (modern || streams || e !== undefined && e !== null) state.settle('E', e);
    else callbackOf(state)(e); // there is no error in nothing
  }
}

/** drained ends an event whose handler has nothing left to wait for. */
function drained(state) {
  if (state.asynchronous) {
    state.settle('E', new faults.NodeJsExit('The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a ' +
      'Promise that was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes'));
  } else {
    state.settle('R', null); // it has not called its callback
  }
}

process.on('beforeExit', () => globalThis[AT_END]());

/** callbackOf answers with the callback's arguments once nothing is left to wait for, or at once if told not to wait. */
function callbackOf(state, mayWait = true) {
  let called = false;
  return (error, value) => {
    if (called) return;
    called = true;
    if (state.done) {
      console.error('Invocation has already been reported as done. Cannot call complete more than once per invocation.');
      return;
    }
    const failed = error !== undefined && error !== null;
    const finish = () => {
      state.done = true;
      state.settle(failed ? 'E' : 'R', failed ? error : value);
    };
    if (failed || !mayWait || !state.waits) finish();
    else globalThis[AT_END] = finish;
  };
}

function contextOf(facts, state) {
  const deadline = Date.now() + facts.ms;
  const context = modern ? {} : {
    get callbackWaitsForEmptyEventLoop() { return state.waits; },
    set callbackWaitsForEmptyEventLoop(value) { state.waits = value; },
  };
  if (!modern && !streams) {
    const done = callbackOf(state, false);
    context.succeed = (value) => done(null, value);
    context.fail = (error) => done(error ?? 'handled');
    context.done = done;
  }
  Object.assign(context, {
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: facts.client ? parseHeader(facts.client, 'ClientContext', 'client-context') : undefined,
    identity: facts.identity ? parseHeader(facts.identity, 'CognitoIdentity', 'cognito-identity') : undefined,
    invokedFunctionArn: facts.arn,
    awsRequestId: facts.id,
    tenantId: facts.tenant,
  });
  if (modern) context.xRayTraceId = facts.trace;
  context.getRemainingTimeInMillis = () => deadline - Date.now();
  return context;
}

function parseHeader(text, name, header) {
  try {
    return JSON.parse(text);
  } catch (e) {
    throw new Error(modern ? `Failed to parse lambda-runtime-${header} as JSON: ${e.message}` : `Cannot parse ${name} as json: ${e}`);
  }
}

/** answer sends the outcome: R, a value; S, the end of a stream; E, what was thrown. */
function answer(kind, value) {
  let text = '';
  if (kind === 'R') {
    try {
      text = JSON.stringify(value === undefined ? null : value) ?? 'null';
    } catch {
      kind = 'E';
      value = new (modern ? faults.JSONStringifyError : Error)('Unable to stringify response body');
    }
  }
  if (kind === 'E') {
    log.logError('Invoke Error', value);
    sendError('E', value);
    return;
  }
  send('R', text);
}

/** die tells what ends the process, to whoever waits for an answer, and ends it. */
function die(what, e, status) {
  log.logError(what, e);
  const end = () => {
    if (current !== undefined) sendError('D', e);
    else if (loading) sendError('X', e);
    process.exit(status);
  };
  waiting.length = 0;
  if (sending === undefined) end();
  else sending.done = end; // a frame that is half written is finished first
}

process.on('uncaughtException', (e) => die('Uncaught Exception', e, 129));
process.on('unhandledRejection', (reason, promise) => {
  const e = new faults.UnhandledPromiseRejection(reason);
  die('Unhandled Promise Rejection', Object.assign(e, { reason, promise }), 128);
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
        loading = false;
        log.logError(modern ? 'Init Error' : 'Uncaught Exception', e);
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
if (inspector.url() !== undefined && process.execArgv.some((flag) => flag.startsWith('--inspect-publish-uid'))) {
  process.execArgv = [];
  const { wrap } = Module;
  Module.wrap = (text) => wrap(text); // has Node compile scripts, of which a debugger can hear before they run
  send('P', new URL(inspector.url()).host);
}
input.on('close', () => process.reallyExit(0)); // there is no daemon any more
