// Package intrinsic reads and evaluates the intrinsic functions of the Amazon States Language: States.Format, States.Array
// and the others.
//
// https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
package intrinsic

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"devstack/emulators/stepfunctions/jsonpath"
	"devstack/emulators/stepfunctions/value"
)

// maxNested is how many intrinsic functions one field may nest.
const maxNested = 10

// Call is a parsed call. It may be used by many goroutines.
type Call struct {
	text string
	name string
	args []argument
}

// argument is a literal, a path, or another call.
type argument struct {
	literal any
	raw     string // of a string literal, with its escapes, for States.Format
	path    *jsonpath.Path
	call    *Call
}

// Is reports whether a text is meant as a call, and not as a path.
func Is(text string) bool { return strings.HasPrefix(text, "States.") }

// Parse reads a call: States.Name(arguments). An argument is a string in single quotes, a number, true, false, null, a
// path, or a call.
func Parse(text string) (*Call, error) {
	p := &parser{text: text}
	c, err := p.call()
	if err != nil {
		return nil, err
	}
	if p.pos < len(text) {
		return nil, fmt.Errorf("unexpected text after the call at position %d", p.pos)
	}
	return c, nil
}

// String returns the call as it was written.
func (c *Call) String() string { return c.text }

type parser struct {
	text  string
	pos   int
	depth int
}

func (p *parser) space() {
	for p.pos < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.pos]) >= 0 {
		p.pos++
	}
}

func (p *parser) call() (*Call, error) {
	if p.depth++; p.depth > maxNested {
		return nil, fmt.Errorf("more than %d nested intrinsic functions", maxNested)
	}
	defer func() { p.depth-- }()
	start := p.pos
	open := strings.IndexByte(p.text[p.pos:], '(')
	if open < 0 {
		return nil, errors.New("'(' is missing")
	}
	name := strings.TrimSpace(p.text[p.pos : p.pos+open])
	f, ok := functions[name]
	if !ok {
		return nil, fmt.Errorf("there is no intrinsic function '%s'", name)
	}
	p.pos += open + 1
	args, err := p.args()
	if err != nil {
		return nil, err
	}
	if len(args) < f.min || f.max >= 0 && len(args) > f.max {
		return nil, fmt.Errorf("'%s' does not take %d arguments", name, len(args))
	}
	return &Call{text: p.text[start:p.pos], name: name, args: args}, nil
}

// args reads the arguments and the closing parenthesis.
func (p *parser) args() ([]argument, error) {
	p.space()
	if strings.HasPrefix(p.text[p.pos:], ")") {
		p.pos++
		return nil, nil
	}
	var args []argument
	for {
		p.space()
		a, err := p.argument()
		if err != nil {
			return nil, err
		}
		args = append(args, a)
		p.space()
		switch {
		case strings.HasPrefix(p.text[p.pos:], ","):
			p.pos++
		case strings.HasPrefix(p.text[p.pos:], ")"):
			p.pos++
			return args, nil
		default:
			return nil, fmt.Errorf("',' or ')' is missing at position %d", p.pos)
		}
	}
}

func (p *parser) argument() (argument, error) {
	rest := p.text[p.pos:]
	switch {
	case strings.HasPrefix(rest, "'"):
		raw, err := p.quoted()
		return argument{literal: unescape(raw), raw: raw}, err
	case strings.HasPrefix(rest, "$"):
		path, err := jsonpath.Parse(p.pathText())
		return argument{path: path}, err
	case Is(rest):
		c, err := p.call()
		return argument{call: c}, err
	}
	start := p.pos
	for p.pos < len(p.text) && strings.IndexByte(",) \t\r\n", p.text[p.pos]) < 0 {
		p.pos++
	}
	v, err := value.Decode(p.text[start:p.pos])
	switch v.(type) {
	case nil, bool, json.Number:
		return argument{literal: v}, err
	}
	return argument{}, fmt.Errorf("'%s' is not an argument", p.text[start:p.pos])
}

// quoted reads a string literal and returns what stands between its quotes. A backslash may stand before a quote, a brace
// and a backslash, and before nothing else (recorded answers of CreateStateMachine).
func (p *parser) quoted() (string, error) {
	start := p.pos + 1
	for p.pos = start; p.pos < len(p.text); p.pos++ {
		switch p.text[p.pos] {
		case '\'':
			p.pos++
			return p.text[start : p.pos-1], nil
		case '\\':
			p.pos++
			if p.pos >= len(p.text) || strings.IndexByte(`'{}\`, p.text[p.pos]) < 0 {
				return "", errors.New("illegal escape")
			}
		}
	}
	return "", errors.New("the closing quote is missing")
}

func unescape(raw string) string {
	if !strings.Contains(raw, `\`) {
		return raw
	}
	var b strings.Builder
	for i := 0; i < len(raw); i++ {
		if raw[i] == '\\' {
			i++
		}
		b.WriteByte(raw[i])
	}
	return b.String()
}

// pathText reads a path: to the next comma, blank or closing parenthesis that is outside brackets, parentheses and quotes.
func (p *parser) pathText() string {
	start, depth := p.pos, 0
	var quote byte
	for ; p.pos < len(p.text); p.pos++ {
		c := p.text[p.pos]
		switch {
		case quote != 0:
			if c == '\\' {
				p.pos++
			} else if c == quote {
				quote = 0
			}
		case depth > 0 && (c == '\'' || c == '"'):
			quote = c
		case c == '[' || c == '(':
			depth++
		case depth > 0 && (c == ']' || c == ')'):
			depth--
		case depth == 0 && strings.IndexByte(",) \t\r\n", c) >= 0:
			return p.text[start:p.pos]
		}
	}
	p.pos = len(p.text)
	return p.text[start:]
}
