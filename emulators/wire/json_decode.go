package wire

import (
	"encoding/base64"
	"math"
	"reflect"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// Bounds of a request in JSON, CBOR or XML. The nesting is ours (a guess: AWS does not publish its own); DynamoDB's items
// may nest 32 levels, each three or four levels of JSON, and a document may nest as it likes.
const maxDepth = 256

// jsonDecoder reads JSON straight into Go values by a plan. It is written by hand because encoding/json spends more time on
// an item than the rest of the request together.
type jsonDecoder struct {
	b     []byte
	i     int
	depth int
	model bool   // the model's names: the JSON of Call
	rest  bool   // members of the outermost structure that travel elsewhere are not looked for
	buf   []byte // of the last string that had escapes
}

// decodeJSON decodes a document into v by a plan. model says that members have the model's names, as in Caller's JSON.
func decodeJSON(b []byte, p *plan, v reflect.Value, model bool) error {
	d := jsonDecoder{b: b, model: model}
	d.space()
	f := field{plan: p}
	if d.i < len(d.b) && d.null() {
		d.space()
	} else if err := d.value(&f, v); err != nil {
		return err
	} else {
		d.space()
	}
	if d.i != len(d.b) {
		return errMalformed()
	}
	return nil
}

func (d *jsonDecoder) space() {
	for d.i < len(d.b) {
		switch d.b[d.i] {
		case ' ', '\t', '\n', '\r':
			d.i++
		default:
			return
		}
	}
}

// peek returns the next byte, 0 at the end.
func (d *jsonDecoder) peek() byte {
	if d.i < len(d.b) {
		return d.b[d.i]
	}
	return 0
}

func (d *jsonDecoder) literal(s string) bool {
	if len(d.b)-d.i >= len(s) && string(d.b[d.i:d.i+len(s)]) == s {
		d.i += len(s)
		return true
	}
	return false
}

func (d *jsonDecoder) null() bool { return d.literal("null") }

func (d *jsonDecoder) enter() error {
	if d.depth++; d.depth > maxDepth {
		return errTooDeep()
	}
	return nil
}

// value decodes what comes, which is not null, into v, which is of the plan's type.
func (d *jsonDecoder) value(f *field, v reflect.Value) error {
	p := f.plan
	c := d.peek()
	switch p.kind {
	case Structure, Union:
		return d.structure(p, v)
	case List:
		return d.list(p, v)
	case Map:
		return d.mapping(p, v)
	case String, Blob:
		return d.text(f, v)
	case Boolean:
		switch {
		case d.literal("true"):
			v.SetBool(true)
		case d.literal("false"):
			v.SetBool(false)
		default:
			return d.mismatch("Boolean")
		}
		return nil
	case Timestamp:
		t, err := d.timestamp(f)
		if err == nil {
			v.Set(reflect.ValueOf(t))
		}
		return err
	case Document:
		x, err := d.document()
		if err == nil && x != nil {
			v.Set(reflect.ValueOf(x))
		}
		return err
	case BigInteger, BigDecimal:
		if c == '"' {
			s, err := d.str()
			v.SetString(string(s))
			return err
		}
		n, err := d.number()
		v.SetString(string(n))
		return err
	}
	return d.numeric(p.kind, v)
}

func (d *jsonDecoder) structure(p *plan, v reflect.Value) error {
	return d.members(p, func(name []byte, hint int) (int, error) {
		i := -1
		if d.model {
			i = p.byModelName(name)
		} else {
			i = p.byName(name, hint)
		}
		d.space()
		if i < 0 || d.rest && d.depth == 1 && p.fields[i].Location != InBody {
			return hint, d.skip()
		}
		f := &p.fields[i]
		if d.null() {
			return i + 1, nil
		}
		if f.plan.typ == readerType {
			return i + 1, d.stream(v.Field(f.index))
		}
		return i + 1, d.value(f, f.target(v.Field(f.index)))
	})
}

// members reads an object: each is called at its value.
func (d *jsonDecoder) members(p *plan, each func(name []byte, hint int) (int, error)) error {
	if d.peek() != '{' {
		return d.mismatch(javaName(p.kind))
	}
	if err := d.enter(); err != nil {
		return err
	}
	d.i++
	hint := 0
	for first := true; ; first = false {
		d.space()
		if d.peek() == '}' && first {
			break
		}
		if d.peek() != '"' {
			return errMalformed()
		}
		name, err := d.str()
		if err != nil {
			return err
		}
		if len(name) == 0 {
			name = noName
		}
		d.space()
		if d.peek() != ':' {
			return errMalformed()
		}
		d.i++
		if hint, err = each(name, hint); err != nil {
			return err
		}
		d.space()
		if c := d.peek(); c == '}' {
			break
		} else if c != ',' {
			return errMalformed()
		}
		d.i++
	}
	d.i++
	d.depth--
	return nil
}

// noName stands for the empty name, so that a member's first letter can be looked at. No model has it.
var noName = []byte{0}

func (d *jsonDecoder) list(p *plan, v reflect.Value) error {
	if d.peek() != '[' {
		return d.mismatch(javaName(List))
	}
	if err := d.enter(); err != nil {
		return err
	}
	d.i++
	f := &p.fields[0]
	v.Set(reflect.MakeSlice(p.typ, 0, 0))
	n := 0
	for first := true; ; first = false {
		d.space()
		if d.peek() == ']' && first {
			break
		}
		if n == v.Cap() {
			v.Grow(max(4, n))
		}
		v.SetLen(n + 1)
		el := v.Index(n)
		el.SetZero()
		n++
		if d.null() {
			if !f.sparse && f.plan.kind != Structure && f.plan.kind != Union && f.plan.kind != Document {
				return errNullElement()
			}
		} else if err := d.value(f, f.target(el)); err != nil {
			return err
		}
		d.space()
		if c := d.peek(); c == ']' {
			break
		} else if c != ',' {
			return errMalformed()
		}
		d.i++
	}
	d.i++
	d.depth--
	return nil
}

func (d *jsonDecoder) mapping(p *plan, v reflect.Value) error {
	f := &p.fields[1]
	m := reflect.MakeMap(p.typ)
	key := reflect.New(p.typ.Key()).Elem()
	val := reflect.New(p.typ.Elem()).Elem()
	err := d.members(p, func(name []byte, hint int) (int, error) {
		if len(name) == 1 && name[0] == 0 {
			name = nil
		}
		key.SetString(string(name))
		val.SetZero()
		d.space()
		if d.null() {
			if f.sparse || f.plan.kind == Structure || f.plan.kind == Union || f.plan.kind == Document {
				m.SetMapIndex(key, val)
			}
			return 0, nil // a map that may not hold nulls drops them, as clients do
		}
		if err := d.value(f, f.target(val)); err != nil {
			return 0, err
		}
		m.SetMapIndex(key, val)
		return 0, nil
	})
	v.Set(m)
	return err
}

// text decodes a string or a blob.
func (d *jsonDecoder) text(f *field, v reflect.Value) error {
	if d.peek() != '"' {
		if f.plan.kind == Blob {
			return d.mismatch("Blob")
		}
		return d.mismatch("String")
	}
	s, err := d.str()
	if err != nil {
		return err
	}
	if f.plan.kind == String {
		v.SetString(string(s))
		return nil
	}
	b, err := decodeBase64(s)
	if err != nil {
		return err
	}
	v.SetBytes(b)
	return nil
}

func decodeBase64(s []byte) ([]byte, error) {
	b := make([]byte, base64.StdEncoding.DecodedLen(len(s)))
	n, err := base64.StdEncoding.Decode(b, s)
	if err != nil {
		return nil, errBase64()
	}
	return b[:n], nil
}

func (d *jsonDecoder) timestamp(f *field) (time.Time, error) {
	if d.peek() == '"' {
		s, err := d.str()
		if err != nil {
			return time.Time{}, err
		}
		t, ok := parseTime(string(s), f.format(EpochSeconds))
		if !ok {
			return t, errTimestamp(string(s))
		}
		return t, nil
	}
	n, err := d.number()
	if err != nil {
		return time.Time{}, d.mismatch("Timestamp")
	}
	t, ok := parseEpoch(string(n))
	if !ok {
		return t, errTimestamp(string(n))
	}
	return t, nil
}

// numeric decodes a number of one of Go's kinds. Floats may be the strings NaN, Infinity and -Infinity.
func (d *jsonDecoder) numeric(k Kind, v reflect.Value) error {
	if k == Float || k == Double {
		if d.peek() == '"' {
			at := d.i
			s, err := d.str()
			if err != nil {
				return err
			}
			x, ok := specialFloat(string(s))
			if !ok {
				d.i = at
				return d.mismatch(javaName(k))
			}
			v.SetFloat(x)
			return nil
		}
		n, err := d.number()
		if err != nil {
			return d.mismatch(javaName(k))
		}
		x, err := strconv.ParseFloat(string(n), 64)
		if err != nil {
			return errNumber(string(n), k)
		}
		v.SetFloat(x)
		return nil
	}
	n, err := d.number()
	if err != nil {
		return d.mismatch(javaName(k))
	}
	x, err := parseInt(string(n))
	if err != nil || v.OverflowInt(x) {
		return errNumber(string(n), k)
	}
	v.SetInt(x)
	return nil
}

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
