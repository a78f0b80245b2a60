package partiql

import (
	"strconv"
	"strings"
)

// quote writes a text between quotation marks.
func quote(text, mark string) string { return mark + strings.ReplaceAll(text, mark, mark+mark) + mark }

// String returns the table's name, and the index's.
func (t Table) String() string {
	if t.Index == "" {
		return quote(t.Name, `"`)
	}
	return quote(t.Name, `"`) + "." + quote(t.Index, `"`)
}

func join[E Expr](list []E) string {
	parts := make([]string, len(list))
	for i, e := range list {
		parts[i] = e.String()
	}
	return strings.Join(parts, ", ")
}

func (s *Select) String() string {
	text := "SELECT *"
	if s.Columns != nil {
		text = "SELECT " + join(s.Columns)
	}
	text += " FROM " + s.From.String()
	if s.Where != nil {
		text += " WHERE " + s.Where.String()
	}
	for i, o := range s.OrderBy {
		separator := ", "
		if i == 0 {
			separator = " ORDER BY "
		}
		text += separator + o.Key.String()
		if o.Descending {
			text += " DESC"
		}
	}
	return text
}

func (s *Insert) String() string {
	return "INSERT INTO " + s.Into.String() + " VALUE " + s.Item.String()
}

func (s *Update) String() string {
	text := "UPDATE " + s.Table.String()
	for i, a := range s.Set {
		separator := ", "
		if i == 0 {
			separator = " SET "
		}
		text += separator + a.Path.String() + " = " + a.Value.String()
	}
	for _, path := range s.Remove {
		text += " REMOVE " + path.String()
	}
	return text + tail(s.Where, s.Returning)
}

func (s *Delete) String() string {
	return "DELETE FROM " + s.From.String() + tail(s.Where, s.Returning)
}

func (s *Exists) String() string { return "EXISTS(" + s.Select.String() + ")" }

func tail(where Expr, returning string) (text string) {
	if where != nil {
		text = " WHERE " + where.String()
	}
	if returning != "" {
		text += " RETURNING " + returning + " *"
	}
	return text
}

// within writes an operand, in parentheses if it binds less tightly than what is around it.
func within(e Expr, precedence int) string {
	if e.precedence() < precedence {
		return "(" + e.String() + ")"
	}
	return e.String()
}

func (e *Path) String() string {
	var text strings.Builder
	for i, s := range e.Steps {
		switch {
		case s.IsIndex:
			text.WriteString("[" + strconv.Itoa(s.Index) + "]")
		case i == 0:
			text.WriteString(quote(s.Name, `"`))
		default:
			text.WriteString("." + quote(s.Name, `"`))
		}
	}
	return text.String()
}

func (e *Literal) String() string {
	switch e.Kind {
	case String:
		return quote(e.Text, "'")
	case Number:
		return e.Text
	}
	return [...]string{True: "TRUE", False: "FALSE", Null: "NULL", Missing: "MISSING"}[e.Kind]
}

func (e *Parameter) String() string { return "?" }
func (e *List) String() string      { return "[" + join(e.Items) + "]" }
func (e *Set) String() string       { return "<<" + join(e.Items) + ">>" }
func (e *Subquery) String() string  { return "(" + e.Select.String() + ")" }

func (e *Map) String() string {
	parts := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		parts[i] = f.Name.String() + ": " + f.Value.String()
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func (e *Call) String() string {
	if e.Star {
		return e.Name + "(*)"
	}
	return e.Name + "(" + join(e.Args) + ")"
}

func (e *Unary) String() string {
	if e.Op == "NOT" {
		return "NOT " + within(e.X, precedenceNot)
	}
	return e.Op + within(e.X, precedenceUnary+1)
}

func (e *Binary) String() string {
	return within(e.Left, e.precedence()) + " " + e.Op + " " + within(e.Right, e.precedence()+1)
}

func (e *Between) String() string {
	return within(e.X, precedenceLess) + negated(e.Not) + " BETWEEN " + within(e.Low, precedenceLess+1) + " AND " + within(e.High, precedenceLess+1)
}

func (e *In) String() string {
	return within(e.X, precedenceEqual) + negated(e.Not) + " IN " + within(e.List, precedenceEqual+1)
}

func (e *Is) String() string {
	return within(e.X, precedenceEqual) + " IS" + negated(e.Not) + " " + e.Type
}

func negated(not bool) string {
	if not {
		return " NOT"
	}
	return ""
}

// precedenceTerm is that of what needs no parentheses anywhere.
const precedenceTerm = 100

func (e *Path) precedence() int      { return precedenceTerm }
func (e *Literal) precedence() int   { return precedenceTerm }
func (e *Parameter) precedence() int { return precedenceTerm }
func (e *List) precedence() int      { return precedenceTerm }
func (e *Set) precedence() int       { return precedenceTerm }
func (e *Map) precedence() int       { return precedenceTerm }
func (e *Call) precedence() int      { return precedenceTerm }
func (e *Subquery) precedence() int  { return precedenceTerm }
func (e *Between) precedence() int   { return precedenceLess }
func (e *In) precedence() int        { return precedenceEqual }
func (e *Is) precedence() int        { return precedenceEqual }
func (e *Binary) precedence() int    { return ranks[strings.ToLower(e.Op)] }

func (e *Unary) precedence() int {
	if e.Op == "NOT" {
		return precedenceNot
	}
	return precedenceUnary
}
