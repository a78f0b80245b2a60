"""A stream's shards, which end by the clock. It is moved, so that these run by themselves."""

import os
import subprocess
import unittest

import boto3

from stack import Case

db = boto3.client("dynamodb")
streams = boto3.client("dynamodbstreams")


def advance(hours):
    subprocess.run([os.environ["DEVSTACK"], "-C", os.environ["STACK"], "clock", "advance", f"{hours}h"], check=True, capture_output=True)


class Shards(Case):
    def test_a_walk_from_parents_to_children_finds_every_record(self):
        table = self.table("py-shards", StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
        for n in range(4):
            table.put_item(Item={"id": str(n)})
            advance(3)
        arn = db.describe_table(TableName="py-shards")["Table"]["LatestStreamArn"]
        shards, more = [], {}
        while True:
            page = streams.describe_stream(StreamArn=arn, Limit=1, **more)["StreamDescription"]
            shards += page["Shards"]
            if "LastEvaluatedShardId" not in page:
                break
            more = {"ExclusiveStartShardId": page["LastEvaluatedShardId"]}
        self.assertEqual([None] + [s["ShardId"] for s in shards[:-1]], [s.get("ParentShardId") for s in shards])
        self.assertNotIn("EndingSequenceNumber", shards[-1]["SequenceNumberRange"])
        found = []
        for shard in shards:
            at = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
            while at:
                page = streams.get_records(ShardIterator=at, Limit=1)
                found += [r["dynamodb"]["Keys"]["id"]["S"] for r in page["Records"]]
                at = page.get("NextShardIterator")
                if not page["Records"] and shard is shards[-1]:
                    break
        self.assertEqual(["0", "1", "2", "3"], found)
        child = streams.describe_stream(StreamArn=arn, ShardFilter={"Type": "CHILD_SHARDS", "ShardId": shards[0]["ShardId"]})
        self.assertEqual([shards[1]["ShardId"]], [s["ShardId"] for s in child["StreamDescription"]["Shards"]])


if __name__ == "__main__":
    unittest.main()
