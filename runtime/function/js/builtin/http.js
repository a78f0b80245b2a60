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
class IncomingMessage extends Readable {
  #read;
  constructor(response) {
    super({ read() { this.pull(); } });
    if (!response || !response.all) { // adapters make a framework's request of it, with a socket of theirs
      Object.assign(this, { socket: response, connection: response, headers: {}, rawHeaders: [], trailers: {}, httpVersion: '1.1', url: '', method: null, complete: false, aborted: false });
      return;
    }
    this.#read = response.read;
    Object.assign(this, { statusCode: response.status, statusMessage: response.statusText, httpVersion: '1.1', httpVersionMajor: 1, httpVersionMinor: 1, url: '', headers: {}, rawHeaders: [], trailers: {}, rawTrailers: [], aborted: false, complete: false });
    this.socket = this.connection = socketOf();
    for (const [k, v] of response.headers) {
      this.rawHeaders.push(k, v);
      if (k === 'set-cookie') (this.headers[k] ||= []).push(v);
      else this.headers[k] = k in this.headers ? this.headers[k] + ', ' + v : v;
    }
  }
  pull() {
    if (!this.#read) { this.push(null); return; }
    this.#read().then((b) => { if (b === null) this.complete = true; this.push(b === null ? null : Buffer.from(b)); },
      (e) => { this.aborted = true; this.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET', cause: e })); });
  }
  setTimeout() { return this; }
}
const socketOf = () => Object.assign(new EventEmitter(), { encrypted: false, authorized: true, remoteAddress: '127.0.0.1', setKeepAlive() {}, setNoDelay() {}, setTimeout() {}, ref() {}, unref() {}, destroy() {}, connecting: false });
const bareValue = (v) => (Array.isArray(v) ? v.map(String) : String(v));

class OutgoingMessage extends Writable {
  #headers = new Map();
  headersSent = false;
  constructor() { super({ autoDestroy: false }); }
  setHeader(k, v) {
    if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+$/i.test(k)) throw Object.assign(new TypeError(`Header name must be a valid HTTP token ["${k}"]`), { code: 'ERR_INVALID_HTTP_TOKEN' });
    if (v === undefined) throw Object.assign(new TypeError(`Invalid value "undefined" for header "${k}"`), { code: 'ERR_HTTP_INVALID_HEADER_VALUE' });
    this.#headers.set(String(k).toLowerCase(), [k, bareValue(v)]);
    return this;
  }
  setHeaders(all) { for (const [k, v] of all) this.setHeader(k, v); return this; }
  appendHeader(k, v) { const old = this.getHeader(k); return this.setHeader(k, old === undefined ? v : [].concat(old, v)); }
  getHeader(k) { return this.#headers.get(String(k).toLowerCase())?.[1]; }
  hasHeader(k) { return this.#headers.has(String(k).toLowerCase()); }
  removeHeader(k) { this.#headers.delete(String(k).toLowerCase()); }
  getHeaderNames() { return [...this.#headers.keys()]; }
  getRawHeaderNames() { return [...this.#headers.values()].map(([k]) => k); }
  getHeaders() { return Object.fromEntries([...this.#headers].map(([k, [, v]]) => [k, v])); }
  flushHeaders() {}
}

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
class ServerResponse extends OutgoingMessage {
  statusCode = 200; statusMessage = undefined; finished = false; sendDate = false; shouldKeepAlive = true; chunkedEncoding = false; useChunkedEncodingByDefault = true; _hasBody = true; _header = '';
  constructor(req) { super(); this.req = req; }
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
  // #head goes before the first byte, or the end: adapters look for it in what their socket is given.
  #sent = false;
  #head() { if (!this.#sent && this.socket?.write) this.socket.write(this._header, 'latin1'); this.#sent = true; }
  _write(chunk, encoding, done) { this.#head(); this.socket?.write ? this.socket.write(chunk, encoding, done) : done(); }
  _final(done) { this.#head(); done(); }
}

const noServer = () => { throw new Error('http.createServer is not provided by the js runtime: a function has no port; use runtime = "nodejs22.x", or a service, for what listens'); };
class Server extends EventEmitter { listen() { noServer(); } close(callback) { if (callback) setImmediate(callback); return this; } address() { return null; } }
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
