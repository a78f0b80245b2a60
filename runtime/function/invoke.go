package function

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"devstack/internal/trace"
)

// Invocation is what a caller wants a function to handle.
type Invocation struct {
	Payload       []byte // JSON; empty means {}
	RequestID     string // "" for a new one
	ARN           string // by which the function was called, with a qualifier if there was one; "" for the function's own
	TraceID       string // X-Amzn-Trace-Id, for a caller whose context is in no trace
	ClientContext string // JSON, "" for none
	Identity      string // of Amazon Cognito, JSON, "" for none
	Tenant        string // "" for none
	Async         bool   // an event that nobody waits for may be smaller
	Stream        Stream // takes the response of a function that streams; its methods are called by Invoke alone. nil: nobody

	started bool // its START line is written
	relay   *relay
}

// Outcome is what came of an invocation that reached the function.
type Outcome struct {
	Payload       []byte // what the handler returned or, with FunctionError, the error body
	FunctionError string // "" or "Unhandled": X-Amz-Function-Error
	Build         bool   // the error is that the function cannot be built; Payload has the reason
	Fault         string // why it cannot be built or loaded, in one line and with its place; "" if it has been
	RequestID     string
	Duration      time.Duration // of the handler
	InitDuration  time.Duration // of the sandbox's start, if this was its first event
	Billed        time.Duration
	LogTail       []byte // the last 4 KB of log
	MaxMemory     int    // MB the sandbox has used at most, 0 if nobody knows
}

// maxTimeout is the longest that a function may have. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const maxTimeout = 15 * time.Minute

// errTimedOut is why a context ended whose function took too long.
var errTimedOut = errors.New("task timed out")

// Invoke has the function of a key handle an event and waits for what it returns. A function that fails is an Outcome; an error is
// ErrNoFunction, *PayloadError, ErrClosed, ctx's error if it ended first, or what keeps the engine from
// working.
//
// As on Lambda an event that was handed over is handled to its end, whether its caller still waits or not.
func (m *Manager) Invoke(ctx context.Context, key string, inv Invocation) (*Outcome, error) {
	f, err := m.lookup(key)
	if err != nil {
		return nil, err
	}
	limit := MaxPayload
	if inv.Async {
		limit = MaxAsyncPayload
	}
	if len(inv.Payload) > limit {
		return nil, &PayloadError{Size: len(inv.Payload), Limit: limit}
	}
	if inv.RequestID == "" {
		inv.RequestID = newRequestID()
	}
	if len(inv.Payload) == 0 {
		inv.Payload = []byte("{}")
	}
	if inv.TraceID != "" && trace.Header(ctx) == "" {
		ctx = trace.Join(ctx, inv.TraceID, "")
	}
	if inv.Stream != nil {
		inv.relay = newRelay()
	}
	ctx, span := trace.Start(ctx, "function", key)
	span.Input(inv.Payload)
	out, failure, err := f.invoke(ctx, &inv)
	if out != nil {
		span.Output(out.Payload)
	}
	if err == nil && failure != nil {
		span.End(failure)
	} else {
		span.End(err)
	}
	return out, err
}

// answer is what an invocation came to.
type answer struct {
	out     *Outcome
	failure *FunctionError // the function's, nil if it succeeded
	err     error          // ours
}

func (f *managed) invoke(ctx context.Context, inv *Invocation) (*Outcome, *FunctionError, error) {
	if err := f.enter(ctx); err != nil {
		return nil, nil, err
	}
	for try := 1; ; try++ {
		v, s, err := f.checkout(ctx)
		if s == nil || err != nil {
			f.leave()
			o, failure, err := f.unstarted(ctx, v, inv, err)
			if o != nil {
				f.cfg.Done(f.function(), o, failure)
			}
			return o, failure, err
		}
		a, waited := f.hand(ctx, s, inv)
		if !waited {
			return nil, nil, ctx.Err() // the slot is given back when the event has been handled
		}
		if errors.Is(a.err, ErrGone) && try < 3 {
			continue
		}
		f.leave()
		return a.out, a.failure, a.err
	}
}

// hand gives the event to the sandbox and waits for the answer, or until the caller has gone: then waited is false and
// the rest happens without it.
func (f *managed) hand(ctx context.Context, s *sandbox, inv *Invocation) (_ answer, waited bool) {
	done := make(chan answer, 1)
	var left atomic.Bool
	f.mu.Lock()
	alive := f.goLocked(func() {
		a, usable := f.handle(ctx, s, inv)
		if a.out != nil {
			f.cfg.Done(s.v.fn, a.out, a.failure)
		}
		f.checkin(s, usable)
		done <- a
		if left.Swap(true) {
			f.leave()
		}
	})
	f.mu.Unlock()
	if !alive {
		f.checkin(s, false)
		return answer{err: ErrClosed}, true
	}
	for {
		select {
		case a := <-done:
			return a, true
		case p := <-inv.relay.pieces():
			p.pass(inv.Stream)
		case <-ctx.Done():
			if left.Swap(true) {
				return <-done, true // in the same moment
			}
			inv.relay.leave()
			return answer{}, false
		}
	}
}

// unhandled is the only X-Amz-Function-Error there is nowadays.
const unhandled = "Unhandled"

