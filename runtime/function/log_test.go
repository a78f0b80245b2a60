package function_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"devstack/runtime/function"
)

// logged collects what a Manager logs.
type logged struct {
	mu    sync.Mutex
	lines []function.Line
}

func (l *logged) into(c *function.Config) {
	c.Log = func(line function.Line) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.lines = append(l.lines, line)
	}
}

func (l *logged) texts() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, line := range l.lines {
		out = append(out, line.Text)
	}
	return out
}

func TestALogInJSONHasPlatformEventsFromItsLevel(t *testing.T) {
	const all = "platform.initStart platform.initRuntimeDone platform.initReport platform.start function platform.runtimeDone platform.report"
	for level, want := range map[string]string{
		"DEBUG": all,
		"":      "platform.start function platform.report",
		"INFO":  "platform.start function platform.report",
		"WARN":  "function",
	} {
		var l logged
		b := newBench(t, l.into)
		b.fn.LogFormat, b.fn.SystemLogLevel, b.fn.Version, b.fn.LogGroup = "JSON", level, "7", "/elsewhere"
		b.put(t)
		out, err := b.Invoke(t.Context(), b.fn.Key(), function.Invocation{RequestID: "r-1", Payload: []byte(`{"do":"log","line":"{\"level\":\"INFO\"}"}`)})
		if err != nil {
			t.Fatal(err)
		}
		var kinds []string
		for _, text := range l.texts() {
			var event struct {
				Time, Type, Level string
				Record            struct{ RequestID, Version, Status string }
			}
			if err := json.Unmarshal([]byte(text), &event); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if event.Level != "" {
				event.Type = "function"
			} else if event.Time != "2026-01-02T03:04:05.000Z" {
				t.Errorf("the time is %s", event.Time)
			}
			if event.Type == "platform.start" && (event.Record.Version != "7" || event.Record.RequestID != "r-1") {
				t.Errorf("it begins with %s", text)
			}
			kinds = append(kinds, event.Type)
		}
		if got := strings.Join(kinds, " "); got != want {
			t.Errorf("level %q has %s, want %s", level, got, want)
		}
		if line := l.lines[0]; line.Group != "/elsewhere" || !strings.Contains(line.Stream, "/f[7]") {
			t.Errorf("group %s, stream %s", line.Group, line.Stream)
		}
		if tail := strings.TrimSuffix(string(out.LogTail), "\n"); !strings.HasSuffix(strings.Join(l.texts(), "\n"), tail) || tail == "" {
			t.Errorf("the tail is %s", tail)
		}
	}
}

func TestAFunctionThatCannotBeLoadedIsReported(t *testing.T) {
	var l logged
	b := newBench(t, l.into)
	b.save(t, "bad init")
	if err := b.Put(t.Context(), b.fn); err != nil {
		t.Fatal(err) // nothing is started yet
	}
	out, err := b.Invoke(t.Context(), "f", function.Invocation{RequestID: "r-1", Payload: []byte(version)})
	if err != nil || out.FunctionError != "Unhandled" {
		t.Fatal(out, err)
	}
	want := []string{
		"INIT_REPORT Init Duration: 0.00 ms\tPhase: init\tStatus: error\tError Type: Error",
		"START RequestId: r-1 Version: $LATEST",
		"END RequestId: r-1",
		"REPORT RequestId: r-1\tDuration: 0.00 ms\tBilled Duration: 0 ms\tMemory Size: 128 MB\tStatus: error\tError Type: Error",
	}
	if got := l.texts(); !slices.Equal(got, want) {
		t.Errorf("the log is %q", got)
	}
	if got := string(out.LogTail); got != strings.Join(want, "\n")+"\n" {
		t.Errorf("the tail is %q", got)
	}
}

// A function that takes longer than ten seconds to load is begun anew in its first event's time.
func TestASlowInitialisationIsRetriedInTheInvokePhase(t *testing.T) {
	const before = "INIT_REPORT Init Duration: 10000.00 ms\tPhase: init\tStatus: timeout|"
	for _, tt := range []struct {
		name         string
		takes        time.Duration // the second attempt
		answer, want string        // want: the log
		billed       time.Duration
	}{
		{"the second attempt succeeds", 11 * time.Second, `"one"`, before +
			"START RequestId: r-1 Version: $LATEST|END RequestId: r-1|" +
			"REPORT RequestId: r-1\tDuration: 11000.00 ms\tBilled Duration: 11000 ms\tMemory Size: 128 MB\t", 11 * time.Second},
		{"the second takes too long as well", 12 * time.Second, "Task timed out after 12.00 seconds", before +
			"INIT_REPORT Init Duration: 12000.00 ms\tPhase: invoke\tStatus: timeout|START RequestId: r-1 Version: $LATEST|" +
			"2026-01-02T03:04:27.000Z r-1 Task timed out after 12.00 seconds|END RequestId: r-1|" +
			"REPORT RequestId: r-1\tDuration: 12000.00 ms\tBilled Duration: 12000 ms\tMemory Size: 128 MB\tStatus: timeout", 12 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var l logged
			b := newBench(t, l.into)
			b.fn.Timeout = 12
			starts, loaded := make(chan int), make(chan struct{})
			number := 0
			b.fake.Loading = func(ctx context.Context) {
				number++
				starts <- number
				select {
				case <-ctx.Done():
				case <-loaded:
				}
			}
			b.put(t)
			done := make(chan *function.Outcome)
			go func() {
				out, err := b.Invoke(t.Context(), "f", function.Invocation{RequestID: "r-1", Payload: []byte(version)})
				if err != nil {
					t.Error(err)
				}
				done <- out
			}()
			<-starts
			b.clock.Advance(10 * time.Second)
			<-starts
			b.clock.Advance(tt.takes)
			if tt.takes < 12*time.Second {
				close(loaded)
			}
			out := <-done
			if !strings.Contains(string(out.Payload), tt.answer) || out.Billed != tt.billed {
				t.Errorf("answered %s, billed %v", out.Payload, out.Billed)
			}
			if got := strings.Join(l.texts(), "|"); got != tt.want {
				t.Errorf("the log is\n%q, want\n%q", got, tt.want)
			}
		})
	}
}
