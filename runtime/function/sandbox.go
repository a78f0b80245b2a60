package function

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"devstack/runtime/config"
)

const (
	idleLife  = 5 * time.Minute  // after its last event an idle sandbox is ended
	initLimit = 10 * time.Second // of a function's own initialisation, or its timeout if that is longer
	tailSize  = 4 << 10          // bytes of log that a caller may ask for
)

// sandbox is an engine's sandbox with its log.
type sandbox struct {
	Sandbox
	f      *managed
	v      *version
	stream string        // of its log
	init   time.Duration // what starting it took; 0 once an invocation has reported it
	idle   time.Time     // since when

	mu   sync.Mutex
	tail []byte // latest log lines since the last event ended
}

// initTimeout says that a function did not finish loading.
type initTimeout struct{ after time.Duration }

func (e *initTimeout) Error() string {
	return fmt.Sprintf("the function has not finished its initialisation in %.2f seconds", e.after.Seconds())
}

// errTouched says that a sandbox's sources were written while it loaded them.
var errTouched = errors.New("the sources changed while the function was being loaded")

// start starts a sandbox of a version that the caller keeps from being closed.
func (f *managed) start(ctx context.Context, v *version) (*sandbox, error) {
	began := f.cfg.Clock.Now()
	s := &sandbox{f: f, v: v, stream: newStream(began, v.fn)}
	limit := max(initLimit, time.Duration(v.fn.Timeout)*time.Second)
	ctx, cancel := context.WithCancelCause(ctx)
	written := v.inputs.written()
	stop := f.cfg.Clock.AfterFunc(limit, func() { cancel(&initTimeout{limit}) })
	inner, err := f.engine.Start(ctx, v.fn, v.build.Build, environment(v.fn, f.cfg.Env(v.fn), s.stream), s.log)
	stop()
	cause := context.Cause(ctx)
	cancel(nil)
	var late *initTimeout
	switch {
	case err == nil && !v.inputs.untouched(written):
		// A runtime reads sources as it starts, and they have been written meanwhile: it may hold what was there for a
		// moment only, between two states that are the same.
		inner.Close()
		return nil, errTouched
	case err == nil:
		s.Sandbox, s.init = inner, f.cfg.Clock.Now().Sub(began)
		return s, nil
	case errors.As(cause, &late):
		return nil, late
	case f.life.Err() != nil:
		return nil, ErrClosed
	}
	return nil, err
}

// newStream names a sandbox's log stream as Lambda does: in a log group that functions may share it begins with the function's name.
//
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html
func newStream(now time.Time, fn *config.Function) string {
	id := make([]byte, 16)
	rand.Read(id) // never fails, since Go 1.24
	prefix := now.UTC().Format("2006/01/02/")
	if fn.LogGroup != "" && fn.LogGroup != "/aws/lambda/"+fn.Name {
		prefix += fn.Name
	}
	return prefix + "[" + fn.VersionName() + "]" + hex.EncodeToString(id)
}

// checkout returns a sandbox of the present version, or that version alone if it cannot be built.
func (f *managed) checkout(ctx context.Context) (*version, *sandbox, error) {
	var c chase
	for {
		v, err := f.fresh(ctx, &c)
		if err != nil {
			return nil, nil, err
		}
		if v.err != nil {
			return v, nil, nil
		}
		s, ok := f.claim(v)
		if !ok {
			continue // replaced in the same moment
		}
		if s == nil {
			s, err = f.startClaimed(v)
		}
		if err == errTouched && c.hopeless() {
			return &version{err: c.mistake(f.key, v.fn.Source)}, nil, nil
		}
		if ctx.Err() == nil && f.life.Err() == nil && (err == errTouched || err != nil && v.life.Err() != nil) {
			continue // there is a newer version, or there will be
		}
		if err == nil && ctx.Err() != nil {
			f.checkin(s, true)
			err = ctx.Err()
		}
		return v, s, err
	}
}

// claim counts the caller among a version's users and gives it an idle sandbox if there is one, the latest used first.
// It is false if the version is not the head any more.
func (f *managed) claim(v *version) (*sandbox, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.head != v || f.life.Err() != nil {
		return nil, false
	}
	v.called = true
	v.busy++
	for n := len(v.idle); n > 0; n = len(v.idle) {
		s := v.idle[n-1]
		v.idle = v.idle[:n-1]
		select {
		case <-s.Done():
			f.work.Go(func() { s.Close() }) // it has ended by itself
		default:
			return s, true
		}
	}
	return nil, true
}

// startClaimed starts a sandbox for a caller who has claimed the version, unless a newer version comes first. A caller who
// goes away leaves the sandbox to the next.
func (f *managed) startClaimed(v *version) (*sandbox, error) {
	s, err := f.start(v.life, v)
	f.mu.Lock()
	if err == nil {
		v.startErr = nil
		f.mu.Unlock()
		return s, nil
	}
	if err != errTouched {
		v.startErr = err
	}
	v.busy--
	done := v.doneLocked()
	f.mu.Unlock()
	closeAll(done)
	return nil, err
}

// checkin takes a sandbox back. It ends if it is of no further use, or of an old version.
func (f *managed) checkin(s *sandbox, usable bool) {
	var done []io.Closer
	f.mu.Lock()
	s.v.busy--
	if usable && !s.v.retired {
		s.idle = f.cfg.Clock.Now()
		s.v.idle = append(s.v.idle, s)
		f.armLocked()
	} else {
		done = append(done, s)
	}
	done = append(done, s.v.doneLocked()...)
	f.mu.Unlock()
	closeAll(done)
}

// armLocked sets the alarm that ends sandboxes nobody uses.
func (f *managed) armLocked() {
	if f.reaping || f.life.Err() != nil || len(f.head.idle) == 0 {
		return
	}
	f.reaping = true
	f.cfg.Clock.AfterFunc(idleLife, f.reap)
}

// reap ends the sandboxes that have been idle for long, but keeps one where that costs little.
func (f *managed) reap() {
	var done []io.Closer
	f.mu.Lock()
	f.reaping = false
	keep := 0
	if _, cheap := f.engine.(Warmer); cheap {
		keep = 1
	}
	now := f.cfg.Clock.Now()
	idle := f.head.idle
	for len(idle) > keep && now.Sub(idle[0].idle) >= idleLife {
		done = append(done, idle[0])
		idle = idle[1:]
	}
	f.head.idle = idle
	if len(idle) > keep {
		f.armLocked()
	}
	f.mu.Unlock()
	closeAll(done)
}

// log is what the engine calls with each line that the function prints.
func (s *sandbox) log(requestID, text string) {
	s.mu.Lock()
	s.tail = append(append(s.tail, text...), '\n')
	if len(s.tail) > 2*tailSize {
		s.tail = append(s.tail[:0], s.tail[len(s.tail)-tailSize:]...)
	}
	s.mu.Unlock()
	s.f.cfg.Log(Line{Function: s.v.fn.Name, Group: s.v.fn.LogGroupName(), Stream: s.stream, RequestID: requestID, Text: text})
}

// takeTail returns the last lines of log since it was last asked.
func (s *sandbox) takeTail() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []byte(strings.Clone(string(s.tail[max(0, len(s.tail)-tailSize):])))
	s.tail = s.tail[:0]
	return out
}
