package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

func goCounter(t *testing.T) {
	c, table := goTable(t, "go-counter", false)
	key := goItem{"id": &goS{Value: "1"}}
	var clients sync.WaitGroup
	for range 16 {
		clients.Go(func() {
			for range 10 {
				_, err := c.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
					TableName: table.TableName, Key: key, UpdateExpression: aws.String("ADD n :one"), ExpressionAttributeValues: goItem{":one": &goN{Value: "1"}},
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	clients.Wait()
	got, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: table.TableName, Key: key, ConsistentRead: aws.Bool(true)})
	same(t, "n", must(t, got, err).Item["n"], &goN{Value: "160"})
}

func goOnce(t *testing.T) {
	c, table := goTable(t, "go-once", false)
	key := goItem{"id": &goS{Value: "1"}}
	add := func(n string) error {
		_, err := c.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{
			ClientRequestToken: aws.String("go-once"),
			TransactItems: []types.TransactWriteItem{{Update: &types.Update{
				TableName: table.TableName, Key: key, UpdateExpression: aws.String("ADD n :n"), ExpressionAttributeValues: goItem{":n": &goN{Value: n}},
			}}},
		})
		return err
	}
	must(t, 0, add("5"))
	must(t, 0, add("5"))
	err := add("6")
	if _, ok := errors.AsType[*types.IdempotentParameterMismatchException](err); !ok {
		t.Errorf("another transaction of the same token: %v", err)
	}
	get := types.TransactGetItem{Get: &types.Get{TableName: table.TableName, Key: key}}
	none := types.TransactGetItem{Get: &types.Get{TableName: table.TableName, Key: goItem{"id": &goS{Value: "2"}}}}
	got, err := c.TransactGetItems(t.Context(), &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{get, none}})
	responses := must(t, got, err).Responses
	same(t, "n", responses[0].Item["n"], &goN{Value: "5"})
	same(t, "attributes of an item that is not there", len(responses[1].Item), 0)
}

func goReasons(t *testing.T) {
	c, table := goTable(t, "go-reasons", false)
	there := goItem{"id": &goS{Value: "1"}, "n": &goN{Value: "1"}}
	goPut(t, c, "go-reasons", there)
	_, err := c.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{TableName: table.TableName, Item: goItem{"id": &goS{Value: "2"}}}},
		{ConditionCheck: &types.ConditionCheck{
			TableName: table.TableName, Key: goItem{"id": there["id"]}, ConditionExpression: aws.String("n > :n"),
			ExpressionAttributeValues:           goItem{":n": &goN{Value: "1"}},
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}},
		{Update: &types.Update{
			TableName: table.TableName, Key: goItem{"id": &goS{Value: "3"}}, UpdateExpression: aws.String("SET n = n + :n"),
			ExpressionAttributeValues: goItem{":n": &goN{Value: "1"}},
		}},
	}})
	cancelled, ok := errors.AsType[*types.TransactionCanceledException](err)
	if !ok || len(cancelled.CancellationReasons) != 3 {
		t.Fatalf("the transaction: %v", err)
	}
	for i, code := range []string{"None", "ConditionalCheckFailed", "ValidationError"} {
		same(t, "reason", *cancelled.CancellationReasons[i].Code, code)
	}
	same(t, "the item that is there", cancelled.CancellationReasons[1].Item, there)
}

func goLarge(t *testing.T) {
	c, table := goTable(t, "go-large", false)
	large := func(id string, size int) goItem {
		return goItem{"id": &goS{Value: id}, "text": &goS{Value: strings.Repeat("x", size-len("id")-len(id)-len("text"))}}
	}
	_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: table.TableName, Item: large("1", 400<<10+1)})
	fails(t, err, "ValidationException", 400, "Item size has exceeded the maximum allowed size")
	goPut(t, c, "go-large", large("1", 400<<10))
	_, err = c.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: table.TableName, Key: goItem{"id": &goS{Value: "1"}}, UpdateExpression: aws.String("SET a = :a"), ExpressionAttributeValues: goItem{":a": &goS{}},
	})
	fails(t, err, "ValidationException", 400, "Item size to update has exceeded the maximum allowed size")
}

