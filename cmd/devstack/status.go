package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"devstack/runtime/supervise"
)

// newStatus is `devstack status`.
func newStatus() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the running stack's resources",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			var r report
			if err := c.call(cmd.Context(), "GET", "/status", nil, nil, &r); err != nil {
				return err
			}
			if asJSON(cmd) {
				enc := json.NewEncoder(cmd.OutOrStdout())
				enc.SetIndent("", "  ")
				return enc.Encode(r)
			}
			printReport(cmd.OutOrStdout(), &r)
			return nil
		},
	}
	withJSON(cmd)
	return cmd
}

// printReport shows a stack's state to a person.
func printReport(w io.Writer, r *report) {
	fmt.Fprintf(w, "%s in %s, process %d, AWS on %s (%s, account %s)\n\n", r.Stack, r.Dir, r.PID, r.Endpoint, r.Region, r.Account)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range r.Resources {
		line := fmt.Sprintf("%s.%s\t%s\t%s", s.Type, s.Name, s.State, note(s))
		fmt.Fprintln(t, strings.TrimRight(line, "\t"))
	}
	t.Flush()
	if r.Problem != "" {
		fmt.Fprintf(w, "\nthe stack's files are wrong, and what runs is as it was before:\n%s\n", r.Problem)
	}
	for _, s := range r.AWS {
		for _, gap := range []struct {
			what  string
			names map[string]uint64
		}{{"is not implemented", s.NotImplemented}, {"is no operation of AWS's", s.Unknown}} {
			for _, name := range slices.Sorted(maps.Keys(gap.names)) {
				fmt.Fprintf(w, "\n%s %s was called %d times and %s\n", s.Service, name, gap.names[name], gap.what)
			}
		}
	}
}

// note is where a resource answers, or why it does not.
func note(s supervise.Status) string {
	parts := []string{restarts(s.Restarts), oneLine(s.Why)}
	if s.State == supervise.Ready || s.Why == "" {
		parts = append([]string{s.URL}, parts...)
	}
	if s.Debugger != "" {
		parts = append(parts, "debugger on "+s.Debugger)
	}
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), "; ")
}

func restarts(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "1 restart"
	}
	return fmt.Sprintf("%d restarts", n)
}

// oneLine is the first line of a text; the rest of a build's complaints is in the log.
func oneLine(s string) string {
	line, rest, _ := strings.Cut(strings.TrimSpace(s), "\n")
	if rest != "" {
		line += " …"
	}
	return line
}

// unready lists the resources that do not serve.
func unready(all []supervise.Status) []supervise.Status {
	return slices.DeleteFunc(slices.Clone(all), func(s supervise.Status) bool { return s.State == supervise.Ready })
}
