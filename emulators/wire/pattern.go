package wire

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dlclark/regexp2/v2"

	"devstack/internal/jsontext"
)

// A pattern of the model is a regular expression of Java that the whole value must match. Go's own engine takes nearly all of
// them, in linear time; those with lookarounds or counts above 1000 go to a backtracking one, under a time limit.

var patterns sync.Map // of func(string) bool, by the model's pattern

// patternTime bounds a match by backtracking. A value that takes longer passes: a service's own rules will still see it.
const patternTime = 100 * time.Millisecond

// matches reports whether the whole of s matches a pattern of the model.
func matches(pattern, s string) bool {
	m, ok := patterns.Load(pattern)
	if !ok {
		m, _ = patterns.LoadOrStore(pattern, compilePattern(pattern))
	}
	return m.(func(string) bool)(s)
}

func compilePattern(pattern string) func(string) bool {
	linear, backtracking := parsePattern(pattern)
	switch {
	case linear != nil:
		return linear.MatchString
	case backtracking != nil:
		return func(s string) bool {
			ok, err := backtracking.MatchString(s)
			return ok || err != nil
		}
	}
	return func(string) bool { return true } // TestPatterns sees to it that no model has one
}

// parsePattern compiles a pattern for the engine that takes it, for none if it is no regular expression.
func parsePattern(pattern string) (*regexp.Regexp, *regexp2.Regexp) {
	src := `\A(?:` + translatePattern(pattern) + `)\z`
	if re, err := regexp.Compile(src); err == nil {
		return re, nil
	}
	re, err := regexp2.Compile(src, regexp2.RE2)
	if err != nil {
		return nil, nil
	}
	re.MatchTimeout = patternTime
	return nil, re
}

// posixClasses are Java's names of classes of ASCII, as ranges.
// https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/util/regex/Pattern.html#posix
var posixClasses = map[string]string{
	"Lower": "a-z", "Upper": "A-Z", "ASCII": `\x00-\x7f`, "Alpha": "a-zA-Z", "Digit": "0-9", "Alnum": "a-zA-Z0-9", "Punct": "!-/:-@[-`{-~",
	"Graph": "!-~", "Print": " -~", "Blank": ` \t`, "Cntrl": `\x00-\x1f\x7f`, "XDigit": "0-9a-fA-F", "Space": ` \t\n\x0b\f\r`,
}

// translatePattern rewrites what Java writes otherwise: \u0020 for \x{0020}, pairs of surrogates for one character, and
// \p{Print} and its like.
func translatePattern(p string) string {
	var b strings.Builder
	inClass := false
	for i := 0; i < len(p); i++ {
		switch p[i] {
		case '[':
			inClass = true
		case ']':
			inClass = false
		}
		if p[i] != '\\' || i+1 == len(p) {
			b.WriteByte(p[i])
			continue
		}
		text, n := translateEscape(p[i:], inClass)
		b.WriteString(text)
		i += n - 1
	}
	return b.String()
}

// translateEscape rewrites what begins with a backslash, and says how long it was.
func translateEscape(p string, inClass bool) (string, int) {
	if p[1] == 'u' {
		if r, n := jsontext.Rune([]byte(p[2:])); n > 0 {
			return `\x{` + strconv.FormatInt(int64(r), 16) + `}`, 2 + n
		}
	}
	if rest, ok := strings.CutPrefix(p, `\p{`); ok {
		name, _, _ := strings.Cut(rest, "}")
		if ranges := posixClasses[name]; ranges != "" {
			if !inClass {
				ranges = "[" + ranges + "]"
			}
			return ranges, len(`\p{}`) + len(name)
		}
	}
	return p[:2], 2
}