func goIndex(t *testing.T) {
	c, table := goTable(t, "go-index", false)
	for i := range 10 {
		goPut(t, c, "go-index", goItem{"id": &goS{Value: strconv.Itoa(i)}, "n": &goN{Value: strconv.Itoa(i % 2)}})
	}
	_, err := c.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{
		TableName: table.TableName, AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("n"), AttributeType: types.ScalarAttributeTypeN}},
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
			IndexName: aws.String("by_n"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
			KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("n"), KeyType: types.KeyTypeHash}},
		}}},
	})
	must(t, 0, err)
	must(t, 0, dynamodb.NewTableExistsWaiter(c).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: table.TableName}, time.Minute))
	p := dynamodb.NewQueryPaginator(c, &dynamodb.QueryInput{
		TableName: table.TableName, IndexName: aws.String("by_n"), Limit: aws.Int32(2),
		KeyConditionExpression: aws.String("n = :n"), ExpressionAttributeValues: goItem{":n": &goN{Value: "1.0"}},
	})
	var ids []string
	for p.HasMorePages() {
		out, err := p.NextPage(t.Context())
		for _, item := range must(t, out, err).Items {
			ids = append(ids, item["id"].(*goS).Value)
		}
	}
	slices.Sort(ids)
	same(t, "odd items", ids, []string{"1", "3", "5", "7", "9"})
}

// goTable makes a table keyed by id that is there until the test ends.
func goTable(t *testing.T, name string, stream bool) (*dynamodb.Client, *types.TableDescription) {
	t.Helper()
	c := dynamodb.NewFromConfig(goConfig(t))
	in := &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	}
	if stream {
		in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages}
	}
	made, err := c.CreateTable(t.Context(), in)
	must(t, made, err)
	t.Cleanup(func() {
		if _, err := c.DeleteTable(context.WithoutCancel(t.Context()), &dynamodb.DeleteTableInput{TableName: &name}); err != nil {
			t.Error(err)
		}
	})
	out, err := dynamodb.NewTableExistsWaiter(c).WaitForOutput(t.Context(), &dynamodb.DescribeTableInput{TableName: &name}, time.Minute)
	return c, must(t, out, err).Table
}

// goPut puts items with these ids and attributes.
func goPut(t *testing.T, c *dynamodb.Client, table string, items ...goItem) {
	t.Helper()
	for _, item := range items {
		_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item})
		must(t, 0, err)
	}
}

func goTables(t *testing.T) {
	c := dynamodb.NewFromConfig(goConfig(t))
	var names []string
	for p := dynamodb.NewListTablesPaginator(c, &dynamodb.ListTablesInput{Limit: aws.Int32(1)}); p.HasMorePages(); {
		out, err := p.NextPage(t.Context())
		names = append(names, must(t, out, err).TableNames...)
	}
	same(t, "orders and totals", slices.Contains(names, "orders") && slices.Contains(names, "totals"), true)
	out, err := c.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("orders")})
	orders := must(t, out, err).Table
	same(t, "ARN", *orders.TableArn, "arn:aws:dynamodb:us-east-1:"+goAccount+":table/orders")
	same(t, "status of the index", orders.GlobalSecondaryIndexes[0].IndexStatus, types.IndexStatusActive)
}

func goKinds(t *testing.T) {
	c, _ := goTable(t, "go-kinds", false)
	item := goItem{
		"id": &goS{Value: "1"}, "number": &goN{Value: "-12345678901234567890.123456789"}, "bytes": &types.AttributeValueMemberB{Value: []byte{0, 255}},
		"yes": &types.AttributeValueMemberBOOL{Value: true}, "none": &types.AttributeValueMemberNULL{Value: true},
		"list":    &types.AttributeValueMemberL{Value: []types.AttributeValue{&goS{Value: "a"}, &types.AttributeValueMemberL{Value: []types.AttributeValue{}}}},
		"map":     &types.AttributeValueMemberM{Value: goItem{"köln": &goS{Value: "ümlaut 🎈"}}},
		"strings": &types.AttributeValueMemberSS{Value: []string{"a", "b"}}, "binaries": &types.AttributeValueMemberBS{Value: [][]byte{{1}, {2}}},
	}
	goPut(t, c, "go-kinds", item)
	got, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("go-kinds"), Key: goItem{"id": item["id"]}, ConsistentRead: aws.Bool(true)})
	same(t, "item", must(t, got, err).Item, item)
}

