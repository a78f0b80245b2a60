package pipe

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Install writes the files of a runtime to the user's cache, in a folder with a name of its own for each content, and
// returns the folder. What is there already stays.
func Install(name string, files fs.FS) (dir string, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	sum := sha256.New()
	contents := map[string][]byte{}
	err = fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, path)
		contents[d.Name()] = text
		fmt.Fprintln(sum, d.Name(), len(text))
		sum.Write(text)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("install the %s runtime: %w", name, err)
	}
	dir = filepath.Join(cache, "devstack", name+"-"+hex.EncodeToString(sum.Sum(nil)[:8]))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("install the %s runtime: %w", name, err)
	}
	for file, text := range contents {
		if err := writeOnce(filepath.Join(dir, file), text); err != nil {
			return "", fmt.Errorf("install the %s runtime: %w", name, err)
		}
	}
	return dir, nil
}

// writeOnce writes a file that nobody sees half.
func writeOnce(path string, content []byte) error {
	if old, err := os.ReadFile(path); err == nil && string(old) == string(content) {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), "new")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err := f.Write(content); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
