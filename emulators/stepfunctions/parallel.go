package stepfunctions

import (
	"context"
	"errors"
	"strconv"
	"sync"

	"devstack/emulators/stepfunctions/asl"
)

// below makes the branch of an index below this one: where it was when the execution was interrupted, or at its beginning.
func (b *branch) below(i int, m *asl.Machine) (child *branch, begun bool) {
	path := strconv.Itoa(i)
	if b.f.Path != "" {
		path = b.f.Path + "/" + path
	}
	child = &branch{run: b.run, machine: m, item: b.item}
	if child.f = b.run.take(path); child.f != nil {
		return child, true
	}
	child.f = &frame{Path: path, State: m.StartAt}
	return child, false
}

// forgetBelow removes the frames of the branches below this one.
func (b *branch) forgetBelow(n int) {
	paths := make([]string, n)
	for i := range paths {
		paths[i] = strconv.Itoa(i)
		if b.f.Path != "" {
			paths[i] = b.f.Path + "/" + paths[i]
		}
	}
	b.run.forget(paths...)
}

// group is the branches that a Parallel or Map state has at work.
type group struct {
	b      *branch
	cancel context.CancelCauseFunc
	work   sync.WaitGroup

	mu     sync.Mutex
	failed *failure // the first
	err    error    // why the branches were stopped from outside
}

func (b *branch) group(ctx context.Context) (*group, context.Context) {
	ctx, cancel := context.WithCancelCause(ctx)
	return &group{b: b, cancel: cancel}, ctx
}

// fail takes the end of a branch that did not succeed. The first failure of a branch's own stops the others; it reports
// whether this is that.
func (g *group) fail(child *branch, err error) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	var f *failure
	if !errors.As(err, &f) {
		g.err = err
		return false
	}
	if g.failed != nil {
		return false
	}
	c := *f
	c.after = child.f.Last
	g.failed = &c
	return true
}

// wait waits for all branches. It returns the failure that ended them, or the reason for which they were stopped.
func (g *group) wait(ctx context.Context, s *asl.State, n int) error {
	g.work.Wait()
	g.cancel(nil)
	if g.failed != nil {
		g.b.forgetBelow(n)
		return g.failed
	}
	err := g.err
	if err == nil {
		err = context.Cause(ctx) // a branch may not even have begun
	}
	if errors.Is(err, errSibling) {
		g.b.forgetBelow(n)
		g.b.aborted(s)
	}
	return err
}

// parallel runs the branches of a Parallel state at the same time, and returns the list of their outputs.
func (b *branch) parallel(ctx context.Context, s *asl.State, in *data) (*data, error) {
	effective, err := b.template(s.Parameters, in)
	if err != nil {
		return nil, err
	}
	if b.f.Phase != inside {
		b.f.Phase = inside
		b.run.record(b.f, b.f.Last, event{Type: HistoryEventTypeParallelStateStarted}, &b.f.Last, &b.f.Started)
	}
	g, inner := b.group(ctx)
	outs := make([]*data, len(s.Branches))
	last := int64(0)
	for i, m := range s.Branches {
		child, begun := b.below(i, m)
		if !begun {
			child.f.Input, child.f.Last = effective.text, b.f.Started
			b.run.touch(child.f)
		}
		g.work.Go(func() {
			out, err := child.walk(inner)
			if err != nil {
				g.branchFailed(child, err)
				return
			}
			g.mu.Lock()
			defer g.mu.Unlock()
			outs[i], last = out, max(last, child.f.Last)
		})
	}
	if err := g.wait(ctx, s, len(outs)); err != nil {
		return nil, err
	}
	b.forgetBelow(len(outs))
	b.f.Last = last
	b.run.aside(b.f, event{Type: HistoryEventTypeParallelStateSucceeded})
	return listData(outs), nil
}

// branchFailed records a task that took its branch with it as aborted (recorded answer), and stops the other branches.
func (g *group) branchFailed(child *branch, err error) {
	if !g.fail(child, err) {
		return
	}
	if s := child.machine.States[child.f.State]; s.Type == asl.Task {
		child.aborted(s)
	}
	g.cancel(errSibling)
}
