// node:assert, the common part of it.
const { inspect, equal: deep } = require('util');
class AssertionError extends Error {
  constructor({ message, actual, expected, operator }) {
    super(message || `${inspect(actual)} ${operator} ${inspect(expected)}`);
    this.name = 'AssertionError';
    Object.assign(this, { code: 'ERR_ASSERTION', generatedMessage: !message, actual, expected, operator });
  }
}
const check = (ok, message, actual, expected, operator) => {
  if (ok) return;
  throw message instanceof Error ? message : new AssertionError({ message, actual, expected, operator });
};
const fits = (err, wanted) => {
  if (wanted === undefined || typeof wanted === 'string') return true;
  if (wanted instanceof RegExp) return wanted.test(String(err));
  if (typeof wanted === 'function') return wanted.prototype !== undefined && err instanceof wanted || Error.isPrototypeOf(wanted) === false && wanted !== Error && wanted.call({}, err) === true;
  return Object.keys(wanted).every((k) => wanted[k] instanceof RegExp ? wanted[k].test(err[k]) : deep(err[k], wanted[k], true));
};
const caught = (err, wanted, message) => {
  if (fits(err, wanted)) return;
  if (typeof wanted === 'function' || wanted instanceof Error) throw err;
  check(false, message, err, wanted, 'throws');
};
const missing = (message, operator) => check(false, message || `Missing expected ${operator === 'rejects' ? 'rejection' : 'exception'}.`, undefined, undefined, operator);
const assert = (v, message) => check(v, message || 'The expression evaluated to a falsy value', v, true, '==');
module.exports = Object.assign(assert, {
  AssertionError,
  ok: (v, message) => assert(v, message),
  fail: (message = 'Failed') => check(false, message, undefined, undefined, 'fail'),
  equal: (a, b, m) => check(a == b || Number.isNaN(a) && Number.isNaN(b), m, a, b, '=='),
  notEqual: (a, b, m) => check(a != b, m, a, b, '!='),
  strictEqual: (a, b, m) => check(Object.is(a, b), m, a, b, 'strictEqual'),
  notStrictEqual: (a, b, m) => check(!Object.is(a, b), m, a, b, 'notStrictEqual'),
  deepEqual: (a, b, m) => check(deep(a, b, false), m, a, b, 'deepEqual'),
  notDeepEqual: (a, b, m) => check(!deep(a, b, false), m, a, b, 'notDeepEqual'),
  deepStrictEqual: (a, b, m) => check(deep(a, b, true), m, a, b, 'deepStrictEqual'),
  notDeepStrictEqual: (a, b, m) => check(!deep(a, b, true), m, a, b, 'notDeepStrictEqual'),
  match: (text, re, m) => check(re.test(text), m, text, re, 'match'),
  doesNotMatch: (text, re, m) => check(!re.test(text), m, text, re, 'doesNotMatch'),
  ifError: (v) => { if (v !== null && v !== undefined) throw v; },
  throws(f, wanted, message) {
    try { f(); } catch (err) { return caught(err, wanted, message); }
    missing(message, 'throws');
  },
  doesNotThrow: (f) => { f(); },
  async rejects(p, wanted, message) {
    try { await (typeof p === 'function' ? p() : p); } catch (err) { return caught(err, wanted, message); }
    missing(message, 'rejects');
  },
  async doesNotReject(p) { await (typeof p === 'function' ? p() : p); },
});
assert.strict = Object.assign((v, m) => assert(v, m), assert, {
  equal: assert.strictEqual, notEqual: assert.notStrictEqual, deepEqual: assert.deepStrictEqual, notDeepEqual: assert.notDeepStrictEqual,
});
