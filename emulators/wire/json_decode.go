package wire

import (
	"encoding/base64"
	"reflect"
	"strconv"
	"time"
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
	if p.plain != nil {
		return d.compact(p, v)
	}
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
	if f.plan.kind == String && p.typ == stringsType {
		return d.strings(v.Addr().Interface().(*[]string))
	}
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

var stringsType = reflect.TypeFor[[]string]()

// strings decodes the rest of a list of strings, which is most lists.
func (d *jsonDecoder) strings(into *[]string) error {
	list := []string{}
	for first := true; ; first = false {
		d.space()
		switch c := d.peek(); {
		case c == ']' && first:
		case c == '"':
			s, err := d.str()
			if err != nil {
				return err
			}
			list = append(list, string(s))
		case d.null():
			return errNullElement()
		default:
			return d.mismatch("String")
		}
		d.space()
		if c := d.peek(); c == ']' {
			break
		} else if c != ',' {
			return errMalformed()
		}
		d.i++
	}
	*into = list
	d.i++
	d.depth--
	return nil
}

func (d *jsonDecoder) mapping(p *plan, v reflect.Value) error {
	if f := &p.fields[1]; p.typ == stringMapType && f.plan.kind == String {
		return d.stringMap(p, v)
	}
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

var stringMapType = reflect.TypeFor[map[string]string]()

// stringMap decodes a map of strings, which is most maps.
func (d *jsonDecoder) stringMap(p *plan, v reflect.Value) error {
	m := map[string]string{}
	err := d.members(p, func(name []byte, _ int) (int, error) {
		if len(name) == 1 && name[0] == 0 {
			name = nil
		}
		k := string(name)
		d.space()
		if d.null() {
			return 0, nil
		}
		if d.peek() != '"' {
			return 0, d.mismatch("String")
		}
		s, err := d.str()
		m[k] = string(s)
		return 0, err
	})
	*v.Addr().Interface().(*map[string]string) = m
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
		return nil, errBase64(s)
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
