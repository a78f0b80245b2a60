package asl

import (
	"strings"

	"devstack/emulators/stepfunctions/intrinsic"
	"devstack/emulators/stepfunctions/jsonpath"
	"devstack/emulators/stepfunctions/value"
)

// Expr is the value of a field whose name ends in ".$": a path or an intrinsic function.
type Expr struct {
	Path *jsonpath.Path
	Call *intrinsic.Call
}

// Scope is what expressions are evaluated in.
type Scope interface {
	// Path returns what a path selects. field is the name of the field that holds it, for messages.
	Path(field string, p *jsonpath.Path) (any, error)
	// CallPath is Path for a path that is an argument of an intrinsic function.
	CallPath(call *intrinsic.Call, p *jsonpath.Path) (any, error)
	// UUID returns a random UUID (version 4).
	UUID() string
}

// ParseExpr reads a path or an intrinsic function.
func ParseExpr(text string) (*Expr, error) {
	if intrinsic.Is(text) {
		c, err := intrinsic.Parse(text)
		return &Expr{Call: c}, err
	}
	p, err := jsonpath.Parse(text)
	return &Expr{Path: p}, err
}

// Eval returns the expression's value.
func (e *Expr) Eval(s Scope, field string) (any, error) {
	if e.Path != nil {
		return s.Path(field, e.Path)
	}
	return e.Call.Eval(callScope{s, e.Call})
}

// callScope is a Scope as an intrinsic function sees it.
type callScope struct {
	Scope
	call *intrinsic.Call
}

// Path returns what a path among the function's arguments selects.
func (s callScope) Path(p *jsonpath.Path) (any, error) { return s.CallPath(s.call, p) }

// Template is a payload template, such as Parameters: JSON in which a member whose name ends in ".$" is evaluated.
//
// https://docs.aws.amazon.com/step-functions/latest/dg/input-output-inputpath-params.html
type Template struct {
	constant any
	list     []*Template
	members  []member // in the template's order
	computed []member // those whose names end in ".$"
	order    []string // in which the computed members are added
}

type member struct {
	name  string
	value *Template
	expr  *Expr
}

// Names are the names of the payload's own members, and whether it is an object at all.
func (t *Template) Names() (names []string, object bool) {
	if t.members == nil && t.computed == nil {
		return nil, false
	}
	for _, m := range t.members {
		names = append(names, m.name)
	}
	for _, m := range t.computed {
		names = append(names, m.name)
	}
	return names, true
}

// Eval makes the payload. Its constant members come first, in the template's order; then the computed ones, in the order
// of a hash table (recorded answers show both).
func (t *Template) Eval(s Scope) (any, error) {
	switch {
	case t.list != nil:
		out := make([]any, len(t.list))
		for i, x := range t.list {
			v, err := x.Eval(s)
			if err != nil {
				return nil, err
			}
			out[i] = v
		}
		return out, nil
	case t.members == nil && t.computed == nil:
		return t.constant, nil
	}
	out := &value.Object{}
	for _, m := range t.members {
		v, err := m.value.Eval(s)
		if err != nil {
			return nil, err
		}
		out.Set(m.name, v)
	}
	computed := map[string]any{}
	for _, m := range t.computed {
		v, err := m.expr.Eval(s, m.name+".$")
		if err != nil {
			return nil, err
		}
		computed[m.name] = v
	}
	for _, k := range t.order {
		out.Set(k, computed[k])
	}
	return out, nil
}

// template compiles a payload template.
func (c *compiler) template(v any, at string) *Template {
	switch v := v.(type) {
	case []any:
		t := &Template{list: make([]*Template, len(v))}
		for i, x := range v {
			t.list[i] = c.template(x, index(at, i))
		}
		return t
	case *value.Object:
		return c.templateObject(v, at)
	}
	return &Template{constant: v}
}

func (c *compiler) templateObject(o *value.Object, at string) *Template {
	t := &Template{constant: o, members: []member{}}
	for _, k := range o.Keys() {
		v, _ := o.Get(k)
		name, computed := strings.CutSuffix(k, ".$")
		if !computed {
			t.members = append(t.members, member{name: k, value: c.template(v, at+"/"+k)})
			continue
		}
		text, ok := v.(string)
		e, err := ParseExpr(text)
		if !ok || err != nil {
			if !c.variable(err, k, at) {
				c.schema(at, "The value for the field '%s' must be a valid JSONPath or a valid intrinsic function call", k)
			}
			continue
		}
		t.computed = append(t.computed, member{name: name, expr: e})
		t.order = append(t.order, name)
	}
	t.order = value.HashOrder(t.order)
	return t
}
