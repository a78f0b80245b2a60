package golang_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/rpc/jsonrpc"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/functiontest"
)

// A client sets a breakpoint, an event stops there, and goes on; after a save the same port leads to the new version.
func TestADebuggersPortSurvivesReloads(t *testing.T) {
	needsDelve(t)
	p := functiontest.NewProject(t, newEngine(t), goSample(t), false)
	p.Function.Debug = freePort(t)
	p.Put(t)
	for _, version := range []string{"1", "2", "3"} {
		p.Save(t, version)
		p.Want(t, `{"do":"version"}`, quote(version))
		hit(t, p, version)
	}
	// Optimised code would not stop, so the plan must have kept to the flags.
	p.Want(t, `{"do":"echo","value":1}`, `1`)
}

// hit stops at the breakpoint in the sample's handler.
func hit(t *testing.T, p *functiontest.Project, version string) {
	t.Helper()
	client, err := jsonrpc.Dial("tcp", "127.0.0.1:"+strconv.Itoa(p.Function.Debug))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	call := func(method string, in, out any) {
		t.Helper()
		done := client.Go("RPCServer."+method, in, out, nil)
		select {
		case <-done.Done:
		case <-time.After(15 * time.Second):
			t.Fatalf("%s: no answer", method)
		}
		if done.Error != nil {
			t.Fatalf("%s: %v", method, done.Error)
		}
	}
	type state struct {
		State struct {
			Running       bool
			CurrentThread *struct {
				File string
				Line int
			} `json:"currentThread"`
		}
	}
	line := 1 + strings.Count(handlerSource[:strings.Index(handlerSource, "return version.Number")], "\n")
	file := filepath.Join(p.Dir, "cmd", "sample", "main.go")
	var s state
	call("Command", map[string]any{"name": "halt"}, &s)
	var made struct{ Breakpoint struct{ ID int } }
	call("CreateBreakpoint", map[string]any{"Breakpoint": map[string]any{"file": file, "line": line}}, &made)
	stopped := client.Go("RPCServer.Command", map[string]any{"name": "continue"}, &s, nil)
	answered := make(chan *function.Outcome)
	go func() {
		out, err := p.Manager.Invoke(t.Context(), "sample", function.Invocation{Payload: []byte(`{"do":"version"}`)})
		if err != nil {
			t.Error(err)
		}
		answered <- out
	}()
	select {
	case <-stopped.Done:
	case out := <-answered:
		t.Fatalf("version %s: the event was answered without a stop: %s", version, out.Payload)
	case <-time.After(15 * time.Second):
		t.Fatalf("version %s: no stop", version)
	}
	if at := s.State.CurrentThread; stopped.Error != nil || at == nil || at.File != file || at.Line != line {
		t.Fatalf("version %s: stopped at %+v (%v), want %s:%d", version, at, stopped.Error, file, line)
	}
	var evaluated struct{ Variable struct{ Value string } }
	call("Eval", map[string]any{"Scope": map[string]any{"GoroutineID": -1}, "Expr": "in.Do"}, &evaluated)
	if evaluated.Variable.Value != "version" {
		t.Errorf("in.Do is %q", evaluated.Variable.Value)
	}
	call("ClearBreakpoint", map[string]any{"Id": made.Breakpoint.ID}, &struct{}{})
	client.Go("RPCServer.Command", map[string]any{"name": "continue"}, &state{}, nil)
	select {
	case out := <-answered:
		if string(out.Payload) != quote(version) {
			t.Errorf("the event is answered by %s, want version %s", out.Payload, version)
		}
	case <-time.After(15 * time.Second):
		t.Fatalf("version %s: no answer after the stop", version)
	}
}

