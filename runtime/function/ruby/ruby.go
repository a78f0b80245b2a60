// Package ruby runs functions of the runtimes ruby3*: a Ruby process a sandbox, with a small runtime of our own in it that speaks
// the Runtime API.
//
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-ruby.html
package ruby

import (
	"context"
	"embed"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/bootstrap"
	"devstack/runtime/function/pipe"
	"devstack/runtime/function/spawn"
)

// Options is what an Engine works with.
type Options struct {
	Keep spawn.Keeper // ends processes with the daemon; may be nil
}

// Engine is the engine of the runtimes ruby3*.
type Engine struct {
	opts  Options
	rubys interpreters

	mu    sync.Mutex
	noted map[string]bool // functions whose log has the interpreter's note
}

// New returns an engine.
func New(o Options) *Engine { return &Engine{opts: o, noted: map[string]bool{}} }

// Close has nothing to end: the sandboxes are their owner's.
func (e *Engine) Close() error { return nil }

// build is one version of a function.
type build struct {
	root    string
	handler string
	inputs  []string
}

// Inputs are the files in the function's folder, its gems' folder and its layers.
func (b *build) Inputs() []string { return b.inputs }

// Build looks where the function is. fn.Source is a file or a folder; fn.Handler is "file.method" or "file.Class.method", as on
// Lambda, by default "lambda_function.lambda_handler"; for a file its method is enough. Nothing is built: Ruby says as it loads a
// function what is wrong with it.
func (e *Engine) Build(_ context.Context, fn *config.Function, _ function.Build) (function.Build, error) {
	b := &build{root: function.TaskRoot(fn)}
	b.inputs = append(function.LayerInputs(fn), function.Files(b.root)...)
	b.inputs = append(b.inputs, filepath.Join(b.root, "vendor", "bundle"))
	info, err := os.Stat(fn.Source)
	if err != nil {
		return b, &function.BuildError{Text: fn.Source + " does not exist: it is the source of function " + fn.Name}
	}
	b.handler = handlerOf(fn, info.IsDir())
	return b, nil
}

// handlerOf completes a handler.
func handlerOf(fn *config.Function, folder bool) string {
	if folder {
		if fn.Handler == "" {
			return "lambda_function.lambda_handler"
		}
		return fn.Handler
	}
	module := strings.TrimSuffix(filepath.Base(fn.Source), ".rb")
	switch {
	case fn.Handler == "":
		return module + ".lambda_handler"
	case !strings.Contains(fn.Handler, "."): // the source is the file: a method's name is enough
		return module + "." + fn.Handler
	}
	return fn.Handler
}

// Start starts a Ruby that loads the function.
func (e *Engine) Start(ctx context.Context, fn *config.Function, b function.Build, env []string, log function.LogFunc) (function.Sandbox, error) {
	built := b.(*build)
	ruby, err := e.rubys.of(ctx, fn.Runtime)
	if err != nil {
		return nil, err
	}
	e.note(fn.Name, ruby.note, log)
	script, err := install()
	if err != nil {
		return nil, err
	}
	opt, err := function.Opt(fn)
	if err != nil {
		return nil, err
	}
	env = append(searchPaths(env, ruby, built.root, opt), "_HANDLER="+built.handler)
	path, args := function.Wrapped(env, ruby.path, script)
	s, err := bootstrap.Start(ctx, fn, bootstrap.Spec{Path: path, Args: args, Env: env, Keep: e.opts.Keep}, log)
	if err != nil {
		return nil, err // not a nil *bootstrap.Sandbox
	}
	return s, nil
}

// searchPaths adds where Ruby finds libraries and gems. The order is that of a recorded environment.
func searchPaths(env []string, ruby interpreter, root, opt string) []string {
	lib := []string{root}
	gems := []string{filepath.Join(root, "vendor", "bundle", "ruby", ruby.abi)}
	if opt != "" {
		lib = append(lib, filepath.Join(opt, "ruby", "lib"))
		gems = append(gems, filepath.Join(opt, "ruby", "gems", ruby.abi))
	}
	gems = append(gems, ruby.gems...)
	out := []string{"GEM_PATH=" + strings.Join(gems, string(os.PathListSeparator))}
	for _, kv := range env {
		switch name, value, _ := strings.Cut(kv, "="); name {
		case "RUBYLIB": // the function's own comes first
			lib = append([]string{value}, lib...)
		case "GEM_PATH":
			out[0] = kv
		default:
			out = append(out, kv)
		}
	}
	return append(out, "RUBYLIB="+strings.Join(lib, string(os.PathListSeparator)))
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

//go:embed runtime
var runtimeFiles embed.FS

// install returns the path of the runtime.
var install = sync.OnceValues(func() (string, error) {
	dir, err := pipe.Install("ruby", runtimeFiles)
	return filepath.Join(dir, "bootstrap.rb"), err
})
