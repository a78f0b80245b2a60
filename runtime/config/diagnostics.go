package config

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"
)

// Diagnostic is one problem in a stack file and where it is. Lines and columns count from 1, columns in characters;
// the end is the column after the last.
type Diagnostic struct {
	File      string `json:"file,omitempty"` // relative to the stack's folder; "" if the problem has no place
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
	EndLine   int    `json:"endLine,omitempty"`
	EndColumn int    `json:"endColumn,omitempty"`
	Summary   string `json:"summary"`
	Detail    string `json:"detail"`
	Source    string `json:"source,omitempty"` // the line itself
}

// String returns the problem in one line: stack.hcl:14,11-24: Unknown table; there is no table "order".
func (d Diagnostic) String() string {
	return d.place() + d.Summary + "; " + oneLine(d.Detail)
}

func (d Diagnostic) place() string {
	switch {
	case d.File == "":
		return ""
	case d.Line == 0:
		return d.File + ": "
	case d.EndLine == d.Line:
		return fmt.Sprintf("%s:%d,%d-%d: ", d.File, d.Line, d.Column, d.EndColumn)
	default:
		return fmt.Sprintf("%s:%d,%d-%d,%d: ", d.File, d.Line, d.Column, d.EndLine, d.EndColumn)
	}
}

// Text returns the problem for a terminal: the place, the line with what is meant underlined, the detail.
func (d Diagnostic) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Error: %s\n", d.Summary)
	if d.File != "" {
		fmt.Fprintf(&b, "  %s\n", strings.TrimSuffix(d.place(), ": "))
	}
	if strings.TrimSpace(d.Source) != "" {
		number := fmt.Sprint(d.Line)
		fmt.Fprintf(&b, "  %s | %s\n", number, d.Source)
		fmt.Fprintf(&b, "  %s | %s\n", strings.Repeat(" ", len(number)), d.carets())
	}
	fmt.Fprintf(&b, "  %s\n", strings.ReplaceAll(strings.TrimSpace(d.Detail), "\n", "\n  "))
	return b.String()
}

// carets underlines the problem's part of its line. Tabs before it stay tabs, so that it stands below.
func (d Diagnostic) carets() string {
	line := []rune(d.Source)
	start := min(max(d.Column-1, 0), len(line))
	end := len(line)
	if d.EndLine == d.Line {
		end = min(d.EndColumn-1, len(line))
	}
	var b strings.Builder
	for _, r := range line[:start] {
		if r != '\t' {
			r = ' '
		}
		b.WriteRune(r)
	}
	return b.String() + strings.Repeat("^", max(end-start, 1))
}

// Diagnostics is the error of Load: every problem of the stack, in the order of their places.
type Diagnostics []Diagnostic

// Error returns one line a problem.
func (ds Diagnostics) Error() string {
	lines := make([]string, len(ds))
	for i, d := range ds {
		lines[i] = d.String()
	}
	return strings.Join(lines, "\n")
}

// Text returns the problems for a terminal, with their source lines.
func (ds Diagnostics) Text() string {
	texts := make([]string, len(ds))
	for i, d := range ds {
		texts[i] = d.Text()
	}
	return strings.Join(texts, "\n")
}

// MarshalJSON returns {"diagnostics":[{"file","line","column","endLine","endColumn","summary","detail","source"}]}.
func (ds Diagnostics) MarshalJSON() ([]byte, error) {
	list := []Diagnostic(ds)
	if list == nil {
		list = []Diagnostic{}
	}
	return json.Marshal(map[string][]Diagnostic{"diagnostics": list})
}

// problems collects diagnostics while a stack is read.
type problems struct {
	list  Diagnostics
	lines map[string][]string // by file as in ranges: its lines
}

// source makes the lines of a file known, to be shown with its problems.
func (p *problems) source(file string, content []byte) {
	if p.lines == nil {
		p.lines = map[string][]string{}
	}
	p.lines[file] = strings.Split(string(content), "\n")
}

// add reports a problem.
func (p *problems) add(at hcl.Range, summary, detail string, args ...any) {
	if len(args) > 0 {
		detail = fmt.Sprintf(detail, args...)
	}
	d := Diagnostic{
		File: at.Filename, Line: at.Start.Line, Column: at.Start.Column, EndLine: at.End.Line, EndColumn: at.End.Column,
		Summary: summary, Detail: detail,
	}
	if lines := p.lines[d.File]; d.Line >= 1 && d.Line <= len(lines) {
		d.Source = shown(strings.TrimSuffix(lines[d.Line-1], "\r"))
	}
	p.list = append(p.list, d)
}

// maxShown is the longest line that helps anybody, in bytes.
const maxShown = 500

// shown is a line as it may go to a terminal: "" if it is nothing that a person wrote.
func shown(line string) string {
	if len(line) > maxShown {
		return ""
	}
	return strings.Map(func(r rune) rune {
		if r != '\t' && !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, line)
}

// addHCL reports what the HCL library found.
func (p *problems) addHCL(diags hcl.Diagnostics) {
	for _, d := range diags {
		if d.Severity != hcl.DiagError {
			continue
		}
		var at hcl.Range
		if d.Subject != nil {
			at = *d.Subject
		}
		p.add(at, d.Summary, "%s", strings.TrimSuffix(d.Detail, "."))
	}
}

// sorted returns the problems in the order of their places, each once. Instances of one block share their mistakes.
func (p *problems) sorted() Diagnostics {
	slices.SortStableFunc(p.list, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(p.list)
}

// oneLine joins lines and the spaces around their ends.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
