package stepfunctions

import (
	"context"
	"slices"
	"sync"
	"time"

	"devstack/emulators/stepfunctions/asl"
	"devstack/emulators/store"
)

// maxEvents is how many events a history may have.
//
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
const maxEvents = 25_000

// execution is what is stored of one.
type execution struct {
	ARN, Name  string
	MachineARN string
	MachineUID string // of the machine, and not of a later one with its name
	Revision   string // of the machine when it started
	RoleARN    string
	Express    bool
	Input      string
	Trace      string  // X-Amzn-Trace-Id of what started it
	Header     *string `json:",omitempty"` // traceHeader, if the starter gave one
	Start      time.Time
	Stop       time.Time
	Status     string
	Events     int64 // how many, once it has ended
	Output     *string
	Error      *string
	Cause      *string
}

// frame is where a branch is. The branch's goroutine owns it; copies of it are stored with the events.
type frame struct {
	Path      string    // "" of the execution's own states; "2" of the third branch or item below; "2/0" and so on
	State     string    // that the branch is in or about to enter
	Input     string    // of that state
	Entered   int64     // the event of its entering, 0 before
	EnteredAt time.Time //
	Last      int64     // the latest event of the branch
	Phase     phase     // what the state is doing
	Until     time.Time // the end of a wait or of a retry's delay; when a task times out
	Retries   []int     `json:",omitempty"` // used up, by retrier
	Attempt   int       // of the state, from 0
	Started   int64     // the event of a Parallel's or Map's start, or of this iteration's
	Token     string    `json:",omitempty"` // that the task waits for
	Child     string    `json:",omitempty"` // the execution that the task waits for
	Done      bool      // the branch has ended well
	Counted   int64     // the event of the iteration's success
	Output    string    `json:",omitempty"` // of a branch that is done
}

// phase is what a state is doing.
type phase string

const (
	entering  phase = ""
	waiting   phase = "wait"   // a Wait state, until Until
	calling   phase = "call"   // a Task whose call may have been made
	submitted phase = "submit" // a Task whose call was answered, and that waits for its end
	inside    phase = "inside" // a Parallel or Map state with branches at work
	retrying  phase = "retry"  // until Until
)

// run is an execution at work.
type run struct {
	engine  *Service
	exec    execution // its end is guarded by mu
	machine *asl.Machine
	stop    context.CancelCauseFunc
	done    chan struct{} // closed once its end is stored

	mu      sync.Mutex
	ended   bool
	alarm   func() bool       // stops the timer of the machine's timeout
	resumed map[string]*frame // by path, where the branches were when the execution was interrupted
	next    int64             // id of the next event
	stored  int64             // id of the last event that the store has
	pending []event           // those after it; none of an express execution
	dirty   map[string]frame  // by path, to be stored
	gone    []string          // paths of frames to be removed
	spent   []string          // tokens to be removed

	flushing sync.Mutex // so that what is stored is stored in order
}

// emit adds an event that follows the branch's latest one, and from which the branch goes on.
func (r *run) emit(f *frame, ev event) { r.record(f, f.Last, ev, &f.Last, nil) }

// aside adds an event that follows the branch's latest one, and from which nothing goes on.
func (r *run) aside(f *frame, ev event) { r.record(f, f.Last, ev, nil, nil) }

// record adds an event that follows prev, and puts its id where it is wanted. The branch's frame is stored as it is then,
// together with the event. Once the execution has ended nothing is recorded.
func (r *run) record(f *frame, prev int64, ev event, advance, mark *int64) {
	r.mu.Lock()
	if r.ended {
		r.mu.Unlock()
		return
	}
	if !r.exec.Express && r.next >= maxEvents {
		r.mu.Unlock()
		r.finish(ExecutionStatusFailed, event{Type: HistoryEventTypeExecutionFailed, Prev: prev, Error: ptr(errRuntime),
			Cause: ptr("The execution reached the maximum number of history events (25000).")})
		return
	}
	defer r.mu.Unlock()
	ev.Prev = prev
	id := r.appendLocked(ev)
	for _, at := range []*int64{advance, mark} {
		if at != nil {
			*at = id
		}
	}
	r.touchLocked(f)
}

func (r *run) appendLocked(ev event) int64 {
	ev.ID = r.next
	ev.Time = r.engine.Clock.Now()
	r.next++
	if !r.exec.Express {
		r.pending = append(r.pending, ev)
	}
	return ev.ID
}

