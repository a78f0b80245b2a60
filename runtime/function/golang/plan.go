package golang

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"devstack/runtime/function"
)

// How a save of a Go function is built in less than half the time.
//
// Of what `go build` takes for a changed function, half is spent before and after compiler and linker: it loads all packages
// again, works out which of them are stale, and hashes what it has made. For as long as the list of files, their constraints,
// imports and embeds, the module files, the environment and the toolchain are what they were, all of that comes out the same.
// So after a build a plan is made beside: the commands that `go build -n -a` says it would run, and the archives of all packages
// that `go list -export` names. A later build then runs the compiler for those of the developer's own packages whose bytes
// differ, or that depend on one whose export data differ, and the linker: see direct.go.
//
// Of a save's 190 ms, where `go build` and a start take 350, the compiler has 14, the linker 170, the program's start 3, and all that is
// ours 3. The linker spends half of it on the symbols of all packages, needed or not, and has no way to keep them between two
// runs. Measured and found to bring nothing: other settings of its garbage collector and threads, an output in memory, a linker that is
// started before the compiler has ended, one that is compiled with a profile of its own. Archives without DWARF do: see refine.
//
// Where anything else has changed, where the commands have a flag that is not known here, where a tool fails: the go command
// builds, as without a plan, and says in its own words what is wrong.

// plan is what is known of how to build one program. Who waits for done may use the rest; only one build does at a time.
type plan struct {
	dir    string // for archives, made when the first one is; removed with the plan
	key    string // of the listing
	env    string // of everything else: see (toolchain).conditions
	cancel context.CancelFunc
	done   chan struct{}
	err    error // why there is no plan

	refs  int // programs that have it; guarded by Engine.mu
	units []*unit
	list  *listing
	files map[string]string // archives of the other packages, by import path
	tools []string          // compiler and linker
	stood func() bool       // the tools are what they were
	link  command
	// modinfo is the line of the linker's import configuration that debug.ReadBuildInfo returns. It names versions of modules,
	// not their content.
	modinfo  []string
	linked   []string // import paths
	setting  []string // environment of the tools: "GOARCH=amd64"
	failed   error    // of the latest build by the plan
	failures int      // how often that was not the sources' fault, in a row
	hopeless bool     // another plan would be no better for as long as the conditions are the same
	lean     *plan    // a quicker one, nil if there is none: see refine
}

// unit is one of the developer's packages.
type unit struct {
	path    string   // import path
	dir     string   // of its sources
	files   []string // Go files, by name
	embeds  []string // embedded files, by path below dir
	deps    []*unit  // all that it depends on, directly or not
	command command  // the compiler's
	imports []string // import paths
	maps    []string // "importmap …" lines of its import configuration
	embed   string   // its embed configuration, JSON
	opaque  error    // why it cannot be compiled here, nil if it can

	archive string
	sum     string // of what the archive was compiled from
	export  string // of what others see of the archive
}

// newPlan makes a plan in the background, and lets others go first.
func (e *Engine) newPlan(t toolchain, list *listing, dir string, failures int) *plan {
	ctx, cancel := context.WithCancel(e.life)
	p := &plan{dir: dir, key: list.key, env: t.conditions(), list: list, cancel: cancel, done: make(chan struct{}), refs: 1, failures: failures}
	e.work.Go(func() {
		defer close(p.done)
		defer cancel()
		select {
		case e.planning <- struct{}{}:
			defer func() { <-e.planning }()
			p.err = p.make(ctx, t)
			p.hopeless = p.err != nil && ctx.Err() == nil && p.err != errRestless
		case <-ctx.Done():
			p.err = ctx.Err()
		}
	})
	return p
}

// conditions is everything that a build depends on and that is no file of the function: the go command, its settings and the
// environment.
func (t toolchain) conditions() string {
	env := t.environment()
	slices.Sort(env)
	h := sha256.New()
	fmt.Fprintln(h, t.path, t.source, t.debug, strings.Join(env, "\x00"))
	settings := os.Getenv("GOENV") // written by `go env -w`
	if config, err := os.UserConfigDir(); settings == "" && err == nil {
		settings = filepath.Join(config, "go", "env")
	}
	content, err := os.ReadFile(settings)
	fmt.Fprintln(h, settings, err, string(content))
	if path, err := filepath.EvalSymlinks(t.path); err == nil {
		info, err := os.Stat(path)
		if err != nil {
			return err.Error()
		}
		fmt.Fprintln(h, path, info.Size(), info.ModTime())
	}
	return string(h.Sum(nil))
}

// errRestless says that there was no moment to make a plan in. The next build tries again.
var errRestless = errors.New("the sources keep changing")

