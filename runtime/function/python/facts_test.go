package python_test

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"devstack/runtime/function/functiontest"
	"fmt"
	"net/http"
	"net/http/httptest"
)

type files = map[string]string

// project is a function of these files.
func project(t *testing.T, handler string, f files) *functiontest.Project {
	t.Helper()
	return functiontest.NewProject(t, newEngine(t), functiontest.Sample{
		Runtime: "python3.12", Handler: handler, Files: func(string) map[string]string { return maps.Clone(f) },
	}, false)
}

// one is a function of one file.
func one(t *testing.T, source string) *functiontest.Project {
	t.Helper()
	return project(t, "", files{"lambda_function.py": source})
}

// put puts a function that may fail to load.
func put(t *testing.T, p *functiontest.Project) {
	t.Helper()
	_ = p.Manager.Put(t.Context(), p.Function) // the outcome of an event tells
}

func TestWhatAHandlerMayReturn(t *testing.T) {
	for _, tt := range []struct{ name, value, want string }{
		{"an object", `{"a": [1, None, True]}`, `{"a": [1, null, true]}`},
		{"nothing", `None`, `null`},
		{"text as it is", `"grüße"`, `"grüße"`},
		{"a decimal with all its digits", `{"d": decimal.Decimal("1.10"), "n": decimal.Decimal("12345678901234567890.123")}`, `{"d": 1.10, "n": 12345678901234567890.123}`},
		{"bytes are the answer themselves", `b'{"raw":1}'`, `{"raw":1}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := one(t, "import decimal\ndef lambda_handler(event, context):\n    return "+tt.value+"\n")
			p.Put(t)
			if out := p.Invoke(t, `{}`); string(out.Payload) != tt.want || out.FunctionError != "" {
				t.Fatalf("answered %s, want %s", out.Payload, tt.want)
			}
		})
	}
}

func TestHowAHandlerFails(t *testing.T) {
	for _, tt := range []struct{ name, source, typ, message string }{
		{"an exception", "def lambda_handler(e, c):\n    raise KeyError('k')\n", "KeyError", "'k'"},
		{"an exception of its own class", "class Mine(Exception):\n    pass\ndef lambda_handler(e, c):\n    raise Mine('m')\n", "Mine", "m"},
		{"a value that is not JSON", "def lambda_handler(e, c):\n    return {1, 2}\n", "Runtime.MarshalError", "Unable to marshal response: Object of type set is not JSON serializable"},
		{"a generator: Python's responses cannot be streamed", "def lambda_handler(e, c):\n    yield 1\n", "Runtime.MarshalError", "Unable to marshal response: Object of type generator is not JSON serializable"},
		{"a syntax error that is raised", "def lambda_handler(e, c):\n    return 1\nimport sys\nraise SyntaxError('own')\n", "Runtime.UserCodeSyntaxError", "Syntax error in module 'lambda_function': own"},
		{"a module that is not installed", "import nowhere\n", "Runtime.ImportModuleError", "Unable to import module 'lambda_function': No module named 'nowhere'"},
		{"a handler that is not there", "def other(e, c):\n    pass\n", "Runtime.HandlerNotFound", "Handler 'lambda_handler' missing on module 'lambda_function'"},
		{"an exception while it loads", "raise RuntimeError('early')\n", "RuntimeError", "early"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := one(t, tt.source)
			put(t, p)
			for range 2 {
				if _, typ, message := p.Fails(t, `{}`); typ != tt.typ || message != tt.message {
					t.Fatalf("failed with %s: %s, want %s: %s", typ, message, tt.typ, tt.message)
				}
			}
		})
	}
}

// The form is that of a recorded answer.
func TestTheErrorBody(t *testing.T) {
	p := one(t, "def lambda_handler(event, context):\n    raise Exception(\"Some exception was raised.\")\n")
	p.Put(t)
	out, _, _ := p.Fails(t, `{}`)
	file, err := json.Marshal("  File \"" + p.Dir + "/lambda_function.py\", line 2, in lambda_handler\n    raise Exception(\"Some exception was raised.\")\n")
	if err != nil {
		t.Fatal(err)
	}
	want := `{"errorMessage": "Some exception was raised.", "errorType": "Exception", "requestId": "` + out.RequestID + `", "stackTrace": [` + string(file) + `]}`
	if string(out.Payload) != want {
		t.Errorf("the body is %s\nwant        %s", out.Payload, want)
	}
	want = "[ERROR] Exception: Some exception was raised.\nTraceback (most recent call last):\n\u00a0\u00a0File \"" + p.Dir +
		"/lambda_function.py\", line 2, in lambda_handler\n\u00a0\u00a0\u00a0\u00a0raise Exception(\"Some exception was raised.\")"
	if lines := p.Lines(out.RequestID); len(lines) != 4 || lines[1] != want {
		t.Errorf("the log is %q\nwant %q", lines, want)
	}
}

func TestExit(t *testing.T) {
	for _, tt := range []struct{ name, source, message string }{
		{"with a status", "import sys\ndef lambda_handler(e, c):\n    sys.exit(3)\n", "Runtime exited with error: exit status 3"},
		{"with none", "import sys\ndef lambda_handler(e, c):\n    sys.exit()\n", "Runtime exited without providing a reason"},
		{"while it loads", "import sys\nsys.exit(2)\n", "Runtime exited with error: exit status 2"},
		{"by a signal", "import os\ndef lambda_handler(e, c):\n    os.kill(os.getpid(), 9)\n", "Runtime exited with error: signal: killed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := one(t, tt.source)
			put(t, p)
			out, typ, message := p.Fails(t, `{}`)
			if typ != "Runtime.ExitError" || message != "RequestId: "+out.RequestID+" Error: "+tt.message {
				t.Fatalf("failed with %s: %s", typ, message)
			}
		})
	}
}

func TestASyntaxErrorShowsTheLine(t *testing.T) {
	p := one(t, "def lambda_handler(event, context):\n    return = 1\n")
	put(t, p)
	_, typ, message := p.Fails(t, `{}`)
	if want := "lambda_function.py:2:12: SyntaxError: invalid syntax\n\n    2 │     return = 1\n      ╵            ^"; typ != "Runtime.BuildError" || message != want {
		t.Fatalf("failed with %s: %s\nwant %s", typ, message, want)
	}
}

func TestTheContext(t *testing.T) {
	p := one(t, `import os
def lambda_handler(event, c):
    return [c.function_name, c.function_version, c.invoked_function_arn, c.memory_limit_in_mb, c.log_group_name, len(c.aws_request_id),
        c.log_stream_name == os.environ["AWS_LAMBDA_LOG_STREAM_NAME"] and len(c.log_stream_name) > 20,
        15000 < c.get_remaining_time_in_millis() <= 20000, c.client_context, c.identity.cognito_identity_id, os.getcwd() == os.path.dirname(__file__)]
`)
	p.Put(t)
	p.Want(t, `{}`, `["sample","$LATEST","arn:aws:lambda:us-east-1:000000000000:function:sample","128","/aws/lambda/sample",36,true,true,null,null,true]`)
}

func TestPrefixesOfTheEndpointResolve(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host) }))
	defer server.Close()
	address := strings.TrimPrefix(server.URL, "http://")
	p := one(t, "import urllib.request\ndef lambda_handler(event, context):\n    return urllib.request.urlopen('http://' + event).read().decode()\n")
	p.Function.Environment = map[string]string{"AWS_ENDPOINT_URL": server.URL}
	p.Put(t)
	p.Want(t, `"sync-`+address+`"`, `"sync-`+address+`"`)
}

func TestTheLog(t *testing.T) {
	p := one(t, `import logging, sys
logger = logging.getLogger()
logger.setLevel("INFO")
def lambda_handler(event, context):
    print("first")
    logger.info("two\nlines")
    print("third", file=sys.stderr)
    print("no end", end="")
    logging.getLogger("x").warning("%s", {"a": 1})
    logger.debug("not this")
`)
	p.Put(t)
	out := p.Want(t, `{}`, `null`)
	lines := p.Lines(out.RequestID)
	stamp := `\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\t` + out.RequestID + `\t`
	for i, want := range []string{"^START ", "^first$", `^\[INFO\]` + stamp + "two\nlines$", "^third$", "^no end$", `^\[WARNING\]` + stamp + `\{'a': 1\}$`, "^END ", "^REPORT "} {
		if i >= len(lines) || !regexp.MustCompile(want).MatchString(lines[i]) {
			t.Fatalf("the log is %q, want at %d %s", lines, i, want)
		}
	}
}

func TestWhatAFunctionIsMadeOf(t *testing.T) {
	for _, tt := range []struct {
		name, source string
		changes      files
	}{
		{"a module", "from lib import value\n", files{"lib.py": "value = 2\n"}},
		{"a package", "from pkg.sub.deep import value\n", files{"pkg/sub/deep.py": "value = 2\n"}},
		{"a relative import of a package", "from pkg.rel import value\n", files{"pkg/near.py": "value = 2\n"}},
		{"an import in a function", "def get():\n    from lib import value\n    return value\nvalue = get()\n", files{"lib.py": "value = 2\n"}},
		{"a module that is found by its name", "import importlib\nvalue = importlib.import_module('l' + 'ib').value\n", files{"lib.py": "value = 2\n"}},
		{"a file that it reads", "import os\nvalue = int(open(os.path.join(os.path.dirname(__file__), 'data.txt')).read())\n", files{"data.txt": "2"}},
		{"a package that hides a module", "from lib import value\n", files{"lib/__init__.py": "value = 2\n"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := project(t, "", files{
				"lambda_function.py": tt.source + "def lambda_handler(event, context):\n    return value\n",
				"lib.py":             "value = 1\n", "pkg/sub/deep.py": "value = 1\n", "pkg/__init__.py": "", "pkg/rel.py": "from .near import value\n",
				"pkg/near.py": "value = 1\n", "data.txt": "1", "unused.py": "value = 1\n",
			})
			p.Put(t)
			p.Want(t, `{}`, `1`)
			p.Save(t, "", files{"unused.py": "value = 2 +\n"})
			p.Want(t, `{}`, `1`)
			dynamic := strings.Contains(tt.source, "importlib")
			if i, err := p.Manager.Get("sample"); err != nil || i.Version != 1 && !dynamic {
				t.Errorf("a file that it does not use makes version %d of it (%v)", i.Version, err)
			}
			p.Save(t, "", tt.changes)
			p.Want(t, `{}`, `2`)
		})
	}
}

func TestStaleByteCodeIsNotUsed(t *testing.T) {
	p := project(t, "", files{"lambda_function.py": "from lib import value\ndef lambda_handler(e, c):\n    return value\n", "lib.py": "value = 1\n"})
	info, err := os.Stat(filepath.Join(p.Dir, "lib.py"))
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("python3", "-m", "compileall", "-q", p.Dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p.Save(t, "", files{"lib.py": "value = 2\n"})
	if err := os.Chtimes(filepath.Join(p.Dir, "lib.py"), info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	p.Put(t)
	p.Want(t, `{}`, `2`)
	p.Save(t, "", files{"lib.py": "value = 3\n"})
	p.Want(t, `{}`, `3`)
}

func TestAVirtualenvBesideTheCode(t *testing.T) {
	p := one(t, "import dep\ndef lambda_handler(e, c):\n    return [1, dep.value, dep.loads]\n")
	if out, err := exec.Command("python3", "-m", "venv", "--without-pip", filepath.Join(p.Dir, ".venv")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	site, err := filepath.Glob(filepath.Join(p.Dir, ".venv", "lib", "python3*", "site-packages"))
	if err != nil || len(site) != 1 {
		t.Fatal(site, err)
	}
	dep := filepath.Join(site[0], "dep.py")
	if err := os.WriteFile(dep, []byte("import builtins\nloads = builtins.loads = getattr(builtins, 'loads', 0) + 1\nvalue = 'dep'\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p.Put(t)
	p.Want(t, `{}`, `[1,"dep",1]`)
	p.Save(t, "", files{"lambda_function.py": "import dep\ndef lambda_handler(e, c):\n    return [2, dep.value, dep.loads]\n"})
	p.Want(t, `{}`, `[2,"dep",1]`)
	// An installation replaces files and adds a record of itself.
	if err := os.WriteFile(dep, []byte("loads = 0\nvalue = 'new'\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(site[0], "dep-2.dist-info"), 0o755); err != nil {
		t.Fatal(err)
	}
	p.Want(t, `{}`, `[2,"new",0]`)
	p.Save(t, "", files{"dep.py": "loads = 0\nvalue = 'own'\n"})
	p.Want(t, `{}`, `[1,"own",0]`)
}

func TestAThreadedPackageMeansProcessesOfTheirOwn(t *testing.T) {
	p := one(t, "import dep\ndef lambda_handler(e, c):\n    return dep.thread.is_alive()\n")
	if out, err := exec.Command("python3", "-m", "venv", "--without-pip", filepath.Join(p.Dir, ".venv")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	site, err := filepath.Glob(filepath.Join(p.Dir, ".venv", "lib", "python3*", "site-packages"))
	if err != nil || len(site) != 1 {
		t.Fatal(site, err)
	}
	text := "import threading, time\nthread = threading.Thread(target=time.sleep, args=(60,), daemon=True)\nthread.start()\n"
	if err := os.WriteFile(filepath.Join(site[0], "dep.py"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	p.Put(t)
	p.Want(t, `{}`, `true`)
	p.Want(t, `{}`, `true`)
}

func TestRequirementsThatCannotBeInstalled(t *testing.T) {
	p := project(t, "", files{"lambda_function.py": "def lambda_handler(e, c):\n    return 1\n", "requirements.txt": "./nowhere\n"})
	put(t, p)
	if _, typ, message := p.Fails(t, `{}`); typ != "Runtime.BuildError" || !strings.Contains(message, "requirements.txt cannot be installed") {
		t.Fatalf("failed with %s: %s", typ, message)
	}
	p.Save(t, "", files{"requirements.txt": "# nothing\n"})
	p.Want(t, `{}`, `1`)
}

func TestRequirementsAreInstalled(t *testing.T) {
	p := project(t, "", files{
		"lambda_function.py": "import tiny\ndef lambda_handler(e, c):\n    return tiny.value\n", "requirements.txt": "-r more.txt # and nothing else\n", "more.txt": "./vendor\n",
		"vendor/setup.py": "from setuptools import setup\nsetup(name='tiny', version='1', py_modules=['tiny'])\n", "vendor/tiny.py": "value = 'installed'\n",
	})
	if err := exec.Command("python3.12", "-c", "import setuptools, pip").Run(); err != nil && os.Getenv("CI") == "" {
		t.Skip("python3.12 with pip and setuptools is not in PATH")
	}
	p.Put(t)
	p.Want(t, `{}`, `"installed"`)
	p.Save(t, "", files{"vendor/tiny.py": "value = 'installed again'\n"})
	p.Want(t, `{}`, `"installed again"`)
}

func TestWithoutPythonTheErrorSaysWhatToDo(t *testing.T) {
	p := one(t, "")
	t.Setenv("PATH", t.TempDir())
	t.Setenv("PYENV_ROOT", t.TempDir())
	if err := p.Manager.Put(t.Context(), p.Function); err == nil || !strings.Contains(err.Error(), "https://www.python.org") {
		t.Fatal(err)
	}
}
