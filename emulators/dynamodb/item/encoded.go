package item

import (
	"encoding/binary"
	"iter"
	"slices"
	"unsafe"
)

// Lookup returns one attribute without decoding the others, and whether the item has it. A damaged item has none.
func (e Encoded) Lookup(name string) (Value, bool) {
	raw, ok := e.find(name)
	if !ok {
		return Value{}, false
	}
	d := decoder{text: string([]byte(raw))}
	v := d.value(maxNesting)
	return v, !d.bad
}

// Lookup is Encoded.Lookup.
func Lookup(encoded []byte, name string) (Value, bool) { return Encoded(encoded).Lookup(name) }

// Peek is Lookup for those who are done with the value before the item's memory is gone: the value shares it.
func (e Encoded) Peek(name string) (Value, bool) {
	raw, ok := e.find(name)
	if !ok {
		return Value{}, false
	}
	d := decoder{text: raw}
	v := d.value(maxNesting)
	return v, !d.bad
}

// Len is the number of attributes.
func (e Encoded) Len() int {
	d := e.decoder()
	return d.count()
}

// Size returns the bytes that the item counts for, as Item.Size does.
func (e Encoded) Size() (size int) {
	for name, v := range e.raw() {
		size += len(name) + rawSize(v)
	}
	return size
}

// decoder begins to decode the attributes. What it finds shares the item's memory.
func (e Encoded) decoder() decoder {
	if len(e) == 0 || e[0] != format {
		return decoder{bad: true}
	}
	return decoder{text: unsafe.String(unsafe.SliceData(e), len(e))[1:]}
}

// find returns an attribute as it is encoded.
func (e Encoded) find(name string) (raw string, ok bool) {
	d := e.decoder()
	for range d.count() {
		n, v := d.sized(), d.sized()
		if d.bad || n > name {
			break
		}
		if n == name {
			return v, true
		}
	}
	return "", false
}

// raw walks over the names and undecoded values. They share the item's memory.
func (e Encoded) raw() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		d := e.decoder()
		for range d.count() {
			name, value := d.sized(), d.sized()
			if d.bad || !yield(name, value) {
				return
			}
		}
	}
}

// rawSize is Value.Size of an encoded value.
func rawSize(raw string) int {
	if raw == "" {
		return 0
	}
	d := decoder{text: raw[1:]}
	switch Kind(raw[0]) {
	case S, plainS, B:
		return len(d.text)
	case N:
		if canonicalInt(d.text) {
			return intSize(d.text)
		}
		return numberSize(d.text)
	case NULL, BOOL:
		return 1
	case L:
		size := documentOverhead
		for range d.count() {
			size += elementOverhead + rawSize(d.sized())
		}
		return size
	case M:
		size := documentOverhead
		for range d.count() {
			size += elementOverhead + len(d.sized()) + rawSize(d.sized())
		}
		return size
	}
	return Value{kind: Kind(raw[0]), many: d.members()}.Size()
}

// Select appends the encoding of those attributes of an item that have one of the names, and returns their size.
func (e Encoded) Select(dst []byte, names []string) (selected []byte, size int) {
	dst = append(dst, format, 0)
	count, n := len(dst)-1, 0
	for name, v := range e.raw() {
		if slices.Contains(names, name) {
			dst = appendSized(appendSized(dst, name), v)
			size += len(name) + rawSize(v)
			n++
		}
	}
	return setCount(dst, count, n), size
}

// Replace appends the encoding of the item with other values of some attributes. An attribute of names without a value is left
// out; the others are copied as they are. more is by how much the size grows.
func (e Encoded) Replace(dst []byte, names []string, values Item) (replaced []byte, more int) {
	sorted := slices.Clone(names)
	slices.Sort(sorted)
	dst = append(dst, format, 0)
	count, n := len(dst)-1, 0
	put := func(name string) {
		if v, ok := values[name]; ok {
			dst = appendSizedValue(appendSized(dst, name), v)
			more += len(name) + v.Size()
			n++
		}
	}
	for name, v := range e.raw() {
		for len(sorted) > 0 && sorted[0] < name {
			put(sorted[0])
			sorted = sorted[1:]
		}
		if len(sorted) > 0 && sorted[0] == name {
			put(name)
			more -= len(name) + rawSize(v)
			sorted = sorted[1:]
			continue
		}
		dst = appendSized(appendSized(dst, name), v)
		n++
	}
	for _, name := range sorted {
		put(name)
	}
	return setCount(dst, count, n), more
}

// setCount fills in a count for which a byte was left, and makes room if that is not enough.
func setCount(dst []byte, at, n int) []byte {
	if n < 0x80 {
		dst[at] = byte(n)
		return dst
	}
	var count [binary.MaxVarintLen64]byte
	return slices.Replace(dst, at, at+1, count[:binary.PutUvarint(count[:], uint64(n))]...)
}
