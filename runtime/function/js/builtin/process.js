// process, as far as handlers need it.
const missing = (name) => () => {
  throw new Error(`process.${name} is not provided by the js runtime; use runtime = "nodejs22.x" for functions that need it`);
};
const began = host.now();
const hrtime = (since) => {
  const ns = host.now() * 1e6;
  const now = [Math.floor(ns / 1e9), Math.floor(ns % 1e9)];
  if (!since) return now;
  const d = (now[0] - since[0]) * 1e9 + now[1] - since[1];
  return [Math.floor(d / 1e9), d % 1e9];
};
hrtime.bigint = () => BigInt(Math.floor(host.now() * 1e6));
const output = (fd) => ({ fd, isTTY: false, write(text) { host.write(String(text)); return true; } });

module.exports = {
  env: host.env(),
  argv: ['js', '/var/task/function.js'],
  execArgv: [],
  platform: 'linux',
  arch: 'x64',
  pid: 1,
  version: 'v0.0.0',
  versions: { devstack: '1', goja: '1' },
  release: { name: 'devstack' },
  title: 'js',
  exitCode: undefined,
  stdout: output(1),
  stderr: output(2),
  cwd: () => '/var/task',
  uptime: () => (host.now() - began) / 1000,
  hrtime,
  nextTick: (f, ...args) => queueMicrotask(() => f(...args)),
  exit(code) { host.exit(code === undefined ? module.exports.exitCode || 0 : code); for (;;); },
  emitWarning(warning) { console.warn(`(${warning.name || 'Warning'}) ${warning.message || warning}`); },
  on: missing('on'), once: missing('once'), addListener: missing('addListener'), off: missing('off'),
  emit: missing('emit'), chdir: missing('chdir'), kill: missing('kill'), memoryUsage: missing('memoryUsage'),
  cpuUsage: missing('cpuUsage'), umask: missing('umask'), binding: missing('binding'),
};
