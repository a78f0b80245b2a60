package function_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"devstack/internal/clock"
	"devstack/internal/trace"
	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/functiontest"
	"devstack/runtime/watch"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// bench is a Manager with the fake engine and a function "f".
type bench struct {
	*function.Manager
	fake  *functiontest.Fake
	clock *clock.Moving
	fn    *config.Function
	news  chan function.Reload
}

func newBench(t *testing.T, change ...func(*function.Config)) *bench {
	t.Helper()
	b := &bench{fake: &functiontest.Fake{}, clock: clock.Fixed(epoch), news: make(chan function.Reload, 100)}
	b.fn = &config.Function{Name: "f", Runtime: "fake", Source: filepath.Join(t.TempDir(), "main"), Timeout: 3, Memory: 128}
	cfg := function.Config{
		Engines: func(runtime string) function.Engine {
			if runtime == "fake" {
				return b.fake
			}
			return nil
		},
		Clock:  b.clock,
		Notify: func(_ string, ev function.Reload) { b.news <- ev },
	}
	for _, c := range change {
		c(&cfg)
	}
	b.Manager = function.NewManager(cfg)
	t.Cleanup(func() {
		if err := errors.Join(b.Close(), b.fake.Close()); err != nil {
			t.Error(err)
		}
	})
	b.save(t, "one")
	return b
}

