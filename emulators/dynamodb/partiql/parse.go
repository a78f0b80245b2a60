package partiql

import "slices"

// maxNesting is how many parts of a statement may lie in each other; a guess, to bound the parser.
const maxNesting = 200

// Parse parses a statement. parameters is how many ? it has. The error is AWS's answer.
func Parse(text string) (s Statement, parameters int, err error) {
	p := &parser{lexer: lexer{text, 1, 1}}
	p.advance()
	p.advance()
	s = p.statement()
	if p.symbol(";") {
		p.advance()
		if p.tok.kind != tokenEOF {
			p.malformed(msgSemicolon)
		}
	}
	if p.tok.kind != tokenEOF {
		p.malformed(msgTrailing)
	}
	if p.err != nil {
		return nil, 0, p.err
	}
	return s, p.parameters, nil
}

// parser turns one text into a statement. The first error ends it: from then on it sees nothing but the end.
type parser struct {
	lexer
	tok, ahead token // the token at hand, and the one after it
	err        error
	parameters int
	depth      int
}

func (p *parser) advance() {
	if p.err != nil {
		return
	}
	t, err := p.lexer.next()
	p.tok, p.ahead = p.ahead, t
	if err != nil {
		p.fail(err)
	}
}

func (p *parser) fail(err error) {
	if p.err == nil {
		p.err = err
	}
	p.tok = token{at: p.tok.at}
	p.ahead = p.tok
}

func (p *parser) malformed(format string, args ...any) { p.fail(malformed(format, args...)) }

func (p *parser) unsupported(format string, args ...any) { p.fail(unsupported(format, args...)) }

// symbol and keyword tell whether the token at hand is one of those.
func (p *parser) symbol(texts ...string) bool {
	return p.tok.kind == tokenSymbol && slices.Contains(texts, p.tok.text)
}

func (p *parser) keyword(words ...string) bool { return isKeyword(p.tok, words...) }

func isKeyword(t token, words ...string) bool {
	return t.kind == tokenKeyword && slices.Contains(words, t.text)
}

// accept moves past a symbol or keyword if it is at hand.
func (p *parser) accept(text string) bool {
	if !p.symbol(text) && !p.keyword(text) {
		return false
	}
	p.advance()
	return true
}

// symbolNames are how the messages call a symbol that is missing.
var symbolNames = map[string]string{")": "RIGHT_PAREN", "]": "RIGHT_BRACKET", "}": "RIGHT_CURLY", ">>": "RIGHT_DOUBLE_ANGLE_BRACKET", ":": "COLON"}

func (p *parser) expect(symbol string) {
	if !p.accept(symbol) {
		p.malformed(msgExpected, symbolNames[symbol])
	}
}

// statement parses what begins with one of the words that a statement can begin with.
//
// https://github.com/nubo-db/dynoxide/pull/149 reports AWS's answer to all others.
func (p *parser) statement() Statement {
	switch {
	case p.accept("select"):
		return p.selection()
	case p.accept("update"):
		return p.update()
	case p.accept("delete"):
		return p.deletion()
	case p.keyword("exists"):
		return p.exists()
	case p.keyword("insert"):
		if !isKeyword(p.ahead, "into") {
			p.malformed(msgKeyword)
		}
		p.advance()
		p.advance()
		return p.insertion()
	}
	p.malformed(msgExpectedDML)
	return nil
}

func (p *parser) exists() Statement {
	call, _ := p.expression(0).(*Call)
	if call != nil && len(call.Args) == 1 {
		if q, ok := call.Args[0].(*Subquery); ok {
			return &Exists{q.Select}
		}
	}
	p.malformed(msgExpectedDML)
	return nil
}

// unsupportedClause refuses a clause that DynamoDB does not have.
func (p *parser) unsupportedClause(words ...string) {
	if p.keyword(words...) {
		p.unsupported(msgUnsupportedClause, upper(p.tok.text), p.tok.at)
	}
}

func (p *parser) selection() *Select {
	p.unsupportedClause("distinct", "all", "value")
	s := &Select{}
	if p.symbol("*") {
		p.advance()
		if p.symbol(",") {
			p.malformed(msgStarAlone)
		}
	} else {
		s.Columns = p.columns()
	}
	if !p.accept("from") {
		p.malformed(msgSelectFrom)
	}
	s.From = p.source()
	p.unsupportedClause("let")
	if p.accept("where") {
		s.Where = p.expression(0)
	}
	if p.accept("order") {
		if !p.accept("by") {
			p.malformed(msgExpected, "BY")
		}
		s.OrderBy = p.orders()
	}
	p.unsupportedClause("group", "having", "limit", "offset", "union", "intersect", "except")
	return s
}

