from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import boto3
from boto3.dynamodb.conditions import Attr, Key
from boto3.dynamodb.types import Binary, TypeSerializer
from botocore.config import Config

from stack import ACCOUNT, REGION, Case

db = boto3.client("dynamodb")


class DynamoDB(Case):
    def test_the_stack_s_tables_are_listed_and_described(self):
        names = [n for page in db.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": 1}) for n in page["TableNames"]]
        self.assertIn("orders", names)
        orders = db.describe_table(TableName="orders")["Table"]
        self.assertEqual(f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders", orders["TableArn"])
        self.assertEqual("ACTIVE", orders["TableStatus"])
        self.assertEqual(["by_status"], [i["IndexName"] for i in orders["GlobalSecondaryIndexes"]])
        self.assertEqual("NEW_AND_OLD_IMAGES", orders["StreamSpecification"]["StreamViewType"])

    def test_an_item_comes_back_with_every_kind_of_value(self):
        table = self.table("py-kinds")
        item = {
            "id": "1",
            "number": Decimal("-12345678901234567890.123456789"),
            "bytes": Binary(b"\x00\xff"),
            "yes": True,
            "none": None,
            "list": ["a", Decimal(1), {"deep": ["b"]}],
            "map": {"köln": "ümlaut 🎈"},
            "strings": {"a", "b"},
            "numbers": {Decimal(1), Decimal("2.5")},
            "binaries": {Binary(b"x"), Binary(b"y")},
        }
        table.put_item(Item=item)
        self.assertEqual(item, table.get_item(Key={"id": "1"}, ConsistentRead=True)["Item"])
        self.assertNotIn("Item", table.get_item(Key={"id": "2"}))

    def test_a_condition_that_does_not_hold_changes_nothing(self):
        table = self.table("py-condition")
        table.put_item(Item={"id": "1", "n": 1})
        refused = self.fails(
            "ConditionalCheckFailedException",
            "The conditional request failed",
            table.put_item,
            Item={"id": "1", "n": 2},
            ConditionExpression=Attr("id").not_exists(),
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
        self.assertEqual({"id": {"S": "1"}, "n": {"N": "1"}}, refused.response["Item"])
        self.assertIsInstance(refused, db.exceptions.ConditionalCheckFailedException)
        self.assertEqual(1, table.get_item(Key={"id": "1"})["Item"]["n"])

    def test_an_update_counts_appends_and_returns_what_it_made(self):
        table = self.table("py-update")
        update = {
            "Key": {"id": "1"},
            "UpdateExpression": "SET #l = list_append(if_not_exists(#l, :none), :new) ADD n :one REMOVE gone",
            "ExpressionAttributeNames": {"#l": "list"},
            "ExpressionAttributeValues": {":none": [], ":new": ["x"], ":one": 1},
            "ReturnValues": "ALL_NEW",
        }
        table.update_item(**update)
        self.assertEqual({"id": "1", "n": 2, "list": ["x", "x"]}, table.update_item(**update)["Attributes"])
        self.fails(
            "ValidationException",
            'Invalid UpdateExpression: Syntax error; token: "SETT", near: "SETT a"',
            table.update_item,
            Key={"id": "1"},
            UpdateExpression="SETT a = :one",
            ExpressionAttributeValues={":one": 1},
        )

    def test_what_came_before_expressions_still_writes(self):
        self.table("py-before-writes")
        key = {"TableName": "py-before-writes", "Key": {"id": {"S": "1"}}}
        update = {
            "AttributeUpdates": {"n": {"Action": "ADD", "Value": {"N": "2"}}, "a.b": {"Value": {"S": "x"}}},
            "Expected": {"id": {"Exists": False}},
            "ReturnValues": "UPDATED_NEW",
        }
        self.assertEqual({"n": {"N": "2"}, "a.b": {"S": "x"}}, db.update_item(**key, **update)["Attributes"])
        self.fails("ConditionalCheckFailedException", "The conditional request failed", db.update_item, **key, **update)
        self.fails(
            "ValidationException",
            "Can not use both expression and non-expression parameters in the same request: "
            "Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}",
            db.delete_item,
            **key,
            Expected=update["Expected"],
            ConditionExpression="attribute_exists(n)",
        )
        either = {"n": {"ComparisonOperator": "GT", "AttributeValueList": [{"N": "5"}]}, "a.b": {"Value": {"S": "x"}}}
        gone = db.delete_item(**key, Expected=either, ConditionalOperator="OR", ReturnValues="ALL_OLD")
        self.assertEqual("2", gone["Attributes"]["n"]["N"])

    def test_what_came_before_expressions_still_reads(self):
        orders = boto3.resource("dynamodb").Table("orders")
        with orders.batch_writer() as batch:
            for i in range(9):
                batch.put_item(Item={"customer": "py-before", "id": str(i), "status": "py-before", "placed_at": str(i), "lines": []})
        is_one = lambda name, value: {name: {"ComparisonOperator": "EQ", "AttributeValueList": [value]}}
        answer = orders.query(
            KeyConditions={**is_one("customer", "py-before"), "id": {"ComparisonOperator": "BETWEEN", "AttributeValueList": ["2", "7"]}},
            QueryFilter={"placed_at": {"ComparisonOperator": "IN", "AttributeValueList": ["1", "2", "5"]}},
            AttributesToGet=["id"],
            ScanIndexForward=False,
        )
        self.assertEqual((6, [{"id": "5"}, {"id": "2"}]), (answer["ScannedCount"], answer["Items"]))
        found = orders.scan(ScanFilter=is_one("customer", "py-before"), AttributesToGet=["id"])["Items"]
        self.assertEqual(9, len(found))
        self.assertEqual({"lines": []}, orders.get_item(Key={"customer": "py-before", "id": "3"}, AttributesToGet=["lines"])["Item"])

    def test_a_query_follows_its_pages_in_both_directions(self):
        orders = boto3.resource("dynamodb").Table("orders")
        with orders.batch_writer() as batch:
            for i in range(30):
                batch.put_item(Item={"customer": "py-query", "id": f"{i:02}", "status": "py-open" if i % 2 else "py-done", "placed_at": str(i), "lines": []})
        pages = list(
            db.get_paginator("query").paginate(
                TableName="orders",
                KeyConditionExpression="customer = :c AND id BETWEEN :a AND :b",
                ExpressionAttributeValues={":c": {"S": "py-query"}, ":a": {"S": "05"}, ":b": {"S": "24"}},
                ScanIndexForward=False,
                PaginationConfig={"PageSize": 8},
            )
        )
        self.assertEqual([8, 8, 4], [p["Count"] for p in pages])
        self.assertEqual([f"{i:02}" for i in range(24, 4, -1)], [i["id"]["S"] for p in pages for i in p["Items"]])
        by_status = orders.query(IndexName="by_status", KeyConditionExpression=Key("status").eq("py-open"), FilterExpression=Attr("id").gt("20"))
        self.assertEqual((5, 15), (by_status["Count"], by_status["ScannedCount"]))

    def test_a_scan_in_segments_sees_every_item_once(self):
        table = self.table("py-scan")
        with table.batch_writer() as batch:
            for i in range(60):
                batch.put_item(Item={"id": str(i)})
        seen = []
        for segment in range(3):
            for page in db.get_paginator("scan").paginate(TableName="py-scan", Segment=segment, TotalSegments=3, Limit=7):
                seen += [i["id"]["S"] for i in page["Items"]]
        self.assertEqual(sorted(map(str, range(60))), sorted(seen))

    def test_a_transaction_is_cancelled_as_a_whole_with_its_reasons(self):
        table = self.table("py-transaction")
        table.put_item(Item={"id": "taken"})
        put = lambda id: {"Put": {"TableName": "py-transaction", "Item": {"id": {"S": id}}, "ConditionExpression": "attribute_not_exists(id)"}}
        cancelled = self.fails(
            "TransactionCanceledException",
            "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]",
            db.transact_write_items,
            TransactItems=[put("new"), put("taken")],
        )
        self.assertEqual(["None", "ConditionalCheckFailed"], [r["Code"] for r in cancelled.response["CancellationReasons"]])
        self.assertEqual([{"id": "taken"}], table.scan()["Items"])
        db.transact_write_items(TransactItems=[put("new"), put("newer")])
        got = db.transact_get_items(TransactItems=[{"Get": {"TableName": "py-transaction", "Key": {"id": {"S": i}}}} for i in ("newer", "none")])
        self.assertEqual([{"Item": {"id": {"S": "newer"}}}, {}], got["Responses"])

    def test_batches_read_what_is_there(self):
        table = self.table("py-batch")
        table.put_item(Item={"id": "1"})
        keys = [{"id": {"S": i}} for i in ("1", "2")]
        answer = db.batch_get_item(RequestItems={"py-batch": {"Keys": keys}}, ReturnConsumedCapacity="TOTAL")
        self.assertEqual([{"id": {"S": "1"}}], answer["Responses"]["py-batch"])
        self.assertEqual({}, answer["UnprocessedKeys"])
        self.assertEqual("py-batch", answer["ConsumedCapacity"][0]["TableName"])

    def test_a_table_that_is_not_there_is_not_found(self):
        missing = self.fails("ResourceNotFoundException", "Requested resource not found", db.get_item, TableName="py-none", Key={"id": {"S": "1"}})
        self.assertEqual(400, missing.response["ResponseMetadata"]["HTTPStatusCode"])
        self.fails("ResourceNotFoundException", "Requested resource not found: Table: py-none not found", db.describe_table, TableName="py-none")

    def test_what_the_model_forbids_is_refused_by_the_service_too(self):
        trusting = boto3.client("dynamodb", config=Config(parameter_validation=False))
        self.fails("ValidationException", "Member must have value greater than or equal to 1", trusting.scan, TableName="orders", Limit=0)

    def test_a_deleted_table_is_gone_for_its_waiter(self):
        self.table("py-kept")
        db.create_table(
            TableName="py-gone",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        db.get_waiter("table_exists").wait(TableName="py-gone", WaiterConfig={"Delay": 1})
        self.fails(
            "ResourceInUseException",
            "Table already exists: py-kept",
            db.create_table,
            TableName="py-kept",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.assertEqual("DELETING", db.delete_table(TableName="py-gone")["TableDescription"]["TableStatus"])
        db.get_waiter("table_not_exists").wait(TableName="py-gone", WaiterConfig={"Delay": 1})

    def test_time_to_live_is_turned_on_once(self):
        self.table("py-ttl")
        on = {"Enabled": True, "AttributeName": "until"}
        db.update_time_to_live(TableName="py-ttl", TimeToLiveSpecification=on)
        self.assertEqual("until", db.describe_time_to_live(TableName="py-ttl")["TimeToLiveDescription"]["AttributeName"])
        self.fails("ValidationException", "TimeToLive is already enabled", db.update_time_to_live, TableName="py-ttl", TimeToLiveSpecification=on)

    def test_a_table_comes_back_from_its_backup_and_as_it_was_before(self):
        table = self.table("py-backup")
        on = {"PointInTimeRecoveryEnabled": True}
        recovery = db.update_continuous_backups(TableName="py-backup", PointInTimeRecoverySpecification=on)["ContinuousBackupsDescription"]
        self.assertEqual(35, recovery["PointInTimeRecoveryDescription"]["RecoveryPeriodInDays"])
        table.put_item(Item={"id": "1"})
        arn = db.create_backup(TableName="py-backup", BackupName="safe")["BackupDetails"]["BackupArn"]
        pages = db.get_paginator("list_backups").paginate(TableName="py-backup")
        self.assertEqual([arn], [b["BackupArn"] for page in pages for b in page["BackupSummaries"]])
        table.put_item(Item={"id": "2"})
        db.restore_table_from_backup(TargetTableName="py-restored", BackupArn=arn)
        self.restored("py-restored", {"1"})
        db.restore_table_to_point_in_time(TargetTableName="py-latest", SourceTableName="py-backup", UseLatestRestorableTime=True)
        self.restored("py-latest", {"1", "2"})
        earliest = recovery["PointInTimeRecoveryDescription"]["EarliestRestorableDateTime"]
        db.restore_table_to_point_in_time(TargetTableName="py-first", SourceTableName="py-backup", RestoreDateTime=earliest)
        self.restored("py-first", set())
        self.assertEqual("DELETED", db.delete_backup(BackupArn=arn)["BackupDescription"]["BackupDetails"]["BackupStatus"])
        self.fails("BackupNotFoundException", "Backup not found: " + arn, db.describe_backup, BackupArn=arn)

    def restored(self, name, ids):
        """A restored table has the items of these ids. It is deleted."""
        db.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
        self.assertEqual(ids, {item["id"]["S"] for item in db.scan(TableName=name)["Items"]})
        db.delete_table(TableName=name)

    def test_partiql_writes_and_reads_page_by_page(self):
        table = self.table("py-statements")
        for n in range(5):
            db.execute_statement(Statement="INSERT INTO \"py-statements\" VALUE {'id': ?, 'n': ?}", Parameters=[{"S": f"it's {n}"}, {"N": str(n)}])
        changed = db.execute_statement(Statement="UPDATE \"py-statements\" SET n = n - 10 REMOVE gone WHERE id = 'it''s 4' RETURNING ALL NEW *")
        self.assertEqual([{"id": {"S": "it's 4"}, "n": {"N": "-6"}}], changed["Items"])
        select, found = {"Statement": 'SELECT id FROM "py-statements" WHERE n >= 1', "Limit": 2}, []
        while True:
            page = db.execute_statement(**select)
            found += [i["id"]["S"] for i in page["Items"]]
            if "NextToken" not in page:
                break
            select["NextToken"] = page["NextToken"]
        self.assertEqual(["it's 1", "it's 2", "it's 3"], sorted(found))
        db.execute_transaction(TransactStatements=[{"Statement": 'DELETE FROM "py-statements" WHERE id = ?', "Parameters": [{"S": f"it's {n}"}]} for n in range(5)])
        self.assertEqual(0, table.scan()["Count"])
        self.fails(
            "ValidationException",
            "Statement wasn't well formed, can't be processed: Expected data manipulation",
            db.execute_statement,
            Statement="DROP TABLE orders",
        )

    def test_a_counter_and_a_version_lose_no_write_among_many_clients(self):
        table = self.table("py-counter")
        table.put_item(Item={"id": "1", "n": 0, "version": 0})

        def count(_):
            db.update_item(TableName="py-counter", Key={"id": {"S": "1"}}, UpdateExpression="ADD n :one", ExpressionAttributeValues={":one": {"N": "1"}})

        def save(_):
            while True:
                seen = db.get_item(TableName="py-counter", Key={"id": {"S": "1"}}, ConsistentRead=True)["Item"]["version"]
                after = {"N": str(int(seen["N"]) + 1)}
                try:
                    return db.update_item(
                        TableName="py-counter",
                        Key={"id": {"S": "1"}},
                        UpdateExpression="SET version = :after",
                        ConditionExpression="version = :seen",
                        ExpressionAttributeValues={":seen": seen, ":after": after},
                    )
                except db.exceptions.ConditionalCheckFailedException:
                    pass  # somebody else was faster: read again

        with ThreadPoolExecutor(8) as clients:
            list(clients.map(count, range(200)))
            list(clients.map(save, range(40)))
        self.assertEqual({"id": "1", "n": 200, "version": 40}, table.get_item(Key={"id": "1"})["Item"])

    def test_a_transaction_asked_for_again_is_done_once(self):
        table = self.table("py-once")
        add = lambda n: [{"Update": {"TableName": "py-once", "Key": {"id": {"S": "1"}}, "UpdateExpression": "ADD n :n", "ExpressionAttributeValues": {":n": {"N": n}}}}]
        for writes in 4, 0:
            done = db.transact_write_items(TransactItems=add("5"), ClientRequestToken="py-once", ReturnConsumedCapacity="TOTAL")["ConsumedCapacity"][0]
            self.assertEqual(2, done["CapacityUnits"], "a repetition reads")
            self.assertEqual(writes == 0, "ReadCapacityUnits" in done)
        self.assertEqual(5, table.get_item(Key={"id": "1"})["Item"]["n"])
        refused = self.fails("IdempotentParameterMismatchException", "", db.transact_write_items, TransactItems=add("6"), ClientRequestToken="py-once")
        self.assertIsInstance(refused, db.exceptions.IdempotentParameterMismatchException)
        twice = self.fails("ValidationException", "Transaction request cannot include multiple operations on one item", db.transact_write_items, TransactItems=add("1") * 2)
        self.assertEqual(400, twice.response["ResponseMetadata"]["HTTPStatusCode"])

    def test_an_index_is_added_to_what_is_there_and_taken_away(self):
        table = self.table("py-index")
        with table.batch_writer() as batch:
            for i in range(40):
                batch.put_item(Item={"id": str(i), "kind": "even" if i % 2 == 0 else "odd", "n": i} if i else {"id": "0"})
        index = {
            "IndexName": "by_kind",
            "KeySchema": [{"AttributeName": "kind", "KeyType": "HASH"}, {"AttributeName": "n", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
        types = [{"AttributeName": "kind", "AttributeType": "S"}, {"AttributeName": "n", "AttributeType": "N"}]
        db.update_table(TableName="py-index", AttributeDefinitions=types, GlobalSecondaryIndexUpdates=[{"Create": index}])
        status = lambda: [i["IndexStatus"] for i in db.describe_table(TableName="py-index")["Table"].get("GlobalSecondaryIndexes", [])]
        self.eventually("index", lambda: status() == ["ACTIVE"])
        even = table.query(IndexName="by_kind", KeyConditionExpression=Key("kind").eq("even") & Key("n").gte(30), ScanIndexForward=False)
        self.assertEqual([38, 36, 34, 32, 30], [i["n"] for i in even["Items"]])
        self.fails("ValidationException", "Type mismatch for Index Key n Expected: N Actual: S IndexName: by_kind", table.put_item, Item={"id": "x", "n": "1"})
        self.fails(
            "ValidationException",
            "Consistent reads are not supported on global secondary indexes",
            table.scan,
            IndexName="by_kind",
            ConsistentRead=True,
        )
        db.update_table(TableName="py-index", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by_kind"}}])
        self.eventually("end of the index", lambda: status() == [])
        self.fails("ValidationException", "The table does not have the specified index: by_kind", table.scan, IndexName="by_kind")

    def test_an_item_has_400_kb_and_a_batch_answers_16_mb_at_most(self):
        table = self.table("py-large")
        text = "x" * (400 * 1024 - len("id") - len("00") - len("text"))
        self.fails("ValidationException", "Item size has exceeded the maximum allowed size", table.put_item, Item={"id": "00", "text": text + "x"})
        names = [f"{i:02}" for i in range(42)]  # 16.4 MB
        with table.batch_writer() as batch:
            for name in names:
                batch.put_item(Item={"id": name, "text": text})
        first = db.batch_get_item(RequestItems={"py-large": {"Keys": [{"id": {"S": n}} for n in names]}})
        left = first["UnprocessedKeys"]["py-large"]["Keys"]
        self.assertLess(0, len(left))
        rest = db.batch_get_item(RequestItems=first["UnprocessedKeys"])
        got = [i["id"]["S"] for answer in (first, rest) for i in answer["Responses"]["py-large"]]
        self.assertEqual(({}, names), (rest["UnprocessedKeys"], sorted(got)))
        page = table.scan()
        self.assertEqual(3, page["Count"])  # a page ends with the item that makes it 1 MB
        self.assertIn("LastEvaluatedKey", page)

    def test_keys_of_every_alphabet_keep_the_order_of_their_bytes(self):
        db.create_table(
            TableName="py-order",
            AttributeDefinitions=[{"AttributeName": "p", "AttributeType": "B"}, {"AttributeName": "s", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.addCleanup(db.delete_table, TableName="py-order")
        put, texts = TypeSerializer(), ["\x00", "A", "a", "a\u0300", "z", "é", "中", "\uffee", "🎈", "👩\u200d🚀"]
        for text in reversed(texts):
            db.put_item(TableName="py-order", Item={"p": put.serialize(b"\x00\xff"), "s": put.serialize(text)})
        answer = db.query(TableName="py-order", KeyConditionExpression="p = :p", ExpressionAttributeValues={":p": {"B": b"\x00\xff"}})
        self.assertEqual(texts, [i["s"]["S"] for i in answer["Items"]])
        empty = {"p": {"B": b""}, "s": {"S": "a"}}
        self.fails("ValidationException", "cannot contain an empty binary value. Key: p", db.put_item, TableName="py-order", Item=empty)

    def test_a_batch_of_statements_answers_each_for_itself(self):
        self.table("py-each").put_item(Item={"id": "1", "n": 1})
        statements = [
            "SELECT n FROM \"py-each\" WHERE id = '1'",
            "SELECT n FROM \"py-none\" WHERE id = '1'",
            "SELECT n FROM \"py-each\" WHERE id = '2'",
        ]
        one, gone, none = db.batch_execute_statement(Statements=[{"Statement": s} for s in statements])["Responses"]
        self.assertEqual({"n": {"N": "1"}}, one["Item"])
        self.assertEqual("ResourceNotFound", gone["Error"]["Code"])
        self.assertEqual({"TableName": "py-each"}, none)


class Streams(Case):
    def test_a_stream_tells_of_every_change_in_order(self):
        streams = boto3.client("dynamodbstreams")
        table = self.table("py-stream", StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})
        table.put_item(Item={"id": "1", "n": 1})
        table.update_item(Key={"id": "1"}, UpdateExpression="ADD n :one", ExpressionAttributeValues={":one": 1})
        table.update_item(Key={"id": "1"}, UpdateExpression="SET n = :two", ExpressionAttributeValues={":two": 2})  # changes nothing
        table.delete_item(Key={"id": "1"})
        arn = table.latest_stream_arn or db.describe_table(TableName="py-stream")["Table"]["LatestStreamArn"]
        self.assertIn(arn, [s["StreamArn"] for s in streams.list_streams(TableName="py-stream")["Streams"]])
        stream = streams.describe_stream(StreamArn=arn)["StreamDescription"]
        self.assertEqual("ENABLED", stream["StreamStatus"])
        records = []
        for shard in stream["Shards"]:
            at = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
            records += streams.get_records(ShardIterator=at)["Records"]
        self.assertEqual(["INSERT", "MODIFY", "REMOVE"], [r["eventName"] for r in records])
        self.assertEqual({"S": "1"}, records[0]["dynamodb"]["Keys"]["id"])
        self.assertEqual(({"N": "1"}, {"N": "2"}), (records[1]["dynamodb"]["OldImage"]["n"], records[1]["dynamodb"]["NewImage"]["n"]))
        self.fails("ResourceNotFoundException", "Requested resource not found: Stream:", streams.describe_stream, StreamArn=arn[:-3] + "000")


class Replicas(Case):
    def test_a_replica_in_another_region_has_every_write(self):
        here, there = self.table("py-global"), boto3.resource("dynamodb", region_name="eu-west-1").Table("py-global")
        here.put_item(Item={"id": "before"})
        db.update_table(TableName="py-global", ReplicaUpdates=[{"Create": {"RegionName": "eu-west-1"}}])
        self.addCleanup(db.update_table, TableName="py-global", ReplicaUpdates=[{"Delete": {"RegionName": "eu-west-1"}}])
        db.get_waiter("table_exists").wait(TableName="py-global", WaiterConfig={"Delay": 1})
        table = db.describe_table(TableName="py-global")["Table"]
        self.assertEqual("2019.11.21", table["GlobalTableVersion"])
        self.assertEqual([("eu-west-1", "ACTIVE")], [(r["RegionName"], r["ReplicaStatus"]) for r in table["Replicas"]])
        self.assertEqual(f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/py-global", there.table_arn)
        there.put_item(Item={"id": "there"})
        here.delete_item(Key={"id": "before"})
        for table in here, there:
            self.assertEqual([{"id": "there"}], table.scan()["Items"])
        self.fails("ValidationException", "Replica cannot be deleted because it has acted as a source region", db.delete_table, TableName="py-global")
