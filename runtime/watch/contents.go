package watch

import (
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// Changes is Subscribe without the events after which a file's content is what it was: an editor's touch, a checkout of
// the same commit, a formatter with nothing to do. All files are read once at the start.
func (w *Watcher) Changes(paths []string, f func(path string)) (cancel func()) {
	c := &contents{files: map[string]uint64{}}
	cancel = w.Subscribe(paths, func(path string) {
		if c.changed(path) {
			f(path)
		}
	})
	for _, p := range paths {
		c.read(p)
	}
	return cancel
}

// contents is what files contained when they were read last.
type contents struct {
	mu    sync.Mutex
	files map[string]uint64
}

var seed = maphash.MakeSeed()

// read learns the files below root that have not been heard of yet.
func (c *contents) read(root string) {
	// What cannot be read is a change as soon as it can.
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if path != root && Ignored(d.Name()) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if _, ok := c.files[path]; !ok {
			c.files[path] = sum(path)
		}
		return nil
	})
}

func (c *contents) changed(path string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := sum(path)
	before, ok := c.files[path]
	c.files[path] = now
	return !ok && now != 0 || ok && before != now
}

// sum is a file's content as a number: 0 where there is nothing, 1 for a folder.
func sum(path string) uint64 {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return 0
	case !info.Mode().IsRegular():
		return 1
	}
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	var h maphash.Hash
	h.SetSeed(seed)
	h.WriteByte(byte(info.Mode().Perm() >> 6)) // executable or not
	if _, err := io.Copy(&h, f); err != nil {
		return 0
	}
	return max(h.Sum64(), 2)
}
