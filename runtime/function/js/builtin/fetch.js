// fetch with Headers, Request and Response, and AbortController with what it is made of. Bodies are whole, never streams.
class DOMException extends Error {
  constructor(message = '', name = 'Error') {
    super(message);
    Object.defineProperty(this, 'name', { value: name, configurable: true });
  }
  get code() { return { InvalidCharacterError: 5, NotSupportedError: 9, AbortError: 20, QuotaExceededError: 22, TimeoutError: 23, DataCloneError: 25 }[this.name] || 0; }
}

class Event {
  constructor(type, { bubbles = false, cancelable = false } = {}) {
    Object.assign(this, { type: String(type), bubbles, cancelable, defaultPrevented: false, target: null, timeStamp: host.now() });
  }
  preventDefault() { if (this.cancelable) this.defaultPrevented = true; }
  stopImmediatePropagation() { Object.defineProperty(this, 'stopped', { value: true }); }
  stopPropagation() {}
}

class EventTarget {
  #listeners = new Map();
  addEventListener(type, f, options) {
    if (!f) return;
    const list = this.#listeners.get(type) || [];
    const { once = false, signal } = typeof options === 'object' && options ? options : {};
    if (signal?.aborted || list.some((l) => l.f === f)) return;
    this.#listeners.set(type, [...list, { f, once }]);
    signal?.addEventListener('abort', () => this.removeEventListener(type, f));
  }
  removeEventListener(type, f) { this.#listeners.set(type, (this.#listeners.get(type) || []).filter((l) => l.f !== f)); }
  dispatchEvent(event) {
    event.target = event.currentTarget = this;
    const own = this['on' + event.type];
    const list = this.#listeners.get(event.type) || [];
    for (const { f, once } of typeof own === 'function' ? [{ f: own }, ...list] : list) {
      if (once) this.removeEventListener(event.type, f);
      typeof f === 'function' ? f.call(this, event) : f.handleEvent(event);
      if (event.stopped) break;
    }
    return !event.defaultPrevented;
  }
}

const key = Symbol('AbortSignal');
const abort = (signal, reason) => {
  if (signal.aborted) return;
  signal.aborted = true;
  signal.reason = reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason;
  signal.dispatchEvent(new Event('abort'));
};
class AbortSignal extends EventTarget {
  constructor(k) {
    super();
    if (k !== key) throw new TypeError('Illegal constructor');
    this.aborted = false;
    this.reason = undefined;
    this.onabort = null;
  }
  throwIfAborted() { if (this.aborted) throw this.reason; }
  static abort(reason) { const s = new AbortSignal(key); abort(s, reason); return s; }
  static timeout(ms) {
    const s = new AbortSignal(key);
    setTimeout(() => abort(s, new DOMException('The operation was aborted due to timeout', 'TimeoutError')), ms).unref();
    return s;
  }
  static any(signals) {
    const s = new AbortSignal(key);
    for (const x of signals) {
      if (x.aborted) { abort(s, x.reason); break; }
      x.addEventListener('abort', () => abort(s, x.reason));
    }
    return s;
  }
}
class AbortController {
  signal = new AbortSignal(key);
  abort(reason) { abort(this.signal, reason); }
}

class Headers {
  #map = new Map();
  constructor(init) {
    if (init === undefined || init === null) return;
    if (typeof init[Symbol.iterator] === 'function') for (const [k, v] of init) this.append(k, v);
    else for (const k of Object.keys(init)) this.append(k, init[k]);
  }
  static #name(k) {
    if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+$/i.test(String(k))) throw new TypeError(`Headers.append: ${k} is an invalid header name.`);
    return String(k).toLowerCase();
  }
  append(k, v) {
    k = Headers.#name(k);
    v = String(v).trim();
    if (/[\0\r\n]/.test(v)) throw new TypeError(`Headers.append: "${v}" is an invalid header value.`);
    this.#map.set(k, [...(this.#map.get(k) || []), v]);
  }
  set(k, v) { this.#map.delete(Headers.#name(k)); this.append(k, v); }
  delete(k) { this.#map.delete(Headers.#name(k)); }
  get(k) { return this.#map.get(Headers.#name(k))?.join(', ') ?? null; }
  has(k) { return this.#map.has(Headers.#name(k)); }
  getSetCookie() { return [...(this.#map.get('set-cookie') || [])]; }
  forEach(f, self) { for (const [k, v] of this) f.call(self, v, k, this); }
  *[Symbol.iterator]() {
    for (const k of [...this.#map.keys()].sort()) {
      if (k === 'set-cookie') for (const v of this.#map.get(k)) yield [k, v];
      else yield [k, this.#map.get(k).join(', ')];
    }
  }
  entries() { return this[Symbol.iterator](); }
  keys() { return [...this].map(([k]) => k)[Symbol.iterator](); }
  values() { return [...this].map(([, v]) => v)[Symbol.iterator](); }
  get [Symbol.toStringTag]() { return 'Headers'; }
  [Symbol.for('nodejs.util.inspect.custom')](_, __, inspect) { return 'Headers ' + inspect(Object.fromEntries(this)); }
}

// bodyOf returns the bytes of a body and the content type that comes with it.
const bodyOf = (v) => {
  if (v === undefined || v === null) return [null, null];
  if (typeof v === 'string') return [host.encode(v, 'utf8'), 'text/plain;charset=UTF-8'];
  if (v instanceof URLSearchParams) return [host.encode(v.toString(), 'utf8'), 'application/x-www-form-urlencoded;charset=UTF-8'];
  if (v instanceof ArrayBuffer) return [v.slice(0), null];
  if (ArrayBuffer.isView(v)) return [v.buffer.slice(v.byteOffset, v.byteOffset + v.byteLength), null];
  if (typeof v === 'object' && typeof v.getReader === 'function' || v[Symbol.asyncIterator]) throw new TypeError('The js runtime has no streams: a body must be a string, bytes or URLSearchParams');
  if (v instanceof Blob) throw new TypeError('The js runtime takes no Blob as a body: use await blob.arrayBuffer()');
  return [host.encode(String(v), 'utf8'), 'text/plain;charset=UTF-8'];
};

class Body {
  #bytes; #used = false;
  constructor(bytes) { this.#bytes = bytes; }
  get bodyUsed() { return this.#used; }
  get body() {
    if (this.#bytes === null) return null;
    throw new Error('The js runtime has no streams: use text(), json(), bytes() or arrayBuffer() instead of body');
  }
  #take() {
    if (this.#used) throw new TypeError('Body is unusable: Body has already been read');
    this.#used = this.#bytes !== null;
    return this.#bytes || new ArrayBuffer(0);
  }
  async text() { return host.decode(this.#take(), 'utf8').replace(/^\ufeff/, ''); }
  async json() { return JSON.parse(await this.text()); }
  async arrayBuffer() { return this.#take(); }
  async bytes() { return new Uint8Array(this.#take()); }
  async blob() { return new Blob([this.#take()], { type: this.headers.get('content-type') || '' }); }
  async formData() { throw new Error('formData() is not provided by the js runtime'); }
  static copy(b) {
    if (b.#used) throw new TypeError('Body is unusable: Body has already been read');
    return b.#bytes;
  }
}

class Request extends Body {
  constructor(input, init = {}) {
    const from = input instanceof Request ? input : null;
    const [bytes, type] = init.body !== undefined ? bodyOf(init.body) : [from ? Body.copy(from) : null, null];
    super(bytes);
    this.url = from ? from.url : new URL(String(input)).href;
    const method = String(init.method || from?.method || 'GET');
    this.method = /^(get|head|post|put|delete|options)$/i.test(method) ? method.toUpperCase() : method;
    if (bytes !== null && (this.method === 'GET' || this.method === 'HEAD')) throw new TypeError('Request with GET/HEAD method cannot have body.');
    this.headers = new Headers(init.headers ?? from?.headers);
    if (type && !this.headers.has('content-type')) this.headers.set('content-type', type);
    this.redirect = init.redirect || from?.redirect || 'follow';
    this.signal = init.signal || from?.signal || new AbortController().signal;
  }
  clone() { return new Request(this); }
}

class Response extends Body {
  constructor(body = null, { status = 200, statusText = '', headers, url = '', redirected = false } = {}) {
    const [bytes, type] = bodyOf(body);
    super(bytes);
    if (!(status >= 200 && status <= 599)) throw new RangeError('init["status"] must be in the range of 200 to 599, inclusive.');
    Object.assign(this, { status, statusText, url, redirected, type: url ? 'basic' : 'default', headers: new Headers(headers) });
    if (type && !this.headers.has('content-type')) this.headers.set('content-type', type);
  }
  get ok() { return this.status >= 200 && this.status < 300; }
  clone() { return new Response(Body.copy(this), this); }
  static json(data, init = {}) {
    const headers = new Headers(init.headers);
    if (!headers.has('content-type')) headers.set('content-type', 'application/json');
    return new Response(JSON.stringify(data), { ...init, headers });
  }
  static error() { throw new Error('Response.error is not provided by the js runtime'); }
  static redirect(url, status = 302) { return new Response(null, { status, headers: { location: new URL(url).href } }); }
}

const fetch = async (input, init) => {
  const request = new Request(input, init);
  const { signal } = request;
  if (signal.aborted) throw signal.reason;
  if (!/^https?:/.test(request.url)) throw new TypeError('fetch failed', { cause: new Error('unknown scheme') });
  const call = host.fetch(request.url, request.method, [...request.headers], Body.copy(request), request.redirect);
  const aborted = new Promise((_, reject) => {
    signal.addEventListener('abort', () => { call.abort(); reject(signal.reason); });
  });
  aborted.catch(() => {});
  let r;
  try {
    r = await Promise.race([call.promise, aborted]);
  } catch (err) {
    if (signal.aborted) throw signal.reason;
    throw new TypeError('fetch failed', { cause: err });
  }
  const empty = r.body.byteLength === 0 && (request.method === 'HEAD' || [204, 205, 304].includes(r.status));
  return new Response(empty ? null : r.body, r);
};

module.exports = { fetch, Headers, Request, Response, AbortController, AbortSignal, Event, EventTarget, DOMException };
