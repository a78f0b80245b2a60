// Package partiql parses the statements of PartiQL for DynamoDB into small syntax trees with positions. What a statement
// means is decided by package dynamodb.
//
// The grammar and the words of its errors are those of PartiQL's reference parser, of which DynamoDB's answers show the
// traces ("Expected data manipulation", "Unexpected keyword"); of its language only what DynamoDB has is taken.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.html
// https://github.com/partiql/partiql-lang-kotlin/blob/main/lang/src/org/partiql/lang/syntax/SqlParser.kt
package partiql

import "fmt"

// Span is where something stands in a statement, counted in characters from 1.
type Span struct{ Line, Column, Length int }

// String shows a span as AWS's messages do: 1:8:5 is line 1, column 8, 5 characters.
func (s Span) String() string { return fmt.Sprintf("%d:%d:%d", s.Line, s.Column, s.Length) }

// Statement is a *Select, *Insert, *Update, *Delete or *Exists. String is the statement in a canonical form, which parses to
// the same again.
type Statement interface {
	String() string
	statement()
}

// Table is what a statement works on: a table by its name or ARN, or one of its indexes.
type Table struct {
	Name, Index string // Index is empty for the table itself
	At          Span
}

// Select is SELECT columns FROM table WHERE condition ORDER BY keys.
type Select struct {
	Columns []Expr // nil is *
	From    Table
	Where   Expr // nil is none
	OrderBy []Order
}

// Order is one key of an ORDER BY.
type Order struct {
	Key        Expr
	Descending bool
}

// Insert is INSERT INTO table VALUE item.
type Insert struct {
	Into Table
	Item Expr
}

// Update is UPDATE table SET … REMOVE … WHERE condition RETURNING …
type Update struct {
	Table     Table
	Set       []Assignment
	Remove    []*Path
	Where     Expr
	Returning string // like "ALL OLD"; empty is nothing
}

// Assignment is one path = value of SET.
type Assignment struct {
	Path  *Path
	Value Expr
}

// Delete is DELETE FROM table WHERE condition RETURNING …
type Delete struct {
	From      Table
	Where     Expr
	Returning string
}

// Exists is EXISTS(SELECT …), which a transaction may have among its writes.
type Exists struct{ Select *Select }

func (*Select) statement() {}
func (*Insert) statement() {}
func (*Update) statement() {}
func (*Delete) statement() {}
func (*Exists) statement() {}

// Expr is a part of a statement that has a value or is true or false.
type Expr interface {
	Span() Span
	String() string
	precedence() int
}

// Path names an attribute or a part of one: a.b[0]."c". Its first step is a name.
type Path struct {
	Steps []Step
	At    Span
}

// Step is a name, or a position in a list.
type Step struct {
	Name    string
	Index   int
	IsIndex bool
}

// LiteralKind is the kind of a literal.
type LiteralKind uint8

// The kinds of literals.
const (
	String LiteralKind = iota
	Number
	True
	False
	Null
	Missing
)

// Literal is a scalar that is written out.
type Literal struct {
	Kind LiteralKind
	Text string // of a String or a Number
	At   Span
}

// Parameter is a ?, by its position among all of the statement.
type Parameter struct {
	Index int
	At    Span
}

// List is [a, b]; Set is <<a, b>>.
type (
	List struct {
		Items []Expr
		At    Span
	}
	Set struct {
		Items []Expr
		At    Span
	}
)

// Map is {'a': b}.
type Map struct {
	Fields []Field
	At     Span
}

// Field is one 'a': b of a Map.
type Field struct{ Name, Value Expr }

// Call is the call of a function; its name is in lower case. Star is f(*).
type Call struct {
	Name string
	Args []Expr
	Star bool
	At   Span
}

// Subquery is a SELECT within an expression.
type Subquery struct {
	Select *Select
	At     Span
}

// Unary is an operator, NOT, + or -, before an operand.
type Unary struct {
	Op string
	X  Expr
	At Span
}

// Binary is an operator between operands: OR, AND, =, <>, <, <=, >, >=, + or -. At is the operator's place.
type Binary struct {
	Op          string
	Left, Right Expr
	At          Span
}

// Between is x BETWEEN low AND high.
type Between struct {
	X, Low, High Expr
	Not          bool
	At           Span
}

// In is x IN list. What is not in brackets or parentheses is not a *List.
type In struct {
	X, List Expr
	Not     bool
	At      Span
}

// Is is x IS type, the type in upper case.
type Is struct {
	X    Expr
	Type string
	Not  bool
	At   Span
}

// Span returns the place of what the expression begins with, or of its operator.
func (e *Path) Span() Span      { return e.At }
func (e *Literal) Span() Span   { return e.At }
func (e *Parameter) Span() Span { return e.At }
func (e *List) Span() Span      { return e.At }
func (e *Set) Span() Span       { return e.At }
func (e *Map) Span() Span       { return e.At }
func (e *Call) Span() Span      { return e.At }
func (e *Subquery) Span() Span  { return e.At }
func (e *Unary) Span() Span     { return e.At }
func (e *Binary) Span() Span    { return e.At }
func (e *Between) Span() Span   { return e.At }
func (e *In) Span() Span        { return e.At }
func (e *Is) Span() Span        { return e.At }
