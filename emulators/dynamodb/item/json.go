package item

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strconv"
	"sync"
	"unsafe"

	"devstack/internal/jsontext"
)

// jsonReader encodes attributes as they come in JSON, without making values of them. It gives up at whatever is wrong or
// unusual: to say what, or to find that it is right, is for those who decode JSON in general.
type jsonReader struct {
	b       []byte
	i       int
	dst     []byte
	text    []byte // the last string with escapes
	entries []jsonEntry
}

// jsonEntry is where an attribute stands in dst, and where in it the name.
type jsonEntry struct {
	from, name, nameEnd, to int
}

var jsonReaders = sync.Pool{New: func() any { return new(jsonReader) }}

// maxKept is the size of the largest buffer that is kept for the next item.
const maxKept = 64 << 10

func newJSONReader(b []byte) *jsonReader {
	r := jsonReaders.Get().(*jsonReader)
	r.b, r.i, r.dst, r.entries = b, 0, r.dst[:0], r.entries[:0]
	return r
}

func (r *jsonReader) done() {
	r.b = nil
	if cap(r.dst) <= maxKept && cap(r.text) <= maxKept {
		jsonReaders.Put(r)
	}
}

// TakeJSON encodes the attributes that b begins with, as JSON, behind room bytes that the caller will fill in. It returns
// the size that DynamoDB counts and the length of the JSON, which is 0 if they are wrong, or right in an unusual way.
func TakeJSON(b []byte, room int) (encoded []byte, size, n int) {
	r := newJSONReader(b)
	defer r.done()
	r.dst = append(slices.Grow(r.dst, room)[:room], format)
	size, ok := r.attributes(0)
	if !ok {
		return nil, 0, 0
	}
	return bytes.Clone(r.dst), size, r.i
}

// TakeJSONValue reads the value that b begins with, as TakeJSON does.
func TakeJSONValue(b []byte) (v Value, n int) {
	r := newJSONReader(b)
	defer r.done()
	if _, ok := r.value(0); !ok {
		return Value{}, 0
	}
	d := decoder{text: string(r.dst)}
	return d.value(maxNesting), r.i
}

// next passes over blanks and returns what comes, 0 at the end.
func (r *jsonReader) next() byte {
	for r.i < len(r.b) {
		switch c := r.b[r.i]; c {
		case ' ', '\t', '\n', '\r':
			r.i++
		default:
			return c
		}
	}
	return 0
}

func (r *jsonReader) accept(c byte) bool {
	if r.next() != c {
		return false
	}
	r.i++
	return true
}

func (r *jsonReader) literal(s string) bool {
	r.next()
	if len(r.b)-r.i < len(s) || string(r.b[r.i:r.i+len(s)]) != s {
		return false
	}
	r.i += len(s)
	return true
}

// scan reads a string. What it returns is good until the next call. ascii says that it is surely of ASCII alone, without escapes.
func (r *jsonReader) scan() (text []byte, ascii, ok bool) {
	if !r.accept('"') {
		return nil, false, false
	}
	end, escaped, ascii := jsontext.End(r.b, r.i)
	if end < 0 {
		return nil, false, false
	}
	text, ok = r.b[r.i:end], true
	r.i = end + 1
	if escaped {
		r.text, ok = jsontext.Unescape(r.text[:0], text)
		text = r.text
	}
	return text, ascii && !escaped, ok
}

func (r *jsonReader) str() (text []byte, ok bool) {
	text, _, ok = r.scan()
	return text, ok
}

// more reads what stands behind an element: a comma, or the end of it all.
func (r *jsonReader) more(end byte) (more, ok bool) {
	switch r.next() {
	case ',':
		r.i++
		return true, true
	case end:
		r.i++
		return false, true
	}
	return false, false
}

// open leaves a byte for a count or a length, which is nearly always enough; close fills it in, and makes room if it was not.
func (r *jsonReader) open() (at int) {
	r.dst = append(r.dst, 0)
	return len(r.dst) - 1
}

func (r *jsonReader) close(at, n int) { r.dst = setCount(r.dst, at, n) }

