package wire

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// checks says whether anything of a plan, or of what it contains, can be violated.
type checks uint8

const (
	unmarked checks = iota
	nothing
	something
)

// markChecks finds out what of a plan is to be checked, so that a check at work passes by what is not.
func (p *planner) markChecks(root *plan) {
	var reached []*plan
	var walk func(*plan)
	walk = func(pl *plan) {
		if pl.check != unmarked {
			return
		}
		pl.check = nothing
		reached = append(reached, pl)
		if pl.plain != nil {
			walk(pl.plain)
			pl.check = pl.plain.check
		}
		for i := range pl.fields {
			if f := &pl.fields[i]; f.constrained() || f.Flags&Required != 0 {
				pl.check = something
			}
			walk(pl.fields[i].plan)
		}
	}
	walk(root)
	for changed := true; changed; {
		changed = false
		for _, pl := range reached {
			if pl.plain != nil && pl.check != pl.plain.check {
				pl.check, changed = pl.plain.check, true
			}
			for i := range pl.fields {
				if pl.check == nothing && pl.fields[i].plan.check == something {
					pl.check, changed = something, true
				}
			}
		}
	}
}

func (f *field) bounds() *Bounds {
	if f.Bounds != nil {
		return f.Bounds
	}
	return f.plan.shape.Bounds
}

func (f *field) pattern() string {
	if f.Pattern != "" {
		return f.Pattern
	}
	return f.plan.shape.Pattern
}

// constrained reports whether a field's own value can violate anything.
func (f *field) constrained() bool {
	return f.bounds() != nil || f.pattern() != "" || len(f.plan.shape.Enum) > 0
}

// checkInput checks an input against the model's constraints, all of them, and words the violations as AWS does:
//
//	2 validation errors detected: Value '' at 'name' failed to satisfy constraint: Member must have length greater than or equal to 1; Value null at …
//
// The code is ValidationException, in Query services ValidationError, or what the model says (CloudWatch Logs:
// InvalidParameterException). All words are those of recorded answers.
//
// Operations that AWS has moved to its newer checks say "Value at 'Name'", and report what is no value of an enumeration
// only if nothing else is wrong.
func (op *operation) checkInput(v reflect.Value) error {
	if op.in.check != something {
		return nil
	}
	m := op.service.Model
	c := checker{model: m, newer: op.Flags&OpNewChecks != 0}
	if m.CheckPrefix != "" {
		c.path = append([]byte(lowerFirst(op.Name)+m.CheckPrefix), '.')
	}
	c.structure(op.in, v)
	found := c.found
	if len(found) == 0 {
		found = c.enums
		if op.Flags&OpFirstEnum != 0 && len(found) > 1 {
			found = found[:1]
		}
	}
	switch n := len(found); n {
	case 0:
		return nil
	case 1:
		return m.violation("1 validation error detected: " + found[0])
	default:
		return m.violation(strconv.Itoa(n) + " validation errors detected: " + strings.Join(found, "; "))
	}
}

func (m *Model) violation(message string) *Error {
	code := m.ValidationCode
	if code == "" {
		code = "ValidationException"
		if m.Protocols[0] == AWSQuery || m.Protocols[0] == EC2Query {
			code = "ValidationError"
		}
	}
	return &Error{Code: code, Status: 400, Message: message, Sender: true}
}

// checker walks an input by its plan.
type checker struct {
	model *Model
	newer bool   // OpNewChecks
	path  []byte // of the member at hand
	found []string
	enums []string // of OpNewChecks: wrong enumerations, which are reported apart
}

// name is a member as paths name it.
func (c *checker) name(f *field) string {
	if c.newer {
		return f.Name
	}
	return lowerFirst(f.Name)
}

func (c *checker) structure(p *plan, v reflect.Value) {
	at := len(c.path)
	for i := range p.fields {
		f := &p.fields[i]
		if p.shape.Flags&LastFirst != 0 {
			f = &p.fields[len(p.fields)-1-i]
		}
		x, ok := f.given(v.Field(f.index))
		if !ok {
			if f.Flags&Required != 0 {
				c.path = append(c.path, c.name(f)...)
				c.add("null", "Member must not be null")
				c.path = c.path[:at]
			}
			continue
		}
		if !f.constrained() && f.plan.check != something {
			continue
		}
		c.path = append(c.path, c.name(f)...)
		c.value(f, x)
		c.path = c.path[:at]
	}
}

