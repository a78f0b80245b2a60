// Package python runs functions of the runtimes python3*: one process a sandbox, with a small runtime of our own in it,
// spoken to over pipes.
//
// The processes are forked from servers that have imported the packages which the function imports, and nothing of the
// function, so that a sandbox costs a few milliseconds. A server reads the sources too, without running them: which files
// a function is made of, and whether they are Python.
//
// Packages come from a virtualenv beside the code (.venv or venv), whose interpreter is used then, or are installed as
// requirements.txt beside the code says, once for each content of it, into a cache of the user's.
//
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html
package python

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"devstack/internal/clock"
	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/debug"
	"devstack/runtime/process/reap"
)

// Options are what the engine is given.
type Options struct {
	Watchdog *reap.Watchdog // ends processes with the daemon; nil: on Linux the kernel does, elsewhere nobody
	Clock    clock.Clock    // tells when a server has had nothing to do for long; nil: it stays
	Cache    string         // folder for installed requirements; "": devstack/python in the user's cache folder
}

// Engine runs the functions of the runtimes python3*.
type Engine struct {
	opts    Options
	pythons interpreters
	servers servers
	ports   debug.Ports
	install sync.Mutex // one installation at a time

	mu    sync.Mutex
	noted map[string]bool // functions whose log has the interpreter's note
}

// New returns an engine. It starts nothing before it is asked to.
func New(o Options) *Engine {
	e := &Engine{opts: o, noted: map[string]bool{}}
	e.servers.init(o)
	return e
}

// Close ends the servers; the sandboxes are their owner's.
func (e *Engine) Close() error {
	e.servers.close()
	e.ports.Close()
	return nil
}

// build is one version of a function.
type build struct {
	root    string // stands for /var/task
	handler string // "lambda_function.lambda_handler"
	python  interpreter
	site    []string // folders of installed packages, beside those that the interpreter knows
	modules []string // of packages that the function imports, for a server to import first
	own     []string // folders of packages that are neither installed nor in root
	places  []string // what changes when packages are installed
	inputs  []string
	debugpy string // folder in which the package debugpy is, of a function that is debugged
}

// Inputs are the files and folders that the version depends on.
func (b *build) Inputs() []string { return b.inputs }

// Build reads the function's sources. fn.Source is a file or a folder; fn.Handler is "file.function", as on Lambda, by
// default "lambda_function.lambda_handler", for a file the function "lambda_handler".
func (e *Engine) Build(ctx context.Context, fn *config.Function, _ function.Build) (function.Build, error) {
	b := &build{root: function.TaskRoot(fn), inputs: append(function.LayerInputs(fn), fn.Source, filepath.Dir(fn.Source))}
	info, err := os.Stat(fn.Source)
	if err != nil {
		return b, &function.BuildError{Text: fn.Source + " does not exist: it is the source of function " + fn.Name}
	}
	b.handler = handlerOf(fn, info.IsDir())
	b.inputs = append(b.inputs, b.environmentFiles()...)
	if b.python, err = e.pythons.of(ctx, fn.Runtime, b.root); err != nil {
		return b, err
	}
	if b.python.venv == "" {
		if exists(filepath.Join(b.root, "requirements.txt")) {
			b.inputs = append(b.inputs, requirementFiles(b.root)...)
		}
		if b.site, err = e.requirements(ctx, b.root, b.python); err != nil {
			return b, err
		}
	}
	if err := e.read(ctx, b); err != nil || fn.Debug == 0 {
		return b, err
	}
	return b, b.findDebugger(fn.Name)
}

// handlerOf completes a handler.
func handlerOf(fn *config.Function, folder bool) string {
	if folder {
		if fn.Handler == "" {
			return "lambda_function.lambda_handler"
		}
		return fn.Handler
	}
	module := strings.TrimSuffix(filepath.Base(fn.Source), ".py")
	switch {
	case fn.Handler == "":
		return module + ".lambda_handler"
	case !strings.Contains(fn.Handler, "."): // the source is the file: a function's name is enough
		return module + "." + fn.Handler
	}
	return fn.Handler
}

