// Package eventpattern matches JSON events with event patterns, as EventBridge's rules and Lambda's event filters do.
//
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
package eventpattern

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"
)

// Pattern is a compiled pattern.
type Pattern struct{ root node }

// maxNesting bounds a pattern's depth, so that it cannot exhaust the stack.
const maxNesting = 100

// node is an object of a pattern: every field must match, and of each $or one alternative.
type node struct {
	fields map[string]field
	ors    [][]node
}

// field is what a pattern says of one member: an object below it, or a list of which one must match.
type field struct {
	below *node
	any   []matcher
}

// matcher holds one value of an event against one element of a pattern's list. there is false if the event has no such member.
type matcher func(value any, there bool) bool

// Parse compiles a pattern. The error says what is wrong with it.
func Parse(text []byte) (*Pattern, error) {
	v, err := decode(text)
	if err != nil {
		return nil, err
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("an event pattern is a JSON object")
	}
	root, err := parseNode(object, 0)
	if err != nil {
		return nil, err
	}
	return &Pattern{*root}, nil
}

// Match reports whether an event, any JSON, has what the pattern asks for.
func (p *Pattern) Match(event []byte) bool {
	v, err := decode(event)
	return err == nil && p.root.match(v)
}

// decode reads one JSON value, its numbers kept exactly.
func decode(text []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("an event pattern is JSON: %w", err)
	}
	if d.More() {
		return nil, errors.New("there is something after the event pattern")
	}
	return v, nil
}

func parseNode(object map[string]any, depth int) (*node, error) {
	if depth == maxNesting {
		return nil, errors.New("the event pattern is nested too deeply")
	}
	n := &node{fields: map[string]field{}}
	for name, v := range object {
		switch v := v.(type) {
		case map[string]any:
			below, err := parseNode(v, depth+1)
			if err != nil {
				return nil, err
			}
			n.fields[name] = field{below: below}
		case []any:
			if name == "$or" {
				alternatives, err := parseAlternatives(v, depth)
				if err != nil {
					return nil, err
				}
				n.ors = append(n.ors, alternatives)
				continue
			}
			matchers, err := parseList(name, v)
			if err != nil {
				return nil, err
			}
			n.fields[name] = field{any: matchers}
		default:
			return nil, fmt.Errorf("%q must be an object or an array", name)
		}
	}
	return n, nil
}

func parseAlternatives(list []any, depth int) ([]node, error) {
	var out []node
	for _, v := range list {
		object, ok := v.(map[string]any)
		if !ok {
			return nil, errors.New("the elements of $or are objects")
		}
		n, err := parseNode(object, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, *n)
	}
	return out, nil
}

func parseList(name string, list []any) ([]matcher, error) {
	if len(list) == 0 {
		return nil, fmt.Errorf("the array of %q is empty", name)
	}
	var out []matcher
	for _, v := range list {
		m, err := parseMatcher(v)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", name, err)
		}
		out = append(out, m)
	}
	return out, nil
}

// parseMatcher compiles an element of a list: a value to be equal to, or an object with one operator.
func parseMatcher(v any) (matcher, error) {
	operators, ok := v.(map[string]any)
	if !ok {
		if _, nested := v.([]any); nested {
			return nil, errors.New("an array in an array")
		}
		return equals(v), nil
	}
	if len(operators) != 1 {
		return nil, errors.New("an object in an array has one operator")
	}
	for operator, operand := range operators {
		return parseOperator(operator, operand)
	}
	panic("unreachable: it has one")
}

func parseOperator(operator string, operand any) (matcher, error) {
	switch operator {
	case "exists":
		want, ok := operand.(bool)
		if !ok {
			return nil, errors.New("exists takes true or false")
		}
		// An object is no leaf, and only leaves exist: a recorded answer of Lambda, whose filter of "presentKey": [{"exists": false}]
		// lets through a record with "presentKey": {"S": …}.
		return func(value any, there bool) bool {
			_, object := value.(map[string]any)
			return (there && !object) == want
		}, nil
	case "prefix", "suffix", "equals-ignore-case", "wildcard":
		return parseText(operator, operand)
	case "anything-but":
		return parseAnythingBut(operand)
	case "numeric":
		return parseNumeric(operand)
	case "cidr":
		text, _ := operand.(string)
		block, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("cidr: %w", err)
		}
		return onText(func(s string) bool { a, err := netip.ParseAddr(s); return err == nil && block.Contains(a) }), nil
	}
	return nil, fmt.Errorf("unrecognized match type %s", operator)
}

// parseText compiles the operators on texts. prefix and suffix may be told to ignore case.
func parseText(operator string, operand any) (matcher, error) {
	fold := func(s string) string { return s }
	if object, ok := operand.(map[string]any); ok && len(object) == 1 && (operator == "prefix" || operator == "suffix") {
		operand, fold = object["equals-ignore-case"], strings.ToLower
	}
	text, ok := operand.(string)
	if !ok {
		return nil, fmt.Errorf("%s takes a string", operator)
	}
	text = fold(text)
	switch operator {
	case "prefix":
		return onText(func(s string) bool { return strings.HasPrefix(fold(s), text) }), nil
	case "suffix":
		return onText(func(s string) bool { return strings.HasSuffix(fold(s), text) }), nil
	case "wildcard":
		parts, err := parseWildcard(text)
		if err != nil {
			return nil, err
		}
		return onText(func(s string) bool { return wildcard(parts, s) }), nil
	}
	return onText(func(s string) bool { return strings.EqualFold(s, text) }), nil
}

