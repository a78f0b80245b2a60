package expr

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"devstack/emulators/dynamodb/item"
)

// eval returns an operand's value, and whether there is one.
func (o *operand) eval(src Source, e *env) (item.Value, bool) {
	switch o.kind {
	case operandPath:
		return o.path.find(src, e.names)
	case operandValue:
		return e.values[o.value], true
	}
	if o.name != "size" {
		return item.Value{}, false
	}
	v, ok := o.args[0].eval(src, e)
	if !ok {
		return item.Value{}, false
	}
	n, ok := size(v)
	if !ok {
		return item.Value{}, false
	}
	counted, err := item.ParseNum(strconv.Itoa(n))
	return counted, err == nil
}

// find follows a path into an item.
func (p path) find(src Source, names []string) (item.Value, bool) {
	v, ok := src.Lookup(p[0].nameIn(names))
	for i := 1; ok && i < len(p); i++ {
		v, ok = p[i].step(v, names)
	}
	return v, ok
}

// step follows one element of a path into a map or list.
func (e *element) step(v item.Value, names []string) (item.Value, bool) {
	if !e.isIndex {
		return v.Map().Lookup(e.nameIn(names))
	}
	list := v.List()
	if e.index >= len(list) {
		return item.Value{}, false
	}
	return list[e.index], true
}

// size is the function size: UTF-16 code units of an S, bytes of a B, members, elements or attributes of the others. Other
// scalars have none.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html says length;
// https://github.com/ExtendDB/extenddb/issues/60 shows that it is counted so.
func size(v item.Value) (int, bool) {
	switch v.Kind() {
	case item.S:
		return utf16Length(v.Text()), true
	case item.B:
		return len(v.Text()), true
	case item.SS, item.NS, item.BS:
		return len(v.Set()), true
	case item.L:
		return len(v.List()), true
	case item.M:
		return len(v.Map()), true
	}
	return 0, false
}

// utf16Length counts the code units that a text takes in UTF-16: two for a character beyond the first 65,536.
func utf16Length(text string) int {
	n := 0
	for _, r := range text {
		n += max(1, utf16.RuneLen(r))
	}
	return n
}

// matchCall evaluates the functions that are conditions.
func (n *node) matchCall(src Source, e *env) bool {
	first, ok := n.args[0].eval(src, e)
	switch n.call {
	case "attribute_exists":
		return ok
	case "attribute_not_exists":
		return !ok
	}
	if !ok {
		return false
	}
	second, ok := n.args[1].eval(src, e)
	if !ok {
		return false
	}
	switch n.call {
	case "attribute_type":
		return first.Kind().String() == second.Text()
	case "begins_with":
		return beginsWith(first, second)
	}
	return contains(first, second)
}

func beginsWith(v, prefix item.Value) bool {
	return v.Kind() == prefix.Kind() && (v.Kind() == item.S || v.Kind() == item.B) && strings.HasPrefix(v.Text(), prefix.Text())
}

// contains tells whether a text or binary value has another within it, or whether a set or list has it as a member.
func contains(v, part item.Value) bool {
	switch v.Kind() {
	case item.S, item.B:
		return part.Kind() == v.Kind() && strings.Contains(v.Text(), part.Text())
	case item.SS:
		return part.Kind() == item.S && slices.Contains(v.Set(), part.Text())
	case item.NS:
		return part.Kind() == item.N && slices.Contains(v.Set(), part.Text())
	case item.BS:
		return part.Kind() == item.B && slices.Contains(v.Set(), part.Text())
	case item.L:
		return slices.ContainsFunc(v.List(), part.Equal)
	}
	return false
}