// value checks a value by itself, and then what it contains.
func (c *checker) value(f *field, v reflect.Value) {
	if f.plan.plain != nil {
		if !compactOf(v).Checked() {
			plain := *f
			plain.plan = f.plan.plain
			c.value(&plain, plainOf(v))
		}
		return
	}
	if f.constrained() {
		for _, words := range c.violations(f, v) {
			c.add(c.quoted(f, v), words)
		}
	}
	p := f.plan
	if p.check != something {
		return
	}
	at := len(c.path)
	switch p.kind {
	case Structure, Union:
		c.path = append(c.path, '.')
		c.structure(p, v)
	case List:
		el := p.element()
		if el.plan.scalar() {
			c.elements(f, el, v)
			return
		}
		for i := range v.Len() {
			if x, ok := el.given(v.Index(i)); ok {
				c.path = append(strconv.AppendInt(append(c.path, '.'), int64(i+1), 10), ".member"...)
				c.value(el, x)
				c.path = c.path[:at]
			}
		}
	case Map:
		c.mapping(f, v)
	}
	c.path = c.path[:at]
}

// elements checks a list of scalars, whose violations are reported once, at the list, with all constraints of its elements.
func (c *checker) elements(f, el *field, v reflect.Value) {
	for i := range v.Len() {
		x, ok := el.given(v.Index(i))
		if ok && len(c.violations(el, x)) > 0 {
			c.add(c.quoted(f, v), "Member must satisfy constraint: ["+strings.Join(c.constraints(el), ", ")+"]")
			return
		}
	}
}

func (c *checker) mapping(f *field, v reflect.Value) {
	kf, vf := &f.plan.fields[0], &f.plan.fields[1]
	keys := sortedKeys(v)
	for _, k := range keys {
		if kf.constrained() && len(c.violations(kf, k)) > 0 {
			c.add(c.quoted(f, v), "Map keys must satisfy constraint: ["+strings.Join(c.constraints(kf), ", ")+"]")
			break
		}
	}
	at := len(c.path)
	for _, k := range keys {
		x, ok := vf.given(v.MapIndex(k))
		if !ok {
			continue
		}
		if vf.plan.kind == List && len(c.violations(vf, x)) > 0 {
			c.add(c.quoted(f, v), "Map value must satisfy constraint: ["+strings.Join(c.constraints(vf), ", ")+"]")
			return
		}
		if vf.plan.scalar() {
			if len(c.violations(vf, x)) > 0 {
				all := append(c.constraints(vf), "Member must not be null")
				c.add(c.quoted(f, v), "Map value must satisfy constraint: ["+strings.Join(all, ", ")+"]")
				return
			}
			continue
		}
		c.path = append(append(append(c.path, '.'), k.String()...), ".member"...)
		c.value(vf, x)
		c.path = c.path[:at]
	}
}

// scalar reports whether a plan is of a value without members.
func (p *plan) scalar() bool {
	return p.kind != Structure && p.kind != Union && p.kind != List && p.kind != Map
}

// violations words what a value violates. The pattern comes first, then the length, as AWS has most of them.
func (c *checker) violations(f *field, v reflect.Value) []string {
	var words []string
	if p := f.pattern(); p != "" && f.plan.kind == String && !matches(p, v.String()) {
		words = append(words, "Member must satisfy regular expression pattern: "+p)
	}
	if b := f.bounds(); b != nil {
		if n, ok := size(f.plan, v); ok {
			if b.HasMin && n < b.Min {
				words = append(words, boundWords(f.plan.kind, "greater", b.Min))
			}
			if b.HasMax && n > b.Max {
				words = append(words, boundWords(f.plan.kind, "less", b.Max))
			}
		}
	}
	if f.plan.shape.Flags&BoundsFirst != 0 {
		slices.Reverse(words)
	}
	if enum := f.plan.shape.Enum; len(enum) > 0 && !slices.Contains(enum, v.String()) {
		words = append(words, c.enumWords(enum))
	}
	return words
}

// constraints words all that is asked of a value, as in the lists of constraints of elements.
func (c *checker) constraints(f *field) []string {
	var words []string
	if b := f.bounds(); b != nil {
		if b.HasMax {
			words = append(words, boundWords(f.plan.kind, "less", b.Max))
		}
		if b.HasMin {
			words = append(words, boundWords(f.plan.kind, "greater", b.Min))
		}
	}
	if p := f.pattern(); p != "" {
		words = append(words, "Member must satisfy regular expression pattern: "+p)
	}
	if len(f.plan.shape.Enum) > 0 {
		words = append(words, c.enumWords(f.plan.shape.Enum))
	}
	return words
}

