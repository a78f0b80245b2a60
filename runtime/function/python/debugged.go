package python

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/debug"
)

// reattach is how long a new sandbox waits for the debugger that was attached to the one before.
var reattach = 5 * time.Second // a variable for the tests

// startDebugged starts a sandbox with debugpy in it, to which the function's port leads from now on. It is a process of its own and no
// fork: debuggers have threads.
//
// https://github.com/microsoft/debugpy/wiki/API-Reference
func (e *Engine) startDebugged(ctx context.Context, fn *config.Function, b *build, env []string, what loading, log function.LogFunc) (function.Sandbox, error) {
	port, err := e.ports.Open(idOf(fn), fn.Debug, debug.Adapter)
	if err != nil {
		return nil, err
	}
	// Without its frozen modules Python lets debuggers see all of it, and debugpy has nothing to warn of.
	s, err := e.plain(b, env, "-X", "frozen_modules=off")
	if err != nil {
		return nil, err
	}
	address, err := s.Address(ctx)
	if err != nil {
		s.Close()
		return nil, err
	}
	if port.Turn(address) {
		what.Wait = reattach.Seconds()
	}
	if err := s.Load(ctx, what, log); err != nil {
		return nil, err
	}
	return s, nil
}

// findDebugger finds the package debugpy: among the function's packages, in a virtualenv further up, which is the stack's, or in VS
// Code, whose extension for Python brings it along.
func (b *build) findDebugger(function string) error {
	places := append([]string{}, b.places...)
	for dir := b.root; ; dir = filepath.Dir(dir) {
		for _, venv := range []string{".venv", "venv"} {
			places = append(places, filepath.Join(dir, venv, "lib", "python"+b.python.version(), "site-packages"))
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	if home, err := os.UserHomeDir(); err == nil {
		for _, code := range []string{".vscode", ".vscode-server"} {
			if found, err := filepath.Glob(filepath.Join(home, code, "extensions", "ms-python.debugpy-*", "bundled", "libs")); err == nil {
				places = append(places, found...)
			}
		}
	}
	for _, dir := range places {
		if exists(filepath.Join(dir, "debugpy", "__init__.py")) {
			b.debugpy = dir
			return nil
		}
	}
	return missingDebugger(function, b.python.path)
}

func missingDebugger(name, python string) error {
	return &function.BuildError{Text: fmt.Sprintf("function %s cannot be debugged: Python's debugger, debugpy, is not installed. "+
		"Run `%s -m pip install debugpy`, or start without --debug %s", name, python, name)}
}
