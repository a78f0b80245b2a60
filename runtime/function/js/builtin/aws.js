// The AWS SDK's clients (version 3), for any service: what is sent goes to devstack in process.
class ServiceException extends Error {
  constructor({ name = 'Error', message, $fault = 'server', $metadata = {}, ...more } = {}) {
    super(message);
    Object.defineProperty(this, 'name', { value: name, writable: true, configurable: true, enumerable: true });
    this.$fault = $fault;
    this.$metadata = $metadata;
    for (const [k, v] of Object.entries(more)) if (v !== null) this[k] = v;
  }
}

class Uint8ArrayBlobAdapter extends Uint8Array {
  static fromString(text, encoding = 'utf-8') { return new Uint8ArrayBlobAdapter(Buffer.from(text, encoding).buffer); }
  transformToString(encoding = 'utf-8') { return host.decode(this, encoding === 'utf-8' ? 'utf8' : encoding); }
  async transformToByteArray() { return new Uint8Array(this); }
}

const metadata = (httpStatusCode) => ({
  httpStatusCode, requestId: host.uuid(), extendedRequestId: undefined, cfId: undefined, attempts: 1, totalRetryDelay: 0,
});

class Command {
  constructor(input) { this.input = input ?? {}; }
  #stack;
  get middlewareStack() { return (this.#stack ||= new Stack()); }
  static stack(command) { return #stack in command ? command.#stack : undefined; }
}

// Stack is a client's or a command's middleware. It runs around a call, in the SDK's order of steps; the request that it sees has
// headers which nobody reads, since none is sent.
const steps = ['initialize', 'serialize', 'build', 'finalizeRequest', 'deserialize'];
const weights = { high: 3, normal: 2, low: 1 };
class Stack {
  #list = [];
  add(middleware, { step = 'initialize', priority = 'normal', name, override } = {}) {
    if (name && this.#list.some((m) => m.name === name)) {
      if (!override) throw new Error(`Duplicate middleware name '${name}'`);
      this.remove(name);
    }
    this.#list.push({ middleware, step, priority, name });
  }
  addRelativeTo(middleware, { relation, toMiddleware, name, override } = {}) {
    const i = this.#list.findIndex((m) => m.name === toMiddleware), at = i < 0 ? { step: /retry|signing|auth/i.test(toMiddleware) ? 'finalizeRequest' : 'serialize', priority: 'normal' } : this.#list[i];
    if (name && override) this.remove(name);
    this.#list.splice(i < 0 ? this.#list.length : relation === 'before' ? i : i + 1, 0, { ...at, middleware, name });
  }
  remove(what) { const n = this.#list.length; this.#list = this.#list.filter((m) => m.name !== what && m.middleware !== what); return this.#list.length < n; }
  removeByTag() { return false; }
  use(plugin) { plugin.applyToStack(this); }
  clone() { return this.concat(new Stack()); }
  concat(other) { const s = new Stack(); s.#list = [...this.#list, ...other.#list]; return s; }
  identify() { return this.#list.map((m) => `${m.name ?? 'anonymous'} - ${m.step}`); }
  identifyOnResolve() { return false; }
  resolve(last, context) {
    const order = [...this.#list].sort((a, b) => steps.indexOf(a.step) - steps.indexOf(b.step) || weights[b.priority] - weights[a.priority]);
    return order.reduceRight((next, m) => m.middleware(next, context), last);
  }
}

class Client {
  constructor(config = {}) {
    const { AWS_REGION } = process.env;
    if (typeof config.region === 'string' && AWS_REGION && config.region !== AWS_REGION) {
      throw new Error(`The js runtime's AWS clients reach the stack's region ${AWS_REGION} only, not ${config.region}`);
    }
    this.config = { region: async () => AWS_REGION, ...config };
    if (typeof this.config.region === 'string') this.config.region = async () => config.region;
  }
  destroy() {}
  get middlewareStack() { return (this.#stack ||= new Stack()); }
  #stack;
  static stack(client) { return #stack in client ? client.#stack : undefined; }
  send(command, options, callback) {
    if (typeof options === 'function') [options, callback] = [undefined, options];
    const p = perform(this, command, options);
    if (!callback) return p;
    p.then((out) => callback(null, out), (err) => callback(err));
    return undefined;
  }
}

const perform = async (client, command, options) => {
  const { service, operation } = command.constructor;
  if (service !== client.constructor.service) {
    throw new TypeError(`${command?.constructor?.name || 'what was sent'} is no command of ${client.constructor.name}`);
  }
  const signal = options?.abortSignal;
  const aborted = () => Object.assign(new Error('Request aborted'), { name: 'AbortError' });
  if (signal?.aborted) throw aborted();
  try {
    const stacks = [Client.stack(client), Command.stack(command)].filter(Boolean);
    if (!stacks.length) return await carryOut(client, service, operation, command.input, signal);
    const context = { clientName: client.constructor.name, commandName: command.constructor.name, logger: client.config.logger };
    const last = async (args) => ({ response: { statusCode: 200, headers: {} }, output: await carryOut(client, service, operation, args.input, signal) });
    const request = { method: 'POST', protocol: 'https:', hostname: `${service}.${process.env.AWS_REGION}.amazonaws.com`, path: '/', query: {}, headers: {} };
    return (await stacks.reduce((a, b) => a.concat(b)).resolve(last, context)({ input: command.input, request })).output;
  } catch (err) {
    if (err?.name === 'AbortError' || !signal?.aborted) throw err;
    throw aborted();
  }
};
// carryOut sends what is asked to devstack. What AWS streams as events comes as their list, and is iterated over as the SDK's is.
const carryOut = async (client, service, operation, input, signal) => {
  try {
    const call = host.call(service, operation, input);
    const out = await (!signal ? call : Promise.race([call, new Promise((_, reject) => { signal.addEventListener('abort', () => reject(Object.assign(new Error('Request aborted'), { name: 'AbortError' }))); })]));
    const events = eventStreams[service + '.' + operation];
    if (events && Array.isArray(out[events])) out[events] = iterated(out[events]);
    return { $metadata: metadata(200), ...out };
  } catch (err) {
    if (!err || !err.aws) throw err;
    throw exceptionOf(client.constructor.classOf, err);
  }
};
const eventStreams = { 'lambda.InvokeWithResponseStream': 'EventStream', 'kinesis.SubscribeToShard': 'EventStream', 'logs.StartLiveTail': 'responseStream' };
const iterated = (list) => ({ [Symbol.asyncIterator]() { const it = list[Symbol.iterator](); return { next: async () => it.next(), return: async (value) => ({ value, done: true }), [Symbol.asyncIterator]() { return this; } }; } });

// exceptionOf makes the exception of the class that the service's error is named after.
const exceptionOf = (classOf, { name, message, status, fields = {} }) => {
  const Class = classOf(name);
  const { message: _, Message: __, ...more } = fields;
  return new Class({ ...more, name, message: message || name, $fault: status < 500 ? 'client' : 'server', $metadata: metadata(status) });
};

// Tokens by which an operation's output leads to its next page: output's member, input's member.
const tokens = [['LastEvaluatedKey', 'ExclusiveStartKey'], ['nextToken', 'nextToken'], ['NextToken', 'NextToken'], ['NextMarker', 'Marker'],
  ['Marker', 'Marker'], ['LastEvaluatedTableName', 'ExclusiveStartTableName'], ['NextContinuationToken', 'ContinuationToken'], ['nextForwardToken', 'nextToken']];

// paginate returns an async iterable over the pages of an operation.
const paginate = (Class, { client, startingToken, pageSize, stopOnSameToken }, input) => {
  let next = { ...input }, done = false, last;
  if (pageSize !== undefined) next[limitOf(Class)] ??= pageSize;
  if (startingToken !== undefined) next[startOf(Class)] = startingToken;
  return {
    async next() {
      if (done) return { value: undefined, done: true };
      const page = await client.send(new Class(next));
      const pair = tokens.find(([out]) => page[out] !== undefined);
      done = !pair || pair[0] === 'nextForwardToken' && page[pair[0]] === last || stopOnSameToken && page[pair[0]] === last;
      if (!done) { last = page[pair[0]]; next = { ...next, [pair[1]]: last }; }
      return { value: page, done: false };
    },
    async return(value) { done = true; return { value, done: true }; },
    [Symbol.asyncIterator]() { return this; },
  };
};
const limitOf = (Class) => (Class.service.startsWith('dynamodb') ? 'Limit' : Class.service === 'logs' ? 'limit' : Class.service === 'stepfunctions' ? 'maxResults' : Class.service === 'iam' || Class.service === 'lambda' ? 'MaxItems' : 'MaxResults');
const startOf = (Class) => (Class.service.startsWith('dynamodb') ? 'ExclusiveStartKey' : Class.service === 'logs' || Class.service === 'stepfunctions' ? 'nextToken' : Class.service === 'iam' || Class.service === 'lambda' ? 'Marker' : 'NextToken');

// wait polls until ready says true.
const wait = async ({ maxWaitTime = 300, minDelay = 1, abortSignal }, ready) => {
  const deadline = Date.now() + maxWaitTime * 1000;
  for (;;) {
    const reason = await ready();
    if (reason) return { state: 'SUCCESS', reason };
    if (abortSignal?.aborted) throw Object.assign(new Error('Waiter has been aborted'), { name: 'AbortError' });
    if (Date.now() >= deadline) throw Object.assign(new Error('{"state":"TIMEOUT","reason":"Waiter has timed out"}'), { name: 'TimeoutError' });
    await new Promise((resolve) => { setTimeout(resolve, minDelay * 1000); });
  }
};
const tableStatus = async (module, client, input) => {
  try {
    return await client.send(new module.DescribeTableCommand(input));
  } catch (err) {
    if (err.name === 'ResourceNotFoundException') return null;
    throw err;
  }
};
const waiters = {
  waitUntilTableExists: (module) => (options, input) => wait(options, async () => {
    const t = await tableStatus(module, options.client, input);
    return t?.Table.TableStatus === 'ACTIVE' && t;
  }),
  waitUntilTableNotExists: (module) => (options, input) => wait(options, async () =>
    (await tableStatus(module, options.client, input)) === null && 'ResourceNotFoundException'),
};

// Lambda's waiters: the operation, the member that they look at, and the values for which they go on waiting or give up.
// https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
const functionWaiters = {
  FunctionActiveV2: ['GetFunction', (r) => r.Configuration?.State, 'Active', 'Failed', 1], FunctionUpdatedV2: ['GetFunction', (r) => r.Configuration?.LastUpdateStatus, 'Successful', 'Failed', 1],
  FunctionActive: ['GetFunctionConfiguration', (r) => r.State, 'Active', 'Failed', 5], FunctionUpdated: ['GetFunctionConfiguration', (r) => r.LastUpdateStatus, 'Successful', 'Failed', 5],
  PublishedVersionActive: ['GetFunctionConfiguration', (r) => r.State, 'Active', 'Failed', 5],
};
for (const [name, [operation, look, good, bad, minDelay]] of Object.entries(functionWaiters)) {
  waiters['waitUntil' + name] = (module) => (options, input) => wait({ minDelay, ...options }, async () => {
    const r = await options.client.send(new module[operation + 'Command'](input)), state = look(r);
    if (state === bad) throw new Error(JSON.stringify({ state: 'FAILURE', reason: r }));
    return state === good && r;
  });
}
waiters.waitUntilFunctionExists = (module) => (options, input) => wait(options, async () => {
  try { return await options.client.send(new module.GetFunctionCommand(input)); } catch (err) { if (err.name === 'ResourceNotFoundException') return false; throw err; }
});
for (const name of Object.keys(waiters)) { // waitFor… answers what waitUntil… throws
  waiters[name.replace('waitUntil', 'waitFor')] = (module) => async (options, input) => {
    try { return await waiters[name](module)(options, input); } catch (err) {
      if (err.name === 'TimeoutError' || err.name === 'AbortError') return { state: err.name === 'TimeoutError' ? 'TIMEOUT' : 'ABORTED' };
      if (/^\{"state":"FAILURE"/.test(err.message)) return JSON.parse(err.message);
      throw err;
    }
  };
}
exports.Client = Client;
exports.Command = Command;
exports.Uint8ArrayBlobAdapter = Uint8ArrayBlobAdapter;
exports.paginate = paginate;

// clientModule returns what makes the exports of a client package; module is the package itself, for their use of each other.
exports.clientModule = (service, name, module) => {
  const named = (Class, text) => Object.defineProperty(Class, 'name', { value: text, configurable: true });
  const Base = named(class extends ServiceException {}, name + 'ServiceException');
  const classOf = (code) => (module[code]?.prototype instanceof Base ? module[code] : Base);
  const kinds = {
    base: () => Base,
    error: (code) => named(class extends Base { constructor(o) { super({ name: code, $fault: 'client', ...o }); } }, code),
    client: () => named(class extends Client { static service = service; static classOf = classOf; }, name + 'Client'),
    command: (op) => named(class extends Command { static service = service; static operation = op; }, op + 'Command'),
    paginator: (op) => (config, input) => paginate(module[op + 'Command'], config, input),
    enum: (_, values) => Object.fromEntries(values.map((v) => [v.replace(/\W/g, (c) => (c === '.' ? '' : '_')), v])),
    waiter: (key) => waiters[key](module),
    aggregate(_, operations) {
      const All = named(class extends module[name + 'Client'] {}, name);
      for (const op of operations) {
        Object.defineProperty(All.prototype, op[0].toLowerCase() + op.slice(1), {
          configurable: true, writable: true,
          value(input, options, callback) { return this.send(new module[op + 'Command'](input), options, callback); },
        });
      }
      return All;
    },
  };
  return (kind, key, values) => kinds[kind](key, values);
};
