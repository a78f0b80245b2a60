import assert from "node:assert/strict";
import { test } from "node:test";
import { DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import * as lambda from "@aws-sdk/client-lambda";
import { account, collect, eventually, fails, quick, region, table } from "./stack.mjs";

const client = new lambda.LambdaClient({});
const db = new DynamoDBClient({});
const parse = (payload) => JSON.parse(Buffer.from(payload).toString());
const lines = (product, count) => ({ L: [{ M: { product: { S: product }, count: { N: String(count) } } }] });
const newOrder = (product, count) =>
  JSON.stringify({ Records: [{ eventName: "INSERT", dynamodb: { NewImage: { id: { S: "js-1" }, customer: { S: "js" }, lines: lines(product, count) } } }] });

async function ordered(product) {
  const { Item } = await db.send(new GetItemCommand({ TableName: "totals", Key: { product: { S: product } } }));
  return Item ? Number(Item.ordered.N) : 0;
}

test("a function answers what it returns", async () => {
  const answer = await client.send(new lambda.InvokeCommand({ FunctionName: "reserve", Payload: JSON.stringify({ product: "js-pen", count: 2 }) }));
  assert.equal(answer.StatusCode, 200);
  assert.equal(answer.ExecutedVersion, "$LATEST");
  assert.deepEqual(parse(answer.Payload), { product: "js-pen", count: 2, reserved: 2 });
});

test("an error of the function is an answer", async () => {
  const answer = await client.send(new lambda.InvokeCommand({ FunctionName: "charge", Payload: '{"customer":"js","amount":100001}' }));
  assert.equal(answer.FunctionError, "Unhandled");
  const { errorType, errorMessage } = parse(answer.Payload);
  assert.deepEqual({ errorType, errorMessage }, { errorType: "CardDeclined", errorMessage: "js cannot pay 100001" });
});

test("the tail of the log comes along", async () => {
  const { LogResult } = await client.send(new lambda.InvokeCommand({ FunctionName: "tally", LogType: "Tail", Payload: newOrder("js-tail", 1) }));
  const log = Buffer.from(LogResult, "base64").toString();
  assert.match(log, /START RequestId: [^]*counted order js-1 of js\n[^]*END RequestId: [^]*REPORT RequestId: .*Billed Duration/);
});

test("an event is accepted at once and handled soon, a dry run is not", async () => {
  const invoke = (InvocationType, product) => client.send(new lambda.InvokeCommand({ FunctionName: "tally", InvocationType, Payload: newOrder(product, 3) }));
  assert.equal((await invoke("DryRun", "js-dry")).StatusCode, 204);
  assert.equal((await invoke("Event", "js-event")).StatusCode, 202);
  await eventually("total", async () => (await ordered("js-event")) === 3);
  assert.equal(await ordered("js-dry"), 0);
});

test("a function that is not there is not found, a payload that is no JSON refused", async () => {
  const arn = `arn:aws:lambda:${region}:${account}:function:js-none`;
  const missing = await fails("ResourceNotFoundException", `Function not found: ${arn}`, client.send(new lambda.InvokeCommand({ FunctionName: "js-none" })));
  assert.equal(missing.$metadata.httpStatusCode, 404);
  await fails("InvalidRequestContentException", "Could not parse request body into json", client.send(new lambda.InvokeCommand({ FunctionName: "charge", Payload: "{" })));
});

test("functions are listed and described", async () => {
  const pages = await collect(lambda.paginateListFunctions({ client, pageSize: 2 }, {}));
  const names = pages.flatMap((p) => p.Functions.map((f) => f.FunctionName));
  assert.ok(["charge", "create_order", "list_orders", "reserve", "tally"].every((n) => names.includes(n)));
  await lambda.waitUntilFunctionActiveV2({ client, ...quick }, { FunctionName: "create_order" });
  const { Configuration } = await client.send(new lambda.GetFunctionCommand({ FunctionName: "create_order" }));
  assert.equal(Configuration.Timeout, 5);
  assert.equal(Configuration.Environment.Variables.TABLE, "orders");
});

test("a stream feeds a function until its mapping is deleted", async (t) => {
  const { LatestStreamArn: EventSourceArn } = await table(t, "js-source", { StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_IMAGE" } });
  const mapping = { EventSourceArn, FunctionName: "tally", StartingPosition: "TRIM_HORIZON" };
  const { UUID } = await client.send(new lambda.CreateEventSourceMappingCommand(mapping));
  await fails("ResourceConflictException", UUID, client.send(new lambda.CreateEventSourceMappingCommand(mapping)));
  await db.send(new PutItemCommand({ TableName: "js-source", Item: { id: { S: "1" }, customer: { S: "js" }, lines: lines("js-fed", 4) } }));
  await eventually("total", async () => (await ordered("js-fed")) === 4);
  assert.equal((await client.send(new lambda.DeleteEventSourceMappingCommand({ UUID }))).State, "Deleting");
  await eventually("end of the mapping", async () => {
    const { EventSourceMappings } = await client.send(new lambda.ListEventSourceMappingsCommand({ EventSourceArn }));
    return EventSourceMappings.length === 0;
  });
  await fails("ResourceNotFoundException", "The resource you requested does not exist.", client.send(new lambda.GetEventSourceMappingCommand({ UUID })));
});
