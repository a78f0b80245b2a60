package golang

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// ready reports whether the plan has been made.
func (p *plan) ready() bool {
	if p == nil {
		return false
	}
	select {
	case <-p.done:
		return p.err == nil
	default:
		return false
	}
}

// valid reports whether the plan is ready and all that it depends on is what it was. src then has the bytes that the answer
// was found by, and a build must be of those.
func (p *plan) valid(t toolchain, src sources) bool {
	return p.ready() && !p.hopeless && p.env == t.conditions() && p.stood() && p.key == p.list.sum(src)
}

// build compiles what has changed, and links if that is not what the last program was linked of. The error may be the developer's mistake or not: the go command knows.
func (p *plan) build(ctx context.Context, t toolchain, src sources, last *program, to string) (sum string, err error) {
	if err := os.MkdirAll(p.dir, 0o755); err != nil {
		return "", err
	}
	all := sha256.New()
	for i, u := range p.units {
		sum, err := u.sumOf(src)
		if err != nil {
			return "", err
		}
		if u.sum != sum {
			if err := p.compile(ctx, t, u, src, sum, filepath.Join(p.dir, strconv.Itoa(i))); err != nil {
				return "", fmt.Errorf("%s: %w", u.path, err)
			}
		}
		fmt.Fprintln(all, u.sum)
	}
	sum = string(all.Sum(nil))
	if sum == last.sum && os.Link(last.path, to) == nil {
		return sum, nil // touched, or another setting of the function
	}
	return sum, p.linkTo(ctx, t, sum, to)
}

// sumOf is the sum of all that the package's archive is made of: its files, and what its dependencies show.
func (u *unit) sumOf(src sources) (string, error) {
	h := sha256.New()
	for _, files := range [][]string{u.files, u.embeds} {
		for _, name := range files {
			content, err := src.read(filepath.Join(u.dir, name))
			if err != nil {
				return "", err
			}
			fmt.Fprintf(h, "%s %d\n", name, len(content))
			h.Write(content)
		}
	}
	for _, d := range u.deps {
		fmt.Fprintln(h, d.path, d.export)
	}
	return string(h.Sum(nil)), nil
}

// compile makes a new archive. The compiler is given copies of the bytes that the sum is of, and told where they are from:
// whatever is written to the sources meanwhile, an archive is never of anything else than its sum says.
func (p *plan) compile(ctx context.Context, t toolchain, u *unit, src sources, sum, work string) error {
	if u.opaque != nil {
		return fmt.Errorf("%w: %w", errOpaque, u.opaque)
	}
	copies := work + ".src"
	if err := os.RemoveAll(copies); err != nil {
		return err
	}
	if err := os.Mkdir(copies, 0o755); err != nil {
		return err
	}
	embed, err := u.embedConfig(copies, src)
	if err != nil {
		return err
	}
	var files []string
	for _, name := range u.files {
		content, err := src.read(filepath.Join(u.dir, name))
		if err != nil {
			return err
		}
		files = append(files, filepath.Join(copies, name))
		if err := os.WriteFile(filepath.Join(copies, name), content, 0o644); err != nil {
			return err
		}
	}
	config, err := p.imports(u.imports, u.maps)
	if err != nil {
		return err
	}
	made := work + ".new"
	args := u.command.replace(map[string]string{
		"-o": made, "-trimpath": copies + "=>" + u.dir, "-buildid": fmt.Sprintf("devstack/%x", sha256.Sum256([]byte(sum))),
		"-importcfg": work + ".importcfg", "-embedcfg": work + ".embedcfg",
	})
	if err := errors.Join(os.WriteFile(work+".importcfg", config, 0o644), os.WriteFile(work+".embedcfg", embed, 0o644)); err != nil {
		return err
	}
	args = append(args[:len(args)-len(files)], files...)
	if err := p.run(ctx, t, args, u.command.env); err != nil {
		return err
	}
	export, err := exportData(made)
	if err != nil {
		return err
	}
	archive := work + ".a"
	if err := os.Rename(made, archive); err != nil {
		return err
	}
	u.archive, u.sum, u.export = archive, sum, export
	return nil
}

