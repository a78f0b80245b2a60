package image

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"

	"github.com/containerd/errdefs"

	"devstack/runtime/config"
	"devstack/runtime/container"
	"devstack/runtime/function"
	"devstack/runtime/function/runtimeapi"
)

// sandbox is a container that has no init of ours, and its end of the Runtime API.
type sandbox struct {
	api       *runtimeapi.API
	container *container.Container
	output    *output
	close     sync.Once
}

// Start runs a container until its runtime asks for the first event: with an init of ours where one can run, which starts the
// extensions of the image and makes logs exact, and else with the runtime as its only program.
//
// As on Lambda it can write below /tmp only, and has as much memory as the function; its command is the image's, unless
// the function has a handler.
//
// https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#images-reqs
// https://docs.aws.amazon.com/lambda/latest/dg/images-parms.html
func (e *Engine) Start(ctx context.Context, fn *config.Function, b function.Build, env []string, log function.LogFunc) (function.Sandbox, error) {
	program, why := e.init.program(ctx, e.docker)
	if why != nil {
		e.init.say(e.docker, fn, why)
		return e.startAlone(ctx, fn, b.(*build), env, log)
	}
	s, err := e.startWithInit(ctx, fn, b.(*build), program, env, log)
	var unfit *unfitError
	if !errors.As(err, &unfit) {
		return s, err
	}
	// It may be the init's fault, such as where the engine sees other files than we do.
	s, err = e.startAlone(ctx, fn, b.(*build), env, log)
	if err == nil {
		e.init.giveUp(unfit.error)
		e.init.say(e.docker, fn, unfit.error)
	}
	return s, err
}

// startAlone runs a container whose only program is the runtime.
func (e *Engine) startAlone(ctx context.Context, fn *config.Function, b *build, env []string, log function.LogFunc) (function.Sandbox, error) {
	api, address, err := e.listen(ctx)
	if err != nil {
		return nil, err
	}
	s := &sandbox{api: api, output: newOutput(log)}
	if s.container, err = e.run(ctx, fn, b, env, address, s.output); err != nil {
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
func (e *Engine) listen(ctx context.Context, more ...func(*http.ServeMux)) (*runtimeapi.API, string, error) {
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
	api, err := runtimeapi.Listen(net.JoinHostPort(gateway, "0"), more...)
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

// spec is a function's container.
func (e *Engine) spec(ctx context.Context, fn *config.Function, b *build, env []string, api string, out *output) (container.Spec, error) {
	env, err := e.environment(ctx, fn, env, api)
	spec := container.Spec{
		Resource: resource(fn), Image: b.id, Env: env, Memory: int64(fn.Memory) << 20, ReadOnly: true, Output: out, Binds: b.binds,
		Entry: fn.EntryPoint, Command: fn.Command, Dir: fn.WorkingDirectory,
	}
	if fn.Handler != "" {
		spec.Command = []string{fn.Handler}
	}
	return spec, err
}

func (e *Engine) run(ctx context.Context, fn *config.Function, b *build, env []string, api string, out *output) (*container.Container, error) {
	spec, err := e.spec(ctx, fn, b, env, api, out)
	if err != nil {
		return nil, err
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
	return &function.ExitError{Status: s.container.ExitStatus()}
}

// Done is closed when the container has ended.
func (s *sandbox) Done() <-chan struct{} { return s.container.Done() }

// Close kills the container.
func (s *sandbox) Close() error {
	var err error
	s.close.Do(func() { err = errors.Join(s.container.Kill(), s.api.Close()) })
	return err
}
