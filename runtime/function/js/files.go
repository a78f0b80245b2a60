package js

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/dop251/goja"

	"devstack/runtime/function"
)

// files are what a script sees of a file system: its function's folder (and the stack's, where packages and shared sources
// are) to read as /var/task, its layers as /opt, and a /tmp of its own to write, which is gone with the sandbox.
type files struct {
	task  string   // the folder that is /var/task
	stack string   // the stack's
	opt   []string // layers, a later one over an earlier
	quota int64    // bytes of /tmp

	tmp  *os.Root // nil until it is first needed
	used int64    // bytes in /tmp that this sandbox has written
	open map[int64]*handle
	next int64
}

// handle is an open file.
type handle struct {
	*os.File
	quota bool // it lies in /tmp and was opened to be written
}

func (e *Engine) newFiles(s *sandbox) *files {
	const standard = 512 // MiB
	f := &files{stack: e.opts.Dir, opt: s.fn.Layers, quota: standard << 20, open: map[int64]*handle{}, next: 3}
	if s.fn.EphemeralStorage > 0 {
		f.quota = int64(s.fn.EphemeralStorage) << 20
	}
	if s.fn.Source != "" {
		f.task = function.TaskRoot(s.fn)
	}
	return f
}

// close lets go of everything.
func (f *files) close() {
	for _, h := range f.open {
		h.Close()
	}
	clear(f.open)
	if f.tmp != nil {
		f.tmp.Close()
		os.RemoveAll(f.tmp.Name())
		f.tmp = nil
	}
}

// tmpPrefix begins the names of the folders that stand for /tmp; the process's id follows.
const tmpPrefix = "devstack-js-"

// swept has what killed daemons left behind removed once.
var swept sync.Once

// sweep removes the folders of processes that are no more.
func sweep() {
	all, _ := filepath.Glob(filepath.Join(os.TempDir(), tmpPrefix+"*"))
	for _, dir := range all {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), tmpPrefix), "-")
		if n, err := strconv.Atoi(pid); err == nil && n > 0 && errors.Is(syscall.Kill(n, 0), syscall.ESRCH) {
			os.RemoveAll(dir)
		}
	}
}

// root returns the folder that is /tmp.
func (f *files) root() (*os.Root, error) {
	if f.tmp != nil {
		return f.tmp, nil
	}
	swept.Do(sweep)
	dir, err := os.MkdirTemp("", tmpPrefix+strconv.Itoa(os.Getpid())+"-")
	if err != nil {
		return nil, err
	}
	f.tmp, err = os.OpenRoot(dir)
	return f.tmp, err
}

// location is where a path of a script's leads: to a name in /tmp, or to a file that may only be read.
type location struct {
	shown string // as the script knows it, absolute
	tmp   string // relative to /tmp; "" outside
	real  string // outside
}

// find says where a path leads.
func (f *files) find(name string) (location, error) {
	if strings.ContainsRune(name, 0) {
		return location{}, syscall.EINVAL
	}
	if !path.IsAbs(name) {
		name = path.Join(taskRoot, name)
	}
	p := location{shown: path.Clean(name)}
	if rel, ok := below(p.shown, "/tmp"); ok {
		p.tmp = rel
		return p, nil
	}
	if rel, ok := below(p.shown, taskRoot); ok && f.task != "" {
		p.real = f.inTask(rel)
		return p, nil
	}
	if rel, ok := below(p.shown, "/opt"); ok {
		for _, layer := range slices.Backward(f.opt) {
			p.real = filepath.Join(layer, rel)
			if _, err := os.Lstat(p.real); err == nil {
				return p, nil
			}
		}
		return p, syscall.ENOENT
	}
	for _, dir := range []string{f.task, f.stack} {
		if _, ok := below(p.shown, filepath.ToSlash(dir)); ok && dir != "" {
			p.real = filepath.FromSlash(p.shown)
			return p, nil
		}
	}
	if p.shown == "/dev/null" {
		p.real = os.DevNull
		return p, nil
	}
	if p.shown == "/" || p.shown == "/var" {
		return p, syscall.EACCES
	}
	return p, syscall.ENOENT
}

