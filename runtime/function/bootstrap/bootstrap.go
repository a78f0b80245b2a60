// Package bootstrap runs a sandbox that is a bootstrap: a program which speaks the Lambda Runtime API: an executable of any origin, or a
// language's interpreter with a runtime interface client in it.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
package bootstrap

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/extension"
	"devstack/runtime/function/runtimeapi"
	"devstack/runtime/function/spawn"
)

// Spec is a program to start.
type Spec struct {
	Path string       // absolute
	Args []string     // without the program's own name
	Dir  string       // "" for the function's task root
	Env  []string     // all of it but AWS_LAMBDA_RUNTIME_API; a later value of a name counts
	Keep spawn.Keeper // ends processes with the daemon; may be nil

	// Line sees each line that is printed before it is logged, and reports whether it is the function's own; nil: all are.
	Line func(text string) bool

	Frames bool // see spawn.Spec
}

// Sandbox is a program and its end of the Runtime API.
type Sandbox struct {
	api     *runtimeapi.API
	host    *extension.Host // of the extensions; it closes api
	process *spawn.Process
	request atomic.Pointer[string] // whose event it has
	close   sync.Once
}

// none is the request id outside of any request.
var none string

// Start runs a function's program until it asks for its first event. What it prints goes to log. A program that the
// system refuses to run is a *function.InitError; see function.Engine for the others.
func Start(ctx context.Context, fn *config.Function, spec Spec, log function.LogFunc) (*Sandbox, error) {
	api, host, err := beside(ctx, fn, handler(spec.Env), spec.Env, spec.Keep)
	if err != nil {
		return nil, err
	}
	s := &Sandbox{api: api, host: host}
	s.request.Store(&none)
	if err := s.start(ctx, fn, spec, log); err != nil {
		host.Abandon()
		return nil, err
	}
	return s, nil
}

// Beside makes the Host of a sandbox whose runtime takes its events over pipes, and starts what belongs beside the runtime. A wrapper
// script may start another program in the runtime's place, such as the AWS Lambda Web Adapter lets it: so where there is one there is also
// a Runtime API, else nil.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html#runtime-wrapper, https://github.com/aws/aws-lambda-web-adapter
func Beside(ctx context.Context, fn *config.Function, handler string, env []string, keep spawn.Keeper) (*runtimeapi.API, *extension.Host, error) {
	if function.Wrapper(env) == "" {
		host, err := extension.Beside(ctx, fn, handler, env, keep)
		return nil, host, err
	}
	return beside(ctx, fn, handler, env, keep)
}

// beside is extension.Beside with a Runtime API on the same server.
func beside(ctx context.Context, fn *config.Function, handler string, env []string, keep spawn.Keeper) (*runtimeapi.API, *extension.Host, error) {
	host := extension.New(ctx, extension.Config{
		Function: fn, Handler: handler, Programs: extension.Programs(fn.Layers), Env: env, Run: extension.Spawn(keep),
	})
	api, err := runtimeapi.New(host.Handle)
	if err == nil {
		host.Served(api, api.Addr())
		err = host.Start(ctx)
	}
	if err != nil {
		host.Abandon()
		return nil, nil, err
	}
	return api, host, nil
}

// handler is the function's, as its environment has it.
func handler(env []string) (name string) {
	for _, kv := range env {
		if value, ok := strings.CutPrefix(kv, "_HANDLER="); ok {
			name = value
		}
	}
	return name
}

// start starts the program, and waits until it and the extensions wait for an event.
func (s *Sandbox) start(ctx context.Context, fn *config.Function, spec Spec, log function.LogFunc) (err error) {
	if spec.Dir == "" {
		spec.Dir = function.TaskRoot(fn)
	}
	s.process, err = spawn.Start(spawn.Spec{
		Path: spec.Path, Args: spec.Args, Dir: spec.Dir, Keep: spec.Keep, Frames: spec.Frames,
		Env: append(spec.Env[:len(spec.Env):len(spec.Env)], s.host.Variable()),
		Line: func(text string) {
			if spec.Line == nil || spec.Line(text) {
				log(*s.request.Load(), text)
			}
		},
	})
	if err != nil {
		log("", err.Error()) // says what to do about it
		return invalidEntrypoint(fn, spec.Path, err)
	}
	s.process.Limit(function.MemoryLimit(fn))
	s.host.Runtime(s.process)
	return s.await(ctx)
}

// await waits for the program's first word, and that of each extension.
func (s *Sandbox) await(ctx context.Context) error {
	defer s.process.Busy()()
	select {
	case <-s.api.Ready():
		return s.host.Ready(ctx)
	case failed := <-s.api.Failed():
		return failed
	case <-s.host.Life().Done():
		return s.host.Err()
	case <-s.process.Done():
		select {
		case failed := <-s.api.Failed():
			return failed
		default:
			return &function.ExitError{Status: s.process.Status()}
		}
	case <-ctx.Done():
		return ctx.Err()
	}
}

// invalidEntrypoint is Lambda's error for a program that the operating system refuses to run, with the places that it has there. Seen in
// the wild: "fork/exec /var/task/bootstrap: permission denied", ": exec format error", and ": no such file or directory" where the
// interpreter of a script is not there.
//
// https://github.com/awslabs/aws-lambda-dart-runtime/issues/20, https://github.com/awslabs/swift-aws-lambda-runtime/issues/541,
// https://github.com/aws-samples/aws-lambda-layer-kubectl/issues/39
func invalidEntrypoint(fn *config.Function, path string, err error) error {
	var refused *os.PathError
	if !errors.As(err, &refused) || refused.Op != "fork/exec" {
		return err
	}
	for place, dir := range map[string]string{"/var/task": function.TaskRoot(fn), "/opt": layer(fn, path)} {
		if rel, err := filepath.Rel(dir, path); dir != "" && err == nil && filepath.IsLocal(rel) {
			path = filepath.Join(place, rel)
			break
		}
	}
	return &function.InitError{Type: "Runtime.InvalidEntrypoint", Reason: "fork/exec " + path + ": " + refused.Err.Error()}
}

// layer is the one that a file is in, "" if it is in none.
func layer(fn *config.Function, path string) string {
	for _, dir := range fn.Layers {
		if rel, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(rel) {
			return dir
		}
	}
	return ""
}

// Invoke hands the event over by the Runtime API.
func (s *Sandbox) Invoke(ctx context.Context, ev *function.Event) ([]byte, error) {
	s.request.Store(&ev.RequestID)
	defer s.request.Store(&none)
	return Invoke(ctx, s.api, s.process, ev)
}

// Invoke hands a process an event by the Runtime API, and returns its answer once all is delivered that it printed before.
func Invoke(ctx context.Context, api *runtimeapi.API, process *spawn.Process, ev *function.Event) ([]byte, error) {
	defer process.Busy()()
	payload, err := api.Invoke(ctx, ev, process.Done())
	if errors.Is(err, runtimeapi.ErrEnded) {
		return nil, &function.ExitError{Status: process.Status()}
	}
	process.Flush()
	return payload, err
}

// Done is closed when the program has ended.
func (s *Sandbox) Done() <-chan struct{} { return s.process.Done() }

// Close ends the program and the processes that it started.
func (s *Sandbox) Close() error {
	var err error
	s.close.Do(func() {
		s.process.Kill()
		err = s.host.Close()
	})
	return err
}

// MaxMemory is the most memory that the program has held so far, in bytes.
func (s *Sandbox) MaxMemory() int64 { return s.process.MaxMemory() }
