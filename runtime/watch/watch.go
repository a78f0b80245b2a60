// Package watch tells of changes to files as they happen: no delay, no coalescing, one call an event. Whoever needs to be
// certain looks at the files; events only make that early.
package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/fsnotify/fsnotify"
)

// Watcher is one connection to the operating system's file events, shared by all subscriptions. Its methods may be
// called from any goroutine.
type Watcher struct {
	events *fsnotify.Watcher
	done   chan struct{}

	mu      sync.Mutex
	folders map[string]map[*subscription]bool // that are watched, and for whom
	all     map[*subscription]bool
	limit   error // why not everything is watched
}

// subscription is somebody who wants to hear of some paths.
type subscription struct {
	roots   map[string]bool                     // absolute
	deep    bool                                // what is below a folder counts, however deep
	ignored func(name string, folder bool) bool // what never counts below a root
	call    func(path string)
	held    map[string]bool // folders watched for it
}

// New returns a Watcher without subscriptions. It fails where the operating system has no more file events to give, with
// an error that names the limit.
func New() (*Watcher, error) {
	events, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, explain(err)
	}
	w := &Watcher{events: events, done: make(chan struct{}), folders: map[string]map[*subscription]bool{}, all: map[*subscription]bool{}}
	go w.run()
	return w, nil
}

// Close ends all subscriptions.
func (w *Watcher) Close() error {
	err := w.events.Close()
	<-w.done
	return err
}

// Err is why the Watcher does not see everything it was asked to, nil if it does.
func (w *Watcher) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.limit
}

// Subscribe calls f with the path of each file or folder that changes among paths or, where a path is a folder, below it,
// ignoring what Ignored names. Paths need not exist yet, and may go and come back. f is called from the one goroutine that
// reads events and must not wait; it may be called once more while cancel is.
func (w *Watcher) Subscribe(paths []string, f func(path string)) (cancel func()) {
	cancel, _ = w.subscribe(paths, true, ignored, f) // Err tells of limits
	return cancel
}

// Inputs is Subscribe for paths that are each meant by themselves: of a folder, only its list of entries counts. An error
// says that not all of them could be watched; those that could are.
func (w *Watcher) Inputs(paths []string, f func(path string)) (cancel func(), err error) {
	return w.subscribe(paths, false, ignored, f)
}

func ignored(name string, _ bool) bool { return Ignored(name) }

func (w *Watcher) subscribe(paths []string, deep bool, ignored func(name string, folder bool) bool, f func(path string)) (cancel func(), err error) {
	s := &subscription{roots: map[string]bool{}, deep: deep, ignored: ignored, call: f, held: map[string]bool{}}
	for _, p := range paths {
		s.roots[filepath.Clean(p)] = true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all[s] = true
	return func() { w.cancel(s) }, w.holdAllLocked(s)
}

func (w *Watcher) cancel(s *subscription) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.all, s)
	for dir := range s.held {
		w.releaseLocked(s, dir)
	}
}

// holdAllLocked watches every folder that the subscription needs and that exists.
func (w *Watcher) holdAllLocked(s *subscription) error {
	var first error
	for root := range s.roots {
		// The folder it is in tells of saves by rename, and of a root that goes and comes back.
		err := w.holdLocked(s, filepath.Dir(root))
		if info, statErr := os.Stat(root); err == nil && statErr == nil && info.IsDir() {
			if s.deep {
				err = w.holdTreeLocked(s, root)
			} else {
				err = w.holdLocked(s, root)
			}
		}
		if first == nil {
			first = err
		}
	}
	return first
}

func (w *Watcher) holdTreeLocked(s *subscription, root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || !d.IsDir():
			return nil // what vanishes during the walk is not there to be watched
		case !s.roots[path] && s.ignored(d.Name(), true):
			return fs.SkipDir
		}
		return w.holdLocked(s, path)
	})
}

// holdLocked watches a folder or, while it does not exist, the nearest one above it that does.
func (w *Watcher) holdLocked(s *subscription, dir string) error {
	for !s.held[dir] {
		if w.folders[dir] == nil {
			err := w.events.Add(dir)
			if errors.Is(err, fs.ErrNotExist) && filepath.Dir(dir) != dir {
				dir = filepath.Dir(dir)
				continue
			}
			if err != nil {
				w.limit = explain(fmt.Errorf("%s: %w", dir, err))
				return w.limit
			}
			w.folders[dir] = map[*subscription]bool{}
		}
		w.folders[dir][s] = true
		s.held[dir] = true
	}
	return nil
}

