package js

import (
	"context"
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
	bundler, err := e.bundlerOf(prev, entry)
	if err != nil {
		return nil, err
	}
	out, err := bundler.Build(ctx)
	if out == nil {
		e.release(bundler)
		return nil, err
	}
	b := &build{engine: e, bundler: bundler, entry: entry, export: export, inputs: out.Inputs}
	if err != nil {
		return b, err
	}
	b.program, err = compile(out.Code, out.Map)
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

func (e *Engine) bundleOptions(entry string) bundle.Options {
	dir := e.opts.Dir
	if dir == "" {
		dir = filepath.Dir(entry)
	}
	return bundle.Options{
		Dir:      dir,
		Entry:    entry,
		Format:   api.FormatCommonJS,
		Platform: api.PlatformNode,
		Target:   api.ESNext,
		// What goja lacks of ESNext. A regular expression with Unicode properties becomes a call of RegExp, which prelude.js
		// wraps for them: esbuild does not see those inside a class, so that all with the flag u must. Flags that goja
		// lacks become a call that throws where it is reached.
		Supported: map[string]bool{
			"async-generator": false, "for-await": false, "using": false, "decorators": false, "import-attributes": false,
			"regexp-unicode-property-escapes": false, "regexp-sticky-and-unicode-flags": false,
			"regexp-match-indices": false, "regexp-set-notation": false,
		},
		// An import that is undefined fails to load in Node too: often the file is only half written.
		LogLevels: map[string]api.LogLevel{"empty-import-meta": api.LogLevelError, "import-is-undefined": api.LogLevelError},
		Plugins:   []api.Plugin{e.builtins()},
	}
}
