package extension_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"devstack/internal/clock"
	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/golang"
)

// bench is a function whose runtime and extensions are the test's program.
type bench struct {
	*function.Manager
	fn    *config.Function
	notes string

	mu    sync.Mutex
	lines []string
}

func newBench(t *testing.T, extensions ...string) *bench {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	b := &bench{notes: filepath.Join(dir, "notes")}
	link := func(path string) {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(self, path); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(b.notes, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "layer"), 0o755); err != nil {
		t.Fatal(err)
	}
	link(filepath.Join(dir, "code", "bootstrap"))
	for _, name := range extensions {
		link(filepath.Join(dir, "layer", "extensions", name))
	}
	b.fn = &config.Function{
		Name: "f", Runtime: "provided.al2023", Source: filepath.Join(dir, "code"), Handler: "the.handler", Timeout: 20, Memory: 128,
		ARN: "arn:aws:lambda:us-east-1:123456789012:function:f", Layers: []string{filepath.Join(dir, "layer")},
		Environment: map[string]string{"NOTES": b.notes, "GATE": filepath.Join(dir, "gate")},
	}
	engine := golang.New(golang.Config{Cache: filepath.Join(dir, "cache")})
	b.Manager = function.NewManager(function.Config{
		Engines: func(string) function.Engine { return engine }, Clock: clock.System(), Log: func(l function.Line) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.lines = append(b.lines, l.Text)
		},
	})
	t.Cleanup(func() { b.Close() })
	return b
}

func (b *bench) log() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.lines, "\n")
}

