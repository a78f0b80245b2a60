package golang

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"devstack/runtime/config"
	"devstack/runtime/function"
)

// module is a program of three packages that prints what all of them say.
var module = map[string]string{
	"go.mod": "module sample\n\ngo 1.24\n",
	"cmd/f/main.go": `package main

import (
	"fmt"
	"runtime/debug"

	"sample/lib"
)

func main() {
	info, _ := debug.ReadBuildInfo()
	fmt.Println("one", lib.Say(), info.Main.Path)
}
`,
	"lib/lib.go": `package lib

import (
	_ "embed"

	"sample/lib/deep"
)

//go:embed data.txt
var data string

// Say is short enough to be inlined.
func Say() string { return "two " + data + deep.Number }
`,
	"lib/data.txt":     "data ",
	"lib/deep/deep.go": "package deep\n\n// Number is inlined as well.\nconst Number = \"three\"\n",
}

// A developer is one who saves files and looks at what the program prints.
type developer struct {
	t      *testing.T
	dir    string
	engine *Engine
	fn     *config.Function
	last   *program
	failed error // why the plan of the build before failed
}

func newDeveloper(t *testing.T, files map[string]string) *developer {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("the go command is not in PATH")
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d := &developer{t: t, dir: dir, engine: New(Config{Cache: t.TempDir()})}
	d.fn = &config.Function{Name: "f", Runtime: "go", Source: filepath.Join(dir, "cmd", "f")}
	t.Cleanup(func() {
		if d.last != nil {
			if err := d.last.Close(); err != nil {
				t.Error(err)
			}
		}
		d.engine.Close()
		left, _ := filepath.Glob(filepath.Join(d.engine.cfg.Cache, "*", "*-*"))
		if len(left) > 0 {
			t.Errorf("the cache is left with %q", left)
		}
	})
	for name, content := range files {
		d.save(name, content)
	}
	return d
}

func (d *developer) save(name, content string) {
	d.t.Helper()
	path := filepath.Join(d.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
		d.t.Fatal(err)
	}
}

// edit replaces a text in a file.
func (d *developer) edit(name, from, to string) {
	d.t.Helper()
	content, err := os.ReadFile(filepath.Join(d.dir, name))
	if err != nil || !strings.Contains(string(content), from) {
		d.t.Fatalf("%s has no %q: %v", name, from, err)
	}
	d.save(name, strings.Replace(string(content), from, to, 1))
}

// build builds, and says whether by the plan. The plan for the next time is ready when it returns.
func (d *developer) build() (direct bool, err error) {
	d.t.Helper()
	b, err := d.engine.Build(d.t.Context(), d.fn, d.previous())
	p, ok := b.(*program)
	if !ok {
		d.t.Fatal(err)
	}
	d.failed = nil
	if d.last != nil {
		if d.last.plan != nil {
			d.failed = d.last.plan.failed
		}
		d.last.Close()
	}
	d.last = p
	if p.plan != nil {
		<-p.plan.done
	}
	return p.sum != "", err
}

func (d *developer) previous() function.Build {
	if d.last == nil {
		return nil
	}
	return d.last
}

// prints builds, and compares what the program prints and how it was built.
func (d *developer) prints(want string, direct bool) {
	d.t.Helper()
	got, err := d.build()
	if err != nil {
		d.t.Fatal(err)
	}
	if got != direct {
		d.t.Errorf("built by the plan: %v, want %v; the plan: %v", got, direct, d.failed)
	}
	if d.last.plan.err != nil {
		d.t.Errorf("no plan: %v", d.last.plan.err)
	}
	out, err := exec.Command(d.last.path).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != want {
		d.t.Fatalf("the program prints %q (%v), want %q", out, err, want)
	}
}

