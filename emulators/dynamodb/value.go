package dynamodb

import (
	"encoding/binary"
	"encoding/json"
	"errors"

	"devstack/emulators/dynamodb/item"
)

// AttributeValue is the model's union AttributeValue. What is wrong with a value that came over the wire is told when an
// operation asks for it: AWS checks the model's constraints first.
type AttributeValue struct {
	value item.Value
	wrong *plainValue // as it came
}

// plainValue is the union as the model has it: one of its members is set.
type plainValue struct {
	S    *string               `json:",omitzero"`
	N    *string               `json:",omitzero"`
	B    []byte                `json:",omitzero"`
	SS   []string              `json:",omitzero"`
	NS   []string              `json:",omitzero"`
	BS   [][]byte              `json:",omitzero"`
	M    map[string]plainValue `json:",omitzero"`
	L    []plainValue          `json:",omitzero"`
	NULL *bool                 `json:",omitzero"`
	BOOL *bool                 `json:",omitzero"`
}

// newValue makes a value of what came over the wire. The error is in AWS's words.
func newValue(a AttributeValue) (item.Value, error) {
	switch {
	case a.wrong != nil:
		return a.wrong.value(0)
	case a.value.IsZero():
		return item.Value{}, item.ErrEmptyValue
	}
	return a.value, nil
}

func wireValue(v item.Value) AttributeValue { return AttributeValue{value: v} }

// Plain is wire.Compact's.
func (a *AttributeValue) Plain() any {
	if a.wrong != nil {
		return *a.wrong
	}
	return newPlainValue(a.value)
}

// SetPlain is wire.Compact's.
func (a *AttributeValue) SetPlain(plain any) {
	p := plain.(plainValue)
	*a = AttributeValue{}
	v, err := p.value(0)
	if err != nil {
		a.wrong = &p
		return
	}
	a.value = v
}

// Checked is wire.Compact's.
func (a *AttributeValue) Checked() bool { return a.wrong == nil }

// MarshalJSON writes the value as the wire does.
func (a AttributeValue) MarshalJSON() ([]byte, error) { return a.AppendJSON(nil), nil }

// Attributes are an item, or a key, on its way in or out: a record, as it is kept. nil is none. What is wrong with one that
// came over the wire is told when an operation asks for it.
type Attributes []byte

// wrongMark is the first byte of attributes that are wrong: the JSON of what came follows. That of a record is part of its
// size, and smaller.
const wrongMark = 0xff

// newItem makes an item of what came over the wire. The error is a ValidationException in AWS's words.
func newItem(a Attributes) (item.Item, error) {
	switch {
	case a == nil:
		return item.Item{}, nil
	case a[0] == wrongMark:
		i, err := newPlainItem(a.wrong(), 0)
		return i, invalid(err)
	}
	return record(a).decode()
}

// wireItem is an item as the API writes it; nil for none.
func wireItem(i item.Item) Attributes {
	if i == nil {
		return nil
	}
	return Attributes(newRecord(i))
}

// wrong returns what came, of attributes that are wrong.
func (a Attributes) wrong() (plain map[string]plainValue) {
	_ = json.Unmarshal(a[1:], &plain) // it is our own
	return plain
}

// Plain is wire.Compact's.
func (a *Attributes) Plain() any {
	switch {
	case *a == nil:
		return map[string]plainValue(nil)
	case (*a)[0] == wrongMark:
		return a.wrong()
	}
	i, _ := record(*a).decode() // a damaged item was found before it came here
	return plainItem(i)
}

// SetPlain is wire.Compact's.
func (a *Attributes) SetPlain(plain any) {
	p := plain.(map[string]plainValue)
	i, err := newPlainItem(p, 0)
	if err == nil {
		*a = wireItem(i)
		return
	}
	*a = append([]byte{wrongMark}, asJSON(p)...)
}

func asJSON(plain any) []byte {
	b, err := json.Marshal(plain)
	if err != nil {
		panic(err) // there is nothing in it that JSON cannot hold
	}
	return b
}

// Checked is wire.Compact's.
func (a *Attributes) Checked() bool { return *a == nil || (*a)[0] != wrongMark }

// invalid makes a ValidationException of an error that is AWS's answer; any other error is an internal failure.
func invalid(err error) error {
	if answer, ok := errors.AsType[item.Error](err); ok {
		return errValidation("%s", string(answer))
	}
	return err
}

// TakeJSON is wire.Compact's.
func (a *AttributeValue) TakeJSON(b []byte) int {
	v, n := item.TakeJSONValue(b)
	*a = AttributeValue{value: v}
	return n
}

// AppendJSON is wire.Compact's.
func (a *AttributeValue) AppendJSON(b []byte) []byte {
	if a.wrong != nil {
		return append(b, asJSON(a.wrong)...)
	}
	return a.value.AppendJSON(b)
}

// TakeJSON is wire.Compact's.
func (a *Attributes) TakeJSON(b []byte) int {
	encoded, size, n := item.TakeJSON(b, sizeBytes)
	if n > 0 {
		binary.BigEndian.PutUint32(encoded, uint32(size))
		*a = encoded
	}
	return n
}

// AppendJSON is wire.Compact's.
func (a *Attributes) AppendJSON(b []byte) []byte {
	if (*a)[0] == wrongMark {
		return append(b, (*a)[1:]...)
	}
	return record(*a).encoded().AppendJSON(b)
}
