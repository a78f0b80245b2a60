package asl

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"devstack/emulators/stepfunctions/jsonpath"
	"devstack/emulators/stepfunctions/value"
)

// Rule is one of a Choice state's: where to go if the condition holds.
type Rule struct {
	Condition *Condition
	Next      string
}

// Condition is a comparison, or a junction of conditions (And, Or, Not).
//
// https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html
type Condition struct {
	junction string // "And", "Or", "Not"; "" for a comparison
	args     []*Condition

	variable *jsonpath.Path
	operator string         // "NumericEquals", without a "Path" at its end
	operand  any            // what to compare with: a string, json.Number, bool or time.Time
	path     *jsonpath.Path // or where to find it
	pathName string         // "NumericEqualsPath"
}

// Holds evaluates the condition. Comparing values of different types is false, and no error; a variable that is not there
// is an error of the scope's, except for IsPresent.
func (c *Condition) Holds(s Scope) (bool, error) {
	switch c.junction {
	case "And", "Or":
		for _, a := range c.args {
			if ok, err := a.Holds(s); err != nil || ok == (c.junction == "Or") {
				return ok, err
			}
		}
		return c.junction == "And", nil
	case "Not":
		ok, err := c.args[0].Holds(s)
		return !ok, err
	}
	v, err := s.Path("Variable", c.variable)
	if c.operator == "IsPresent" {
		return (err == nil) == (c.operand == true), nil
	}
	if err != nil {
		return false, err
	}
	operand := c.operand
	if c.path != nil {
		if operand, err = s.Path(c.pathName, c.path); err != nil {
			return false, err
		}
	}
	return compare(c.operator, v, operand), nil
}

// compare applies an operator to values of any type.
func compare(operator string, v, operand any) bool {
	switch {
	case strings.HasPrefix(operator, "Is"):
		return isType(operator, v) == (operand == true)
	case operator == "StringMatches":
		s, ok1 := v.(string)
		pattern, ok2 := operand.(string)
		return ok1 && ok2 && matches(pattern, s)
	case operator == "BooleanEquals":
		a, ok1 := v.(bool)
		b, ok2 := operand.(bool)
		return ok1 && ok2 && a == b
	}
	for _, kind := range []string{"String", "Numeric", "Timestamp"} {
		if relation, ok := strings.CutPrefix(operator, kind); ok {
			order, comparable := compareAs(kind, v, operand)
			return comparable && related(relation, order)
		}
	}
	return false
}

func compareAs(kind string, a, b any) (order int, comparable bool) {
	switch kind {
	case "String":
		x, ok1 := a.(string)
		y, ok2 := b.(string)
		return strings.Compare(x, y), ok1 && ok2
	case "Numeric":
		x, ok1 := a.(json.Number)
		y, ok2 := b.(json.Number)
		if !ok1 || !ok2 {
			return 0, false
		}
		return value.Compare(x, y), true
	}
	x, ok1 := instant(a)
	y, ok2 := instant(b)
	return x.Compare(y), ok1 && ok2
}

func instant(v any) (time.Time, bool) {
	switch v := v.(type) {
	case time.Time:
		return v, true
	case string:
		return Timestamp(v)
	}
	return time.Time{}, false
}

func related(relation string, order int) bool {
	switch relation {
	case "Equals":
		return order == 0
	case "LessThan":
		return order < 0
	case "LessThanEquals":
		return order <= 0
	case "GreaterThan":
		return order > 0
	}
	return order >= 0
}

func isType(operator string, v any) bool {
	switch operator {
	case "IsNull":
		return v == nil
	case "IsBoolean":
		_, ok := v.(bool)
		return ok
	case "IsNumeric":
		_, ok := v.(json.Number)
		return ok
	case "IsString":
		_, ok := v.(string)
		return ok
	}
	s, ok := v.(string)
	_, valid := Timestamp(s)
	return ok && valid
}

