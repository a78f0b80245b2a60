package wasm_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"devstack/internal/clock"
	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/functiontest"
	"devstack/runtime/function/wasm"
)

// shared is the folder of what all tests use: compiling the sample is most of their work.
var shared string

func TestMain(m *testing.M) {
	var err error
	if shared, err = os.MkdirTemp("", "wasm"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(shared)
	os.Exit(code)
}

func newEngine(*testing.T) function.Engine {
	return wasm.New(wasm.Options{Clock: clock.System(), Cache: filepath.Join(shared, "cache")})
}

// sample compiles the sample.
var sample = sync.OnceValues(func() (string, error) {
	to := filepath.Join(shared, "sample.wasm")
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", to, "./testdata/sample")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return "", err
	}
	code, err := os.ReadFile(to)
	return string(code), err
})

func theSample(t *testing.T) functiontest.Sample {
	t.Helper()
	code, err := sample()
	if err != nil {
		t.Fatal(err)
	}
	return functiontest.Sample{
		Runtime: "wasm",
		Files: func(version string) map[string]string {
			return map[string]string{"bootstrap.wasm": code, "version": version}
		},
		Broken:    map[string]string{"bootstrap.wasm": "\x00asm, but not really"},
		BadInit:   map[string]string{"bootstrap.wasm": module("env", nothing, "")},
		ErrorType: "Error",
	}
}

// The sample's version is not in the module but in a file that it reads for each event, so it cannot be raced against.
func TestWasm(t *testing.T) { functiontest.Cases(t, newEngine, theSample(t)) }

// The version is in the module itself here.
func TestANewModuleAnswers(t *testing.T) {
	functiontest.Race(t, newEngine, functiontest.Sample{
		Runtime: "wasm", Source: "f.wasm",
		Files: func(version string) map[string]string {
			return map[string]string{"f.wasm": module(wasi, nothing, `"`+version+`"`)}
		},
		Broken: map[string]string{"f.wasm": "no module"},
		Races:  200,
	})
}

func TestHowAModuleFails(t *testing.T) {
	for _, tt := range []struct{ name, code, typ, message string }{
		{"it traps", module(wasi, "\x00", ""), "Runtime.Trap", "unreachable"},
		{"it divides by zero", module(wasi, "\x41\x01\x41\x00\x6d\x1a", ""), "Runtime.Trap", "integer divide by zero"},
		{"it runs for too long", module(wasi, "\x03\x40\x0c\x00\x0b", ""), "Sandbox.Timedout", "RequestId: ID Error: Task timed out after 1.00 seconds"},
		{"it imports what is not there", module("env", nothing, ""), "Runtime.InvalidEntrypoint",
			"the module imports the function fd_write of env, which is not part of WASI preview 1: nothing else can be imported"},
		{"it is a library", strings.Replace(module(wasi, nothing, ""), "_start", "_begin", 1), "Runtime.InvalidEntrypoint",
			"the module exports no function _start: it must be compiled as a WASI command, that is a program with a main function, not as a library"},
		{"it is no module", "hello", "Runtime.BuildError", "PATH: invalid magic number"},
		{"it is empty", "", "Runtime.BuildError", "PATH: invalid magic number"},
		{"it needs more memory than the function has", module(wasi, nothing, strings.Repeat(" ", 129<<20)), "Runtime.BuildError",
			"PATH: section memory: min 2065 pages (129 Mi) over limit of 2048 pages (128 Mi)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := functiontest.NewProject(t, newEngine(t), functiontest.Sample{
				Runtime: "wasm", Source: "f.wasm", Files: func(string) map[string]string { return map[string]string{"f.wasm": tt.code} },
			}, false)
			p.Function.Timeout = 1
			_ = p.Manager.Put(t.Context(), p.Function) // the outcome of an event tells
			for range 2 {
				out, typ, message := p.Fails(t, `{}`)
				want := strings.NewReplacer("ID", out.RequestID, "PATH", filepath.Join(p.Dir, "f.wasm"))
				if tt.typ == "Runtime.InvalidEntrypoint" {
					want = strings.NewReplacer()
				}
				if typ != tt.typ || message != want.Replace(tt.message) {
					t.Fatalf("failed with %s: %s, want %s: %s", typ, message, tt.typ, want.Replace(tt.message))
				}
			}
		})
	}
}

