package dynamodb

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"devstack/emulators/kit"
	"devstack/emulators/store"
	"devstack/emulators/wire"
	"devstack/internal/clock"
	"devstack/internal/golden"
)

// start is when the tests' time begins.
var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// cloud is the emulator as other services see it.
type cloud struct {
	*wire.Server
	clock   *clock.Moving
	store   *store.Store
	streams *wire.Service

	mu      sync.Mutex
	written []string // stream ARNs
}

func open(t testing.TB) *cloud {
	return openAt(t, filepath.Join(t.TempDir(), "dynamodb.db"), clock.Fixed(start))
}

func openAt(t testing.TB, path string, c *clock.Moving) *cloud {
	cl := newCloud(path, c)
	t.Cleanup(func() { cl.store.Close() })
	return cl
}

func newCloud(path string, c *clock.Moving) *cloud { return newCloudWith(path, c, Options{}) }

// newCloudWith opens an emulator with options; what it tells of streams is kept.
func newCloudWith(path string, c *clock.Moving, opts Options) *cloud {
	cl := &cloud{clock: c, store: store.New(path, store.Options{})}
	ids := kit.SeededIDs(1)
	opts.OnStreamWrite = func(_ context.Context, arn string) {
		cl.mu.Lock()
		defer cl.mu.Unlock()
		cl.written = append(cl.written, arn)
	}
	db, streams := New(kit.Env{Store: cl.store, Clock: c, IDs: ids, Log: slog.New(slog.DiscardHandler)}, opts)
	cl.streams = streams
	cl.Server = wire.NewServer(wire.Config{Services: []*wire.Service{db, streams}, NewID: ids.UUID, Now: c.Now})
	return cl
}

// call runs an operation with input in JSON and returns the output in JSON, or the error as "Code: message".
func (c *cloud) call(operation, input string) string {
	service := "dynamodb"
	switch operation {
	case "ListStreams", "DescribeStream", "GetShardIterator", "GetRecords":
		service = "dynamodbstreams"
	}
	var out json.RawMessage
	err := c.Call(context.Background(), service, operation, json.RawMessage(input), &out)
	var known *wire.Error
	switch {
	case errors.As(err, &known):
		return known.Error()
	case err != nil:
		return "internal: " + err.Error()
	}
	return string(out)
}

// must is call for what has to succeed.
func (c *cloud) must(t testing.TB, operation, input string) string {
	t.Helper()
	out := c.call(operation, input)
	if !strings.HasPrefix(out, "{") {
		t.Fatalf("%s(%s): %s", operation, input, out)
	}
	return out
}

// want checks the output, or the error, of an operation.
func (c *cloud) want(t testing.TB, operation, input, want string) {
	t.Helper()
	if got := c.call(operation, input); got != want {
		t.Errorf("%s(%s):\n got %s\nwant %s", operation, input, got, want)
	}
}

// decode reads an output.
func decode[T any](t testing.TB, out string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return v
}

func TestConversations(t *testing.T) {
	golden.Run(t, func(t *testing.T) golden.Stage {
		c := open(t)
		return golden.Stage{Handler: c.Server, Advance: c.clock.Advance}
	})
}
