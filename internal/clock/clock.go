// Package clock is the one source of time for both halves of devstack.
//
// No other package asks the operating system what time it is. Every expiry, delay, schedule and time-to-live hangs on
// a Clock, so that a test, or a user with `devstack clock advance`, can move a day forward and see them happen.
package clock

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// Clock tells the time and calls back when some of it has passed. Waiting is built on these two.
type Clock interface {
	// Now is the present instant in UTC.
	Now() time.Time

	// AfterFunc calls f in its own goroutine once d has passed. The returned stop reports whether it prevented the call.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// Sleep waits until d has passed on c, or returns the context's error if that comes first.
func Sleep(ctx context.Context, c Clock, d time.Duration) error {
	return SleepUntil(ctx, c, c.Now().Add(d))
}

// At calls f in its own goroutine once it is at on c. It is AfterFunc of what is left until then, which a move of the clock between the look
// at it and the timer's being set would make late by as much: then the timer is set anew.
func At(c Clock, at time.Time, f func()) (stop func() bool) {
	for {
		before := c.Now()
		stop := c.AfterFunc(at.Sub(before), f)
		if c.Now().Sub(before) <= moved || !stop() {
			return stop
		}
	}
}

// moved is how far a clock goes between two looks at it only if somebody moves it, as a rule.
const moved = time.Millisecond

// SleepUntil waits until it is at on c, or returns the context's error if that comes first.
func SleepUntil(ctx context.Context, c Clock, at time.Time) error {
	if !at.After(c.Now()) {
		return ctx.Err()
	}
	passed := make(chan struct{})
	stop := At(c, at, func() { close(passed) })
	select {
	case <-passed:
		return nil
	case <-ctx.Done():
		stop()
		return ctx.Err()
	}
}

// Moving is a clock that can be moved forward. It is the daemon's clock (System) and the tests' (Fixed).
type Moving struct {
	moving sync.Mutex // held by Advance, so that two moves are one after the other

	mu      sync.Mutex
	running bool          // follows the wall clock between moves
	offset  time.Duration // running: ahead of the wall clock by this much
	now     time.Time     // not running: the present instant
	timers  timers
	wake    *time.Timer // running: fires when the earliest timer is due
}

// System returns a clock that follows the operating system's, and that Advance puts ahead of it.
func System() *Moving { return &Moving{running: true} }

// Fixed returns a clock that stands at the given instant until Advance moves it.
func Fixed(at time.Time) *Moving { return &Moving{now: at.UTC()} }

// Now is the present instant in UTC.
func (m *Moving) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.nowLocked()
}

// Offset is how far the clock has been moved ahead of the operating system's. It is zero for a Fixed clock.
func (m *Moving) Offset() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.offset
}

// AfterFunc calls f in its own goroutine once d has passed, whether by waiting or by Advance.
func (m *Moving) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := &timer{at: m.nowLocked().Add(d), f: f}
	heap.Push(&m.timers, t)
	if !m.running && d <= 0 {
		m.fireLocked()
	}
	m.armLocked()
	return func() bool { return m.stop(t) }
}

// patience is how long a move waits for one callback.
const patience = 50 * time.Millisecond

// Advance moves the clock forward by d. Timers that fall due are called in the order of their instants, and the clock
// stands at each one's instant while it is started, so that a callback that sets the next timer is served as well.
// A negative d does nothing: time does not run backwards.
func (m *Moving) Advance(d time.Duration) {
	if d <= 0 {
		return
	}
	m.moving.Lock()
	defer m.moving.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	target := m.nowLocked().Add(d)
	for len(m.timers) > 0 && !m.timers[0].at.After(target) {
		m.setLocked(m.timers[0].at)
		t := heap.Pop(&m.timers).(*timer)
		m.mu.Unlock()
		done := make(chan struct{})
		go func() { defer close(done); t.f() }()
		// A callback that returns quickly may set a further timer inside this move. One that waits for the clock
		// itself must not hold the move up.
		select {
		case <-done:
		case <-time.After(patience):
		}
		m.mu.Lock()
	}
	m.setLocked(target)
	m.armLocked()
}

func (m *Moving) nowLocked() time.Time {
	if m.running {
		return time.Now().Add(m.offset).UTC()
	}
	return m.now
}

// setLocked moves the clock to the instant at, never backwards.
func (m *Moving) setLocked(at time.Time) {
	ahead := at.Sub(m.nowLocked())
	if ahead <= 0 {
		return
	}
	m.offset, m.now = m.offset+ahead, m.now.Add(ahead)
	if !m.running {
		m.offset = 0
	}
}

// fireLocked starts every timer that is due.
func (m *Moving) fireLocked() {
	now := m.nowLocked()
	for len(m.timers) > 0 && !m.timers[0].at.After(now) {
		go heap.Pop(&m.timers).(*timer).f()
	}
}

// armLocked sets the wall-clock alarm to the earliest timer.
func (m *Moving) armLocked() {
	if !m.running {
		return
	}
	if m.wake != nil {
		m.wake.Stop()
		m.wake = nil
	}
	if len(m.timers) == 0 {
		return
	}
	m.wake = time.AfterFunc(m.timers[0].at.Sub(m.nowLocked()), func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.fireLocked()
		m.armLocked()
	})
}

func (m *Moving) stop(t *timer) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t.index < 0 {
		return false
	}
	heap.Remove(&m.timers, t.index)
	m.armLocked()
	return true
}

// timer is one pending call. Its index in the heap is -1 once it has left it.
type timer struct {
	at    time.Time
	f     func()
	index int
}

// timers is a heap by instant.
type timers []*timer

func (t timers) Len() int           { return len(t) }
func (t timers) Less(i, j int) bool { return t[i].at.Before(t[j].at) }
func (t timers) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].index, t[j].index = i, j
}

func (t *timers) Push(x any) {
	n := x.(*timer)
	n.index = len(*t)
	*t = append(*t, n)
}

func (t *timers) Pop() any {
	old := *t
	n := old[len(old)-1]
	n.index = -1
	old[len(old)-1] = nil
	*t = old[:len(old)-1]
	return n
}