// make asks the go command. Files that are written to meanwhile make it start over.
func (p *plan) make(ctx context.Context, t toolchain) error {
	temp, err := os.MkdirTemp(filepath.Dir(p.dir), "tmp-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	t.temp = temp
	for n := range 20 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(min(50*time.Millisecond<<n, time.Second)): // the operating system's: for its clock, see Standstill
		}
		inputs := p.list.inputs
		unchanged, ok := function.Standstill(inputs)
		if !ok {
			continue
		}
		err := p.ask(ctx, t)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case !unchanged() || !slices.Equal(p.list.inputs, inputs):
			continue
		}
		return err
	}
	return errRestless
}

// ask fills the plan. It is right if no file was written to meanwhile.
func (p *plan) ask(ctx context.Context, t toolchain) error {
	var err error
	if p.setting, err = t.settings(ctx); err != nil {
		return err
	}
	packages, err := t.packages(ctx, "-export", fields+",ImportPath,Export,Deps")
	if err != nil {
		return err
	}
	src := sources{}
	p.list = newListing(packages)
	p.key = p.list.key
	_, what := t.place()
	args := slices.Concat([]string{"build", "-n", "-a"}, t.flags(), []string{"-o", filepath.Join(t.temp, "program"), what})
	cmd := t.command(ctx, t.path, args...)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := gently(cmd); err != nil {
		return fmt.Errorf("go build -n: %w", err)
	}
	s := readScript(out.String())
	p.units, p.files = nil, map[string]string{}
	byPath := map[string]*unit{}
	for _, pkg := range packages {
		if !pkg.ours() {
			p.files[pkg.ImportPath] = pkg.Export
			continue
		}
		u := newUnit(pkg, s, byPath)
		p.units = append(p.units, u)
		byPath[u.path] = u
		if u.archive == "" {
			return fmt.Errorf("%s has no archive", u.path)
		}
		if u.export, err = exportData(u.archive); err != nil {
			return err
		}
		if u.sum, err = u.sumOf(src); err != nil {
			return err
		}
	}
	return p.readLink(s)
}

// settings is what the go command works with: it passes all of it on to its tools.
func (t toolchain) settings(ctx context.Context) ([]string, error) {
	out, err := t.command(ctx, t.path, "env", "-json").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	var values map[string]string
	if err := json.Unmarshal(out, &values); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	for _, flag := range []string{"-overlay", "-modfile", "-toolexec"} {
		if strings.Contains(values["GOFLAGS"], flag) {
			return nil, fmt.Errorf("GOFLAGS has %s: files that nobody looks at decide", flag)
		}
	}
	var env []string
	for name, value := range values {
		env = append(env, name+"="+value)
	}
	return env, nil
}

// gently runs a command behind others.
func gently(cmd *exec.Cmd) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	_ = syscall.Setpriority(syscall.PRIO_PGRP, cmd.Process.Pid, 10) // where that is not allowed it is just not gentle
	return cmd.Wait()
}

// newUnit reads how a package is compiled.
func newUnit(pkg *pkg, s *script, known map[string]*unit) *unit {
	u := &unit{path: pkg.ImportPath, dir: pkg.Dir, files: pkg.GoFiles, embeds: pkg.EmbedFiles, archive: pkg.Export}
	for _, dep := range pkg.Deps {
		if d := known[dep]; d != nil {
			u.deps = append(u.deps, d)
		}
	}
	u.opaque = u.read(pkg, s)
	return u
}

// errOpaque is why a plan failed that is as good as one can be.
var errOpaque = errors.New("only the go command can compile it")

func (u *unit) read(pkg *pkg, s *script) error {
	for _, files := range [][]string{pkg.CgoFiles, pkg.CFiles, pkg.CXXFiles, pkg.HFiles, pkg.SFiles, pkg.SysoFiles} {
		if len(files) > 0 {
			return fmt.Errorf("%s has files of other languages", u.path)
		}
	}
	name := u.path
	if pkg.Name == "main" {
		name = "main"
	}
	for _, c := range s.commands {
		if c.tool() == "compile" && c.option("-p") == name {
			if u.command.args != nil {
				return fmt.Errorf("%s is compiled twice", u.path)
			}
			u.command = c
		}
	}
	if u.command.args == nil {
		return fmt.Errorf("%s is not compiled", u.path)
	}
	if err := u.understood(); err != nil {
		return err
	}
	var err error
	u.imports, u.maps, err = importConfig(s.files[u.command.option("-importcfg")])
	if path := u.command.option("-embedcfg"); path != "" {
		u.embed = s.files[path]
	}
	return err
}

