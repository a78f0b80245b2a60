package stepfunctions

import (
	"context"
	"errors"
	"time"

	"devstack/emulators/stepfunctions/asl"
	"devstack/emulators/stepfunctions/value"
	"devstack/emulators/store"
	"devstack/internal/clock"
	"devstack/internal/trace"
)

// call is a Task state's one attempt.
type call struct {
	b         *branch
	s         *asl.State
	params    *data
	timeout   int64 // seconds, 0: none
	heartbeat int64 // seconds, 0: none
}

// task carries out a Task state once. The attempt is stored before the call is made: after a restart the call is made
// again, without its being scheduled again.
func (b *branch) task(ctx context.Context, s *asl.State, in *data) (*data, error) {
	c := &call{b: b, s: s}
	if err := c.prepare(in); err != nil {
		return nil, err
	}
	ctx, span := trace.Start(ctx, "state", s.Name)
	span.Input([]byte(c.params.text))
	out, err := c.carryOut(ctx)
	if err == nil {
		span.Output([]byte(out.text))
	}
	span.End(err)
	return out, err
}

// prepare works out the parameters and limits, and records that the task is scheduled.
func (c *call) prepare(in *data) error {
	b, r := c.b, c.s.Resource
	again := b.f.Phase == calling || b.f.Phase == submitted
	if !again && r.Pattern == asl.WaitForTaskToken {
		b.f.Token = newToken(b.run.engine.IDs)
	}
	var err error
	if c.timeout, err = b.number("TimeoutSecondsPath", c.s.Timeout, in); err != nil {
		return err
	}
	if c.heartbeat, err = b.number("HeartbeatSecondsPath", c.s.Heartbeat, in); err != nil {
		return err
	}
	if c.params, err = b.template(c.s.Parameters, in); err != nil || again {
		return err
	}
	b.f.Phase, b.f.Until = calling, time.Time{}
	if c.timeout > 0 {
		b.f.Until = b.run.engine.Clock.Now().Add(time.Duration(c.timeout) * time.Second)
	}
	c.scheduled()
	return nil
}

func (c *call) scheduled() {
	r := c.s.Resource
	if r.Lambda {
		c.b.run.emit(c.b.f, event{Type: HistoryEventTypeLambdaFunctionScheduled, Resource: r.ARN, Data: &c.params.text, Timeout: c.timeout})
		c.b.run.emit(c.b.f, event{Type: HistoryEventTypeLambdaFunctionStarted})
		return
	}
	_, region := arnPlace(c.b.run.exec.ARN)
	c.emit(event{Type: HistoryEventTypeTaskScheduled, Region: region, Data: &c.params.text, Timeout: c.timeout, Heartbeat: c.heartbeat})
	c.emit(event{Type: HistoryEventTypeTaskStarted})
}

// emit records an event of a service integration.
func (c *call) emit(ev event) {
	ev.Service, ev.Resource = c.s.Resource.EventType(), c.s.Resource.EventName()
	c.b.run.emit(c.b.f, ev)
}

// carryOut makes the call, waits for what the pattern says, and records how it went.
func (c *call) carryOut(ctx context.Context) (*data, error) {
	b := c.b
	if err := b.run.flushWith(c.storeToken); err != nil {
		return nil, b.storeFailed(err)
	}
	ctx, done := c.deadline(ctx)
	defer done()
	out, err := c.act(ctx)
	if err == nil && len(out.text) > maxData {
		err = fail(errDataLimit, "The state/task '"+c.limitName()+"' returned a result with a size exceeding the maximum number of bytes service limit.")
	}
	if err != nil {
		return nil, c.failed(err)
	}
	if c.s.Resource.Lambda {
		b.run.emit(b.f, event{Type: HistoryEventTypeLambdaFunctionSucceeded, Data: &out.text})
	} else {
		c.emit(event{Type: HistoryEventTypeTaskSucceeded, Data: &out.text})
	}
	return out, nil
}

