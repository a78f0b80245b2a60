package jsonpath

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"devstack/emulators/stepfunctions/value"
)

// maxDepth is how deep filters and parentheses may nest.
const maxDepth = 100

// expr is a filter's condition: a junction of others, or a comparison.
type expr struct {
	op          string // "&&", "||", "!", "exists", or a comparison
	args        []*expr
	left, right operand
}

// operand is one side of a comparison.
type operand struct {
	path    *Path // of the candidate (@) or of the document ($)
	ofRoot  bool
	literal any
	pattern *regexp.Regexp
}

// filter reads "(condition)" after the question mark.
func (p *parser) filter() (*expr, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, errors.New("the filter nests too deep")
	}
	defer func() { p.depth-- }()
	p.space()
	if p.peek() != '(' {
		return nil, errors.New("expected a filter in parentheses")
	}
	p.pos++
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	p.space()
	if p.peek() != ')' {
		return nil, errors.New("the filter's closing parenthesis is missing")
	}
	p.pos++
	return e, nil
}

func (p *parser) or() (*expr, error)  { return p.junction("||", p.and) }
func (p *parser) and() (*expr, error) { return p.junction("&&", p.unary) }

func (p *parser) junction(op string, next func() (*expr, error)) (*expr, error) {
	e, err := next()
	for err == nil {
		p.space()
		if !strings.HasPrefix(p.text[p.pos:], op) {
			return e, nil
		}
		p.pos += len(op)
		var right *expr
		right, err = next()
		e = &expr{op: op, args: []*expr{e, right}}
	}
	return nil, err
}

func (p *parser) unary() (*expr, error) {
	p.space()
	switch {
	case p.peek() == '!':
		if p.depth++; p.depth > maxDepth {
			return nil, errors.New("the filter nests too deep")
		}
		defer func() { p.depth-- }()
		p.pos++
		e, err := p.unary()
		return &expr{op: "!", args: []*expr{e}}, err
	case p.peek() == '(':
		return p.filter()
	}
	return p.comparison()
}

// operators, the longer before their beginnings.
var operators = []string{"===", "!==", "==", "!=", "=~", "<=", ">=", "<", ">", "in ", "nin ", "contains ", "size ", "empty "}

func (p *parser) comparison() (*expr, error) {
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	p.space()
	for _, op := range operators {
		if !strings.HasPrefix(p.text[p.pos:], op) {
			continue
		}
		p.pos += len(op)
		right, err := p.operand()
		if err != nil {
			return nil, err
		}
		if (op == "=~") != (right.pattern != nil) {
			return nil, errors.New("'=~' compares with a regular expression")
		}
		return &expr{op: strings.TrimSpace(op), left: left, right: right}, nil
	}
	if left.path == nil {
		return nil, errors.New("expected a comparison")
	}
	return &expr{op: "exists", left: left}, nil
}

func (p *parser) operand() (operand, error) {
	p.space()
	switch c := p.peek(); {
	case c == '@' || c == '$':
		return p.pathOperand(c == '$')
	case c == '/':
		return p.patternOperand()
	case c == '\'' || c == '"':
		s, err := p.quoted()
		return operand{literal: s}, err
	case c == '[' || c == '{':
		return p.jsonOperand()
	}
	start := p.pos
	for p.pos < len(p.text) && !strings.ContainsRune(" )&|=!<>,]", rune(p.text[p.pos])) {
		p.pos++
	}
	v, err := value.Decode(p.text[start:p.pos])
	if err != nil {
		return operand{}, fmt.Errorf("'%s' is not a value", p.text[start:p.pos])
	}
	return operand{literal: v}, nil
}

// pathOperand reads the path as far as it goes: to a blank, an operator or the closing parenthesis outside brackets.
func (p *parser) pathOperand(root bool) (operand, error) {
	p.pos++
	path := &Path{definite: true}
	for p.peek() == '.' || p.peek() == '[' {
		s, err := p.operandStep(path)
		if err != nil {
			return operand{}, err
		}
		if path.function != "" {
			break
		}
		if err := path.add(s); err != nil {
			return operand{}, err
		}
	}
	return operand{path: path, ofRoot: root}, path.ended()
}

