package wire

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"devstack/internal/jsontext"
)

// jsonEncoder writes Go values as JSON by a plan.
type jsonEncoder struct {
	model bool // the model's names: the JSON of Call and of traces
	trace bool // for a developer's eyes: a blob that is JSON is shown as it is
}

// structure writes an object of all members.
func (e jsonEncoder) structure(b []byte, p *plan, v reflect.Value) []byte {
	return e.object(b, p, v, false)
}

// body writes a REST answer's object, without the members that travel elsewhere.
func (e jsonEncoder) body(b []byte, p *plan, v reflect.Value) []byte {
	return e.object(b, p, v, true)
}

func (e jsonEncoder) object(b []byte, p *plan, v reflect.Value, rest bool) []byte {
	b = append(b, '{')
	more := false
	for i := range p.fields {
		f := &p.fields[i]
		if rest && !f.inAnswerBody() {
			continue
		}
		x, ok := f.given(v.Field(f.index))
		if !ok {
			continue
		}
		if more {
			b = append(b, ',')
		}
		more = true
		if e.model {
			b = append(b, f.ownKey...)
		} else {
			b = append(b, f.jsonKey...)
		}
		b = e.value(b, f, x)
	}
	return append(b, '}')
}

// inAnswerBody reports whether a member of an output travels in the body. What places it in a URI is for inputs only.
func (f *field) inAnswerBody() bool {
	switch f.Location {
	case InHeader, InPrefixHeaders, InPayload, InStatus:
		return false
	}
	return true
}

func (e jsonEncoder) value(b []byte, f *field, v reflect.Value) []byte {
	p := f.plan
	if p.plain != nil {
		return compactOf(v).AppendJSON(b)
	}
	if p.events != nil {
		return e.eventList(b, p, v)
	}
	switch p.kind {
	case Structure, Union:
		return e.structure(b, p, v)
	case List:
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			b = e.element(b, &p.fields[0], v.Index(i))
		}
		return append(b, ']')
	case Map:
		return e.mapping(b, &p.fields[1], v)
	case String:
		return jsontext.AppendString(b, v.String())
	case Blob:
		if e.trace && p.typ != readerType && json.Valid(v.Bytes()) {
			return append(b, v.Bytes()...) // in a trace a function's event is to be read
		}
		return e.blob(b, v)
	case Boolean:
		return strconv.AppendBool(b, v.Bool())
	case Float, Double:
		return appendJSONFloat(b, v.Float(), p.kind)
	case Timestamp:
		format := f.format(EpochSeconds)
		if format == EpochSeconds {
			return appendTime(b, v.Interface().(time.Time), format)
		}
		b = append(b, '"')
		return append(appendTime(b, v.Interface().(time.Time), format), '"')
	case BigInteger, BigDecimal:
		return append(b, v.String()...)
	case Document:
		return appendDocument(b, v.Interface())
	}
	return strconv.AppendInt(b, v.Int(), 10)
}

// mapping writes a map, its keys in order so that answers repeat. Entries are written as the map gives them, and put in
// order where they stand: looking each key up would copy each value.
func (e jsonEncoder) mapping(b []byte, f *field, v reflect.Value) []byte {
	type entry struct {
		key      string
		from, to int
	}
	var few [16]entry
	entries := few[:0]
	key, val := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
	b = append(b, '{')
	start, sorted := len(b), true
	for it := v.MapRange(); it.Next(); {
		key.SetIterKey(it)
		val.SetIterValue(it)
		k := key.String()
		from := len(b)
		b = append(jsontext.AppendString(b, k), ':')
		b = append(e.element(b, f, val), ',')
		if n := len(entries); n > 0 && entries[n-1].key > k {
			sorted = false
		}
		entries = append(entries, entry{k, from, len(b)})
	}
	if len(entries) == 0 {
		return append(b, '}')
	}
	if !sorted {
		slices.SortFunc(entries, func(x, y entry) int { return strings.Compare(x.key, y.key) })
		end := len(b)
		for _, x := range entries {
			b = append(b, b[x.from:x.to]...)
		}
		copy(b[start:end], b[end:])
		b = b[:end]
	}
	b[len(b)-1] = '}'
	return b
}

