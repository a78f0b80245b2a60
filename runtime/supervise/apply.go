package supervise

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"devstack/runtime/config"
	"devstack/runtime/plan"
)

// NotReadyError says which resource is not ready and why.
type NotReadyError struct {
	ID   config.ID
	Err  error
	Tail []string // the last lines of its log since it was started, at most 20
}

// Error returns one sentence and the lines.
func (e *NotReadyError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s is not ready: %v", e.ID, e.Err)
	for _, text := range e.Tail {
		b.WriteString("\n    " + text)
	}
	return b.String()
}

// Unwrap returns why.
func (e *NotReadyError) Unwrap() error { return e.Err }

// NeedsError is why a resource was not begun.
type NeedsError struct{ ID config.ID }

// Error names what it needs.
func (e *NeedsError) Error() string { return fmt.Sprintf("needs %s, which failed", e.ID) }

// Apply carries out the steps of a plan: those that do not wait for each other at the same time. It returns once every
// resource is ready or has failed, with one *NotReadyError for each that is not ready, joined in the order of the steps.
//
// What failed keeps being tried, and what waits for it begins, or is deleted, once it is ready. When ctx ends Apply returns;
// what it has begun goes on, and the rest is not begun (see Begun). A second Apply waits for the first.
func (s *Supervisor) Apply(ctx context.Context, steps []plan.Step) error {
	select {
	case s.apply <- struct{}{}:
		defer func() { <-s.apply }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := ask(s, func(st *state) error { return st.expect(s, steps) }); err != nil {
		return err
	}
	a := &application{s: s, done: map[config.ID]*outcome{}}
	for _, step := range steps {
		a.done[step.ID] = &outcome{known: make(chan struct{})}
	}
	for _, step := range steps {
		go func() {
			o := a.done[step.ID]
			o.err = a.carryOut(ctx, step)
			close(o.known)
		}()
	}
	errs := make([]error, len(steps))
	for i, step := range steps {
		<-a.done[step.ID].known
		errs[i] = a.done[step.ID].err
	}
	return errors.Join(errs...)
}

// expect takes note of what the steps want, so that Status shows all of it from the beginning.
func (st *state) expect(s *Supervisor, steps []plan.Step) error {
	if st.stopped {
		return errStopped
	}
	for _, step := range steps {
		if step.Action == plan.Delete {
			continue
		}
		if s.conf.Runners[step.ID.Type] == nil {
			return fmt.Errorf("%s: nothing runs a %q block", step.ID, step.ID.Type)
		}
	}
	for _, step := range steps {
		delete(st.blocked, step.ID)
		delete(st.doomed, step.ID)
		if step.Action == plan.Delete {
			continue
		}
		st.wanted[step.ID] = step.New
		if st.units[step.ID] == nil {
			st.set(s, Status{ID: step.ID, Type: step.ID.Type, Name: step.ID.Name, State: Pending, Since: s.conf.Clock.Now()})
		}
	}
	return nil
}

// application is one Apply under way.
type application struct {
	s    *Supervisor
	done map[config.ID]*outcome
}

// outcome is what came of a step, once known is closed.
type outcome struct {
	known chan struct{}
	err   error
}

func (a *application) carryOut(ctx context.Context, step plan.Step) error {
	var failed []config.ID
	for _, id := range step.After {
		o := a.done[id]
		if o == nil {
			continue // nothing changes there
		}
		select {
		case <-o.known:
		case <-ctx.Done():
			return ctx.Err()
		}
		if o.err != nil {
			failed = append(failed, id)
		}
	}
	if step.Action != plan.Delete {
		return a.bring(ctx, step)
	}
	if len(failed) > 0 {
		// Their previous versions go on with it: it stays until they have changed.
		ask(a.s, func(st *state) struct{} { st.doomed[step.ID] = failed; return struct{}{} })
		return nil
	}
	return a.s.delete(ctx, step.ID)
}

// delete stops a resource, removes what it would leave behind, and forgets it.
func (s *Supervisor) delete(ctx context.Context, id config.ID) error {
	var was config.Resource
	u := ask(s, func(st *state) *unit { was = st.wanted[id]; return st.units[id] })
	var err error
	if u != nil {
		err = u.stop(ctx)
	}
	if remover, ok := s.conf.Runners[id.Type].(Remover); ok && was != nil {
		err = errors.Join(err, remover.Remove(ctx, was))
	}
	ask(s, func(st *state) struct{} { st.forget(id); return struct{}{} })
	if err != nil {
		return fmt.Errorf("delete %s: %w", id, err)
	}
	return nil
}

// bring makes a resource what the step wants, unless something that it needs has failed.
func (a *application) bring(ctx context.Context, step plan.Step) error {
	done := make(chan error, 1)
	var begun *unit
	err := ask(a.s, func(st *state) error {
		if st.stopped {
			return errStopped
		}
		if need := a.failedNeed(st, step); need != nil {
			return st.block(a.s, step.ID, &NeedsError{*need})
		}
		begun = st.unit(a.s, step.ID)
		st.told[step.ID] = step.New
		return nil
	})
	if err != nil {
		return err
	}
	begun.send(command{want: step.New, done: done})
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// failedNeed returns a resource that the step needs and that failed, in this Apply or earlier.
func (a *application) failedNeed(st *state, step plan.Step) *config.ID {
	for _, need := range step.New.Base().Needs {
		if st.status[need].State == Failed {
			return &need
		}
		if o := a.done[need]; o != nil && o.failed() {
			return &need
		}
	}
	return nil
}

// failed reports whether the step is known to have failed.
func (o *outcome) failed() bool {
	select {
	case <-o.known:
		return o.err != nil
	default:
		return false
	}
}

// block keeps a resource for when what it needs is ready. One that runs already goes on as it is.
func (st *state) block(s *Supervisor, id config.ID, why error) error {
	status := st.status[id]
	if status.State != Ready {
		status.State, status.Since = Failed, s.conf.Clock.Now()
	}
	status.Why = why.Error()
	st.set(s, status)
	st.blocked[id] = true
	return &NotReadyError{ID: id, Err: why}
}
