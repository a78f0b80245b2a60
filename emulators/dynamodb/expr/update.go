package expr

import (
	"slices"

	"devstack/emulators/dynamodb/item"
)

// sections is a parsed update expression.
type sections struct {
	set         []assignment
	remove      []path
	add, delete []assignment
	all         []path // of all four, in the order of the text
	legacy      bool   // made of AttributeUpdates
}

// assignment is what one action does to a path.
type assignment struct {
	path path
	sum  sum
}

// sum is an operand, or two with a plus or minus between them.
type sum struct {
	sign        string // "+", "-" or none
	left, right operand
}

// Update is an update expression.
type Update struct {
	*sections
	env
}

func (p *parser) updateSections() {
	p.update = &sections{}
	seen := map[string]bool{}
	for p.tok.kind != tokenEOF {
		i := slices.IndexFunc(sectionKeywords, p.isKeyword)
		if i < 0 {
			p.fail()
			return
		}
		section := sectionKeywords[i]
		if seen[section] {
			p.note(rankSection, msgSection, section)
		}
		seen[section] = true
		p.next()
		p.action(section)
		for p.accept(",") {
			p.action(section)
		}
	}
}

// action parses one action of a section.
func (p *parser) action(section string) {
	target := p.path()
	p.update.all = append(p.update.all, target)
	switch section {
	case "SET":
		p.expect("=")
		p.update.set = append(p.update.set, assignment{target, p.sum()})
	case "REMOVE":
		p.update.remove = append(p.update.remove, target)
	case "ADD":
		p.update.add = append(p.update.add, assignment{target, p.valueOnly()})
	case "DELETE":
		p.update.delete = append(p.update.delete, assignment{target, p.valueOnly()})
	}
}

// valueOnly parses the :value that an ADD or DELETE takes.
func (p *parser) valueOnly() sum {
	if p.tok.kind != tokenValue {
		p.fail()
		return sum{}
	}
	return sum{left: p.operand()}
}

// sum parses what a SET assigns: operand, operand + operand, operand - operand; all of it, or an operand, may be in
// parentheses.
func (p *parser) sum() sum {
	s := p.summand()
	if s.sign != "" || !p.is("+") && !p.is("-") {
		return s
	}
	s.sign = p.shown(p.tok)
	p.operator()
	p.next()
	right := p.summand()
	if right.sign != "" {
		p.fail()
	}
	s.right = right.left
	return s
}

func (p *parser) summand() sum {
	if p.accept("(") {
		p.redundantIf(p.is("("))
		s := p.sum()
		p.expect(")")
		return s
	}
	o := p.operand()
	p.checkUpdateCall(&o)
	return sum{left: o}
}

// checkUpdateCall checks that an operand, if it is a call, is of a function for updates.
func (p *parser) checkUpdateCall(o *operand) {
	if o.kind != operandCall {
		return
	}
	want, isUpdate := updateFunctions[o.name]
	switch {
	case isUpdate:
		if p.arity(o, want) {
			p.checkPathOperand(o)
		}
	case conditionFunctions[o.name] > 0 || operandFunctions[o.name] > 0:
		p.note(rankFunction, msgNotInContext, "an update", o.name)
	default:
		p.note(rankFunction, msgFunction, o.name)
	}
	for i := range o.args {
		p.checkUpdateCall(&o.args[i])
	}
}

// ParseUpdate parses an UpdateExpression. No path may overlap with another one.
func ParseUpdate(text string, p *Params) (*Update, error) {
	s, err := cached(UpdateExpression, text)
	if err != nil {
		return nil, err
	}
	e, err := p.bind(s)
	if err != nil {
		return nil, err
	}
	u := &Update{s.update, e}
	if err := u.check(); err != nil {
		return nil, err
	}
	return u, nil
}

