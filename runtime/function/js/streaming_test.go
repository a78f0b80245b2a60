package js

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

// sink keeps what is streamed.
type sink struct {
	mu          sync.Mutex
	contentType string
	begun       int
	parts       []string
	err         error
	each        func() // before each write, if set
}

func (s *sink) Begin(contentType string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun++
	s.contentType = contentType
}

func (s *sink) Write(b []byte) (int, error) {
	if s.each != nil {
		s.each()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parts = append(s.parts, string(b))
	return len(b), s.err
}

func TestResponseStreaming(t *testing.T) {
	for _, tt := range []struct{ name, handler, contentType, want, err string }{
		{"written in pieces", `async (e, r) => { r.setContentType("text/plain"); r.write("a"); await new Promise((d) => setTimeout(d, 1)); r.write(Buffer.from("b")); r.end("c") }`, "text/plain", "abc", ""},
		{"the content type is bytes unless it is set", `async (e, r) => { r.end("x") }`, "application/octet-stream", "x", ""},
		{"nothing but the end", `async (e, r) => { r.end() }`, "application/octet-stream", "", ""},
		{"what is neither text nor bytes is JSON", `async (e, r) => { r.write({ a: 1 }); r.end() }`, "application/octet-stream", `{"a":1}`, ""},
		{"with a prelude", `async (e, r) => { r = awslambda.HttpResponseStream.from(r, { statusCode: 201, headers: { a: "b" }, cookies: ["c=d"] }); r.write("body"); r.end() }`,
			"application/vnd.awslambda.http-integration-response", `{"statusCode":201,"headers":{"a":"b"},"cookies":["c=d"]}` + "\x00\x00\x00\x00\x00\x00\x00\x00body", ""},
		{"by a pipeline", `async (e, r) => { const { pipeline } = require("node:stream/promises"); await pipeline(require("stream").Readable.from(["x", "y"]), require("zlib").createGzip(), require("zlib").createGunzip(), r) }`, "application/octet-stream", "xy", ""},
		{"ended after the handler has returned", `async (e, r) => { setTimeout(() => r.end("late"), 2) }`, "application/octet-stream", "late", ""},
		{"a value returned is ignored", `async (e, r) => { r.end("x"); return 7 }`, "application/octet-stream", "x", ""},
		{"an error before the first byte", `async (e, r) => { throw new TypeError("no") }`, "", "", `{"errorType":"TypeError","errorMessage":"no"`},
		{"an error in the middle", `async (e, r) => { r.write("half"); await new Promise((d) => setTimeout(d, 2)); throw new Error("cut") }`, "application/octet-stream", "half", `{"errorType":"Error","errorMessage":"cut"`},
		{"never ended", `async (e, r) => { r.write("x") }`, "application/octet-stream", "x", `"errorMessage":"Response stream is not finished."`},
		{"a handler that is not async", `(e, r) => {}`, "", "", `"errorMessage":"Streaming does not support non-async handlers."`},
		{"the content type too late", `async (e, r) => { r.write("x"); r.setContentType("a/b") }`, "application/octet-stream", "x", `"errorMessage":"Cannot set content-type, too late."`},
		{"the context", `async (e, r, c) => { r.end(c.awsRequestId.slice(0, 8) + typeof c.getRemainingTimeInMillis()) }`, "application/octet-stream", "11111111number", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newWorld(t, Options{}, map[string]string{"index.ts": `declare const awslambda: any; export const handler = awslambda.streamifyResponse(` + tt.handler + `)`}).mustStart()
			to := &sink{}
			ev := event(`{}`)
			ev.Stream = to
			out, err := s.Invoke(t.Context(), ev)
			if got := strings.Join(to.parts, ""); got != tt.want || to.contentType != tt.contentType && tt.err == "" || len(out) != 0 {
				t.Errorf("streamed %q as %q and returned %q", got, to.contentType, out)
			}
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error %v; want %s", err, tt.err)
			}
			if tt.err == "" { // the same where nobody takes the stream
				if out, err := call(t, s, `{}`); err != nil || out != tt.want {
					t.Errorf("whole: %q, %v", out, err)
				}
			}
		})
	}
}

