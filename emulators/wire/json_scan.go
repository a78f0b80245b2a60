package wire

import (
	"math"
	"strconv"

	"devstack/internal/jsontext"
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
	start := d.i + 1 // after the quote
	end, escaped, _ := jsontext.End(d.b, start)
	if end < 0 {
		return nil, errMalformed()
	}
	d.i = end + 1
	if !escaped {
		return d.b[start:end], nil
	}
	buf, ok := jsontext.Unescape(d.buf[:0], d.b[start:end])
	if d.buf = buf; !ok {
		return nil, errMalformed()
	}
	return buf, nil
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
