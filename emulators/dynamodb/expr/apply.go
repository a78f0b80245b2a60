package expr

import (
	"cmp"
	"maps"
	"slices"

	"devstack/emulators/dynamodb/item"
)

// Apply returns the updated item. The old one, which is nil or empty if there is none, is not changed: it shares with the
// new one what the update does not touch. All operands are the old item's.
//
// Its errors are AWS's for an item that the expression does not fit: an operand that is missing or of the wrong type, a
// path through what is no map or list, a number out of range. How deep and large the result is, is the caller's to check.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
func (u *Update) Apply(old item.Item) (item.Item, error) {
	changed, err := u.changes(old)
	if err == errOperandType && u.legacy {
		err = errUpdateType
	}
	if err != nil {
		return nil, err
	}
	// Elements set past a list's end are appended in the order of their indexes, whatever the order of the text.
	slices.SortStableFunc(changed, func(a, b change) int { return u.order(a.path, b.path) })
	updated := maps.Clone(old)
	if updated == nil {
		updated = item.Item{}
	}
	for _, c := range changed {
		if err := u.place(updated, c); err != nil {
			return nil, err
		}
	}
	return updated, u.removeAll(updated, old)
}

// change is a path's new value.
type change struct {
	path  path
	value item.Value
}

// changes works out what the SET and ADD actions, and the DELETE actions that leave something, put where.
func (u *Update) changes(old item.Item) ([]change, error) {
	changed := make([]change, 0, len(u.all))
	for i := range u.set {
		v, err := u.set[i].sum.eval(old, &u.env)
		if err != nil {
			return nil, err
		}
		changed = append(changed, change{u.set[i].path, v})
	}
	for i := range u.add {
		current, _ := u.add[i].path.find(old, u.names)
		v, err := added(current, u.values[u.add[i].sum.left.value])
		if err != nil {
			return nil, err
		}
		changed = append(changed, change{u.add[i].path, v})
	}
	for i := range u.delete {
		v, ok, err := u.deleted(old, &u.delete[i])
		if err != nil {
			return nil, err
		}
		if ok && !v.IsZero() {
			changed = append(changed, change{u.delete[i].path, v})
		}
	}
	return changed, nil
}

// eval returns what a SET assigns.
func (s *sum) eval(old item.Item, e *env) (item.Value, error) {
	left, err := s.left.assigned(old, e)
	if err != nil || s.sign == "" {
		return left, err
	}
	right, err := s.right.assigned(old, e)
	if err != nil {
		return item.Value{}, err
	}
	if left.Kind() != item.N || right.Kind() != item.N {
		return item.Value{}, errOperandType
	}
	n := right.Number()
	if s.sign == "-" {
		n = n.Neg()
	}
	n, err = left.Number().Add(n)
	return item.Num(n), err
}

// assigned returns the value of an operand of SET, which must have one.
func (o *operand) assigned(old item.Item, e *env) (item.Value, error) {
	if o.kind != operandCall {
		v, ok := o.eval(old, e)
		if !ok {
			return item.Value{}, errNoAttribute
		}
		return v, nil
	}
	if o.name == "if_not_exists" {
		if v, ok := o.args[0].eval(old, e); ok {
			return v, nil
		}
		return o.args[1].assigned(old, e)
	}
	head, err := o.args[0].assigned(old, e)
	if err != nil {
		return item.Value{}, err
	}
	tail, err := o.args[1].assigned(old, e)
	if err != nil {
		return item.Value{}, err
	}
	if head.Kind() != item.L || tail.Kind() != item.L {
		return item.Value{}, errOperandType
	}
	return item.List(slices.Concat(head.List(), tail.List())), nil
}

// added is ADD: a number's sum, a set's union, or the operand itself where there is nothing. That of AttributeUpdates adds to
// a list too, which is not documented: https://github.com/getmoto/moto/pull/3585
func added(current, operand item.Value) (item.Value, error) {
	switch {
	case current.IsZero():
		return operand, nil
	case current.Kind() != operand.Kind():
		return item.Value{}, errOperandType
	case current.Kind() == item.N:
		n, err := current.Number().Add(operand.Number())
		return item.Num(n), err
	case current.Kind() == item.L:
		return item.List(slices.Concat(current.List(), operand.List())), nil
	}
	return current.Union(operand), nil
}