// check checks the paths against each other, and the types of the :values.
func (u *Update) check() error {
	for i := range u.set {
		s := &u.set[i].sum
		if s.sign != "" {
			if err := checkOperands(UpdateExpression, s.sign, []operand{s.left, s.right}, u.env, item.N); err != nil {
				return err
			}
		}
		for _, o := range []*operand{&s.left, &s.right} {
			if err := u.checkLists(o); err != nil {
				return err
			}
		}
	}
	if err := u.checkOperand("ADD", u.add, item.N, item.SS, item.NS, item.BS); err != nil {
		return err
	}
	if err := u.checkOperand("DELETE", u.delete, item.SS, item.NS, item.BS); err != nil {
		return err
	}
	return checkPaths(UpdateExpression, u.all, u.names)
}

func (u *Update) checkLists(o *operand) error {
	if o.name == "list_append" {
		if err := checkOperands(UpdateExpression, o.name, o.args, u.env, item.L); err != nil {
			return err
		}
	}
	for i := range o.args {
		if err := u.checkLists(&o.args[i]); err != nil {
			return err
		}
	}
	return nil
}

func (u *Update) checkOperand(section string, actions []assignment, kinds ...item.Kind) error {
	for i := range actions {
		if v, ok := actions[i].sum.left.constant(u.env); ok && !slices.Contains(kinds, v.Kind()) {
			return invalid(UpdateExpression, msgUpdateOperand, section, longNames[v.Kind()])
		}
	}
	return nil
}

// Names returns the top-level attributes that the update changes, each once, in the order of their first use.
func (u *Update) Names() []string { return topNames(u.all, u.names) }

// Deletes tells whether the update does nothing but take away. Then it does not make an item where there is none, whereas an
// update without any action does: https://github.com/scylladb/scylladb/issues/5862 of AttributeUpdates; that no expression
// does either is a guess by https://github.com/scylladb/scylladb/issues/28368.
func (u *Update) Deletes() bool { return len(u.all) > 0 && len(u.set)+len(u.add) == 0 }

// Uses returns the top-level attributes that the update changes or reads, each once.
func (u *Update) Uses() []string {
	names := u.Names()
	use := func(o *operand) {
		if o.kind == operandPath {
			names = markUsed(names, o.path[0].nameIn(u.names))
		}
	}
	for i := range u.set {
		s := &u.set[i].sum
		s.left.walk(use)
		if s.sign != "" {
			s.right.walk(use)
		}
	}
	return names
}

// Touched returns the part of the old item that the update's paths name: what UPDATED_OLD returns.
func (u *Update) Touched(src Source) item.Item { return project(src, u.all, u.names) }

// Written returns the part of the new item that the paths of SET, ADD and DELETE name: what UPDATED_NEW returns. Of an element
// set past a list's end it is nothing, and an update that only takes away has nothing to show:
// https://github.com/ExtendDB/extenddb/issues/98, https://github.com/nubo-db/dynoxide/issues/36
func (u *Update) Written(src Source) item.Item {
	if len(u.remove) == 0 {
		return project(src, u.all, u.names)
	}
	var paths []path
	for _, list := range [][]assignment{u.set, u.add, u.delete} {
		for i := range list {
			paths = append(paths, list[i].path)
		}
	}
	return project(src, paths, u.names)
}

// The bytes that an update counts for besides the item that it makes, whose key does not count: so many for the update, for
// each action that writes a value, each that takes one away, an assignment to an element of a list, and arithmetic.
//
// https://github.com/nubo-db/dynoxide/issues/187 reports what was measured; ADD and DELETE count like SET, a guess.
const (
	updateOverhead     = 3
	writeOverhead      = 19
	removeOverhead     = 2
	elementOverhead    = 1
	arithmeticOverhead = 50
)

// Overhead returns the bytes that the update adds to the size of the item that it makes, where that is held against the
// largest size of an item.
func (u *Update) Overhead() int {
	size := updateOverhead + writeOverhead*(len(u.set)+len(u.add)+len(u.delete)) + removeOverhead*len(u.remove)
	for i := range u.set {
		if last := u.set[i].path[len(u.set[i].path)-1]; last.isIndex {
			size += elementOverhead
		}
		if u.set[i].sum.sign != "" {
			size += arithmeticOverhead
		}
	}
	return size
}
