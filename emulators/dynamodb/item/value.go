// Package item holds DynamoDB's attribute values: their kinds, exact numbers, sizes, rules, and their encodings as stored
// items and as ordered keys.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
package item

import (
	"maps"
	"slices"
	"strings"
)

// Kind is the data type of a value. The zero Kind is no value at all.
type Kind uint8

// The ten data types. The numbers are part of the stored encoding and do not change.
const (
	S Kind = iota + 1
	N
	B
	SS
	NS
	BS
	M
	L
	NULL
	BOOL
)

// kindNames are the data type descriptors, as the wire and the messages write them.
var kindNames = [...]string{S: "S", N: "N", B: "B", SS: "SS", NS: "NS", BS: "BS", M: "M", L: "L", NULL: "NULL", BOOL: "BOOL"}

// String returns the data type descriptor, like "SS"; it is empty for the zero Kind.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return ""
}

// ParseKind returns the kind that a data type descriptor like "SS" names, and whether there is one.
func ParseKind(name string) (Kind, bool) {
	i := slices.Index(kindNames[1:], name)
	return Kind(i + 1), i >= 0
}

// IsSet tells whether the kind is one of the three sets.
func (k Kind) IsSet() bool { return k == SS || k == NS || k == BS }

// Value is one attribute value. It is small, and a copy shares what it holds; so nobody changes a slice or map once it is
// in a Value. The zero Value is no value.
type Value struct {
	kind Kind
	yes  bool   // BOOL
	text string // S; B as its raw bytes; N in canonical form, so that equal numbers have equal texts
	many any    // SS, NS, BS: []string; L: []Value; M: Item
}

// Item is a set of attributes by their names: a whole item, a key, or the contents of a map.
type Item map[string]Value

// Lookup returns one attribute, and whether the item has it.
func (i Item) Lookup(name string) (Value, bool) {
	v, ok := i[name]
	return v, ok
}

// String makes an S.
func String(s string) Value { return Value{kind: S, text: s} }

// Num makes an N.
func Num(n Number) Value { return Value{kind: N, text: n.String()} }

// ParseNum makes an N of its text; the errors are those of ParseNumber.
func ParseNum(text string) (Value, error) {
	if canonicalInt(text) {
		return Value{kind: N, text: text}, nil
	}
	n, err := ParseNumber(text)
	if err != nil {
		return Value{}, err
	}
	return Num(n), nil
}

// Binary makes a B of a copy of the bytes.
func Binary(b []byte) Value { return Value{kind: B, text: string(b)} }

// Null makes a NULL.
func Null() Value { return Value{kind: NULL} }

// Bool makes a BOOL.
func Bool(b bool) Value { return Value{kind: BOOL, yes: b} }

// Map makes an M; the map is the Value's from now on.
func Map(m Item) Value { return Value{kind: M, many: m} }

// List makes an L; the slice is the Value's from now on.
func List(l []Value) Value { return Value{kind: L, many: l} }

// Kind returns the data type.
func (v Value) Kind() Kind { return v.kind }

// IsZero tells whether there is no value.
func (v Value) IsZero() bool { return v.kind == 0 }

// Text returns an S's text, an N's canonical text or a B's raw bytes; it is empty for the other kinds.
func (v Value) Text() string { return v.text }

// Bytes returns a copy of a B's bytes.
func (v Value) Bytes() []byte { return []byte(v.text) }

// Bool returns a BOOL's value.
func (v Value) Bool() bool { return v.yes }

// Number returns an N's number; it is zero for the other kinds.
func (v Value) Number() Number { return numberOf(v.text) }

// Set returns the members of an SS, NS or BS: raw bytes as strings in a BS, canonical texts in an NS. Read only.
func (v Value) Set() []string {
	members, _ := v.many.([]string)
	return members
}

// List returns the elements of an L. Read only.
func (v Value) List() []Value {
	l, _ := v.many.([]Value)
	return l
}

// Map returns the attributes of an M. Read only.
func (v Value) Map() Item {
	m, _ := v.many.(Item)
	return m
}

// Equal tells whether two values are the same: of the same type, sets whatever their order, numbers by their value.
func (v Value) Equal(w Value) bool {
	if v.kind != w.kind {
		return false
	}
	switch v.kind {
	case S, N, B:
		return v.text == w.text
	case BOOL:
		return v.yes == w.yes
	case SS, NS, BS:
		return sameMembers(v.Set(), w.Set())
	case L:
		return slices.EqualFunc(v.List(), w.List(), Value.Equal)
	case M:
		return maps.EqualFunc(v.Map(), w.Map(), Value.Equal)
	}
	return true
}

// Compare orders two values of the same scalar kind, as a sort key orders them: S by its UTF-8 bytes, N by its value, B by
// its unsigned bytes. It reports false if the values have no order.
func (v Value) Compare(w Value) (int, bool) {
	if v.kind != w.kind {
		return 0, false
	}
	switch v.kind {
	case S, B:
		return strings.Compare(v.text, w.text), true
	case N:
		return compareNumbers(v.text, w.text), true
	}
	return 0, false
}
