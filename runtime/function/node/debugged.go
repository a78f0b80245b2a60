package node

import (
	"context"
	"strings"
	"time"

	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/debug"
)

// reattach is how long a new sandbox waits for the debugger that was attached to the one before. VS Code tries every second.
var reattach = 5 * time.Second // a variable for the tests

// startDebugged starts a sandbox with an inspector of its own, to which the function's port leads from now on. It has no standby: it
// is to load everything under the debugger's eyes.
//
// https://nodejs.org/en/learn/getting-started/debugging
func (e *Engine) startDebugged(ctx context.Context, fn *config.Function, w wish, what loading, log function.LogFunc) (function.Sandbox, error) {
	port, err := e.ports.Open(idOf(fn), fn.Debug, debug.Inspector)
	if err != nil {
		return nil, err
	}
	w.flags = []string{"--inspect=127.0.0.1:0", "--inspect-publish-uid=http"} // without an announcement in the function's log
	s, err := e.spawn(w)
	if err != nil {
		return nil, err
	}
	address, err := s.Address(ctx)
	if err != nil {
		s.Close()
		return nil, err
	}
	if what.Wait = port.Turn(address); what.Wait {
		waiting := time.AfterFunc(reattach, func() {
			ctx, cancel := context.WithTimeout(context.Background(), reattach)
			defer cancel()
			if err := debug.Release(ctx, address); err != nil && ctx.Err() == nil {
				log("", "the debugger has not come back, and the function cannot go on without it: "+err.Error())
			}
		})
		defer waiting.Stop()
	}
	err = s.Load(ctx, what, func(requestID, line string) {
		if !announcement(line) {
			log(requestID, line)
		}
	})
	if err != nil {
		return nil, err
	}
	return sandbox{s}, nil
}

// announcement tells what Node.js itself says of its debugger, which is not the function's.
func announcement(line string) bool {
	return line == "Debugger attached." || line == "Waiting for the debugger to disconnect..." || strings.HasPrefix(line, "Debugger ending on ws://")
}