// limitName is what the message of States.DataLimitExceeded calls the task (recorded answers).
func (c *call) limitName() string {
	if c.s.Resource.Lambda {
		return c.s.Resource.ARN
	}
	return c.s.Resource.EventType()
}

// storeToken stores the token that the task is about to give away.
func (c *call) storeToken(tx *store.Tx) {
	if f := c.b.f; f.Token != "" && f.Phase == calling {
		tokens.Put(tx, waiter{Execution: c.b.run.exec.ARN}, f.Token)
	}
}

// deadline ends a context when the task's time runs out.
func (c *call) deadline(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	if c.b.f.Until.IsZero() {
		return ctx, func() { cancel(nil) }
	}
	clk := c.b.run.engine.Clock
	stop := clock.At(clk, c.b.f.Until, func() { cancel(errLate) })
	return ctx, func() { stop(); cancel(nil) }
}

// act makes the call and waits for what the pattern says.
func (c *call) act(ctx context.Context) (*data, error) {
	b := c.b
	if b.f.Token != "" {
		defer b.run.engine.listen(b.f.Token)()
	}
	if b.f.Phase != submitted {
		out, err := waitFor(ctx, c.request)
		if err != nil || c.s.Resource.Pattern == asl.RequestResponse {
			return out, err
		}
		b.f.Phase, b.f.Child = submitted, c.child(out)
		c.emit(event{Type: HistoryEventTypeTaskSubmitted, Data: &out.text})
		if err := b.run.flush(); err != nil {
			return nil, b.storeFailed(err)
		}
	}
	if c.s.Resource.Pattern == asl.WaitForTaskToken {
		return c.awaitToken(ctx)
	}
	return c.awaitChild(ctx)
}

// child is the execution that the task started, if that is what it waits for.
func (c *call) child(answer *data) string {
	if c.s.Resource.Pattern == asl.WaitForTaskToken {
		return ""
	}
	o, _ := answer.value().(*value.Object)
	v, _ := o.Get("ExecutionArn")
	arn, _ := v.(string)
	return arn
}

// waitFor runs f, and stops waiting for it when the context ends. What f began goes on, as a function does whose task timed
// out or was stopped.
func waitFor(ctx context.Context, f func(context.Context) (*data, error)) (*data, error) {
	type answer struct {
		out *data
		err error
	}
	answered := make(chan answer, 1)
	go func() {
		out, err := f(trace.Detach(ctx))
		answered <- answer{out, err}
	}()
	select {
	case a := <-answered:
		if err := context.Cause(ctx); err != nil && a.err != nil {
			return nil, err
		}
		return a.out, a.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// failed records how the task failed and returns the failure, or the reason for which the branch is to stop.
func (c *call) failed(err error) error {
	b := c.b
	switch {
	case errors.Is(err, errSibling):
		b.aborted(c.s)
		return err
	case errors.Is(err, errEnded), errors.Is(err, errClosing):
		return err
	case errors.Is(err, errLate):
		return c.timedOut(errTimeout)
	case errors.Is(err, errSilent):
		return c.timedOut(errHeartbeatTimeout)
	}
	f := asFailure(err)
	if c.s.Resource.Lambda {
		b.run.emit(b.f, event{Type: HistoryEventTypeLambdaFunctionFailed, Error: f.name, Cause: f.cause})
	} else {
		c.emit(event{Type: HistoryEventTypeTaskFailed, Error: f.name, Cause: f.cause})
	}
	return f
}

// timedOut records that the task took too long. Its failure has no cause (recorded answers).
func (c *call) timedOut(name string) error {
	if c.s.Resource.Lambda {
		c.b.run.emit(c.b.f, event{Type: HistoryEventTypeLambdaFunctionTimedOut, Error: &name})
	} else {
		c.emit(event{Type: HistoryEventTypeTaskTimedOut, Error: &name})
	}
	return &failure{name: &name}
}
