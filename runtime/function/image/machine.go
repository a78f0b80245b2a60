package image

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"

	"devstack/runtime/config"
	"devstack/runtime/container"
	"devstack/runtime/function"
	"devstack/runtime/function/bootstrap"
	"devstack/runtime/function/rapid"
	"devstack/runtime/function/runtimeapi"
	"devstack/runtime/function/spawn"
)

// hostName is a container's own name: the one by which extensions are told to listen for telemetry.
//
// https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api.html#telemetry-api-destination
const hostName = "sandbox.localdomain"

// machine is a container with an init of ours: the bootstrap.Machine of a sandbox.
type machine struct {
	engine  *Engine
	fn      *config.Function
	build   *build
	program string
	env     []string
	log     function.LogFunc

	inside  *inside
	address string // of the sandbox's APIs, as the container calls it

	up        chan struct{} // closed once container is set, or never will be
	once      sync.Once
	container *container.Container
}

// unfitError says that a container with an init could not be run at all, or that its init never came.
type unfitError struct{ error }

func (u *unfitError) Unwrap() error { return u.error }

// startWithInit runs a container with an init, then the extensions and the runtime in it.
func (e *Engine) startWithInit(ctx context.Context, fn *config.Function, b *build, program string, env []string, log function.LogFunc) (function.Sandbox, error) {
	what, err := b.program(ctx, fn)
	if err != nil {
		return nil, err
	}
	m := &machine{engine: e, fn: fn, build: b, program: program, env: env, log: log, up: make(chan struct{})}
	m.inside = newInside(m.gone)
	spec := bootstrap.Spec{Path: what[0], Args: what[1:], Env: []string{"_HANDLER=" + fn.Handler}, Machine: m}
	s, err := bootstrap.Start(ctx, fn, spec, log)
	if err != nil {
		return nil, err // not a nil *bootstrap.Sandbox
	}
	return s, nil
}

// program is what the container is there for: the image's entry point and command, or the function's own.
func (b *build) program(ctx context.Context, fn *config.Function) ([]string, error) {
	b.look.Lock()
	defer b.look.Unlock()
	if !b.looked {
		var err error
		if b.entry, b.command, err = b.engine.docker.Program(ctx, b.id); err != nil {
			return nil, err
		}
		b.looked = true
	}
	entry, command := b.entry, b.command
	if len(fn.EntryPoint) > 0 { // as Docker has it: the image's command belongs to the image's entry point
		entry, command = fn.EntryPoint, nil
	}
	switch {
	case fn.Handler != "":
		command = []string{fn.Handler}
	case len(fn.Command) > 0:
		command = fn.Command
	}
	all := slices.Concat(entry, command)
	if len(all) == 0 || all[0] == "" {
		return nil, &function.InitError{Type: "Runtime.InvalidEntrypoint", Reason: "No command specified: the image has neither ENTRYPOINT nor CMD"}
	}
	return all, nil
}

// Listen opens the APIs, with the init's door beside them.
func (m *machine) Listen(more ...func(*http.ServeMux)) (*runtimeapi.API, string, error) {
	api, address, err := m.engine.listen(context.Background(), append(more, m.inside.handle)...)
	m.address = address
	return api, address, err
}

// Open runs the container until its init has come.
func (m *machine) Open(ctx context.Context) (extensions, env []string, err error) {
	defer m.once.Do(func() { close(m.up) })
	out := newOutput(m.log)
	spec, err := m.engine.spec(ctx, m.fn, m.build, m.env, m.address, out)
	if err != nil {
		return nil, nil, err
	}
	spec.Program, spec.Hostname = m.program, hostName
	spec.Entry, spec.Command = []string{rapid.Path, rapid.Verb, m.address, m.inside.secret}, nil
	m.container, err = m.engine.docker.Run(ctx, spec)
	switch {
	case errdefs.IsInvalidArgument(err), err != nil && ctx.Err() == nil:
		return nil, nil, &unfitError{err}
	case err != nil:
		return nil, nil, err
	}
	err = m.inside.wait(ctx, m.container.Done())
	if errors.Is(err, errGone) {
		status := m.end()
		if !m.inside.came() && !strings.HasPrefix(status, "signal: ") { // nobody has killed it: it does not run, or cannot call us
			return nil, nil, &unfitError{fmt.Errorf("%s in a container ends with %q", m.program, cmp.Or(status, "exit status 0"))}
		}
		return nil, nil, &function.ExitError{Status: status}
	}
	if err != nil {
		return nil, nil, err
	}
	return m.inside.paths(), m.inside.env, nil
}

// Run starts a program in the container.
func (m *machine) Run(spec spawn.Spec) (bootstrap.Process, error) { return m.inside.run(spec) }

// Address is how a port of the container is called from here.
func (m *machine) Address(port string) (string, error) { return m.inside.address(port) }

// gone is called when the init is not there any more. It ends the container, if that has not, and says how it ended.
func (m *machine) gone() string {
	<-m.up
	if m.container == nil {
		return ""
	}
	return m.end()
}

// end waits a moment for the end that is on its way, so that its own reason is known.
func (m *machine) end() string {
	wait := time.NewTimer(patience)
	defer wait.Stop()
	select {
	case <-m.container.Done():
	case <-wait.C:
		if err := m.container.Kill(); err != nil {
			return err.Error()
		}
	}
	return m.container.ExitStatus()
}

// Close kills the container, of which there may be none.
func (m *machine) Close() error {
	m.once.Do(func() { close(m.up) })
	var err error
	if m.container != nil {
		err = m.container.Kill()
	}
	m.inside.close()
	return err
}
