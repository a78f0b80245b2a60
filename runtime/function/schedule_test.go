package function_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"devstack/runtime/function"
)

func TestAHundredEventsAreHandledAtOnce(t *testing.T) {
	b := newBench(t)
	b.put(t)
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() { b.call(t.Context(), `{"do":"sleep"}`) })
	}
	until(t, func() bool { return b.fake.Sleeping.Load() == 100 })
	if i, _ := b.Get("f"); i.Busy != 100 || i.Idle != 0 {
		t.Errorf("%d sandboxes are busy and %d idle, want 100 and none", i.Busy, i.Idle)
	}
	b.clock.Advance(3 * time.Second) // they time out, and their sandboxes end
	wg.Wait()
	if n := b.fake.Starts.Load(); n != 100 {
		t.Errorf("%d sandboxes were started for 100 events", n)
	}
}

func TestStartsAreBoundedAndAFreedSandboxIsAsGood(t *testing.T) {
	b := newBench(t, func(c *function.Config) { c.Starts = 1 })
	b.put(t)
	b.want(t, version, `"one"`)
	gate, starting := make(chan bool), make(chan bool, 100)
	b.fake.Starting = func() { starting <- true; <-gate }
	sleeper := b.start(t, t.Context()) // has the only sandbox
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if out, err := b.call(t.Context(), version); err != nil || string(out.Payload) != `"one"` {
				t.Errorf("got %+v, %v", out, err)
			}
		})
	}
	<-starting
	gate <- true // one start is all that twenty short events need
	wg.Wait()
	if n := b.fake.Starts.Load(); n > 3 {
		t.Errorf("%d sandboxes were started; those that nobody waits for any more should not have been", n)
	}
	close(gate)
	b.clock.Advance(3 * time.Second)
	<-sleeper
}

func TestAFailedStartIsItsEventsAndNotTheOthers(t *testing.T) {
	b := newBench(t)
	b.put(t)
	b.want(t, version, `"one"`)
	sleeper := b.start(t, t.Context())
	b.save(t, "bad init")
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if out, err := b.call(t.Context(), version); err != nil || out.FunctionError == "" {
				t.Errorf("got %+v, %v", out, err)
			}
		})
	}
	wg.Wait()
	b.save(t, "two")
	b.want(t, version, `"two"`)
	b.clock.Advance(3 * time.Second)
	<-sleeper
}

func TestAReloadReachesThoseWhoWaitForASandbox(t *testing.T) {
	b := newBench(t)
	b.put(t)
	b.want(t, version, `"one"`)
	b.start(t, t.Context())
	gate := make(chan bool)
	var once sync.Once
	stuck := make(chan bool)
	b.fake.Starting = func() { once.Do(func() { close(stuck) }); <-gate }
	answered := make(chan string)
	for range 5 {
		go func() {
			out, err := b.call(t.Context(), version)
			if err != nil {
				answered <- err.Error()
				return
			}
			answered <- string(out.Payload)
		}()
	}
	<-stuck
	b.save(t, "two")
	close(gate)
	for range 5 {
		if got := <-answered; got != `"two"` && got != `"one"` {
			t.Error(got)
		}
	}
	b.want(t, version, `"two"`)
	b.clock.Advance(3 * time.Second)
}

func TestSurplusSandboxesEndSooner(t *testing.T) {
	b := newBench(t)
	b.put(t)
	var wg sync.WaitGroup
	release := make(chan bool)
	b.fake.Sleep = release
	for range 10 {
		wg.Go(func() { b.call(t.Context(), `{"do":"sleep"}`) })
	}
	until(t, func() bool { return b.fake.Sleeping.Load() == 10 })
	close(release)
	wg.Wait()
	for _, step := range []struct {
		after time.Duration
		left  int
	}{{59 * time.Second, 10}, {time.Second, 4}, {239 * time.Second, 4}, {2 * time.Second, 0}} {
		b.clock.Advance(step.after)
		until(t, func() bool { i, _ := b.Get("f"); return i.Idle == step.left })
	}
	until(t, func() bool { return b.fake.Open.Load() == 0 })
}

