package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"devstack/internal/trace"
)

// summary is one line of `devstack trace`.
type summary struct {
	ID       string        `json:"id"`
	Start    time.Time     `json:"start"`
	Name     string        `json:"name"`     // of the first span
	Duration time.Duration `json:"duration"` // nanoseconds, to the end of the last span
	Spans    int           `json:"spans"`
	Error    string        `json:"error,omitempty"` // the first one
}

// summaries lists the traces of spans, the latest first.
func summaries(spans []trace.Span) []summary {
	byID := map[string]*summary{}
	last := map[string]time.Time{}
	slices.SortStableFunc(spans, func(a, b trace.Span) int { return a.Start.Compare(b.Start) })
	for _, s := range spans {
		t := byID[s.Trace]
		if t == nil {
			t = &summary{ID: s.Trace, Start: s.Start, Name: s.Kind + " " + s.Name}
			byID[s.Trace] = t
		}
		t.Spans++
		t.Error = cmp.Or(t.Error, s.Error)
		if end := s.Start.Add(s.Duration); end.After(last[s.Trace]) {
			last[s.Trace], t.Duration = end, end.Sub(t.Start)
		}
	}
	out := make([]summary, 0, len(byID))
	for _, t := range byID {
		out = append(out, *t)
	}
	slices.SortFunc(out, func(a, b summary) int { return cmp.Or(b.Start.Compare(a.Start), strings.Compare(a.ID, b.ID)) })
	return out
}

// newTrace is `devstack trace`.
func newTrace() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "trace [ID]",
		Short: "List the latest requests through the stack, or show every hop of one",
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := lineCount(cmd)
			if err != nil {
				return err
			}
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return listTraces(cmd, c, n)
			}
			var spans []trace.Span
			if err := c.call(cmd.Context(), "GET", "/traces/"+url.PathEscape(args[0]), nil, nil, &spans); err != nil {
				return err
			}
			if asJSON(cmd) {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(spans)
			}
			wide, _ := cmd.Flags().GetBool("full")
			printTree(cmd.OutOrStdout(), spans, wide)
			return nil
		},
	}
	cmd.Flags().IntP("lines", "n", 20, "how many of the latest traces to list")
	cmd.Flags().Bool("full", false, "show inputs and outputs whole")
	withJSON(cmd)
	return cmd
}

func listTraces(cmd *cobra.Command, c *client, n int) error {
	var all []summary
	if err := c.call(cmd.Context(), "GET", "/traces", nil, nil, &all); err != nil {
		return err
	}
	all = all[:min(n, len(all))]
	if asJSON(cmd) {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(all)
	}
	t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	for _, s := range all {
		line := fmt.Sprintf("%s\t%s\t%s\t%s\t%d spans\t%s", s.ID, s.Start.Local().Format("15:04:05.000"), s.Name, brief(s.Duration), s.Spans, clipLine(s.Error, 60))
		fmt.Fprintln(t, strings.TrimRight(line, "\t"))
	}
	return t.Flush()
}

// printTree shows spans below the ones that caused them.
func printTree(w io.Writer, spans []trace.Span, full bool) {
	slices.SortStableFunc(spans, func(a, b trace.Span) int { return a.Start.Compare(b.Start) })
	known := map[string]bool{}
	for _, s := range spans {
		known[s.ID] = true
	}
	children := map[string][]trace.Span{}
	for _, s := range spans {
		parent := s.Parent
		if !known[parent] {
			parent = "" // outside the stack, or not finished yet
		}
		children[parent] = append(children[parent], s)
	}
	var show func(parent string, depth int)
	show = func(parent string, depth int) {
		for _, s := range children[parent] {
			indent := strings.Repeat("  ", depth)
			fmt.Fprintf(w, "%s%s %s  %s\n", indent, s.Kind, s.Name, brief(s.Duration))
			for _, detail := range []struct{ name, text string }{{"in", s.Input}, {"out", s.Output}, {"error", s.Error}} {
				if detail.text == "" {
					continue
				}
				if !full {
					detail.text = clipLine(detail.text, 140)
				}
				fmt.Fprintf(w, "%s    %s: %s\n", indent, detail.name, detail.text)
			}
			show(s.ID, depth+1)
		}
	}
	show("", 0)
}

// brief is a duration in milliseconds, as one compares them.
func brief(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}

// clipLine shortens a text to one line of at most n characters.
func clipLine(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
