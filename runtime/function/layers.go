package function

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"devstack/runtime/config"
)

// LayerInputs are the files and folders by which a function's layers, and its wrapper script, count among the inputs of its
// builds. Other than sources a layer consists of installed packages, which may have thousands of files; beyond maxLayerFiles
// those of packages are left out, and a package counts by its folder and its manifests.
func LayerInputs(fn *config.Function) []string {
	var out []string
	for _, dir := range fn.Layers {
		files := layerFiles(dir, false)
		if len(files) > maxLayerFiles {
			files = layerFiles(dir, true)
		}
		out = append(out, files...)
	}
	if wrapper := fn.Environment[wrapperVariable]; wrapper != "" {
		out = append(out, filepath.Join(TaskRoot(fn), strings.TrimPrefix(wrapper, "/var/task/"))) // one in a layer is there already
	}
	return out
}

// maxLayerFiles bounds the inputs of a layer: each of them costs every event 2 µs.
const maxLayerFiles = 500

func layerFiles(root string, brief bool) []string {
	out := []string{root}
	// What cannot be read is an input all the same: its change may mend that.
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if path == root || err != nil {
			return nil
		}
		if d.Name() == "__pycache__" || d.Name() == ".git" {
			return fs.SkipDir
		}
		out = append(out, path)
		if brief && d.IsDir() && isPackage(path) {
			for _, manifest := range []string{"package.json", "METADATA"} {
				if file := filepath.Join(path, manifest); fileExists(file) {
					out = append(out, file)
				}
			}
			return fs.SkipDir
		}
		return nil
	})
	return out
}

// isPackage reports whether a folder is an installed package: one in node_modules or one of its scopes, in site-packages, or in
// the folder python of a layer, where pip installs packages too.
func isPackage(path string) bool {
	above := filepath.Base(filepath.Dir(path))
	if strings.HasPrefix(above, "@") {
		above = filepath.Base(filepath.Dir(filepath.Dir(path)))
	}
	name := filepath.Base(path)
	switch above {
	case "node_modules", "site-packages", "gems", "specifications":
		return !strings.HasPrefix(name, "@")
	case "python":
		return name != "lib"
	}
	return false
}

func fileExists(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// Opt is the folder that has what a function finds under /opt on Lambda, "" if it has no layers: its only layer, or one in the
// user's cache that links to the files of all of them, later ones over earlier ones.
//
// https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html
func Opt(fn *config.Function) (string, error) {
	for _, dir := range fn.Layers {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return "", fmt.Errorf("the layer %s is not a folder: a layer is one with the files that are to be under /opt", dir)
		}
	}
	switch len(fn.Layers) {
	case 0:
		return "", nil
	case 1:
		return fn.Layers[0], nil
	}
	var links []link
	if err := merge(fn.Layers, "", &links); err != nil {
		return "", fmt.Errorf("merge layers: %w", err)
	}
	dir, err := linkFarm(links)
	if err != nil {
		return "", fmt.Errorf("merge layers: %w", err)
	}
	return dir, nil
}

// link is a place in the merged folder and what it leads to.
type link struct{ at, target string }

// merge decides what is at a place of the merged folder that is a folder in all of dirs, the last of which wins. A folder that
// one layer alone has is one link, so the result is small however large layers are.
func merge(dirs []string, at string, links *[]link) error {
	places := map[string][]string{} // by name: paths, in the order of dirs
	var names []string
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			switch {
			case places[e.Name()] == nil:
				names = append(names, e.Name())
			case !e.IsDir() || !isFolder(places[e.Name()][0]):
				places[e.Name()] = nil // it hides those before
			}
			places[e.Name()] = append(places[e.Name()], path)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if paths := places[name]; len(paths) == 1 {
			*links = append(*links, link{filepath.Join(at, name), paths[0]})
		} else if err := merge(paths, filepath.Join(at, name), links); err != nil {
			return err
		}
	}
	return nil
}

// isFolder does not follow symbolic links, which may lead in circles.
func isFolder(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}

// linkFarm makes a folder of links. Its name says what is in it, so that one that is there is right, and is never written to
// while a function uses it.
func linkFarm(links []link) (string, error) {
	sum := sha256.New()
	for _, l := range links {
		fmt.Fprintf(sum, "%q %q\n", l.at, l.target)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	above := filepath.Join(cache, "devstack", "layers")
	dir := filepath.Join(above, hex.EncodeToString(sum.Sum(nil)[:12]))
	if isFolder(dir) {
		return dir, nil
	}
	if err := os.MkdirAll(above, 0o755); err != nil {
		return "", err
	}
	made, err := os.MkdirTemp(above, "new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(made) // if it has not been renamed
	if err := os.Chmod(made, 0o755); err != nil {
		return "", err
	}
	for _, l := range links {
		at := filepath.Join(made, l.at)
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.Symlink(l.target, at)); err != nil {
			return "", err
		}
	}
	if err := os.Rename(made, dir); err != nil && !isFolder(dir) { // somebody else may have been faster
		return "", err
	}
	return dir, nil
}
