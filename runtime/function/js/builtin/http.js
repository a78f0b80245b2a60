// node:http's client, over the engine's fetch: connections, proxies, certificates and agents are Go's affair. There is no server.
const { Readable, Writable } = require('stream');
const { EventEmitter } = require('events');
const { Buffer } = require('buffer');
const METHODS = ['ACL', 'BIND', 'CHECKOUT', 'CONNECT', 'COPY', 'DELETE', 'GET', 'HEAD', 'LINK', 'LOCK', 'M-SEARCH', 'MERGE', 'MKACTIVITY', 'MKCALENDAR', 'MKCOL', 'MOVE', 'NOTIFY', 'OPTIONS', 'PATCH', 'POST', 'PROPFIND', 'PROPPATCH', 'PURGE', 'PUT', 'QUERY', 'REBIND', 'REPORT', 'SEARCH', 'SOURCE', 'SUBSCRIBE', 'TRACE', 'UNBIND', 'UNLINK', 'UNLOCK', 'UNSUBSCRIBE'];
const STATUS_CODES = { 100: 'Continue', 101: 'Switching Protocols', 102: 'Processing', 103: 'Early Hints', 200: 'OK', 201: 'Created', 202: 'Accepted', 203: 'Non-Authoritative Information', 204: 'No Content', 205: 'Reset Content', 206: 'Partial Content', 207: 'Multi-Status', 208: 'Already Reported', 226: 'IM Used', 300: 'Multiple Choices', 301: 'Moved Permanently', 302: 'Found', 303: 'See Other', 304: 'Not Modified', 305: 'Use Proxy', 307: 'Temporary Redirect', 308: 'Permanent Redirect', 400: 'Bad Request', 401: 'Unauthorized', 402: 'Payment Required', 403: 'Forbidden', 404: 'Not Found', 405: 'Method Not Allowed', 406: 'Not Acceptable', 407: 'Proxy Authentication Required', 408: 'Request Timeout', 409: 'Conflict', 410: 'Gone', 411: 'Length Required', 412: 'Precondition Failed', 413: 'Payload Too Large', 414: 'URI Too Long', 415: 'Unsupported Media Type', 416: 'Range Not Satisfiable', 417: 'Expectation Failed', 418: "I'm a Teapot", 421: 'Misdirected Request', 422: 'Unprocessable Entity', 423: 'Locked', 424: 'Failed Dependency', 425: 'Too Early', 426: 'Upgrade Required', 428: 'Precondition Required', 429: 'Too Many Requests', 431: 'Request Header Fields Too Large', 451: 'Unavailable For Legal Reasons', 500: 'Internal Server Error', 501: 'Not Implemented', 502: 'Bad Gateway', 503: 'Service Unavailable', 504: 'Gateway Timeout', 505: 'HTTP Version Not Supported', 506: 'Variant Also Negotiates', 507: 'Insufficient Storage', 508: 'Loop Detected', 509: 'Bandwidth Limit Exceeded', 510: 'Not Extended', 511: 'Network Authentication Required' };

class Agent extends EventEmitter {
  constructor(options = {}) {
    super();
    this.options = options;
    Object.assign(this, { keepAlive: options.keepAlive ?? false, maxSockets: options.maxSockets ?? Infinity, maxFreeSockets: 256, sockets: {}, freeSockets: {}, requests: {}, defaultPort: 80, protocol: 'http:' });
  }
  destroy() {}
  getName() { return ''; }
}

// callable makes a function with a class's methods, as Node has its messages: frameworks still call these on objects of their own.
const callable = (Methods, Parent, init) => {
  const made = function (...args) { init.apply(this, args); };
  made.prototype = Methods.prototype;
  Object.defineProperty(made, 'name', { value: Methods.name });
  Object.defineProperty(made.prototype, 'constructor', { value: made, writable: true, configurable: true });
  return Object.setPrototypeOf(made, Parent);
};
const kRead = Symbol('read'), kHeaders = Symbol('headers'), kHead = Symbol('head');

