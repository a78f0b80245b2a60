package lambda

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
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
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// scripted is a world in which one function, f, is declared; it and every deployed version answer as the test says.
type scripted struct {
	mu       sync.Mutex
	events   []string
	answer   func(n int, payload string) (*Outcome, error) // n counts from 1
	deploy   func(d Deployment) error                      // nil: at once
	deployed map[string]Deployment
	called   []string // keys and, behind a space, ARNs by which they were called
}

func (s *scripted) List(account, region string) []Function {
	if account != wire.DefaultAccount || region != wire.DefaultRegion {
		return nil
	}
	return []Function{{Name: "f", Runtime: "js", Timeout: 3, Memory: 128, Architecture: "x86_64", Active: true, LastModified: epoch, Code: func() (string, int64) { return "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", 0 }}}
}

func (s *scripted) Get(account, region, name string) (Function, bool) {
	all := s.List(account, region)
	if name != "f" || all == nil {
		return Function{}, false
	}
	return all[0], true
}

func (s *scripted) Deploy(_ context.Context, d Deployment) error {
	if s.deploy != nil {
		if err := s.deploy(d); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.deployed == nil {
		s.deployed = map[string]Deployment{}
	}
	s.deployed[d.Key] = d
	return nil
}

func (s *scripted) Withdraw(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.deployed, key)
}

func (s *scripted) Invoke(_ context.Context, key string, ev Event) (*Outcome, error) {
	s.mu.Lock()
	s.called = append(s.called, key+" "+ev.ARN)
	s.events = append(s.events, string(ev.Payload))
	n := len(s.events)
	s.mu.Unlock()
	if s.answer == nil {
		return &Outcome{Payload: []byte("null")}, nil
	}
	return s.answer(n, string(ev.Payload))
}

func (s *scripted) seen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.events...)
}

func open(t *testing.T, dir string, c clock.Clock, f *scripted, aws kit.Caller) *Service {
	t.Helper()
	st := store.New(filepath.Join(dir, "lambda.db"), store.Options{})
	_, s := New(context.Background(), kit.Env{Store: st, Clock: c, AWS: aws, Log: slog.New(slog.DiscardHandler), IDs: kit.RandomIDs()}, Options{Functions: f, Dir: filepath.Join(dir, "lambda")})
	t.Cleanup(func() { s.Close(); st.Close() })
	return s
}

// until waits for what happens in the background.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still no %s", what)
		}
	}
}

func TestFunctionReferences(t *testing.T) {
	s := open(t, t.TempDir(), clock.Fixed(epoch), &scripted{}, nil)
	for _, tt := range []struct {
		ref, qualifier, err string
	}{
		{"f", "", ""},
		{"f:$LATEST", "", ""},
		{"000000000000:function:f", "", ""},
		{"arn:aws:lambda:us-east-1:000000000000:function:f", "$LATEST", ""},
		{"g", "", "ResourceNotFoundException: Function not found: arn:aws:lambda:us-east-1:000000000000:function:g"},
		{"f", "1", "ResourceNotFoundException: Function not found: arn:aws:lambda:us-east-1:000000000000:function:f:1"},
		{"f:$LATEST", "1", "InvalidParameterValueException: " + msgMismatch},
		{"arn:aws:lambda:eu-west-1:000000000000:function:f", "", "ResourceNotFoundException: Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"},
	} {
		in := &GetFunctionInput{FunctionName: &tt.ref}
		if tt.qualifier != "" {
			in.Qualifier = &tt.qualifier
		}
		_, err := s.GetFunction(t.Context(), in)
		if got := fmt.Sprint(err); got != tt.err && (tt.err != "" || err != nil) {
			t.Errorf("%s with %q: %v, want %s", tt.ref, tt.qualifier, err, tt.err)
		}
	}
}

