import assert from "node:assert/strict";
import { test } from "node:test";
import * as logs from "@aws-sdk/client-cloudwatch-logs";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { collect, eventually, fails } from "./stack.mjs";

const client = new logs.CloudWatchLogsClient({});

async function group(t, logGroupName, messages) {
  await client.send(new logs.CreateLogGroupCommand({ logGroupName }));
  t.after(() => client.send(new logs.DeleteLogGroupCommand({ logGroupName })));
  await client.send(new logs.CreateLogStreamCommand({ logGroupName, logStreamName: "one" }));
  const logEvents = messages.map((message, i) => ({ timestamp: Date.now() + i, message }));
  await client.send(new logs.PutLogEventsCommand({ logGroupName, logStreamName: "one", logEvents }));
}

test("what is put is got page by page", async (t) => {
  const messages = ["one", "two", "three", "four", "five"];
  await group(t, "/js/get", messages);
  const pages = logs.paginateGetLogEvents({ client, pageSize: 2, stopOnSameToken: true }, { logGroupName: "/js/get", logStreamName: "one", startFromHead: true });
  assert.deepEqual((await collect(pages)).flatMap((p) => p.events.map((e) => e.message)), messages);
});

test("a filter finds words and JSON fields", async (t) => {
  const messages = ["ERROR one", "fine", '{"level":"error","took":12}'];
  await group(t, "/js/filter", messages);
  const found = async (filterPattern) =>
    (await collect(logs.paginateFilterLogEvents({ client }, { logGroupName: "/js/filter", filterPattern }))).flatMap((p) => p.events.map((e) => e.message));
  assert.deepEqual(await found("?ERROR ?fine"), messages.slice(0, 2));
  assert.deepEqual(await found('{ ($.level = "err*") && ($.took >= 12) }'), messages.slice(2));
});

test("groups are made once and found only while they are there", async (t) => {
  await group(t, "/js/once", ["x"]);
  const again = client.send(new logs.CreateLogGroupCommand({ logGroupName: "/js/once" }));
  await fails("ResourceAlreadyExistsException", "The specified log group already exists", again);
  const missing = client.send(new logs.DescribeLogStreamsCommand({ logGroupName: "/js/none" }));
  await fails("ResourceNotFoundException", "The specified log group does not exist.", missing);
  const { logGroups } = await client.send(new logs.DescribeLogGroupsCommand({ logGroupNamePrefix: "/js/once" }));
  assert.ok(logGroups[0].storedBytes >= 0);
});

test("what a function prints is in its group", async () => {
  const Payload = JSON.stringify({ Records: [{ eventName: "INSERT", dynamodb: { NewImage: { id: { S: "js-log" }, customer: { S: "js" }, lines: { L: [] } } } }] });
  await new LambdaClient({}).send(new InvokeCommand({ FunctionName: "tally", Payload }));
  await eventually("log event", async () => {
    const { events } = await client.send(new logs.FilterLogEventsCommand({ logGroupName: "/aws/lambda/tally", filterPattern: '"order js-log"' }));
    return events.length === 1;
  });
});
