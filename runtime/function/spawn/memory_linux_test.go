package spawn_test

import (
	"strings"
	"testing"
)

// A process that holds more than it may is killed while it is busy, and so is one whose child does.
func TestMemoryLimit(t *testing.T) {
	const devour = `head -c 100m /dev/zero | tail` // tail keeps all of a line
	for _, tt := range []struct {
		name, script string
		limit        int64
		busy         bool
		status       string
	}{
		{"more than the limit", "ulimit -v 2000000; exec tail </dev/zero", 40 << 20, true, "signal: killed"},
		{"a child's", devour + "; exit 3", 40 << 20, true, "signal: killed"},
		{"less than the limit", devour + " >/dev/null; exit 3", 400 << 20, true, "exit status 3"},
		{"no limit", devour + " >/dev/null; exit 3", 0, true, "exit status 3"},
		{"not busy", devour + " >/dev/null; exit 3", 40 << 20, false, "exit status 3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, _, run := waiting(t, tt.script)
			p.Limit(tt.limit)
			if tt.busy {
				defer p.Busy()()
			}
			run()
			<-p.Done()
			if got := p.Status(); got != tt.status {
				t.Errorf("it ended with %q, want %q", got, tt.status)
			}
			if tt.status == "signal: killed" && p.MaxMemory() < tt.limit {
				t.Errorf("it has held %d bytes, want the limit at least", p.MaxMemory())
			}
		})
	}
}

func TestProcessLimits(t *testing.T) {
	p, l, run := waiting(t, "ulimit -n; ulimit -l; ulimit -s")
	run()
	<-p.Done()
	if got := strings.Join(l.get(), " "); got != "1024 64 8192" {
		t.Errorf("open files, locked memory (KiB), stack (KiB): %s", got)
	}
}
