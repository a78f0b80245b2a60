package stepfunctions

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"time"

	"devstack/emulators/stepfunctions/asl"
	"devstack/emulators/stepfunctions/value"
	"devstack/internal/clock"
)

// branch is a walk through the states of a machine, by one goroutine.
type branch struct {
	run     *run
	machine *asl.Machine
	f       *frame
	item    *value.Object // the context object's Map, nil outside any
}

// walk goes from the frame's state to the end of the branch, and returns its output. An error is a *failure, or the
// context's cause.
func (b *branch) walk(ctx context.Context) (*data, error) {
	for !b.f.Done {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		if err := b.step(ctx, b.machine.States[b.f.State]); err != nil {
			return nil, err
		}
	}
	return textData(b.f.Output), nil
}

// step carries out the state that the branch is in, and leaves it.
func (b *branch) step(ctx context.Context, s *asl.State) error {
	input := textData(b.f.Input)
	if b.f.Entered == 0 {
		b.enter(s)
	}
	if s.Type == asl.Fail {
		return b.failState(s, input)
	}
	out, next, err := b.outcome(ctx, s, input)
	if err != nil {
		return err
	}
	if len(out.text) > maxData {
		return fail(errDataLimit, "The state/task '"+s.Name+"' returned a result with a size exceeding the maximum number of bytes service limit.")
	}
	if depth := value.Depth(out.text); depth > value.MaxDepth { // the words are Jackson's, that AWS passes them on is a guess
		return b.failIn(errRuntime, "Document nesting depth (%d) exceeds the maximum allowed (%d)", depth, value.MaxDepth)
	}
	b.leave(s, out, next)
	if s.Type != asl.Task || b.f.Done && b.f.Path == "" {
		return nil // nothing was done that must not be done again, or the end is stored next
	}
	if err := b.run.flush(); err != nil {
		return b.storeFailed(err)
	}
	return nil
}

func (b *branch) enter(s *asl.State) {
	b.f.EnteredAt = b.run.engine.Clock.Now()
	b.f.Phase, b.f.Until, b.f.Retries, b.f.Attempt, b.f.Started = entering, time.Time{}, nil, 0, 0
	b.f.Token, b.f.Child = "", ""
	input := b.f.Input
	b.run.record(b.f, b.f.Last, event{Type: string(s.Type) + "StateEntered", Name: s.Name, Data: &input}, &b.f.Last, &b.f.Entered)
}

// leave records the end of a state and moves the branch on. The frame is moved first: it is stored with the event.
func (b *branch) leave(s *asl.State, out *data, next string) {
	if next == "" {
		b.f.Done, b.f.Output = true, out.text
	} else {
		b.f.State, b.f.Input, b.f.Entered = next, out.text, 0
	}
	b.f.Phase, b.f.Token, b.f.Child = entering, "", ""
	b.run.emit(b.f, event{Type: string(s.Type) + "StateExited", Name: s.Name, Data: &out.text})
}

// outcome is what the state puts out and where it leads.
func (b *branch) outcome(ctx context.Context, s *asl.State, input *data) (*data, string, error) {
	switch s.Type {
	case asl.Choice:
		return b.choice(s, input)
	case asl.Task, asl.Parallel, asl.Map:
		return b.retried(ctx, s, input)
	}
	in, err := b.inputPath(s, input)
	if err != nil {
		return nil, "", err
	}
	result := in
	switch s.Type {
	case asl.Pass:
		result, err = b.pass(s, input, in)
	case asl.Wait:
		err = b.wait(ctx, s, in)
	}
	if err != nil {
		return nil, "", err
	}
	out, err := b.outputPath(s, result)
	return out, s.Next, err
}

func (b *branch) pass(s *asl.State, input, in *data) (*data, error) {
	effective, err := b.template(s.Parameters, in)
	if err != nil {
		return nil, err
	}
	if s.HasResult {
		effective = valueData(s.Result)
	}
	return b.resultPath(s.ResultPath, input, effective)
}

func (b *branch) failState(s *asl.State, input *data) error {
	name, err := b.failText(s.Error, input)
	if err != nil {
		return err
	}
	cause, err := b.failText(s.Cause, input)
	if err != nil {
		return err
	}
	return &failure{name: name, cause: cause}
}

func (b *branch) failText(t asl.Text, input *data) (*string, error) {
	if !t.Given || t.Expr == nil {
		if !t.Given {
			return nil, nil
		}
		return &t.Value, nil
	}
	v, err := t.Expr.Eval(b.scope(input), t.Field)
	if err != nil {
		return nil, b.worded(err)
	}
	s, ok := v.(string)
	if !ok { // the words are a guess
		return nil, b.failIn(errRuntime, "The value of the field '%s' must be a string: %s", t.Field, value.Encode(v))
	}
	return &s, nil
}

func (b *branch) choice(s *asl.State, input *data) (*data, string, error) {
	in, err := b.inputPath(s, input)
	if err != nil {
		return nil, "", err
	}
	next := s.Default
	for _, r := range s.Rules {
		ok, err := r.Condition.Holds(choiceScope{b.scope(in)})
		if err != nil {
			return nil, "", err
		}
		if ok {
			next = r.Next
			break
		}
	}
	if next == "" { // the words are AWS's, from memory
		return nil, "", b.failIn(errNoChoice, "Failed to transition out of the state. The state does not point to a next state.")
	}
	out, err := b.outputPath(s, in)
	return out, next, err
}

