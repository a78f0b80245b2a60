// A stream's shards, which end by the clock. It is moved, so that these run by themselves.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { DescribeStreamCommand, DynamoDBStreamsClient, GetRecordsCommand, GetShardIteratorCommand } from "@aws-sdk/client-dynamodb-streams";
import { table } from "./stack.mjs";

const advance = (hours) => execFileSync(process.env.DEVSTACK, ["-C", process.env.STACK, "clock", "advance", `${hours}h`]);

test("a walk from parents to children finds every record", async (t) => {
  const { LatestStreamArn: StreamArn } = await table(t, "js-shards", { StreamSpecification: { StreamEnabled: true, StreamViewType: "KEYS_ONLY" } });
  const db = new DynamoDBClient({});
  for (const id of ["0", "1", "2", "3"]) {
    await db.send(new PutItemCommand({ TableName: "js-shards", Item: { id: { S: id } } }));
    advance(3);
  }
  const client = new DynamoDBStreamsClient({});
  const { Shards } = (await client.send(new DescribeStreamCommand({ StreamArn }))).StreamDescription;
  assert.deepEqual(Shards.map((s) => s.ParentShardId), [undefined, ...Shards.slice(0, -1).map((s) => s.ShardId)]);
  const found = [];
  for (const { ShardId, SequenceNumberRange } of Shards) {
    let { ShardIterator } = await client.send(new GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType: "TRIM_HORIZON" }));
    while (ShardIterator) {
      const page = await client.send(new GetRecordsCommand({ ShardIterator, Limit: 1 }));
      found.push(...page.Records.map((r) => r.dynamodb.Keys.id.S));
      ShardIterator = page.NextShardIterator;
      if (page.Records.length === 0 && !SequenceNumberRange.EndingSequenceNumber) break;
    }
  }
  assert.deepEqual(found, ["0", "1", "2", "3"]);
});
