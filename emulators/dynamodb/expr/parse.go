package expr

import (
	"slices"
	"strconv"
	"strings"
)

// Limits of an expression.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-expression-parameters
const (
	maxLength    = 4096 // bytes
	maxOperators = 300
	maxOperands  = 100 // of IN
	maxPathDepth = 32
)

// syntax is a parsed expression, before the placeholders have a meaning. It is shared and never changes.
type syntax struct {
	kind   Kind
	names  []string // the #names in the order of their first use; a path element refers to them by position
	values []string // the :values likewise
	root   *node    // of a condition, filter or key condition
	paths  []path   // of a projection
	update *sections
}

// element is a step of a document path: an attribute's name or a list's index.
type element struct {
	name    string
	ref     int // position of the #name, or -1 if the name was written out
	index   int
	isIndex bool
}

// nameIn returns the attribute's name, given the names that the placeholders stand for.
func (e *element) nameIn(names []string) string {
	if e.ref >= 0 {
		return names[e.ref]
	}
	return e.name
}

// path is a document path; its first element is a name.
type path []element

// operandKind is what an operand is.
type operandKind uint8

const (
	operandPath operandKind = iota
	operandValue
	operandCall
)

// operand is a path, a :value, or a function's call.
type operand struct {
	kind  operandKind
	path  path
	value int // position of the :value
	name  string
	args  []operand
}

// parser turns one text into a syntax. The first syntax error ends it; of the other mistakes it notes the first of each
// rank, and reports the gravest when the syntax is known to be right. The ranks' order is a guess.
type parser struct {
	*syntax
	text      string
	last, tok token // the token before, and the one at hand
	syntaxErr error
	mistakes  [rankCount]error
	operators int
}

type rank uint8

const (
	rankParentheses rank = iota
	rankFunction
	rankReserved
	rankOperands
	rankSection
	rankCount
)

func newParser(kind Kind, text string) *parser {
	p := &parser{syntax: &syntax{kind: kind}, text: text}
	p.tok = lex(text, 0)
	return p
}

// parse parses a text of any kind.
func parse(kind Kind, text string) (*syntax, error) {
	if text == "" || strings.TrimSpace(text) == "" {
		return nil, invalid(kind, msgEmpty)
	}
	if len(text) > maxLength {
		return nil, invalid(kind, msgTooLong)
	}
	p := newParser(kind, text)
	switch kind {
	case ProjectionExpression:
		p.projection()
	case UpdateExpression:
		p.updateSections()
	default:
		p.conditionRoot()
	}
	if p.tok.kind != tokenEOF {
		p.fail()
	}
	if p.syntaxErr != nil {
		return nil, p.syntaxErr
	}
	for _, err := range p.mistakes {
		if err != nil {
			return nil, err
		}
	}
	if p.operators > maxOperators {
		return nil, invalid(kind, msgOperators, p.operators)
	}
	return p.syntax, nil
}

// CheckScanFilter refuses a Scan's filter that is too long. Of no other expression does AWS say how long it is:
// https://github.com/floci-io/floci/pull/3447
func CheckScanFilter(text string) error {
	if len(text) > maxLength {
		return invalid(FilterExpression, msgTooLongSize, len(text))
	}
	return nil
}

// next moves on by a token.
func (p *parser) next() {
	if p.syntaxErr != nil {
		return
	}
	p.last, p.tok = p.tok, lex(p.text, p.tok.end)
}

// fail reports that the token at hand is not one that can stand here. It shows the tokens either side of it as they stand
// in the text. From then on the parser sees nothing but the end.
func (p *parser) fail() {
	if p.syntaxErr != nil {
		return
	}
	shown, from, to := p.shown(p.tok), p.tok.start, p.tok.end
	if after := lex(p.text, to); after.kind != tokenEOF {
		to = after.end
	}
	if p.tok.kind == tokenEOF {
		shown, to = "<EOF>", p.last.end
	}
	if p.last.end > 0 {
		from = p.last.start
	}
	p.syntaxErr = invalid(p.kind, msgSyntax, shown, p.text[from:to])
	p.tok = token{tokenEOF, len(p.text), len(p.text)}
}

// note keeps the first mistake of a rank.
func (p *parser) note(r rank, format string, args ...any) {
	if p.mistakes[r] == nil {
		p.mistakes[r] = invalid(p.kind, format, args...)
	}
}

func (p *parser) shown(t token) string { return p.text[t.start:t.end] }

// is tells whether the token at hand is the symbol.
func (p *parser) is(symbol string) bool {
	return p.tok.kind == tokenSymbol && p.shown(p.tok) == symbol
}

// isKeyword tells whether the token at hand is the keyword, however capitalised.
func (p *parser) isKeyword(keyword string) bool {
	return p.tok.kind == tokenWord && strings.EqualFold(p.shown(p.tok), keyword)
}

