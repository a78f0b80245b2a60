// node:perf_hooks: the global performance.
const none = (name) => class { constructor() { throw new Error(`${name} is not provided by the js runtime`); } };
module.exports = { performance, PerformanceObserver: none('PerformanceObserver'), monitorEventLoopDelay: () => { throw new Error('monitorEventLoopDelay is not provided by the js runtime'); }, constants: {} };
