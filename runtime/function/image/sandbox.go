package image

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"

	"github.com/containerd/errdefs"

	"devstack/runtime/config"
	"devstack/runtime/container"
	"devstack/runtime/function"
	"devstack/runtime/function/runtimeapi"
)

// sandbox is a container and its end of the Runtime API.
type sandbox struct {
	api       *runtimeapi.API
	container *container.Container
	output    *output
	close     sync.Once
}

// Start runs a container until its runtime asks for the first event.
//
// As on Lambda it can write below /tmp only, and has as much memory as the function; its command is the image's, unless
// the function has a handler.
//
// https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#images-reqs
// https://docs.aws.amazon.com/lambda/latest/dg/images-parms.html
func (e *Engine) Start(ctx context.Context, fn *config.Function, b function.Build, env []string, log function.LogFunc) (function.Sandbox, error) {
	api, address, err := e.listen(ctx)
	if err != nil {
		return nil, err
	}
	s := &sandbox{api: api, output: newOutput(log)}
	if s.container, err = e.run(ctx, fn, b.(*build), env, address, s.output); err != nil {
		api.Close()
		return nil, err
	}
	select {
	case <-api.Ready():
		return s, nil
	case failed := <-api.Failed():
		s.Close()
		return nil, failed
	case <-s.container.Done():
		defer s.Close()
		select {
		case failed := <-api.Failed():
			return nil, failed
		default:
			return nil, s.exit()
		}
	case <-ctx.Done():
		s.Close()
		return nil, ctx.Err()
	}
}

// listen opens a Runtime API on the one address of this machine that a container can call, and returns it with what the
// container calls it by.
func (e *Engine) listen(ctx context.Context) (*runtimeapi.API, string, error) {
	gateway, err := e.docker.GatewayAddr(ctx)
	if err != nil {
		return nil, "", err
	}
	if gateway == "" {
		gateway = "127.0.0.1" // which the engine connects its containers to
	}
	host, err := e.docker.HostAddr(ctx)
	if err != nil {
		return nil, "", err
	}
	api, err := runtimeapi.Listen(net.JoinHostPort(gateway, "0"))
	if err != nil {
		return nil, "", err
	}
	_, port, err := net.SplitHostPort(api.Addr())
	if err != nil {
		api.Close()
		return nil, "", err
	}
	return api, net.JoinHostPort(host, port), nil
}

func (e *Engine) run(ctx context.Context, fn *config.Function, b *build, env []string, api string, out *output) (*container.Container, error) {
	env, err := e.environment(ctx, fn, env, api)
	if err != nil {
		return nil, err
	}
	spec := container.Spec{
		Resource: resource(fn), Image: b.id, Env: env, Memory: int64(fn.Memory) << 20, ReadOnly: true, Output: out, Binds: b.binds,
		Entry: fn.EntryPoint, Command: fn.Command, Dir: fn.WorkingDirectory,
	}
	if fn.Handler != "" {
		spec.Command = []string{fn.Handler}
	}
	c, err := e.docker.Run(ctx, spec)
	if errdefs.IsInvalidArgument(err) {
		// The image names no program, or one that cannot be run.
		// https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html (Runtime.InvalidEntrypoint)
		const typ = "Runtime.InvalidEntrypoint"
		return nil, &function.InitError{Type: typ, Payload: function.ErrorBody(typ, err.Error())}
	}
	return c, err
}

// Invoke hands the event over by the Runtime API. A line that the container printed before its answer, and that comes later all
// the same, counts to the request, but stands behind its END.
func (s *sandbox) Invoke(ctx context.Context, ev *function.Event) ([]byte, error) {
	s.output.request.Store(&ev.RequestID)
	payload, err := s.api.Invoke(ctx, ev, s.container.Done())
	if errors.Is(err, runtimeapi.ErrEnded) {
		return nil, s.exit()
	}
	s.container.Flush(ctx) // what it printed before it answered
	return payload, err
}

// exit says how the container ended.
func (s *sandbox) exit() *function.ExitError {
	switch code := s.container.ExitCode(); {
	case code == 0:
		return &function.ExitError{}
	case code > 128:
		return &function.ExitError{Status: "signal: " + syscall.Signal(code-128).String()}
	case code < 0:
		return &function.ExitError{Status: s.container.Err().Error()}
	default:
		return &function.ExitError{Status: fmt.Sprintf("exit status %d", code)}
	}
}

// Done is closed when the container has ended.
func (s *sandbox) Done() <-chan struct{} { return s.container.Done() }

// Close kills the container.
func (s *sandbox) Close() error {
	var err error
	s.close.Do(func() { err = errors.Join(s.container.Kill(), s.api.Close()) })
	return err
}
