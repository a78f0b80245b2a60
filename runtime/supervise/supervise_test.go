package supervise

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"devstack/runtime/config"
	"devstack/runtime/plan"
)

func TestOneResource(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		state        State
		why          string
		tail         int // lines
	}{
		{"one that serves is ready", "ready", Ready, "", 0},
		{"one that cannot be started has failed", "missing", Failed, "command not found", 0},
		{"one that ends before it is ready has failed", "exits", Failed, "exited with status 1 before it was ready", 0},
		{"one that is never ready has failed after a while", "hangs", Failed, "not ready after 50ms: nothing accepts connections", 0},
		{"one that floods shows its last lines", "floods", Failed, "exited with status 1 before it was ready", 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, Config{ReadyTimeout: 50 * time.Millisecond})
			err := w.Apply(t.Context(), create(service("a", tt.script)))
			got := w.status("a")
			if got.State != tt.state || got.Why != tt.why || len(got.Tail) != tt.tail {
				t.Errorf("%s, %q, %d lines, want %s, %q, %d", got.State, got.Why, len(got.Tail), tt.state, tt.why, tt.tail)
			}
			if tt.state == Ready {
				if err != nil {
					t.Errorf("Apply: %v", err)
				}
				return
			}
			var failed *NotReadyError
			if !errors.As(err, &failed) || failed.ID.Name != "a" || !strings.HasPrefix(err.Error(), "service.a is not ready: "+tt.why) {
				t.Errorf("Apply: %v", err)
			}
			if tt.tail > 0 && !strings.HasSuffix(err.Error(), "line 81\n    line 82\n    line 83\n    line 84\n    line 85\n    line 86\n    line 87\n"+
				"    line 88\n    line 89\n    line 90\n    line 91\n    line 92\n    line 93\n    line 94\n    line 95\n    line 96\n"+
				"    line 97\n    line 98\n    line 99\n    line 100") {
				t.Errorf("Apply: %v", err)
			}
			if len(w.runner.instances("a")) != 0 {
				t.Error("an instance that was never ready still runs")
			}
		})
	}
}

func TestStartInOrderAndStopInReverse(t *testing.T) {
	w := newWorld(t, Config{})
	if err := w.Apply(t.Context(), create(service("c", "ready", "b"), service("b", "ready", "a"), service("a", "ready"))); err != nil {
		t.Fatal(err)
	}
	want := []string{"route a to ", "start http://a/1", "route a to http://a/1", "route b to ", "start http://b/1",
		"route b to http://b/1", "route c to ", "start http://c/1", "route c to http://c/1"}
	if got := w.runner.happened(); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if err := w.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	want = []string{"route c to ", "drain http://c/1", "stop http://c/1", "route b to ", "drain http://b/1", "stop http://b/1",
		"route a to ", "drain http://a/1", "stop http://a/1"}
	if got := w.runner.happened(); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, s := range w.Status() {
		if s.State != Stopped {
			t.Errorf("%s is %s", s.ID, s.State)
		}
	}
	if err := w.Apply(t.Context(), create(service("d", "ready"))); err == nil {
		t.Error("Apply after Stop succeeded")
	}
}

func TestFailureReachesDependentsOnlyAndEndsWithItsCause(t *testing.T) {
	w := newWorld(t, Config{})
	err := w.Apply(t.Context(), create(service("a", "exits ready"), service("b", "ready", "a"), service("c", "ready", "b"), service("d", "ready")))
	var lines []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		lines = append(lines, line)
	}
	want := []string{
		"service.a is not ready: exited with status 1 before it was ready",
		"service.b is not ready: needs service.a, which failed",
		"service.c is not ready: needs service.b, which failed",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("got  %q\nwant %q", lines, want)
	}
	if s := w.status("d"); s.State != Ready {
		t.Errorf("d needs nothing and is %s", s.State)
	}
	if s := w.status("c"); s.State != Failed || s.Why != "needs service.b, which failed" {
		t.Errorf("c is %s: %s", s.State, s.Why)
	}
	w.untilState(t, "c", Ready, 100*time.Millisecond) // the second start of a succeeds, and then b can start
}

