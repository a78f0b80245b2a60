package lambda

import (
	"context"
	"errors"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
	"devstack/internal/trace"
)

// How an asynchronous event is tried again: after failures of the function twice, a minute and two minutes later, unless the
// function's configuration says less; and as often as its age allows, after pauses that double, if it could not be run. An event that
// finds as many calls running as may waits for its turn instead, and those of a function get theirs in the order in which they were
// accepted: Lambda's own pauses are not published, and would make an idle machine wait.
//
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
const (
	firstRetry  = time.Minute
	secondRetry = 2 * time.Minute
	maxRetries  = 2
	firstPause  = time.Second
	longPause   = 5 * time.Minute
	maxEventAge = 6 * time.Hour
)

// accepted are the asynchronous events that are not done, in the order in which they were accepted; payloads what they carry. They
// are apart, so that an event that is tried again is not written down with its payload each time, and one that waits holds none.
var (
	accepted = store.NewTable[event]("accepted")
	payloads = store.NewTable[[]byte]("payloads")
)

// event is an accepted asynchronous invocation.
type event struct {
	ID              string // of the request that it came with, and of each attempt
	Account, Region string
	Function        string
	Qualifier       string
	ClientContext   string
	Accepted        time.Time
	Attempts        int       // that the function failed, or the one that succeeded
	Refusals        int       // times that it could not be run
	Due             time.Time // of the next attempt
	Trace           string    // X-Amzn-Trace-Id
	Last            *attempt  // the latest that reached the function; nil: none has
	Over            string    // why it is not tried any more, a condition below; "": it is
}

// attempt is what came of handing an event to a function.
type attempt struct {
	Version  string
	Failed   bool
	Response []byte
}

// Conditions under which an event is over.
//
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
const (
	succeeded        = "Success"
	retriesExhausted = "RetriesExhausted"
	ageExceeded      = "EventAgeExceeded"
)

func (e *event) target() target { return target{e.Account, e.Region, e.Function, e.Qualifier} }
func (e *event) key() []any     { return []any{e.Accepted, e.ID} }

// accept keeps an asynchronous event and starts on it.
func (s *Service) accept(ctx context.Context, c *callee, ev Event) error {
	req := wire.From(ctx)
	e := event{
		ID: req.ID, Account: c.Account, Region: c.Region, Function: c.Name, Qualifier: c.Qualifier,
		ClientContext: ev.ClientContext, Accepted: s.Clock.Now(), Trace: trace.Header(ctx),
	}
	if e.ID == "" {
		e.ID = s.IDs.UUID()
	}
	if err := s.Store.Update(func(tx *store.Tx) error {
		accepted.Put(tx, e, e.key()...)
		payloads.Put(tx, ev.Payload, e.key()...)
		return nil
	}); err != nil {
		return err
	}
	s.begin(ctx, &e)
	return nil
}

// begin works on an event in the background, until it is over.
func (s *Service) begin(ctx context.Context, e *event) {
	r := *wire.From(ctx)
	r.ID, r.Account, r.Region = e.ID, e.Account, e.Region
	s.background(wire.WithRequest(ctx, &r), func(ctx context.Context) {
		for e.Over == "" {
			if !s.try(ctx, e) {
				return // the next process takes it up
			}
		}
		s.conclude(ctx, e)
	})
}

// resumeEvents starts on the events that an earlier process accepted, in their order.
func (s *Service) resumeEvents() error {
	var left []event
	if err := s.Store.View(func(tx *store.Tx) error {
		left = nil
		for e := range accepted.All(tx) {
			left = append(left, e)
		}
		return nil
	}); err != nil {
		return err
	}
	for _, e := range left {
		ctx := wire.WithRequest(s.ctx, &wire.Request{Account: e.Account, Region: e.Region})
		s.begin(trace.Join(ctx, e.Trace, ""), &e)
	}
	return nil
}

// try hands an event to its function once it is due and has its turn, and writes down what comes of it. It is false if the daemon ends.
func (s *Service) try(ctx context.Context, e *event) bool {
	settings := s.eventSettings(e.target())
	until := e.Accepted.Add(settings.age())
	if s.sleep(ctx, e.Due.Sub(s.Clock.Now())) != nil {
		return false
	}
	out, version, err := s.runEvent(ctx, e, until)
	now := s.Clock.Now()
	switch {
	case ctx.Err() != nil:
		return false
	case errors.Is(err, errTooOld):
		e.Over = ageExceeded
	case gone(err):
		s.Log.Warn("an asynchronous event is dropped: its function is not there any more", "function", e.Function, "error", err)
		s.drop(e)
		return false
	case err != nil:
		e.refused(now, until)
	default:
		e.Attempts++
		e.Last = &attempt{Version: version, Failed: out.Failed, Response: out.Payload}
		if e.handled(now, until, settings.retries()); e.Over == succeeded && !s.tells(e, settings) {
			s.drop(e)
			return false
		}
	}
	if err := s.Store.Update(func(tx *store.Tx) error { accepted.Put(tx, *e, e.key()...); return nil }); err != nil {
		s.Log.Error("an asynchronous event cannot be kept", "function", e.Function, "error", err)
		return false
	}
	return true
}

// runEvent waits for an event's turn and runs it.
func (s *Service) runEvent(ctx context.Context, e *event, until time.Time) (out *Outcome, version string, err error) {
	c, err := s.callee(e.target())
	if err != nil {
		return nil, "", err
	}
	leave, err := s.concurrency.await(ctx, s, c, until)
	if err != nil {
		return nil, "", err
	}
	payload, err := s.payload(e)
	if err != nil {
		leave()
		return nil, "", err
	}
	out, err = s.hold(ctx, c, Event{Payload: payload, ClientContext: e.ClientContext}, leave)
	return out, c.Version, err
}

// payload reads what an event carries.
func (s *Service) payload(e *event) (b []byte, err error) {
	err = s.Store.View(func(tx *store.Tx) error { b, _ = payloads.Get(tx, e.key()...); return nil })
	return b, err
}

// gone reports whether an error says that a function is not there.
func gone(err error) bool { return hasCode(err, "ResourceNotFoundException") }

// refused sets when an event is tried again that could not be run, or that it is not.
func (e *event) refused(now, until time.Time) {
	e.Due = now.Add(min(firstPause<<min(e.Refusals, 20), longPause))
	e.Refusals++
	if e.Due.After(until) {
		e.Over = ageExceeded
	}
}

// handled sets when an event is tried again that the function failed at, or that it is over.
func (e *event) handled(now, until time.Time, retries int) {
	switch {
	case !e.Last.Failed:
		e.Over = succeeded
		return
	case e.Attempts > retries:
		e.Over = retriesExhausted
		return
	}
	e.Due = now.Add([]time.Duration{firstRetry, secondRetry}[min(e.Attempts, maxRetries)-1])
	if e.Due.After(until) {
		e.Over = ageExceeded
	}
}

// drop forgets an event.
func (s *Service) drop(e *event) {
	if err := s.Store.Update(func(tx *store.Tx) error {
		accepted.Delete(tx, e.key()...)
		payloads.Delete(tx, e.key()...)
		return nil
	}); err != nil {
		s.Log.Error("an asynchronous event cannot be marked as done", "function", e.Function, "error", err)
	}
}
