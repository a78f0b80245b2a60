// What every sandbox has from the start: a way to call the handler, console, and what goja lacks of the language.
const { parse, stringify } = JSON;
const global = globalThis;
const [functionName, memoryLimitInMB] = host.info();
const define = (target, name, value) =>
  Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false });
const lacking = (target, name, value) => name in target || define(target, name, value);

define(global, 'global', global);
define(global, 'queueMicrotask', (f) => { Promise.resolve().then(f); });
const performance = { now: () => host.now(), timeOrigin: Date.now(), mark() { throw new Error('performance.mark is not provided by the js runtime'); } };
define(global, 'performance', performance);
Object.defineProperty(global, 'crypto', {
  configurable: true, enumerable: false,
  get() { const c = require('crypto').webcrypto; define(global, 'crypto', c); return c; },
});

// Old names for accessors (ECMA-262, annex B) that packages still use.
const accessor = (kind) => function (name, f) { Object.defineProperty(this, name, { [kind]: f, enumerable: true, configurable: true }); };
const accessorOf = (kind) => function (name) {
  for (let o = Object(this); o !== null; o = Object.getPrototypeOf(o)) {
    const own = Object.getOwnPropertyDescriptor(o, name);
    if (own) return own[kind];
  }
};
lacking(Object.prototype, '__defineGetter__', accessor('get'));
lacking(Object.prototype, '__defineSetter__', accessor('set'));
lacking(Object.prototype, '__lookupGetter__', accessorOf('get'));
lacking(Object.prototype, '__lookupSetter__', accessorOf('set'));

// goja's own takes no text for the list that it is.
const TypedArray = Object.getPrototypeOf(Uint8Array);
const { from } = TypedArray;
define(TypedArray, 'from', { from(list, ...how) { return from.call(this, typeof list === 'string' ? [...list] : list, ...how); } }.from);

define(JSON, 'parse', {
  parse(text, reviver) {
    if (reviver === undefined) return host.parseJSON(`${text}`);
    try {
      return parse(text, reviver);
    } catch (err) {
      const mistake = err instanceof SyntaxError && host.mistakeInJSON(String(text));
      throw mistake ? new SyntaxError(mistake) : err;
    }
  },
}.parse);

// ---- the handler

exports.setTrace = (id) => {
  if (id) process.env._X_AMZN_TRACE_ID = id;
  else delete process.env._X_AMZN_TRACE_ID;
};

// contextOf is what a handler is told of its invocation. loop.waits is whether its answer waits for an empty event loop.
const contextOf = (loop, succeed, fail, done, awsRequestId, arn, clientContext) => {
  const env = process.env;
  return {
    get callbackWaitsForEmptyEventLoop() { return loop.waits; },
    set callbackWaitsForEmptyEventLoop(v) { loop.waits = v; },
    succeed, fail, done,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION || '$LATEST',
    functionName,
    memoryLimitInMB: String(memoryLimitInMB),
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: clientContext ? parse(clientContext) : undefined,
    identity: undefined,
    invokedFunctionArn: arn,
    awsRequestId,
    getRemainingTimeInMillis: host.remaining,
  };
};
const isPromise = (v) => v !== null && v !== undefined && typeof v.then === 'function';

exports.invoke = (handler, event, awsRequestId, arn, clientContext, ok, fail) => {
  const loop = { waits: true };
  if (handler[streaming] === 'response') {
    const { succeed: _, fail: __, done: ___, ...context } = Object.getOwnPropertyDescriptors(contextOf(loop, undefined, undefined, undefined, awsRequestId, arn, clientContext));
    return require('devstack:awslambda').invoke(handler, event, Object.defineProperties({}, context), ok, fail);
  }
  const succeed = (result) => {
    let text;
    try {
      text = stringify(result === undefined ? null : result);
    } catch {
      return fail(new Error('Unable to stringify response body as json'));
    }
    ok(text === undefined ? 'null' : text);
  };
  const callback = (err, result) => {
    if (err !== undefined && err !== null) fail(err);
    else if (loop.waits) ok(() => succeed(result)); // once the event loop is empty
    else succeed(result);
  };
  const context = contextOf(loop, succeed, fail, callback, awsRequestId, arn, clientContext);
  try {
    const result = handler(event, context, callback);
    if (isPromise(result)) result.then(succeed, fail);
  } catch (err) {
    fail(err);
  }
  return undefined;
};
const streaming = Symbol.for('aws.lambda.runtime.handler.streaming');
Object.defineProperty(global, 'awslambda', {
  configurable: true, enumerable: false,
  get() { const v = require('devstack:awslambda').awslambda; define(global, 'awslambda', v); return v; },
  set(v) { define(global, 'awslambda', v); },
});

