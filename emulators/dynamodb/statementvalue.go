package dynamodb

import (
	"devstack/emulators/dynamodb/expr"
	"devstack/emulators/dynamodb/item"
	"devstack/emulators/dynamodb/partiql"
)

// What is wrong with the parts of a statement. The texts are guesses, made after "Unexpected path component at 1:8:5"; that of
// IN is the one of expressions.
const (
	msgNoValue      = "Unexpected value at %s"
	msgNoCondition  = "Unexpected condition at %s"
	msgMapKey       = "Expected a string for a name at %s"
	msgMapDuplicate = "Duplicate name %q at %s"
	msgMixedSet     = "Set contains elements of different or unsupported types at %s"
	msgNoFunction   = "Unsupported function: %s at %s"
	msgArguments    = "Incorrect number of arguments for function: %s at %s"
	msgNoType       = "Unsupported type: %s at %s"
	msgSetOperand   = "Expected a set as the second argument of %s at %s"
	msgSetTarget    = "The first argument of %s is not the path that is assigned to, at %s"
	msgTooManyIn    = "The IN operator is provided with too many operands; number of operands: %d"
)

// How many values IN takes: in a filter or condition, and of a partition key.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-operators.html
const (
	maxStatementIn    = 100
	maxStatementParts = 50
)

// value returns the value of a literal or parameter, or of a list, set or map of them.
func (st *statement) value(e partiql.Expr) (item.Value, error) {
	switch e := e.(type) {
	case *partiql.Parameter:
		return st.values[e.Index], nil
	case *partiql.Literal:
		return literalValue(e)
	case *partiql.List:
		list, err := st.valuesOf(e.Items)
		return item.List(list), err
	case *partiql.Set:
		return st.set(e)
	case *partiql.Map:
		m, err := st.item(e)
		return item.Map(m), err
	}
	return item.Value{}, errValidation(msgNoValue, e.Span())
}

func literalValue(e *partiql.Literal) (item.Value, error) {
	switch e.Kind {
	case partiql.String:
		return item.String(e.Text), nil
	case partiql.Number:
		v, err := item.ParseNum(e.Text)
		return v, invalid(err)
	case partiql.True, partiql.False:
		return item.Bool(e.Kind == partiql.True), nil
	case partiql.Null:
		return item.Null(), nil
	}
	return item.Value{}, errValidation(msgNoValue, e.At) // MISSING is the absence of one
}

func (st *statement) valuesOf(list []partiql.Expr) ([]item.Value, error) {
	out := make([]item.Value, len(list))
	for i, e := range list {
		var err error
		if out[i], err = st.value(e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// setKinds are the sets by the kinds of their members.
var setKinds = map[item.Kind]item.Kind{item.S: item.SS, item.N: item.NS, item.B: item.BS}

func (st *statement) set(e *partiql.Set) (item.Value, error) {
	list, err := st.valuesOf(e.Items)
	if err != nil {
		return item.Value{}, err
	}
	kind, members := item.SS, make([]string, len(list))
	for i, v := range list {
		if i == 0 {
			kind = setKinds[v.Kind()]
		}
		if kind == 0 || setKinds[v.Kind()] != kind {
			return item.Value{}, errValidation(msgMixedSet, e.At)
		}
		members[i] = v.Text()
	}
	v, err := item.NewSet(kind, members)
	return v, invalid(err)
}

// item returns the attributes of a map.
func (st *statement) item(e *partiql.Map) (item.Item, error) {
	out := make(item.Item, len(e.Fields))
	for _, f := range e.Fields {
		name, ok := f.Name.(*partiql.Literal)
		if !ok || name.Kind != partiql.String {
			return nil, errValidation(msgMapKey, f.Name.Span())
		}
		if _, ok := out[name.Text]; ok {
			return nil, errValidation(msgMapDuplicate, name.Text, name.At)
		}
		v, err := st.value(f.Value)
		if err != nil {
			return nil, err
		}
		out[name.Text] = v
	}
	return out, nil
}

// statementPath makes a path of an expression that must be one.
func statementPath(e partiql.Expr) (expr.Path, error) {
	p, ok := e.(*partiql.Path)
	if !ok {
		return expr.Path{}, errValidation(partiql.MsgPath, e.Span())
	}
	out := expr.NewPath(p.Steps[0].Name)
	for _, s := range p.Steps[1:] {
		if s.IsIndex {
			out = out.Index(s.Index)
		} else {
			out = out.Name(s.Name)
		}
	}
	return out, nil
}
