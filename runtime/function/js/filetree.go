package js

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"
	"time"

	"github.com/dop251/goja"
)

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
