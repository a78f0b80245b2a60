package function

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"devstack/internal/trace"
	"devstack/runtime/config"
)

// flight is an event's way through a sandbox, from START to REPORT.
type flight struct {
	f       *managed
	s       *sandbox
	inv     *Invocation
	ev      *Event
	timeout time.Duration // what is left of it after an initialisation in the invoke phase
	began   time.Time
	run     context.Context // until the function has no more time
	land    func()

	out     *Outcome
	failure *FunctionError
	err     error // ours
	usable  bool  // the sandbox can take another event
}

// unhandled is the only X-Amz-Function-Error there is nowadays.
const unhandled = "Unhandled"

// errTimedOut is why a context ended whose function took too long.
var errTimedOut = errors.New("task timed out")

// maxTimeout is the longest that a function may have. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const maxTimeout = 15 * time.Minute

// handle hands the event to the sandbox and bounds the time it takes. The sandbox is usable for another event if the
// handler came to an end by itself.
func (f *managed) handle(ctx context.Context, s *sandbox, inv *Invocation) *flight {
	fl := &flight{f: f, s: s, inv: inv, timeout: timeoutOf(s.v.fn) - s.late}
	if s.v.fn.Debug != 0 { // somebody may be looking at a line of it; the handler is told of the longest time there is
		fl.timeout = maxTimeout
	}
	run, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stops := []func() bool{context.AfterFunc(f.life, func() { cancel(ErrClosed) })}
	c := s.beside.get()
	if c != nil {
		stops = append(stops, context.AfterFunc(c.Life(), func() { cancel(context.Cause(c.Life())) }))
	}
	fl.began = f.cfg.Clock.Now()
	fl.ev = &Event{
		RequestID: inv.RequestID, Payload: inv.Payload, Deadline: fl.began.Add(fl.timeout), Timeout: fl.timeout,
		ARN: cmp.Or(inv.ARN, s.v.fn.ARN), TraceID: trace.Header(ctx), ClientContext: inv.ClientContext, Identity: inv.Identity, Tenant: inv.Tenant,
	}
	fl.sayStart()
	if s.v.fn.Debug == 0 {
		stops = append(stops, f.cfg.Clock.AfterFunc(fl.timeout, func() { cancel(errTimedOut) }))
	}
	fl.run, fl.land = run, func() {
		for _, stop := range stops {
			stop()
		}
		cancel(nil)
	}
	if inv.relay != nil {
		fl.ev.Stream = inv.relay.open(run, f.cfg.Clock)
	}
	if c != nil {
		c.Begin(fl.ev)
	}
	payload, err := s.Invoke(run, fl.ev)
	inv.relay.shut(fl.ev.Stream)
	fl.judge(payload, err)
	return fl
}

func timeoutOf(fn *config.Function) time.Duration { return time.Duration(fn.Timeout) * time.Second }

// judge says what came of the event: to its caller, and for the sandbox.
func (fl *flight) judge(payload []byte, err error) {
	fl.out = &Outcome{Payload: payload, RequestID: fl.inv.RequestID, Duration: fl.elapsed(), InitDuration: fl.s.init}
	if err == nil && len(payload) > MaxResponse {
		err = ResponseTooLarge()
	}
	if err == nil {
		fl.usable = true
	} else {
		fl.fail(context.Cause(fl.run), err)
	}
	if fl.err == nil {
		fl.s.init = 0
		fl.out.Billed = billed(fl.out.Duration + fl.out.InitDuration)
		fl.sayRuntimeDone()
	}
}

// elapsed is the event's duration so far.
func (fl *flight) elapsed() time.Duration { return fl.f.cfg.Clock.Now().Sub(fl.began) + fl.s.late }

