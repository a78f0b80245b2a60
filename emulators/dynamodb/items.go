package dynamodb

import (
	"encoding/json"

	"devstack/emulators/dynamodb/expr"
	"devstack/emulators/wire"
)

// Items are a list of items on its way out: a part of the answer, in JSON. Pages are what DynamoDB answers at most length, so
// each item is written once, from where it is kept to where the answer is sent from. nil is no list.
type Items []byte

// newItems begins a list for the answer to a request, nil for somebody else.
func newItems(r *wire.Request) Items { return append(r.Part(), '[', ']') }

func (i Items) empty() bool { return len(wire.PartText(i)) == len("[]") }

// open returns the list ready for a further item. It must be closed again.
func (i Items) open() []byte {
	if i.empty() {
		return i[:len(i)-1]
	}
	i[len(i)-1] = ','
	return i
}

// add adds an item as it is stored, or what a projection leaves of it.
func (i Items) add(stored record, p *expr.Projection) Items {
	if p != nil {
		stored = record(project(nil, stored, p))
	}
	return append(stored.encoded().AppendJSON(i.open()), ']')
}

// join adds the items of another list.
func (i Items) join(more Items) Items {
	if more.empty() {
		return i
	}
	return append(i.open(), wire.PartText(more)[1:]...)
}

// Plain is wire.Compact's.
func (i *Items) Plain() any {
	var plain []map[string]plainValue
	if *i != nil {
		_ = json.Unmarshal(wire.PartText(*i), &plain) // it is our own
	}
	return plain
}

// SetPlain is wire.Compact's.
func (i *Items) SetPlain(plain any) { *i = append((*wire.Request)(nil).Part(), asJSON(plain)...) }

// TakeJSON is wire.Compact's. No input has a list of items.
func (i *Items) TakeJSON([]byte) int { return 0 }

// AppendJSON is wire.Compact's.
func (i *Items) AppendJSON(b []byte) []byte { return wire.AppendPart(b, *i) }

// Checked is wire.Compact's.
func (i *Items) Checked() bool { return false }