// element writes an element of a list or map, which may be null.
func (e jsonEncoder) element(b []byte, f *field, v reflect.Value) []byte {
	if f.ptr || f.sparse {
		x, ok := f.given(v)
		if !ok {
			return append(b, "null"...)
		}
		v = x
	}
	return e.value(b, f, v)
}

func (e jsonEncoder) blob(b []byte, v reflect.Value) []byte {
	if v.Type() == readerType {
		if r, ok := v.Interface().(*bytesReader); ok {
			return appendBase64(b, r.all)
		}
		return append(b, `"(stream)"`...) // only traces come here: Call reads streams first
	}
	return appendBase64(b, v.Bytes())
}

func appendBase64(b, data []byte) []byte {
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, data)
	return append(b, '"')
}

// sortedKeys returns a map's keys in order, so that answers repeat.
func sortedKeys(v reflect.Value) []reflect.Value {
	keys := v.MapKeys()
	if len(keys) > 1 {
		slices.SortFunc(keys, func(a, b reflect.Value) int {
			switch x, y := a.String(), b.String(); {
			case x < y:
				return -1
			case x > y:
				return 1
			}
			return 0
		})
	}
	return keys
}

func appendJSONFloat(b []byte, x float64, k Kind) []byte {
	if s := floatName(x); s != "" {
		return append(append(append(b, '"'), s...), '"')
	}
	return appendFloat(b, x, k)
}

// floatName is the name of a number that has no digits, "" of any other.
func floatName(x float64) string {
	switch {
	case math.IsNaN(x):
		return "NaN"
	case math.IsInf(x, 1):
		return "Infinity"
	case math.IsInf(x, -1):
		return "-Infinity"
	}
	return ""
}

func appendFloat(b []byte, x float64, k Kind) []byte {
	bits := 64
	if k == Float {
		bits = 32
	}
	format := byte('f')
	if a := math.Abs(x); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(b, x, format, -1, bits)
}

// appendDocument writes what a document may hold.
func appendDocument(b []byte, x any) []byte {
	switch x := x.(type) {
	case nil:
		return append(b, "null"...)
	case string:
		return jsontext.AppendString(b, x)
	case bool:
		return strconv.AppendBool(b, x)
	case float64:
		return appendJSONFloat(b, x, Double)
	case int:
		return strconv.AppendInt(b, int64(x), 10)
	case int64:
		return strconv.AppendInt(b, x, 10)
	case []any:
		b = append(b, '[')
		for i, y := range x {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendDocument(b, y)
		}
		return append(b, ']')
	case map[string]any:
		b = append(b, '{')
		for i, k := range sortedKeys(reflect.ValueOf(x)) {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(jsontext.AppendString(b, k.String()), ':')
			b = appendDocument(b, x[k.String()])
		}
		return append(b, '}')
	}
	panic(fmt.Sprintf("wire: a document cannot hold a %T", x))
}

// bytesReader is a stream whose bytes are at hand, so that a trace or a Call can show them.
type bytesReader struct {
	all []byte
	at  int
}

func (r *bytesReader) Read(p []byte) (int, error) {
	if r.at >= len(r.all) {
		return 0, io.EOF
	}
	n := copy(p, r.all[r.at:])
	r.at += n
	return n, nil
}

func (d *jsonDecoder) stream(v reflect.Value) error {
	if d.peek() != '"' {
		return d.mismatch("Blob")
	}
	s, err := d.str()
	if err != nil {
		return err
	}
	b, err := decodeBase64(s)
	if err != nil {
		return err
	}
	v.Set(reflect.ValueOf(&bytesReader{all: b}))
	return nil
}
