import assert from "node:assert/strict";
import { test } from "node:test";
import * as lambda from "@aws-sdk/client-lambda";
import { account, collect, fails, quick, region } from "./stack.mjs";

const client = new lambda.LambdaClient({});
const Role = `arn:aws:iam::${account}:role/r`;
const arn = (name) => `arn:aws:lambda:${region}:${account}:function:${name}`;

// crc32 is the checksum of archives.
function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

// archive is a ZIP archive of files that are stored as they are.
function archive(files) {
  const records = [];
  const directory = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const [path, content] = [Buffer.from(name), Buffer.from(text)];
    const fields = Buffer.alloc(26); // from the version that is needed to the length of the extra field
    fields.writeUInt16LE(20, 0);
    fields.writeUInt32LE(crc32(content), 10);
    fields.writeUInt32LE(content.length, 14);
    fields.writeUInt32LE(content.length, 18);
    fields.writeUInt16LE(path.length, 22);
    const record = Buffer.concat([Buffer.from("PK\x03\x04"), fields, path, content]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00"), fields, tail, path]));
    records.push(record);
    offset += record.length;
  }
  const end = Buffer.alloc(18);
  end.writeUInt16LE(records.length, 4);
  end.writeUInt16LE(records.length, 6);
  end.writeUInt32LE(Buffer.concat(directory).length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...records, ...directory, Buffer.from("PK\x05\x06"), end]);
}

const code = (word) =>
  archive({
    "index.mjs": `export const handler = async (event, context) => ({ word: "${word}", event, env: process.env.WORD, version: context.functionVersion, arn: context.invokedFunctionArn })`,
  });

// make makes a function that is there until the test ends.
async function make(t, FunctionName, word, more = {}) {
  const made = await client.send(
    new lambda.CreateFunctionCommand({ FunctionName, Runtime: "nodejs20.x", Handler: "index.handler", Role, Code: { ZipFile: code(word) }, ...more }),
  );
  t.after(() => client.send(new lambda.DeleteFunctionCommand({ FunctionName })));
  await lambda.waitUntilFunctionActiveV2({ client, ...quick }, { FunctionName });
  return made;
}

async function answer(FunctionName, event = {}, more = {}) {
  const { Payload, FunctionError } = await client.send(new lambda.InvokeCommand({ FunctionName, Payload: JSON.stringify(event), ...more }));
  assert.equal(FunctionError, undefined, Buffer.from(Payload).toString());
  return JSON.parse(Buffer.from(Payload).toString());
}

async function update(FunctionName, word) {
  await client.send(new lambda.UpdateFunctionCodeCommand({ FunctionName, ZipFile: code(word) }));
  await lambda.waitUntilFunctionUpdatedV2({ client, ...quick }, { FunctionName });
}

test("a function of an archive is created, invoked and changed", async (t) => {
  const { State } = await make(t, "js-made", "one", { Environment: { Variables: { WORD: "hi" } } });
  assert.equal(State, "Pending");
  assert.deepEqual(await answer("js-made", { a: 1 }), { word: "one", event: { a: 1 }, env: "hi", version: "$LATEST", arn: arn("js-made") });
  await update("js-made", "two");
  assert.equal((await answer("js-made")).word, "two");
  const { Code } = await client.send(new lambda.GetFunctionCommand({ FunctionName: "js-made" }));
  assert.deepEqual(Buffer.from(await (await fetch(Code.Location)).arrayBuffer()), code("two"));
});

test("versions stay as they were, an alias leads to them", async (t) => {
  await make(t, "js-versions", "one", { Publish: true });
  await update("js-versions", "two");
  await client.send(new lambda.PublishVersionCommand({ FunctionName: "js-versions" }));
  const alias = { FunctionName: "js-versions", Name: "live" };
  await client.send(new lambda.CreateAliasCommand({ ...alias, FunctionVersion: "2", RoutingConfig: { AdditionalVersionWeights: { 1: 1 } } }));
  assert.deepEqual((await answer("js-versions", {}, { Qualifier: "live" })).word, "one");
  await client.send(new lambda.UpdateAliasCommand({ ...alias, RoutingConfig: { AdditionalVersionWeights: {} } }));
  const { word, version, arn: by } = await answer("js-versions", {}, { Qualifier: "live" });
  assert.deepEqual([word, version, by], ["two", "2", arn("js-versions:live")]);
  const pages = await collect(lambda.paginateListVersionsByFunction({ client, pageSize: 2 }, { FunctionName: "js-versions" }));
  assert.deepEqual(pages.flatMap((p) => p.Versions.map((v) => v.Version)), ["$LATEST", "1", "2"]);
});

test("a version that an alias leads to cannot be deleted, an update needs the latest revision", async (t) => {
  const { RevisionId } = await make(t, "js-held", "one", { Publish: true });
  await client.send(new lambda.CreateAliasCommand({ FunctionName: "js-held", Name: "live", FunctionVersion: "1" }));
  await fails("ResourceConflictException", "[live]", client.send(new lambda.DeleteFunctionCommand({ FunctionName: "js-held", Qualifier: "1" })));
  await fails("PreconditionFailedException", "The Revision Id provided does not match", client.send(new lambda.UpdateFunctionCodeCommand({ FunctionName: "js-held", ZipFile: code("x"), RevisionId })));
});

test("a layer has versions, and a function has layers", async (t) => {
  const layer = await client.send(new lambda.PublishLayerVersionCommand({ LayerName: "js-layer", Content: { ZipFile: archive({ "nodejs/node_modules/word/index.js": 'exports.word = "layered"' }) } }));
  t.after(() => client.send(new lambda.DeleteLayerVersionCommand({ LayerName: "js-layer", VersionNumber: layer.Version })));
  const ZipFile = archive({ "index.js": 'const { word } = require("word"); exports.handler = async () => word' });
  await make(t, "js-layered", "", { Code: { ZipFile }, Layers: [layer.LayerVersionArn] });
  assert.equal(await answer("js-layered"), "layered");
  const { Layers } = await client.send(new lambda.GetFunctionConfigurationCommand({ FunctionName: "js-layered" }));
  assert.deepEqual(Layers, [{ Arn: layer.LayerVersionArn, CodeSize: layer.Content.CodeSize }]);
});
