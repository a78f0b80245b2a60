package js

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/dop251/goja"
)

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
