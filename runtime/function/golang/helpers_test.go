package golang

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func pause(ms int) { time.Sleep(time.Duration(ms) * time.Millisecond) }

// processes are the command lines and environments of running processes that name a folder. Where there is no /proc there are none.
func processes(t *testing.T, folder string) (found []string) {
	t.Helper()
	all, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range all {
		environ, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(environ), folder) {
			line, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}
