// A frame as V8's Error.prepareStackTrace is given it.
class CallSite {
  #text; #name; #file; #line; #column;
  constructor(text) {
    this.#text = text;
    const [, name, file, line, column] = /^(?:(.*) \()?(.*?)(?::(\d+):(\d+))?\)?$/.exec(text);
    this.#name = name; this.#file = file; this.#line = Number(line); this.#column = Number(column);
  }
  getFileName() { return this.#file; }
  getScriptNameOrSourceURL() { return this.#file; }
  getLineNumber() { return this.#line; }
  getColumnNumber() { return this.#column; }
  getFunctionName() { return this.#name ?? null; }
  getTypeName() { return null; }
  getMethodName() { return null; }
  getThis() { return undefined; }
  getFunction() { return undefined; }
  getEvalOrigin() { return undefined; }
  isNative() { return false; }
  isEval() { return false; }
  isConstructor() { return false; }
  isToplevel() { return true; }
  isAsync() { return false; }
  toString() { return this.#text; }
}
exports.CallSite = CallSite;
