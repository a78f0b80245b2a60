package dynamodb

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"devstack/emulators/store"
)

// TestIndexesEqualARecomputation writes at random and compares what the indexes, the counts and the list of expiries hold
// with what follows from the items.
func TestIndexesEqualARecomputation(t *testing.T) {
	c := open(t)
	c.must(t, "CreateTable", `{"TableName":"things","BillingMode":"PAY_PER_REQUEST",
		"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"},{"AttributeName":"g","AttributeType":"S"},{"AttributeName":"n","AttributeType":"N"}],
		"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
		"LocalSecondaryIndexes":[{"IndexName":"local","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"n","KeyType":"RANGE"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}],
		"GlobalSecondaryIndexes":[
			{"IndexName":"all","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}},
			{"IndexName":"some","KeySchema":[{"AttributeName":"g","KeyType":"HASH"},{"AttributeName":"n","KeyType":"RANGE"}],"Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["x"]}}]}`)
	c.must(t, "UpdateTimeToLive", `{"TableName":"things","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"e"}}`)
	rng := rand.New(rand.NewPCG(1, 2))
	for step := range 1500 {
		c.call(randomWrite(rng))
		switch step {
		case 500:
			c.must(t, "UpdateTable", `{"TableName":"things","AttributeDefinitions":[{"AttributeName":"x","AttributeType":"S"}],
				"GlobalSecondaryIndexUpdates":[{"Create":{"IndexName":"late","KeySchema":[{"AttributeName":"x","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}}]}`)
		case 700:
			c.clock.Advance(200 * 1e9) // some have expired
		case 900:
			c.must(t, "UpdateTable", `{"TableName":"things","GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"all"}}]}`)
		}
		if step%100 == 0 || step == 1499 {
			c.checkTable(t, step)
		}
	}
}

// randomWrite makes a call that changes items of a small table.
func randomWrite(rng *rand.Rand) (operation, input string) {
	pick := func(values ...string) string { return values[rng.IntN(len(values))] }
	key := func() string {
		return fmt.Sprintf(`"pk":{"S":"%s"},"sk":{"N":"%d"}`, pick("a", "b", "c"), rng.IntN(6)-2)
	}
	item := func() string {
		return key() + pick(``, `,"g":{"S":"red"}`, `,"g":{"S":"blue"}`) + pick(``, `,"n":{"N":"-1.5"}`, `,"n":{"N":"7"}`) +
			pick(``, `,"x":{"S":"1"}`, `,"x":{"S":"2"}`) + pick(``, fmt.Sprintf(`,"e":{"N":"%d"}`, start.Unix()+int64(rng.IntN(400))), `,"e":{"S":"never"}`)
	}
	update := func() string {
		return `"Key":{` + key() + `},"UpdateExpression":"` + pick("SET g = :s", "REMOVE g", "SET n = :n", "REMOVE n, x", "SET x = :s, n = :n, y = :n", "SET g = :n", "SET e = :n") + `"`
	}
	values := func(s string) string { // only those that the expression uses
		var all []string
		if strings.Contains(s, ":s") {
			all = append(all, `":s":{"S":"`+pick("red", "green", "2")+`"}`)
		}
		if strings.Contains(s, ":n") {
			all = append(all, `":n":{"N":"`+pick("7", "0", "1e3")+`"}`)
		}
		if all == nil {
			return s
		}
		return s + `,"ExpressionAttributeValues":{` + strings.Join(all, ",") + `}`
	}
	switch rng.IntN(6) {
	case 0:
		return "DeleteItem", `{"TableName":"things","Key":{` + key() + `}}`
	case 1, 2:
		return "UpdateItem", `{"TableName":"things",` + values(update()) + `}`
	case 3:
		return "BatchWriteItem", `{"RequestItems":{"things":[{"PutRequest":{"Item":{` + item() + `}}},{"DeleteRequest":{"Key":{` + key() + `}}},{"PutRequest":{"Item":{` + item() + `}}}]}}`
	case 4:
		return "TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"things","Item":{` + item() + `}}},{"Update":{"TableName":"things",` + values(update()) +
			`}},{"Delete":{"TableName":"things","Key":{` + key() + `},"ConditionExpression":"attribute_exists(g)"}}]}`
	}
	return "PutItem", `{"TableName":"things","Item":{` + item() + `}}`
}

// checkTable compares all that is kept of the table things with what follows from its items.
func (c *cloud) checkTable(t *testing.T, step int) {
	t.Helper()
	c.checkTableOf(t, "things", step)
}

func (c *cloud) checkTableOf(t *testing.T, name string, step int) {
	t.Helper()
	err := c.store.View(func(tx *store.Tx) error {
		tab, _ := tables.Get(tx, "000000000000", "us-east-1", name)
		var total counts
		indexes, entries, expiries := make([]counts, len(tab.Indexes)), make([]map[string]string, len(tab.Indexes)), map[string]string{}
		for key, value := range tx.Bucket(tab.items()).Ascend(nil) {
			total.items++
			total.bytes += int64(record(value).size())
			i, err := record(value).decode()
			if err != nil || i.Size() != record(value).size() {
				t.Errorf("step %d: an item of %d bytes says that it has %d (%v)", step, i.Size(), record(value).size(), err)
			}
			for n := range tab.Indexes {
				if e, ok := tab.entryOf(&tab.Indexes[n], record(value), key); ok {
					set(&entries[n], string(e.key), string(e.value))
					indexes[n].items++
					indexes[n].bytes += int64(e.value.size())
				}
			}
			if at, ok := expiryOf(tab.TTL, record(value)); ok {
				expiries[string(expiryKey(at, key))] = ""
			}
		}
		if got := tab.count(tx, nil); got != total {
			t.Errorf("step %d: the table counts %v, has %v", step, got, total)
		}
		for n := range tab.Indexes {
			x := &tab.Indexes[n]
			if got := tab.count(tx, x); got != indexes[n] {
				t.Errorf("step %d: index %s counts %v, has %v", step, x.Name, got, indexes[n])
			}
			sameBucket(t, fmt.Sprint("step ", step, ": index ", x.Name), tx.Bucket(tab.entries(x)), entries[n])
		}
		sameBucket(t, fmt.Sprint("step ", step, ": expiries"), tx.Bucket(tab.expiries()), expiries)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func sameBucket(t *testing.T, what string, b store.Bucket, want map[string]string) {
	t.Helper()
	n := 0
	for key, value := range b.Ascend(nil) {
		n++
		if w, ok := want[string(key)]; !ok || !bytes.Equal(value, []byte(w)) {
			t.Errorf("%s: %q is %q, want %q", what, key, value, w)
		}
	}
	if n != len(want) {
		t.Errorf("%s: %d entries, want %d", what, n, len(want))
	}
}
