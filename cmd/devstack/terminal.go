package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"devstack/runtime/logs"
)

// foldAfter is how long invocations that went well are gathered into one line where nobody watches.
const foldAfter = time.Second

// terminal shows what the stack prints while `devstack up` runs: each line of a program's own, and a line for each invocation. While
// several invocations of a function are under way its lines say to which they belong. Where CI=true nobody watches, and
// invocations that went well are counted: the first is shown, and then how many followed.
type terminal struct {
	p       *linePrinter
	fold    bool
	running map[string]map[string]bool // by source: the requests that are under way
	folded  map[string]int             // by source: invocations that are not shown yet
	shown   map[string]bool            // by source: an invocation is shown since others were folded last
}

func newTerminal(w io.Writer, fold bool) *terminal {
	return &terminal{
		p: newLinePrinter(w), fold: fold, running: map[string]map[string]bool{}, folded: map[string]int{}, shown: map[string]bool{},
	}
}

// show prints a line, if it tells a person something.
func (t *terminal) show(l logs.Line) error {
	several := t.follow(l)
	text, ok := readable(l)
	if !ok {
		return nil
	}
	if l.Stream == invocation {
		return t.invocation(l)
	}
	if several && l.RequestID != "" {
		text = short(l.RequestID) + "  " + strings.ReplaceAll(text, "\n", "\n          ")
	}
	if err := t.flush(l.Source); err != nil {
		return err
	}
	l.Text = text
	return t.p.print(l)
}

// follow keeps account of which requests of a function are under way, and reports whether there are several.
func (t *terminal) follow(l logs.Line) bool {
	if !strings.HasPrefix(l.Source, "function.") || l.RequestID == "" {
		return false
	}
	under := t.running[l.Source]
	if under == nil {
		under = map[string]bool{}
		t.running[l.Source] = under
	}
	if l.Stream == invocation {
		delete(under, l.RequestID)
		return false
	}
	if len(under) < maxUnder { // an event that is cut off leaves its request behind
		under[l.RequestID] = true
	}
	return len(under) > 1
}

// maxUnder bounds how many requests of a function are followed.
const maxUnder = 10_000

// invocation shows how one went, or counts it.
func (t *terminal) invocation(l logs.Line) error {
	if !strings.HasPrefix(l.Text, "ok ") {
		if err := t.flush(l.Source); err != nil {
			return err
		}
		l.Text = t.paint(red, l.Text)
		return t.p.print(l)
	}
	if t.fold && t.shown[l.Source] {
		t.folded[l.Source]++
		return nil
	}
	t.shown[l.Source] = true
	l.Text = t.paint(green, l.Text)
	return t.p.print(l)
}

// paint gives the first word of a line a colour.
func (t *terminal) paint(colour int, text string) string {
	if !t.p.colour {
		return text
	}
	word, rest, _ := strings.Cut(text, " ")
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m %s", colour, word, rest)
}

// flush tells how many invocations of a function were folded.
func (t *terminal) flush(source string) error {
	n := t.folded[source]
	delete(t.folded, source)
	delete(t.shown, source)
	if n == 0 {
		return nil
	}
	return t.p.print(logs.Line{Source: source, Text: fmt.Sprintf("ok, and %d more like it", n)})
}

// flushAll tells of all functions.
func (t *terminal) flushAll() error {
	for _, source := range slices.Sorted(maps.Keys(t.folded)) {
		if err := t.flush(source); err != nil {
			return err
		}
	}
	clear(t.shown)
	return nil
}

// printLogs shows what the stack prints until ctx ends.
func printLogs(ctx context.Context, w io.Writer, d *daemon) {
	t := newTerminal(w, os.Getenv("CI") == "true")
	var tick <-chan time.Time
	if t.fold {
		ticker := time.NewTicker(foldAfter)
		defer ticker.Stop()
		tick = ticker.C
	}
	lines := d.logs.Subscribe(ctx, nil)
	for {
		var err error
		select {
		case l, ok := <-lines:
			if !ok {
				_ = t.flushAll() // whether anybody reads it or not
				return
			}
			err = t.show(l)
		case <-tick:
			err = t.flushAll()
		}
		if err != nil {
			<-ctx.Done() // nobody reads any more; the stack runs on
			return
		}
	}
}
