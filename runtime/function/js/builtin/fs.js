// node:fs: /var/task to read, /tmp to write. All of it is done at once; the asynchronous forms answer on the next turn.
const files = host.group('fs');
const { Buffer } = require('buffer');
const constants = require('constants').fs;
const invalid = (name, what, v) => {
  const e = new TypeError(`The "${name}" argument must be ${what}. Received ${v === null ? 'null' : typeof v}`);
  e.code = 'ERR_INVALID_ARG_TYPE';
  throw e;
};
const pathOf = (p) => {
  if (typeof p === 'string') return p;
  if (p instanceof URL) return require('url').fileURLToPath(p);
  if (p instanceof Uint8Array) return Buffer.from(p).toString();
  return invalid('path', 'of type string or an instance of Buffer or URL', p);
};
const encodingOf = (options) => (typeof options === 'string' ? options : options?.encoding);
const flagOf = (options, standard) => {
  const flag = (typeof options === 'object' && options ? options.flag ?? options.flags : undefined) ?? standard;
  if (typeof flag === 'string') return flag;
  const { O_CREAT, O_EXCL, O_TRUNC, O_APPEND } = constants, access = flag & 3;
  if (access === 0) return 'r';
  const x = flag & O_EXCL ? 'x' : '', plus = access === 2 ? '+' : '';
  return flag & O_APPEND ? 'a' + x + plus : flag & (O_TRUNC | O_CREAT) ? 'w' + x + plus : 'r' + plus;
};
const modeOf = (options, standard) => Number((typeof options === 'object' && options ? options.mode : typeof options === 'number' ? options : undefined) ?? standard);
const bytesOf = (v, encoding) => {
  if (typeof v === 'string') return Buffer.from(v, encoding || 'utf8');
  if (ArrayBuffer.isView(v)) return new Uint8Array(v.buffer, v.byteOffset, v.byteLength);
  return invalid('data', 'of type string or an instance of Buffer, TypedArray, or DataView', v);
};
const shown = (buffer, options) => { const e = encodingOf(options); return e && e !== 'buffer' ? buffer.toString(e) : buffer; };

class Stats {
  constructor({ kind, size, mode, mtimeMs }) {
    const type = { file: constants.S_IFREG, directory: constants.S_IFDIR, link: constants.S_IFLNK }[kind] || 0;
    Object.assign(this, { dev: 1, mode: type | mode, nlink: 1, uid: 993, gid: 990, rdev: 0, blksize: 4096, ino: 0, size, blocks: Math.ceil(size / 512),
      atimeMs: mtimeMs, mtimeMs, ctimeMs: mtimeMs, birthtimeMs: mtimeMs });
    for (const k of ['atime', 'mtime', 'ctime', 'birthtime']) this[k] = new Date(mtimeMs);
    Object.defineProperty(this, 'kind', { value: kind });
  }
  isFile() { return this.kind === 'file'; }
  isDirectory() { return this.kind === 'directory'; }
  isSymbolicLink() { return this.kind === 'link'; }
  isBlockDevice() { return false; }
  isCharacterDevice() { return false; }
  isFIFO() { return false; }
  isSocket() { return false; }
}
class Dirent {
  constructor(name, kind, dir) { this.name = name; this.parentPath = dir; this.path = dir; Object.defineProperty(this, 'kind', { value: kind }); }
}
for (const k of ['isFile', 'isDirectory', 'isSymbolicLink', 'isBlockDevice', 'isCharacterDevice', 'isFIFO', 'isSocket']) Dirent.prototype[k] = Stats.prototype[k];

