package lambda

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"devstack/emulators/wire"
)

// Bounds of an archive, in bytes, and of its entries, for which AWS names none: a folder with more files is of no use to a function.
//
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	maxZipped   = 50 << 20
	maxUnzipped = 250 << 20
	maxEntries  = 200_000
)

// Messages in the service's words. The first two are recorded answers.
const (
	msgUnzippedSize = "Unzipped size must be smaller than %d bytes"
	msgZippedSize   = "Zipped size must be smaller than %d bytes"
	msgNotUnzipped  = "Could not unzip uploaded file. Please check your file, then try to upload again." // https://github.com/boto/boto3/issues/488
	msgEmptyZip     = "Uploaded file must be a non-empty zip"                                            // a guess
)

// archives keeps archives of code and of layers in a folder, each with the files that are in it, under the name of its content. So
// versions and functions with the same code share it, and what is there is never written to again.
type archives struct {
	dir       string
	temporary bool // dir is to be made, and removed in the end
	sync      bool

	mu   sync.Mutex
	pins map[string]int // archives that an operation under way is about to store, by name
}

func newArchives(dir string, sync bool) *archives {
	return &archives{dir: dir, temporary: dir == "", sync: sync, pins: map[string]int{}}
}

// close removes a temporary folder.
func (a *archives) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.temporary && a.dir != "" {
		_ = os.RemoveAll(a.dir) // what is left is the operating system's to clean up
		a.dir = ""
	}
}

// files is the folder with an archive's files.
func (a *archives) files(name string) string { return filepath.Join(a.dir, name, "files") }

// zip is an archive as it was uploaded.
func (a *archives) zip(name string) string { return filepath.Join(a.dir, name, "code.zip") }

// root makes the folder of all archives, once.
func (a *archives) root() (string, error) {
	if a.dir == "" {
		if !a.temporary {
			return "", fs.ErrClosed
		}
		dir, err := os.MkdirTemp("", "devstack-lambda-")
		if err != nil {
			return "", err
		}
		a.dir = dir
	}
	return a.dir, os.MkdirAll(a.dir, 0o755)
}

// keep unpacks an archive and keeps it. It is not swept away before release is called: by then it must be stored who uses it. An
// archive that is none, or too large, is a *wire.Error.
func (a *archives) keep(content []byte) (c code, release func(), err error) {
	sum := sha256.Sum256(content)
	c = code{Sum: base64.StdEncoding.EncodeToString(sum[:]), Size: int64(len(content)), Archive: hex.EncodeToString(sum[:])}
	r, unzipped, err := openArchive(content)
	if err != nil {
		return c, nil, err
	}
	c.Unzipped = unzipped
	a.mu.Lock()
	defer a.mu.Unlock()
	dir, err := a.root()
	if err != nil {
		return c, nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, c.Archive)); err != nil {
		if err := a.unpack(dir, c.Archive, content, r); err != nil {
			return c, nil, err
		}
	}
	a.pins[c.Archive]++
	return c, func() { a.unpin(c.Archive) }, nil
}

func (a *archives) unpin(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pins[name]--; a.pins[name] == 0 {
		delete(a.pins, name)
	}
}

// unpack makes an archive's folder beside its place and then moves it there, so that it is whole or not there, whenever the process
// ends.
func (a *archives) unpack(dir, name string, content []byte, r *zip.Reader) error {
	fresh, err := os.MkdirTemp(dir, ".new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(fresh)
	if err := os.Chmod(fresh, 0o755); err != nil {
		return err
	}
	files := filepath.Join(fresh, "files")
	if err := os.Mkdir(files, 0o755); err != nil {
		return err
	}
	if err := extract(r, files); err != nil {
		return err
	}
	if err := a.write(filepath.Join(fresh, "code.zip"), content); err != nil {
		return err
	}
	return os.Rename(fresh, filepath.Join(dir, name))
}

func (a *archives) write(name string, content []byte) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(content); err != nil {
		return err
	}
	if a.sync {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	return f.Close()
}

// sweep removes the archives that nobody uses: what used says, and what an operation has in its hands, stays.
func (a *archives) sweep(used func() (map[string]bool, error)) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.dir == "" {
		return nil
	}
	entries, err := os.ReadDir(a.dir)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	kept, err := used()
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if name := e.Name(); !kept[name] && a.pins[name] == 0 {
			errs = append(errs, os.RemoveAll(filepath.Join(a.dir, name)))
		}
	}
	return errors.Join(errs...)
}

