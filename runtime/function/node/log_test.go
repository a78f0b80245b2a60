package node_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"devstack/runtime/function"
)

// records are a request's log lines without Lambda's own.
func records(t *testing.T, source string, env map[string]string) []string {
	t.Helper()
	p := project(t, "nodejs22.x", "", files{"index.js": source})
	for k, v := range env {
		p.Function.Environment[k] = v
	}
	put(t, p)
	out := p.Invoke(t, `{}`)
	return slices.DeleteFunc(p.Lines(out.RequestID), func(l string) bool {
		return strings.HasPrefix(l, "START ") || strings.HasPrefix(l, "END ") || strings.HasPrefix(l, "REPORT ") || strings.Contains(l, `"platform.`)
	})
}

// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html, and LogPatch of AWS's runtime interface client
func TestTheLogInJSON(t *testing.T) {
	for _, tt := range []struct{ name, call, want string }{
		{"a text", `console.log('hello')`, `{"level":"INFO","message":"hello"}`},
		{"an object, as it is", `console.info({ a: [1] })`, `{"level":"INFO","message":{"a":[1]}}`},
		{"several values", `console.debug('%s is', 'this', { a: 1 })`, `{"level":"DEBUG","message":"this is { a: 1 }"}`},
		{"several lines", `console.warn('a\nb')`, `{"level":"WARN","message":"a\nb"}`},
		{"nothing", `console.error()`, `{"level":"ERROR"}`},
		{"a stack", `console.trace('t')`, `{"level":"TRACE","message":"t"}`},
		{"the worst", `console.fatal('f')`, `{"level":"FATAL","message":"f"}`},
		{"an error", `console.error(Object.assign(new RangeError('r'), { code: 7, stack: 'a\nb' }))`,
			`{"level":"ERROR","message":{"code":7,"errorMessage":"r","errorType":"RangeError","stackTrace":["a","b"]}}`},
		{"an error among others", `console.error('it', Object.assign(new TypeError('t'), { stack: 'TypeError: t\n    at x' }))`,
			`{"errorMessage":"t","errorType":"TypeError","level":"ERROR","message":"it TypeError: t\n    at x","stackTrace":["TypeError: t","    at x"]}`},
		{"what refers to itself", `const o = {}; o.o = o; console.log(o)`, `{"level":"INFO","message":"<ref *1> { o: [Circular *1] }"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lines := records(t, "exports.handler = async () => { "+tt.call+" };", map[string]string{"AWS_LAMBDA_LOG_FORMAT": "JSON"})
			if len(lines) != 1 {
				t.Fatalf("%d lines: %q", len(lines), lines)
			}
			var got map[string]any
			if err := json.Unmarshal([]byte(lines[0]), &got); err != nil {
				t.Fatalf("%s: %v", lines[0], err)
			}
			if id, _ := got["requestId"].(string); len(id) != 36 {
				t.Errorf("the request id is %q", id)
			}
			if at, _ := got["timestamp"].(string); !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`).MatchString(at) {
				t.Errorf("the time is %q", at)
			}
			delete(got, "requestId")
			delete(got, "timestamp")
			b, err := json.Marshal(got)
			if err != nil || strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(string(b)) != tt.want {
				t.Errorf("logged %s, want %s (%v)", b, tt.want, err)
			}
		})
	}
}

func TestTheLevelOfTheLog(t *testing.T) {
	const source = "exports.handler = async () => { for (const m of ['trace', 'debug', 'log', 'info', 'warn', 'error', 'fatal']) console[m](m); };"
	for level, want := range map[string]string{
		"": "trace debug log info warn error fatal", "TRACE": "trace debug log info warn error fatal", "DEBUG": "debug log info warn error fatal",
		"info": "log info warn error fatal", "WARN": "warn error fatal", "ERROR": "error fatal", "FATAL": "fatal", "NONSENSE": "trace debug log info warn error fatal",
	} {
		env := map[string]string{}
		if level != "" {
			env["AWS_LAMBDA_LOG_LEVEL"] = level
		}
		var got []string
		for _, line := range records(t, source, env) {
			got = append(got, line[strings.LastIndexByte(line, '\t')+1:])
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("with level %q the log has %s, want %s", level, s, want)
		}
	}
}