func (b *bench) put(t *testing.T) {
	t.Helper()
	if err := b.Put(t.Context(), b.fn); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) call(t *testing.T, event string) *function.Outcome {
	t.Helper()
	out, err := b.Invoke(t.Context(), "f", function.Invocation{RequestID: "r-1", Payload: []byte(event), TraceID: "Root=1-5759e988-bd862e3fe1be46a994272793"})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// noted is what a program has noted.
func (b *bench) noted(who string) string {
	text, _ := os.ReadFile(filepath.Join(b.notes, who)) // nothing yet
	return string(text)
}

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for !done() {
		select {
		case <-t.Context().Done():
			t.Fatal(what + " did not happen")
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func TestAnExtensionHearsOfEventsAndOfTheEnd(t *testing.T) {
	b := newBench(t, "ext-plain")
	b.put(t)
	if out := b.call(t, `"hello"`); string(out.Payload) != `"hello"` {
		t.Fatalf("got %s", out.Payload)
	}
	until(t, "the event", func() bool { return strings.Contains(b.noted("ext-plain"), "INVOKE") })
	b.Close()
	lines := strings.Split(strings.TrimSpace(b.noted("ext-plain")), "\n")
	if len(lines) != 3 {
		t.Fatalf("it noted %q", lines)
	}
	if want := `200 {"accountId":"123456789012","functionName":"f","functionVersion":"$LATEST","handler":"the.handler"}`; lines[0] != want {
		t.Errorf("registered with %s", lines[0])
	}
	if want := `^\{"eventType":"INVOKE","deadlineMs":\d{13},"requestId":"r-1","invokedFunctionArn":"arn:aws:lambda:us-east-1:123456789012:function:f",` +
		`"tracing":\{"type":"X-Amzn-Trace-Id","value":"Root=1-5759e988-bd862e3fe1be46a994272793;.*"\}\}$`; !regexp.MustCompile(want).MatchString(lines[1]) {
		t.Errorf("the event is %s", lines[1])
	}
	if want := `^\{"eventType":"SHUTDOWN","shutdownReason":"spindown","deadlineMs":\d{13}\}$`; !regexp.MustCompile(want).MatchString(lines[2]) {
		t.Errorf("the end is %s", lines[2])
	}
	if got := b.noted("runtime"); got != "SIGTERM\n" {
		t.Errorf("the runtime noted %q", got)
	}
	log := b.log()
	for _, want := range []string{"EXTENSION\tName: ext-plain\tState: Ready\tEvents: [INVOKE, SHUTDOWN]", "the extension has seen an event", "START RequestId: r-1"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
}

func TestAnInternalExtension(t *testing.T) {
	b := newBench(t)
	b.fn.Environment["INTERNAL"] = "1"
	b.put(t)
	b.call(t, `1`)
	until(t, "the event", func() bool { return strings.Contains(b.noted("runtime"), "INVOKE") })
	b.Close()
	lines := strings.Split(strings.TrimSpace(b.noted("runtime")), "\n")
	if want := `{"errorMessage":"SHUTDOWN: ShutdownEventNotSupportedForInternalExtension","errorType":"Extension.InvalidEventType"}`; lines[0] != want {
		t.Errorf("for SHUTDOWN it got %s", lines[0])
	}
	if want := `{"functionName":"f","functionVersion":"$LATEST","handler":"the.handler"}`; lines[1] != want {
		t.Errorf("registered with %s", lines[1])
	}
	if !slices.Contains(lines, "SIGTERM") {
		t.Errorf("the runtime was not asked to end: %q", lines)
	}
}

// The caller has its answer as soon as the runtime has given it; the sandbox, and the function's concurrency, are free once the
// extensions are done as well.
func TestAnAnswerDoesNotWaitForExtensions(t *testing.T) {
	b := newBench(t, "ext-slow")
	b.put(t)
	if out := b.call(t, `1`); string(out.Payload) != `1` || out.FunctionError != "" {
		t.Fatalf("got %s", out.Payload)
	}
	if info, err := b.Get("f"); err != nil || info.Busy != 1 || info.Idle != 0 {
		t.Fatalf("the extension is still busy, and the sandbox is %+v, %v", info, err)
	}
	if strings.Contains(b.log(), "REPORT") {
		t.Error("REPORT comes before the extension is done")
	}
	if err := os.WriteFile(b.fn.Environment["GATE"], nil, 0o644); err != nil {
		t.Fatal(err)
	}
	until(t, "REPORT", func() bool { return strings.Contains(b.log(), "REPORT RequestId: r-1") })
	until(t, "the end of the invoke phase", func() bool {
		info, err := b.Get("f")
		return err == nil && info.Idle == 1 && info.Busy == 0
	})
	if out := b.call(t, `2`); string(out.Payload) != `2` {
		t.Errorf("got %s", out.Payload)
	}
	if info, _ := b.Get("f"); info.Idle != 1 {
		t.Errorf("the second event had a sandbox of its own: %+v", info)
	}
}

func TestExtensionsThatFail(t *testing.T) {
	for _, tt := range []struct {
		name, extension string
		event           string
		typ, message    string
		log             string
	}{
		{"one that ends before it registers", "ext-early", `1`, "Extension.Crash", "exit code 2", "EXTENSION\tName: ext-early\tState: Exited\tEvents: []"},
		{"one that says that it cannot begin", "ext-initerror", `1`, "Extension.InitError", "extension ext-initerror reported Extension.NoReason",
			"EXTENSION\tName: ext-initerror\tState: InitError\tEvents: [INVOKE, SHUTDOWN]\tError Type: Extension.NoReason"},
		{"one that ends during an event", "ext-crash", `"sleep"`, "Extension.Crash", "exit code 3", "Extension.Crash\nEND RequestId: r-1"},
		{"one that says that it ends during an event", "ext-exiterror", `"sleep"`, "Extension.ExitError", "extension ext-exiterror reported Extension.NoReason",
			"Status: error\tError Type: Extension.ExitError"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, tt.extension)
			b.put(t)
			out := b.call(t, tt.event)
			var body struct{ ErrorType, ErrorMessage string }
			if err := json.Unmarshal(out.Payload, &body); err != nil || body.ErrorType != tt.typ || body.ErrorMessage != "RequestId: r-1 Error: "+tt.message {
				t.Errorf("got %s", out.Payload)
			}
			if log := b.log(); !strings.Contains(log, tt.log) {
				t.Errorf("the log lacks %q:\n%s", tt.log, log)
			}
		})
	}
}

func TestAnExtensionThatCannotBeLaunched(t *testing.T) {
	b := newBench(t)
	dir := filepath.Join(b.fn.Layers[0], "extensions")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ext-text"), []byte("#!/bin/sh\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	b.put(t)
	out := b.call(t, `1`)
	if !strings.Contains(string(out.Payload), `"errorType":"Extension.LaunchError"`) || !strings.Contains(string(out.Payload), "permission denied") {
		t.Errorf("got %s", out.Payload)
	}
	for _, want := range []string{
		"EXTENSION\tName: ext-text\tState: LaunchError\tEvents: []\tError Type: PermissionDenied",
		"Phase: init\tStatus: error\tError Type: Extension.LaunchError",
	} {
		if log := b.log(); !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
}

// An extension that is never done uses the function's time up: the answer stands, the sandbox ends.
func TestAnExtensionThatIsNeverDone(t *testing.T) {
	b := newBench(t, "ext-stuck")
	b.fn.Timeout = 1
	b.put(t)
	if out := b.call(t, `1`); string(out.Payload) != `1` {
		t.Fatalf("got %s", out.Payload)
	}
	until(t, "the timeout", func() bool {
		return strings.Contains(b.log(), "r-1 Task timed out after 1.00 seconds") && strings.Contains(b.log(), "Status: timeout")
	})
	until(t, "the end of the sandbox", func() bool {
		info, err := b.Get("f")
		return err == nil && info.Idle == 0 && info.Busy == 0
	})
}

func TestTelemetryIsWhatHappened(t *testing.T) {
	b := newBench(t, "ext-telemetry")
	b.put(t)
	b.call(t, `"hello"`)
	b.Close()
	var kinds []string
	for line := range strings.SplitSeq(b.noted("ext-telemetry"), "\n") {
		text, ok := strings.CutPrefix(line, "telemetry ")
		if !ok {
			if strings.HasPrefix(line, "subscribed") && line != `subscribed 200 "OK"` {
				t.Error(line)
			}
			continue
		}
		var event struct {
			Time   time.Time
			Type   string
			Record json.RawMessage
		}
		if err := json.Unmarshal([]byte(text), &event); err != nil || event.Time.IsZero() {
			t.Fatalf("%s: %v", text, err)
		}
		kinds = append(kinds, event.Type)
		want := map[string]string{
			"platform.initStart":             `^\{"initializationType":"on-demand","phase":"init","functionName":"f","functionVersion":"\$LATEST","instanceId":".+","instanceMaxMemory":134217728\}$`,
			"platform.telemetrySubscription": `^\{"name":"ext-telemetry","state":"Subscribed","types":\["platform","function","extension"\]\}$`,
			"platform.extension":             `^\{"name":"ext-telemetry","state":"Ready","events":\["INVOKE","SHUTDOWN"\]\}$`,
			"platform.initRuntimeDone":       `^\{"initializationType":"on-demand","phase":"init","status":"success"\}$`,
			"platform.initReport":            `^\{"initializationType":"on-demand","phase":"init","status":"success","metrics":\{"durationMs":[\d.]+\}\}$`,
			"platform.start":                 `^\{"requestId":"r-1",.*"version":"\$LATEST"\}$`,
			"platform.runtimeDone":           `^\{"requestId":"r-1","status":"success","metrics":\{"durationMs":[\d.]+,"producedBytes":7\},"spans":\[\{"name":"responseLatency",.*\}\]\}$`,
			"platform.report":                `^\{"requestId":"r-1","metrics":\{"durationMs":[\d.]+,"billedDurationMs":\d+,"memorySizeMB":128(,"maxMemoryUsedMB":\d+)?,"initDurationMs":[\d.]+\},"status":"success"\}$`,
			"function":                       `^"handling \\"hello\\""$`,
			"extension":                      `^"the extension has seen an event"$`,
		}[event.Type]
		if want == "" || !regexp.MustCompile(want).Match(event.Record) {
			t.Errorf("%s is %s", event.Type, event.Record)
		}
	}
	slices.Sort(kinds) // what an extension prints may come at any time
	want := "extension function platform.extension platform.initReport platform.initRuntimeDone platform.initStart platform.report " +
		"platform.runtimeDone platform.start platform.telemetrySubscription"
	if got := strings.Join(kinds, " "); got != want {
		t.Errorf("there was %s, want %s", got, want)
	}
}
