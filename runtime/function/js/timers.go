package js

import (
	"container/heap"
	"time"

	"github.com/dop251/goja"

	"devstack/internal/clock"
)

// timers are a sandbox's setTimeout and setInterval. They hang on the stack's clock; of those that are due together the
// one set first is called first.
type timers struct {
	heap  timerHeap
	byID  map[int64]*timer
	next  int64
	held  int         // timers that keep the loop turning
	alarm func() bool // stops the clock's call for the earliest
	at    time.Time   // when it comes
}

type timer struct {
	id     int64
	at     time.Time
	every  time.Duration // of an interval; 0: once
	f      goja.Callable
	index  int  // in the heap, -1 outside
	unheld bool // unref was called

	context goja.Value // in which it was set
}

// setTimer implements host.setTimer(f, milliseconds, repeat) → id.
func (s *sandbox) setTimer(call goja.FunctionCall) goja.Value {
	f, ok := goja.AssertFunction(call.Argument(0))
	if !ok {
		panic(s.rt.NewTypeError(`The "callback" argument must be of type function.`))
	}
	ms := call.Argument(1).ToFloat()
	if !(ms >= 1 && ms <= 1<<31-1) { // as Node: also for NaN
		ms = 1
	}
	d := time.Duration(ms * float64(time.Millisecond))
	ts := &s.loop.timers
	ts.next++
	t := &timer{id: ts.next, at: s.engine.opts.Clock.Now().Add(d), f: f, context: s.context}
	if call.Argument(2).ToBoolean() {
		t.every = d
	}
	if ts.byID == nil {
		ts.byID = map[int64]*timer{}
	}
	ts.byID[t.id] = t
	ts.held++
	heap.Push(&ts.heap, t)
	s.arm()
	return s.rt.ToValue(t.id)
}

// clearTimer implements host.clearTimer(id).
func (s *sandbox) clearTimer(call goja.FunctionCall) goja.Value {
	if t := s.loop.timers.byID[call.Argument(0).ToInteger()]; t != nil {
		s.dropTimer(t)
		s.arm()
	}
	return goja.Undefined()
}

// holdTimer implements host.holdTimer(id, hold): whether the timer alone keeps an invocation waiting.
func (s *sandbox) holdTimer(call goja.FunctionCall) goja.Value {
	ts := &s.loop.timers
	t := ts.byID[call.Argument(0).ToInteger()]
	unhold := !call.Argument(1).ToBoolean()
	if t != nil && t.unheld != unhold {
		t.unheld = unhold
		if unhold {
			ts.held--
		} else {
			ts.held++
		}
	}
	return goja.Undefined()
}

func (s *sandbox) dropTimer(t *timer) {
	ts := &s.loop.timers
	if t.index >= 0 {
		heap.Remove(&ts.heap, t.index)
	}
	delete(ts.byID, t.id)
	if !t.unheld {
		ts.held--
	}
}

// arm asks the clock for a call at the earliest timer's instant.
func (s *sandbox) arm() {
	ts := &s.loop.timers
	if len(ts.heap) == 0 {
		if ts.alarm != nil {
			ts.alarm()
			ts.alarm = nil
		}
		return
	}
	at := ts.heap[0].at
	if ts.alarm != nil {
		if ts.at.Equal(at) {
			return
		}
		ts.alarm()
	}
	ts.at = at
	ts.alarm = clock.At(s.engine.opts.Clock, at, func() { s.loop.post(s.fireTimers) })
}

// fireTimers calls what is due. A timer that a callback sets waits for the next turn.
func (s *sandbox) fireTimers() {
	ts := &s.loop.timers
	ts.alarm = nil
	now := s.engine.opts.Clock.Now()
	var due []*timer
	for len(ts.heap) > 0 && !ts.heap[0].at.After(now) {
		due = append(due, heap.Pop(&ts.heap).(*timer))
	}
	for _, t := range due {
		if ts.byID[t.id] != t { // cleared by a callback before it
			continue
		}
		if t.every > 0 {
			t.at = now.Add(t.every)
			heap.Push(&ts.heap, t)
		} else {
			s.dropTimer(t)
		}
		if s.failure != nil {
			break
		}
		s.context = t.context
		_, err := t.f(goja.Undefined())
		s.context = nil
		s.called(err)
	}
	s.arm()
}

// timerHeap orders timers by instant, then by age.
type timerHeap []*timer

func (h timerHeap) Len() int { return len(h) }
func (h timerHeap) Less(i, j int) bool {
	return h[i].at.Before(h[j].at) || h[i].at.Equal(h[j].at) && h[i].id < h[j].id
}
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push adds a *timer.
func (h *timerHeap) Push(x any) {
	t := x.(*timer)
	t.index = len(*h)
	*h = append(*h, t)
}

// Pop takes the last one.
func (h *timerHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	t.index = -1
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return t
}
