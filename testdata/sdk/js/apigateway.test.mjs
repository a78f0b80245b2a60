import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import * as gateway from "@aws-sdk/client-apigatewayv2";
import { account, endpoint, fails, region } from "./stack.mjs";

const client = new gateway.ApiGatewayV2Client({});
const port = new URL(endpoint).port;

async function api(t, Name, more = {}) {
  const made = await client.send(new gateway.CreateApiCommand({ Name, ProtocolType: "HTTP", ...more }));
  t.after(() => client.send(new gateway.DeleteApiCommand({ ApiId: made.ApiId })));
  return made;
}

async function toFunction(ApiId, name) {
  const IntegrationUri = `arn:aws:lambda:${region}:${account}:function:${name}`;
  const made = await client.send(new gateway.CreateIntegrationCommand({ ApiId, IntegrationType: "AWS_PROXY", IntegrationUri, PayloadFormatVersion: "2.0" }));
  return `integrations/${made.IntegrationId}`;
}

// call reaches an API by its own host name, which leads to AWS's port.
const call = (id, method, path) =>
  new Promise((resolve, reject) => {
    const request = http.request({ host: "127.0.0.1", port, method, path, headers: { Host: `${id}.execute-api.localhost:${port}` } }, async (answer) => {
      let body = "";
      for await (const chunk of answer) body += chunk;
      resolve({ status: answer.statusCode, body: JSON.parse(body), headers: answer.headers });
    });
    request.on("error", reject).end();
  });

test("an API made with the SDK answers by its host name", async (t) => {
  const { ApiId, ApiEndpoint } = await api(t, "js-api");
  assert.equal(ApiEndpoint, `https://${ApiId}.execute-api.${region}.amazonaws.com`);
  const Target = await toFunction(ApiId, "list_orders");
  await client.send(new gateway.CreateRouteCommand({ ApiId, RouteKey: "GET /of/{customer}", Target }));
  await client.send(new gateway.CreateStageCommand({ ApiId, StageName: "$default", AutoDeploy: true }));
  const found = await call(ApiId, "GET", "/of/js-nobody");
  assert.deepEqual({ status: found.status, body: found.body }, { status: 200, body: { orders: [] } });
  assert.ok(found.headers["apigw-requestid"]);
  assert.deepEqual((await call(ApiId, "DELETE", "/of/js-nobody")).body, { message: "Not Found" });
});

test("a changed route is the one that answers", async (t) => {
  const { ApiId } = await api(t, "js-changed");
  const Target = await toFunction(ApiId, "list_orders");
  const { RouteId } = await client.send(new gateway.CreateRouteCommand({ ApiId, RouteKey: "GET /old", Target }));
  await client.send(new gateway.CreateStageCommand({ ApiId, StageName: "v1", AutoDeploy: true }));
  assert.equal((await call(ApiId, "GET", "/v1/old")).status, 200);
  await client.send(new gateway.UpdateRouteCommand({ ApiId, RouteId, RouteKey: "GET /new/{proxy+}" }));
  assert.equal((await call(ApiId, "GET", "/v1/old")).status, 404);
  assert.equal((await call(ApiId, "GET", "/v1/new/a/b")).status, 200);
});

test("routes are listed and made once", async (t) => {
  const { ApiId } = await api(t, "js-listed", { Tags: { team: "a" } });
  for (const RouteKey of ["GET /a", "GET /b", "GET /c"]) await client.send(new gateway.CreateRouteCommand({ ApiId, RouteKey }));
  const first = await client.send(new gateway.GetRoutesCommand({ ApiId, MaxResults: "2" }));
  const second = await client.send(new gateway.GetRoutesCommand({ ApiId, MaxResults: "2", NextToken: first.NextToken }));
  assert.deepEqual([...first.Items, ...second.Items].map((r) => r.RouteKey).sort(), ["GET /a", "GET /b", "GET /c"]);
  assert.equal(second.NextToken, undefined);
  const again = client.send(new gateway.CreateRouteCommand({ ApiId, RouteKey: "GET /a" }));
  await fails("ConflictException", "Route with key GET /a already exists for this API", again);
  assert.deepEqual((await client.send(new gateway.GetApiCommand({ ApiId }))).Tags, { team: "a" });
});

test("an API that is not there is not found", async () => {
  const missing = await fails("NotFoundException", "Invalid API identifier specified", client.send(new gateway.GetApiCommand({ ApiId: "js00000000" })));
  assert.equal(missing.$metadata.httpStatusCode, 404);
});
