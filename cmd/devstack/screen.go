package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"devstack/runtime/supervise"
)

// screen tells how a stack comes up, a line a resource: in colour where a person looks.
type screen struct {
	w      io.Writer
	colour bool
}

func newScreen(w io.Writer) *screen { return &screen{w, isTerminal(w)} }

// Colours of a terminal.
const (
	red   = 31
	green = 32
	bold  = 1
)

// paint gives a text a colour. Alignment comes first: escapes have no width.
func (s *screen) paint(colour int, text string) string {
	if !s.colour {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", colour, text)
}

// ready tells of a resource that serves.
func (s *screen) ready(r supervise.Status) {
	line := fmt.Sprintf("  %s  %-28s %6d ms  %s", s.paint(green, "ready "), r.ID, r.StartedIn.Milliseconds(), r.URL)
	if r.Debugger != "" {
		line += "debugger on " + r.Debugger
	}
	fmt.Fprintln(s.w, strings.TrimRight(line, " "))
}

// starting tells what the stack still waits for.
func (s *screen) starting(all []supervise.Status, took time.Duration) {
	for _, r := range all {
		if r.State == supervise.Starting {
			fmt.Fprintf(s.w, "  starts  %-28s %6d s so far\n", r.ID, int(took.Seconds()))
		}
	}
}

// summary tells what is not ready, with the last lines of its log, and where to find what is.
func (s *screen) summary(r report, took time.Duration) {
	failed := unready(r.Resources)
	for _, f := range failed {
		why := strings.ReplaceAll(strings.TrimSpace(f.Why), "\n", "\n          ")
		fmt.Fprintf(s.w, "  %s  %s: %s\n", s.paint(red, fmt.Sprintf("%-6s", f.State)), f.ID, why)
		for _, line := range f.Tail {
			fmt.Fprintln(s.w, "          |", line)
		}
	}
	if n := len(failed); n > 0 {
		fmt.Fprintf(s.w, "\n%s: %d of %d resources are not ready; they are tried again, and a save is noticed\n", s.paint(bold, r.Stack), n, len(r.Resources))
	} else {
		fmt.Fprintf(s.w, "\n%s is ready: %d resources in %d ms\n", s.paint(bold, r.Stack), len(r.Resources), took.Milliseconds())
	}
	fmt.Fprintf(s.w, "  %-28s %s\n", "AWS", r.Endpoint)
	for _, at := range r.Resources {
		if at.State == supervise.Ready && at.URL != "" && (at.Type == "api" || at.Type == "service" || at.Type == "function") {
			fmt.Fprintf(s.w, "  %-28s %s\n", at.ID, at.URL)
		}
		if at.Debugger != "" {
			fmt.Fprintf(s.w, "  %-28s %s\n", at.ID.String()+", debugger", at.Debugger)
		}
	}
	fmt.Fprintln(s.w)
}