// attributes encodes an object of attributes.
func (r *jsonReader) attributes(depth int) (size int, ok bool) {
	if !r.accept('{') {
		return 0, false
	}
	count, first, sorted := r.open(), len(r.entries), true
	defer func() { r.entries = r.entries[:first] }()
	if r.next() == '}' {
		r.i++
		return 0, true
	}
	for more := true; more; {
		e, s, ok := r.attribute(depth)
		if !ok {
			return 0, false
		}
		size += s
		if n := len(r.entries); n > first && r.compare(r.entries[n-1], e) >= 0 {
			sorted = false
		}
		r.entries = append(r.entries, e)
		if more, ok = r.more('}'); !ok {
			return 0, false
		}
	}
	entries := r.entries[first:]
	if !sorted && !r.sort(entries) {
		return 0, false
	}
	r.close(count, len(entries))
	return size, true
}

// attribute encodes a name and its value.
func (r *jsonReader) attribute(depth int) (e jsonEntry, size int, ok bool) {
	e.from = len(r.dst)
	name, ok := r.str()
	if !ok || len(name) > MaxName {
		return e, 0, false
	}
	r.dst = binary.AppendUvarint(r.dst, uint64(len(name)))
	e.name = len(r.dst)
	r.dst = append(r.dst, name...)
	e.nameEnd = len(r.dst)
	if !r.accept(':') {
		return e, 0, false
	}
	size, ok = r.sizedValue(depth)
	e.to = len(r.dst)
	return e, e.nameEnd - e.name + size, ok
}

func (r *jsonReader) compare(a, b jsonEntry) int {
	return bytes.Compare(r.dst[a.name:a.nameEnd], r.dst[b.name:b.nameEnd])
}

// sort puts attributes, which end what is encoded so far, in the order of their names. It reports false if a name occurs twice.
func (r *jsonReader) sort(entries []jsonEntry) bool {
	from, to := entries[0].from, len(r.dst)
	slices.SortFunc(entries, r.compare)
	for i, e := range entries {
		if i > 0 && r.compare(entries[i-1], e) == 0 {
			return false
		}
		r.dst = append(r.dst, r.dst[e.from:e.to]...)
	}
	copy(r.dst[from:], r.dst[to:])
	r.dst = r.dst[:to]
	return true
}

func (r *jsonReader) sizedValue(depth int) (size int, ok bool) {
	at := r.open()
	size, ok = r.value(depth)
	r.close(at, len(r.dst)-at-1)
	return size, ok
}

// value encodes the object that a value is in JSON. depth is how many lists and maps it lies in.
func (r *jsonReader) value(depth int) (size int, ok bool) {
	if !r.accept('{') {
		return 0, false
	}
	descriptor, ok := r.str()
	if !ok {
		return 0, false
	}
	kind, ok := ParseKind(unsafe.String(unsafe.SliceData(descriptor), len(descriptor)))
	if !ok || !r.accept(':') {
		return 0, false
	}
	r.dst = append(r.dst, byte(kind))
	switch kind {
	case S, N, B:
		size, ok = r.scalar(kind)
	case SS, NS, BS:
		size, ok = r.set(kind)
	case M, L:
		size, ok = r.document(kind, depth)
	case NULL:
		size, ok = 1, r.literal("true")
	case BOOL:
		yes := r.literal("true")
		size, ok = 1, yes || r.literal("false")
		r.dst = appendBool(r.dst, yes)
	}
	return size, ok && r.accept('}')
}

func (r *jsonReader) scalar(kind Kind) (size int, ok bool) {
	text, ascii, ok := r.scan()
	if !ok {
		return 0, false
	}
	before := len(r.dst)
	switch kind {
	case S:
		if ascii || jsontext.Plain(unsafe.String(unsafe.SliceData(text), len(text))) {
			r.dst[before-1] = byte(plainS)
		}
		r.dst = append(r.dst, text...)
	case B:
		var err error
		if r.dst, err = base64.StdEncoding.AppendDecode(r.dst, text); err != nil {
			return 0, false
		}
	case N:
		return r.number(text)
	}
	return len(r.dst) - before, true
}

// number encodes a number in its canonical form.
func (r *jsonReader) number(text []byte) (size int, ok bool) {
	s := unsafe.String(unsafe.SliceData(text), len(text)) // for looking at
	if canonicalInt(s) && len(s) < 18 {
		r.dst = append(r.dst, text...)
		return intSize(s), true
	}
	n, err := ParseNumber(s)
	if err != nil {
		return 0, false
	}
	r.dst = n.append(r.dst)
	return n.size(), true
}

