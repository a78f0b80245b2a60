package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"devstack/runtime/supervise"
)

// examples says how each folder of examples/ that is a stack is made ready, and what it then does. A new example is a new line.
var examples = map[string]struct {
	prepare func(t *testing.T, dir string)
	try     func(t *testing.T, r *running)
}{
	"containers": {buildCatalog, tryContainers},
	"go":         {func(t *testing.T, dir string) { goModule(t, dir) }, tryGo},
	"node":       {func(t *testing.T, _ string) { need(t, "node", prepare); needModules(t, "../../examples/node") }, tryNode},
	"python":     {func(t *testing.T, _ string) { pythonOf(t) }, tryPython},
}

func TestExamples(t *testing.T) {
	stacks, err := filepath.Glob("../../examples/*/stack.hcl")
	if err != nil || len(stacks) == 0 {
		t.Fatal("there are no examples", err)
	}
	for _, stack := range stacks {
		name := filepath.Base(filepath.Dir(stack))
		t.Run(name, func(t *testing.T) {
			example, ok := examples[name]
			if !ok {
				t.Fatalf("nothing tests examples/%s: give it a line in the table", name)
			}
			dir := filepath.Join(copyStack(t, "../..", "examples/"+name), "examples", name)
			example.prepare(t, dir)
			example.try(t, runStack(t, dir))
		})
	}
}

// buildCatalog builds the static binary beside the Dockerfile, as the example's README says.
func buildCatalog(t *testing.T, dir string) {
	need(t, "docker", prepare)
	if out, err := exec.Command("docker", "version").CombinedOutput(); err != nil {
		missing(t, "no Docker engine answers: "+string(out))
	}
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "catalog", "catalog"), "../../examples/shop/catalog")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func tryContainers(t *testing.T, r *running) {
	r.want(200, `"price":450`, "GET", "/catalog/products/tea", "")
	containers := func() []string {
		out, err := exec.Command("docker", "ps", "--all", "--quiet", "--filter", "label=devstack.dir="+r.dir).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return strings.Fields(string(out))
	}
	if n := len(containers()); n != 2 {
		t.Errorf("%d containers run, want 2 replicas", n)
	}
	t.Run("either replica answers while the other is replaced", func(t *testing.T) {
		for _, id := range containers() {
			if out, err := exec.Command("docker", "kill", id).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			r.want(200, `"price":450`, "GET", "/catalog/products/tea", "")
			eventually(t, "second replica", func() bool { now := containers(); return len(now) == 2 && !slices.Contains(now, id) })
			eventually(t, "end of the replacement", func() bool { return r.state("service", "catalog").State == supervise.Ready })
		}
	})
	t.Run("no container outlives a killed daemon", func(t *testing.T) {
		if err := syscall.Kill(r.status().PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "end of the containers", func() bool { return len(containers()) == 0 })
	})
}

// goModule makes the copied example a module with the repository's versions.
func goModule(t *testing.T, dir string) {
	for _, name := range []string{"go.mod", "go.sum"} {
		b, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func tryGo(t *testing.T, r *running) {
	r.want(200, "Hello, ada", "GET", "/greet/ada", "")
	r.edit("greet/main.go", `"%s, %s"`, `"%s, dear %s"`)
	r.want(200, "Hello, dear ada", "GET", "/greet/ada", "")
}

func tryNode(t *testing.T, r *running) {
	r.want(404, "there is no note 1", "GET", "/notes/1", "")
	r.want(204, "", "PUT", "/notes/1", "remember the milk")
	r.want(200, `"text":"remember the milk"`, "GET", "/notes/1", "")
	r.edit("src/index.ts", "answer(200, Item)", "answer(200, { note: Item })")
	r.want(200, `{"note":{`, "GET", "/notes/1", "")
}

func tryPython(t *testing.T, r *running) {
	r.want(404, "", "GET", "/totals/ada", "")
	r.want(201, `"points"`, "POST", "/scores", `{"player":"ada","game":"chess","points":3}`)
	r.want(201, `"points"`, "POST", "/scores", `{"player":"ada","game":"go","points":4}`)
	eventually(t, "total of both games", func() bool {
		_, answer := r.call("GET", "/totals/ada", "")
		return strings.Contains(strings.ReplaceAll(answer, " ", ""), `"points":7`)
	})
	r.edit("scores/app.py", `"points": int(item["points"])}`, `"sum": int(item["points"])}`)
	r.want(200, `"sum"`, "GET", "/totals/ada", "")
}
