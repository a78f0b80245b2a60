package dynamodb

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"devstack/emulators/store"
	"devstack/internal/clock"
)

// recoverable is a table with indexes and point-in-time recovery.
func (c *cloud) recoverable(t *testing.T, days int) {
	t.Helper()
	c.must(t, "CreateTable", `{"TableName":"things","BillingMode":"PAY_PER_REQUEST",
		"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"},{"AttributeName":"g","AttributeType":"S"},{"AttributeName":"n","AttributeType":"N"}],
		"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
		"LocalSecondaryIndexes":[{"IndexName":"local","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"n","KeyType":"RANGE"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}],
		"GlobalSecondaryIndexes":[{"IndexName":"by_g","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}]}`)
	c.must(t, "UpdateContinuousBackups", fmt.Sprintf(`{"TableName":"things","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true,"RecoveryPeriodInDays":%d}}`, days))
}

// restoreTo restores things to an instant and returns what the restored table has.
func (c *cloud) restoreTo(t *testing.T, name string, at time.Time) string {
	t.Helper()
	c.must(t, "RestoreTableToPointInTime", fmt.Sprintf(`{"SourceTableName":"things","TargetTableName":"%s","RestoreDateTime":%.3f}`, name, float64(at.UnixMilli())/1000))
	c.checkTableOf(t, name, 0)
	return c.must(t, "Scan", `{"TableName":"`+name+`"}`)
}

