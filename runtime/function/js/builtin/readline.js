// node:readline: the lines of a stream.
const { EventEmitter } = require('events');
class Interface extends EventEmitter {
  #closed = false; #lines = []; #wake = () => {}; #iterated = false;
  constructor(input, output) {
    super();
    if (input && input.input) ({ input, output } = input);
    if (!input) throw new TypeError('The "input" argument must be a stream');
    this.input = input;
    this.output = output;
    this.#read().then(() => this.close(), (e) => { this.emit('error', e); this.close(); });
  }
  async #read() {
    const decoder = new (require('string_decoder').StringDecoder)('utf8');
    let rest = '';
    const take = (text) => {
      const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop();
      for (const l of lines) this.#line(l);
    };
    for await (const chunk of this.input) { if (this.#closed) return; take(typeof chunk === 'string' ? chunk : decoder.write(chunk)); }
    take(decoder.end());
    if (rest) this.#line(rest.replace(/\r$/, ''));
  }
  #line(l) { if (this.#closed) return; if (this.#iterated) { this.#lines.push(l); this.#wake(); } this.emit('line', l); }
  close() { if (this.#closed) return; this.#closed = true; this.#wake(); this.emit('close'); }
  pause() { this.input.pause?.(); this.emit('pause'); return this; }
  resume() { this.input.resume?.(); this.emit('resume'); return this; }
  setPrompt() {}
  prompt() {}
  question() { throw new Error('readline question is not provided by the js runtime: there is nobody to ask'); }
  write() {}
  [Symbol.asyncIterator]() { this.#iterated = true; return this.#each(); }
  async *#each() {
    for (;;) {
      while (this.#lines.length) yield this.#lines.shift();
      if (this.#closed) return;
      await new Promise((resolve) => { this.#wake = resolve; });
    }
  }
}
module.exports = { Interface, createInterface: (input, output) => new Interface(input, output), clearLine: () => true, cursorTo: () => true, moveCursor: () => true, emitKeypressEvents() {} };
