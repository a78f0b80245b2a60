package node

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// interpreter is an installed Node.js.
type interpreter struct {
	path  string // absolute
	major int
	note  string // why it is not quite what the function asked for, "" if it is
}

// oldest is the first major version that the bootstrap runs on.
const oldest = 18

// interpreters remembers which Node.js each runtime gets. It looks again for one that it has not found.
type interpreters struct {
	mu    sync.Mutex
	found map[string]interpreter // by runtime and PATH
}

// of finds the best Node.js for a runtime such as "nodejs22.x": one of that major version if there is any, else the one
// that the developer's shell would run.
func (i *interpreters) of(ctx context.Context, runtime string) (interpreter, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	key := runtime + "\x00" + os.Getenv("PATH")
	if n, ok := i.found[key]; ok {
		if _, err := os.Stat(n.path); err == nil {
			return n, nil
		}
	}
	n, err := find(ctx, runtime)
	if err == nil {
		if i.found == nil {
			i.found = map[string]interpreter{}
		}
		i.found[key] = n
	}
	return n, err
}

func find(ctx context.Context, runtime string) (interpreter, error) {
	wanted, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(runtime, "nodejs"), ".x")) // 0: any
	var other interpreter
	for _, path := range candidates(wanted) {
		major := majorOf(ctx, path)
		if ctx.Err() != nil {
			return other, ctx.Err()
		}
		if major >= oldest && (major == wanted || wanted == 0) {
			return interpreter{path: path, major: major}, nil
		}
		if major >= oldest && other.path == "" {
			other = interpreter{path: path, major: major}
		}
	}
	if other.path == "" {
		return other, fmt.Errorf("no Node.js was found for runtime %s: neither node%d nor node is in PATH, nor is one installed with nvm "+
			"(at least version %d is needed); install it from https://nodejs.org, or set the runtime to \"js\", which needs none",
			runtime, wanted, oldest)
	}
	other.note = fmt.Sprintf("runtime %s runs on Node.js %d (%s), because no Node.js %d was found in PATH or installed with nvm",
		runtime, other.major, other.path, wanted)
	return other, nil
}

// candidates are the paths of programs that may be a Node.js, the likeliest first.
func candidates(wanted int) []string {
	var paths []string
	for _, name := range []string{fmt.Sprintf("node%d", wanted), "node", "nodejs"} {
		if path, err := exec.LookPath(name); err == nil {
			paths = append(paths, path)
		}
	}
	nvm := os.Getenv("NVM_DIR")
	if nvm == "" {
		nvm = filepath.Join(os.Getenv("HOME"), ".nvm")
	}
	versions, err := filepath.Glob(filepath.Join(nvm, "versions", "node", fmt.Sprintf("v%d.*", wanted), "bin", "node"))
	if err == nil {
		paths = append(paths, versions...)
	}
	return append(paths, fmt.Sprintf("/opt/homebrew/opt/node@%d/bin/node", wanted), fmt.Sprintf("/usr/local/opt/node@%d/bin/node", wanted))
}

// majorOf asks a program which Node.js it is, 0 if it is none.
func majorOf(ctx context.Context, path string) int {
	if _, err := os.Stat(path); err != nil {
		return 0
	}
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return 0
	}
	version, ok := bytes.CutPrefix(bytes.TrimSpace(out), []byte("v"))
	major, _, _ := strings.Cut(string(version), ".")
	n, err := strconv.Atoi(major)
	if !ok || err != nil {
		return 0
	}
	return n
}
