package config

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the results into the golden files")

// archive is a golden file: texts, each after a line "-- name --".
type archive []struct{ name, text string }

func readArchive(t *testing.T, path string) archive {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var a archive
	for line := range strings.Lines(string(content)) {
		if name, ok := strings.CutPrefix(line, "-- "); ok && strings.HasSuffix(line, " --\n") {
			a = append(a, struct{ name, text string }{name: strings.TrimSuffix(name, " --\n")})
			continue
		}
		a[len(a)-1].text += line
	}
	return a
}

// load writes the archive's files and reads them as a stack. "vars" has variables, "environment" the environment, a
// NAME=VALUE a line; what ought to be found is the section that is returned.
func (a archive) load(t *testing.T, result string) (dir, want string, s *Stack, err error) {
	t.Helper()
	dir = t.TempDir()
	values := map[string]map[string]string{"vars": {}, "environment": {}}
	for _, f := range a {
		switch {
		case f.name == result:
			want = f.text
		case values[f.name] != nil:
			for line := range strings.Lines(f.text) {
				name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
				values[f.name][name] = value
			}
		default:
			path := filepath.Join(dir, f.name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(f.text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	env := func(name string) (string, bool) { v, ok := values["environment"][name]; return v, ok }
	s, err = Load(dir, Options{Vars: values["vars"], Env: env})
	return dir, want, s, err
}

// write replaces the section of the result.
func (a archive) write(t *testing.T, path, result, text string) {
	t.Helper()
	var b strings.Builder
	for _, f := range a {
		if f.name != result {
			b.WriteString("-- " + f.name + " --\n" + f.text)
		}
	}
	b.WriteString("-- " + result + " --\n" + text)
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// golden runs one golden file.
func golden(t *testing.T, path, result string, run func(dir string, s *Stack, err error) string) {
	t.Helper()
	a := readArchive(t, path)
	dir, want, s, err := a.load(t, result)
	got := strings.ReplaceAll(run(dir, s, err), dir, "DIR")
	if *update {
		a.write(t, path, result, got)
		return
	}
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func goldenFiles(t *testing.T, pattern string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatal("no golden files at", pattern, err)
	}
	files := map[string]string{}
	for _, p := range paths {
		files[strings.TrimSuffix(filepath.Base(p), ".txt")] = p
	}
	return files
}

func TestBadStacks(t *testing.T) {
	for name, path := range goldenFiles(t, "testdata/bad/*.txt") {
		t.Run(name, func(t *testing.T) {
			golden(t, path, "diagnostics", func(_ string, _ *Stack, err error) string {
				if err == nil {
					return "none\n"
				}
				return err.Error() + "\n"
			})
		})
	}
}

func TestGoodStacks(t *testing.T) {
	for name, path := range goldenFiles(t, "testdata/good/*.txt") {
		t.Run(name, func(t *testing.T) {
			golden(t, path, "stack.json", func(_ string, s *Stack, err error) string {
				if err != nil {
					t.Fatal(err)
				}
				var b bytes.Buffer
				e := json.NewEncoder(&b)
				e.SetEscapeHTML(false)
				e.SetIndent("", "  ")
				if err := e.Encode(s); err != nil {
					t.Fatal(err)
				}
				return b.String()
			})
		})
	}
}
