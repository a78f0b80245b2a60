import assert from "node:assert/strict";
import { test } from "node:test";
import { AssumeRoleCommand, GetCallerIdentityCommand, GetSessionTokenCommand, STSClient } from "@aws-sdk/client-sts";
import { account, fails } from "./stack.mjs";

const sts = new STSClient({});

test("the caller is the stack's account", async () => {
  const answer = await sts.send(new GetCallerIdentityCommand({}));
  assert.equal(answer.Account, account);
  assert.match(answer.$metadata.requestId, /^[0-9a-f-]{36}$/);
});

test("an assumed role's credentials are that role", async () => {
  const role = { RoleArn: `arn:aws:iam::${account}:role/js-deployer`, RoleSessionName: "js" };
  const { Credentials: keys, AssumedRoleUser: user } = await sts.send(new AssumeRoleCommand(role));
  assert.equal(user.Arn, `arn:aws:sts::${account}:assumed-role/js-deployer/js`);
  assert.ok(keys.Expiration > new Date());
  const credentials = { accessKeyId: keys.AccessKeyId, secretAccessKey: keys.SecretAccessKey, sessionToken: keys.SessionToken };
  const who = await new STSClient({ credentials }).send(new GetCallerIdentityCommand({}));
  assert.equal(who.Arn, user.Arn);
});

test("a session of a minute is too short", () =>
  fails("ValidationError", "Member must have value greater than or equal to 900", sts.send(new GetSessionTokenCommand({ DurationSeconds: 60 }))));
