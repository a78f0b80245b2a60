package bundle

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/evanw/esbuild/pkg/api"
)

// recorder is told by esbuild of every file that a build loads and of every import that it looks up. It knows them even
// when the build fails, where esbuild's own metafile is empty.
type recorder struct {
	root string // of the stack

	mu    sync.Mutex
	files map[string]bool // loaded
	dirs  map[string]bool // whose entries decide where an import leads
}

func (r *recorder) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.files, r.dirs = map[string]bool{}, map[string]bool{}
}

func (r *recorder) plugin() api.Plugin {
	return api.Plugin{Name: "inputs", Setup: func(b api.PluginBuild) {
		b.OnResolve(api.OnResolveOptions{Filter: ".*"}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
			r.lookedUp(a.ResolveDir, a.Path)
			return api.OnResolveResult{}, nil
		})
		b.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: "file"}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.files[a.Path] = true
			r.dirs[filepath.Dir(a.Path)] = true
			return api.OnLoadResult{}, nil
		})
	}}
}

// lookedUp notes the folders that esbuild searches for path: a file that appears there may be found before the one that
// is found now, or instead of the one that is missing.
func (r *recorder) lookedUp(from, path string) {
	if from == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if strings.HasPrefix(path, ".") || filepath.IsAbs(path) {
		at := path
		if !filepath.IsAbs(at) {
			at = filepath.Join(from, path)
		}
		r.dirs[at] = true // "./lib" may be a folder with an index file
		r.dirs[filepath.Dir(at)] = true
		return
	}
	if !isPackage(path) {
		return
	}
	for dir := from; ; dir = filepath.Dir(dir) {
		modules := filepath.Join(dir, "node_modules")
		r.dirs[modules] = true
		if dir == r.root || strings.HasPrefix(dir, r.root+string(filepath.Separator)) {
			r.dirs[dir] = true // where node_modules may appear
		}
		if strings.HasPrefix(path, "@") { // the scope's folder is where the package would appear
			r.dirs[filepath.Join(modules, filepath.Dir(PackageName(path)))] = true
		}
		if isDir(filepath.Join(modules, PackageName(path))) || dir == filepath.Dir(dir) {
			return
		}
	}
}

// isPackage tells names of packages from URLs, data, subpath imports and what plugins and the runtime provide.
func isPackage(path string) bool {
	return path != "" && !strings.Contains(path, ":") && path[0] != '#'
}

// PackageName returns the package's name in an import path: "@scope/name" or "name".
func PackageName(path string) string {
	parts := strings.SplitN(path, "/", 3)
	if strings.HasPrefix(path, "@") && len(parts) > 1 {
		return parts[0] + "/" + parts[1]
	}
	return parts[0]
}

// inputs are all files and folders that the last build depended on, sorted.
func (r *recorder) inputs(o Options) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := map[string]bool{o.Entry: true, filepath.Dir(o.Entry): true}
	for f := range r.files {
		all[f] = true
	}
	seen := map[string]bool{}
	for d := range r.dirs {
		if isDir(d) {
			all[d] = true
			settings(d, o.Dir, seen, all)
		}
	}
	list := make([]string, 0, len(all))
	for p := range all {
		list = append(list, p)
	}
	slices.Sort(list)
	return list
}

// settings adds the package.json and tsconfig.json files that esbuild reads for sources in dir: its own and those of the
// folders above it up to root, or up to the file system's root for a folder outside.
func settings(dir, root string, seen, all map[string]bool) {
	for ; !seen[dir]; dir = filepath.Dir(dir) {
		seen[dir] = true
		for _, name := range []string{"package.json", "tsconfig.json", "jsconfig.json"} {
			if p := filepath.Join(dir, name); isFile(p) {
				all[p] = true
				if name != "package.json" {
					extended(p, all)
				}
			}
		}
		if dir == root || dir == filepath.Dir(dir) {
			return
		}
	}
}

var extendsPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`"extends"\s*:\s*"(\.[^"]+)"`)
})

// extended adds the files that a tsconfig.json extends by a relative path. Those in packages change with their package.
func extended(path string, all map[string]bool) {
	for range 10 { // a chain, which may be a circle
		text, err := os.ReadFile(path)
		if err != nil {
			return
		}
		m := extendsPattern().FindSubmatch(text)
		if m == nil {
			return
		}
		path = filepath.Join(filepath.Dir(path), string(m[1]))
		if !isFile(path) {
			path += ".json"
		}
		if all[path] || !isFile(path) {
			return
		}
		all[path] = true
	}
}

func isDir(p string) bool {
	st, err := os.Stat(p)
	return err == nil && st.IsDir()
}

func isFile(p string) bool {
	st, err := os.Stat(p)
	return err == nil && st.Mode().IsRegular()
}
