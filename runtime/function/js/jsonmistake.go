package js

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// mistake looks for what is wrong with JSON, to say it in V8's words: scripts show them to people, and some read them.
//
// https://github.com/v8/v8/blob/main/src/common/message-template.h (JsonParse…), and what Node.js answers: the tests ask it.
type mistake struct {
	text    string
	at      int // in bytes
	depth   int
	message string
}

// jsonMistake is V8's message for a text that is not JSON, "" for one that is.
func jsonMistake(text string) string {
	m := mistake{text: text}
	if !m.value() {
		return m.message
	}
	if m.space(); m.at < len(text) {
		m.expected("Unexpected non-whitespace character after JSON")
	}
	return m.message
}

// expected says what is wrong here. Positions count from 0, lines and columns from 1, all in units of UTF-16.
func (m *mistake) expected(words string) bool {
	before := m.text[:m.at]
	line, column := 1, 1
	for i, c := range before {
		switch {
		case c == '\n' && i > 0 && before[i-1] == '\r':
		case c == '\n' || c == '\r':
			line, column = line+1, 1
		default:
			column += utf16.RuneLen(c)
		}
	}
	after := ""
	if !strings.HasSuffix(words, "after JSON") {
		after = " in JSON"
	}
	m.message = fmt.Sprintf("%s%s at position %d (line %d column %d)", words, after, len(units(before)), line, column)
	return false
}

// unexpected says that nothing which may stand here does.
func (m *mistake) unexpected() bool {
	if m.at >= len(m.text) {
		m.message = "Unexpected end of JSON input"
		return false
	}
	switch c := m.text[m.at]; {
	case digit(c), c == '-':
		return m.expected("Unexpected number")
	case c == '"':
		return m.expected("Unexpected string")
	}
	switch m.text {
	case "[object Object]", "NaN", "Infinity", "undefined": // what a value becomes that was no text
		m.message = fmt.Sprintf(`"%s" is not valid JSON`, m.text)
		return false
	}
	r, _ := utf8.DecodeRuneInString(m.text[m.at:])
	token := units(string(r))[:1]
	m.message = fmt.Sprintf("Unexpected token '%s', %s is not valid JSON", text(token), m.around())
	return false
}

// around shows ten units on both sides of a mistake.
func (m *mistake) around() string {
	const sides = 10
	all, at := units(m.text), len(units(m.text[:m.at]))
	if len(all) <= 2*sides {
		return `"` + m.text + `"`
	}
	before, after := "", ""
	from, to := max(0, at-sides), min(len(all), at+sides)
	if at >= sides {
		before = "..."
	} else {
		from = 0
	}
	if at < len(all)-sides {
		after = "..."
	} else {
		to = len(all)
	}
	return before + `"` + text(all[from:to]) + `"` + after
}

func units(s string) []uint16     { return utf16.Encode([]rune(s)) }
func text(units []uint16) string  { return string(utf16.Decode(units)) }
func digit(c byte) bool           { return '0' <= c && c <= '9' }
func (m *mistake) is(c byte) bool { return m.at < len(m.text) && m.text[m.at] == c }

// skip passes a character if it stands here.
func (m *mistake) skip(c byte) bool {
	if m.is(c) {
		m.at++
		return true
	}
	return false
}

func (m *mistake) space() {
	m.at += len(m.text[m.at:]) - len(strings.TrimLeft(m.text[m.at:], " \t\n\r"))
}

// value passes a value, and reports whether there is one.
func (m *mistake) value() bool {
	if m.space(); m.at >= len(m.text) {
		return m.unexpected()
	}
	switch c := m.text[m.at]; {
	case c == '{':
		return m.nested(m.object)
	case c == '[':
		return m.nested(m.array)
	case c == '"':
		return m.quoted()
	case digit(c), c == '-':
		return m.number()
	case c == 't':
		return m.literal("true")
	case c == 'f':
		return m.literal("false")
	case c == 'n':
		return m.literal("null")
	}
	return m.unexpected()
}

func (m *mistake) nested(inside func() bool) bool {
	if m.depth++; m.depth > maxJSONDepth {
		m.message = fmt.Sprintf("the JSON is nested more than %d deep", maxJSONDepth)
		return false
	}
	m.at++
	ok := inside()
	m.depth--
	return ok
}

func (m *mistake) literal(word string) bool {
	for i := range len(word) {
		if !m.skip(word[i]) {
			return m.unexpected()
		}
	}
	return true
}

func (m *mistake) object() bool {
	if m.space(); m.skip('}') {
		return true
	}
	for first := true; ; first = false {
		if !m.property(first) {
			return false
		}
		if m.space(); m.skip('}') {
			return true
		}
		if !m.skip(',') {
			return m.expected("Expected ',' or '}' after property value")
		}
	}
}

// property passes a name and its value. V8 has more to say of an object's first.
func (m *mistake) property(first bool) bool {
	m.space()
	switch {
	case m.is('"'):
	case first:
		return m.expected("Expected property name or '}'")
	default:
		return m.expected("Expected double-quoted property name")
	}
	if !m.quoted() {
		return false
	}
	m.space()
	switch {
	case m.skip(':'):
		return m.value()
	case first:
		return m.expected("Expected ':' after property name")
	}
	return m.unexpected()
}

func (m *mistake) array() bool {
	if m.space(); m.skip(']') {
		return true
	}
	for {
		if !m.value() {
			return false
		}
		if m.space(); m.skip(']') {
			return true
		}
		if !m.skip(',') {
			return m.expected("Expected ',' or ']' after array element")
		}
	}
}

func (m *mistake) quoted() bool {
	m.at++
	for m.at < len(m.text) {
		switch c := m.text[m.at]; {
		case c == '"':
			m.at++
			return true
		case c < ' ':
			return m.expected("Bad control character in string literal")
		case c == '\\':
			if m.at++; !m.escape() {
				return false
			}
		default:
			m.at++
		}
	}
	return m.expected("Unterminated string")
}

// escape passes what follows a backslash.
func (m *mistake) escape() bool {
	if m.at >= len(m.text) {
		return m.unexpected()
	}
	if m.skip('u') {
		for range 4 {
			if m.at >= len(m.text) || !strings.ContainsRune("0123456789abcdefABCDEF", rune(m.text[m.at])) {
				return m.expected("Bad Unicode escape")
			}
			m.at++
		}
		return true
	}
	if !strings.ContainsRune(`"\/bfnrt`, rune(m.text[m.at])) {
		return m.expected("Bad escaped character")
	}
	m.at++
	return true
}

func (m *mistake) number() bool {
	if m.skip('-') && !m.digitHere() {
		return m.expected("No number after minus sign")
	}
	if m.skip('0') {
		if m.digitHere() {
			return m.expected("Unexpected number")
		}
	} else {
		m.digits()
	}
	if m.skip('.') && !m.digits() {
		return m.expected("Unterminated fractional number")
	}
	if m.skip('e') || m.skip('E') {
		if !m.skip('+') {
			m.skip('-')
		}
		if !m.digits() {
			return m.expected("Exponent part is missing a number")
		}
	}
	return true
}

func (m *mistake) digitHere() bool { return m.at < len(m.text) && digit(m.text[m.at]) }

// digits passes digits, and reports whether there are any.
func (m *mistake) digits() bool {
	start := m.at
	for m.digitHere() {
		m.at++
	}
	return m.at > start
}
