package main

import (
	"os"
	"runtime/debug"
)

// Go collects whenever the heap has doubled, which a daemon with a small one reaches every few hundred requests. We wait until it
// is five times what is live, and go back to collecting more often as it comes near a gigabyte.
const (
	gcPercent = 400
	gcSoftTop = 1 << 30 // bytes
)

// tuneMemory sets up garbage collection for a process that stays. Who sets GOGC or GOMEMLIMIT decides himself.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(gcSoftTop)
	}
}
