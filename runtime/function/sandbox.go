package function

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
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
	Sandbox // nil if it could not be started
	f       *managed
	v       *version
	stream  string        // of its log
	init    time.Duration // what starting it took; 0 once an invocation has reported it
	late    time.Duration // what starting it took in the invoke phase, of its first event's time
	idle    time.Time     // since when
	places  places
	reason  string // why it ends, "" if because nobody needs it
	beside  beside

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

// onDemand is how sandboxes are initialised that are started because somebody calls, or is likely to.
const onDemand = "on-demand"

// phase is in which a function is initialised, and how long that may take.
type phase struct {
	name  string // "init" or "invoke"
	limit time.Duration
}

// unloaded is a sandbox that could not be started, with its log.
type unloaded struct {
	error
	s *sandbox
}

// Unwrap returns the reason.
func (e *unloaded) Unwrap() error { return e.error }

// start starts a sandbox of a version that the caller keeps from being closed, before somebody waits for it: one that takes long is not
// begun anew.
func (f *managed) start(ctx context.Context, v *version, provisioned bool) (*sandbox, error) {
	return f.started(f.load(ctx, v, phase{"init", max(initLimit, timeoutOf(v.fn))}, provisioned))
}

// startForEvent starts a sandbox that an event waits for. As on Lambda a function that has not been initialised in ten seconds is begun
// anew, in the time of the event.
//
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
func (f *managed) startForEvent(v *version) (*sandbox, error) {
	s, err := f.load(v.life, v, phase{"init", initLimit}, false)
	var late *initTimeout
	if errors.As(err, &late) {
		first := s
		s, err = f.load(v.life, v, phase{"invoke", timeoutOf(v.fn)}, false)
		if s != nil {
			s.follow(first)
		}
	}
	return f.started(s, err)
}

// started is what callers see of an attempt: a sandbox, or an error that has its log where it is the function's.
func (f *managed) started(s *sandbox, err error) (*sandbox, error) {
	if err == nil {
		return s, nil
	}
	if _, ok := asFailure("", err); ok {
		return nil, &unloaded{err, s}
	}
	return nil, err
}

// load makes one attempt. What it returns with an error has the log of it.
func (f *managed) load(ctx context.Context, v *version, p phase, provisioned bool) (s *sandbox, err error) {
	began := f.cfg.Clock.Now()
	s = &sandbox{f: f, v: v, stream: newStream(began, v.fn), provisioned: provisioned}
	if s.places, err = place(v.fn); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.places.remove()
		}
	}()
	ctx, cancel := context.WithCancelCause(context.WithValue(ctx, joinKey{}, s))
	written := v.inputs.written()
	stop := f.cfg.Clock.AfterFunc(p.limit, func() {
		if v.fn.Debug == 0 { // somebody may be looking at a line of it
			cancel(&initTimeout{p.limit})
		}
	})
	s.tell("", "platform.initStart", initStart{
		s.initialization(), p.name, v.fn.Name, v.fn.VersionName(), s.stream, int64(v.fn.Memory) << 20,
	})
	inner, err := f.engine.Start(ctx, v.fn, v.build.Build, environment(v.fn, f.cfg.Env(v.fn), s.stream, s.places, provisioned), s.log)
	stop()
	took := f.cfg.Clock.Now().Sub(began)
	cause := context.Cause(ctx)
	cancel(nil)
	s.beside.over()
	var late *initTimeout
	switch {
	case err == nil && !v.inputs.untouched(written):
		// A runtime reads sources as it starts, and they have been written meanwhile: it may hold what was there for a
		// moment only, between two states that are the same.
		s.Sandbox = inner
		s.end()
		return s, errTouched
	case err == nil:
		s.Sandbox = inner
	case errors.As(cause, &late):
		err = late
	case f.life.Err() != nil:
		err = ErrClosed
	}
	if p.name == "invoke" {
		s.late = took
	} else {
		s.init = took
	}
	s.sayInit(p, took, err)
	if c := s.beside.get(); err != nil && c != nil {
		c.Shutdown("failure")
	}
	return s, err
}

