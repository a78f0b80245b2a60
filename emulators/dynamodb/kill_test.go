package dynamodb

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"devstack/internal/clock"
)

// The environment that makes the test binary a writer: the path of the store, and how many writes each worker has done before.
const (
	writerEnv = "DEVSTACK_TEST_DYNAMODB_WRITER"
	doneEnv   = "DEVSTACK_TEST_DYNAMODB_DONE"
)

const killedWorkers = 6

func TestMain(m *testing.M) {
	if path := os.Getenv(writerEnv); path != "" {
		writeForever(path)
	}
	if args := os.Getenv(copierEnv); args != "" {
		copyForever(args)
	}
	os.Exit(m.Run())
}

// writeForever has each worker write, one write after the other, and say so once it is acknowledged.
func writeForever(path string) {
	c := newCloud(path, clock.Fixed(start))
	var done [killedWorkers]int
	fmt.Sscan(os.Getenv(doneEnv), &done[0], &done[1], &done[2], &done[3], &done[4], &done[5])
	var mu sync.Mutex
	for w := range killedWorkers {
		go func() {
			for n := done[w]; ; n++ {
				c.call(killedWrite(w, n))
				mu.Lock()
				fmt.Println(w, n)
				mu.Unlock()
			}
		}()
	}
	select {}
}

// createKilled makes the tables that are written to: one with indexes of all kinds, time to live and a stream, and another for
// transactions to write to beside it.
func createKilled(t *testing.T, c *cloud) {
	c.must(t, "CreateTable", `{"TableName":"things","BillingMode":"PAY_PER_REQUEST",
		"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"},{"AttributeName":"g","AttributeType":"S"},{"AttributeName":"n","AttributeType":"N"}],
		"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
		"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"},
		"LocalSecondaryIndexes":[{"IndexName":"local","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"n","KeyType":"RANGE"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}],
		"GlobalSecondaryIndexes":[
			{"IndexName":"all","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}},
			{"IndexName":"some","KeySchema":[{"AttributeName":"g","KeyType":"HASH"},{"AttributeName":"n","KeyType":"RANGE"}],"Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["e"]}}]}`)
	c.must(t, "UpdateTimeToLive", `{"TableName":"things","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"e"}}`)
	c.must(t, "CreateTable", strings.Replace(createPK, `"things"`, `"others"`, 1))
}

// killedWrite is a worker's n-th write, always the same one. Workers write to partitions of their own, so that what each has done
// says what its partition must hold.
func killedWrite(worker, n int) (operation, input string) {
	random := rand.New(rand.NewPCG(uint64(worker), uint64(n)))
	key := func(sk int) string { return fmt.Sprintf(`"pk":{"S":"w%d"},"sk":{"N":"%d"}`, worker, sk) }
	put := func(table string, sk int) string {
		extra := ""
		for _, e := range []string{`,"g":{"S":"red"}`, `,"g":{"S":"blue"}`, `,"e":{"N":"4000000000"}`, `,"text":{"S":"` + strings.Repeat("x", random.IntN(3000)) + `"}`} {
			if random.IntN(2) == 0 && !strings.Contains(extra, e[:5]) {
				extra += e
			}
		}
		return fmt.Sprintf(`"TableName":"%s","Item":{%s,"n":{"N":"%d"}%s}`, table, key(sk), n, extra)
	}
	update := func(table string, sk int) string {
		return fmt.Sprintf(`"TableName":"%s","Key":{%s},"UpdateExpression":"SET n = :n, g = :g REMOVE e ADD total :n","ExpressionAttributeValues":{":n":{"N":"%d"},":g":{"S":"green"}}`, table, key(sk), n)
	}
	a, b := random.IntN(8), 8+random.IntN(8)
	switch random.IntN(7) {
	case 0:
		return "DeleteItem", `{"TableName":"things","Key":{` + key(a) + `}}`
	case 1, 2:
		return "UpdateItem", `{` + update("things", a) + `}`
	case 3:
		return "BatchWriteItem", `{"RequestItems":{"things":[{"DeleteRequest":{"Key":{` + key(a) + `}}},{"DeleteRequest":{"Key":{` + key(b) + `}}}]}}`
	case 4, 5:
		return "TransactWriteItems", `{"TransactItems":[{"Put":{` + put("things", a) + `}},{"Update":{` + update("others", a) + `}},{"Put":{` + put("others", b) +
			`}},{"Delete":{"TableName":"things","Key":{` + key(b) + `}}},{"ConditionCheck":{"TableName":"others","Key":{` + key(16) + `},"ConditionExpression":"attribute_not_exists(pk)"}}]}`
	}
	return "PutItem", `{` + put("things", a) + `}`
}

// TestKillLosesNoAcknowledgedWrite kills a process that writes, again and again. After each time every partition must hold what
// its worker's writes come to: those that were acknowledged, and wholly or not at all the one that was under way. What that is
// says another emulator that does the same writes and is never killed.
func TestKillLosesNoAcknowledgedWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dynamodb.db")
	c, never := openAt(t, path, clock.Fixed(start)), open(t)
	createKilled(t, c)
	createKilled(t, never)
	c.store.Close()
	var done [killedWorkers]int
	for round := range 8 {
		acknowledged := writeAndKill(t, path, done, 200+rand.IntN(400))
		c := openAt(t, path, clock.Fixed(start))
		for w := range done {
			for ; done[w] < acknowledged[w]; done[w]++ {
				never.call(killedWrite(w, done[w]))
			}
			got, want := ownedBy(t, c, w), ownedBy(t, never, w)
			if got != want { // the write that was under way
				never.call(killedWrite(w, done[w]))
				done[w]++
				if under := ownedBy(t, never, w); got != under {
					operation, input := killedWrite(w, done[w]-1)
					t.Fatalf("round %d: after %d acknowledged writes worker %d has\n%s\nand not\n%s\nnor, with %s %s,\n%s", round, acknowledged[w], w, got, want, operation, input, under)
				}
			}
		}
		c.checkAll(t, round)
		c.store.Close()
	}
}

// ownedBy is what a worker has in both tables.
func ownedBy(t *testing.T, c *cloud, w int) string {
	t.Helper()
	var all string
	for _, name := range []string{"things", "others"} {
		all += c.must(t, "Query", fmt.Sprintf(`{"TableName":"%s","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"w%d"}}}`, name, w))
	}
	return all
}

// writeAndKill runs a writer, kills it a moment after it has told of n writes, and returns how many of each worker's were
// acknowledged in all.
func writeAndKill(t *testing.T, path string, done [killedWorkers]int, n int) [killedWorkers]int {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), writerEnv+"="+path, doneEnv+"="+strings.Trim(fmt.Sprint(done), "[]"))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	told := 0
	for lines := bufio.NewScanner(out); lines.Scan(); told++ {
		var w, i int
		if _, err := fmt.Sscan(lines.Text(), &w, &i); err != nil {
			cmd.Process.Kill()
			t.Fatalf("the writer says %q", lines.Text())
		}
		done[w] = i + 1
		if told == n {
			time.AfterFunc(time.Duration(rand.IntN(3000))*time.Microsecond, func() { cmd.Process.Kill() })
		}
	}
	cmd.Wait() // killed, so there is nothing to learn from it
	if told < n {
		t.Fatalf("the writer ended after %d writes", told)
	}
	return done
}
