package config

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// checkBody reports what can be seen without evaluating anything: unknown and missing arguments and blocks.
func (l *loader) checkBody(block *hclsyntax.Block, s *blockSchema) {
	misspelt := map[string]bool{} // what unknown arguments are probably meant to be: those are not missing as well
	for _, attr := range attributesOf(block.Body) {
		switch {
		case s.attribute(attr.Name) != nil || s.resource && attr.Name == "for_each":
		case s.block(attr.Name) != nil:
			l.add(attr.NameRange, "Unknown argument", "%s is a block: write %s %s{ … }, without =", attr.Name, attr.Name, quotedLabel(s.block(attr.Name)))
		default:
			misspelt[nearest(attr.Name, s.names())] = true
			l.add(attr.NameRange, "Unknown argument", "%s has no argument %q%s", s.name, attr.Name, didYouMean(attr.Name, s.names()))
		}
	}
	for i := range s.attributes {
		if a := &s.attributes[i]; a.required && block.Body.Attributes[a.name] == nil && !misspelt[a.name] {
			l.add(block.DefRange(), "Missing argument", "%s needs %s: %s", s.name, a.name, plain(a.doc))
		}
	}
	seen := map[string]*hclsyntax.Block{}
	for _, nested := range block.Body.Blocks {
		ns := s.block(nested.Type)
		switch {
		case ns == nil && s.attribute(nested.Type) != nil:
			l.add(nested.TypeRange, "Unknown block", "%s is an argument: write %s = …", nested.Type, nested.Type)
		case ns == nil:
			l.add(nested.TypeRange, "Unknown block", "%s has no block %q%s", s.name, nested.Type, didYouMean(nested.Type, s.names()))
		case !l.checkLabel(nested, ns):
		default:
			l.checkDuplicate(nested, ns, seen)
			l.checkBody(nested, ns)
		}
	}
}

// checkDuplicate reports a second nested block where there may be one: of its type, or with its label. A function may
// listen to many streams, so `on` blocks are as many as wanted.
func (l *loader) checkDuplicate(block *hclsyntax.Block, s *blockSchema, seen map[string]*hclsyntax.Block) {
	key := s.name + " " + strings.Join(block.Labels, " ")
	if first := seen[key]; first != nil && (s.once || s.label == "NAME" || s.label == "KEY") {
		l.duplicate(block, first, "there is such a block already")
		return
	}
	seen[key] = block
}

// plain makes a message of a sentence of the reference.
func plain(doc string) string { return strings.TrimSuffix(strings.ReplaceAll(doc, "`", ""), ".") }

func quotedLabel(s *blockSchema) string {
	if s.label == "" {
		return ""
	}
	return `"` + s.label + `" `
}

// names returns everything that a block may contain.
func (s *blockSchema) names() []string {
	var names []string
	for _, a := range s.attributes {
		names = append(names, a.name)
	}
	for _, b := range s.blocks {
		names = append(names, b.name)
	}
	if s.resource {
		names = append(names, "for_each")
	}
	return names
}

// fields are the evaluated arguments of one block of one instance.
type fields struct {
	schema *blockSchema
	block  *hclsyntax.Block
	label  string
	values map[string]any // by argument; what they are by kind; nil for one whose mistake has been reported
	blocks []*fields
}

// targetRef is the value of a target argument.
type targetRef struct{ id ID }

// decode evaluates the block's arguments, either the early ones or all others with the nested blocks.
func (l *loader) decode(f *fields, e *each, needs map[ID]bool, early bool) {
	for _, attr := range attributesOf(f.block.Body) {
		a := f.schema.attribute(attr.Name)
		if a == nil || a.early != early {
			continue
		}
		val, ok := l.eval(attr.Expr, e)
		if !ok {
			f.values[a.name] = nil
			continue
		}
		deep, marks := val.UnmarkDeep()
		maps.Copy(needs, idsOf(marks))
		switch {
		case deep.IsNull() && a.required:
			l.add(attr.Expr.Range(), "Missing argument", "%s needs %s: %s", f.schema.name, a.name, plain(a.doc))
			f.values[a.name] = nil
		case deep.IsNull(): // as if it were not written
		case a.kind == target:
			f.values[a.name] = l.target(a, val, attr)
		default:
			f.values[a.name] = l.typed(a, deep, attr)
		}
	}
	if early {
		return
	}
	for _, block := range f.block.Body.Blocks {
		s := f.schema.block(block.Type)
		if s == nil || s.label != "" && len(block.Labels) != 1 {
			continue
		}
		nested := newFields(block, s)
		l.decode(nested, e, needs, false)
		f.blocks = append(f.blocks, nested)
	}
}

