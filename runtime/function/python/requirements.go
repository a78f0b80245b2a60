package python

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"devstack/runtime/function"
)

// requirements installs what requirements.txt beside the code asks for, and returns the folder as a list; an empty one if
// it asks for nothing. What was installed once for the same file and the same Python is used again.
func (e *Engine) requirements(ctx context.Context, root string, python interpreter) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(root, "requirements.txt"))
	if err != nil || !asks(text) {
		return nil, nil // without the file there is nothing to install
	}
	cache := e.opts.Cache
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			user = os.TempDir()
		}
		cache = filepath.Join(user, "devstack", "python")
	}
	sum := sha256.New()
	fmt.Fprintln(sum, python.path, python.version())
	for _, path := range requirementFiles(root) {
		content, err := os.ReadFile(path)
		if err != nil {
			continue // a folder, or gone: pip says so
		}
		fmt.Fprintln(sum, strings.TrimPrefix(path, root), len(content))
		sum.Write(content)
	}
	dir := filepath.Join(cache, hex.EncodeToString(sum.Sum(nil)[:12]), "site-packages")
	e.install.Lock()
	defer e.install.Unlock()
	if exists(dir) {
		return []string{dir}, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, fmt.Errorf("install requirements: %w", err)
	}
	unfinished, err := os.MkdirTemp(filepath.Dir(dir), "unfinished")
	if err != nil {
		return nil, fmt.Errorf("install requirements: %w", err)
	}
	defer os.RemoveAll(unfinished)
	cmd := exec.CommandContext(ctx, python.path, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet",
		"-r", "requirements.txt", "-t", unfinished)
	cmd.Dir = root
	for _, kv := range os.Environ() { // where mirrors and certificates are, but no credentials
		if !strings.HasPrefix(kv, "AWS_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, &function.BuildError{Text: fmt.Sprintf("requirements.txt cannot be installed (%s): %s", strings.Join(cmd.Args, " "), strings.TrimSpace(string(out)))}
	}
	if err := os.Rename(unfinished, dir); err != nil {
		return nil, fmt.Errorf("install requirements: %w", err)
	}
	return []string{dir}, nil
}

// requirementFiles are requirements.txt, what it includes by -r and -c, and the files of projects that it names by their folder.
//
// https://pip.pypa.io/en/stable/reference/requirements-file-format/
func requirementFiles(root string) []string {
	all := []string{filepath.Join(root, "requirements.txt")}
	for i := 0; i < len(all) && i < maxRequirementFiles; i++ {
		if filepath.Ext(all[i]) != ".txt" {
			continue
		}
		text, err := os.ReadFile(all[i])
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			for _, path := range namedFiles(line) {
				if !filepath.IsAbs(path) {
					path = filepath.Join(filepath.Dir(all[i]), path)
				}
				for _, file := range function.Files(path) {
					if !slices.Contains(all, file) && !madeByPip(path, file) {
						all = append(all, file)
					}
				}
			}
		}
	}
	return all
}

// madeByPip reports whether pip may write a path as it builds the project in a folder. So it does folders themselves: their lists.
func madeByPip(root, path string) bool {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return true
	}
	rest := strings.TrimPrefix(path, root)
	return strings.Contains(rest, ".egg-info"+string(filepath.Separator)) || strings.HasPrefix(rest, filepath.Join(string(filepath.Separator), "build")+string(filepath.Separator))
}

// maxRequirementFiles bounds what is looked into for more.
const maxRequirementFiles = 100

// namedFiles are the files and folders that a line of a requirements file names.
func namedFiles(line string) []string {
	line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
	for _, option := range []string{"-r", "--requirement", "-c", "--constraint", "-e", "--editable"} {
		if rest, ok := strings.CutPrefix(line, option); ok && strings.TrimLeft(rest, " =") != "" {
			rest = strings.TrimLeft(rest, " =")
			if strings.Contains(rest, "://") {
				return nil
			}
			return []string{rest}
		}
	}
	if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "/") || strings.HasPrefix(line, "file:") {
		path, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(line, "file:"), "//"), "[") // extras
		return []string{strings.TrimSpace(path)}
	}
	return nil
}

// asks reports whether a requirements file has any line that is not a comment.
func asks(text []byte) bool {
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			return true
		}
	}
	return false
}
