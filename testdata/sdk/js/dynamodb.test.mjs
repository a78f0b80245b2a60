import assert from "node:assert/strict";
import { test } from "node:test";
import * as dynamodb from "@aws-sdk/client-dynamodb";
import * as streams from "@aws-sdk/client-dynamodb-streams";
import {
  BatchExecuteStatementCommand, BatchGetCommand, BatchWriteCommand, DynamoDBDocumentClient, ExecuteStatementCommand, ExecuteTransactionCommand, GetCommand,
  NumberValue, paginateQuery, paginateScan, PutCommand, QueryCommand, TransactGetCommand, TransactWriteCommand, UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { account, collect, eventually, fails, quick, region, table } from "./stack.mjs";

const db = new dynamodb.DynamoDBClient({});
const documents = DynamoDBDocumentClient.from(db);

test("the stack's tables are listed and described", async () => {
  const pages = await collect(dynamodb.paginateListTables({ client: db, pageSize: 1 }, {}));
  assert.ok(pages.flatMap((p) => p.TableNames).includes("orders"));
  const { Table } = await db.send(new dynamodb.DescribeTableCommand({ TableName: "orders" }));
  assert.equal(Table.TableArn, `arn:aws:dynamodb:${region}:${account}:table/orders`);
  assert.equal(Table.GlobalSecondaryIndexes[0].IndexStatus, "ACTIVE");
  assert.ok(Table.CreationDateTime instanceof Date);
});

test("an item comes back with every kind of value", async (t) => {
  await table(t, "js-kinds");
  const Item = {
    id: "1", number: -12.5, bytes: new Uint8Array([0, 255]), yes: true, none: null, list: ["a", 1, { deep: ["b"] }],
    map: { köln: "ümlaut 🎈" }, strings: new Set(["a", "b"]), numbers: new Set([1, 2.5]),
  };
  await documents.send(new PutCommand({ TableName: "js-kinds", Item }));
  const got = await documents.send(new GetCommand({ TableName: "js-kinds", Key: { id: "1" }, ConsistentRead: true }));
  assert.deepEqual(got.Item, Item);
  assert.equal((await documents.send(new GetCommand({ TableName: "js-kinds", Key: { id: "2" } }))).Item, undefined);
});

test("a number keeps its 38 digits", async (t) => {
  await table(t, "js-digits");
  const N = "1234567890123456789012345678.9012345678";
  await db.send(new dynamodb.PutItemCommand({ TableName: "js-digits", Item: { id: { S: "1" }, n: { N } } }));
  const { Item } = await db.send(new dynamodb.GetItemCommand({ TableName: "js-digits", Key: { id: { S: "1" } } }));
  assert.equal(Item.n.N, N);
});

test("a condition that does not hold changes nothing and shows what is there", async (t) => {
  await table(t, "js-condition");
  const put = (n) =>
    documents.send(
      new PutCommand({ TableName: "js-condition", Item: { id: "1", n }, ConditionExpression: "attribute_not_exists(id)", ReturnValuesOnConditionCheckFailure: "ALL_OLD" }),
    );
  await put(1);
  const refused = await fails("ConditionalCheckFailedException", "The conditional request failed", put(2));
  assert.deepEqual(refused.Item, { id: { S: "1" }, n: { N: "1" } });
  assert.ok(refused instanceof dynamodb.ConditionalCheckFailedException);
});

test("an update returns what it changed", async (t) => {
  await table(t, "js-update");
  const update = {
    TableName: "js-update", Key: { id: "1" }, UpdateExpression: "SET #c = if_not_exists(#c, :zero) + :one, seen[0] = :one",
    ExpressionAttributeNames: { "#c": "count" }, ExpressionAttributeValues: { ":zero": 0, ":one": 1 }, ReturnValues: "UPDATED_NEW",
  };
  await documents.send(new PutCommand({ TableName: "js-update", Item: { id: "1", seen: [] } }));
  assert.deepEqual((await documents.send(new UpdateCommand(update))).Attributes, { count: 1, seen: [1] });
  const bad = { ...update, UpdateExpression: "SET #c = :none" };
  await fails("ValidationException", "An expression attribute value used in expression is not defined; attribute value: :none", documents.send(new UpdateCommand(bad)));
});

test("a query follows its pages through an index", async () => {
  for (let from = 0; from < 30; from += 15) {
    const puts = Array.from({ length: 15 }, (_, i) => from + i).map((i) => ({
      PutRequest: { Item: { customer: "js", id: String(i), status: "js-open", placed_at: String(i).padStart(2, "0"), lines: [] } },
    }));
    assert.deepEqual((await documents.send(new BatchWriteCommand({ RequestItems: { orders: puts } }))).UnprocessedItems, {});
  }
  const query = {
    TableName: "orders", IndexName: "by_status", KeyConditionExpression: "#s = :s AND placed_at < :p", ScanIndexForward: false,
    ExpressionAttributeNames: { "#s": "status" }, ExpressionAttributeValues: { ":s": "js-open", ":p": "20" },
  };
  const pages = await collect(paginateQuery({ client: documents, pageSize: 8 }, query));
  assert.deepEqual(pages.map((p) => p.Count), [8, 8, 4]);
  assert.deepEqual(pages.flatMap((p) => p.Items.map((i) => Number(i.id))), Array.from({ length: 20 }, (_, i) => 19 - i));
});

test("a scan sees every item once", async (t) => {
  await table(t, "js-scan");
  for (let i = 0; i < 25; i++) await documents.send(new PutCommand({ TableName: "js-scan", Item: { id: String(i), even: i % 2 === 0 } }));
  const scan = { TableName: "js-scan", FilterExpression: "even = :t", ExpressionAttributeValues: { ":t": true }, ProjectionExpression: "id" };
  const pages = await collect(paginateScan({ client: documents, pageSize: 10 }, scan));
  assert.equal(pages.reduce((n, p) => n + p.ScannedCount, 0), 25);
  assert.equal(new Set(pages.flatMap((p) => p.Items.map((i) => i.id))).size, 13);
});

test("a transaction is cancelled as a whole, with its reasons", async (t) => {
  await table(t, "js-transaction");
  await documents.send(new PutCommand({ TableName: "js-transaction", Item: { id: "taken" } }));
  const put = (id) => ({ Put: { TableName: "js-transaction", Item: { id }, ConditionExpression: "attribute_not_exists(id)" } });
  const cancelled = await fails(
    "TransactionCanceledException",
    "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]",
    documents.send(new TransactWriteCommand({ TransactItems: [put("new"), put("taken")] })),
  );
  assert.deepEqual(cancelled.CancellationReasons.map((r) => r.Code), ["None", "ConditionalCheckFailed"]);
  const keys = { "js-transaction": { Keys: [{ id: "new" }, { id: "taken" }] } };
  assert.deepEqual((await documents.send(new BatchGetCommand({ RequestItems: keys }))).Responses, { "js-transaction": [{ id: "taken" }] });
});

test("a table that is not there is not found, a deleted one is gone for its waiter", async () => {
  const missing = await fails("ResourceNotFoundException", "Requested resource not found", db.send(new dynamodb.ScanCommand({ TableName: "js-none" })));
  assert.equal(missing.$metadata.httpStatusCode, 400);
  const made = { TableName: "js-gone", AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }], KeySchema: [{ AttributeName: "id", KeyType: "HASH" }], BillingMode: "PAY_PER_REQUEST" };
  await db.send(new dynamodb.CreateTableCommand(made));
  await fails("ResourceInUseException", "Table already exists: js-gone", db.send(new dynamodb.CreateTableCommand(made)));
  await dynamodb.waitUntilTableExists({ client: db, ...quick }, { TableName: "js-gone" });
  await db.send(new dynamodb.DeleteTableCommand({ TableName: "js-gone" }));
  await dynamodb.waitUntilTableNotExists({ client: db, ...quick }, { TableName: "js-gone" });
});