// Timestamp reads an instant as the States Language wants it: RFC 3339 with a capital T, and a capital Z or an offset.
func Timestamp(s string) (time.Time, bool) {
	if strings.ContainsAny(s, "tz,") {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	return t, err == nil
}

// matches compares with a pattern in which * stands for any number of characters, and a backslash takes its meaning from a
// star or a backslash.
func matches(pattern, s string) bool {
	p, star := []rune{}, []bool{}
	for text := []rune(pattern); len(text) > 0; text = text[1:] {
		if text[0] == '\\' && len(text) > 1 && (text[1] == '*' || text[1] == '\\') {
			text = text[1:]
			p, star = append(p, text[0]), append(star, false)
			continue
		}
		p, star = append(p, text[0]), append(star, text[0] == '*')
	}
	i, lastStar, lastPos := 0, -1, 0
	for text, j := []rune(s), 0; ; {
		switch {
		case i < len(p) && star[i]:
			lastStar, lastPos = i, j
			i++
		case j < len(text) && i < len(p) && p[i] == text[j]:
			i++
			j++
		case j == len(text) && i == len(p):
			return true
		case lastStar >= 0 && lastPos < len(text):
			lastPos++
			i, j = lastStar+1, lastPos
		default:
			return false
		}
	}
}

// operators are the comparisons that have a form ending in "Path".
var operators = func() (all []string) {
	for _, kind := range []string{"String", "Numeric", "Timestamp"} {
		for _, relation := range []string{"Equals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"} {
			all = append(all, kind+relation)
		}
	}
	return append(all, "BooleanEquals")
}()

// tests are the comparisons that have none.
var tests = []string{"StringMatches", "IsNull", "IsPresent", "IsNumeric", "IsString", "IsBoolean", "IsTimestamp"}

// condition compiles a rule, or a condition in one.
func (c *compiler) condition(o *value.Object, at string, depth int) *Condition {
	n := c.node(o, at)
	if depth > maxNested {
		c.schema(at, "Conditions nest too deep")
		return &Condition{}
	}
	for _, junction := range []string{"And", "Or", "Not"} {
		if v, ok := o.Get(junction); ok {
			n.allow("And", "Or", "Not", "Next", "Comment")
			return c.junction(junction, v, at+"/"+junction, depth)
		}
	}
	var operator string
	for _, k := range o.Keys() {
		base, isPath := strings.CutSuffix(k, "Path")
		if slices.Contains(tests, k) || slices.Contains(operators, k) || isPath && slices.Contains(operators, base) {
			if operator != "" {
				c.schema(at, "Only one comparison operator is allowed, found '%s' and '%s'", operator, k) // the words are a guess
			}
			operator = k
		}
	}
	n.allow("Variable", "Next", "Comment", operator)
	if operator == "" {
		c.schema(at, "A comparison operator is required") // the words are a guess
	}
	cond := &Condition{operator: operator}
	n.require("Variable")
	cond.variable = n.referencePath("Variable")
	if base, ok := strings.CutSuffix(operator, "Path"); ok {
		cond.operator, cond.pathName, cond.path = base, operator, n.path(operator)
		return cond
	}
	if operator != "" {
		cond.operand = c.operand(n, operator)
	}
	return cond
}

func (c *compiler) junction(name string, v any, at string, depth int) *Condition {
	cond := &Condition{junction: name}
	if name == "Not" {
		if o, ok := v.(*value.Object); ok {
			cond.args = []*Condition{c.condition(o, at, depth+1)}
		} else {
			c.expected(at, "Object")
		}
		return cond
	}
	list, ok := v.([]any)
	switch {
	case !ok:
		c.expected(at, "Array")
	case len(list) == 0:
		c.schema(at, "Value cannot be empty")
	}
	for i, x := range list {
		if o, ok := x.(*value.Object); ok {
			cond.args = append(cond.args, c.condition(o, index(at, i), depth+1))
		} else {
			c.expected(index(at, i), "Object")
		}
	}
	return cond
}

// operand reads what an operator compares with.
func (c *compiler) operand(n node, operator string) any {
	v, _ := n.o.Get(operator)
	at := n.at + "/" + operator
	switch {
	case strings.HasPrefix(operator, "Is") || operator == "BooleanEquals":
		if _, ok := v.(bool); !ok {
			c.expected(at, "Boolean")
		}
	case strings.HasPrefix(operator, "Numeric"):
		if _, ok := v.(json.Number); !ok {
			c.expected(at, "Number")
		}
	case strings.HasPrefix(operator, "Timestamp"):
		s, ok := v.(string)
		if t, valid := Timestamp(s); ok && valid {
			return t
		}
		c.schema(at, msgTimestamp)
	default:
		if _, ok := v.(string); !ok {
			c.expected(at, "String")
		}
	}
	return v
}