func goCondition(t *testing.T) {
	c, _ := goTable(t, "go-condition", false)
	first := goItem{"id": &goS{Value: "1"}, "n": &goN{Value: "1"}}
	goPut(t, c, "go-condition", first)
	_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName: aws.String("go-condition"), Item: goItem{"id": first["id"]}, ConditionExpression: aws.String("attribute_not_exists(id)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	fails(t, err, "ConditionalCheckFailedException", 400, "The conditional request failed")
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) {
		same(t, "the item that is there", failed.Item, first)
	}
}

func goUpdate(t *testing.T) {
	c, _ := goTable(t, "go-update", false)
	in := &dynamodb.UpdateItemInput{
		TableName: aws.String("go-update"), Key: goItem{"id": &goS{Value: "1"}}, ReturnValues: types.ReturnValueAllNew,
		UpdateExpression:         aws.String("SET #l = list_append(if_not_exists(#l, :none), :new) ADD n :one"),
		ExpressionAttributeNames: map[string]string{"#l": "list"},
		ExpressionAttributeValues: goItem{
			":none": &types.AttributeValueMemberL{}, ":one": &goN{Value: "1"}, ":new": &types.AttributeValueMemberL{Value: []types.AttributeValue{&goS{Value: "x"}}},
		},
	}
	_, err := c.UpdateItem(t.Context(), in)
	must(t, 0, err)
	out, err := c.UpdateItem(t.Context(), in)
	got := must(t, out, err).Attributes
	same(t, "count", got["n"], &goN{Value: "2"})
	same(t, "list", got["list"], &types.AttributeValueMemberL{Value: []types.AttributeValue{&goS{Value: "x"}, &goS{Value: "x"}}})
	in.UpdateExpression = aws.String("SET id = :one ADD n :one SET #l = :none")
	_, err = c.UpdateItem(t.Context(), in)
	fails(t, err, "ValidationException", 400, `Invalid UpdateExpression: The "SET" section can only be used once in an update expression;`)
}

func goBeforeExpressions(t *testing.T) {
	c, _ := goTable(t, "go-before", false)
	table, key := aws.String("go-before"), goItem{"id": &goS{Value: "1"}}
	in := &dynamodb.UpdateItemInput{
		TableName: table, Key: key, ReturnValues: types.ReturnValueAllNew,
		AttributeUpdates: map[string]types.AttributeValueUpdate{"n": {Action: types.AttributeActionAdd, Value: &goN{Value: "1"}}},
		Expected: map[string]types.ExpectedAttributeValue{
			"n": {ComparisonOperator: types.ComparisonOperatorLt, AttributeValueList: []types.AttributeValue{&goN{Value: "2"}}},
			"m": {Exists: aws.Bool(false)},
		},
		ConditionalOperator: types.ConditionalOperatorOr,
	}
	out, err := c.UpdateItem(t.Context(), in)
	same(t, "made", must(t, out, err).Attributes["n"], &goN{Value: "1"})
	in.ConditionalOperator = types.ConditionalOperatorAnd
	out, err = c.UpdateItem(t.Context(), in)
	same(t, "counted", must(t, out, err).Attributes["n"], &goN{Value: "2"})
	_, err = c.UpdateItem(t.Context(), in)
	fails(t, err, "ConditionalCheckFailedException", 400, "The conditional request failed")
	is := map[string]types.Condition{"id": {ComparisonOperator: types.ComparisonOperatorEq, AttributeValueList: []types.AttributeValue{&goS{Value: "1"}}}}
	found, err := c.Query(t.Context(), &dynamodb.QueryInput{TableName: table, KeyConditions: is, AttributesToGet: []string{"n"}})
	same(t, "found", must(t, found, err).Items, []map[string]types.AttributeValue{{"n": &goN{Value: "2"}}})
	_, err = c.Query(t.Context(), &dynamodb.QueryInput{TableName: table, KeyConditions: is, QueryFilter: is})
	fails(t, err, "ValidationException", 400, "QueryFilter can only contain non-primary key attributes: Primary key attribute: id")
}

