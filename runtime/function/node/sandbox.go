package node

import (
	"context"
	"strings"

	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/bootstrap"
	"devstack/runtime/function/pipe"
)

// loading is what a process is told of the function.
type loading struct {
	Name        string            `json:"name"`   // the handler, for messages
	Module      string            `json:"module"` // its file part, for messages
	Entry       string            `json:"entry"`
	Format      string            `json:"format"`         // "esm" or "cjs"
	Code        *string           `json:"code,omitempty"` // nil: what is in the entry file
	Exports     []string          `json:"exports"`
	Hooks       bool              `json:"hooks"`
	Env         map[string]string `json:"env"`                   // variables of this sandbox alone
	Environment map[string]string `json:"environment,omitempty"` // all variables, for a process that was started without
	Wait        bool              `json:"wait,omitempty"`        // for a debugger that is told to go on
}

// Start hands the function to the standby process, or to a new one.
func (e *Engine) Start(ctx context.Context, fn *config.Function, b function.Build, env []string, log function.LogFunc) (function.Sandbox, error) {
	built := b.(*build)
	node, err := e.nodes.of(ctx, fn.Runtime)
	if err != nil {
		return nil, err
	}
	e.note(fn.Name, node.note, log)
	if built.mistake != nil && function.Wrapper(env) == "" {
		return nil, built.mistake
	}
	more := e.provide(node.path, built, env)
	w := wishFor(node.path, built, more)
	what := loadingOf(built, env)
	what.Hooks = w.warm.Hooks
	if fn.Debug != 0 {
		return e.startDebugged(ctx, fn, w, what, log)
	}
	e.ports.Drop(idOf(fn))
	api, host, err := bootstrap.Beside(ctx, fn, fn.Handler, env, e.keeper())
	if err != nil {
		return nil, err
	}
	what.Env["AWS_LAMBDA_RUNTIME_API"] = host.Addr()
	if api != nil {
		w.env = append(w.env[:len(w.env):len(w.env)], host.Variable()) // for what the wrapper script may start instead of Node
	}
	s, err := e.process(idOf(fn), w, &what)
	if err != nil {
		host.Abandon()
		return nil, err
	}
	s.Attend(host)
	s.Allow(api)
	s.Limit(function.MemoryLimit(fn))
	if err := s.Load(ctx, what, log); err != nil {
		return nil, more.explain(err, log)
	}
	if api == nil {
		w.env = function.Shared(w.env)
		e.pool.prepare(idOf(fn), w)
	}
	return sandbox{s}, nil
}

// process returns one that waits, or a new one. Nothing waits behind a wrapper script: what that starts may not know how to.
func (e *Engine) process(id string, w wish, what *loading) (*pipe.Sandbox, error) {
	if function.Wrapper(w.env) != "" {
		return e.spawn(w)
	}
	if s := e.pool.take(id, w.key); s != nil {
		return s, nil
	}
	if len(w.warm.Packages) == 0 && late(w.env) {
		if s := e.pool.takeBlank(w.node); s != nil {
			what.Environment = w.variables()
			return s, nil
		}
	}
	return e.spawn(w)
}

// Prepare starts a standby for a function that has packages to load; one that has none takes a blank process.
func (e *Engine) Prepare(fn *config.Function, b function.Build, env []string) {
	built := b.(*build)
	node, err := e.nodes.of(context.Background(), fn.Runtime)
	if err != nil || built.mistake != nil {
		return
	}
	w := wishFor(node.path, built, e.provide(node.path, built, env))
	if len(w.warm.Packages) > 0 && function.Wrapper(env) == "" && e.pool.count() < maxPrepared {
		e.pool.prepare(idOf(fn), w)
	}
}

// idOf tells the versions of a function apart.
func idOf(fn *config.Function) string { return fn.Key() }

// sandbox is a process that has loaded the function.
type sandbox struct{ *pipe.Sandbox }

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

func loadingOf(b *build, env []string) loading {
	s := b.source
	l := loading{Name: s.handler, Module: s.module, Entry: s.entry, Format: "cjs", Exports: s.exports, Env: map[string]string{}}
	if s.esm {
		l.Format = "esm"
	}
	if s.compile {
		l.Code = &b.code
	}
	for _, kv := range env {
		if function.OfSandbox(kv) {
			name, value, _ := strings.Cut(kv, "=")
			l.Env[name] = value
		}
	}
	return l
}