const join = (a, b) => (a.endsWith('/') ? a + b : a + '/' + b);
const sync = {
  readFile(p, options) {
    if (typeof p === 'number') {
      const parts = [];
      for (;;) { const b = Buffer.from(files.readAt(p, 65536, -1)); if (!b.length) break; parts.push(b); }
      return shown(Buffer.concat(parts), options);
    }
    return shown(Buffer.from(files.read(pathOf(p))), options);
  },
  writeFile(p, data, options) {
    const b = bytesOf(data, encodingOf(options));
    if (typeof p === 'number') { files.writeAt(p, b, -1); return; }
    files.write(pathOf(p), b, flagOf(options, 'w'), modeOf(options, 0o666));
  },
  appendFile(p, data, options) { sync.writeFile(p, data, { ...(typeof options === 'string' ? { encoding: options } : options), flag: flagOf(options, 'a') }); },
  stat(p, { throwIfNoEntry = true } = {}) {
    try { return new Stats(files.stat(pathOf(p), false)); } catch (e) { if (!throwIfNoEntry && e.code === 'ENOENT') return undefined; throw e; }
  },
  lstat(p, { throwIfNoEntry = true } = {}) {
    try { return new Stats(files.stat(pathOf(p), true)); } catch (e) { if (!throwIfNoEntry && e.code === 'ENOENT') return undefined; throw e; }
  },
  fstat: (fd) => new Stats(files.fstat(fd)),
  access(p, mode = 0) {
    files.stat(pathOf(p), false);
    if (mode & constants.W_OK && !/^\/tmp(\/|$)/.test(require('path').resolve(pathOf(p)))) {
      throw Object.assign(new Error(`EROFS: read-only file system, access '${pathOf(p)}'`), { errno: -30, code: 'EROFS', syscall: 'access', path: pathOf(p) });
    }
  },
  readdir(p, options) {
    p = pathOf(p);
    const { withFileTypes = false, recursive = false } = typeof options === 'object' && options ? options : {};
    const out = [];
    const walk = (dir, prefix) => {
      for (const [name, kind] of files.list(dir)) {
        out.push(withFileTypes ? new Dirent(name, kind, dir) : prefix + name);
        if (recursive && kind === 'directory') walk(join(dir, name), prefix + name + '/');
      }
    };
    walk(p, '');
    return out;
  },
  mkdir(p, options) {
    p = pathOf(p);
    const recursive = typeof options === 'object' && Boolean(options?.recursive);
    let first;
    if (recursive) for (let at = require('path').resolve(p); at !== '/' && !exists(at); at = require('path').dirname(at)) first = at;
    files.mkdir(p, recursive, modeOf(options, 0o777));
    return first;
  },
  mkdtemp(prefix, options) {
    for (;;) {
      const name = pathOf(prefix) + Array.from(new Uint8Array(host.random(6)), (b) => 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'[b % 62]).join('');
      try { files.mkdir(name, false, 0o700); } catch (e) { if (e.code === 'EEXIST') continue; throw e; }
      return name;
    }
  },
  rmdir(p, options) { files.rm(pathOf(p), 'directory', Boolean(options?.recursive), false); },
  rm(p, { recursive = false, force = false } = {}) { files.rm(pathOf(p), 'any', recursive, force); },
  unlink(p) { files.rm(pathOf(p), 'file', false, false); },
  rename(from, to) { files.rename(pathOf(from), pathOf(to)); },
  copyFile(from, to, mode = 0) { files.write(pathOf(to), new Uint8Array(files.read(pathOf(from))), mode & constants.COPYFILE_EXCL ? 'wx' : 'w', 0o666); },
  cp(from, to, options = {}) {
    from = pathOf(from); to = pathOf(to);
    if (options.filter && !options.filter(from, to)) return;
    if (files.stat(from, false).kind !== 'directory') { sync.copyFile(from, to, options.errorOnExist && options.force === false ? constants.COPYFILE_EXCL : 0); return; }
    if (!options.recursive) throw Object.assign(new Error(`Recursive option not enabled, cannot copy a directory: ${from}`), { code: 'ERR_FS_EISDIR' });
    files.mkdir(to, true, 0o777);
    for (const [name] of files.list(from)) sync.cp(join(from, name), join(to, name), options);
  },
  realpath: (p) => files.realpath(pathOf(p)),
  readlink: (p) => files.readlink(pathOf(p)),
  symlink(target, p) { files.symlink(pathOf(p), pathOf(target)); },
  utimes(p, a, m) { const seconds = (t) => (t instanceof Date ? t.getTime() / 1000 : Number(t)); files.utimes(pathOf(p), seconds(a), seconds(m)); },
  chmod(p, mode) { files.chmod(pathOf(p), Number(typeof mode === 'string' ? parseInt(mode, 8) : mode)); },
  truncate(p, n = 0) { const fd = files.open(pathOf(p), 'r+', 0); try { files.ftruncate(fd, n); } finally { files.close(fd); } },
  open: (p, flags = 'r', mode = 0o666) => files.open(pathOf(p), flagOf({ flag: flags }, 'r'), Number(mode)),
  close(fd) { files.close(fd); },
  read(fd, buffer, offset = 0, length, position) {
    if (typeof offset === 'object' && offset) ({ offset = 0, length, position } = offset);
    length ??= buffer.byteLength - offset;
    const b = new Uint8Array(files.readAt(fd, length, position === null || position === undefined ? -1 : Number(position)));
    new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength).set(b, offset);
    return b.length;
  },
  write(fd, data, offset, length, position) {
    if (typeof data === 'string') return files.writeAt(fd, Buffer.from(data, typeof length === 'string' ? length : 'utf8'), offset ?? -1);
    if (typeof offset === 'object' && offset) ({ offset = 0, length, position } = offset);
    const b = bytesOf(data), from = offset ?? 0;
    return files.writeAt(fd, b.subarray(from, from + (length ?? b.length - from)), position ?? -1);
  },
  ftruncate(fd, n = 0) { files.ftruncate(fd, n); },
  fsync() {}, fdatasync() {}, chown() {}, fchown() {}, fchmod() {},
};
const exists = (p) => { try { files.stat(pathOf(p), false); return true; } catch { return false; } };