func (p *parser) columns() (columns []Expr) {
	for {
		if p.symbol("*") {
			p.malformed(msgStarAlone)
		}
		columns = append(columns, p.expression(0))
		p.noAlias()
		if !p.accept(",") {
			return columns
		}
	}
}

// noAlias refuses a second name for a column or table.
func (p *parser) noAlias() {
	p.unsupportedClause("as", "at", "by")
	if p.tok.kind == tokenName || p.tok.kind == tokenQuoted {
		p.unsupported(msgUnsupportedClause, "AS", p.tok.at)
	}
}

// source parses the table of a SELECT, which the reference parser takes for an expression.
func (p *parser) source() Table {
	e := p.expression(0)
	p.noAlias()
	if p.symbol(",") || p.keyword("join", "inner", "left", "right", "outer", "full", "cross") {
		p.unsupported(msgFromSource, p.tok.at)
	}
	if p.err != nil {
		return Table{}
	}
	path, ok := e.(*Path)
	if !ok {
		p.unsupported(msgFromSource, e.Span())
		return Table{}
	}
	return p.table(path)
}

// table makes a table of a path: a name, or a table's and an index's.
func (p *parser) table(path *Path) Table {
	t := Table{At: path.At}
	for i, s := range path.Steps {
		switch {
		case i > 1 || s.IsIndex:
			p.unsupported(msgFromSource, path.At)
		case i == 0:
			t.Name = s.Name
		default:
			t.Index = s.Name
		}
	}
	return t
}

func (p *parser) orders() (orders []Order) {
	for {
		o := Order{Key: p.expression(0)}
		if p.keyword("asc", "desc") {
			o.Descending = p.tok.text == "desc"
			p.advance()
		}
		orders = append(orders, o)
		if !p.accept(",") {
			return orders
		}
	}
}

func (p *parser) insertion() *Insert {
	s := &Insert{Into: p.table(p.simplePath())}
	switch {
	case p.accept("value"):
		s.Item = p.expression(0)
	case p.keyword("values"):
		if p.advance(); !p.symbol("(") {
			p.malformed(msgRowValues)
		}
		p.unsupported(msgUnsupportedClause, "VALUES", p.tok.at)
	default:
		s.Item = p.expression(0)
		if p.tok.kind == tokenEOF && p.err == nil {
			p.unsupported(msgTermOfInsert, s.Item.Span())
		}
	}
	p.unsupportedClause("at", "on", "returning")
	return s
}

func (p *parser) update() *Update {
	s := &Update{Table: p.table(p.simplePath())}
	p.noAlias()
	if !p.keyword("set", "remove") {
		p.malformed(msgExpectedDML)
	}
	for p.keyword("set", "remove") {
		if p.accept("remove") {
			s.Remove = append(s.Remove, p.simplePath())
			continue
		}
		p.advance()
		s.Set = append(s.Set, p.assignment())
		for p.accept(",") {
			s.Set = append(s.Set, p.assignment())
		}
	}
	s.Where, s.Returning = p.where(), p.returning()
	return s
}

func (p *parser) assignment() Assignment {
	a := Assignment{Path: p.simplePath()}
	if !p.accept("=") {
		p.malformed(msgAssignment)
	}
	a.Value = p.expression(0)
	return a
}

func (p *parser) deletion() *Delete {
	if !p.accept("from") {
		p.malformed(msgDeleteFrom)
	}
	s := &Delete{From: p.table(p.simplePath())}
	p.noAlias()
	s.Where, s.Returning = p.where(), p.returning()
	return s
}

func (p *parser) where() Expr {
	if !p.accept("where") {
		return nil
	}
	return p.expression(0)
}

// returning parses RETURNING ALL OLD * and its like: which values, then of which attributes.
func (p *parser) returning() string {
	if !p.accept("returning") {
		return ""
	}
	if !p.keyword("all", "modified") || !isKeyword(p.ahead, "old", "new") {
		p.malformed(msgReturning)
	}
	which := upper(p.tok.text + " " + p.ahead.text)
	p.advance()
	p.advance()
	if !p.accept("*") || p.symbol(",") {
		p.unsupported(msgUnsupportedClause, "RETURNING", p.tok.at)
	}
	return which
}
