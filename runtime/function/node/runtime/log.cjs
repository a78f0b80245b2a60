// The console, as Lambda's: each message is one event of the log, in text or as a JSON record.
// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html
'use strict';

const util = require('util');
const { intoError, loggable } = require('./faults.cjs');

const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

// Where AWS's runtime keeps the number of the request, and where libraries look for it.
const REQUEST = Symbol.for('aws.lambda.runtime.requestId');
const TENANT = Symbol.for('aws.lambda.runtime.tenantId');

let json = false;
let outside; // the request id in a message outside of any request
let write = () => {};

/** setUp patches the console as the environment says: AWS_LAMBDA_LOG_FORMAT, AWS_LAMBDA_LOG_LEVEL. */
function setUp(writeOutput, modern) {
  write = writeOutput;
  outside = modern ? '-' : undefined;
  json = process.env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === 'JSON';
  const least = Math.max(0, LEVELS.indexOf(process.env.AWS_LAMBDA_LOG_LEVEL?.toUpperCase()));
  for (const [i, level] of LEVELS.entries()) {
    console[level.toLowerCase()] = i < least ? () => {} : (...args) => print(level, args);
  }
  console.log = console.info;
}

const requestId = () => globalThis[REQUEST] ?? outside;

/** print delivers a message as one, whatever lines it has. */
function print(level, args) {
  const time = new Date().toISOString();
  const message = json ? record(time, level, args) : `${time}\t${requestId()}\t${level}\t${util.format(...args)}`;
  try {
    write(Buffer.from(`\0P${globalThis[REQUEST] ?? ''}\0${message.replaceAll('\n', '\0n')}\n`));
  } catch {
    // the function has closed its standard output
  }
}

/** record is a message in JSON. One value is put in as it is; several make a text, with the first error's facts beside it. */
function record(timestamp, level, args) {
  const all = { timestamp, level, requestId: requestId(), tenantId: globalThis[TENANT] };
  if (args.length <= 1) {
    all.message = args[0];
    try {
      return JSON.stringify(all, errorFacts);
    } catch {
      all.message = util.format(all.message); // it refers to itself
      return JSON.stringify(all);
    }
  }
  all.message = util.format(...args);
  const error = args.slice(1).concat(args[0]).find((arg) => arg instanceof Error);
  return JSON.stringify(error === undefined ? all : Object.assign(all, factsOf(error)));
}

const factsOf = (e) => ({
  errorType: e.constructor?.name ?? 'UnknownError',
  errorMessage: e.message,
  stackTrace: typeof e.stack === 'string' ? e.stack.split('\n') : [],
});

const errorFacts = (key, value) => (value instanceof Error ? { ...factsOf(value), ...value } : value);

/** logError tells the log of an error that ends an event, or the process. */
function logError(what, e) {
  const error = intoError(e);
  if (json) console.error(error);
  else console.error(what, '\t' + loggable(error));
}

module.exports = { REQUEST, TENANT, logError, setUp };
