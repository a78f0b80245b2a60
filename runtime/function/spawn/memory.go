package spawn

import (
	"sync"
	"sync/atomic"
	"time"
)

// memory is what is known of a process's memory. Lambda ends a sandbox that holds more than its function is given. Nothing
// that works without special rights makes the kernel do that: RLIMIT_AS counts address space, of which Node and Java reserve
// gigabytes and use little, and control groups must be delegated. So while the process is busy somebody looks.
type memory struct {
	limit int64        // bytes, 0: none
	max   atomic.Int64 // the most that was seen, bytes
	gauge gauge
}

// every is how often a busy process is looked at. Most events are over before that and cost nothing.
const every = 50 * time.Millisecond

// Limit bounds the memory that the process may hold while it is busy, with those that it has started: in bytes, 0 for any number.
// It is called before the process is busy for the first time.
func (p *Process) Limit(bytes int64) { p.memory.limit = bytes }

// Busy says that the process is at work until done is called: if it holds more memory than it may meanwhile, it is killed
// with its group, and its Status is that of a kill.
func (p *Process) Busy() (done func()) {
	if p.memory.limit <= 0 {
		return func() {}
	}
	w := &watch{process: p}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(every, w.look)
	return w.end
}

// watch looks at a process for as long as it is busy.
type watch struct {
	process *Process

	mu    sync.Mutex
	timer *time.Timer
	ended bool
}

func (w *watch) look() {
	over := w.process.overLimit()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !over && !w.ended {
		w.timer.Reset(every)
	}
}

func (w *watch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	w.timer.Stop()
}

// overLimit looks, and ends a process that holds too much.
func (p *Process) overLimit() bool {
	select {
	case <-p.done:
		return true
	default:
	}
	now := held(p.Pid())
	if now <= p.memory.limit {
		return false
	}
	p.memory.note(p.memory.limit) // as Lambda reports it
	p.signal()
	return true
}

func (m *memory) note(n int64) {
	for {
		old := m.max.Load()
		if n <= old || m.max.CompareAndSwap(old, n) {
			return
		}
	}
}

// MaxMemory is the most memory the process itself has held so far, in bytes; of one that is gone what was seen last, 0 where
// the system does not tell.
func (p *Process) MaxMemory() int64 {
	p.memory.note(p.memory.gauge.peak(p.Pid()))
	return p.memory.max.Load()
}
