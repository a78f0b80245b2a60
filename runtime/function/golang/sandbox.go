package golang

import (
	"context"

	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/bootstrap"
)

// Start runs the program until it asks for its first event, under a debugger if somebody may want to debug it.
func (e *Engine) Start(ctx context.Context, fn *config.Function, b function.Build, env []string, log function.LogFunc) (function.Sandbox, error) {
	handler := fn.Handler
	if handler == "" {
		handler = "bootstrap"
	}
	p := b.(*program)
	spec := bootstrap.Spec{Path: p.path, Env: append(env[:len(env):len(env)], "_HANDLER="+handler), Keep: e.cfg.Keep}
	if p.port != nil {
		return e.startDebugged(ctx, fn, p, spec, log)
	}
	s, err := bootstrap.Start(ctx, fn, spec, log)
	if err != nil {
		return nil, err // not a nil *bootstrap.Sandbox
	}
	return s, nil
}
