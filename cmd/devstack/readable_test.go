package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"devstack/runtime/function"
	"devstack/runtime/logs"
)

func TestReadable(t *testing.T) {
	const id = "8f5b2c6e-0d3a-4a52-9f0e-1c2d3e4f5a6b"
	for _, tt := range []struct {
		name, source, text, want string
	}{
		{"the start says nothing", "function.f", "START RequestId: " + id + " Version: $LATEST", ""},
		{"nor does the end", "function.f", "END RequestId: " + id, ""},
		{"a console message", "function.f", "2026-03-01T12:00:00.000Z\t" + id + "\tINFO\thello\tthere", "hello\tthere"},
		{"an error on the console", "function.f", "2026-03-01T12:00:00.000Z\t" + id + "\tERROR\tno", "ERROR no"},
		{"what is printed plainly", "function.f", "START", "START"},
		{"a report", "function.f", "REPORT RequestId: " + id + "\tDuration: 1.79 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB", ""},
		{"a report as JSON", "function.f", `{"time":"2026-03-01T12:00:00.000Z","type":"platform.report","record":{}}`, ""},
		{"a function's own JSON", "function.f", `{"time":"2026-03-01T12:00:00.000Z","level":"INFO"}`, `{"time":"2026-03-01T12:00:00.000Z","level":"INFO"}`},
		{"Lambda's word on a timeout", "function.f", "2026-03-01T12:00:00.000Z " + id + " Task timed out after 3.00 seconds", ""},
		{"a service may print what it likes", "service.s", "END RequestId: " + id, "END RequestId: " + id},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := readable(logs.Line{Source: tt.source, Stream: "stdout", Text: tt.text})
			if got != tt.want || ok != (tt.want != "") {
				t.Errorf("%q, %v; want %q", got, ok, tt.want)
			}
		})
	}
}

func TestNoControlCharactersLeaveATerminal(t *testing.T) {
	var out bytes.Buffer
	text := "\x1b[32mgreen\x1b[0m \x1b]0;title\x07\tünïcode 50%\r\x1b[2Kdone\x00"
	if err := newLinePrinter(&out).print(logs.Line{Source: "service.s", Text: text}); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "s            | green \tünïcode 50%done\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestOutcomes(t *testing.T) {
	const id = "8f5b2c6e-0d3a-4a52-9f0e-1c2d3e4f5a6b"
	failure := func(typ, message string) *function.FunctionError {
		return &function.FunctionError{Type: typ, Payload: function.ErrorBody(typ, message)}
	}
	for _, tt := range []struct {
		name    string
		o       function.Outcome
		failure *function.FunctionError
		want    string
	}{
		{"warm", function.Outcome{Duration: 1790 * time.Microsecond, MaxMemory: 30}, nil, "ok           1.79 ms   30 MB  8f5b2c6e"},
		{"cold", function.Outcome{Duration: time.Second, InitDuration: 99 * time.Millisecond}, nil, "ok        1000.00 ms          8f5b2c6e  started in 99.00 ms"},
		{"a failure", function.Outcome{MaxMemory: 128}, failure("TypeError", "x is not\na function"), "failed       0.00 ms  128 MB  8f5b2c6e  TypeError: x is not"},
		{"an end", function.Outcome{}, failure("Runtime.ExitError", "RequestId: "+id+" Error: Runtime exited with error: exit status 1"),
			"failed       0.00 ms          8f5b2c6e  Runtime.ExitError: Runtime exited with error: exit status 1"},
		{"a timeout", function.Outcome{Duration: 3 * time.Second}, failure("Sandbox.Timedout", "RequestId: x Error: Task timed out after 3.00 seconds"), "timed out 3000.00 ms          8f5b2c6e"},
		{"a mistake", function.Outcome{Fault: "app.ts:3: Unexpected \";\""}, failure("Runtime.BuildError", "…"), "failed       0.00 ms          8f5b2c6e  app.ts:3: Unexpected \";\""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.RequestID = id
			if got := outcome(&tt.o, tt.failure); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestATerminalWithManyInvocations(t *testing.T) {
	line := func(stream, id, text string) logs.Line {
		return logs.Line{Source: "function.f", Stream: stream, RequestID: id, Text: text}
	}
	one, two := "11111111-1", "22222222-2"
	lines := []logs.Line{
		line("stdout", one, "START RequestId: "+one+" Version: $LATEST"), line("stdout", one, "alone"),
		line("stdout", two, "START RequestId: "+two+" Version: $LATEST"), line("stdout", two, "beside\nanother"),
		line("stdout", one, "END RequestId: "+one), line(invocation, one, "ok  1"),
		line("stdout", two, "alone again"), line(invocation, two, "ok  2"),
		line(invocation, "3", "ok  3"), line(invocation, "4", "ok  4"), line(invocation, "5", "failed  5"),
		line(invocation, "6", "ok  6"), line(invocation, "7", "ok  7"),
	}
	for _, tt := range []struct {
		fold bool
		want string
	}{
		{false, "alone\n22222222  beside\n          another\nok  1\nalone again\nok  2\nok  3\nok  4\nfailed  5\nok  6\nok  7\n"},
		{true, "alone\n22222222  beside\n          another\nok  1\nalone again\nok  2\nok, and 2 more like it\nfailed  5\nok  6\nok, and 1 more like it\n"},
	} {
		var out bytes.Buffer
		term := newTerminal(&out, tt.fold)
		for _, l := range lines {
			if err := term.show(l); err != nil {
				t.Fatal(err)
			}
		}
		if err := term.flushAll(); err != nil {
			t.Fatal(err)
		}
		if got := strings.ReplaceAll(out.String(), "f            | ", ""); got != tt.want {
			t.Errorf("fold %v: got\n%swant\n%s", tt.fold, got, tt.want)
		}
	}
}
