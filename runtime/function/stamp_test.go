package function

import (
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestSnapshotSees(t *testing.T) {
	write := func(t *testing.T, path, content string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name    string
		change  func(t *testing.T, dir string)
		changed bool
	}{
		{"nothing", func(*testing.T, string) {}, false},
		{"another content", func(t *testing.T, dir string) { write(t, dir+"/a", "three") }, true},
		{"another content of the same size", func(t *testing.T, dir string) { write(t, dir+"/a", "ENO") }, true},
		{"the same content again is no change", func(t *testing.T, dir string) { write(t, dir+"/a", "one") }, false},
		{"a touch is no change", func(t *testing.T, dir string) {
			if err := os.Chtimes(dir+"/a", time.Time{}, time.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"another content under the old time", func(t *testing.T, dir string) {
			info, err := os.Stat(dir + "/a")
			if err != nil {
				t.Fatal(err)
			}
			write(t, dir+"/a", "ENO")
			if err := os.Chtimes(dir+"/a", time.Time{}, info.ModTime()); err != nil {
				t.Fatal(err)
			}
		}, true},
		{"a save by rename", func(t *testing.T, dir string) {
			write(t, dir+"/b", "ENO")
			if err := os.Rename(dir+"/b", dir+"/a"); err != nil {
				t.Fatal(err)
			}
		}, true},
		{"a removed file", func(t *testing.T, dir string) { os.Remove(dir + "/a") }, true},
		{"a file that was missing", func(t *testing.T, dir string) { write(t, dir+"/missing", "") }, true},
		{"an entry of a folder", func(t *testing.T, dir string) { write(t, dir+"/folder/new", "") }, true},
		{"the content of a file in a folder is not the folder's", func(t *testing.T, dir string) { write(t, dir+"/folder/old", "!") }, false},
		{"what is never source does not count", func(t *testing.T, dir string) {
			if err := os.Mkdir(dir+"/folder/__pycache__", 0o755); err != nil {
				t.Fatal(err)
			}
			write(t, dir+"/folder/main.py~", "")
		}, false},
		{"what a link leads to", func(t *testing.T, dir string) { write(t, dir+"/target", "ENO") }, true},
		{"permissions", func(t *testing.T, dir string) { os.Chmod(dir+"/a", 0o755) }, true},
	} {
		for _, age := range []time.Duration{0, time.Hour} {
			t.Run(tt.name+", last changed "+age.String()+" ago", func(t *testing.T) {
				dir := t.TempDir()
				write(t, dir+"/a", "one")
				write(t, dir+"/target", "one")
				os.Mkdir(dir+"/folder", 0o755)
				write(t, dir+"/folder/old", "")
				os.Symlink("target", dir+"/link")
				s := take([]string{dir + "/a", dir + "/missing", dir + "/folder", dir + "/link"}, nil)
				for p, st := range s.stamps {
					if age > 0 {
						st.fresh = false // as if they had been looked at much later
						s.stamps[p] = st
					}
				}
				tt.change(t, dir)
				if got := s.changed(); (got != "") != tt.changed {
					t.Fatalf("changed: %q, want %v", got, tt.changed)
				}
			})
		}
	}
}

// Two saves within a tick of the file system's clock leave all facts as they were.
func TestASaveWithinTheSameTickIsSeenByContent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	if err := os.WriteFile(path, []byte("one"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := take([]string{path}, nil)
	if !s.stamps[path].fresh {
		t.Fatal("a file that was written just now is not fresh")
	}
	if err := os.WriteFile(path, []byte("two"), 0o644); err != nil {
		t.Fatal(err)
	}
	st := s.stamps[path]
	st.facts = factsOf(path)
	s.stamps[path] = st
	if s.current() {
		t.Fatal("the second save was not seen")
	}
}

func TestConfirm(t *testing.T) {
	dir := t.TempDir()
	old, young := filepath.Join(dir, "old"), filepath.Join(dir, "young")
	for _, p := range []string{old, young} {
		if err := os.WriteFile(p, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	before := take([]string{old}, nil)
	if _, changed := before.confirm([]string{old}); changed != "" {
		t.Errorf("%s is said to have changed", changed)
	}
	after, changed := before.confirm([]string{old, young})
	if changed != young {
		t.Errorf("a file that was discovered and may have changed since the build began went through: %q", changed)
	}
	if _, changed := after.confirm([]string{old, young}); changed != "" {
		t.Errorf("the second attempt knows %s, and nothing has changed", changed)
	}
	before.began = before.began.Add(time.Hour) // long after the files were written
	if _, changed := before.confirm([]string{old, young}); changed != "" {
		t.Errorf("%s was discovered, and had last changed long before the build began", changed)
	}
}

// A build that reads while a file is changed and changed back may have read the change.
func TestConfirmSeesWhatWasThereInBetween(t *testing.T) {
	for _, looked := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "a")
		write := func(content string) {
			if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		write("one")
		time.Sleep(2 * tick) // so that the next writes have another date
		before := take([]string{path}, nil)
		write("two")
		write("one")
		if looked && !before.current() { // a request that comes by in the meantime
			t.Fatal("the content is the same")
		}
		if before.untouched(0) {
			t.Error("a sandbox that read in between would be kept")
		}
		if _, changed := before.confirm([]string{path}); changed != path {
			t.Errorf("a build that read in between would be kept (looked at meanwhile: %v)", looked)
		}
	}
}

// Each caller's result must come from a run that began after its call.
func TestSharedRunsBeginAfterTheCall(t *testing.T) {
	var s shared
	var state atomic.Int64
	var runs atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				asked := state.Add(1)
				var seen int64
				result := s.do(func() string {
					runs.Add(1)
					return time.Unix(0, state.Load()).Format(time.RFC3339Nano)
				})
				at, err := time.Parse(time.RFC3339Nano, result)
				if seen = at.UnixNano(); err != nil || seen < asked {
					t.Errorf("asked at %d, the answer is of %d", asked, seen)
				}
			}
		})
	}
	wg.Wait()
	if n := runs.Load(); n > 4000 {
		t.Errorf("%d runs for 4000 calls", n)
	}
}
