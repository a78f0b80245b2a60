package js

import (
	"runtime"
	"runtime/metrics"
	"time"

	"devstack/runtime/function"
)

// How the memory of an invocation is watched. goja cannot count the memory of one script, so the growth of the whole
// process's live heap since the invocation began is what counts against the function's memory.
const (
	memoryGrace  = 100 * time.Millisecond // what is over by then is not watched
	memoryPeriod = 50 * time.Millisecond
)

// watchMemory interrupts the script if the process's heap grows by more than the function's memory during the invocation
// that begins now. The returned function ends the watch.
func (s *sandbox) watchMemory() (stop func()) {
	limit := s.memoryLimit()
	var base uint64
	over := make(chan struct{})
	timer := time.AfterFunc(memoryGrace, func() {
		for {
			live := liveHeap()
			if base == 0 {
				base = live
			} else if live > base+limit {
				runtime.GC() // what is only garbage does not count
				if liveHeap() > base+limit {
					s.rt.Interrupt(&function.ExitError{Status: killed})
					return
				}
			}
			select {
			case <-over:
				return
			case <-time.After(memoryPeriod):
			}
		}
	})
	return func() {
		close(over)
		timer.Stop()
	}
}

// memoryLimit is how many bytes the function may use.
func (s *sandbox) memoryLimit() uint64 { return uint64(max(s.fn.Memory, 128)) << 20 }

// liveHeap is how many bytes objects occupy, those that are not yet swept included.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