const enumConstraint = "Member must satisfy enum value set"

func (c *checker) enumWords(enum []string) string {
	if c.model.HideValues {
		return enumConstraint
	}
	return enumConstraint + ": [" + strings.Join(enum, ", ") + "]"
}

func boundWords(k Kind, than string, bound float64) string {
	what, n := "length", strconv.FormatFloat(bound, 'f', -1, 64)
	switch k {
	case Float, Double:
		what = "value"
		if !strings.Contains(n, ".") {
			n += ".0"
		}
	case Byte, Short, Integer, Long, BigInteger, BigDecimal:
		what = "value"
	}
	return "Member must have " + what + " " + than + " than or equal to " + n
}

// size is what a value's bounds are about.
func size(p *plan, v reflect.Value) (float64, bool) {
	switch p.kind {
	case String:
		return float64(utf16Len(v.String())), true
	case Blob:
		if p.typ == readerType {
			return 0, false
		}
		return float64(v.Len()), true
	case List, Map:
		return float64(v.Len()), true
	case Byte, Short, Integer, Long:
		return float64(v.Int()), true
	case Float, Double:
		return v.Float(), true
	}
	return 0, false
}

// utf16Len is a string's length as Java counts it.
func utf16Len(s string) int {
	n := 0
	for i := 0; i < len(s); n++ {
		if s[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r > 0xffff {
			n++
		}
		i += size
	}
	return n
}

// add notes a violation of the member at hand.
func (c *checker) add(value, constraint string) {
	if c.newer {
		value = ""
	} else if value != "" {
		value = " " + value
	}
	text := "Value" + value + " at '" + string(c.path) + "' failed to satisfy constraint: " + constraint
	if c.newer && strings.HasPrefix(constraint, enumConstraint) {
		c.enums = append(c.enums, text)
		return
	}
	c.found = append(c.found, text)
}

// quoted is a value as messages show it, "" where they do not.
func (c *checker) quoted(f *field, v reflect.Value) string {
	if c.model.HideValues || f.plan.shape.Flags&Sensitive != 0 {
		return ""
	}
	return "'" + string(appendJava(nil, f.plan, v)) + "'"
}

// appendJava writes a value as Java's toString does: [a, b], {k=v}, Name(member=value, other=null).
func appendJava(b []byte, p *plan, v reflect.Value) []byte {
	element := func(f *field, v reflect.Value) []byte {
		x, ok := f.given(v)
		if !ok {
			return append(b, "null"...)
		}
		return appendJava(b, f.plan, x)
	}
	if p.plain != nil {
		return appendJava(b, p.plain, plainOf(v))
	}
	switch p.kind {
	case Structure, Union:
		b = append(append(b, p.shape.Name...), '(')
		for i := range p.fields {
			f := &p.fields[i]
			if i > 0 {
				b = append(b, ", "...)
			}
			b = append(append(b, lowerFirst(f.Name)...), '=')
			if f.plan.shape.Flags&Sensitive != 0 {
				b = append(b, "***Sensitive Data Redacted***"...) // a guess: what Smithy's own Java servers print
				continue
			}
			b = element(f, v.Field(f.index))
		}
		return append(b, ')')
	case List:
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = element(p.element(), v.Index(i))
		}
		return append(b, ']')
	case Map:
		b = append(b, '{')
		for i, k := range sortedKeys(v) {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = append(append(b, k.String()...), '=')
			b = element(&p.fields[1], v.MapIndex(k))
		}
		return append(b, '}')
	case Float, Double:
		n := appendFloat(nil, v.Float(), p.kind)
		if !slices.Contains(n, '.') && !slices.Contains(n, 'e') {
			n = append(n, ".0"...)
		}
		return append(b, n...)
	case Blob:
		if p.typ == readerType {
			return append(b, "stream"...)
		}
		return fmt.Appendf(b, "java.nio.HeapByteBuffer[pos=0 lim=%d cap=%d]", v.Len(), v.Len())
	case Timestamp:
		return v.Interface().(time.Time).UTC().AppendFormat(b, "Mon Jan 02 15:04:05 UTC 2006")
	}
	return appendText(b, &field{plan: p}, v, DateTime)
}

func lowerFirst(s string) string {
	if s[0] >= 'A' && s[0] <= 'Z' {
		return string(s[0]|0x20) + s[1:]
	}
	return s
}