func goQuery(t *testing.T) {
	c := dynamodb.NewFromConfig(goConfig(t))
	for i := range 20 {
		goPut(t, c, "orders", goItem{"customer": &goS{Value: "go"}, "id": &goS{Value: fmt.Sprintf("%02d", i)}, "lines": &types.AttributeValueMemberL{}})
	}
	var counts []int32
	var ids []string
	p := dynamodb.NewQueryPaginator(c, &dynamodb.QueryInput{
		TableName: aws.String("orders"), KeyConditionExpression: aws.String("customer = :c AND begins_with(id, :one)"), Limit: aws.Int32(4),
		ExpressionAttributeValues: goItem{":c": &goS{Value: "go"}, ":one": &goS{Value: "1"}}, ScanIndexForward: aws.Bool(false), ProjectionExpression: aws.String("id"),
	})
	for p.HasMorePages() {
		out, err := p.NextPage(t.Context())
		counts = append(counts, must(t, out, err).Count)
		for _, item := range out.Items {
			ids = append(ids, item["id"].(*goS).Value)
		}
	}
	same(t, "counts", counts, []int32{4, 4, 2})
	same(t, "ids", strings.Join(ids, " "), "19 18 17 16 15 14 13 12 11 10")
}

func goScan(t *testing.T) {
	c, _ := goTable(t, "go-scan", false)
	var want, got []string
	for i := range 40 {
		want = append(want, fmt.Sprintf("%02d", i))
		goPut(t, c, "go-scan", goItem{"id": &goS{Value: want[i]}})
	}
	for segment := range int32(3) {
		p := dynamodb.NewScanPaginator(c, &dynamodb.ScanInput{TableName: aws.String("go-scan"), Segment: &segment, TotalSegments: aws.Int32(3), Limit: aws.Int32(7)})
		for p.HasMorePages() {
			out, err := p.NextPage(t.Context())
			for _, item := range must(t, out, err).Items {
				got = append(got, item["id"].(*goS).Value)
			}
		}
	}
	slices.Sort(got)
	same(t, "ids", got, want)
}

func goTransaction(t *testing.T) {
	c, _ := goTable(t, "go-transaction", false)
	goPut(t, c, "go-transaction", goItem{"id": &goS{Value: "taken"}})
	put := func(id string) types.TransactWriteItem {
		return types.TransactWriteItem{Put: &types.Put{TableName: aws.String("go-transaction"), Item: goItem{"id": &goS{Value: id}}, ConditionExpression: aws.String("attribute_not_exists(id)")}}
	}
	_, err := c.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{put("new"), put("taken")}})
	fails(t, err, "TransactionCanceledException", 400, "cancellation reasons for specific reasons [None, ConditionalCheckFailed]")
	var cancelled *types.TransactionCanceledException
	if errors.As(err, &cancelled) {
		same(t, "reason", *cancelled.CancellationReasons[1].Code, "ConditionalCheckFailed")
	}
	left, err := c.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("go-transaction")})
	same(t, "items", must(t, left, err).Count, int32(1))
}

func goTableErrors(t *testing.T) {
	c, table := goTable(t, "go-twice", false)
	_, err := c.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: table.TableName, BillingMode: types.BillingModePayPerRequest, AttributeDefinitions: table.AttributeDefinitions, KeySchema: table.KeySchema,
	})
	fails(t, err, "ResourceInUseException", 400, "Table already exists: go-twice")
	_, err = c.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("go-none")})
	fails(t, err, "ResourceNotFoundException", 400, "Requested resource not found: Table: go-none not found")
	_, err = c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: table.TableName, Key: goItem{"no": &goS{Value: "1"}}})
	fails(t, err, "ValidationException", 400, "The provided key element does not match the schema")
}

func goStream(t *testing.T) {
	c, table := goTable(t, "go-stream", true)
	key := goItem{"id": &goS{Value: "1"}}
	goPut(t, c, "go-stream", goItem{"id": key["id"], "n": &goN{Value: "1"}}, goItem{"id": key["id"], "n": &goN{Value: "2"}})
	_, err := c.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: table.TableName, Key: key})
	must(t, 0, err)
	streams := dynamodbstreams.NewFromConfig(goConfig(t))
	out, err := streams.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: table.LatestStreamArn})
	var changes []streamtypes.OperationType
	for _, shard := range must(t, out, err).StreamDescription.Shards {
		at, err := streams.GetShardIterator(t.Context(), &dynamodbstreams.GetShardIteratorInput{StreamArn: table.LatestStreamArn, ShardId: shard.ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon})
		must(t, at, err)
		records, err := streams.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: at.ShardIterator})
		for _, r := range must(t, records, err).Records {
			changes = append(changes, r.EventName)
		}
	}
	same(t, "changes", changes, []streamtypes.OperationType{"INSERT", "MODIFY", "REMOVE"})
}