// openArchive reads an archive's directory and adds up what is in it, in bytes.
func openArchive(content []byte) (*zip.Reader, int64, error) {
	if len(content) > maxZipped {
		return nil, 0, wire.Errorf("RequestEntityTooLargeException", http.StatusRequestEntityTooLarge, msgZippedSize, maxZipped)
	}
	r, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil || len(r.File) > maxEntries {
		return nil, 0, byUser(errInvalidParameterValueException(msgNotUnzipped))
	}
	if len(r.File) == 0 {
		return nil, 0, byUser(errInvalidParameterValueException(msgEmptyZip))
	}
	total := uint64(0)
	for _, f := range r.File {
		if total += f.UncompressedSize64; f.UncompressedSize64 > maxUnzipped || total > maxUnzipped {
			return nil, 0, byUser(errInvalidParameterValueException(msgUnzippedSize, maxUnzipped))
		}
	}
	return r, int64(total), nil
}

// Unpack writes the files of a zip archive into a folder that is empty, as CreateFunction does with code: what is too large, is no
// archive or leads out of the folder is an error in Lambda's words.
func Unpack(content []byte, dir string) error {
	r, _, err := openArchive(content)
	if err != nil {
		return err
	}
	return extract(r, dir)
}

// extract writes an archive's files into a folder that is empty. Nothing is written outside of it, and no more than was announced:
// names that lead out, links that do, and sizes that are not true make the archive one that cannot be unzipped.
func extract(r *zip.Reader, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, f := range r.File {
		if err := extractEntry(root, f); err != nil {
			return refused(f.Name, err)
		}
	}
	// A link may lead out by way of another one, which only shows when all are there.
	for _, f := range r.File {
		if f.Mode()&fs.ModeSymlink == 0 {
			continue
		}
		if _, err := root.Stat(path.Clean(f.Name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return refused(f.Name, err)
		}
	}
	return nil
}

// refused is the answer to an archive that cannot be extracted because of one of its entries. A full disk is not the archive's fault.
func refused(name string, err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return err
	}
	return byUser(errInvalidParameterValueException("%s (%s: %v)", msgNotUnzipped, name, reason(err)))
}

// reason is an error without the path, which the message has already.
func reason(err error) error {
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		return e.Err
	}
	if e := (*os.LinkError)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}

func extractEntry(root *os.Root, f *zip.File) error {
	name := path.Clean(f.Name)
	if !fs.ValidPath(name) || strings.ContainsRune(name, 0) {
		return errors.New("the name leads out of the archive")
	}
	mode := f.Mode()
	switch {
	case mode.IsDir():
		return root.MkdirAll(name, 0o755)
	case mode&fs.ModeSymlink != 0:
		return extractLink(root, f, name)
	case !mode.IsRegular():
		return errors.New("it is neither a file nor a folder")
	}
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	// The owner may read and write it whatever the archive says: it is ours to remove, and the function's to read.
	out, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode.Perm()|0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	n, err := io.Copy(out, io.LimitReader(in, int64(f.UncompressedSize64)+1))
	if err == nil && n != int64(f.UncompressedSize64) {
		err = fmt.Errorf("it is not as long as the archive says")
	}
	if err != nil {
		return err
	}
	return out.Close()
}