func newFields(block *hclsyntax.Block, s *blockSchema) *fields {
	f := &fields{schema: s, block: block, values: map[string]any{}}
	if len(block.Labels) > 0 {
		f.label = block.Labels[0]
	}
	return f
}

// typed converts a value to what its argument takes; nil if it cannot be, which has then been reported.
func (l *loader) typed(a *attribute, val cty.Value, attr *hclsyntax.Attribute) any {
	switch a.kind {
	case document:
		return l.document(a, val, attr)
	case documents:
		return l.documents(a, val, attr)
	}
	if a.kind == oneOrMore && val.Type().IsPrimitiveType() {
		val = cty.TupleVal([]cty.Value{val})
	}
	want := map[kind]cty.Type{
		oneOrMore: cty.List(cty.String),
		text:      cty.String, integer: cty.Number, boolean: cty.Bool, texts: cty.List(cty.String), textMap: cty.Map(cty.String),
	}[a.kind]
	converted, err := convert.Convert(val, want)
	if err != nil || !noNulls(converted) {
		at, what := attr.Expr.Range(), describe(val)
		if key, element := badElement(val, want); element != cty.NilVal {
			at, what = itemRange(attr, key), fmt.Sprintf("%s at %q", describe(element), key)
		}
		l.add(at, "Invalid "+a.name, "%s must be a %s, not %s", a.name, a.kind, what)
		return nil
	}
	switch a.kind {
	case integer:
		return l.integer(a, converted, attr)
	case boolean:
		return converted.True()
	case texts, oneOrMore:
		list := []string{}
		for _, v := range converted.AsValueSlice() {
			list = append(list, v.AsString())
		}
		return list
	case textMap:
		m := map[string]string{}
		for k, v := range converted.AsValueMap() {
			m[k] = v.AsString()
		}
		return m
	}
	s := converted.AsString()
	if a.oneOf != nil && !slices.Contains(a.oneOf, s) {
		l.add(attr.Expr.Range(), "Invalid "+a.name, "%q is not known; %s is %s%s", s, a.name, list(a.oneOf), didYouMean(s, a.oneOf))
		return nil
	}
	return s
}

// noNulls reports whether a collection of primitives, or a primitive, has no null in it.
func noNulls(v cty.Value) bool {
	if !v.CanIterateElements() {
		return !v.IsNull()
	}
	for it := v.ElementIterator(); it.Next(); {
		if _, e := it.Element(); e.IsNull() {
			return false
		}
	}
	return true
}

// badElement returns the element of a map that is not of the wanted map's kind; NilVal if the mistake lies elsewhere.
func badElement(val cty.Value, want cty.Type) (string, cty.Value) {
	if !want.IsMapType() || !val.Type().IsObjectType() && !val.Type().IsMapType() {
		return "", cty.NilVal
	}
	elements := val.AsValueMap()
	for _, key := range keysOf(elements) {
		if v, err := convert.Convert(elements[key], want.ElementType()); err != nil || v.IsNull() {
			return key, elements[key]
		}
	}
	return "", cty.NilVal
}

// itemRange returns the place of one item of a map that is written out, else of the whole argument.
func itemRange(attr *hclsyntax.Attribute, key string) hcl.Range {
	object, ok := attr.Expr.(*hclsyntax.ObjectConsExpr)
	if !ok {
		return attr.Expr.Range()
	}
	for _, item := range object.Items {
		if v, diags := item.KeyExpr.Value(nil); !diags.HasErrors() && v.Type() == cty.String && v.IsKnown() && !v.IsNull() && v.AsString() == key {
			return hcl.RangeBetween(item.KeyExpr.Range(), item.ValueExpr.Range())
		}
	}
	return attr.Expr.Range()
}

// describe says what a value is, for messages.
func describe(v cty.Value) string {
	switch t := v.Type(); {
	case v.IsNull():
		return "null"
	case t == cty.String:
		return fmt.Sprintf("%q", v.AsString())
	case t == cty.Number:
		return indexKey(v)
	case t.IsObjectType() || t.IsMapType():
		return "a map or a resource"
	case t.IsTupleType() || t.IsListType() || t.IsSetType():
		return "a list"
	default:
		return t.FriendlyName()
	}
}

func (l *loader) integer(a *attribute, val cty.Value, attr *hclsyntax.Attribute) any {
	n, accuracy := val.AsBigFloat().Int64()
	switch {
	case accuracy != big.Exact:
		l.add(attr.Expr.Range(), "Invalid "+a.name, "%s must be a whole number, not %s", a.name, indexKey(val))
		return nil
	case (a.min != 0 || a.max != 0) && (n < int64(a.min) || n > int64(a.max)):
		l.add(attr.Expr.Range(), "Invalid "+a.name, "%s is %d; it must be %d to %d", a.name, n, a.min, a.max)
		return nil
	}
	return int(n)
}