// A client that speaks the Debug Adapter Protocol, as VS Code does, is told to come again once the version that it looks at is over.
func TestAClientByTheAdapterProtocolIsToldToComeAgain(t *testing.T) {
	needsDelve(t)
	p := functiontest.NewProject(t, newEngine(t), goSample(t), false)
	p.Function.Debug = freePort(t)
	p.Put(t)
	for _, version := range []string{"2", "3"} {
		c, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(p.Function.Debug))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(time.Minute)) // which is long
		r := textproto.NewReader(bufio.NewReader(c))
		say := func(request string) { fmt.Fprintf(c, "Content-Length: %d\r\n\r\n%s", len(request), request) }
		until := func(text string) {
			t.Helper()
			for {
				head, err := r.ReadMIMEHeader()
				if err != nil {
					t.Fatalf("version %s, before %s: %v", version, text, err)
				}
				n, _ := strconv.Atoi(head.Get("Content-Length"))
				body := make([]byte, n)
				if _, err := io.ReadFull(r.R, body); err != nil {
					t.Fatal(err)
				}
				if strings.Contains(string(body), text) {
					return
				}
			}
		}
		say(`{"seq":1,"type":"request","command":"initialize","arguments":{"adapterID":"go"}}`)
		until(`"command":"initialize"`)
		say(`{"seq":2,"type":"request","command":"attach","arguments":{"mode":"remote"}}`)
		until(`"event":"initialized"`)
		say(`{"seq":3,"type":"request","command":"configurationDone"}`)
		until(`"command":"configurationDone"`)
		p.Save(t, version)
		p.Want(t, `{"do":"version"}`, quote(version))
		until(`"restart":true`)
		say(`{"seq":4,"type":"request","command":"disconnect"}`)
	}
}

func TestAProgramThatEndsUnderTheDebuggerHasEnded(t *testing.T) {
	needsDelve(t)
	p := functiontest.NewProject(t, newEngine(t), goSample(t), false)
	p.Function.Debug = freePort(t)
	p.Put(t)
	out, typ, message := p.Fails(t, `{"do":"exit"}`)
	if want := "RequestId: " + out.RequestID + " Error: Runtime exited with error: exit status 1"; typ != "Runtime.ExitError" || message != want {
		t.Fatalf("%s: %s, want %s", typ, message, want)
	}
	p.Want(t, `{"do":"version"}`, `"1"`)
	out = p.Want(t, `{"do":"log","line":"a line"}`, `null`)
	if lines := p.Lines(out.RequestID); len(lines) != 4 || lines[1] != "a line" {
		t.Errorf("the log is %q", lines)
	}
}

func TestWithoutTheDebuggerTheErrorSaysWhatToDo(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	t.Setenv("GOBIN", "")
	t.Setenv("GOPATH", "")
	_, err := newEngine(t).Build(t.Context(), &config.Function{Runtime: "go", Source: t.TempDir(), Debug: 1}, nil)
	if err == nil || !strings.Contains(err.Error(), "go install github.com/go-delve/delve/cmd/dlv@latest") {
		t.Fatalf("got %v", err)
	}
}

func TestAPortThatIsTakenIsNamed(t *testing.T) {
	needsDelve(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	_, err = newEngine(t).Build(t.Context(), &config.Function{Name: "f", Runtime: "go", Source: t.TempDir(), Debug: port}, nil)
	if err == nil || !strings.Contains(err.Error(), strconv.Itoa(port)) {
		t.Fatalf("got %v", err)
	}
}

func needsDelve(t *testing.T) {
	t.Helper()
	needsGo(t)
	if _, err := exec.LookPath("dlv"); err == nil {
		return
	}
	installed, err := filepath.Abs("../../../testdata/.cache/delve")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(installed, "dlv")); err == nil {
		t.Setenv("PATH", installed+string(os.PathListSeparator)+os.Getenv("PATH"))
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatal("dlv is not installed")
	}
	t.Skip("dlv is not in PATH; testdata/prepare.sh installs it")
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func quote(s string) string {
	b, _ := json.Marshal(s) // a string always marshals
	return string(b)
}
