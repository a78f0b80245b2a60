package function

import (
	"io/fs"
	"os"
	"path/filepath"

	"devstack/runtime/watch"
)

// Files lists a file, or a folder with all files and folders below it, leaving out what is never source: version control,
// installed packages, caches, editors' own files. It is the inputs of a function about which nothing better is known. Links are
// followed, and a folder that several lead to is listed once.
func Files(root string) []string {
	out := []string{root}
	seen := map[string]bool{}
	var list func(dir string)
	list = func(dir string) {
		if real, err := filepath.EvalSymlinks(dir); err != nil || seen[real] {
			return // a folder that cannot be read is an input all the same: its change may mend that
		} else {
			seen[real] = true
		}
		entries, _ := os.ReadDir(dir) // as many as can be read
		for _, e := range entries {
			if watch.Ignored(e.Name()) {
				continue
			}
			path := filepath.Join(dir, e.Name())
			out = append(out, path)
			if e.IsDir() || e.Type()&fs.ModeSymlink != 0 && leadsToFolder(path) {
				list(path)
			}
		}
	}
	if leadsToFolder(root) {
		list(root)
	}
	return out
}

// leadsToFolder follows symbolic links.
func leadsToFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
