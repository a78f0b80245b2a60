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
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/debug"
	"devstack/runtime/function/spawn"
)

// Config is what an Engine works with.
type Config struct {
	Cache string       // folder for what is built, kept between runs of the daemon; only one daemon uses it
	Keep  spawn.Keeper // ends processes with the daemon; may be nil
}

// Engine is the engine of the runtimes "go", "provided.al2023" and "provided.al2".
type Engine struct {
	cfg      Config
	builds   atomic.Int64
	life     context.Context // ends with the engine
	end      context.CancelFunc
	work     sync.WaitGroup // plans being made
	planning chan struct{}  // one at a time
	ports    debug.Ports
	mu       sync.Mutex // guards plan.refs
}

// New returns an engine. What an earlier daemon left in the cache's working folders is removed.
func New(cfg Config) *Engine {
	for _, pattern := range []string{"run-*", "plan-*", "tmp-*"} {
		left, _ := filepath.Glob(filepath.Join(cfg.Cache, "*", pattern)) // the patterns are well formed
		for _, dir := range left {
			os.RemoveAll(dir)
		}
	}
	e := &Engine{cfg: cfg, planning: make(chan struct{}, 1)}
	e.life, e.end = context.WithCancel(context.Background())
	return e
}

// Close ends what prepares later builds, and closes the ports for debuggers. The sandboxes are their owner's.
func (e *Engine) Close() error {
	e.end()
	e.ports.Close()
	e.work.Wait()
	return nil
}

// Build builds a Go package, or looks whether a bootstrap is one.
func (e *Engine) Build(ctx context.Context, fn *config.Function, previous function.Build) (function.Build, error) {
	p := &program{engine: e}
	err := e.build(ctx, fn, p, previous)
	p.inputs = append(p.inputs[:len(p.inputs):len(p.inputs)], function.LayerInputs(fn)...)
	return p, err
}

func (e *Engine) build(ctx context.Context, fn *config.Function, p *program, previous function.Build) error {
	if fn.Debug != 0 {
		if _, err := findDelve(); err != nil {
			return err
		}
		var err error
		if p.port, err = e.ports.Open(fn.Key(), fn.Debug, debug.Delve); err != nil {
			return err
		}
	} else {
		e.ports.Drop(fn.Key())
	}
	if fn.Runtime == "go" {
		last, ok := previous.(*program)
		if !ok {
			last = &program{}
		}
		return e.compile(ctx, fn, p, last)
	}
	return provided(fn, p)
}

// program is a built function.
type program struct {
	engine *Engine
	path   string // of the executable
	inputs []string
	dir    string // to be removed with the program, "" for one that is not ours
	list   *listing
	plan   *plan       // for the next build, nil if there is none
	port   *debug.Port // for debuggers, nil if nobody wants to debug it
	sum    string      // of all that it was built from, "" if the go command built it
}

// Inputs are the files that the program is made of.
func (p *program) Inputs() []string { return p.inputs }

// Close removes what was built.
func (p *program) Close() error {
	var err error
	if p.plan != nil {
		err = p.engine.release(p.plan)
	}
	if p.dir != "" {
		err = errors.Join(err, os.RemoveAll(p.dir))
	}
	return err
}

// compile builds a Go package: what has changed of it where that is known, else by the go command.
func (e *Engine) compile(ctx context.Context, fn *config.Function, p, last *program) error {
	tool, err := findGo()
	if err != nil {
		return err
	}
	home := filepath.Join(e.cfg.Cache, fn.Name)
	if fn.Version != "" {
		home += "-" + fn.Version
	}
	if err := os.MkdirAll(home, 0o755); err != nil {
		return err
	}
	t := toolchain{path: tool, source: fn.Source, debug: fn.Debug != 0}
	if t.temp, err = os.MkdirTemp(home, "tmp-"); err != nil {
		return err
	}
	defer os.RemoveAll(t.temp)
	if e.direct(ctx, t, home, p, last) {
		return nil
	}
	if ctx.Err() != nil {
		p.keep(last)
		return ctx.Err()
	}
	known := last.list
	if last.plan.ready() {
		known = last.plan.list
	}
	err = e.whole(ctx, t, home, p, known)
	if err != nil || last.plan.stands(t) {
		p.keep(last)
		return err
	}
	failures := 0
	if last.plan != nil {
		failures = last.plan.failures
	}
	p.plan = e.newPlan(t, p.list, filepath.Join(home, fmt.Sprintf("plan-%d", e.builds.Add(1))), failures)
	return nil
}

// keep passes on what an earlier program knows.
func (p *program) keep(last *program) {
	if last.plan != nil {
		p.plan = last.engine.retain(last.plan)
	}
	if p.list == nil {
		p.list = last.list
	}
}

// direct builds by the last program's plan. It is false if there is none that still holds, or if that fails.
func (e *Engine) direct(ctx context.Context, t toolchain, home string, p, last *program) bool {
	src := sources{}
	plan := last.plan.best(t, src)
	if plan == nil {
		return false
	}
	if err := p.place(e, home); err != nil {
		return false
	}
	sum, err := plan.build(ctx, t, src, last, p.path)
	if err != nil {
		last.plan.failed = err
		os.RemoveAll(p.dir)
		p.dir, p.path = "", ""
		return false
	}
	last.plan.failed, last.plan.failures = nil, 0
	p.sum, p.inputs = sum, plan.list.inputs
	p.keep(last)
	e.refine(p.plan, t)
	return true
}

// place makes the folder that the program is run from.
func (p *program) place(e *Engine, home string) error {
	p.dir = filepath.Join(home, fmt.Sprintf("run-%d", e.builds.Add(1)))
	p.path = filepath.Join(p.dir, "bootstrap")
	return os.Mkdir(p.dir, 0o755)
}

// whole has the go command build. Programs are built into one place, so that it sees what is up to date even in the next
// daemon, and run from another, so that one that is running stays as it is.
func (e *Engine) whole(ctx context.Context, t toolchain, home string, p *program, known *listing) error {
	listed := make(chan error, 1)
	go func() { // beside the compiler: it takes as long as a small build
		var err error
		p.list, err = t.list(ctx, known)
		listed <- err
	}()
	latest := filepath.Join(home, "bootstrap")
	if t.debug {
		latest += "-debug"
	}
	text, err := t.build(ctx, latest)
	if listErr := <-listed; listErr != nil {
		p.inputs = function.Files(t.folder())
		err = errors.Join(err, listErr)
	} else {
		p.inputs = p.list.inputs
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case text != "":
		return &function.BuildError{Text: text}
	case err != nil:
		return err
	case p.list.name != "main":
		return &function.BuildError{Text: fmt.Sprintf("%s: package %s is not a program; a function is a package main", t.source, p.list.name)}
	}
	if err := p.place(e, home); err != nil {
		return err
	}
	return os.Link(latest, p.path)
}
