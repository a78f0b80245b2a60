package js

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/dop251/goja"
)

// handle is an open file.
type handle struct {
	*os.File
	quota bool // it lies in /tmp and was opened to be written
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
