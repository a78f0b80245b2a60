package python_test

import (
	"os"
	"path/filepath"
	"testing"
)

func TestLayers(t *testing.T) {
	p := one(t, "import shared\ndef lambda_handler(e, c):\n    return shared.value\n")
	layer := t.TempDir()
	save := func(value string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(layer, "python"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(layer, "python", "shared.py"), []byte("value = "+value+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p.Function.Layers = []string{layer}
	save(`"first"`)
	p.Put(t)
	p.Want(t, `{}`, `"first"`)
	save(`"another"`)
	p.Want(t, `{}`, `"another"`)
}

func TestAWrapperStartsPython(t *testing.T) {
	p := project(t, "", files{
		"lambda_function.py": "import os\ndef lambda_handler(e, c):\n    return os.environ.get('WRAPPED')\n",
		"wrapper":            "#!/bin/sh\nexport WRAPPED=yes\nexec \"$@\"\n",
	})
	p.Function.Environment["AWS_LAMBDA_EXEC_WRAPPER"] = "/var/task/wrapper"
	p.Put(t)
	p.Want(t, `{}`, `"yes"`)
	p.Save(t, "2", files{"wrapper": "#!/bin/sh\nexport WRAPPED=again\nexec \"$@\"\n"})
	p.Want(t, `{}`, `"again"`)
}

// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html#runtime-wrapper: the script starts what it likes.
func TestAWrapperStartsAnotherProgram(t *testing.T) {
	p := project(t, "", files{
		"run.sh":  "#!/bin/sh\nexec python3 server.py\n",
		"wrapper": "#!/bin/sh\nexec \"$LAMBDA_TASK_ROOT/$_HANDLER\"\n",
		"server.py": `import os, urllib.request
api = 'http://' + os.environ['AWS_LAMBDA_RUNTIME_API'] + '/2018-06-01/runtime/invocation/'
while True:
    with urllib.request.urlopen(api + 'next') as next:
        request, event = next.headers['Lambda-Runtime-Aws-Request-Id'], next.read()
    urllib.request.urlopen(api + request + '/response', data=b'"first ' + event + b'"').close()
`,
	})
	p.Function.Handler = "run.sh"
	p.Function.Environment["AWS_LAMBDA_EXEC_WRAPPER"] = "/var/task/wrapper"
	p.Put(t)
	p.Want(t, `1`, `"first 1"`)
	p.Want(t, `2`, `"first 2"`)
}

func TestTemporaryFilesAreTheSandboxsOwn(t *testing.T) {
	p := one(t, "import os, tempfile\ndef lambda_handler(e, c):\n    open(os.path.join(tempfile.gettempdir(), e), 'w')\n    return sorted(os.listdir(tempfile.gettempdir()))\n")
	p.Put(t)
	p.Want(t, `"a"`, `["a"]`)
	p.Want(t, `"b"`, `["a","b"]`)
	p.Save(t, "2", files{"lambda_function.py": "import os, tempfile\ndef lambda_handler(e, c):\n    return os.listdir(tempfile.gettempdir())\n"})
	p.Want(t, `{}`, `[]`)
}

// The form of the answer is AWS's: https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
func TestMoreMemoryThanTheFunctionHas(t *testing.T) {
	p := one(t, "import time\ndef lambda_handler(e, c):\n    held = bytearray(e << 20)\n    for i in range(0, len(held), 4096):\n        held[i] = 1\n    time.sleep(1 if e > 128 else 0)\n    return len(held) >> 20\n")
	p.Put(t)
	p.Want(t, `20`, `20`)
	out, typ, message := p.Fails(t, `300`)
	if want := "RequestId: " + out.RequestID + " Error: Runtime exited with error: signal: killed"; typ != "Runtime.ExitError" || message != want {
		t.Errorf("failed with %s: %s, want Runtime.ExitError: %s", typ, message, want)
	}
	p.Want(t, `20`, `20`)
}
