// structuredClone.
const fail = (v) => {
  throw new (require('devstack:fetch').DOMException)(`${typeof v === 'symbol' ? v.toString() : String(v)} could not be cloned.`, 'DataCloneError');
};
const clone = (v, seen) => {
  if (typeof v === 'function' || typeof v === 'symbol') fail(v);
  if (typeof v !== 'object' || v === null) return v;
  if (seen.has(v)) return seen.get(v);
  const keep = (copy) => { seen.set(v, copy); return copy; };
  if (v instanceof Date) return keep(new Date(v.getTime()));
  if (v instanceof RegExp) return keep(new RegExp(v.source, v.flags));
  if (v instanceof ArrayBuffer) return keep(v.slice(0));
  if (v instanceof DataView) return keep(new DataView(clone(v.buffer, seen), v.byteOffset, v.byteLength));
  if (ArrayBuffer.isView(v)) {
    const C = { Uint8Array, Int8Array, Uint8ClampedArray, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array }[v[Symbol.toStringTag]];
    return keep(new C(v));
  }
  if (v instanceof String || v instanceof Number || v instanceof Boolean) return keep(Object(v.valueOf()));
  if (v instanceof Promise || v instanceof WeakMap || v instanceof WeakSet) fail(v);
  if (v instanceof Map) { const m = keep(new Map()); for (const [k, x] of v) m.set(clone(k, seen), clone(x, seen)); return m; }
  if (v instanceof Set) { const s = keep(new Set()); for (const x of v) s.add(clone(x, seen)); return s; }
  if (v instanceof Error) {
    const known = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
    const e = keep(new (known[v.name] || Error)(v.message));
    Object.defineProperty(e, 'stack', { value: v.stack, writable: true, configurable: true });
    if ('cause' in v) Object.defineProperty(e, 'cause', { value: clone(v.cause, seen), writable: true, configurable: true });
    return e;
  }
  const out = keep(Array.isArray(v) ? new Array(v.length) : {});
  for (const k of Object.keys(v)) out[k] = clone(v[k], seen);
  return out;
};
module.exports = { structuredClone: (v) => clone(v, new Map()) };
