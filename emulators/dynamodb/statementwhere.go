package dynamodb

import (
	"devstack/emulators/dynamodb/expr"
	"devstack/emulators/dynamodb/item"
	"devstack/emulators/dynamodb/partiql"
)

// where turns the WHERE of a statement into the conditions of package expr, which evaluates them.
type where struct {
	*statement
	b expr.Builder
}

// statementTests are the functions that are conditions, and how many arguments they take.
var statementTests = map[string]int{"begins_with": 2, "contains": 2, "attribute_type": 2}

// node makes a condition.
func (w *where) node(e partiql.Expr) (expr.Node, error) {
	switch e := e.(type) {
	case *partiql.Binary:
		return w.binary(e)
	case *partiql.Unary:
		if e.Op == "NOT" {
			return w.negated(true)(w.node(e.X))
		}
	case *partiql.Between:
		return w.negated(e.Not)(w.compare("BETWEEN", e.X, e.Low, e.High))
	case *partiql.In:
		return w.negated(e.Not)(w.in(e))
	case *partiql.Is:
		return w.negated(e.Not)(w.is(e))
	case *partiql.Call:
		return w.call(e)
	}
	return expr.Node{}, errValidation(msgNoCondition, e.Span())
}

// negated passes a condition on, or its opposite.
func (w *where) negated(not bool) func(expr.Node, error) (expr.Node, error) {
	return func(n expr.Node, err error) (expr.Node, error) {
		if err != nil || !not {
			return n, err
		}
		return w.b.Not(n), nil
	}
}

func (w *where) binary(e *partiql.Binary) (expr.Node, error) {
	switch e.Op {
	case "+", "-":
		return expr.Node{}, errValidation(msgNoCondition, e.At)
	case "AND", "OR":
	case "=", "<>":
		if x := besideMissing(e); x != nil {
			return w.negated(e.Op == "<>")(w.is(&partiql.Is{X: x, Type: "MISSING", At: e.At}))
		}
		return w.compare(e.Op, e.Left, e.Right)
	default:
		return w.compare(e.Op, e.Left, e.Right)
	}
	left, err := w.node(e.Left)
	if err != nil {
		return left, err
	}
	right, err := w.node(e.Right)
	if err != nil {
		return right, err
	}
	if e.Op == "AND" {
		return w.b.And(left, right), nil
	}
	return w.b.Or(left, right), nil
}

// besideMissing returns what a comparison compares with MISSING; nil if it does not.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-functions.missing.html says that equality and inequality
// can be used with it; that they mean IS and IS NOT is our reading.
func besideMissing(e *partiql.Binary) partiql.Expr {
	for _, pair := range [][2]partiql.Expr{{e.Left, e.Right}, {e.Right, e.Left}} {
		if l, ok := pair[1].(*partiql.Literal); ok && l.Kind == partiql.Missing {
			return pair[0]
		}
	}
	return nil
}

func (w *where) compare(operator string, args ...partiql.Expr) (expr.Node, error) {
	list, err := w.operands(args)
	return w.b.Compare(operator, list...), err
}

func (w *where) operands(args []partiql.Expr) ([]expr.Operand, error) {
	list := make([]expr.Operand, len(args))
	for i, e := range args {
		var err error
		if list[i], err = w.operand(e); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// operand makes an operand of a path, of the function size, or of a value.
func (w *where) operand(e partiql.Expr) (expr.Operand, error) {
	switch e := e.(type) {
	case *partiql.Path:
		p, err := statementPath(e)
		return w.b.Attribute(p), err
	case *partiql.Call:
		if e.Name != "size" {
			return expr.Operand{}, errValidation(msgNoFunction, e.Name, e.At)
		}
		args, err := w.arguments(e, 1)
		return w.b.Call("size", args...), err
	}
	v, err := w.value(e)
	return w.b.Value(v), err
}

// arguments makes the operands of a call that takes so many.
func (w *where) arguments(e *partiql.Call, count int) ([]expr.Operand, error) {
	if len(e.Args) != count {
		return nil, errValidation(msgArguments, e.Name, e.At)
	}
	return w.operands(e.Args)
}

func (w *where) in(e *partiql.In) (expr.Node, error) {
	list, ok := e.List.(*partiql.List)
	if !ok {
		return expr.Node{}, errValidation(msgNoValue, e.List.Span())
	}
	if len(list.Items) > maxStatementIn {
		return expr.Node{}, errValidation(msgTooManyIn, len(list.Items))
	}
	return w.compare("IN", append([]partiql.Expr{e.X}, list.Items...)...)
}

// is makes a condition of IS MISSING and IS NULL. There are other types in PartiQL; which of them DynamoDB knows is not
// documented.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-functions.missing.html
func (w *where) is(e *partiql.Is) (expr.Node, error) {
	p, err := statementPath(e.X)
	if err != nil {
		return expr.Node{}, err
	}
	switch e.Type {
	case "MISSING":
		return w.b.Test("attribute_not_exists", w.b.Attribute(p)), nil
	case "NULL":
		return w.b.Test("attribute_type", w.b.Attribute(p), w.b.Value(item.String(item.NULL.String()))), nil
	}
	return expr.Node{}, errValidation(msgNoType, e.Type, e.At)
}

// call makes a condition of a function that is true or false.
func (w *where) call(e *partiql.Call) (expr.Node, error) {
	count, ok := statementTests[e.Name]
	switch {
	case e.Name == "exists":
		return expr.Node{}, errValidation(msgExistsOutside)
	case !ok:
		return expr.Node{}, errValidation(msgNoFunction, e.Name, e.At)
	}
	args, err := w.arguments(e, count)
	return w.b.Test(e.Name, args...), err
}

// conjunction makes one condition of terms that must all hold, and of more; nil of none.
func (st *statement) conjunction(terms []partiql.Expr, more func(w *where, holds []expr.Node) []expr.Node) (*expr.Condition, error) {
	w := &where{statement: st}
	var holds []expr.Node
	for _, e := range terms {
		n, err := w.node(e)
		if err != nil {
			return nil, err
		}
		holds = append(holds, n)
	}
	if more != nil {
		holds = more(w, holds)
	}
	if len(holds) == 0 {
		return nil, nil
	}
	c, err := w.b.Condition(st.conditionKind(), w.b.And(holds...))
	return c, invalid(err)
}

// conjuncts are the terms that the ANDs of a WHERE join.
func conjuncts(e partiql.Expr) []partiql.Expr {
	if e == nil {
		return nil
	}
	if b, ok := e.(*partiql.Binary); ok && b.Op == "AND" {
		return append(conjuncts(b.Left), conjuncts(b.Right)...)
	}
	return []partiql.Expr{e}
}
