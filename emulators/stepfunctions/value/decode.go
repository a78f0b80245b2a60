package value

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxDepth is how deep arrays and objects may nest: Jackson's limit.
const MaxDepth = 1000

// SyntaxError says what is wrong with a JSON text, in Jackson's words, which AWS passes on.
type SyntaxError struct {
	Message string
	Line    int // from 1
	Column  int // from 1, of the character after the last one that was read
}

// Error returns the message without the place.
func (e *SyntaxError) Error() string { return e.Message }

// Decode reads one JSON value. An error is a *SyntaxError.
func Decode(text string) (any, error) { return decode(text, MaxDepth) }

// DecodeOwn reads what was made of values that Decode took: it may nest deeper by as much as a definition adds.
func DecodeOwn(text string) (any, error) { return decode(text, 4*MaxDepth) }

// Depth is how deep the arrays and objects of a JSON text nest.
func Depth(text string) int {
	depth, most, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
			most = max(most, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return most
}

func decode(text string, limit int) (any, error) {
	d := decoder{text: text, limit: limit}
	d.space()
	v, err := d.value(0)
	if err != nil {
		return nil, err
	}
	d.space()
	if d.pos < len(d.text) {
		return nil, d.unexpected("expected end of input")
	}
	return v, nil
}

type decoder struct {
	text  string
	pos   int
	limit int // of depth
}

func (d *decoder) space() {
	for d.pos < len(d.text) && strings.IndexByte(" \t\r\n", d.text[d.pos]) >= 0 {
		d.pos++
	}
}

// fail makes an error at a place in the text.
func (d *decoder) fail(at int, format string, args ...any) error {
	at = min(at, len(d.text))
	line := 1 + strings.Count(d.text[:at], "\n")
	column := 1 + utf8.RuneCountInString(d.text[strings.LastIndexByte(d.text[:at], '\n')+1:at])
	return &SyntaxError{fmt.Sprintf(format, args...), line, column}
}

func (d *decoder) unexpected(wanted string) error {
	if d.pos >= len(d.text) {
		return d.fail(d.pos, "Unexpected end-of-input: %s", wanted)
	}
	r, n := utf8.DecodeRuneInString(d.text[d.pos:])
	return d.fail(d.pos+n, "Unexpected character ('%c' (code %d)): %s", r, r, wanted)
}

func (d *decoder) value(depth int) (any, error) {
	if depth > d.limit {
		return nil, d.fail(d.pos, "Document nesting depth (%d) exceeds the maximum allowed (%d)", depth, d.limit)
	}
	if d.pos >= len(d.text) {
		return nil, d.fail(d.pos, "No content to map due to end-of-input")
	}
	switch c := d.text[d.pos]; {
	case c == '{':
		return d.object(depth)
	case c == '[':
		return d.array(depth)
	case c == '"':
		return d.str()
	case c == '-' || c >= '0' && c <= '9':
		return d.number()
	case isWord(c):
		return d.word()
	}
	return nil, d.unexpected("expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')")
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$'
}

func (d *decoder) word() (any, error) {
	start := d.pos
	for d.pos < len(d.text) && isWord(d.text[d.pos]) {
		d.pos++
	}
	switch w := d.text[start:d.pos]; w {
	case "null":
		return nil, nil
	case "true":
		return true, nil
	case "false":
		return false, nil
	default:
		return nil, d.fail(d.pos, "Unrecognized token '%s': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')", w)
	}
}

func (d *decoder) array(depth int) (any, error) {
	d.pos++
	out := []any{}
	for first := true; ; first = false {
		d.space()
		if d.pos < len(d.text) && d.text[d.pos] == ']' && first {
			d.pos++
			return out, nil
		}
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		d.space()
		switch {
		case d.pos < len(d.text) && d.text[d.pos] == ',':
			d.pos++
		case d.pos < len(d.text) && d.text[d.pos] == ']':
			d.pos++
			return out, nil
		default:
			return nil, d.unexpected("was expecting comma to separate Array entries")
		}
	}
}

func (d *decoder) object(depth int) (any, error) {
	d.pos++
	out := &Object{}
	for first := true; ; first = false {
		d.space()
		if d.pos < len(d.text) && d.text[d.pos] == '}' && first {
			d.pos++
			return out, nil
		}
		if d.pos >= len(d.text) || d.text[d.pos] != '"' {
			return nil, d.unexpected("was expecting double-quote to start field name")
		}
		k, err := d.str()
		if err != nil {
			return nil, err
		}
		d.space()
		if d.pos >= len(d.text) || d.text[d.pos] != ':' {
			return nil, d.unexpected("was expecting a colon to separate field name and value")
		}
		d.pos++
		d.space()
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		out.Set(k, v)
		d.space()
		switch {
		case d.pos < len(d.text) && d.text[d.pos] == ',':
			d.pos++
		case d.pos < len(d.text) && d.text[d.pos] == '}':
			d.pos++
			return out, nil
		default:
			return nil, d.unexpected("was expecting comma to separate Object entries")
		}
	}
}

func (d *decoder) digits() int {
	start := d.pos
	for d.pos < len(d.text) && d.text[d.pos] >= '0' && d.text[d.pos] <= '9' {
		d.pos++
	}
	return d.pos - start
}

func (d *decoder) number() (any, error) {
	start := d.pos
	if d.text[d.pos] == '-' {
		d.pos++
	}
	whole := d.pos
	if d.digits() == 0 {
		return nil, d.unexpected("expected digit (0-9) to follow minus sign, for valid numeric value")
	}
	if d.text[whole] == '0' && d.pos-whole > 1 {
		return nil, d.fail(d.pos, "Invalid numeric value: Leading zeroes not allowed")
	}
	if d.pos < len(d.text) && d.text[d.pos] == '.' {
		d.pos++
		if d.digits() == 0 {
			return nil, d.unexpected("Decimal point not followed by a digit")
		}
	}
	if d.pos < len(d.text) && d.text[d.pos]|0x20 == 'e' {
		d.pos++
		if d.pos < len(d.text) && (d.text[d.pos] == '+' || d.text[d.pos] == '-') {
			d.pos++
		}
		if d.digits() == 0 {
			return nil, d.unexpected("Exponent indicator not followed by a digit")
		}
	}
	if n := d.text[start:d.pos]; n != "-0" {
		return json.Number(n), nil
	}
	return json.Number("0"), nil // an integer has no negative zero (recorded answer of States.StringToJson)
}

func (d *decoder) str() (string, error) {
	d.pos++
	start := d.pos
	for d.pos < len(d.text) { // the common string has no escapes
		switch c := d.text[d.pos]; {
		case c == '"':
			d.pos++
			return strings.ToValidUTF8(d.text[start:d.pos-1], "\uFFFD"), nil
		case c == '\\':
			return d.escaped(start)
		case c < 0x20:
			return "", d.fail(d.pos+1, "Illegal unquoted character ((CTRL-CHAR, code %d)): has to be escaped using backslash to be included in string value", c)
		default:
			d.pos++
		}
	}
	return "", d.fail(d.pos, "Unexpected end-of-input: was expecting closing quote for a string value")
}

func (d *decoder) escaped(start int) (string, error) {
	var b strings.Builder
	b.WriteString(d.text[start:d.pos])
	for d.pos < len(d.text) {
		switch c := d.text[d.pos]; {
		case c == '"':
			d.pos++
			return strings.ToValidUTF8(b.String(), "\uFFFD"), nil
		case c < 0x20:
			return "", d.fail(d.pos+1, "Illegal unquoted character ((CTRL-CHAR, code %d)): has to be escaped using backslash to be included in string value", c)
		case c != '\\':
			b.WriteByte(c)
			d.pos++
		default:
			d.pos++
			if err := d.escape(&b); err != nil {
				return "", err
			}
		}
	}
	return "", d.fail(d.pos, "Unexpected end-of-input: was expecting closing quote for a string value")
}

func (d *decoder) escape(b *strings.Builder) error {
	if d.pos >= len(d.text) {
		return d.fail(d.pos, "Unexpected end-of-input in character escape sequence")
	}
	c := d.text[d.pos]
	d.pos++
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 {
		b.WriteByte("\"\\/\b\f\n\r\t"[i])
		return nil
	}
	if c != 'u' {
		d.pos--
		return d.fail(d.pos+1, "Unrecognized character escape '%c' (code %d)", c, c)
	}
	r, err := d.hex4()
	if err != nil {
		return err
	}
	if utf16.IsSurrogate(r) && strings.HasPrefix(d.text[d.pos:], `\u`) {
		at := d.pos
		d.pos += 2
		low, err := d.hex4()
		if err != nil {
			return err
		}
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			b.WriteRune(pair)
			return nil
		}
		d.pos = at
	}
	b.WriteRune(r) // half a pair becomes the replacement character
	return nil
}

func (d *decoder) hex4() (rune, error) {
	if d.pos+4 <= len(d.text) {
		if n, err := strconv.ParseUint(d.text[d.pos:d.pos+4], 16, 16); err == nil {
			d.pos += 4
			return rune(n), nil
		}
	}
	return 0, d.unexpected("expected a hex-digit for character escape sequence")
}

func utf16Units(s string) []uint16 { return utf16.Encode([]rune(s)) }
