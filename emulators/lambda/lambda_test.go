package lambda

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
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
	streams  func(Stream) (*Outcome, error) // nil: it does not
	names    []string                       // of what is declared; nil: f alone
	called   []string                       // keys and, behind a space, ARNs by which they were called
	source   string                         // of f
	unfrozen error                          // why f cannot be copied
}

func (s *scripted) List(account, region string) []Function {
	if account != wire.DefaultAccount || region != wire.DefaultRegion {
		return nil
	}
	names := s.names
	if names == nil {
		names = []string{"f"}
	}
	var all []Function
	for _, name := range names {
		all = append(all, Function{Name: name, Runtime: "js", Timeout: 3, Memory: 128, Architecture: "x86_64", Active: true, LastModified: epoch, Code: func() (string, int64) { return "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", 0 }})
	}
	return all
}

func (s *scripted) Get(account, region, name string) (Function, bool) {
	for _, f := range s.List(account, region) {
		if f.Name == name {
			return f, true
		}
	}
	return Function{}, false
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

func (s *scripted) Freeze(_ context.Context, _, _, _, dir string) (Frozen, error) {
	if s.unfrozen != nil {
		return Frozen{}, s.unfrozen
	}
	return Frozen{Source: "fn/f.js"}, errors.Join(os.Mkdir(filepath.Join(dir, "fn"), 0o755), os.WriteFile(filepath.Join(dir, "fn", "f.js"), []byte(s.source), 0o644))
}

func (s *scripted) Withdraw(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.deployed, key)
}

func (s *scripted) Invoke(_ context.Context, key string, ev Event) (*Outcome, error) {
	if s.streams != nil && ev.Stream != nil {
		return s.streams(ev.Stream)
	}
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
