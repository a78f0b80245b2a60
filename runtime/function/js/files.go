package js

import (
	"errors"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

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