func TestAStreamWaitsForItsReaderAndOutlivesIt(t *testing.T) {
	s := newWorld(t, Options{}, map[string]string{"index.ts": `export const handler = awslambda.streamifyResponse(async (e, r) => { let full = 0; for (let i = 0; i < 5; i++) if (!r.write("x".repeat(10_000))) { full++; await new Promise((d) => r.once("drain", d)) } r.end(String(full)) })`}).mustStart()
	to := &sink{each: func() { time.Sleep(time.Millisecond) }, err: errors.New("the reader is gone")}
	ev := event(`{}`)
	ev.Stream = to
	if _, err := s.Invoke(t.Context(), ev); err != nil || len(to.parts) != 6 || to.begun != 1 || to.parts[5] == "0" {
		t.Errorf("%d parts, begun %d times, %v", len(to.parts), to.begun, err)
	}
}

func TestAHandlerThatDoesNotStreamLeavesTheStreamAlone(t *testing.T) {
	s := newWorld(t, Options{}, map[string]string{"index.ts": `export const handler = async () => 1`}).mustStart()
	to := &sink{}
	ev := event(`{}`)
	ev.Stream = to
	if out, err := s.Invoke(t.Context(), ev); err != nil || string(out) != "1" || to.begun != 0 {
		t.Errorf("%s, %v, %d", out, err, to.begun)
	}
}

func TestLogFormatJSON(t *testing.T) {
	const source = `console.debug("init"); console.info("init"); export const handler = async () => {
  console.log("text"); console.info({ a: [1] }); console.warn("n %d", 5, { b: 1 }); console.debug("hidden"); console.trace("hidden");
  console.error(Object.assign(new TypeError("bad"), { code: "E" })); console.error("with", new Error("two")); const o: any = {}; o.o = o; console.log(o);
  throw new RangeError("end")
}`
	w := newWorld(t, Options{}, map[string]string{"index.ts": source})
	w.fn.LogFormat = "JSON"
	if _, err := call(t, w.mustStart(), `{}`); err == nil {
		t.Error("it does not fail")
	}
	type line struct {
		Timestamp, Level, RequestID, ErrorType, ErrorMessage string
		Message                                              any
		StackTrace                                           []string
	}
	var got []string
	for _, text := range strings.Split(w.lines(), "\n") {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if _, err := time.Parse("2006-01-02T15:04:05.000Z", l.Timestamp); err != nil {
			t.Error(err)
		}
		if m, ok := l.Message.(map[string]any); ok && m["stackTrace"] != nil {
			m["stackTrace"] = len(m["stackTrace"].([]any)) > 1
		}
		b, _ := json.Marshal(l.Message)
		got = append(got, strings.Join([]string{l.Level, l.RequestID[:min(4, len(l.RequestID))], string(b), l.ErrorType, l.ErrorMessage}, " "))
	}
	want := []string{`INFO  "init"  `, `INFO 1111 "text"  `, `INFO 1111 {"a":[1]}  `, `WARN 1111 "n 5 { b: 1 }"  `,
		`ERROR 1111 {"code":"E","errorMessage":"bad","errorType":"TypeError","stackTrace":true}  `, got[5], `INFO 1111 "\u003cref *1\u003e { o: [Circular *1] }"  `,
		`ERROR 1111 {"errorMessage":"end","errorType":"RangeError","stackTrace":true}  `}
	if strings.Join(got, "\n") != strings.Join(want, "\n") || !strings.HasPrefix(got[5], `ERROR 1111 "with Error: two`) || !strings.HasSuffix(got[5], ` Error two`) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

func TestLogLevels(t *testing.T) {
	for _, tt := range []struct {
		name, format, level string
		env                 []string
		want                string
	}{
		{"text has them all", "", "", nil, "TRACE DEBUG INFO WARN ERROR FATAL"},
		{"JSON begins with INFO", "JSON", "", nil, "INFO WARN ERROR FATAL"},
		{"or with another", "JSON", "ERROR", nil, "ERROR FATAL"},
		{"FATAL cannot be left out", "JSON", "FATAL", nil, "FATAL"},
		{"the environment says it as AWS's runtime hears it", "", "", []string{"AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_LAMBDA_LOG_LEVEL=warn"}, "WARN ERROR FATAL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, Options{}, map[string]string{"index.ts": `export const handler = async () => { for (const l of ["trace", "debug", "log", "warn", "error", "fatal"]) (console as any)[l]("x") }`})
			w.fn.LogFormat, w.fn.ApplicationLogLevel, w.env = tt.format, tt.level, tt.env
			if _, err := call(t, w.mustStart(), `{}`); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, l := range strings.Split(w.lines(), "\n") {
				for _, level := range []string{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"} {
					if strings.Contains(l, "\t"+level+"\t") || strings.Contains(l, `"level":"`+level+`"`) {
						got = append(got, level)
					}
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %s", got)
			}
		})
	}
}
