// Package node runs functions of the runtimes nodejs*: one Node.js process a sandbox, with a small runtime of our own in
// it, spoken to over pipes.
//
// JavaScript runs as it is saved, so that __dirname, dynamic imports and files beside the code are what they are on
// Lambda; TypeScript is bundled by esbuild first, as its users do before they upload. Once a function has been started, a
// standby process waits that has loaded the packages which the function imports, and nothing of the function: the next
// save is handed to it.
//
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html
package node

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
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
	Clock    clock.Clock    // tells when a standby process has waited for too long
	SDK      []string       // node_modules folders in which the AWS SDK may be; nil: those of `npm install --global`, and devstack's own
}

// Engine runs the functions of the runtimes nodejs*.
type Engine struct {
	opts  Options
	nodes interpreters
	pool  pool
	ports debug.Ports

	mu       sync.Mutex
	scanners map[string]*scanner // by function
	noted    map[string]bool     // functions whose log has the interpreter's note
}

// New returns an engine. It starts nothing before it is asked to.
func New(o Options) *Engine {
	e := &Engine{opts: o, scanners: map[string]*scanner{}, noted: map[string]bool{}}
	e.pool.init(e)
	return e
}

// Close ends the standby processes; the sandboxes are their owner's.
func (e *Engine) Close() error {
	e.pool.close()
	e.ports.Close()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, sc := range e.scanners {
		sc.bundler.Close()
	}
	clear(e.scanners)
	return nil
}

// build is one version of a function.
type build struct {
	source   *source
	inputs   []string
	code     string // TypeScript: what Node runs, with its source map
	packages []pkg  // that a standby loads
	missing  []pkg  // that are not among the function's own
	locks    []string
	layers   []string            // files and folders of the layers: other than of packages that are installed, any of them may be edited
	mistake  *function.InitError // that is known without Node
}

// Inputs are the files and folders that the version depends on.
func (b *build) Inputs() []string { return b.inputs }

// Build reads the function's sources. fn.Source is a file or a folder; fn.Handler is "file.export" as on Lambda, by
// default "index.handler", for a file the export "handler".
func (e *Engine) Build(ctx context.Context, fn *config.Function, _ function.Build) (function.Build, error) {
	node, err := e.nodes.of(ctx, fn.Runtime)
	if err != nil {
		return nil, err
	}
	e.pool.blank(node.path)
	s, err := sourceOf(fn)
	b := &build{source: s, layers: function.LayerInputs(fn)}
	b.inputs = slices.Concat(b.layers, []string{fn.Source, filepath.Dir(fn.Source)})
	if errors.As(err, &b.mistake) {
		return b, nil
	}
	if err != nil {
		return b, err
	}
	if s.entry == "" { // Node says so, in its words
		b.inputs = append(b.inputs, function.Files(s.root)...)
		return b, nil
	}
	sc, err := e.scanner(idOf(fn), s)
	if err != nil {
		return b, err
	}
	return b, b.scan(ctx, sc)
}

// scanner returns the function's scanner, a new one if the entry file is another than before.
func (e *Engine) scanner(name string, s *source) (*scanner, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	sc := e.scanners[name]
	if sc.fits(s) {
		return sc, nil
	}
	if sc != nil {
		delete(e.scanners, name)
		sc.bundler.Close()
	}
	sc, err := newScanner(s)
	if err == nil {
		e.scanners[name] = sc
	}
	return sc, err
}

// scan fills in what the sources say.
func (b *build) scan(ctx context.Context, sc *scanner) error {
	out, f, err := sc.scan(ctx)
	if out == nil {
		return err
	}
	b.packages, b.missing = f.packages, f.missing
	b.locks = locks(filepath.Dir(b.source.entry))
	b.inputs = append(b.inputs, out.Inputs...)
	b.inputs = append(b.inputs, b.locks...)
	b.inputs = append(b.inputs, data(b.source.root, len(out.Warnings) > 0 && !b.source.compile)...)
	for _, p := range f.packages {
		b.inputs = append(b.inputs, filepath.Join(p.dir, "package.json"))
	}
	if !b.source.compile {
		for _, dir := range f.linked {
			b.inputs = append(b.inputs, function.Files(dir)...)
		}
	}
	slices.Sort(b.inputs)
	b.inputs = slices.Compact(b.inputs)
	if err != nil {
		return err
	}
	if b.source.compile {
		b.code = withMap(out.Code, out.Map)
	}
	return nil
}
