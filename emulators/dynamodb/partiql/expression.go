package partiql

import (
	"strconv"
	"strings"
)

// How tightly operators bind. Those of one rank group from the left.
const (
	precedenceOr    = 10
	precedenceAnd   = 20
	precedenceNot   = 30
	precedenceEqual = 40
	precedenceLess  = 50
	precedenceAdd   = 60
	precedenceUnary = 70
)

// ranks are the operators that DynamoDB has. The ranks are the reference parser's: a < b = c is (a < b) = c.
var ranks = map[string]int{
	"or": precedenceOr, "and": precedenceAnd,
	"=": precedenceEqual, "<>": precedenceEqual, "!=": precedenceEqual, "is": precedenceEqual, "in": precedenceEqual,
	"<": precedenceLess, "<=": precedenceLess, ">": precedenceLess, ">=": precedenceLess, "between": precedenceLess,
	"+": precedenceAdd, "-": precedenceAdd,
}

func upper(text string) string { return strings.ToUpper(text) }

// enter counts a level of nesting; the statement fails if there are too many.
func (p *parser) enter() (leave func()) {
	if p.depth++; p.depth > maxNesting {
		p.unsupported(msgNesting, p.tok.at)
	}
	return func() { p.depth-- }
}

// expression parses operands with operators that bind more tightly than a rank between them.
func (p *parser) expression(rank int) Expr {
	defer p.enter()()
	left := p.unary()
	for p.err == nil {
		op, not := p.infix()
		if op == "" || ranks[op] <= rank {
			break
		}
		if not {
			p.advance()
		}
		left = p.operation(left, op, not)
	}
	return left
}

// infix returns the operator at hand; of NOT IN and NOT BETWEEN the second word.
func (p *parser) infix() (op string, not bool) {
	t := p.tok
	if p.keyword("not") && isKeyword(p.ahead, "in", "between", "like") {
		t, not = p.ahead, true
	}
	if t.kind != tokenSymbol && t.kind != tokenKeyword {
		return "", false
	}
	if isKeyword(t, "like") || t.kind == tokenSymbol && strings.Contains("* / % || @", t.text) {
		p.unsupported(msgUnsupportedOp, upper(t.text), t.at)
	}
	if ranks[t.text] == 0 {
		return "", false
	}
	return t.text, not
}

// operation parses an operator and what stands right of it.
func (p *parser) operation(left Expr, op string, not bool) Expr {
	at := p.tok.at
	p.advance()
	if p.tok.kind == tokenEOF {
		p.malformed(msgRightSide)
	}
	switch op {
	case "is":
		return p.is(left, at)
	case "in":
		return &In{left, p.inList(), not, at}
	case "between":
		return p.between(left, not, at)
	case "!=":
		op = "<>"
	}
	return &Binary{upper(op), left, p.expression(ranks[op]), at}
}

func (p *parser) is(left Expr, at Span) Expr {
	not := p.accept("not")
	name := strings.ToLower(p.tok.text)
	if p.tok.kind != tokenKeyword || !typeNames()[name] {
		p.malformed(msgTypeName)
	}
	p.advance()
	return &Is{left, upper(name), not, at}
}

// inList parses what stands right of IN: in parentheses or brackets a list, even of one.
func (p *parser) inList() Expr {
	if !p.symbol("(") || isKeyword(p.ahead, "select", "values") {
		return p.expression(ranks["in"])
	}
	at := p.tok.at
	p.advance()
	return &List{p.arguments(")"), at}
}

func (p *parser) between(x Expr, not bool, at Span) Expr {
	b := &Between{X: x, Low: p.expression(precedenceLess), Not: not, At: at}
	if !p.accept("and") {
		p.malformed(msgExpectedKeyword, "AND")
	}
	if p.tok.kind == tokenEOF {
		p.malformed(msgAfterAnd)
	}
	b.High = p.expression(precedenceLess)
	return b
}

// arguments parses expressions with commas between them, up to the closing symbol. There is one at least.
func (p *parser) arguments(closing string) (list []Expr) {
	for {
		list = append(list, p.expression(0))
		if p.err != nil || !p.accept(",") {
			break
		}
	}
	p.expect(closing)
	return list
}

func (p *parser) unary() Expr {
	at := p.tok.at
	switch {
	case p.accept("not"):
		return &Unary{"NOT", p.expression(precedenceNot), at}
	case p.symbol("+", "-"):
		defer p.enter()()
		op := p.tok.text
		p.advance()
		return signed(op, p.unary(), at)
	}
	return p.pathTerm()
}

// signed makes a sign and a number one literal.
func signed(op string, x Expr, at Span) Expr {
	n, ok := x.(*Literal)
	switch {
	case !ok || n.Kind != Number:
		return &Unary{op, x, at}
	case op == "+":
		return n
	case strings.HasPrefix(n.Text, "-"):
		return &Literal{Number, n.Text[1:], n.At}
	}
	return &Literal{Number, "-" + n.Text, n.At}
}