// below returns what follows dir in a path that is dir or below it; "." for dir.
func below(name, dir string) (string, bool) {
	if name == dir {
		return ".", true
	}
	rel, ok := strings.CutPrefix(name, strings.TrimSuffix(dir, "/")+"/")
	return rel, ok
}

// inTask is the file of a path below /var/task. The folders of packages may be those of a folder above, where Node would find
// them; a deployed function has them in its own.
func (f *files) inTask(rel string) string {
	real := filepath.Join(f.task, rel)
	if !strings.HasPrefix(rel, "node_modules/") {
		return real
	}
	for dir := f.task; ; dir = filepath.Dir(dir) {
		if p := filepath.Join(dir, rel); exists(p) {
			return p
		}
		if dir == filepath.Dir(dir) {
			return real
		}
	}
}

func exists(p string) bool {
	_, err := os.Lstat(p)
	return err == nil
}

// fileFunctions are host.group("fs").
func (s *sandbox) fileFunctions() map[string]any {
	ops := map[string]func(*files, goja.FunctionCall) (goja.Value, error){
		"read": s.fsRead, "write": s.fsWrite, "stat": s.fsStat, "list": s.fsList, "mkdir": s.fsMkdir, "rm": s.fsRemove, "rename": s.fsRename,
		"open": s.fsOpen, "readAt": s.fsReadAt, "writeAt": s.fsWriteAt, "fstat": s.fsFstat, "ftruncate": s.fsTruncate, "close": s.fsClose,
		"realpath": s.fsRealpath, "utimes": s.fsTimes, "chmod": s.fsMode, "symlink": s.fsSymlink, "readlink": s.fsReadlink,
	}
	fs := map[string]any{}
	for name, op := range ops {
		fs[name] = func(call goja.FunctionCall) goja.Value {
			if s.files == nil {
				s.files = s.engine.newFiles(s)
			}
			v, err := op(s.files, call)
			if err != nil {
				panic(s.systemError(err, name, call.Argument(0)))
			}
			return v
		}
	}
	return fs
}

// codes are Node's names of the errors that files make, with its words and libuv's numbers.
var codes = []struct {
	err    error
	code   string
	words  string
	number int
}{
	{syscall.ENOENT, "ENOENT", "no such file or directory", -2},
	{syscall.EEXIST, "EEXIST", "file already exists", -17},
	{syscall.ENOTDIR, "ENOTDIR", "not a directory", -20},
	{syscall.EISDIR, "EISDIR", "illegal operation on a directory", -21},
	{syscall.ENOTEMPTY, "ENOTEMPTY", "directory not empty", -39},
	{syscall.EROFS, "EROFS", "read-only file system", -30},
	{syscall.ENOSPC, "ENOSPC", "no space left on device", -28},
	{syscall.EBADF, "EBADF", "bad file descriptor", -9},
	{syscall.EINVAL, "EINVAL", "invalid argument", -22},
	{syscall.EFBIG, "EFBIG", "file too large", -27},
	{syscall.ELOOP, "ELOOP", "too many symbolic links encountered", -40},
	{syscall.EXDEV, "EXDEV", "cross-device link not permitted", -18},
	{syscall.ENAMETOOLONG, "ENAMETOOLONG", "name too long", -36},
	{fs.ErrPermission, "EACCES", "permission denied", -13},
	{fs.ErrNotExist, "ENOENT", "no such file or directory", -2},
	{fs.ErrExist, "EEXIST", "file already exists", -17},
	{fs.ErrClosed, "EBADF", "bad file descriptor", -9},
}

