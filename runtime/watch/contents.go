package watch

import (
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Changes is Subscribe for what a program is run from, so that a program that is restarted for each call does not restart
// itself: without the events after which a file's content is what it was (an editor's touch, a checkout of the same
// commit, a compiler that wrote the same again), without those of folders as such, and without what Generated names below
// paths. f is called with a file's path.
func (w *Watcher) Changes(paths []string, f func(path string)) (cancel func()) {
	c := &contents{files: map[string]uint64{}, began: time.Now(), budget: learnAll}
	cancel, _ = w.subscribe(paths, true, Generated, func(path string) {
		if changed := c.changed(path, slices.Contains(paths, path)); changed != "" {
			f(changed)
		}
	}) // Err tells of limits
	for _, p := range paths {
		c.learn(p, nil)
	}
	return cancel
}

// Generated reports whether a file or folder of that name is what programs write beside the sources they are run from:
// what Ignored names, logs, databases, temporary files, what build tools make, and folders whose names begin with a dot.
func Generated(name string, folder bool) bool {
	if Ignored(name) {
		return true
	}
	name = strings.ToLower(name)
	if folder {
		return strings.HasPrefix(name, ".") || slices.Contains([]string{"tmp", "temp", "log", "logs", "target", "coverage", "venv"}, name)
	}
	for _, sequel := range []string{"-journal", "-wal", "-shm"} { // of SQLite: https://www.sqlite.org/tempfiles.html
		name = strings.TrimSuffix(name, sequel)
	}
	return strings.Contains(name, ".log.") ||
		slices.Contains([]string{".log", ".pid", ".tmp", ".temp", ".sock", ".db", ".sqlite", ".sqlite3", ".rdb", ".aof"}, filepath.Ext(name))
}

// contents is what files contained when they were read last.
type contents struct {
	began time.Time // operating system's

	mu     sync.Mutex
	files  map[string]uint64
	budget int64 // bytes that may still be read before anything is heard of them
}

// Bytes of one file, and of all, that are read before anything is heard of them. Of a file beyond, the first event is a
// change.
const (
	learnOne = 1 << 20
	learnAll = 16 << 20
)

// recent is how long before the beginning a file may have been written to be read only when its event has come: it is on
// its way, and must not find what it tells of already known.
const recent = 20 * time.Millisecond

var seed = maphash.MakeSeed()

// learn reads the files below root that have not been heard of yet. With found it is called for each.
func (c *contents) learn(root string, found func(path string)) {
	// What cannot be read is a change as soon as it can.
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil
		case path != root && Generated(d.Name(), d.IsDir()):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			return nil
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if _, known := c.files[path]; known {
			return nil
		}
		if found != nil {
			found(path)
		} else if info, err := os.Stat(path); err != nil || info.ModTime().After(c.began.Add(-recent)) || !c.affords(info.Size()) {
			return nil
		}
		c.files[path] = sum(path)
		return nil
	})
}

// affords reports whether a file of that size is read, and takes it from the budget.
func (c *contents) affords(size int64) bool {
	if size > min(learnOne, c.budget) {
		return false
	}
	c.budget -= size
	return true
}

// changed returns a file whose content is not what it was: the path, or one below it if that is a folder; "" if there is
// none. root is a path that was subscribed to.
func (c *contents) changed(path string, root bool) (changed string) {
	now := sum(path)
	if now == aFolder { // new, or a new name for one: what is in it may have been there before anybody listened
		if root || !Generated(filepath.Base(path), true) {
			c.learn(path, func(below string) { changed = below })
		}
		return changed
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	before, known := c.files[path]
	if now != nothing {
		c.files[path] = now
		if before != now {
			return path
		}
		return ""
	}
	if known {
		delete(c.files, path)
		return path
	}
	for below := range c.files { // it may have been a folder
		if under(below, path) {
			delete(c.files, below)
			changed = below
		}
	}
	return changed
}

// Sums of what is not a file.
const (
	nothing = iota
	aFolder
	firstSum
)

// sum is a file's content as a number.
func sum(path string) uint64 {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nothing
	case info.IsDir():
		return aFolder
	case !info.Mode().IsRegular():
		return firstSum
	}
	f, err := os.Open(path)
	if err != nil {
		return nothing
	}
	defer f.Close()
	var h maphash.Hash
	h.SetSeed(seed)
	h.WriteByte(byte(info.Mode().Perm() >> 6)) // executable or not
	if _, err := io.Copy(&h, f); err != nil {
		return nothing
	}
	return max(h.Sum64(), firstSum)
}
