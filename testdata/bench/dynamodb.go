package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// What DynamoDB's operations are held to, as shares of what the bare handler does in the same run.
const (
	getBudget    = 0.60
	putBudget    = 0.40
	queryBudget  = 0.50
	updateBudget = 0.70 // of PutItem

	latencyBudget = 150 * time.Microsecond // of a Get or a Put, p50 at one connection
	tailBudget    = 3                      // times the bare handler's p99 at eight
)

const (
	smallTable = 1000 // items
	partition  = 100  // items of one partition key, which is what a Query reads
	preparedUp = 4096 // different requests of a load at most
)

// dynamodb measures the operations that applications live on, on random items of 1 KB in a table of a thousand.
func (b *bench) dynamodb(ctx context.Context) error {
	loads := dynamoLoads(smallTable)
	p, err := b.pair(ctx, fillTable(smallTable), loads)
	if err != nil {
		return err
	}
	for _, connections := range []int{1, 8, 64} {
		if err := b.dynamoRows(ctx, p, loads, connections); err != nil {
			return errors.Join(err, p.stop())
		}
	}
	return p.stop()
}

// dynamoRows measures all loads over a number of connections.
func (b *bench) dynamoRows(ctx context.Context, p *pair, loads []load, connections int) error {
	for i, l := range loads {
		c, err := p.compare(ctx, l, connections)
		if err != nil {
			return err
		}
		budget := []float64{getBudget, putBudget, queryBudget, 0}[i]
		if connections == 1 {
			budget = 0
		}
		b.add(c.row(fmt.Sprintf("dynamodb %s, %d connections", l.name, connections), budget))
		single := i < 2 // a Get or a Put
		if single && connections == 1 {
			b.add(c.latencyRow())
		}
		if single && connections == 8 {
			b.add(c.tailRow())
		}
		if c.bare.cpu() > 0 && connections == 8 {
			b.add(c.cpuRow("  the server's processor time"))
		}
	}
	put, update := &side{server: p.devstack, load: loads[1]}, &side{server: p.devstack, load: loads[3]}
	if err := takeTurns(ctx, connections, put, update); err != nil {
		return err
	}
	b.add(rateRow(fmt.Sprintf("dynamodb %s, %d connections", update.name, connections), update, put, "PutItem", updateBudget))
	return nil
}

// latencyRow tells how long a request takes.
func (c comparison) latencyRow() row {
	p50, bare := median(c.devstack.took), median(c.bare.took)
	return row{
		what: "  p50", figure: us(p50), reference: us(bare) + " bare handler", ratio: float64(p50) / float64(bare),
		budget: "< " + us(latencyBudget), missed: p50 >= latencyBudget,
	}
}

// tailRow tells what one request in a hundred takes at least.
func (c comparison) tailRow() row {
	p99, bare := quantile(c.devstack.took, 0.99), quantile(c.bare.took, 0.99)
	ratio := float64(p99) / float64(bare)
	return row{what: "  p99", figure: us(p99), reference: us(bare) + " bare handler", ratio: ratio, budget: fmt.Sprintf("≤ %d ×", tailBudget), missed: ratio > tailBudget}
}

// text makes an item one of about 1 KB.
var text = strings.Repeat("x", 1000)

// dynamoKey is the key of the n-th of a table's items. Neighbours in this count lie in different partitions.
func dynamoKey(n, items int) string {
	partitions := items / partition
	return fmt.Sprintf(`"customer":{"S":"c%06d"},"id":{"S":"%04d"}`, n%partitions, n/partitions)
}

// total is a number in each item, which a Put changes: what is put again as it is there already is not written.
const total = "450000000"

func dynamoItem(n, items int) string {
	return `{` + dynamoKey(n, items) + `,"status":{"S":"PLACED"},"total":{"N":"` + total + `"},"text":{"S":"` + text + `"}}`
}

// fillTable is the requests that make a table and its items.
func fillTable(items int) [][]byte {
	asks := [][]byte{createTable}
	for n := 0; n < items; n += batchSize {
		asks = append(asks, batchWrite(n, items))
	}
	return asks
}

var createTable = dynamoRequest("CreateTable", `{"TableName":"bench","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"customer","KeyType":"HASH"},`+
	`{"AttributeName":"id","KeyType":"RANGE"}],"AttributeDefinitions":[{"AttributeName":"customer","AttributeType":"S"},{"AttributeName":"id","AttributeType":"S"}]}`)

// batchSize is how many items a BatchWriteItem takes at most.
const batchSize = 25

// batchWrite puts a batch of a table's items, from the n-th on.
func batchWrite(n, items int) []byte {
	var body strings.Builder
	body.WriteString(`{"RequestItems":{"bench":[`)
	for i := n; i < n+batchSize; i++ {
		if i > n {
			body.WriteByte(',')
		}
		body.WriteString(`{"PutRequest":{"Item":` + dynamoItem(i, items) + `}}`)
	}
	body.WriteString(`]}}`)
	return dynamoRequest("BatchWriteItem", body.String())
}

// dynamoLoads are the operations that are measured, each on random items of a table.
func dynamoLoads(items int) []load {
	random := rand.New(rand.NewPCG(1, 2))
	make := func(name, operation string, body func(n int) string) load {
		l := load{name: name, target: "DynamoDB_20120810." + operation}
		for range min(items, preparedUp) {
			l.asks = append(l.asks, dynamoRequest(operation, body(random.IntN(items))))
		}
		return l
	}
	loads := []load{
		make("GetItem of 1 KB", "GetItem", func(n int) string { return `{"TableName":"bench","Key":{` + dynamoKey(n, items) + `}}` }),
		make("PutItem of 1 KB", "PutItem", func(n int) string { return `{"TableName":"bench","Item":` + dynamoItem(n, items) + `}` }),
		make("Query of 100 items of 1 KB", "Query", func(n int) string {
			return fmt.Sprintf(`{"TableName":"bench","KeyConditionExpression":"customer = :c","ExpressionAttributeValues":{":c":{"S":"c%06d"}}}`, n%(items/partition))
		}),
		make("UpdateItem with a condition", "UpdateItem", func(n int) string {
			return `{"TableName":"bench","Key":{` + dynamoKey(n, items) + `},"UpdateExpression":"SET #t = #t + :one","ConditionExpression":"#s = :placed",` +
				`"ExpressionAttributeNames":{"#s":"status","#t":"total"},"ExpressionAttributeValues":{":one":{"N":"1"},":placed":{"S":"PLACED"}}}`
		}),
	}
	loads[1].vary = bytes.Index(loads[1].asks[0], []byte(total))
	return loads
}
