package function

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"devstack/runtime/config"
	"devstack/runtime/watch"
)

// Frozen is a copy of what a function is made of, which nothing changes any more. Its paths are within the copy, with slashes.
type Frozen struct {
	Source string   // what fn.Source is
	Layers []string // what fn.Layers are
}

// FreezeError says why a function cannot be copied, in words for its developer.
type FreezeError struct{ Text string }

// Error returns the text.
func (e *FreezeError) Error() string { return e.Text }

// Frozen marks the error for who knows it by this method.
func (e *FreezeError) Frozen() {}

// Freeze copies what a function runs now into the folder dir: its inputs, in the places that they have below root, so that they find
// each other, with the folder that is its source and the packages that are installed there. A function that is not in order, or that
// is made of files outside of root, is a *FreezeError.
func (m *Manager) Freeze(ctx context.Context, key, root, dir string) (Frozen, error) {
	f, err := m.lookup(key)
	if err != nil {
		return Frozen{}, err
	}
	var c chase
	for {
		v, err := f.fresh(ctx, &c)
		if err != nil {
			return Frozen{}, err
		}
		if v.err != nil {
			return Frozen{}, &FreezeError{"the function cannot be built: " + v.err.Error()}
		}
		out, err := freeze(v.fn, v.inputs.paths(), root, dir)
		if err != nil {
			return Frozen{}, err
		}
		changed := v.inputs.changed()
		if changed == "" {
			return out, nil
		}
		if c.hopeless() {
			return Frozen{}, &FreezeError{c.mistake(key, changed).Text}
		}
		if err := empty(dir); err != nil {
			return Frozen{}, err
		}
	}
}

// freeze copies a function that is made of inputs.
func freeze(fn *config.Function, inputs []string, root, dir string) (out Frozen, err error) {
	if fn.Source == "" {
		return out, &FreezeError{"the function is a container image, of which no version can be kept here"}
	}
	if _, err := os.Stat(filepath.Join(TaskRoot(fn), "pyvenv.cfg")); err == nil {
		return out, &FreezeError{"the function's folder is a virtual environment, which does not work in another place"}
	}
	all := slices.Clone(inputs)
	if TaskRoot(fn) == fn.Source { // a folder: what it reads at run time is part of it
		all = append(all, Files(fn.Source)...)
	}
	for _, path := range all {
		if err := freezeFile(fn, path, root, dir); err != nil {
			return out, err
		}
	}
	if strings.HasPrefix(fn.Runtime, "nodejs") {
		if err := freezePackages(TaskRoot(fn), root, dir); err != nil {
			return out, err
		}
	}
	rel, err := filepath.Rel(root, fn.Source)
	if err != nil || !filepath.IsLocal(rel) {
		return out, &FreezeError{fn.Source + " is outside of " + root + ": a version of the function cannot be kept"}
	}
	out.Source = filepath.ToSlash(rel)
	for i, layer := range fn.Layers {
		name := fmt.Sprintf(".layers/%d", i)
		if err := copyTree(layer, filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			return out, err
		}
		out.Layers = append(out.Layers, name)
	}
	return out, nil
}

// freezeFile copies an input. Folders are inputs for what appears in them, and are made as their files need them.
func freezeFile(fn *config.Function, path, root, dir string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // an input for the day when it is there
	}
	if err != nil {
		return err
	}
	if info.IsDir() {
		return nil
	}
	rel, err := filepath.Rel(root, path)
	if err != nil || !filepath.IsLocal(rel) {
		if fn.Runtime == "go" && strings.Contains(path, string(filepath.Separator)+filepath.Join("pkg", "mod")+string(filepath.Separator)) {
			return nil // of the module cache, where nothing changes
		}
		return &FreezeError{path + " is outside of " + root + ", and the function is made of it: a version cannot be kept"}
	}
	return copyFile(path, filepath.Join(dir, rel), info.Mode())
}

// freezePackages copies the installed packages of a folder and of those above it: which of them Node loads shows only as it runs.
func freezePackages(from, root, dir string) error {
	for at := from; ; at = filepath.Dir(at) {
		rel, err := filepath.Rel(root, at)
		if err != nil || !filepath.IsLocal(rel) {
			return nil
		}
		const packages = "node_modules"
		if _, err := os.Stat(filepath.Join(at, packages)); err == nil {
			if err := copyTree(filepath.Join(at, packages), filepath.Join(dir, rel, packages)); err != nil {
				return err
			}
		}
	}
}

// copyTree copies a folder. Links to files become files.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != from && d.Name() != "node_modules" && watch.Ignored(d.Name()) {
				return fs.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // a link to nothing
		case err != nil:
			return err
		case info.IsDir():
			return &FreezeError{path + " is a symbolic link to a folder: a version of the function cannot be kept"}
		case !info.Mode().IsRegular():
			return nil
		}
		return copyFile(path, filepath.Join(to, rel), info.Mode())
	})
}

func copyFile(from, to string, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode.Perm()|0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// empty removes what is in a folder.
func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return err
}
