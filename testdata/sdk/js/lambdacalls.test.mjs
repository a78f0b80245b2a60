import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import * as lambda from "@aws-sdk/client-lambda";
import { account, endpoint, eventually, fails, quick, region } from "./stack.mjs";

const client = new lambda.LambdaClient({ maxAttempts: 1 });

const streams = `export const handler = awslambda.streamifyResponse(async (event, out) => {
  if (event.requestContext) out = awslambda.HttpResponseStream.from(out, { statusCode: 201, headers: { "X-Kind": "stream" }, cookies: ["a=b"] });
  out.write("one,");
  await new Promise((later) => setTimeout(later, 50));
  if (event.fail) throw new Error("on the way");
  out.write("two");
  out.end();
});`;
const echoes = `export const handler = async (event) => { if (event.fail) throw new Error("it fails"); return event; };`;

// archive makes a ZIP archive of one file, index.mjs, as it is.
function archive(source) {
  const name = Buffer.from("index.mjs");
  const data = Buffer.from(source);
  const facts = Buffer.alloc(26); // what the two headers have in common: version, flags, method, time, date, sums and lengths
  facts.writeUInt16LE(20, 0);
  facts.writeUInt32LE(crc32(data), 10);
  facts.writeUInt32LE(data.length, 14);
  facts.writeUInt32LE(data.length, 18);
  facts.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from("PK\x03\x04"), facts, name, data]);
  const central = Buffer.concat([Buffer.from("PK\x01\x02"), Buffer.from([20, 0]), facts, Buffer.alloc(14), name]);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(1, 4);
  end.writeUInt16LE(1, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(local.length, 12);
  return Buffer.concat([local, central, Buffer.from("PK\x05\x06"), end]);
}

// make makes a function that is there until the test ends.
async function make(t, FunctionName, source) {
  await client.send(
    new lambda.CreateFunctionCommand({
      FunctionName,
      Runtime: "nodejs22.x",
      Handler: "index.handler",
      Role: `arn:aws:iam::${account}:role/${FunctionName}`,
      Code: { ZipFile: archive(source) },
    }),
  );
  t.after(() => client.send(new lambda.DeleteFunctionCommand({ FunctionName })));
  await lambda.waitUntilFunctionActiveV2({ client, ...quick }, { FunctionName });
}

// call sends a request to a function URL. Not every resolver knows that names below localhost are this machine's.
function call(url, path = "/", headers = {}) {
  const { hostname, port } = new URL(endpoint);
  return new Promise((resolve, reject) => {
    const request = http.request({ hostname, port, path, headers: { Host: new URL(url).host, ...headers } }, async (response) => {
      const parts = [];
      for await (const part of response) parts.push(part);
      resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts).toString() });
    });
    request.on("error", reject);
    request.end();
  });
}

async function heard(FunctionName, Payload) {
  const { EventStream } = await client.send(new lambda.InvokeWithResponseStreamCommand({ FunctionName, Payload, LogType: "Tail" }));
  const events = [];
  for await (const event of EventStream) events.push(event);
  const text = events.map((e) => (e.PayloadChunk ? Buffer.from(e.PayloadChunk.Payload).toString() : "")).join("");
  return { text, pieces: events.length - 1, end: events.at(-1).InvokeComplete };
}

test("a response is streamed", async (t) => {
  await make(t, "js-stream", streams);
  const { text, pieces, end } = await heard("js-stream", "{}");
  assert.deepEqual([text, pieces], ["one,two", 2]);
  assert.match(Buffer.from(end.LogResult, "base64").toString(), /REPORT RequestId/);
  const broken = await heard("js-stream", '{"fail":true}');
  assert.equal(broken.text, "one,");
  assert.match(broken.end.ErrorDetails, /on the way/);
  assert.equal((await heard("charge", '{"customer":"js","amount":1}')).pieces, 1);
});

test("a function has a URL, which streams where it is to", async (t) => {
  await make(t, "js-url", echoes);
  const { FunctionUrl } = await client.send(new lambda.CreateFunctionUrlConfigCommand({ FunctionName: "js-url", AuthType: "NONE" }));
  const { body } = await call(FunctionUrl, "/a/b?x=1&x=2", { Cookie: "c=d" });
  const { rawPath, queryStringParameters, cookies, requestContext } = JSON.parse(body);
  assert.deepEqual({ rawPath, queryStringParameters, cookies }, { rawPath: "/a/b", queryStringParameters: { x: "1,2" }, cookies: ["c=d"] });
  assert.equal(requestContext.accountId, "anonymous");

  await make(t, "js-url-stream", streams);
  const config = { FunctionName: "js-url-stream", AuthType: "NONE", InvokeMode: "RESPONSE_STREAM" };
  const made = await client.send(new lambda.CreateFunctionUrlConfigCommand(config));
  const answer = await call(made.FunctionUrl);
  assert.deepEqual([answer.status, answer.headers["x-kind"], answer.headers["set-cookie"], answer.body], [201, "stream", ["a=b"], "one,two"]);
  await client.send(new lambda.UpdateFunctionUrlConfigCommand({ FunctionName: "js-url-stream", AuthType: "AWS_IAM" }));
  assert.equal((await call(made.FunctionUrl)).status, 403);
});

test("an event that fails is told of, and one that finds no place is not run", async (t) => {
  await make(t, "js-fails", echoes);
  const Destination = `arn:aws:lambda:${region}:${account}:function:tally`;
  const config = { FunctionName: "js-fails", MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60, DestinationConfig: { OnFailure: { Destination } } };
  const put = await client.send(new lambda.PutFunctionEventInvokeConfigCommand(config));
  assert.equal(put.FunctionArn, `arn:aws:lambda:${region}:${account}:function:js-fails:$LATEST`);
  assert.equal((await client.send(new lambda.InvokeCommand({ FunctionName: "js-fails", InvocationType: "Event", Payload: '{"fail":true}' }))).StatusCode, 202);
  await client.send(new lambda.PutFunctionConcurrencyCommand({ FunctionName: "js-fails", ReservedConcurrentExecutions: 0 }));
  const refused = await fails("TooManyRequestsException", "Rate Exceeded.", client.send(new lambda.InvokeCommand({ FunctionName: "js-fails" })));
  assert.equal(refused.Reason, "ReservedFunctionConcurrentInvocationLimitExceeded");
  assert.equal(refused.retryAfterSeconds, "1");
  await client.send(new lambda.DeleteFunctionConcurrencyCommand({ FunctionName: "js-fails" }));
  await eventually("place", async () => (await client.send(new lambda.InvokeCommand({ FunctionName: "js-fails" }))).StatusCode === 200);
});
