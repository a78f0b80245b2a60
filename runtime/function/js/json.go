package js

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/dop251/goja"
)

// decoder makes values of JSON: goja's own JSON.parse takes several times as long, and cannot tell a blob from a string.
type decoder struct {
	s     *sandbox
	b     []byte
	at    int
	depth int
}

// maxJSONDepth is how deep arrays and objects may be nested, as in encoding/json.
const maxJSONDepth = 10_000

// parse makes a value of JSON text. What its type t, which may be nil, says to be a blob or a timestamp becomes a Uint8Array
// or a Date.
func (s *sandbox) parse(text []byte, t *Type) (goja.Value, error) {
	d := decoder{s: s, b: text}
	v, err := d.value(t)
	if d.space(); err == nil && d.at < len(d.b) {
		err = errNotJSON
	}
	if errors.Is(err, errNotJSON) {
		return nil, sentence(jsonMistake(string(text)))
	}
	return v, err
}

// errNotJSON is the decoder's error for what is not JSON. Why it is none is looked for where it is to be said.
var errNotJSON = errors.New("that is not JSON")

// hostParseJSON implements host.parseJSON(text): JSON.parse without a reviver.
func (s *sandbox) hostParseJSON(call goja.FunctionCall) goja.Value {
	text := call.Argument(0).ToString().String()
	v, err := s.parse([]byte(text), nil)
	if err != nil {
		s.throw("SyntaxError", "%v", err)
	}
	return v
}

// hostMistakeInJSON implements host.mistakeInJSON(text) → what is wrong with it, "" if it is JSON.
func (s *sandbox) hostMistakeInJSON(call goja.FunctionCall) goja.Value {
	return s.rt.ToValue(jsonMistake(call.Argument(0).String()))
}

func (d *decoder) space() {
	for d.at < len(d.b) {
		switch d.b[d.at] {
		case ' ', '\t', '\n', '\r':
			d.at++
		default:
			return
		}
	}
}

// next passes space and returns the byte that follows, 0 at the end.
func (d *decoder) next() byte {
	d.space()
	if d.at < len(d.b) {
		return d.b[d.at]
	}
	return 0
}

func (d *decoder) value(t *Type) (goja.Value, error) {
	switch c := d.next(); {
	case c == '{':
		return d.nested(t, d.object)
	case c == '[':
		return d.nested(t, d.array)
	case c == '"':
		return d.text(t)
	case c == '-' || '0' <= c && c <= '9':
		return d.number(t)
	}
	switch {
	case d.word("null"):
		return goja.Null(), nil
	case d.word("true"):
		return d.s.rt.ToValue(true), nil
	case d.word("false"):
		return d.s.rt.ToValue(false), nil
	}
	return nil, errNotJSON
}

func (d *decoder) word(w string) bool {
	if len(d.b)-d.at < len(w) || string(d.b[d.at:d.at+len(w)]) != w {
		return false
	}
	d.at += len(w)
	return true
}

func (d *decoder) nested(t *Type, read func(*Type) (goja.Value, error)) (goja.Value, error) {
	if d.depth++; d.depth > maxJSONDepth {
		return nil, fmt.Errorf("the JSON is nested more than %d deep", maxJSONDepth)
	}
	d.at++
	v, err := read(t)
	d.depth--
	return v, err
}

func (d *decoder) object(t *Type) (goja.Value, error) {
	obj := d.s.rt.NewObject()
	if d.next() == '}' {
		d.at++
		return obj, nil
	}
	for {
		if d.next() != '"' {
			return nil, errNotJSON
		}
		key, units, err := d.quoted()
		if err != nil {
			return nil, err
		}
		if units != nil {
			key = string(utf16.Decode(units))
		}
		if d.next() != ':' {
			return nil, errNotJSON
		}
		d.at++
		v, err := d.value(t.member(key))
		if err != nil {
			return nil, err
		}
		if key == "__proto__" {
			err = obj.DefineDataProperty(key, v, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_TRUE)
		} else {
			err = obj.Set(key, v)
		}
		if err != nil {
			return nil, err
		}
		switch d.next() {
		case ',':
			d.at++
		case '}':
			d.at++
			return obj, nil
		default:
			return nil, errNotJSON
		}
	}
}

func (d *decoder) array(t *Type) (goja.Value, error) {
	var items []any
	if d.next() == ']' {
		d.at++
		return d.s.rt.NewArray(), nil
	}
	for {
		v, err := d.value(t.element())
		if err != nil {
			return nil, err
		}
		items = append(items, v)
		switch d.next() {
		case ',':
			d.at++
		case ']':
			d.at++
			return d.s.rt.NewArray(items...), nil
		default:
			return nil, errNotJSON
		}
	}
}

