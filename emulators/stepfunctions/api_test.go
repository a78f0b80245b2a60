package stepfunctions

import (
	"testing"
	"time"

	"devstack/internal/golden"
)

// TestConversations plays testdata/*.txt over HTTP.
func TestConversations(t *testing.T) {
	golden.Run(t, func(t *testing.T) golden.Stage {
		w := newWorld(t)
		return golden.Stage{Handler: w.server, Advance: func(d time.Duration) { w.idle(); w.clock.Advance(d) }}
	})
}
