package node_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-sourcemap/sourcemap"

	"devstack/runtime/function"
	"devstack/runtime/function/debug"
	"devstack/runtime/function/functiontest"
	"devstack/runtime/function/node"
)

// freePort is one that nobody listens on.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// debugger is a client of the inspector on a port.
type debugger struct {
	*debug.Client
	t      *testing.T
	events []*debug.Message // not looked at yet
}

// attach connects, as often as it takes, and sets a breakpoint on a line of index.ts before anything of it runs.
func attach(t *testing.T, port int) *debugger {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	address := fmt.Sprintf("127.0.0.1:%d", port)
	for {
		c, err := debug.Dial(ctx, address)
		if err == nil {
			t.Cleanup(func() { c.Close() })
			return &debugger{Client: c, t: t}
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// call sends a command and returns its result.
func (d *debugger) call(method string, params any) json.RawMessage {
	d.t.Helper()
	id, err := d.Send(method, params)
	if err != nil {
		d.t.Fatal(err)
	}
	for {
		m, err := d.Receive()
		switch {
		case err != nil:
			d.t.Fatalf("%s: %v", method, err)
		case m.ID == id && m.Error != nil:
			d.t.Fatalf("%s: %s", method, m.Error)
		case m.ID == id:
			return m.Result
		case m.Method != "":
			d.events = append(d.events, m)
		}
	}
}

// event waits for an event that fits.
func (d *debugger) event(method string, into any, fits func() bool) {
	d.t.Helper()
	for {
		if len(d.events) == 0 {
			m, err := d.Receive()
			if err != nil {
				d.t.Fatalf("%s: %v", method, err)
			}
			d.events = append(d.events, m)
		}
		m := d.events[0]
		d.events = d.events[1:]
		if m.Method != method {
			continue
		}
		if err := json.Unmarshal(m.Params, into); err != nil {
			d.t.Fatal(err)
		}
		if fits() {
			return
		}
	}
}

// breakOn sets a breakpoint on a line of a source through the source map of the script that it was made part of.
func (d *debugger) breakOn(file string, line int) {
	d.t.Helper()
	var script struct{ ScriptID, URL, SourceMapURL string }
	d.event("Debugger.scriptParsed", &script, func() bool { return strings.HasSuffix(script.URL, "/"+file) && script.SourceMapURL != "" })
	_, encoded, _ := strings.Cut(script.SourceMapURL, "base64,")
	text, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		d.t.Fatal(err)
	}
	m, err := sourcemap.Parse(script.URL, text)
	if err != nil {
		d.t.Fatal(err)
	}
	for at := 1; at < 1000; at++ {
		for column := range 80 {
			source, _, l, _, ok := m.Source(at, column)
			if ok && l == line && strings.HasSuffix(source, file) {
				d.call("Debugger.setBreakpointByUrl", map[string]any{"url": script.URL, "lineNumber": at - 1, "columnNumber": column})
				return
			}
		}
	}
	d.t.Fatalf("line %d of %s is nowhere in the script", line, file)
}

type paused struct {
	Reason     string
	CallFrames []struct{ CallFrameID string }
}

// stops waits for the breakpoint, evaluates an expression there and goes on.
func (d *debugger) stops(expression, want string) {
	d.t.Helper()
	var p paused
	d.event("Debugger.paused", &p, func() bool { return p.Reason != "instrumentation" })
	var value struct{ Result struct{ Value any } }
	answer := d.call("Debugger.evaluateOnCallFrame", map[string]any{"callFrameId": p.CallFrames[0].CallFrameID, "expression": expression})
	if err := json.Unmarshal(answer, &value); err != nil || fmt.Sprint(value.Result.Value) != want {
		d.t.Errorf("%s is %s, want %s (%v)", expression, answer, want, err)
	}
	d.call("Debugger.resume", nil)
}

func source(n int) string {
	return fmt.Sprintf("interface Event {\n  n: number;\n}\n\nexport const handler = async (event: Event): Promise<number> => {\n  const local: number = event.n + %d;\n  return local;\n};\n", n)
}

func TestBreakpointsInTypeScriptSurviveSaves(t *testing.T) {
	p := functiontest.NewProject(t, newEngine(t), functiontest.Sample{
		Runtime: "nodejs20.x", Files: func(string) map[string]string { return files{"index.ts": source(1)} },
	}, true)
	p.Function.Debug = freePort(t)
	p.Function.Timeout = 1
	p.Put(t)
	targets, err := debug.Targets(t.Context(), fmt.Sprintf("127.0.0.1:%d", p.Function.Debug))
	if err != nil || len(targets) != 1 || !strings.HasPrefix(targets[0].URL, fmt.Sprintf("ws://127.0.0.1:%d/", p.Function.Debug)) {
		t.Fatalf("%+v %v", targets, err)
	}
	d := attach(t, p.Function.Debug)
	d.call("Debugger.enable", nil)
	d.breakOn("index.ts", 7)
	outcome := invoke(t, p)
	time.Sleep(1200 * time.Millisecond) // longer than the function's timeout: nobody has looked at the breakpoint yet
	d.stops("local", "42")
	if got := <-outcome; got != "42" {
		t.Errorf("answered %s", got)
	}
	for n := 2; n <= 3; n++ {
		p.Save(t, "", files{"index.ts": source(n)})
		for err := error(nil); err == nil; _, err = d.Receive() { // until the session ends
		}
		// The way of VS Code: stop before each script with a source map, set its breakpoints, go on.
		d = attach(t, p.Function.Debug)
		d.call("Debugger.enable", nil)
		d.call("Debugger.setInstrumentationBreakpoint", map[string]any{"instrumentation": "beforeScriptWithSourceMapExecution"})
		d.call("Runtime.runIfWaitingForDebugger", nil)
		answer := invoke(t, p)
		d.breakOn("index.ts", 7)
		var stop paused
		d.event("Debugger.paused", &stop, func() bool { return stop.Reason == "instrumentation" })
		d.call("Debugger.resume", nil)
		d.stops("local", fmt.Sprint(41+n))
		if got := <-answer; got != fmt.Sprint(41+n) {
			t.Errorf("answered %s", got)
		}
	}
	d.Close()
	out := p.Want(t, `{"n":1}`, `4`)
	if lines := append(p.Lines(""), p.Lines(out.RequestID)...); strings.Contains(strings.Join(lines, "\n"), "ebugger") {
		t.Errorf("the log tells of the debugger: %q", lines)
	}
}

func invoke(t *testing.T, p *functiontest.Project) <-chan string {
	outcome := make(chan string, 1)
	go func() {
		out, err := p.Manager.Invoke(t.Context(), "sample", function.Invocation{Payload: []byte(`{"n":41}`)})
		if err != nil {
			outcome <- err.Error()
			return
		}
		outcome <- string(out.Payload)
	}()
	return outcome
}

func TestADebuggerThatDoesNotComeBackIsNotWaitedForForever(t *testing.T) {
	defer node.SetReattach(200 * time.Millisecond)()
	p := project(t, "nodejs20.x", "", files{"index.js": "exports.handler = async () => 1;\n"})
	p.Function.Debug = freePort(t)
	p.Put(t)
	p.Want(t, `{}`, `1`)
	attach(t, p.Function.Debug)
	p.Save(t, "", files{"index.js": "exports.handler = async () => 2;\n"})
	p.Want(t, `{}`, `2`)
}

func TestOneSandboxIsDebuggedAtATime(t *testing.T) {
	p := project(t, "nodejs20.x", "", files{"index.js": "exports.handler = async () => { await new Promise((r) => setTimeout(r, 20)); return process.pid; };\n"})
	p.Function.Debug = freePort(t)
	p.Function.Concurrency = new(5)
	p.Put(t)
	var pids []<-chan string
	for range 4 {
		pids = append(pids, invoke(t, p))
	}
	first := <-pids[0]
	for _, pid := range pids[1:] {
		if got := <-pid; got != first {
			t.Errorf("%s and %s", first, got)
		}
	}
}

func TestAPortThatIsTakenIsNamed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := project(t, "nodejs20.x", "", files{"index.js": "exports.handler = async () => 1;\n"})
	p.Function.Debug = l.Addr().(*net.TCPAddr).Port
	if err := p.Manager.Put(t.Context(), p.Function); err == nil || !strings.Contains(err.Error(), "--debug sample=PORT") {
		t.Error(err)
	}
}

// A published version of the function, or one of its name in another account, runs beside it and leaves its port alone.
func TestAnotherVersionLeavesTheDebuggersPortAlone(t *testing.T) {
	p := project(t, "nodejs20.x", "", files{"index.js": "exports.handler = async () => process.env.AWS_LAMBDA_FUNCTION_VERSION"})
	p.Function.Debug = freePort(t)
	p.Put(t)
	p.Want(t, `{}`, `"$LATEST"`)
	other := *p.Function
	other.Version, other.Debug = "1", 0
	if err := p.Manager.Put(t.Context(), &other); err != nil {
		t.Fatal(err)
	}
	out, err := p.Manager.Invoke(t.Context(), other.Key(), function.Invocation{Payload: []byte("{}")})
	if err != nil || string(out.Payload) != `"1"` {
		t.Fatalf("the version answered %s, %v", out.Payload, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := debug.Targets(ctx, fmt.Sprintf("127.0.0.1:%d", p.Function.Debug)); err != nil {
		t.Errorf("the debugger's port is gone: %v", err)
	}
}
