package js

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/dop251/goja"
	"github.com/evanw/esbuild/pkg/api"

	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/bundle"
)

// build is a bundled and compiled handler. All sandboxes of the version share the program.
type build struct {
	engine  *Engine
	bundler *bundle.Bundler // nil: there is no entry file
	closing sync.Once
	entry   string // absolute path of the entry file
	export  string // name of the handler's export
	inputs  []string
	awaits  bool          // the modules use await outside of functions: the program's function is async
	program *goja.Program // nil: the sources have a mistake
}

// Inputs are the files and folders that the build depends on.
func (b *build) Inputs() []string { return b.inputs }

// Close lets go of what the build shares with the function's next.
func (b *build) Close() error {
	if b.bundler != nil {
		b.closing.Do(func() { b.engine.release(b.bundler) })
	}
	return nil
}

// scriptName is the bundle's own name, seen in traces only for what esbuild adds to the sources.
const scriptName = "function.js"

// Build bundles and compiles a function. fn.Source is a file, or a folder that Handler names a file in; its default is
// index.ts or index.js. fn.Handler is "file.export", "export" or "", which means the export "handler".
func (e *Engine) Build(ctx context.Context, fn *config.Function, previous function.Build) (function.Build, error) {
	entry, export, err := entryOf(fn)
	if err != nil {
		return &build{inputs: []string{fn.Source, filepath.Dir(fn.Source)}}, err
	}
	prev, _ := previous.(*build)
	b, err := e.buildAs(ctx, fn, prev, entry, prev != nil && prev.awaits)
	var mistake *function.BuildError
	if errors.As(err, &mistake) && strings.Contains(mistake.Text, noTopLevelAwait) && !b.awaits {
		b.Close()
		b, err = e.buildAs(ctx, fn, nil, entry, true)
	}
	if b == nil {
		return nil, err
	}
	b.export = export
	return b, err
}

// noTopLevelAwait is what esbuild says of a bundle that cannot be a CommonJS module.
const noTopLevelAwait = "Top-level await is currently not supported"

// buildAs builds a function, as a bundle that may await at its top or as one that may not. prev may be nil. The build is nil if
// it was cancelled.
func (e *Engine) buildAs(ctx context.Context, fn *config.Function, prev *build, entry string, awaits bool) (*build, error) {
	bundler, err := e.bundlerOf(prev, fn, entry, awaits)
	if err != nil {
		return nil, err
	}
	out, err := bundler.Build(ctx)
	if out == nil {
		e.release(bundler)
		return nil, err
	}
	b := &build{engine: e, bundler: bundler, entry: entry, awaits: awaits, inputs: out.Inputs}
	if err != nil {
		return b, err
	}
	b.program, err = compile(out.Code, out.Map, awaits)
	return b, err
}

// extensions of entry files, in the order in which they are tried.
var extensions = [...]string{".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs", ".jsx"}

// entryOf finds the entry file and the handler's export.
func entryOf(fn *config.Function) (entry, export string, err error) {
	file, export := "index", fn.Handler
	if i := strings.LastIndexByte(fn.Handler, '.'); i >= 0 {
		file, export = fn.Handler[:i], fn.Handler[i+1:]
	}
	if export == "" {
		export = "handler"
	}
	st, err := os.Stat(fn.Source)
	if err != nil {
		return "", "", &function.BuildError{Text: fmt.Sprintf("function %s: no source: %v", fn.Name, err)}
	}
	if !st.IsDir() {
		name := filepath.Base(fn.Source)
		name = strings.TrimSuffix(name, filepath.Ext(name))
		if strings.Contains(fn.Handler, ".") && filepath.Base(file) != name {
			return "", "", &function.BuildError{Text: fmt.Sprintf("function %s: handler %q names the file %s, but the source is %s",
				fn.Name, fn.Handler, file, filepath.Base(fn.Source))}
		}
		return fn.Source, export, nil
	}
	if !filepath.IsLocal(file) {
		return "", "", &function.BuildError{Text: fmt.Sprintf("function %s: handler %q leads out of its source folder", fn.Name, fn.Handler)}
	}
	for _, ext := range extensions {
		p := filepath.Join(fn.Source, file+ext)
		if st, err := os.Stat(p); err == nil && !st.IsDir() {
			return p, export, nil
		}
	}
	return "", "", &function.BuildError{Text: fmt.Sprintf("function %s: there is no %s.ts or %s.js in %s", fn.Name, file, file, fn.Source)}
}

// bundleOptions say how a function is bundled. One that awaits at its top is an ES module, which starts with a module of ours
// that hands over what the entry exports; goja runs neither, so that compile makes an async function of it.
func (e *Engine) bundleOptions(fn *config.Function, entry string, awaits bool) bundle.Options {
	dir := e.opts.Dir
	if dir == "" {
		dir = filepath.Dir(entry)
	}
	format := api.FormatCommonJS
	if awaits {
		format = api.FormatESModule
	}
	return bundle.Options{
		Dir:      dir,
		Entry:    entry,
		Format:   format,
		Platform: api.PlatformNode,
		Target:   api.ESNext,
		// What goja lacks of ESNext. A regular expression with Unicode properties becomes a call of RegExp, which prelude.js
		// wraps for them: esbuild does not see those inside a class, so that all with the flag u must. Flags that goja
		// lacks become a call that throws where it is reached.
		Supported: map[string]bool{
			"async-generator": false, "for-await": false, "using": false, "decorators": false, "import-attributes": false,
			"regexp-unicode-property-escapes": false, "regexp-sticky-and-unicode-flags": false,
			"regexp-match-indices": false, "regexp-set-notation": false, "dynamic-import": false,
		},
		Define: map[string]string{"import.meta": fileObject, "__dirname": fileObject + ".dirname", "__filename": fileObject + ".filename"},
		// An import that is undefined fails to load in Node too: often the file is only half written.
		LogLevels: map[string]api.LogLevel{"import-is-undefined": api.LogLevelError},
		Plugins:   []api.Plugin{e.builtins(awaits), places(function.TaskRoot(fn))},
	}
}
