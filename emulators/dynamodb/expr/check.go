package expr

import (
	"slices"

	"devstack/emulators/dynamodb/item"
)

// checkNode checks what depends on the values of a request: operands' types, bounds, and operands that are the same.
func checkNode(kind Kind, n *node, e env) error {
	for _, kid := range n.kids {
		if err := checkNode(kind, kid, e); err != nil {
			return err
		}
	}
	for i := range n.args {
		if err := checkSize(kind, &n.args[i], e); err != nil {
			return err
		}
	}
	if err := checkDistinct(kind, n, e); err != nil {
		return err
	}
	switch n.op {
	case opLT, opLE, opGT, opGE:
		return checkOperands(kind, n.name(), n.args, e, item.S, item.N, item.B)
	case opBetween:
		if err := checkOperands(kind, n.name(), n.args, e, item.S, item.N, item.B); err != nil {
			return err
		}
		return checkBounds(kind, n, e)
	case opCall:
		return checkCallTypes(kind, n, e)
	}
	return nil
}

// constant returns an operand's value if it is a :value.
func (o *operand) constant(e env) (item.Value, bool) {
	if o.kind != operandValue {
		return item.Value{}, false
	}
	return e.values[o.value], true
}

// kindOf returns an operand's type if it is known whatever the item: that of a :value, and the number that size is.
func (o *operand) kindOf(e env) (item.Kind, bool) {
	if o.kind == operandCall && o.name == "size" {
		return item.N, true
	}
	v, ok := o.constant(e)
	return v.Kind(), ok
}

// checkOperands refuses operands of other types than an operator takes.
func checkOperands(kind Kind, operator string, args []operand, e env, kinds ...item.Kind) error {
	for i := range args {
		if k, ok := args[i].kindOf(e); ok && !slices.Contains(kinds, k) {
			return invalid(kind, msgOperandType, operator, k)
		}
	}
	return nil
}

// checkSize refuses size of what has none, size itself too: https://github.com/scylladb/scylladb/issues/14592
func checkSize(kind Kind, o *operand, e env) error {
	if o.kind != operandCall {
		return nil
	}
	return checkOperands(kind, o.name, o.args, e, item.S, item.B, item.SS, item.NS, item.BS, item.L, item.M)
}

// checkDistinct refuses an operator whose first operand, a path, is one of the others too.
func checkDistinct(kind Kind, n *node, e env) error {
	if len(n.args) < 2 || n.args[0].kind != operandPath {
		return nil
	}
	first := n.args[0].path
	for i := range n.args[1:] {
		if o := &n.args[1+i]; o.kind == operandPath && relate(first, o.path, e.names) == pathsEqual {
			return invalid(kind, msgDistinct, n.name(), showPath(first, e.names))
		}
	}
	return nil
}

func checkBounds(kind Kind, n *node, e env) error {
	low, ok1 := n.args[1].constant(e)
	high, ok2 := n.args[2].constant(e)
	if !ok1 || !ok2 {
		return nil
	}
	order, comparable := low.Compare(high)
	switch {
	case !comparable:
		return invalid(kind, msgBoundTypes, show(low), show(high))
	case order > 0:
		return invalid(kind, msgBoundOrder, show(low), show(high))
	}
	return nil
}

func checkCallTypes(kind Kind, n *node, e env) error {
	switch n.call {
	case "begins_with":
		return checkOperands(kind, n.call, n.args, e, item.S, item.B)
	case "attribute_type":
		kindOf, ok := n.args[1].kindOf(e)
		switch {
		case !ok:
			return invalid(kind, msgOperandType, n.call, anyType)
		case kindOf != item.S:
			return invalid(kind, msgOperandType, n.call, kindOf)
		}
		name, _ := n.args[1].constant(e)
		if _, ok := item.ParseKind(name.Text()); !ok {
			return invalid(kind, msgTypeName, name.Text())
		}
	}
	return nil
}

// relation is how two document paths stand to each other.
type relation uint8

const (
	pathsApart relation = iota
	pathsEqual
	pathsOverlap  // one lies within what the other names
	pathsConflict // one takes for a list what the other takes for a map
)

func relate(a, b path, names []string) relation {
	for i := range min(len(a), len(b)) {
		x, y := &a[i], &b[i]
		switch {
		case x.isIndex != y.isIndex:
			return pathsConflict
		case x.isIndex && x.index != y.index, !x.isIndex && x.nameIn(names) != y.nameIn(names):
			return pathsApart
		}
	}
	if len(a) == len(b) {
		return pathsEqual
	}
	return pathsOverlap
}

// checkPaths refuses paths of one expression of which one would undo or contradict the other.
func checkPaths(kind Kind, paths []path, names []string) error {
	for i, later := range paths {
		for _, earlier := range paths[:i] {
			msg := msgOverlap
			switch relate(earlier, later, names) {
			case pathsApart:
				continue
			case pathsConflict:
				msg = msgConflict
			}
			return invalid(kind, msg, showPath(earlier, names), showPath(later, names))
		}
	}
	return nil
}
