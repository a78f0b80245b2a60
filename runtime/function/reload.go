package function

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"devstack/runtime/config"
)

// How a function is never stale.
//
// A request is answered by a version only after a look at all inputs of that version, begun after the request arrived,
// has found each of them as it was when the version's build began to read. Whoever finds a difference, the request itself
// or an event from the watcher, starts the builder, and the request waits for the version that comes of it, and looks
// again. So events make reloads early, and looking makes them certain; neither needs the other.
//
// The builder makes sure of the other half, that a version is what its snapshot says: it takes the snapshot before the
// build and confirms it afterwards, and builds again for as long as something changes in between.

// builder is the one goroutine that builds a function, for as long as there is something to build.
type builder struct {
	path    string             // whose change is being built
	base    *snapshot          // what the running attempt reads; nil before the first is taken
	restart context.CancelFunc // ends the running attempt; the next one begins
	hurry   chan struct{}      // closed once it is
	hurried bool               // wanted by somebody: it waits for nothing, see settle.go
}

// chase is the pursuit of sources that change. It is given up when they never come to rest.
type chase struct {
	began time.Time // operating system's: the daemon's clock may be moved meanwhile
	tries int
}

// patience bounds how long sources are followed that do not come to rest.
var patience = 10 * time.Second // a variable for the tests

// hopeless counts a try, and reports whether there have been enough.
func (c *chase) hopeless() bool {
	if c.tries++; c.tries == 1 {
		c.began = time.Now()
	}
	return c.tries > 10 && time.Since(c.began) > patience
}

// mistake says so of a function and the path that was seen to change last.
func (c *chase) mistake(name, path string) *BuildError {
	return &BuildError{Text: fmt.Sprintf("%s keeps changing: in %s function %s was tried %d times and never stood still; "+
		"neither its build nor the function itself may write to its sources", path, time.Since(c.began).Round(time.Second), name, c.tries)}
}

// rebuildLocked starts a build, or starts the running one over. path is why, "" for another reason than a file.
func (f *managed) rebuildLocked(path string) {
	if f.builder != nil {
		if f.builder.restart != nil {
			f.builder.restart()
		}
		return
	}
	b := &builder{path: path, hurry: make(chan struct{})}
	if f.goLocked(func() { f.run(b) }) {
		f.builder = b
	}
}

// fresh returns the version that may answer a request that arrived before the call. It may be a failed one.
func (f *managed) fresh(ctx context.Context, c *chase) (*version, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	first := f.head
	for f.life.Err() == nil {
		head, b := f.head, f.builder
		inputs := f.readLocked()
		changed := f.lookLocked(inputs)
		if f.head != head || f.builder != b || f.readLocked() != inputs {
			continue // the world moved while the files were looked at
		}
		if b == nil && head != nil && changed == "" && (head != first || !head.passing()) {
			return head, nil
		}
		if c.hopeless() && changed != "" {
			return &version{err: c.mistake(f.key, changed)}, nil
		}
		if b == nil || changed != "" {
			f.rebuildLocked(changed)
		}
		if f.builder != nil {
			f.builder.hurryLocked()
		}
		f.waiting++
		err := f.waitLocked(ctx)
		f.waiting--
		if err != nil {
			return nil, err
		}
	}
	return nil, ErrClosed
}

// readLocked returns what the running attempt reads or, if there is none, what the head was built from. It is nil while an
// attempt has not begun to read.
func (f *managed) readLocked() *snapshot {
	switch {
	case f.builder != nil:
		return f.builder.base
	case f.head != nil:
		return f.head.inputs
	}
	return nil
}

// lookLocked gives the mutex up while it looks at the files, and names one that changed. What was deployed is not written to.
func (f *managed) lookLocked(s *snapshot) string {
	if s == nil || f.fn.Deployed != "" {
		return ""
	}
	f.mu.Unlock()
	defer f.mu.Lock()
	return s.changed()
}

// passing reports whether the version failed for a reason that is not in its sources, such as a missing tool: then each
// request tries again.
func (v *version) passing() bool {
	var mistake *BuildError
	return v.err != nil && !errors.As(v.err, &mistake)
}