func TestProvisionedSandboxesAreKeptStarted(t *testing.T) {
	b := newBench(t)
	b.fn.Provisioned = 3
	b.put(t)
	ready := func(n int) func() bool {
		return func() bool { i, _ := b.Get("f"); return i.ProvisionedReady == n && i.Provisioned == n }
	}
	until(t, ready(3))
	b.want(t, `{"do":"env","name":"AWS_LAMBDA_INITIALIZATION_TYPE"}`, `"provisioned-concurrency"`)
	b.clock.Advance(time.Hour)
	if i, _ := b.Get("f"); i.Idle != 3 {
		t.Errorf("%d are idle after an hour, want all 3", i.Idle)
	}
	starts := b.fake.Starts.Load()
	for range 3 {
		b.start(t, t.Context())
	}
	if b.fake.Starts.Load() != starts {
		t.Error("an event had to wait for a start, and three sandboxes were kept ready")
	}
	b.want(t, `{"do":"env","name":"AWS_LAMBDA_INITIALIZATION_TYPE"}`, `"on-demand"`) // a fourth
	b.clock.Advance(3 * time.Second)                                                 // the three time out: they are replaced
	until(t, func() bool { i, _ := b.Get("f"); return i.ProvisionedReady == 3 && i.Busy == 0 })
	b.save(t, "two")
	b.want(t, version, `"two"`)
	until(t, ready(3))
	if i, _ := b.Get("f"); i.Version != 2 {
		t.Errorf("version %d is live, want 2", i.Version)
	}
}

func TestProvisionChangesTheNumberWhileItRuns(t *testing.T) {
	b := newBench(t)
	b.put(t)
	for _, n := range []int{2, 5, 1, 0} {
		if err := b.Provision("f", n); err != nil {
			t.Fatal(err)
		}
		until(t, func() bool { i, _ := b.Get("f"); return i.ProvisionedReady == n && int(b.fake.Open.Load()) == n })
	}
	if err := b.Provision("f", -1); err == nil {
		t.Error("a negative number was taken")
	}
	if err := b.Provision("g", 1); err != function.ErrNoFunction {
		t.Errorf("got %v", err)
	}
}

func TestProvisionedSandboxesThatFailAreReportedAndNotTriedForEver(t *testing.T) {
	b := newBench(t)
	b.save(t, "bad init")
	b.fn.Provisioned = 4
	if err := b.Put(t.Context(), b.fn); err == nil {
		t.Fatal("no error")
	}
	var last int64 = -1
	until(t, func() bool {
		n := b.fake.Starts.Load()
		defer func() { last = n; time.Sleep(10 * time.Millisecond) }()
		return n == last
	})
	if last > 10 {
		t.Errorf("%d starts", last)
	}
	if i, _ := b.Get("f"); i.ProvisionedReady != 0 || i.State != function.Failed {
		t.Errorf("it is %+v", i)
	}
	b.save(t, "two")
	b.want(t, version, `"two"`)
	until(t, func() bool { i, _ := b.Get("f"); return i.ProvisionedReady == 4 })
}

func TestSchedulingUnderFire(t *testing.T) {
	b := newBench(t, func(c *function.Config) { c.Starts = 2; c.Limit = 7 })
	b.fn.Provisioned = 2
	b.put(t)
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			for n := range 40 {
				event := version
				if (n+i)%9 == 0 {
					event = `{"do":"exit"}`
				}
				if _, err := b.call(t.Context(), event); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for n := range 20 {
		b.save(t, fmt.Sprint("version ", n))
		b.Provision("f", n%4)
		b.clock.Advance(30 * time.Second)
		time.Sleep(time.Millisecond)
	}
	wg.Wait()
	b.Provision("f", 2)
	b.want(t, version, `"version 19"`)
	until(t, func() bool { i, _ := b.Get("f"); return i.ProvisionedReady == 2 && i.Busy == 0 })
}
