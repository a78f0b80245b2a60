package node_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"devstack/runtime/function"
	"devstack/runtime/function/functiontest"
	"fmt"
	"net/http"
	"net/http/httptest"
)

type files = map[string]string

// project is a function of these files.
func project(t *testing.T, runtime, handler string, f files) *functiontest.Project {
	t.Helper()
	return functiontest.NewProject(t, newEngine(t), functiontest.Sample{
		Runtime: runtime, Handler: handler, Files: func(string) map[string]string { return maps.Clone(f) },
	}, false)
}

// put puts a function that may fail to load.
func put(t *testing.T, p *functiontest.Project) {
	t.Helper()
	_ = p.Manager.Put(t.Context(), p.Function) // the outcome of an event tells
}

func TestWhatAHandlerMayReturn(t *testing.T) {
	for _, tt := range []struct{ name, handler, want string }{
		{"a promise's value", `async () => ({ a: 1 })`, `{"a":1}`},
		{"nothing, which is null", `async () => {}`, `null`},
		{"a callback's value, once timers have fired", `(event, context, callback) => { let n = 0; setTimeout(() => { n = 2; }, 20); callback(null, { toJSON: () => n }); }`, `2`},
		{"a callback's value at once, if told not to wait", `(event, context, callback) => {
			context.callbackWaitsForEmptyEventLoop = false; let n = 0; setTimeout(() => { n = 2; }, 20); callback(null, { toJSON: () => n }); }`, `0`},
		{"context.succeed", `(event, context) => { setTimeout(() => context.succeed('yes'), 5); }`, `"yes"`},
		{"context.done", `(event, context) => { context.done(null, 'done'); }`, `"done"`},
		{"no callback called, which is null", `() => 'not this'`, `null`},
		{"nothing thrown is no error", `() => { throw undefined; }`, `null`},
		{"the first call of a callback", `(event, context, callback) => { callback(null, 1); callback(null, 2); }`, `1`},
		{"what a stream is given", `awslambda.streamifyResponse(async (event, stream) => { stream.write('"a'); stream.end('b"'); })`, `"ab"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := project(t, "nodejs20.x", "", files{"index.js": "exports.handler = " + tt.handler})
			p.Put(t)
			p.Want(t, `{}`, tt.want)
			p.Want(t, `{}`, tt.want)
		})
	}
}

func TestHowAHandlerFails(t *testing.T) {
	for _, tt := range []struct{ name, source, typ, message string }{
		{"an error of its own class", `class Mine extends Error { constructor(m) { super(m); this.name = 'Mine'; } } exports.handler = async () => { throw new Mine('m'); }`, "Mine", "m"},
		{"nothing is the reason", `exports.handler = async () => { throw undefined; }`, "string", "handled"},
		{"what looks like an error", `exports.handler = async () => { throw { name: 'Like', message: 'm', stack: 's' }; }`, "Like", "m"},
		{"the character DEL", `exports.handler = async () => { throw new Error('a\x7fb'); }`, "Error", "a%7Fb"},
		{"an error whose parts fail", `exports.handler = async () => { throw Object.defineProperty(new Error('m'), 'stack', { get() { throw 1; } }); }`, "handled",
			"callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack"},
		{"context.fail without a reason", `exports.handler = (e, c) => c.fail()`, "string", "handled"},
		{"a handler that is nothing", `exports.handler = 0`, "Runtime.HandlerNotFound", "index.handler is undefined or not exported"},
		{"a string is thrown", `exports.handler = async () => { throw 'text'; }`, "string", "text"},
		{"a callback's error", `exports.handler = (e, c, callback) => callback(new TypeError('wrong'))`, "TypeError", "wrong"},
		{"context.fail", `exports.handler = (e, c) => c.fail(new Error('failed'))`, "Error", "failed"},
		{"a promise nobody handles", `exports.handler = () => new Promise(() => Promise.reject(new Error('lost')))`, "Runtime.UnhandledPromiseRejection", "Error: lost"},
		{"an error in a timer", `exports.handler = () => new Promise(() => setTimeout(() => { throw new RangeError('late'); }, 5))`, "RangeError", "late"},
		{"a promise that is never settled", `exports.handler = () => new Promise(() => {})`, "Runtime.NodeJsExit",
			"The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise that was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes"},
		{"a value that is not JSON", `exports.handler = async () => 1n`, "Error", "Unable to stringify response body"},
		{"a handler that is not there", `exports.other = 1`, "Runtime.HandlerNotFound", "index.handler is undefined or not exported"},
		{"a handler that is no function", `exports.handler = 1`, "Runtime.HandlerNotFound", "index.handler is not a function"},
		{"an error while it loads", `throw new Error('early')`, "Error", "early"},
		{"a promise nobody handles while it loads", `Promise.reject(new Error('early')); exports.handler = async () => {}; `, "Runtime.UnhandledPromiseRejection", "Error: early"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := project(t, "nodejs20.x", "", files{"index.js": tt.source})
			put(t, p)
			for range 2 {
				out, typ, message := p.Fails(t, `{}`)
				if typ != tt.typ || message != tt.message {
					t.Fatalf("failed with %s: %s, want %s: %s", typ, message, tt.typ, tt.message)
				}
				var body struct{ Trace []string }
				if err := json.Unmarshal(out.Payload, &body); err != nil || body.Trace == nil && typ != "handled" {
					t.Errorf("the body has no trace: %s", out.Payload)
				}
			}
		})
	}
}

func TestWhatCannotBeLoaded(t *testing.T) {
	for _, tt := range []struct {
		name, handler string
		files         files
		typ, message  string // a prefix
	}{
		{"a package that is not installed", "", files{"index.js": "require('nowhere'); exports.handler = () => {}"},
			"Runtime.ImportModuleError", "Error: Cannot find module 'nowhere'\nRequire stack:\n- "},
		{"a file that is not there", "app.handler", files{"index.js": ""},
			"Runtime.ImportModuleError", "Error: Cannot find module 'app'\nRequire stack:\n- "},
		{"an ES module's package", "", files{"index.mjs": "import 'nowhere'; export const handler = () => {}"},
			"Error", "Cannot find package 'nowhere' imported from "},
		{"a package of TypeScript", "", files{"index.ts": "import x from 'nowhere'; export const handler = () => x"},
			"Runtime.ImportModuleError", "Error: Cannot find module 'nowhere'\nRequire stack:\n- "},
		{"a handler without a dot", "index", files{"index.js": ""}, "Runtime.MalformedHandlerName", "Bad handler"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := project(t, "nodejs20.x", tt.handler, tt.files)
			put(t, p)
			if _, typ, message := p.Fails(t, `{}`); typ != tt.typ || !strings.HasPrefix(message, tt.message) {
				t.Fatalf("failed with %s: %s, want %s: %s…", typ, message, tt.typ, tt.message)
			}
		})
	}
}

func TestASyntaxErrorShowsTheLine(t *testing.T) {
	for name, source := range map[string]string{"index.js": "exports.handler = async () => {\n  const x = ;\n};\n", "index.ts": "export const handler = async (): string => {\n  const x: = ;\n};\n"} {
		p := project(t, "nodejs20.x", "", files{name: source})
		put(t, p)
		if _, typ, message := p.Fails(t, `{}`); typ != "Runtime.BuildError" || !strings.Contains(message, name+":2:") || !strings.Contains(message, "const x") {
			t.Errorf("failed with %s: %s", typ, message)
		}
	}
}

func TestARequireThatIsNeverReachedDoesNoHarm(t *testing.T) {
	p := project(t, "nodejs20.x", "", files{"index.js": "exports.handler = async (e) => { if (e.never) require('./missing'); return 1; }"})
	p.Put(t)
	p.Want(t, `{}`, `1`)
}

func TestTheContext(t *testing.T) {
	p := project(t, "nodejs20.x", "", files{"index.js": `exports.handler = async (event, c) => ({
		name: c.functionName, version: c.functionVersion, arn: c.invokedFunctionArn, memory: c.memoryLimitInMB,
		group: c.logGroupName, stream: c.logStreamName === process.env.AWS_LAMBDA_LOG_STREAM_NAME && c.logStreamName.length > 20,
		id: c.awsRequestId.length, time: c.getRemainingTimeInMillis() > 15000 && c.getRemainingTimeInMillis() <= 20000,
		waits: c.callbackWaitsForEmptyEventLoop, cwd: process.cwd() === __dirname,
	})`})
	p.Put(t)
	p.Want(t, `{}`, `{"arn":"arn:aws:lambda:us-east-1:000000000000:function:sample","cwd":true,"group":"/aws/lambda/sample","id":36,`+
		`"memory":"128","name":"sample","stream":true,"time":true,"version":"$LATEST","waits":true}`)
	p.Save(t, "2", files{"index.js": "exports.handler = async (e, c) => c.logStreamName === process.env.AWS_LAMBDA_LOG_STREAM_NAME"})
	p.Want(t, `{}`, `true`)
}

func TestPrefixesOfTheEndpointResolve(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host) }))
	defer server.Close()
	address := strings.TrimPrefix(server.URL, "http://")
	p := project(t, "nodejs20.x", "", files{"index.js": `exports.handler = (event, context, callback) => {
		const [host, port] = event.split(':');
		require('http').get({ host, port, headers: { host: event } }, (r) => r.on('data', (b) => callback(null, String(b)))).on('error', callback);
	}`})
	p.Function.Environment = map[string]string{"AWS_ENDPOINT_URL": server.URL}
	p.Put(t)
	p.Want(t, `"sync-`+address+`"`, `"sync-`+address+`"`)
	p.Want(t, `"`+address+`"`, `"`+address+`"`)
}

func TestCallbacksAreGoneFromNode24(t *testing.T) {
	p := project(t, "nodejs24.x", "", files{"index.js": "exports.handler = (event, context, callback) => callback(null, 1)"})
	put(t, p)
	if _, typ, _ := p.Fails(t, `{}`); typ != "Runtime.CallbackHandlerDeprecated" {
		t.Fatalf("failed with %s", typ)
	}
}

func TestAConsoleMessageIsOneLineOfTheLog(t *testing.T) {
	p := project(t, "nodejs20.x", "", files{"index.js": `exports.handler = async () => {
		process.stdout.write('raw\n'); console.warn('%s and', 'this', { a: 1 }); console.error('two\nlines'); process.stderr.write('end\n'); }`})
	p.Put(t)
	out := p.Want(t, `{}`, `null`)
	lines := p.Lines(out.RequestID)
	stamp := `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\t` + out.RequestID + `\t`
	for i, want := range []string{"^START ", "^raw$", stamp + `WARN\tthis and \{ a: 1 \}$`, stamp + `ERROR\ttwo\nlines$`, "^end$", "^END ", "^REPORT "} {
		if i >= len(lines) || !regexp.MustCompile(want).MatchString(lines[i]) {
			t.Fatalf("the log is %q, want at %d %s", lines, i, want)
		}
	}
}

func TestTracesShowTypeScript(t *testing.T) {
	for _, pkg := range []string{`{}`, `{"type":"module"}`} {
		p := project(t, "nodejs20.x", "src/app.handler", files{
			"package.json":    pkg,
			"src/app.ts":      "import { fail } from './lib/fail';\n\nexport const handler = async (): Promise<void> => fail();\n",
			"src/lib/fail.ts": "interface Long {\n  a: string;\n}\n\nexport function fail(): never {\n  throw new Error('deep');\n}\n",
		})
		put(t, p)
		out, _, _ := p.Fails(t, `{}`)
		if !strings.Contains(string(out.Payload), "src/lib/fail.ts:6:9") || !strings.Contains(string(out.Payload), "src/app.ts:3:") {
			t.Errorf("%s: the trace is %s", pkg, out.Payload)
		}
	}
}

func TestFilesBesideTheCodeAreWhereTheyAre(t *testing.T) {
	for _, tt := range []struct {
		name, handler string
		files         files
	}{
		{"CommonJS", "src/app.handler", files{
			"src/app.js":        "exports.handler = async (e) => require('./lib/' + 'read').read();\n",
			"src/lib/read.js":   "const fs = require('fs'), path = require('path');\nexports.read = () => fs.readFileSync(path.join(__dirname, 'data.txt'), 'utf8') + require('../more.json').more;\n",
			"src/lib/data.txt":  "1",
			"src/more.json":     `{"more":"+"}`,
			"src/lib/other.css": "",
		}},
		{"ES modules", "src/app.handler", files{
			"package.json":     `{"type":"module"}`,
			"src/app.js":       "export const handler = async (e) => (await import(`./lib/${'read'}.js`)).read();\n",
			"src/lib/read.js":  "import fs from 'fs';\nimport { createRequire } from 'module';\nconst require = createRequire(import.meta.url);\nexport const read = () => fs.readFileSync(new URL('./data.txt', import.meta.url), 'utf8') + require('../more.json').more;\n",
			"src/lib/data.txt": "1",
			"src/more.json":    `{"more":"+"}`,
		}},
		{"TypeScript of ES modules", "app.handler", files{
			"package.json":     `{"type":"module"}`,
			"app.ts":           "import fs from 'node:fs';\nimport more from './more.json';\nconst text = await Promise.resolve('');\nexport const handler = async () => text + fs.readFileSync(new URL('./src/lib/data.txt', import.meta.url), 'utf8') + more.more;\n",
			"src/lib/data.txt": "1",
			"more.json":        `{"more":"+"}`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := project(t, "nodejs20.x", tt.handler, tt.files)
			p.Put(t)
			p.Want(t, `{}`, `"1+"`)
			p.Save(t, "", files{"src/lib/data.txt": "2"})
			p.Want(t, `{}`, `"2+"`)
		})
	}
}

func TestADynamicallyRequiredFileReloads(t *testing.T) {
	p := project(t, "nodejs20.x", "", files{
		"index.js": "const name = 'plugin';\nconst plugin = require('./' + name);\nexports.handler = async () => plugin;\n", "plugin.js": "module.exports = 1;\n",
	})
	p.Put(t)
	p.Want(t, `{}`, `1`)
	p.Save(t, "", files{"plugin.js": "module.exports = 2;\n"})
	p.Want(t, `{}`, `2`)
}

func TestPackages(t *testing.T) {
	p := project(t, "nodejs20.x", "", files{
		"package.json":                    `{"dependencies":{"dep":"1"}}`,
		"node_modules/dep/package.json":   `{"name":"dep","version":"1.0.0"}`,
		"node_modules/dep/index.js":       "globalThis.loads = (globalThis.loads ?? 0) + 1;\nmodule.exports = { version: 1, loads: () => globalThis.loads };\n",
		"index.js":                        "const dep = require('dep');\nexports.handler = async () => [1, dep.version, dep.loads()];\n",
		"node_modules/.package-lock.json": `{"v":1}`,
	})
	p.Put(t)
	p.Want(t, `{}`, `[1,1,1]`)
	p.Save(t, "", files{"index.js": "const dep = require('dep');\nexports.handler = async () => [2, dep.version, dep.loads()];\n"})
	p.Want(t, `{}`, `[2,1,1]`)
	// An installation writes the package and npm's record of it.
	for name, content := range map[string]string{"dep/package.json": `{"name":"dep","version":"2.0.0"}`, "dep/index.js": "module.exports = { version: 2, loads: () => 0 };\n", ".package-lock.json": `{"v":2}`} {
		if err := os.WriteFile(filepath.Join(p.Dir, "node_modules", name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p.Want(t, `{}`, `[2,2,0]`)
}

func TestALinkedPackageIsTheFunctionsOwn(t *testing.T) {
	for entry, source := range map[string]string{
		"index.js": "const lib = require('lib');\nexports.handler = async () => lib.value;\n",
		"index.ts": "import { value } from 'lib';\nexport const handler = async (): Promise<number> => value;\n",
	} {
		lib := t.TempDir()
		write := func(value string) {
			if err := os.WriteFile(filepath.Join(lib, "index.js"), []byte("exports.value = "+value+";\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		write("1")
		p := project(t, "nodejs20.x", "", files{"package.json": "{}", entry: source})
		if err := os.Mkdir(filepath.Join(p.Dir, "node_modules"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(lib, filepath.Join(p.Dir, "node_modules", "lib")); err != nil {
			t.Fatal(err)
		}
		p.Put(t)
		p.Want(t, `{}`, `1`)
		write("2")
		p.Want(t, `{}`, `2`)
		write("3")
		p.Want(t, `{}`, `3`)
	}
}

func TestWithoutNodeTheErrorSaysWhatToDo(t *testing.T) {
	p := project(t, "nodejs20.x", "", files{"index.js": ""})
	t.Setenv("PATH", t.TempDir())
	t.Setenv("NVM_DIR", t.TempDir())
	err := p.Manager.Put(t.Context(), p.Function)
	var mistake *function.BuildError
	if err == nil || !strings.Contains(err.Error(), "https://nodejs.org") {
		t.Fatalf("%T %v %v", err, err, mistake)
	}
}
