package dynamodb

import (
	"maps"
	"slices"

	"devstack/emulators/dynamodb/item"
)

// newPlainItem makes an item of its plain form. depth is how many lists and maps it lies in.
func newPlainItem(attributes map[string]plainValue, depth int) (item.Item, error) {
	out := make(item.Item, len(attributes))
	for _, name := range slices.Sorted(maps.Keys(attributes)) { // of several that are wrong the same one is named each time
		if len(name) > item.MaxName {
			return nil, item.ErrLongName
		}
		v, err := attributes[name].value(depth)
		if err != nil {
			return nil, err
		}
		out[name] = v
	}
	return out, nil
}

// value makes a value. depth is how many lists and maps it lies in.
func (p plainValue) value(depth int) (item.Value, error) {
	switch p.given() {
	case 0:
		return item.Value{}, item.ErrEmptyValue
	case 1:
	default:
		return item.Value{}, p.manyValues()
	}
	switch {
	case p.S != nil:
		return item.String(*p.S), nil
	case p.N != nil:
		return item.ParseNum(*p.N)
	case p.B != nil:
		return item.Binary(p.B), nil
	case p.SS != nil:
		return item.NewSet(item.SS, append([]string(nil), p.SS...))
	case p.NS != nil:
		return item.NewSet(item.NS, append([]string(nil), p.NS...))
	case p.BS != nil:
		members := make([]string, len(p.BS))
		for i, b := range p.BS {
			members[i] = string(b)
		}
		return item.NewSet(item.BS, members)
	case p.BOOL != nil:
		return item.Bool(*p.BOOL), nil
	case p.NULL != nil:
		if !*p.NULL {
			return item.Value{}, item.ErrNullFalse
		}
		return item.Null(), nil
	}
	return p.document(depth)
}

// manyValues is what is wrong with a value of more than one type: a number that is none comes before that.
//
// https://github.com/ExtendDB/extenddb/pull/201
func (p plainValue) manyValues() error {
	if p.N != nil {
		if _, err := item.ParseNum(*p.N); err != nil {
			return err
		}
	}
	for _, n := range p.NS {
		if _, err := item.ParseNum(n); err != nil {
			return err
		}
	}
	return item.ErrManyValues
}

// document makes a list or a map.
func (p plainValue) document(depth int) (item.Value, error) {
	if depth == item.MaxDepth-1 {
		return item.Value{}, item.ErrTooDeep
	}
	if p.L != nil {
		list := make([]item.Value, len(p.L))
		for i, e := range p.L {
			v, err := e.value(depth + 1)
			if err != nil {
				return item.Value{}, err
			}
			list[i] = v
		}
		return item.List(list), nil
	}
	m, err := newPlainItem(p.M, depth+1)
	return item.Map(m), err
}

// given counts the members of the union that are set.
func (p plainValue) given() (n int) {
	for _, set := range [...]bool{
		p.S != nil, p.N != nil, p.B != nil, p.SS != nil, p.NS != nil, p.BS != nil, p.M != nil, p.L != nil, p.NULL != nil, p.BOOL != nil,
	} {
		if set {
			n++
		}
	}
	return n
}

// plainItem is the plain form of an item.
func plainItem(i item.Item) map[string]plainValue {
	out := make(map[string]plainValue, len(i))
	for name, v := range i {
		out[name] = newPlainValue(v)
	}
	return out
}

// newPlainValue is the plain form of a value.
func newPlainValue(v item.Value) plainValue {
	switch v.Kind() {
	case item.S:
		return plainValue{S: new(v.Text())}
	case item.N:
		return plainValue{N: new(v.Text())}
	case item.B:
		return plainValue{B: append([]byte{}, v.Text()...)}
	case item.SS:
		return plainValue{SS: v.Set()}
	case item.NS:
		return plainValue{NS: v.Set()}
	case item.BS:
		set := make([][]byte, len(v.Set()))
		for i, m := range v.Set() {
			set[i] = []byte(m)
		}
		return plainValue{BS: set}
	case item.L:
		list := make([]plainValue, len(v.List()))
		for i, e := range v.List() {
			list[i] = newPlainValue(e)
		}
		return plainValue{L: list}
	case item.M:
		return plainValue{M: plainItem(v.Map())}
	case item.BOOL:
		return plainValue{BOOL: new(v.Bool())}
	case item.NULL:
		return plainValue{NULL: new(true)}
	}
	return plainValue{}
}