func (d *decoder) text(t *Type) (goja.Value, error) {
	text, units, err := d.quoted()
	if err != nil {
		return nil, err
	}
	if units != nil {
		return goja.StringFromUTF16(units), nil
	}
	if t != nil && t.Blob {
		if b, err := base64.StdEncoding.DecodeString(text); err == nil {
			return d.s.blob(b)
		}
	}
	return d.s.rt.ToValue(text), nil
}

// quoted reads a string. One with escapes that are not plain UTF-8 text, such as half a surrogate pair, comes as UTF-16.
func (d *decoder) quoted() (string, []uint16, error) {
	d.at++
	start := d.at
	for d.at < len(d.b) {
		switch c := d.b[d.at]; {
		case c == '"':
			d.at++
			return string(d.b[start : d.at-1]), nil, nil
		case c == '\\':
			return d.escaped(start)
		case c < ' ':
			return "", nil, errNotJSON
		}
		d.at++
	}
	return "", nil, errNotJSON
}

// escaped reads the rest of a string that has a backslash here.
func (d *decoder) escaped(start int) (string, []uint16, error) {
	out := append([]byte(nil), d.b[start:d.at]...)
	var units []uint16 // from the first lone surrogate on
	for d.at < len(d.b) {
		c := d.b[d.at]
		switch {
		case c == '"':
			d.at++
			if units == nil {
				return string(out), nil, nil
			}
			return "", append(units, utf16.Encode([]rune(string(out)))...), nil
		case c < ' ':
			return "", nil, errNotJSON
		case c != '\\':
			out = append(out, c)
			d.at++
			continue
		}
		d.at++
		r, err := d.escape()
		if err != nil {
			return "", nil, err
		}
		if utf16.IsSurrogate(r) {
			units = append(append(units, utf16.Encode([]rune(string(out)))...), uint16(r))
			out = out[:0]
			continue
		}
		out = utf8.AppendRune(out, r)
	}
	return "", nil, errNotJSON
}

// escape reads what follows a backslash: two \u that are a pair are one rune.
func (d *decoder) escape() (rune, error) {
	if d.at >= len(d.b) {
		return 0, errNotJSON
	}
	c := d.b[d.at]
	d.at++
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		r, err := d.hex()
		if err != nil || !utf16.IsSurrogate(r) || d.at+1 >= len(d.b) || d.b[d.at] != '\\' || d.b[d.at+1] != 'u' {
			return r, err
		}
		back := d.at
		d.at += 2
		low, err := d.hex()
		if pair := utf16.DecodeRune(r, low); err == nil && pair != utf8.RuneError {
			return pair, nil
		}
		d.at = back
		return r, nil
	}
	d.at--
	return 0, errNotJSON
}

func (d *decoder) hex() (rune, error) {
	if d.at+4 > len(d.b) {
		d.at = len(d.b)
		return 0, errNotJSON
	}
	n, err := strconv.ParseUint(string(d.b[d.at:d.at+4]), 16, 32)
	if err != nil {
		return 0, errNotJSON
	}
	d.at += 4
	return rune(n), nil
}

func (d *decoder) digits() bool {
	start := d.at
	for d.at < len(d.b) && '0' <= d.b[d.at] && d.b[d.at] <= '9' {
		d.at++
	}
	return d.at > start
}

func (d *decoder) skip(chars ...byte) bool {
	for _, c := range chars {
		if d.at < len(d.b) && d.b[d.at] == c {
			d.at++
			return true
		}
	}
	return false
}

func (d *decoder) number(t *Type) (goja.Value, error) {
	start := d.at
	d.skip('-')
	if !d.skip('0') && !d.digits() {
		return nil, errNotJSON
	}
	whole := true
	if d.skip('.') {
		whole = false
		if !d.digits() {
			return nil, errNotJSON
		}
	}
	if d.skip('e', 'E') {
		whole = false
		d.skip('+', '-')
		if !d.digits() {
			return nil, errNotJSON
		}
	}
	text := string(d.b[start:d.at])
	if n, err := strconv.ParseInt(text, 10, 64); whole && err == nil && (n != 0 || text == "0") && len(text) < 16 && (t == nil || !t.Timestamp) {
		return d.s.rt.ToValue(n), nil
	}
	f, _ := strconv.ParseFloat(text, 64) // out of range is an infinity, as in JSON.parse
	if t != nil && t.Timestamp {
		return d.s.rt.New(d.s.rt.Get("Date"), d.s.rt.ToValue(f*1000))
	}
	return d.s.rt.ToValue(f), nil
}

// member is the type of a structure's or map's value by its key; nil has none.
func (t *Type) member(key string) *Type {
	if t == nil {
		return nil
	}
	if t.Members != nil {
		return t.Members[key]
	}
	return t.Element
}

// element is the type of a list's elements; nil has none.
func (t *Type) element() *Type {
	if t == nil {
		return nil
	}
	return t.Element
}