// entries counts what is in a bucket of the table things.
func (c *cloud) entries(t *testing.T, bucket func(*table) string) (n int) {
	t.Helper()
	err := c.store.View(func(tx *store.Tx) error {
		things, _ := tables.Get(tx, "000000000000", "us-east-1", "things")
		for range tx.Bucket(bucket(&things)).Ascend(nil) {
			n++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestEachInstantCanBeRestored writes at random, with the emulator started anew in between, and restores what was seen.
func TestEachInstantCanBeRestored(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dynamodb.db")
	c := openAt(t, path, clock.Fixed(start))
	c.recoverable(t, 35)
	rng := rand.New(rand.NewPCG(3, 4))
	type seen struct {
		at   time.Time
		have string
	}
	var all []seen
	for step := range 200 {
		for range rng.IntN(4) {
			c.call(randomWrite(rng))
		}
		all = append(all, seen{c.clock.Now(), c.must(t, "Scan", `{"TableName":"things"}`)})
		c.clock.Advance(time.Duration(1+rng.IntN(1500)) * time.Millisecond)
		if step == 100 {
			c.store.Close()
			c = openAt(t, path, clock.Fixed(c.clock.Now()))
		}
	}
	for n, s := range all {
		if got := c.restoreTo(t, fmt.Sprintf("copy%d", n), s.at); got != s.have {
			t.Fatalf("step %d, at %v:\n got %s\nwant %s", n, s.at, got, s.have)
		}
	}
}

func TestRestoreTakesBackWhatExpired(t *testing.T) {
	c := open(t)
	c.recoverable(t, 1)
	c.must(t, "UpdateTimeToLive", `{"TableName":"things","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"e"}}`)
	c.must(t, "PutItem", fmt.Sprintf(`{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"e":{"N":"%d"}}}`, start.Unix()+60))
	c.clock.Advance(time.Hour)
	c.want(t, "Scan", `{"TableName":"things","Select":"COUNT"}`, `{"Count":0,"ScannedCount":0}`)
	want := fmt.Sprintf(`{"Items":[{"e":{"N":"%d"},"pk":{"S":"a"},"sk":{"N":"1"}}],"Count":1,"ScannedCount":1}`, start.Unix()+60)
	if got := c.restoreTo(t, "copy", start.Add(time.Minute)); got != want {
		t.Errorf("restored: %s", got)
	}
	c.clock.Advance(time.Hour)
	c.want(t, "Scan", `{"TableName":"copy","Select":"COUNT"}`, `{"Count":1,"ScannedCount":1}`) // time to live is not restored
}

// A replica has a recovery of its own, which takes back what others have written.
func TestReplicaIsRestored(t *testing.T) {
	c := open(t)
	c.must(t, "CreateTable", strings.TrimSuffix(onePK, "}")+`,"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}`)
	c.must(t, "UpdateTable", `{"TableName":"things","ReplicaUpdates":[{"Create":{"RegionName":"eu-west-1"}}]}`)
	must := func(operation, input string) string {
		out := c.in("eu-west-1", operation, input)
		if !strings.HasPrefix(out, "{") {
			t.Fatalf("%s(%s): %s", operation, input, out)
		}
		return out
	}
	must("UpdateContinuousBackups", `{"TableName":"things","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true}}`)
	for n := range 3 {
		c.clock.Advance(10 * time.Second)
		c.must(t, "PutItem", fmt.Sprintf(`{"TableName":"things","Item":{"pk":{"S":"a"},"n":{"N":"%d"}}}`, n))
	}
	c.must(t, "DeleteItem", `{"TableName":"things","Key":{"pk":{"S":"a"}}}`)
	must("RestoreTableToPointInTime", fmt.Sprintf(`{"SourceTableName":"things","TargetTableName":"copy","RestoreDateTime":%d}`, start.Unix()+25))
	if got := must("GetItem", `{"TableName":"copy","Key":{"pk":{"S":"a"}}}`); got != `{"Item":{"n":{"N":"1"},"pk":{"S":"a"}}}` {
		t.Errorf("restored: %s", got)
	}
	if d := must("DescribeTable", `{"TableName":"copy"}`); strings.Contains(d, "Replicas") || strings.Contains(d, "StreamSpecification") {
		t.Errorf("it has left the group: %s", d)
	}
	c.want(t, "DescribeContinuousBackups", `{"TableName":"things"}`,
		`{"ContinuousBackupsDescription":{"ContinuousBackupsStatus":"ENABLED","PointInTimeRecoveryDescription":{"PointInTimeRecoveryStatus":"DISABLED"}}}`)
}

func TestJournalIsTrimmed(t *testing.T) {
	c := open(t)
	c.recoverable(t, 1)
	put := func(n int) {
		c.must(t, "PutItem", fmt.Sprintf(`{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"v":{"N":"%d"}}}`, n))
	}
	for n := range 10 {
		put(n)
	}
	c.clock.Advance(25 * time.Hour)
	for n := range 10 {
		put(10 + n)
	}
	if n := c.entries(t, (*table).journal); n != 10 {
		t.Errorf("%d entries of the second day are left of both", n)
	}
	earliest := c.clock.Now().Add(-24 * time.Hour)
	if got, want := c.restoreTo(t, "copy", earliest), `{"Items":[{"pk":{"S":"a"},"sk":{"N":"1"},"v":{"N":"9"}}],"Count":1,"ScannedCount":1}`; got != want {
		t.Errorf("at the earliest instant: %s", got)
	}
	c.want(t, "RestoreTableToPointInTime", fmt.Sprintf(`{"SourceTableName":"things","TargetTableName":"early","RestoreDateTime":%d}`, earliest.Unix()-1),
		"InvalidRestoreTimeException: RestoreDateTime '2026-03-01T12:59:59Z' must be within EarliestRestorableDateTime '2026-03-01T13:00:00Z' and LatestRestorableDateTime '2026-03-02T13:00:00Z'")
}

func TestNothingIsJournalledWithoutRecovery(t *testing.T) {
	c := open(t)
	c.recoverable(t, 1)
	c.clock.Advance(time.Second)
	c.must(t, "PutItem", `{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"1"}}}`)
	if n := c.entries(t, (*table).journal); n != 1 {
		t.Errorf("%d entries after one write", n)
	}
	c.must(t, "UpdateContinuousBackups", `{"TableName":"things","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":false}}`)
	c.must(t, "PutItem", `{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"2"}}}`)
	if n := c.entries(t, (*table).journal); n != 0 {
		t.Errorf("%d entries with recovery off", n)
	}
}

// A clock that was read before another may commit after it. What counts is the order of the commits.
func TestJournalKeepsTheOrderOfCommits(t *testing.T) {
	c := open(t)
	c.recoverable(t, 35)
	err := c.store.Update(func(tx *store.Tx) error {
		things, _ := tables.Get(tx, "000000000000", "us-east-1", "things")
		key := []byte("hashkey")
		for n, at := range []time.Duration{20, 10, 30} { // milliseconds after the start
			ch := change{table: &things, key: key, old: record{0, 0, 0, 0, byte(n)}, new: record{0, 0, 0, 0, byte(n + 1)}}
			ch.journal(tx, start.Add(at*time.Millisecond))
		}
		for _, tt := range []struct {
			at   time.Duration
			want byte
		}{{19, 0}, {20, 2}, {29, 2}, {30, 3}} {
			tx.Bucket(things.items()).Put(key, record{0, 0, 0, 0, 3})
			m := snapshot{ID: tt.at.String(), At: start.Add(tt.at * time.Millisecond).UnixMilli(), Journal: endOfJournal}
			m.goBack(tx, &things, firstStep)
			for _, got := range m.items(tx, &things) {
				if got[4] != tt.want {
					t.Errorf("at %d ms: %d, want %d", tt.at, got[4], tt.want)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
