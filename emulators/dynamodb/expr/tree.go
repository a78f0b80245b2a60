package expr

import (
	"slices"
	"strings"

	"devstack/emulators/dynamodb/item"
)

// Builder makes conditions and updates of the trees of another language, PartiQL. What it makes is checked and evaluated as
// if it had been parsed; the zero Builder is ready for one condition or one update.
type Builder struct {
	env
	sections
}

// Path is a document path.
type Path struct{ steps path }

// Operand is a path, a value, or a function's call.
type Operand struct{ operand operand }

// Node is a condition, which belongs to the Builder of its values.
type Node struct{ node *node }

// NewPath makes a path of a top-level attribute.
func NewPath(name string) Path { return Path{topLevel(name)} }

// Name returns a path that goes on to an attribute of a map.
func (p Path) Name(name string) Path { return p.step(element{name: name, ref: -1}) }

// Index returns a path that goes on to an element of a list.
func (p Path) Index(i int) Path { return p.step(element{ref: -1, index: i, isIndex: true}) }

func (p Path) step(e element) Path { return Path{append(p.steps[:len(p.steps):len(p.steps)], e)} }

// Equal tells whether two paths name the same.
func (p Path) Equal(q Path) bool { return slices.Equal(p.steps, q.steps) }

// Attribute makes an operand of a path.
func (b *Builder) Attribute(p Path) Operand {
	return Operand{operand{kind: operandPath, path: p.steps}}
}

// Value makes an operand of a value.
func (b *Builder) Value(v item.Value) Operand { return Operand{b.operand(v)} }

// Call makes an operand of the functions size, list_append and if_not_exists.
func (b *Builder) Call(name string, args ...Operand) Operand {
	return Operand{operand{kind: operandCall, name: name, args: operands(args)}}
}

func operands(list []Operand) []operand {
	out := make([]operand, len(list))
	for i, o := range list {
		out[i] = o.operand
	}
	return out
}

// Compare makes a condition of an operator (a comparator, BETWEEN or IN) and as many operands as it takes.
func (b *Builder) Compare(operator string, args ...Operand) Node {
	return Node{&node{op: nodeOp(slices.Index(opNames[:], operator)), args: operands(args)}}
}

// Test makes a condition of a function that is true or false, and as many operands as it takes.
func (b *Builder) Test(function string, args ...Operand) Node {
	return Node{&node{op: opCall, call: function, args: operands(args)}}
}

// And makes a condition that holds if all of the list hold.
func (b *Builder) And(list ...Node) Node { return combine(opAnd, list) }

// Or makes a condition that holds if any of the list does.
func (b *Builder) Or(list ...Node) Node { return combine(opOr, list) }

// Not makes a condition that holds if the other does not.
func (b *Builder) Not(n Node) Node { return combine(opNot, []Node{n}) }

func combine(op nodeOp, list []Node) Node {
	if len(list) == 1 && op != opNot {
		return list[0]
	}
	n := &node{op: op}
	for _, kid := range list {
		n.kids = append(n.kids, kid.node)
	}
	return Node{n}
}

// Condition checks a condition as a ConditionExpression or FilterExpression is checked, by whose name the errors call it.
func (b *Builder) Condition(kind Kind, n Node) (*Condition, error) {
	if err := checkNode(kind, n.node, b.env); err != nil {
		return nil, err
	}
	return &Condition{n.node, b.env}, nil
}

// Set adds an assignment: of an operand, or with a sign of the sum or difference of two.
func (b *Builder) Set(p Path, left Operand, sign string, right Operand) {
	b.all = append(b.all, p.steps)
	b.set = append(b.set, assignment{p.steps, sum{sign, left.operand, right.operand}})
}

// Remove adds the removal of what a path names.
func (b *Builder) Remove(p Path) {
	b.all = append(b.all, p.steps)
	b.remove = append(b.remove, p.steps)
}

// Add adds the addition of members to a set.
func (b *Builder) Add(p Path, members item.Value) {
	b.all = append(b.all, p.steps)
	b.add = append(b.add, assignment{p.steps, sum{left: b.Value(members).operand}})
}

// Delete adds the deletion of members of a set.
func (b *Builder) Delete(p Path, members item.Value) {
	b.all = append(b.all, p.steps)
	b.delete = append(b.delete, assignment{p.steps, sum{left: b.Value(members).operand}})
}

// Update checks all that was added as an UpdateExpression is checked.
func (b *Builder) Update() (*Update, error) {
	u := &Update{&b.sections, b.env}
	if err := u.check(); err != nil {
		return nil, err
	}
	return u, nil
}

// Columns makes a projection whose attributes are the paths' ends: of a.b[0] it makes b[0].
//
// https://github.com/floci-io/floci/pull/3798 reports that AWS names them so.
func Columns(paths []Path) *Projection {
	p := &Projection{columns: true}
	for _, one := range paths {
		p.paths = append(p.paths, one.steps)
	}
	return p
}

// applyColumns returns what the paths of an item lead to, each by the name of its end.
func (p *Projection) applyColumns(src Source) item.Item {
	out := make(item.Item, len(p.paths))
	for _, one := range p.paths {
		if v, ok := one.find(src, nil); ok {
			out[one.end()] = v
		}
	}
	return out
}

// end is the last name of a path, with the indexes that follow it.
func (p path) end() string {
	i := len(p) - 1
	for p[i].isIndex {
		i--
	}
	return p[i].name + strings.Join(shownSteps(p[i+1:], nil), "")
}