test("a table comes back from its backup, and as it was before", async (t) => {
  await table(t, "js-backup");
  const TableName = "js-backup";
  const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: true };
  await db.send(new dynamodb.UpdateContinuousBackupsCommand({ TableName, PointInTimeRecoverySpecification }));
  const put = (id) => documents.send(new PutCommand({ TableName, Item: { id } }));
  await put("1");
  const { BackupArn } = (await db.send(new dynamodb.CreateBackupCommand({ TableName, BackupName: "safe" }))).BackupDetails;
  assert.deepEqual((await db.send(new dynamodb.ListBackupsCommand({ TableName }))).BackupSummaries.map((b) => b.BackupArn), [BackupArn]);
  await put("2");
  const restored = async (name, count) => {
    await dynamodb.waitUntilTableExists({ client: db, ...quick }, { TableName: name });
    assert.equal((await db.send(new dynamodb.ScanCommand({ TableName: name }))).Count, count);
    await db.send(new dynamodb.DeleteTableCommand({ TableName: name }));
  };
  await db.send(new dynamodb.RestoreTableFromBackupCommand({ TargetTableName: "js-restored", BackupArn }));
  await restored("js-restored", 1);
  await db.send(new dynamodb.RestoreTableToPointInTimeCommand({ TargetTableName: "js-latest", SourceTableName: TableName, UseLatestRestorableTime: true }));
  await restored("js-latest", 2);
  await db.send(new dynamodb.DeleteBackupCommand({ BackupArn }));
  await fails("BackupNotFoundException", `Backup not found: ${BackupArn}`, db.send(new dynamodb.DescribeBackupCommand({ BackupArn })));
});

