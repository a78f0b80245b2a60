// node:module: what is not bundled can be required only if it is built in.
const builtinModules = host.builtins();
const createRequire = () => {
  const load = (name) => require(String(name));
  load.resolve = (name) => { if (module.exports.isBuiltin(name)) return name; throw Object.assign(new Error(`Cannot find module '${name}'`), { code: 'MODULE_NOT_FOUND' }); };
  load.cache = {};
  load.main = undefined;
  return load;
};
class Module {}
module.exports = Object.assign(Module, { Module, builtinModules, createRequire, isBuiltin: (name) => builtinModules.includes(String(name).replace(/^node:/, '')), register() {}, syncBuiltinESMExports() {}, _extensions: {}, _cache: {} });
