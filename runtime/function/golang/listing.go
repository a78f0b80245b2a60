package golang

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"devstack/runtime/function"
	"devstack/runtime/watch"
)

// listing is which files a package is made of.
type listing struct {
	name   string   // of the package
	inputs []string // files and folders
	dirs   []string // of the packages whose sources the developer has
	key    string   // of what the answer depends on, see sum; "" if nobody can know
}

// pkg is what go list tells of a package.
type pkg struct {
	Dir, Name, ImportPath, Export                                  string
	Standard, DepOnly                                              bool
	GoFiles, CgoFiles, CFiles, CXXFiles, HFiles, SFiles, SysoFiles []string
	EmbedFiles, Deps                                               []string
	Module                                                         *struct{ Dir, GoMod, Version string }
}

// fields are those of pkg that a listing needs.
const fields = "Dir,Name,Standard,DepOnly,GoFiles,CgoFiles,CFiles,CXXFiles,HFiles,SFiles,SysoFiles,EmbedFiles,Module"

// ours reports whether the package's sources are the developer's, and may change: not those of the standard library and the
// module cache.
func (p *pkg) ours() bool {
	return !p.Standard && p.Dir != "" && (p.Module == nil || !frozen(p.Module.Dir))
}

// list asks the go command for the files that the package and its dependencies are made of, leaving out the standard
// library and the module cache, which do not change. The answer is known's for as long as nothing that it depends on
// has changed: it takes as long as a small build.
func (t toolchain) list(ctx context.Context, known *listing) (*listing, error) {
	if known != nil && known.key == known.sum(sources{}) {
		return known, nil
	}
	began := time.Now() // the operating system's, by which files are dated
	packages, err := t.packages(ctx, "-e", fields)
	if err != nil {
		return nil, err
	}
	l := newListing(packages)
	if !function.Settled(l.inputs, began) {
		l.key = "" // what the go command has seen may have been something else
	}
	return l, nil
}

func newListing(packages []*pkg) *listing {
	l := &listing{}
	for _, p := range packages {
		l.add(p)
	}
	l.finish()
	return l
}

// packages runs go list for the package and all that it depends on, which come before it.
func (t toolchain) packages(ctx context.Context, option, fields string) ([]*pkg, error) {
	_, what := t.place()
	args := slices.Concat([]string{"list", option, "-deps"}, t.flags(), []string{"-json=" + fields, what})
	cmd := t.command(ctx, t.path, args...)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	run := cmd.Run
	if option == "-export" {
		run = func() error { return gently(cmd) } // it compiles what is missing
	}
	if err := run(); err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, strings.TrimSpace(stderr.String()))
	}
	var packages []*pkg
	for d := json.NewDecoder(&out); ; {
		p := &pkg{}
		if err := d.Decode(p); err == io.EOF {
			return packages, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		packages = append(packages, p)
	}
}

func (l *listing) add(p *pkg) {
	if !p.DepOnly {
		l.name = p.Name
	}
	if !p.ours() {
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
			l.dirs = append(l.dirs, empty(filepath.Join(p.Dir, dir))...)
		}
	}
	if p.Module != nil && p.Module.GoMod != "" {
		root := filepath.Dir(p.Module.GoMod)
		l.inputs = append(l.inputs, p.Module.GoMod, filepath.Join(root, "go.sum"), filepath.Join(root, "vendor", "modules.txt"))
	}
}

// empty lists the folders in a folder that have no file yet.
func empty(dir string) (dirs []string) {
	entries, _ := os.ReadDir(dir) // one that is gone will be noticed
	for _, e := range entries {
		if !e.IsDir() || watch.Ignored(e.Name()) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if inside, err := os.ReadDir(path); err == nil && !slices.ContainsFunc(inside, func(e os.DirEntry) bool { return !e.IsDir() }) {
			dirs = append(append(dirs, path), empty(path)...)
		}
	}
	return dirs
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
	l.key = l.sum(sources{})
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

// sources are files as they were read first, by path: whoever asks again sees the same.
type sources map[string]source

type source struct {
	content []byte
	err     error
}

func (s sources) read(path string) ([]byte, error) {
	src, ok := s[path]
	if !ok {
		src.content, src.err = os.ReadFile(path)
		s[path] = src
	}
	return src.content, src.err
}

// sum is what the listing depends on: the names of all files, of Go files also what stands before the first
// declaration (constraints, package, imports) and what they embed, of module files all.
func (l *listing) sum(src sources) string {
	var b strings.Builder
	for _, dir := range l.dirs {
		entries, err := os.ReadDir(dir)
		fmt.Fprintln(&b, dir, err)
		for _, e := range entries {
			if watch.Ignored(e.Name()) {
				continue // an editor's own
			}
			fmt.Fprintln(&b, e.Name())
			if strings.HasSuffix(e.Name(), ".go") && !strings.HasSuffix(e.Name(), "_test.go") {
				path := filepath.Join(dir, e.Name())
				content, err := src.read(path)
				b.WriteString(header(path, content, err))
			}
		}
	}
	for _, path := range l.inputs {
		switch filepath.Base(path) {
		case "go.mod", "go.work", "go.sum", "go.work.sum", "modules.txt":
			content, err := src.read(path)
			fmt.Fprintln(&b, path, err, string(content))
		}
	}
	return b.String()
}

// header is the part of a Go file that decides which other files belong to its package.
func header(path string, src []byte, err error) string {
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
		end = set.PositionFor(f.Name.End(), false).Offset
		for _, spec := range f.Imports {
			end = max(end, set.PositionFor(spec.End(), false).Offset)
		}
	}
	b.Write(src[:min(end, len(src))])
	for line := range bytes.Lines(src) {
		if bytes.HasPrefix(bytes.TrimSpace(line), []byte("//go:embed")) {
			b.Write(line)
		}
	}
	return b.String()
}
