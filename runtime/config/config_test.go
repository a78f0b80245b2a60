package config

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// write makes a folder with the files of name and content.
func write(t testing.TB, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(dir, files[i])
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func mustLoad(t testing.TB, text string) *Stack {
	t.Helper()
	s, err := Load(write(t, "stack.hcl", "stack \"test\" {}\n"+text, "f.js", ""), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFindsTheNearestStackUpward(t *testing.T) {
	dir := write(t, "stack.hcl", "", "a/b/c.txt", "", "inner/stack.hcl", "", "inner/x/y.txt", "")
	for from, want := range map[string]string{"": "", "a/b": "", "inner/x": "inner"} {
		if got, err := Find(filepath.Join(dir, from)); err != nil || got != filepath.Join(dir, want) {
			t.Errorf("from %q: %q, %v", from, got, err)
		}
	}
	if _, err := Find(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("outside any stack: %v", err)
	}
}

func TestFilesAreThoseReadAndThoseMissed(t *testing.T) {
	dir := write(t, "stack.hcl", "stack \"s\" {}\nlocals {\n a = file(\"a.txt\")\n b = file(\"missing.txt\")\n}\n",
		"more.hcl", "", "a.txt", "A", "other.txt", "")
	s, err := Load(dir, Options{})
	if err == nil {
		t.Fatal("a missing file is no mistake")
	}
	want := []string{"a.txt", "missing.txt", "more.hcl", "stack.hcl"}
	var got []string
	for _, f := range s.Files {
		got = append(got, strings.TrimPrefix(f, dir+"/"))
	}
	if !slices.Equal(got, want) || s.Dir != dir || s.Resources != nil {
		t.Errorf("got %v in %s", got, s.Dir)
	}
}

func TestNoPortIsChosenThatTheFileGives(t *testing.T) {
	dir := write(t, "stack.hcl", "stack \"s\" { port = 20000 }\ncache \"first\" {}\ncache \"second\" { port = 20001 }\n")
	s, err := Load(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Resource(ID{"cache", "first"}).(*Cache).Port; got != 20002 {
		t.Errorf("got %d", got)
	}
}

func TestBottomlessFilesAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"brackets":   "x = " + strings.Repeat("(", 1<<19),
		"templates":  "x = " + strings.Repeat(`"${`, 1<<18),
		"signs":      "x = " + strings.Repeat("!", 1<<19) + "true",
		"conditions": "x = " + strings.Repeat("a?a:", 1<<17) + "a",
		"blocks":     strings.Repeat("a {\n", 1<<18),
		"size":       strings.Repeat("#", maxFileSize+1),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Load(write(t, "stack.hcl", text), Options{}); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestDiagnosticShowsTheLine(t *testing.T) {
	dir := write(t, "stack.hcl", "stack \"s\" {}\ntable \"orders\" {\n\thash_key = table.order.name\n}\n")
	_, err := Load(dir, Options{})
	var ds Diagnostics
	if !errors.As(err, &ds) || len(ds) != 1 {
		t.Fatalf("got %v", err)
	}
	want := `Error: Unknown table
  stack.hcl:3,13-29
  3 | 	hash_key = table.order.name
    | 	           ^^^^^^^^^^^^^^^^
  there is no table "order". Did you mean "orders"?
`
	if got := ds.Text(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	b, err := json.Marshal(ds)
	wantJSON := `{"diagnostics":[{"file":"stack.hcl","line":3,"column":13,"endLine":3,"endColumn":29,"summary":"Unknown table",` +
		`"detail":"there is no table \"order\". Did you mean \"orders\"?","source":"\thash_key = table.order.name"}]}`
	if err != nil || string(b) != wantJSON {
		t.Errorf("got %s, %v", b, err)
	}
}

func TestFormat(t *testing.T) {
	got, err := Format("stack.hcl", []byte("stack \"s\" {\nport=1\nregion =   \"x\"\n}"))
	if want := "stack \"s\" {\n  port   = 1\n  region = \"x\"\n}"; err != nil || string(got) != want {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := Format("a.hcl", []byte("stack {")); err == nil || !strings.HasPrefix(err.Error(), "a.hcl:1,") {
		t.Errorf("a syntax error: %v", err)
	}
}

func TestGraph(t *testing.T) {
	s := mustLoad(t, `
table "orders" {
  for_each = toset(["eu"])
  hash_key = "id"
}
service "s" {
  command = ["s", table.orders["eu"].name]
}
`)
	g := Graph(s)
	want := `digraph stack {
  rankdir = LR
  node [shape = box]
  "table.orders[\"eu\"]" [shape = cylinder]
  "service.s"
  "service.s" -> "table.orders[\"eu\"]"
}
`
	if got := g.DOT(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	b, err := json.Marshal(g)
	wantJSON := `{"nodes":[{"id":"table.orders[\"eu\"]","type":"table","name":"orders[\"eu\"]"},{"id":"service.s","type":"service","name":"s"}],` +
		`"edges":[{"from":"service.s","to":"table.orders[\"eu\"]"}]}`
	if err != nil || string(b) != wantJSON {
		t.Errorf("got %s, %v", b, err)
	}
}

func TestReferenceIsCurrent(t *testing.T) {
	b, err := os.ReadFile("../../docs/stack-file.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(b) != Reference() {
		t.Error("docs/stack-file.md is not what the schema says: run go generate ./runtime/config")
	}
}

// TestExamplesOfTheReferenceLoad keeps the examples true: all of them together are one stack.
func TestExamplesOfTheReferenceLoad(t *testing.T) {
	var b strings.Builder
	for _, s := range language() {
		b.WriteString(s.example + "\n")
	}
	b.WriteString("function \"charge\" {\n runtime = \"js\"\n source = \"f.js\"\n}\n")
	dir := write(t, "stack.hcl", b.String(), "f.js", "", "functions/create_order.ts", "", "services/catalog/main.go", "",
		"checkout.asl.json", `{"Resource":"${ChargeFunction}"}`)
	if _, err := Load(dir, Options{}); err != nil {
		t.Error(err)
	}
}

func TestEqualIsAboutValues(t *testing.T) {
	const one = "cache \"a\" {}\nservice \"s\" {\n command = [\"x\"]\n environment = { A = \"a\" }\n}\n"
	base := mustLoad(t, one).Resources[1]
	for _, tt := range []struct {
		name, text string
		equal      bool
	}{
		{"the same", one, true},
		{"elsewhere in the file", "\n\n" + one, true},
		{"by a reference", strings.Replace(one, `A = "a"`, "A = cache.a.name", 1), true},
		{"another value", strings.Replace(one, `A = "a"`, `A = "b"`, 1), false},
		{"another variable", strings.Replace(one, `A = "a"`, `B = "a"`, 1), false},
		{"another argument", strings.Replace(one, `["x"]`, `["x", "y"]`, 1), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			other := mustLoad(t, tt.text).Resources[1]
			other.(*Service).Dir, other.(*Service).Watch = base.(*Service).Dir, base.(*Service).Watch
			if got := Equal(base, other); got != tt.equal {
				t.Errorf("got %v", got)
			}
		})
	}
	if Equal(base, mustLoad(t, one).Resources[0]) {
		t.Error("a cache equals a service")
	}
}

func TestNearest(t *testing.T) {
	names := []string{"orders", "table", "sessions", "GET"}
	for given, want := range map[string]string{
		"order": "orders", "tabel": "table", "Orders": "orders", "GTE": "GET", "sesions": "sessions", "x": "", "customers": "", "orders": "",
	} {
		if got := nearest(given, names); got != want {
			t.Errorf("%q: got %q, want %q", given, got, want)
		}
	}
}

func FuzzLoad(f *testing.F) {
	paths, err := filepath.Glob("testdata/*/*.txt")
	if err != nil || len(paths) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, p := range paths {
		content, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		_, text, _ := strings.Cut(string(content), "\n")
		text, _, _ = strings.Cut(text, "\n-- ")
		f.Add(text)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(filepath.Join(dir, "stack.hcl"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := Load(dir, Options{Env: func(string) (string, bool) { return "", false }})
		if err == nil {
			if s.Name == "" {
				t.Error("a stack without a name")
			}
			Graph(s).DOT()
			return
		}
		var ds Diagnostics
		if !errors.As(err, &ds) || len(ds) == 0 {
			t.Fatalf("%T instead of diagnostics", err)
		}
		_ = ds.Text()
	})
}

func TestLinesThatNobodyWroteAreNotShown(t *testing.T) {
	for in, want := range map[string]string{
		"\ttable \"ümläut\" {": "\ttable \"ümläut\" {", "a\x1b[31mb\x00": "a\uFFFD[31mb\uFFFD", strings.Repeat("[", 501): "",
	} {
		if got := shown(in); got != want {
			t.Errorf("%q is shown as %q", in, got)
		}
	}
}
