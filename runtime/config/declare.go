package config

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// declared is a resource block as written: one resource, or with for_each several.
type declared struct {
	thunk     // its value in references
	schema    *blockSchema
	block     *hclsyntax.Block
	forEach   *hclsyntax.Attribute // nil without
	instances []*instance          // once the thunk is forced
}

// instance is one resource.
type instance struct {
	*declared
	id      ID
	each    *each // nil without for_each
	fields  *fields
	needs   map[ID]bool
	exports map[string]cty.Value
}

func (d *declared) keys() []string {
	var keys []string
	for _, i := range d.instances {
		keys = append(keys, i.each.key)
	}
	return keys
}

func (d *declared) exampleKey() string {
	if len(d.instances) == 0 {
		return "KEY"
	}
	return d.instances[0].each.key
}

func (l *loader) declareResource(block *hclsyntax.Block, s *blockSchema) {
	label := block.Labels[0]
	if first := l.resources[s.name][label]; first != nil {
		l.duplicate(block, first.block, fmt.Sprintf("there is a %s %q already", s.name, label))
		return
	}
	d := &declared{schema: s, block: block, forEach: block.Body.Attributes["for_each"]}
	d.thunk = thunk{name: s.name + "." + label, run: func() (cty.Value, bool) { return l.expand(d) }}
	if l.resources[s.name] == nil {
		l.resources[s.name] = map[string]*declared{}
	}
	l.resources[s.name][label] = d
	l.order = append(l.order, d)
}

// expand makes the instances of a block and what references to them yield. Everything that can be referred to is
// known from few attributes, those marked early, so that blocks may refer to each other in any order.
func (l *loader) expand(d *declared) (cty.Value, bool) {
	label := d.block.Labels[0]
	if d.forEach == nil {
		i := &instance{declared: d, id: ID{d.schema.name, label}, needs: map[ID]bool{}}
		d.instances = []*instance{i}
		return l.export(i)
	}
	elements, needs, ok := l.elements(d)
	if !ok {
		return cty.NilVal, false
	}
	values := map[string]cty.Value{}
	for _, e := range elements {
		i := &instance{declared: d, id: ID{d.schema.name, fmt.Sprintf("%s[%q]", label, e.key)}, each: e, needs: map[ID]bool{}}
		for id := range needs {
			i.needs[id] = true
		}
		d.instances = append(d.instances, i)
	}
	for _, i := range d.instances {
		v, fine := l.export(i)
		values[i.each.key], ok = v, ok && fine
	}
	return cty.ObjectVal(values), ok
}

// elements evaluates for_each: a map, an object or a set of strings.
func (l *loader) elements(d *declared) ([]*each, map[ID]bool, bool) {
	at := d.forEach.Expr.Range()
	val, ok := l.eval(d.forEach.Expr, nil)
	if !ok {
		return nil, nil, false
	}
	val, marks := val.Unmark() // elements keep theirs
	t := val.Type()
	if val.IsNull() || !(t.IsMapType() || t.IsObjectType() || t.IsSetType()) {
		l.add(at, "Invalid for_each", "for_each takes a map or a set of strings; make a set of a list by toset(…)")
		return nil, nil, false
	}
	var elements []*each
	for it := val.ElementIterator(); it.Next(); {
		k, v := it.Element()
		if t.IsSetType() {
			if v.IsNull() || v.Type() != cty.String {
				l.add(at, "Invalid for_each", "the elements of a set must be strings")
				return nil, nil, false
			}
			k = v
		}
		elements = append(elements, &each{k.AsString(), v})
	}
	return elements, idsOf(marks), true
}

// idsOf returns the resources among a value's marks.
func idsOf(marks cty.ValueMarks) map[ID]bool {
	ids := map[ID]bool{}
	for m := range marks {
		if id, ok := m.(ID); ok {
			ids[id] = true
		}
	}
	return ids
}

func (l *loader) declareLocals(block *hclsyntax.Block) {
	for _, b := range block.Body.Blocks {
		l.add(b.TypeRange, "Unknown block", "locals has no blocks")
	}
	for _, attr := range attributesOf(block.Body) {
		if l.locals[attr.Name] != nil {
			l.add(attr.NameRange, "Duplicate local", "there is a local %q already", attr.Name)
			continue
		}
		l.locals[attr.Name] = &thunk{name: "local." + attr.Name, run: func() (cty.Value, bool) { return l.eval(attr.Expr, nil) }}
	}
}