// The forms are those of logError in AWS's runtime interface client.
func TestAnErrorInTheLog(t *testing.T) {
	for _, tt := range []struct{ name, source, format, want string }{
		{"an error", `exports.handler = async () => { const e = new RangeError('r'); e.code = 'C'; e.stack = 's\nt'; throw e; }`, "TEXT",
			`^[-0-9T:.]+Z\t[-0-9a-f]{36}\tERROR\tInvoke Error \t\{"errorType":"RangeError","errorMessage":"r","code":"C","stack":\["s","t"\]\}$`},
		{"an error within", `exports.handler = async () => { const e = new Error('r'); e.inner = new TypeError('i'); throw e; }`, "TEXT",
			`"inner":\{"errorType":"TypeError","errorMessage":"i","stack":\["TypeError: i",`},
		{"a text", `exports.handler = async () => { throw 'words'; }`, "TEXT", `\tERROR\tInvoke Error \t\{"errorType":"Error","errorMessage":"words","stack":\["Error: words",`},
		{"an error, in JSON", `exports.handler = async () => { throw new RangeError('r'); }`, "JSON",
			`^\{"timestamp":"[-0-9T:.]+Z","level":"ERROR","requestId":"[-0-9a-f]{36}","message":\{"errorType":"RangeError","errorMessage":"r","stackTrace":\["RangeError: r",.*\]\}\}$`},
		{"a promise nobody handles", `exports.handler = () => new Promise(() => Promise.reject(new RangeError('lost')))`, "TEXT",
			`\tERROR\tUnhandled Promise Rejection \t\{"errorType":"Runtime.UnhandledPromiseRejection","errorMessage":"RangeError: lost","reason":\{"errorType":"RangeError","errorMessage":"lost","stack":\[.*\]\},"promise":\{\},"stack":\["Runtime.UnhandledPromiseRejection: RangeError: lost",`},
		{"an error that nobody catches", `exports.handler = () => new Promise(() => setTimeout(() => { throw new RangeError('late'); }, 5))`, "TEXT",
			`\tERROR\tUncaught Exception \t\{"errorType":"RangeError","errorMessage":"late","stack":\[`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lines := records(t, tt.source, map[string]string{"AWS_LAMBDA_LOG_FORMAT": tt.format})
			if len(lines) != 1 || !regexp.MustCompile(tt.want).MatchString(lines[0]) {
				t.Errorf("the log is %q, want %s", lines, tt.want)
			}
		})
	}
}

func TestAnInitErrorInTheLog(t *testing.T) {
	for runtime, want := range map[string]string{"nodejs22.x": "Uncaught Exception", "nodejs24.x": "Init Error"} {
		p := project(t, runtime, "", files{"index.js": "throw new RangeError('early');"})
		put(t, p)
		if lines := p.Lines(""); len(lines) == 0 || !strings.Contains(lines[len(lines)-1], "\tERROR\t"+want+" \t{\"errorType\":\"RangeError\"") {
			out := p.Invoke(t, `{}`)
			if lines := append(p.Lines(""), p.Lines(out.RequestID)...); !slices.ContainsFunc(lines, func(l string) bool {
				return strings.Contains(l, "\tERROR\t"+want+" \t{\"errorType\":\"RangeError\"")
			}) {
				t.Errorf("%s: the log is %q", runtime, lines)
			}
		}
	}
}

func TestTheContextHasWhoCalls(t *testing.T) {
	for _, runtime := range []string{"nodejs22.x", "nodejs24.x"} {
		s := sandbox(t, runtime, files{"index.js": "exports.handler = async (event, c) => [c.clientContext, c.identity, c.tenantId];\n"})
		ev := &function.Event{RequestID: "id", Payload: []byte(`{}`), Timeout: time.Minute, ClientContext: `{"custom":{"a":1}}`, Identity: `{"cognitoIdentityId":"i"}`, Tenant: "t"}
		if out, err := s.Invoke(t.Context(), ev); err != nil || string(out) != `[{"custom":{"a":1}},{"cognitoIdentityId":"i"},"t"]` {
			t.Errorf("%s %v", out, err)
		}
		ev.ClientContext = "{"
		want := map[string]string{"nodejs22.x": "Cannot parse ClientContext as json: SyntaxError: ", "nodejs24.x": "Failed to parse lambda-runtime-client-context as JSON: "}[runtime]
		if _, err := s.Invoke(t.Context(), ev); err == nil || !strings.Contains(err.Error(), want) {
			t.Error(err)
		}
	}
}

func TestASecondOutcomeIsOnlyLogged(t *testing.T) {
	p := project(t, "nodejs20.x", "", files{"index.js": "exports.handler = (event, context, callback) => {\n" +
		"context.callbackWaitsForEmptyEventLoop = false; context.succeed(1); callback(null, 2); };\n"})
	p.Put(t)
	first := p.Want(t, `{}`, `1`)
	p.Want(t, `{}`, `1`) // the first event's log is complete by now
	const want = "\tERROR\tInvocation has already been reported as done. Cannot call complete more than once per invocation."
	if lines := p.Lines(first.RequestID); !slices.ContainsFunc(lines, func(l string) bool { return strings.HasSuffix(l, want) }) {
		t.Errorf("the log is %q", lines)
	}
}
