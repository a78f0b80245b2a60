import assert from "node:assert/strict";
import { test } from "node:test";
import * as elasticache from "@aws-sdk/client-elasticache";
import { createClient } from "redis";
import { account, fails, quick, region } from "./stack.mjs";

const client = new elasticache.ElastiCacheClient({});

test("a cluster is a Redis until it is deleted", async (t) => {
  const wanted = { CacheClusterId: "js-cache", Engine: "valkey", CacheNodeType: "cache.t3.micro", NumCacheNodes: 1 };
  const { CacheCluster: made } = await client.send(new elasticache.CreateCacheClusterCommand(wanted));
  assert.equal(made.ARN, `arn:aws:elasticache:${region}:${account}:cluster:js-cache`);
  await elasticache.waitUntilCacheClusterAvailable({ client, ...quick }, { CacheClusterId: "js-cache" });
  await fails("CacheClusterAlreadyExistsFault", "Cache cluster already exists", client.send(new elasticache.CreateCacheClusterCommand(wanted)));
  const { CacheClusters } = await client.send(new elasticache.DescribeCacheClustersCommand({ CacheClusterId: "js-cache", ShowCacheNodeInfo: true }));
  const { Address, Port } = CacheClusters[0].CacheNodes[0].Endpoint;
  const redis = await createClient({ url: `redis://${Address}:${Port}` }).connect();
  t.after(() => redis.isOpen && redis.destroy());
  assert.equal(await redis.set("a", "1", { EX: 60 }), "OK");
  assert.deepEqual(await redis.multi().incr("a").expire("a", 100).exec(), [2, 1]);
  assert.equal(await redis.get("a"), "2");
  assert.ok([99, 100].includes(await redis.ttl("a")));
  await redis.close();
  await client.send(new elasticache.DeleteCacheClusterCommand({ CacheClusterId: "js-cache" }));
  await elasticache.waitUntilCacheClusterDeleted({ client, ...quick }, { CacheClusterId: "js-cache" });
});

test("what is published to a channel reaches its subscribers", async (t) => {
  const { CacheClusters } = await client.send(new elasticache.DescribeCacheClustersCommand({ CacheClusterId: "prices", ShowCacheNodeInfo: true }));
  const { Address, Port } = CacheClusters[0].CacheNodes[0].Endpoint;
  const url = `redis://${Address}:${Port}`;
  const [listener, speaker] = await Promise.all([createClient({ url }).connect(), createClient({ url }).connect()]);
  t.after(() => Promise.all([listener.close(), speaker.close()]));
  const heard = new Promise((resolve) => listener.subscribe("js-news", resolve).then(() => speaker.publish("js-news", "hello")));
  assert.equal(await heard, "hello");
});

test("a cluster that is not there is not found", async () => {
  const missing = client.send(new elasticache.DescribeCacheClustersCommand({ CacheClusterId: "js-none" }));
  const { $metadata } = await fails("CacheClusterNotFoundFault", "js-none", missing);
  assert.equal($metadata.httpStatusCode, 404);
});
