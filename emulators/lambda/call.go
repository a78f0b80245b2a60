package lambda

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html; the words as in https://github.com/remotion-dev/remotion/issues/1186
const msgState = "The operation cannot be performed at this time. The function is currently in the following state: %s"

// callee is what a call comes to: the version that a target leads to.
type callee struct {
	target
	Version string // that runs: "$LATEST", "3"
	v       *version
}

// callee returns what a call of a target comes to. An alias that divides its calls decides here, by chance and weight.
func (s *Service) callee(t target) (*callee, error) {
	leads := t
	if t.Qualifier != "" && t.Qualifier != latest && !numbered().MatchString(t.Qualifier) {
		number, err := s.chosen(t)
		if err != nil {
			return nil, err
		}
		leads.Qualifier = number
	}
	v, err := s.lookup(leads)
	if err != nil {
		return nil, err
	}
	return &callee{t, v.Number, v}, nil
}

// chosen is the version that a call of an alias goes to.
func (s *Service) chosen(t target) (number string, err error) {
	roll := s.roll()
	err = s.Store.View(func(tx *store.Tx) error {
		a, ok := aliases.Get(tx, t.key(t.Qualifier)...)
		if !ok {
			return byUser(errResourceNotFoundException(msgNotFound, t.arn()))
		}
		number = a.Version
		for other, weight := range a.Weights { // at most one
			if roll < weight {
				number = other
			}
		}
		return nil
	})
	return number, err
}

// exists reports whether there is what a target names: nil, or the error that says so.
func (s *Service) exists(t target) error {
	_, err := s.lookup(t)
	return err
}

// run has the function handle an event and returns what came of it. It is the only way to the runtime: whoever has an event, a caller
// or an event source, goes through it.
//
// The call holds its place among the function's concurrent ones.
func (s *Service) run(ctx context.Context, c *callee, ev Event) (*Outcome, error) {
	if c.v.declared == nil && c.v.State != StateActive {
		return nil, byUser(errResourceConflictException(msgState, c.v.State))
	}
	if err := s.ensure(ctx, c.target, c.v); err != nil {
		return nil, err
	}
	ev.ARN = c.arn()
	return s.functions.Invoke(ctx, c.runs(c.v), ev)
}

// call runs a function, or refuses it for want of concurrency: TooManyRequestsException.
func (s *Service) call(ctx context.Context, c *callee, ev Event) (*Outcome, error) {
	leave, err := s.concurrency.enter(s, c)
	if err != nil {
		return nil, err
	}
	out, err := s.hold(ctx, c, ev, leave)
	if e, ok := errors.AsType[*wire.Error](err); ok {
		return nil, byUser(e)
	}
	return out, err
}

// hold runs a call that has a place, and gives the place back when the function has ended: that may be long after its caller has gone, who
// hears ctx's error at once.
func (s *Service) hold(ctx context.Context, c *callee, ev Event, leave func()) (*Outcome, error) {
	type result struct {
		out *Outcome
		err error
	}
	done := make(chan result, 1)
	s.workers.run(s.ctx, func() {
		var r result
		defer func() {
			if p := recover(); p != nil { // here nobody else would keep the daemon from ending
				s.Log.Error("a call panicked", "function", c.arn(), "panic", p, "stack", string(debug.Stack()))
				r = result{err: fmt.Errorf("call %s: %v", c.arn(), p)}
			}
			leave()
			done <- r
		}()
		r.out, r.err = s.run(context.WithoutCancel(ctx), c, ev)
	})
	select {
	case r := <-done:
		return r.out, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// deadLetter is the ARN of where the function's asynchronous events go that are given up, "" for nowhere.
func (c *callee) deadLetter() string {
	if c.v == nil || c.v.DeadLetter == nil || c.v.DeadLetter.TargetArn == nil {
		return ""
	}
	return *c.v.DeadLetter.TargetArn
}
