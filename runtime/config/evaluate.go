package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// thunk is a named value that is evaluated when it is first referred to.
type thunk struct {
	name string // "local.prefix", as in messages
	run  func() (cty.Value, bool)

	done bool
	val  cty.Value
	ok   bool // false: its mistake has been reported
}

// force evaluates a thunk once. One that is reached from itself is a cycle, reported at the reference that closes it.
func (l *loader) force(t *thunk, at hcl.Range) (cty.Value, bool) {
	if t.done {
		return t.val, t.ok
	}
	if i := slices.Index(l.visiting, t.name); i >= 0 {
		path := append(slices.Clone(l.visiting[i:]), t.name)
		l.add(at, "Cycle", "%s refers to itself: %s", t.name, strings.Join(path, " → "))
		return cty.NilVal, false
	}
	l.visiting = append(l.visiting, t.name)
	val, ok := t.run()
	l.visiting = l.visiting[:len(l.visiting)-1]
	t.done, t.val, t.ok = true, val, ok
	return val, ok
}

// each is the element that an instance of a block with for_each stands for.
type each struct {
	key   string
	value cty.Value
}

// eval evaluates an expression; false means that its mistake has been reported. The value is marked with the ID of
// every resource that went into it: that is how the graph is found, through locals and functions alike.
func (l *loader) eval(expr hclsyntax.Expression, e *each) (cty.Value, bool) {
	ctx, ok := l.context(expr, e)
	if !ok {
		return cty.NilVal, false
	}
	val, diags := expr.Value(ctx)
	if diags.HasErrors() {
		l.addHCL(diags)
		return cty.NilVal, false
	}
	if !val.IsWhollyKnown() { // a type constraint such as try()'s may leave one; nothing of ours is unknown
		l.add(expr.Range(), "Unknown value", "the value cannot be known")
		return cty.NilVal, false
	}
	return val, true
}

// context holds exactly what the expression refers to, evaluated on the way.
func (l *loader) context(expr hclsyntax.Expression, e *each) (*hcl.EvalContext, bool) {
	roots := map[string]map[string]cty.Value{}
	ok := true
	for _, t := range expr.Variables() {
		values, found := l.reference(t, e)
		if !found {
			ok = false
			continue
		}
		root := t.RootName()
		if roots[root] == nil {
			roots[root] = map[string]cty.Value{}
		}
		for name, v := range values {
			roots[root][name] = v
		}
	}
	ctx := &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: l.functions}
	for root, values := range roots {
		ctx.Variables[root] = cty.ObjectVal(values)
	}
	return ctx, ok
}

// reference returns the members of the traversal's root that it needs.
func (l *loader) reference(t hcl.Traversal, e *each) (map[string]cty.Value, bool) {
	switch root := t.RootName(); {
	case root == "var":
		return l.members(t, "variable", l.variables)
	case root == "local":
		return l.members(t, "local", l.locals)
	case root == "stack":
		if len(t) > 1 && !l.hasExport(t, t[1], schemaOf("stack"), "stack") {
			return nil, false
		}
		v, ok := l.force(l.stackValue, t.SourceRange())
		if !ok {
			return nil, false
		}
		return v.AsValueMap(), true
	case root == "each":
		return l.eachMember(t, e)
	case schemaOf(root) != nil && schemaOf(root).resource:
		return l.resourceMember(t, schemaOf(root))
	default:
		l.unknownRoot(t)
		return nil, false
	}
}

// members resolves var.x and local.x.
func (l *loader) members(t hcl.Traversal, what string, all map[string]*thunk) (map[string]cty.Value, bool) {
	wanted := all
	if name, ok := stepName(t, 1); ok {
		one, exists := all[name]
		if !exists {
			l.add(t.SourceRange(), "Unknown "+what, "there is no %s %q%s", what, name, didYouMean(name, keysOf(all)))
			return nil, false
		}
		wanted = map[string]*thunk{name: one}
	}
	values, ok := map[string]cty.Value{}, true
	for _, name := range keysOf(wanted) {
		v, fine := l.force(wanted[name], t.SourceRange())
		values[name], ok = v, ok && fine
	}
	return values, ok
}

func (l *loader) eachMember(t hcl.Traversal, e *each) (map[string]cty.Value, bool) {
	if e == nil {
		l.add(t.SourceRange(), "Unknown name", "each is known only in a block with for_each")
		return nil, false
	}
	if name, ok := stepName(t, 1); ok && name != "key" && name != "value" {
		l.add(t.SourceRange(), "Unknown attribute", "each has key and value, no %q%s", name, didYouMean(name, []string{"key", "value"}))
		return nil, false
	}
	return map[string]cty.Value{"key": cty.StringVal(e.key), "value": e.value}, true
}