func (r *jsonReader) set(kind Kind) (size int, ok bool) {
	if !r.accept('[') {
		return 0, false
	}
	var members []string
	for more := r.next() != ']'; more; {
		text, ok := r.str()
		if !ok {
			return 0, false
		}
		if kind == BS {
			if text, ok = decodeBase64(text); !ok {
				return 0, false
			}
		}
		members = append(members, string(text))
		if more, ok = r.more(']'); !ok {
			return 0, false
		}
	}
	v, err := NewSet(kind, members) // there is no empty one
	if err != nil {
		return 0, false
	}
	r.dst = appendMembers(r.dst, v)
	return v.Size(), true
}

func decodeBase64(text []byte) ([]byte, bool) {
	b, err := base64.StdEncoding.AppendDecode(nil, text)
	return b, err == nil
}

// document encodes a list or a map.
func (r *jsonReader) document(kind Kind, depth int) (size int, ok bool) {
	if depth == MaxDepth-1 {
		return 0, false
	}
	if kind == M {
		at := len(r.dst)
		size, ok = r.attributes(depth + 1)
		if !ok {
			return 0, false
		}
		count, _ := binary.Uvarint(r.dst[at:])
		return documentOverhead + elementOverhead*int(count) + size, true
	}
	if !r.accept('[') {
		return 0, false
	}
	count, n := r.open(), 0
	size = documentOverhead
	if r.next() == ']' {
		r.i++
		return size, true
	}
	for more := true; more; n++ {
		s, ok := r.sizedValue(depth + 1)
		if !ok {
			return 0, false
		}
		size += elementOverhead + s
		if more, ok = r.more(']'); !ok {
			return 0, false
		}
	}
	r.close(count, n)
	return size, true
}

// AppendJSON writes the item as the API does: {"name":{"S":"text"}}. A damaged item panics.
func (e Encoded) AppendJSON(b []byte) []byte {
	if len(e) == 0 || e[0] != format {
		panic(errStored)
	}
	d := decoder{text: unsafe.String(unsafe.SliceData(e), len(e))[1:]}
	if b = d.appendJSON(b); d.bad {
		panic(errStored)
	}
	return b
}

// AppendJSON writes the value as the API does: {"S":"text"}.
func (v Value) AppendJSON(b []byte) []byte {
	var buf [128]byte
	encoded := appendValue(buf[:0], v)
	d := decoder{text: unsafe.String(unsafe.SliceData(encoded), len(encoded))}
	return d.appendValueJSON(b)
}

// appendJSON writes attributes. It leaves the decoder bad if they are damaged.
func (d *decoder) appendJSON(b []byte) []byte {
	b = append(b, '{')
	for i := range d.count() {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(jsontext.AppendString(b, d.sized()), ':')
		b = d.appendSizedJSON(b)
	}
	return append(b, '}')
}

func (d *decoder) appendSizedJSON(b []byte) []byte {
	v := decoder{text: d.sized(), bad: d.bad}
	b = v.appendValueJSON(b)
	d.bad = d.bad || v.bad
	return b
}

// appendValueJSON writes a value that takes the whole text.
func (d *decoder) appendValueJSON(b []byte) []byte {
	if d.text == "" {
		d.fail()
		return b
	}
	kind := Kind(d.text[0])
	d.text = d.text[1:]
	if kind == plainS {
		b = append(b, `{"S":"`...)
		b = append(b, d.text...)
		return append(b, '"', '}')
	}
	b = append(append(append(b, '{', '"'), kind.String()...), '"', ':')
	switch kind {
	case S:
		b = jsontext.AppendString(b, d.text)
	case N:
		b = append(append(append(b, '"'), d.text...), '"')
	case B:
		b = appendBase64(b, d.text)
	case SS, NS, BS:
		b = d.appendElements(b, func(b []byte) []byte {
			if kind == BS {
				return appendBase64(b, d.sized())
			}
			return jsontext.AppendString(b, d.sized())
		})
	case L:
		b = d.appendElements(b, d.appendSizedJSON)
	case M:
		b = d.appendJSON(b)
	case BOOL:
		b = strconv.AppendBool(b, d.text == "\x01")
	case NULL:
		b = append(b, "true"...)
	default:
		d.fail()
	}
	return append(b, '}')
}

func (d *decoder) appendElements(b []byte, one func([]byte) []byte) []byte {
	b = append(b, '[')
	for i := range d.count() {
		if i > 0 {
			b = append(b, ',')
		}
		b = one(b)
	}
	return append(b, ']')
}

func appendBase64(b []byte, text string) []byte {
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, unsafe.Slice(unsafe.StringData(text), len(text)))
	return append(b, '"')
}