// deleted is DELETE: the set without the operand's members, which is no value if none is left. It reports false if there
// is no set to delete from.
func (u *Update) deleted(old item.Item, a *assignment) (item.Value, bool, error) {
	current, ok := a.path.find(old, u.names)
	if !ok {
		return item.Value{}, false, nil
	}
	operand := u.values[a.sum.left.value]
	if current.Kind() != operand.Kind() {
		return item.Value{}, false, errOperandType
	}
	return current.Minus(operand), true, nil
}

// place puts a value where a path leads. All of the path but its last element must be there.
func (u *Update) place(updated item.Item, c change) error {
	name, rest := c.path[0].nameIn(u.names), c.path[1:]
	if len(rest) == 0 {
		updated[name] = c.value
		return nil
	}
	v, err := u.edit(updated[name], rest, func(parent item.Value, last *element) (item.Value, error) {
		return u.put(parent, last, c.value)
	})
	if err == nil {
		updated[name] = v
	}
	return err
}

// edit returns a copy of a value in which the parent of the path's last element is changed.
func (u *Update) edit(v item.Value, p path, change func(item.Value, *element) (item.Value, error)) (item.Value, error) {
	if len(p) == 1 {
		return change(v, &p[0])
	}
	child, ok := p[0].step(v, u.names)
	if !ok {
		return item.Value{}, errUpdatePath
	}
	child, err := u.edit(child, p[1:], change)
	if err != nil {
		return item.Value{}, err
	}
	return u.put(v, &p[0], child)
}

// put returns a copy of a map or list with an element in it. Past the end of a list it is appended.
func (u *Update) put(parent item.Value, e *element, v item.Value) (item.Value, error) {
	switch {
	case !e.isIndex && parent.Kind() == item.M:
		m := maps.Clone(parent.Map())
		m[e.nameIn(u.names)] = v
		return item.Map(m), nil
	case e.isIndex && parent.Kind() == item.L:
		list := slices.Clone(parent.List())
		if e.index >= len(list) {
			return item.List(append(list, v)), nil
		}
		list[e.index] = v
		return item.List(list), nil
	}
	return item.Value{}, errUpdatePath
}

// removeAll does the REMOVE actions, and the DELETE actions that leave nothing. It goes from the back of a list to its
// front, so that every index is the old item's.
func (u *Update) removeAll(updated, old item.Item) error {
	gone := slices.Clone(u.remove)
	for i := range u.delete {
		if v, ok, _ := u.deleted(old, &u.delete[i]); ok && v.IsZero() {
			gone = append(gone, u.delete[i].path)
		}
	}
	slices.SortFunc(gone, func(a, b path) int { return u.order(b, a) })
	for _, p := range gone {
		name, rest := p[0].nameIn(u.names), p[1:]
		if len(rest) == 0 {
			delete(updated, name)
			continue
		}
		v, err := u.edit(updated[name], rest, u.drop)
		if err != nil {
			return err
		}
		updated[name] = v
	}
	return nil
}

// drop returns a copy of a map or list without an element. One that is not there is not missed.
func (u *Update) drop(parent item.Value, e *element) (item.Value, error) {
	switch {
	case !e.isIndex && parent.Kind() == item.M:
		m := maps.Clone(parent.Map())
		delete(m, e.nameIn(u.names))
		return item.Map(m), nil
	case e.isIndex && parent.Kind() == item.L:
		if e.index >= len(parent.List()) {
			return parent, nil
		}
		return item.List(slices.Delete(slices.Clone(parent.List()), e.index, e.index+1)), nil
	}
	return item.Value{}, errUpdatePath
}

// order sorts paths by the names and indexes of their elements.
func (u *Update) order(a, b path) int {
	return slices.CompareFunc(a, b, func(x, y element) int {
		return cmp.Or(cmp.Compare(x.index, y.index), cmp.Compare(x.nameIn(u.names), y.nameIn(u.names)))
	})
}