func (w *Watcher) releaseLocked(s *subscription, dir string) {
	delete(s.held, dir)
	delete(w.folders[dir], s)
	if len(w.folders[dir]) == 0 {
		delete(w.folders, dir)
		_ = w.events.Remove(dir) // already gone if the folder is
	}
}

func (w *Watcher) run() {
	defer close(w.done)
	for {
		select {
		case ev, ok := <-w.events.Events:
			if !ok {
				return
			}
			for _, s := range w.handle(ev) {
				s.call(ev.Name)
			}
		case err, ok := <-w.events.Errors:
			if !ok {
				return
			}
			w.lost(err)
		}
	}
}

// lost is called when the operating system dropped events: anything may have changed.
func (w *Watcher) lost(err error) {
	w.mu.Lock()
	var all []*subscription
	for s := range w.all {
		all = append(all, s)
		_ = w.holdAllLocked(s) // in w.limit
	}
	if !errors.Is(err, fsnotify.ErrEventOverflow) {
		w.limit = err
	}
	w.mu.Unlock()
	for _, s := range all {
		for root := range s.roots {
			s.call(root)
		}
	}
}

// handle keeps the watched folders in step with what exists and returns whom the event is for.
func (w *Watcher) handle(ev fsnotify.Event) []*subscription {
	if ev.Op == fsnotify.Chmod {
		return nil // nothing was written
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	interested := map[*subscription]bool{}
	for _, dir := range []string{filepath.Dir(ev.Name), ev.Name} {
		for s := range w.folders[dir] {
			interested[s] = true
		}
	}
	moved := ev.Has(fsnotify.Remove) || ev.Has(fsnotify.Rename)
	if moved && w.folders[ev.Name] != nil {
		w.goneLocked(ev.Name)
	}
	var out []*subscription
	for s := range interested {
		above := (moved || ev.Has(fsnotify.Create)) && s.above(ev.Name)
		if above {
			_ = w.holdAllLocked(s) // in w.limit
		}
		below := s.below(ev.Name)
		if below && s.deep && ev.Has(fsnotify.Create) && isFolder(ev.Name) {
			_ = w.holdTreeLocked(s, ev.Name) // in w.limit
		}
		if above || below {
			out = append(out, s)
		}
	}
	return out
}

// goneLocked forgets a folder and all below it: the operating system has, or it watches them under a name they no longer
// have.
func (w *Watcher) goneLocked(dir string) {
	for path, subs := range w.folders {
		if path != dir && !under(path, dir) {
			continue
		}
		for s := range subs {
			w.releaseLocked(s, path)
		}
	}
}

// above reports whether the path is a root, or a folder that one is in.
func (s *subscription) above(path string) bool {
	if s.roots[path] {
		return true
	}
	for root := range s.roots {
		if under(root, path) {
			return true
		}
	}
	return false
}

// below reports whether the path is one that the subscription is about.
func (s *subscription) below(path string) bool {
	if s.roots[path] {
		return true
	}
	for dir := path; !s.ignored(filepath.Base(dir), dir != path); {
		dir = filepath.Dir(dir)
		if s.roots[dir] {
			return true
		}
		if !s.deep || dir == filepath.Dir(dir) {
			return false
		}
	}
	return false
}

// under reports whether the path is inside the folder.
func under(path, dir string) bool {
	return strings.HasPrefix(path, strings.TrimSuffix(dir, string(filepath.Separator))+string(filepath.Separator))
}

func isFolder(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}

// Ignored reports whether a file or folder of that name is never somebody's source: version control, installed packages,
// caches, our own state, and what editors leave for a moment.
func Ignored(name string) bool {
	switch name {
	case ".git", ".hg", ".svn", ".jj", "node_modules", ".devstack", "__pycache__", ".DS_Store", "4913":
		return true
	}
	return strings.HasSuffix(name, "~") || strings.HasPrefix(name, ".#") ||
		strings.HasPrefix(name, ".") && (strings.HasSuffix(name, ".swp") || strings.HasSuffix(name, ".swx") || strings.HasSuffix(name, ".swo"))
}

// explain adds the way out to an error of the operating system's limits.
//
// https://man7.org/linux/man-pages/man7/inotify.7.html
func explain(err error) error {
	const sequel = "until then a function that is saved reloads when it is called next, and services do not reload by themselves"
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("file events: the user's inotify watches are used up; allow more with "+
			"`sudo sysctl fs.inotify.max_user_watches=524288`; %s: %w", sequel, err)
	case errors.Is(err, syscall.EMFILE):
		return fmt.Errorf("file events: the user's inotify instances or the process's files are used up; allow more with "+
			"`sudo sysctl fs.inotify.max_user_instances=1024` or `ulimit -n 65536`; %s: %w", sequel, err)
	}
	return fmt.Errorf("file events: %w", err)
}
