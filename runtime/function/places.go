package function

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"devstack/runtime/config"
)

// places are the folders that a sandbox has in place of /opt and /tmp.
//
// That they are elsewhere is told by the environment and by the runtimes' own search paths. Mount and user namespaces would put
// them where Lambda has them, but are not to be had in most containers and on some desktops, take four times as long as starting
// a process does, and cannot be given to processes that were started, or forked, before the function was known.
type places struct {
	opt string // "" if the function has no layers
	tmp string // the sandbox's own; "" if it has none
}

// place makes a sandbox's places. A function inside the daemon sees no files, and a container has its own.
func place(fn *config.Function) (places, error) {
	if fn.Runtime == "js" || fn.Runtime == "image" {
		return places{}, nil
	}
	opt, err := Opt(fn)
	if err != nil {
		return places{}, err
	}
	tmp, err := temporary.make()
	return places{opt, tmp}, err
}

// remove deletes what is the sandbox's alone.
func (p places) remove() {
	if p.tmp != "" {
		temporary.remove(p.tmp)
	}
}

// defaultStorage is the size of /tmp in MiB, unless a function says another.
//
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html
const defaultStorage = 512

// overfull is what there is to say about a sandbox whose /tmp has more in it than would fit on Lambda, "" of any other. Nothing
// that works without special rights would have kept it from writing.
func (p places) overfull(fn *config.Function) string {
	if p.tmp == "" || untouched(p.tmp) {
		return ""
	}
	limit := int64(defaultStorage)
	if fn.EphemeralStorage > 0 {
		limit = int64(fn.EphemeralStorage)
	}
	size := int64(0)
	_ = filepath.WalkDir(p.tmp, func(_ string, d fs.DirEntry, err error) error { // what is removed meanwhile does not count
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				size += info.Size()
			}
		}
		return nil
	})
	if size <= limit<<20 {
		return ""
	}
	return fmt.Sprintf("devstack: /tmp has %d MB in it, and the function %d MB of ephemeral storage: on AWS a write would have failed with \"No space left on device\"",
		size>>20, limit)
}

// unused is the date of a folder that nothing has been put into: a system dates a folder anew for each file that appears in it. To read
// the date takes a fraction of what listing the folder does, and happens with every event.
var unused = time.Unix(1_000_000_000, 0)

func untouched(dir string) bool {
	info, err := os.Stat(dir)
	return err != nil || info.ModTime().Equal(unused)
}

// temporary has the sandboxes' folders for temporary files, in one of the daemon's that goes away with the last of them. What a
// daemon that was killed has left is removed by the next one: a lock that the kernel lets go of tells them apart.
var temporary folders

type folders struct {
	mu   sync.Mutex
	dir  string
	lock *os.File
	used int
}

const lockName = ".lock"

func (t *folders) make() (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.used == 0 {
		if err := t.openLocked(); err != nil {
			return "", fmt.Errorf("make a folder for temporary files: %w", err)
		}
	}
	dir, err := os.MkdirTemp(t.dir, "")
	if err != nil {
		return "", fmt.Errorf("make a folder for temporary files: %w", err)
	}
	t.used++
	_ = os.Chtimes(dir, unused, unused) // where that fails it counts as used
	return dir, nil
}

