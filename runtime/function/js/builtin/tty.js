// node:tty: there is no terminal.
const none = (name) => class { constructor() { throw new Error(`tty.${name} is not provided by the js runtime`); } };
module.exports = { isatty: () => false, ReadStream: none('ReadStream'), WriteStream: none('WriteStream') };
