package main

import (
	"bytes"
	"testing"

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
		{"a report", "function.f", "REPORT RequestId: " + id + "\tDuration: 1.79 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB", "1.79 ms"},
		{"a first report", "function.f", "REPORT RequestId: " + id + "\tDuration: 1.79 ms\tBilled Duration: 101 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\tInit Duration: 99.01 ms", "1.79 ms after 99.01 ms of initialisation"},
		{"a failure", "function.f", "REPORT RequestId: " + id + "\tDuration: 1.79 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tStatus: error\tError Type: Runtime.ExitError", "failed in 1.79 ms: Runtime.ExitError"},
		{"a timeout", "function.f", "REPORT RequestId: " + id + "\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tMemory Size: 128 MB\tStatus: timeout", "timed out in 3000.00 ms"},
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
