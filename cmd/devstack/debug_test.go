package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"devstack/runtime/config"
)

func TestParseDebugged(t *testing.T) {
	for _, tt := range []struct {
		name   string
		values []string
		want   string // an error, or the result
	}{
		{"a name", []string{"orders"}, "[{orders 0}]"},
		{"names and ports", []string{"orders=9229", "function.mail=9230"}, "[{orders 9229} {mail 9230}]"},
		{"no port", []string{"orders=x"}, `--debug orders=x: "x" is not a port from 1 to 65535`},
		{"a port that does not exist", []string{"orders=70000"}, `--debug orders=70000: "70000" is not a port from 1 to 65535`},
		{"no name", []string{"=1"}, `--debug takes the NAME of a function, or NAME=PORT, and not "=1"`},
		{"twice", []string{"orders", "orders=1"}, "--debug names orders twice"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseDebugged(tt.values)
			if text := fmt.Sprint(got); text != tt.want && (err == nil || err.Error() != tt.want) {
				t.Errorf("got %s, %v; want %s", text, err, tt.want)
			}
		})
	}
}

func TestMergeLaunches(t *testing.T) {
	entries := []launch{{"name": "devstack: orders", "port": 1}}
	for _, tt := range []struct{ name, old, want string }{
		{"no file", "", `{"version":"0.2.0","configurations":[{"name":"devstack: orders","port":1}]}`},
		{"others stay, in their order", `{"version":"0.1.0","z":{"b":1,"a":2},"configurations":[{"name":"mine","b":1,"a":2}],"compounds":[]}`,
			`{"version":"0.1.0","z":{"b":1,"a":2},"configurations":[{"name":"mine","b":1,"a":2},{"name":"devstack: orders","port":1}],"compounds":[]}`},
		{"an entry is replaced", `{"configurations":[{"name":"devstack: orders","port":7},{"name":"mine"}]}`,
			`{"configurations":[{"name":"devstack: orders","port":1},{"name":"mine"}]}`},
		{"no configurations yet", `{"version":"0.2.0"}`, `{"version":"0.2.0","configurations":[{"name":"devstack: orders","port":1}]}`},
		{"comments", "{\n// mine\n\"configurations\":[]}", ""},
		{"a comma at the end", `{"configurations":[],}`, ""},
		{"half a file", `{"configurations":[`, ""},
		{"something else", `[]`, ""},
		{"configurations that are no list", `{"configurations":{}}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := mergeLaunches([]byte(tt.old), entries)
			if !ok {
				if tt.want != "" {
					t.Fatal("not merged")
				}
				return
			}
			var compact bytes.Buffer
			if err := json.Compact(&compact, got); err != nil || compact.String() != tt.want {
				t.Errorf("got %s\nwant %s (%v)", got, tt.want, err)
			}
			if again, ok := mergeLaunches(got, entries); !ok || !bytes.Equal(again, got) {
				t.Errorf("again it is %s", again)
			}
		})
	}
}

func FuzzMergeLaunches(f *testing.F) {
	f.Add([]byte(`{"version":"0.2.0","configurations":[{"name":"a"}]}`))
	f.Add([]byte("{// c\n}"))
	f.Fuzz(func(t *testing.T, old []byte) {
		got, ok := mergeLaunches(old, []launch{{"name": "n"}})
		if ok && !json.Valid(got) {
			t.Fatalf("%q became %q", old, got)
		}
	})
}

func TestALaunchFileWithCommentsStays(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, ".vscode"), 0o755); err != nil {
		t.Fatal(err)
	}
	const text = "{\n  // mine\n  \"configurations\": []\n}\n"
	if err := os.WriteFile(launchFile(dir), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	stack := &config.Stack{Resources: []config.Resource{&config.Function{Name: "orders", Runtime: "python3.12", Debug: 5678}}}
	var out strings.Builder
	if err := writeLaunches(&out, stack, dir); err != nil {
		t.Fatal(err)
	}
	if now, err := os.ReadFile(launchFile(dir)); err != nil || string(now) != text {
		t.Errorf("the file is now %s (%v)", now, err)
	}
	if !strings.Contains(out.String(), `"name": "devstack: orders"`) || !strings.Contains(out.String(), `"type": "debugpy"`) {
		t.Errorf("printed %s", out.String())
	}
}

func TestEveryRuntimeHasADebuggerOrAReason(t *testing.T) {
	for _, runtime := range []string{"js", "nodejs22.x", "python3.12", "go", "provided.al2023", "image", "java21", "wasm"} {
		if (undebuggable(runtime) == "") != (debuggerOf(runtime) != "") {
			t.Errorf("%s: %q and %q", runtime, undebuggable(runtime), debuggerOf(runtime))
		}
	}
	if why := undebuggable("js"); !strings.Contains(why, "nodejs22.x") {
		t.Error(why)
	}
}

func TestUpDebug(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("node is not in PATH")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"stack.hcl": "stack \"debugged\" {\n  port = var.aws_port\n}\n\nvariable \"aws_port\" {\n  default = 4566\n}\n\nvariable \"port\" {\n  default = 0\n}\n\n" +
			"function \"orders\" {\n  runtime = \"nodejs20.x\"\n  source  = \"orders\"\n}\n\nfunction \"inside\" {\n  runtime = \"js\"\n  source  = \"orders\"\n}\n",
		"orders/index.js": "exports.handler = async () => 1;\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r := &running{t: t, dir: dir}
	for _, tt := range []struct{ name, want string }{
		{"order", `the stack has no such function; did you mean "orders"?`},
		{"inside", `functions of runtime "js" run inside devstack`},
	} {
		if out, code := r.try("up", "--debug", tt.name); code != exitConfiguration || !strings.Contains(out, tt.want) {
			t.Errorf("--debug %s: exit code %d\n%s", tt.name, code, out)
		}
	}
	port := freePort(t)
	r = runStack(t, dir, "--debug", fmt.Sprintf("orders=%d", port), "--launch-json")
	if out := r.devstack("status"); !strings.Contains(out, fmt.Sprintf("debugger on 127.0.0.1:%d", port)) {
		t.Errorf("status says %s", out)
	}
	resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/json/version", port))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var version struct{ Browser string }
	if err := json.NewDecoder(resp.Body).Decode(&version); err != nil || !strings.HasPrefix(version.Browser, "node.js/") {
		t.Errorf("%+v %v", version, err)
	}
	if text, err := os.ReadFile(launchFile(dir)); err != nil || !bytes.Contains(text, fmt.Appendf(nil, `"port": %d`, port)) {
		t.Errorf("launch.json is %s (%v)", text, err)
	}
	log, err := os.ReadFile(filepath.Join(dir, stateDir, "daemon.log"))
	if err != nil || !bytes.Contains(log, []byte("debugger")) {
		t.Errorf("the start tells %s (%v)", log, err)
	}
}
