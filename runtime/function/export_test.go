package function

import "time"

// SetPatience shortens how long a builder follows sources that do not come to rest, and returns what undoes that.
func SetPatience(d time.Duration) (undo func()) {
	old := patience
	patience = d
	return func() { patience = old }
}