// wait holds a Wait state until its time has come.
func (b *branch) wait(ctx context.Context, s *asl.State, in *data) error {
	if b.f.Phase != waiting {
		until, err := b.waitUntil(s, in)
		if err != nil {
			return err
		}
		b.f.Phase, b.f.Until = waiting, until
		b.run.touch(b.f)
	}
	err := b.sleep(ctx, b.f.Until)
	if errors.Is(err, errSibling) {
		b.aborted(s)
	}
	return err
}

// sleep stores where the branch is and waits for an instant.
func (b *branch) sleep(ctx context.Context, until time.Time) error {
	if err := b.run.flush(); err != nil {
		return b.storeFailed(err)
	}
	if clock.SleepUntil(ctx, b.run.engine.Clock, until) != nil {
		return context.Cause(ctx)
	}
	return nil
}

// storeFailed ends the branch where its progress cannot be kept: a full disk.
func (b *branch) storeFailed(err error) error {
	b.run.engine.Log.Error("an execution could not be stored", "execution", b.run.exec.ARN, "error", err)
	return fail(errRuntime, "The state of the execution could not be stored: "+err.Error())
}

// aborted records that a state was given up because another branch failed.
func (b *branch) aborted(s *asl.State) {
	b.run.aside(b.f, event{Type: string(s.Type) + "StateAborted"})
}

// retried carries out a state that has retriers and catchers.
func (b *branch) retried(ctx context.Context, s *asl.State, input *data) (*data, string, error) {
	for {
		if b.f.Phase == retrying {
			if err := b.sleep(ctx, b.f.Until); err != nil {
				if errors.Is(err, errSibling) {
					b.aborted(s)
				}
				return nil, "", err
			}
			b.f.Phase = entering
		}
		out, err := b.attempt(ctx, s, input)
		if err == nil {
			return out, s.Next, nil
		}
		var failed *failure
		if !errors.As(err, &failed) {
			return nil, "", err
		}
		if failed.after != 0 {
			b.f.Last = failed.after
		}
		if b.retry(s, failed) {
			continue
		}
		b.giveUp(s, failed)
		k := failed.caught(s.Catch)
		if k == nil {
			return nil, "", failed
		}
		out, err = b.resultPath(k.ResultPath, input, failed.output())
		return out, k.Next, err
	}
}

// attempt carries out the state once.
func (b *branch) attempt(ctx context.Context, s *asl.State, input *data) (*data, error) {
	in, err := b.inputPath(s, input)
	if err != nil {
		return nil, err
	}
	var result *data
	switch s.Type {
	case asl.Task:
		result, err = b.task(ctx, s, in)
	case asl.Parallel:
		result, err = b.parallel(ctx, s, in)
	default:
		result, err = b.mapState(ctx, s, in)
	}
	if err != nil {
		return nil, err
	}
	if s.ResultSelector != nil {
		if result, err = b.template(s.ResultSelector, result); err != nil {
			return nil, err
		}
	}
	out, err := b.resultPath(s.ResultPath, input, result)
	if err != nil {
		return nil, err
	}
	return b.outputPath(s, out)
}

// retry prepares the next attempt, if a retrier wants one.
func (b *branch) retry(s *asl.State, failed *failure) bool {
	if b.f.Retries == nil {
		b.f.Retries = make([]int, len(s.Retry))
	}
	for i, r := range s.Retry {
		if !failed.matches(r.ErrorEquals) {
			continue
		}
		if b.f.Retries[i] >= r.MaxAttempts {
			return false
		}
		delay := retryDelay(r, b.f.Retries[i])
		b.f.Retries[i]++
		b.f.Attempt++
		b.f.Phase, b.f.Until = retrying, b.run.engine.Clock.Now().Add(delay)
		b.f.Token, b.f.Child = "", ""
		b.run.touch(b.f)
		return true
	}
	return false
}

// retryDelay is how long to wait before a retry: the interval, growing by the backoff rate, up to the longest delay; a random
// part of that with full jitter.
func retryDelay(r asl.Retrier, before int) time.Duration {
	delay := float64(r.Interval) * math.Pow(r.BackoffRate, float64(before))
	longest := float64(math.MaxInt32) * float64(time.Second)
	if r.MaxDelay > 0 {
		longest = float64(r.MaxDelay)
	}
	d := time.Duration(min(delay, longest))
	if r.FullJitter && d > 0 {
		return rand.N(d + 1)
	}
	return d
}

// giveUp records the end of a Parallel or Map state that failed for good.
func (b *branch) giveUp(s *asl.State, failed *failure) {
	if s.Type != asl.Task && failed.after != 0 {
		b.run.emit(b.f, event{Type: string(s.Type) + "StateFailed"})
	}
}

// asFailure returns the failure in an error. Any other error is one of our own.
func asFailure(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	return fail(errRuntime, err.Error())
}
