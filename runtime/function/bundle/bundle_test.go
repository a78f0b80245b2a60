package bundle

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/evanw/esbuild/pkg/api"

	"devstack/runtime/function"
)

// project writes files and returns their folder.
func project(t *testing.T, files map[string]string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		write(t, dir, name, text)
	}
	return dir
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	p := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func bundler(t *testing.T, dir, entry string) *Bundler {
	t.Helper()
	b, err := New(Options{Dir: dir, Entry: filepath.Join(dir, entry), Format: api.FormatCommonJS, Platform: api.PlatformNode, Target: api.ESNext})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// relative are the inputs below dir, with it cut off.
func relative(dir string, inputs []string) []string {
	var out []string
	for _, p := range inputs {
		if r, err := filepath.Rel(dir, p); err == nil && !strings.HasPrefix(r, "..") {
			out = append(out, r)
		}
	}
	return out
}

func TestInputs(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{
			"a file alone, and its folder, where a package.json may appear",
			map[string]string{"f/a.ts": `export const x = 1`},
			[]string{"f", "f/a.ts"},
		},
		{
			"imported files and the folders in which others could come before them",
			map[string]string{"f/a.ts": `import { b } from "./lib/b"; export const x = b`, "f/lib/b/index.ts": `export const b = 1`},
			[]string{"f", "f/a.ts", "f/lib", "f/lib/b", "f/lib/b/index.ts"},
		},
		{
			"a package with its package.json, and the folders in which a nearer one could appear",
			map[string]string{"f/a.ts": `import p from "pkg"; export const x = p`, "node_modules/pkg/package.json": `{"main":"m.js"}`, "node_modules/pkg/m.js": `module.exports = 1`},
			[]string{".", "f", "f/a.ts", "node_modules", "node_modules/pkg", "node_modules/pkg/m.js", "node_modules/pkg/package.json"},
		},
		{
			"package.json and tsconfig.json above, and what that extends",
			map[string]string{"f/a.ts": `export const x = 1`, "package.json": `{}`, "tsconfig.json": `{ "extends": "./base.json" }`, "base.json": `{}`},
			[]string{"base.json", "f", "f/a.ts", "package.json", "tsconfig.json"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := project(t, tt.files)
			r, err := bundler(t, dir, "f/a.ts").Build(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := relative(dir, r.Inputs); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestAFailedBuildKnowsWhatCouldMendIt(t *testing.T) {
	dir := project(t, map[string]string{"a.ts": "import { b } from './lib/b'\nexport const x = b\n", "lib/c.ts": ""})
	b := bundler(t, dir, "a.ts")
	r, err := b.Build(t.Context())
	var be *function.BuildError
	if !errors.As(err, &be) || !strings.Contains(be.Text, `Could not resolve "./lib/b"`) || !strings.Contains(be.Text, "a.ts:1:18:") ||
		!strings.Contains(be.Text, "1 │ import { b } from './lib/b'") {
		t.Fatalf("got %v", err)
	}
	if got := relative(dir, r.Inputs); !slices.Contains(got, "lib") {
		t.Errorf("the inputs are %q", got)
	}
	write(t, dir, "lib/b.ts", "export const b = 1\n")
	if r, err = b.Build(t.Context()); err != nil || !strings.Contains(string(r.Code), "b = 1") {
		t.Errorf("mended: %v", err)
	}
}

func TestBuildsFollowTheFiles(t *testing.T) {
	dir := project(t, map[string]string{"a.ts": `export const x = "one"`})
	b := bundler(t, dir, "a.ts")
	for _, text := range []string{"one", "two", "six"} {
		write(t, dir, "a.ts", `export const x = "`+text+`"`)
		r, err := b.Build(t.Context())
		if err != nil || !strings.Contains(string(r.Code), text) {
			t.Fatalf("%s: %v\n%s", text, err, r.Code)
		}
		if !strings.Contains(string(r.Map), `"a.ts"`) {
			t.Errorf("the map names %s", r.Map)
		}
	}
}

func TestACancelledBuildIsItsContextsError(t *testing.T) {
	dir := project(t, map[string]string{"a.ts": ""})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r, err := bundler(t, dir, "a.ts").Build(ctx); r != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v", r, err)
	}
}
