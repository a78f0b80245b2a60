package function

import (
	"context"
	"io"
	"runtime"
	"slices"
	"time"

	"devstack/internal/clock"
)

// How an event comes to a sandbox.
//
// A sandbox has one event at a time. An event for which none is idle waits for whichever comes first: one that has handled its event,
// or one that has been started. For every event that waits a start is asked for, and only few starts are under way at once on the
// whole machine; one that is not needed any more when its turn comes does not happen. So many short events share few sandboxes,
// and many long ones soon have one each.

const (
	idleLife    = 5 * time.Minute // after its last event an idle sandbox is ended,
	surplusLife = time.Minute     // or sooner while there are more of them than few
	few         = 4
)

// startHold is how long a start counts among those that are under way. One that takes longer most likely waits for something, a
// connection perhaps, and keeps no processor from the next. It is the operating system's time, whatever the daemon's clock says.
const startHold = 250 * time.Millisecond

// turns bounds how many sandboxes are being started on the machine.
type turns chan struct{}

func newTurns(n int) turns {
	if n <= 0 {
		n = max(4, 2*runtime.GOMAXPROCS(0))
	}
	return make(turns, n)
}

// take waits for a turn, and reports whether there was one before ctx ended. The turn ends with leave, or by itself after startHold.
func (t turns) take(ctx context.Context) (leave func(), ok bool) {
	select {
	case t <- struct{}{}:
	case <-ctx.Done():
		return nil, false
	}
	late := time.AfterFunc(startHold, func() { <-t })
	return func() {
		if late.Stop() {
			<-t
		}
	}, true
}

// pool are the sandboxes of a version, and who waits for one. It is guarded by managed.mu.
type pool struct {
	idle    []*sandbox // the latest used last
	ready   []*sandbox // idle ones of provisioned concurrency
	busy    int        // sandboxes that start or have an event
	queue   []*waiter  // first come, first served
	asked   int        // starts that waiters have asked for
	loading int        // of those: under way
	kept    int        // sandboxes of provisioned concurrency, whether they start, are idle or have an event
	coming  int        // of those: not started yet
}

// waiter is an event that waits for a sandbox.
type waiter struct{ got chan gift }

// gift is a sandbox, or why a start failed.
type gift struct {
	s   *sandbox
	err error
}

// checkout returns a sandbox of the present version, or that version alone if it cannot be built.
func (f *managed) checkout(ctx context.Context) (*version, *sandbox, error) {
	var c chase
	for {
		v, err := f.fresh(ctx, &c)
		if err != nil {
			return nil, nil, err
		}
		if v.err != nil {
			return v, nil, nil
		}
		s, err := f.claim(ctx, v)
		if err == errTouched && c.hopeless() {
			return &version{err: c.mistake(f.key, v.fn.Source)}, nil, nil
		}
		if ctx.Err() == nil && f.life.Err() == nil && (err == errTouched || err != nil && v.life.Err() != nil) {
			continue // there is a newer version, or there will be
		}
		if err == nil && ctx.Err() != nil {
			f.checkin(s, true)
			s, err = nil, ctx.Err()
		}
		return v, s, err
	}
}

// claim returns a sandbox of a version for one event, or why there is none: what a start came to, the end of the version, or ctx's.
func (f *managed) claim(ctx context.Context, v *version) (*sandbox, error) {
	f.mu.Lock()
	if v.retired || f.life.Err() != nil {
		f.mu.Unlock()
		return nil, ErrClosed // and the version's life has ended
	}
	v.called = true
	if s := f.idleLocked(v); s != nil {
		v.busy++
		f.mu.Unlock()
		return s, nil
	}
	w := &waiter{make(chan gift, 1)}
	v.queue = append(v.queue, w)
	f.askLocked(v)
	f.mu.Unlock()
	select {
	case g := <-w.got:
		return g.s, g.err
	case <-v.life.Done():
		return f.withdraw(v, w, ErrClosed)
	case <-ctx.Done():
		return f.withdraw(v, w, ctx.Err())
	}
}

// withdraw leaves the queue, or returns what came in the same moment.
func (f *managed) withdraw(v *version, w *waiter, err error) (*sandbox, error) {
	f.mu.Lock()
	if i := slices.Index(v.queue, w); i >= 0 {
		v.queue = slices.Delete(v.queue, i, i+1)
		f.mu.Unlock()
		return nil, err
	}
	f.mu.Unlock()
	g := <-w.got
	return g.s, g.err
}

// idleLocked takes an idle sandbox, one of provisioned concurrency first, else the latest used.
func (f *managed) idleLocked(v *version) *sandbox {
	for _, list := range []*[]*sandbox{&v.ready, &v.idle} {
		for n := len(*list); n > 0; n = len(*list) {
			s := (*list)[n-1]
			*list = (*list)[:n-1]
			if s.alive() {
				return s
			}
			f.lostLocked(s)
			f.work.Go(func() { s.Close() }) // it has ended by itself
		}
	}
	return nil
}

// alive reports whether the sandbox can take another event.
func (s *sandbox) alive() bool {
	select {
	case <-s.Done():
		return false
	default:
		return true
	}
}

// lostLocked has a sandbox of provisioned concurrency replaced.
func (f *managed) lostLocked(s *sandbox) {
	if s.provisioned {
		s.v.kept--
		f.provisionLocked()
	}
}

// askLocked asks for as many starts as there are waiters.
func (f *managed) askLocked(v *version) {
	for v.asked < len(v.queue) && f.goLocked(func() { f.startAsked(v) }) {
		v.asked++
	}
}

