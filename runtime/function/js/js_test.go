package js

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"devstack/internal/clock"
	"devstack/runtime/config"
	"devstack/runtime/function"
)

// world is an engine with one function in a folder of its own.
type world struct {
	t      testing.TB
	dir    string
	engine *Engine
	fn     *config.Function
	env    []string

	mu   sync.Mutex
	logs []string
	last function.Build
}

// newWorld writes files below a new folder; the function's source is index.ts there.
func newWorld(t testing.TB, o Options, files map[string]string) *world {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	o.Dir = dir
	w := &world{t: t, dir: dir, engine: New(o), fn: &config.Function{Name: "test", Runtime: "js", Source: filepath.Join(dir, "index.ts"), Timeout: 3, Memory: 128}}
	t.Cleanup(func() { w.engine.Close() })
	for name, text := range files {
		w.write(name, text)
	}
	return w
}

func (w *world) write(name, text string) {
	w.t.Helper()
	p := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) log(_, line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.logs = append(w.logs, line)
}

func (w *world) lines() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.logs, "\n")
}

// start builds the function and starts a sandbox.
func (w *world) start() (function.Sandbox, error) {
	w.t.Helper()
	b, err := w.engine.Build(w.t.Context(), w.fn, w.last)
	if err != nil {
		return nil, err
	}
	w.last = b
	s, err := w.engine.Start(w.t.Context(), w.fn, b, w.env, w.log)
	if err == nil {
		w.t.Cleanup(func() { s.Close() })
	}
	return s, err
}

func (w *world) mustStart() function.Sandbox {
	w.t.Helper()
	s, err := w.start()
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func event(payload string) *function.Event {
	return &function.Event{RequestID: "11111111-2222-3333-4444-555555555555", Payload: []byte(payload),
		Deadline: time.Now().Add(3 * time.Second), ARN: "arn:aws:lambda:us-east-1:000000000000:function:test"}
}

// call invokes with a timeout of five seconds.
func call(t testing.TB, s function.Sandbox, payload string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // bcrypt under the race detector takes most of it
	defer cancel()
	out, err := s.Invoke(ctx, event(payload))
	return string(out), err
}

// run starts a function of one file and returns its answer to an event.
func run(t testing.TB, o Options, source, payload string) (string, error) {
	t.Helper()
	return call(t, newWorld(t, o, map[string]string{"index.ts": source}).mustStart(), payload)
}

// body returns the parsed body of a FunctionError.
func body(t *testing.T, err error) map[string]any {
	t.Helper()
	var fe *function.FunctionError
	if !errors.As(err, &fe) {
		t.Fatalf("error %v is no FunctionError", err)
	}
	var m map[string]any
	if err := json.Unmarshal(fe.Payload, &m); err != nil {
		t.Fatalf("body %s: %v", fe.Payload, err)
	}
	return m
}

func TestHandlers(t *testing.T) {
	for _, tt := range []struct{ name, source, event, want string }{
		{"an async handler", `export const handler = async (e: {a: number}) => ({ b: e.a + 1 })`, `{"a":1}`, `{"b":2}`},
		{"a promise", `export const handler = (e) => new Promise((r) => setTimeout(() => r(e), 1))`, `[1]`, `[1]`},
		{"a callback", `export const handler = (e, c, cb) => { setTimeout(() => cb(null, "x"), 1) }`, `{}`, `"x"`},
		{"a callback waits for the event loop", `export const handler = (e, c, cb) => { const r = { n: 0 }; cb(null, r); setTimeout(() => { r.n = 2 }, 1) }`, `{}`, `{"n":2}`},
		{"unless it is told not to", `export const handler = (e, c, cb) => { c.callbackWaitsForEmptyEventLoop = false; const r = { n: 0 }; cb(null, r); setTimeout(() => { r.n = 2 }, 1e9) }`, `{}`, `{"n":0}`},
		{"nothing returned is null", `export const handler = async () => {}`, `{}`, `null`},
		{"a plain return value is not an answer", `export const handler = () => 7`, `{}`, `null`},
		{"a promise that nothing settles ends with the loop", `export const handler = () => new Promise(() => {})`, `{}`, `null`},
		{"CommonJS", `exports.handler = async (e) => e.x`, `{"x":"é😀"}`, `"é😀"`},
		{"the context", `export const handler = async (e, c) => [c.functionName, c.functionVersion, c.memoryLimitInMB, c.awsRequestId, c.invokedFunctionArn, c.getRemainingTimeInMillis() > 2000]`,
			`{}`, `["test","$LATEST","128","11111111-2222-3333-4444-555555555555","arn:aws:lambda:us-east-1:000000000000:function:test",true]`},
		{"state is kept between invocations", `let n = 0; export const handler = async () => ++n`, `{}`, `1`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := run(t, Options{}, tt.source, tt.event)
			if err != nil || got != tt.want {
				t.Errorf("got %s, %v; want %s", got, err, tt.want)
			}
		})
	}
}

// waitFor waits for what happens in the background.
func waitFor(t *testing.T, happened func() bool) {
	t.Helper()
	for range 500 {
		if happened() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("it has not happened")
}
