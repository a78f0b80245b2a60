package lambda

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"devstack/emulators/wire"
	"devstack/internal/clock"
)

// provisioning is a scripted world that keeps sandboxes started, as many as the test says.
type provisioning struct {
	scripted
	mu      sync.Mutex
	asked   []string
	started int
	failure error
}

func (p *provisioning) Provision(key string, n int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, qualifier, _ := strings.Cut(key, "function:")
	p.asked = append(p.asked, fmt.Sprint(qualifier, " ", n))
	return nil
}

func (p *provisioning) Provisioned(string) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.started, p.failure
}

func (p *provisioning) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.asked, ",")
}

func at(name, qualifier string) *callee {
	return &callee{target: target{wire.DefaultAccount, wire.DefaultRegion, name, qualifier}, Version: latest}
}

// reserve reserves concurrency and returns the error, "" for none.
func reserve(s *Service, name string, n int32) string {
	_, err := s.PutFunctionConcurrency(context.Background(), &PutFunctionConcurrencyInput{FunctionName: &name, ReservedConcurrentExecutions: &n})
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestReservedConcurrency(t *testing.T) {
	s := open(t, t.TempDir(), clock.Fixed(epoch), &scripted{names: []string{"f", "g"}}, nil)
	k := &s.concurrency
	if why := reserve(s, "f", 2); why != "" {
		t.Fatal(why)
	}
	one, err1 := k.enter(s, at("f", ""))
	_, err2 := k.enter(s, at("f", "7")) // another version, the same function
	_, err3 := k.enter(s, at("f", ""))
	var e *wire.Error
	if err1 != nil || err2 != nil || !errors.As(err3, &e) {
		t.Fatal(err1, err2, err3)
	}
	if e.Status != 429 || e.Message != "Rate Exceeded." || e.Fields["Reason"] != "ReservedFunctionConcurrentInvocationLimitExceeded" || e.Fields["retryAfterSeconds"] != "1" || e.Fields["Type"] != "User" {
		t.Errorf("a third: %v %v", e, e.Fields)
	}
	one()
	one() // counts once
	if _, err := k.enter(s, at("f", "")); err != nil {
		t.Errorf("once one has left: %v", err)
	}
	if _, err := k.enter(s, at("f", "")); err == nil {
		t.Error("a place was given back twice")
	}
	if _, err := k.enter(s, at("g", "")); err != nil {
		t.Errorf("another function is held up: %v", err)
	}
	if why := reserve(s, "g", 0); why != "" {
		t.Fatal(why)
	}
	if _, err := k.enter(s, at("g", "")); err == nil {
		t.Error("0 lets a call through")
	}
}

func TestTheAccountsConcurrency(t *testing.T) {
	s := open(t, t.TempDir(), clock.Fixed(epoch), &scripted{names: []string{"f", "g", "h"}}, nil)
	const low = "InvalidParameterValueException: Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100]."
	for _, tt := range []struct {
		name string
		n    int32
		err  string
	}{{"f", 901, low}, {"f", 900, ""}, {"g", 1, low}, {"f", 898, ""}, {"g", 2, ""}, {"g", 3, low}} {
		if got := reserve(s, tt.name, tt.n); got != tt.err {
			t.Errorf("%s %d: %q, want %q", tt.name, tt.n, got, tt.err)
		}
	}
	var e *wire.Error
	for n := range 101 {
		if _, err := s.concurrency.enter(s, at("h", "")); err != nil {
			if errors.As(err, &e); n != 100 || e.Fields["Reason"] != ThrottleReasonConcurrentInvocationLimitExceeded {
				t.Errorf("call %d: %v", n, err)
			}
		} else if n == 100 {
			t.Error("101 calls share 100 places")
		}
	}
	_, err := s.PutFunctionConcurrency(t.Context(), &PutFunctionConcurrencyInput{FunctionName: new("f:1"), ReservedConcurrentExecutions: new(int32(1))})
	if err == nil || err.Error() != "InvalidParameterValueException: "+msgFunctionsOnly {
		t.Errorf("of a version: %v", err)
	}
}

func TestReservedConcurrencyIsKept(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, clock.Fixed(epoch), &scripted{}, nil)
	if why := reserve(s, "f", 0); why != "" {
		t.Fatal(why)
	}
	s.Close()
	s.Store.Close()
	s = open(t, dir, clock.Fixed(epoch), &scripted{}, nil)
	if _, err := s.Invoke(t.Context(), &InvokeInput{FunctionName: new("f")}); !throttled(err) {
		t.Errorf("the next process lets a call through: %v", err)
	}
	if _, err := s.DeleteFunctionConcurrency(t.Context(), &DeleteFunctionConcurrencyInput{FunctionName: new("f")}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Invoke(t.Context(), &InvokeInput{FunctionName: new("f")}); err != nil {
		t.Error(err)
	}
}

func TestEventsTakeTheirTurnsInOrder(t *testing.T) {
	hold := make(chan struct{})
	f := &scripted{answer: func(int, string) (*Outcome, error) { <-hold; return &Outcome{}, nil }}
	s := open(t, t.TempDir(), clock.Fixed(epoch), f, nil)
	if why := reserve(s, "f", 1); why != "" {
		t.Fatal(why)
	}
	waiting := func(n int) func() bool {
		return func() (there bool) {
			_ = s.concurrency.look(s, at("f", "").target, func(p *pool) { there = len(p.waiting) == n })
			return there
		}
	}
	var want []string
	for n := range 10 {
		send(t, s, fmt.Sprint(n))
		want = append(want, fmt.Sprint(n))
		until(t, "event in the line", waiting(n))
		if n == 0 {
			until(t, "event at work", func() bool { return len(f.seen()) == 1 })
		}
	}
	if _, err := s.Invoke(t.Context(), &InvokeInput{FunctionName: new("f")}); !throttled(err) {
		t.Errorf("a call that finds an event at work: %v", err)
	}
	close(hold)
	until(t, "last event", func() bool { return len(f.seen()) == 10 && len(kept(t, s)) == 0 })
	if got := f.seen(); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestAnEventWaitsForItsTurnNoLongerThanItsAge(t *testing.T) {
	c, f := clock.Fixed(epoch), &scripted{}
	s := open(t, t.TempDir(), c, f, nil)
	if why := reserve(s, "f", 0); why != "" {
		t.Fatal(why)
	}
	send(t, s, "1")
	time := 0
	until(t, "end", func() bool { c.Advance(maxEventAge / 10); time++; return len(kept(t, s)) == 0 })
	if len(f.seen()) != 0 || time < 10 {
		t.Errorf("events %v after %d tenths of the age", f.seen(), time)
	}
	send(t, s, "2")
	until(t, "event in the line", func() (there bool) {
		_ = s.concurrency.look(s, at("f", "").target, func(p *pool) { there = len(p.waiting) == 1 })
		return there
	})
	if why := reserve(s, "f", 1); why != "" {
		t.Fatal(why)
	}
	until(t, "event once there is a place", func() bool { return len(f.seen()) == 1 })
}

func TestAPlaceIsTakenUntilTheFunctionHasEnded(t *testing.T) {
	hold := make(chan struct{})
	f := &scripted{answer: func(int, string) (*Outcome, error) { <-hold; return &Outcome{}, nil }}
	s := open(t, t.TempDir(), clock.Fixed(epoch), f, nil)
	if why := reserve(s, "f", 1); why != "" {
		t.Fatal(why)
	}
	ctx, leave := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		_, err := s.Invoke(ctx, &InvokeInput{FunctionName: new("f")})
		gone <- err
	}()
	until(t, "call", func() bool { return len(f.seen()) == 1 })
	leave()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who leaves hears %v", err)
	}
	if _, err := s.Invoke(t.Context(), &InvokeInput{FunctionName: new("f")}); !throttled(err) {
		t.Errorf("another call while the function is at work: %v", err)
	}
	close(hold)
	until(t, "place", func() bool { _, err := s.Invoke(t.Context(), &InvokeInput{FunctionName: new("f")}); return err == nil })
}

