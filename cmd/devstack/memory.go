package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// Go collects whenever the heap has doubled. With a heap as small as ours that is every few hundred requests, and once already
// while the services are made, which was a quarter of our start. So we wait until the heap is five times what is live. The more is
// live, the less of that is needed: beyond headroom the heap grows only for what doubling takes. As it comes near a gigabyte we
// collect more often again.
const (
	gcPercent = 400      // of the live heap, on top of it
	headroom  = 64 << 20 // bytes
	gcSoftTop = 1 << 30  // bytes
)

// tuneMemory sets up garbage collection. Who sets GOGC or GOMEMLIMIT decides himself.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
		afterCollection(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(gcSoftTop)
	}
}

// afterCollection adapts the percentage, which is now another, after the next collection and each that follows.
func afterCollection(now int) {
	runtime.AddCleanup(new([64]byte), func(now int) { // nobody holds it: the next collection finds that out
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		percent := percentFor(live[0].Value.Uint64())
		if percent != now {
			debug.SetGCPercent(percent)
		}
		afterCollection(percent)
	}, now)
}

// percentFor is how much the heap may grow on top of what is live, in steps of 50 per cent: a change stops the world for a moment.
func percentFor(live uint64) int {
	percent := headroom * 100 / max(live, 1)
	return int(min(max(percent/50*50, 100), gcPercent))
}
