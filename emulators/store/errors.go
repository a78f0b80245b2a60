package store

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"syscall"
)

// DamageError is returned by View and Update for a file that is not what a store has written.
type DamageError struct {
	Path string
	Err  error
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("%s cannot be read (%v); `devstack reset` starts over with an empty one", e.Path, e.Err)
}

func (e *DamageError) Unwrap() error { return e.Err }

// Public marks an error whose text is for the client to read: there is something that its user can do.
func (e *DamageError) Public() {}

// contentError is a value that its table cannot decode. View and Update return it in a DamageError.
type contentError struct {
	table string
	err   error
}

func (e *contentError) Error() string {
	return fmt.Sprintf("table %s holds what cannot be decoded: %v", e.table, e.err)
}

// WriteError is returned by Update when the disk does not take what was written. Nothing of it was kept, all that was acknowledged
// before still is, and the next Update tries again.
type WriteError struct {
	Path string
	Err  error
}

func (e *WriteError) Error() string {
	if errors.Is(e.Err, syscall.ENOSPC) || errors.Is(e.Err, syscall.EDQUOT) {
		return fmt.Sprintf("the disk is full: %s cannot be written (%v); nothing was lost, and it goes on once there is space", e.Path, e.Err)
	}
	return fmt.Sprintf("%s cannot be written: %v", e.Path, e.Err)
}

func (e *WriteError) Unwrap() error { return e.Err }

// Public marks an error whose text is for the client to read: there is something that its user can do.
func (e *WriteError) Public() {}

// damaged makes a DamageError of a panic that came of a damaged file. Its locks may be held for ever, so it is not used again.
func (s *Store) damaged(p any) *DamageError {
	err := &DamageError{s.path, fmt.Errorf("%v", p)}
	s.broken.CompareAndSwap(nil, err)
	return err
}

// boltPanics tells, in a deferred function, whether the panic is bbolt's own: it checks the pages it reads by panics, and of what
// is no page at all it takes lengths that are none. Our own mistakes panic elsewhere.
func boltPanics() bool {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	for panicking := false; ; {
		frame, more := frames.Next()
		inRuntime := strings.HasPrefix(frame.Function, "runtime.")
		panicking = panicking || frame.Function == "runtime.gopanic"
		if panicking && !inRuntime || !more {
			return strings.HasPrefix(frame.Function, "go.etcd.io/bbolt")
		}
	}
}
