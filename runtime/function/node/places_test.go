package node_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"devstack/internal/clock"
	"devstack/runtime/function/functiontest"
	"devstack/runtime/function/node"
)

func TestLayers(t *testing.T) {
	needsNode(t)
	engine := node.New(node.Options{Clock: clock.System()})
	p := functiontest.NewProject(t, engine, functiontest.Sample{Runtime: "nodejs20.x", Files: func(string) map[string]string {
		return files{"index.js": "exports.handler = async () => require('shared').value"}
	}}, false)
	layer := t.TempDir()
	save := func(value string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(layer, "nodejs", "node_modules", "shared"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(layer, "nodejs", "node_modules", "shared", "index.js"), []byte("exports.value = "+value), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p.Function.Layers = []string{layer}
	save(`"first"`)
	p.Put(t)
	p.Want(t, `{}`, `"first"`)
	for _, value := range []string{`"another"`, `"a third"`} { // in a process that waited, and had loaded the layer's packages
		for tries := 0; !engine.Waits(p.Function); tries++ {
			if tries > 1000 {
				t.Fatal("no process waits")
			}
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(300 * time.Millisecond) // for it to load them: it does not say when it has
		save(value)
		p.Want(t, `{}`, value)
	}
}

func TestAWrapperStartsNode(t *testing.T) {
	p := project(t, "nodejs20.x", "", files{
		"index.js": "exports.handler = async () => process.env.WRAPPED",
		"wrapper":  "#!/bin/sh\nexport WRAPPED=yes\nexec \"$@\"\n",
	})
	p.Function.Environment["AWS_LAMBDA_EXEC_WRAPPER"] = "/var/task/wrapper"
	p.Put(t)
	p.Want(t, `{}`, `"yes"`)
	p.Want(t, `{}`, `"yes"`)
}

// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html#runtime-wrapper: the script starts what it likes.
func TestAWrapperStartsAnotherProgram(t *testing.T) {
	p := project(t, "nodejs20.x", "", files{
		"run.sh":  "#!/bin/sh\nexec node server.js\n",
		"wrapper": "#!/bin/sh\nexec \"$LAMBDA_TASK_ROOT/$_HANDLER\"\n",
		"server.js": `(async () => {
			const api = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2018-06-01/runtime/invocation/';
			for (;;) {
				const next = await fetch(api + 'next');
				const event = await next.json();
				console.log('took', event);
				if (event === 'end') process.exit(3);
				await fetch(api + next.headers.get('lambda-runtime-aws-request-id') + '/response', { method: 'POST', body: '"first"' });
			}
		})()`,
	})
	p.Function.Handler = "run.sh"
	p.Function.Environment["AWS_LAMBDA_EXEC_WRAPPER"] = "/var/task/wrapper"
	p.Put(t)
	p.Want(t, `{}`, `"first"`)
	out := p.Want(t, `"again"`, `"first"`)
	if !slices.Contains(p.Lines(out.RequestID), "took again") {
		t.Errorf("the request's log is %q, want what the program printed", p.Lines(out.RequestID))
	}
	if _, typ, message := p.Fails(t, `"end"`); typ != "Runtime.ExitError" || !strings.HasSuffix(message, "Runtime exited with error: exit status 3") {
		t.Errorf("a program that ends with status 3 answers %s: %s", typ, message)
	}
	p.Want(t, `{}`, `"first"`)
	text, err := os.ReadFile(filepath.Join(p.Dir, "server.js"))
	if err != nil {
		t.Fatal(err)
	}
	p.Save(t, "2", files{"server.js": strings.ReplaceAll(string(text), "first", "second")})
	p.Want(t, `{}`, `"second"`)
}

func TestTemporaryFilesAreTheSandboxsOwn(t *testing.T) {
	const list = "exports.handler = async (e) => { const dir = require('os').tmpdir(); const fs = require('fs'); "
	p := project(t, "nodejs20.x", "", files{"index.js": list + "fs.writeFileSync(dir + '/' + e, ''); return fs.readdirSync(dir) }"})
	p.Put(t)
	p.Want(t, `"a"`, `["a"]`)
	p.Want(t, `"b"`, `["a","b"]`)
	p.Save(t, "2", files{"index.js": list + "return fs.readdirSync(dir) }"}) // by a process that waited
	p.Want(t, `{}`, `[]`)
}

// The form of the answer is AWS's: https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
func TestMoreMemoryThanTheFunctionHas(t *testing.T) {
	p := project(t, "nodejs20.x", "", files{"index.js": `exports.handler = async (e) => {
		const held = Buffer.alloc(e << 20, 1); await new Promise((done) => setTimeout(done, e > 128 ? 1000 : 0)); return held.length >> 20 }`})
	p.Put(t)
	p.Want(t, `20`, `20`)
	out, typ, message := p.Fails(t, `300`)
	if want := "RequestId: " + out.RequestID + " Error: Runtime exited with error: signal: killed"; typ != "Runtime.ExitError" || message != want {
		t.Errorf("failed with %s: %s, want Runtime.ExitError: %s", typ, message, want)
	}
	p.Want(t, `20`, `20`)
}