// resourceMember resolves table.orders, table.orders["eu"] and what follows.
func (l *loader) resourceMember(t hcl.Traversal, s *blockSchema) (map[string]cty.Value, bool) {
	all := l.resources[s.name]
	name, ok := stepName(t, 1)
	if !ok {
		values := map[string]cty.Value{}
		for _, name := range keysOf(all) {
			v, fine := l.force(&all[name].thunk, t.SourceRange())
			if !fine {
				return nil, false
			}
			values[name] = v
		}
		return values, true
	}
	d := all[name]
	if d == nil {
		l.add(t.SourceRange(), "Unknown "+s.name, "there is no %s %q%s", s.name, name, didYouMean(name, keysOf(all)))
		return nil, false
	}
	v, ok := l.force(&d.thunk, t.SourceRange())
	if !ok || !l.checkPath(t, d) {
		return nil, false
	}
	return map[string]cty.Value{name: v}, true
}

// checkPath checks what follows table.orders, where it is written out, for better words than a failed evaluation has.
func (l *loader) checkPath(t hcl.Traversal, d *declared) bool {
	if len(t) < 3 {
		return true
	}
	whole, next := d.thunk.name, t[2]
	index, indexed := next.(hcl.TraverseIndex)
	switch {
	case d.forEach == nil && indexed && index.Key.Type() == cty.String && d.schema.exported(index.Key.AsString()):
		return true // table.orders["name"]
	case d.forEach == nil && indexed:
		l.add(t.SourceRange(), "Invalid index", "%s has no for_each: there is one of it", whole)
		return false
	case d.forEach == nil:
		return l.hasExport(t, next, d.schema, whole) && l.hasStream(t, next, d.instances[0])
	case !indexed:
		if _, splat := next.(hcl.TraverseSplat); splat {
			return true
		}
		l.add(t.SourceRange(), "Missing key", "%s has for_each: say which one, as in %s[%q]", whole, whole, d.exampleKey())
		return false
	}
	key := indexKey(index.Key)
	i := slices.IndexFunc(d.instances, func(i *instance) bool { return i.each.key == key })
	if i < 0 {
		l.add(t.SourceRange(), "Unknown key", "%s has no %q%s", whole, key, didYouMean(key, d.keys()))
		return false
	}
	return len(t) < 4 || l.hasExport(t, t[3], d.schema, d.instances[i].id.String()) && l.hasStream(t, t[3], d.instances[i])
}

// hasExport reports a reference to something that the block does not offer.
func (l *loader) hasExport(t hcl.Traversal, step hcl.Traverser, s *blockSchema, whole string) bool {
	attr, ok := step.(hcl.TraverseAttr)
	if !ok || s.exported(attr.Name) {
		return true
	}
	var names []string
	for _, e := range s.exports {
		names = append(names, e.name)
	}
	l.add(t.SourceRange(), "Unknown attribute", "%s has no %q; it has %s%s", whole, attr.Name, strings.Join(names, ", "), didYouMean(attr.Name, names))
	return false
}

// hasStream reports a reference to the stream of a table that has none.
func (l *loader) hasStream(t hcl.Traversal, step hcl.Traverser, i *instance) bool {
	attr, ok := step.(hcl.TraverseAttr)
	if !ok || attr.Name != "stream_arn" || i.exports["stream_arn"] != cty.NilVal {
		return true
	}
	l.add(t.SourceRange(), "No stream", "%s has no stream; give it one: stream = \"NEW_AND_OLD_IMAGES\"", i.id)
	return false
}

// unknownRoot reports a name that nothing has. A resource's name without its type is the common mistake.
func (l *loader) unknownRoot(t hcl.Traversal) {
	root := t.RootName()
	roots, all := []string{"var", "local", "stack", "each"}, map[string]string{}
	for _, s := range language() {
		if !s.resource {
			continue
		}
		roots = append(roots, s.name)
		for _, name := range keysOf(l.resources[s.name]) {
			all[name] = s.name + "." + name
		}
	}
	hint := didYouMean(root, roots)
	if near := nearest(root, keysOf(all)); hint == "" && near != "" {
		hint = fmt.Sprintf(". Did you mean %q?", all[near])
	}
	if all[root] != "" {
		hint = fmt.Sprintf(". Did you mean %q?", all[root])
	}
	l.add(t.SourceRange(), "Unknown name", "there is no %q%s", root, hint)
}

// stepName returns the name that a step of a traversal selects, if it is written out.
func stepName(t hcl.Traversal, i int) (string, bool) {
	if i >= len(t) {
		return "", false
	}
	switch step := t[i].(type) {
	case hcl.TraverseAttr:
		return step.Name, true
	case hcl.TraverseIndex:
		return indexKey(step.Key), true
	}
	return "", false
}

// indexKey returns an index as a map's key is written.
func indexKey(v cty.Value) string {
	if v.Type() == cty.String {
		return v.AsString()
	}
	return v.AsBigFloat().Text('f', -1)
}

func keysOf[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
