package dynamodb

import (
	"slices"

	"devstack/emulators/dynamodb/expr"
	"devstack/emulators/dynamodb/item"
	"devstack/emulators/dynamodb/partiql"
)

// What AWS says of the key conditions of a SELECT. The first is Query's answer, the second a guess.
const (
	msgStatementKeyType = "One or more parameter values were invalid: Condition parameter type does not match schema type"
	msgTooManyParts     = "The number of values of the partition key exceeds the limit of %d"
)

// keyTerm is what a term of a WHERE says of one attribute, if a key condition could say it.
type keyTerm struct {
	name   string
	op     expr.RangeOp
	values []item.Value
}

// rangeOps are the comparators of key conditions, and what they are with their operands exchanged.
var rangeOps = map[string][2]expr.RangeOp{
	"=": {expr.EQ, expr.EQ}, "<": {expr.LT, expr.GT}, "<=": {expr.LE, expr.GE}, ">": {expr.GT, expr.LT}, ">=": {expr.GE, expr.LE},
}

// keyTerm reads a term as a condition between an attribute and values. The WHERE it is from has been found right.
func (st *statement) keyTerm(e partiql.Expr) (keyTerm, bool) {
	switch e := e.(type) {
	case *partiql.Binary:
		ops, ok := rangeOps[e.Op]
		if !ok {
			return keyTerm{}, false
		}
		if t, ok := st.newKeyTerm(ops[0], e.Left, e.Right); ok {
			return t, true
		}
		return st.newKeyTerm(ops[1], e.Right, e.Left)
	case *partiql.Between:
		if !e.Not {
			return st.newKeyTerm(expr.Between, e.X, e.Low, e.High)
		}
	case *partiql.Call:
		if e.Name == "begins_with" {
			return st.newKeyTerm(expr.BeginsWith, e.Args[0], e.Args[1])
		}
	}
	return keyTerm{}, false
}

func (st *statement) newKeyTerm(op expr.RangeOp, attribute partiql.Expr, values ...partiql.Expr) (keyTerm, bool) {
	p, ok := attribute.(*partiql.Path)
	if !ok || len(p.Steps) > 1 {
		return keyTerm{}, false
	}
	list, err := st.valuesOf(values)
	return keyTerm{p.Steps[0].Name, op, list}, err == nil
}

// alternatives returns the values of which an attribute must have one for a term to hold; nil if it may have any. exact tells
// that the term says nothing more.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.select.html says that equality, IN and an OR of
// them do not scan the table.
func (st *statement) alternatives(e partiql.Expr, name string) (values []item.Value, exact bool) {
	if t, ok := st.keyTerm(e); ok {
		if t.op == expr.EQ && t.name == name {
			return t.values, true
		}
		return nil, false
	}
	switch e := e.(type) {
	case *partiql.In:
		list, _ := e.List.(*partiql.List)
		if !e.Not && list != nil && len(list.Items) > 0 {
			if t, ok := st.newKeyTerm(expr.EQ, e.X, list.Items...); ok && t.name == name {
				return t.values, true
			}
		}
	case *partiql.Binary:
		left, exactLeft := st.alternatives(e.Left, name)
		right, exactRight := st.alternatives(e.Right, name)
		switch {
		case e.Op == "OR" && left != nil && right != nil:
			return slices.Concat(left, right), exactLeft && exactRight
		case e.Op == "AND" && left != nil:
			return left, false
		case e.Op == "AND":
			return right, false
		}
	}
	return nil, false
}

// wholeKey takes equality on all of a key's attributes out of the terms.
func (st *statement) wholeKey(k keySchema, terms []partiql.Expr) (key item.Item, rest []partiql.Expr, ok bool) {
	key = item.Item{}
	for _, e := range terms {
		t, is := st.keyTerm(e)
		_, given := key[t.name]
		if !is || t.op != expr.EQ || given || !k.has(t.name) {
			rest = append(rest, e)
			continue
		}
		key[t.name] = t.values[0]
	}
	return key, rest, len(key) == len(k)
}

