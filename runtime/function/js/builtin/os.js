// node:os, of a machine as Lambda shows it.
const [, memory] = host.info();
const size = memory * 1024 * 1024;
module.exports = {
  EOL: '\n', devNull: '/dev/null',
  arch: () => 'x64', platform: () => 'linux', type: () => 'Linux', release: () => '5.10.0', version: () => '#1 SMP', machine: () => 'x86_64',
  endianness: () => 'LE', hostname: () => 'localhost', homedir: () => '/home/sbx_user1051', tmpdir: () => '/tmp',
  totalmem: () => size, freemem: () => size, uptime: () => host.now() / 1000, loadavg: () => [0, 0, 0],
  cpus: () => [{ model: 'devstack', speed: 0, times: { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 } }], availableParallelism: () => 1,
  networkInterfaces: () => ({}),
  userInfo: () => ({ uid: 993, gid: 990, username: 'sbx_user1051', homedir: '/home/sbx_user1051', shell: '/sbin/nologin' }),
  getPriority: () => 0, setPriority() {},
  constants: require('constants').os,
};
