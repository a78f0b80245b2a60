package dynamodb

import (
	"bytes"
	"encoding/binary"

	"devstack/emulators/dynamodb/item"
	"devstack/emulators/wire"
)

// record is what is kept under an item's or an index entry's key: the size that DynamoDB counts, in four bytes, so that a
// page is measured without looking into its items, and then the encoded item. nil is no item.
type record []byte

const sizeBytes = 4

func newRecord(i item.Item) record {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 256), uint32(i.Size()))
	return item.Append(b, i)
}

// givenRecord makes a record of what came over the wire, which is nearly always one already. The error is a
// ValidationException in AWS's words.
func givenRecord(a Attributes) (record, error) {
	if a != nil && a[0] != wrongMark {
		return record(a), nil
	}
	i, err := newItem(a)
	if err != nil {
		return nil, err
	}
	return newRecord(i), nil
}

// wire returns a copy of the record as the API writes it; nil for none.
func (r record) wire() Attributes { return Attributes(bytes.Clone(r)) }

// wireFor is wire for the answer to a request.
func (r record) wireFor(request *wire.Request) Attributes {
	if r == nil {
		return nil
	}
	b := request.Memory(len(r))
	copy(b, r)
	return b
}

func (r record) size() int {
	if r == nil {
		return 0
	}
	return int(binary.BigEndian.Uint32(r))
}

func (r record) setSize(size int) { binary.BigEndian.PutUint32(r, uint32(size)) }

func (r record) encoded() item.Encoded {
	if r == nil {
		return nil
	}
	return item.Encoded(r[sizeBytes:])
}

// Lookup returns one attribute; an expression that reads a record decodes no more than it asks for.
func (r record) Lookup(name string) (item.Value, bool) { return r.encoded().Lookup(name) }

// peek is Lookup for those who are done with the value while the record's memory is there.
func (r record) peek(name string) (item.Value, bool) { return r.encoded().Peek(name) }

// peeked is a record as the source of an expression whose values nobody keeps.
type peeked record

// Lookup returns one attribute, which shares the record's memory.
func (p peeked) Lookup(name string) (item.Value, bool) { return record(p).peek(name) }

// decode returns the item, nil if there is none.
func (r record) decode() (item.Item, error) {
	if r == nil {
		return nil, nil
	}
	return item.Decode(r.encoded())
}

// only returns a record of those attributes that have one of the names.
func (r record) only(names []string) record {
	b, size := r.encoded().Select(make([]byte, sizeBytes, 128), names)
	only := record(b)
	only.setSize(size)
	return only
}

// with returns a record with other values of some attributes. One of names without a value is left out.
func (r record) with(names []string, values item.Item) record {
	b, more := r.encoded().Replace(make([]byte, sizeBytes, len(r)+64), names, values)
	with := record(b)
	with.setSize(r.size() + more)
	return with
}
