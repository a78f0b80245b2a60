// node:path, POSIX's.
const tidy = (p, absolute) => {
  const out = [];
  for (const part of p.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') out.push(part);
    else if (out.length && out.at(-1) !== '..') out.pop();
    else if (!absolute) out.push('..');
  }
  return out.join('/');
};
const path = {
  sep: '/', delimiter: ':',
  isAbsolute: (p) => p.startsWith('/'),
  normalize(p) {
    const absolute = p.startsWith('/');
    const out = tidy(p, absolute);
    return (absolute ? '/' : '') + (out || (absolute ? '' : '.')) + (p.endsWith('/') && out ? '/' : '');
  },
  join: (...parts) => path.normalize(parts.filter(Boolean).join('/') || '.'),
  resolve(...parts) {
    let out = '';
    for (const p of [process.cwd(), ...parts]) if (p) out = p.startsWith('/') ? p : out + '/' + p;
    return '/' + tidy(out, true);
  },
  relative(from, to) {
    const a = path.resolve(from).split('/').filter(Boolean), b = path.resolve(to).split('/').filter(Boolean);
    let i = 0;
    while (i < a.length && a[i] === b[i]) i++;
    return [...a.slice(i).map(() => '..'), ...b.slice(i)].join('/');
  },
  dirname(p) {
    const t = p.replace(/\/+$/, ''), i = t.lastIndexOf('/');
    return i < 0 ? (p.startsWith('/') ? '/' : '.') : t.slice(0, i).replace(/\/+$/, '') || '/';
  },
  basename(p, ext = '') {
    const b = p.replace(/\/+$/, '').split('/').pop();
    return ext && b !== ext && b.endsWith(ext) ? b.slice(0, -ext.length) : b;
  },
  extname(p) {
    const b = path.basename(p), i = b.lastIndexOf('.');
    return i <= 0 ? '' : b.slice(i);
  },
  parse(p) {
    const root = p.startsWith('/') ? '/' : '', base = path.basename(p), ext = path.extname(p);
    const dir = path.dirname(p);
    return { root, dir: dir === '.' && !p.startsWith('.') ? '' : dir, base, ext, name: ext ? base.slice(0, -ext.length) : base };
  },
  format({ dir, root = '', base, name = '', ext = '' }) {
    const b = base || name + (ext && !ext.startsWith('.') ? '.' : '') + ext;
    return dir ? (dir === root ? dir : dir + '/') + b : root + b;
  },
  toNamespacedPath: (p) => p,
};
path.posix = path;
module.exports = path;