test("what the model forbids is refused in the service's words", () =>
  fails("ValidationException", "Member must have value greater than or equal to 1", db.send(new dynamodb.ScanCommand({ TableName: "orders", Limit: 0 }))));

test("PartiQL speaks the document client's values, and a batch tells what is wrong with each statement", async (t) => {
  await table(t, "js-statements");
  const Statement = `INSERT INTO "js-statements" VALUE {'id': ?, 'tags': ?, 'deep': {'n': 1}}`;
  await documents.send(new ExecuteStatementCommand({ Statement, Parameters: ["1", new Set(["a", "b"])] }));
  await fails("DuplicateItemException", "Duplicate primary key exists in table", documents.send(new ExecuteStatementCommand({ Statement, Parameters: ["1", null] })));
  const { Items } = await documents.send(new ExecuteStatementCommand({ Statement: `SELECT tags, deep.n FROM "js-statements" WHERE id IN [?, '2']`, Parameters: ["1"], ConsistentRead: true }));
  assert.deepEqual(Items, [{ tags: new Set(["a", "b"]), n: 1 }]);
  const Statements = [{ Statement: `SELECT id FROM "js-statements" WHERE id = '1'` }, { Statement: `SELECT id FROM "js-statements"` }];
  const { Responses } = await documents.send(new BatchExecuteStatementCommand({ Statements }));
  assert.deepEqual(Responses[0].Item, { id: "1" });
  assert.equal(Responses[1].Error.Code, "ValidationError");
  const TransactStatements = [{ Statement: `DELETE FROM "js-statements" WHERE id = '1'` }, { Statement: `UPDATE "js-statements" SET n = 1 WHERE id = '2'` }];
  const cancelled = await fails("TransactionCanceledException", "[None, ConditionalCheckFailed]", documents.send(new ExecuteTransactionCommand({ TransactStatements })));
  assert.equal(cancelled.CancellationReasons[1].Code, "ConditionalCheckFailed");
});

test("counters and versions lose no write among many clients", async (t) => {
  const TableName = "js-counter", Key = { id: "1" };
  await table(t, TableName);
  await documents.send(new PutCommand({ TableName, Item: { id: "1", n: 0, version: 0 } }));
  const count = () => documents.send(new UpdateCommand({ TableName, Key, UpdateExpression: "ADD n :one", ExpressionAttributeValues: { ":one": 1 } }));
  await Promise.all(Array.from({ length: 100 }, count));
  const save = async () => {
    for (;;) {
      const { Item } = await documents.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
      const ExpressionAttributeValues = { ":seen": Item.version, ":after": Item.version + 1 };
      try {
        return await documents.send(new UpdateCommand({ TableName, Key, UpdateExpression: "SET version = :after", ConditionExpression: "version = :seen", ExpressionAttributeValues }));
      } catch (e) {
        if (!(e instanceof dynamodb.ConditionalCheckFailedException)) throw e; // somebody else was faster: read again
      }
    }
  };
  await Promise.all(Array.from({ length: 20 }, save));
  assert.deepEqual((await documents.send(new GetCommand({ TableName, Key }))).Item, { id: "1", n: 100, version: 20 });
});