// parseWildcard cuts a pattern at its *, each of which stands for any characters. A backslash takes a * or a backslash as it is;
// it may precede nothing else, and two * may not follow each other.
//
// https://github.com/aws/event-ruler#wildcard-matching
func parseWildcard(pattern string) (parts []string, err error) {
	var part strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '*' && i > 0 && pattern[i-1] == '*' && part.Len() == 0:
			return nil, errors.New("consecutive wildcard characters")
		case c == '*':
			parts = append(parts, part.String())
			part.Reset()
		case c != '\\':
			part.WriteByte(c)
		case i+1 < len(pattern) && (pattern[i+1] == '*' || pattern[i+1] == '\\'):
			i++
			part.WriteByte(pattern[i])
		default:
			return nil, errors.New("invalid escape character in a wildcard")
		}
	}
	return append(parts, part.String()), nil
}

// wildcard reports whether a text has the parts, the first at its beginning and the last at its end, with anything in between.
func wildcard(parts []string, s string) bool {
	if len(parts) == 1 {
		return parts[0] == s
	}
	rest, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false
	}
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, last)
}

// parseAnythingBut compiles the negation of a value, of a list of values, or of an operator on texts.
func parseAnythingBut(operand any) (matcher, error) {
	var not []matcher
	switch v := operand.(type) {
	case []any:
		for _, one := range v {
			not = append(not, equals(one))
		}
	case map[string]any:
		for _, one := range oneByOne(v) {
			m, err := parseMatcher(one)
			if err != nil {
				return nil, err
			}
			not = append(not, m)
		}
	default:
		not = append(not, equals(v))
	}
	return func(value any, there bool) bool {
		if !there {
			return false
		}
		for _, m := range not {
			if m(value, true) {
				return false
			}
		}
		return true
	}, nil
}

// oneByOne takes an operator on a list of texts, {"prefix": ["a", "b"]}, apart to operators on one text each. Below anything-but
// they may have lists.
//
// https://github.com/aws/event-ruler, in its later versions
func oneByOne(operators map[string]any) []any {
	for operator, operand := range operators {
		if list, ok := operand.([]any); ok && len(operators) == 1 && len(list) > 0 && operator != "numeric" {
			var out []any
			for _, text := range list {
				out = append(out, map[string]any{operator: text})
			}
			return out
		}
	}
	return []any{operators}
}

// parseNumeric compiles ["=", 1] or a range like [">", 0, "<=", 5].
func parseNumeric(operand any) (matcher, error) {
	list, _ := operand.([]any)
	if len(list) != 2 && len(list) != 4 {
		return nil, errors.New("numeric takes an operator and a number, once or twice")
	}
	var tests []func(float64) bool
	for i := 0; i < len(list); i += 2 {
		n, ok := number(list[i+1])
		if !ok {
			return nil, errors.New("numeric compares with a number")
		}
		compare := map[string]func(float64) bool{
			"=": func(f float64) bool { return f == n }, "<": func(f float64) bool { return f < n }, "<=": func(f float64) bool { return f <= n },
			">": func(f float64) bool { return f > n }, ">=": func(f float64) bool { return f >= n },
		}[fmt.Sprint(list[i])]
		if compare == nil {
			return nil, fmt.Errorf("unrecognized numeric range operator: %v", list[i])
		}
		tests = append(tests, compare)
	}
	return func(value any, _ bool) bool {
		f, ok := number(value)
		for _, test := range tests {
			ok = ok && test(f)
		}
		return ok
	}, nil
}

// number is a JSON number as a float64.
func number(v any) (float64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil && !math.IsInf(f, 0)
}

// equals matches the same value. Numbers are equal by value, whatever their notation.
func equals(want any) matcher {
	if n, ok := number(want); ok {
		return func(value any, _ bool) bool { f, ok := number(value); return ok && f == n }
	}
	return func(value any, there bool) bool { return there && value == want }
}

func onText(test func(string) bool) matcher {
	return func(value any, _ bool) bool { s, ok := value.(string); return ok && test(s) }
}

// match holds an object of an event against the node. Where the event has an array of objects, one of them must match.
func (n *node) match(v any) bool {
	if list, ok := v.([]any); ok {
		for _, one := range list {
			if n.match(one) {
				return true
			}
		}
		return false
	}
	object, _ := v.(map[string]any) // nothing has no members, which is what `exists: false` wants to know
	for name, f := range n.fields {
		value, there := object[name]
		if !f.match(value, there) {
			return false
		}
	}
	for _, alternatives := range n.ors {
		if !matchAny(alternatives, v) {
			return false
		}
	}
	return true
}

func matchAny(alternatives []node, v any) bool {
	for i := range alternatives {
		if alternatives[i].match(v) {
			return true
		}
	}
	return false
}

func (f *field) match(value any, there bool) bool {
	if f.below != nil {
		return f.below.match(value)
	}
	values, isList := value.([]any)
	if !isList || len(values) == 0 {
		values = []any{value}
	}
	for _, m := range f.any {
		for _, v := range values {
			if m(v, there) {
				return true
			}
		}
	}
	return false
}
