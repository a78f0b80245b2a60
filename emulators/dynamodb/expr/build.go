package expr

import "devstack/emulators/dynamodb/item"

// Test compares a top-level attribute with values, as the parameters do that came before expressions. The name is an
// attribute's, whatever its characters, and never a path. Whether the operator takes the values has been checked.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Condition.html
type Test struct {
	Name     string
	Operator string // a ComparisonOperator
	Values   []item.Value
}

// tests are the ComparisonOperators in terms of conditions.
var tests = map[string]struct {
	op   nodeOp
	call string
	not  bool
}{
	"EQ": {op: opEQ}, "NE": {op: opNE}, "LT": {op: opLT}, "LE": {op: opLE}, "GT": {op: opGT}, "GE": {op: opGE},
	"IN": {op: opIn}, "BETWEEN": {op: opBetween},
	"NOT_NULL":     {op: opCall, call: "attribute_exists"},
	"NULL":         {op: opCall, call: "attribute_not_exists"},
	"CONTAINS":     {op: opCall, call: "contains"},
	"NOT_CONTAINS": {op: opCall, call: "contains", not: true},
	"BEGINS_WITH":  {op: opCall, call: "begins_with"},
}

// NewCondition makes a condition of at least one test: that any of them holds, or all.
func NewCondition(list []Test, anyHolds bool) *Condition {
	c := &Condition{root: &node{op: opAnd}}
	if anyHolds {
		c.root.op = opOr
	}
	for _, t := range list {
		to := tests[t.Operator]
		n := &node{op: to.op, call: to.call, args: []operand{{kind: operandPath, path: topLevel(t.Name)}}}
		for _, v := range t.Values {
			n.args = append(n.args, c.operand(v))
		}
		if to.not {
			n = &node{op: opNot, kids: []*node{n}}
		}
		c.root.kids = append(c.root.kids, n)
	}
	return c
}

// operand makes an operand of a value.
func (e *env) operand(v item.Value) operand {
	e.values = append(e.values, v)
	return operand{kind: operandValue, value: len(e.values) - 1}
}

// topLevel is the path of an attribute.
func topLevel(name string) path { return path{{name: name, ref: -1}} }

// NewKeyTerms makes a key condition of tests. Those whose operator no key condition may have are told by Fit.
func NewKeyTerms(list []Test) *KeyTerms {
	k := &KeyTerms{}
	for _, t := range list {
		op := keyOps[tests[t.Operator].op]
		if t.Operator == "BEGINS_WITH" {
			op = BeginsWith
		}
		k.terms = append(k.terms, keyTerm{t.Name, op, t.Values})
	}
	return k
}

// NewProjection makes a projection of top-level attributes.
func NewProjection(names []string) *Projection {
	p := &Projection{}
	for _, name := range names {
		p.paths = append(p.paths, topLevel(name))
	}
	return p
}

// Change is what an update does to a top-level attribute.
type Change struct {
	Name   string
	Action string     // PUT, ADD or DELETE
	Value  item.Value // none: DELETE takes the attribute away
}

// NewUpdate makes an update of changes to different attributes, as AttributeUpdates has them.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValueUpdate.html
func NewUpdate(changes []Change) *Update {
	u := &Update{sections: &sections{legacy: true}}
	for _, c := range changes {
		p := topLevel(c.Name)
		u.all = append(u.all, p)
		if c.Value.IsZero() {
			u.remove = append(u.remove, p)
			continue
		}
		a := assignment{p, sum{left: u.operand(c.Value)}}
		switch c.Action {
		case "ADD":
			u.add = append(u.add, a)
		case "DELETE":
			u.delete = append(u.delete, a)
		default:
			u.set = append(u.set, a)
		}
	}
	return u
}

// Legacy tells whether the update is one of AttributeUpdates.
func (u *Update) Legacy() bool { return u.legacy }
