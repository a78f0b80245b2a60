package lambda

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"devstack/emulators/store"
	"devstack/emulators/wire"
	"devstack/internal/trace"
)

// Bounds of a payload in bytes.
//
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	maxPayload      = 6 << 20
	maxAsyncPayload = 1 << 20
)

// How an asynchronous event is tried again: twice after failures of the function, and as often as its age allows, after pauses
// that double, if it could not be run.
//
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
const (
	firstRetry  = time.Minute
	secondRetry = 2 * time.Minute
	firstPause  = time.Second
	longPause   = 5 * time.Minute
	maxEventAge = 6 * time.Hour
)

// Messages in the service's words.
const (
	msgNotJSON  = "Could not parse request body into json: Could not parse payload into json: %s" // recorded; the reason is Jackson's, ours are Go's
	msgTooLarge = "Request must be smaller than %d bytes for the InvokeFunction operation"        // https://repost.aws/knowledge-center/lambda-error-request-too-large
)

// events are the asynchronous invocations that were accepted and are not done, by id.
var events = store.NewTable[event]("events")

// event is an accepted asynchronous invocation.
type event struct {
	ID              string
	Account, Region string
	Function        string
	Qualifier       string // version or alias, "" for none
	Payload         []byte
	ClientContext   string
	Accepted        time.Time
	Attempts        int       // that the function failed
	Refusals        int       // times that it could not be run
	Due             time.Time // of the next attempt
	Trace           string    // X-Amzn-Trace-Id
}

