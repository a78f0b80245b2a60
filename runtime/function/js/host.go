package js

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dop251/goja"

	"devstack/runtime/config"
	"devstack/runtime/function"
)

// noFunction stands for the function in a sandbox that only looks at built-in modules.
var noFunction config.Function

// hostEnv implements host.env() → an object of the environment variables.
func (s *sandbox) hostEnv(goja.FunctionCall) goja.Value {
	obj := s.rt.NewObject()
	for _, kv := range s.env {
		if k, v, ok := strings.Cut(kv, "="); ok {
			_ = obj.Set(k, v) // cannot fail: a plain object
		}
	}
	return obj
}

// hostExit implements host.exit(status): nothing of the script runs afterwards.
func (s *sandbox) hostExit(call goja.FunctionCall) goja.Value {
	exit := &function.ExitError{}
	if status := call.Argument(0).ToInteger() & 0xff; status != 0 {
		exit.Status = "exit status " + strconv.FormatInt(status, 10)
	}
	s.rt.Interrupt(exit)
	return goja.Undefined()
}

// hostNow implements host.now(): milliseconds since the sandbox began, with fractions.
func (s *sandbox) hostNow(goja.FunctionCall) goja.Value {
	ns := s.engine.opts.Clock.Now().UnixNano() - s.createdAt
	return s.rt.ToValue(float64(ns) / float64(time.Millisecond))
}

// hostRemaining implements host.remaining(): milliseconds until the invocation's deadline.
func (s *sandbox) hostRemaining(goja.FunctionCall) goja.Value {
	if s.event == nil {
		return s.rt.ToValue(0)
	}
	return s.rt.ToValue(max(0, s.event.Deadline.Sub(s.engine.opts.Clock.Now()).Milliseconds()))
}

// hostInfo implements host.info() → [name, memory in MiB] of the function.
func (s *sandbox) hostInfo(goja.FunctionCall) goja.Value {
	return s.rt.NewArray(s.fn.Name, s.fn.Memory)
}

// hostStack implements host.stack(text): an error's stack as V8 writes it.
func (s *sandbox) hostStack(call goja.FunctionCall) goja.Value {
	return s.rt.ToValue(v8Stack(call.Argument(0).String()))
}

// hostBuiltins implements host.builtins() → the names of Node's modules that are built in.
func (s *sandbox) hostBuiltins(goja.FunctionCall) goja.Value {
	var names []any
	for _, name := range slices.Sorted(maps.Keys(modules)) {
		if !strings.ContainsAny(name, ":@") && !strings.HasSuffix(name, "/") && name != "redis" && name != "ioredis" {
			names = append(names, name)
		}
	}
	return s.rt.NewArray(names...)
}