const api = { constants, Stats, Dirent, ...constants, existsSync: exists };
const promises = { constants };
for (const [name, f] of Object.entries(sync)) {
  api[name + 'Sync'] = f;
  api[name] = (...args) => {
    const callback = args.pop();
    if (typeof callback !== 'function') invalid('cb', 'of type function', callback);
    let out, err = null;
    try { out = f(...args); } catch (e) { err = e; }
    setImmediate(() => {
      if (err) callback(err);
      else if (name === 'read' || name === 'write') callback(null, out, args[1]);
      else callback(null, out);
    });
  };
  promises[name] = async (...args) => f(...args);
}
api.exists = (p, callback) => { const r = exists(p); setImmediate(() => callback(r)); };
api.realpath.native = api.realpath;
api.realpathSync.native = api.realpathSync;
const { promisify } = require('util');
api.exists[promisify.custom] = async (p) => exists(p);
for (const [name, result] of [['read', 'bytesRead'], ['write', 'bytesWritten']]) {
  api[name][promisify.custom] = async (...args) => ({ [result]: sync[name](...args), buffer: args[1] });
}

class FileHandle {
  constructor(fd) { this.fd = fd; }
  async read(buffer, ...more) {
    if (buffer === undefined || !ArrayBuffer.isView(buffer)) { const o = buffer || {}; buffer = o.buffer || Buffer.alloc(16384); more = [o]; }
    return { bytesRead: sync.read(this.fd, buffer, ...more), buffer };
  }
  async write(data, ...more) { return { bytesWritten: sync.write(this.fd, data, ...more), buffer: data }; }
  async readFile(options) { return sync.readFile(this.fd, options); }
  async writeFile(data, options) { sync.writeFile(this.fd, data, options); }
  async appendFile(data, options) { sync.writeFile(this.fd, data, options); }
  async stat() { return sync.fstat(this.fd); }
  async truncate(n) { sync.ftruncate(this.fd, n); }
  async sync() {}
  async datasync() {}
  createReadStream(options) { return api.createReadStream(null, { ...options, fd: this.fd }); }
  createWriteStream(options) { return api.createWriteStream(null, { ...options, fd: this.fd }); }
  async close() { if (this.fd >= 0) files.close(this.fd); this.fd = -1; }
  async [Symbol.asyncDispose]() { await this.close(); }
}
promises.open = async (...args) => new FileHandle(sync.open(...args));
delete promises.close; delete promises.read; delete promises.write; delete promises.fstat; delete promises.ftruncate; delete promises.fsync; delete promises.fdatasync; delete promises.fchown; delete promises.fchmod;
api.promises = promises;