func (l *loader) declareVariable(block *hclsyntax.Block) {
	name := block.Labels[0]
	if l.variables[name] != nil {
		l.add(block.DefRange(), "Duplicate block", "there is a variable %q already", name)
		return
	}
	l.variables[name] = &thunk{name: "var." + name, run: func() (cty.Value, bool) { return l.variable(name, block) }}
}

// variable returns a variable's value: from the options, the environment, or its default.
func (l *loader) variable(name string, block *hclsyntax.Block) (cty.Value, bool) {
	fallback, typ, ok := l.variableType(block)
	if !ok {
		return cty.NilVal, false
	}
	given, from := l.opts.Vars[name], "given"
	if _, ok := l.opts.Vars[name]; !ok {
		env := "DEVSTACK_VAR_" + name
		if given, ok = l.opts.Env(env); !ok {
			return l.variableDefault(name, block, fallback, typ)
		}
		from = "of " + env
	}
	val := cty.StringVal(given)
	if typ != cty.String && typ != cty.Number && typ != cty.Bool {
		expr, diags := hclsyntax.ParseExpression([]byte(given), "variable "+name, hcl.InitialPos)
		if !diags.HasErrors() {
			val, diags = expr.Value(&hcl.EvalContext{})
		}
		if diags.HasErrors() {
			l.add(block.DefRange(), "Invalid variable", "the value %s for variable %q cannot be read: %s", from, name, diags[0].Detail)
			return cty.NilVal, false
		}
	}
	val, err := convert.Convert(val, typ)
	if err != nil || !val.IsWhollyKnown() {
		l.add(block.DefRange(), "Invalid variable", "the value %s for variable %q is not a %s", from, name, typeexpr.TypeString(typ))
		return cty.NilVal, false
	}
	return val, true
}

// variableType returns a variable's default, NilVal without, and its type.
func (l *loader) variableType(block *hclsyntax.Block) (fallback cty.Value, typ cty.Type, ok bool) {
	fallback = cty.NilVal
	if attr := block.Body.Attributes["default"]; attr != nil {
		if len(attr.Expr.Variables()) > 0 {
			l.add(attr.Expr.Range(), "Invalid default", "a variable's default refers to nothing; use locals for that")
			return fallback, cty.NilType, false
		}
		if fallback, ok = l.eval(attr.Expr, nil); !ok {
			return fallback, cty.NilType, false
		}
	}
	attr := block.Body.Attributes["type"]
	switch {
	case attr != nil:
		t, diags := typeexpr.TypeConstraint(attr.Expr)
		l.addHCL(diags)
		return fallback, t, !diags.HasErrors()
	case fallback == cty.NilVal || fallback.IsNull():
		return fallback, cty.String, true
	default:
		return fallback, fallback.Type(), true
	}
}

func (l *loader) variableDefault(name string, block *hclsyntax.Block, fallback cty.Value, typ cty.Type) (cty.Value, bool) {
	if fallback == cty.NilVal {
		why := ""
		if attr := block.Body.Attributes["description"]; attr != nil {
			if v, ok := l.eval(attr.Expr, nil); ok && v.Type() == cty.String && !v.IsNull() {
				why = " (" + strings.TrimSuffix(v.AsString(), ".") + ")"
			}
		}
		l.add(block.DefRange(), "Missing variable", "variable %q%s has no default: give it a value, or set DEVSTACK_VAR_%s", name, why, name)
		return cty.NilVal, false
	}
	val, err := convert.Convert(fallback, typ)
	if err != nil {
		l.add(block.Body.Attributes["default"].Expr.Range(), "Invalid default", "the default of variable %q is not a %s", name, typeexpr.TypeString(typ))
		return cty.NilVal, false
	}
	return val, true
}

// checkVariablesGiven reports values for variables that the stack does not have.
func (l *loader) checkVariablesGiven() {
	for _, name := range keysOf(l.opts.Vars) {
		if l.variables[name] == nil {
			l.add(hcl.Range{}, "Unknown variable", "a value is given for %q, but there is no such variable%s", name, didYouMean(name, keysOf(l.variables)))
		}
	}
}
