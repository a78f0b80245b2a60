package watch

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/fsnotify/fsnotify"
)

func TestAfterLostEventsEverythingMayHaveChanged(t *testing.T) {
	w, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	dir := t.TempDir()
	told := map[string]bool{}
	defer w.Subscribe([]string{dir + "/a", dir + "/b"}, func(path string) { told[path] = true })()
	w.lost(fsnotify.ErrEventOverflow)
	if !told[dir+"/a"] || !told[dir+"/b"] || w.Err() != nil {
		t.Errorf("told of %v; %v", told, w.Err())
	}
}

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
