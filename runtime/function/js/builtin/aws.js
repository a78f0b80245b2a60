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
  get middlewareStack() { throw new Error('middlewareStack is not provided by the js runtime'); }
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
    const call = host.call(service, operation, command.input);
    const out = await (!signal ? call : Promise.race([call, new Promise((_, reject) => { signal.addEventListener('abort', () => reject(aborted())); })]));
    return { $metadata: metadata(200), ...out };
  } catch (err) {
    if (!err || !err.aws) throw err;
    throw exceptionOf(client.constructor.classOf, err);
  }
};

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
