package dynamodb_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	sdkstreams "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"devstack/emulators/dynamodb"
	"devstack/emulators/kit"
	"devstack/emulators/store"
	"devstack/emulators/wire"
	"devstack/internal/clock"
)

// dial serves the emulator on a real socket and returns the official clients.
func dial(t *testing.T) (*sdk.Client, *sdkstreams.Client) { return dialAt(t, clock.System()) }

func dialAt(t *testing.T, c clock.Clock) (*sdk.Client, *sdkstreams.Client) {
	st := store.New(filepath.Join(t.TempDir(), "dynamodb.db"), store.Options{})
	db, streams := dynamodb.New(kit.Env{Store: st, Clock: c, IDs: kit.RandomIDs(), Log: slog.New(slog.DiscardHandler)}, dynamodb.Options{})
	server := httptest.NewServer(wire.NewServer(wire.Config{Services: []*wire.Service{db, streams}, NewID: kit.RandomIDs().UUID, Now: c.Now}))
	t.Cleanup(func() {
		server.Close()
		st.Close()
	})
	secret := credentials.NewStaticCredentialsProvider("test", "test", "")
	return sdk.New(sdk.Options{Region: "eu-central-1", BaseEndpoint: &server.URL, Credentials: secret, RetryMaxAttempts: 1}),
		sdkstreams.New(sdkstreams.Options{Region: "eu-central-1", BaseEndpoint: &server.URL, Credentials: secret, RetryMaxAttempts: 1})
}

// text and number make attribute values.
func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func number(n int) types.AttributeValue  { return &types.AttributeValueMemberN{Value: fmt.Sprint(n)} }

type attributes = map[string]types.AttributeValue

func createOrders(t *testing.T, db *sdk.Client) {
	t.Helper()
	_, err := db.CreateTable(t.Context(), &sdk.CreateTableInput{
		TableName: aws.String("orders"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("customer"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeN},
			{AttributeName: aws.String("status"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("customer"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("id"), KeyType: types.KeyTypeRange},
		},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String("by_status"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
			KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("status"), KeyType: types.KeyTypeHash}},
		}},
		StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := sdk.NewTableExistsWaiter(db).Wait(t.Context(), &sdk.DescribeTableInput{TableName: aws.String("orders")}, time.Minute); err != nil {
		t.Fatal(err)
	}
}

func TestSDKItems(t *testing.T) {
	db, _ := dial(t)
	createOrders(t, db)
	key := attributes{"customer": text("ann"), "id": number(1)}
	whole := attributes{"customer": text("ann"), "id": number(1), "status": text("open"), "raw": &types.AttributeValueMemberB{Value: []byte{0, 255}},
		"tags": &types.AttributeValueMemberSS{Value: []string{"a", "b"}}, "more": &types.AttributeValueMemberM{Value: attributes{"none": &types.AttributeValueMemberNULL{Value: true}}}}
	if _, err := db.PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String("orders"), Item: whole}); err != nil {
		t.Fatal(err)
	}
	_, err := db.PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String("orders"), Item: key,
		ConditionExpression: aws.String("attribute_not_exists(customer)"), ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld})
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) || len(failed.Item) != len(whole) {
		t.Errorf("the condition: %v", err)
	}
	up, err := db.UpdateItem(t.Context(), &sdk.UpdateItemInput{TableName: aws.String("orders"), Key: key, ReturnValues: types.ReturnValueAllNew,
		UpdateExpression: aws.String("SET #s = :s ADD visits :one"), ExpressionAttributeNames: map[string]string{"#s": "status"},
		ExpressionAttributeValues: attributes{":s": text("paid"), ":one": number(1)}})
	if err != nil || up.Attributes["visits"].(*types.AttributeValueMemberN).Value != "1" {
		t.Errorf("%v: %v", up, err)
	}
	got, err := db.GetItem(t.Context(), &sdk.GetItemInput{TableName: aws.String("orders"), Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil || string(got.Item["raw"].(*types.AttributeValueMemberB).Value) != "\x00\xff" {
		t.Errorf("%v: %v", got, err)
	}
	_, err = db.GetItem(t.Context(), &sdk.GetItemInput{TableName: aws.String("nothing"), Key: key})
	var missing *types.ResourceNotFoundException
	if !errors.As(err, &missing) || missing.ErrorMessage() != "Requested resource not found" {
		t.Errorf("a table that is not there: %v", err)
	}
}

func TestSDKQueriesAndTransactions(t *testing.T) {
	db, _ := dial(t)
	createOrders(t, db)
	var puts []types.WriteRequest
	for n := range 25 {
		puts = append(puts, types.WriteRequest{PutRequest: &types.PutRequest{Item: attributes{"customer": text("ann"), "id": number(n), "status": text("open")}}})
	}
	if out, err := db.BatchWriteItem(t.Context(), &sdk.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"orders": puts}}); err != nil || len(out.UnprocessedItems) != 0 {
		t.Fatalf("%v: %v", out, err)
	}
	_, err := db.TransactWriteItems(t.Context(), &sdk.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Delete: &types.Delete{TableName: aws.String("orders"), Key: attributes{"customer": text("ann"), "id": number(0)}}},
		{ConditionCheck: &types.ConditionCheck{TableName: aws.String("orders"), Key: attributes{"customer": text("bob"), "id": number(0)}, ConditionExpression: aws.String("attribute_exists(id)")}},
	}})
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) || *cancelled.CancellationReasons[0].Code != "None" || *cancelled.CancellationReasons[1].Code != "ConditionalCheckFailed" {
		t.Errorf("the transaction: %v", err)
	}
	n := 0
	pages := sdk.NewQueryPaginator(db, &sdk.QueryInput{TableName: aws.String("orders"), IndexName: aws.String("by_status"), Limit: aws.Int32(4),
		KeyConditionExpression: aws.String("#s = :s"), ExpressionAttributeNames: map[string]string{"#s": "status"}, ExpressionAttributeValues: attributes{":s": text("open")}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n += len(page.Items)
	}
	if n != 25 {
		t.Errorf("the pages of the index have %d items", n)
	}
	one, err := db.TransactGetItems(t.Context(), &sdk.TransactGetItemsInput{TransactItems: []types.TransactGetItem{
		{Get: &types.Get{TableName: aws.String("orders"), Key: attributes{"customer": text("ann"), "id": number(0)}}}}})
	if err != nil || len(one.Responses) != 1 || len(one.Responses[0].Item) != 3 {
		t.Errorf("%v: %v", one, err)
	}
}