func TestASaveIsBuiltByThePlanWhereNothingElseCanHaveChanged(t *testing.T) {
	d := newDeveloper(t, module)
	d.prints("one two data three sample", false)
	d.edit("cmd/f/main.go", `"one"`, `"uno"`)
	d.prints("uno two data three sample", true)
	d.edit("lib/lib.go", "two ", "due ")
	d.prints("uno due data three sample", true)
	// A constant of a package below: the two above it have it in their own code.
	d.edit("lib/deep/deep.go", "three", "tre")
	d.prints("uno due data tre sample", true)
	d.save("lib/data.txt", "dati ")
	d.prints("uno due dati tre sample", true)
	// Nothing has changed: the program stays.
	d.prints("uno due dati tre sample", true)

	for _, change := range []struct {
		what       string
		name, text string
	}{
		{"a file that comes", "lib/more.go", "package lib\n\nfunc init() { data = \"more \" }\n"},
		{"a constraint", "lib/more.go", "//go:build never\n\npackage lib\n\nfunc init() { data = \"more \" }\n"},
		{"an import", "lib/more.go", "package lib\n\nimport \"strings\"\n\nfunc init() { data = strings.ToUpper(\"more \") }\n"},
		{"an embed", "lib/more.go", "package lib\n\nimport _ \"embed\"\n\n//go:embed lib.go\nvar code string\n\nfunc init() { data = code[:7] + \" \" }\n"},
		{"go.mod", "go.mod", "module sample\n\ngo 1.24\n\nrequire sample v0.0.0 =>\n"},
	} {
		d.save(change.name, change.text)
		if change.what == "go.mod" {
			if _, err := d.build(); err == nil {
				t.Error("a go.mod that is none was built")
			}
			d.save("go.mod", "module sample\n\ngo 1.25\n")
		}
		want := map[string]string{
			"a file that comes": "more ", "a constraint": "dati ", "an import": "MORE ", "an embed": "package ", "go.mod": "package ",
		}[change.what]
		d.prints("uno due "+want+"tre sample", false)
		d.edit("cmd/f/main.go", "fmt.Println(", "fmt.Println(\"\"+")
		d.prints("uno due "+want+"tre sample", true)
		if t.Failed() {
			t.Fatal("after the change of ", change.what)
		}
	}
	if err := os.Remove(filepath.Join(d.dir, "lib", "more.go")); err != nil {
		t.Fatal(err)
	}
	d.prints("uno due dati tre sample", false)
	t.Setenv("GOFLAGS", os.Getenv("GOFLAGS")+" -trimpath")
	d.prints("uno due dati tre sample", false)
}

// A file that comes to a folder which was empty until then is embedded as well.
func TestAnEmptyFolderIsWatchedIfItIsEmbedded(t *testing.T) {
	d := newDeveloper(t, map[string]string{
		"go.mod": "module sample\n\ngo 1.24\n", "cmd/f/data/one": "1",
		"cmd/f/main.go": "package main\n\nimport (\n\t\"embed\"\n\t\"io/fs\"\n)\n\n//go:embed data\nvar data embed.FS\n\nfunc main() {\n" +
			"\tfs.WalkDir(data, \".\", func(path string, _ fs.DirEntry, _ error) error { print(path, \" \"); return nil })\n}\n",
	})
	if err := os.MkdirAll(filepath.Join(d.dir, "cmd/f/data/empty/too"), 0o755); err != nil {
		t.Fatal(err)
	}
	d.prints(". data data/one", false)
	d.save("cmd/f/data/one", "2")
	d.prints(". data data/one", true)
	d.save("cmd/f/data/empty/too/two", "2")
	if want := filepath.Join(d.dir, "cmd/f/data/empty/too"); !slices.Contains(d.last.Inputs(), want) {
		t.Errorf("the inputs lack %s", want)
	}
	d.prints(". data data/empty data/empty/too data/empty/too/two data/one", false)
}

