package golang

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// toolchain runs the go command for one function.
type toolchain struct {
	path   string // of the go command
	source string // absolute, a package's folder or one file
	debug  bool   // for a debugger: nothing optimised, with symbols
	lean   bool   // packages without what debuggers want to know of them, see (*plan).refine
	temp   string // existing folder for what the go command leaves behind when it is killed
}

// findGo finds the go command. Without it the reason is not the function's sources, so it is no BuildError.
func findGo() (string, error) {
	path, err := exec.LookPath("go")
	if err != nil {
		return "", errors.New("the go command was not found in PATH, and a function with runtime \"go\" is built with it: " +
			"install Go from https://go.dev/dl, or build the function elsewhere and set the runtime to \"provided.al2023\"")
	}
	return path, nil
}

// place is where the go command runs and what it is asked for.
func (t toolchain) place() (dir, what string) {
	if strings.HasSuffix(t.source, ".go") {
		return filepath.Dir(t.source), filepath.Base(t.source)
	}
	return t.source, "."
}

// folder is the one that the sources are in.
func (t toolchain) folder() string {
	dir, _ := t.place()
	return dir
}

// environment is the developer's own, where the go command's caches and mirrors are, without credentials, and for this
// machine. As on Lambda's custom runtimes, which have no C library to count on, a program is static unless the developer
// says otherwise.
//
// https://docs.aws.amazon.com/lambda/latest/dg/golang-package.html
func (t toolchain) environment() []string {
	dir, _ := t.place()
	env := []string{"CGO_ENABLED=0"} // the last one of a name counts
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, "AWS_") && name != "GOOS" && name != "GOARCH" && name != "PWD" && name != "GOTMPDIR" {
			env = append(env, kv)
		}
	}
	return append(env, "PWD="+dir)
}

// command is a command in the function's folder, in a process group of its own that ends with ctx.
func (t toolchain) command(ctx context.Context, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, _ = t.place()
	cmd.Env = append(t.environment(), "GOTMPDIR="+t.temp)
	// The go command leaves its compilers running when it is killed, and they hold its output open.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}

// flags are those of build and list: they must be the same for both to speak of the same packages.
//
// The tag leaves out the RPC mode that the discontinued go1.x runtime used:
// https://docs.aws.amazon.com/lambda/latest/dg/golang-package.html
func (t toolchain) flags() []string {
	if t.debug {
		return []string{"-buildvcs=false", "-tags", "lambda.norpc", "-gcflags", "all=-N -l"}
	}
	flags := []string{"-buildvcs=false", "-tags", "lambda.norpc", "-ldflags", "-s -w"}
	if t.lean {
		flags = append(flags, leanFlag)
	}
	return flags
}

// leanFlag has the compiler leave out DWARF, which the linker reads and then drops.
const leanFlag = "-gcflags=all=-dwarf=false"

// build compiles and links. text is the compiler's, "" if there is nothing wrong with the sources.
func (t toolchain) build(ctx context.Context, to string) (text string, err error) {
	dir, what := t.place()
	if _, err := os.Stat(dir); err != nil {
		return fmt.Sprintf("%s does not exist", t.source), nil
	}
	args := slices.Concat([]string{"build"}, t.flags(), []string{"-o", to, what})
	out, err := t.command(ctx, t.path, args...).CombinedOutput()
	var exit *exec.ExitError
	switch {
	case !errors.As(err, &exit) || !exit.Exited():
		return "", err
	case machine(string(out)):
		return "", errors.New(readable(out))
	}
	return readable(out), nil
}

// machine reports whether a build failed for want of disk or memory, which no change of the sources will mend.
func machine(out string) bool {
	return strings.Contains(out, syscall.ENOSPC.Error()) || strings.Contains(out, syscall.EDQUOT.Error()) ||
		strings.Contains(out, ": signal: killed")
}

// readable leaves out what go says about packages: the lines with file, line and column remain.
func readable(out []byte) string {
	var lines []string
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimRight(line, "\r\n"); line != "" && !strings.HasPrefix(line, "# ") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}
