package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"devstack/runtime/supervise"
)

// hostile is a stack of a table, a cache and a function, with more blocks behind them, that is not started yet.
func hostile(t *testing.T, dir, more string) *running {
	t.Helper()
	r := &running{t: t, dir: dir, port: freePort(t), aws: freePort(t)}
	stack := fmt.Sprintf("stack \"s\" { port = %d }\ntable \"notes\" { hash_key = \"id\" }\ncache \"c\" {}\nfunction \"f\" {\n  runtime = \"js\"\n  source = \"f.ts\"\n}\n", r.aws)
	stack += fmt.Sprintf("api \"a\" {\n  port = %d\n  route \"GET /f\" { function = function.f }\n}\n", r.port) + more
	for name, text := range map[string]string{"stack.hcl": stack, "f.ts": "export const handler = async () => 'works';\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if held(dir) {
			r.devstack("down")
		}
	})
	return r
}

// up starts the stack and returns what it printed, with its exit code.
func (r *running) up() (string, int) { return r.try("up", "--detach", "--wait", "20s") }

// note puts an item into the table.
func (r *running) note(id, text string) (int, string) {
	return r.awsJSON("DynamoDB_20120810.PutItem", fmt.Sprintf(`{"TableName":"notes","Item":{"id":{"S":%q},"text":{"S":%q}}}`, id, text))
}

// notes is how many items the table has.
func (r *running) notes() int {
	r.t.Helper()
	_, answer := r.awsJSON("DynamoDB_20120810.Scan", `{"TableName":"notes","Select":"COUNT","ConsistentRead":true}`)
	var out struct{ Count int }
	if err := json.Unmarshal([]byte(answer), &out); err != nil {
		r.t.Fatalf("%v: %s", err, answer)
	}
	return out.Count
}

