package expr

import (
	"slices"

	"devstack/emulators/dynamodb/item"
)

// nodeOp is what a node of a condition does.
type nodeOp uint8

const (
	opOr nodeOp = iota
	opAnd
	opNot
	opEQ
	opNE
	opLT
	opLE
	opGT
	opGE
	opBetween
	opIn
	opCall // a function that is true or false
)

// opNames are the operators as written. The comparators are also how they are found.
var opNames = [...]string{
	opOr: "OR", opAnd: "AND", opNot: "NOT", opEQ: "=", opNE: "<>", opLT: "<", opLE: "<=", opGT: ">", opGE: ">=",
	opBetween: "BETWEEN", opIn: "IN",
}

// node is a condition: of others (OR, AND, NOT) or of operands.
type node struct {
	op   nodeOp
	kids []*node
	args []operand
	call string // the function's name
}

// name returns the operator or function as the messages name it.
func (n *node) name() string {
	if n.op == opCall {
		return n.call
	}
	return opNames[n.op]
}

// The functions and the number of their operands.
var (
	conditionFunctions = map[string]int{
		"attribute_exists": 1, "attribute_not_exists": 1, "attribute_type": 2, "begins_with": 2, "contains": 2,
	}
	operandFunctions = map[string]int{"size": 1}
	updateFunctions  = map[string]int{"if_not_exists": 2, "list_append": 2}
)

// term is a condition, or an operand of which it is not known yet what it is part of.
type term struct {
	node    *node
	operand operand
	wrapped bool // it is in parentheses
}

func (p *parser) conditionRoot() { p.root = p.condition(p.or()) }

// condition makes a condition of a term. A lone operand is one if it is a function's call.
func (p *parser) condition(t term) *node {
	if t.node != nil {
		return t.node
	}
	if t.operand.kind != operandCall {
		p.fail()
		return &node{op: opAnd}
	}
	p.checkCall(&t.operand, true)
	return &node{op: opCall, call: t.operand.name, args: t.operand.args}
}

func (p *parser) or() term { return p.chain("OR", opOr, p.and) }

func (p *parser) and() term { return p.chain("AND", opAnd, p.not) }

// chain parses terms with the same operator between them.
func (p *parser) chain(keyword string, op nodeOp, part func() term) term {
	first := part()
	if !p.isKeyword(keyword) {
		return first
	}
	n := &node{op: op, kids: []*node{p.condition(first)}}
	for p.isKeyword(keyword) {
		p.operator()
		p.next()
		n.kids = append(n.kids, p.condition(part()))
	}
	return term{node: n}
}

func (p *parser) not() term {
	if !p.isKeyword("NOT") {
		return p.primary()
	}
	p.operator()
	p.next()
	return term{node: &node{op: opNot, kids: []*node{p.condition(p.not())}}}
}

// primary parses a condition in parentheses, or an operand (in parentheses or not) and what it is compared with.
func (p *parser) primary() term {
	if !p.accept("(") {
		return p.comparison(p.operand())
	}
	t := p.or()
	p.redundantIf(t.wrapped)
	p.expect(")")
	if t.node == nil {
		t = p.comparison(t.operand)
		t.wrapped = t.node == nil
		return t
	}
	t.wrapped = true
	return t
}

// comparison parses what follows an operand: a comparator, BETWEEN, IN, or nothing.
func (p *parser) comparison(left operand) term {
	n := &node{args: []operand{left}}
	switch {
	case p.tok.kind == tokenSymbol && p.comparator() != opOr:
		n.op = p.comparator()
		p.next()
		n.args = append(n.args, p.argument())
	case p.isKeyword("BETWEEN"):
		n.op = opBetween
		p.next()
		n.args = append(n.args, p.argument())
		if !p.isKeyword("AND") {
			p.fail()
		}
		p.next()
		n.args = append(n.args, p.argument())
	case p.isKeyword("IN"):
		n.op = opIn
		p.next()
		p.inOperands(n)
	default:
		return term{operand: left}
	}
	p.operator()
	for i := range n.args {
		p.checkCall(&n.args[i], false)
	}
	return term{node: n}
}

// comparator returns the comparator at hand, or opOr if there is none.
func (p *parser) comparator() nodeOp {
	return nodeOp(max(0, slices.Index(opNames[:opBetween], p.shown(p.tok))))
}

