package lambda

import (
	"encoding/json"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// notJSON says what is wrong with a payload, "" if nothing is: in the words of Jackson, the library that Lambda reads payloads with. Two
// of them are recorded answers (with the source and its "REDACTED"); the others are Jackson's own, https://github.com/FasterXML/jackson-core.
func notJSON(b []byte) string {
	if utf8.Valid(b) && json.Valid(b) {
		return ""
	}
	j := &jackson{b: b}
	if why := j.document(); why != "" {
		return why
	}
	var v any // what is wrong has passed here
	if err := json.Unmarshal(b, &v); err != nil {
		return err.Error()
	}
	return "Invalid UTF-8"
}

// jackson finds the first mistake in a text.
type jackson struct {
	b     []byte
	i     int
	depth int
}

// maxDepth is how deep values may lie in each other: Jackson's own bound.
const maxDepth = 1000

const (
	jacksonSource = "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: %d, column: %d]"
	jacksonValue  = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
)

// place is a position as Jackson writes it.
func (j *jackson) place(i int) string {
	line, column := 1, 1
	for _, c := range j.b[:i] {
		if column++; c == '\n' {
			line, column = line+1, 1
		}
	}
	return fmt.Sprintf(jacksonSource, line, column)
}

func (j *jackson) fail(at int, format string, args ...any) string {
	return fmt.Sprintf(format, args...) + "\n at " + j.place(at)
}

func (j *jackson) space() {
	for j.i < len(j.b) && (j.b[j.i] == ' ' || j.b[j.i] == '\t' || j.b[j.i] == '\n' || j.b[j.i] == '\r') {
		j.i++
	}
}

// unexpected says that a character is none that could stand there.
func (j *jackson) unexpected(comment string) string {
	r, size := utf8.DecodeRune(j.b[j.i:])
	if r == utf8.RuneError && size == 1 {
		r = rune(j.b[j.i])
	}
	desc := fmt.Sprintf("'%c' (code %d)", r, r)
	switch {
	case unicode.IsControl(r):
		desc = fmt.Sprintf("(CTRL-CHAR, code %d)", r)
	case r > 0xff:
		desc = fmt.Sprintf("'%c' (code %d / 0x%x)", r, r, r)
	}
	return j.fail(j.i, "Unexpected character (%s): %s", desc, comment)
}

func (j *jackson) document() string {
	if why := j.value(); why != "" {
		return why
	}
	j.space()
	if j.i < len(j.b) {
		return j.unexpected("expected a valid value " + jacksonValue) // a guess: Jackson may be told to stop here
	}
	return ""
}

func (j *jackson) value() string {
	j.space()
	if j.i == len(j.b) {
		return j.fail(j.i, "Unexpected end-of-input: expected a value")
	}
	switch c := j.b[j.i]; {
	case c == '"':
		j.i++
		return j.text("Unexpected end-of-input: was expecting closing quote for a string value")
	case c == '{':
		return j.inside("Object", '}', j.member)
	case c == '[':
		return j.inside("Array", ']', j.value)
	case c == '-' || c >= '0' && c <= '9':
		return j.number()
	case isIdentifier(c):
		return j.word()
	}
	return j.unexpected("expected a valid value " + jacksonValue)
}

// inside reads what lies between brackets.
func (j *jackson) inside(kind string, end byte, part func() string) string {
	start := j.i
	j.i++
	if j.depth++; j.depth > maxDepth {
		return fmt.Sprintf("Document nesting depth (%d) exceeds the maximum allowed (%d, from `StreamReadConstraints.getMaxNestingDepth()`)", j.depth, maxDepth)
	}
	defer func() { j.depth-- }()
	for first := true; ; first = false {
		j.space()
		switch {
		case j.i == len(j.b):
			return j.fail(j.i, "Unexpected end-of-input: expected close marker for %s (start marker at %s)", kind, j.place(start))
		case j.b[j.i] == end:
			j.i++
			return ""
		case !first && j.b[j.i] != ',':
			return j.unexpected("was expecting comma to separate " + kind + " entries")
		case !first:
			j.i++
		}
		if why := part(); why != "" {
			return why
		}
	}
}

func (j *jackson) member() string {
	j.space()
	if j.i == len(j.b) {
		return j.fail(j.i, "Unexpected end-of-input in field name")
	}
	if j.b[j.i] != '"' {
		return j.unexpected("was expecting double-quote to start field name")
	}
	j.i++
	if why := j.text("Unexpected end-of-input in field name"); why != "" {
		return why
	}
	j.space()
	if j.i == len(j.b) {
		return j.fail(j.i, "Unexpected end-of-input within/between Object entries")
	}
	if j.b[j.i] != ':' {
		return j.unexpected("was expecting a colon to separate field name and value")
	}
	j.i++
	return j.value()
}

// text reads a string behind its first quote.
func (j *jackson) text(unfinished string) string {
	for j.i < len(j.b) {
		switch c := j.b[j.i]; {
		case c == '"':
			j.i++
			return ""
		case c == '\\':
			if why := j.escape(unfinished); why != "" {
				return why
			}
		case c < ' ':
			return j.fail(j.i+1, "Illegal unquoted character ((CTRL-CHAR, code %d)): has to be escaped using backslash to be included in string value", c)
		case c < utf8.RuneSelf:
			j.i++
		default:
			if why := j.multibyte(); why != "" {
				return why
			}
		}
	}
	return j.fail(j.i, "%s", unfinished)
}

func (j *jackson) escape(unfinished string) string {
	j.i++
	if j.i == len(j.b) {
		return j.fail(j.i, "%s", unfinished)
	}
	switch c := j.b[j.i]; c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		j.i++
		return ""
	case 'u':
		j.i++
		for range 4 {
			if j.i == len(j.b) {
				return j.fail(j.i, "%s", unfinished)
			}
			if c := j.b[j.i]; !(c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f') {
				return j.unexpected("expected a hex-digit for character escape sequence")
			}
			j.i++
		}
		return ""
	}
	r, _ := utf8.DecodeRune(j.b[j.i:])
	return j.fail(j.i+1, "Unrecognized character escape '%c' (code %d)", r, r)
}