// ---- console

const format = (args) =>
  args.length === 1 && typeof args[0] === 'string' ? args[0] : require('util').format(...args);
let indent = '';
// In the format JSON a line is an object, as AWS's runtime for Node makes it.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
const errorsAsObjects = (_, v) => {
  if (!(v instanceof Error)) return v;
  return { errorType: v.constructor?.name ?? 'UnknownError', errorMessage: v.message, stackTrace: typeof v.stack === 'string' ? host.stack(v.stack).split('\n') : v.stack, ...v };
};
const jsonLine = (level, args) => {
  const line = { timestamp: new Date().toISOString(), level, requestId: host.requestId() };
  if (args.length === 1) {
    line.message = args[0];
    try {
      return stringify(line, errorsAsObjects);
    } catch {
      line.message = format(args);
      return stringify(line);
    }
  }
  line.message = format(args);
  const err = args.find((v) => v instanceof Error);
  if (err) {
    const { errorType, errorMessage, stackTrace } = errorsAsObjects('', err);
    Object.assign(line, { errorType, errorMessage, stackTrace });
  }
  return stringify(line);
};
const [logFormat, logLevel] = host.logging();
const levels = { TRACE: 1, DEBUG: 2, INFO: 3, WARN: 4, ERROR: 5, FATAL: 6 };
const least = levels[logLevel] || 1;
const print = (level, args) => {
  if (levels[level] < least) return;
  if (logFormat === 'JSON') {
    if (indent) args = [format(args).replace(/^/gm, indent)];
    host.write(jsonLine(level, args));
    return;
  }
  const text = format(args);
  host.log(level, indent ? text.replace(/^/gm, indent) : text);
};
exports.logError = (text, err) => print('ERROR', logFormat === 'JSON' ? [err] : [text]);
const counts = new Map(), times = new Map();
const elapsed = (label) => {
  const began = times.get(label);
  return began === undefined ? undefined : `${label}: ${(host.now() - began).toFixed(3)}ms`;
};
define(global, 'console', {
  log(...args) { print('INFO', args); },
  info(...args) { print('INFO', args); },
  debug(...args) { print('DEBUG', args); },
  warn(...args) { print('WARN', args); },
  error(...args) { print('ERROR', args); },
  fatal(...args) { print('FATAL', args); },
  trace(...args) { print('TRACE', args); },
  dir(value, options) { print('INFO', [require('util').inspect(value, options)]); },
  table(value) { print('INFO', [require('util').inspect(value)]); },
  assert(condition, ...args) {
    if (condition) return;
    print('ERROR', typeof args[0] === 'string' ? ['Assertion failed: ' + args[0], ...args.slice(1)] : ['Assertion failed', ...args]);
  },
  count(label = 'default') {
    counts.set(label, (counts.get(label) || 0) + 1);
    print('INFO', [`${label}: ${counts.get(label)}`]);
  },
  countReset(label = 'default') { counts.delete(label); },
  time(label = 'default') { times.set(label, host.now()); },
  timeLog(label = 'default', ...args) { if (times.has(label)) print('INFO', [elapsed(label), ...args]); },
  timeEnd(label = 'default') { if (times.has(label)) { print('INFO', [elapsed(label)]); times.delete(label); } },
  dirxml(...args) { print('INFO', args); },
  clear() {},
  groupCollapsed(...args) { console.group(...args); },
  group(...args) { if (args.length) print('INFO', args); indent += '  '; },
  groupEnd() { indent = indent.slice(2); },
});

// ---- what depends on the language that people speak

Object.defineProperty(global, 'Intl', {
  configurable: true, enumerable: false,
  get() { const v = require('devstack:intl').Intl; define(global, 'Intl', v); return v; },
  set(v) { define(global, 'Intl', v); },
});
const intl = () => require('devstack:intl');
for (const [name, required, defaults] of [['toLocaleString', 'any', 'all'], ['toLocaleDateString', 'date', 'date'], ['toLocaleTimeString', 'time', 'time']]) {
  define(Date.prototype, name, { [name](locales, options) { return intl().dateText(this.getTime(), locales, options, required, defaults); } }[name]);
}
define(Number.prototype, 'toLocaleString', function toLocaleString(locales, options) { return intl().numberText(Number(this), locales, options); });
define(BigInt.prototype, 'toLocaleString', function toLocaleString(locales, options) { return intl().numberText(BigInt(this), locales, options); });
const compareText = String.prototype.localeCompare;
define(String.prototype, 'localeCompare', function localeCompare(other, locales, options) {
  return locales === undefined && options === undefined ? compareText.call(this, other) : new (intl().Intl.Collator)(locales, options).compare(this, other);
});

