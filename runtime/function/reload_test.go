package function_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"devstack/runtime/function"
)

// What people and tools do to a folder beside saving a file in it. Each is done while files are watched and nobody calls, and then
// the function is called; and again with nothing watched.
func TestWhateverIsDoneToTheFolderTheNextCallSeesIt(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(t *testing.T, b *bench) error
		want string
	}{
		{"the file is renamed away", func(t *testing.T, b *bench) error { return os.Rename(b.file("main"), b.file("other")) }, ""},
		{"the file is deleted and written again", func(t *testing.T, b *bench) error {
			if err := os.Remove(b.file("main")); err != nil {
				return err
			}
			return os.WriteFile(b.file("main"), []byte("two"), 0o644)
		}, "two"},
		{"another file takes its place", func(t *testing.T, b *bench) error {
			if err := os.WriteFile(b.file("next"), []byte("two"), 0o644); err != nil {
				return err
			}
			return os.Rename(b.file("next"), b.file("main"))
		}, "two"},
		{"the folder is replaced", func(t *testing.T, b *bench) error {
			if err := os.Rename(b.fn.Source, b.fn.Source+".old"); err != nil {
				return err
			}
			if err := os.Mkdir(b.fn.Source, 0o755); err != nil {
				return err
			}
			return os.WriteFile(b.file("main"), []byte("two"), 0o644)
		}, "two"},
		{"the folder is deleted", func(t *testing.T, b *bench) error { return os.RemoveAll(b.fn.Source) }, ""},
		{"the file becomes a link to another", func(t *testing.T, b *bench) error {
			if err := os.WriteFile(b.fn.Source+".two", []byte("two"), 0o644); err != nil {
				return err
			}
			if err := os.Remove(b.file("main")); err != nil {
				return err
			}
			return os.Symlink(b.fn.Source+".two", b.file("main"))
		}, "two"},
		{"a name changes its case alone, and back with another content", func(t *testing.T, b *bench) error {
			if err := os.Rename(b.file("main"), b.file("Main")); err != nil {
				return err
			}
			if err := os.WriteFile(b.file("Main"), []byte("two"), 0o644); err != nil {
				return err
			}
			return os.Rename(b.file("Main"), b.file("main"))
		}, "two"},
		{"the content changes and its time does not", func(t *testing.T, b *bench) error {
			info, err := os.Stat(b.file("main"))
			if err != nil {
				return err
			}
			if err := os.WriteFile(b.file("main"), []byte("two"), 0o644); err != nil {
				return err
			}
			return os.Chtimes(b.file("main"), info.ModTime(), info.ModTime())
		}, "two"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Run("watched", func(t *testing.T) { doAndCall(t, tree(t, 3), tt.do, tt.want) })
			t.Run("not watched", func(t *testing.T) {
				b := newBench(t)
				b.fn.Source = filepath.Join(t.TempDir(), "src")
				b.fill(t, 3, "one")
				doAndCall(t, b, tt.do, tt.want)
			})
		})
	}
}

func (b *bench) file(name string) string { return filepath.Join(b.fn.Source, name) }

// doAndCall wants the answer of a new content, or with "" a build error until the old one is there again.
func doAndCall(t *testing.T, b *bench, do func(*testing.T, *bench) error, want string) {
	b.put(t)
	b.want(t, version, `"one"`)
	if err := do(t, b); err != nil {
		t.Fatal(err)
	}
	if want != "" {
		b.want(t, version, `"`+want+`"`)
		return
	}
	out, err := b.call(t.Context(), version)
	if err != nil || !out.Build {
		t.Fatalf("answered %+v, %v, want a build error", out, err)
	}
	b.fill(t, 3, "three")
	b.want(t, version, `"three"`)
}

func TestAFolderBehindALinkIsFollowedWhenTheLinkIsTurned(t *testing.T) {
	b := tree(t, 1)
	b.put(t)
	link := b.fn.Source + ".link"
	next := b.fn.Source + ".next"
	if err := os.Mkdir(next, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(next, "main"), []byte("two"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(b.fn.Source, link); err != nil {
		t.Fatal(err)
	}
	b.fn.Source = link
	b.put(t)
	b.want(t, version, `"one"`)
	if err := os.Symlink(next, link+"~"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(link+"~", link); err != nil {
		t.Fatal(err)
	}
	b.want(t, version, `"two"`)
}

func TestTheLastGoodVersionFinishesWhatItBegan(t *testing.T) {
	b := newBench(t)
	b.put(t)
	release := make(chan bool)
	b.fake.Sleep = release
	done := b.start(t, t.Context())
	b.save(t, "syntax error")
	if out, err := b.call(t.Context(), version); err != nil || !out.Build {
		t.Fatalf("got %+v, %v", out, err)
	}
	select {
	case err := <-done:
		t.Fatalf("an event that was being handled ended with %v", err)
	case <-time.After(5 * time.Millisecond):
	}
	close(release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	b.save(t, "two")
	b.want(t, version, `"two"`)
	if i, _ := b.Get("f"); i.State != function.Ready {
		t.Errorf("the state is %s", i.State)
	}
}

func TestFilesFollowsLinksOnce(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"src/a", "shared/b", "src/node_modules/c"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"src/shared": "../shared", "src/again": "../shared", "src/round": ".", "src/nowhere": "nothing"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, path := range function.Files(filepath.Join(dir, "src")) {
		rel, _ := filepath.Rel(dir, path)
		got = append(got, rel)
	}
	if want := []string{"src", "src/a", "src/again", "src/again/b", "src/nowhere", "src/round", "src/shared"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