// unstarted is the outcome of an event for which there is no sandbox, because of a mistake in the function or by a fault
// of ours. AWS too answers the first event with the reason why its function could not be loaded.
func (f *managed) unstarted(ctx context.Context, v *version, inv *Invocation, err error) (*Outcome, *FunctionError, error) {
	if err == nil {
		failure := unbuilt(v.err)
		o := &Outcome{Payload: failure.Payload, FunctionError: unhandled, Build: true, Fault: v.err.Error(), RequestID: inv.RequestID}
		if fault, ok := FaultOf(v.fn, v.err); ok {
			o.Fault = fault.String()
		}
		return o, failure, nil
	}
	if v == nil || ctx.Err() != nil {
		return nil, nil, err
	}
	failure, ok := asFailure(inv.RequestID, err)
	if !ok {
		return nil, nil, fmt.Errorf("function %s: %w", f.key, err)
	}
	o := &Outcome{Payload: failure.Payload, FunctionError: unhandled, Fault: err.Error(), RequestID: inv.RequestID}
	if fault, ok := FaultOf(v.fn, err); ok {
		o.Fault = fault.String()
	}
	s := &sandbox{f: f, v: v, stream: newStream(f.cfg.Clock.Now(), v.fn)}
	s.log(inv.RequestID, startLine(inv.RequestID, v.fn))
	s.finish(o, failure)
	return o, failure, nil
}

// asFailure turns an error of a sandbox into what callers of the function see. It is false for one that is not the
// function's.
func asFailure(requestID string, err error) (*FunctionError, bool) {
	var (
		fault *FunctionError
		exit  *ExitError
		load  *InitError
		late  *initTimeout
	)
	switch {
	case errors.As(err, &fault):
		return fault, true
	case errors.As(err, &exit):
		return exited(requestID, exit), true
	case errors.As(err, &load):
		return &FunctionError{Type: load.Type, Payload: load.body(requestID)}, true
	case errors.As(err, &late):
		return timedOut(requestID, late.after), true
	}
	return nil, false
}

// handle hands the event to the sandbox and bounds the time it takes. The sandbox is usable for another event if the
// handler came to an end by itself.
func (f *managed) handle(ctx context.Context, s *sandbox, inv *Invocation) (a answer, usable bool) {
	timeout := time.Duration(s.v.fn.Timeout) * time.Second
	run, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	defer context.AfterFunc(f.life, func() { cancel(ErrClosed) })()
	if !inv.started {
		s.log(inv.RequestID, startLine(inv.RequestID, s.v.fn))
		inv.started = true
	}
	began := f.cfg.Clock.Now()
	if s.v.fn.Debug == 0 {
		defer f.cfg.Clock.AfterFunc(timeout, func() { cancel(errTimedOut) })()
	} else { // somebody may be looking at a line of it; the handler is told of the longest time there is
		timeout = maxTimeout
	}
	ev := &Event{
		RequestID: inv.RequestID, Payload: inv.Payload, Deadline: began.Add(timeout), Timeout: timeout,
		ARN: cmp.Or(inv.ARN, s.v.fn.ARN), TraceID: trace.Header(ctx), ClientContext: inv.ClientContext, Identity: inv.Identity, Tenant: inv.Tenant,
	}
	if inv.relay != nil {
		ev.Stream = inv.relay.open(run)
	}
	payload, err := s.Invoke(run, ev)
	inv.relay.shut(ev.Stream)
	o := &Outcome{Payload: payload, RequestID: inv.RequestID, Duration: f.cfg.Clock.Now().Sub(began), InitDuration: s.init}
	s.init = 0
	if err == nil && len(payload) > MaxResponse {
		err = ResponseTooLarge()
	}
	var failure *FunctionError
	if err != nil {
		if failure, usable, err = f.judge(s, inv.RequestID, timeout, context.Cause(run), err); err != nil {
			return answer{err: err}, false
		}
		o.Payload, o.FunctionError = failure.Payload, unhandled
	} else {
		usable = true
	}
	s.finish(o, failure)
	return answer{out: o, failure: failure}, usable
}

// judge says what an event's failure is to its caller, and whether the sandbox survived it.
func (f *managed) judge(s *sandbox, requestID string, timeout time.Duration, cause, err error) (_ *FunctionError, usable bool, _ error) {
	switch {
	case cause == errTimedOut:
		s.log(requestID, timeoutLine(f.cfg.Clock.Now(), requestID, timeout))
		return timedOut(requestID, timeout), false, nil
	case cause != nil:
		return nil, false, cause
	}
	failure, ok := asFailure(requestID, err)
	if !ok {
		return nil, false, fmt.Errorf("function %s: %w", f.key, err)
	}
	var fault *FunctionError
	return failure, errors.As(err, &fault), nil
}

// finish completes an outcome: bill, memory, Lambda's closing lines and the tail of the log.
func (s *sandbox) finish(o *Outcome, failure *FunctionError) {
	o.Billed = billed(o.Duration + o.InitDuration)
	if m, ok := s.Sandbox.(Meter); ok {
		o.MaxMemory = int((m.MaxMemory() + 1<<20 - 1) >> 20)
	}
	kind := ""
	if failure != nil {
		kind = failure.Type
	}
	if text := s.places.overfull(s.v.fn); text != "" {
		s.log(o.RequestID, text)
	}
	s.log(o.RequestID, endLine(o.RequestID))
	s.log(o.RequestID, reportLine(o, s.v.fn.Memory, kind))
	o.LogTail = s.takeTail()
}

// newRequestID makes a version 4 UUID.
func newRequestID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails, since Go 1.24
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