// fail judges an event that has no answer. cause is why it was cut off, nil if it was not.
func (fl *flight) fail(cause, err error) {
	var ext *ExtensionError
	fl.usable = false
	switch {
	case cause == errTimedOut:
		fl.s.say(fl.inv.RequestID, timeoutLine(fl.f.cfg.Clock.Now(), fl.inv.RequestID, timeoutOf(fl.s.v.fn)))
		fl.failure = timedOut(fl.inv.RequestID, timeoutOf(fl.s.v.fn))
		fl.s.reason = "timeout"
	case errors.As(cause, &ext):
		fl.failure = failedExtension(fl.inv.RequestID, ext)
		fl.s.explain(fl.inv.RequestID, ext, fl.failure)
		fl.s.reason = "failure"
	case cause != nil:
		fl.err = cause
		return
	default:
		var ok bool
		if fl.failure, ok = asFailure(fl.inv.RequestID, err); !ok {
			fl.err = err
			if !errors.Is(err, ErrGone) {
				fl.err = fmt.Errorf("function %s: %w", fl.f.key, err)
			}
			return
		}
		var fault *FunctionError
		if fl.usable = errors.As(err, &fault); !fl.usable {
			fl.s.explain(fl.inv.RequestID, err, fl.failure)
			fl.s.reason = "failure"
		}
	}
	fl.out.Payload, fl.out.FunctionError = fl.failure.Payload, unhandled
}

// grace is how long an answer is held back for extensions that are about to be done: a caller who sends one event after the
// other then finds the sandbox free, and needs no second one.
const grace = 5 * time.Millisecond

// soon waits a moment for the extensions, and reports whether all are done with the event, or need not be waited for.
func (fl *flight) soon() bool {
	c := fl.s.beside.get()
	if c == nil || !fl.usable {
		return true
	}
	wait := time.NewTimer(grace)
	defer wait.Stop()
	select {
	case <-c.Settled():
		return true
	case <-wait.C:
		return false
	case <-fl.run.Done():
		return false
	}
}

// early is the answer while extensions still work on the event.
func (fl *flight) early() answer {
	a := answer{failure: fl.failure, err: fl.err, holds: true}
	if fl.err == nil {
		out := *fl.out
		out.LogTail = fl.s.peekTail()
		a.out = &out
	}
	return a
}

// finish waits until the extensions are done with the event as well, and writes Lambda's closing lines. The time that they take is
// the invocation's, and its timeout is theirs too; the caller has the answer anyhow.
func (fl *flight) finish() {
	defer fl.land()
	if fl.err != nil {
		return
	}
	if c := fl.s.beside.get(); c != nil && fl.usable {
		select {
		case <-c.Settled():
		case <-fl.run.Done():
			payload, failed := fl.out.Payload, fl.out.FunctionError
			answered := fl.failure
			fl.fail(context.Cause(fl.run), fl.run.Err())
			fl.out.Payload, fl.out.FunctionError = payload, failed
			if fl.err != nil {
				fl.failure, fl.err = answered, nil
			}
		}
		fl.out.Duration = fl.elapsed()
		fl.out.Billed = billed(fl.out.Duration + fl.out.InitDuration)
	}
	fl.s.late = 0
	fl.s.close(fl.out, fl.failure, fl.tracing())
}

// answer is what the caller receives. One who learns of a failure does not wait until the extensions have ended with the sandbox.
func (fl *flight) answer() answer {
	holds := !fl.usable && fl.s.beside.get() != nil && !errors.Is(fl.err, ErrGone)
	if fl.err != nil {
		return answer{err: fl.err, holds: holds}
	}
	return answer{out: fl.out, failure: fl.failure, holds: holds}
}

// tracing is where the invocation belongs in X-Ray, if the function is traced.
func (fl *flight) tracing() *Tracing {
	if fl.s.v.fn.Tracing != "Active" {
		return nil
	}
	return tracing(fl.ev.TraceID)
}

func (fl *flight) sayStart() {
	if fl.inv.started { // another sandbox was given the event, and had ended
		return
	}
	fl.inv.started = true
	fl.s.tell(fl.inv.RequestID, "platform.start", start{fl.inv.RequestID, fl.ev.ARN, fl.s.v.fn.VersionName(), fl.tracing()})
}