// checking coalesces the watcher's events: one look is under way, and one more follows if another event came meanwhile.
type checking int

const (
	resting checking = iota
	looking
	again
)

// nudge is told by the watcher that one of the inputs may have changed. It returns at once.
func (f *managed) nudge(string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stirred = time.Now()
	if f.checking != resting {
		f.checking = again
		return
	}
	if f.goLocked(f.check) {
		f.checking = looking
	}
}

// check rebuilds if an input's content differs from what was built, or is being built.
func (f *managed) check() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.life.Err() == nil {
		f.checking = looking
		inputs := f.readLocked()
		changed := f.lookLocked(inputs)
		if f.readLocked() != inputs {
			continue // the world moved while the files were looked at
		}
		if changed != "" {
			f.rebuildLocked(changed)
		}
		if f.checking == looking {
			break
		}
	}
	f.checking = resting
}

// run builds until a version stands whose sources and configuration are the present ones.
func (f *managed) run(b *builder) {
	var known *snapshot // what is known of the inputs from the attempt before
	var c chase
	for f.life.Err() == nil {
		f.settle(b, c.tries > 0)
		ctx, cancel := context.WithCancel(f.life)
		a := f.begin(b, known, cancel)
		f.build(ctx, a)
		if c.hopeless() && a.changed != "" {
			a.err, a.changed = c.mistake(f.key, a.changed), ""
		}
		if a.changed == "" && ctx.Err() == nil {
			v := f.warm(ctx, a)
			if news, ok := f.publish(ctx, v); ok {
				cancel()
				f.watch(v)
				f.cfg.Notify(f.key, news)
				return
			}
			f.discard(v)
		}
		if a.changed != "" {
			b.path = a.changed // only this goroutine uses it
		}
		cancel()
		known = a.after
	}
	f.mu.Lock()
	done := f.latest.dropLocked()
	f.latest, f.builder = nil, nil
	f.mu.Unlock()
	closeAll(done)
}

// attempt is one pass of the builder: what it read, and what it made.
type attempt struct {
	path     string
	fn       *config.Function
	previous *held
	base     *snapshot

	build   *held // nil if there is none
	err     error
	after   *snapshot
	changed string // that changed while it was built: then the attempt is void
	took    time.Duration
}

// begin takes the snapshot that the attempt is judged by. From then on whoever sees a change can restart it.
func (f *managed) begin(b *builder, known *snapshot, restart context.CancelFunc) *attempt {
	f.mu.Lock()
	b.base, b.restart = nil, restart
	a := &attempt{path: b.path, fn: f.fn, previous: f.latest}
	if known == nil && f.head != nil {
		known = f.head.inputs
	}
	f.mu.Unlock()
	a.base = take(known.paths(), known)
	f.mu.Lock()
	b.base = a.base
	f.mu.Unlock()
	return a
}

// build runs the engine and confirms that what it read has not changed since.
func (f *managed) build(ctx context.Context, a *attempt) {
	var previous Build
	if a.previous != nil {
		previous = a.previous.Build
	}
	start := f.cfg.Clock.Now()
	build, err := f.engine.Build(ctx, a.fn, previous)
	a.took, a.err = f.cfg.Clock.Now().Sub(start), err
	if build != nil {
		a.build = &held{Build: build, refs: 1}
		f.mu.Lock()
		done := f.latest.dropLocked()
		f.latest = a.build
		f.mu.Unlock()
		closeAll(done)
	}
	a.after, a.changed = a.base.confirm(a.inputs(build))
}

// inputs are what a change of which makes the attempt's result stale. After a mistake they include what was known
// before, because a build that failed early has not seen everything.
func (a *attempt) inputs(build Build) []string {
	var all []string
	if build != nil {
		all = build.Inputs()
	}
	if a.err != nil {
		all = append(slices.Clone(all), a.base.paths()...)
	}
	if len(all) == 0 && a.fn.Source != "" {
		all = Files(a.fn.Source)
	}
	return all
}

