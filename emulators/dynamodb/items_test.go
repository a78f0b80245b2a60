package dynamodb

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// Over HTTP lists are written into memory that many answers use one after the other; in process each has its own.
func TestListsOverHTTPAreThoseInProcess(t *testing.T) {
	c := open(t)
	c.must(t, "CreateTable", createPK)
	c.must(t, "CreateTable", strings.Replace(createPK, `"things"`, `"others"`, 1))
	for n := range 60 {
		for _, table := range []string{"things", "others"} {
			c.must(t, "PutItem", fmt.Sprintf(`{"TableName":"%s","Item":{"pk":{"S":"p%d"},"sk":{"N":"%d"},"of":{"S":"%s"},"text":{"S":"%s"}}}`,
				table, n%3, n, table, strings.Repeat("é", n*n)))
		}
	}
	key := func(n int) string { return fmt.Sprintf(`{"pk":{"S":"p%d"},"sk":{"N":"%d"}}`, n%3, n) }
	asks := [][2]string{
		{"Query", `{"TableName":"things","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"p1"}}}`},
		{"Query", `{"TableName":"things","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"none"}},"ReturnConsumedCapacity":"TOTAL"}`},
		{"Query", `{"TableName":"others","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"p2"}},"Select":"COUNT"}`},
		{"Scan", `{"TableName":"things","Limit":7,"ReturnConsumedCapacity":"TOTAL"}`},
		{"Scan", `{"TableName":"others","ProjectionExpression":"pk,sk"}`},
		{"Scan", `{"TableName":"nowhere"}`},
		{"BatchGetItem", `{"RequestItems":{"things":{"Keys":[` + key(1) + `,` + key(59) + `]},"others":{"Keys":[` + key(58) + `,` + key(2) + `,` + key(3) + `]}}}`},
		{"BatchGetItem", `{"RequestItems":{"others":{"Keys":[` + key(1000) + `]},"things":{"Keys":[` + key(9) + `]}}}`},
		{"BatchGetItem", `{"RequestItems":{"others":{"Keys":[` + key(9) + `]},"nowhere":{"Keys":[` + key(9) + `]}}}`},
		{"ExecuteStatement", `{"Statement":"SELECT * FROM things WHERE pk IN ['p0','p1']","Limit":30}`},
	}
	var all sync.WaitGroup
	defer all.Wait()
	for _, ask := range asks {
		want := c.call(ask[0], ask[1])
		all.Go(func() {
			for range 20 {
				r := httptest.NewRequest("POST", "/", strings.NewReader(ask[1]))
				r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+ask[0])
				w := httptest.NewRecorder()
				c.ServeHTTP(w, r)
				if got := w.Body.String(); got != want && w.Code == 200 || w.Code != 200 && !strings.Contains(got, "ResourceNotFound") {
					t.Errorf("%s %s\n%s\nin process\n%s", ask[0], ask[1], got, want)
					return
				}
			}
		})
	}
}

func TestPlainItemsComeBack(t *testing.T) {
	var none, list Items
	if plain := none.Plain().([]map[string]plainValue); plain != nil {
		t.Errorf("no list is %v", plain)
	}
	list = newItems(nil).add(newRecord(nil), nil).join(newItems(nil)).join(newItems(nil).add(newRecord(nil), nil))
	list.SetPlain(list.Plain())
	if got := string(list.AppendJSON([]byte(`{"Items":`))); got != `{"Items":[{},{}]` {
		t.Error(got)
	}
}
