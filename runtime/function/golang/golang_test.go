package golang_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/functiontest"
	"devstack/runtime/function/golang"
)

// TestMain is also the bootstrap of the provided runtime's test functions: a runtime written by hand, whose handler does
// what the suite asks for.
func TestMain(m *testing.M) {
	if len(os.Args) >= 2 && os.Args[1] == "bootstrap" {
		if len(os.Args) != 3 {
			os.Exit(2) // the file with the version is just being written
		}
		bootstrap(os.Args[2])
	}
	os.Exit(m.Run())
}

func TestProvided(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	functiontest.Run(t, newEngine, functiontest.Sample{
		Runtime: "provided.al2023",
		Files: func(version string) map[string]string {
			return map[string]string{"bootstrap": "#!/bin/sh\nexec '" + self + "' bootstrap $(cat version)\n", "version": version}
		},
		Broken:    map[string]string{"version": "broken"},
		BadInit:   map[string]string{"version": "bad"},
		NoBuild:   true,
		ErrorType: "Error",
		Races:     100,
	})
}

func TestGo(t *testing.T) {
	var direct atomic.Int64
	functiontest.Run(t, func(t *testing.T) function.Engine {
		return golang.Planned{Engine: golang.New(golang.Config{Cache: t.TempDir()}), Direct: &direct}
	}, goSample(t))
	if n := direct.Load(); n < 20 {
		t.Errorf("%d builds were made by a plan", n)
	}
}

// A Go runtime that panics reports it and ends.
func TestAPanicIsItsCallersAndTheNextEventGetsANewProcess(t *testing.T) {
	p := functiontest.NewProject(t, newEngine(t), goSample(t), false)
	p.Put(t)
	for range 5 {
		_, typ, message := p.Fails(t, `{"do":"panic"}`)
		if typ != "string" || message != "at the disco" {
			t.Fatalf("%s: %s", typ, message)
		}
		p.Want(t, `{"do":"version"}`, `"1"`)
	}
}

