package function_test

import (
	"strings"
	"testing"
	"time"

	"devstack/runtime/function"
)

// reader is a caller's Stream. Its methods are not made for more than one goroutine.
type reader struct {
	contentType string
	text        strings.Builder
	wait        chan struct{} // closed when it goes on reading
	first       chan struct{} // closed at the first piece
}

func (r *reader) Begin(contentType string) { r.contentType = contentType }

func (r *reader) Write(b []byte) (int, error) {
	if r.first != nil {
		close(r.first)
		r.first = nil
	}
	if r.wait != nil {
		<-r.wait
	}
	return r.text.Write(b)
}

func TestAStreamedResponseReachesItsCaller(t *testing.T) {
	b := newBench(t)
	b.put(t)
	r := &reader{}
	out, err := b.Invoke(t.Context(), "f", function.Invocation{Payload: []byte(`{"do":"stream","pieces":["a","b","c"]}`), Stream: r})
	if err != nil || out.FunctionError != "" || len(out.Payload) != 0 || r.text.String() != "abc" || r.contentType != "text/plain" {
		t.Errorf("got %+v, %v, and %q of type %s", out, err, r.text.String(), r.contentType)
	}
	r = &reader{}
	out, err = b.Invoke(t.Context(), "f", function.Invocation{Payload: []byte(`{"do":"stream","pieces":["a"],"line":"late"}`), Stream: r})
	if err != nil || out.FunctionError != "Unhandled" || r.text.String() != "a" || !strings.Contains(string(out.Payload), "late") {
		t.Errorf("an error in the middle: %s, %v, after %q", out.Payload, err, r.text.String())
	}
	r = &reader{}
	out, err = b.Invoke(t.Context(), "f", function.Invocation{Payload: []byte(`{"do":"version"}`), Stream: r})
	if err != nil || string(out.Payload) != `"one"` || r.contentType != "" {
		t.Errorf("a function that does not stream: %s, %v", out.Payload, err)
	}
}

// A function that runs out of time while its reader is slow is ended, and its reader is left alone afterwards.
func TestAStreamToASlowReaderEndsWithTheTimeout(t *testing.T) {
	ended := make(chan struct{})
	b := newBench(t, func(c *function.Config) {
		c.Log = func(l function.Line) {
			if strings.Contains(l.Text, "Task timed out") {
				close(ended)
			}
		}
	})
	b.put(t)
	first := make(chan struct{})
	r := &reader{wait: make(chan struct{}), first: first}
	done := make(chan *function.Outcome)
	go func() {
		out, err := b.Invoke(t.Context(), "f", function.Invocation{Payload: []byte(`{"do":"stream","pieces":["a","b"]}`), Stream: r})
		if err != nil {
			t.Error(err)
		}
		done <- out
	}()
	<-first
	b.clock.Advance(time.Minute)
	<-ended
	close(r.wait)
	if out := <-done; out.FunctionError != "Unhandled" || !strings.Contains(string(out.Payload), "Sandbox.Timedout") {
		t.Errorf("got %s", out.Payload)
	}
	if r.text.String() != "a" {
		t.Errorf("read %q", r.text.String())
	}
}