// Whatever is wrong, the text is the go command's.
func TestAMistakeIsToldInTheGoCommandsWords(t *testing.T) {
	d := newDeveloper(t, module)
	d.prints("one two data three sample", false)
	for _, mistake := range []struct{ name, from, to, want string }{
		{"lib/lib.go", `return "two "`, `return 2`, "lib/lib.go:13:28: invalid operation: 2 + data (mismatched types untyped int and string)"},
		{"cmd/f/main.go", "lib.Say()", "lib.Tell()", "./main.go:12:25: undefined: lib.Tell"},
		{"lib/deep/deep.go", "const Number", "const number", "lib/lib.go:13:49: undefined: deep.Number"},
		{"lib/deep/deep.go", "const Number", "var Number int", "lib/deep/deep.go:4:18: cannot use \"three\" (untyped string constant) as int value in variable declaration"},
		{"cmd/f/main.go", "func main", "func other", "function main is undeclared in the main package"},
	} {
		d.edit(mistake.name, mistake.from, mistake.to)
		direct, err := d.build()
		var text *function.BuildError
		if direct || !errors.As(err, &text) {
			t.Errorf("%s with %q: %v", mistake.name, mistake.to, err)
		} else if !strings.Contains(text.Text, strings.TrimPrefix(mistake.want, "./")) {
			t.Errorf("%s with %q says\n%s\nwant\n%s", mistake.name, mistake.to, text.Text, mistake.want)
		}
		d.edit(mistake.name, mistake.to, mistake.from)
		d.prints("one two data three sample", true)
	}
}

// The place in a stack trace is that of the source, not that of the copy which was compiled.
func TestStackTracesNameTheSources(t *testing.T) {
	d := newDeveloper(t, map[string]string{"go.mod": "module sample\n", "cmd/f/main.go": "package main\n\nfunc main() { println(1) }\n"})
	if _, err := d.build(); err != nil {
		t.Fatal(err)
	}
	d.edit("cmd/f/main.go", "println(1)", `panic("here")`)
	if direct, err := d.build(); err != nil || !direct {
		t.Fatal(direct, err)
	}
	out, _ := exec.Command(d.last.path).CombinedOutput()
	if want := filepath.Join(d.dir, "cmd", "f", "main.go") + ":3 "; !strings.Contains(string(out), want) {
		t.Errorf("the trace lacks %s:\n%s", want, out)
	}
}