// multibyte reads a character of several bytes, and says which of them is wrong. The place is behind it, as recorded.
func (j *jackson) multibyte() string {
	c := j.b[j.i]
	n := 0
	switch {
	case c&0xe0 == 0xc0:
		n = 1
	case c&0xf0 == 0xe0:
		n = 2
	case c&0xf8 == 0xf0:
		n = 3
	default:
		return j.fail(j.i+1, "Invalid UTF-8 start byte 0x%x", c)
	}
	j.i++
	for range n {
		if j.i == len(j.b) {
			return j.fail(j.i, "Unexpected end-of-input: was expecting closing quote for a string value")
		}
		if j.b[j.i]&0xc0 != 0x80 {
			return j.fail(j.i+1, "Invalid UTF-8 middle byte 0x%x", j.b[j.i])
		}
		j.i++
	}
	return ""
}

// number reads a number.
func (j *jackson) number() string {
	digits := func(comment string) string {
		start := j.i
		for j.i < len(j.b) && j.b[j.i] >= '0' && j.b[j.i] <= '9' {
			j.i++
		}
		switch {
		case j.i > start:
			return ""
		case j.i == len(j.b):
			return j.fail(j.i, "Unexpected end-of-input: %s", comment)
		}
		return j.unexpected(comment)
	}
	if j.b[j.i] == '-' {
		if j.i++; j.i == len(j.b) || j.b[j.i] < '0' || j.b[j.i] > '9' {
			return digits("expected digit (0-9) to follow minus sign, for valid numeric value")
		}
	}
	if j.b[j.i] == '0' && j.i+1 < len(j.b) && j.b[j.i+1] >= '0' && j.b[j.i+1] <= '9' {
		return j.fail(j.i+1, "Invalid numeric value: Leading zeroes not allowed")
	}
	if why := digits(""); why != "" {
		return why
	}
	if j.i < len(j.b) && j.b[j.i] == '.' {
		j.i++
		if why := digits("Decimal point not followed by a digit"); why != "" {
			return why
		}
	}
	if j.i < len(j.b) && j.b[j.i]|0x20 == 'e' {
		j.i++
		if j.i < len(j.b) && (j.b[j.i] == '+' || j.b[j.i] == '-') {
			j.i++
		}
		return digits("Exponent indicator not followed by a digit")
	}
	return ""
}

func isIdentifier(c byte) bool {
	return c == '$' || c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9'
}

// word reads true, false or null.
func (j *jackson) word() string {
	start := j.i
	for j.i < len(j.b) {
		if c := j.b[j.i]; c >= utf8.RuneSelf {
			if why := j.multibyte(); why != "" {
				return why
			}
		} else if !isIdentifier(c) {
			break
		} else {
			j.i++
		}
	}
	switch word := string(j.b[start:j.i]); word {
	case "true", "false", "null":
		return ""
	default:
		return j.fail(j.i, "Unrecognized token '%s': was expecting %s", word, jacksonValue)
	}
}
