// node:url and the globals URL and URLSearchParams.
const unescape = (s) => {
  s = s.replace(/\+/g, ' ');
  try { return decodeURIComponent(s); } catch { return host.decode(host.encode(s.replace(/%([0-9a-f]{2})/gi, (_, h) => String.fromCharCode(parseInt(h, 16))), 'latin1'), 'utf8'); }
};
const escape = (s) => encodeURIComponent(s.toWellFormed?.() ?? s).replace(/[!'()~]/g, (c) => '%' + c.charCodeAt(0).toString(16).toUpperCase()).replace(/%20/g, '+');

class URLSearchParams {
  #list = []; #changed;
  constructor(init = '', changed = undefined) {
    if (typeof changed === 'symbol') this.#changed = init.changed;
    const v = typeof changed === 'symbol' ? init.text : init;
    if (v === null || v === undefined) return;
    if (typeof v !== 'object' && typeof v !== 'function') {
      this.#parse(String(v));
    } else if (typeof v[Symbol.iterator] === 'function') {
      for (const pair of v) {
        const [k, x, ...more] = pair;
        if (more.length || pair.length === 1) throw new TypeError('Each query pair must be an iterable [name, value] tuple');
        this.#list.push([String(k), String(x)]);
      }
    } else {
      for (const k of Object.keys(v)) this.#list.push([k, String(v[k])]);
    }
  }
  #parse(text) {
    for (const part of text.replace(/^\?/, '').split('&')) {
      if (!part) continue;
      const i = part.indexOf('=');
      this.#list.push(i < 0 ? [unescape(part), ''] : [unescape(part.slice(0, i)), unescape(part.slice(i + 1))]);
    }
  }
  #done() { if (this.#changed) this.#changed(this.toString()); }
  get size() { return this.#list.length; }
  append(k, v) { this.#list.push([String(k), String(v)]); this.#done(); }
  delete(k, v) { this.#list = this.#list.filter((p) => p[0] !== String(k) || v !== undefined && p[1] !== String(v)); this.#done(); }
  get(k) { return this.#list.find((p) => p[0] === String(k))?.[1] ?? null; }
  getAll(k) { return this.#list.filter((p) => p[0] === String(k)).map((p) => p[1]); }
  has(k, v) { return this.#list.some((p) => p[0] === String(k) && (v === undefined || p[1] === String(v))); }
  set(k, v) {
    const i = this.#list.findIndex((p) => p[0] === String(k));
    if (i < 0) return this.append(k, v);
    this.#list = this.#list.filter((p, j) => j <= i || p[0] !== String(k));
    this.#list[i] = [String(k), String(v)];
    this.#done();
  }
  sort() { this.#list.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0)); this.#done(); }
  forEach(f, self) { for (const [k, v] of this.#list) f.call(self, v, k, this); }
  keys() { return this.#list.map((p) => p[0])[Symbol.iterator](); }
  values() { return this.#list.map((p) => p[1])[Symbol.iterator](); }
  entries() { return this.#list.map((p) => [...p])[Symbol.iterator](); }
  [Symbol.iterator]() { return this.entries(); }
  toString() { return this.#list.map(([k, v]) => escape(k) + '=' + escape(v)).join('&'); }
  get [Symbol.toStringTag]() { return 'URLSearchParams'; }
  [Symbol.for('nodejs.util.inspect.custom')](_, __, inspect) {
    return this.#list.length ? `URLSearchParams { ${this.#list.map(([k, v]) => `${inspect(k)} => ${inspect(v)}`).join(', ')} }` : 'URLSearchParams {}';
  }
}

const special = { 'http:': '80', 'https:': '443', 'ws:': '80', 'wss:': '443', 'ftp:': '21', 'file:': '' };
const parts = ['protocol', 'username', 'password', 'hostname', 'port', 'pathname', 'search', 'hash'];

class URL {
  #p; #query;
  constructor(text, base) {
    const list = host.parseURL(String(text), base === undefined ? undefined : String(base));
    if (!list) {
      const e = new TypeError('Invalid URL');
      e.code = 'ERR_INVALID_URL';
      e.input = String(text);
      throw e;
    }
    this.#p = Object.fromEntries(parts.map((k, i) => [k, list[i]]));
  }
  static canParse(text, base) { return host.parseURL(String(text), base === undefined ? undefined : String(base)) !== null; }
  static parse(text, base) { return URL.canParse(text, base) ? new URL(text, base) : null; }
  // #set changes one part if the whole stays a URL; as the standard says, what does not fit is left out silently.
  #set(name, value) {
    const p = { ...this.#p, [name]: value };
    const list = host.parseURL(URL.#join(p));
    if (list) this.#p = Object.fromEntries(parts.map((k, i) => [k, list[i]]));
  }
  static #join(p) {
    const slashes = p.hostname || p.protocol in special;
    const user = p.username || p.password ? p.username + (p.password ? ':' + p.password : '') + '@' : '';
    return p.protocol + (slashes ? '//' + user + p.hostname + (p.port ? ':' + p.port : '') : '') + p.pathname + p.search + p.hash;
  }
  get href() { return URL.#join(this.#p); }
  set href(v) { this.#p = new URL(v).#p; this.#query = undefined; }
  get origin() { return this.#p.protocol in special && this.#p.protocol !== 'file:' ? this.#p.protocol + '//' + this.host : 'null'; }
  get protocol() { return this.#p.protocol; }
  set protocol(v) { this.#set('protocol', String(v).replace(/:.*$/, '') + ':'); }
  get username() { return this.#p.username; }
  set username(v) { this.#set('username', encodeURIComponent(v)); }
  get password() { return this.#p.password; }
  set password(v) { this.#set('password', encodeURIComponent(v)); }
  get host() { return this.#p.hostname + (this.#p.port ? ':' + this.#p.port : ''); }
  set host(v) { const m = /^(.*?)(?::(\d*))?$/.exec(String(v)); this.#set('hostname', m[1]); if (m[2] !== undefined) this.#set('port', m[2]); }
  get hostname() { return this.#p.hostname; }
  set hostname(v) { this.#set('hostname', String(v)); }
  get port() { return this.#p.port; }
  set port(v) { if (/^\d*$/.test(String(v)) && Number(v) < 65536) this.#set('port', String(v)); }
  get pathname() { return this.#p.pathname; }
  set pathname(v) { this.#set('pathname', '/' + String(v).replace(/^\//, '').replace(/\?/g, '%3F').replace(/#/g, '%23')); }
  get search() { return this.#p.search; }
  set search(v) { v = String(v); this.#set('search', v === '' || v === '?' ? '' : (v.startsWith('?') ? v : '?' + v).replace(/#/g, '%23')); this.#query = undefined; }
  get hash() { return this.#p.hash; }
  set hash(v) { v = String(v); this.#set('hash', v === '' || v === '#' ? '' : v.startsWith('#') ? v : '#' + v); }
  get searchParams() {
    return (this.#query ||= new URLSearchParams({ text: this.#p.search, changed: (q) => { this.#p.search = q ? '?' + q : ''; } }, Symbol('of a URL')));
  }
  toString() { return this.href; }
  toJSON() { return this.href; }
  get [Symbol.toStringTag]() { return 'URL'; }
  [Symbol.for('nodejs.util.inspect.custom')](_, __, inspect) {
    const shown = { href: this.href, origin: this.origin };
    for (const k of ['protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'searchParams', 'hash']) shown[k] = this[k];
    return 'URL ' + inspect(shown);
  }
}

module.exports = {
  URL, URLSearchParams,
  fileURLToPath: (u) => {
    u = new URL(u);
    if (u.protocol !== 'file:') throw new TypeError('The URL must be of scheme file');
    return decodeURIComponent(u.pathname);
  },
  pathToFileURL: (p) => new URL('file://' + require('path').resolve(p).split('/').map(encodeURIComponent).join('/')),
  format: (u) => (typeof u === 'string' ? u : u instanceof URL ? u.href
    : (u.protocol ? u.protocol.replace(/:?$/, ':') + '//' : '') + (u.auth ? u.auth + '@' : '') + (u.host || (u.hostname || '') + (u.port ? ':' + u.port : '')) +
      (u.pathname || '') + (u.search || (u.query && Object.keys(u.query).length ? '?' + require('querystring').stringify(u.query) : '')) + (u.hash || '')),
};