// warm makes a version of the attempt, with a sandbox if somebody waits for one or is likely to come.
func (f *managed) warm(ctx context.Context, a *attempt) *version {
	v := &version{path: a.path, fn: a.fn, err: a.err, inputs: a.after, took: a.took, since: f.cfg.Clock.Now()}
	v.life, v.end = context.WithCancel(f.life)
	f.mu.Lock()
	if a.err == nil {
		v.build = a.build
		v.build.refs++
	}
	_, cheap := f.engine.(Warmer)
	wanted := cheap || a.fn.Debug != 0 || f.waiting > 0 || f.provisioned > 0 || f.head != nil && f.head.called
	if wanted && a.err == nil && f.provisioned > 0 {
		v.kept = 1
	}
	f.mu.Unlock()
	if a.err == nil && !wanted {
		f.prepare(v)
	}
	if a.err != nil || !wanted {
		return v
	}
	s, err := f.start(ctx, v, v.kept > 0)
	switch {
	case err == nil && s.provisioned:
		v.ready = append(v.ready, s)
	case err == nil:
		s.idle = f.cfg.Clock.Now()
		v.idle = append(v.idle, s)
	default:
		v.kept = 0
		if err != errTouched { // whoever comes looks at the sources again
			v.startErr = err
		}
	}
	return v
}

// prepare has the engine get ready for a version that nobody has called yet.
func (f *managed) prepare(v *version) {
	p, ok := f.engine.(Preparer)
	if !ok {
		return
	}
	at, err := place(v.fn)
	if err != nil {
		return // the first event says so
	}
	defer at.remove() // each sandbox has its own
	p.Prepare(v.fn, v.build.Build, environment(v.fn, f.cfg.Env(v.fn), newStream(f.cfg.Clock.Now(), v.fn), at, false))
}

// publish makes a version the head, unless its sources or its configuration have changed meanwhile.
func (f *managed) publish(ctx context.Context, v *version) (news Reload, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ctx.Err() != nil || f.fn != v.fn {
		return news, false
	}
	f.builds++
	v.number = f.builds
	var done []io.Closer
	if f.head != nil {
		v.called = f.head.called
		done = f.head.retireLocked()
	}
	f.head, f.builder = v, nil
	close(f.moved)
	f.moved = make(chan struct{})
	if v.path != "" {
		f.reloaded = time.Now()
	}
	f.armLocked(v)
	done = append(done, f.provisionLocked()...)
	f.goLocked(func() { closeAll(done) }) // the old version may take its time; the function is alive, see above
	return Reload{Function: v.fn, Version: v.number, Path: v.path, Took: v.took, Err: errors.Join(v.err, v.startErr)}, true
}

// discard drops a version that never was the head.
func (f *managed) discard(v *version) {
	f.mu.Lock()
	done := v.retireLocked()
	f.mu.Unlock()
	closeAll(done)
}

// watch asks to be told of changes of a version's inputs.
func (f *managed) watch(v *version) {
	if f.cfg.Watch == nil || v.fn.Deployed != "" {
		return
	}
	paths := v.inputs.paths()
	f.mu.Lock()
	watched := slices.Equal(paths, f.watched)
	f.mu.Unlock()
	if !watched {
		cancel, err := f.cfg.Watch.Inputs(paths, f.nudge)
		if err != nil {
			f.cfg.Log(Line{Function: v.fn.Name, ARN: v.fn.ARN, Group: v.fn.LogGroupName(), Text: err.Error()})
		}
		f.mu.Lock()
		if f.head == v && f.life.Err() == nil {
			f.watched = paths
			cancel, f.unwatch = f.unwatch, cancel
		}
		f.mu.Unlock()
		if cancel != nil {
			cancel()
		}
	}
	f.nudge("") // for what changed before the watch began
}

// held is a Build and how many use it: the function as the latest, and its version until the last sandbox is gone.
type held struct {
	Build
	refs int // guarded by managed.mu
}

// dropLocked gives one use up and returns what is to be closed.
func (h *held) dropLocked() []io.Closer {
	if h == nil {
		return nil
	}
	h.refs--
	if c, ok := h.Build.(io.Closer); ok && h.refs == 0 {
		return []io.Closer{c}
	}
	return nil
}