func TestWhatAModuleAnswers(t *testing.T) {
	for _, tt := range []struct{ name, out, want string }{
		{"nothing", "", "null"},
		{"an empty line", "\n", "null"},
		{"what it writes", ` {"a":1}`, ` {"a":1}`},
	} {
		p := functiontest.NewProject(t, newEngine(t), functiontest.Sample{
			Runtime: "wasm", Handler: "handlers/one", Files: func(string) map[string]string {
				return map[string]string{"handlers/one.wasm": module(wasi, nothing, tt.out)}
			},
		}, false)
		p.Put(t)
		if out := p.Invoke(t, `{}`); string(out.Payload) != tt.want || out.FunctionError != "" {
			t.Errorf("%s: answered %q, want %q", tt.name, out.Payload, tt.want)
		}
	}
}

func TestWhatAModuleSees(t *testing.T) {
	p := functiontest.NewProject(t, newEngine(t), theSample(t), false)
	layer := t.TempDir()
	if err := os.WriteFile(filepath.Join(layer, "shared"), []byte("of a layer"), 0o644); err != nil {
		t.Fatal(err)
	}
	p.Function.Layers = []string{layer}
	p.Put(t)
	p.Want(t, `{"do":"read","name":"/var/task/version"}`, `"1"`)
	p.Want(t, `{"do":"read","name":"/opt/shared"}`, `"of a layer"`)
	p.Want(t, `{"do":"write","name":"/tmp/file","line":"kept"}`, `null`)
	p.Want(t, `{"do":"read","name":"/tmp/file"}`, `"kept"`)
	for _, name := range []string{"/var/task/version", "/opt/shared", "/elsewhere"} {
		p.Fails(t, `{"do":"write","name":"`+name+`"}`)
	}
	p.Fails(t, `{"do":"read","name":"/etc/passwd"}`)
	p.Want(t, `{"do":"env","name":"TMPDIR"}`, `"/tmp"`)
	p.Want(t, `{"do":"env","name":"LAMBDA_TASK_ROOT"}`, `"/var/task"`)
	p.Want(t, `{"do":"env","name":"LAMBDA_RUNTIME_INVOKED_FUNCTION_ARN"}`, `"arn:aws:lambda:us-east-1:000000000000:function:sample"`)
	p.Want(t, `{"do":"env","name":"PATH"}`, `""`)
	out := p.Invoke(t, `{"do":"env","name":"LAMBDA_RUNTIME_AWS_REQUEST_ID"}`)
	if got := strings.TrimSpace(string(out.Payload)); got != `"`+out.RequestID+`"` {
		t.Errorf("the request id is %s, want %s", got, out.RequestID)
	}
	if out.MaxMemory < 1 || out.MaxMemory > 64 {
		t.Errorf("it has used %d MB", out.MaxMemory)
	}
}

// As on Lambda a module that wants more memory than the function has fails, and an answer may be too long.
func TestLimits(t *testing.T) {
	p := functiontest.NewProject(t, newEngine(t), theSample(t), false)
	p.Put(t)
	if _, typ, message := p.Fails(t, `{"do":"devour"}`); typ != "Runtime.ExitError" || !strings.HasSuffix(message, "Runtime exited with error: exit status 2") {
		t.Errorf("%s: %s", typ, message) // the status is Go's, which says in the log what happened
	}
	if _, typ, _ := p.Fails(t, `{"do":"print"}`); typ != "Function.ResponseSizeTooLarge" {
		t.Error(typ)
	}
	p.Want(t, `{"do":"version"}`, `"1"`)
}

// A module's time, and its sleep, are the daemon's clock.
func TestTheClockIsOurs(t *testing.T) {
	c := clock.Fixed(time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC))
	code, err := sample()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "f.wasm")
	if err := os.WriteFile(path, []byte(code), 0o644); err != nil {
		t.Fatal(err)
	}
	e := wasm.New(wasm.Options{Clock: c, Cache: filepath.Join(shared, "cache")})
	fn := &config.Function{Name: "f", Runtime: "wasm", Source: path, Memory: 128}
	b, err := e.Build(t.Context(), fn, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.(interface{ Close() error }).Close()
	s, err := e.Start(t.Context(), fn, b, []string{"TMPDIR=" + dir}, func(_, line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out, err := s.Invoke(t.Context(), &function.Event{RequestID: "r", Payload: []byte(`{"do":"now"}`)})
	if err != nil || strings.TrimSpace(string(out)) != `"2031-05-06T07:08:09Z"` {
		t.Errorf("it is %s, %v", out, err)
	}
	stop := make(chan struct{})
	defer close(stop)
	go func() { // until the module sleeps, and wakes
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				c.Advance(10 * time.Second)
			}
		}
	}()
	if out, err := s.Invoke(t.Context(), &function.Event{RequestID: "r", Payload: []byte(`{"do":"sleep"}`)}); err != nil {
		t.Errorf("after a minute: %s, %v", out, err)
	}
}

