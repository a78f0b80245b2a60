package function

import (
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
	holds   bool           // extensions still work on the event: its slot is given back once they are done
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
		if !a.holds {
			f.leave()
		}
		return a.out, a.failure, a.err
	}
}

// hand gives the event to the sandbox and waits for the answer, or until the caller has gone: then waited is false and
// the rest happens without it.
func (f *managed) hand(ctx context.Context, s *sandbox, inv *Invocation) (_ answer, waited bool) {
	if ctx.Done() == nil && inv.relay == nil && s.beside.get() == nil {
		return f.handHere(ctx, s, inv), true
	}
	done := make(chan answer, 1)
	var left atomic.Bool
	f.mu.Lock()
	alive := f.goLocked(func() {
		fl := f.handle(ctx, s, inv)
		told := !fl.soon()
		if told { // the caller has its answer, the sandbox is not free before its extensions are
			left.Store(true)
			done <- fl.early()
		}
		fl.finish()
		if fl.err == nil {
			f.cfg.Done(s.v.fn, fl.out, fl.failure)
		}
		if a := fl.answer(); !told && a.holds {
			left.Store(true)
			done <- a
			told = true
		}
		f.checkin(s, fl.usable)
		if !told {
			done <- fl.answer()
		}
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

// handHere is hand for a caller who cannot go away, an answer that comes whole and a sandbox that is free with it: nothing happens beside
// the caller, so that no goroutine need be started and woken for it.
func (f *managed) handHere(ctx context.Context, s *sandbox, inv *Invocation) answer {
	f.mu.Lock()
	alive := f.life.Err() == nil
	if alive {
		f.work.Add(1)
	}
	f.mu.Unlock()
	if !alive {
		f.checkin(s, false)
		return answer{err: ErrClosed}
	}
	defer f.work.Done()
	fl := f.handle(ctx, s, inv)
	fl.finish()
	if fl.err == nil {
		f.cfg.Done(s.v.fn, fl.out, fl.failure)
	}
	f.checkin(s, fl.usable)
	return fl.answer()
}

// newRequestID makes a version 4 UUID.
func newRequestID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails, since Go 1.24
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
