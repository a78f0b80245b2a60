// node:timers/promises.
const timers = require('timers');
const wait = (ms, value, { signal } = {}) => new Promise((resolve, reject) => {
  if (signal?.aborted) return reject(signal.reason);
  const t = timers.setTimeout(resolve, ms, value);
  signal?.addEventListener('abort', () => { timers.clearTimeout(t); reject(signal.reason); });
});
module.exports = {
  setTimeout: wait,
  setImmediate: (value, options) => wait(0, value, options),
  setInterval: (ms, value, options) => ({
    next: () => wait(ms, value, options).then((v) => ({ value: v, done: false })),
    return: (v) => Promise.resolve({ value: v, done: true }),
    [Symbol.asyncIterator]() { return this; },
  }),
  scheduler: { wait: (ms, options) => wait(ms, undefined, options), yield: () => wait(0) },
};
