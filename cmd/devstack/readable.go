package main

import (
	"regexp"
	"strings"

	"devstack/runtime/logs"
)

// Lambda's own lines around what a function prints, and the front that its runtimes give to a console message:
//
//	START RequestId: … Version: $LATEST
//	2026-03-01T12:00:00.000Z	8f5b…	INFO	message
//	REPORT RequestId: …	Duration: 1.79 ms	Billed Duration: 2 ms	Memory Size: 128 MB	…	Status: error	Error Type: Runtime.ExitError
var (
	messageFront = regexp.MustCompile(`^\d{4}-\d\d-\d\dT[\d:.]+Z\t[0-9a-f-]{36}\t(?:INFO\t|([A-Z]+)\t)`)
	reportField  = regexp.MustCompile(`\t(Duration|Init Duration|Status|Error Type): ([^\t]*)`)
)

// readable is a function's line as `devstack up` shows it: its own words, and one line for how an invocation went. ok is false for
// a line that tells a person nothing. CloudWatch Logs and `devstack logs` have all lines as Lambda writes them.
func readable(l logs.Line) (text string, ok bool) {
	if !strings.HasPrefix(l.Source, "function.") || l.Stream == "" {
		return l.Text, true
	}
	switch {
	case strings.HasPrefix(l.Text, "START RequestId: "), strings.HasPrefix(l.Text, "END RequestId: "):
		return "", false
	case strings.HasPrefix(l.Text, "REPORT RequestId: "):
		return outcome(l.Text), true
	}
	if m := messageFront.FindStringSubmatch(l.Text); m != nil {
		rest := l.Text[len(m[0]):]
		if m[1] != "" {
			rest = m[1] + " " + rest
		}
		return rest, true
	}
	return l.Text, true
}

// outcome shortens a REPORT line: "1.79 ms", "1.79 ms after 99.01 ms of initialisation", "failed in 1.79 ms: Runtime.ExitError".
func outcome(report string) string {
	fields := map[string]string{}
	for _, m := range reportField.FindAllStringSubmatch(report, -1) {
		fields[m[1]] = m[2]
	}
	text := fields["Duration"]
	if init := fields["Init Duration"]; init != "" {
		text += " after " + init + " of initialisation"
	}
	switch fields["Status"] {
	case "error":
		return "failed in " + text + ": " + fields["Error Type"]
	case "timeout":
		return "timed out in " + text
	}
	return text
}