// syscalls are the names that Node's errors have for what failed.
var syscalls = map[string]string{"read": "open", "write": "open", "list": "scandir", "readAt": "read", "writeAt": "write", "utimes": "utime"}

// systemError is an error as Node's fs throws it.
func (s *sandbox) systemError(err error, op string, name goja.Value) goja.Value {
	code, words, number := "EIO", err.Error(), -5
	for _, c := range codes {
		if errors.Is(err, c.err) {
			code, words, number = c.code, c.words, c.number
			break
		}
	}
	if other := syscalls[op]; other != "" {
		op = other
	}
	text := fmt.Sprintf("%s: %s, %s", code, words, op)
	shown := isString(name)
	if shown {
		text += " '" + name.String() + "'"
	}
	obj, newErr := s.rt.New(s.rt.Get("Error"), s.rt.ToValue(text))
	if newErr != nil {
		return s.rt.ToValue(text)
	}
	_ = obj.Set("errno", number)
	_ = obj.Set("code", code)
	_ = obj.Set("syscall", op)
	if shown {
		_ = obj.Set("path", name)
	}
	return obj
}

// openFile opens what a path leads to, with the flags of the system.
func (f *files) openFile(name string, flags int, mode fs.FileMode) (*handle, error) {
	p, err := f.find(name)
	if err != nil {
		return nil, err
	}
	writes := flags&(os.O_WRONLY|os.O_RDWR|os.O_CREATE|os.O_TRUNC|os.O_APPEND) != 0
	if p.tmp == "" {
		if writes && p.real != os.DevNull {
			return nil, syscall.EROFS
		}
		file, err := os.OpenFile(p.real, flags, 0)
		return &handle{file, false}, err
	}
	root, err := f.root()
	if err != nil {
		return nil, err
	}
	if flags&os.O_TRUNC != 0 {
		if info, err := root.Stat(p.tmp); err == nil && info.Mode().IsRegular() {
			f.used -= info.Size()
		}
	}
	file, err := root.OpenFile(p.tmp, flags, mode&fs.ModePerm)
	return &handle{file, writes}, err
}

// grow lets a file of /tmp become larger, if the quota does.
func (f *files) grow(h *handle, to int64) error {
	if !h.quota {
		return nil
	}
	info, err := h.Stat()
	if err != nil {
		return err
	}
	more := to - info.Size()
	if more > 0 && f.used+more > f.quota {
		return syscall.ENOSPC
	}
	if more > 0 {
		f.used += more
	}
	return nil
}

