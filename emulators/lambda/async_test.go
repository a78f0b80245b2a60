package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
	"devstack/internal/clock"
)

// send has f called asynchronously.
func send(t *testing.T, s *Service, payload string) {
	t.Helper()
	ctx := wire.WithRequest(t.Context(), &wire.Request{Account: wire.DefaultAccount, Region: wire.DefaultRegion, ID: s.IDs.UUID()})
	out, err := s.Invoke(ctx, &InvokeInput{FunctionName: new("f"), InvocationType: new(InvocationTypeEvent), Payload: []byte(payload)})
	if err != nil || *out.StatusCode != 202 {
		t.Fatal(out, err)
	}
}

// kept are the events that are not done.
func kept(t *testing.T, s *Service) (all []event) {
	t.Helper()
	if err := s.Store.View(func(tx *store.Tx) error {
		all = nil
		for e := range accepted.All(tx) {
			all = append(all, e)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// told notes what is delivered, as the service lambda would do it.
type told struct {
	mu       sync.Mutex
	messages []string
	err      error
}

func (d *told) Call(_ context.Context, service, operation string, in, _ any) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	p, _ := in.(map[string]any)
	if b, ok := p["Payload"].([]byte); ok {
		d.messages = append(d.messages, fmt.Sprint(p["FunctionName"], " ", string(b)))
	}
	if service != "lambda" {
		return wire.Errorf("UnknownService", 404, "devstack emulates no service for the service %s", service)
	}
	return d.err
}

func (d *told) all() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.messages)
}

func TestAsynchronousEventsAreTriedThreeTimesByTheClock(t *testing.T) {
	c := clock.Fixed(epoch)
	f := &scripted{answer: func(int, string) (*Outcome, error) { return &Outcome{Failed: true}, nil }}
	s := open(t, t.TempDir(), c, f, nil)
	send(t, s, "1")
	for n, wait := range []time.Duration{0, firstRetry, secondRetry} {
		if n > 0 {
			c.Advance(wait - time.Second)
			time.Sleep(10 * time.Millisecond)
			if got := len(f.seen()); got != n {
				t.Fatalf("attempt %d comes early", got)
			}
			c.Advance(time.Second)
		}
		until(t, fmt.Sprintf("attempt %d", n+1), func() bool { c.Advance(0); return len(f.seen()) == n+1 })
		until(t, "keeping of the attempt", func() bool { all := kept(t, s); return len(all) == 0 || all[0].Attempts == n+1 })
		time.Sleep(10 * time.Millisecond) // the wait for the next attempt has begun
	}
	until(t, "end", func() bool { return len(kept(t, s)) == 0 })
}

func TestAcceptedEventsOutliveTheProcess(t *testing.T) {
	dir, c := t.TempDir(), clock.System()
	hang := make(chan struct{})
	first := &scripted{answer: func(int, string) (*Outcome, error) { <-hang; return nil, errors.New("the process ends") }}
	s := open(t, dir, c, first, nil)
	send(t, s, `"kept"`)
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

// TestKilledProcess is the process that TestAcceptedEventsOutliveAKill kills.
func TestKilledProcess(t *testing.T) {
	dir := os.Getenv("DEVSTACK_TEST_KILLED")
	if dir == "" {
		t.Skip("TestAcceptedEventsOutliveAKill runs this in a process of its own")
	}
	f := &scripted{answer: func(int, string) (*Outcome, error) { select {} }}
	s := open(t, dir, clock.System(), f, nil)
	for n := range 20 {
		send(t, s, fmt.Sprint(n))
	}
	fmt.Println("accepted")
	select {}
}

func TestAcceptedEventsOutliveAKill(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledProcess$")
	cmd.Env = append(os.Environ(), "DEVSTACK_TEST_KILLED="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 8)
	if _, err := out.Read(b); err != nil {
		t.Error(err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if string(b) != "accepted" {
		t.Fatalf("the process says %q", b)
	}
	f := &scripted{}
	s := open(t, dir, clock.System(), f, nil)
	if err := s.Resume(); err != nil {
		t.Fatal(err)
	}
	until(t, "twenty events", func() bool { return len(f.seen()) == 20 && len(kept(t, s)) == 0 })
	got := f.seen()
	slices.Sort(got)
	if len(slices.Compact(got)) != 20 {
		t.Errorf("some came twice: %v", got)
	}
}

func TestWhenAnEventIsTriedAgain(t *testing.T) {
	for _, tt := range []struct {
		name    string
		event   event
		refused bool
		retries int
		maxAge  time.Duration
		age     time.Duration
		wait    time.Duration // 0: never
		over    string
	}{
		{"a failure, after a minute", event{Attempts: 1}, false, 2, maxEventAge, 0, time.Minute, ""},
		{"a second one, after two", event{Attempts: 2}, false, 2, maxEventAge, time.Minute, 2 * time.Minute, ""},
		{"a third one, no more", event{Attempts: 3}, false, 2, maxEventAge, 3 * time.Minute, 0, retriesExhausted},
		{"a first one where none is to be tried again", event{Attempts: 1}, false, 0, maxEventAge, 0, 0, retriesExhausted},
		{"one whose next attempt would be too late", event{Attempts: 2}, false, 2, 2 * time.Minute, time.Minute, 0, ageExceeded},
		{"not run, after a second", event{}, true, 2, maxEventAge, 0, time.Second, ""},
		{"not run again, after twice as long", event{Refusals: 3, Attempts: 2}, true, 2, maxEventAge, time.Minute, 8 * time.Second, ""},
		{"not run for long, every five minutes", event{Refusals: 100}, true, 2, maxEventAge, time.Hour, 5 * time.Minute, ""},
		{"not run for six hours, no more", event{Refusals: 100}, true, 2, maxEventAge, 6 * time.Hour, 0, ageExceeded},
	} {
		e := tt.event
		e.Accepted, e.Last = epoch, &attempt{Failed: true}
		now, until := epoch.Add(tt.age), epoch.Add(tt.maxAge)
		if tt.refused {
			e.refused(now, until)
		} else {
			e.handled(now, until, tt.retries)
		}
		if e.Over != tt.over || tt.wait > 0 && !e.Due.Equal(now.Add(tt.wait)) {
			t.Errorf("%s: over %q, due after %v, want %q %v", tt.name, e.Over, e.Due.Sub(now), tt.over, tt.wait)
		}
	}
}

// another is a target that a destination may be: the second function of a scripted world.
const another = "arn:aws:lambda:us-east-1:000000000000:function:g"

func TestDestinations(t *testing.T) {
	for _, tt := range []struct {
		name      string
		answer    func(int, string) (*Outcome, error)
		configure PutFunctionEventInvokeConfigInput
		advance   time.Duration
		record    string
	}{
		{"success", nil, PutFunctionEventInvokeConfigInput{DestinationConfig: &DestinationConfig{OnSuccess: &OnSuccess{Destination: new(another)}}}, 0,
			`{"version":"1.0","timestamp":"2026-01-02T03:04:05.000Z","requestContext":{"requestId":"ID","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST","condition":"Success","approximateInvokeCount":1},"requestPayload":{"n":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST"},"responsePayload":null}`},
		{"failure", func(int, string) (*Outcome, error) {
			return &Outcome{Failed: true, Payload: []byte(`{"errorMessage":"no"}`)}, nil
		}, PutFunctionEventInvokeConfigInput{MaximumRetryAttempts: new(int32(0)), DestinationConfig: &DestinationConfig{OnFailure: &OnFailure{Destination: new(another)}}}, 0,
			`{"version":"1.0","timestamp":"2026-01-02T03:04:05.000Z","requestContext":{"requestId":"ID","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST","condition":"RetriesExhausted","approximateInvokeCount":1},"requestPayload":{"n":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"responsePayload":{"errorMessage":"no"}}`},
		{"too old", func(int, string) (*Outcome, error) { return nil, errors.New("it cannot be run") }, PutFunctionEventInvokeConfigInput{MaximumEventAgeInSeconds: new(int32(60)), DestinationConfig: &DestinationConfig{OnFailure: &OnFailure{Destination: new(another)}}}, time.Second,
			`"condition":"EventAgeExceeded","approximateInvokeCount":0},"requestPayload":{"n":1}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, d := clock.Fixed(epoch), &told{}
			f := &scripted{answer: tt.answer, names: []string{"f", "g"}}
			s := open(t, t.TempDir(), c, f, d)
			tt.configure.FunctionName = new("f")
			if _, err := s.PutFunctionEventInvokeConfig(t.Context(), &tt.configure); err != nil {
				t.Fatal(err)
			}
			send(t, s, `{"n":1}`)
			until(t, "record", func() bool { c.Advance(tt.advance); return len(d.all()) == 1 })
			until(t, "end", func() bool { return len(kept(t, s)) == 0 })
			to, record, _ := strings.Cut(d.all()[0], " ")
			var r outcomeRecord
			if err := json.Unmarshal([]byte(record), &r); err != nil || to != another {
				t.Fatalf("%s is told %v: %s", to, err, record)
			}
			if got := strings.Replace(record, r.RequestContext.RequestID, "ID", 1); !strings.HasSuffix(got, tt.record) {
				t.Errorf("got\n%s\nwant\n%s", got, tt.record)
			}
		})
	}
}

func TestARecordThatWasNotToldIsToldByTheNextProcess(t *testing.T) {
	dir, c := t.TempDir(), clock.System()
	s := open(t, dir, c, &scripted{names: []string{"f", "g"}}, &told{})
	if _, err := s.PutFunctionEventInvokeConfig(t.Context(), &PutFunctionEventInvokeConfigInput{FunctionName: new("f"), DestinationConfig: &DestinationConfig{OnSuccess: &OnSuccess{Destination: new(another)}}}); err != nil {
		t.Fatal(err)
	}
	e := event{ID: "1", Account: wire.DefaultAccount, Region: wire.DefaultRegion, Function: "f", Accepted: c.Now(), Attempts: 1, Last: &attempt{Version: latest, Response: []byte("2")}, Over: succeeded}
	if err := s.Store.Update(func(tx *store.Tx) error {
		accepted.Put(tx, e, e.key()...)
		payloads.Put(tx, []byte("1"), e.key()...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s.Store.Close()
	d := &told{}
	f := &scripted{names: []string{"f", "g"}}
	s = open(t, dir, c, f, d)
	if err := s.Resume(); err != nil {
		t.Fatal(err)
	}
	until(t, "record", func() bool { return len(d.all()) == 1 && len(kept(t, s)) == 0 })
	if len(f.seen()) != 0 || !strings.Contains(d.all()[0], `"responsePayload":2`) {
		t.Errorf("events %v, told %v", f.seen(), d.all())
	}
}

func TestDeadLetters(t *testing.T) {
	long := strings.Repeat("é", 600)
	for _, tt := range []struct {
		name string
		last *attempt
		want string
	}{
		{"of a failure", &attempt{Failed: true, Response: []byte(`{"errorMessage":"no","errorType":"Error"}`)}, "RequestID String 1,ErrorCode Number 200,ErrorMessage String no"}, // as recorded
		{"of a long one", &attempt{Failed: true, Response: []byte(`{"errorMessage":"` + long + `"}`)}, "RequestID String 1,ErrorCode Number 200,ErrorMessage String " + long[:1024]},
		{"of one that says nothing", &attempt{Failed: true, Response: []byte(`7`)}, "RequestID String 1,ErrorCode Number 200"},
		{"of one that never ran", nil, "RequestID String 1"},
	} {
		m := (&event{ID: "1", Last: tt.last}).deadLetter([]byte(`{"a":1}`))
		var got []string
		for _, a := range m.Attributes {
			got = append(got, a.Name+" "+a.Type+" "+a.Value)
		}
		if strings.Join(got, ",") != tt.want || m.Body != `{"a":1}` {
			t.Errorf("%s: %s %v", tt.name, m.Body, got)
		}
	}
}

func TestEventInvokeConfigRefusals(t *testing.T) {
	s := open(t, t.TempDir(), clock.Fixed(epoch), &scripted{names: []string{"f", "g"}}, &told{})
	to := func(success, failure string) *DestinationConfig {
		d := &DestinationConfig{}
		if success != "" {
			d.OnSuccess = &OnSuccess{Destination: &success}
		}
		if failure != "" {
			d.OnFailure = &OnFailure{Destination: &failure}
		}
		return d
	}
	for _, tt := range []struct {
		name string
		in   PutFunctionEventInvokeConfigInput
		err  string
	}{
		{"nothing", PutFunctionEventInvokeConfigInput{FunctionName: new("f")}, "InvalidParameterValueException: " + msgNothingToSet},
		{"no such function", PutFunctionEventInvokeConfigInput{FunctionName: new("h"), MaximumRetryAttempts: new(int32(1))}, "ResourceNotFoundException: " + msgNoFunction},
		{"itself", PutFunctionEventInvokeConfigInput{FunctionName: new("f"), DestinationConfig: to(another[:len(another)-1]+"f", "")}, "InvalidParameterValueException: " + msgOwnDestination},
		{"no such destination", PutFunctionEventInvokeConfigInput{FunctionName: new("f"), DestinationConfig: to(another+"h", "")}, "InvalidParameterValueException: The destination ARN " + another + "h is invalid."},
		{"a role", PutFunctionEventInvokeConfigInput{FunctionName: new("f"), DestinationConfig: to("arn:aws:iam:us-east-1:000000000000:function:f", "")}, "InvalidParameterValueException: The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=arn:aws:iam:us-east-1:000000000000:function:f), onFailure=null) is invalid."},
		{"a bucket on success", PutFunctionEventInvokeConfigInput{FunctionName: new("f"), DestinationConfig: to("arn:aws:s3:::b", "")}, "InvalidParameterValueException: The provided destination config"},
		{"a queue while there are none", PutFunctionEventInvokeConfigInput{FunctionName: new("f"), DestinationConfig: to("", "arn:aws:sqs:us-east-1:000000000000:q")}, "NotImplemented: lambda: arn:aws:sqs:us-east-1:000000000000:q cannot be a destination: devstack does not emulate the service sqs"},
	} {
		_, err := s.PutFunctionEventInvokeConfig(t.Context(), &tt.in)
		if err == nil || !strings.HasPrefix(err.Error(), tt.err) {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.err)
		}
	}
	if _, err := s.GetFunctionEventInvokeConfig(t.Context(), &GetFunctionEventInvokeConfigInput{FunctionName: new("f")}); err == nil {
		t.Error("a refused configuration is kept")
	}
}

func TestNothingBeginsAfterClose(t *testing.T) {
	f := &scripted{}
	s := open(t, t.TempDir(), clock.System(), f, nil)
	s.Close()
	send(t, s, "1")
	if s.Close(); len(f.seen()) != 0 {
		t.Error("an event was handed to a function after Close")
	}
	if n := len(kept(t, s)); n != 1 {
		t.Errorf("%d events are kept for the next process, want 1", n)
	}
}

func TestWhatIsNotThereIsToldOnce(t *testing.T) {
	s := open(t, t.TempDir(), clock.System(), &scripted{}, nil)
	if !s.toldOnce("sqs") || s.toldOnce("sqs") || !s.toldOnce("sns") {
		t.Error("the operator is told more or less than once a service")
	}
}