func (fl *flight) sayRuntimeDone() {
	r := runtimeDone{RequestID: fl.inv.RequestID, Tracing: fl.tracing()}
	r.Status, r.ErrorType = status(fl.failure)
	r.Metrics = produced{ms(fl.out.Duration), int64(len(fl.out.Payload))}
	latency := fl.out.Duration
	if s, ok := fl.ev.Stream.(*relayed); ok {
		if first, bytes := s.sent(); !first.IsZero() {
			r.Metrics.Bytes, latency = bytes, first.Sub(fl.began)
			r.Spans = append(r.Spans, span{"responseDuration", first.UTC().Format(Stamp), ms(fl.began.Add(fl.out.Duration).Sub(first))})
		}
	}
	r.Spans = append([]span{{"responseLatency", fl.began.UTC().Format(Stamp), ms(latency)}}, r.Spans...)
	fl.s.tell(fl.inv.RequestID, "platform.runtimeDone", r)
}

// status is how a platform event says how something ended.
func status(failure *FunctionError) (status, errorType string) {
	switch {
	case failure == nil:
		return statusSuccess, ""
	case failure.Type == "Sandbox.Timedout":
		return statusTimeout, failure.Type
	}
	return statusError, failure.Type
}

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
	s := &sandbox{f: f, v: v, stream: newStream(f.cfg.Clock.Now(), v.fn)}
	var attempt *unloaded
	if errors.As(err, &attempt) {
		s = attempt.s
	}
	o := &Outcome{Payload: failure.Payload, FunctionError: unhandled, Fault: err.Error(), RequestID: inv.RequestID, Duration: s.late}
	if fault, ok := FaultOf(v.fn, err); ok {
		o.Fault = fault.String()
	}
	o.Billed = billed(o.Duration)
	var where *Tracing
	if v.fn.Tracing == "Active" {
		where = tracing(trace.Header(ctx))
	}
	s.tell(inv.RequestID, "platform.start", start{inv.RequestID, cmp.Or(inv.ARN, v.fn.ARN), v.fn.VersionName(), where})
	if failure.Type == "Sandbox.Timedout" {
		s.say(inv.RequestID, timeoutLine(f.cfg.Clock.Now(), inv.RequestID, timeoutOf(v.fn)))
	} else {
		s.explain(inv.RequestID, err, failure)
	}
	s.close(o, failure, where)
	return o, failure, nil
}

// asFailure turns an error of a sandbox into what callers of the function see. It is false for one that is not the
// function's.
func asFailure(requestID string, err error) (*FunctionError, bool) {
	var (
		fault *FunctionError
		exit  *ExitError
		load  *InitError
		ext   *ExtensionError
		late  *initTimeout
	)
	switch {
	case errors.As(err, &fault):
		return fault, true
	case errors.As(err, &exit):
		return exited(requestID, exit), true
	case errors.As(err, &load):
		return &FunctionError{Type: load.Type, Payload: load.body(requestID)}, true
	case errors.As(err, &ext):
		return failedExtension(requestID, ext), true
	case errors.As(err, &late):
		return timedOut(requestID, late.after), true
	}
	return nil, false
}

// explain writes why an event failed into the log where no runtime could.
func (s *sandbox) explain(requestID string, err error, failure *FunctionError) {
	var (
		exit *ExitError
		ext  *ExtensionError
		load *InitError
	)
	switch {
	case errors.As(err, &exit):
		s.say(requestID, failureLine(requestID, exit.Error(), failure.Type))
	case errors.As(err, &ext):
		s.say(requestID, failureLine(requestID, ext.Message, failure.Type))
	case errors.As(err, &load) && load.Payload == nil:
		s.say(requestID, failureLine(requestID, load.Reason, failure.Type))
	}
}

// close writes Lambda's closing lines, and completes the outcome with the memory used and the tail of the log.
func (s *sandbox) close(o *Outcome, failure *FunctionError, where *Tracing) {
	if m, ok := s.Sandbox.(Meter); ok {
		o.MaxMemory = int((m.MaxMemory() + 1<<20 - 1) >> 20)
	}
	if text := s.places.overfull(s.v.fn); text != "" {
		s.say(o.RequestID, text)
	}
	r := report{RequestID: o.RequestID, Tracing: where}
	r.Status, r.ErrorType = status(failure)
	r.Metrics = reportMetrics{ms(o.Duration), o.Billed.Milliseconds(), s.v.fn.Memory, o.MaxMemory, ms(o.InitDuration)}
	s.sayText(o.RequestID, endLine(o.RequestID))
	s.tell(o.RequestID, "platform.report", r)
	o.LogTail = s.takeTail()
}