// embedConfig copies the embedded files and returns the configuration that names the copies.
func (u *unit) embedConfig(copies string, src sources) ([]byte, error) {
	if u.embed == "" {
		return nil, nil
	}
	var config struct {
		Patterns map[string][]string
		Files    map[string]string
	}
	if err := json.Unmarshal([]byte(u.embed), &config); err != nil {
		return nil, fmt.Errorf("embed configuration: %w", err)
	}
	n := 0
	for name, path := range config.Files {
		content, err := src.read(path)
		if err != nil {
			return nil, err
		}
		n++
		config.Files[name] = filepath.Join(copies, fmt.Sprintf("embedded-%d", n))
		if err := os.WriteFile(config.Files[name], content, 0o644); err != nil {
			return nil, err
		}
	}
	return json.Marshal(config)
}

// imports writes an import configuration.
func (p *plan) imports(paths, more []string) ([]byte, error) {
	own := map[string]string{}
	for _, u := range p.units {
		own[u.path] = u.archive
	}
	var b bytes.Buffer
	for _, path := range paths {
		archive := own[path]
		if archive == "" {
			archive = p.files[path]
		}
		if archive == "" {
			return nil, fmt.Errorf("there is no archive of %s", path)
		}
		fmt.Fprintf(&b, "packagefile %s=%s\n", path, archive)
	}
	for _, line := range more {
		fmt.Fprintln(&b, strings.TrimRight(line, "\n"))
	}
	return b.Bytes(), nil
}

// linkTo links the program.
func (p *plan) linkTo(ctx context.Context, t toolchain, sum, to string) error {
	config, err := p.imports(p.linked, p.modinfo)
	if err != nil {
		return err
	}
	path := filepath.Join(p.dir, "importcfg.link")
	if err := os.WriteFile(path, config, 0o644); err != nil {
		return err
	}
	args := p.link.replace(map[string]string{"-o": to, "-importcfg": path})
	for i, arg := range args {
		if strings.HasPrefix(arg, "-buildid=") { // the go command's, of what was there when the plan was made
			args[i] = fmt.Sprintf("-buildid=devstack/%x", sum)
		}
	}
	args[len(args)-1] = p.units[len(p.units)-1].archive
	// The linker lives for a moment: collecting garbage costs more than the memory, unless the program is very large.
	return p.run(ctx, t, args, append(p.link.env[:len(p.link.env):len(p.link.env)], "GOGC=off", "GOMEMLIMIT=512MiB"))
}

// replace returns the command's words with other values for options that it has.
func (c command) replace(values map[string]string) []string {
	args := append([]string(nil), c.args...)
	for i := range args[:len(args)-1] {
		if v, ok := values[args[i]]; ok {
			args[i+1] = v
		}
	}
	return args
}

// run runs a tool of the toolchain.
func (p *plan) run(ctx context.Context, t toolchain, args, env []string) error {
	cmd := t.command(ctx, args[0], args[1:]...)
	cmd.Env = slices.Concat(cmd.Env, p.setting, []string{"TMPDIR=" + t.temp}, env)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// exportData is the sum of what an archive shows of its package to others: types, constants, bodies that may be inlined.
//
// The archive is a Unix one, whose first entry __.PKGDEF is a header, an empty line, and "$$B" before the data:
// https://go.dev/src/cmd/internal/archive/archive.go, https://go.dev/src/internal/exportdata/exportdata.go
func exportData(archive string) (string, error) {
	const magic, name, header = "!<arch>\n", "__.PKGDEF", 60 // bytes
	content, err := os.ReadFile(archive)
	if err != nil {
		return "", err
	}
	rest, ok := bytes.CutPrefix(content, []byte(magic+name))
	if !ok || len(rest) < header-len(name) {
		return "", fmt.Errorf("%s is not a package's archive", archive)
	}
	size, err := strconv.Atoi(string(bytes.TrimSpace(rest[48-len(name) : 58-len(name)])))
	rest = rest[header-len(name):]
	if err != nil || size < 0 || size > len(rest) {
		return "", fmt.Errorf("%s is not a package's archive", archive)
	}
	_, data, ok := bytes.Cut(rest[:size], []byte("\n$$B\n"))
	if !ok {
		return "", fmt.Errorf("%s has no export data", archive)
	}
	sum := sha256.Sum256(data)
	return string(sum[:]), nil
}