// understood reports what stands against giving the compiler's command other files: a flag that is not known to be
// harmless, or files that are not those of the package.
func (u *unit) understood() error {
	args := u.command.args[1:]
	rest := len(args) - len(u.files)
	if rest < 1 || args[rest-1] != "-pack" {
		return fmt.Errorf("%s: the compiler's command does not end in its %d files", u.path, len(u.files))
	}
	for i, file := range args[rest:] {
		if filepath.Base(file) != u.files[i] {
			return fmt.Errorf("%s: %s is compiled where %s is listed", u.path, file, u.files[i])
		}
	}
	for i := 0; i < rest; i++ {
		switch arg := args[i]; {
		case slices.Contains([]string{"-o", "-p", "-buildid", "-goversion", "-importcfg", "-embedcfg"}, arg):
			i++
		case arg == "-trimpath":
			if i++; !strings.HasPrefix(args[i], "$WORK/") || !strings.HasSuffix(args[i], "=>") || strings.Contains(args[i], ";") {
				return fmt.Errorf("%s: -trimpath %s", u.path, args[i])
			}
		case slices.Contains([]string{"-complete", "-nolocalimports", "-pack", "-N", "-l", "-std", "-shared"}, arg),
			strings.HasPrefix(arg, "-lang="), strings.HasPrefix(arg, "-c="), strings.HasPrefix(arg, "-dwarf="):
		default:
			return fmt.Errorf("%s: the compiler's flag %s", u.path, arg)
		}
	}
	return nil
}

// readLink reads how the program is linked.
func (p *plan) readLink(s *script) error {
	for _, c := range s.commands {
		switch c.tool() {
		case "link":
			if p.link.args != nil {
				return errors.New("more than one program is linked")
			}
			p.link = c
		}
	}
	if p.link.args == nil {
		return errors.New("nothing is linked")
	}
	args := p.link.args[1 : len(p.link.args)-1]
	for i := 0; i < len(args); i++ {
		switch arg := args[i]; {
		case arg == "-o", arg == "-importcfg":
			i++
		case arg == "-s", arg == "-w", arg == "-buildmode=exe", arg == "-buildmode=pie", strings.HasPrefix(arg, "-buildid="),
			strings.HasPrefix(arg, "-extld="), strings.HasPrefix(arg, "-X="):
		default:
			return fmt.Errorf("the linker's flag %s", arg)
		}
	}
	config := s.files[p.link.option("-importcfg")]
	var maps []string
	var err error
	if p.linked, maps, err = importConfig(config); err != nil || len(maps) > 0 {
		return fmt.Errorf("the linker's import configuration: %w", errors.Join(err, fmt.Errorf("%d maps", len(maps))))
	}
	p.modinfo = nil
	for line := range strings.Lines(config) {
		if strings.HasPrefix(line, "modinfo ") {
			p.modinfo = append(p.modinfo, strings.Replace(line, `build\t`+leanFlag+`\n`, "", 1)) // how it is built is no matter of the program's
		}
	}
	p.tools = []string{p.link.args[0], p.units[len(p.units)-1].command.args[0]}
	var ok bool
	if p.stood, ok = function.Standstill(p.tools); !ok {
		return errors.New("the toolchain has just been installed")
	}
	return nil
}

// stands reports whether no better plan is to be had than this one: it is being made, or it cannot be made, or plans have failed
// again and again although the sources were good.
func (p *plan) stands(t toolchain) bool {
	if p == nil || p.env != t.conditions() {
		return false
	}
	select {
	case <-p.done:
	default:
		return true
	}
	if p.key != p.list.sum(sources{}) {
		return false
	}
	if p.failed != nil && !errors.Is(p.failed, errOpaque) {
		if p.failures++; p.failures >= 3 {
			p.hopeless = true
		}
	}
	return p.hopeless
}

// retain has one more program use the plan.
func (e *Engine) retain(p *plan) *plan {
	e.mu.Lock()
	defer e.mu.Unlock()
	p.refs++
	return p
}

// release ends a program's use of the plan. The last one removes it.
func (e *Engine) release(p *plan) error {
	e.mu.Lock()
	p.refs--
	last := p.refs == 0
	e.mu.Unlock()
	if !last {
		return nil
	}
	p.cancel()
	<-p.done
	err := os.RemoveAll(p.dir)
	if p.lean != nil {
		err = errors.Join(err, e.release(p.lean))
	}
	return err
}

// refine makes a quicker plan of one that has served: by archives of all packages that were compiled without DWARF, of which the
// linker then has a fifth less to read. They are no use to the developer's own builds, so the first such plan on a machine compiles the
// standard library once more. That is worth it only to who saves again and again, and only beside his work.
func (e *Engine) refine(p *plan, t toolchain) {
	if t.debug || p.hopeless || slices.ContainsFunc(p.setting, func(kv string) bool {
		return strings.HasPrefix(kv, "GOFLAGS=") && strings.Contains(kv, "gcflags") // one setting of it replaces another
	}) {
		return
	}
	if p.lean != nil {
		select {
		case <-p.lean.done:
			if p.lean.err != errRestless {
				return
			}
			_ = e.release(p.lean) // it has made nothing
		default:
			return
		}
	}
	t.lean = true
	p.lean = e.newPlan(t, p.list, p.dir+"-lean", 0)
}

// best is the quickest plan that is valid, nil if there is none.
func (p *plan) best(t toolchain, src sources) *plan {
	switch {
	case p == nil || p.hopeless:
		return nil
	case p.lean.valid(t, src):
		return p.lean
	case p.valid(t, src):
		return p
	}
	return nil
}
