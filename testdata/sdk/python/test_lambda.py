import base64
import json

import boto3

from stack import ACCOUNT, REGION, Case

functions = boto3.client("lambda")
db = boto3.client("dynamodb")


def new_order(product, count):
    """An event of a table's stream, as the function tally takes it."""
    lines = [{"M": {"product": {"S": product}, "count": {"N": str(count)}}}]
    image = {"id": {"S": "py-1"}, "customer": {"S": "py"}, "lines": {"L": lines}}
    return {"Records": [{"eventName": "INSERT", "dynamodb": {"NewImage": image}}]}


def ordered(product):
    item = db.get_item(TableName="totals", Key={"product": {"S": product}}).get("Item")
    return int(item["ordered"]["N"]) if item else 0


class Lambda(Case):
    def test_a_functions_role_is_one_of_iams(self):
        role = functions.get_function(FunctionName="tally")["Configuration"]["Role"]
        self.assertEqual(boto3.client("iam").get_role(RoleName=role.split("/")[-1])["Role"]["Arn"], role)

    def test_a_function_answers_what_it_returns(self):
        answer = functions.invoke(FunctionName="reserve", Payload=json.dumps({"product": "py-pen", "count": 2}))
        self.assertEqual((200, "$LATEST"), (answer["StatusCode"], answer["ExecutedVersion"]))
        self.assertNotIn("FunctionError", answer)
        self.assertEqual({"product": "py-pen", "count": 2, "reserved": 2}, json.load(answer["Payload"]))

    def test_an_error_of_the_function_is_an_answer_with_its_stack(self):
        answer = functions.invoke(FunctionName="charge", Payload=b'{"customer":"py","amount":100001}')
        self.assertEqual((200, "Unhandled"), (answer["StatusCode"], answer["FunctionError"]))
        error = json.load(answer["Payload"])
        self.assertEqual(("CardDeclined", "py cannot pay 100001"), (error["errorType"], error["errorMessage"]))
        self.assertIn("charge.ts", "".join(error["trace"]))

    def test_the_tail_of_the_log_comes_along(self):
        answer = functions.invoke(FunctionName="tally", LogType="Tail", Payload=json.dumps(new_order("py-tail", 1)))
        tail = base64.b64decode(answer["LogResult"]).decode()
        self.assertIn("counted order py-1 of py", tail)
        for line in ("START RequestId: ", "END RequestId: ", "REPORT RequestId: "):
            self.assertIn(line + answer["ResponseMetadata"]["RequestId"], tail)

    def test_an_event_is_accepted_at_once_and_handled_soon(self):
        answer = functions.invoke(FunctionName="tally", InvocationType="Event", Payload=json.dumps(new_order("py-event", 3)))
        self.assertEqual((202, b""), (answer["StatusCode"], answer["Payload"].read()))
        self.eventually("total", lambda: ordered("py-event") == 3)

    def test_a_dry_run_runs_nothing(self):
        answer = functions.invoke(FunctionName="tally", InvocationType="DryRun", Payload=json.dumps(new_order("py-dry", 1)))
        self.assertEqual(204, answer["StatusCode"])
        self.assertEqual(0, ordered("py-dry"))

    def test_a_payload_that_is_no_json_is_refused(self):
        self.fails("InvalidRequestContentException", "Could not parse request body into json", functions.invoke, FunctionName="charge", Payload=b"{")

    def test_a_function_that_is_not_there_is_not_found(self):
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:py-none"
        missing = self.fails("ResourceNotFoundException", f"Function not found: {arn}", functions.invoke, FunctionName="py-none")
        self.assertEqual(404, missing.response["ResponseMetadata"]["HTTPStatusCode"])
        self.fails("ResourceNotFoundException", f"Function not found: {arn}", functions.get_function, FunctionName=arn)

    def test_functions_are_listed_and_described(self):
        listed = [f["FunctionName"] for p in functions.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2}) for f in p["Functions"]]
        self.assertEqual(sorted(listed), listed)
        self.assertLessEqual({"charge", "create_order", "list_orders", "reserve", "tally"}, set(listed))
        configuration = functions.get_function(FunctionName="create_order")["Configuration"]
        self.assertEqual(5, configuration["Timeout"])
        self.assertEqual("orders", configuration["Environment"]["Variables"]["TABLE"])
        functions.get_waiter("function_active_v2").wait(FunctionName="create_order")

    def test_a_stream_feeds_a_function_until_its_mapping_is_deleted(self):
        table = self.table("py-source", StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})
        source = db.describe_table(TableName="py-source")["Table"]["LatestStreamArn"]
        made = functions.create_event_source_mapping(EventSourceArn=source, FunctionName="tally", StartingPosition="TRIM_HORIZON", BatchSize=10)
        self.assertEqual(f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:tally", made["FunctionArn"])
        self.fails(
            "ResourceConflictException",
            made["UUID"],
            functions.create_event_source_mapping,
            EventSourceArn=source,
            FunctionName="tally",
            StartingPosition="TRIM_HORIZON",
        )
        table.put_item(Item={"id": "1", "customer": "py", "lines": [{"product": "py-fed", "count": 4}]})
        self.eventually("total", lambda: ordered("py-fed") == 4)
        self.eventually("enabled mapping", lambda: functions.get_event_source_mapping(UUID=made["UUID"])["State"] == "Enabled")
        listed = functions.list_event_source_mappings(EventSourceArn=source)["EventSourceMappings"]
        self.assertEqual([made["UUID"]], [m["UUID"] for m in listed])
        self.assertEqual(25, functions.update_event_source_mapping(UUID=made["UUID"], BatchSize=25)["BatchSize"])
        self.assertEqual("Deleting", functions.delete_event_source_mapping(UUID=made["UUID"])["State"])

        def gone():
            return not functions.list_event_source_mappings(EventSourceArn=source)["EventSourceMappings"]

        self.eventually("end of the mapping", gone)
        self.fails("ResourceNotFoundException", "The resource you requested does not exist.", functions.get_event_source_mapping, UUID=made["UUID"])
