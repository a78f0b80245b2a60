// Package wasm runs functions that are WebAssembly modules, compiled from Rust, Go, TinyGo, C or the like for WASI preview 1,
// inside the daemon.
//
// A module is a command: it is run once an event, which it reads from standard input; what it writes to standard output is the
// answer, to standard error its log. It is compiled to machine code once and has a fresh memory for each event.
// docs/functions-wasm.md is the contract.
//
// https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md
package wasm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"devstack/internal/clock"
	"devstack/runtime/config"
	"devstack/runtime/function"
)

// Options is what an Engine works with.
type Options struct {
	Clock clock.Clock
	Cache string // folder for compiled modules, kept between runs of the daemon; only one daemon uses it
}

// Engine is the engine of the runtime "wasm".
type Engine struct {
	opts Options

	compiling sync.Mutex // one at a time: it takes all processors
}

// New returns an engine.
func New(o Options) *Engine { return &Engine{opts: o} }

// Close has nothing to end: builds are their owner's.
func (e *Engine) Close() error { return nil }

// Warm says that sandboxes cost nothing.
func (e *Engine) Warm() {}

// build is a compiled module.
type build struct {
	root    string
	inputs  []string
	cache   wazero.CompilationCache
	runtime wazero.Runtime // nil if it could not be compiled
	module  wazero.CompiledModule
	unfit   string // why it cannot be run, "" if it can
}

// Inputs are the module, and the folder that it is in.
func (b *build) Inputs() []string { return b.inputs }

// Close frees what was compiled.
func (b *build) Close() error {
	if b.runtime == nil {
		return nil
	}
	return errors.Join(b.runtime.Close(context.Background()), b.cache.Close(context.Background()))
}

// Build compiles a module. fn.Source is its file or a folder; in a folder fn.Handler is the file's name, with or without
// ".wasm", by default "bootstrap".
func (e *Engine) Build(ctx context.Context, fn *config.Function, _ function.Build) (function.Build, error) {
	path := moduleOf(fn)
	b := &build{root: function.TaskRoot(fn), inputs: append(function.LayerInputs(fn), path, filepath.Dir(path))}
	code, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return b, &function.BuildError{Text: path + " does not exist: a function with runtime \"wasm\" is a module of that name, " +
			"compiled for WASI, for example by `GOOS=wasip1 GOARCH=wasm go build -o bootstrap.wasm` or `cargo build --target wasm32-wasip1`"}
	case err != nil:
		return b, &function.BuildError{Text: err.Error()}
	}
	done := make(chan error, 1)
	go func() { done <- e.compile(ctx, b, code, fn.Memory) }()
	select {
	case err = <-done:
	case <-ctx.Done():
		go func() { // the compiler does not stop in the middle
			<-done
			b.Close()
		}()
		return nil, ctx.Err()
	}
	if err != nil {
		return b, &function.BuildError{Text: path + ": " + strings.TrimPrefix(err.Error(), "module[] ")}
	}
	return b, nil
}

// moduleOf is the path of a function's module.
func moduleOf(fn *config.Function) string {
	if info, err := os.Stat(fn.Source); err != nil || !info.IsDir() {
		return fn.Source
	}
	name := fn.Handler
	if name == "" {
		name = "bootstrap"
	}
	if filepath.Ext(name) != ".wasm" {
		name += ".wasm"
	}
	return filepath.Join(fn.Source, filepath.FromSlash(name))
}

// compile makes machine code of a module, or takes what an earlier daemon has made. memory is in MiB.
func (e *Engine) compile(ctx context.Context, b *build, code []byte, memory int) (err error) {
	e.compiling.Lock()
	defer e.compiling.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	tidy(e.opts.Cache)
	if b.cache, err = wazero.NewCompilationCacheWithDir(e.opts.Cache); err != nil {
		return fmt.Errorf("open the cache of compiled modules: %w", err)
	}
	return b.compile(experimental.WithCompilationWorkers(ctx, runtime.GOMAXPROCS(0)), code, memory)
}

// compile makes machine code of a module, unless the cache has it.
func (b *build) compile(ctx context.Context, code []byte, memory int) (err error) {
	const pages = 16 // of 64 KiB in a MiB
	b.runtime = wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().
		WithCompilationCache(b.cache).WithMemoryLimitPages(uint32(memory*pages)).WithCloseOnContextDone(true))
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, b.runtime); err != nil {
		return err
	}
	if b.module, err = b.runtime.CompileModule(ctx, code); err != nil {
		return err
	}
	b.unfit = unfit(b.module, b.runtime.Module(wasi_snapshot_preview1.ModuleName))
	return nil
}

// unfit says why a module that is WebAssembly is no function.
func unfit(m wazero.CompiledModule, wasi api.Module) string {
	if m.ExportedFunctions()[start] == nil {
		return "the module exports no function _start: it must be compiled as a WASI command, that is a program with a main function, not as a library"
	}
	known := wasi.ExportedFunctionDefinitions()
	for _, f := range m.ImportedFunctions() {
		module, name, _ := f.Import()
		if module != wasi_snapshot_preview1.ModuleName || known[name] == nil {
			return fmt.Sprintf("the module imports the function %s of %s, which is not part of WASI preview 1: nothing else can be imported", name, module)
		}
	}
	if len(m.ImportedMemories()) > 0 {
		return "the module imports a memory, and a function has its own"
	}
	return ""
}

// start is the function by which a WASI command is run.
const start = "_start"

// maxCache is the size in bytes above which the cache is emptied: each version of each module stays in it.
const maxCache = 512 << 20

// tidy empties a cache that has grown too large.
func tidy(dir string) {
	size := int64(0)
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error { // one that is not there is empty
		if err != nil || d.IsDir() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			size += info.Size()
		}
		return nil
	})
	if size > maxCache {
		os.RemoveAll(dir)
	}
}
