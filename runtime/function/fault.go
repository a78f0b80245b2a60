package function

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"devstack/runtime/config"
)

// Fault is why a function cannot be built or loaded, and where, if that is known.
type Fault struct {
	File    string // as the tool named it; "" if it named none
	Line    int    // 0 if File is ""
	Message string // one line
	Frame   string // the lines around the place, or what a build has printed; "" if there is nothing to show
}

// String is "file:line: message".
func (f Fault) String() string {
	if f.File == "" {
		return f.Message
	}
	return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Message)
}

// Places in what tools print: "src/app.ts:3:7: …" of compilers, `at handler (/path/app.js:3:9)` of JavaScript, `File "/path/app.py",
// line 3` of Python, `/path/app.rb:3:in …` of Ruby.
var (
	compilerPlace = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\s*([^\s:(]+\.\w+):(\d+)(?::\d+)?:?\s*(.*)$`) })
	tracePlace    = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?:\(|at |^\s*)(?:file://)?(/?[^\s:()]+\.\w+):(\d+)(?::\d+)?(?:\)|:in|$)`)
	})
	pythonPlace = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`File "([^"]+)", line (\d+)`) })
)

// FaultOf finds the place in an error of a build or a start. It is false for an error that is not the function's own.
func FaultOf(fn *config.Function, err error) (Fault, bool) {
	var build *BuildError
	var load *InitError
	var ended *ExitError
	switch {
	case errors.As(err, &build):
		return buildFault(build.Text), true
	case errors.As(err, &load):
		return loadFault(fn, load), true
	case errors.As(err, &ended):
		return Fault{Message: ended.Error()}, true
	}
	return Fault{}, false
}

// buildFault reads what a build has printed, which has a frame of its own.
func buildFault(text string) Fault {
	text = strings.TrimSpace(text)
	first, rest, _ := strings.Cut(text, "\n")
	f := Fault{Message: strings.TrimSpace(first), Frame: strings.Trim(rest, "\n")}
	for line := range strings.Lines(text) {
		m := compilerPlace().FindStringSubmatch(strings.TrimRight(line, "\n"))
		if m == nil {
			continue
		}
		f.File, f.Line = m[1], atoi(m[2])
		if m[3] != "" {
			f.Message = m[3]
		}
		break
	}
	return f
}

// loadFault reads the error that a runtime reported, and shows the lines around its place.
func loadFault(fn *config.Function, e *InitError) Fault {
	var body struct {
		ErrorMessage      string
		Trace, StackTrace []string
	}
	_ = json.Unmarshal(e.Payload, &body) // a runtime may fail with anything
	first, _, _ := strings.Cut(strings.TrimSpace(body.ErrorMessage), "\n")
	f := Fault{Message: strings.TrimSuffix(e.Type+": "+first, ": ")}
	root := TaskRoot(fn)
	for _, at := range append(body.Trace, body.StackTrace...) {
		for _, pattern := range []*regexp.Regexp{tracePlace(), pythonPlace()} {
			for _, m := range pattern.FindAllStringSubmatch(at, -1) {
				path := m[1]
				if !filepath.IsAbs(path) {
					path = filepath.Join(root, path)
				}
				rel, err := filepath.Rel(root, path)
				if err != nil || !filepath.IsLocal(rel) || strings.Contains(rel, "node_modules") || strings.Contains(rel, "site-packages") {
					continue // not the developer's
				}
				f.File, f.Line = rel, atoi(m[2])
				if pattern == tracePlace() {
					f.Frame = frame(path, f.Line)
					return f // the innermost comes first, in Python last
				}
			}
		}
	}
	if f.File != "" {
		f.Frame = frame(filepath.Join(root, f.File), f.Line)
	}
	return f
}

// frame shows a line of a file between those around it, "" if it cannot be read.
func frame(path string, line int) string {
	content, err := os.ReadFile(path)
	lines := strings.Split(string(content), "\n")
	if err != nil || line < 1 || line > len(lines) {
		return ""
	}
	var b strings.Builder
	for n := max(1, line-1); n <= min(len(lines), line+1); n++ {
		mark := " "
		if n == line {
			mark = ">"
		}
		text := []rune(strings.ReplaceAll(strings.TrimRight(lines[n-1], "\r"), "\t", "  "))
		fmt.Fprintf(&b, "%s %*d │ %s\n", mark, len(strconv.Itoa(line+1)), n, string(text[:min(len(text), 200)]))
	}
	return strings.TrimRight(b.String(), "\n")
}

func atoi(s string) int { n, _ := strconv.Atoi(s); return n } // one too large is no line
