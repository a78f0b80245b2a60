package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"devstack/runtime/logs"
)

// newLogs is `devstack logs`.
func newLogs() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "logs [RESOURCE...]",
		Short: "Show what the stack's services and functions print",
		Long:  "Show what the stack's services and functions print, all of them or those named (`tally` or `function.tally`).\nWithout a running stack it shows what the last run left.",
		RunE: func(cmd *cobra.Command, args []string) error {
			follow, _ := cmd.Flags().GetBool("follow")
			n, err := lineCount(cmd)
			if err != nil {
				return err
			}
			c, err := connect(cmd)
			if errors.Is(err, errNotRunning) && !follow {
				return printOldLogs(cmd, args, n)
			} else if err != nil {
				return err
			}
			query := url.Values{"source": args, "n": {fmt.Sprint(n)}}
			if follow {
				query.Set("follow", "1")
			}
			res, err := c.do(cmd.Context(), "GET", "/logs", query, nil)
			if err != nil {
				return err
			}
			defer res.Body.Close()
			p := newLinePrinter(cmd.OutOrStdout())
			for d := json.NewDecoder(res.Body); ; {
				var l logs.Line
				if err := d.Decode(&l); err != nil {
					if errors.Is(err, io.EOF) || cmd.Context().Err() != nil {
						return nil
					}
					return fmt.Errorf("the daemon is gone, and not by `devstack down`: %w", err)
				}
				if err := p.write(cmd, l); err != nil {
					return err
				}
			}
		},
	}
	cmd.Flags().BoolP("follow", "f", false, "go on with what comes")
	cmd.Flags().IntP("lines", "n", 200, "how many of the latest `lines` to begin with")
	withJSON(cmd)
	cmd.ValidArgsFunction = resourceNames("")
	return cmd
}

// printOldLogs shows what is on disk of a stack that does not run.
func printOldLogs(cmd *cobra.Command, names []string, n int) error {
	dir, err := stackDir(cmd)
	if err != nil {
		return err
	}
	folder := filepath.Join(dir, stateDir, "logs")
	if _, err := os.Stat(folder); err != nil {
		return errNotRunning
	}
	hub := logs.New(folder, logs.Options{})
	defer hub.Close()
	p := newLinePrinter(cmd.OutOrStdout())
	for _, l := range logged(hub.Tail("", 2*n), n) {
		if len(names) > 0 && !named(l.Source, names) {
			continue
		}
		if err := p.write(cmd, l); err != nil {
			return err
		}
	}
	return nil
}

// named reports whether a source is among names as a person gives them.
func named(source string, names []string) bool {
	for _, name := range names {
		if source == name || afterDot(source) == name {
			return true
		}
	}
	return false
}

// controls are what programs send to terminals besides text: colours, cursor movements, carriage returns.
var controls = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)|[@-Z\\\\^_])|[\x00-\x08\x0b-\x1f\x7f]")
})

// linePrinter shows log lines to a person: the source in a column of its own, in a colour of its own on a terminal.
type linePrinter struct {
	w      io.Writer
	colour bool
	width  int
}

func newLinePrinter(w io.Writer) *linePrinter {
	return &linePrinter{w: w, colour: isTerminal(w), width: 12}
}

// write prints a line as the command's flags want it.
func (p *linePrinter) write(cmd *cobra.Command, l logs.Line) error {
	if asJSON(cmd) {
		return json.NewEncoder(p.w).Encode(l)
	}
	return p.print(l)
}

func (p *linePrinter) print(l logs.Line) error {
	name := afterDot(l.Source)
	p.width = max(p.width, len(name))
	head := fmt.Sprintf("%-*s |", p.width, name)
	if p.colour {
		h := fnv.New32a()
		h.Write([]byte(l.Source))
		head = fmt.Sprintf("\x1b[%dm%s\x1b[0m", 31+h.Sum32()%6, head)
	}
	text := l.Text
	if l.Lost > 0 {
		text = fmt.Sprintf("(%d lines were too fast to be shown)", l.Lost)
	}
	if !p.colour {
		text = controls().ReplaceAllString(text, "")
	}
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		if _, err := fmt.Fprintln(p.w, head, line); err != nil {
			return err
		}
	}
	return nil
}

// logged leaves out what only a terminal shows, and returns the last n of the other lines.
func logged(lines []logs.Line, n int) []logs.Line {
	out := slices.DeleteFunc(lines, func(l logs.Line) bool { return l.Stream == invocation })
	return out[max(0, len(out)-n):]
}
