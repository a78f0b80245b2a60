package function

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"devstack/runtime/config"
)

// managed is one function: the builds it has had, the sandboxes of the latest, and the callers who wait.
//
// Its state is guarded by one mutex and not owned by a goroutine: an invocation needs it twice for some nanoseconds, where
// messages to an owner would cost four switches between goroutines on the hottest path of the runtime. So that this
// stays as easy to prove, nothing slow happens under the mutex (no build, start, stat, close or callback), methods that
// expect it to be held end in Locked, and building is one goroutine's: there is at most one builder (see reload.go).
type managed struct {
	cfg    Config
	engine Engine
	turns  turns
	key    string
	life   context.Context // ends with the function
	end    context.CancelFunc
	work   sync.WaitGroup // goroutines of the function: none is left after close

	mu          sync.Mutex
	fn          *config.Function // as it was put last
	provisioned int              // sandboxes to keep started
	head        *version         // the latest finished build, good or bad; nil before the first
	builder     *builder         // nil while nothing is being built
	latest      *held            // build that the engine made last, for it to start from
	builds      int              // finished so far
	waiting     int              // requests that wait for a build
	moved       chan struct{}    // closed and replaced with every new head
	inflight    int              // events that have a slot
	queue       []chan struct{}  // callers who wait for a slot, first come first served
	checking    checking
	stirred     time.Time // operating system's, when the watcher told of a change last
	reloaded    time.Time // and when the latest build for a change was published
	watched     []string  // paths of the subscription that unwatch ends
	unwatch     func()
	alarm       time.Time   // when idle sandboxes are looked at,
	disarm      func() bool // unless this is nil
}

// version is one finished build and its sandboxes. All but the first group is guarded by managed.mu.
type version struct {
	number int
	path   string // whose change began it
	fn     *config.Function
	build  *held     // nil if err is not, or once nothing is left of the version
	err    error     // why there is no build
	inputs *snapshot // what it was built from
	took   time.Duration
	since  time.Time

	life context.Context // ends when the version is retired
	end  context.CancelFunc
	pool
	called   bool  // somebody wanted a sandbox of it
	startErr error // of the latest start, nil once one succeeds
	retired  bool  // a later version is the head: sandboxes end when they are idle
}

func newManaged(cfg Config, turns turns, engine Engine, fn *config.Function) *managed {
	life, end := context.WithCancel(context.Background())
	return &managed{cfg: cfg, engine: engine, turns: turns, key: fn.Key(), fn: fn, life: life, end: end, moved: make(chan struct{})}
}

// put gives the function a new configuration and waits for its build.
func (f *managed) put(ctx context.Context, fn *config.Function) error {
	wanted := *fn // a pointer that no other Put has
	f.mu.Lock()
	if f.fn.Provisioned != wanted.Provisioned || f.head == nil {
		f.provisioned = wanted.Provisioned
	}
	f.fn = &wanted
	f.rebuildLocked("")
	if f.builder != nil {
		f.builder.hurryLocked()
	}
	for f.head == nil || f.head.fn != f.fn {
		if err := f.waitLocked(ctx); err != nil {
			f.mu.Unlock()
			return err
		}
	}
	defer f.mu.Unlock()
	return errors.Join(f.head.err, f.head.startErr)
}

// waitLocked gives the mutex up until there is a new head.
func (f *managed) waitLocked(ctx context.Context) error {
	moved := f.moved
	f.mu.Unlock()
	defer f.mu.Lock()
	select {
	case <-moved:
		return nil
	case <-f.life.Done():
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// enter takes one of the function's slots, or waits for one: their number is the machine's limit. What AWS allows a function is
// enforced, with refusals, where events come in.
func (f *managed) enter(ctx context.Context) error {
	f.mu.Lock()
	if f.life.Err() != nil {
		f.mu.Unlock()
		return ErrClosed
	}
	if f.inflight < f.limitLocked() {
		f.inflight++
		f.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	f.queue = append(f.queue, turn)
	f.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-f.life.Done():
		return ErrClosed
	case <-ctx.Done():
		f.giveUp(turn)
		return ctx.Err()
	}
}

// giveUp leaves the queue, or passes on a slot that was granted in the same moment.
func (f *managed) giveUp(turn chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := slices.Index(f.queue, turn); i >= 0 {
		f.queue = slices.Delete(f.queue, i, i+1)
		return
	}
	f.inflight--
	f.grantLocked()
}

func (f *managed) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inflight--
	f.grantLocked()
}

func (f *managed) grantLocked() {
	for len(f.queue) > 0 && f.inflight < f.limitLocked() {
		f.inflight++
		close(f.queue[0])
		f.queue = f.queue[1:]
	}
}

// limitLocked is how many events are handled at once. A function that is debugged has one port, and one developer.
func (f *managed) limitLocked() int {
	if f.fn.Debug != 0 {
		return 1
	}
	return f.cfg.Limit
}

// function is the configuration that was put last.
func (f *managed) function() *config.Function {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fn
}

func (f *managed) info() Info {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := Info{Function: f.fn, State: Building, Provisioned: f.provisioned}
	h := f.head
	if h == nil {
		return i
	}
	i.Version, i.BuildTime, i.LastModified = h.number, h.took, h.since
	i.Idle, i.Busy = len(h.idle)+len(h.ready), h.busy
	i.ProvisionedReady = h.kept - h.coming
	if err := errors.Join(h.err, h.startErr); err != nil {
		i.State, i.Reason = Failed, err.Error()
	} else {
		i.State = Ready
	}
	if f.builder != nil {
		i.State = Building
	}
	return i
}

// goLocked runs something in a goroutine of the function. It is false if the function has ended.
func (f *managed) goLocked(run func()) bool {
	if f.life.Err() != nil {
		return false
	}
	f.work.Go(run)
	return true
}

// close ends the function, its builder and all its sandboxes, and waits until they are gone.
func (f *managed) close() error {
	f.mu.Lock()
	f.end() // cuts off builds, starts and events
	unwatch := f.unwatch
	f.unwatch = nil
	var done []io.Closer
	if f.head != nil {
		done = f.head.retireLocked()
	}
	if f.builder == nil { // else the builder drops it as it ends
		done = append(done, f.latest.dropLocked()...)
		f.latest = nil
	}
	f.mu.Unlock()
	if unwatch != nil {
		unwatch()
	}
	err := closeAll(done)
	f.work.Wait()
	return err
}

// retireLocked lets a version go: it returns what can be closed now. The rest goes as it becomes idle.
func (v *version) retireLocked() []io.Closer {
	v.retired = true
	v.end()
	var done []io.Closer
	for _, s := range slices.Concat(v.idle, v.ready) {
		done = append(done, s)
	}
	v.idle, v.ready = nil, nil
	return append(done, v.doneLocked()...)
}

// doneLocked returns the build of a retired version once its last sandbox is gone.
func (v *version) doneLocked() []io.Closer {
	if v.build == nil || !v.retired || v.busy > 0 {
		return nil
	}
	done := v.build.dropLocked()
	v.build = nil
	return done
}

func closeAll(cs []io.Closer) error {
	var errs []error
	for _, c := range cs {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
