package node

import (
	"time"

	"devstack/runtime/config"
)

// SetReattach changes how long a sandbox waits for a debugger to come back.
func SetReattach(d time.Duration) (restore func()) {
	old := reattach
	reattach = d
	return func() { reattach = old }
}

// Waits reports whether a process waits for a function's next version.
func (e *Engine) Waits(fn *config.Function) bool {
	e.pool.mu.Lock()
	defer e.pool.mu.Unlock()
	return e.pool.waiting[idOf(fn)] != nil
}
