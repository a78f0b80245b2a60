package function

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"devstack/runtime/config"
)

const (
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
	places places

	provisioned bool // of provisioned concurrency: started before anybody calls, and kept

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
func (f *managed) start(ctx context.Context, v *version, provisioned bool) (_ *sandbox, err error) {
	began := f.cfg.Clock.Now()
	s := &sandbox{f: f, v: v, stream: newStream(began, v.fn), provisioned: provisioned}
	if s.places, err = place(v.fn); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.places.remove()
		}
	}()
	limit := max(initLimit, time.Duration(v.fn.Timeout)*time.Second)
	ctx, cancel := context.WithCancelCause(ctx)
	written := v.inputs.written()
	stop := f.cfg.Clock.AfterFunc(limit, func() {
		if v.fn.Debug == 0 { // somebody may be looking at a line of it
			cancel(&initTimeout{limit})
		}
	})
	inner, err := f.engine.Start(ctx, v.fn, v.build.Build, environment(v.fn, f.cfg.Env(v.fn), s.stream, s.places, provisioned), s.log)
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

// Close ends the sandbox, and then removes its temporary files.
func (s *sandbox) Close() error {
	err := s.Sandbox.Close()
	s.places.remove()
	return err
}

// log is what the engine calls with each line that the function prints.
func (s *sandbox) log(requestID, text string) {
	s.mu.Lock()
	s.tail = append(append(s.tail, text...), '\n')
	if len(s.tail) > 2*tailSize {
		s.tail = append(s.tail[:0], s.tail[len(s.tail)-tailSize:]...)
	}
	s.mu.Unlock()
	s.f.cfg.Log(Line{Function: s.v.fn.Name, ARN: s.v.fn.ARN, Group: s.v.fn.LogGroupName(), Stream: s.stream, RequestID: requestID, Text: text})
}

// takeTail returns the last lines of log since it was last asked.
func (s *sandbox) takeTail() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []byte(strings.Clone(string(s.tail[max(0, len(s.tail)-tailSize):])))
	s.tail = s.tail[:0]
	return out
}