// initialization is why the sandbox was started, as AWS says it.
func (s *sandbox) initialization() string {
	if s.provisioned {
		return "provisioned-concurrency"
	}
	return onDemand
}

// sayInit reports an initialisation. One that was cut off because nobody needs it has come to nothing.
func (s *sandbox) sayInit(p phase, took time.Duration, err error) {
	done := initRuntimeDone{InitializationType: s.initialization(), Phase: p.name, Status: statusSuccess}
	if err != nil {
		failure, ok := asFailure("", err)
		if !ok {
			return
		}
		if done.Status, done.ErrorType = status(failure); done.Status == statusTimeout {
			done.ErrorType = ""
		}
	}
	s.tell("", "platform.initRuntimeDone", done)
	s.tell("", "platform.initReport", initReport{done.InitializationType, p.name, done.Status, done.ErrorType, durationOnly{ms(took)}})
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

// Close ends the sandbox, with its extensions if it has some, and then removes its temporary files.
func (s *sandbox) Close() error {
	err := s.end()
	s.places.remove()
	return err
}

func (s *sandbox) end() error {
	if c := s.beside.get(); c != nil {
		c.Shutdown(cmp.Or(s.reason, "spindown"))
	}
	return s.Sandbox.Close()
}

// log is what the engine calls with each line that the function prints.
func (s *sandbox) log(requestID, text string) { s.print("function", requestID, text) }

// print logs a line of the function or of an extension.
func (s *sandbox) print(typ, requestID, text string) {
	s.write(requestID, text)
	s.beside.observe(Record{Time: s.f.cfg.Clock.Now(), Type: typ, RequestID: requestID, Record: text})
}

// tell logs a platform event in the function's format, if it wants to know.
func (s *sandbox) tell(requestID, typ string, record any) {
	r := Record{Time: s.f.cfg.Clock.Now(), Type: typ, RequestID: requestID, Record: record}
	if s.v.fn.LogFormat == "JSON" {
		if levelOf(record) >= levels[s.v.fn.SystemLogLevel] {
			s.write(requestID, r.jsonLine())
		}
	} else if line := r.textLine(); line != "" {
		s.write(requestID, line)
	}
	s.beside.observe(r)
}

// say logs one of Lambda's own lines that is no platform event, and is the same in both formats.
func (s *sandbox) say(requestID, text string) { s.write(requestID, text) }

// sayText logs one of Lambda's own lines that a log in JSON does not have.
func (s *sandbox) sayText(requestID, text string) {
	if s.v.fn.LogFormat != "JSON" {
		s.write(requestID, text)
	}
}

func (s *sandbox) write(requestID, text string) {
	s.mu.Lock()
	s.tail = append(append(s.tail, text...), '\n')
	if len(s.tail) > 2*tailSize {
		s.tail = append(s.tail[:0], s.tail[len(s.tail)-tailSize:]...)
	}
	s.mu.Unlock()
	s.f.cfg.Log(Line{Function: s.v.fn.Name, ARN: s.v.fn.ARN, Group: s.v.fn.LogGroupName(), Stream: s.stream, RequestID: requestID, Text: text})
}

// follow takes over the tail of the log of an attempt before.
func (s *sandbox) follow(first *sandbox) {
	before := first.takeTail()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tail = append(before, s.tail...)
}

// takeTail returns the last lines of log since it was last asked.
func (s *sandbox) takeTail() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.tailLocked()
	s.tail = s.tail[:0]
	return out
}

// peekTail returns the last lines of log, and keeps them.
func (s *sandbox) peekTail() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tailLocked()
}

func (s *sandbox) tailLocked() []byte { return bytes.Clone(s.tail[max(0, len(s.tail)-tailSize):]) }
