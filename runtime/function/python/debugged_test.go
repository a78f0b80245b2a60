package python_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"devstack/runtime/function"
	"devstack/runtime/function/functiontest"
	"devstack/runtime/function/python"
)

// needsDebugpy returns the runtime of a Python that has debugpy: testdata/prepare.sh installs it into the environment that comes first
// in PATH.
func needsDebugpy(t *testing.T) (runtime string) {
	t.Helper()
	needsPython(t)
	out, err := exec.Command("python3", "-c", "import debugpy, sys; print('python%d.%d' % sys.version_info[:2])").Output()
	if err == nil {
		return strings.TrimSpace(string(out))
	} else if os.Getenv("CI") != "" {
		t.Fatalf("debugpy is not installed: %v", err)
	}
	t.Skip("python3 has no debugpy")
	return ""
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

// debugger is a client of the Debug Adapter Protocol.
type debugger struct {
	net.Conn
	t      *testing.T
	r      *bufio.Reader
	seq    int
	events []*message
}

type message struct {
	Type, Event, Command string
	RequestSeq           int `json:"request_seq"`
	Success              bool
	Message              string
	Body                 json.RawMessage
}

// attach does what VS Code does: initialize, attach, breakpoints, go.
func attach(t *testing.T, port int, file string, line int) *debugger {
	t.Helper()
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	d := &debugger{Conn: conn, t: t, r: bufio.NewReader(conn)}
	d.call("initialize", map[string]any{"adapterID": "debugpy", "pathFormat": "path", "linesStartAt1": true, "columnsStartAt1": true})
	attached := d.send("attach", map[string]any{"connect": map[string]any{"host": "127.0.0.1", "port": port}, "justMyCode": true})
	d.event("initialized")
	d.call("setBreakpoints", map[string]any{"source": map[string]any{"path": file}, "breakpoints": []any{map[string]any{"line": line}}})
	d.call("configurationDone", nil)
	d.answer(attached)
	return d
}

func (d *debugger) send(command string, arguments any) int {
	d.t.Helper()
	d.seq++
	b, err := json.Marshal(map[string]any{"seq": d.seq, "type": "request", "command": command, "arguments": arguments})
	if err != nil {
		d.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(d, "Content-Length: %d\r\n\r\n%s", len(b), b); err != nil {
		d.t.Fatal(err)
	}
	return d.seq
}

func (d *debugger) read() (*message, error) {
	head, err := textproto.NewReader(d.r).ReadMIMEHeader()
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(head.Get("Content-Length"))
	if err != nil {
		return nil, err
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(d.r, b); err != nil {
		return nil, err
	}
	var m message
	return &m, json.Unmarshal(b, &m)
}

func (d *debugger) answer(seq int) json.RawMessage {
	d.t.Helper()
	for {
		m, err := d.read()
		switch {
		case err != nil:
			d.t.Fatal(err)
		case m.Type == "event":
			d.events = append(d.events, m)
		case m.RequestSeq == seq && !m.Success:
			d.t.Fatalf("%s: %s", m.Command, m.Message)
		case m.RequestSeq == seq:
			return m.Body
		}
	}
}

func (d *debugger) call(command string, arguments any) json.RawMessage {
	d.t.Helper()
	return d.answer(d.send(command, arguments))
}

func (d *debugger) event(name string) json.RawMessage {
	d.t.Helper()
	for {
		if len(d.events) == 0 {
			m, err := d.read()
			if err != nil {
				d.t.Fatalf("%s: %v", name, err)
			}
			d.events = append(d.events, m)
		}
		m := d.events[0]
		d.events = d.events[1:]
		if m.Event == name {
			return m.Body
		}
	}
}

// stops waits for the breakpoint, evaluates an expression there and goes on.
func (d *debugger) stops(expression, want string) {
	d.t.Helper()
	var stop struct{ ThreadID int }
	var stack struct{ StackFrames []struct{ ID, Line int } }
	var value struct{ Result string }
	if err := json.Unmarshal(d.event("stopped"), &stop); err != nil {
		d.t.Fatal(err)
	}
	if err := json.Unmarshal(d.call("stackTrace", map[string]any{"threadId": stop.ThreadID}), &stack); err != nil || len(stack.StackFrames) == 0 {
		d.t.Fatal(err)
	}
	if err := json.Unmarshal(d.call("evaluate", map[string]any{"expression": expression, "frameId": stack.StackFrames[0].ID}), &value); err != nil || value.Result != want {
		d.t.Errorf("%s is %s, want %s (%v)", expression, value.Result, want, err)
	}
	d.call("continue", map[string]any{"threadId": stop.ThreadID})
}

func source(n int) string {
	return fmt.Sprintf("def lambda_handler(event, context):\n    local = event['n'] + %d\n    return local\n", n)
}

func invoke(t *testing.T, p *functiontest.Project) <-chan string {
	outcome := make(chan string, 1)
	go func() {
		out, err := p.Manager.Invoke(t.Context(), "sample", function.Invocation{Payload: []byte(`{"n":41}`)})
		if err != nil {
			outcome <- err.Error()
			return
		}
		outcome <- string(out.Payload)
	}()
	return outcome
}

func TestBreakpointsSurviveSaves(t *testing.T) {
	runtime := needsDebugpy(t)
	p := functiontest.NewProject(t, newEngine(t), functiontest.Sample{
		Runtime: runtime, Files: func(string) map[string]string { return files{"lambda_function.py": source(1)} },
	}, true)
	p.Function.Debug = freePort(t)
	p.Function.Timeout = 1
	p.Put(t)
	file := filepath.Join(p.Dir, "lambda_function.py")
	d := attach(t, p.Function.Debug, file, 3)
	outcome := invoke(t, p)
	time.Sleep(1200 * time.Millisecond) // longer than the function's timeout: nobody has looked at the breakpoint yet
	d.stops("local", "42")
	if got := <-outcome; got != "42" {
		t.Errorf("answered %s", got)
	}
	for n := 2; n <= 3; n++ {
		p.Save(t, "", files{"lambda_function.py": source(n)})
		if body := d.event("terminated"); !strings.Contains(string(body), `"restart":true`) {
			t.Fatalf("the session is not restarted: %s", body)
		}
		d.Close()
		d = attach(t, p.Function.Debug, file, 3)
		outcome := invoke(t, p)
		d.stops("local", fmt.Sprint(41+n))
		if got := <-outcome; got != fmt.Sprint(41+n) {
			t.Errorf("answered %s", got)
		}
	}
	d.call("disconnect", nil)
	p.Want(t, `{"n":1}`, `4`)
}

func TestADebuggerThatDoesNotComeBackIsNotWaitedForForever(t *testing.T) {
	runtime := needsDebugpy(t)
	defer python.SetReattach(200 * time.Millisecond)()
	p := one(t, source(1))
	p.Function.Runtime = runtime
	p.Function.Debug = freePort(t)
	p.Put(t)
	attach(t, p.Function.Debug, filepath.Join(p.Dir, "lambda_function.py"), 100)
	p.Save(t, "", files{"lambda_function.py": source(2)})
	p.Want(t, `{"n":1}`, `3`)
}

func TestWithoutDebugpyTheErrorSaysWhatToDo(t *testing.T) {
	p := one(t, source(1))
	p.Put(t) // which installs the runtime into the cache of the user that there is
	t.Setenv("HOME", t.TempDir())
	if out, err := exec.Command("python3", "-m", "venv", "--without-pip", filepath.Join(p.Dir, ".venv")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p.Function.Debug = freePort(t)
	put(t, p)
	if _, typ, message := p.Fails(t, `{}`); typ != "Runtime.BuildError" || !strings.Contains(message, "/.venv/bin/python -m pip install debugpy`") {
		t.Errorf("%s: %s", typ, message)
	}
}