func TestDamagedState(t *testing.T) {
	r := hostile(t, t.TempDir(), "")
	if out, code := r.up(); code != 0 {
		t.Fatalf("%d %s", code, out)
	}
	r.note("1", "kept")
	r.devstack("clock", "advance", "1h")
	r.devstack("down")
	for _, tt := range []struct {
		file   string
		code   int
		wayOut string
	}{
		{"data/dynamodb.db", exitStart, "`devstack reset` starts over with an empty one"},
		{"allocated.json", exitFailure, "delete it"},
		{"provisioned.json", exitFailure, "delete it"},
		{"clock", exitFailure, "delete it"},
		{"lock", 0, ""},
	} {
		t.Run(tt.file, func(t *testing.T) {
			path := filepath.Join(r.dir, stateDir, tt.file)
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(strings.Repeat("\x00noise\xff", 500)), 0o600); err != nil {
				t.Fatal(err)
			}
			out, code := r.up()
			if code != tt.code || tt.code != 0 && !strings.Contains(out, path) || !strings.Contains(out, tt.wayOut) || len(out) > 1000 {
				t.Errorf("exit code %d:\n%s", code, out)
			}
			if held(r.dir) {
				r.devstack("down")
			}
			if tt.code != 0 { // nothing of it was touched
				if err := os.WriteFile(path, whole, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	if out, code := r.up(); code != 0 || r.notes() != 1 {
		t.Errorf("afterwards: %d %s", code, out)
	}
}

func TestAFullDisk(t *testing.T) {
	dir := t.TempDir()
	state := filepath.Join(dir, stateDir)
	if err := os.Mkdir(state, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", state).CombinedOutput(); err != nil {
		missing(t, "a small disk cannot be mounted, which takes Linux and root: "+string(out))
	}
	t.Cleanup(func() { exec.Command("umount", "-l", state).Run() })
	r := hostile(t, dir, "")
	if out, code := r.up(); code != 0 {
		t.Fatalf("%d %s", code, out)
	}
	text, kept, refused := strings.Repeat("x", 30_000), 0, ""
	for i := range 100 {
		status, answer := r.note(fmt.Sprint(i), text)
		if status == 200 {
			kept++
		} else if refused = answer; i > kept+2 {
			break
		}
	}
	if !strings.Contains(refused, "the disk is full") || !strings.Contains(refused, "dynamodb.db") {
		t.Errorf("after %d items the answer is %s", kept, refused)
	}
	if n := r.notes(); n != kept {
		t.Errorf("%d items are there, and %d were acknowledged", n, kept)
	}
	fill := filepath.Join(state, "fill")
	exec.Command("dd", "if=/dev/zero", "of="+fill, "bs=1k", "count=1000").Run() // to the last byte; it fails then
	if out, code := r.try("clock", "advance", "1h"); code != exitFailure || !strings.Contains(out, "the clock was not moved") || !strings.Contains(out, "the disk is full") {
		t.Errorf("clock advance: %d %s", code, out)
	}
	if out := r.devstack("clock"); !strings.Contains(out, "0s ahead") {
		t.Errorf("the clock was moved all the same: %s", out)
	}
	if out, err := exec.Command("mount", "-o", "remount,size=4m", state).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	if status, answer := r.note("healed", text); status != 200 || r.notes() != kept+1 {
		t.Errorf("with space again: %d %s, %d items", status, answer, r.notes())
	}
	if err := syscall.Kill(r.status().PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "end of the daemon", func() bool { return !held(dir) })
	if out, code := r.up(); code != 0 || r.notes() != kept+1 {
		t.Errorf("after a kill: %d %s, %d items", code, out, r.notes())
	}
	r.devstack("down")
	entries, _ := os.ReadDir(state)
	for _, e := range entries {
		os.RemoveAll(filepath.Join(state, e.Name()))
	}
	exec.Command("dd", "if=/dev/zero", "of="+fill, "bs=1k", "count=9000").Run()
	if out, code := r.up(); code != exitFailure || !strings.Contains(out, "the disk is full") {
		t.Errorf("a first start on a full disk: %d %s", code, out)
	}
}

func TestWhatIsMissing(t *testing.T) {
	r := hostile(t, t.TempDir(), `
function "n" {
  runtime = "nodejs22.x"
  source  = "n.mjs"
}
service "box" {
  image = "busybox"
  port  = 80
}
service "loop" {
  command = ["/bin/sh", "-c", "for i in $(/usr/bin/seq 1 30); do echo line $i; done; exit 7"]
}
`)
	if err := os.WriteFile(filepath.Join(r.dir, "n.mjs"), []byte("export const handler = async () => 1;\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	mustBinary(t) // before there is no go to build it with
	t.Setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
	t.Setenv("PATH", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	out, code := r.up()
	if code != exitStart {
		t.Errorf("exit code %d", code)
	}
	for _, says := range []string{"function.n has failed", "Node.js", "no Docker engine answers at tcp://127.0.0.1:1",
		"service.loop has failed: exited with status 7", "    | line 11\n", "    | line 30\n"} {
		if !strings.Contains(out, says) {
			t.Errorf("%q is not in\n%s", says, out)
		}
	}
	r.want(200, "works", "GET", "/f", "")
	if s := r.state("service", "loop"); s.State != supervise.Failed || len(s.Tail) != 20 {
		t.Errorf("the loop is %s with %d lines of log", s.State, len(s.Tail))
	}
}

// A port that was free in an earlier run is not by itself ours in this one.
func TestPortsThatWereTakenMeanwhile(t *testing.T) {
	port := freePort(t)
	r := hostile(t, t.TempDir(), fmt.Sprintf("cache \"d\" { port = %d }\n", port))
	if out, code := r.up(); code != 0 {
		t.Fatalf("%d %s", code, out)
	}
	r.devstack("down")
	var taken []net.Listener
	for _, port := range []int{port, r.port} {
		l, err := listen(port, "a test", "")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		taken = append(taken, l)
	}
	out, code := r.up()
	if code != exitStart {
		t.Errorf("exit code %d", code)
	}
	for _, says := range []string{"cache.d has failed: ", fmt.Sprintf("port %d is in use by another program", port), "api.a has failed: ", fmt.Sprintf("port %d, for api.a, is in use by another program", r.port)} {
		if !strings.Contains(out, says) {
			t.Errorf("%q is not in\n%s", says, out)
		}
	}
	for _, l := range taken {
		l.Close()
	}
	eventually(t, "recovery", func() bool {
		return r.state("cache", "d").State == supervise.Ready && r.state("api", "a").State == supervise.Ready
	})
}

func TestStartingAndStopping(t *testing.T) {
	const slow = "service \"slow\" {\n  command = [\"sh\", \"-c\", \"sleep 100\"]\n  port    = 1\n  health  = \"/\"\n}\n"
	t.Run("not ready in time is exit code 4, and down stops what is starting", func(t *testing.T) {
		r := hostile(t, t.TempDir(), slow)
		if out, code := r.try("up", "--detach", "--wait", "1ms"); code != exitTimeout || !strings.Contains(out, "not ready in time") {
			t.Errorf("%d %s", code, out)
		}
		r.devstack("down")
		if out, code := r.try("status"); code != exitFailure || !strings.Contains(out, "is not running") {
			t.Errorf("status: %d %s", code, out)
		}
		if left := processesIn(t, r.dir); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
	t.Run("killed while it starts", func(t *testing.T) {
		r := hostile(t, t.TempDir(), slow)
		r.try("up", "--detach", "--wait", "1ms")
		h, err := readHolder(r.dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(h.PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "end of all that it had started", func() bool { return !held(r.dir) && len(processesIn(t, r.dir)) == 0 })
	})
	t.Run("Ctrl-C, and who follows the logs sees their end", func(t *testing.T) {
		r := hostile(t, t.TempDir(), "")
		path := mustBinary(t)
		var out strings.Builder
		up, follow := exec.Command(path, "up"), exec.Command(path, "logs", "-f")
		up.Dir, up.Stdout, up.Stderr, follow.Dir = r.dir, &out, &out, r.dir
		if err := up.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "answer", func() bool {
			res, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/f", r.port))
			return err == nil && res.StatusCode == 200
		})
		if err := follow.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond) // for it to begin; if it has not, it waits for nothing
		if err := up.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		if err := up.Wait(); err != nil {
			t.Errorf("up: %v\n%s", err, out.String())
		}
		if err := follow.Wait(); err != nil && !strings.Contains(fmt.Sprint(err), "exit status 1") {
			t.Errorf("logs -f: %v", err)
		}
		for _, says := range []string{"  ready   table.notes", "s is ready: 4 resources in ", "  api.a  ", "stopping"} {
			if !strings.Contains(out.String(), says) {
				t.Errorf("%q is not in\n%s", says, out.String())
			}
		}
		if strings.ContainsAny(out.String(), "\x1b\r") || strings.Contains(out.String(), "RequestId") {
			t.Errorf("it prints\n%q", out.String())
		}
	})
	t.Run("serve is not a stack, and says so", func(t *testing.T) {
		r := hostile(t, t.TempDir(), "")
		serve := exec.Command(mustBinary(t), "serve", "--port", "0")
		serve.Dir = r.dir
		if err := serve.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() {
			serve.Process.Signal(syscall.SIGTERM)
			serve.Wait()
		}()
		eventually(t, "lock", func() bool { return held(r.dir) })
		for _, verb := range []string{"status", "down", "trace", "clock", "up"} {
			if out, code := r.try(verb); code != exitFailure || !strings.Contains(out, "`devstack serve`") {
				t.Errorf("%s: %d %s", verb, code, out)
			}
		}
	})
}

func TestStrangePlaces(t *testing.T) {
	deep := filepath.Join(t.TempDir(), "with space", "ümläut's")
	for range 10 {
		deep = filepath.Join(deep, "abcdefghijklm")
	}
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	r := hostile(t, deep, "")
	if out, code := r.up(); code != 0 {
		t.Fatalf("%d %s", code, out)
	}
	r.want(200, "works", "GET", "/f", "")
	if s := r.status(); s.Dir != deep {
		t.Errorf("status says %s", s.Dir)
	}
	shell := exec.Command("sh", "-c", r.devstack("env")+`echo "$AWS_ENDPOINT_URL"`)
	if out, err := shell.CombinedOutput(); err != nil || string(out) != fmt.Sprintf("http://127.0.0.1:%d\n", r.aws) {
		t.Errorf("env in a shell: %v %s", err, out)
	}
	for command, code := range map[string]int{"exit 7": 7, "kill -9 $$": 128 + 9} {
		if out, got := r.try("exec", "--", "sh", "-c", `"$0" exec sh -c '`+command+`'`, mustBinary(t)); got != code {
			t.Errorf("exec %s: %d %s", command, got, out)
		}
	}
	if out, code := r.try("exec", "no-such-command"); code != 127 || !strings.Contains(out, `there is no command "no-such-command"`) {
		t.Errorf("exec of nothing: %d %s", code, out)
	}
	for _, verb := range []string{"status", "trace", "clock", "env", "graph", "validate"} {
		if out := r.devstack(verb, "--json"); !json.Valid([]byte(out)) {
			t.Errorf("%s --json prints %s", verb, out)
		}
	}
	r.devstack("invoke", "f")
	for line := range strings.Lines(r.devstack("logs", "--json")) {
		if !json.Valid([]byte(line)) {
			t.Errorf("logs --json prints %s", line)
		}
	}
}

func mustBinary(t *testing.T) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