func (p *parser) inOperands(n *node) {
	p.expect("(")
	for {
		n.args = append(n.args, p.argument())
		if p.syntaxErr != nil || !p.accept(",") {
			break
		}
	}
	p.expect(")")
	if len(n.args)-1 > maxOperands {
		p.note(rankOperands, msgInOperands, len(n.args)-1)
	}
}

// checkCall checks that an operand, if it is a call, is of a function that can stand where it stands.
func (p *parser) checkCall(o *operand, asCondition bool) {
	if o.kind != operandCall {
		return
	}
	forCondition, isCondition := conditionFunctions[o.name]
	forOperand, isOperand := operandFunctions[o.name]
	_, isUpdate := updateFunctions[o.name]
	switch {
	case isUpdate:
		p.note(rankFunction, msgNotInContext, "a condition", o.name)
	case !isCondition && !isOperand:
		p.note(rankFunction, msgFunction, o.name)
	case isCondition != asCondition:
		p.note(rankFunction, msgNotThisWay, o.name)
	case p.arity(o, max(forCondition, forOperand)):
		p.checkPathOperand(o)
	}
	for i := range o.args {
		p.checkCall(&o.args[i], false)
	}
}

// checkPathOperand checks the functions that look an attribute up, and so need to be told which.
func (p *parser) checkPathOperand(o *operand) {
	if o.name == "attribute_exists" || o.name == "attribute_not_exists" || o.name == "if_not_exists" {
		if o.args[0].kind != operandPath {
			p.note(rankOperands, msgNeedsPath, o.name)
		}
	}
}

// Condition is a condition or filter expression.
type Condition struct {
	root *node
	env
}

// ParseCondition parses a ConditionExpression or FilterExpression and checks it against the values.
func ParseCondition(kind Kind, text string, p *Params) (*Condition, error) {
	s, err := cached(kind, text)
	if err != nil {
		return nil, err
	}
	e, err := p.bind(s)
	if err != nil {
		return nil, err
	}
	if err := checkNode(kind, s.root, e); err != nil {
		return nil, err
	}
	return &Condition{s.root, e}, nil
}

// Match tells whether an item satisfies the condition. For an item that is not there it is an empty one that is asked.
func (c *Condition) Match(src Source) bool { return c.root.match(src, &c.env) }

// Names returns the top-level attributes that the condition reads, each once, in the order of their first use.
func (c *Condition) Names() []string {
	var names []string
	c.root.walk(func(o *operand) {
		if o.kind == operandPath {
			names = markUsed(names, o.path[0].nameIn(c.names))
		}
	})
	return names
}

// walk visits all operands, those of calls too.
func (n *node) walk(visit func(*operand)) {
	for _, kid := range n.kids {
		kid.walk(visit)
	}
	for i := range n.args {
		n.args[i].walk(visit)
	}
}

func (o *operand) walk(visit func(*operand)) {
	visit(o)
	for i := range o.args {
		o.args[i].walk(visit)
	}
}

// match evaluates a condition. Operands that are missing or of the wrong type make it false, not an error.
func (n *node) match(src Source, e *env) bool {
	switch n.op {
	case opOr:
		for _, kid := range n.kids {
			if kid.match(src, e) {
				return true
			}
		}
		return false
	case opAnd:
		for _, kid := range n.kids {
			if !kid.match(src, e) {
				return false
			}
		}
		return true
	case opNot:
		return !n.kids[0].match(src, e)
	case opCall:
		return n.matchCall(src, e)
	}
	left, ok := n.args[0].eval(src, e)
	if !ok {
		return n.op == opNE
	}
	switch n.op {
	case opBetween:
		low, ok1 := n.args[1].eval(src, e)
		high, ok2 := n.args[2].eval(src, e)
		return ok1 && ok2 && compare(opGE, left, low) && compare(opLE, left, high)
	case opIn:
		for i := range n.args[1:] {
			if v, ok := n.args[1+i].eval(src, e); ok && left.Equal(v) {
				return true
			}
		}
		return false
	}
	right, ok := n.args[1].eval(src, e)
	if !ok {
		return n.op == opNE
	}
	return compare(n.op, left, right)
}

// compare applies a comparator. Values of different types are not equal and have no order.
func compare(op nodeOp, left, right item.Value) bool {
	switch op {
	case opEQ:
		return left.Equal(right)
	case opNE:
		return !left.Equal(right)
	}
	order, ok := left.Compare(right)
	if !ok {
		return false
	}
	switch op {
	case opLT:
		return order < 0
	case opLE:
		return order <= 0
	case opGT:
		return order > 0
	}
	return order >= 0
}