// fsRead implements fs.read(path) → ArrayBuffer of the whole file.
func (s *sandbox) fsRead(f *files, call goja.FunctionCall) (goja.Value, error) {
	h, err := f.openFile(call.Argument(0).String(), os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	info, err := h.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, syscall.EISDIR
	}
	limit := int64(s.memoryLimit())
	b, err := io.ReadAll(io.LimitReader(h, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = syscall.EFBIG
	}
	return s.arrayBuffer(b), err
}

// fsWrite implements fs.write(path, bytes, flags, mode).
func (s *sandbox) fsWrite(f *files, call goja.FunctionCall) (goja.Value, error) {
	flags, err := openFlags(call.Argument(2).String())
	if err != nil {
		return nil, err
	}
	h, err := f.openFile(call.Argument(0).String(), flags, fs.FileMode(call.Argument(3).ToInteger()))
	if err != nil {
		return nil, err
	}
	defer h.Close()
	b := s.bytes(call.Argument(1))
	to := int64(len(b))
	if flags&os.O_APPEND != 0 {
		if info, err := h.Stat(); err == nil {
			to += info.Size()
		}
	}
	if err := f.grow(h, to); err != nil {
		return nil, err
	}
	_, err = h.Write(b)
	return goja.Undefined(), err
}

// openFlags are the system's for Node's: "r", "w+", "ax" …
func openFlags(text string) (int, error) {
	flags := 0
	switch strings.Trim(text, "+xs") {
	case "r":
		flags = os.O_RDONLY
	case "w":
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	case "a":
		flags = os.O_WRONLY | os.O_CREATE | os.O_APPEND
	default:
		return 0, syscall.EINVAL
	}
	if strings.Contains(text, "+") {
		flags = flags&^os.O_WRONLY | os.O_RDWR
	}
	if strings.Contains(text, "x") {
		flags |= os.O_EXCL
	}
	return flags, nil
}

// info makes an object of what is known of a file.
func (s *sandbox) info(i fs.FileInfo) goja.Value {
	kind := "other"
	switch {
	case i.Mode().IsRegular():
		kind = "file"
	case i.IsDir():
		kind = "directory"
	case i.Mode()&fs.ModeSymlink != 0:
		kind = "link"
	}
	obj := s.rt.NewObject()
	_ = obj.Set("kind", kind)
	_ = obj.Set("size", i.Size())
	_ = obj.Set("mode", uint32(i.Mode().Perm()))
	_ = obj.Set("mtimeMs", float64(i.ModTime().UnixNano())/float64(time.Millisecond))
	return obj
}

// fsStat implements fs.stat(path, ofLink).
func (s *sandbox) fsStat(f *files, call goja.FunctionCall) (goja.Value, error) {
	p, err := f.find(call.Argument(0).String())
	if err != nil {
		return nil, err
	}
	stat := os.Stat
	if call.Argument(1).ToBoolean() {
		stat = os.Lstat
	}
	name := p.real
	if p.tmp != "" {
		root, err := f.root()
		if err != nil {
			return nil, err
		}
		name, stat = p.tmp, root.Stat
		if call.Argument(1).ToBoolean() {
			stat = root.Lstat
		}
	}
	i, err := stat(name)
	if err != nil {
		return nil, err
	}
	return s.info(i), nil
}

// fsList implements fs.list(path) → [[name, kind]].
func (s *sandbox) fsList(f *files, call goja.FunctionCall) (goja.Value, error) {
	p, err := f.find(call.Argument(0).String())
	if err != nil {
		return nil, err
	}
	var entries []fs.DirEntry
	if p.tmp != "" {
		var root *os.Root
		if root, err = f.root(); err == nil {
			entries, err = fs.ReadDir(root.FS(), p.tmp)
		}
	} else {
		entries, err = os.ReadDir(p.real)
	}
	if err != nil {
		return nil, err
	}
	list := make([]any, len(entries))
	for i, entry := range entries {
		kind := "other"
		switch {
		case entry.Type().IsRegular():
			kind = "file"
		case entry.IsDir():
			kind = "directory"
		case entry.Type()&fs.ModeSymlink != 0:
			kind = "link"
		}
		list[i] = s.rt.NewArray(entry.Name(), kind)
	}
	return s.rt.NewArray(list...), nil
}

// writable returns /tmp and the name there of a path that is to change.
func (f *files) writable(name string) (*os.Root, string, error) {
	p, err := f.find(name)
	if err != nil && p.shown == "" {
		return nil, "", err
	}
	if p.tmp == "" {
		return nil, "", syscall.EROFS
	}
	root, err := f.root()
	return root, p.tmp, err
}

// fsMkdir implements fs.mkdir(path, recursive, mode).
func (s *sandbox) fsMkdir(f *files, call goja.FunctionCall) (goja.Value, error) {
	root, name, err := f.writable(call.Argument(0).String())
	if err != nil {
		return nil, err
	}
	mode := fs.FileMode(call.Argument(2).ToInteger()) & fs.ModePerm
	if call.Argument(1).ToBoolean() {
		return goja.Undefined(), root.MkdirAll(name, mode)
	}
	return goja.Undefined(), root.Mkdir(name, mode)
}

// fsRemove implements fs.rm(path, what, recursive, force): what is "file", "directory" or "any".
func (s *sandbox) fsRemove(f *files, call goja.FunctionCall) (goja.Value, error) {
	root, name, err := f.writable(call.Argument(0).String())
	if err != nil {
		return nil, err
	}
	info, err := root.Lstat(name)
	if err != nil {
		if call.Argument(3).ToBoolean() && errors.Is(err, fs.ErrNotExist) {
			return goja.Undefined(), nil
		}
		return nil, err
	}
	what, recursive := call.Argument(1).String(), call.Argument(2).ToBoolean()
	switch {
	case info.IsDir() && !recursive && what != "directory":
		return nil, syscall.EISDIR
	case !info.IsDir() && what == "directory":
		return nil, syscall.ENOTDIR
	}
	f.used -= sizeOf(root, name)
	if recursive {
		return goja.Undefined(), root.RemoveAll(name)
	}
	return goja.Undefined(), root.Remove(name)
}

// sizeOf is how many bytes the files at and below a name hold.
func sizeOf(root *os.Root, name string) (n int64) {
	_ = fs.WalkDir(root.FS(), name, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil
	})
	return n
}

