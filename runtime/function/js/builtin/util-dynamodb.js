// @aws-sdk/util-dynamodb: JavaScript values as DynamoDB's attribute values and back.
class NumberValueImpl {
  constructor(value) {
    this.value = typeof value === 'object' && value !== null && 'N' in value ? String(value.N) : String(value);
    const n = typeof value === 'number' ? value : 0;
    if (n > Number.MAX_SAFE_INTEGER || n < Number.MIN_SAFE_INTEGER || !Number.isFinite(n)) {
      throw new Error(`NumberValue should not be initialized with an imprecise number=${value}. Use a string instead.`);
    }
  }
  static from(value) { return new NumberValueImpl(value); }
  toAttributeValue() { return { N: this.value }; }
  toBigInt() { return BigInt(this.value); }
  toString() { return this.value; }
  valueOf() { return this.value; }
}
// wrapNumbers answers plain objects of one member, as the SDK's types say; these keep the methods besides.
const isBinary = (v) => v instanceof ArrayBuffer || ArrayBuffer.isView(v);
const bytesOf = (v) => (v instanceof ArrayBuffer ? new Uint8Array(v) : v instanceof Uint8Array ? v : new Uint8Array(v.buffer, v.byteOffset, v.byteLength));
const number = (v, { allowImpreciseNumbers } = {}) => {
  if (typeof v === 'number' && !Number.isFinite(v)) throw new Error(`Special numeric value ${v} is not allowed`);
  if (typeof v === 'number' && !allowImpreciseNumbers) {
    if (v > Number.MAX_SAFE_INTEGER) throw new Error(`Number ${v} is greater than Number.MAX_SAFE_INTEGER. Use NumberValue from @aws-sdk/lib-dynamodb.`);
    if (v < Number.MIN_SAFE_INTEGER) throw new Error(`Number ${v} is lesser than Number.MIN_SAFE_INTEGER. Use NumberValue from @aws-sdk/lib-dynamodb.`);
  }
  return { N: String(v) };
};
const undefinedValue = () => new Error('Pass options.removeUndefinedValues=true to remove undefined values from map/array/set.');

const set = (v, o) => {
  const items = o.removeUndefinedValues ? [...v].filter((x) => x !== undefined) : [...v];
  if (items.includes(undefined)) throw undefinedValue();
  if (!items.length) {
    if (o.convertEmptyValues) return { NULL: true };
    throw new Error('Pass a non-empty set, or options.convertEmptyValues=true.');
  }
  const [first] = items;
  if (first instanceof NumberValueImpl) return { NS: items.map((x) => x.value ?? String(x)) };
  if (typeof first === 'number' || typeof first === 'bigint') return { NS: items.map((x) => number(x, o).N) };
  if (typeof first === 'string') return { SS: items.map(String) };
  if (isBinary(first)) return { BS: items.map(bytesOf) };
  throw new Error('Only Number Set (NS), Binary Set (BS), String Set (SS) are allowed.');
};

const map = (entries, o) => {
  const M = [];
  for (const [k, v] of entries) {
    if (typeof v === 'function') continue;
    if (v === undefined && o.removeUndefinedValues) continue;
    M.push([k, convertToAttr(v, o)]);
  }
  return { M: Object.fromEntries(M) };
};

const convertToAttr = (v, options) => {
  const o = options ?? {};
  if (v === undefined) throw undefinedValue();
  if (v === null) return { NULL: true };
  if (Array.isArray(v)) return { L: v.filter((x) => typeof x !== 'function' && (x !== undefined || !o.removeUndefinedValues)).map((x) => convertToAttr(x, o)) };
  if (v instanceof Set) return set(v, o);
  if (v instanceof Map) return map(v, o);
  if (v instanceof NumberValueImpl) return v.toAttributeValue();
  if (isBinary(v)) {
    const b = bytesOf(v);
    return b.length === 0 && o.convertEmptyValues ? { NULL: true } : { B: b };
  }
  if (typeof v === 'boolean' || v instanceof Boolean) return { BOOL: v.valueOf() };
  if (typeof v === 'number' || v instanceof Number) return number(v.valueOf(), o);
  if (typeof v === 'bigint') return { N: v.toString() };
  if (typeof v === 'string' || v instanceof String) return v.length === 0 && o.convertEmptyValues ? { NULL: true } : { S: v.toString() };
  if (typeof v === 'object') {
    const proto = Object.getPrototypeOf(v);
    if (proto === null || proto === Object.prototype || proto.constructor?.name === 'Object' || o.convertClassInstanceToMap) return map(Object.entries(v), o);
  }
  throw new Error(`Unsupported type passed: ${String(v)}. Pass options.convertClassInstanceToMap=true to marshall typeof object as map attribute.`);
};

const toNumber = (text, o) => {
  if (typeof o?.wrapNumbers === 'function') return o.wrapNumbers(text);
  if (o?.wrapNumbers) return NumberValueImpl.from(text);
  const n = Number(text);
  if ((n > Number.MAX_SAFE_INTEGER || n < Number.MIN_SAFE_INTEGER) && Math.abs(n) !== Infinity) {
    try {
      return BigInt(text);
    } catch {
      throw new Error(`${text} can't be converted to BigInt. Set options.wrapNumbers to get string value.`);
    }
  }
  return n;
};

const convertToNative = (a, o) => {
  for (const [type, v] of Object.entries(a ?? {})) {
    if (v === undefined || v === null) continue;
    switch (type) {
      case 'NULL': return null;
      case 'BOOL': return Boolean(v);
      case 'N': return toNumber(v, o);
      case 'B': return v;
      case 'S': return v;
      case 'L': return v.map((x) => convertToNative(x, o));
      case 'M': return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, convertToNative(x, o)]));
      case 'NS': return new Set(v.map((x) => toNumber(x, o)));
      case 'BS': return new Set(v);
      case 'SS': return new Set(v);
      default: throw new Error(`Unsupported type passed: ${type}`);
    }
  }
  throw new Error(`No value defined: ${JSON.stringify(a)}`);
};

const marshall = (v, options) => {
  const a = convertToAttr(v, options);
  const [type] = Object.keys(a);
  return (type === 'M' || type === 'L') && !options?.convertTopLevelContainer ? a[type] : a;
};
const unmarshall = (v, options) => convertToNative(options?.convertWithoutMapWrapper ? v : { M: v }, options);

module.exports = { marshall, unmarshall, convertToAttr, convertToNative, NumberValueImpl, NumberValue: NumberValueImpl };
