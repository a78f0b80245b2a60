// Package bootstrap runs a sandbox that is a bootstrap: a program which speaks the Lambda Runtime API: an executable of any origin, or a
// language's interpreter with a runtime interface client in it.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
package bootstrap

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
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
	Dir  string       // "" for the function's task root or, on a Machine, where programs start there
	Env  []string     // all of it but AWS_LAMBDA_RUNTIME_API; a later value of a name counts
	Keep spawn.Keeper // ends processes with the daemon; may be nil

	// Line sees each line that is printed before it is logged, and reports whether it is the function's own; nil: all are.
	Line func(text string) bool

	Frames bool // see spawn.Spec

	Machine Machine // where the program runs, with Env as it is there; nil: here
}

// Machine is where a sandbox's programs run if they do not run as processes of this machine: a container. It ends with the sandbox.
type Machine interface {
	// Listen opens the sandbox's APIs where its programs can call them, and returns the address by which they do.
	Listen(more ...func(*http.ServeMux)) (api *runtimeapi.API, address string, err error)

	// Open gets the machine ready for programs. It returns which external extensions are in it, and what programs find in their
	// environment there.
	Open(ctx context.Context) (extensions, env []string, err error)

	// Run starts a program. A path without a slash is looked up there.
	Run(spec spawn.Spec) (Process, error)

	// Address is how a port of the machine is called from here.
	Address(port string) (string, error)

	Close() error
}

// Process is a running program.
type Process interface {
	extension.Process
	Flush()           // delivers every whole line that was printed before the call
	MaxMemory() int64 // bytes, 0 if nobody knows
	Busy() func()     // see spawn.Process
	Limit(bytes int64)
}

// Sandbox is a program and its end of the Runtime API.
type Sandbox struct {
	api     *runtimeapi.API
	host    *extension.Host // of the extensions; it closes api
	process Process
	request atomic.Pointer[string] // whose event it has
	close   sync.Once
}

// none is the request id outside of any request.
var none string

// Start runs a function's program until it asks for its first event. What it prints goes to log. A program that the
// system refuses to run is a *function.InitError; see function.Engine for the others.
func Start(ctx context.Context, fn *config.Function, spec Spec, log function.LogFunc) (*Sandbox, error) {
	m, run := spec.Machine, extension.Spawn(spec.Keep)
	if m == nil {
		m = &here{fn, spec.Env}
	} else {
		run = func(p extension.Program) (extension.Process, error) {
			return m.Run(spawn.Spec{Path: p.Path, Env: p.Env, Line: p.Line})
		}
	}
	api, host, env, err := beside(ctx, fn, handler(spec.Env), m, run)
	if err != nil {
		return nil, err
	}
	spec.Env = env
	s := &Sandbox{api: api, host: host}
	s.request.Store(&none)
	if err := s.start(ctx, fn, m, spec, log); err != nil {
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
	api, host, _, err := beside(ctx, fn, handler, &here{fn, env}, extension.Spawn(keep))
	return api, host, err
}

// beside makes the Host and, on the same server, the Runtime API of a sandbox, gets the machine ready, and starts with run what belongs
// beside the runtime. It returns the environment of programs as well. If it fails all of that has ended.
func beside(
	ctx context.Context, fn *config.Function, handler string, m Machine, run func(extension.Program) (extension.Process, error),
) (*runtimeapi.API, *extension.Host, []string, error) {
	host := extension.New(ctx, extension.Config{Function: fn, Handler: handler, Run: run, Address: m.Address})
	api, address, err := m.Listen(host.Handle)
	var env []string
	if err == nil {
		host.Served(both{api, m}, address)
		env, err = open(ctx, host, m)
	}
	if err != nil {
		host.Abandon()
		return nil, nil, nil, err
	}
	return api, host, env, nil
}

// open gets the machine ready, and starts the extensions that are found in it.
func open(ctx context.Context, host *extension.Host, m Machine) (env []string, err error) {
	extensions, env, err := m.Open(ctx)
	if err != nil {
		return nil, err
	}
	host.Found(extensions, env)
	return env, host.Start(ctx)
}

// both are the APIs and the machine, which end together.
type both struct {
	api     *runtimeapi.API
	machine Machine
}

// Close ends the machine's programs before what they call.
func (b both) Close() error { return errors.Join(b.machine.Close(), b.api.Close()) }

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
func (s *Sandbox) start(ctx context.Context, fn *config.Function, m Machine, spec Spec, log function.LogFunc) (err error) {
	s.process, err = m.Run(spawn.Spec{
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
	var unknown *exec.Error // it is in no folder of PATH
	if errors.As(err, &unknown) {
		return &function.InitError{Type: "Runtime.InvalidEntrypoint", Reason: unknown.Error()}
	}
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
func Invoke(ctx context.Context, api *runtimeapi.API, process Process, ev *function.Event) ([]byte, error) {
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
