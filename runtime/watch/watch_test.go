package watch_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"devstack/runtime/watch"
)

// heard collects what a subscription was told.
type heard struct {
	mu    sync.Mutex
	paths []string
}

func (h *heard) add(path string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.paths = append(h.paths, path)
}

func (h *heard) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.paths = nil
}

func (h *heard) has(path string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.paths {
		if p == path {
			return true
		}
	}
	return false
}

// wait fails the test if the path is not heard of.
func (h *heard) wait(t *testing.T, path string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !h.has(path); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s was not heard of", path)
		}
	}
}

func open(t *testing.T) *watch.Watcher {
	t.Helper()
	w, err := watch.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func write(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(time.Now().String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestSubscribeHears(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(t *testing.T, dir string) (path string)
	}{
		{"a file in a folder that was there", func(t *testing.T, dir string) string { write(t, dir+"/src/a/old"); return dir + "/src/a/old" }},
		{"a new file in a folder that was there", func(t *testing.T, dir string) string { write(t, dir+"/src/a/new"); return dir + "/src/a/new" }},
		{"a new folder", func(t *testing.T, dir string) string { mkdir(t, dir+"/src/b"); return dir + "/src/b" }},
		{"a save by rename", func(t *testing.T, dir string) string {
			write(t, dir+"/src/a/old~")
			if err := os.Rename(dir+"/src/a/old~", dir+"/src/a/old"); err != nil {
				t.Fatal(err)
			}
			return dir + "/src/a/old"
		}},
		{"a removed file", func(t *testing.T, dir string) string { os.Remove(dir + "/src/a/old"); return dir + "/src/a/old" }},
		{"a file that did not exist", func(t *testing.T, dir string) string { write(t, dir+"/single"); return dir + "/single" }},
		{"a file in folders that did not exist", func(t *testing.T, dir string) string {
			mkdir(t, dir+"/later/still")
			return dir + "/later"
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			mkdir(t, dir+"/src/a")
			write(t, dir+"/src/a/old")
			var h heard
			defer open(t).Subscribe([]string{dir + "/src", dir + "/single", dir + "/later/still/file"}, h.add)()
			h.wait(t, tt.change(t, dir))
		})
	}
}

func TestAFolderThatGoesAndComesBack(t *testing.T) {
	dir := t.TempDir()
	mkdir(t, dir+"/src/a")
	var h heard
	defer open(t).Subscribe([]string{dir + "/src"}, h.add)()
	for range 3 {
		if err := os.RemoveAll(dir + "/src"); err != nil {
			t.Fatal(err)
		}
		h.wait(t, dir+"/src")
		h.forget()
		mkdir(t, dir+"/src/a")
		h.wait(t, dir+"/src")
		settle(t, &h, dir+"/src/a/file")
		h.forget()
	}
}

func TestAFolderThatIsReplacedByRename(t *testing.T) {
	dir := t.TempDir()
	mkdir(t, dir+"/src")
	mkdir(t, dir+"/other")
	var h heard
	defer open(t).Subscribe([]string{dir + "/src"}, h.add)()
	if err := os.Rename(dir+"/src", dir+"/gone"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir+"/other", dir+"/src"); err != nil {
		t.Fatal(err)
	}
	settle(t, &h, dir+"/src/file")
}

// settle writes a file until it is heard of: the folder may be a moment too young to be watched.
func settle(t *testing.T, h *heard, path string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !h.has(path); time.Sleep(5 * time.Millisecond) {
		write(t, path)
		if time.Now().After(deadline) {
			t.Fatalf("%s was not heard of", path)
		}
	}
}

func TestAFolderMadeWhileItsParentIs(t *testing.T) {
	dir := t.TempDir()
	mkdir(t, dir+"/src")
	var h heard
	defer open(t).Subscribe([]string{dir + "/src"}, h.add)()
	mkdir(t, dir+"/src/a/b/c/d")
	h.wait(t, dir+"/src/a")
	settle(t, &h, dir+"/src/a/b/c/d/file")
}

func TestWhatIsNeverSourceIsNotHeardOf(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{".git", "node_modules", ".devstack", "__pycache__"} {
		mkdir(t, dir+"/"+d)
	}
	var h heard
	defer open(t).Subscribe([]string{dir}, h.add)()
	for _, p := range []string{".git/HEAD", "node_modules/x", ".devstack/data", "__pycache__/x.pyc", "main.go~", ".main.go.swp", "4913"} {
		write(t, filepath.Join(dir, p))
	}
	write(t, dir+"/last")
	h.wait(t, dir+"/last")
	for _, p := range h.paths {
		if p != dir+"/last" {
			t.Errorf("heard of %s", p)
		}
	}
}

func TestInputsAreMeantByThemselves(t *testing.T) {
	dir := t.TempDir()
	mkdir(t, dir+"/folder/below")
	write(t, dir+"/input")
	var h heard
	cancel, err := open(t).Inputs([]string{dir + "/input", dir + "/folder"}, h.add)
	if err != nil {
		t.Fatal(err)
	}
	defer cancel()
	write(t, dir+"/other")
	write(t, dir+"/folder/below/file")
	write(t, dir+"/folder/entry")
	write(t, dir+"/input")
	h.wait(t, dir+"/input")
	h.wait(t, dir+"/folder/entry")
	if h.has(dir+"/other") || h.has(dir+"/folder/below/file") {
		t.Errorf("heard of %v", h.paths)
	}
}

func TestChangesAreOfContent(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/same")
	write(t, dir+"/other")
	same, err := os.ReadFile(dir + "/same")
	if err != nil {
		t.Fatal(err)
	}
	age(t, dir+"/same")
	age(t, dir+"/other")
	var h heard
	defer open(t).Changes([]string{dir}, h.add)()
	if err := os.WriteFile(dir+"/beside~", same, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir+"/beside~", dir+"/same"); err != nil { // not in place: that would be empty for a moment
		t.Fatal(err)
	}
	write(t, dir+"/other")
	h.wait(t, dir+"/other")
	if h.has(dir + "/same") {
		t.Error("heard of a file whose content is the same")
	}
}

// age makes a file one that was written long before.
func age(t *testing.T, path string) {
	t.Helper()
	before := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, before, before); err != nil {
		t.Fatal(err)
	}
}

func TestChangesAreOfSources(t *testing.T) {
	for _, tt := range []struct {
		name  string
		heard bool
	}{
		{"main.go", true},
		{"a/b/main.go", true},
		{".env", true},
		{"go.sum", true},
		{"dist/main.js", true},
		{"named/seed.db", true}, // by itself among the paths
		{"orders.db", false},
		{"orders.sqlite3-wal", false},
		{"a/catalog.log", false},
		{"a/catalog.log.1", false},
		{"logs/today", false},
		{"target/debug/catalog", false},
		{".cache/x", false},
		{".venv/lib/x.py", false},
		{"node_modules/x/index.js", false},
		{"__pycache__/main.pyc", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			mkdir(t, dir+"/named")
			var h heard
			defer open(t).Changes([]string{dir, dir + "/named/seed.db"}, h.add)()
			mkdir(t, filepath.Dir(dir+"/"+tt.name))
			write(t, dir+"/"+tt.name)
			if tt.heard {
				h.wait(t, dir+"/"+tt.name)
				return
			}
			write(t, dir+"/last")
			h.wait(t, dir+"/last")
			if h.has(dir + "/" + tt.name) {
				t.Error("heard of it")
			}
		})
	}
}

