package dynamodb

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// TestConcurrentWriters has writers that share commits, with conditions and transactions that fail among them: what fails
// must leave nothing, what succeeds must not be done twice.
func TestConcurrentWriters(t *testing.T) {
	s := openStream(t, "NEW_AND_OLD_IMAGES")
	const writers, rounds = 8, 40
	for w := range writers {
		s.must(t, "PutItem", fmt.Sprintf(`{"TableName":"things","Item":{"pk":{"S":"account"},"sk":{"N":"%d"},"n":{"N":"100"}}}`, w))
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	added := 0
	for w := range writers {
		group.Go(func() {
			for n := range rounds {
				out := s.call("UpdateItem", `{"TableName":"things","Key":{"pk":{"S":"counter"},"sk":{"N":"1"}},"UpdateExpression":"ADD n :one","ExpressionAttributeValues":{":one":{"N":"1"}}}`)
				if out != "{}" {
					t.Error(out)
				}
				// Only one of the writers wins each of these.
				out = s.call("PutItem", fmt.Sprintf(`{"TableName":"things","Item":{"pk":{"S":"race"},"sk":{"N":"%d"}},"ConditionExpression":"attribute_not_exists(pk)"}`, n))
				if out == "{}" {
					mu.Lock()
					added++
					mu.Unlock()
				} else if !strings.HasPrefix(out, "ConditionalCheckFailedException") {
					t.Error(out)
				}
				out = s.call("TransactWriteItems", fmt.Sprintf(`{"TransactItems":[
					{"Update":{"TableName":"things","Key":{"pk":{"S":"account"},"sk":{"N":"%d"}},"UpdateExpression":"SET n = n - :x","ConditionExpression":"n >= :x","ExpressionAttributeValues":{":x":{"N":"30"}}}},
					{"Update":{"TableName":"things","Key":{"pk":{"S":"account"},"sk":{"N":"%d"}},"UpdateExpression":"SET n = n + :x","ExpressionAttributeValues":{":x":{"N":"30"}}}}]}`,
					w, (w+1+n%(writers-1))%writers))
				if out != "{}" && !strings.HasPrefix(out, "TransactionCanceledException") {
					t.Error(out)
				}
			}
		})
	}
	group.Wait()
	if added != rounds {
		t.Errorf("%d conditional puts of %d items succeeded", added, rounds)
	}
	s.want(t, "GetItem", `{"TableName":"things","Key":{"pk":{"S":"counter"},"sk":{"N":"1"}}}`,
		fmt.Sprintf(`{"Item":{"n":{"N":"%d"},"pk":{"S":"counter"},"sk":{"N":"1"}}}`, writers*rounds))
	a := decode[struct {
		Items []struct {
			N struct {
				N int `json:",string"`
			}
		}
	}](t, s.must(t, "Query",
		`{"TableName":"things","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"account"}}}`))
	sum := 0
	for _, i := range a.Items {
		sum += i.N.N
	}
	if sum != 100*writers {
		t.Errorf("the accounts hold %d, want %d", sum, 100*writers)
	}
	s.checkTable(t, 0)
	s.checkStream(t)
}

// checkStream checks that the stream's records, played in order, make the table.
func (s *streamed) checkStream(t *testing.T) {
	t.Helper()
	state, previous := map[string]string{}, ""
	for next := s.iterator("TRIM_HORIZON", ""); ; {
		r := decode[struct {
			Records []struct {
				Dynamodb struct {
					Keys, OldImage, NewImage any
					SequenceNumber           string
				}
			}
			NextShardIterator string
		}](t, s.must(t, "GetRecords", `{"ShardIterator":"`+next+`"}`))
		if len(r.Records) == 0 {
			break
		}
		for _, rec := range r.Records {
			d := rec.Dynamodb
			if d.SequenceNumber <= previous {
				t.Errorf("record %s after %s", d.SequenceNumber, previous)
			}
			key := fmt.Sprint(d.Keys)
			if old := fmt.Sprint(d.OldImage); d.OldImage != nil && old != state[key] || d.OldImage == nil && state[key] != "" {
				t.Errorf("record %s changes %s, but it was %s", d.SequenceNumber, old, state[key])
			}
			if previous = d.SequenceNumber; d.NewImage == nil {
				delete(state, key)
			} else {
				state[key] = fmt.Sprint(d.NewImage)
			}
		}
		next = r.NextShardIterator
	}
	whole, _ := s.pages(t, "Scan", `{"TableName":"things"}`)
	if len(whole) != len(state) {
		t.Errorf("the stream makes %d items, the table has %d", len(state), len(whole))
	}
}
