// What stands for a module that the js runtime lacks, where a package imports it: packages often import what they use in other
// surroundings only. Whatever is taken of it can be looked at, and throws once it is called.
const way = 'use runtime = "nodejs22.x" for functions that need it';
exports.of = (name) => {
  const fail = (what) => {
    const e = new Error(`The js runtime does not provide ${what} of Node's module ${name}; ${way}`);
    e.code = 'ERR_NOT_PROVIDED';
    throw e;
  };
  const made = new Map();
  const part = (key) => {
    if (!made.has(key)) {
      const Absent = function () { fail(key); };
      Object.defineProperty(Absent, 'name', { value: key });
      made.set(key, Absent);
    }
    return made.get(key);
  };
  const traps = {
    get: (_, key) => (typeof key === 'symbol' || key === 'then' || key === 'default' || key === '__esModule' ? undefined : part(key)),
    has: (_, key) => typeof key === 'string' && key !== '__esModule',
  };
  const parts = new Proxy({}, traps);
  // What esbuild makes of a CommonJS module for an ES module that imports it has the same prototype.
  return new Proxy({}, { ...traps, getPrototypeOf: () => parts });
};
