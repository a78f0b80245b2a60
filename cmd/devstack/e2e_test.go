package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"devstack/runtime/process/reap"
)

// built is the folder that binary has made, "" if no test needed it.
var built string

// binary builds devstack once for all end-to-end tests and returns its path.
var binary = sync.OnceValues(func() (path string, err error) {
	if built, err = os.MkdirTemp("", "devstack-e2e-"); err != nil {
		return "", err
	}
	path = filepath.Join(built, "devstack")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build devstack: %w\n%s", err, out)
	}
	return path, nil
})

// The test binary is also the watchdog of a daemon that a test opens in its own process: else that would run all tests once more.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == reap.Verb {
		reap.Main(os.Stdin, nil)
		return
	}
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

// running is a stack that the devstack binary runs for a test.
type running struct {
	t    *testing.T
	dir  string
	port int // of its API
	aws  int // of AWS
}

// copyStack copies files and folders of the repository into a fresh folder.
func copyStack(t *testing.T, from string, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		target := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("cp", "-R", filepath.Join(from, name), target).CombinedOutput(); err != nil {
			t.Fatalf("copy %s: %v %s", name, err, out)
		}
	}
	return dir
}

// shop is a copy of the repository's own stack.
func shop(t *testing.T) string {
	return copyStack(t, "../..", "stack.hcl", "go.mod", "go.sum", "examples/shop")
}

// runStack starts the stack in a folder and waits until it is ready.
func runStack(t *testing.T, dir string, flags ...string) *running {
	t.Helper()
	r := &running{t: t, dir: dir, port: freePort(t), aws: freePort(t)}
	t.Cleanup(func() {
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, stateDir, "daemon.log"))
			t.Logf("the daemon printed:\n%s", log)
		}
		if held(dir) {
			r.devstack("down")
		}
	})
	args := append([]string{"up", "--detach", "--wait", "120s", "--var", fmt.Sprintf("port=%d", r.port), "--var", fmt.Sprintf("aws_port=%d", r.aws)}, flags...)
	if out, code := r.try(args...); code != 0 {
		t.Fatalf("devstack up: exit code %d\n%s", code, out)
	}
	return r
}

// try runs devstack in the stack's folder and returns what it printed and its exit code.
func (r *running) try(args ...string) (string, int) {
	r.t.Helper()
	path, err := binary()
	if err != nil {
		r.t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=AKIAREALREALREALREAL", "AWS_PROFILE=production")
	out, err := cmd.CombinedOutput()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		r.t.Fatalf("devstack %v: %v", args, err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// devstack runs a verb that has to succeed.
func (r *running) devstack(args ...string) string {
	r.t.Helper()
	out, code := r.try(args...)
	if code != 0 {
		r.t.Fatalf("devstack %s: exit code %d\n%s", strings.Join(args, " "), code, out)
	}
	return out
}

// call makes a request to the stack's API.
func (r *running) call(method, path, body string, headers ...string) (int, string) {
	r.t.Helper()
	req, err := http.NewRequest(method, fmt.Sprintf("http://127.0.0.1:%d%s", r.port, path), strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// want makes a request whose status and answer are known.
func (r *running) want(status int, contains, method, path, body string) string {
	r.t.Helper()
	got, answer := r.call(method, path, body)
	if got != status || !strings.Contains(answer, contains) {
		r.t.Errorf("%s %s: %d %s; want %d with %q", method, path, got, answer, status, contains)
	}
	return answer
}

// awsJSON calls an operation of a JSON service of the stack's AWS.
func (r *running) awsJSON(target, body string) (int, string) {
	r.t.Helper()
	return r.awsJSONIn("us-east-1", target, body)
}

// awsJSONIn does so in a region.
func (r *running) awsJSONIn(region, target, body string) (int, string) {
	r.t.Helper()
	req, err := http.NewRequest("POST", fmt.Sprintf("http://127.0.0.1:%d/", r.aws), bytes.NewBufferString(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("X-Amz-Target", target)
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/"+region+"/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatalf("%s: %v", target, err)
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(b)
}

// status is `devstack status --json`.
func (r *running) status() (s report) {
	r.t.Helper()
	if err := json.Unmarshal([]byte(r.devstack("status", "--json")), &s); err != nil {
		r.t.Fatal(err)
	}
	return s
}

// edit replaces a text in one of the stack's files.
func (r *running) edit(name, old, new string) {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	b, err := os.ReadFile(path)
	if err != nil {
		r.t.Fatal(err)
	}
	if !strings.Contains(string(b), old) {
		r.t.Fatalf("%s has no %q", name, old)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(b), old, new, 1)), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// eventually waits for what comes in its own time, such as a stream's delivery.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after 20 s there is still no %s", what)
		}
	}
}

// freePort returns a port that nobody listens on, below those of outgoing connections: it must be free for a while yet.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := 30000 + rand.IntN(2000)
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("there is no free port")
	panic("unreachable")
}

// need ends a test that cannot run for want of a tool: on CI that is a failure.
func need(t *testing.T, tool, wayOut string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		missing(t, tool+" is not installed; "+wayOut)
	}
}

func missing(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}
