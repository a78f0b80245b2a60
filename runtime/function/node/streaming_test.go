package node_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"devstack/runtime/config"
	"devstack/runtime/function"
)

// sandbox starts a function of these files without a Manager.
func sandbox(t *testing.T, runtime string, f files, env ...string) function.Sandbox {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range f {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	engine := newEngine(t)
	t.Cleanup(func() { engine.Close() })
	fn := &config.Function{Name: "sample", Runtime: runtime, Source: dir, Timeout: 20, Memory: 128}
	b, err := engine.Build(t.Context(), fn, nil)
	if err != nil {
		t.Fatal(err)
	}
	env = append(env, "AWS_EXECUTION_ENV=AWS_Lambda_"+runtime, "PATH="+os.Getenv("PATH"), "LAMBDA_TASK_ROOT="+dir)
	s, err := engine.Start(t.Context(), fn, b, env, func(_, line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// sink keeps what is streamed to it.
type sink struct {
	contentType string
	begun       int
	bytes.Buffer
	write func([]byte) (int, error) // nil: into the buffer
}

func (s *sink) Begin(contentType string) { s.contentType, s.begun = contentType, s.begun+1 }

func (s *sink) Write(b []byte) (int, error) {
	if s.write != nil {
		return s.write(b)
	}
	return s.Buffer.Write(b)
}

// The facts are those of AWS's runtime interface client: https://github.com/aws/aws-lambda-nodejs-runtime-interface-client
func TestStreaming(t *testing.T) {
	const octets = "application/octet-stream"
	const prelude = "application/vnd.awslambda.http-integration-response"
	for _, tt := range []struct{ name, runtime, body, contentType, text, failure, message string }{
		{"in pieces", "nodejs20.x", `s.write('a'); await new Promise((r) => setTimeout(r, 5)); s.write(Buffer.from('b')); s.end('c');`, octets, "abc", "", ""},
		{"nothing", "nodejs20.x", `s.end();`, octets, "", "", ""},
		{"an object, as JSON", "nodejs20.x", `s.write({ a: 1 }); s.end();`, octets, `{"a":1}`, "", ""},
		{"of another type", "nodejs20.x", `s.setContentType('text/html'); s.write('<p>'); s.end();`, "text/html", "<p>", "", ""},
		{"with a prelude", "nodejs20.x", `s = awslambda.HttpResponseStream.from(s, { statusCode: 201, headers: { a: 'b' } }); s.write('x'); s.end();`,
			prelude, `{"statusCode":201,"headers":{"a":"b"}}` + "\x00\x00\x00\x00\x00\x00\x00\x00x", "", ""},
		{"through a pipeline", "nodejs20.x", `await require('stream/promises').pipeline(require('stream').Readable.from(['x', 'y']), require('zlib').createGzip(), require('zlib').createGunzip(), s);`,
			octets, "xy", "", ""},
		{"more than a pipe holds", "nodejs20.x", `for (let i = 0; i < 40; i++) if (!s.write(Buffer.alloc(50000, 'z'))) await new Promise((r) => s.once('drain', r)); s.end();`,
			octets, strings.Repeat("z", 2000000), "", ""},
		{"a type that comes too late", "nodejs20.x", `s.write('a'); s.setContentType('text/html');`, octets, "a", "Runtime.InvalidStreamingOperation", "Cannot set content-type, too late."},
		{"an error before anything", "nodejs20.x", `throw new RangeError('early');`, octets, "", "RangeError", "early"},
		{"an error in the middle", "nodejs20.x", `s.write('half'); throw new RangeError('late');`, octets, "half", "RangeError", "late"},
		{"a stream that is broken off", "nodejs20.x", `s.write('half'); await new Promise((r) => setTimeout(r, 20)); s.destroy(new Error('broken'));`, octets, "half", "Error", "broken"},
		{"a source that breaks off", "nodejs20.x", `await require('stream/promises').pipeline(async function* () { yield 'half'; await new Promise((r) => setTimeout(r, 20)); throw new Error('source'); }, s);`,
			octets, "half", "Error", "source"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := sandbox(t, tt.runtime, files{"index.js": "exports.handler = awslambda.streamifyResponse(async (event, s, context) => {\n" + tt.body + "\n});\n"})
			for range 2 {
				to := &sink{}
				payload, err := s.Invoke(t.Context(), &function.Event{RequestID: "id", Payload: []byte(`{}`), Timeout: time.Minute, Stream: to})
				if to.String() != tt.text || to.begun > 1 || to.begun == 1 && to.contentType != tt.contentType || payload != nil {
					t.Errorf("begun %d times as %s: %.100q and %q", to.begun, to.contentType, to.String(), payload)
				}
				expect(t, err, tt.failure, tt.message)
				payload, err = s.Invoke(t.Context(), &function.Event{RequestID: "id", Payload: []byte(`{}`), Timeout: time.Minute})
				if err == nil && string(payload) != tt.text {
					t.Errorf("as a whole it is %.100q", payload)
				}
				expect(t, err, tt.failure, tt.message)
			}
		})
	}
}

func expect(t *testing.T, err error, typ, message string) {
	t.Helper()
	var failure *function.FunctionError
	switch {
	case typ == "" && err == nil:
	case !errors.As(err, &failure):
		t.Errorf("the error is %v, want %s: %s", err, typ, message)
	case failure.Type != typ || !strings.Contains(string(failure.Payload), `"errorMessage":"`+message+`"`):
		t.Errorf("failed with %s, want %s: %s", failure, typ, message)
	}
}

func TestAStreamingHandlerIsAsynchronous(t *testing.T) {
	for runtime, typ := range map[string]string{"nodejs22.x": "string", "nodejs24.x": "Error"} {
		s := sandbox(t, runtime, files{"index.js": "exports.handler = awslambda.streamifyResponse((event, s) => { s.end('x'); });\n"})
		_, err := s.Invoke(t.Context(), &function.Event{RequestID: "id", Payload: []byte(`{}`), Timeout: time.Minute, Stream: &sink{}})
		expect(t, err, typ, "Streaming does not support non-async handlers.")
	}
}

func TestOnlyResponsesAreStreamed(t *testing.T) {
	p := project(t, "nodejs20.x", "", files{"index.js": "exports.handler = async () => {};\nexports.handler[Symbol.for('aws.lambda.runtime.handler.streaming')] = 'request';\n"})
	put(t, p)
	if _, typ, message := p.Fails(t, `{}`); typ != "Runtime.MalformedStreamingHandler" || message != "Only response streaming is supported." {
		t.Errorf("failed with %s: %s", typ, message)
	}
}

func TestTheGlobalOfStreamingCanBeLeftOut(t *testing.T) {
	p := project(t, "nodejs20.x", "", files{"index.js": "exports.handler = async () => typeof awslambda;\n"})
	p.Function.Environment = map[string]string{"AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA": "1"}
	p.Put(t)
	p.Want(t, `{}`, `"undefined"`)
}

// A reader that is slow keeps the handler waiting: it is told to wait for "drain", and its timers go on.
func TestASlowReaderKeepsTheHandlerWaiting(t *testing.T) {
	s := sandbox(t, "nodejs20.x", files{"index.js": `
		exports.handler = awslambda.streamifyResponse(async (event, s) => {
			let written = 0;
			const timer = setTimeout(() => console.log('written ' + written), 50);
			for (let i = 0; i < 200; i++) {
				written += 50000;
				if (!s.write(Buffer.alloc(50000))) await new Promise((r) => s.once('drain', r));
			}
			clearTimeout(timer);
			s.end();
		});
	`})
	read := make(chan struct{})
	done := make(chan error)
	total := 0
	go func() {
		_, err := s.Invoke(t.Context(), &function.Event{RequestID: "id", Payload: []byte(`{}`), Timeout: time.Minute, Stream: &sink{write: func(b []byte) (int, error) {
			<-read
			total += len(b)
			return len(b), nil
		}}})
		done <- err
	}()
	select {
	case <-done:
		t.Fatal("the handler did not wait")
	case <-time.After(200 * time.Millisecond):
	}
	close(read)
	if err := <-done; err != nil || total != 10000000 {
		t.Errorf("%d bytes, %v", total, err)
	}
}

func TestAReaderThatIsGoneDoesNotEndTheHandler(t *testing.T) {
	s := sandbox(t, "nodejs20.x", files{"index.js": "let n = 0;\nexports.handler = awslambda.streamifyResponse(async (event, s) => { s.write('a'); s.write('b'); n++; s.end(String(n)); });\n"})
	gone := &sink{write: func([]byte) (int, error) { return 0, errors.New("gone") }}
	if _, err := s.Invoke(t.Context(), &function.Event{RequestID: "id", Payload: []byte(`{}`), Timeout: time.Minute, Stream: gone}); err != nil {
		t.Error(err)
	}
	to := &sink{}
	if _, err := s.Invoke(t.Context(), &function.Event{RequestID: "id", Payload: []byte(`{}`), Timeout: time.Minute, Stream: to}); err != nil || to.String() != "ab2" {
		t.Errorf("%q %v", to.String(), err)
	}
}

func TestTimeEndsAStreamWhoseReaderIsStuck(t *testing.T) {
	s := sandbox(t, "nodejs20.x", files{"index.js": "exports.handler = awslambda.streamifyResponse(async (event, s) => { s.write('a'); });\n"})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	stuck := make(chan struct{})
	defer close(stuck)
	to := &sink{write: func([]byte) (int, error) { <-stuck; return 0, errors.New("too late") }}
	if _, err := s.Invoke(ctx, &function.Event{RequestID: "id", Payload: []byte(`{}`), Timeout: time.Minute, Stream: to}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestAnErrorElsewhereEndsAStream(t *testing.T) {
	s := sandbox(t, "nodejs20.x", files{"index.js": "exports.handler = awslambda.streamifyResponse(async (event, s) => { s.write('a', () => setTimeout(() => { throw new RangeError('elsewhere'); })); });\n"})
	to := &sink{}
	_, err := s.Invoke(t.Context(), &function.Event{RequestID: "id", Payload: []byte(`{}`), Timeout: time.Minute, Stream: to})
	expect(t, err, "RangeError", "elsewhere")
	if to.String() != "a" {
		t.Errorf("streamed %q", to.String())
	}
}
