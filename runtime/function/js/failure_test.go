package js

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"devstack/internal/clock"
	"devstack/runtime/function"
)

func TestErrorBodies(t *testing.T) {
	for _, tt := range []struct{ name, source, want string }{
		{"an error thrown in a handler", "export const handler = async () => {\n  throw new TypeError('boom')\n}",
			`{"errorType":"TypeError","errorMessage":"boom","trace":["TypeError: boom","    at handler (index.ts:2:9)"]}`},
		{"an error of a callback", "export const handler = (e, c, cb) => cb(new Error('no'))",
			`{"errorType":"Error","errorMessage":"no","trace":["Error: no","    at handler (index.ts:1:41)"]}`},
		{"what is no error", `export const handler = async () => { throw "text" }`, `{"errorType":"string","errorMessage":"text","trace":[]}`},
		{"a number", `export const handler = async () => { throw 42 }`, `{"errorType":"number","errorMessage":"42","trace":[]}`},
		{"a plain object", `export const handler = async () => { throw { a: 1 } }`, `{"errorType":"object","errorMessage":"[object Object]","trace":[]}`},
		{"an error that cannot be read", `export const handler = async () => { throw new Proxy(new Error("x"), { get() { throw 1 } }) }`,
			`{"errorType":"handled","errorMessage":"callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack","trace":[]}`},
		{"an object without a prototype", `export const handler = async () => { throw Object.create(null) }`,
			`{"errorType":"handled","errorMessage":"callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack","trace":[]}`},
		{"null", `export const handler = async () => { throw null }`,
			`{"errorType":"handled","errorMessage":"callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack","trace":[]}`},
		{"a result that has no JSON", `export const handler = async () => ({ n: 1n })`,
			`{"errorType":"Error","errorMessage":"Unable to stringify response body as json","trace":["Error: Unable to stringify response body as json"]}`},
		{"a circle", `export const handler = async () => { const a: any = {}; a.a = a; return a }`,
			`{"errorType":"Error","errorMessage":"Unable to stringify response body as json","trace":["Error: Unable to stringify response body as json"]}`},
		{"a rejection that nobody handles", "export const handler = async () => {\n  Promise.reject(new Error('lost'))\n  await new Promise((r) => setTimeout(r, 5))\n}",
			`{"errorType":"Runtime.UnhandledPromiseRejection","errorMessage":"Error: lost","reason":{"errorType":"Error","errorMessage":"lost","trace":["Error: lost","    at handler (index.ts:2:18)"]},"promise":{},"trace":["Runtime.UnhandledPromiseRejection: Error: lost","    at handler (index.ts:2:18)"]}`},
		{"an exception in a timer", "export const handler = () => new Promise(() => {\n  setTimeout(() => { throw new Error('late') }, 1)\n})",
			`{"errorType":"Error","errorMessage":"late","trace":["Error: late","    at index.ts:2:28"]}`},
		{"recursion without end", `export const handler = async () => { const f = () => f() + 1; return f() }`,
			`{"errorType":"RangeError","errorMessage":"Maximum call stack size exceeded","trace":["RangeError: Maximum call stack size exceeded"]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := run(t, Options{}, tt.source, `{}`)
			var fe *function.FunctionError
			if !errors.As(err, &fe) {
				t.Fatalf("error is %v", err)
			}
			if string(fe.Payload) != tt.want {
				t.Errorf("got  %s\nwant %s", fe.Payload, tt.want)
			}
		})
	}
}

func TestTracesNameTheDevelopersFiles(t *testing.T) {
	w := newWorld(t, Options{}, map[string]string{
		"index.ts":    "import { find } from './lib/find'\n\nexport const handler = async (e: { id: string }) => {\n  return await find(e.id)\n}\n",
		"lib/find.ts": "interface Thing { id: string }\n\nexport async function find(id: string): Promise<Thing> {\n  await null\n  throw new Error(`no ${id}`)\n}\n",
	})
	_, err := call(t, w.mustStart(), `{"id":"x"}`)
	got := body(t, err)["trace"]
	if want := []any{"Error: no x", "    at find (lib/find.ts:5:9)", "    at handler (index.ts:4:21)"}; !slices.Equal(got.([]any), want) {
		t.Errorf("got %q", got)
	}
}

func TestFailuresToLoad(t *testing.T) {
	for _, tt := range []struct{ name, source, typ, want string }{
		{"an error while the module runs", "const x: any = undefined\nx.y()\nexport const handler = () => 1", "TypeError", `"trace":["TypeError: Cannot read property 'y' of undefined or null","    at index.ts:2:`},
		{"no handler", `export const other = 1`, "Runtime.HandlerNotFound", `"errorMessage":"index.handler is undefined or not exported"`},
		{"a handler that is no function", `export const handler = 1`, "Runtime.HandlerNotFound", `"errorMessage":"index.handler is not a function"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, Options{}, map[string]string{"index.ts": tt.source})
			_, err := w.start()
			var ie *function.InitError
			if !errors.As(err, &ie) || ie.Type != tt.typ || !strings.Contains(string(ie.Payload), tt.want) {
				t.Errorf("got %v; want %s with %s", err, tt.typ, tt.want)
			}
		})
	}
}

func TestEndlessScriptsEndWithTheirContext(t *testing.T) {
	for _, tt := range []struct{ name, source string }{
		{"a loop", `export const handler = async () => { for (;;); }`},
		{"a loop that catches everything", `export const handler = async () => { for (;;) { try { for (;;); } catch {} finally { continue } } }`},
		{"microtasks without end", `export const handler = () => { const f = () => Promise.resolve().then(f); return f() }`},
		{"a timer that never comes", `export const handler = () => new Promise((r) => setTimeout(r, 1e9))`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newWorld(t, Options{}, map[string]string{"index.ts": tt.source}).mustStart()
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if _, err := s.Invoke(ctx, event(`{}`)); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("got %v", err)
			}
			select {
			case <-s.Done():
			case <-time.After(5 * time.Second):
				t.Error("the sandbox has not ended")
			}
		})
	}
}

func TestExit(t *testing.T) {
	for _, tt := range []struct{ name, source, status string }{
		{"with a status", `export const handler = async () => { try { process.exit(3) } finally { console.log("never") } }`, "exit status 3"},
		{"with none", `export const handler = async () => { process.exit() }`, ""},
		{"in a timer", `export const handler = () => new Promise(() => { setTimeout(() => process.exit(1)) })`, "exit status 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, Options{}, map[string]string{"index.ts": tt.source})
			s := w.mustStart()
			_, err := call(t, s, `{}`)
			var exit *function.ExitError
			if !errors.As(err, &exit) || exit.Status != tt.status || w.lines() != "" {
				t.Errorf("got %v, log %q", err, w.lines())
			}
			if _, err := call(t, s, `{}`); !errors.Is(err, function.ErrGone) {
				t.Errorf("the next event: %v", err)
			}
		})
	}
	w := newWorld(t, Options{}, map[string]string{"index.ts": `process.exit(1)`})
	var exit *function.ExitError
	if _, err := w.start(); !errors.As(err, &exit) || exit.Status != "exit status 1" {
		t.Errorf("while loading: %v", err)
	}
}

func TestAPanicOfTheEngineEndsItsSandboxAlone(t *testing.T) {
	s := newWorld(t, Options{}, map[string]string{"index.ts": `export const handler = () => {}`}).mustStart().(*sandbox)
	if err := s.do(t.Context(), func() { panic("broken") }); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.Done():
	case <-time.After(5 * time.Second):
		t.Fatal("the sandbox has not ended")
	}
	var exit *function.ExitError
	if !errors.As(s.failure, &exit) || exit.Status != "panic in the js runtime: broken" {
		t.Errorf("got %v", s.failure)
	}
}

func TestModulesThatNeverFinishLoading(t *testing.T) {
	w := newWorld(t, Options{}, map[string]string{"index.ts": `for (;;);`})
	b, err := w.engine.Build(t.Context(), w.fn, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := w.engine.Start(ctx, w.fn, b, nil, w.log); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	w := newWorld(t, Options{}, map[string]string{"index.ts": `export const handler = async () => { const all: any[] = []; for (;;) all.push(new Array(1000).fill(Math.random())) }`})
	s := w.mustStart()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	_, err := s.Invoke(ctx, event(`{}`))
	var exit *function.ExitError
	if !errors.As(err, &exit) || exit.Status != "signal: killed" {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(w.lines(), "more than the function's 128 MB") {
		t.Errorf("the log says %s", w.lines())
	}
}

func TestSandboxLivesOnAfterAHandlerThrew(t *testing.T) {
	s := newWorld(t, Options{}, map[string]string{"index.ts": `let n = 0; export const handler = async (e) => { n++; if (e) throw new Error("x"); return n }`}).mustStart()
	if _, err := call(t, s, `true`); err == nil {
		t.Fatal("no error")
	}
	if got, err := call(t, s, `false`); got != "2" {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestWhatIsUnderWayWaitsForTheNextInvocation(t *testing.T) {
	s := newWorld(t, Options{}, map[string]string{"index.ts": `let fired = 0; export const handler = async (e) => { if (e) await new Promise((r) => setTimeout(r, 20)); else setTimeout(() => { fired++ }, 1); return fired }`}).mustStart()
	if got, _ := call(t, s, `false`); got != "0" {
		t.Fatalf("got %s", got)
	}
	if got, _ := call(t, s, `true`); got != "1" {
		t.Errorf("got %s", got)
	}
}

func TestACallThatNobodyWaitsForGoesOn(t *testing.T) {
	release, ended := make(chan struct{}), make(chan error, 1)
	aws := slowAWS(func(ctx context.Context) {
		<-release
		ended <- ctx.Err()
	})
	s := newWorld(t, Options{AWS: aws, Schema: testSchema{}}, map[string]string{"index.ts": `import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb"
const client = new DynamoDBClient({}); let done = false
export const handler = async (first) => { if (first) client.send(new PutItemCommand({} as any)).then(() => { done = true }); else await new Promise((r) => setTimeout(r, 50)); return done }`}).mustStart()
	if got, err := call(t, s, `true`); err != nil || got != "false" { // its context ends with it
		t.Fatalf("got %s, %v", got, err)
	}
	close(release)
	if err := <-ended; err != nil {
		t.Errorf("the call ended with %v", err)
	}
	if got, err := call(t, s, `false`); err != nil || got != "true" {
		t.Errorf("got %s, %v", got, err)
	}
}

// slowAWS does something during each call.
type slowAWS func(context.Context)

func (f slowAWS) Call(ctx context.Context, _, _ string, _, out any) error {
	f(ctx)
	*out.(*json.RawMessage) = json.RawMessage(`{}`)
	return nil
}

func TestTimersAndDatesHangOnTheClock(t *testing.T) {
	c := clock.Fixed(time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC))
	w := newWorld(t, Options{Clock: c}, map[string]string{"index.ts": `export const handler = async () => { const a = Date.now(); console.log("waiting"); await new Promise((r) => setTimeout(r, 3600_000)); return [Date.now() - a, new Date().toISOString()] }`})
	s := w.mustStart()
	done := make(chan string)
	go func() { out, err := call(t, s, `{}`); _ = err; done <- out }()
	for w.lines() == "" {
		time.Sleep(time.Millisecond)
	}
	for {
		c.Advance(time.Hour)
		select {
		case got := <-done:
			if !strings.HasPrefix(got, "[") || !strings.Contains(got, "2026-01-02T") {
				t.Errorf("got %s", got)
			}
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func TestLogLines(t *testing.T) {
	c := clock.Fixed(time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC))
	w := newWorld(t, Options{Clock: c}, map[string]string{"index.ts": `console.log("loading")
class Order { id = 1; lines = [{ sku: "a", n: 2 }] }
export const handler = async () => {
  console.log("hello", 1, { a: [1, 2], s: "x" }, null, undefined, true)
  console.info("%s has %d", "x", 3)
  console.debug(new Order())
  console.warn(new Map([["a", new Set([1])]]))
  console.error("two\nlines")
  console.log([1.5, "s", [[[1]]]], Buffer.from("hi"), () => 1, class A {}, Symbol("s"), 1n, new Date(0), /x/g)
  console.log(new Error("logged"))
  console.table([{ a: 1 }])
  process.stdout.write("raw\n")
  const circle: any = { name: "c" }; circle.self = circle; console.log(circle)
  throw Object.assign(new Error("boom"), { code: "E1" })
}`})
	if _, err := call(t, w.mustStart(), `{}`); err == nil {
		t.Fatal("no error")
	}
	const at, id = "2026-01-02T03:04:05.678Z\t", "11111111-2222-3333-4444-555555555555"
	want := []string{
		at + "undefined\tINFO\tloading",
		at + id + "\tINFO\thello 1 { a: [ 1, 2 ], s: 'x' } null undefined true",
		at + id + "\tINFO\tx has 3",
		at + id + "\tDEBUG\tOrder { id: 1, lines: [ { sku: 'a', n: 2 } ] }",
		at + id + "\tWARN\tMap(1) { 'a' => Set(1) { 1 } }",
		at + id + "\tERROR\ttwo\nlines",
		at + id + "\tINFO\t[ 1.5, 's', [ [ [Array] ] ] ] <Buffer 68 69> [Function (anonymous)] [class A] Symbol(s) 1n 1970-01-01T00:00:00.000Z /x/g",
		at + id + "\tINFO\tError: logged\n    at handler (index.ts:10:15)",
		at + id + "\tINFO\t[ { a: 1 } ]",
		"raw",
		at + id + "\tINFO\t<ref *1> { name: 'c', self: [Circular *1] }",
		at + id + "\tERROR\tInvoke Error \t" + `{"errorType":"Error","errorMessage":"boom","code":"E1","stack":["Error: boom","    at handler (index.ts:14:23)"]}`,
	}
	for i, line := range w.logs {
		if i >= len(want) || line != want[i] {
			t.Errorf("line %d: %q\nwant    %q", i, line, want[min(i, len(want)-1)])
		}
	}
	if len(w.logs) != len(want) {
		t.Errorf("%d lines, want %d", len(w.logs), len(want))
	}
}

func FuzzEventAndResult(f *testing.F) {
	for _, seed := range []string{`{}`, `null`, `[1,2.5,"x",true,{"a":null}]`, `"\u00e9\ud83d\ude00\u2028"`, `1e300`, `{"__proto__":{"a":1}}`, `-0`, `12345678901234567890`, `{"a":"<>&"}`} {
		f.Add(seed)
	}
	s := newWorld(f, Options{}, map[string]string{"index.ts": `export const handler = async (e) => e`}).mustStart()
	f.Fuzz(func(t *testing.T, text string) {
		out, err := call(t, s, text)
		if err != nil {
			var fe *function.FunctionError
			if !errors.As(err, &fe) || !json.Valid(fe.Payload) || fe.Type != "SyntaxError" {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		again, err := call(t, s, out)
		if err != nil || again != out {
			t.Errorf("%q came back as %s, that as %s (%v)", text, out, again, err)
		}
	})
}
