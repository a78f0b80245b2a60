package dynamodb

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// answer is what these tests look at in an output of Query and Scan.
type answer struct {
	Items            []json.RawMessage
	Count            int
	ScannedCount     int
	LastEvaluatedKey json.RawMessage
	ConsumedCapacity struct{ CapacityUnits float64 }
}

const createPK = `{"TableName":"things","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"}],
	"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],"BillingMode":"PAY_PER_REQUEST"}`

// pages calls Query or Scan until there is no LastEvaluatedKey.
func (c *cloud) pages(t *testing.T, operation, input string) (all []json.RawMessage, pages []answer) {
	t.Helper()
	start := ""
	for len(pages) < 1000 {
		a := decode[answer](t, c.must(t, operation, strings.TrimSuffix(input, "}")+start+"}"))
		all, pages = append(all, a.Items...), append(pages, a)
		if a.LastEvaluatedKey == nil {
			return all, pages
		}
		start = `,"ExclusiveStartKey":` + string(a.LastEvaluatedKey)
	}
	t.Fatal("the pages have no end")
	return nil, nil
}

func TestPageEndsWithTheItemThatPassesOneMegabyte(t *testing.T) {
	c := open(t)
	c.must(t, "CreateTable", createPK)
	// Items of 1042 bytes, as on https://www.dbi-services.com/blog/dynamodb-scan-pagination/
	body := strings.Repeat("x", 1042-len("pk")-1-len("sk")-3-len("body"))
	for n := range 1100 {
		c.must(t, "PutItem", fmt.Sprintf(`{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"%d"},"body":{"S":"%s"}}}`, 1000+n*3+1, body))
	}
	all, pages := c.pages(t, "Query", `{"TableName":"things","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"a"}},"ReturnConsumedCapacity":"TOTAL"}`)
	if len(all) != 1100 || len(pages) != 2 || pages[0].Count != 1007 || pages[0].ConsumedCapacity.CapacityUnits != 128.5 {
		t.Errorf("%d items in %d pages, the first has %d for %v units; want 1100 in 2, 1007, 128.5",
			len(all), len(pages), pages[0].Count, pages[0].ConsumedCapacity.CapacityUnits)
	}
}

func TestPagesJoinToTheWhole(t *testing.T) {
	c := open(t)
	c.must(t, "CreateTable", createPK)
	for n := -20; n < 20; n++ {
		c.must(t, "PutItem", fmt.Sprintf(`{"TableName":"things","Item":{"pk":{"S":"p%d"},"sk":{"N":"%d.5"}}}`, n&1, n))
	}
	query := `{"TableName":"things","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"p1"}}%s}`
	for _, tt := range []struct{ name, operation, input string }{
		{"a query forward", "Query", fmt.Sprintf(query, "")},
		{"a query backward", "Query", fmt.Sprintf(query, `,"ScanIndexForward":false`)},
		{"a scan", "Scan", `{"TableName":"things"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			whole, _ := c.pages(t, tt.operation, tt.input)
			for _, limit := range []int{1, 3, 7, len(whole), 100} {
				got, pages := c.pages(t, tt.operation, strings.TrimSuffix(tt.input, "}")+fmt.Sprintf(`,"Limit":%d}`, limit))
				if !equal(got, whole) {
					t.Errorf("pages of %d: %s\nwant %s", limit, got, whole)
				}
				// A page that is full has a LastEvaluatedKey, even if nothing follows.
				if want := len(whole)/limit + 1; len(pages) != want {
					t.Errorf("pages of %d: %d of them, want %d", limit, len(pages), want)
				}
			}
		})
	}
}

func equal(a, b []json.RawMessage) bool {
	return slices.EqualFunc(a, b, func(x, y json.RawMessage) bool { return string(x) == string(y) })
}

func TestSegmentsShareTheTable(t *testing.T) {
	c := open(t)
	c.must(t, "CreateTable", createPK)
	for n := range 200 {
		c.must(t, "PutItem", fmt.Sprintf(`{"TableName":"things","Item":{"pk":{"S":"%d"},"sk":{"N":"1"}}}`, n))
	}
	whole, _ := c.pages(t, "Scan", `{"TableName":"things"}`)
	for _, total := range []int{1, 2, 3, 7, 1000000} {
		var got []json.RawMessage
		for segment := range min(total, 7) {
			part, _ := c.pages(t, "Scan", fmt.Sprintf(`{"TableName":"things","Limit":9,"Segment":%d,"TotalSegments":%d}`, segment, total))
			got = append(got, part...)
			if total > 1 && total <= 7 && len(part) < 200/total/2 {
				t.Errorf("segment %d of %d has only %d of 200 items", segment, total, len(part))
			}
		}
		if total <= 7 && !equal(got, whole) {
			t.Errorf("%d segments have %d items together, want the 200 of the whole in its order", total, len(got))
		}
	}
}

func TestSortKeyConditions(t *testing.T) {
	c := open(t)
	c.must(t, "CreateTable", strings.ReplaceAll(createPK, `"sk","AttributeType":"N"`, `"sk","AttributeType":"S"`))
	for _, sk := range []string{"a", "ab", "abc", "b", "ba", "c"} {
		c.must(t, "PutItem", fmt.Sprintf(`{"TableName":"things","Item":{"pk":{"S":"p"},"sk":{"S":"%s"}}}`, sk))
		c.must(t, "PutItem", fmt.Sprintf(`{"TableName":"things","Item":{"pk":{"S":"other"},"sk":{"S":"%s"}}}`, sk))
	}
	for _, tt := range []struct{ condition, low, high, want string }{
		{"sk = :l", "ab", "", "ab"},
		{"sk < :l", "ab", "", "a"},
		{"sk <= :l", "ab", "", "a ab"},
		{"sk > :l", "ab", "", "abc b ba c"},
		{"sk >= :l", "ab", "", "ab abc b ba c"},
		{"sk BETWEEN :l AND :h", "ab", "b", "ab abc b"},
		{"begins_with(sk, :l)", "ab", "", "ab abc"},
		{"begins_with(sk, :l)", "d", "", ""},
	} {
		for _, forward := range []bool{true, false} {
			t.Run(fmt.Sprint(tt.condition, " forward ", forward), func(t *testing.T) {
				high := ""
				if tt.high != "" {
					high = `,":h":{"S":"` + tt.high + `"}`
				}
				a := decode[struct {
					Items []struct{ Sk struct{ S string } }
				}](t, c.must(t, "Query", fmt.Sprintf(
					`{"TableName":"things","KeyConditionExpression":"pk = :p AND %s","ExpressionAttributeValues":{":p":{"S":"p"},":l":{"S":"%s"}%s},"ScanIndexForward":%v}`,
					tt.condition, tt.low, high, forward)))
				var got []string
				for _, i := range a.Items {
					got = append(got, i.Sk.S)
				}
				if !forward {
					slices.Reverse(got)
				}
				if strings.Join(got, " ") != tt.want {
					t.Errorf("got %q, want %q", strings.Join(got, " "), tt.want)
				}
			})
		}
	}
}
