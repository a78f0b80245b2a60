// @aws-sdk/lib-dynamodb: the document client. Each command is one of client-dynamodb whose attribute values are native.
const { Client, Command, paginate } = require('devstack:aws');
const low = require('@aws-sdk/client-dynamodb');
const { convertToAttr, convertToNative, NumberValueImpl } = require('@aws-sdk/util-dynamodb');

// Where attribute values are: V is one, [T] a list, {'*': T} a map, {name: T} a structure.
const V = 'value', M = { '*': V };
const condition = { '*': { Value: V, AttributeValueList: [V] } };
const write = { ExpressionAttributeValues: M, Expected: condition };
const put = { ...write, Item: M }, key = { ...write, Key: M };
const update = { ...key, AttributeUpdates: { '*': { Value: V } } };
const requests = { '*': [{ PutRequest: { Item: M }, DeleteRequest: { Key: M } }] };
const keys = { '*': { Keys: [M] } };
const select = { ExclusiveStartKey: M, ExpressionAttributeValues: M, KeyConditions: condition, QueryFilter: condition, ScanFilter: condition };
const written = { Attributes: M, ItemCollectionMetrics: { ItemCollectionKey: M } };
const collections = { '*': [{ ItemCollectionKey: M }] };
const page = { Items: [M], LastEvaluatedKey: M };
const operations = {
  Get: ['GetItem', { Key: M }, { Item: M }],
  Put: ['PutItem', put, written],
  Update: ['UpdateItem', update, written],
  Delete: ['DeleteItem', key, written],
  Query: ['Query', select, page],
  Scan: ['Scan', select, page],
  BatchGet: ['BatchGetItem', { RequestItems: keys }, { Responses: { '*': [M] }, UnprocessedKeys: keys }],
  BatchWrite: ['BatchWriteItem', { RequestItems: requests }, { UnprocessedItems: requests, ItemCollectionMetrics: collections }],
  TransactGet: ['TransactGetItems', { TransactItems: [{ Get: key }] }, { Responses: [{ Item: M }] }],
  TransactWrite: ['TransactWriteItems', { TransactItems: [{ ConditionCheck: key, Put: put, Delete: key, Update: update }] }, { ItemCollectionMetrics: collections }],
  ExecuteStatement: ['ExecuteStatement', { Parameters: [V] }, page],
  BatchExecuteStatement: ['BatchExecuteStatement', { Statements: [{ Parameters: [V] }] }, { Responses: [{ Item: M, Error: { Item: M } }] }],
  ExecuteTransaction: ['ExecuteTransaction', { TransactStatements: [{ Parameters: [V] }] }, { Responses: [{ Item: M }] }],
};

// convert copies v with each attribute value in it put through f.
const convert = (v, type, f) => {
  if (type === V) return typeof v === 'function' ? v : f(v);
  if (v === undefined || v === null || typeof v === 'function') return v;
  if (Array.isArray(type)) return Array.isArray(v) ? v.map((x) => convert(x, type[0], f)) : v;
  const out = { ...v };
  for (const k of Object.keys(out)) {
    const inner = type['*'] ?? type[k];
    if (inner && (type['*'] || out[k] !== undefined)) out[k] = convert(out[k], inner, f);
    if (out[k] === dropped) delete out[k];
  }
  return out;
};
const dropped = Symbol('dropped');

class DynamoDBDocumentClient extends Client {
  static service = 'dynamodb';
  constructor(client, translateConfig = {}) {
    super();
    this.config = { ...client.config, translateConfig };
    Object.defineProperty(this, 'client', { value: client, enumerable: false });
  }
  static from(client, translateConfig) { return new this(client, translateConfig); }
  destroy() {}
  send(command, options, callback) {
    if (!(command instanceof DocumentCommand)) return this.client.send(command, options, callback);
    if (typeof options === 'function') [options, callback] = [undefined, options];
    const p = perform(this, command, options);
    if (!callback) return p;
    p.then((out) => callback(null, out), (err) => callback(err));
    return undefined;
  }
}

const perform = async (client, command, options) => {
  const { marshallOptions = {}, unmarshallOptions = {} } = client.config.translateConfig;
  const [operation, input, output] = command.constructor.translation;
  const marshal = (v) => (v === undefined && marshallOptions.removeUndefinedValues ? dropped : convertToAttr(v, marshallOptions));
  const native = (v) => convertToNative(v, unmarshallOptions);
  try {
    const out = await client.client.send(new low[operation + 'Command'](convert(command.input, input, marshal)), options);
    return convert(out, output, native);
  } catch (err) {
    if (err?.Item) err.Item = convert(err.Item, M, native); // of a failed condition
    throw err;
  }
};

class DocumentCommand extends Command {}
class DynamoDBDocument extends DynamoDBDocumentClient {}

for (const [name, translation] of Object.entries(operations)) {
  const Class = class extends DocumentCommand { static service = 'dynamodb'; static translation = translation; };
  Object.defineProperty(Class, 'name', { value: name + 'Command' });
  exports[name + 'Command'] = Class;
  const method = name[0].toLowerCase() + name.slice(1);
  Object.defineProperty(DynamoDBDocument.prototype, method, {
    writable: true, configurable: true,
    value(input, options, callback) { return this.send(new Class(input), options, callback); },
  });
}
exports.DynamoDBDocumentClient = DynamoDBDocumentClient;
exports.DynamoDBDocument = DynamoDBDocument;
exports.NumberValue = exports.NumberValueImpl = NumberValueImpl;
exports.paginateQuery = (config, input) => paginate(exports.QueryCommand, config, input);
exports.paginateScan = (config, input) => paginate(exports.ScanCommand, config, input);
