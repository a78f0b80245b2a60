package stepfunctions

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"devstack/emulators/kit"
	"devstack/emulators/stepfunctions/asl"
	"devstack/emulators/store"
	"devstack/emulators/wire"
	"devstack/internal/clock"
	"devstack/internal/trace"
)

// maxExpress is how long an express execution may take.
const maxExpress = 5 * time.Minute

// Service carries out executions. Its methods may be called from any goroutine.
type Service struct {
	kit.Env

	mu        sync.Mutex
	runs      map[string]*run         // by ARN
	listeners map[string]*listener    // by task token
	graphs    map[string]*asl.Machine // by machine's UID and revision
	closed    bool
	working   sync.WaitGroup // one for each run
}

// Resume goes on with the standard executions that were running when the store was last closed, each from where its branches
// were. Their spans go to the ring in ctx. It returns when all of them are under way, and does not wait for their ends. An
// error tells of those that cannot go on; the others do.
func (e *Service) Resume(ctx context.Context) error {
	var found []*run
	var lost []error
	err := e.Store.View(func(tx *store.Tx) error {
		found, lost = nil, nil
		for arn := range running.All(tx) {
			if e.running(arn) != nil {
				continue
			}
			if r, err := e.load(tx, arn); err != nil {
				lost = append(lost, err)
			} else {
				found = append(found, r)
			}
		}
		return nil
	})
	for _, r := range found {
		e.start(trace.Join(ctx, r.exec.Trace, ""), r)
	}
	return errors.Join(append(lost, err)...)
}

// load reads an execution that is not at its end.
func (e *Service) load(tx *store.Tx, arn string) (*run, error) {
	x, ok := executions.Get(tx, arn)
	rev, okRev := revisions.Get(tx, x.MachineUID, x.Revision)
	if !ok || !okRev {
		return nil, fmt.Errorf("stepfunctions: the execution %s has lost its state machine", arn)
	}
	m, err := e.compiled(x, rev)
	if err != nil {
		return nil, fmt.Errorf("stepfunctions: the execution %s cannot go on: %w", arn, err)
	}
	r := e.newRun(x, m)
	for ev := range events.All(tx, arn) {
		r.stored = ev.ID
	}
	r.next = r.stored + 1
	for f := range frames.All(tx, arn) {
		r.resumed[f.Path] = &f
	}
	return r, nil
}

// maxGraphs is how many compiled definitions are kept.
const maxGraphs = 256

// compiled returns the graph of the definition that an execution started with.
func (e *Service) compiled(x execution, rev revision) (*asl.Machine, error) {
	key := x.MachineUID + x.Revision
	e.mu.Lock()
	m := e.graphs[key]
	e.mu.Unlock()
	if m != nil {
		return m, nil
	}
	m, diags := asl.Compile(rev.Definition, x.Express)
	if diags != nil {
		return nil, errInvalidDefinition("Invalid State Machine Definition: '%s'", diags[0])
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.graphs) >= maxGraphs {
		clear(e.graphs)
	}
	e.graphs[key] = m
	return m, nil
}

// Close stops all work where it is and waits until it has stopped. Standard executions go on at the next Resume, express
// executions are lost, as the service allows.
func (e *Service) Close() {
	e.mu.Lock()
	e.closed = true
	for _, r := range e.runs {
		r.stop(errClosing)
	}
	e.mu.Unlock()
	e.working.Wait()
}

func (e *Service) newRun(x execution, m *asl.Machine) *run {
	return &run{engine: e, exec: x, machine: m, done: make(chan struct{}), next: 1, alarm: func() bool { return false },
		dirty: map[string]frame{}, resumed: map[string]*frame{}}
}

// start sets a run going. It reports whether it could: not once the engine is closed.
func (e *Service) start(ctx context.Context, r *run) bool {
	account, region := arnPlace(r.exec.ARN)
	ctx = wire.WithRequest(trace.Detach(ctx), &wire.Request{Account: account, Region: region, Service: "stepfunctions"})
	ctx, stop := context.WithCancelCause(ctx)
	r.stop = stop
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return false
	}
	e.runs[r.exec.ARN] = r
	e.working.Add(1)
	e.mu.Unlock()
	if limit := r.limit(); limit > 0 {
		r.mu.Lock()
		r.alarm = clock.At(e.Clock, r.exec.Start.Add(limit), func() {
			if context.Cause(ctx) != errClosing {
				r.finish(ExecutionStatusTimedOut, event{Type: HistoryEventTypeExecutionTimedOut, Error: ptr(errTimeout)})
			}
		})
		r.mu.Unlock()
	}
	go func() {
		defer e.working.Done()
		r.work(ctx)
	}()
	return true
}

// limit is how long the execution may take, 0 for any time.
//
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
func (r *run) limit() time.Duration {
	if r.exec.Express && (r.machine.Timeout == 0 || r.machine.Timeout > maxExpress) {
		return maxExpress
	}
	return r.machine.Timeout
}

// work walks the execution to its end, or until it is stopped.
func (r *run) work(ctx context.Context) {
	f := r.take("")
	if f == nil {
		f = &frame{State: r.machine.StartAt, Input: r.exec.Input}
	}
	b := &branch{run: r, machine: r.machine, f: f}
	out, err := b.walk(ctx)
	switch {
	case err == nil:
		r.finish(ExecutionStatusSucceeded, event{Type: HistoryEventTypeExecutionSucceeded, Prev: f.Last, Data: &out.text})
	case context.Cause(ctx) == nil:
		failed := asFailure(err)
		r.finish(ExecutionStatusFailed, event{Type: HistoryEventTypeExecutionFailed, Prev: f.Last, Error: failed.name, Cause: failed.cause})
	case context.Cause(ctx) == errClosing:
		if err := r.flush(); err != nil {
			r.engine.Log.Error("an execution could not be stored", "execution", r.exec.ARN, "error", err)
		}
		r.quiet()
		r.engine.remove(r)
		return
	}
	<-r.done // finish may have been called elsewhere, and not have stored the end yet
}

// quiet stops the timer of an execution that is interrupted.
func (r *run) quiet() {
	r.mu.Lock()
	alarm := r.alarm
	r.mu.Unlock()
	alarm()
}

// running returns the run of an execution, nil if it has ended.
func (e *Service) running(arn string) *run {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.runs[arn]
}

func (e *Service) remove(r *run) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.runs[r.exec.ARN] == r {
		delete(e.runs, r.exec.ARN)
	}
}

// wait waits until an execution has ended, if it is running.
func (e *Service) wait(ctx context.Context, arn string) error {
	r := e.running(arn)
	if r == nil {
		return nil
	}
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
