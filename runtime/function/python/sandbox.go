package python

import (
	"context"
	"errors"
	"strings"

	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/bootstrap"
	"devstack/runtime/function/pipe"
	"devstack/runtime/function/spawn"
)

// loading is what a process is told of the function.
type loading struct {
	Root    string            `json:"root"`
	Own     []string          `json:"own"`
	Site    []string          `json:"site"`
	Handler string            `json:"handler"`
	Env     map[string]string `json:"env"`            // nil: what the process has
	Wait    float64           `json:"wait,omitempty"` // seconds, for a debugger
}

// Start forks a process that loads the function.
func (e *Engine) Start(ctx context.Context, fn *config.Function, b function.Build, env []string, log function.LogFunc) (function.Sandbox, error) {
	built := b.(*build)
	e.note(fn.Name, built.python.note, log)
	vars := map[string]string{}
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		vars[name] = value
	}
	if function.Wrapper(env) != "" {
		vars = nil // the process has them, as its wrapper has left them
	}
	what := loading{Root: built.root, Own: orEmpty(built.own), Site: orEmpty(built.site), Handler: built.handler, Env: vars}
	if fn.Debug != 0 {
		return e.startDebugged(ctx, fn, built, env, what, log)
	}
	e.ports.Drop(idOf(fn))
	api, host, err := bootstrap.Beside(ctx, fn, built.handler, env, e.servers.keep)
	if err != nil {
		return nil, err
	}
	if vars == nil {
		env = append(env[:len(env):len(env)], host.Variable())
	} else {
		vars["AWS_LAMBDA_RUNTIME_API"] = host.Addr()
	}
	s, err := e.process(ctx, idOf(fn), built, env)
	if err != nil {
		host.Abandon()
		return nil, err
	}
	s.Attend(host)
	s.Allow(api)
	s.Limit(function.MemoryLimit(fn))
	if err := s.Load(ctx, what, log); err != nil {
		return nil, err
	}
	return s, nil
}

// note puts the interpreter's note into the function's log, once.
func (e *Engine) note(name, text string, log function.LogFunc) {
	e.mu.Lock()
	first := text != "" && !e.noted[name]
	e.noted[name] = true
	e.mu.Unlock()
	if first {
		log("", text)
	}
}

// process returns a process that waits for a function: a fork, or a new one where there is no forking.
func (e *Engine) process(ctx context.Context, name string, b *build, env []string) (*pipe.Sandbox, error) {
	if function.Wrapper(env) != "" { // a script starts the process, so it cannot be forked
		return e.plain(b, env)
	}
	server, err := e.warmed(name, b, env)
	if err != nil {
		return nil, err
	}
	s, err := server.fork(ctx)
	var cannot *cannotFork
	if errors.As(err, &cannot) || errors.Is(err, errServerGone) { // a package may end, or crash, what imports it
		return e.plain(b, env)
	}
	return s, err
}

// warmed returns the server for a version, which has imported the packages by the time that it forks.
func (e *Engine) warmed(name string, b *build, env []string) (*server, error) {
	server, err := e.servers.server(name, b, env)
	if err == nil && len(b.modules) > 0 {
		if err := server.warm(b.site, b.modules); err != nil && !errors.Is(err, errServerGone) {
			return nil, err
		}
	}
	return server, err
}

// maxPrepared bounds the servers of functions that nobody has called.
const maxPrepared = 4

// Prepare starts the server of a function that has packages to import. One that has none shares its Python's, which runs already.
func (e *Engine) Prepare(fn *config.Function, b function.Build, env []string) {
	built := b.(*build)
	if len(built.modules) == 0 || function.Wrapper(env) != "" || e.servers.count() >= maxPrepared {
		return
	}
	_, _ = e.warmed(idOf(fn), built, env) // the first event says what is wrong
}

// idOf tells the versions of a function apart.
func idOf(fn *config.Function) string { return fn.Key() }

// plain starts a process of its own.
func (e *Engine) plain(b *build, env []string, flags ...string) (*pipe.Sandbox, error) {
	script, err := installRuntime()
	if err != nil {
		return nil, err
	}
	s, theirs, err := pipe.Open()
	if err != nil {
		return nil, err
	}
	defer theirs[0].Close()
	defer theirs[1].Close()
	path, args := function.Wrapped(env, b.python.path, append(flags, "-B", script, "sandbox", b.debugpy)...)
	p, err := spawn.Start(spawn.Spec{
		Path: path, Args: args, Dir: b.root, Env: env, Extra: theirs[:], Line: s.Line, Keep: e.servers.keep,
	})
	if err != nil {
		s.Abandon()
		return nil, err
	}
	s.Attach(p)
	return s, nil
}