// The streams' classes are made when they are first asked for: most functions do not need node:stream.
const lazily = (name, make) => Object.defineProperty(api, name, { configurable: true, enumerable: true, get() { const v = make(); Object.defineProperty(api, name, { value: v, writable: true, configurable: true, enumerable: true }); return v; } });
lazily('ReadStream', () => {
  const { Readable } = require('stream');
  return class ReadStream extends Readable {
    constructor(p, options) {
      const o = typeof options === 'string' ? { encoding: options } : options || {};
      super({ highWaterMark: 65536, ...o });
      this.path = p; this.fd = o.fd?.fd ?? o.fd ?? null; this.flags = flagOf(o, 'r'); this.bytesRead = 0;
      this.at = o.start; this.end = o.end ?? Infinity; this.autoClose = o.autoClose !== false;
    }
    _construct(done) {
      try { if (this.fd === null) this.fd = sync.open(this.path, this.flags); } catch (e) { return done(e); }
      done();
      this.emit('open', this.fd); this.emit('ready');
    }
    _read(n) {
      try {
        const most = Math.min(n, this.end - (this.at ?? this.bytesRead) + 1);
        const b = most <= 0 ? Buffer.alloc(0) : Buffer.from(files.readAt(this.fd, most, this.at ?? -1));
        this.bytesRead += b.length;
        if (this.at !== undefined) this.at += b.length;
        this.push(b.length ? b : null);
      } catch (e) { this.destroy(e); }
    }
    _destroy(err, done) { if (this.fd !== null && this.autoClose) { try { files.close(this.fd); } catch (e) { err ||= e; } this.fd = null; } done(err); }
    close(callback) { this.destroy(null, callback); }
  };
});
lazily('WriteStream', () => {
  const { Writable } = require('stream');
  return class WriteStream extends Writable {
    constructor(p, options) {
      const o = typeof options === 'string' ? { encoding: options } : options || {};
      super({ ...o, decodeStrings: true });
      this.path = p; this.fd = o.fd?.fd ?? o.fd ?? null; this.flags = flagOf(o, 'w'); this.mode = modeOf(o, 0o666); this.bytesWritten = 0; this.at = o.start;
      if (o.encoding) this.setDefaultEncoding(o.encoding);
    }
    _construct(done) {
      try { if (this.fd === null) this.fd = sync.open(this.path, this.flags, this.mode); } catch (e) { return done(e); }
      done();
      this.emit('open', this.fd); this.emit('ready');
    }
    _write(b, _, done) {
      try {
        this.bytesWritten += files.writeAt(this.fd, b, this.at ?? -1);
        if (this.at !== undefined) this.at += b.length;
      } catch (e) { return done(e); }
      done();
    }
    _destroy(err, done) { if (this.fd !== null) { try { files.close(this.fd); } catch (e) { err ||= e; } this.fd = null; } done(err); }
    close(callback) { if (callback) this.once('close', callback); this.end(); }
  };
});
api.createReadStream = (p, options) => new api.ReadStream(p, options);
api.createWriteStream = (p, options) => new api.WriteStream(p, options);
const missing = (name) => (...args) => { throw new Error(`fs.${name} is not provided by the js runtime; use runtime = "nodejs22.x" for functions that need it`); };
for (const name of ['watch', 'watchFile', 'unwatchFile', 'link', 'linkSync', 'opendir', 'opendirSync', 'statfs', 'statfsSync', 'readv', 'readvSync', 'writev', 'writevSync', 'glob', 'globSync']) api[name] = missing(name);
for (const name of ['watch', 'link', 'opendir', 'statfs', 'glob']) promises[name] = missing('promises.' + name);
module.exports = api;
