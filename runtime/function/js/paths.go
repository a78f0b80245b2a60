package js

import (
	"bytes"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/evanw/esbuild/pkg/api"
)

// taskRoot is where a script believes its function's folder to be, as on Lambda.
const taskRoot = "/var/task"

// taskPath is the path of a source file as the script knows it: below /var/task if it is in the function's folder or in a
// node_modules folder, else as it is.
func taskPath(root, file string) string {
	if rel, err := filepath.Rel(root, file); err == nil && filepath.IsLocal(rel) {
		return path.Join(taskRoot, filepath.ToSlash(rel))
	}
	const modules = "/node_modules/"
	if i := strings.Index(filepath.ToSlash(file), modules); i >= 0 {
		return path.Join(taskRoot, filepath.ToSlash(file)[i:])
	}
	return filepath.ToSlash(file)
}

// fileObject is what a source file finds its own place in. esbuild puts it where the source says import.meta, __dirname
// or __filename (see bundleOptions).
const fileObject = "__devstack_file"

// placesPattern finds sources that ask where they are.
var placesPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\bimport\.meta\b|\b__(dirname|filename)\b`) })

// prologuePattern is what must stay at a source's beginning: a line for the shell, comments, "use strict".
var prologuePattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:#![^\n]*\n)?(?:(?:\s|//[^\n]*\n|/\*(?s:.*?)\*/)*(?:"use strict"|'use strict')(?:;|\r?\n))?`)
})

// placed tells the source of a file where it is, nil if it does not ask. Lines stay where they are.
func placed(source []byte, at string) []byte {
	if !placesPattern().Match(source) {
		return nil
	}
	u := url.URL{Scheme: "file", Path: at}
	head := len(prologuePattern().Find(source))
	var b bytes.Buffer
	b.Write(source[:head])
	b.WriteString("var " + fileObject + " = { url: " + quote(u.String()) + ", dirname: " + quote(path.Dir(at)) + ", filename: " + quote(at) + " }; ")
	b.Write(source[head:])
	return b.Bytes()
}

// places is the esbuild plugin that has files know where they are. Those of packages are looked at once as long as they do
// not change; the function's own always.
func places(root string) api.Plugin {
	type stamp struct {
		at   time.Time
		size int64
	}
	var mu sync.Mutex
	silent := map[string]stamp{} // files that do not ask
	return api.Plugin{Name: "places", Setup: func(b api.PluginBuild) {
		b.OnLoad(api.OnLoadOptions{Filter: `\.[cm]?[jt]sx?$`, Namespace: "file"}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
			var now stamp
			if inPackage(a.Path) {
				st, err := os.Stat(a.Path)
				if err != nil {
					return api.OnLoadResult{}, nil // esbuild says it better
				}
				now = stamp{st.ModTime(), st.Size()}
				mu.Lock()
				known := silent[a.Path] == now
				mu.Unlock()
				if known {
					return api.OnLoadResult{}, nil
				}
			}
			source, err := os.ReadFile(a.Path)
			if err != nil {
				return api.OnLoadResult{}, nil
			}
			text := placed(source, taskPath(root, a.Path))
			if text == nil {
				if now.size > 0 {
					mu.Lock()
					silent[a.Path] = now
					mu.Unlock()
				}
				return api.OnLoadResult{}, nil
			}
			contents := string(text)
			return api.OnLoadResult{Contents: &contents, Loader: api.LoaderDefault, ResolveDir: filepath.Dir(a.Path)}, nil
		})
	}}
}

// inPackage reports whether a source file belongs to a package rather than to the application.
func inPackage(file string) bool { return strings.Contains(filepath.ToSlash(file), "/node_modules/") }