// startAsked starts a sandbox when it is its turn, if somebody waits for it still.
func (f *managed) startAsked(v *version) {
	leave, ok := f.turns.take(v.life)
	f.mu.Lock()
	if !ok || v.retired || v.loading >= len(v.queue) {
		v.asked--
		f.mu.Unlock()
		if ok {
			leave()
		}
		return
	}
	v.loading++
	v.busy++
	f.mu.Unlock()
	s, err := f.startForEvent(v)
	leave()
	f.mu.Lock()
	v.asked--
	v.loading--
	v.busy--
	done := f.startedLocked(v, s, err)
	f.mu.Unlock()
	closeAll(done)
}

// startedLocked gives a new sandbox to whoever waits first, or tells him why there is none.
func (f *managed) startedLocked(v *version, s *sandbox, err error) []io.Closer {
	if err == nil {
		v.startErr = nil
		if len(v.queue) == 0 { // whoever waited has another: it was no event's time that it took
			s.init, s.late = s.init+s.late, 0
		}
		return f.giveLocked(s)
	}
	if err != errTouched {
		v.startErr = err
	}
	if len(v.queue) > 0 {
		v.queue[0].got <- gift{err: err}
		v.queue = v.queue[1:]
	}
	return v.doneLocked()
}

// checkin takes a sandbox back. It ends if it is of no further use, or of an old version.
func (f *managed) checkin(s *sandbox, usable bool) {
	f.mu.Lock()
	s.v.busy--
	var done []io.Closer
	if usable && s.alive() {
		done = f.giveLocked(s)
	} else {
		f.lostLocked(s)
		done = append([]io.Closer{s}, s.v.doneLocked()...)
	}
	f.mu.Unlock()
	closeAll(done)
}

// giveLocked gives a sandbox to whoever waits first, or lets it be idle.
func (f *managed) giveLocked(s *sandbox) []io.Closer {
	v := s.v
	switch {
	case v.retired:
		return append([]io.Closer{s}, v.doneLocked()...)
	case len(v.queue) > 0:
		v.busy++
		v.queue[0].got <- gift{s: s}
		v.queue = v.queue[1:]
	case s.provisioned && v.kept > f.provisioned:
		v.kept--
		return []io.Closer{s}
	case s.provisioned:
		v.ready = append(v.ready, s)
	default:
		s.idle = f.cfg.Clock.Now()
		v.idle = append(v.idle, s)
		f.armLocked(v)
	}
	return nil
}

// provision changes how many sandboxes are kept started ahead of calls.
func (f *managed) provision(n int) {
	f.mu.Lock()
	f.provisioned = n
	done := f.provisionLocked()
	f.mu.Unlock()
	closeAll(done)
}

// provisionLocked starts sandboxes until as many are kept as are wanted, and returns those that are too many and idle.
func (f *managed) provisionLocked() (done []io.Closer) {
	v := f.head
	if v == nil || v.build == nil || v.retired {
		return nil
	}
	for len(v.ready) > 0 && v.kept > f.provisioned {
		done = append(done, v.ready[0])
		v.ready = v.ready[1:]
		v.kept--
	}
	for v.kept < f.provisioned && f.goLocked(func() { f.startKept(v) }) {
		v.kept++
		v.coming++
	}
	return done
}

// startKept starts a sandbox of provisioned concurrency. One that fails is not tried again before the function is built anew, or
// somebody asks for another number: it would most likely fail for ever.
func (f *managed) startKept(v *version) {
	leave, ok := f.turns.take(v.life)
	f.mu.Lock()
	if !ok || v.retired || v.kept > f.provisioned {
		v.kept--
		v.coming--
		f.mu.Unlock()
		if ok {
			leave()
		}
		return
	}
	v.busy++
	f.mu.Unlock()
	s, err := f.start(v.life, v, true)
	leave()
	f.mu.Lock()
	v.busy--
	v.coming--
	if err != nil {
		v.kept--
		if err == errTouched {
			err = nil // whoever comes looks at the sources again
		}
	}
	var done []io.Closer
	if s != nil {
		done = f.giveLocked(s)
	} else if done = v.doneLocked(); err != nil {
		v.startErr = err
	}
	f.mu.Unlock()
	closeAll(done)
}

// armLocked sets the alarm that ends sandboxes nobody uses, unless there is one for an earlier time.
func (f *managed) armLocked(v *version) {
	if f.life.Err() != nil || f.head != v || len(v.idle) == 0 {
		return
	}
	at := v.idle[0].idle.Add(lifeAmong(len(v.idle)))
	if f.disarm != nil {
		if !at.Before(f.alarm) {
			return
		}
		f.disarm()
	}
	f.alarm, f.disarm = at, clock.At(f.cfg.Clock, at, f.reap)
}

// lifeAmong is how long the longest idle of n sandboxes lives.
func lifeAmong(n int) time.Duration {
	if n > few {
		return surplusLife
	}
	return idleLife
}

// reap ends the sandboxes that have been idle for long, but keeps one where that costs little.
func (f *managed) reap() {
	var done []io.Closer
	f.mu.Lock()
	f.disarm = nil
	keep := 0
	if _, cheap := f.engine.(Warmer); cheap {
		keep = 1
	}
	now, v := f.cfg.Clock.Now(), f.head
	for len(v.idle) > keep && now.Sub(v.idle[0].idle) >= lifeAmong(len(v.idle)) {
		done = append(done, v.idle[0])
		v.idle = v.idle[1:]
	}
	if len(v.idle) > keep {
		f.armLocked(v)
	}
	f.mu.Unlock()
	closeAll(done)
}
