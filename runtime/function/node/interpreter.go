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

	"devstack/runtime/function/pick"
)

// interpreter is an installed Node.js.
type interpreter struct {
	path  string // absolute
	major int
	note  string // why it is not quite what the function asked for, "" if it is
}

// oldest is the first major version that the bootstrap runs on.
const oldest = 18

// interpreters remembers which Node.js each runtime gets.
type interpreters struct{ pick.Memory[interpreter] }

// of finds the best Node.js for a runtime such as "nodejs22.x": one of that major version if there is any, else the one
// that the developer's shell would run.
func (i *interpreters) of(ctx context.Context, runtime string) (interpreter, error) {
	return i.Of(runtime, func() (interpreter, string, error) {
		n, err := find(ctx, runtime)
		return n, n.path, err
	})
}

func find(ctx context.Context, runtime string) (interpreter, error) {
	wanted, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(runtime, "nodejs"), ".x")) // 0: any
	n, exact, err := pick.Best(ctx, candidates(wanted), func(path string) (n interpreter, exact, ok bool) {
		n = interpreter{path: path, major: majorOf(ctx, path)}
		return n, n.major == wanted || wanted == 0, n.major >= oldest
	})
	switch {
	case err == pick.ErrNone:
		return n, fmt.Errorf("no Node.js was found for runtime %s: neither node%d nor node is in PATH, nor is one installed with nvm "+
			"(at least version %d is needed); install it from https://nodejs.org, or set the runtime to \"js\", which needs none",
			runtime, wanted, oldest)
	case err == nil && !exact:
		n.note = fmt.Sprintf("runtime %s runs on Node.js %d (%s), because no Node.js %d was found in PATH or installed with nvm",
			runtime, n.major, n.path, wanted)
	}
	return n, err
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
