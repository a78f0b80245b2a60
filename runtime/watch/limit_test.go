package watch

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
)

func TestLimitsNameTheWayOut(t *testing.T) {
	for _, tt := range []struct {
		err  syscall.Errno
		want string
	}{
		{syscall.ENOSPC, "sudo sysctl fs.inotify.max_user_watches="},
		{syscall.EMFILE, "sudo sysctl fs.inotify.max_user_instances="},
		{syscall.EACCES, "file events: /dir: permission denied"},
	} {
		if got := explain(fmt.Errorf("/dir: %w", tt.err)).Error(); !strings.Contains(got, tt.want) {
			t.Errorf("%v is explained as %q", tt.err, got)
		}
	}
}
