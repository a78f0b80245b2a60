package dynamodb

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"devstack/internal/clock"
)

// writerEnv makes the test binary a writer: it holds the path of the store.
const writerEnv = "DEVSTACK_TEST_DYNAMODB_WRITER"

func TestMain(m *testing.M) {
	if path := os.Getenv(writerEnv); path != "" {
		writeForever(path)
	}
	os.Exit(m.Run())
}

// writeForever writes items from four goroutines and says so, a line for each, once a write is acknowledged.
func writeForever(path string) {
	c := newCloud(path, clock.Fixed(start))
	var mu sync.Mutex
	for w := range 4 {
		go func() {
			for n := 0; ; n++ {
				id := fmt.Sprintf("%d-%d", w, n)
				out := c.call("PutItem", `{"TableName":"things","Item":{"pk":{"S":"`+id+`"},"sk":{"N":"1"},"g":{"S":"group"}}}`)
				mu.Lock()
				fmt.Println(id, out)
				mu.Unlock()
			}
		}()
	}
	select {}
}

func TestKillLosesNoAcknowledgedWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dynamodb.db")
	c := openAt(t, path, clock.Fixed(start))
	c.must(t, "CreateTable", `{"TableName":"things","BillingMode":"PAY_PER_REQUEST",
		"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"},{"AttributeName":"g","AttributeType":"S"}],
		"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
		"GlobalSecondaryIndexes":[{"IndexName":"by_g","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}]}`)
	c.store.Close()
	for round := range 3 {
		acknowledged := writeAndKill(t, path, 300+100*round)
		c := openAt(t, path, clock.Fixed(start))
		for _, id := range acknowledged {
			if out := c.call("GetItem", `{"TableName":"things","Key":{"pk":{"S":"`+id+`"},"sk":{"N":"1"}}}`); !strings.Contains(out, `"Item"`) {
				t.Errorf("round %d: %s was acknowledged and is gone: %s", round, id, out)
			}
		}
		c.checkTable(t, round)
		c.store.Close()
	}
}

// writeAndKill runs a writer until it has told of n writes, kills it, and returns all that it told of.
func writeAndKill(t *testing.T, path string, n int) (acknowledged []string) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), writerEnv+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		id, answer, ok := strings.Cut(lines.Text(), " ")
		if !ok || answer != "{}" {
			cmd.Process.Kill()
			t.Fatalf("the writer says %s", strconv.Quote(lines.Text()))
		}
		if acknowledged = append(acknowledged, id); len(acknowledged) == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	cmd.Wait() // killed, so there is nothing to learn from it
	if len(acknowledged) < n {
		t.Fatalf("the writer ended after %d writes", len(acknowledged))
	}
	return acknowledged
}