// simplePath parses the path of a table, or of an attribute to be changed.
func (p *parser) simplePath() *Path {
	path := &Path{At: p.tok.at}
	if p.tok.kind != tokenName && p.tok.kind != tokenQuoted {
		p.malformed(msgSimplePath)
		return path
	}
	path.Steps = []Step{{Name: p.tok.text}}
	p.advance()
	p.steps(path)
	return path
}

func (p *parser) pathTerm() Expr {
	e := p.term()
	if !p.symbol(".", "[") {
		return e
	}
	path, ok := e.(*Path)
	if !ok {
		p.unsupported(MsgPath, e.Span())
		return e
	}
	path = &Path{path.Steps[:len(path.Steps):len(path.Steps)], path.At}
	p.steps(path)
	return path
}

// steps parses the rest of a path: .name or [position], again and again.
func (p *parser) steps(path *Path) {
	for {
		switch {
		case p.accept("."):
			switch {
			case p.tok.kind == tokenName || p.tok.kind == tokenQuoted:
				path.Steps = append(path.Steps, Step{Name: p.tok.text})
				p.advance()
			case p.symbol("*"):
				p.unsupported(MsgPath, p.tok.at)
			default:
				p.malformed(msgPathComponent)
			}
		case p.accept("["):
			path.Steps = append(path.Steps, Step{Index: p.position(), IsIndex: true})
			p.expect("]")
		default:
			return
		}
	}
}

// position parses a position in a list, which must be written out.
func (p *parser) position() int {
	t := p.tok
	if p.symbol("*") {
		p.unsupported(MsgPath, t.at)
	}
	n := -1
	if l, ok := p.expression(0).(*Literal); ok && l.Kind == Number {
		if i, err := strconv.ParseInt(l.Text, 10, 32); err == nil {
			n = int(i)
		}
	}
	if n < 0 && p.err == nil {
		p.unsupported(MsgPath, t.at)
	}
	return n
}

func (p *parser) term() Expr {
	defer p.enter()()
	t := p.tok
	switch t.kind {
	case tokenKeyword:
		return p.keywordTerm(t)
	case tokenName, tokenQuoted:
		p.advance()
		if t.kind == tokenName && p.accept("(") {
			return p.call(t)
		}
		return &Path{[]Step{{Name: t.text}}, t.at}
	case tokenString:
		p.advance()
		return &Literal{String, t.text, t.at}
	case tokenNumber:
		p.advance()
		return &Literal{Number, t.text, t.at}
	case tokenSymbol:
		return p.symbolTerm(t)
	}
	p.malformed(msgTerm)
	return &Literal{At: t.at}
}

var literalKeywords = map[string]LiteralKind{"true": True, "false": False, "null": Null, "missing": Missing}

func (p *parser) keywordTerm(t token) Expr {
	kind, literal := literalKeywords[t.text]
	p.advance()
	switch {
	case literal:
		return &Literal{kind, "", t.at}
	case t.text == "select":
		return &Subquery{p.selection(), t.at}
	case functionKeywords()[t.text] && p.accept("("):
		return p.call(t)
	}
	p.malformed(msgKeyword)
	return &Literal{At: t.at}
}

func (p *parser) symbolTerm(t token) Expr {
	p.advance()
	switch t.text {
	case "?":
		p.parameters++
		return &Parameter{p.parameters - 1, t.at}
	case "(":
		group := p.arguments(")")
		if len(group) == 1 {
			return group[0]
		}
		return &List{group, t.at}
	case "[":
		if p.accept("]") {
			return &List{nil, t.at}
		}
		return &List{p.arguments("]"), t.at}
	case "<<":
		if p.accept(">>") {
			return &Set{nil, t.at}
		}
		return &Set{p.arguments(">>"), t.at}
	case "{":
		return &Map{p.fields(), t.at}
	case "=", "<>", "!=", "<", "<=", ">", ">=", "/", "%", "||", "@":
		p.malformed(msgOperator)
	default:
		p.malformed(msgTerm)
	}
	return &Literal{At: t.at}
}

func (p *parser) fields() (fields []Field) {
	if p.accept("}") {
		return nil
	}
	for {
		f := Field{Name: p.expression(0)}
		p.expect(":")
		f.Value = p.expression(0)
		fields = append(fields, f)
		if p.err != nil || !p.accept(",") {
			break
		}
	}
	p.expect("}")
	return fields
}

func (p *parser) call(name token) Expr {
	c := &Call{Name: strings.ToLower(name.text), At: name.at}
	switch {
	case p.symbol("*"):
		if c.Star = true; c.Name != "count" {
			p.malformed(msgCallStar, c.Name)
		}
		p.advance()
		p.expect(")")
	case p.accept(")"):
	default:
		c.Args = p.arguments(")")
	}
	return c
}