test("a transaction asked for again is done once", async (t) => {
  const TableName = "js-once";
  await table(t, TableName);
  const add = (n) => {
    const Update = { TableName, Key: { id: "1" }, UpdateExpression: "ADD n :n", ExpressionAttributeValues: { ":n": n } };
    return documents.send(new TransactWriteCommand({ ClientRequestToken: "js-once", TransactItems: [{ Update }] }));
  };
  await Promise.all([add(5), add(5), add(5)]);
  const refused = await fails("IdempotentParameterMismatchException", "", add(6));
  assert.ok(refused instanceof dynamodb.IdempotentParameterMismatchException);
  const { Responses } = await documents.send(new TransactGetCommand({ TransactItems: ["1", "2"].map((id) => ({ Get: { TableName, Key: { id } } })) }));
  assert.deepEqual(Responses, [{ Item: { id: "1", n: 5 } }, {}]);
});

test("a parallel scan sees every item once, and its segments keep to themselves", async (t) => {
  const TableName = "js-segments";
  await table(t, TableName);
  const ids = Array.from({ length: 75 }, (_, i) => String(i));
  for (let i = 0; i < ids.length; i += 25) {
    const puts = ids.slice(i, i + 25).map((id) => ({ PutRequest: { Item: { id } } }));
    await documents.send(new BatchWriteCommand({ RequestItems: { [TableName]: puts } }));
  }
  const segment = (Segment) => collect(paginateScan({ client: documents, pageSize: 9 }, { TableName, Segment, TotalSegments: 4 }));
  const found = (await Promise.all([0, 1, 2, 3].map(segment))).map((pages) => pages.flatMap((p) => p.Items.map((i) => i.id)));
  assert.deepEqual(found.flat().sort(), ids.sort());
  const scan = new dynamodb.ScanCommand({ TableName, Segment: 0, TotalSegments: 4, ExclusiveStartKey: { id: { S: found[1][0] } } });
  await fails("ValidationException", "The provided starting key is invalid", db.send(scan));
  await fails("ValidationException", "Segment: 4 is not less than TotalSegments: 4", db.send(new dynamodb.ScanCommand({ TableName, Segment: 4, TotalSegments: 4 })));
});

test("an index of several attributes is added to what is there", async (t) => {
  const TableName = "js-index";
  await table(t, TableName);
  for (let i = 0; i < 12; i++) await documents.send(new PutCommand({ TableName, Item: { id: String(i), shop: "s", kind: i % 2 ? "odd" : "even", day: "d" + (i % 3), n: i } }));
  const Create = {
    IndexName: "by_kind", Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["n"] },
    KeySchema: [["shop", "HASH"], ["kind", "HASH"], ["day", "RANGE"], ["id", "RANGE"]].map(([AttributeName, KeyType]) => ({ AttributeName, KeyType })),
  };
  const AttributeDefinitions = ["shop", "kind", "day"].map((AttributeName) => ({ AttributeName, AttributeType: "S" }));
  await db.send(new dynamodb.UpdateTableCommand({ TableName, AttributeDefinitions, GlobalSecondaryIndexUpdates: [{ Create }] }));
  await eventually("index", async () => (await db.send(new dynamodb.DescribeTableCommand({ TableName }))).Table.GlobalSecondaryIndexes[0].IndexStatus === "ACTIVE");
  const query = {
    TableName, IndexName: "by_kind", KeyConditionExpression: "shop = :s AND kind = :k AND #d > :d",
    ExpressionAttributeNames: { "#d": "day" }, ExpressionAttributeValues: { ":s": "s", ":k": "odd", ":d": "d0" },
  };
  const pages = await collect(paginateQuery({ client: documents, pageSize: 3 }, query));
  assert.deepEqual(pages.flatMap((p) => p.Items.map((i) => i.n)), [1, 7, 11, 5]);
  await fails("ValidationException", "", documents.send(new QueryCommand({ ...query, KeyConditionExpression: "shop = :s AND #d > :d", ExpressionAttributeValues: { ":s": "s", ":d": "d0" } })));
});