// goSample is an unmodified function with the official library.
func goSample(t *testing.T) functiontest.Sample {
	t.Helper()
	sum, err := os.ReadFile(filepath.Join("..", "..", "..", "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	needsGo(t)
	t.Setenv("GOFLAGS", "-mod=mod")
	module := "module sample\n\ngo 1.26\n\nrequire github.com/aws/aws-lambda-go " + lambdaVersion(t) + "\n"
	return functiontest.Sample{
		Runtime: "go",
		Source:  "cmd/sample",
		Files: func(version string) map[string]string {
			return map[string]string{
				"go.mod": module, "go.sum": string(sum), "cmd/sample/main.go": handlerSource,
				"version/version.go": "package version\n\nconst Number = " + fmt.Sprintf("%q", version) + "\n",
			}
		},
		Broken:    map[string]string{"version/version.go": "package version\n\nconst Number = 1 +\n"},
		BadInit:   map[string]string{"version/version.go": "package version\n\nconst Number = \"\"\n\nfunc init() { panic(\"bad init\") }\n"},
		ErrorType: "errorString",
		Races:     10,
	}
}

func TestACompilerErrorNamesFileAndLine(t *testing.T) {
	needsGo(t)
	p := functiontest.NewProject(t, newEngine(t), functiontest.Sample{
		Runtime: "go",
		Files: func(string) map[string]string {
			return map[string]string{"go.mod": "module sample\n", "main.go": "package main\n\nfunc main() { missing() }\n"}
		},
	}, false)
	err := p.Manager.Put(t.Context(), p.Function)
	if want := "./main.go:3:15: undefined: missing"; err == nil || err.Error() != want {
		t.Fatalf("got %v, want %s", err, want)
	}
}

func TestInputsAreTheDevelopersOwnFiles(t *testing.T) {
	needsGo(t)
	dir := t.TempDir()
	for name, content := range map[string]string{
		"go.mod":          "module sample\n\ngo 1.26\n",
		"cmd/f/main.go":   "package main\n\nimport _ \"sample/lib\"\n\nfunc main() {}\n",
		"cmd/f/f_test.go": "package main\n",
		"lib/lib.go":      "package lib\n\nimport (\n\t_ \"embed\"\n\t_ \"fmt\"\n)\n\n//go:embed data/*\nvar Data string\n",
		"lib/data/text":   "text",
		"other/other.go":  "package other\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, source := range []string{"cmd/f", "cmd/f/main.go"} {
		b, err := newEngine(t).Build(t.Context(), &config.Function{Name: "f", Runtime: "go", Source: filepath.Join(dir, source)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, path := range b.Inputs() {
			if rel, ok := strings.CutPrefix(path, dir+"/"); ok {
				if _, err := os.Stat(path); err == nil {
					got = append(got, rel)
				}
			} else if base := filepath.Base(path); base != "go.work" {
				t.Errorf("%s: the input %s", source, path)
			}
		}
		want := []string{"cmd/f", "cmd/f/main.go", "go.mod", "lib", "lib/data", "lib/data/text", "lib/lib.go"}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", source, got, want)
		}
	}
}

func TestABootstrapThatIsNotThere(t *testing.T) {
	e := newEngine(t)
	dir := t.TempDir()
	b, err := e.Build(t.Context(), &config.Function{Runtime: "provided.al2023", Source: dir}, nil)
	if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "bootstrap")+" does not exist") {
		t.Fatalf("got %v", err)
	}
	if in := b.Inputs(); in[len(in)-1] != filepath.Join(dir, "bootstrap") {
		t.Fatalf("the inputs %q lack the bootstrap that is to come", in)
	}
}

func TestWithoutTheGoCommandTheErrorSaysWhatToDo(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := newEngine(t).Build(t.Context(), &config.Function{Runtime: "go", Source: t.TempDir()}, nil)
	if err == nil || !strings.Contains(err.Error(), "https://go.dev/dl") {
		t.Fatalf("got %v", err)
	}
}

func newEngine(t *testing.T) function.Engine {
	e := golang.New(golang.Config{Cache: t.TempDir()})
	t.Cleanup(func() { e.Close() })
	return e
}

func needsGo(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("go"); err == nil {
		return
	} else if os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	t.Skip("the go command is not in PATH")
}

// lambdaVersion is the version of aws-lambda-go that this module knows.
func lambdaVersion(t *testing.T) string {
	t.Helper()
	mod, err := os.ReadFile(filepath.Join("..", "..", "..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mod)) {
		if f := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require ")); len(f) >= 2 && f[0] == "github.com/aws/aws-lambda-go" {
			return f[1]
		}
	}
	t.Fatal("go.mod does not require github.com/aws/aws-lambda-go")
	return ""
}

const handlerSource = `package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"sample/version"
)

type event struct {
	Do, Name, Line string
	Value          json.RawMessage
}

func handle(ctx context.Context, in event) (any, error) {
	switch in.Do {
	case "version":
		return version.Number, nil
	case "echo":
		return in.Value, nil
	case "throw":
		return nil, errors.New("boom")
	case "sleep":
		time.Sleep(time.Minute)
	case "panic":
		panic("at the disco")
	case "exit":
		os.Exit(1)
	case "env":
		return os.Getenv(in.Name), nil
	case "log":
		fmt.Println(in.Line)
		return nil, nil
	}
	return nil, fmt.Errorf("unknown event %q", in.Do)
}

func main() { lambda.Start(handle) }
`

// bootstrap asks for events and answers them, for as long as it is let live.
func bootstrap(version string) {
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/"
	if version == "bad" || version == "broken" {
		post(base+"init/error", []byte(`{"errorType":"Sample.Bad","errorMessage":"does not load"}`))
		os.Exit(1)
	}
	for {
		resp, err := http.Get(base + "invocation/next")
		if err != nil {
			os.Exit(3)
		}
		event, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			os.Exit(4)
		}
		resp.Body.Close()
		id := resp.Header.Get("Lambda-Runtime-Aws-Request-Id")
		answer, failure := handle(event, version)
		if failure != nil {
			post(base+"invocation/"+id+"/error", failure)
		} else {
			post(base+"invocation/"+id+"/response", answer)
		}
	}
}

func handle(event []byte, version string) (answer, failure []byte) {
	var in struct {
		Do, Name, Line string
		Value          json.RawMessage
	}
	if err := json.Unmarshal(event, &in); err != nil {
		os.Exit(5)
	}
	text := func(s string) []byte { b, _ := json.Marshal(s); return b }
	switch in.Do {
	case "version":
		return text(version), nil
	case "echo":
		return in.Value, nil
	case "sleep":
		time.Sleep(time.Minute)
	case "exit":
		os.Exit(1)
	case "env":
		return text(os.Getenv(in.Name)), nil
	case "log":
		fmt.Println(in.Line)
		return []byte("null"), nil
	}
	return nil, []byte(`{"errorType":"Error","errorMessage":"boom"}`)
}

func post(url string, body []byte) {
	resp, err := http.Post(url, "application/json", bytes.NewReader(body))
	if err != nil || resp.StatusCode != http.StatusAccepted {
		os.Exit(6)
	}
	resp.Body.Close()
}
