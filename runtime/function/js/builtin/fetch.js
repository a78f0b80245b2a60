// fetch with Headers, Request and Response, and AbortController with what it is made of.
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

class CustomEvent extends Event {
  constructor(type, options = {}) { super(type, options); this.detail = options.detail ?? null; }
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

// A source of bytes is {all, read}, both of promises: of an ArrayBuffer of all that is left, or of the next Uint8Array and null at the end.
const sourceOf = (stream) => {
  const reader = stream.getReader();
  const read = async () => {
    const { value, done } = await reader.read();
    if (done) return null;
    if (!ArrayBuffer.isView(value)) throw new TypeError('Received non-Uint8Array chunk');
    return value;
  };
  const all = async () => {
    const parts = [];
    for (let b = await read(); b !== null; b = await read()) parts.push(b);
    return new Uint8Array(Buffer.concat(parts)).buffer;
  };
  return { all, read };
};
const streamOf = (source) => {
  const { ReadableStream } = require('devstack:web-streams');
  return new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      const b = await source.read();
      if (b === null) { controller.close(); controller.byobRequest?.respond(0); }
      else controller.enqueue(new Uint8Array(b));
    },
    cancel() { source.cancel?.(); },
  });
};

// bodyOf returns a body, bytes or a source or null, and the content type that comes with it.
const bodyOf = (v) => {
  if (v === undefined || v === null) return [null, null];
  if (typeof v === 'string') return [host.encode(v, 'utf8'), 'text/plain;charset=UTF-8'];
  if (v instanceof URLSearchParams) return [host.encode(v.toString(), 'utf8'), 'application/x-www-form-urlencoded;charset=UTF-8'];
  if (v instanceof ArrayBuffer) return [v.slice(0), null];
  if (ArrayBuffer.isView(v)) return [v.buffer.slice(v.byteOffset, v.byteOffset + v.byteLength), null];
  if (v instanceof Blob) return [new Uint8Array(v[Symbol.for('devstack.bytes')]()).buffer, v.type || null];
  if (v instanceof FormData) { const [b, type] = v[Symbol.for('devstack.bytes')](); return [new Uint8Array(b).buffer, type]; }
  if (typeof v.getReader === 'function') {
    if (v.locked) throw new TypeError('Response body object should not be disturbed or locked');
    return [{ stream: v }, null];
  }
  if (v[Symbol.asyncIterator]) {
    const it = v[Symbol.asyncIterator]();
    const { ReadableStream } = require('devstack:web-streams');
    return [{ stream: new ReadableStream({
      async pull(controller) {
        const { value, done } = await it.next();
        if (done) controller.close();
        else controller.enqueue(typeof value === 'string' ? new Uint8Array(host.encode(value, 'utf8')) : new Uint8Array(value));
      },
      async cancel(reason) { await it.return?.(reason); },
    }) }, null];
  }
  return [host.encode(String(v), 'utf8'), 'text/plain;charset=UTF-8'];
};

