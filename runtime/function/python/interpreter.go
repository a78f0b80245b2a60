package python

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"devstack/runtime/function/pick"
)

// interpreter is an installed Python.
type interpreter struct {
	path         string // absolute, of the program itself: a version manager's shim costs more than a whole sandbox
	major, minor int
	venv         string // folder of the virtualenv that it is of, "" for none
	note         string // why it is not quite what the function asked for, "" if it is
}

func (i interpreter) version() string { return fmt.Sprintf("%d.%d", i.major, i.minor) }

// oldest is the first minor version of Python 3 that the runtime runs on.
const oldest = 9

// interpreters remembers what programs answered.
type interpreters struct {
	mu    sync.Mutex
	known map[string]interpreter // by path of the candidate; a zero one is no Python
	found pick.Memory[interpreter]
}

// of finds the Python for a function: of the virtualenv in its folder, or the best one that is installed.
func (i *interpreters) of(ctx context.Context, runtime, root string) (interpreter, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.known == nil {
		i.known = map[string]interpreter{}
	}
	wanted := strings.TrimPrefix(runtime, "python")
	for _, name := range []string{".venv", "venv"} {
		dir := filepath.Join(root, name)
		if !exists(filepath.Join(dir, "pyvenv.cfg")) {
			continue
		}
		p := i.ask(ctx, filepath.Join(dir, "bin", "python"))
		if p.path == "" || p.minor < oldest {
			return p, fmt.Errorf("the virtualenv %s has no Python that runs (3.%d or later): make it again with `python%s -m venv %s`", dir, oldest, wanted, dir)
		}
		p.venv = dir
		if p.version() != wanted {
			p.note = fmt.Sprintf("runtime %s runs on Python %s, because that is the one of the virtualenv %s", runtime, p.version(), dir)
		}
		return p, nil
	}
	return i.found.Of(runtime, func() (interpreter, string, error) {
		p, err := i.find(ctx, runtime, wanted)
		return p, p.path, err
	})
}

func (i *interpreters) find(ctx context.Context, runtime, wanted string) (interpreter, error) {
	p, exact, err := pick.Best(ctx, candidates(wanted), func(path string) (p interpreter, exact, ok bool) {
		p = i.ask(ctx, path)
		return p, p.version() == wanted, p.path != "" && p.major == 3 && p.minor >= oldest
	})
	switch {
	case err == pick.ErrNone:
		return p, fmt.Errorf("no Python was found for runtime %s: neither python%s nor python3 (3.%d or later) is in PATH, and pyenv has none; "+
			"install it from https://www.python.org/downloads, or make a virtualenv .venv beside the code", runtime, wanted, oldest)
	case err == nil && !exact:
		p.note = fmt.Sprintf("runtime %s runs on Python %s (%s), because no python%s was found in PATH or installed with pyenv",
			runtime, p.version(), p.path, wanted)
	}
	return p, err
}

// candidates are the paths of programs that may be a Python, the likeliest first.
func candidates(wanted string) []string {
	var paths []string
	inPath := func(name string) {
		for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
			if path := filepath.Join(dir, name); filepath.IsAbs(path) && exists(path) {
				paths = append(paths, path)
			}
		}
	}
	inPath("python" + wanted)
	pyenv := os.Getenv("PYENV_ROOT")
	if pyenv == "" {
		pyenv = filepath.Join(os.Getenv("HOME"), ".pyenv")
	}
	if versions, err := filepath.Glob(filepath.Join(pyenv, "versions", wanted+".*", "bin", "python"+wanted)); err == nil {
		paths = append(paths, versions...)
	}
	inPath("python3")
	inPath("python")
	return paths
}

// ask runs a program to learn which Python it is. A shim leads to the program that it stands for.
func (i *interpreters) ask(ctx context.Context, path string) interpreter {
	if p, ok := i.known[path]; ok && (p.path == "" || exists(p.path)) {
		return p
	}
	var p interpreter
	out, err := exec.CommandContext(ctx, path, "-I", "-S", "-c", "import sys; print(*sys.version_info[:2], sys.executable)").Output()
	if err == nil {
		if n, _ := fmt.Sscanf(string(out), "%d %d", &p.major, &p.minor); n == 2 {
			if f := strings.SplitN(strings.TrimSpace(string(out)), " ", 3); len(f) == 3 {
				p.path = f[2]
			}
		}
	}
	if ctx.Err() == nil && p.path != "" {
		i.known[path] = p
	}
	return p
}