// partitions are the parts of a table or index that a SELECT reads, instead of all of it.
type partitions struct {
	hash []partitionKey
	sort expr.KeyCondition
}

// partitionKey is one value for each attribute of a partition key.
type partitionKey []item.Value

// partitions finds what a SELECT reads, and the terms that remain as a filter. It is nil if there are no values for all of the
// partition key.
func (st *statement) partitions(k keySchema, terms []partiql.Expr) (*partitions, []partiql.Expr, error) {
	hash, sortKey := k.parts()
	p := &partitions{hash: []partitionKey{nil}}
	rest := slices.Clone(terms)
	for _, a := range hash {
		i, values, exact := st.hashTerm(a.Name, rest)
		if values == nil {
			return nil, terms, nil
		}
		if exact {
			rest = slices.Delete(rest, i, i+1)
		}
		if err := p.multiply(a, values); err != nil {
			return nil, nil, err
		}
	}
	rest, err := st.sortTerms(sortKey, rest, &p.sort)
	return p, rest, err
}

// hashTerm finds the term that gives an attribute of a partition key its values.
func (st *statement) hashTerm(name string, terms []partiql.Expr) (i int, values []item.Value, exact bool) {
	for i, e := range terms {
		if values, exact = st.alternatives(e, name); values != nil {
			return i, values, exact
		}
	}
	return 0, nil, false
}

// multiply continues each partition key with each value of an attribute.
func (p *partitions) multiply(a keyAttribute, values []item.Value) error {
	var longer []partitionKey
	var seen []item.Value
	for _, v := range values {
		if v.Kind() != a.kind() {
			return errValidation(msgStatementKeyType)
		}
		if err := a.checkValue(v); err != nil {
			return err
		}
		if slices.ContainsFunc(seen, v.Equal) {
			continue
		}
		seen = append(seen, v)
		for _, k := range p.hash {
			longer = append(longer, append(slices.Clone(k), v))
		}
	}
	if len(longer) > maxStatementParts {
		return errValidation(msgTooManyParts, maxStatementParts)
	}
	p.hash = longer
	return nil
}

// sortTerms takes the conditions on the attributes of a sort key, from the first, out of the terms: equality on any number of
// them, and one condition of another kind.
func (st *statement) sortTerms(sortKey keySchema, terms []partiql.Expr, c *expr.KeyCondition) ([]partiql.Expr, error) {
	for _, a := range sortKey {
		i := st.sortTerm(a.Name, terms)
		if i < 0 {
			break
		}
		t, _ := st.keyTerm(terms[i])
		for _, v := range t.values {
			if v.Kind() != a.kind() {
				return nil, errValidation(msgStatementKeyType)
			}
		}
		terms = slices.Delete(slices.Clone(terms), i, i+1)
		if t.op == expr.EQ {
			c.Equal = append(c.Equal, t.values[0])
			continue
		}
		c.Op, c.Low = t.op, t.values[0]
		if t.op == expr.Between {
			c.High = t.values[1]
		}
		break
	}
	return terms, nil
}

// sortTerm finds a term on an attribute of a sort key, equality before others; -1 if there is none.
func (st *statement) sortTerm(name string, terms []partiql.Expr) int {
	found := -1
	for i, e := range terms {
		t, ok := st.keyTerm(e)
		switch {
		case !ok || t.name != name:
		case t.op == expr.EQ:
			return i
		case found < 0:
			found = i
		}
	}
	return found
}

// spans are where the partitions lie, one after the other.
func (p *partitions) spans(k keySchema) []span {
	if p == nil {
		return []span{{}}
	}
	out := make([]span, len(p.hash))
	for i, hash := range p.hash {
		out[i] = sortSpan(k.prefix(hash), &p.sort)
	}
	return out
}
