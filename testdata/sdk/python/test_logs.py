import json
import time

import boto3

from stack import ACCOUNT, REGION, Case

logs = boto3.client("logs")


class Logs(Case):
    def group(self, name):
        logs.create_log_group(logGroupName=name)
        self.addCleanup(logs.delete_log_group, logGroupName=name)
        logs.create_log_stream(logGroupName=name, logStreamName="one")
        return int(time.time() * 1000)

    def test_what_is_put_is_got_page_by_page(self):
        now = self.group("/py/get")
        events = [{"timestamp": now + i, "message": f"line {i}"} for i in range(5)]
        logs.put_log_events(logGroupName="/py/get", logStreamName="one", logEvents=events)
        args = {"logGroupName": "/py/get", "logStreamName": "one", "startFromHead": True, "limit": 3}
        first = logs.get_log_events(**args)
        second = logs.get_log_events(**args, nextToken=first["nextForwardToken"])
        self.assertEqual([e["message"] for e in events], [e["message"] for e in first["events"] + second["events"]])
        end = logs.get_log_events(**args, nextToken=second["nextForwardToken"])
        self.assertEqual((second["nextForwardToken"], []), (end["nextForwardToken"], end["events"]))

    def test_a_filter_finds_words_and_json_fields(self):
        now = self.group("/py/filter")
        messages = ["ERROR one", "fine", json.dumps({"level": "error", "took": 12}), json.dumps({"level": "info", "took": 80})]
        logs.put_log_events(logGroupName="/py/filter", logStreamName="one", logEvents=[{"timestamp": now, "message": m} for m in messages])

        def found(pattern):
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName="/py/filter", filterPattern=pattern)
            return [e["message"] for p in pages for e in p["events"]]

        self.assertEqual(messages[:1], found("ERROR"))
        self.assertEqual(messages[2:3], found('{ $.level = "error" && $.took > 10 }'))
        self.assertEqual(messages[1:], found("-ERROR"))
        self.fails("InvalidParameterException", "Invalid", logs.filter_log_events, logGroupName="/py/filter", filterPattern="{ $.a = ")

    def test_groups_and_streams_are_described(self):
        self.group("/py/groups")
        logs.put_retention_policy(logGroupName="/py/groups", retentionInDays=7)
        group = logs.describe_log_groups(logGroupNamePrefix="/py/groups")["logGroups"][0]
        self.assertEqual((7, f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/py/groups:*"), (group["retentionInDays"], group["arn"]))
        streams = [s["logStreamName"] for p in logs.get_paginator("describe_log_streams").paginate(logGroupName="/py/groups") for s in p["logStreams"]]
        self.assertEqual(["one"], streams)
        self.fails("ResourceAlreadyExistsException", "The specified log group already exists", logs.create_log_group, logGroupName="/py/groups")

    def test_a_group_that_is_not_there_is_not_found(self):
        self.fails("ResourceNotFoundException", "The specified log group does not exist.", logs.filter_log_events, logGroupName="/py/none")

    def test_what_a_function_prints_is_in_its_group(self):
        lines = {"Records": [{"eventName": "INSERT", "dynamodb": {"NewImage": {"id": {"S": "py-log"}, "customer": {"S": "py"}, "lines": {"L": []}}}}]}
        boto3.client("lambda").invoke(FunctionName="tally", Payload=json.dumps(lines))
        found = lambda: logs.filter_log_events(logGroupName="/aws/lambda/tally", filterPattern='"order py-log"')["events"]
        event = self.eventually("log event", found)[0]
        self.assertIn("counted order py-log of py", event["message"])