func (t *folders) openLocked() (err error) {
	sweep(os.TempDir())
	if t.dir, err = os.MkdirTemp(os.TempDir(), "devstack-"); err != nil {
		return err
	}
	before := filepath.Join(t.dir, "unlocked")
	if t.lock, err = os.Create(before); err != nil {
		return err
	}
	if err := syscall.Flock(int(t.lock.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	return os.Rename(before, filepath.Join(t.dir, lockName))
}

func (t *folders) remove(dir string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	os.RemoveAll(dir)
	if t.used--; t.used == 0 {
		os.RemoveAll(t.dir)
		t.lock.Close()
	}
}

// sweep removes what daemons have left that are no more.
func sweep(above string) {
	locks, err := filepath.Glob(filepath.Join(above, "devstack-*", lockName))
	if err != nil {
		return // the folder's name is no pattern
	}
	for _, path := range locks {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			os.RemoveAll(filepath.Dir(path))
		}
		f.Close()
	}
}

// searchPaths completes an environment with where a runtime finds the function's own libraries and those of its layers. A
// folder that is not there is left out: processes that are started before the function is known differ by these.
//
// https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html; the order is that of recorded environments.
func (p places) searchPaths(fn *config.Function, vars map[string]string) {
	root := TaskRoot(fn)
	if p.opt != "" {
		vars["PATH"] = joinPaths(vars["PATH"], filepath.Join(p.opt, "bin"))
	}
	if _, given := vars["LD_LIBRARY_PATH"]; !given {
		vars["LD_LIBRARY_PATH"] = joinPaths("", existing(libraries(root), filepath.Join(root, "lib"), p.inOpt("lib"))...)
	}
	if version, ok := strings.CutPrefix(fn.Runtime, "nodejs"); ok {
		if _, given := vars["NODE_PATH"]; !given {
			version = strings.TrimSuffix(version, ".x")
			vars["NODE_PATH"] = joinPaths("", append(existing(p.inOpt("nodejs/node"+version+"/node_modules"), p.inOpt("nodejs/node_modules")), root)...)
		}
	}
	if strings.HasPrefix(fn.Runtime, "python") {
		vars["PYTHONPATH"] = joinPaths(vars["PYTHONPATH"], existing(p.inOpt("python/lib/"+fn.Runtime+"/site-packages"), p.inOpt("python"))...)
	}
	for _, name := range []string{"LD_LIBRARY_PATH", "NODE_PATH", "PYTHONPATH"} {
		if vars[name] == "" {
			delete(vars, name)
		}
	}
}

// inOpt is a path below /opt, "" without layers.
func (p places) inOpt(path string) string {
	if p.opt == "" {
		return ""
	}
	return filepath.Join(p.opt, path)
}

// libraries is the folder itself if there are shared libraries in it.
func libraries(dir string) string {
	found, err := filepath.Glob(filepath.Join(dir, "*.so*"))
	if err != nil || len(found) == 0 {
		return ""
	}
	return dir
}

// existing are those of the paths that are there.
func existing(paths ...string) []string {
	var out []string
	for _, path := range paths {
		if _, err := os.Stat(path); path != "" && err == nil {
			out = append(out, path)
		}
	}
	return out
}

func joinPaths(first string, more ...string) string {
	all := more
	if first != "" {
		all = append([]string{first}, more...)
	}
	return strings.Join(all, string(os.PathListSeparator))
}

// pathVariables are those that runtimes read paths from as they start: what a function says of /opt and /var/task in them is
// meant for Lambda's, and is made true here.
var pathVariables = []string{
	"PATH", "LD_LIBRARY_PATH", "LD_PRELOAD", "NODE_PATH", "NODE_OPTIONS", "NODE_EXTRA_CA_CERTS", "PYTHONPATH", "RUBYLIB", "RUBYOPT",
	"CLASSPATH", "JAVA_TOOL_OPTIONS", "SSL_CERT_FILE", wrapperVariable,
}

// HasPaths reports whether paths of Lambda's in a variable are replaced by the sandbox's.
func HasPaths(name string) bool { return slices.Contains(pathVariables, name) }

// localPaths puts the sandbox's places into those variables.
func (p places) localPaths(fn *config.Function, vars map[string]string) {
	for _, name := range pathVariables {
		value, given := vars[name]
		if _, own := fn.Environment[name]; !given || !own {
			continue
		}
		value = replacePath(value, "/var/task", TaskRoot(fn))
		if p.opt != "" {
			value = replacePath(value, "/opt", p.opt)
		}
		vars[name] = value
	}
}

// replacePath puts another folder in place of one, wherever it stands for itself: not as a part of another path.
func replacePath(value, from, to string) string {
	var b strings.Builder
	for {
		i := strings.Index(value, from)
		if i < 0 {
			break
		}
		end := i + len(from)
		begins := i == 0 || strings.ContainsRune(":=, \"'", rune(value[i-1]))
		ends := end == len(value) || strings.ContainsRune("/:, \"'", rune(value[end]))
		b.WriteString(value[:i])
		if begins && ends {
			b.WriteString(to)
		} else {
			b.WriteString(from)
		}
		value = value[end:]
	}
	b.WriteString(value)
	return b.String()
}

// wrapperVariable names a script that starts the runtime.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html#runtime-wrapper
const wrapperVariable = "AWS_LAMBDA_EXEC_WRAPPER"

// Wrapper is the script that is to start a sandbox's runtime, "" if there is none: it is run with the runtime's command as its
// arguments.
func Wrapper(env []string) string {
	for _, kv := range env {
		if path, ok := strings.CutPrefix(kv, wrapperVariable+"="); ok {
			return path
		}
	}
	return ""
}

// Wrapped is a command, started by the environment's wrapper script if there is one.
func Wrapped(env []string, path string, args ...string) (string, []string) {
	if w := Wrapper(env); w != "" {
		return w, append([]string{path}, args...)
	}
	return path, args
}

// OfSandbox reports whether a variable, given as "NAME=value", has another value in each sandbox of a function. A process
// that is started before its sandbox is known gets these when it is.
func OfSandbox(kv string) bool {
	name, _, _ := strings.Cut(kv, "=")
	return name == "AWS_LAMBDA_LOG_STREAM_NAME" || name == "TMPDIR" || name == "AWS_LAMBDA_RUNTIME_API"
}

// Shared is a sandbox's environment for a process that is started before its sandbox is known, or that many are forked from: the
// temporary folder is not one that goes with a sandbox.
func Shared(env []string) []string {
	out := slices.Clone(env)
	for i, kv := range out {
		if strings.HasPrefix(kv, "TMPDIR=") {
			out[i] = "TMPDIR=" + os.TempDir()
		}
	}
	return out
}