// fsRename implements fs.rename(from, to).
func (s *sandbox) fsRename(f *files, call goja.FunctionCall) (goja.Value, error) {
	root, from, err := f.writable(call.Argument(0).String())
	if err != nil {
		return nil, err
	}
	_, to, err := f.writable(call.Argument(1).String())
	if err != nil {
		return nil, err
	}
	if info, err := root.Lstat(to); err == nil && info.Mode().IsRegular() && to != from {
		f.used -= info.Size()
	}
	return goja.Undefined(), root.Rename(from, to)
}

// fsOpen implements fs.open(path, flags, mode) → a file descriptor.
func (s *sandbox) fsOpen(f *files, call goja.FunctionCall) (goja.Value, error) {
	const most = 1024 // as Lambda allows
	if len(f.open) >= most {
		return nil, syscall.EMFILE
	}
	flags, err := openFlags(call.Argument(1).String())
	if err != nil {
		return nil, err
	}
	h, err := f.openFile(call.Argument(0).String(), flags, fs.FileMode(call.Argument(2).ToInteger()))
	if err != nil {
		return nil, err
	}
	id := f.next
	f.next++
	f.open[id] = h
	return s.rt.ToValue(id), nil
}

func (f *files) handle(call goja.FunctionCall) (*handle, error) {
	if h := f.open[call.Argument(0).ToInteger()]; h != nil {
		return h, nil
	}
	return nil, syscall.EBADF
}

