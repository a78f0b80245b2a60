package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// stateDir is where a stack keeps what is not its source.
const stateDir = ".devstack"

// maxSocketPath is the longest path that a Unix socket can have (108 bytes on Linux, 104 on macOS), with its final zero.
const maxSocketPath = 103

// holder says who runs a stack. It is the content of the lock file.
type holder struct {
	PID     int       `json:"pid"`
	Socket  string    `json:"socket"` // of the control API
	Started time.Time `json:"started"`
}

// errHeld is returned by lock while a living daemon holds the stack.
type errHeld struct {
	holder
	dir string
}

func (e *errHeld) Error() string {
	if e.Socket == "" {
		return fmt.Sprintf("`devstack serve` already runs in %s: process %d, since %s; stop it first (kill %d)", e.dir, e.PID, e.Started.Local().Format(time.DateTime), e.PID)
	}
	return fmt.Sprintf("the stack in %s is already running: process %d, since %s; `devstack down` stops it", e.dir, e.PID, e.Started.Local().Format(time.DateTime))
}

// lock takes the stack for this process; one that is not controlled has no socket. The operating system gives it back when the
// process ends, however it ends.
func lock(dir string, started time.Time, controlled bool) (release func(), h holder, err error) {
	state := filepath.Join(dir, stateDir)
	if err := os.MkdirAll(state, 0o755); err != nil {
		return nil, h, fmt.Errorf("state folder: %w", err)
	}
	path := filepath.Join(state, "lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, h, fmt.Errorf("lock the stack: %w", err)
	}
	if err := tryLock(f); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			h, _ := readHolder(dir)
			return nil, h, &errHeld{h, dir}
		}
		return nil, h, fmt.Errorf("lock %s: %w", path, err)
	}
	h = holder{PID: os.Getpid(), Started: started}
	if controlled {
		h.Socket = socketPath(state)
	}
	b, err := json.Marshal(h)
	if err == nil {
		err = os.WriteFile(path, b, 0o600) // in place: the lock is on this very file
	}
	if err != nil {
		f.Close()
		return nil, h, fmt.Errorf("write %s: %w", path, err)
	}
	return func() {
		if controlled {
			os.Remove(h.Socket)
		}
		f.Close()
	}, h, nil
}

// tryLock takes the lock of the file. Who only asks whether a stack runs has it for a moment (see held), which is no reason to give
// up: `devstack up --detach` asks while the daemon that it has started comes to here.
func tryLock(f *os.File) error {
	for tries := 0; ; tries++ {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) || tries == 50 {
			return err
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// held reports whether a living process holds the stack's lock.
func held(dir string) bool {
	f, err := os.Open(filepath.Join(dir, stateDir, "lock"))
	if err != nil {
		return false
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); err != nil {
		return true
	}
	return false
}

// readHolder reads who held the stack last.
func readHolder(dir string) (h holder, err error) {
	b, err := os.ReadFile(filepath.Join(dir, stateDir, "lock"))
	if err != nil {
		return h, err
	}
	return h, json.Unmarshal(b, &h)
}

// socketPath is where the control API listens: in the stack's own folder unless that is too deep for a socket.
func socketPath(state string) string {
	path := filepath.Join(state, "control.sock")
	if len(path) <= maxSocketPath {
		return path
	}
	h := fnv.New64a()
	h.Write([]byte(state))
	return filepath.Join(os.TempDir(), fmt.Sprintf("devstack-%d-%x.sock", os.Getuid(), h.Sum64()))
}