// extractLink makes a symbolic link if it leads to a place within the archive.
func extractLink(root *os.Root, f *zip.File, name string) error {
	const longest = 4096 // PATH_MAX of Linux
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	b, err := io.ReadAll(io.LimitReader(in, longest+1))
	if err != nil {
		return err
	}
	to := string(b)
	if len(b) > longest || to == "" || strings.ContainsRune(to, 0) || path.IsAbs(to) || !fs.ValidPath(path.Join(path.Dir(name), to)) {
		return errors.New("the symbolic link leads out of the archive")
	}
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	return root.Symlink(to, name)
}

// source is what runs of an archive: the folder of its files, or a place in it.
func (a *archives) source(c code) string {
	return filepath.Join(a.files(c.Archive), filepath.FromSlash(c.Source))
}

// open opens an archive as it was uploaded.
func (a *archives) open(name string) (*os.File, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.dir == "" {
		return nil, fs.ErrNotExist
	}
	return os.Open(a.zip(name))
}

// freeze keeps what copy puts into a folder as an archive. It is as keep is otherwise, but for its size: these are files of this machine.
func (a *archives) freeze(copy func(dir string) (Frozen, error)) (c code, release func(), err error) {
	a.mu.Lock()
	dir, err := a.root()
	a.mu.Unlock()
	if err != nil {
		return c, nil, err
	}
	fresh, err := os.MkdirTemp(dir, ".new-")
	if err != nil {
		return c, nil, err
	}
	defer a.discard(fresh)
	a.pin(filepath.Base(fresh))
	if err := os.Chmod(fresh, 0o755); err != nil {
		return c, nil, err
	}
	files := filepath.Join(fresh, "files")
	if err := os.Mkdir(files, 0o755); err != nil {
		return c, nil, err
	}
	frozen, err := copy(files)
	if err != nil {
		return c, nil, err
	}
	if c, err = a.pack(files, filepath.Join(fresh, "code.zip")); err != nil {
		return c, nil, err
	}
	if c.Source, c.Layers = frozen.Source, frozen.Layers; c.Source == "." {
		c.Source = ""
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, err := os.Stat(filepath.Join(dir, c.Archive)); err != nil {
		if err := os.Rename(fresh, filepath.Join(dir, c.Archive)); err != nil {
			return c, nil, err
		}
	}
	a.pins[c.Archive]++
	return c, func() { a.unpin(c.Archive) }, nil
}

// discard removes a folder that was being filled, if it has not moved to its place.
func (a *archives) discard(fresh string) {
	_ = os.RemoveAll(fresh) // what is left goes with the next sweep
	a.unpin(filepath.Base(fresh))
}

func (a *archives) pin(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pins[name]++
}

// pack makes an archive of a folder's files, always the same one of the same files.
func (a *archives) pack(files, name string) (c code, err error) {
	out, err := os.Create(name)
	if err != nil {
		return c, err
	}
	defer out.Close()
	h := sha256.New()
	w := zip.NewWriter(io.MultiWriter(out, h))
	err = filepath.WalkDir(files, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		n, err := packFile(w, files, path)
		c.Unzipped += n
		return err
	})
	if err := errors.Join(err, w.Close()); err != nil {
		return c, err
	}
	info, err := out.Stat()
	if err == nil && a.sync {
		err = out.Sync()
	}
	if err != nil {
		return c, err
	}
	sum := h.Sum(nil)
	c.Sum, c.Size, c.Archive = base64.StdEncoding.EncodeToString(sum), info.Size(), hex.EncodeToString(sum)
	return c, out.Close()
}

func packFile(w *zip.Writer, files, path string) (int64, error) {
	rel, err := filepath.Rel(files, path)
	if err != nil {
		return 0, err
	}
	in, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return 0, err
	}
	h := &zip.FileHeader{Name: filepath.ToSlash(rel), Method: zip.Deflate} // without times: they are the copy's
	h.SetMode(info.Mode())
	f, err := w.CreateHeader(h)
	if err != nil {
		return 0, err
	}
	return io.Copy(f, in)
}
