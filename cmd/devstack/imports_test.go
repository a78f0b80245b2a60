package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

var updateImports = flag.Bool("update", false, "rewrite testdata/imports.txt, the imports among our own packages")

const (
	module  = "devstack/"
	imports = "../../testdata/imports.txt"
)

// TestImports compares who imports whom among our own packages with testdata/imports.txt, where a new arrow shows up in a
// review as one line, and refuses the arrows that would join what the architecture keeps apart.
func TestImports(t *testing.T) {
	arrows := ownImports(t)
	var got strings.Builder
	got.WriteString("# Who imports whom among our own packages, tests left out. `go test ./cmd/devstack -run TestImports -update` rewrites it.\n")
	for _, from := range slices.Sorted(maps.Keys(arrows)) {
		fmt.Fprintln(&got, strings.TrimSpace(from+" -> "+strings.Join(arrows[from], " ")))
		for _, to := range arrows[from] {
			if why := forbidden(from, to); why != "" {
				t.Errorf("%s imports %s: %s", from, to, why)
			}
		}
	}
	if *updateImports {
		if err := os.WriteFile(imports, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(imports)
	if err != nil {
		t.Fatal(err)
	}
	old, now := strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")
	for _, line := range old {
		if !slices.Contains(now, line) {
			t.Errorf("no longer so: %s", line)
		}
	}
	for _, line := range now {
		if !slices.Contains(old, line) {
			t.Errorf("new:          %s", line)
		}
	}
	if t.Failed() {
		t.Log("if that is meant, run: go test ./cmd/devstack -run TestImports -update")
	}
}

// ownImports lists for each of our packages those of our packages that it imports, without the module's name.
func ownImports(t *testing.T) map[string][]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Dir = "../.."
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	arrows := map[string][]string{}
	for d := json.NewDecoder(out); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		from := strings.TrimPrefix(p.ImportPath, module)
		arrows[from] = []string{}
		for _, to := range p.Imports {
			if own, ok := strings.CutPrefix(to, module); ok {
				arrows[from] = append(arrows[from], own)
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("go list: %v", err)
	}
	return arrows
}

// forbidden says why a package may not import another, "" if it may.
func forbidden(from, to string) string {
	switch {
	case within(from, "internal/clock"), within(from, "emulators/wire") && !within(from, "emulators/wire/apigen"):
		if within(to, "emulators/wire") || within(to, "internal/jsontext") || within(to, "internal/clock") && within(from, "internal/clock") {
			return ""
		}
		return "wire and clock know nothing of ours, but for how JSON writes a string"
	case within(from, "emulators") && within(to, "runtime"), within(from, "runtime") && within(to, "emulators"):
		return "the two halves meet in cmd/devstack only"
	case within(from, "internal") && !within(to, "internal"):
		return "internal is used by both halves and uses neither"
	case within(to, "cmd"), within(to, "examples"):
		return "a program is imported by nobody"
	}
	if a, b := service(from), service(to); a != "" && b != "" && a != b {
		return "a service reaches another by kit.Caller"
	}
	return ""
}

// service is the emulated service that a package is part of, "" if it is of none: services are the folders with operations.
func service(path string) string {
	rest, ok := strings.CutPrefix(path, "emulators/")
	name, _, _ := strings.Cut(rest, "/")
	if _, err := os.Stat("../../emulators/" + name + "/operations.txt"); !ok || err != nil {
		return ""
	}
	return name
}

func within(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }
