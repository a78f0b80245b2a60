package golang

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
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

// command is the go command in the developer's own environment, where its caches and mirrors are, without credentials,
// and for this machine.
func (t toolchain) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, t.path, args...)
	cmd.Dir, _ = t.place()
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, "AWS_") && name != "GOOS" && name != "GOARCH" && name != "PWD" {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(cmd.Env, "PWD="+cmd.Dir)
	// The go command leaves its compilers running when it is killed, and they hold its output open.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}

// build compiles and links. text is the compiler's, "" if there is nothing wrong with the sources.
//
// The tag leaves out the RPC mode that the discontinued go1.x runtime used:
// https://docs.aws.amazon.com/lambda/latest/dg/golang-package.html
func (t toolchain) build(ctx context.Context, to string) (text string, err error) {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return "", err
	}
	dir, what := t.place()
	if _, err := os.Stat(dir); err != nil {
		return fmt.Sprintf("%s does not exist", t.source), nil
	}
	cmd := t.command(ctx, "build", "-buildvcs=false", "-ldflags", "-s -w", "-tags", "lambda.norpc", "-o", to, what)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return readable(out), nil
	}
	return "", err
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

// listing is which files a package is made of.
type listing struct {
	name   string   // of the package
	inputs []string // files and folders
	dirs   []string // of the packages whose sources the developer has
	key    string   // of what the answer depends on
}

// pkg is what go list tells of a package.
type pkg struct {
	Dir, Name                                                      string
	Standard, DepOnly                                              bool
	GoFiles, CgoFiles, CFiles, CXXFiles, HFiles, SFiles, SysoFiles []string
	EmbedFiles                                                     []string
	Module                                                         *struct{ Dir, GoMod, Version string }
	Error                                                          *struct{ Err string }
}

// list asks the go command for the files that the package and its dependencies are made of, leaving out the standard
// library and the module cache, which do not change. The answer is known's for as long as nothing that it depends on
// has changed: it takes as long as a small build.
func (t toolchain) list(ctx context.Context, known *listing) (*listing, error) {
	if known != nil && known.key == known.sum() {
		return known, nil
	}
	_, what := t.place()
	cmd := t.command(ctx, "list", "-e", "-deps", "-tags", "lambda.norpc", "-json=Dir,Name,Standard,DepOnly,GoFiles,CgoFiles,CFiles,"+
		"CXXFiles,HFiles,SFiles,SysoFiles,EmbedFiles,Module,Error", what)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, strings.TrimSpace(stderr.String()))
	}
	l := &listing{}
	d := json.NewDecoder(bytes.NewReader(out))
	for {
		var p pkg
		if err := d.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		l.add(&p)
	}
	l.finish()
	return l, nil
}

func (l *listing) add(p *pkg) {
	if !p.DepOnly {
		l.name = p.Name
	}
	if p.Standard || p.Dir == "" || p.Module != nil && frozen(p.Module.Dir) {
		return
	}
	l.dirs = append(l.dirs, p.Dir)
	for _, files := range [][]string{p.GoFiles, p.CgoFiles, p.CFiles, p.CXXFiles, p.HFiles, p.SFiles, p.SysoFiles, p.EmbedFiles} {
		for _, name := range files {
			l.inputs = append(l.inputs, filepath.Join(p.Dir, name))
		}
	}
	for _, name := range p.EmbedFiles {
		// A file that comes to an embedded folder is embedded.
		for dir := filepath.Dir(name); dir != "."; dir = filepath.Dir(dir) {
			l.dirs = append(l.dirs, filepath.Join(p.Dir, dir))
		}
	}
	if p.Module != nil && p.Module.GoMod != "" {
		l.inputs = append(l.inputs, p.Module.GoMod, filepath.Join(filepath.Dir(p.Module.GoMod), "go.sum"))
	}
}

// frozen reports whether a module's folder is in the module cache: its name ends in @version.
func frozen(dir string) bool {
	return dir != "" && strings.Contains(dir, "@v") && strings.Contains(filepath.ToSlash(dir), "/pkg/mod/")
}

func (l *listing) finish() {
	slices.Sort(l.dirs)
	l.dirs = slices.Compact(l.dirs)
	if len(l.dirs) > 0 {
		l.inputs = append(l.inputs, above(l.dirs[0], "go.work")...)
		l.inputs = append(l.inputs, above(l.dirs[0], "go.mod")...)
	}
	l.inputs = append(l.inputs, l.dirs...)
	slices.Sort(l.inputs)
	l.inputs = slices.Compact(l.inputs)
	l.key = l.sum()
}

// above lists the places above a folder where the go command looks for a file, up to the one where it finds it.
func above(dir, name string) []string {
	var out []string
	for {
		path := filepath.Join(dir, name)
		out = append(out, path)
		if _, err := os.Stat(path); err == nil || filepath.Dir(dir) == dir {
			return out
		}
		dir = filepath.Dir(dir)
	}
}

// sum is what the listing depends on: the names of all files, of Go files also what stands before the first
// declaration (constraints, package, imports) and what they embed, of module files all.
func (l *listing) sum() string {
	var b strings.Builder
	for _, dir := range l.dirs {
		entries, err := os.ReadDir(dir)
		fmt.Fprintln(&b, dir, err)
		for _, e := range entries {
			fmt.Fprintln(&b, e.Name())
			if strings.HasSuffix(e.Name(), ".go") && !strings.HasSuffix(e.Name(), "_test.go") {
				b.WriteString(header(filepath.Join(dir, e.Name())))
			}
		}
	}
	for _, path := range l.inputs {
		if base := filepath.Base(path); base == "go.mod" || base == "go.work" || base == "go.sum" {
			content, err := os.ReadFile(path)
			fmt.Fprintln(&b, path, err, string(content))
		}
	}
	return b.String()
}

// header is the part of a Go file that decides which other files belong to its package.
func header(path string) string {
	src, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, path, src, parser.ImportsOnly)
	if err != nil {
		fmt.Fprintln(&b, err) // another mistake may hide other imports
	}
	end := 0
	if f != nil {
		end = set.Position(f.Name.End()).Offset
		for _, spec := range f.Imports {
			end = max(end, set.Position(spec.End()).Offset)
		}
	}
	b.Write(src[:min(end, len(src))])
	for line := range bytes.Lines(src) {
		if bytes.HasPrefix(line, []byte("//go:embed ")) {
			b.Write(line)
		}
	}
	return b.String()
}
