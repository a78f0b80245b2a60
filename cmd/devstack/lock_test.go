package main

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Who asks whether a stack runs has its lock for a moment. That keeps nobody from starting it; who runs it does.
func TestWhoAsksDoesNotKeepTheLock(t *testing.T) {
	dir := t.TempDir()
	release, _, err := lock(dir, time.Now(), false)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := lock(dir, time.Now(), false); !errors.As(err, new(*errHeld)) || !held(dir) {
		t.Errorf("a second holder: %v", err)
	}
	release()

	asks, err := os.Open(filepath.Join(dir, stateDir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(asks.Fd()), syscall.LOCK_SH); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(10*time.Millisecond, func() { asks.Close() })
	release, _, err = lock(dir, time.Now(), false)
	if err != nil {
		t.Fatal(err)
	}
	release()
}
