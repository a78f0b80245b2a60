"""What the tests share. They are run by `go test ./cmd/devstack -run TestSDKs` under `devstack exec`, against the shop's stack:
nothing but the environment tells boto3 where AWS is."""

import os
import time
import unittest

import boto3
from botocore.exceptions import ClientError

REGION = os.environ["AWS_REGION"]
ACCOUNT = "000000000000"
ENDPOINT = os.environ["AWS_ENDPOINT_URL"]


class Case(unittest.TestCase):
    """A test case that knows AWS's errors."""

    maxDiff = None

    def fails(self, code, message, call, **parameters):
        """call(**parameters) is answered by an error of this code, with this text in its message."""
        with self.assertRaises(ClientError) as caught:
            call(**parameters)
        error = caught.exception.response["Error"]
        self.assertEqual(code, error["Code"], error)
        self.assertIn(message, error["Message"])
        return caught.exception

    def eventually(self, what, done):
        """Waits for what comes in its own time, such as a stream's delivery, and returns what done() then gives."""
        deadline = time.monotonic() + 20
        while True:
            result = done()
            if result:
                return result
            if time.monotonic() > deadline:
                self.fail(f"after 20 s there is still no {what}")
            time.sleep(0.02)

    def table(self, name, **more):
        """A table keyed by id, that is there until the test ends."""
        db = boto3.client("dynamodb")
        db.create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            **more,
        )
        self.addCleanup(db.delete_table, TableName=name)
        db.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
        return boto3.resource("dynamodb").Table(name)
