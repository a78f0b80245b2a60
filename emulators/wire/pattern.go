package wire

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dlclark/regexp2/v2"
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
	src := `\A(?:` + translatePattern(pattern) + `)\z`
	if re, err := regexp.Compile(src); err == nil {
		return re.MatchString
	}
	re, err := regexp2.Compile(src, regexp2.RE2)
	if err != nil {
		return func(string) bool { return true } // TestPatterns lists them: there are none in the models we know
	}
	re.MatchTimeout = patternTime
	return func(s string) bool {
		ok, err := re.MatchString(s)
		return ok || err != nil
	}
}

// translatePattern rewrites what Java writes otherwise: \u0020 for \x{0020}, and pairs of surrogates for one character.
func translatePattern(p string) string {
	var b strings.Builder
	for i := 0; i < len(p); i++ {
		if p[i] != '\\' || i+1 == len(p) {
			b.WriteByte(p[i])
			continue
		}
		r, n := unicodeEscape([]byte(p[i+2:]))
		if p[i+1] != 'u' || n == 0 {
			b.WriteString(p[i : i+2])
			i++
			continue
		}
		b.WriteString(`\x{` + strconv.FormatInt(int64(r), 16) + `}`)
		i += 1 + n
	}
	return b.String()
}
