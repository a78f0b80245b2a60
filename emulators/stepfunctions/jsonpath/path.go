// Package jsonpath evaluates the JSONPath dialect of Step Functions, which is that of the Jayway library: what a path
// selects, what it answers where there is nothing, and the words of its complaints.
//
// https://docs.aws.amazon.com/step-functions/latest/dg/amazon-states-language-paths.html
package jsonpath

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Path is a parsed path. It may be used by many goroutines.
type Path struct {
	text     string
	context  bool // begins with $$: of the context object, not of the input
	definite bool // selects one value or fails, where others select a list
	steps    []step
	function string // applied to what was selected: "length"
}

// step is one part of a path: exactly one of its members says what it does.
type step struct {
	names  []string // ['a'] or ['a','b']
	index  []int    // [0] or [0,-1]
	slice  *slice   // [1:3]
	wild   bool     // .* or [*]
	deep   bool     // .. : the next step applies to the value and to everything below it
	filter *expr    // [?(@.a > 1)]
}

type slice struct {
	from, to *int
}

// ErrVariable is Parse's answer to a path that begins with a workflow variable ("$name").
var ErrVariable = errors.New("workflow variables")

// Parse reads a path that begins with $ (the input) or $$ (the context object).
func Parse(text string) (*Path, error) {
	p := &parser{text: text}
	path := &Path{text: text, definite: true}
	if !strings.HasPrefix(text, "$") {
		return nil, fmt.Errorf("path must start with '$'")
	}
	p.pos = 1
	if strings.HasPrefix(text, "$$") {
		path.context = true
		p.pos = 2
	}
	if p.pos < len(text) && text[p.pos] != '.' && text[p.pos] != '[' {
		if isNameStart(text[p.pos]) && !path.context {
			return nil, ErrVariable
		}
		return nil, fmt.Errorf("illegal character at position %d expected '.' or '['", p.pos)
	}
	if err := p.steps(path); err != nil {
		return nil, err
	}
	return path, nil
}

func isNameStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}

// String returns the path as it was written.
func (p *Path) String() string { return p.text }

// Context reports whether the path is one of the context object ($$).
func (p *Path) Context() bool { return p.context }

// Root reports whether the path selects all of the input: "$".
func (p *Path) Root() bool { return !p.context && len(p.steps) == 0 && p.function == "" }

// Definite reports whether the path selects one value, and not a list of those it finds.
func (p *Path) Definite() bool { return p.definite }

// Reference reports whether the path is a Reference Path: it names one place, and a value could be put there.
//
// https://docs.aws.amazon.com/step-functions/latest/dg/amazon-states-language-paths.html#amazon-states-language-reference-paths
func (p *Path) Reference() bool {
	if p.function != "" {
		return false
	}
	for _, s := range p.steps {
		if !s.single() || len(s.index) == 1 && s.index[0] < 0 {
			return false
		}
	}
	return true
}

// single reports whether the step selects one value.
func (s step) single() bool { return len(s.names) == 1 || len(s.index) == 1 }

type parser struct {
	text  string
	pos   int
	depth int // of nested filters and parentheses
}

func (p *parser) peek() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

func (p *parser) space() {
	for p.peek() == ' ' || p.peek() == '\t' || p.peek() == '\n' || p.peek() == '\r' {
		p.pos++
	}
}

func (p *parser) steps(path *Path) error {
	for p.pos < len(p.text) {
		s, err := p.step(path)
		if err != nil {
			return err
		}
		if path.function != "" {
			if p.pos < len(p.text) {
				return fmt.Errorf("'%s()' must be the end of the path", path.function)
			}
			return nil
		}
		if err := path.add(s); err != nil {
			return err
		}
	}
	return path.ended()
}

// add appends a step.
func (p *Path) add(s step) error {
	if n := len(p.steps); s.deep && n > 0 && p.steps[n-1].deep {
		return errors.New("'..' must be followed by a property or a bracket")
	}
	if s.deep || !s.single() && len(s.names) == 0 {
		p.definite = false
	}
	p.steps = append(p.steps, s)
	return nil
}

// ended checks the path's end.
func (p *Path) ended() error {
	if n := len(p.steps); n > 0 && p.steps[n-1].deep {
		return errors.New("path must not end with a '.'")
	}
	return nil
}

