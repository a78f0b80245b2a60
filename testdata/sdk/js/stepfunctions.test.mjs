import assert from "node:assert/strict";
import { test } from "node:test";
import * as sfn from "@aws-sdk/client-sfn";
import { account, collect, eventually, fails, region } from "./stack.mjs";

const client = new sfn.SFNClient({});
const roleArn = `arn:aws:iam::${account}:role/states`;
const lambda = (name) => `arn:aws:lambda:${region}:${account}:function:${name}`;

async function machine(t, name, StartAt, States, more = {}) {
  const made = await client.send(new sfn.CreateStateMachineCommand({ name, roleArn, definition: JSON.stringify({ StartAt, States }), ...more }));
  t.after(() => client.send(new sfn.DeleteStateMachineCommand(made)));
  return made.stateMachineArn;
}

// run starts an execution and returns its description when it is over.
async function run(stateMachineArn, input, more = {}) {
  const started = await client.send(new sfn.StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input), ...more }));
  return eventually("end of the execution", async () => {
    const e = await client.send(new sfn.DescribeExecutionCommand(started));
    return e.status !== "RUNNING" && e;
  });
}

test("a choice takes the first rule that holds, and the history tells it", async (t) => {
  const arn = await machine(t, "js-choice", "Which", {
    Which: {
      Type: "Choice",
      Choices: [
        { Variable: "$.n", NumericGreaterThan: 10, Next: "Many" },
        { And: [{ Not: { Variable: "$.some", IsPresent: true } }, { Variable: "$.n", NumericEquals: 0 }], Next: "None" },
      ],
      Default: "Some",
    },
    Many: { Type: "Pass", Result: "many", End: true },
    None: { Type: "Fail", Error: "Empty", Cause: "there is nothing" },
    Some: { Type: "Pass", Parameters: { "text.$": "States.Format('{} of them', $.n)" }, End: true },
  });
  const many = await run(arn, { n: 11 });
  assert.equal(many.output, '"many"');
  const pages = await collect(sfn.paginateGetExecutionHistory({ client, pageSize: 4 }, { executionArn: many.executionArn }));
  const types = ["ExecutionStarted", "ChoiceStateEntered", "ChoiceStateExited", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"];
  assert.deepEqual(pages.flatMap((p) => p.events.map((e) => e.type)), types);
  assert.deepEqual(JSON.parse((await run(arn, { n: 3 })).output), { text: "3 of them" });
  const none = await run(arn, { n: 0 });
  assert.deepEqual([none.status, none.error, none.cause], ["FAILED", "Empty", "there is nothing"]);
});

test("branches and items run side by side and keep their order", async (t) => {
  const reserve = { Type: "Task", Resource: "arn:aws:states:::lambda:invoke", Parameters: { "FunctionName": lambda("reserve"), "Payload.$": "$" }, OutputPath: "$.Payload.count", End: true };
  const each = { Type: "Map", ItemsPath: "$.lines", MaxConcurrency: 2, ItemProcessor: { StartAt: "Reserve", States: { Reserve: reserve } }, End: true };
  const same = { Type: "Pass", OutputPath: "$.lines[1].product", End: true };
  const arn = await machine(t, "js-parallel", "Both", {
    Both: { Type: "Parallel", Branches: [{ StartAt: "Each", States: { Each: each } }, { StartAt: "Same", States: { Same: same } }], ResultPath: "$.both", Next: "End" },
    End: { Type: "Pass", OutputPath: "$.both", End: true },
  });
  const done = await run(arn, { lines: [1, 2, 3].map((count) => ({ product: `js-${count}`, count })) });
  assert.deepEqual(JSON.parse(done.output), [[1, 2, 3], "js-2"]);
});

test("a failing task is tried again and then caught", async (t) => {
  const arn = await machine(t, "js-retry", "Charge", {
    Charge: {
      Type: "Task",
      Resource: lambda("charge"),
      Retry: [{ ErrorEquals: ["CardDeclined"], IntervalSeconds: 1, MaxAttempts: 1, BackoffRate: 1 }],
      Catch: [{ ErrorEquals: ["CardDeclined", "BankBusy"], ResultPath: "$.error", Next: "Caught" }],
      End: true,
    },
    Caught: { Type: "Pass", OutputPath: "$.error", End: true },
  });
  const done = await run(arn, { customer: "js", amount: 100001 });
  const { Error, Cause } = JSON.parse(done.output);
  assert.equal(Error, "CardDeclined");
  assert.equal(JSON.parse(Cause).errorMessage, "js cannot pay 100001");
  const { events } = await client.send(new sfn.GetExecutionHistoryCommand({ executionArn: done.executionArn, reverseOrder: true }));
  assert.equal(events[0].type, "ExecutionSucceeded");
  assert.equal(events.filter((e) => e.type === "LambdaFunctionFailed").length, 2);
});

test("an express machine answers its caller", async (t) => {
  const stateMachineArn = await machine(t, "js-express", "Sum", { Sum: { Type: "Pass", Parameters: { "sum.$": "States.MathAdd($.a, $.b)" }, End: true } }, { type: "EXPRESS" });
  // The SDK for JavaScript knows no environment variable for this: see "Host prefix injection" in the SDKs' reference guide.
  const sync = new sfn.SFNClient({ disableHostPrefix: true });
  const answer = await sync.send(new sfn.StartSyncExecutionCommand({ stateMachineArn, input: '{"a":1,"b":2}' }));
  assert.deepEqual([answer.status, answer.output], ["SUCCEEDED", '{"sum":3}']);
  assert.ok(answer.billingDetails.billedDurationInMilliseconds >= 100);
});

test("an execution that waits can be stopped", async (t) => {
  const arn = await machine(t, "js-wait", "Wait", { Wait: { Type: "Wait", Seconds: 3600, End: true } });
  const { executionArn } = await client.send(new sfn.StartExecutionCommand({ stateMachineArn: arn, name: "js-waiting" }));
  await fails("ExecutionAlreadyExists", "Execution Already Exists", client.send(new sfn.StartExecutionCommand({ stateMachineArn: arn, name: "js-waiting", input: "[]" })));
  await client.send(new sfn.StopExecutionCommand({ executionArn, error: "Enough", cause: "it is late" }));
  const stopped = await client.send(new sfn.DescribeExecutionCommand({ executionArn }));
  assert.deepEqual([stopped.status, stopped.error], ["ABORTED", "Enough"]);
});

test("definitions with mistakes and machines that are not there are refused", async () => {
  const definition = '{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"}}}';
  await fails("InvalidDefinition", "MISSING_TRANSITION_TARGET", client.send(new sfn.CreateStateMachineCommand({ name: "js-bad", definition, roleArn })));
  const stateMachineArn = `arn:aws:states:${region}:${account}:stateMachine:js-never`;
  const missing = client.send(new sfn.DescribeStateMachineCommand({ stateMachineArn }));
  await fails("StateMachineDoesNotExist", `State Machine Does Not Exist: '${stateMachineArn}'`, missing);
});
