package dynamodb

import (
	"errors"

	"devstack/emulators/dynamodb/item"
)

// newItem makes an item of what came over the wire. The error is a ValidationException in AWS's words.
func newItem(attributes map[string]AttributeValue) (item.Item, error) {
	out := make(item.Item, len(attributes))
	for name, a := range attributes {
		v, err := newValue(a, 0)
		if err != nil {
			return nil, invalid(err)
		}
		out[name] = v
	}
	return out, nil
}

// invalid makes a ValidationException of an error that is AWS's answer; any other error is an internal failure.
func invalid(err error) error {
	if answer, ok := errors.AsType[item.Error](err); ok {
		return errValidation("%s", string(answer))
	}
	return err
}

// newValue makes a value. depth is how many lists and maps it lies in.
func newValue(a AttributeValue, depth int) (item.Value, error) {
	switch given(a) {
	case 0:
		return item.Value{}, item.ErrEmptyValue
	case 1:
	default:
		return item.Value{}, item.ErrManyValues
	}
	switch {
	case a.S != nil:
		return item.String(*a.S), nil
	case a.N != nil:
		return item.ParseNum(*a.N)
	case a.B != nil:
		return item.Binary(a.B), nil
	case a.SS != nil:
		return item.NewSet(item.SS, append([]string(nil), a.SS...))
	case a.NS != nil:
		return item.NewSet(item.NS, append([]string(nil), a.NS...))
	case a.BS != nil:
		members := make([]string, len(a.BS))
		for i, b := range a.BS {
			members[i] = string(b)
		}
		return item.NewSet(item.BS, members)
	case a.BOOL != nil:
		return item.Bool(*a.BOOL), nil
	case a.NULL != nil:
		if !*a.NULL {
			return item.Value{}, item.ErrNullFalse
		}
		return item.Null(), nil
	}
	return newDocument(a, depth)
}

// newDocument makes a list or a map.
func newDocument(a AttributeValue, depth int) (item.Value, error) {
	if depth == item.MaxDepth-1 {
		return item.Value{}, item.ErrTooDeep
	}
	if a.L != nil {
		list := make([]item.Value, len(a.L))
		for i, e := range a.L {
			v, err := newValue(e, depth+1)
			if err != nil {
				return item.Value{}, err
			}
			list[i] = v
		}
		return item.List(list), nil
	}
	m := make(item.Item, len(a.M))
	for name, e := range a.M {
		v, err := newValue(e, depth+1)
		if err != nil {
			return item.Value{}, err
		}
		m[name] = v
	}
	return item.Map(m), nil
}

// given counts the members of the union that are set.
func given(a AttributeValue) (n int) {
	for _, set := range [...]bool{
		a.S != nil, a.N != nil, a.B != nil, a.SS != nil, a.NS != nil, a.BS != nil, a.M != nil, a.L != nil, a.NULL != nil, a.BOOL != nil,
	} {
		if set {
			n++
		}
	}
	return n
}

// wireItem is an item as the API writes it; nil for none.
func wireItem(i item.Item) map[string]AttributeValue {
	if i == nil {
		return nil
	}
	out := make(map[string]AttributeValue, len(i))
	for name, v := range i {
		out[name] = wireValue(v)
	}
	return out
}

func wireValue(v item.Value) AttributeValue {
	switch v.Kind() {
	case item.S:
		return AttributeValue{S: new(v.Text())}
	case item.N:
		return AttributeValue{N: new(v.Text())}
	case item.B:
		return AttributeValue{B: append([]byte{}, v.Text()...)}
	case item.SS:
		return AttributeValue{SS: v.Set()}
	case item.NS:
		return AttributeValue{NS: v.Set()}
	case item.BS:
		set := make([][]byte, len(v.Set()))
		for i, m := range v.Set() {
			set[i] = []byte(m)
		}
		return AttributeValue{BS: set}
	case item.L:
		list := make([]AttributeValue, len(v.List()))
		for i, e := range v.List() {
			list[i] = wireValue(e)
		}
		return AttributeValue{L: list}
	case item.M:
		return AttributeValue{M: wireItem(v.Map())}
	case item.BOOL:
		return AttributeValue{BOOL: new(v.Bool())}
	}
	return AttributeValue{NULL: new(true)}
}