// Invoke runs a function. InvocationType is RequestResponse (the default: the answer waits for the function), Event (202 at
// once; two retries if it fails, after one and two minutes) or DryRun (204 if it could be run).
//
// A function that fails answers 200 with FunctionError "Unhandled" and its error as the payload. With LogType Tail the last
// 4 KiB of its log come in LogResult, in base64. InvalidRequestContentException for a payload that is not JSON,
// RequestTooLargeException over 6 MB (asynchronously 1 MB).
//
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
func (s *Service) Invoke(ctx context.Context, in *InvokeInput) (*InvokeOutput, error) {
	c, err := s.invoked(ctx, *in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if err := refuseUnsupportedInvoke(in); err != nil {
		return nil, err
	}
	kind := InvocationTypeRequestResponse
	if in.InvocationType != nil {
		kind = *in.InvocationType
	}
	ev, err := newEvent(in, kind)
	if err != nil {
		return nil, err
	}
	switch kind {
	case InvocationTypeDryRun:
		return &InvokeOutput{StatusCode: new(int32(204))}, nil
	case InvocationTypeEvent:
		return &InvokeOutput{StatusCode: new(int32(202))}, s.accept(ctx, c.target, ev)
	}
	res, err := s.run(ctx, c, ev)
	if e, ok := errors.AsType[*wire.Error](err); ok {
		return nil, byUser(e)
	}
	if err != nil {
		return nil, err
	}
	out := &InvokeOutput{StatusCode: new(int32(200)), Payload: res.Payload, ExecutedVersion: &c.Version}
	if res.Failed {
		out.FunctionError = new("Unhandled")
		wire.From(ctx).Explain(res.Fault)
	}
	if in.LogType != nil && *in.LogType == LogTypeTail {
		out.LogResult = new(base64.StdEncoding.EncodeToString(res.LogTail))
	}
	return out, nil
}

// invoked returns what a call by name comes to. Without a qualifier the errors name $LATEST, as recorded; the function is still called
// by the ARN that the request had.
func (s *Service) invoked(ctx context.Context, ref string, qualifier *string) (*callee, error) {
	t, err := parse(ctx, ref, qualifier)
	if err != nil {
		return nil, err
	}
	c, err := s.callee(t)
	if err != nil && t.Qualifier == "" {
		return s.callee(t.at(latest))
	}
	return c, err
}

func refuseUnsupportedInvoke(in *InvokeInput) error {
	if in.DurableExecutionName != nil {
		return wire.NotImplemented("lambda.Invoke: the parameter DurableExecutionName is not emulated")
	}
	if in.TenantId != nil {
		return wire.NotImplemented("lambda.Invoke: the parameter TenantId is not emulated")
	}
	return nil
}

// newEvent checks what the function is to be handed. No payload at all is an empty object.
func newEvent(in *InvokeInput, kind string) (ev Event, err error) {
	limit := maxPayload
	if kind == InvocationTypeEvent {
		limit = maxAsyncPayload
	}
	if len(in.Payload) > limit {
		return ev, byUser(errRequestTooLargeException(msgTooLarge, limit))
	}
	if ev.Payload = in.Payload; len(ev.Payload) == 0 {
		ev.Payload = []byte("{}")
	}
	if why := notJSON(ev.Payload); why != "" {
		return ev, byUser(errInvalidRequestContentException(msgNotJSON, why))
	}
	if in.ClientContext != nil {
		b, err := base64.StdEncoding.DecodeString(*in.ClientContext)
		if err != nil {
			return ev, byUser(errInvalidRequestContentException("Client context must be a valid Base64-encoded JSON object.")) // a guess
		}
		ev.ClientContext = string(b)
	}
	return ev, nil
}

// notJSON says what is wrong with a payload, "" if nothing is.
func notJSON(b []byte) string {
	if !utf8.Valid(b) {
		return "Invalid UTF-8"
	}
	if json.Valid(b) {
		return ""
	}
	var v any
	return fmt.Sprint(json.Unmarshal(b, &v))
}

// accept keeps an asynchronous event and starts on it.
func (s *Service) accept(ctx context.Context, t target, ev Event) error {
	e := event{
		ID: s.IDs.UUID(), Account: t.Account, Region: t.Region, Function: t.Name, Qualifier: t.Qualifier, Payload: ev.Payload,
		ClientContext: ev.ClientContext, Accepted: s.Clock.Now(), Trace: trace.Header(ctx),
	}
	if err := s.keep(&e); err != nil {
		return err
	}
	s.background(ctx, func(ctx context.Context) { s.deliver(ctx, &e) })
	return nil
}

// resumeEvents starts on the events that an earlier process accepted.
func (s *Service) resumeEvents() error {
	var left []event
	if err := s.Store.View(func(tx *store.Tx) error {
		left = nil
		for e := range events.All(tx) {
			left = append(left, e)
		}
		return nil
	}); err != nil {
		return err
	}
	for _, e := range left {
		ctx := wire.WithRequest(s.ctx, &wire.Request{Account: e.Account, Region: e.Region})
		s.background(trace.Join(ctx, e.Trace, ""), func(ctx context.Context) { s.deliver(ctx, &e) })
	}
	return nil
}

// deliver runs an asynchronous event until the function takes it or the attempts are used up.
func (s *Service) deliver(ctx context.Context, e *event) {
	for s.sleep(ctx, e.Due.Sub(s.Clock.Now())) == nil {
		t := target{Account: e.Account, Region: e.Region, Name: e.Function, Qualifier: e.Qualifier}
		res, err := s.call(ctx, t, Event{Payload: e.Payload, ClientContext: e.ClientContext})
		switch {
		case err == nil && !res.Failed:
			s.forget(e)
			return
		case ctx.Err() != nil:
			return // the next process takes it up
		case !e.postpone(err, s.Clock.Now()):
			s.Log.Warn("asynchronous event dropped after its last attempt", "function", e.Function, "attempts", e.Attempts+1, "error", err)
			s.forget(e)
			return
		}
		if err := s.keep(e); err != nil {
			s.Log.Error("asynchronous event cannot be kept", "error", err)
			return
		}
	}
}

// postpone sets when a failed event is tried again, and reports whether it is. refused is why it could not be run, nil if the
// function itself failed.
func (e *event) postpone(refused error, now time.Time) bool {
	retries := []time.Duration{firstRetry, secondRetry}
	switch {
	case refused != nil:
		e.Due = now.Add(min(firstPause<<min(e.Refusals, 20), longPause))
		e.Refusals++
	case e.Attempts == len(retries):
		return false
	default:
		e.Due = now.Add(retries[e.Attempts])
		e.Attempts++
	}
	return e.Due.Sub(e.Accepted) <= maxEventAge
}

func (s *Service) forget(e *event) {
	if err := s.Store.Update(func(tx *store.Tx) error { events.Delete(tx, e.ID); return nil }); err != nil {
		s.Log.Error("asynchronous event cannot be marked as done", "error", err)
	}
}

func (s *Service) keep(e *event) error {
	return s.Store.Update(func(tx *store.Tx) error { events.Put(tx, *e, e.ID); return nil })
}