func TestInvokeNamesTheVersionThatItMeant(t *testing.T) {
	s := open(t, t.TempDir(), clock.Fixed(epoch), &scripted{}, nil)
	_, err := s.Invoke(t.Context(), &InvokeInput{FunctionName: new("doesnotexist")})
	// Recorded answer; GetFunction's, in TestFunctionReferences, has no version.
	if want := "ResourceNotFoundException: Function not found: arn:aws:lambda:us-east-1:000000000000:function:doesnotexist:$LATEST"; fmt.Sprint(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
	var e *wire.Error
	if !errors.As(err, &e) || e.Fields["Type"] != "User" {
		t.Errorf("whose fault it is: %v", e.Fields)
	}
}

func TestInvoke(t *testing.T) {
	f := &scripted{answer: func(_ int, payload string) (*Outcome, error) {
		if strings.Contains(payload, "fail") {
			return &Outcome{Payload: []byte(`{"errorType":"Error"}`), Failed: true, LogTail: []byte("log")}, nil
		}
		return &Outcome{Payload: []byte(payload), LogTail: []byte("log")}, nil
	}}
	s := open(t, t.TempDir(), clock.Fixed(epoch), f, nil)
	for _, tt := range []struct {
		name    string
		in      InvokeInput
		status  int32
		payload string
		failed  bool
		err     string
	}{
		{name: "an event", in: InvokeInput{Payload: []byte(`{"a":1}`)}, status: 200, payload: `{"a":1}`},
		{name: "no event is an empty one", status: 200, payload: `{}`},
		{name: "a failure", in: InvokeInput{Payload: []byte(`"fail"`), LogType: new(LogTypeTail)}, status: 200, payload: `{"errorType":"Error"}`, failed: true},
		{name: "a dry run", in: InvokeInput{InvocationType: new(InvocationTypeDryRun)}, status: 204},
		{name: "no JSON", in: InvokeInput{Payload: []byte(`{`)}, err: "InvalidRequestContentException: Could not parse request body into json"},
		{name: "no UTF-8", in: InvokeInput{Payload: []byte("\"\x87\"")}, err: "InvalidRequestContentException: Could not parse request body into json: Could not parse payload into json: Invalid UTF-8"},
		{name: "too much", in: InvokeInput{Payload: []byte(`"` + strings.Repeat("x", maxPayload) + `"`)}, err: "RequestTooLargeException"},
		{name: "too much for later", in: InvokeInput{InvocationType: new(InvocationTypeEvent), Payload: []byte(`"` + strings.Repeat("x", maxAsyncPayload) + `"`)}, err: "RequestTooLargeException"},
		{name: "a parameter that is not emulated", in: InvokeInput{TenantId: new("t")}, err: "NotImplemented: lambda.Invoke: the parameter TenantId"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.in.FunctionName = new("f")
			out, err := s.Invoke(t.Context(), &tt.in)
			if tt.err != "" {
				if err == nil || !strings.HasPrefix(err.Error(), tt.err) {
					t.Errorf("got %v, want %s", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if *out.StatusCode != tt.status || string(out.Payload) != tt.payload || (out.FunctionError != nil) != tt.failed {
				t.Errorf("got %d %s %v", *out.StatusCode, out.Payload, out.FunctionError)
			}
			if tt.in.LogType != nil && *out.LogResult != base64.StdEncoding.EncodeToString([]byte("log")) {
				t.Errorf("log: %v", out.LogResult)
			}
		})
	}
}

func TestAsynchronousEventsAreTriedThreeTimesByTheClock(t *testing.T) {
	c := clock.Fixed(epoch)
	f := &scripted{answer: func(int, string) (*Outcome, error) { return &Outcome{Failed: true}, nil }}
	s := open(t, t.TempDir(), c, f, nil)
	out, err := s.Invoke(t.Context(), &InvokeInput{FunctionName: new("f"), InvocationType: new(InvocationTypeEvent), Payload: []byte("1")})
	if err != nil || *out.StatusCode != 202 {
		t.Fatal(out, err)
	}
	for n, wait := range []time.Duration{0, firstRetry, secondRetry} {
		c.Advance(wait)
		until(t, fmt.Sprintf("attempt %d", n+1), func() bool { c.Advance(0); return len(f.seen()) == n+1 })
		until(t, "keeping of the attempt", func() bool { return stored(t, s) == n+1 || n == 2 && stored(t, s) == 0 })
		time.Sleep(10 * time.Millisecond) // the wait for the next attempt has begun
	}
	until(t, "end", func() bool { return stored(t, s) == 0 })
}

// stored is the number of attempts of the one event that is kept, 0 if none is.
func stored(t *testing.T, s *Service) (attempts int) {
	t.Helper()
	err := s.Store.View(func(tx *store.Tx) error {
		attempts = 0
		for e := range events.All(tx) {
			attempts = e.Attempts
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return attempts
}

func TestAcceptedEventsOutliveTheProcess(t *testing.T) {
	dir, c := t.TempDir(), clock.System()
	hang := make(chan struct{})
	first := &scripted{answer: func(int, string) (*Outcome, error) { <-hang; return nil, errors.New("the process ends") }}
	s := open(t, dir, c, first, nil)
	if _, err := s.Invoke(t.Context(), &InvokeInput{FunctionName: new("f"), InvocationType: new(InvocationTypeEvent), Payload: []byte(`"kept"`)}); err != nil {
		t.Fatal(err)
	}
	until(t, "first attempt", func() bool { return len(first.seen()) == 1 })
	s.stop()
	close(hang)
	s.Close()
	s.Store.Close()

	second := &scripted{}
	if err := open(t, dir, c, second, nil).Resume(); err != nil {
		t.Fatal(err)
	}
	until(t, "attempt of the next process", func() bool { return len(second.seen()) == 1 && second.seen()[0] == `"kept"` })
}

func TestErrorsOfTheRunnerReachTheCaller(t *testing.T) {
	f := &scripted{answer: func(int, string) (*Outcome, error) {
		return nil, wire.Errorf("TooManyRequestsException", 429, "Rate Exceeded.")
	}}
	_, err := open(t, t.TempDir(), clock.Fixed(epoch), f, nil).Invoke(t.Context(), &InvokeInput{FunctionName: new("f")})
	var e *wire.Error
	if !errors.As(err, &e) || e.Status != 429 || e.Fields["Type"] != "User" {
		t.Errorf("got %v", err)
	}
}

func TestWhenAnEventIsTriedAgain(t *testing.T) {
	throttled := wire.Errorf("TooManyRequestsException", 429, "Rate Exceeded.")
	for _, tt := range []struct {
		name    string
		event   event
		refused error
		age     time.Duration
		wait    time.Duration // 0: never
	}{
		{"a failure, after a minute", event{}, nil, 0, time.Minute},
		{"a second one, after two", event{Attempts: 1}, nil, time.Minute, 2 * time.Minute},
		{"a third one, no more", event{Attempts: 2}, nil, 3 * time.Minute, 0},
		{"not run, after a second", event{}, throttled, 0, time.Second},
		{"not run again, after twice as long", event{Refusals: 3, Attempts: 2}, throttled, time.Minute, 8 * time.Second},
		{"not run for long, every five minutes", event{Refusals: 100}, throttled, time.Hour, 5 * time.Minute},
		{"not run for six hours, no more", event{Refusals: 100}, throttled, 6 * time.Hour, 0},
	} {
		e := tt.event
		e.Accepted = epoch
		now := epoch.Add(tt.age)
		again := e.postpone(tt.refused, now)
		if again != (tt.wait > 0) || again && !e.Due.Equal(now.Add(tt.wait)) {
			t.Errorf("%s: %v, due after %v, want %v", tt.name, again, e.Due.Sub(now), tt.wait)
		}
	}
}

func TestNothingBeginsAfterClose(t *testing.T) {
	f := &scripted{}
	s := open(t, t.TempDir(), clock.System(), f, nil)
	s.Close()
	if _, err := s.Invoke(t.Context(), &InvokeInput{FunctionName: new("f"), InvocationType: new(InvocationTypeEvent)}); err != nil {
		t.Fatal(err)
	}
	if s.Close(); len(f.seen()) != 0 {
		t.Error("an event was handed to a function after Close")
	}
	n := 0
	_ = s.Store.View(func(tx *store.Tx) error {
		n = 0
		for range events.All(tx) {
			n++
		}
		return nil
	})
	if n != 1 {
		t.Errorf("%d events are kept for the next process, want 1", n)
	}
}
