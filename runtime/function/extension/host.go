// Package extension is the AWS Lambda Extensions API and the Telemetry API: it runs a sandbox's extensions, tells them of its events,
// and sends them what is logged.
//
// An engine makes a Host for each sandbox, has it start what is to run beside the runtime, and gives the runtime its address; the
// rest is between the Host and the Manager, who has it as the sandbox's function.Companion.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html; states, names and texts of errors are those of AWS's
// open source runtime interface emulator (github.com/aws/aws-lambda-runtime-interface-emulator, lambda/core and lambda/rapi/handler).
package extension

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path"
	"slices"
	"sync"
	"time"

	"devstack/runtime/config"
	"devstack/runtime/function"
)

// Config is what a Host works with.
type Config struct {
	Function *config.Function
	Handler  string                            // as extensions are told of it
	Programs []string                          // the external extensions: paths of executables, see Programs
	Env      []string                          // the sandbox's environment
	Run      func(Program) (Process, error)    // starts one of them
	Address  func(port string) (string, error) // how a port of the sandbox is called from here; nil: on the loopback interface
}

// Program is an external extension to start.
type Program struct {
	Path string
	Env  []string
	Line func(text string) // takes what it prints
}

// Process is a process of the sandbox.
type Process interface {
	Done() <-chan struct{}
	Status() string // how it ended, once Done is closed: "exit status 1", "signal: killed", "" if with status 0
	Terminate()     // asks it to end
	Kill()          // ends it, and returns when it is gone
}

// Host has the extensions of one sandbox. Its methods may be called from any goroutine.
type Host struct {
	cfg   Config
	joint *function.Joint
	life  context.Context
	fail  context.CancelCauseFunc
	work  sync.WaitGroup
	over  chan struct{} // closed when everything has ended

	mu      sync.Mutex
	agents  []*agent // in order of their start or registration
	runtime Process
	settled chan struct{} // closed while no extension has an event
	changed chan struct{} // closed and replaced whenever an agent's state changes
	closed  bool          // no more registrations and subscriptions
	ending  bool          // the shutdown has begun
	ended   bool          // and is done
	server  io.Closer     // the APIs'
	address string

	telemetry telemetry
	shutdown  sync.Once
}

// state is what an extension is at, by AWS's names.
type state string

const (
	started     state = "Started"
	registered  state = "Registered"
	ready       state = "Ready"
	running     state = "Running"
	initFailed  state = "InitError"
	exitFailed  state = "ExitError"
	exited      state = "Exited"
	notShutDown state = "ShutdownFailed"
	notLaunched state = "LaunchError"
)

// agent is an extension.
type agent struct {
	name     string
	id       string
	external bool
	process  Process // of an external one
	state    state
	events   []string
	waiting  int         // requests for its next event
	pending  bool        // it has an event, or is about to have it
	next     chan []byte // the event that it is to have
	errType  string
}

// New returns the Host of the sandbox that is being started under ctx, and joins it to the sandbox.
func New(ctx context.Context, cfg Config) *Host {
	h := &Host{cfg: cfg, over: make(chan struct{}), settled: make(chan struct{}), changed: make(chan struct{})}
	h.life, h.fail = context.WithCancelCause(context.Background())
	close(h.settled)
	h.telemetry.init(h)
	h.joint = function.Join(ctx, h)
	return h
}

// Listen opens a server for the Host alone, for a runtime that does not take its events by HTTP. It ends with the Host.
func (h *Host) Listen() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for a sandbox's extensions: %w", err)
	}
	mux := http.NewServeMux()
	h.Handle(mux)
	server := &http.Server{Handler: Guard(mux), ReadHeaderTimeout: time.Minute}
	go server.Serve(l) // ends with the Host
	h.Served(server, l.Addr().String())
	return nil
}

// Found says which external extensions there are, and the sandbox's environment, where that is known only once the sandbox is there. It
// is called before Start.
func (h *Host) Found(programs, env []string) { h.cfg.Programs, h.cfg.Env = programs, env }

// Served says which server has the Host's APIs, for the Host to close in the end, and how extensions call it.
func (h *Host) Served(by io.Closer, address string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.server, h.address = by, address
}

// Addr is host and port of the server, the value of AWS_LAMBDA_RUNTIME_API.
func (h *Host) Addr() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.address
}

// Any reports whether the sandbox has extensions.
func (h *Host) Any() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.agents) > 0
}