func goReplica(t *testing.T) {
	here, table := goTable(t, "go-global", false)
	there := dynamodb.NewFromConfig(goConfig(t), func(o *dynamodb.Options) { o.Region = "eu-west-1" })
	goPut(t, here, "go-global", goItem{"id": &goS{Value: "before"}})
	made, err := here.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: table.TableName, ReplicaUpdates: []types.ReplicationGroupUpdate{
		{Create: &types.CreateReplicationGroupMemberAction{RegionName: aws.String("eu-west-1")}},
	}})
	must(t, made, err)
	must(t, 0, dynamodb.NewTableExistsWaiter(here).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: table.TableName}, time.Minute))
	goPut(t, there, "go-global", goItem{"id": &goS{Value: "there"}})
	for _, c := range []*dynamodb.Client{here, there} {
		out, err := c.Scan(t.Context(), &dynamodb.ScanInput{TableName: table.TableName})
		same(t, "items", must(t, out, err).Count, int32(2))
	}
	out, err := there.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: table.TableName})
	same(t, "the replica of the replica", *must(t, out, err).Table.Replicas[0].RegionName, "us-east-1")
	_, err = here.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: table.TableName, ReplicaUpdates: []types.ReplicationGroupUpdate{
		{Delete: &types.DeleteReplicationGroupMemberAction{RegionName: aws.String("eu-west-1")}},
	}})
	must(t, 0, err)
	_, err = there.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: table.TableName})
	fails(t, err, "ResourceNotFoundException", 400, "Requested resource not found: Table: go-global not found")
}

func goBatch(t *testing.T) {
	c, _ := goTable(t, "go-batch", false)
	one := goItem{"id": &goS{Value: "1"}}
	wrote, err := c.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"go-batch": {{PutRequest: &types.PutRequest{Item: one}}}}})
	same(t, "unprocessed items", len(must(t, wrote, err).UnprocessedItems), 0)
	keys := types.KeysAndAttributes{Keys: []map[string]types.AttributeValue{one, {"id": &goS{Value: "2"}}}}
	got, err := c.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"go-batch": keys}})
	same(t, "items", must(t, got, err).Responses["go-batch"], []map[string]types.AttributeValue{one})
	keys.Keys = append(keys.Keys, one)
	_, err = c.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"go-batch": keys}})
	fails(t, err, "ValidationException", 400, "Provided list of item keys contains duplicates")
}

func goBackup(t *testing.T) {
	c, table := goTable(t, "go-backup", false)
	on := &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)}
	_, err := c.UpdateContinuousBackups(t.Context(), &dynamodb.UpdateContinuousBackupsInput{TableName: table.TableName, PointInTimeRecoverySpecification: on})
	must(t, 0, err)
	goPut(t, c, "go-backup", goItem{"id": &goS{Value: "1"}})
	made, err := c.CreateBackup(t.Context(), &dynamodb.CreateBackupInput{TableName: table.TableName, BackupName: aws.String("safe")})
	arn := must(t, made, err).BackupDetails.BackupArn
	listed, err := c.ListBackups(t.Context(), &dynamodb.ListBackupsInput{TableName: table.TableName})
	same(t, "backups", *must(t, listed, err).BackupSummaries[0].BackupArn, *arn)
	goPut(t, c, "go-backup", goItem{"id": &goS{Value: "2"}})

	_, err = c.RestoreTableFromBackup(t.Context(), &dynamodb.RestoreTableFromBackupInput{TargetTableName: aws.String("go-restored"), BackupArn: arn})
	goRestored(t, c, "go-restored", 1, err)
	_, err = c.RestoreTableToPointInTime(t.Context(), &dynamodb.RestoreTableToPointInTimeInput{
		TargetTableName: aws.String("go-latest"), SourceTableName: table.TableName, UseLatestRestorableTime: aws.Bool(true),
	})
	goRestored(t, c, "go-latest", 2, err)
	_, err = c.RestoreTableToPointInTime(t.Context(), &dynamodb.RestoreTableToPointInTimeInput{
		TargetTableName: aws.String("go-early"), SourceTableName: table.TableName, RestoreDateTime: aws.Time(time.Unix(1, 0)),
	})
	fails(t, err, "InvalidRestoreTimeException", 400, "RestoreDateTime '1970-01-01T00:00:01Z' must be within EarliestRestorableDateTime")

	_, err = c.DeleteBackup(t.Context(), &dynamodb.DeleteBackupInput{BackupArn: arn})
	must(t, 0, err)
	_, err = c.DescribeBackup(t.Context(), &dynamodb.DescribeBackupInput{BackupArn: arn})
	fails(t, err, "BackupNotFoundException", 400, "Backup not found: "+*arn)
}