// What the machine lacks is no mistake of the sources, so it is tried again.
func TestAFullDiskIsNoMistake(t *testing.T) {
	for out, want := range map[string]bool{
		"# sample\n./main.go:3:15: undefined: missing\n":                                                 false,
		"go: creating work dir: mkdir /x: no space left on device\n":                                     true,
		"/usr/local/go/pkg/tool/linux_amd64/link: mapping output file failed: no space left on device\n": true,
		"sample: /usr/local/go/pkg/tool/linux_amd64/compile: signal: killed\n":                           true,
	} {
		if got := machine(out); got != want {
			t.Errorf("%q: %v", out, got)
		}
	}
	d := newDeveloper(t, module)
	d.prints("one two data three sample", false)
	// A folder that cannot be made any more: the plan fails, and the go command builds.
	if err := os.WriteFile(d.last.plan.dir, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	d.edit("cmd/f/main.go", `"one"`, `"uno"`)
	d.prints("uno two data three sample", false)
}

// A build cache that was cleaned, or a tool that is gone, is the go command's to mend.
func TestAPlanThatFailsIsMadeAnew(t *testing.T) {
	d := newDeveloper(t, module)
	d.prints("one two data three sample", false)
	d.last.plan.files["fmt"] = filepath.Join(d.dir, "gone")
	d.edit("cmd/f/main.go", `"one"`, `"uno"`)
	d.prints("uno two data three sample", false)
	d.edit("cmd/f/main.go", `"uno"`, `"eins"`)
	d.prints("eins two data three sample", true)
}

// What is written while a plan is made is not in the archives that the plan names.
func TestAPlanThatIsMadeWhileFilesChangeIsOfTheLatest(t *testing.T) {
	d := newDeveloper(t, module)
	b, err := d.engine.Build(t.Context(), d.fn, nil)
	if err != nil {
		t.Fatal(err)
	}
	d.last = b.(*program)
	for n := range 200 {
		d.save("lib/deep/deep.go", fmt.Sprintf("package deep\n\nconst Number = \"%d\"\n", n))
		select {
		case <-d.last.plan.done:
		default:
			continue
		}
		break
	}
	d.save("lib/deep/deep.go", "package deep\n\nconst Number = \"3\"\n")
	direct, err := d.build()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(d.last.path).CombinedOutput()
	if want := "one two data 3 sample\n"; err != nil || string(out) != want {
		t.Fatalf("the program (built by the plan: %v) prints %q (%v), want %q", direct, out, err, want)
	}
}

// The quicker plan is made once somebody saves again and again. What it builds knows the same of itself.
func TestAPlanThatHasServedBecomesAQuickerOne(t *testing.T) {
	d := newDeveloper(t, module)
	d.edit("cmd/f/main.go", "info.Main.Path", "info.Settings")
	d.prints("one two data three "+d.settings(), false)
	if d.last.plan.lean != nil {
		t.Error("nobody has saved yet")
	}
	d.edit("lib/deep/deep.go", "three", "tre")
	d.prints("one two data tre "+d.settings(), true)
	lean := d.last.plan.lean
	if lean == nil {
		t.Fatal("there is none")
	}
	if <-lean.done; lean.err != nil {
		t.Fatal(lean.err)
	}
	for n, word := range []string{"four", "five"} {
		d.edit("lib/deep/deep.go", map[string]string{"four": "tre", "five": "four"}[word], word)
		d.prints("one two data "+word+" "+d.settings(), true)
		if own := strings.HasPrefix(lean.units[0].archive, lean.dir); !own || d.last.plan.lean != lean {
			t.Errorf("save %d was not built by it", n)
		}
	}
	d.save("lib/more.go", "package lib\n\nfunc init() { data = \"more \" }\n")
	d.prints("one two more five "+d.settings(), false)

	t.Setenv("GOFLAGS", "-gcflags=-l")
	for n := range 2 {
		d.edit("lib/more.go", " data", "  data")
		d.prints("one two more five "+d.settings(), n > 0)
	}
	if d.last.plan.lean != nil {
		t.Error("the developer's own settings are lost")
	}
}

// settings is what a program that the go command builds prints of how it was built.
func (d *developer) settings() string {
	d.t.Helper()
	path := filepath.Join(d.t.TempDir(), "program")
	cmd := toolchain{path: "go", source: d.fn.Source}.command(d.t.Context(), "go", "build", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", path, ".")
	cmd.Env = append(cmd.Env, "GOTMPDIR="+d.t.TempDir())
	if out, err := cmd.CombinedOutput(); err != nil {
		d.t.Fatalf("%v %s", err, out)
	}
	out, err := exec.Command(path).Output()
	if err != nil {
		d.t.Fatal(err)
	}
	_, settings, ok := strings.Cut(strings.TrimSpace(string(out)), "[")
	if !ok {
		d.t.Fatalf("it prints %q", out)
	}
	return "[" + settings
}

// Whoever gives a build up finds no process and no file of it afterwards.
func TestABuildThatIsGivenUpLeavesNothing(t *testing.T) {
	d := newDeveloper(t, module)
	d.prints("one two data three sample", false)
	for n, wait := range []int{0, 1, 2, 4, 8, 16, 32, 64, 128} {
		d.edit("cmd/f/main.go", "main()", "main( )") // no change to others, but another sum
		ctx, cancel := context.WithCancel(t.Context())
		stop := make(chan struct{})
		go func() {
			defer close(stop)
			pause(wait)
			cancel()
		}()
		b, err := d.engine.Build(ctx, d.fn, d.last)
		<-stop
		if err == nil && n == 0 {
			t.Error("a build that was given up has come to an end")
		}
		if p := b.(*program); p != nil {
			d.last.Close()
			d.last = p
		}
		d.edit("cmd/f/main.go", "main( )", "main()")
		if p := d.last.plan; p != nil && p.lean != nil {
			<-p.lean.done // a build that came to its end after all has begun one
		}
		if left, _ := filepath.Glob(filepath.Join(d.engine.cfg.Cache, "f", "tmp-*")); len(left) > 0 {
			t.Fatalf("left: %q", left)
		}
		if left := processes(t, d.engine.cfg.Cache); len(left) > 0 {
			t.Fatalf("still running: %q", left)
		}
	}
	d.prints("one two data three sample", true)
}
