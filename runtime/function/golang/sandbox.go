package golang

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/runtimeapi"
	"devstack/runtime/function/spawn"
)

// sandbox is a program and its end of the Runtime API.
type sandbox struct {
	api     *runtimeapi.API
	process *spawn.Process
	request atomic.Pointer[string] // whose event it has
	close   sync.Once
}

// none is the request id outside of any request.
var none string

// Start runs the program until it asks for its first event.
func (e *Engine) Start(ctx context.Context, fn *config.Function, b function.Build, env []string, log function.LogFunc) (function.Sandbox, error) {
	api, err := runtimeapi.New()
	if err != nil {
		return nil, err
	}
	s := &sandbox{api: api}
	s.request.Store(&none)
	handler := fn.Handler
	if handler == "" {
		handler = "bootstrap"
	}
	s.process, err = spawn.Start(spawn.Spec{
		Path: b.(*program).path,
		Dir:  function.TaskRoot(fn),
		Env:  append(env[:len(env):len(env)], "AWS_LAMBDA_RUNTIME_API="+api.Addr(), "_HANDLER="+handler),
		Line: func(text string) { log(*s.request.Load(), text) },
		Keep: e.cfg.Keep,
	})
	if err != nil {
		api.Close()
		return nil, invalidEntrypoint(err)
	}
	select {
	case <-api.Ready():
		return s, nil
	case failed := <-api.Failed():
		s.Close()
		return nil, failed
	case <-s.process.Done():
		api.Close()
		select {
		case failed := <-api.Failed():
			return nil, failed
		default:
		}
		return nil, &function.ExitError{Status: s.process.Status()}
	case <-ctx.Done():
		s.Close()
		return nil, ctx.Err()
	}
}

// invalidEntrypoint is Lambda's error for a program that the operating system refuses to run. Its text is ours: it says what
// to do about it.
//
// https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html (Runtime.InvalidEntrypoint)
func invalidEntrypoint(err error) error {
	const typ = "Runtime.InvalidEntrypoint"
	return &function.InitError{Type: typ, Payload: function.ErrorBody(typ, err.Error())}
}

// Invoke hands the event over by the Runtime API.
func (s *sandbox) Invoke(ctx context.Context, ev *function.Event) ([]byte, error) {
	s.request.Store(&ev.RequestID)
	defer s.request.Store(&none)
	payload, err := s.api.Invoke(ctx, ev, s.process.Done())
	if errors.Is(err, runtimeapi.ErrEnded) {
		return nil, &function.ExitError{Status: s.process.Status()}
	}
	s.process.Flush() // what it printed before it answered
	return payload, err
}

// Done is closed when the program has ended.
func (s *sandbox) Done() <-chan struct{} { return s.process.Done() }

// Close ends the program and the processes that it started.
func (s *sandbox) Close() error {
	var err error
	s.close.Do(func() {
		s.process.Kill()
		err = s.api.Close()
	})
	return err
}

// MaxMemory is the most memory that the program has held so far, in bytes.
func (s *sandbox) MaxMemory() int64 { return s.process.MaxMemory() }