func (p *parser) step(path *Path) (step, error) {
	if p.peek() == '[' {
		return p.bracket()
	}
	if p.peek() != '.' {
		return step{}, fmt.Errorf("illegal character at position %d", p.pos)
	}
	p.pos++
	if p.peek() == '.' {
		if p.pos+1 < len(p.text) && p.text[p.pos+1] == '[' {
			p.pos++ // ..[ : the bracket follows by itself
		}
		return step{deep: true}, nil // ..name : the second dot begins the next step
	}
	if p.peek() == '*' {
		p.pos++
		return step{wild: true}, nil
	}
	return p.name(path)
}

func (p *parser) name(path *Path) (step, error) {
	start := p.pos
	for p.pos < len(p.text) && !strings.ContainsRune(".[( ", rune(p.text[p.pos])) {
		p.pos++
	}
	name := p.text[start:p.pos]
	switch {
	case name == "":
		return step{}, errors.New("path must not end with a '.'")
	case p.peek() == '(':
		return step{}, p.call(path, name)
	case p.peek() == ' ':
		return step{}, errors.New("use bracket notion ['my prop'] if your property contains blank characters")
	}
	return step{names: []string{name}}, nil
}

func (p *parser) call(path *Path, name string) error {
	if !strings.HasPrefix(p.text[p.pos:], "()") {
		return fmt.Errorf("function '%s' takes no arguments", name)
	}
	if functions[name] == nil {
		return fmt.Errorf("function '%s' is not supported", name)
	}
	p.pos += 2
	path.function = name
	return nil
}

func (p *parser) bracket() (step, error) {
	p.pos++
	p.space()
	var s step
	var err error
	switch c := p.peek(); {
	case c == '*':
		p.pos++
		s.wild = true
	case c == '?':
		p.pos++
		s.filter, err = p.filter()
	case c == '\'' || c == '"':
		s.names, err = p.names()
	case c == '-' || c == ':' || c >= '0' && c <= '9':
		s, err = p.numbers()
	default:
		err = errors.New("'[' must be followed by ', \", a number, '*' or '?'")
	}
	if err != nil {
		return s, err
	}
	p.space()
	if p.peek() != ']' {
		return s, fmt.Errorf("']' is missing at position %d", p.pos)
	}
	p.pos++
	return s, nil
}

func (p *parser) names() ([]string, error) {
	var names []string
	for {
		p.space()
		s, err := p.quoted()
		if err != nil {
			return nil, err
		}
		names = append(names, s)
		p.space()
		if p.peek() != ',' {
			return names, nil
		}
		p.pos++
	}
}

// quoted reads a string in single or double quotes. A backslash takes its meaning from the same quote and from a backslash;
// before anything else it stands for itself (recorded answer, of a double quote in single ones).
func (p *parser) quoted() (string, error) {
	q := p.peek()
	if q != '\'' && q != '"' {
		return "", fmt.Errorf("a quote is missing at position %d", p.pos)
	}
	var b strings.Builder
	for p.pos++; p.pos < len(p.text); p.pos++ {
		c := p.text[p.pos]
		if c == q {
			p.pos++
			return b.String(), nil
		}
		if c == '\\' && p.pos+1 < len(p.text) && (p.text[p.pos+1] == q || p.text[p.pos+1] == '\\') {
			p.pos++
			c = p.text[p.pos]
		}
		b.WriteByte(c)
	}
	return "", errors.New("property has not been closed - missing closing quote")
}

// numbers reads an index, a list of them, or a slice.
func (p *parser) numbers() (step, error) {
	from, err := p.integer()
	if err != nil {
		return step{}, err
	}
	p.space()
	if p.peek() == ':' {
		p.pos++
		p.space()
		to, err := p.integer()
		return step{slice: &slice{from, to}}, err
	}
	s := step{index: []int{*from}}
	for p.peek() == ',' {
		p.pos++
		p.space()
		n, err := p.integer()
		if err != nil || n == nil {
			return s, fmt.Errorf("a number is missing at position %d", p.pos)
		}
		s.index = append(s.index, *n)
		p.space()
	}
	return s, nil
}

// integer reads a number, nil if there is none.
func (p *parser) integer() (*int, error) {
	start := p.pos
	if p.peek() == '-' {
		p.pos++
	}
	for p.peek() >= '0' && p.peek() <= '9' {
		p.pos++
	}
	if p.pos == start {
		return nil, nil
	}
	n, err := strconv.Atoi(p.text[start:p.pos])
	if err != nil {
		return nil, fmt.Errorf("'%s' is not an index", p.text[start:p.pos])
	}
	return &n, nil
}