// environmentFiles are the files beside the code that decide which packages there are.
func (b *build) environmentFiles() []string {
	paths := []string{b.root}
	for _, name := range []string{"requirements.txt", ".venv/pyvenv.cfg", "venv/pyvenv.cfg"} {
		if path := filepath.Join(b.root, name); exists(path) {
			paths = append(paths, path)
		}
	}
	return paths
}

// reading is what a server says of a function's sources.
type reading struct {
	Files   []string     `json:"files"`
	Folders []string     `json:"folders"`
	Modules []string     `json:"modules"`
	Own     []string     `json:"own"`
	Dynamic bool         `json:"dynamic"` // it imports modules that cannot be told from reading it
	Site    []string     `json:"site"`
	Error   *syntaxError `json:"error"`
}

// read fills in what the sources say.
func (e *Engine) read(ctx context.Context, b *build) error {
	server, err := e.servers.base(b.python)
	if err != nil {
		return err
	}
	module := b.handler
	if i := strings.LastIndexByte(module, '.'); i >= 0 {
		module = module[:i]
	}
	var r reading
	if err := server.ask(ctx, command{Do: "read", Root: b.root, Module: strings.ReplaceAll(module, ".", "/"), Site: orEmpty(b.site)}, &r); err != nil {
		return err
	}
	b.modules, b.own, b.places = r.Modules, r.Own, r.Site
	b.inputs = append(b.inputs, r.Files...)
	b.inputs = append(b.inputs, r.Folders...)
	b.inputs = append(b.inputs, r.Site...)
	b.inputs = append(b.inputs, data(b.root, r.Dynamic)...)
	for _, dir := range r.Own {
		b.inputs = append(b.inputs, function.Files(dir)...)
	}
	slices.Sort(b.inputs)
	b.inputs = slices.Compact(b.inputs)
	if r.Error != nil {
		return &function.BuildError{Text: r.Error.frame(b.root)}
	}
	return nil
}

// syntaxError is a file that is not Python.
type syntaxError struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"` // from 1; 0: unknown
	Text    string `json:"text"`   // the line
	Message string `json:"message"`
}

// frame says where the mistake is and shows the line.
func (e *syntaxError) frame(root string) string {
	name, err := filepath.Rel(root, e.File)
	if err != nil {
		name = e.File
	}
	text := fmt.Sprintf("%s:%d:%d: SyntaxError: %s", name, e.Line, e.Column, e.Message)
	line := strings.TrimRight(e.Text, "\r\n")
	if line == "" {
		return text
	}
	number := fmt.Sprint(e.Line)
	pad := strings.Repeat(" ", len(number))
	return fmt.Sprintf("%s\n\n    %s │ %s\n    %s ╵ %s^", text, number, strings.ReplaceAll(line, "\t", " "), pad, strings.Repeat(" ", max(e.Column-1, 0)))
}

// data lists the files in a function's folder that it may read as it runs, such as templates. Modules are among them only
// if the function imports some in ways that cannot be told from reading it. What programs write as they run is left out.
func data(root string, modules bool) []string {
	var out []string
	for _, path := range function.Files(root) {
		rest, err := filepath.Rel(root, path)
		if err != nil || path != root && ignored(rest, root) {
			continue
		}
		switch filepath.Ext(path) {
		case ".py":
			if !modules {
				continue
			}
		case ".log", ".tmp", ".pid", ".db", ".sqlite", ".sqlite3", ".pyc", ".md":
			continue
		}
		if info, err := os.Stat(path); err == nil && info.IsDir() && !modules {
			continue // a file that comes is loaded by a line that comes
		}
		out = append(out, path)
	}
	return out
}

// ignored reports whether a path below root is hidden, or in a virtualenv.
func ignored(path, root string) bool {
	at := root
	for part := range strings.SplitSeq(path, string(filepath.Separator)) {
		at = filepath.Join(at, part)
		if strings.HasPrefix(part, ".") || part == "site-packages" || part == "venv" && exists(filepath.Join(at, "pyvenv.cfg")) {
			return true
		}
	}
	return false
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// orEmpty makes a list that is [] in JSON, not null.
func orEmpty(list []string) []string { return append([]string{}, list...) }
