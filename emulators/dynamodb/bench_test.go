package dynamodb

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"devstack/emulators/dynamodb/item"
)

// benchTable opens a table with n items of 1 KB, a hundred to a partition.
func benchTable(b *testing.B, n int) *cloud {
	c := open(b)
	c.must(b, "CreateTable", createPK)
	body := strings.Repeat("x", 1000)
	for i := 0; i < n; i += 25 {
		var puts []WriteRequest
		for k := i; k < i+25; k++ {
			puts = append(puts, WriteRequest{PutRequest: &PutRequest{Item: benchItem(k, body)}})
		}
		in := &BatchWriteItemInput{RequestItems: map[string][]WriteRequest{"things": puts}}
		if err := c.Call(context.Background(), "dynamodb", "BatchWriteItem", in, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	return c
}

func benchKey(n int) Attributes { return wireItem(benchKeyItem(n)) }

func benchKeyItem(n int) item.Item {
	sk, _ := item.ParseNum(fmt.Sprint(n % 100))
	return item.Item{"pk": item.String(fmt.Sprintf("p%d", n/100)), "sk": sk}
}

func benchItem(n int, body string) Attributes {
	i := benchKeyItem(n)
	i["body"] = item.String(body)
	return wireItem(i)
}

func (c *cloud) bench(b *testing.B, operation string, in func(n int) any) {
	b.RunParallel(func(pb *testing.PB) {
		for n := 0; pb.Next(); n = (n + 7919) % 1000 {
			if err := c.Call(context.Background(), "dynamodb", operation, in(n), nil); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkGetItem(b *testing.B) {
	c := benchTable(b, 1000)
	c.bench(b, "GetItem", func(n int) any { return &GetItemInput{TableName: new("things"), Key: benchKey(n)} })
}

func BenchmarkPutItem(b *testing.B) {
	c, body := benchTable(b, 1000), strings.Repeat("y", 1000)
	c.bench(b, "PutItem", func(n int) any { return &PutItemInput{TableName: new("things"), Item: benchItem(n, body)} })
}

func BenchmarkUpdateItem(b *testing.B) {
	c := benchTable(b, 1000)
	one, _ := item.ParseNum("1")
	c.bench(b, "UpdateItem", func(n int) any {
		return &UpdateItemInput{TableName: new("things"), Key: benchKey(n), UpdateExpression: new("ADD n :one"), ConditionExpression: new("attribute_exists(pk)"),
			ExpressionAttributeValues: map[string]AttributeValue{":one": wireValue(one)}}
	})
}

func BenchmarkQuery100(b *testing.B) {
	c := benchTable(b, 1000)
	c.bench(b, "Query", func(n int) any {
		return &QueryInput{TableName: new("things"), KeyConditionExpression: new("pk = :p"),
			ExpressionAttributeValues: map[string]AttributeValue{":p": wireValue(item.String(fmt.Sprintf("p%d", n/100)))}}
	})
}