class Body {
  #bytes; #source; #stream; #used = false; // one of the first three, or none for an empty body
  constructor(body) {
    if (body === null || body instanceof ArrayBuffer) this.#bytes = body;
    else if (body.stream) { this.#bytes = null; this.#stream = body.stream; }
    else { this.#bytes = null; this.#source = body; }
  }
  get bodyUsed() { return this.#used || Boolean(this.#stream && this.#stream._disturbed); }
  get body() {
    if (this.#stream) return this.#stream;
    if (this.#bytes === null && !this.#source) return null;
    if (this.#source) {
      this.#stream = streamOf(this.#source);
    } else {
      let left = this.#bytes.byteLength ? this.#bytes : null;
      this.#stream = streamOf({ async read() { const b = left; left = null; return b; } });
    }
    if (this.#used) this.#stream.getReader();
    this.#bytes = null; this.#source = undefined;
    return this.#stream;
  }
  async #take() {
    if (this.bodyUsed || this.#stream?.locked) throw new TypeError('Body is unusable: Body has already been read');
    if (this.#stream) { this.#used = true; return sourceOf(this.#stream).all(); }
    if (this.#source) { this.#used = true; return this.#source.all(); }
    this.#used = this.#bytes !== null;
    return this.#bytes || new ArrayBuffer(0);
  }
  async text() { return host.decode(await this.#take(), 'utf8').replace(/^\ufeff/, ''); }
  async json() { return JSON.parse(await this.text()); }
  async arrayBuffer() { return this.#take(); }
  async bytes() { return new Uint8Array(await this.#take()); }
  async blob() { return new Blob([await this.#take()], { type: this.headers.get('content-type') || '' }); }
  async formData() {
    const type = this.headers.get('content-type') || '';
    return FormData[Symbol.for('devstack.parse')](new Uint8Array(await this.#take()), type);
  }
  // copy returns the body for another object; a stream goes to both of them.
  static copy(b) {
    if (b.bodyUsed || b.#stream?.locked) throw new TypeError('Body is unusable: Body has already been read');
    if (b.#bytes !== null) return b.#bytes;
    if (!b.#stream && !b.#source) return null;
    const [one, other] = b.body.tee();
    b.#stream = one;
    return { stream: other };
  }
  // whole is the body's bytes, to be sent; null for none.
  static async whole(b) { return b.#bytes !== null || !b.#stream && !b.#source ? b.#bytes : b.#take(); }
}

class Request extends Body {
  duplex = 'half'; credentials = 'same-origin'; mode = 'cors'; cache = 'default'; referrer = 'about:client'; referrerPolicy = ''; integrity = ''; keepalive = false; destination = '';
  constructor(input, init = {}) {
    const from = input instanceof Request ? input : null;
    const [bytes, type] = init.body !== undefined && init.body !== null ? bodyOf(init.body) : [from ? Body.copy(from) : null, null];
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
    const [bytes, type] = body !== null && typeof body === 'object' && (typeof body.all === 'function' || body.stream) && !body.getReader ? [body, null] : bodyOf(body);
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
  static error() { const r = new Response(); r.type = 'error'; r.status = 0; return r; }
  static redirect(url, status = 302) { return new Response(null, { status, headers: { location: new URL(url).href } }); }
}

const fetch = async (input, init) => {
  const request = new Request(input, init);
  const { signal } = request;
  if (signal.aborted) throw signal.reason;
  if (!/^https?:/.test(request.url)) throw new TypeError('fetch failed', { cause: new Error('unknown scheme') });
  const body = await Body.whole(request);
  if (signal.aborted) throw signal.reason;
  const call = host.fetch(request.url, request.method, [...request.headers], body, request.redirect);
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
  const empty = request.method === 'HEAD' || [204, 205, 304].includes(r.status);
  const guarded = (f) => async () => {
    try { return await f(); } catch (err) { if (signal.aborted) throw signal.reason; throw new TypeError('terminated', { cause: err }); }
  };
  if (empty) await r.all();
  return new Response(empty ? null : { all: guarded(r.all), read: guarded(r.read), cancel: () => call.abort() }, r);
};

// FormData and File.
class File extends Blob {
  #name; #modified;
  constructor(parts, name, options = {}) { super(parts, options); this.#name = String(name); this.#modified = options.lastModified ?? Date.now(); }
  get name() { return this.#name; }
  get lastModified() { return this.#modified; }
}
const field = (text) => String(text).replace(/\r?\n|\r/g, '%0D%0A').replace(/"/g, '%22');
class FormData {
  #list = [];
  static #value(v, name) {
    if (!(v instanceof Blob)) return String(v);
    return v instanceof File && name === undefined ? v : new File([v], name ?? 'blob', { type: v.type });
  }
  append(k, v, name) { this.#list.push([String(k), FormData.#value(v, name)]); }
  set(k, v, name) {
    const i = this.#list.findIndex((p) => p[0] === String(k));
    if (i < 0) return this.append(k, v, name);
    this.#list = this.#list.filter((p, j) => j <= i || p[0] !== String(k));
    this.#list[i] = [String(k), FormData.#value(v, name)];
  }
  delete(k) { this.#list = this.#list.filter((p) => p[0] !== String(k)); }
  get(k) { return this.#list.find((p) => p[0] === String(k))?.[1] ?? null; }
  getAll(k) { return this.#list.filter((p) => p[0] === String(k)).map((p) => p[1]); }
  has(k) { return this.#list.some((p) => p[0] === String(k)); }
  forEach(f, self) { for (const [k, v] of this.#list) f.call(self, v, k, this); }
  entries() { return this.#list.map((p) => [...p])[Symbol.iterator](); }
  keys() { return this.#list.map((p) => p[0])[Symbol.iterator](); }
  values() { return this.#list.map((p) => p[1])[Symbol.iterator](); }
  [Symbol.iterator]() { return this.entries(); }
  get [Symbol.toStringTag]() { return 'FormData'; }
  [Symbol.for('devstack.bytes')]() {
    const boundary = '----formdata-devstack-' + host.uuid().replaceAll('-', ''), parts = [];
    for (const [k, v] of this.#list) {
      const head = `--${boundary}\r\nContent-Disposition: form-data; name="${field(k)}"`;
      if (typeof v === 'string') parts.push(Buffer.from(`${head}\r\n\r\n${v.replace(/\r?\n|\r/g, '\r\n')}\r\n`));
      else parts.push(Buffer.from(`${head}; filename="${field(v.name)}"\r\nContent-Type: ${v.type || 'application/octet-stream'}\r\n\r\n`), v[Symbol.for('devstack.bytes')](), Buffer.from('\r\n'));
    }
    parts.push(Buffer.from(`--${boundary}--\r\n`));
    return [Buffer.concat(parts), `multipart/form-data; boundary=${boundary}`];
  }
  static [Symbol.for('devstack.parse')](bytes, type) {
    const form = new FormData();
    if (/^application\/x-www-form-urlencoded/i.test(type)) {
      for (const [k, v] of new URLSearchParams(host.decode(bytes, 'utf8'))) form.append(k, v);
      return form;
    }
    for (const p of host.multipart(bytes, type)) {
      if (p.filename === undefined) form.append(p.name, host.decode(p.body, 'utf8'));
      else form.append(p.name, new File([p.body], p.filename, { type: p.type }));
    }
    return form;
  }
}

module.exports = { fetch, Headers, Request, Response, AbortController, AbortSignal, Event, EventTarget, CustomEvent, DOMException, FormData, File };
