package node

import (
	"cmp"
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/evanw/esbuild/pkg/api"

	"devstack/runtime/function"
	"devstack/runtime/function/bundle"
)

// scanner reads a function's own sources with esbuild, again and again. Of TypeScript it makes the script that Node runs;
// JavaScript runs as it is, and the scanner tells which files and packages it is made of and what is wrong with them.
type scanner struct {
	entry        string
	esm, compile bool
	bundler      *bundle.Bundler

	mu       sync.Mutex
	packages map[pkg]bool // that the latest build met
	missing  map[pkg]bool // that are in no node_modules folder of the function's: a layer may have them
	linked   map[string]bool
}

// pkg is an import of a third-party package, as the standby repeats it.
type pkg struct {
	Name string `json:"name"` // "@aws-sdk/client-dynamodb", "zod/v4"
	From string `json:"from"` // absolute path of the importing file
	ESM  bool   `json:"esm"`  // by import, not by require
	dir  string // of the package
}

func newScanner(s *source) (*scanner, error) {
	sc := &scanner{entry: s.entry, esm: s.esm, compile: s.compile}
	o := bundle.Options{
		Dir:      filepath.Dir(s.entry),
		Entry:    s.entry,
		Format:   api.FormatCommonJS,
		Platform: api.PlatformNode,
		Target:   api.ESNext,
		Roots:    []string{s.root}, // as NODE_PATH has it
		Plugins:  []api.Plugin{sc.plugin()},
	}
	if s.esm {
		o.Format = api.FormatESModule
	}
	if s.compile {
		o.LogLevels = map[string]api.LogLevel{"empty-import-meta": api.LogLevelError}
	} else {
		o.Extensions = []string{".js", ".json", ".node"} // what require tries
		// Only then are they told of, and only then do inputs know what they cannot know.
		o.LogLevels = map[string]api.LogLevel{
			"unsupported-require-call": api.LogLevelWarning, "unsupported-dynamic-import": api.LogLevelWarning,
			"indirect-require": api.LogLevelWarning, "require-resolve-not-external": api.LogLevelSilent,
		}
	}
	var err error
	sc.bundler, err = bundle.New(o)
	return sc, err
}

// fits reports whether the scanner is of such a source.
func (sc *scanner) fits(s *source) bool {
	return sc != nil && sc.entry == s.entry && sc.esm == s.esm && sc.compile == s.compile
}

// scan reads the sources as they are now.
func (sc *scanner) scan(ctx context.Context) (*bundle.Result, found, error) {
	sc.mu.Lock()
	sc.packages, sc.missing, sc.linked = map[pkg]bool{}, map[pkg]bool{}, map[string]bool{}
	sc.mu.Unlock()
	out, err := sc.bundler.Build(ctx)
	sc.mu.Lock()
	defer sc.mu.Unlock()
	f := found{packages: sorted(sc.packages), missing: sorted(sc.missing)}
	for dir := range sc.linked {
		f.linked = append(f.linked, dir)
	}
	return out, f, err
}

// found is what sources import beside each other.
type found struct {
	packages, missing []pkg
	linked            []string // folders of packages that are links to sources
}

func sorted(packages map[pkg]bool) []pkg {
	return slices.SortedFunc(maps.Keys(packages), func(a, b pkg) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.From, b.From)) })
}

// resolving marks a question of the plugin's own to esbuild.
type resolving struct{}

// plugin decides what is the function's own. An installed package is not: it stays an import. A package that is a link
// to a folder outside of node_modules, as workspaces make them, is. What cannot be found is left for Node to say, because
// the line that asks for it may never be reached.
func (sc *scanner) plugin() api.Plugin {
	return api.Plugin{Name: "own", Setup: func(b api.PluginBuild) {
		b.OnResolve(api.OnResolveOptions{Filter: ".*"}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
			if _, asked := a.PluginData.(resolving); asked || a.Kind == api.ResolveEntryPoint {
				return api.OnResolveResult{}, nil
			}
			outside := api.OnResolveResult{Path: a.Path, External: true}
			if bare(a.Path) {
				if dir, linked := installed(a.ResolveDir, a.Path); dir != "" && !linked {
					sc.met(a, dir)
					return outside, nil
				} else if dir != "" {
					sc.link(dir)
				}
			}
			found := b.Resolve(a.Path, api.ResolveOptions{
				ResolveDir: a.ResolveDir, Importer: a.Importer, Kind: a.Kind, Namespace: a.Namespace, PluginData: resolving{}, With: a.With,
			})
			if len(found.Errors) > 0 && bare(a.Path) {
				sc.lacks(a)
			}
			if len(found.Errors) > 0 && (!sc.compile || bare(a.Path)) || !sc.readable(found.Path) {
				return outside, nil
			}
			return api.OnResolveResult{}, nil
		})
	}}
}

