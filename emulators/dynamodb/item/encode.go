package item

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"

	"devstack/internal/jsontext"
)

// A stored item is a format byte and its attributes. Attributes are their count, then each one's name and value in the
// order of the names, both preceded by their length; a value is a byte for its kind and then
//
//	S, N, B     the text or the bytes, to the end of the value; of an S that JSON writes as it is the kind is plainS
//	SS, NS, BS  the count of members, then each one preceded by its length
//	L           the count of elements, then each value preceded by its length
//	M           attributes
//	NULL        nothing
//	BOOL        0 or 1
//
// Counts and lengths are unsigned varints. The encoding of an item is unique, and an attribute that is not wanted is passed
// over in one step.

const format = 2

// plainS is the kind of an S that needs no escapes in JSON.
const plainS Kind = 0x80 | S

// maxNesting bounds the decoder's recursion: an item's own attributes and MaxDepth levels below them, with room to spare
// for values that arithmetic on documents could have made deeper.
const maxNesting = 2 * MaxDepth

var errStored = errors.New("damaged item")

// Append appends the encoding of an item.
func Append(dst []byte, i Item) []byte { return appendAttributes(append(dst, format), i) }

// Encode returns the encoding of an item.
func Encode(i Item) Encoded { return Append(make([]byte, 0, 256), i) }

func appendAttributes(dst []byte, i Item) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(i)))
	var buf [16]string
	names := slices.AppendSeq(buf[:0], maps.Keys(i))
	slices.Sort(names)
	for _, name := range names {
		dst = appendSized(dst, name)
		dst = appendSizedValue(dst, i[name])
	}
	return dst
}

func appendSized(dst []byte, text string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

// appendSizedValue leaves one byte for the length, which is nearly always enough, and makes room if it was not.
func appendSizedValue(dst []byte, v Value) []byte {
	start := len(dst)
	dst = appendValue(append(dst, 0), v)
	return setCount(dst, start, len(dst)-start-1)
}

func appendValue(dst []byte, v Value) []byte {
	if v.kind == S && jsontext.Plain(v.text) {
		return append(append(dst, byte(plainS)), v.text...)
	}
	dst = append(dst, byte(v.kind))
	switch v.kind {
	case S, N, B:
		return append(dst, v.text...)
	case SS, NS, BS:
		return appendMembers(dst, v)
	case L:
		dst = binary.AppendUvarint(dst, uint64(len(v.List())))
		for _, e := range v.List() {
			dst = appendSizedValue(dst, e)
		}
	case M:
		return appendAttributes(dst, v.Map())
	case BOOL:
		return appendBool(dst, v.yes)
	}
	return dst
}

func appendMembers(dst []byte, set Value) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(set.Set())))
	for _, m := range set.Set() {
		dst = appendSized(dst, m)
	}
	return dst
}

func appendBool(dst []byte, yes bool) []byte {
	if yes {
		return append(dst, 1)
	}
	return append(dst, 0)
}

// Encoded is a stored item. It may lie in memory that is only readable for a while: what it returns does not share it.
type Encoded []byte

// Decode returns the whole item.
func Decode(encoded []byte) (Item, error) {
	d := decoder{text: string(encoded)} // one copy, which every text of the item shares
	if d.text == "" || d.text[0] != format {
		return nil, errStored
	}
	d.text = d.text[1:]
	i := d.attributes(maxNesting)
	if d.bad || d.text != "" {
		return nil, errStored
	}
	return i, nil
}

// decoder reads from the front of a text. The first mistake makes it bad, and everything after that empty.
type decoder struct {
	text string
	bad  bool
}

func (d *decoder) fail() {
	d.text, d.bad = "", true
}

// uvarint reads an unsigned varint in its shortest form.
func (d *decoder) uvarint() uint64 {
	var n uint64
	for i := 0; i < len(d.text) && i < 5; i++ {
		b := d.text[i]
		n |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			if b == 0 && i > 0 {
				break
			}
			d.text = d.text[i+1:]
			return n
		}
	}
	d.fail()
	return 0
}

// count reads how many things follow, each of which takes at least a byte.
func (d *decoder) count() int {
	if len(d.text) > 0 && int(d.text[0]) < min(0x80, len(d.text)) { // nearly always
		n := int(d.text[0])
		d.text = d.text[1:]
		return n
	}
	n := d.uvarint()
	if n > uint64(len(d.text)) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *decoder) sized() string {
	n := d.count()
	text := d.text[:n]
	d.text = d.text[n:]
	return text
}

func (d *decoder) attributes(levels int) Item {
	count := d.count()
	i := make(Item, min(count, 1024))
	last := ""
	for k := range count {
		name := d.sized()
		if k > 0 && name <= last {
			d.fail()
		}
		v := decoder{text: d.sized(), bad: d.bad}
		i[name] = v.value(levels)
		if v.bad {
			d.fail()
			return nil
		}
		last = name
	}
	return i
}

// value reads a value that takes the whole text.
func (d *decoder) value(levels int) Value {
	if d.text == "" || levels == 0 {
		d.fail()
		return Value{}
	}
	v := Value{kind: Kind(d.text[0])}
	d.text = d.text[1:]
	switch v.kind {
	case S, plainS:
		if jsontext.Plain(d.text) != (v.kind == plainS) {
			d.fail()
			return Value{}
		}
		v.kind, v.text, d.text = S, d.text, ""
	case N, B:
		v.text, d.text = d.text, ""
	case SS, NS, BS:
		v.many = d.members()
	case L:
		v.many = d.elements(levels - 1)
	case M:
		v.many = d.attributes(levels - 1)
	case NULL:
	case BOOL:
		if d.text != "\x00" && d.text != "\x01" {
			d.fail()
			return Value{}
		}
		v.yes, d.text = d.text == "\x01", ""
	default:
		d.fail()
	}
	if d.text != "" {
		d.fail()
	}
	return v
}

func (d *decoder) members() []string {
	members := make([]string, d.count())
	for i := range members {
		members[i] = d.sized()
	}
	return members
}

func (d *decoder) elements(levels int) []Value {
	list := make([]Value, d.count())
	for i := range list {
		v := decoder{text: d.sized(), bad: d.bad}
		list[i] = v.value(levels)
		if v.bad {
			d.fail()
			return nil
		}
	}
	return list
}
