package dynamodb

import (
	"fmt"
	"strings"
	"testing"
)

// TestAReadCostsWhatItReturns counts the keys that reads go over in a small table and in one that is fifty times as large: the
// same number, and few more than they return.
func TestAReadCostsWhatItReturns(t *testing.T) {
	small, large := filledTable(t, 2), filledTable(t, 100)
	for _, tt := range []struct {
		name, operation, input string
		most                   int // keys read
	}{
		{"an item", "GetItem", `{"TableName":"things","Key":{"pk":{"S":"p1"},"sk":{"N":"7"}}}`, 3},
		{"an item that is not there", "GetItem", `{"TableName":"things","Key":{"pk":{"S":"p1"},"sk":{"N":"700"}}}`, 3},
		{"a partition", "Query", `{"TableName":"things","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"p1"}}}`, 50 + 3},
		{"its first items", "Query", `{"TableName":"things","KeyConditionExpression":"pk = :p","Limit":5,"ExpressionAttributeValues":{":p":{"S":"p1"}}}`, 5 + 3},
		{"its last items", "Query", `{"TableName":"things","KeyConditionExpression":"pk = :p","Limit":5,"ScanIndexForward":false,"ExpressionAttributeValues":{":p":{"S":"p1"}}}`, 5 + 3},
		{"from the middle of it", "Query", `{"TableName":"things","KeyConditionExpression":"pk = :p AND sk > :s","Limit":5,"ExpressionAttributeValues":{":p":{"S":"p1"},":s":{"N":"40"}}}`, 5 + 3},
		{"a page that begins with a key", "Query", `{"TableName":"things","KeyConditionExpression":"pk = :p","Limit":5,"ExclusiveStartKey":{"pk":{"S":"p1"},"sk":{"N":"40"}},"ExpressionAttributeValues":{":p":{"S":"p1"}}}`, 5 + 3},
		{"entries of an index", "Query", `{"TableName":"things","IndexName":"by_g","KeyConditionExpression":"g = :g","Limit":5,"ExpressionAttributeValues":{":g":{"S":"group"}}}`, 5 + 3},
		{"a page of a scan", "Scan", `{"TableName":"things","Limit":5}`, 5 + 3},
		{"a page of one segment", "Scan", `{"TableName":"things","Limit":5,"TotalSegments":4,"Segment":1}`, 5 + 3},
		{"a batch", "BatchGetItem", `{"RequestItems":{"things":{"Keys":[{"pk":{"S":"p1"},"sk":{"N":"7"}},{"pk":{"S":"p0"},"sk":{"N":"9"}}]}}}`, 2*2 + 3},
		{"a description", "DescribeTable", `{"TableName":"things"}`, 6},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cost := func(c *cloud) int {
				before := c.store.Read()
				c.must(t, tt.operation, tt.input)
				return c.store.Read() - before
			}
			cost(small) // which may look at the table for the first time
			cost(large)
			if few, many := cost(small), cost(large); many != few || many > tt.most || few == 0 {
				t.Errorf("it reads %d keys of a small table and %d of a large one, want the same, %d at most", few, many, tt.most)
			}
		})
	}
}

// filledTable has a number of partitions of fifty items, all in one partition of the index.
func filledTable(t *testing.T, partitions int) *cloud {
	c := open(t)
	c.must(t, "CreateTable", `{"TableName":"things","BillingMode":"PAY_PER_REQUEST",
		"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"},{"AttributeName":"g","AttributeType":"S"}],
		"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
		"GlobalSecondaryIndexes":[{"IndexName":"by_g","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}]}`)
	for p := range partitions {
		for first := 0; first < 50; first += 25 {
			var puts []string
			for n := first; n < first+25; n++ {
				puts = append(puts, fmt.Sprintf(`{"PutRequest":{"Item":{"pk":{"S":"p%d"},"sk":{"N":"%d"},"g":{"S":"group"}}}}`, p, n))
			}
			c.must(t, "BatchWriteItem", `{"RequestItems":{"things":[`+strings.Join(puts, ",")+`]}}`)
		}
	}
	return c
}
