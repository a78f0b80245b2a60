package function

import (
	"io/fs"
	"path/filepath"

	"devstack/runtime/watch"
)

// Files lists a file, or a folder with all files and folders below it, leaving out what is never source: version control,
// installed packages, caches, editors' own files. It is the inputs of a function about which nothing better is known.
func Files(root string) []string {
	out := []string{root}
	// A folder that cannot be read is an input all the same: its change may mend that.
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if path == root || err != nil {
			return nil
		}
		if watch.Ignored(d.Name()) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		out = append(out, path)
		return nil
	})
	return out
}
