package main

import (
	"os"
	"runtime/debug"
)

// Go collects whenever the heap has doubled. With a heap as small as ours that is every few hundred requests, and once already
// while the services are made, which was a quarter of our start. So we wait until the heap is five times what is live, and go
// back to collecting more often as it comes near a gigabyte.
const (
	gcPercent = 400     // of the live heap, on top of it
	gcSoftTop = 1 << 30 // bytes
)

// tuneMemory sets up garbage collection. Who sets GOGC or GOMEMLIMIT decides himself.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(gcSoftTop)
	}
}
