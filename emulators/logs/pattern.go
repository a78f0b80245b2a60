package logs

import (
	"regexp"
	"strings"
	"unicode"

	"devstack/emulators/wire"
)

// matcher reports whether a message is what a filter pattern looks for.
type matcher func(message string) bool

// What is wrong with a pattern, in the service's words where it is known which it has for it.
//
// https://github.com/DefangLabs/defang/issues/1008 and https://github.com/jorgebastida/awslogs/issues/210
const (
	msgBadPattern = "Invalid filter pattern: %s"
	msgBadTerm    = "Invalid filter pattern: Invalid character(s) in term '%s'"
	msgOpenBrace  = "Invalid filter pattern: If a filter pattern starts with '{' it must end with '}'"
)

// parsePattern compiles a filter pattern: terms ("quoted" where they have more than letters, digits and _), of which all must
// occur; with ? before each, any of them; with - before one, not that one. %expression% is a regular expression, { $.a = 1 } looks
// into JSON. An empty pattern is everything. Space-delimited patterns ([a, b]) are not emulated.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
func parsePattern(text *string) (matcher, error) {
	if text == nil || strings.TrimSpace(*text) == "" {
		return func(string) bool { return true }, nil
	}
	pattern := strings.TrimSpace(*text)
	switch pattern[0] {
	case '{':
		return parseJSONPattern(pattern)
	case '[':
		return nil, wire.NotImplemented("logs: space-delimited filter patterns ([...]) are not emulated")
	}
	return parseTerms(pattern)
}

// term is one word of a pattern.
type term struct {
	sign byte // '?', '-' or 0
	hit  matcher
}

func parseTerms(pattern string) (matcher, error) {
	var all, any, none []matcher
	for rest := pattern; ; {
		if rest = strings.TrimLeftFunc(rest, unicode.IsSpace); rest == "" {
			break
		}
		var t term
		var err error
		if t, rest, err = nextTerm(rest); err != nil {
			return nil, err
		}
		switch t.sign {
		case '?':
			any = append(any, t.hit)
		case '-':
			none = append(none, t.hit)
		default:
			all = append(all, t.hit)
		}
	}
	if len(all) > 0 {
		any = nil // "you can't combine ? with other terms: they are ignored" (the page above)
	}
	return func(message string) bool {
		for _, hit := range all {
			if !hit(message) {
				return false
			}
		}
		for _, hit := range none {
			if hit(message) {
				return false
			}
		}
		for _, hit := range any {
			if hit(message) {
				return true
			}
		}
		return len(any) == 0
	}, nil
}

// nextTerm reads one term from the beginning of a pattern.
func nextTerm(s string) (t term, rest string, err error) {
	if s[0] == '?' || s[0] == '-' {
		t.sign, s = s[0], s[1:]
	}
	if s == "" {
		return t, "", errInvalidParameterException(msgBadPattern, "a term is missing")
	}
	switch s[0] {
	case '"':
		text, rest, ok := cutQuoted(s)
		if !ok {
			return t, "", errInvalidParameterException(msgBadPattern, "a quote is not closed")
		}
		if text == "" {
			return t, "", errInvalidParameterException(msgBadTerm, `""`)
		}
		t.hit = func(m string) bool { return strings.Contains(m, text) }
		return t, rest, nil
	case '%':
		expression, rest, ok := strings.Cut(s[1:], "%")
		if !ok {
			return t, "", errInvalidParameterException(msgBadPattern, "a regular expression is not closed")
		}
		re, err := regexp.Compile(expression)
		if err != nil {
			return t, "", errInvalidParameterException(msgBadPattern, err.Error())
		}
		t.hit = re.MatchString
		return t, rest, nil
	}
	end := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' })
	switch {
	case end < 0:
		end = len(s)
	case end == 0 || !unicode.IsSpace(rune(s[end])):
		bad, _, _ := strings.Cut(s, " ")
		return t, "", errInvalidParameterException(msgBadTerm, bad)
	}
	text := s[:end]
	t.hit = func(m string) bool { return strings.Contains(m, text) }
	return t, s[end:], nil
}

// cutQuoted returns the text in the quotes that s begins with, and what follows them. A backslash takes the next character as it is.
func cutQuoted(s string) (text, rest string, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			if i++; i < len(s) {
				b.WriteByte(s[i])
			}
		case '"':
			return b.String(), s[i+1:], true
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}
