package python

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	sum := sha256.Sum256(append([]byte(python.path+" "+python.version()+"\n"), text...))
	dir := filepath.Join(cache, hex.EncodeToString(sum[:12]), "site-packages")
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

// asks reports whether a requirements file has any line that is not a comment.
func asks(text []byte) bool {
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			return true
		}
	}
	return false
}