func (p *parser) operandStep(path *Path) (step, error) {
	if p.peek() == '[' || strings.HasPrefix(p.text[p.pos:], "..") || strings.HasPrefix(p.text[p.pos:], ".*") {
		return p.step(path)
	}
	p.pos++
	start := p.pos
	for p.pos < len(p.text) && !strings.ContainsRune(".[( )&|=!<>,]", rune(p.text[p.pos])) {
		p.pos++
	}
	name := p.text[start:p.pos]
	if name == "" {
		return step{}, errors.New("path must not end with a '.'")
	}
	if p.peek() == '(' {
		return step{}, p.call(path, name)
	}
	return step{names: []string{name}}, nil
}

func (p *parser) patternOperand() (operand, error) {
	p.pos++
	start := p.pos
	for p.pos < len(p.text) && p.text[p.pos] != '/' {
		if p.text[p.pos] == '\\' {
			p.pos++
		}
		p.pos++
	}
	if p.pos >= len(p.text) {
		return operand{}, errors.New("the regular expression has no end")
	}
	src := p.text[start:p.pos]
	p.pos++
	if p.peek() == 'i' {
		p.pos++
		src = "(?i)" + src
	}
	re, err := regexp.Compile("^(?:" + src + ")$")
	return operand{pattern: re}, err
}

// jsonOperand reads a list or an object, with strings in single or double quotes.
func (p *parser) jsonOperand() (operand, error) {
	var b strings.Builder
	for depth := 0; p.pos < len(p.text); {
		switch c := p.text[p.pos]; c {
		case '\'', '"':
			s, err := p.quoted()
			if err != nil {
				return operand{}, err
			}
			b.WriteString(value.Encode(s))
			continue
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		}
		b.WriteByte(p.text[p.pos])
		p.pos++
		if depth == 0 {
			v, err := value.Decode(b.String())
			return operand{literal: v}, err
		}
	}
	return operand{}, errors.New("the list has no end")
}

// resolve returns the operand's value, and whether there is one.
func (o operand) resolve(candidate, root any) (any, bool) {
	if o.path == nil {
		return o.literal, true
	}
	if o.ofRoot {
		candidate = root
	}
	v, err := o.path.Eval(candidate)
	return v, err == nil
}

// test reports whether a candidate passes.
func (e *expr) test(candidate, root any) bool {
	switch e.op {
	case "&&":
		return e.args[0].test(candidate, root) && e.args[1].test(candidate, root)
	case "||":
		return e.args[0].test(candidate, root) || e.args[1].test(candidate, root)
	case "!":
		return !e.args[0].test(candidate, root)
	}
	left, ok := e.left.resolve(candidate, root)
	if e.op == "exists" {
		return ok
	}
	if e.right.pattern != nil {
		s, isText := left.(string)
		return ok && isText && e.right.pattern.MatchString(s)
	}
	right, okRight := e.right.resolve(candidate, root)
	if !ok || !okRight {
		return (e.op == "!=" || e.op == "!==") && ok != okRight
	}
	return compare(e.op, left, right)
}

func compare(op string, left, right any) bool {
	switch op {
	case "==", "===":
		return equal(left, right)
	case "!=", "!==":
		return !equal(left, right)
	case "in", "nin":
		list, ok := right.([]any)
		return ok && slices.ContainsFunc(list, func(x any) bool { return equal(left, x) }) == (op == "in")
	case "contains":
		return contains(left, right)
	case "size":
		n, _ := length(left)
		return n != nil && equal(n, right)
	case "empty":
		n, _ := length(left)
		if s, ok := left.(string); ok {
			n = value.Int(int64(len(s)))
		}
		return n != nil && equal(n, value.Int(0)) == (right == true)
	}
	c, ok := order(left, right)
	switch op {
	case "<":
		return ok && c < 0
	case "<=":
		return ok && c <= 0
	case ">":
		return ok && c > 0
	default: // ">="
		return ok && c >= 0
	}
}

func equal(a, b any) bool {
	if c, ok := order(a, b); ok {
		return c == 0
	}
	return value.Equal(a, b)
}

func contains(left, right any) bool {
	switch left := left.(type) {
	case string:
		s, ok := right.(string)
		return ok && strings.Contains(left, s)
	case []any:
		return slices.ContainsFunc(left, func(x any) bool { return equal(x, right) })
	}
	return false
}

// order compares two numbers or two strings.
func order(a, b any) (int, bool) {
	switch a := a.(type) {
	case json.Number:
		if b, ok := b.(json.Number); ok {
			return value.Compare(a, b), true
		}
	case string:
		if b, ok := b.(string); ok {
			return strings.Compare(a, b), true
		}
	}
	return 0, false
}
