import assert from "node:assert/strict";
import { test } from "node:test";
import * as iam from "@aws-sdk/client-iam";
import { account, collect, fails, quick } from "./stack.mjs";

const client = new iam.IAMClient({});
const trust = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
});
const read = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }] });

async function role(t, RoleName, more = {}) {
  const { Role } = await client.send(new iam.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust, ...more }));
  t.after(() => client.send(new iam.DeleteRoleCommand({ RoleName })));
  return Role;
}

test("a role is there for its waiter, its trust policy encoded as IAM does", async (t) => {
  const made = await role(t, "js-role", { Path: "/jobs/" });
  assert.equal(made.Arn, `arn:aws:iam::${account}:role/jobs/js-role`);
  await iam.waitUntilRoleExists({ client, ...quick }, { RoleName: "js-role" });
  const { Role } = await client.send(new iam.GetRoleCommand({ RoleName: "js-role" }));
  assert.deepEqual(JSON.parse(decodeURIComponent(Role.AssumeRolePolicyDocument)), JSON.parse(trust));
  assert.ok(Role.CreateDate instanceof Date);
});

test("a role is made once, and not found when it is not there", async (t) => {
  await role(t, "js-once");
  const again = client.send(new iam.CreateRoleCommand({ RoleName: "js-once", AssumeRolePolicyDocument: trust }));
  await fails("EntityAlreadyExistsException", "Role with name js-once already exists.", again);
  const missing = await fails("NoSuchEntityException", "The role with name js-never cannot be found.", client.send(new iam.GetRoleCommand({ RoleName: "js-never" })));
  assert.equal(missing.$metadata.httpStatusCode, 404);
  assert.ok(missing instanceof iam.NoSuchEntityException);
});

test("an inline policy that is none is refused, a good one holds its role", async (t) => {
  await role(t, "js-inline");
  const policy = { RoleName: "js-inline", PolicyName: "read" };
  await fails("MalformedPolicyDocumentException", "Syntax errors in policy.", client.send(new iam.PutRolePolicyCommand({ ...policy, PolicyDocument: "{}" })));
  await client.send(new iam.PutRolePolicyCommand({ ...policy, PolicyDocument: read }));
  await fails("DeleteConflictException", "must delete policies first", client.send(new iam.DeleteRoleCommand({ RoleName: "js-inline" })));
  await client.send(new iam.DeleteRolePolicyCommand(policy));
});

test("roles are listed page by page", async (t) => {
  for (const name of ["a", "b", "c"]) await role(t, `js-${name}`, { Path: "/js-paged/" });
  const pages = await collect(iam.paginateListRoles({ client, pageSize: 2 }, { PathPrefix: "/js-paged/" }));
  assert.deepEqual(
    pages.map((p) => p.Roles.map((r) => r.RoleName)),
    [["js-a", "js-b"], ["js-c"]],
  );
});

test("a policy is attached to a user, and holds both until it is detached", async () => {
  const { Policy } = await client.send(new iam.CreatePolicyCommand({ PolicyName: "js-read", PolicyDocument: read }));
  assert.equal(Policy.Arn, `arn:aws:iam::${account}:policy/js-read`);
  await client.send(new iam.CreateUserCommand({ UserName: "js-user" }));
  const attachment = { UserName: "js-user", PolicyArn: Policy.Arn };
  await client.send(new iam.AttachUserPolicyCommand(attachment));
  assert.equal((await client.send(new iam.GetPolicyCommand(attachment))).Policy.AttachmentCount, 1);
  await fails("DeleteConflictException", "Cannot delete a policy attached to entities.", client.send(new iam.DeletePolicyCommand(attachment)));
  await fails("DeleteConflictException", "must detach all policies first", client.send(new iam.DeleteUserCommand(attachment)));
  await client.send(new iam.DetachUserPolicyCommand(attachment));
  await client.send(new iam.DeletePolicyCommand(attachment));
  await client.send(new iam.DeleteUserCommand(attachment));
});
