// node:querystring.
const escape = (s) => encodeURIComponent(String(s));
const unescape = (s) => { try { return decodeURIComponent(s); } catch { return s; } };
const stringify = (o, sep = '&', eq = '=', { encodeURIComponent: enc = escape } = {}) => {
  const text = (v) => enc(['string', 'boolean', 'bigint'].includes(typeof v) || Number.isFinite(v) ? String(v) : '');
  return Object.keys(o || {}).flatMap((k) => [].concat(o[k]).map((v) => enc(k) + eq + text(v))).join(sep);
};
const parse = (s, sep = '&', eq = '=', { decodeURIComponent: dec = unescape, maxKeys = 1000 } = {}) => {
  const out = Object.create(null);
  const pairs = String(s || '').split(sep);
  for (const part of maxKeys > 0 ? pairs.slice(0, maxKeys) : pairs) {
    if (!part) continue;
    const i = part.indexOf(eq);
    const read = (x) => dec(x.replace(/\+/g, ' '));
    const k = read(i < 0 ? part : part.slice(0, i)), v = i < 0 ? '' : read(part.slice(i + eq.length));
    if (!(k in out)) out[k] = v;
    else if (Array.isArray(out[k])) out[k].push(v);
    else out[k] = [out[k], v];
  }
  return out;
};
module.exports = { parse, stringify, escape, unescape, decode: parse, encode: stringify };