// fsReadAt implements fs.readAt(fd, length, position) → ArrayBuffer; a position of -1 is where the file stands.
func (s *sandbox) fsReadAt(f *files, call goja.FunctionCall) (goja.Value, error) {
	h, err := f.handle(call)
	if err != nil {
		return nil, err
	}
	n, at := call.Argument(1).ToInteger(), call.Argument(2).ToInteger()
	if n < 0 || n > int64(s.memoryLimit()) {
		return nil, syscall.EINVAL
	}
	b := make([]byte, n)
	var got int
	if at < 0 {
		got, err = h.Read(b)
	} else {
		got, err = h.ReadAt(b, at)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return s.arrayBuffer(b[:got]), err
}

// fsWriteAt implements fs.writeAt(fd, bytes, position) → how many bytes.
func (s *sandbox) fsWriteAt(f *files, call goja.FunctionCall) (goja.Value, error) {
	h, err := f.handle(call)
	if err != nil {
		return nil, err
	}
	b, at := s.bytes(call.Argument(1)), call.Argument(2).ToInteger()
	from := at
	if at < 0 {
		if from, err = h.Seek(0, io.SeekCurrent); err != nil {
			return nil, err
		}
	}
	if err := f.grow(h, from+int64(len(b))); err != nil {
		return nil, err
	}
	var n int
	if at < 0 {
		n, err = h.Write(b)
	} else {
		n, err = h.WriteAt(b, at)
	}
	return s.rt.ToValue(n), err
}

// fsFstat implements fs.fstat(fd).
func (s *sandbox) fsFstat(f *files, call goja.FunctionCall) (goja.Value, error) {
	h, err := f.handle(call)
	if err != nil {
		return nil, err
	}
	i, err := h.Stat()
	if err != nil {
		return nil, err
	}
	return s.info(i), nil
}

// fsTruncate implements fs.ftruncate(fd, length).
func (s *sandbox) fsTruncate(f *files, call goja.FunctionCall) (goja.Value, error) {
	h, err := f.handle(call)
	if err != nil {
		return nil, err
	}
	if !h.quota {
		return nil, syscall.EINVAL
	}
	to := call.Argument(1).ToInteger()
	if info, err := h.Stat(); err == nil && to < info.Size() {
		f.used -= info.Size() - to
	} else if err := f.grow(h, to); err != nil {
		return nil, err
	}
	return goja.Undefined(), h.Truncate(to)
}

// fsClose implements fs.close(fd).
func (s *sandbox) fsClose(f *files, call goja.FunctionCall) (goja.Value, error) {
	h, err := f.handle(call)
	if err != nil {
		return nil, err
	}
	delete(f.open, call.Argument(0).ToInteger())
	return goja.Undefined(), h.Close()
}

// fsRealpath implements fs.realpath(path). Links within /tmp are not followed in what it returns.
func (s *sandbox) fsRealpath(f *files, call goja.FunctionCall) (goja.Value, error) {
	if _, err := s.fsStat(f, goja.FunctionCall{Arguments: []goja.Value{call.Argument(0)}}); err != nil {
		return nil, err
	}
	p, err := f.find(call.Argument(0).String())
	return s.rt.ToValue(p.shown), err
}

// fsTimes implements fs.utimes(path, accessed, modified), in seconds.
func (s *sandbox) fsTimes(f *files, call goja.FunctionCall) (goja.Value, error) {
	root, name, err := f.writable(call.Argument(0).String())
	if err != nil {
		return nil, err
	}
	instant := func(v goja.Value) time.Time { return time.UnixMicro(int64(v.ToFloat() * 1e6)) }
	return goja.Undefined(), root.Chtimes(name, instant(call.Argument(1)), instant(call.Argument(2)))
}

// fsMode implements fs.chmod(path, mode).
func (s *sandbox) fsMode(f *files, call goja.FunctionCall) (goja.Value, error) {
	root, name, err := f.writable(call.Argument(0).String())
	if err != nil {
		return nil, err
	}
	return goja.Undefined(), root.Chmod(name, fs.FileMode(call.Argument(1).ToInteger())&fs.ModePerm)
}

// fsSymlink implements fs.symlink(path, target): a link in /tmp to a name beside it or below.
func (s *sandbox) fsSymlink(f *files, call goja.FunctionCall) (goja.Value, error) {
	root, name, err := f.writable(call.Argument(0).String())
	if err != nil {
		return nil, err
	}
	target := call.Argument(1).String()
	if rel, ok := below(path.Clean(target), "/tmp"); ok { // a link within the root must be relative
		if target, err = filepath.Rel(path.Dir(name), rel); err != nil {
			return nil, err
		}
	}
	return goja.Undefined(), root.Symlink(target, name)
}

// fsReadlink implements fs.readlink(path).
func (s *sandbox) fsReadlink(f *files, call goja.FunctionCall) (goja.Value, error) {
	p, err := f.find(call.Argument(0).String())
	if err != nil {
		return nil, err
	}
	var target string
	if p.tmp == "" {
		target, err = os.Readlink(p.real)
	} else if root, rootErr := f.root(); rootErr != nil {
		err = rootErr
	} else {
		target, err = root.Readlink(p.tmp)
	}
	return s.rt.ToValue(target), err
}
