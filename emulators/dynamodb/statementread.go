package dynamodb

import (
	"slices"

	"devstack/emulators/dynamodb/expr"
	"devstack/emulators/dynamodb/partiql"
	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// maxPartsPerPage is how many values of IN one page reads.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-operators.html says "Results are returned in pages of up
// to 10 items. If the IN list contains more values, you must use the NextToken"; that the values are meant is our reading.
const maxPartsPerPage = 10

// What AWS says of a SELECT: of indexes as https://github.com/floci-io/floci/pull/2953 and
// https://github.com/nubo-db/dynoxide/issues/179 report it, of the order from memory of its answers.
const (
	msgStatementIndex      = "The table does not have the specified index"
	msgStatementConsistent = "Strongly consistent read is not supported on Global Secondary Indexes"
	msgOrderWhere          = "Must have WHERE clause in the statement when using ORDER BY clause."
	msgOrderHash           = "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause."
	msgOrderKey            = "Variable reference %s in ORDER BY clause must be part of the primary key"
	msgOrderParts          = "Must have the hash key as the first key of ORDER BY when there is more than one value for it" // a guess
)

// selection is a SELECT that is ready to be read.
type selection struct {
	rd      *reading
	parts   *partitions // nil: all
	forward bool
}

// newSelection plans a SELECT: the index first, then whether a consistent read is possible, then the conditions.
func newSelection(t *table, st *statement, tree *partiql.Select) (*selection, error) {
	rd := &reading{t: t, consistent: st.consistent}
	if name := tree.From.Index; name != "" {
		x, ok := t.index(name)
		switch {
		case !ok:
			return nil, errValidation(msgStatementIndex)
		case x.Global && st.consistent:
			return nil, errValidation(msgStatementConsistent)
		}
		rd.x = x
	}
	var err error
	if rd.projection, err = columns(tree.Columns); err != nil {
		return nil, err
	}
	terms := conjuncts(tree.Where)
	if _, err := st.conjunction(terms, nil); err != nil {
		return nil, err
	}
	sel := &selection{rd: rd, forward: true}
	if sel.parts, terms, err = st.partitions(rd.key(), terms); err != nil {
		return nil, err
	}
	if rd.filter, err = st.conjunction(terms, nil); err != nil {
		return nil, err
	}
	if err := sel.order(tree); err != nil {
		return nil, err
	}
	return sel, rd.choose(request{})
}

// columns makes the projection of a SELECT's list; nil of *.
func columns(list []partiql.Expr) (*expr.Projection, error) {
	if list == nil {
		return nil, nil
	}
	paths := make([]expr.Path, len(list))
	for i, e := range list {
		var err error
		if paths[i], err = statementPath(e); err != nil {
			return nil, err
		}
	}
	return expr.Columns(paths), nil
}

// order applies ORDER BY, which can only name what the partitions are in the order of anyway.
func (sel *selection) order(tree *partiql.Select) error {
	if tree.OrderBy == nil {
		return nil
	}
	switch {
	case tree.Where == nil:
		return errValidation(msgOrderWhere)
	case sel.parts == nil:
		return errValidation(msgOrderHash)
	}
	hash, sortKey := sel.rd.key().parts()
	var orders []partOrder
	for i, o := range tree.OrderBy {
		p, ok := o.Key.(*partiql.Path)
		if !ok || len(p.Steps) > 1 {
			return errValidation(partiql.MsgPath, o.Key.Span())
		}
		name := p.Steps[0].Name
		switch {
		case hash.has(name):
			orders = append(orders, partOrder{slices.IndexFunc(hash, func(a keyAttribute) bool { return a.Name == name }), o.Descending})
		case !sortKey.has(name):
			return errValidation(msgOrderKey, name)
		case i == 0 && len(sel.parts.hash) > 1:
			return errValidation(msgOrderParts)
		default:
			sel.forward = !o.Descending
		}
	}
	slices.SortStableFunc(sel.parts.hash, func(a, b partitionKey) int { return comparePartitions(orders, a, b) })
	return nil
}

// partOrder is a key of ORDER BY that is an attribute of the partition key.
type partOrder struct {
	attribute  int
	descending bool
}

// comparePartitions compares partition keys by the first order in which they differ.
func comparePartitions(orders []partOrder, a, b partitionKey) int {
	for _, o := range orders {
		c, _ := a[o.attribute].Compare(b[o.attribute])
		if o.descending {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// selectPage reads a page of a SELECT.
func (s *service) selectPage(tx *store.Tx, r *wire.Request, st *statement, in *ExecuteStatementInput) (*ExecuteStatementOutput, error) {
	t, err := s.table(tx, r, st.table.Name)
	if err != nil {
		return nil, err
	}
	sel, err := newSelection(t, st, st.tree.(*partiql.Select))
	if err != nil {
		return nil, err
	}
	at, err := sel.start(st, in.NextToken)
	if err != nil {
		return nil, err
	}
	limit := 0
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	p, next, err := sel.read(tx, at, limit)
	if err != nil {
		return nil, err
	}
	out := &ExecuteStatementOutput{Items: p.items, LastEvaluatedKey: p.last, ConsumedCapacity: p.used.report(in.ReturnConsumedCapacity)}
	if next != nil {
		out.NextToken = new(next.encode(st))
	}
	return out, nil
}

// read reads a page from where a token points, and returns the next token; nil if there is no more. limit 0 is none.
func (sel *selection) read(tx *store.Tx, at bookmark, limit int) (all *page, next *bookmark, err error) {
	spans := sel.parts.spans(sel.rd.key())
	all = &page{items: newItems(nil), used: newUsage(sel.rd.t)}
	for i := at.part; i < len(spans); i++ {
		if i-at.part == maxPartsPerPage || all.size > maxPage {
			return all, &bookmark{part: i}, nil
		}
		within := spans[i]
		if i == at.part && at.key != nil {
			within = within.from(at.key, sel.forward)
		}
		sel.rd.limit = max(0, limit-all.passed)
		p, err := sel.rd.read(tx, within, sel.forward)
		if err != nil {
			return nil, nil, err
		}
		all.add(p)
		if p.last != nil {
			all.last = p.last
			return all, &bookmark{part: i, last: p.last}, nil
		}
	}
	return all, nil, nil
}

// add adds what a part of a page has read.
func (p *page) add(part *page) {
	p.items = p.items.join(part.items)
	p.found += part.found
	p.passed += part.passed
	p.size += part.size
	p.used.table += part.used.table
	for name, units := range part.used.indexes {
		p.used.indexes[name] += units
	}
}