// ---- the language

lacking(Symbol, 'asyncIterator', Symbol('Symbol.asyncIterator'));
lacking(Symbol, 'dispose', Symbol('Symbol.dispose'));
lacking(Symbol, 'asyncDispose', Symbol('Symbol.asyncDispose'));
lacking(Error, 'stackTraceLimit', 10);
lacking(Error, 'captureStackTrace', (target) => {
  const stack = host.stack(new Error().stack).replace(/^Error/, String(target));
  if (typeof Error.prepareStackTrace !== 'function') { define(target, 'stack', stack); return; }
  const { CallSite } = require('devstack:callsite');
  const sites = stack.split('\n').filter((l) => l.startsWith('    at ')).map((l) => new CallSite(l.slice(7)));
  define(target, 'stack', Error.prepareStackTrace(target, sites));
});
lacking(Promise, 'withResolvers', function () {
  let resolve, reject;
  const promise = new this((a, b) => { resolve = a; reject = b; });
  return { promise, resolve, reject };
});
lacking(Promise, 'try', function (f, ...args) { return new this((resolve) => resolve(f(...args))); });
const grouped = (items, key, add) => { let i = 0; for (const item of items) add(key(item, i++), item); };
lacking(Object, 'groupBy', (items, key) => {
  const out = Object.create(null);
  grouped(items, key, (k, item) => { (out[k] ||= []).push(item); });
  return out;
});
lacking(Map, 'groupBy', (items, key) => {
  const out = new Map();
  grouped(items, key, (k, item) => { out.has(k) ? out.get(k).push(item) : out.set(k, [item]); });
  return out;
});
lacking(Array, 'fromAsync', async function (items, map = (x) => x) {
  const out = [];
  const it = (items[Symbol.asyncIterator] || items[Symbol.iterator])?.call(items);
  if (!it) {
    for (let i = 0; i < items.length; i++) out.push(await map(await items[i], i));
    return out;
  }
  for (let r = await it.next(), i = 0; !r.done; r = await it.next(), i++) out.push(await map(await r.value, i));
  return out;
});
lacking(String.prototype, 'isWellFormed', function () { return !/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(this); });
// Both are allowed never to let go of what they hold, or never to call back.
lacking(global, 'WeakRef', class WeakRef { #target; constructor(target) { this.#target = target; } deref() { return this.#target; } });
lacking(global, 'FinalizationRegistry', class FinalizationRegistry { register() {} unregister() { return false; } });

// goja takes \p{…} for the letter p. RegExp is wrapped so that a property becomes a class of its characters.
const Native = RegExp;
const property = /\\([pP])\{([^}]*)\}/;
function Wrapped(pattern, flags) {
  if (typeof pattern === 'string' && typeof flags === 'string' && flags.includes('u') && property.test(pattern)) {
    pattern = host.property(pattern);
  }
  // A function that is called while a class's constructor runs has that class as its new.target in goja: this tells what is so.
  if (!(this instanceof Wrapped)) return Native(pattern, flags);
  return Reflect.construct(Native, [pattern, flags], new.target === Wrapped ? Native : new.target);
}
Object.setPrototypeOf(Wrapped, Object.getPrototypeOf(Native));
for (const key of Reflect.ownKeys(Native)) {
  if (key !== 'length' && key !== 'prototype') Object.defineProperty(Wrapped, key, Object.getOwnPropertyDescriptor(Native, key));
}
Wrapped.prototype = Native.prototype;
define(Native.prototype, 'constructor', Wrapped);
define(Wrapped, 'name', 'RegExp');
lacking(Wrapped, 'escape', (text) =>
  String(text).replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&').replace(/[,\-=<>#&!%:;@~'`"]/g, (c) => '\\x' + c.charCodeAt(0).toString(16))
    .replace(/^[0-9A-Za-z]/, (c) => '\\x' + c.charCodeAt(0).toString(16)));
define(global, 'RegExp', Wrapped);