const IncomingMessage = callable(class IncomingMessage extends Readable {
  pull() {
    if (!this[kRead]) { this.push(null); return; }
    this[kRead]().then((b) => { if (b === null) this.complete = true; this.push(b === null ? null : Buffer.from(b)); },
      (e) => { this.aborted = true; this.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET', cause: e })); });
  }
  setTimeout() { return this; }
  // What adapters fill the headers by: Node's own, under the names that Node has for them.
  _addHeaderLines(pairs, n) { for (let i = 0; i < n; i += 2) { this.rawHeaders.push(pairs[i], pairs[i + 1]); this._addHeaderLine(pairs[i], pairs[i + 1], this.headers); } }
  _addHeaderLine(name, value, to) {
    const k = name.toLowerCase();
    if (k === 'set-cookie') (to[k] ||= []).push(value);
    else if (to[k] === undefined) to[k] = value;
    else if (!single.has(k)) to[k] += (k === 'cookie' ? '; ' : ', ') + value;
  }
}, Readable, function (response) {
  Readable.call(this, { read() { this.pull(); } });
  Object.assign(this, { headers: {}, rawHeaders: [], trailers: {}, rawTrailers: [], httpVersion: '1.1', httpVersionMajor: 1, httpVersionMinor: 1, url: '', method: null, complete: false, aborted: false });
  if (!response || !response.all) { // adapters make a framework's request of it, with a socket of theirs
    this.socket = this.connection = response;
    return;
  }
  this[kRead] = response.read;
  Object.assign(this, { statusCode: response.status, statusMessage: response.statusText });
  this.socket = this.connection = socketOf();
  const pairs = [...response.headers].flat();
  this._addHeaderLines(pairs, pairs.length);
});
// Headers of which the first counts. https://nodejs.org/api/http.html#messageheaders
const single = new Set(['age', 'authorization', 'content-length', 'content-type', 'etag', 'expires', 'from', 'host', 'if-modified-since', 'if-unmodified-since', 'last-modified', 'location', 'max-forwards', 'proxy-authorization', 'referer', 'retry-after', 'server', 'user-agent']);
const socketOf = () => Object.assign(new EventEmitter(), { encrypted: false, authorized: true, remoteAddress: '127.0.0.1', setKeepAlive() {}, setNoDelay() {}, setTimeout() {}, ref() {}, unref() {}, destroy() {}, connecting: false });
const bareValue = (v) => (Array.isArray(v) ? v.map(String) : String(v));

const OutgoingMessage = callable(class OutgoingMessage extends Writable {
  setHeader(k, v) {
    if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+$/i.test(k)) throw Object.assign(new TypeError(`Header name must be a valid HTTP token ["${k}"]`), { code: 'ERR_INVALID_HTTP_TOKEN' });
    if (v === undefined) throw Object.assign(new TypeError(`Invalid value "undefined" for header "${k}"`), { code: 'ERR_HTTP_INVALID_HEADER_VALUE' });
    this[kHeaders].set(String(k).toLowerCase(), [k, bareValue(v)]);
    return this;
  }
  setHeaders(all) { for (const [k, v] of all) this.setHeader(k, v); return this; }
  appendHeader(k, v) { const old = this.getHeader(k); return this.setHeader(k, old === undefined ? v : [].concat(old, v)); }
  getHeader(k) { return this[kHeaders].get(String(k).toLowerCase())?.[1]; }
  hasHeader(k) { return this[kHeaders].has(String(k).toLowerCase()); }
  removeHeader(k) { this[kHeaders].delete(String(k).toLowerCase()); }
  getHeaderNames() { return [...this[kHeaders].keys()]; }
  getRawHeaderNames() { return [...this[kHeaders].values()].map(([k]) => k); }
  getHeaders() { return Object.fromEntries([...this[kHeaders]].map(([k, [, v]]) => [k, v])); }
  flushHeaders() {}
}, Writable, function () {
  Writable.call(this, { autoDestroy: false });
  this[kHeaders] = new Map();
  this.headersSent = false;
});

class ClientRequest extends OutgoingMessage {
  #parts = []; #call; #timer; #url; #response;
  constructor(scheme, input, options, callback) {
    super();
    if (typeof input === 'string') input = new URL(input);
    const from = input instanceof URL ? { protocol: input.protocol, hostname: input.hostname, port: input.port, path: input.pathname + input.search, auth: input.username ? decodeURIComponent(input.username) + ':' + decodeURIComponent(input.password) : undefined } : input;
    if (typeof options === 'function') [options, callback] = [undefined, options];
    const o = { ...from, ...options };
    this.protocol = o.protocol || scheme;
    this.method = (o.method || 'GET').toUpperCase();
    this.path = o.path || '/';
    const name = (o.hostname || o.host || 'localhost').replace(/^\[?([^\]]*:[^\]]*)\]?$/, '[$1]'), port = o.port || o.defaultPort;
    this.host = name;
    this.agent = o.agent;
    this.reusedSocket = false;
    this.#url = `${this.protocol}//${name}${port ? ':' + port : ''}${this.path}`;
    for (const [k, v] of Array.isArray(o.headers) ? o.headers : Object.entries(o.headers || {})) if (v !== undefined) this.setHeader(k, v);
    if (!this.hasHeader('host')) this.setHeader('Host', name + (port && String(port) !== (this.protocol === 'https:' ? '443' : '80') ? ':' + port : ''));
    if (o.auth && !this.hasHeader('authorization')) this.setHeader('Authorization', 'Basic ' + Buffer.from(o.auth).toString('base64'));
    if (callback) this.once('response', callback);
    if (o.timeout) this.setTimeout(o.timeout);
    const { signal } = o;
    if (signal) {
      const stop = () => this.destroy(signal.reason);
      signal.aborted ? queueMicrotask(stop) : signal.addEventListener('abort', stop, { once: true });
    }
    this.socket = this.connection = socketOf();
    queueMicrotask(() => { this.emit('socket', this.socket); this.socket.emit('connect'); this.socket.emit('secureConnect'); });
  }
  _write(chunk, encoding, done) { this.#parts.push(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : Buffer.from(chunk)); done(); }
  _final(done) {
    done();
    if (this.destroyed) return;
    this.headersSent = true;
    const headers = [];
    for (const [k, v] of Object.entries(this.getHeaders())) {
      if (k === 'connection' || k === 'content-length' || k === 'transfer-encoding') continue; // Go's affair
      for (const x of [].concat(v)) headers.push([k, x]);
    }
    const body = this.#parts.length ? Buffer.concat(this.#parts) : null;
    try { this.#call = host.fetch(this.#url, this.method, headers, body, 'manual', true); } catch (e) { this.destroy(e); return; }
    this.#call.promise.then((r) => {
      this.#calm();
      if (this.destroyed) return;
      this.res = this.#response = new IncomingMessage(r);
      this.#response.req = this;
      this.#response.once('close', () => { if (!this.destroyed) this.emit('close'); });
      if (!this.emit('response', this.#response)) this.#response.resume();
    }, (e) => { this.#calm(); this.destroy(failureOf(e, this.host)); });
  }
  _destroy(err, done) {
    this.#calm();
    this.#call?.abort();
    if (!err && !this.#response && !this.aborted) err = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    if (this.#response && !this.#response.readableEnded && err) this.#response.destroy(err);
    done(err);
  }
  #calm() { clearTimeout(this.#timer); }
  abort() { if (this.aborted) return; this.aborted = true; this.emit('abort'); this.destroy(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })); }
  setTimeout(ms, callback) {
    if (callback) this.once('timeout', callback);
    this.#calm();
    if (ms) { this.#timer = setTimeout(() => { this.socket.emit('timeout'); this.emit('timeout'); }, ms); this.#timer.unref(); }
    return this;
  }
  setNoDelay() {}
  setSocketKeepAlive() {}
}
// failureOf gives an error of Go's the code that Node's would have.
const failureOf = (e, name) => {
  const codes = [[/connection refused/, 'ECONNREFUSED'], [/no such host/, 'ENOTFOUND'], [/connection reset|EOF/, 'ECONNRESET'], [/timeout|deadline/, 'ETIMEDOUT'], [/certificate/, 'CERT_HAS_EXPIRED']];
  const code = codes.find(([p]) => p.test(e.message))?.[1];
  if (!code) return e;
  return Object.assign(new Error(code === 'ENOTFOUND' ? `getaddrinfo ENOTFOUND ${name}` : `connect ${code}: ${e.message}`), { code, errno: code, cause: e });
};

// ServerResponse is what adapters (serverless-express and its kin) collect a framework's answer in.
const ServerResponse = callable(class ServerResponse extends OutgoingMessage {
  writeHead(status, message, headers) {
    if (typeof message !== 'string') [message, headers] = [undefined, message];
    this.statusCode = status;
    this.statusMessage = message ?? STATUS_CODES[status];
    if (Array.isArray(headers)) for (let i = 0; i < headers.length; i += 2) this.setHeader(headers[i], headers[i + 1]);
    else for (const [k, v] of Object.entries(headers || {})) this.setHeader(k, v);
    this.headersSent = true;
    this._header = `HTTP/1.1 ${this.statusCode} ${this.statusMessage ?? ''}\r\n` + Object.entries(this.getHeaders()).map(([k, v]) => `${k}: ${v}\r\n`).join('') + '\r\n';
    return this;
  }
  _implicitHeader() { this.writeHead(this.statusCode); }
  writeContinue() {}
  assignSocket(socket) { this.socket = this.connection = socket; }
  detachSocket() { this.socket = this.connection = null; }
  write(...args) { if (!this.headersSent) this._implicitHeader(); return super.write(...args); }
  end(...args) { if (!this.headersSent) this._implicitHeader(); this.finished = true; return super.end(...args); }
  // The head goes before the first byte, or the end: adapters look for it in what their socket is given.
  [kHead]() { if (!this._headSent && this.socket?.write) this.socket.write(this._header, 'latin1'); this._headSent = true; }
  _write(chunk, encoding, done) { this[kHead](); this.socket?.write ? this.socket.write(chunk, encoding, done) : done(); }
  _final(done) { this[kHead](); done(); }
}, OutgoingMessage, function (req) {
  OutgoingMessage.call(this);
  Object.assign(this, { req, statusCode: 200, statusMessage: undefined, finished: false, sendDate: false, shouldKeepAlive: true, chunkedEncoding: false, useChunkedEncodingByDefault: true, _hasBody: true, _header: '', _headSent: false });
});

const noServer = () => { throw new Error('http.createServer is not provided by the js runtime: a function has no port; use runtime = "nodejs22.x", or a service, for what listens'); };
// Server is what frameworks set up before an adapter takes their requests to them.
class Server extends EventEmitter {
  listening = false; timeout = 0; keepAliveTimeout = 5000; headersTimeout = 60000; requestTimeout = 300000; maxHeadersCount = null; maxRequestsPerSocket = 0;
  listen() { noServer(); }
  close(callback) { if (callback) setImmediate(callback); return this; }
  address() { return null; }
  setTimeout(ms, callback) { this.timeout = ms; if (callback) this.on('timeout', callback); return this; }
  getConnections(callback) { setImmediate(callback, null, 0); return this; }
  closeAllConnections() {}
  closeIdleConnections() {}
  ref() { return this; }
  unref() { return this; }
}
const of = (scheme) => {
  const request = (input, options, callback) => new ClientRequest(scheme, input, options, callback);
  return {
    request,
    get: (...args) => { const r = request(...args); r.end(); return r; },
    Agent, globalAgent: new Agent(), METHODS, STATUS_CODES, maxHeaderSize: 16384,
    IncomingMessage, OutgoingMessage, ServerResponse, Server,
    ClientRequest: class extends ClientRequest { constructor(...args) { super(scheme, ...args); } },
    createServer: (options, listener) => { const s = new Server(); listener = typeof options === 'function' ? options : listener; if (listener) s.on('request', listener); return s; },
    validateHeaderName() {}, validateHeaderValue() {},
  };
};
module.exports = of('http:');
Object.defineProperty(module.exports, 'of', { value: of, enumerable: false });