// touch has the branch's frame stored as it is now.
func (r *run) touch(f *frame) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.touchLocked(f)
}

func (r *run) touchLocked(f *frame) {
	if r.exec.Express || r.ended {
		return
	}
	c := *f
	c.Retries = slices.Clone(f.Retries)
	r.dirty[f.Path] = c
}

// spend removes a token that nothing waits for any more.
func (r *run) spend(token string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spent = append(r.spent, token)
}

// take returns the frame that a branch had when the execution was interrupted, once; nil if it has to begin.
func (r *run) take(path string) *frame {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.resumed[path]
	delete(r.resumed, path)
	return f
}

// forget removes the frames of branches.
func (r *run) forget(paths ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range paths {
		delete(r.dirty, p)
		delete(r.resumed, p)
	}
	r.gone = append(r.gone, paths...)
}

// flush stores what happened. It is called before anything that the world can see, and before a branch waits.
func (r *run) flush() error { return r.flushWith(func(*store.Tx) {}) }

// flushWith stores what happened together with what else the function writes.
func (r *run) flushWith(also func(*store.Tx)) error {
	if r.exec.Express {
		return nil
	}
	r.flushing.Lock()
	defer r.flushing.Unlock()
	r.mu.Lock()
	fresh, dirty, gone, spent := r.pending, r.dirty, r.gone, r.spent
	r.pending, r.dirty, r.gone, r.spent = nil, map[string]frame{}, nil, nil
	r.mu.Unlock()
	err := r.engine.Store.Update(func(tx *store.Tx) error {
		for _, ev := range fresh {
			events.Put(tx, ev, r.exec.ARN, ev.ID)
		}
		for _, p := range gone {
			frames.Delete(tx, r.exec.ARN, p)
		}
		for _, t := range spent {
			tokens.Delete(tx, t)
		}
		for p, f := range dirty {
			frames.Put(tx, f, r.exec.ARN, p)
		}
		also(tx)
		return nil
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.stored += int64(len(fresh))
		return nil
	}
	r.pending = append(fresh, r.pending...)
	for p, f := range dirty {
		if _, ok := r.dirty[p]; !ok && !slices.Contains(r.gone, p) {
			r.dirty[p] = f
		}
	}
	r.gone, r.spent = append(gone, r.gone...), append(spent, r.spent...)
	return err
}

// finish ends the execution, if nothing has ended it yet: it adds the last event, stops every branch and stores the end. A
// Prev of 0 in the event stays: such an end follows from no event.
func (r *run) finish(status string, ev event) {
	r.mu.Lock()
	if r.ended {
		r.mu.Unlock()
		return
	}
	r.ended = true
	r.appendLocked(ev)
	r.exec.Status, r.exec.Stop, r.exec.Events = status, r.engine.Clock.Now(), r.next-1
	r.exec.Output, r.exec.Error, r.exec.Cause = nil, ev.Error, ev.Cause
	if status == ExecutionStatusSucceeded {
		r.exec.Output = ev.Data
	}
	exec, alarm := r.exec, r.alarm
	r.mu.Unlock()
	alarm()
	r.stop(errEnded)
	if err := r.flushWith(func(tx *store.Tx) { exec.end(tx) }); err != nil {
		r.engine.Log.Error("the end of an execution could not be stored", "execution", exec.ARN, "error", err)
	}
	r.engine.remove(r)
	close(r.done)
}

// end stores an execution that goes no further.
func (x execution) end(tx *store.Tx) {
	if _, ok := executions.Get(tx, x.ARN); !ok { // deleted with its machine: so is what was stored since
		x.clear(tx)
		events.Clear(tx, x.ARN)
		return
	}
	executions.Put(tx, x, x.ARN)
	running.Delete(tx, x.ARN)
	x.clear(tx)
}

// clear removes the execution's frames and the tokens that they wait for.
func (x execution) clear(tx *store.Tx) {
	var waiting []string
	for f := range frames.All(tx, x.ARN) {
		if f.Token != "" {
			waiting = append(waiting, f.Token)
		}
	}
	for _, t := range waiting {
		tokens.Delete(tx, t)
	}
	frames.Clear(tx, x.ARN)
}

// snapshot returns the execution as it is now, and the id of the last event that the store has.
func (r *run) snapshot() (x execution, stored int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.exec, r.stored
}

func ptr[T any](v T) *T { return &v }
