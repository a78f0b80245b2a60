package wire

import (
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// parseInt reads an integer, also one that is written as 1.0 or 1e3.
func parseInt(s string) (int64, error) {
	x, err := strconv.ParseInt(s, 10, 64)
	if err == nil {
		return x, nil
	}
	f, ferr := strconv.ParseFloat(s, 64)
	if ferr != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, err
	}
	return int64(f), nil
}

func specialFloat(s string) (float64, bool) {
	switch s {
	case "NaN":
		return math.NaN(), true
	case "Infinity":
		return math.Inf(1), true
	case "-Infinity":
		return math.Inf(-1), true
	}
	return 0, false
}

// number returns the characters of a number, checked against JSON's grammar.
func (d *jsonDecoder) number() ([]byte, error) {
	start := d.i
	digits := func() bool {
		from := d.i
		for d.i < len(d.b) && d.b[d.i]-'0' < 10 {
			d.i++
		}
		return d.i > from
	}
	if d.peek() == '-' {
		d.i++
	}
	if d.peek() == '0' {
		d.i++
	} else if !digits() {
		d.i = start
		return nil, errMalformed()
	}
	if d.peek() == '.' {
		if d.i++; !digits() {
			return nil, errMalformed()
		}
	}
	if c := d.peek(); c == 'e' || c == 'E' {
		d.i++
		if c := d.peek(); c == '+' || c == '-' {
			d.i++
		}
		if !digits() {
			return nil, errMalformed()
		}
	}
	return d.b[start:d.i], nil
}

// str reads a string. What it returns is good until the next call.
func (d *jsonDecoder) str() ([]byte, error) {
	d.i++ // the quote
	start := d.i
	for i := start; i < len(d.b); i++ {
		switch c := d.b[i]; {
		case c == '"':
			d.i = i + 1
			return d.b[start:i], nil
		case c == '\\':
			return d.escaped(start, i)
		case c < ' ':
			return nil, errMalformed()
		}
	}
	return nil, errMalformed()
}

// escaped reads on where a string has its first backslash, at i.
func (d *jsonDecoder) escaped(start, i int) ([]byte, error) {
	buf := append(d.buf[:0], d.b[start:i]...)
	for i < len(d.b) {
		c := d.b[i]
		switch {
		case c == '"':
			d.i, d.buf = i+1, buf
			return buf, nil
		case c < ' ':
			return nil, errMalformed()
		case c != '\\':
			buf = append(buf, c)
			i++
			continue
		}
		if i+1 >= len(d.b) {
			break
		}
		c = d.b[i+1]
		i += 2
		switch c {
		case '"', '\\', '/':
			buf = append(buf, c)
		case 'b':
			buf = append(buf, '\b')
		case 'f':
			buf = append(buf, '\f')
		case 'n':
			buf = append(buf, '\n')
		case 'r':
			buf = append(buf, '\r')
		case 't':
			buf = append(buf, '\t')
		case 'u':
			r, n := unicodeEscape(d.b[i:])
			if n == 0 {
				return nil, errMalformed()
			}
			i += n
			buf = utf8.AppendRune(buf, r)
		default:
			return nil, errMalformed()
		}
	}
	return nil, errMalformed()
}

// unicodeEscape reads what follows \u: four digits, and the second half of a surrogate pair. n is 0 if there are none.
func unicodeEscape(b []byte) (r rune, n int) {
	hex := func(b []byte) rune {
		if len(b) < 4 {
			return -1
		}
		x, err := strconv.ParseUint(string(b[:4]), 16, 16)
		if err != nil || b[0] == '+' {
			return -1
		}
		return rune(x)
	}
	if r = hex(b); r < 0 {
		return 0, 0
	}
	if utf16.IsSurrogate(r) {
		if len(b) >= 10 && b[4] == '\\' && b[5] == 'u' {
			if pair := utf16.DecodeRune(r, hex(b[6:])); pair != utf8.RuneError {
				return pair, 10
			}
		}
		return utf8.RuneError, 4
	}
	return r, 4
}

// skip reads over a value of a member that the model does not have; AWS ignores those.
func (d *jsonDecoder) skip() error {
	_, err := d.document()
	return err
}

// document decodes anything as encoding/json does into an any.
func (d *jsonDecoder) document() (any, error) {
	d.space()
	switch c := d.peek(); {
	case c == '{':
		m := map[string]any{}
		err := d.members(documentPlan, func(name []byte, _ int) (int, error) {
			if len(name) == 1 && name[0] == 0 {
				name = nil
			}
			k := string(name)
			x, err := d.document()
			m[k] = x
			return 0, err
		})
		return m, err
	case c == '[':
		return d.array()
	case c == '"':
		s, err := d.str()
		return string(s), err
	case d.literal("true"):
		return true, nil
	case d.literal("false"):
		return false, nil
	case d.null():
		return nil, nil
	}
	n, err := d.number()
	if err != nil {
		return nil, err
	}
	x, err := strconv.ParseFloat(string(n), 64)
	if err != nil {
		return nil, errNumber(string(n), Double)
	}
	return x, nil
}

var documentPlan = &plan{kind: Document}

func (d *jsonDecoder) array() (any, error) {
	if err := d.enter(); err != nil {
		return nil, err
	}
	d.i++
	l := []any{}
	for first := true; ; first = false {
		d.space()
		if d.peek() == ']' && first {
			break
		}
		x, err := d.document()
		if err != nil {
			return nil, err
		}
		l = append(l, x)
		d.space()
		if c := d.peek(); c == ']' {
			break
		} else if c != ',' {
			return nil, errMalformed()
		}
		d.i++
	}
	d.i++
	d.depth--
	return l, nil
}