test("values go as the document client is told to marshall them", async (t) => {
  const TableName = "js-marshall";
  await table(t, TableName);
  class Price {
    constructor(amount) {
      this.amount = amount;
      this.none = undefined;
    }
  }
  const told = DynamoDBDocumentClient.from(db, {
    marshallOptions: { removeUndefinedValues: true, convertClassInstanceToMap: true, convertEmptyValues: true },
    unmarshallOptions: { wrapNumbers: true },
  });
  await told.send(new PutCommand({ TableName, Item: { id: "1", price: new Price(1), empty: "", large: NumberValue.from("1234567890123456789.5"), gone: undefined } }));
  const { Item } = await told.send(new GetCommand({ TableName, Key: { id: "1" } }));
  assert.equal(Item.large.toString(), "1234567890123456789.5");
  assert.equal(Item.price.amount.toString(), "1");
  assert.deepEqual([Item.empty, "gone" in Item, "none" in Item.price], [null, false, false]);
});

test("a stream tells of every change in order", async (t) => {
  const { LatestStreamArn: StreamArn } = await table(t, "js-stream", { StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" } });
  await documents.send(new PutCommand({ TableName: "js-stream", Item: { id: "1", n: 1 } }));
  await documents.send(new UpdateCommand({ TableName: "js-stream", Key: { id: "1" }, UpdateExpression: "ADD n :one", ExpressionAttributeValues: { ":one": 1 } }));
  await db.send(new dynamodb.DeleteItemCommand({ TableName: "js-stream", Key: { id: { S: "1" } } }));
  const client = new streams.DynamoDBStreamsClient({});
  const { StreamDescription } = await client.send(new streams.DescribeStreamCommand({ StreamArn }));
  const records = [];
  for (const { ShardId } of StreamDescription.Shards) {
    const { ShardIterator } = await client.send(new streams.GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType: "TRIM_HORIZON" }));
    records.push(...(await client.send(new streams.GetRecordsCommand({ ShardIterator }))).Records);
  }
  assert.deepEqual(records.map((r) => r.eventName), ["INSERT", "MODIFY", "REMOVE"]);
  assert.deepEqual(records[2].dynamodb.OldImage, { id: { S: "1" }, n: { N: "2" } });
  assert.ok(records[0].dynamodb.ApproximateCreationDateTime instanceof Date);
});

test("a replica in another region has every write", async (t) => {
  const TableName = "js-global";
  await table(t, TableName);
  await documents.send(new PutCommand({ TableName, Item: { id: "before" } }));
  await db.send(new dynamodb.UpdateTableCommand({ TableName, ReplicaUpdates: [{ Create: { RegionName: "eu-west-1" } }] }));
  await dynamodb.waitUntilTableExists({ client: db, ...quick }, { TableName });
  const there = DynamoDBDocumentClient.from(new dynamodb.DynamoDBClient({ region: "eu-west-1" }));
  await there.send(new PutCommand({ TableName, Item: { id: "there" } }));
  const { Table } = await db.send(new dynamodb.DescribeTableCommand({ TableName }));
  assert.deepEqual(Table.Replicas.map((r) => [r.RegionName, r.ReplicaStatus]), [["eu-west-1", "ACTIVE"]]);
  for (const client of [documents, there]) {
    const pages = await collect(paginateScan({ client }, { TableName }));
    assert.deepEqual(pages.flatMap((p) => p.Items.map((i) => i.id)).sort(), ["before", "there"]);
  }
  await fails("ValidationException", "Replica cannot be deleted because it has acted as a source region", db.send(new dynamodb.DeleteTableCommand({ TableName })));
  await db.send(new dynamodb.UpdateTableCommand({ TableName, ReplicaUpdates: [{ Delete: { RegionName: "eu-west-1" } }] }));
  await fails("ResourceNotFoundException", "Requested resource not found", there.send(new GetCommand({ TableName, Key: { id: "there" } })));
});