// goRestored counts the items of a restored table and deletes it.
func goRestored(t *testing.T, c *dynamodb.Client, name string, count int32, err error) {
	t.Helper()
	must(t, 0, err)
	must(t, 0, dynamodb.NewTableExistsWaiter(c).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: &name}, time.Minute))
	out, err := c.Scan(t.Context(), &dynamodb.ScanInput{TableName: &name})
	same(t, "items of "+name, must(t, out, err).Count, count)
	_, err = c.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: &name})
	must(t, 0, err)
}

func goConstraint(t *testing.T) {
	_, err := dynamodb.NewFromConfig(goConfig(t)).Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("orders"), Limit: aws.Int32(0)})
	fails(t, err, "ValidationException", 400, "Member must have value greater than or equal to 1")
}

func goNotImplemented(t *testing.T) {
	c := dynamodb.NewFromConfig(goConfig(t), func(o *dynamodb.Options) { o.RetryMaxAttempts = 1 })
	_, err := c.EnableKinesisStreamingDestination(t.Context(), &dynamodb.EnableKinesisStreamingDestinationInput{
		TableName: aws.String("orders"), StreamArn: aws.String("arn:aws:kinesis:us-east-1:" + goAccount + ":stream/orders"),
	})
	fails(t, err, "NotImplemented", 501, "EnableKinesisStreamingDestination")
}

func goStatements(t *testing.T) {
	c, _ := goTable(t, "go-statements", false)
	insert := &dynamodb.ExecuteStatementInput{
		Statement: aws.String(`INSERT INTO "go-statements" VALUE {'id': ?, 'n': 1, 'l': [?, <<'x'>>]}`), Parameters: []types.AttributeValue{&goS{Value: "1"}, &goN{Value: "2.50"}},
	}
	_, err := c.ExecuteStatement(t.Context(), insert)
	must(t, 0, err)
	_, err = c.ExecuteStatement(t.Context(), insert)
	fails(t, err, "DuplicateItemException", 400, "Duplicate primary key exists in table")
	got, err := c.ExecuteStatement(t.Context(), &dynamodb.ExecuteStatementInput{Statement: aws.String(`SELECT n, l[0] FROM "go-statements" WHERE id = '1' AND size(l) = 2`)})
	same(t, "items", must(t, got, err).Items, []map[string]types.AttributeValue{{"n": &goN{Value: "1"}, "l[0]": &goN{Value: "2.5"}}})
	batch, err := c.BatchExecuteStatement(t.Context(), &dynamodb.BatchExecuteStatementInput{Statements: []types.BatchStatementRequest{
		{Statement: aws.String(`UPDATE "go-statements" SET n = n + 1 WHERE id = '1'`)}, {Statement: aws.String(`UPDATE "go-statements" SET n = 1 WHERE id = '2'`)},
	}})
	responses := must(t, batch, err).Responses
	same(t, "table", *responses[0].TableName, "go-statements")
	same(t, "error", responses[1].Error.Code, types.BatchStatementErrorCodeEnumConditionalCheckFailed)
	_, err = c.ExecuteTransaction(t.Context(), &dynamodb.ExecuteTransactionInput{TransactStatements: []types.ParameterizedStatement{
		{Statement: aws.String(`DELETE FROM "go-statements" WHERE id = '1'`)}, {Statement: aws.String(`EXISTS(SELECT * FROM "go-statements" WHERE id = '2')`)},
	}})
	fails(t, err, "TransactionCanceledException", 400, "[None, ConditionalCheckFailed]")
}
