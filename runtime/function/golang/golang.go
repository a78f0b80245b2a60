// Package golang runs functions that are programs: Go packages, which it builds, and executables called bootstrap of any
// other origin. Both speak the Lambda Runtime API.
//
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-golang.html
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-provided.html
package golang

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"

	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/spawn"
)

// Config is what an Engine works with.
type Config struct {
	Cache string       // folder for what is built, kept between runs of the daemon; only one daemon uses it
	Keep  spawn.Keeper // ends processes with the daemon; may be nil
}

// Engine is the engine of the runtimes "go", "provided.al2023" and "provided.al2".
type Engine struct {
	cfg    Config
	builds atomic.Int64
}

// New returns an engine. What an earlier daemon left in the cache's working folders is removed.
func New(cfg Config) *Engine {
	if left, err := filepath.Glob(filepath.Join(cfg.Cache, "*", "run-*")); err == nil {
		for _, dir := range left {
			os.RemoveAll(dir)
		}
	}
	return &Engine{cfg: cfg}
}

// Close has nothing to end: the sandboxes are their owner's.
func (e *Engine) Close() error { return nil }

// Build builds a Go package, or looks whether a bootstrap is one.
func (e *Engine) Build(ctx context.Context, fn *config.Function, previous function.Build) (function.Build, error) {
	var p *program
	var err error
	if fn.Runtime == "go" {
		p, err = e.compile(ctx, fn, previous)
	} else {
		p, err = provided(fn)
	}
	if p == nil {
		return nil, err
	}
	p.inputs = append(p.inputs[:len(p.inputs):len(p.inputs)], function.LayerInputs(fn)...)
	return p, err
}

// program is a built function.
type program struct {
	path   string // of the executable
	inputs []string
	dir    string // to be removed with the program, "" for one that is not ours
	list   *listing
}

// Inputs are the files that the program is made of.
func (p *program) Inputs() []string { return p.inputs }

// Close removes what was built.
func (p *program) Close() error {
	if p.dir == "" {
		return nil
	}
	return os.RemoveAll(p.dir)
}

// provided finds the executable of a function that somebody else builds.
func provided(fn *config.Function) (*program, error) {
	p := &program{path: fn.Source, inputs: function.Files(fn.Source)}
	info, err := os.Stat(fn.Source)
	if err == nil && info.IsDir() {
		p.path = filepath.Join(fn.Source, "bootstrap")
		info, err = os.Stat(p.path)
		p.inputs = append(p.inputs, p.path) // it may be missing, and come
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return p, &function.BuildError{Text: p.path + " does not exist: a function with runtime " + fn.Runtime +
			" is an executable of that name; build it, or set the runtime to \"go\" to have a Go package built"}
	case err != nil:
		return p, &function.BuildError{Text: err.Error()}
	case info.IsDir():
		return p, &function.BuildError{Text: p.path + " is a folder, not an executable"}
	case info.Mode()&0o111 == 0:
		return p, &function.BuildError{Text: p.path + " is not executable; `chmod +x` it"}
	}
	return p, nil
}

// compile builds a Go package. Programs are built into one place, so that the go command sees what is up to date even in
// the next daemon, and run from another, so that one that is running stays as it is.
func (e *Engine) compile(ctx context.Context, fn *config.Function, previous function.Build) (*program, error) {
	tool, err := findGo()
	if err != nil {
		return nil, err
	}
	t := toolchain{path: tool, source: fn.Source}
	var known *listing
	if last, ok := previous.(*program); ok {
		known = last.list
	}
	p := &program{}
	listed := make(chan error, 1)
	go func() { // beside the compiler: it takes as long as a small build
		var err error
		p.list, err = t.list(ctx, known)
		listed <- err
	}()
	latest := filepath.Join(e.cfg.Cache, fn.Name, "bootstrap")
	text, err := t.build(ctx, latest)
	if listErr := <-listed; listErr != nil {
		p.inputs = function.Files(function.TaskRoot(fn))
		err = errors.Join(err, listErr)
	} else {
		p.inputs = p.list.inputs
	}
	switch {
	case ctx.Err() != nil:
		return p, ctx.Err()
	case text != "":
		return p, &function.BuildError{Text: text}
	case err != nil:
		return p, err
	case p.list.name != "main":
		return p, &function.BuildError{Text: fmt.Sprintf("%s: package %s is not a program; a function is a package main", fn.Source, p.list.name)}
	}
	p.dir = filepath.Join(e.cfg.Cache, fn.Name, fmt.Sprintf("run-%d", e.builds.Add(1)))
	p.path = filepath.Join(p.dir, "bootstrap")
	if err := os.Mkdir(p.dir, 0o755); err != nil {
		return p, err
	}
	return p, os.Link(latest, p.path)
}
