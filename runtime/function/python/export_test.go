package python

import "time"

// SetReattach changes how long a sandbox waits for a debugger to come back.
func SetReattach(d time.Duration) (restore func()) {
	old := reattach
	reattach = d
	return func() { reattach = old }
}
