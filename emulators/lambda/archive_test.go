package lambda

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"devstack/emulators/wire"
)

// entry is a file of an archive.
type entry struct {
	name, content string
	mode          fs.FileMode
}

// zipped makes an archive.
func zipped(tb testing.TB, entries ...entry) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		if e.mode == 0 {
			e.mode = 0o644
		}
		h.SetMode(e.mode)
		f, err := w.CreateHeader(h)
		if err == nil {
			_, err = f.Write([]byte(e.content))
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func TestArchives(t *testing.T) {
	const link = fs.ModeSymlink | 0o777
	for _, tt := range []struct {
		name    string
		content []byte
		err     string // "" if it is kept
	}{
		{"files in folders", zipped(t, entry{name: "a/b/c.py", content: "x"}, entry{name: "d/", mode: fs.ModeDir | 0o755}), ""},
		{"a name with a dot in front", zipped(t, entry{name: "./index.js", content: "x"}), ""},
		{"the same name twice", zipped(t, entry{name: "a", content: "x"}, entry{name: "a", content: "yy"}), ""},
		{"a link within", zipped(t, entry{name: "bin/x", content: "../lib/x", mode: link}, entry{name: "lib/x", content: "x"}), ""},
		{"a link to what is not there", zipped(t, entry{name: "bin/x", content: "nothing", mode: link}), ""},
		{"a name that leads out", zipped(t, entry{name: "../x", content: "x"}), msgNotUnzipped},
		{"a name that leads out later", zipped(t, entry{name: "a/../../x", content: "x"}), msgNotUnzipped},
		{"a name from the root", zipped(t, entry{name: "/etc/x", content: "x"}), msgNotUnzipped},
		{"a name with a zero byte", zipped(t, entry{name: "a\x00b", content: "x"}), msgNotUnzipped},
		{"a link that leads out", zipped(t, entry{name: "x", content: "../../etc/passwd", mode: link}), msgNotUnzipped},
		{"a link from the root", zipped(t, entry{name: "x", content: "/etc/passwd", mode: link}), msgNotUnzipped},
		{"a link that leads out by way of another", zipped(t, entry{name: "here", content: ".", mode: link}, entry{name: "here/x", content: "../y", mode: link}), msgNotUnzipped},
		{"a file through a link", zipped(t, entry{name: "d", content: "..", mode: link}, entry{name: "d/x", content: "x"}), msgNotUnzipped},
		{"a file where a folder is", zipped(t, entry{name: "a/b", content: "x"}, entry{name: "a", content: "x"}), msgNotUnzipped},
		{"a pipe", zipped(t, entry{name: "a", mode: fs.ModeNamedPipe | 0o644}), msgNotUnzipped},
		{"nothing", zipped(t), msgEmptyZip},
		{"no archive", []byte("PK but not really"), msgNotUnzipped},
		{"more than may be unzipped", bomb(t), "Unzipped size must be smaller than 262144000 bytes"},
		{"more than may be zipped", make([]byte, maxZipped+1), "Zipped size must be smaller than 52428800 bytes"},
		{"a file that is longer than it says", lying(t), msgNotUnzipped},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			a := newArchives(filepath.Join(dir, "archives"), false)
			c, release, err := a.keep(tt.content)
			if outside := siblings(t, dir); len(outside) > 1 {
				t.Errorf("beside the archives there are %v", outside)
			}
			if tt.err != "" {
				var e *wire.Error
				if !errors.As(err, &e) || !strings.HasPrefix(e.Message, tt.err) {
					t.Errorf("got %v, want %s", err, tt.err)
				}
				if left := siblings(t, filepath.Join(dir, "archives")); len(left) > 0 {
					t.Errorf("left are %v", left)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer release()
			sum := sha256.Sum256(tt.content)
			if c.Sum != base64.StdEncoding.EncodeToString(sum[:]) || c.Size != int64(len(tt.content)) {
				t.Errorf("the code is %+v", c)
			}
			if b, err := os.ReadFile(a.zip(c.Archive)); err != nil || !bytes.Equal(b, tt.content) {
				t.Errorf("the archive was not kept as it was sent: %v", err)
			}
		})
	}
}

// siblings are the names in a folder.
func siblings(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// bomb is a small archive of a file that is too large.
func bomb(tb testing.TB) []byte { return announced(tb, maxUnzipped+1, 1000) }

// lying is an archive whose file has more bytes than its directory says.
func lying(tb testing.TB) []byte { return announced(tb, 1, 1000) }

// announced is an archive whose file has another size than its directory says.
func announced(tb testing.TB, says, has int) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.CreateRaw(&zip.FileHeader{Name: "a", Method: zip.Store, UncompressedSize64: uint64(says), CompressedSize64: uint64(has)})
	if err == nil {
		_, err = f.Write(make([]byte, has))
	}
	if err = errors.Join(err, w.Close()); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func TestFilesKeepTheirModes(t *testing.T) {
	a := newArchives(t.TempDir(), false)
	c, release, err := a.keep(zipped(t, entry{name: "bootstrap", content: "#!", mode: 0o755}, entry{name: "index.js", content: "x", mode: 0o444}))
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	for name, want := range map[string]fs.FileMode{"bootstrap": 0o755, "index.js": 0o644} { // the owner may always write
		if info, err := os.Stat(filepath.Join(a.files(c.Archive), name)); err != nil || info.Mode() != want {
			t.Errorf("%s: %v %v, want %v", name, info.Mode(), err, want)
		}
	}
}

func TestArchivesThatNobodyUsesGo(t *testing.T) {
	a := newArchives(t.TempDir(), false)
	used, keepUsed, err := a.keep(zipped(t, entry{name: "a", content: "used"}))
	if err != nil {
		t.Fatal(err)
	}
	keepUsed()
	held, release, err := a.keep(zipped(t, entry{name: "a", content: "held"}))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(a.dir, ".new-of-a-killed-process"), 0o755); err != nil {
		t.Fatal(err)
	}
	sweep := func(want ...string) {
		t.Helper()
		if err := a.sweep(func() (map[string]bool, error) { return map[string]bool{used.Archive: true}, nil }); err != nil {
			t.Fatal(err)
		}
		if got := siblings(t, a.dir); len(got) != len(want) {
			t.Errorf("left are %v, want %v", got, want)
		}
	}
	sweep(used.Archive, held.Archive)
	release()
	sweep(used.Archive)
}

// FuzzArchives unpacks what it is given: nothing is written outside of the archives' folder, and what is refused leaves nothing there.
func FuzzArchives(f *testing.F) {
	f.Add(zipped(f, entry{name: "index.js", content: "x"}))
	f.Add(zipped(f, entry{name: "../x", content: "x"}, entry{name: "d", content: "..", mode: fs.ModeSymlink | 0o777}, entry{name: "d/x", content: "x"}))
	f.Add(lying(f))
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		a := newArchives(filepath.Join(dir, "archives"), false)
		_, release, err := a.keep(content)
		if err == nil {
			release()
		}
		if got := siblings(t, dir); len(got) > 1 {
			t.Errorf("beside the archives there are %v", got)
		}
		kept := siblings(t, filepath.Join(dir, "archives"))
		if (err == nil) != (len(kept) == 1) {
			t.Errorf("%v left %v", err, kept)
		}
	})
}
