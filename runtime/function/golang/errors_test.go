package golang_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"devstack/internal/clock"
	"devstack/runtime/config"
	"devstack/runtime/function"
)

// failing runs the function of testdata/errors, which is of this module.
func failing(t *testing.T) (m *function.Manager, lines *record) {
	t.Helper()
	needsGo(t)
	source, err := filepath.Abs("testdata/errors")
	if err != nil {
		t.Fatal(err)
	}
	engine := newEngine(t)
	lines = &record{}
	m = function.NewManager(function.Config{
		Engines: func(string) function.Engine { return engine }, Clock: clock.System(),
		Env: func(*config.Function) []string { return []string{"AWS_REGION=us-east-1"} },
		Log: func(l function.Line) { lines.add(l.Text) },
	})
	t.Cleanup(func() { m.Close(); engine.Close() })
	fn := &config.Function{Name: "errors", Runtime: "go", Source: source, Timeout: 20, Memory: 128}
	if err := m.Put(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
	return m, lines
}

// record is a log.
type record struct {
	mu   sync.Mutex
	text strings.Builder
}

func (r *record) add(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintln(&r.text, line)
}

func (r *record) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text.Reset()
}

// has waits for words: a process says its last ones after it has answered.
func (r *record) has(words string) bool {
	for range 200 {
		r.mu.Lock()
		found := strings.Contains(r.text.String(), words)
		r.mu.Unlock()
		if found {
			return true
		}
		time.Sleep(50 * time.Millisecond)
	}
	return false
}

func TestErrorsAreWhatAWSAnswers(t *testing.T) {
	corpus, err := os.ReadFile("testdata/errors.txt")
	if err != nil {
		t.Fatal(err)
	}
	m, log := failing(t)
	var body map[string]any
	var cases int
	var event, id string
	for line := range strings.Lines(string(corpus)) {
		line = strings.TrimRight(line, "\n")
		verb, rest, _ := strings.Cut(line, " ")
		switch {
		case verb == ">":
			log.reset()
			event = rest
			out, err := m.Invoke(t.Context(), "errors", function.Invocation{Payload: []byte(event)})
			if err != nil || out.FunctionError != "Unhandled" {
				t.Fatalf("%s: %v %+v", event, err, out)
			}
			id, body = out.RequestID, nil
			if err := json.Unmarshal(out.Payload, &body); err != nil {
				t.Fatalf("%s: %s: %v", event, out.Payload, err)
			}
			cases++
		case strings.HasPrefix(line, "{"):
			var want map[string]any
			if err := json.Unmarshal([]byte(strings.ReplaceAll(line, "ID", id)), &want); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			got := map[string]any{"errorMessage": body["errorMessage"], "errorType": body["errorType"]}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s\nanswers %v\nwant    %v", event, got, want)
			}
		case verb == "+trace":
			if !traced(body["stackTrace"]) {
				t.Errorf("%s: the stack trace %v lacks the function's file", event, body["stackTrace"])
			}
		case verb == "+log":
			if !log.has(rest) {
				t.Errorf("%s: the log lacks %q:\n%s", event, rest, log.text.String())
			}
		case verb == "+ends":
			out, err := m.Invoke(t.Context(), "errors", function.Invocation{Payload: []byte(`{"do":"nothing"}`)})
			if err != nil || out.FunctionError != "" || out.InitDuration == 0 {
				t.Errorf("%s: the next event: %v %+v; want a process of its own", event, err, out)
			}
		}
	}
	if cases < 15 {
		t.Errorf("%d cases were found", cases)
	}
}

// traced reports whether a stack trace has a frame of the function with path, line and label.
func traced(trace any) bool {
	frames, _ := trace.([]any)
	for _, f := range frames {
		frame, _ := f.(map[string]any)
		path, _ := frame["path"].(string)
		line, _ := frame["line"].(float64)
		if strings.HasSuffix(path, "errors/main.go") && line > 0 && frame["label"] == "handle" {
			return true
		}
	}
	return false
}

// A streamed response comes in pieces, with a prelude as function URLs and API Gateway want it.
func TestAFunctionStreams(t *testing.T) {
	needsGo(t)
	source, err := filepath.Abs("testdata/errors")
	if err != nil {
		t.Fatal(err)
	}
	e := newEngine(t)
	defer e.Close()
	fn := &config.Function{Name: "errors", Runtime: "go", Source: source, Timeout: 20, Memory: 128}
	b, err := e.Build(t.Context(), fn, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := e.Start(t.Context(), fn, b, []string{"PATH=" + os.Getenv("PATH"), "AWS_LAMBDA_FUNCTION_NAME=errors"}, func(string, string) {})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for n, tt := range []struct {
		event, prelude, body string
		pieces               int
		failure              string
	}{
		{`{"do":"stream"}`, `{"statusCode":201,"headers":{"Content-Type":"text/plain"},"cookies":["a=b"]}`, "whole", 1, ""},
		{`{"do":"slow stream"}`, `{"statusCode":200}`, "piece 0\npiece 1\npiece 2\n", 3, ""},
		{`{"do":"slow stream","count":1}`, `{"statusCode":200}`, "piece 0\npiece 1\npiece 2\n", 3, "errorString"},
	} {
		sink := &sink{}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		_, err := s.Invoke(ctx, &function.Event{RequestID: fmt.Sprint("request-", n), Payload: []byte(tt.event), Timeout: 20 * time.Second, Stream: sink})
		cancel()
		failure := ""
		if fault, ok := err.(*function.FunctionError); ok {
			failure = fault.Type
		} else if err != nil {
			t.Fatalf("%s: %v", tt.event, err)
		}
		prelude, body, _ := strings.Cut(sink.all.String(), "\x00\x00\x00\x00\x00\x00\x00\x00")
		if sink.contentType != "application/vnd.awslambda.http-integration-response" || prelude != tt.prelude || body != tt.body || failure != tt.failure {
			t.Errorf("%s: %s, %s, %q, failure %q", tt.event, sink.contentType, prelude, body, failure)
		}
		if sink.pieces < tt.pieces {
			t.Errorf("%s came in %d pieces", tt.event, sink.pieces)
		}
	}
}

type sink struct {
	contentType string
	all         strings.Builder
	pieces      int
}

func (s *sink) Begin(contentType string) { s.contentType = contentType }

func (s *sink) Write(b []byte) (int, error) {
	s.pieces++
	return s.all.Write(b)
}