func TestACallThatPanicsIsAnError(t *testing.T) {
	s := open(t, t.TempDir(), clock.Fixed(epoch), &scripted{answer: func(int, string) (*Outcome, error) { panic("no") }}, nil)
	for range 2 {
		if _, err := s.Invoke(t.Context(), &InvokeInput{FunctionName: new("f")}); err == nil {
			t.Error("it has an outcome")
		}
	}
}

func TestProvisionedPlacesComeFirst(t *testing.T) {
	s := open(t, t.TempDir(), clock.Fixed(epoch), &scripted{names: []string{"f"}}, nil)
	k := &s.concurrency
	if why := reserve(s, "f", 3); why != "" {
		t.Fatal(why)
	}
	if err := k.change(s, at("f", "").target, func(p *pool) { put(p.provisioned, "f", "live", 2) }); err != nil {
		t.Fatal(err)
	}
	for n, qualifier := range []string{"", "live", "live"} { // one of the three is for $LATEST
		if _, err := k.enter(s, at("f", qualifier)); err != nil {
			t.Errorf("call %d: %v", n, err)
		}
	}
	for _, qualifier := range []string{"", "live"} {
		if _, err := k.enter(s, at("f", qualifier)); !throttled(err) {
			t.Errorf("a fourth of %q: %v", qualifier, err)
		}
	}
	if why := reserve(s, "f", 1); !strings.HasSuffix(why, "should not be lower than function's total provisioned concurrency [2].") {
		t.Errorf("fewer reserved than provisioned: %s", why)
	}
	if why := reserve(s, "f", 4); why != "" {
		t.Fatal(why)
	}
	if _, err := k.enter(s, at("f", "live")); err != nil {
		t.Errorf("a call beyond the provisioned ones: %v", err)
	}
}

func TestNobodyProvisions(t *testing.T) {
	s := open(t, t.TempDir(), clock.Fixed(epoch), &scripted{}, nil)
	_, err := s.PutProvisionedConcurrencyConfig(t.Context(), &PutProvisionedConcurrencyConfigInput{FunctionName: new("f"), Qualifier: new("1"), ProvisionedConcurrentExecutions: new(int32(1))})
	if !hasCode(err, "NotImplemented") {
		t.Error(err)
	}
}
