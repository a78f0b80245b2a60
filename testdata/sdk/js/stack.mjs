// What the tests share. They are run by `go test ./cmd/devstack -run TestSDKs` under `devstack exec`, against the shop's stack:
// nothing but the environment tells the SDK where AWS is.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { CreateTableCommand, DeleteTableCommand, DynamoDBClient, waitUntilTableExists } from "@aws-sdk/client-dynamodb";

export const region = process.env.AWS_REGION;
export const account = "000000000000";
export const endpoint = process.env.AWS_ENDPOINT_URL;
export const quick = { maxWaitTime: 20, minDelay: 0.05, maxDelay: 1 };

// fails expects an answer to be an error of this name, with this text in its message, and returns it.
export async function fails(name, message, answer) {
  const error = await answer.then(
    () => assert.fail(`${name} was expected`),
    (e) => e,
  );
  assert.equal(error.name, name, error.stack);
  assert.ok(error.message.includes(message), `${error.message} does not say ${message}`);
  return error;
}

// eventually waits for what comes in its own time, such as a stream's delivery, and returns what done then gives.
export async function eventually(what, done) {
  for (const deadline = Date.now() + 20_000; ; await sleep(20)) {
    const result = await done();
    if (result) return result;
    assert.ok(Date.now() < deadline, `after 20 s there is still no ${what}`);
  }
}

// table makes a table keyed by id that is there until the test ends.
export async function table(t, TableName, more = {}) {
  const db = new DynamoDBClient({});
  await db.send(
    new CreateTableCommand({
      TableName,
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      BillingMode: "PAY_PER_REQUEST",
      ...more,
    }),
  );
  t.after(() => db.send(new DeleteTableCommand({ TableName })));
  const { reason } = await waitUntilTableExists({ client: db, ...quick }, { TableName });
  return reason.Table;
}

// collect reads all pages of a paginator.
export async function collect(pages) {
  const all = [];
  for await (const page of pages) all.push(page);
  return all;
}