// document returns JSON text: a string as it is, anything else encoded. What a string holds is checked by its user.
func (l *loader) document(a *attribute, val cty.Value, attr *hclsyntax.Attribute) any {
	if val.Type() == cty.String {
		return val.AsString()
	}
	if !val.Type().IsObjectType() && !val.Type().IsMapType() {
		l.add(attr.Expr.Range(), "Invalid "+a.name, "%s must be JSON or an object, not %s", a.name, describe(val))
		return nil
	}
	b, err := ctyjson.Marshal(val, val.Type())
	if err != nil {
		l.add(attr.Expr.Range(), "Invalid "+a.name, "%v", err)
		return nil
	}
	return string(b)
}

func (l *loader) documents(a *attribute, val cty.Value, attr *hclsyntax.Attribute) any {
	t := val.Type()
	if !t.IsTupleType() && !t.IsListType() && !t.IsSetType() {
		l.add(attr.Expr.Range(), "Invalid "+a.name, "%s must be a %s, not %s", a.name, a.kind, describe(val))
		return nil
	}
	all := []string{}
	for _, v := range val.AsValueSlice() {
		if v.IsNull() {
			l.add(attr.Expr.Range(), "Invalid "+a.name, "%s has an element that is null", a.name)
			return nil
		}
		d, ok := l.document(a, v, attr).(string)
		if !ok {
			return nil
		}
		all = append(all, d)
	}
	return all
}

// target returns the resource that a value is as a whole. Its marks say which: a resource's object is marked with its
// ID alone.
func (l *loader) target(a *attribute, val cty.Value, attr *hclsyntax.Attribute) any {
	val, marks := val.Unmark()
	for id := range idsOf(marks) {
		if id.Type == a.of && len(marks) == 1 && val.Type().IsObjectType() {
			return targetRef{id}
		}
	}
	l.add(attr.Expr.Range(), "Invalid "+a.name, "%s takes a %s as a whole: %s = %s.NAME", a.name, a.of, a.name, a.of)
	return nil
}

// given reports whether the argument is written, even if it is wrong.
func (f *fields) given(name string) bool {
	_, ok := f.values[name]
	return ok
}

// broken reports whether the argument is written and wrong, which has been reported.
func (f *fields) broken(name string) bool {
	v, ok := f.values[name]
	return ok && v == nil
}

// text returns a string argument, or its default.
func (f *fields) text(name string) string {
	if v, ok := f.values[name]; ok {
		s, _ := v.(string)
		return s
	}
	return f.schema.attribute(name).fallback
}

// integer returns a number argument, or its default, or 0.
func (f *fields) integer(name string) int {
	if v, ok := f.values[name]; ok {
		n, _ := v.(int)
		return n
	}
	n, _ := strconv.Atoi(f.schema.attribute(name).fallback) // "" without default
	return n
}

// optionalInteger returns a number argument, nil if it is not given.
func (f *fields) optionalInteger(name string) *int {
	if n, ok := f.values[name].(int); ok {
		return &n
	}
	return nil
}

// boolean returns a bool argument, or its default.
func (f *fields) boolean(name string) bool {
	if v, ok := f.values[name]; ok {
		b, _ := v.(bool)
		return b
	}
	return f.schema.attribute(name).fallback == "true"
}

// texts returns a list argument, nil if it is not given.
func (f *fields) texts(name string) []string {
	s, _ := f.values[name].([]string)
	return s
}

// textMap returns a map argument, nil if it is not given.
func (f *fields) textMap(name string) map[string]string {
	m, _ := f.values[name].(map[string]string)
	return m
}

// rangeOf returns the place of an argument's value, or of the block's header if it is not written; a name that is not
// written is the label.
func (f *fields) rangeOf(name string) hcl.Range {
	if attr := f.block.Body.Attributes[name]; attr != nil {
		return attr.Expr.Range()
	}
	if name == "name" {
		return f.labelRange()
	}
	return f.block.DefRange()
}

// rangeOfItem returns the place of one item of a map argument.
func (f *fields) rangeOfItem(name, key string) hcl.Range {
	if attr := f.block.Body.Attributes[name]; attr != nil {
		return itemRange(attr, key)
	}
	return f.block.DefRange()
}

// labelRange returns the place of the block's label.
func (f *fields) labelRange() hcl.Range {
	if len(f.block.LabelRanges) > 0 {
		return f.block.LabelRanges[0]
	}
	return f.block.DefRange()
}
