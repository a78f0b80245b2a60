// What is thrown, and how callers and the log are told of it. The shapes are those of AWS's runtime interface client, version 3 up to
// Node.js 22 and version 4 from 24 on: https://github.com/aws/aws-lambda-nodejs-runtime-interface-client
'use strict';

const util = require('util');

/** kindOf makes a class of the runtime's own errors. Its name is on the prototype so that the stack begins with it. */
function kindOf(name) {
  const kind = class extends Error {};
  kind.prototype.name = 'Runtime.' + name;
  return kind;
}

const names = [
  'ImportModuleError', 'HandlerNotFound', 'UserCodeSyntaxError', 'UnhandledPromiseRejection', 'NodeJsExit',
  'CallbackHandlerDeprecated', 'MalformedStreamingHandler', 'InvalidStreamingOperation', 'JSONStringifyError',
];
const kinds = Object.fromEntries(names.map((name) => [name, kindOf(name)]));

/** isError also takes errors of other realms, and what looks like one. */
const isError = (e) => util.types.isNativeError(e) || e instanceof Error ||
  Boolean(e && [e.name, e.message, e.stack].every((part) => part && typeof part === 'string'));

/** The character DEL would not pass through an HTTP header. */
const printable = (text) => (typeof text === 'string' ? text.replaceAll('\x7f', '%7F') : text);

/** bodyOf is what a caller receives of a thrown value. */
function bodyOf(e, modern) {
  try {
    if (isError(e)) {
      return { errorType: printable(e.name), errorMessage: printable(e.message), trace: printable(String(e.stack)).split('\n') };
    }
    return { errorType: typeof e, errorMessage: modern ? String(e) : e.toString(), trace: [] };
  } catch {
    const body = { errorType: 'handled', errorMessage: 'callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack' };
    return modern ? { ...body, trace: [] } : body;
  }
}

/** shown is an error with all that it carries, at any depth. */
function shown(key, value) {
  if (!(value instanceof Error)) return value;
  const all = { errorType: value.name, errorMessage: value.message, code: value.code, ...value };
  if (typeof value.stack === 'string') all.stack = value.stack.split('\n');
  return all;
}

/** loggable is what the log in text form shows of an error. */
function loggable(e) {
  try {
    return JSON.stringify(e, shown);
  } catch {
    return JSON.stringify(bodyOf(e)); // it refers to itself
  }
}

/** intoError makes an error of whatever was thrown. */
const intoError = (e) => (e instanceof Error ? e : new Error(e));

module.exports = { ...kinds, bodyOf, intoError, isError, loggable };
