package function

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"devstack/runtime/config"
)

// tree writes files, by path below a folder, and returns the folder.
func tree(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(dir), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLayersAreMerged(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	first := tree(t, "bin/tool", "python/a/one.py", "python/a/both.py", "python/b.py", "config", "file/inside")
	second := tree(t, "python/a/two.py", "python/a/both.py", "config", "file")
	if dir, err := Opt(&config.Function{Layers: []string{first}}); dir != first || err != nil {
		t.Errorf("one layer is %s, %v", dir, err)
	}
	fn := &config.Function{Layers: []string{first, second}}
	dir, err := Opt(fn)
	if err != nil {
		t.Fatal(err)
	}
	for name, from := range map[string]string{
		"bin/tool": first, "python/a/one.py": first, "python/b.py": first, "python/a/two.py": second,
		"python/a/both.py": second, "config": second, "file": second,
	} {
		if content, err := os.ReadFile(filepath.Join(dir, name)); string(content) != from || err != nil {
			t.Errorf("%s is of %s (%v), want %s", name, content, err, from)
		}
	}
	if again, _ := Opt(fn); again != dir {
		t.Errorf("the same layers are in %s, then in %s", dir, again)
	}
	if err := os.WriteFile(filepath.Join(second, "python", "c.py"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	changed, err := Opt(fn)
	if err != nil || changed == dir {
		t.Fatalf("a file that came is in the old folder, %v", err)
	}
	if _, err := os.Stat(filepath.Join(changed, "python", "c.py")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "python", "c.py")); err == nil {
		t.Error("a folder that sandboxes may use was written to")
	}
	if _, err := Opt(&config.Function{Layers: []string{filepath.Join(first, "nowhere")}}); err == nil || !strings.Contains(err.Error(), "nowhere is not a folder") {
		t.Errorf("a layer that is not there: %v", err)
	}
}

func TestLayerInputs(t *testing.T) {
	small := tree(t, "python/requests/api.py", "python/shared.py", "python/__pycache__/x.pyc")
	var many []string
	for _, name := range []string{"a", "b", "c"} {
		for i := range 200 {
			many = append(many, "nodejs/node_modules/@scope/"+name+"/f"+strings.Repeat("x", i)+".js")
		}
		many = append(many, "nodejs/node_modules/@scope/"+name+"/package.json")
	}
	large := tree(t, append(many, "config")...)
	root := t.TempDir()
	got := LayerInputs(&config.Function{Layers: []string{small, large}, Source: root, Environment: map[string]string{wrapperVariable: "/var/task/wrap"}})
	want := []string{filepath.Join(root, "wrap")}
	for _, name := range []string{"", "python", "python/requests", "python/requests/api.py", "python/shared.py"} {
		want = append(want, filepath.Join(small, name))
	}
	for _, name := range []string{"", "config", "nodejs", "nodejs/node_modules", "nodejs/node_modules/@scope", "nodejs/node_modules/@scope/a", "nodejs/node_modules/@scope/a/package.json",
		"nodejs/node_modules/@scope/b", "nodejs/node_modules/@scope/b/package.json", "nodejs/node_modules/@scope/c", "nodejs/node_modules/@scope/c/package.json"} {
		want = append(want, filepath.Join(large, name))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestSearchPaths(t *testing.T) {
	root := tree(t, "index.js", "lib/x", "native.so.1")
	opt := tree(t, "bin/tool", "lib/y.so", "nodejs/node22/node_modules/a/index.js", "nodejs/node_modules/b/index.js",
		"python/c.py", "python/lib/python3.12/site-packages/d.py")
	for _, tt := range []struct {
		name, runtime string
		opt           string
		own           map[string]string
		want          map[string]string
	}{
		{"no layers", "python3.12", "", nil, map[string]string{"PATH": "/bin", "PYTHONPATH": "", "LD_LIBRARY_PATH": "ROOT:ROOT/lib"}},
		{"Node", "nodejs22.x", opt, nil, map[string]string{"PATH": "/bin:OPT/bin", "LD_LIBRARY_PATH": "ROOT:ROOT/lib:OPT/lib",
			"NODE_PATH": "OPT/nodejs/node22/node_modules:OPT/nodejs/node_modules:ROOT"}},
		{"another Node", "nodejs20.x", opt, nil, map[string]string{"NODE_PATH": "OPT/nodejs/node_modules:ROOT"}},
		{"Python", "python3.12", opt, nil, map[string]string{"PYTHONPATH": "OPT/python/lib/python3.12/site-packages:OPT/python", "NODE_PATH": ""}},
		{"Python with a path of its own", "python3.13", opt, map[string]string{"PYTHONPATH": "/var/task/more"}, map[string]string{"PYTHONPATH": "ROOT/more:OPT/python"}},
		{"paths of Lambda in variables that runtimes read", "nodejs22.x", opt,
			map[string]string{"NODE_OPTIONS": "--require /opt/x.js --import=/var/task/y.mjs --require /optional /a/opt/z", "NODE_PATH": "/opt/mine", "AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrap", "MINE": "/opt/x"},
			map[string]string{"NODE_OPTIONS": "--require OPT/x.js --import=ROOT/y.mjs --require /optional /a/opt/z", "NODE_PATH": "OPT/mine", "AWS_LAMBDA_EXEC_WRAPPER": "OPT/wrap", "MINE": "/opt/x"}},
		{"without layers /opt is the machine's", "nodejs22.x", "", map[string]string{"NODE_OPTIONS": "--require /opt/x.js"}, map[string]string{"NODE_OPTIONS": "--require /opt/x.js"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("PATH", "/bin")
			env := environment(&config.Function{Name: "f", Runtime: tt.runtime, Source: root, Environment: tt.own}, nil, "stream", places{opt: tt.opt}, false)
			for name, want := range tt.want {
				want = strings.NewReplacer("ROOT", root, "OPT", opt).Replace(want)
				got := ""
				for _, kv := range env {
					if v, ok := strings.CutPrefix(kv, name+"="); ok {
						got = v
					}
				}
				if got != want {
					t.Errorf("%s is %s, want %s", name, got, want)
				}
			}
		})
	}
}

func TestTemporaryFolders(t *testing.T) {
	above := t.TempDir()
	t.Setenv("TMPDIR", above)
	// One that a daemon left that was killed, and one that is nobody's to remove.
	for _, name := range []string{"devstack-left/.lock", "devstack-left/a/file", "devstack-other/file"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(above, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(above, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var one, other folders // two daemons
	a, err := one.make()
	if err != nil {
		t.Fatal(err)
	}
	b, err := other.make()
	if err != nil {
		t.Fatal(err)
	}
	c, err := one.make()
	if err != nil || a == c {
		t.Fatalf("two sandboxes have %s and %s, %v", a, c, err)
	}
	if left, _ := filepath.Glob(filepath.Join(above, "*")); len(left) != 3 || slices.Contains(left, filepath.Join(above, "devstack-left")) {
		t.Errorf("there are %q", left)
	}
	one.remove(a)
	if _, err := os.Stat(c); err != nil {
		t.Error(err)
	}
	one.remove(c)
	other.remove(b)
	if left, _ := filepath.Glob(filepath.Join(above, "*")); len(left) != 1 {
		t.Errorf("there are %q left", left)
	}
	if d, err := one.make(); err != nil {
		t.Error("a daemon that had no sandbox for a while:", err)
	} else {
		one.remove(d)
	}
}

func TestShared(t *testing.T) {
	t.Setenv("TMPDIR", "/tmp")
	env := []string{"A=b", "TMPDIR=/tmp/own"}
	if got := Shared(env); !slices.Equal(got, []string{"A=b", "TMPDIR=/tmp"}) || env[1] != "TMPDIR=/tmp/own" {
		t.Errorf("got %q of %q", got, env)
	}
}

func TestOverfull(t *testing.T) {
	dir := t.TempDir()
	p := places{tmp: dir}
	fn := &config.Function{EphemeralStorage: 512}
	if got := p.overfull(fn); got != "" {
		t.Errorf("an empty folder: %s", got)
	}
	if err := os.Truncate(create(t, filepath.Join(dir, "large")), 513<<20); err != nil { // it takes no space
		t.Fatal(err)
	}
	if got := p.overfull(fn); !strings.Contains(got, "/tmp has 513 MB in it, and the function 512 MB") {
		t.Errorf("it says %q", got)
	}
	fn.EphemeralStorage = 1024
	if got := p.overfull(fn); got != "" {
		t.Errorf("half a folder: %s", got)
	}
}

func TestUntouched(t *testing.T) {
	dir, err := temporary.make()
	if err != nil {
		t.Fatal(err)
	}
	defer temporary.remove(dir)
	if !untouched(dir) {
		t.Error("a new folder counts as used")
	}
	file := create(t, filepath.Join(dir, "file"))
	if untouched(dir) {
		t.Error("a folder with a file in it counts as unused")
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if untouched(dir) {
		t.Error("a folder that had a file in it counts as unused")
	}
}

func create(t *testing.T, path string) string {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// FuzzReplacePath replaces nothing but whole paths: what it makes has no more of them, and what had none stays.
func FuzzReplacePath(f *testing.F) {
	f.Add("--require /opt/x.js:/opt,/optional")
	f.Add("/opt/opt /opt")
	f.Fuzz(func(t *testing.T, value string) {
		once := replacePath(value, "/opt", "/elsewhere")
		if twice := replacePath(once, "/opt", "/elsewhere"); twice != once {
			t.Errorf("%q becomes %q and then %q", value, once, twice)
		}
		if !strings.Contains(value, "/opt") && once != value {
			t.Errorf("%q becomes %q", value, once)
		}
	})
}
