package main

import (
	"archive/zip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"devstack/runtime/config"
	"devstack/runtime/function"
)

// invoke calls a function by Lambda's API, and returns what it answered and the header.
func (r *running) invoke(name, event string) (string, http.Header) {
	r.t.Helper()
	res, err := http.Post(fmt.Sprintf("http://127.0.0.1:%d/2015-03-31/functions/%s/invocations", r.aws, name), "application/json", strings.NewReader(event))
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(b), res.Header
}

// functionURL calls a function of the stack at the address that other blocks are told.
func (r *running) functionURL(name string, status int, body string) {
	r.t.Helper()
	req, err := http.NewRequest("GET", fmt.Sprintf("http://127.0.0.1:%d%s", r.aws, body), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Host = fmt.Sprintf("%s.lambda-url.us-east-1.localhost:%d", config.FunctionURLID("arn:aws:lambda:us-east-1:000000000000:function:"+name), r.aws)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	if b, _ := io.ReadAll(res.Body); res.StatusCode != status || string(b) != body {
		r.t.Errorf("the URL of %s answers %d %s", name, res.StatusCode, b)
	}
}

// zipFile is an archive with one file.
func zipFile(t *testing.T, path, name, content string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := zip.NewWriter(f)
	in, err := w.Create(name)
	if err == nil {
		_, err = in.Write([]byte(content))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatAStackSaysOfAFunctionIsSo(t *testing.T) {
	need(t, "python3", "install python3")
	r := writeStack(t, map[string]string{
		"stack.hcl": `stack "s" { port = $AWS }
function "js" {
  runtime                 = "js"
  source                  = "js.js"
  env_file                = ".env"
  provisioned_concurrency = 2
  tags                    = { team = "a" }
}
function "py" {
  runtime = "python3.12"
  source  = "py.py"
  layers  = ["layer.zip"]
}
function "count" {
  runtime     = "js"
  source      = "count.js"
  concurrency = 7
  tracing     = "Active"
}
function "off" {
  runtime     = "js"
  source      = "js.js"
  concurrency = 0
  environment = { OTHER = function.url.url }
}
function "url" {
  runtime           = "js"
  source            = "url.js"
  log_format        = "JSON"
  system_log_level  = "WARN"
  ephemeral_storage = 1024
  url {
    cors { allow_origins = ["https://example.com"] }
  }
  async {
    max_retries = 0
    on_failure  = function.js.arn
  }
}
`,
		".env":     "COLOUR=green # for now\n",
		"js.js":    "exports.handler = async (e) => { if (e.fail) throw new TypeError('no\\nway'); console.log('hello'); return process.env[e.name]; }\n",
		"count.js": "let n = 0\nexports.handler = async () => ++n\n",
		"url.js":   "exports.handler = async (e) => ({ statusCode: 201, body: e.rawPath })\n",
		"py.py":    "import shared\ndef lambda_handler(event, context):\n    return shared.value\n",
	})
	archive := filepath.Join(r.dir, "layer.zip")
	zipFile(t, archive, "python/shared.py", "value = 1\n")
	r.devstack("up", "--detach", "--wait", "30s")

	want := func(name, event, answer string) {
		t.Helper()
		if got, _ := r.invoke(name, event); got != answer {
			t.Errorf("%s answered %s, want %s", name, got, answer)
		}
	}
	answers := func(name, event, answer string) func() bool {
		return func() bool { got, _ := r.invoke(name, event); return got == answer }
	}
	want("js", `{"name":"COLOUR"}`, `"green"`)
	want("js", `{"name":"AWS_LAMBDA_INITIALIZATION_TYPE"}`, `"provisioned-concurrency"`)
	want("py", `{}`, `1`)

	r.write(".env", "COLOUR='light\nblue'\n")
	eventually(t, "environment of the saved file", answers("js", `{"name":"COLOUR"}`, `"light\nblue"`))
	r.write(".env", "COLOUR='light\n")
	r.write(".env", "COLOUR=red\n") // what is wrong meanwhile changes nothing
	eventually(t, "environment of the mended file", answers("js", `{"name":"COLOUR"}`, `"red"`))
	zipFile(t, archive, "python/shared.py", "value = 2\n")
	eventually(t, "value of the new layer", answers("py", `{}`, `2`))

	r.write("py.py", "import shared\n\nx = missing\n")
	_, header := r.invoke("py", `{}`)
	if got := header.Get("X-Devstack-Error"); !strings.HasPrefix(got, "py.py:3: ") || !strings.Contains(got, "missing") {
		t.Errorf("the header says %q", got)
	}
	r.write("js.js", "exports.handler = async () => {\n  return 1 +;\n}\n")
	answer, header := r.invoke("js", `{}`)
	if got := header.Get("X-Devstack-Error"); !strings.HasPrefix(got, "js.js:2: ") || header.Get("X-Amz-Function-Error") != "Unhandled" || !strings.Contains(answer, "js.js:2") {
		t.Errorf("a build error answers %s with the header %q", answer, got)
	}
	r.write("js.js", "exports.handler = async (e) => { if (e.fail) throw new TypeError('no\\nway'); return 'mended'; }\n")
	want("js", `{}`, `"mended"`)
	if _, header := r.invoke("js", `{"fail":true}`); header.Get("X-Devstack-Error") != "" {
		t.Error("a function's own failure is told as one of its build")
	}

	res, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/2017-03-31/tags/arn:aws:lambda:us-east-1:000000000000:function:js", r.aws))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, _ := io.ReadAll(res.Body); string(b) != `{"Tags":{"team":"a"}}` {
		t.Errorf("the tags are %s", b)
	}

	if got, _ := r.invoke("off", `{}`); !strings.Contains(got, "Rate Exceeded") {
		t.Errorf("a function that is turned off answers %s", got)
	}
	r.functionURL("url", 201, "/path")
	for path, want := range map[string]string{
		"/2019-09-25/functions/url/event-invoke-config": `"MaximumRetryAttempts":0`,
		"/2015-03-31/functions/url/configuration":       `"SystemLogLevel":"WARN"`,
		"/2015-03-31/functions/count/configuration":     `"TracingConfig":{"Mode":"Active"}`,
		"/2015-03-31/functions/url":                     `"EphemeralStorage":{"Size":1024}`,
		"/2019-09-30/functions/off/concurrency":         `"ReservedConcurrentExecutions":0`,
		"/2021-10-31/functions/url/url":                 `"AllowOrigins":["https://example.com"]`,
	} {
		res, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d%s", r.aws, path))
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if !strings.Contains(string(b), want) {
			t.Errorf("%s answers %s, want %s", path, b, want)
		}
	}
	count, _ := r.invoke("count", `{}`)
	r.edit("stack.hcl", "concurrency = 0", "concurrency = 1")
	r.edit("stack.hcl", "concurrency = 7", "concurrency = 8")
	eventually(t, "function that is turned on", answers("off", `{}`, `"mended"`))
	eventually(t, "another reservation", func() bool {
		res, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/2019-09-30/functions/count/concurrency", r.aws))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return strings.Contains(string(b), ":8}")
	})
	if again, _ := r.invoke("count", `{}`); count != "1" || again != "2" {
		t.Errorf("%s calls, and %s after a change of the reservation: it has replaced the environment", count, again)
	}

	if out := r.devstack("logs", "count"); strings.Count(out, "START RequestId: ") != 2 || !strings.Contains(out, "XRAY TraceId: 1-") {
		t.Errorf("a function that is traced logs\n%s", out)
	}

	whole, err := os.ReadFile(filepath.Join(r.dir, "stack.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(whole), `function "count"`)
	r.write("stack.hcl", first)
	eventually(t, "removal of the functions", func() bool { got, _ := r.invoke("url", `{}`); return strings.Contains(got, "Function not found") })
	r.write("stack.hcl", strings.Replace(string(whole), "concurrency = 0", "concurrency = 1", 1)[:len(first)]+`function "off" {
  runtime = "js"
  source  = "js.js"
}
function "url" {
  runtime = "js"
  source  = "url.js"
}
`)
	eventually(t, "return of the functions", answers("off", `{}`, `"mended"`))
	eventually(t, "end of the function's URL", func() bool {
		res, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/2021-10-31/functions/url/url", r.aws))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode == 404
	})

	screen := func() string { b, _ := os.ReadFile(filepath.Join(r.dir, stateDir, "daemon.log")); return string(b) }
	eventually(t, "lines of the invocations", func() bool { return strings.Contains(screen(), "TypeError: no") })
	for _, line := range []string{" | ok ", " | hello", "js.js:2", "> 3 │ x = missing"} {
		if !strings.Contains(screen(), line) {
			t.Errorf("the terminal does not have %q:\n%s", line, screen())
		}
	}
	for _, line := range []string{"START RequestId", "END RequestId", "REPORT RequestId"} {
		if strings.Contains(screen(), line) {
			t.Errorf("the terminal has the line %q", line)
		}
		if !strings.Contains(r.devstack("logs", "js"), line) {
			t.Errorf("the log does not have the line %q", line)
		}
	}
}

// What a service says of a refusal besides its message is what the SDK says: item by item, and with bytes where there are bytes.
func TestAJSFunctionReadsWhatARefusalHolds(t *testing.T) {
	r := writeStack(t, map[string]string{
		"stack.hcl": `stack "s" { port = $AWS }
table "things" { hash_key = "id" }
function "f" {
  runtime = "js"
  source  = "f.js"
}
`,
		"f.js": `const { DynamoDB, ConditionalCheckFailedException } = require('@aws-sdk/client-dynamodb');
const { unmarshall } = require('@aws-sdk/util-dynamodb');
const db = new DynamoDB({});
const put = { TableName: 'things', Item: { id: { S: 'a' }, bytes: { B: new Uint8Array([1, 2]) }, n: { N: '1.50' } },
  ConditionExpression: 'attribute_not_exists(id)', ReturnValuesOnConditionCheckFailure: 'ALL_OLD' };
exports.handler = async () => {
  await db.putItem(put);
  const told = [];
  await db.putItem(put).catch((e) => told.push(e instanceof ConditionalCheckFailedException, unmarshall(e.Item)));
  await db.transactWriteItems({ TransactItems: [{ Put: put }] }).catch((e) => told.push(e.CancellationReasons.map((r) => [r.Code, unmarshall(r.Item)])));
  return told;
};
`,
	})
	if out, code := r.up(); code != 0 {
		t.Fatalf("up ended with %d: %s", code, out)
	}
	const item = `{"id":"a","bytes":{"0":1,"1":2},"n":1.5}`
	if got, _ := r.invoke("f", "{}"); sameJSON(got) != sameJSON(`[true,`+item+`,[["ConditionalCheckFailed",`+item+`]]]`) {
		t.Errorf("the function was told %s", got)
	}
}

// sameJSON is a text in one form for all that mean the same.
func sameJSON(text string) string {
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return text
	}
	b, _ := json.Marshal(v)
	return string(b)
}

// An edit that was taken back before it was carried out is taken back in the runtime too, whatever the edit had reached by then.
func TestAnUpdateThatWasGivenUpIsUndone(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"stack.hcl": fmt.Sprintf("stack \"s\" { port = %d }\nfunction \"f\" {\n  runtime = \"js\"\n  source  = \"f.js\"\n}\n", freePort(t)),
		"f.js":      "exports.handler = async () => process.env.WHO ?? 'nobody';",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	d, err := openDaemon(dir, daemonOptions{ephemeral: true})
	if err != nil {
		t.Fatal(err)
	}
	defer d.close(t.Context())
	stack, err := d.load()
	if err != nil {
		t.Fatal(err)
	}
	fn := stack.Resources[0].(*config.Function)
	runner := functionRunner{d}
	if _, err := runner.Start(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
	edited := *fn
	edited.Environment = map[string]string{"WHO": "somebody"}
	ctx, giveUp := context.WithCancel(t.Context())
	giveUp()
	if _, err := runner.Update(ctx, fn, &edited, nil); err == nil {
		t.Error("an update that was given up has succeeded")
	}
	again := *fn
	if _, err := runner.Update(t.Context(), fn, &again, nil); err != nil {
		t.Fatal(err)
	}
	out, err := d.functions.Invoke(t.Context(), fn.Key(), function.Invocation{})
	if err != nil || string(out.Payload) != `"nobody"` {
		t.Errorf("answered %s, %v", out.Payload, err)
	}
}