func TestInputs(t *testing.T) {
	dir := t.TempDir()
	e := newEngine(t)
	b, err := e.Build(t.Context(), &config.Function{Runtime: "wasm", Source: dir, Memory: 128}, nil)
	if want := filepath.Join(dir, "bootstrap.wasm") + " does not exist"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	if !slices.Equal(b.Inputs(), []string{filepath.Join(dir, "bootstrap.wasm"), dir}) {
		t.Errorf("the inputs are %q", b.Inputs())
	}
}

// FuzzModule compiles and runs anything: it fails, or answers, and does not harm the daemon.
func FuzzModule(f *testing.F) {
	f.Add([]byte(module(wasi, nothing, "{}")))
	f.Add([]byte(module(wasi, "\x00", "")))
	f.Add([]byte(module(wasi, "\x03\x40\x0c\x00\x0b", ""))) // it loops
	b := wasm.NewBench()
	f.Fuzz(func(t *testing.T, code []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		out, fit, err := b.Run(ctx, code, []byte("{}"))
		if fit && err == nil && out == nil {
			t.Error("neither an answer nor an error")
		}
		if fault, ok := errors.AsType[*function.FunctionError](err); ok && !json.Valid(fault.Payload) {
			t.Errorf("the error body %s", fault.Payload)
		}
	})
}

// BenchmarkInvoke is a warm call: of a small module, and of Go's.
func BenchmarkInvoke(b *testing.B) {
	code, err := sample()
	if err != nil {
		b.Fatal(err)
	}
	for name, code := range map[string]string{"small": module(wasi, nothing, "{}"), "Go": code} {
		b.Run(name, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "f.wasm")
			if err := os.WriteFile(path, []byte(code), 0o644); err != nil {
				b.Fatal(err)
			}
			e := wasm.New(wasm.Options{Clock: clock.System(), Cache: filepath.Join(shared, "cache")})
			fn := &config.Function{Runtime: "wasm", Source: path, Memory: 128}
			built, err := e.Build(b.Context(), fn, nil)
			if err != nil {
				b.Fatal(err)
			}
			s, err := e.Start(b.Context(), fn, built, nil, func(string, string) {})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := s.Invoke(b.Context(), &function.Event{Payload: []byte(`{"do":"echo","value":1}`)}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

const (
	wasi    = "wasi_snapshot_preview1"
	nothing = ""
)

// module assembles a module that runs instructions and then writes a text to standard output, by the function fd_write that it
// imports from a module.
func module(from, instructions, text string) string {
	const at = 16 // of the text in memory; before it is where it is and how long
	iovec := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, at), uint32(len(text)))
	data := string(iovec) + strings.Repeat("\x00", at-len(iovec)) + text
	pages := binary.AppendUvarint([]byte{0x01, 0x00}, uint64(len(data)>>16+1))
	code := "\x00" + instructions + "\x41\x01\x41\x00\x41\x01\x41\x08\x10\x00\x1a\x0b" // fd_write(1, 0, 1, 8), drop, end
	return "\x00asm\x01\x00\x00\x00" +
		section(1, "\x02\x60\x04\x7f\x7f\x7f\x7f\x01\x7f\x60\x00\x00") +
		section(2, "\x01"+vector(from)+vector("fd_write")+"\x00\x00") +
		section(3, "\x01\x01") +
		section(5, string(pages)) +
		section(7, "\x02"+vector("_start")+"\x00\x01"+vector("memory")+"\x02\x00") +
		section(10, "\x01"+vector(code)) +
		section(11, "\x01\x00\x41\x00\x0b"+vector(data))
}

func section(id byte, content string) string { return string([]byte{id}) + vector(content) }

func vector(content string) string {
	return string(binary.AppendUvarint(nil, uint64(len(content)))) + content
}