func TestChangesOfWholeFolders(t *testing.T) {
	dir := t.TempDir()
	mkdir(t, dir+"/src/a")
	write(t, dir+"/src/a/file")
	mkdir(t, dir+"/outside")
	write(t, dir+"/outside/new")
	age(t, dir+"/src/a/file")
	var h heard
	defer open(t).Changes([]string{dir + "/src"}, h.add)()
	if err := os.Rename(dir+"/outside", dir+"/src/b"); err != nil {
		t.Fatal(err)
	}
	h.wait(t, dir+"/src/b/new")
	if err := os.Rename(dir+"/src/a", dir+"/outside"); err != nil {
		t.Fatal(err)
	}
	h.wait(t, dir+"/src/a/file")
}

func TestNothingIsHeardAfterCancel(t *testing.T) {
	dir := t.TempDir()
	w := open(t)
	var gone, there heard
	w.Subscribe([]string{dir}, gone.add)()
	defer w.Subscribe([]string{dir}, there.add)()
	write(t, dir+"/file")
	there.wait(t, dir+"/file")
	if gone.has(dir + "/file") {
		t.Error("heard after cancel")
	}
}

func TestManySubscribeAndCancelSideBySide(t *testing.T) {
	dir := t.TempDir()
	w := open(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				cancel := w.Subscribe([]string{dir}, func(string) {})
				write(t, filepath.Join(dir, strings.Repeat("x", i+1)))
				cancel()
			}
		})
	}
	wg.Wait()
	if err := w.Err(); err != nil {
		t.Error(err)
	}
}