func (b *bench) save(t *testing.T, content string) {
	t.Helper()
	if err := os.WriteFile(b.fn.Source, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) put(t *testing.T) {
	t.Helper()
	if err := b.Put(t.Context(), b.fn); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) call(ctx context.Context, event string) (*function.Outcome, error) {
	return b.Invoke(ctx, "f", function.Invocation{Payload: []byte(event)})
}

func (b *bench) want(t *testing.T, event, want string) {
	t.Helper()
	out, err := b.call(t.Context(), event)
	if err != nil || string(out.Payload) != want {
		t.Fatalf("%s answered %+v, %v, want %s", event, out, err, want)
	}
}

// start sends an event that sleeps, and returns once a sandbox has it.
func (b *bench) start(t *testing.T, ctx context.Context) <-chan error {
	t.Helper()
	before := b.fake.Sleeping.Load()
	done := make(chan error, 1)
	go func() {
		out, err := b.call(ctx, `{"do":"sleep"}`)
		if err == nil && out.FunctionError != "" {
			err = errors.New(string(out.Payload))
		}
		done <- err
	}()
	until(t, func() bool { return b.fake.Sleeping.Load() == before+1 })
	return done
}

func until(t *testing.T, done func() bool) {
	t.Helper()
	for !done() {
		select {
		case <-t.Context().Done():
			t.Fatal("it did not happen")
		case <-time.After(time.Millisecond):
		}
	}
}

const version = `{"do":"version"}`

func TestUnknownFunctionsAndRuntimes(t *testing.T) {
	b := newBench(t)
	if _, err := b.call(t.Context(), version); err != function.ErrNoFunction {
		t.Errorf("got %v", err)
	}
	if err := b.Remove("f"); err != function.ErrNoFunction {
		t.Errorf("got %v", err)
	}
	b.fn.Runtime = "cobol"
	if err := b.Put(t.Context(), b.fn); err == nil || !strings.Contains(err.Error(), `runtime "cobol" is not supported`) {
		t.Errorf("got %v", err)
	}
}

func TestEventsThatAreTooLarge(t *testing.T) {
	b := newBench(t)
	b.put(t)
	for _, tt := range []struct {
		size  int
		async bool
		want  string
	}{
		{6 << 20, false, ""},
		{6<<20 + 1, false, "Request must be smaller than 6291456 bytes for the InvokeFunction operation"},
		{1 << 20, true, ""},
		{1<<20 + 1, true, "Request must be smaller than 1048576 bytes for the InvokeFunction operation"},
	} {
		payload := []byte(`{"do":"version","pad":"` + strings.Repeat("x", tt.size))[:tt.size-2]
		_, err := b.Invoke(t.Context(), "f", function.Invocation{Payload: append(payload, `"}`...), Async: tt.async})
		var large *function.PayloadError
		if tt.want == "" && err != nil || tt.want != "" && (!errors.As(err, &large) || err.Error() != tt.want) {
			t.Errorf("%d bytes, async %v: got %v, want %q", tt.size, tt.async, err, tt.want)
		}
	}
}

func TestAnAnswerThatIsTooLarge(t *testing.T) {
	b := newBench(t)
	b.put(t)
	b.save(t, strings.Repeat("x", function.MaxResponse))
	b.want(t, version, `{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes)."}`)
}

func TestCallersBeyondTheLimitWaitForTheirTurn(t *testing.T) {
	b := newBench(t, func(c *function.Config) { c.Limit = 2 })
	b.put(t)
	b.start(t, t.Context())
	b.start(t, t.Context())
	short, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.call(short, version); err != context.Canceled {
		t.Fatalf("got %v", err)
	}
	answered := make(chan error)
	go func() {
		_, err := b.call(t.Context(), version)
		answered <- err
	}()
	b.clock.Advance(3 * time.Second) // the two time out
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	if n := b.fake.Starts.Load(); n != 3 {
		t.Errorf("%d sandboxes were started, want two for the sleepers and one after them", n)
	}
}

func TestTheClockTimesOut(t *testing.T) {
	b := newBench(t)
	b.put(t)
	done := b.start(t, t.Context())
	b.clock.Advance(2999 * time.Millisecond)
	select {
	case err := <-done:
		t.Fatalf("ended early: %v", err)
	default:
	}
	b.clock.Advance(time.Millisecond)
	if err := <-done; err == nil || !strings.Contains(err.Error(), "Task timed out after 3.00 seconds") {
		t.Fatalf("got %v", err)
	}
}

func TestIdleSandboxesEnd(t *testing.T) {
	b := newBench(t)
	b.put(t)
	b.want(t, version, `"one"`)
	b.clock.Advance(4 * time.Minute)
	if i, _ := b.Get("f"); i.Idle != 1 {
		t.Fatalf("%d idle sandboxes after four minutes, want 1", i.Idle)
	}
	b.clock.Advance(6 * time.Minute)
	until(t, func() bool { return b.fake.Open.Load() == 0 })
	b.want(t, version, `"one"`)
}

func TestARequestInFlightEndsOnItsOwnVersion(t *testing.T) {
	b := newBench(t)
	b.put(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := b.start(t, ctx)
	b.save(t, "two")
	b.want(t, version, `"two"`)
	if n := b.fake.Open.Load(); n != 2 {
		t.Errorf("%d sandboxes, want one of each version", n)
	}
	cancel()
	if err := <-done; err != context.Canceled {
		t.Errorf("a caller who went away got %v", err)
	}
	if n := b.fake.Open.Load(); n != 2 {
		t.Errorf("the event of a caller who went away was cut off")
	}
	b.clock.Advance(3 * time.Second)
	until(t, func() bool { return b.fake.Open.Load() == 1 && b.fake.OpenBuilds.Load() == 1 })
}

func TestASaveDuringABuildIsBuiltToo(t *testing.T) {
	b := newBench(t)
	b.put(t)
	b.save(t, "two")
	saves := 3
	b.fake.Building = func(context.Context) {
		if saves > 0 {
			saves--
			b.save(t, fmt.Sprint("during ", saves))
		}
	}
	b.want(t, version, `"during 0"`)
}

func TestANewSaveCancelsTheBuild(t *testing.T) {
	b := newBench(t)
	b.put(t)
	stuck := make(chan bool, 1)
	b.fake.Building = func(ctx context.Context) {
		select {
		case stuck <- true: // the first build is
			<-ctx.Done()
		default:
		}
	}
	b.save(t, "two")
	first := make(chan error)
	go func() {
		_, err := b.call(t.Context(), version)
		first <- err
	}()
	until(t, func() bool { return len(stuck) == 1 })
	b.save(t, "three")
	b.want(t, version, `"three"`)
	if err := <-first; err != nil {
		t.Error(err)
	}
}

func TestSourcesThatNeverRestAreSaidSo(t *testing.T) {
	defer function.SetPatience(time.Millisecond)()
	b := newBench(t)
	n := 0
	b.fake.Building = func(context.Context) { n++; b.save(t, fmt.Sprint(n)) }
	var mistake *function.BuildError
	if err := b.Put(t.Context(), b.fn); !errors.As(err, &mistake) || !strings.Contains(mistake.Text, "keeps changing") {
		t.Fatalf("got %v", err)
	}
}

func TestAFunctionThatWritesToItsOwnSourcesIsSaidSo(t *testing.T) {
	defer function.SetPatience(time.Millisecond)()
	b := newBench(t)
	b.put(t)
	n := 0
	b.fake.Starting = func() { n++; b.save(t, fmt.Sprint(n)) }
	out, err := b.call(t.Context(), version)
	if err != nil || !out.Build || !strings.Contains(string(out.Payload), "keeps changing") {
		t.Fatalf("got %+v, %v", out, err)
	}
}

func TestCallsDuringTheFirstPutWait(t *testing.T) {
	b := newBench(t)
	answered := make(chan error)
	for range 4 {
		go func() {
			for {
				out, err := b.call(t.Context(), version)
				if err == function.ErrNoFunction {
					continue
				}
				if err == nil && string(out.Payload) != `"one"` {
					err = errors.New(string(out.Payload))
				}
				answered <- err
				return
			}
		}()
	}
	b.put(t)
	for range 4 {
		if err := <-answered; err != nil {
			t.Error(err)
		}
	}
}

func TestABuildErrorIsThePutsTheCallersAndHealed(t *testing.T) {
	b := newBench(t)
	b.save(t, "syntax error")
	var mistake *function.BuildError
	if err := b.Put(t.Context(), b.fn); !errors.As(err, &mistake) {
		t.Fatalf("Put returned %v", err)
	}
	builds := b.fake.Builds.Load()
	for range 3 {
		b.want(t, version, `{"errorType":"Runtime.BuildError","errorMessage":"main:1: syntax error"}`)
	}
	if n := b.fake.Builds.Load(); n != builds {
		t.Errorf("%d further builds, and nothing has changed", n-builds)
	}
	if i, _ := b.Get("f"); i.State != function.Failed || i.Reason != "main:1: syntax error" {
		t.Errorf("the state is %s: %s", i.State, i.Reason)
	}
	b.save(t, "two")
	b.want(t, version, `"two"`)
	if i := b.List(); len(i) != 1 || i[0].State != function.Ready || i[0].Version != 2 {
		t.Errorf("the list is %+v", i)
	}
}

// missing is an engine whose tool comes later.
type missing struct {
	function.Engine
	there bool
}

func (m *missing) Build(ctx context.Context, fn *config.Function, previous function.Build) (function.Build, error) {
	if !m.there {
		return nil, errors.New("the tool is not installed")
	}
	return m.Engine.Build(ctx, fn, previous)
}

func TestAMissingToolIsLookedForAgain(t *testing.T) {
	engine := &missing{}
	b := newBench(t, func(c *function.Config) { c.Engines = func(string) function.Engine { return engine } })
	engine.Engine = b.fake
	if err := b.Put(t.Context(), b.fn); err == nil {
		t.Fatal("no error")
	}
	b.want(t, version, `{"errorType":"Runtime.BuildError","errorMessage":"the tool is not installed"}`)
	engine.there = true
	b.want(t, version, `"one"`)
}

func TestPutChangesTheConfiguration(t *testing.T) {
	b := newBench(t)
	b.fn.Environment = map[string]string{"COLOUR": "green"}
	b.put(t)
	b.want(t, `{"do":"env","name":"COLOUR"}`, `"green"`)
	b.fn.Environment = map[string]string{"COLOUR": "red"}
	b.put(t)
	b.want(t, `{"do":"env","name":"COLOUR"}`, `"red"`)
}

func TestRemoveCutsOff(t *testing.T) {
	b := newBench(t)
	b.put(t)
	done := b.start(t, t.Context())
	if err := b.Remove("f"); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != function.ErrClosed {
		t.Errorf("the event in flight got %v", err)
	}
	if _, err := b.call(t.Context(), version); err != function.ErrNoFunction {
		t.Errorf("got %v", err)
	}
}

func TestFileEventsReloadBeforeAnybodyCalls(t *testing.T) {
	w, err := watch.New()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	b := newBench(t, func(c *function.Config) { c.Watch = w })
	b.put(t)
	b.want(t, version, `"one"`)
	<-b.news
	b.save(t, "two")
	for {
		ev := <-b.news // of "two", or of the empty file that it was for a moment
		if i, _ := b.Get("f"); ev.Err == nil && ev.Path == b.fn.Source && i.Idle == 1 {
			break
		}
	}
	starts := b.fake.Starts.Load()
	b.want(t, version, `"two"`)
	if b.fake.Starts.Load() != starts {
		t.Error("the new version had no sandbox ready")
	}
	builds := b.fake.Builds.Load()
	if err := os.Chtimes(b.fn.Source, time.Now(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	b.want(t, version, `"two"`)
	if b.fake.Builds.Load() != builds {
		t.Error("a touch rebuilt the function")
	}
}

func TestInvocationsAreTraced(t *testing.T) {
	b := newBench(t)
	b.put(t)
	ring := trace.NewRing(10, b.clock.Now)
	ctx, span := trace.Start(ring.Context(t.Context()), "api", "GET /")
	out, err := b.call(ctx, `{"do":"trace"}`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.call(ctx, `{"do":"throw"}`); err != nil {
		t.Fatal(err)
	}
	spans := ring.Spans()
	if len(spans) != 2 {
		t.Fatalf("%d spans, want two", len(spans))
	}
	s := spans[0]
	if s.Kind != "function" || s.Name != "f" || s.Input != `{"do":"trace"}` || s.Output != string(out.Payload) || s.Error != "" {
		t.Errorf("the span is %+v", s)
	}
	if want := fmt.Sprintf(`"Root=%s;Parent=%s;Sampled=1"`, span.TraceID(), s.ID); string(out.Payload) != want {
		t.Errorf("the function was told %s, want %s", out.Payload, want)
	}
	if spans[1].Error == "" {
		t.Error("the span of a failed invocation has no error")
	}
}

func TestOutcomesBill(t *testing.T) {
	b := newBench(t)
	b.put(t)
	done := make(chan *function.Outcome)
	go func() {
		out, err := b.Invoke(t.Context(), "f", function.Invocation{RequestID: "r-1", Payload: []byte(`{"do":"sleep"}`)})
		if err != nil {
			t.Error(err)
		}
		done <- out
	}()
	until(t, func() bool { return b.fake.Sleeping.Load() == 1 })
	b.clock.Advance(3 * time.Second)
	want := "START RequestId: r-1 Version: $LATEST\n2026-01-02T03:04:08.000Z r-1 Task timed out after 3.00 seconds\nEND RequestId: r-1\n" +
		"REPORT RequestId: r-1\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tMemory Size: 128 MB\tStatus: timeout\n"
	if out := <-done; string(out.LogTail) != want || out.Billed != 3*time.Second {
		t.Errorf("billed %v, the log is\n%s, want\n%s", out.Billed, out.LogTail, want)
	}
}

func TestVersionsOfAFunctionLiveSideBySide(t *testing.T) {
	var lines []function.Line
	b := newBench(t, func(c *function.Config) { c.Log = func(l function.Line) { lines = append(lines, l) } })
	b.put(t)
	three := *b.fn
	three.Version, three.Source, three.LogGroup = "3", b.fn.Source+"3", "/shop"
	if err := os.WriteFile(three.Source, []byte("three"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := b.Put(t.Context(), &three); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"f": `"one"`, "f:3": `"three"`} {
		if out, err := b.Invoke(t.Context(), key, function.Invocation{Payload: []byte(version)}); err != nil || string(out.Payload) != want {
			t.Errorf("%s answered %+v, %v, want %s", key, out, err, want)
		}
	}
	lines = nil
	out, err := b.Invoke(t.Context(), "f:3", function.Invocation{Payload: []byte(`{"do":"env","name":"AWS_LAMBDA_FUNCTION_VERSION"}`)})
	if err != nil || string(out.Payload) != `"3"` {
		t.Errorf("the environment says version %+v, %v", out, err)
	}
	if l := lines[0]; !strings.HasSuffix(l.Text, " Version: 3") || l.Function != "f" || l.Group != "/shop" || !strings.HasPrefix(l.Stream, "2026/01/02/f[3]") {
		t.Errorf("the first line is %+v", l)
	}
	if err := b.Remove("f:3"); err != nil {
		t.Fatal(err)
	}
	if l := b.List(); len(l) != 1 || l[0].Function.Key() != "f" {
		t.Errorf("left are %+v", l)
	}
}
