package main

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
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
