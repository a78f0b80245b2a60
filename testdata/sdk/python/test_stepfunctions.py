import json

import boto3

from stack import ACCOUNT, REGION, Case

sfn = boto3.client("stepfunctions")
ROLE = f"arn:aws:iam::{ACCOUNT}:role/states"
DONE = {"Type": "Pass", "End": True}


def function(name):
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


class StepFunctions(Case):
    def machine(self, name, start, states, **more):
        definition = json.dumps({"StartAt": start, "States": states})
        arn = sfn.create_state_machine(name=name, definition=definition, roleArn=ROLE, **more)["stateMachineArn"]
        self.addCleanup(sfn.delete_state_machine, stateMachineArn=arn)
        return arn

    def run_to_end(self, machine, given, **more):
        """Starts an execution and returns its description when it is over."""
        arn = sfn.start_execution(stateMachineArn=machine, input=json.dumps(given), **more)["executionArn"]
        over = lambda: (e := sfn.describe_execution(executionArn=arn))["status"] != "RUNNING" and e
        return self.eventually("end of the execution", over)

    def types(self, execution):
        pages = sfn.get_paginator("get_execution_history").paginate(executionArn=execution["executionArn"], PaginationConfig={"PageSize": 3})
        return [e["type"] for p in pages for e in p["events"]]

    def test_a_choice_takes_the_first_rule_that_holds(self):
        machine = self.machine(
            "py-choice",
            "Which",
            {
                "Which": {
                    "Type": "Choice",
                    "Choices": [
                        {"Variable": "$.n", "NumericGreaterThan": 10, "Next": "Many"},
                        {"And": [{"Variable": "$.n", "IsPresent": True}, {"Variable": "$.n", "NumericEquals": 0}], "Next": "None"},
                    ],
                    "Default": "Some",
                },
                "Many": {"Type": "Pass", "Result": "many", "End": True},
                "None": {"Type": "Fail", "Error": "Empty", "Cause": "there is nothing"},
                "Some": {"Type": "Pass", "Parameters": {"twice.$": "States.MathAdd($.n, $.n)"}, "End": True},
            },
        )
        many = self.run_to_end(machine, {"n": 11}, name="py-eleven")
        self.assertEqual(('"many"', "py-eleven"), (many["output"], many["name"]))
        self.assertEqual(["ExecutionStarted", "ChoiceStateEntered", "ChoiceStateExited", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"], self.types(many))
        self.assertEqual({"twice": 6}, json.loads(self.run_to_end(machine, {"n": 3})["output"]))
        none = self.run_to_end(machine, {"n": 0})
        self.assertEqual(("FAILED", "Empty", "there is nothing"), (none["status"], none["error"], none["cause"]))

    def test_branches_and_items_run_side_by_side_and_keep_their_order(self):
        reserve = {"Type": "Task", "Resource": function("reserve"), "ResultSelector": {"got.$": "$.count"}, "End": True}
        machine = self.machine(
            "py-parallel",
            "Both",
            {
                "Both": {
                    "Type": "Parallel",
                    "Branches": [
                        {
                            "StartAt": "Each",
                            "States": {
                                "Each": {
                                    "Type": "Map",
                                    "ItemsPath": "$.lines",
                                    "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, "StartAt": "Reserve", "States": {"Reserve": reserve}},
                                    "End": True,
                                }
                            },
                        },
                        {"StartAt": "Same", "States": {"Same": {"Type": "Pass", "OutputPath": "$.lines[0].product", "End": True}}},
                    ],
                    "End": True,
                }
            },
        )
        done = self.run_to_end(machine, {"lines": [{"product": "py-a", "count": 1}, {"product": "py-b", "count": 2}]})
        self.assertEqual([[{"got": 1}, {"got": 2}], "py-a"], json.loads(done["output"]))

    def test_a_failing_task_is_tried_again_and_then_caught(self):
        machine = self.machine(
            "py-retry",
            "Get",
            {
                "Get": {
                    "Type": "Task",
                    "Resource": "arn:aws:states:::dynamodb:getItem",
                    "Parameters": {"TableName": "py-none", "Key": {"id": {"S": "1"}}},
                    "Retry": [{"ErrorEquals": ["DynamoDB.ResourceNotFoundException"], "IntervalSeconds": 1, "MaxAttempts": 1}],
                    "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Caught"}],
                    "End": True,
                },
                "Caught": {"Type": "Pass", "OutputPath": "$.error.Error", "End": True},
            },
        )
        done = self.run_to_end(machine, {})
        self.assertEqual('"DynamoDB.ResourceNotFoundException"', done["output"])
        self.assertEqual(2, self.types(done).count("TaskFailed"))

    def test_an_express_machine_answers_its_caller(self):
        machine = self.machine("py-express", "Charge", {"Charge": {"Type": "Task", "Resource": function("charge"), "End": True}}, type="EXPRESS")
        refused = sfn.start_sync_execution(stateMachineArn=machine, input='{"customer":"py","amount":100001}')
        self.assertEqual(("FAILED", "CardDeclined"), (refused["status"], refused["error"]))
        self.assertIn("py cannot pay", json.loads(refused["cause"])["errorMessage"])
        self.assertGreater(refused["billingDetails"]["billedMemoryUsedInMB"], 0)
        self.assertGreaterEqual(refused["stopDate"], refused["startDate"])

    def test_a_standard_machine_has_no_synchronous_executions(self):
        machine = self.machine("py-standard", "Done", {"Done": DONE})
        self.fails("StateMachineTypeNotSupported", "This operation is not supported by this type of state machine", sfn.start_sync_execution, stateMachineArn=machine)

    def test_an_execution_that_waits_can_be_stopped(self):
        machine = self.machine("py-wait", "Wait", {"Wait": {"Type": "Wait", "Seconds": 3600, "End": True}})
        arn = sfn.start_execution(stateMachineArn=machine, name="py-waiting")["executionArn"]
        sfn.stop_execution(executionArn=arn, error="Enough", cause="it is late")
        stopped = sfn.describe_execution(executionArn=arn)
        self.assertEqual(("ABORTED", "Enough", "it is late"), (stopped["status"], stopped["error"], stopped["cause"]))
        aborted = sfn.list_executions(stateMachineArn=machine, statusFilter="ABORTED")["executions"]
        self.assertEqual(["py-waiting"], [e["name"] for e in aborted])

    def test_a_name_is_used_once_with_one_input(self):
        machine = self.machine("py-named", "Wait", {"Wait": {"Type": "Wait", "Seconds": 3600, "End": True}})
        first = sfn.start_execution(stateMachineArn=machine, name="one", input="{}")["executionArn"]
        self.assertEqual(first, sfn.start_execution(stateMachineArn=machine, name="one", input="{}")["executionArn"])
        self.fails("ExecutionAlreadyExists", "Execution Already Exists: '" + first + "'", sfn.start_execution, stateMachineArn=machine, name="one", input="[]")
        sfn.stop_execution(executionArn=first)

    def test_a_definition_with_mistakes_is_refused_with_each_of_them(self):
        self.fails(
            "InvalidDefinition",
            "MISSING_TRANSITION_TARGET",
            sfn.create_state_machine,
            name="py-bad",
            definition='{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"}}}',
            roleArn=ROLE,
        )
        checked = sfn.validate_state_machine_definition(definition='{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"}}}')
        self.assertEqual("FAIL", checked["result"])
        self.assertIn("MISSING_TRANSITION_TARGET", [d["code"] for d in checked["diagnostics"]])

    def test_a_machine_is_described_updated_and_gone(self):
        machine = self.machine("py-changed", "Done", {"Done": DONE}, tags=[{"key": "team", "value": "a"}])
        self.assertEqual([{"key": "team", "value": "a"}], sfn.list_tags_for_resource(resourceArn=machine)["tags"])
        definition = json.dumps({"StartAt": "New", "States": {"New": {"Type": "Pass", "Result": "new", "End": True}}})
        sfn.update_state_machine(stateMachineArn=machine, definition=definition)
        self.assertEqual(definition, sfn.describe_state_machine(stateMachineArn=machine)["definition"])
        self.assertEqual('"new"', self.run_to_end(machine, {})["output"])
        self.assertIn("checkout", [m["name"] for p in sfn.get_paginator("list_state_machines").paginate() for m in p["stateMachines"]])
        never = machine + "-never"
        self.fails("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{never}'", sfn.describe_state_machine, stateMachineArn=never)
