package dynamodb

import (
	"devstack/emulators/dynamodb/expr"
	"devstack/emulators/dynamodb/item"
	"devstack/emulators/dynamodb/partiql"
)

// msgReturningOld is a guess; https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.delete.html has
// no other.
const msgReturningOld = "RETURNING can only be ALL OLD of a deletion"

// action makes of a writing statement the write that it is, or the check of an EXISTS.
func (st *statement) action(t *table) (*action, error) {
	if st.table.Index != "" {
		return nil, errValidation(partiql.MsgPath, st.table.At)
	}
	a := &action{table: st.table.Name, showOld: st.showOld}
	if insert, ok := st.tree.(*partiql.Insert); ok {
		return a, st.insert(t, a, insert)
	}
	terms := conjuncts(st.where)
	if _, err := st.conjunction(terms, nil); err != nil { // all of it, for what is wrong with the part that the key takes out
		return nil, err
	}
	key, terms, ok := st.wholeKey(t.Key, terms)
	if !ok {
		return nil, errValidation(msgNoStatementKey)
	}
	a.key = newRecord(key)
	var err error
	switch tree := st.tree.(type) {
	case *partiql.Update:
		a.kind = update
		if a.update, err = st.update(tree); err != nil {
			return nil, err
		}
		a.condition, err = st.conjunction(terms, t.exists)
	case *partiql.Exists:
		a.kind = check
		a.condition, err = st.conjunction(terms, t.exists)
	default:
		a.kind = remove
		if st.returning != "" && st.returning != "ALL OLD" {
			return nil, errValidation(msgReturningOld)
		}
		a.condition, err = st.conjunction(terms, t.absentOr)
	}
	return a, err
}

// exists adds that the item is there: an UPDATE makes none.
//
// https://github.com/nubo-db/dynoxide/pull/150 reports what AWS answers.
func (t *table) exists(w *where, holds []expr.Node) []expr.Node {
	return append(holds, w.b.Test("attribute_exists", w.b.Attribute(expr.NewPath(t.Key[0].Name))))
}

// absentOr lets a DELETE of an item that is not there succeed, whatever else it says.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.delete.html
func (t *table) absentOr(w *where, holds []expr.Node) []expr.Node {
	if holds == nil {
		return nil
	}
	absent := w.b.Test("attribute_not_exists", w.b.Attribute(expr.NewPath(t.Key[0].Name)))
	return []expr.Node{w.b.Or(absent, w.b.And(holds...))}
}

// insert makes the put of an INSERT, which fails if the item is there.
func (st *statement) insert(t *table, a *action, tree *partiql.Insert) error {
	m, ok := tree.Item.(*partiql.Map)
	if !ok {
		return errValidation(msgNoValue, tree.Item.Span())
	}
	i, err := st.item(m)
	if err != nil {
		return err
	}
	if err := item.CheckDepth(i); err != nil {
		return invalid(err)
	}
	a.item = newRecord(i)
	a.kind, a.insert = put, true
	a.condition, err = st.conjunction(nil, func(w *where, _ []expr.Node) []expr.Node {
		return []expr.Node{w.b.Test("attribute_not_exists", w.b.Attribute(expr.NewPath(t.Key[0].Name)))}
	})
	return err
}

// update makes the update of an UPDATE.
func (st *statement) update(tree *partiql.Update) (*expr.Update, error) {
	w := &where{statement: st}
	for _, a := range tree.Set {
		target, err := statementPath(a.Path)
		if err != nil {
			return nil, err
		}
		if err := w.assign(target, a.Value); err != nil {
			return nil, err
		}
	}
	for _, r := range tree.Remove {
		target, err := statementPath(r)
		if err != nil {
			return nil, err
		}
		w.b.Remove(target)
	}
	u, err := w.b.Update()
	return u, invalid(err)
}

// assign adds one assignment of SET.
func (w *where) assign(target expr.Path, e partiql.Expr) error {
	if call, ok := e.(*partiql.Call); ok && (call.Name == "set_add" || call.Name == "set_delete") {
		return w.members(target, call)
	}
	sum, ok := e.(*partiql.Binary)
	if !ok || sum.Op != "+" && sum.Op != "-" {
		value, err := w.assigned(e)
		w.b.Set(target, value, "", expr.Operand{})
		return err
	}
	left, err := w.assigned(sum.Left)
	if err != nil {
		return err
	}
	right, err := w.assigned(sum.Right)
	w.b.Set(target, left, sum.Op, right)
	return err
}

// assigned makes an operand of a path, a value, or list_append.
func (w *where) assigned(e partiql.Expr) (expr.Operand, error) {
	call, ok := e.(*partiql.Call)
	if !ok {
		return w.operand(e)
	}
	if call.Name != "list_append" {
		return expr.Operand{}, errValidation(msgNoFunction, call.Name, call.At)
	}
	if len(call.Args) != 2 {
		return expr.Operand{}, errValidation(msgArguments, call.Name, call.At)
	}
	args := make([]expr.Operand, 2)
	for i, arg := range call.Args {
		var err error
		if args[i], err = w.assigned(arg); err != nil {
			return expr.Operand{}, err
		}
	}
	return w.b.Call(call.Name, args...), nil
}

// members adds set_add(path, set) and set_delete(path, set), whose path is the one that is assigned to.
func (w *where) members(target expr.Path, call *partiql.Call) error {
	if len(call.Args) != 2 {
		return errValidation(msgArguments, call.Name, call.At)
	}
	from, err := statementPath(call.Args[0])
	if err != nil {
		return err
	}
	if !from.Equal(target) {
		return errValidation(msgSetTarget, call.Name, call.At)
	}
	members, err := w.value(call.Args[1])
	if err != nil {
		return err
	}
	if !members.Kind().IsSet() {
		return errValidation(msgSetOperand, call.Name, call.At)
	}
	if call.Name == "set_add" {
		w.b.Add(target, members)
	} else {
		w.b.Delete(target, members)
	}
	return nil
}