func TestSwap(t *testing.T) {
	for _, tt := range []struct {
		name string
		port int
		want []string
	}{
		{"the new one is ready before the old one stops", 0,
			[]string{"start http://a/2", "route a to http://a/2", "drain http://a/1", "stop http://a/1"}},
		{"where there can be only one the old one stops first", 8080,
			[]string{"route a to ", "drain http://a/1", "stop http://a/1", "start http://a/2", "route a to http://a/2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, Config{})
			old, new := service("a", "ready"), service("a", "ready")
			old.Port, new.Port = tt.port, tt.port
			if err := w.Apply(t.Context(), create(old)); err != nil {
				t.Fatal(err)
			}
			w.runner.happened()
			if err := w.Apply(t.Context(), update(old, new)); err != nil {
				t.Fatal(err)
			}
			var got []string
			w.until(t, "the old one is gone", 0, func() bool {
				got = append(got, w.runner.happened()...)
				return len(w.runner.instances("a")) == 1 && len(got) >= len(tt.want)
			})
			if !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestFailedUpdateKeepsTheOldOne(t *testing.T) {
	w := newWorld(t, Config{})
	old := service("a", "ready")
	if err := w.Apply(t.Context(), create(old)); err != nil {
		t.Fatal(err)
	}
	if err := w.Apply(t.Context(), update(old, service("a", "missing missing ready"))); err == nil {
		t.Fatal("no error")
	}
	s, route := w.status("a"), w.router.route("a")
	if s.State != Ready || !strings.Contains(s.Why, "the previous version goes on, because the new one failed: command not found") {
		t.Errorf("%s: %s", s.State, s.Why)
	}
	if !slices.Equal(route.URLs, []string{"http://a/1"}) {
		t.Errorf("requests go to %v", route.URLs)
	}
	w.until(t, "the new one has been tried again", time.Second, func() bool {
		return slices.Equal(w.router.route("a").URLs, []string{"http://a/3"})
	})
	w.until(t, "nothing is wrong any more", 0, func() bool { return w.status("a").Why == "" })
}

func TestKickNeverAnswersWithTheOldOne(t *testing.T) {
	w := newWorld(t, Config{})
	if err := w.Apply(t.Context(), create(service("a", "ready hangs missing ready"))); err != nil {
		t.Fatal(err)
	}
	w.Kick(config.ID{Type: "service", Name: "a"}) // hangs
	if route := w.router.route("a"); len(route.URLs) != 0 || !route.Wait {
		t.Errorf("while the new one starts requests do not wait: %+v", route)
	}
	w.Kick(config.ID{Type: "service", Name: "a"}) // gives up the one that hangs; cannot start
	if route := w.router.route("a"); len(route.URLs) != 0 {
		t.Errorf("requests go to %v", route.URLs)
	}
	w.untilState(t, "a", Failed, 0)
	w.until(t, "requests are told why", 0, func() bool {
		route := w.router.route("a")
		return !route.Wait && route.Why == "command not found" && len(route.URLs) == 0
	})
	w.Kick(config.ID{Type: "service", Name: "a"})
	w.until(t, "the saved code answers", 0, func() bool { return slices.Equal(w.router.route("a").URLs, []string{"http://a/4"}) })
	w.until(t, "the first one is gone", 0, func() bool { return len(w.runner.instances("a")) == 1 })
	if w.Kick(config.ID{Type: "service", Name: "b"}) {
		t.Error("kicked what does not exist")
	}
}

func TestKickWhileStartingAnswersTheApply(t *testing.T) {
	w := newWorld(t, Config{})
	applied := make(chan error)
	go func() { applied <- w.Apply(context.Background(), create(service("a", "hangs ready"))) }()
	w.until(t, "it has been started", 0, func() bool { return len(w.runner.instances("a")) == 1 })
	w.Kick(config.ID{Type: "service", Name: "a"})
	if err := <-applied; err != nil {
		t.Fatal(err)
	}
	if got := w.runner.instances("a"); len(got) != 1 || got[0].url != "http://a/2" {
		t.Errorf("%d instances run", len(got))
	}
}

func TestRestartsMoreAndMoreRarely(t *testing.T) {
	w := newWorld(t, Config{})
	if err := w.Apply(t.Context(), create(service("a", "ready"))); err != nil {
		t.Fatal(err)
	}
	for n := range 9 {
		w.runner.instances("a")[0].exit(fmt.Errorf("exited with status %d", n+1))
		s := w.status("a")
		w.until(t, "the end was seen", 0, func() bool { s = w.status("a"); return s.Restarts == n+1 })
		if want := map[bool]State{true: Failed, false: Starting}[n+1 >= looping]; s.State != want {
			t.Errorf("after end %d it is %s, want %s", n+1, s.State, want)
		}
		if want := fmt.Sprintf("exited with status %d", n+1); s.Why != want {
			t.Errorf("why %q, want %q", s.Why, want)
		}
		w.untilState(t, "a", Ready, 50*time.Millisecond)
	}
	var delays []string
	said := func() []string {
		delays = nil
		for _, l := range w.logs.Tail("service.a", 100) {
			_, delay, _ := strings.Cut(l.Text, "restarting in ")
			delays = append(delays, delay)
		}
		return delays
	}
	want := []string{"100ms", "200ms", "400ms", "800ms", "1.6s", "3.2s", "6.4s", "10s", "10s"}
	if got := said(); !slices.Equal(got, want) {
		t.Errorf("delays %v, want %v", got, want)
	}
	w.clock.Advance(healthy)
	w.runner.instances("a")[0].exit(nil)
	w.until(t, "it starts counting afresh after a healthy while", 0, func() bool {
		got := said()
		return len(got) == 10 && got[9] == "100ms"
	})
}

func TestReplicas(t *testing.T) {
	w := newWorld(t, Config{})
	s := service("a", "ready")
	s.Replicas = 3
	if err := w.Apply(t.Context(), create(s)); err != nil {
		t.Fatal(err)
	}
	if n := len(w.router.route("a").URLs); n != 3 {
		t.Fatalf("requests go to %d instances, want 3", n)
	}
	w.runner.instances("a")[1].exit(errors.New("killed by signal 9 (killed)"))
	w.until(t, "the dead one gets no requests", 0, func() bool { return len(w.router.route("a").URLs) == 2 })
	if s := w.status("a"); s.State != Ready {
		t.Errorf("two of three run and it is %s", s.State)
	}
	w.until(t, "there are three again", 100*time.Millisecond, func() bool { return len(w.router.route("a").URLs) == 3 })
	fewer := service("a", "ready")
	if err := w.Apply(t.Context(), update(s, fewer)); err != nil {
		t.Fatal(err)
	}
	w.until(t, "one is left", 0, func() bool { return len(w.runner.instances("a")) == 1 })
}

// inPlace changes instances without replacing them.
type inPlace struct{ *scripted }

func (r inPlace) Update(_ context.Context, _, new config.Resource, inst Instance) (Instance, error) {
	if new.(*config.Service).Command[0] == "missing" {
		return nil, errors.New("no")
	}
	return inst, nil
}

func TestUpdateInPlace(t *testing.T) {
	w := newWorld(t, Config{Runners: map[string]Runner{}})
	w.conf.Runners["service"] = inPlace{w.runner}
	first, second := service("a", "ready"), service("a", "ready ready")
	if err := w.Apply(t.Context(), create(first)); err != nil {
		t.Fatal(err)
	}
	if err := w.Apply(t.Context(), update(first, second)); err != nil {
		t.Fatal(err)
	}
	if err := w.Apply(t.Context(), update(second, service("a", "missing ready"))); err == nil || !strings.Contains(err.Error(), "service.a is not ready: no") {
		t.Errorf("Apply: %v", err)
	}
	if got := w.runner.instances("a"); len(got) != 1 || got[0].url != "http://a/1" {
		t.Errorf("%d instances", len(got))
	}
	got := w.runner.instances("a")[0]
	got.exit(errors.New("crash"))
	w.until(t, "it is started again", 100*time.Millisecond, func() bool { return len(w.runner.instances("a")) == 1 })
}

func TestDelete(t *testing.T) {
	w := newWorld(t, Config{})
	a := service("a", "ready")
	if err := w.Apply(t.Context(), create(a)); err != nil {
		t.Fatal(err)
	}
	if err := w.Apply(t.Context(), []plan.Step{{Action: plan.Delete, ID: a.ID, Old: a}}); err != nil {
		t.Fatal(err)
	}
	if len(w.runner.instances("a")) != 0 || len(w.Status()) != 0 {
		t.Errorf("it is not gone: %+v", w.Status())
	}
	if err := w.Apply(t.Context(), create(a)); err != nil {
		t.Errorf("it cannot come back: %v", err)
	}
}

func TestWhatAFailedUpdateStillUsesGoesLater(t *testing.T) {
	w := newWorld(t, Config{})
	a, b := service("a", "ready"), service("b", "ready", "a")
	if err := w.Apply(t.Context(), create(a, b)); err != nil {
		t.Fatal(err)
	}
	steps := append(update(b, service("b", "missing missing ready")),
		plan.Step{Action: plan.Delete, ID: a.ID, Old: a, After: []config.ID{b.ID}})
	if err := w.Apply(t.Context(), steps); err == nil {
		t.Fatal("no error")
	}
	if len(w.runner.instances("a")) != 1 || len(w.runner.instances("b")) != 1 {
		t.Error("the previous version has not what it needs")
	}
	w.until(t, "a is gone", 100*time.Millisecond, func() bool { return len(w.Status()) == 1 })
	if got := w.runner.instances("b"); len(got) != 1 || got[0].url != "http://b/3" {
		t.Errorf("%d instances of b", len(got))
	}
}

func TestStopWhileStarting(t *testing.T) {
	w := newWorld(t, Config{})
	applied := make(chan error)
	go func() {
		applied <- w.Apply(context.Background(), create(service("a", "hangs"), service("b", "ready", "a")))
	}()
	w.until(t, "it has been started", 0, func() bool { return len(w.runner.instances("a")) == 1 })
	if s := w.status("b"); s.State != Pending {
		t.Errorf("b waits for a and is %s", s.State)
	}
	if err := w.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-applied; err == nil {
		t.Error("Apply succeeded")
	}
	if len(w.runner.instances("a")) != 0 {
		t.Error("it still runs")
	}
}

func TestUnknownBlockChangesNothing(t *testing.T) {
	w := newWorld(t, Config{})
	table := &config.Table{Block: config.Block{ID: config.ID{Type: "table", Name: "t"}}}
	err := w.Apply(t.Context(), append(create(service("a", "ready")), plan.Step{Action: plan.Create, ID: table.ID, New: table}))
	if err == nil || len(w.Status()) != 0 {
		t.Errorf("%v, %+v", err, w.Status())
	}
}

func TestSubscribersSeeTheLatest(t *testing.T) {
	w := newWorld(t, Config{})
	if err := w.Apply(t.Context(), create(service("a", "ready"))); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	statuses := w.Subscribe(ctx)
	if s := <-statuses; s.Name != "a" || s.State != Ready {
		t.Errorf("the first is %+v", s)
	}
	for range 50 { // nobody reads meanwhile
		w.Kick(config.ID{Type: "service", Name: "a"})
	}
	if err := w.Apply(t.Context(), create(service("b", "ready"))); err != nil {
		t.Fatal(err)
	}
	for s := range statuses {
		if s.Name == "b" && s.State == Ready {
			cancel()
		}
	}
}

// An Apply that is given up leaves what it has begun under way: that is not as wanted yet, though the old version still answers.
func TestBegunTellsWhatIsAsWanted(t *testing.T) {
	w := newWorld(t, Config{})
	old, hangs, good := service("a", "ready"), service("a", "hangs"), service("a", "ready")
	begun := func() Begun {
		all := w.Begun()
		if len(all) != 1 {
			t.Fatalf("%d resources are begun with", len(all))
		}
		return all[0]
	}
	if err := w.Apply(t.Context(), create(old)); err != nil {
		t.Fatal(err)
	}
	if b := begun(); b.Resource != old || !b.AsWanted {
		t.Errorf("what is ready is %+v", b)
	}
	ctx, giveUp := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Apply(ctx, update(old, hangs)) }()
	w.until(t, "the update is begun with", 0, func() bool { return begun().Resource == hangs })
	giveUp()
	<-ended
	if b := begun(); b.AsWanted || w.status("a").State != Ready {
		t.Errorf("what is under way is %+v, and the service %s", b, w.status("a").State)
	}
	if err := w.Apply(t.Context(), update(hangs, good)); err != nil {
		t.Fatal(err)
	}
	if b := begun(); b.Resource != good || !b.AsWanted {
		t.Errorf("what is ready again is %+v", b)
	}
	if err := w.Apply(t.Context(), update(good, service("a", "missing"))); err == nil {
		t.Error("no error")
	}
	if b := begun(); b.AsWanted {
		t.Errorf("what has failed is %+v", b)
	}
}
