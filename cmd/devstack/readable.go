package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/logs"
)

// invocation is the stream of the lines that say how an invocation went: for who watches. Logs have Lambda's own lines instead.
const invocation = "invocation"

// Lambda's own lines around what a function prints, and the front that its runtimes give to a console message:
//
//	START RequestId: … Version: $LATEST
//	2026-03-01T12:00:00.000Z	8f5b…	INFO	message
//	REPORT RequestId: …	Duration: 1.79 ms	Billed Duration: 2 ms	Memory Size: 128 MB	…
var (
	messageFront = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^\d{4}-\d\d-\d\dT[\d:.]+Z\t[0-9a-f-]{36}\t(?:INFO\t|([A-Z]+)\t)`)
	})
	platformLine = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(?:(?:START|END|REPORT) RequestId: |INIT_(?:START|REPORT) |(?:EXTENSION|TELEMETRY)\tName: |` +
			`\S+Z [0-9a-f-]{36} Task timed out after |\{"time":"[^"]*","type":"platform\.)`)
	})
)

// readable is a function's line as `devstack up` shows it: its own words, and one line for how an invocation went. ok is false for
// a line of Lambda's own. CloudWatch Logs and `devstack logs` have all lines as Lambda writes them.
func readable(l logs.Line) (text string, ok bool) {
	if !strings.HasPrefix(l.Source, "function.") || l.Stream == "" || l.Stream == invocation {
		return l.Text, true
	}
	if platformLine().MatchString(l.Text) {
		return "", false
	}
	if m := messageFront().FindStringSubmatch(l.Text); m != nil {
		rest := l.Text[len(m[0]):]
		if m[1] != "" {
			rest = m[1] + " " + rest
		}
		return rest, true
	}
	return l.Text, true
}

// invoked notes how an invocation went.
func (d *daemon) invoked(fn *config.Function, o *function.Outcome, failure *function.FunctionError) {
	d.logs.Append("function."+fn.Name, logs.Line{Text: outcome(o, failure), RequestID: o.RequestID, Stream: invocation})
}

// outcome is how an invocation went, in columns:
//
//	ok           1.79 ms   30 MB  8f5b2c6e  started in 99.01 ms
//	failed     250.00 ms   30 MB  8f5b2c6e  Error: boom
//	timed out 3000.00 ms   30 MB  8f5b2c6e
func outcome(o *function.Outcome, failure *function.FunctionError) string {
	word, why := "ok", ""
	switch {
	case failure != nil && failure.Type == "Sandbox.Timedout":
		word = "timed out"
	case failure != nil:
		word, why = "failed", orElse(o.Fault, whyFailed(failure))
	}
	memory := ""
	if o.MaxMemory > 0 {
		memory = fmt.Sprintf("%d MB", o.MaxMemory)
	}
	text := fmt.Sprintf("%-9s %s ms %7s  %s", word, fmt.Sprintf("%7.2f", milliseconds(o.Duration)), memory, short(o.RequestID))
	if o.InitDuration > 0 {
		text += fmt.Sprintf("  started in %.2f ms", milliseconds(o.InitDuration))
	}
	if why != "" {
		text += "  " + why
	}
	return text
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// short is as much of a request's number as tells it from those around it.
func short(requestID string) string { return requestID[:min(len(requestID), 8)] }

var requestPrefix = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^RequestId: \S+ (?:Error: )?`) })

// whyFailed is a failure's type and the first line of its message.
func whyFailed(failure *function.FunctionError) string {
	var body struct{ ErrorMessage string }
	_ = json.Unmarshal(failure.Payload, &body) // a runtime may fail with anything
	first, _, _ := strings.Cut(strings.TrimSpace(requestPrefix().ReplaceAllString(body.ErrorMessage, "")), "\n")
	return strings.TrimSuffix(failure.Type+": "+first, ": ")
}