// readable reports whether esbuild can read a file of such a name as source.
func (sc *scanner) readable(path string) bool {
	switch filepath.Ext(path) {
	case "", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".json":
		return true
	}
	return sc.compile && filepath.Ext(path) != ".node" // esbuild says what it has no loader for
}

func (sc *scanner) met(a api.OnResolveArgs, dir string) {
	if a.Kind != api.ResolveJSImportStatement && a.Kind != api.ResolveJSRequireCall {
		return // import() and require.resolve load nothing by themselves
	}
	sc.mu.Lock()
	defer sc.mu.Unlock()
	sc.packages[pkg{a.Path, a.Importer, a.Kind == api.ResolveJSImportStatement && (sc.esm || !sc.compile), dir}] = true
}

func (sc *scanner) lacks(a api.OnResolveArgs) {
	byImport := a.Kind == api.ResolveJSImportStatement && (sc.esm || !sc.compile) || a.Kind == api.ResolveJSDynamicImport
	sc.mu.Lock()
	defer sc.mu.Unlock()
	sc.missing[pkg{Name: a.Path, From: a.Importer, ESM: byImport}] = true
}

func (sc *scanner) link(dir string) {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	sc.linked[dir] = true
}

// bare tells a package's name from a path, a URL, one of Node's own modules and a subpath import.
func bare(path string) bool {
	return path != "" && path[0] != '.' && path[0] != '#' && !filepath.IsAbs(path) && !strings.Contains(path, ":")
}

// installed finds the folder of a package as Node does. A linked one is a link that leads out of every node_modules.
func installed(from, path string) (dir string, linked bool) {
	parts := strings.SplitN(path, "/", 3)
	name := parts[0]
	if strings.HasPrefix(name, "@") && len(parts) > 1 {
		name += "/" + parts[1]
	}
	for at := from; ; at = filepath.Dir(at) {
		dir := filepath.Join(at, "node_modules", name)
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			real, err := filepath.EvalSymlinks(dir)
			if err == nil && !strings.Contains(real, string(filepath.Separator)+"node_modules"+string(filepath.Separator)) {
				return real, true
			}
			return dir, false
		}
		if at == filepath.Dir(at) {
			return "", false
		}
	}
}

// data lists the files in a function's folder that it may read as it runs, such as templates, with their folders. Scripts
// are among them only if the function loads scripts in ways that cannot be told from reading it. What programs write as
// they run is left out.
func data(root string, scripts bool) []string {
	var out []string
	for _, path := range function.Files(root) {
		name := filepath.Base(path)
		if path != root && hidden(root, path) {
			continue
		}
		switch filepath.Ext(name) {
		case ".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx":
			if !scripts {
				continue
			}
		case ".log", ".tmp", ".pid", ".db", ".sqlite", ".sqlite3", ".map", ".tsbuildinfo", ".md":
			continue
		}
		if info, err := os.Stat(path); err == nil && info.IsDir() && !scripts {
			continue // a file that comes is loaded by a line that comes
		}
		out = append(out, path)
	}
	return out
}

// hidden reports whether a path below root, or a folder that it is in, begins with a dot.
func hidden(root, path string) bool {
	rest, err := filepath.Rel(root, path)
	if err != nil {
		return false
	}
	for part := range strings.SplitSeq(rest, string(filepath.Separator)) {
		if strings.HasPrefix(part, ".") {
			return true
		}
	}
	return false
}

// locks are the files that say which packages are installed, in every folder where Node looks for them.
func locks(dir string) []string {
	var out []string
	for ; ; dir = filepath.Dir(dir) {
		for _, name := range []string{
			"package.json", "package-lock.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock",
			filepath.Join("node_modules", ".package-lock.json"), filepath.Join("node_modules", ".modules.yaml"), filepath.Join("node_modules", ".yarn-state.yml"),
		} {
			path := filepath.Join(dir, name)
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				out = append(out, path)
			}
		}
		if dir == filepath.Dir(dir) {
			return out
		}
	}
}