func TestSDKStreams(t *testing.T) {
	db, streams := dial(t)
	createOrders(t, db)
	if _, err := db.PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String("orders"), Item: attributes{"customer": text("ann"), "id": number(1)}}); err != nil {
		t.Fatal(err)
	}
	list, err := streams.ListStreams(t.Context(), &sdkstreams.ListStreamsInput{TableName: aws.String("orders")})
	if err != nil || len(list.Streams) != 1 {
		t.Fatalf("%v: %v", list, err)
	}
	records := readStream(t, streams, list.Streams[0].StreamArn)
	if len(records) != 1 || records[0].EventName != streamtypes.OperationTypeInsert || *records[0].AwsRegion != "eu-central-1" ||
		records[0].Dynamodb.NewImage["customer"].(*streamtypes.AttributeValueMemberS).Value != "ann" {
		t.Errorf("the records: %+v", records)
	}
}

func readStream(t *testing.T, streams *sdkstreams.Client, arn *string) []streamtypes.Record {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	d, err := streams.DescribeStream(ctx, &sdkstreams.DescribeStreamInput{StreamArn: arn})
	if err != nil {
		t.Fatal(err)
	}
	it, err := streams.GetShardIterator(ctx, &sdkstreams.GetShardIteratorInput{StreamArn: arn, ShardId: d.StreamDescription.Shards[0].ShardId,
		ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon})
	if err != nil {
		t.Fatal(err)
	}
	out, err := streams.GetRecords(ctx, &sdkstreams.GetRecordsInput{ShardIterator: it.ShardIterator})
	if err != nil {
		t.Fatal(err)
	}
	return out.Records
}

func TestSDKWalksShards(t *testing.T) {
	c := clock.Fixed(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	db, streams := dialAt(t, c)
	createOrders(t, db)
	for n := range 4 {
		if _, err := db.PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String("orders"), Item: attributes{"customer": text("a"), "id": number(n)}}); err != nil {
			t.Fatal(err)
		}
		c.Advance(3 * time.Hour)
	}
	list, err := streams.ListStreams(t.Context(), &sdkstreams.ListStreamsInput{})
	if err != nil {
		t.Fatal(err)
	}
	arn := list.Streams[0].StreamArn
	described, err := streams.DescribeStream(t.Context(), &sdkstreams.DescribeStreamInput{StreamArn: arn})
	if err != nil {
		t.Fatal(err)
	}
	children := map[string]streamtypes.Shard{}
	for _, shard := range described.StreamDescription.Shards {
		children[aws.ToString(shard.ParentShardId)] = shard
	}
	var found []string
	for shard, ok := children[""]; ok; shard, ok = children[*shard.ShardId] {
		it, err := streams.GetShardIterator(t.Context(), &sdkstreams.GetShardIteratorInput{StreamArn: arn, ShardId: shard.ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon})
		if err != nil {
			t.Fatal(err)
		}
		for next := it.ShardIterator; next != nil; {
			page, err := streams.GetRecords(t.Context(), &sdkstreams.GetRecordsInput{ShardIterator: next})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Records {
				found = append(found, r.Dynamodb.Keys["id"].(*streamtypes.AttributeValueMemberN).Value)
			}
			if next = page.NextShardIterator; len(page.Records) == 0 && shard.SequenceNumberRange.EndingSequenceNumber == nil {
				break
			}
		}
	}
	if len(children) != 4 || strings.Join(found, " ") != "0 1 2 3" {
		t.Errorf("in %d shards: %v", len(children), found)
	}
}