// The words that are keywords, and so no names, in updates and in conditions. A projection has none. AWS calls such a word
// a syntax error where the other reserved words have an answer of their own (4ossiblellc/dynamodb-update-expression/issues/6
// on github.com shows it of an update; of conditions it is a guess).
var (
	sectionKeywords   = []string{"SET", "REMOVE", "ADD", "DELETE"}
	conditionKeywords = []string{"AND", "OR", "NOT", "BETWEEN", "IN"}
)

// atKeyword tells whether the word at hand is a keyword of the kind of expression.
func (p *parser) atKeyword() bool {
	switch p.kind {
	case ProjectionExpression:
		return false
	case UpdateExpression:
		return slices.ContainsFunc(sectionKeywords, p.isKeyword)
	}
	return slices.ContainsFunc(conditionKeywords, p.isKeyword)
}

// accept moves past a symbol if it is at hand.
func (p *parser) accept(symbol string) bool {
	if !p.is(symbol) {
		return false
	}
	p.next()
	return true
}

// expect moves past a symbol that must be at hand.
func (p *parser) expect(symbol string) {
	if !p.accept(symbol) {
		p.fail()
	}
}

// operator counts an operator or function towards the limit, and no further: AWS reports 301 of however many there are
// (https://github.com/aws/aws-sdk-js/issues/3721, https://github.com/scylladb/scylladb/issues/14473).
func (p *parser) operator() { p.operators = min(p.operators+1, maxOperators+1) }

// placeholder returns the position of a placeholder in a list, which it joins if it is new.
func placeholder(list *[]string, name string) int {
	i := slices.Index(*list, name)
	if i < 0 {
		i = len(*list)
		*list = append(*list, name)
	}
	return i
}

// operand parses a path, a :value or a call, in any number of parentheses of which one pair is enough.
func (p *parser) operand() operand {
	switch p.tok.kind {
	case tokenValue:
		o := operand{kind: operandValue, value: placeholder(&p.values, p.shown(p.tok))}
		p.next()
		return o
	case tokenName:
		return operand{kind: operandPath, path: p.path()}
	case tokenWord:
		if p.callFollows() && !p.atKeyword() {
			return p.call()
		}
		return operand{kind: operandPath, path: p.path()}
	}
	p.fail()
	return operand{}
}

func (p *parser) callFollows() bool {
	after := lex(p.text, p.tok.end)
	return after.kind == tokenSymbol && p.shown(after) == "("
}

// call parses a function's name and operands. Which functions there are, and where, is the caller's to check.
func (p *parser) call() operand {
	o := operand{kind: operandCall, name: p.shown(p.tok)}
	p.operator()
	p.next()
	p.expect("(")
	for {
		o.args = append(o.args, p.argument())
		if p.syntaxErr != nil || !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return o
}

// argument parses an operand that may be in parentheses.
func (p *parser) argument() operand {
	if !p.is("(") {
		return p.operand()
	}
	p.next()
	p.redundantIf(p.is("("))
	o := p.argument()
	p.expect(")")
	return o
}

func (p *parser) redundantIf(redundant bool) {
	if redundant {
		p.note(rankParentheses, msgRedundant)
	}
}

// path parses a document path: a.b[1].#c
func (p *parser) path() path {
	steps := path{p.pathName()}
	for p.syntaxErr == nil {
		switch {
		case p.accept("."):
			steps = append(steps, p.pathName())
		case p.accept("["):
			steps = append(steps, p.pathIndex())
			p.expect("]")
		default:
			if len(steps) > maxPathDepth {
				p.note(rankOperands, msgPathDepth, len(steps))
			}
			return steps
		}
	}
	return steps
}

func (p *parser) pathName() element {
	text := p.shown(p.tok)
	e := element{name: text, ref: -1}
	switch p.tok.kind {
	case tokenName:
		e.ref = placeholder(&p.names, text)
	case tokenWord:
		if p.atKeyword() {
			p.fail()
		} else if isReserved(text) {
			p.note(rankReserved, msgReserved, text)
		}
	default:
		p.fail()
	}
	p.next()
	return e
}

func (p *parser) pathIndex() element {
	e := element{ref: -1, isIndex: true}
	if p.tok.kind != tokenNumber {
		p.fail()
		return e
	}
	n, err := strconv.ParseInt(p.shown(p.tok), 10, 32)
	if err != nil {
		p.note(rankOperands, msgListIndex, p.shown(p.tok))
	}
	e.index = int(n)
	p.next()
	return e
}

// arity notes a call with another number of operands than the function takes.
func (p *parser) arity(o *operand, want int) bool {
	if len(o.args) != want {
		p.note(rankOperands, msgOperandCount, o.name, len(o.args))
		return false
	}
	return true
}
