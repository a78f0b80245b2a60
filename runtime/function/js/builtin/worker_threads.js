// node:worker_threads: there is one thread.
class Worker { constructor() { throw new Error('worker_threads.Worker is not provided by the js runtime; use runtime = "nodejs22.x" for functions that need it'); } }
module.exports = { isMainThread: true, threadId: 0, parentPort: null, workerData: null, resourceLimits: {}, SHARE_ENV: Symbol.for('nodejs.worker_threads.SHARE_ENV'), Worker, isInternalThread: false };