// Start starts the external extensions and waits until all of them have registered. One that cannot be started, or fails, is a
// *function.ExtensionError.
func (h *Host) Start(ctx context.Context) error {
	for _, p := range h.cfg.Programs {
		if err := h.launch(p); err != nil {
			return err
		}
	}
	return h.await(ctx, func(a *agent) bool { return a.state != started })
}

func (h *Host) launch(program string) error {
	a := &agent{name: path.Base(program), external: true, state: started, next: make(chan []byte, 1)}
	h.mu.Lock()
	h.agents = append(h.agents, a)
	h.mu.Unlock()
	p, err := h.cfg.Run(Program{Path: program, Env: environment(h.cfg.Env, h.Addr()), Line: h.joint.Print})
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil {
		a.state, a.errType = notLaunched, launchErrorType(err)
		return &function.ExtensionError{Type: "Extension.LaunchError", Message: err.Error()}
	}
	a.process = p
	h.work.Go(func() { h.watch(a) })
	return nil
}

// watch notices the end of an extension's process. Before the shutdown it is a crash.
func (h *Host) watch(a *agent) {
	<-a.process.Done()
	h.mu.Lock()
	defer h.mu.Unlock()
	if a.state == running || a.state == ready || a.state == registered || a.state == started {
		a.state = exited
	}
	h.changedLocked()
	if !h.ending {
		// Seen: {"errorType":"Extension.Crash","errorMessage":"RequestId: … Error: exit code 0"}.
		h.fail(&function.ExtensionError{Type: "Extension.Crash", Message: exitCode(a.process.Status())})
	}
}

// Runtime tells the Host of the process that it is to end before the extensions.
func (h *Host) Runtime(p Process) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.runtime = p
}

// Ready waits until all extensions have asked for their first event; with that the initialisation is over, and no other can
// register any more.
func (h *Host) Ready(ctx context.Context) error {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	err := h.await(ctx, func(a *agent) bool { return a.state == ready })
	h.introduce()
	h.telemetry.begun()
	return err
}

// introduce logs each extension once: the Manager does, in the order in which they came.
func (h *Host) introduce() {
	h.mu.Lock()
	var all []function.Extension
	for _, a := range h.agents {
		events := a.events
		if events == nil {
			events = []string{}
		}
		all = append(all, function.Extension{Name: a.name, State: string(a.state), Events: events, ErrorType: a.errType})
	}
	h.mu.Unlock()
	for _, e := range all {
		h.joint.Tell("platform.extension", e)
	}
}

// await waits until all agents are as wanted.
func (h *Host) await(ctx context.Context, done func(*agent) bool) error {
	for {
		h.mu.Lock()
		all := !slices.ContainsFunc(h.agents, func(a *agent) bool { return !done(a) })
		changed := h.changed
		h.mu.Unlock()
		switch {
		case h.life.Err() != nil:
			return context.Cause(h.life)
		case all:
			return nil
		}
		select {
		case <-changed:
		case <-h.life.Done():
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (h *Host) changedLocked() {
	close(h.changed)
	h.changed = make(chan struct{})
}

// Err is why an extension failed, nil if none did.
func (h *Host) Err() error {
	var failure *function.ExtensionError
	if errors.As(context.Cause(h.life), &failure) {
		return failure
	}
	return nil
}

// Life ends when an extension fails: see function.Companion.
func (h *Host) Life() context.Context { return h.life }

// Settled is closed once all extensions have asked for their next event.
func (h *Host) Settled() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.settled
}

// Abandon ends a Host and the runtime of a sandbox that could not be started. If there are extensions and a Manager, that is the
// Manager's to do, once it has told them why.
func (h *Host) Abandon() {
	if h.joint == nil || !h.Any() {
		h.mu.Lock()
		runtime := h.runtime
		h.mu.Unlock()
		if runtime != nil {
			runtime.Kill()
		}
		h.Close()
		return
	}
	h.introduce()
	h.telemetry.begun()
}

// Close ends everything at once.
func (h *Host) Close() error {
	h.mu.Lock()
	h.ending = true
	var left []Process
	for _, a := range h.agents {
		if a.process != nil {
			left = append(left, a.process)
		}
	}
	if !h.ended {
		h.ended = true
		close(h.over)
	}
	server := h.server
	h.mu.Unlock()
	for _, p := range left {
		p.Kill()
	}
	h.telemetry.close()
	h.fail(nil)
	h.work.Wait()
	if server != nil {
		return server.Close()
	}
	return nil
}
