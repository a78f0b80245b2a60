package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// emitter writes one api_gen.go.
type emitter struct {
	config
	m      *model
	wanted map[string]bool // operations to implement
	ops    []string        // ids of all operations, in order of name
	shapes []string        // ids of the shapes that the wanted operations use, in order of name
	index  map[string]int  // of a shape in shapes
	// renamed has the model's own name of an operation's structure by the id that it got here.
	renamed map[string]string
	w       io.Writer
}

func newEmitter(c config, m *model, wanted map[string]bool) *emitter {
	return &emitter{config: c, m: m, wanted: wanted, index: map[string]int{}, renamed: map[string]string{}}
}

func (e *emitter) p(format string, args ...any) { fmt.Fprintf(e.w, format+"\n", args...) }

func (e *emitter) write(w io.Writer) error {
	e.w = w
	e.ops = e.m.operations()
	sort.Slice(e.ops, func(i, j int) bool { return name(e.ops[i]) < name(e.ops[j]) })
	known := map[string]bool{}
	for _, id := range e.ops {
		known[name(id)] = true
	}
	for op := range e.wanted {
		if !known[op] {
			return fmt.Errorf("%s: the model has no operation %s", e.operations, op)
		}
	}
	if err := e.collect(); err != nil {
		return err
	}
	e.header()
	e.api()
	e.errors()
	e.types()
	e.enums()
	e.model()
	return nil
}

// collect finds the shapes that the wanted operations reach.
func (e *emitter) collect() error {
	seen, own := map[string]bool{}, ""
	var walk func(id string)
	walk = func(id string) {
		if seen[id] {
			return
		}
		seen[id] = true
		s := e.m.shape(id)
		if s.Traits.has(goType) && !e.m.onlyJSON() {
			own = id
		}
		for _, m := range e.membersOf(s) {
			walk(m.Target)
		}
	}
	for _, id := range e.ops {
		op := e.m.shape(id)
		if !e.wanted[name(id)] {
			continue
		}
		walk(e.input(id))
		walk(e.output(id))
		for _, er := range op.Errors {
			walk(er.Target)
		}
		if err := e.checkEvents(id); err != nil {
			return err
		}
		if own != "" {
			return fmt.Errorf("%s: a type of the package's own needs a service that speaks only JSON (%s)", name(id), name(own))
		}
	}
	for _, er := range e.m.shape(e.m.service).Errors {
		walk(er.Target)
	}
	e.shapes = slices.SortedFunc(maps.Keys(seen), func(a, b string) int {
		if c := strings.Compare(name(a), name(b)); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
	names := map[string]string{}
	for i, id := range e.shapes {
		e.index[id] = i
		if s := e.m.shape(id); s.Type == "structure" || s.Type == "union" {
			if other, clash := names[e.typeName(id)]; clash {
				return fmt.Errorf("%s and %s would both be %s", other, id, e.typeName(id))
			}
			names[e.typeName(id)] = id
		}
	}
	return nil
}

// checkEvents refuses event streams where the wire has none: in an input, in an output that is more than the stream's answer, and in
// protocols that are not REST.
func (e *emitter) checkEvents(op string) error {
	for _, m := range e.m.shape(e.input(op)).Members {
		if e.isEvents(m.Target) {
			return fmt.Errorf("%s: the wire has no event streams in inputs (%s)", name(op), name(m.Target))
		}
	}
	for _, m := range e.m.shape(e.output(op)).Members {
		if e.isEvents(m.Target) && !(m.Traits.has("smithy.api#httpPayload") && e.m.shape(e.m.service).Traits.has("aws.protocols#restJson1")) {
			return fmt.Errorf("%s: the wire has event streams in REST-JSON alone (%s)", name(op), name(m.Target))
		}
	}
	return nil
}

// isEvents reports whether a shape is an event stream.
func (e *emitter) isEvents(id string) bool { return e.isStream(id) && e.m.shape(id).Type == "union" }

// input and output name an operation's structures. An operation without one gets an empty structure of its own.
func (e *emitter) input(op string) string  { return e.structure(op, e.m.shape(op).Input, "Input") }
func (e *emitter) output(op string) string { return e.structure(op, e.m.shape(op).Output, "Output") }

func (e *emitter) structure(op string, r *ref, suffix string) string {
	if r != nil && r.Target != "smithy.api#Unit" {
		target := e.m.shape(r.Target)
		// The type is named for the operation, as in AWS's own SDKs, whatever the model calls the structure. A structure
		// that serves more than one purpose is copied: a type that is the output of two operations would otherwise have to
		// choose a name.
		id := op + suffix
		if id != r.Target && e.renamed[id] == "" {
			if e.m.Shapes[id] != nil {
				panic(fmt.Sprintf("%s is a shape, but not the %s of %s", id, strings.ToLower(suffix), name(op)))
			}
			e.m.Shapes[id], e.renamed[id] = target, name(r.Target)
		}
		return id
	}
	id := op + suffix
	if e.m.Shapes[id] == nil {
		e.m.Shapes[id] = &shape{Type: "structure"}
	}
	return id
}

// membersOf returns a shape's members: a structure's, a list's one, a map's two.
func (e *emitter) membersOf(s *shape) []*member {
	switch s.Type {
	case "list", "set":
		s.Member.Name = "member"
		return []*member{s.Member}
	case "map":
		s.Key.Name, s.Value.Name = "key", "value"
		return []*member{s.Key, s.Value}
	case "structure", "union":
		return s.Members
	}
	return nil
}

func (e *emitter) header() {
	e.p("// Code generated by apigen from AWS's model %s; DO NOT EDIT.", e.config.model)
	e.p("")
	e.p("package %s", e.service)
	e.p("")
	e.p("import (")
	e.p("\t\"context\"")
	if slices.ContainsFunc(e.shapes, func(id string) bool { return e.isStream(id) && e.m.shape(id).Type == "blob" }) {
		e.p("\t\"io\"")
	}
	if slices.ContainsFunc(e.shapes, e.isEvents) {
		e.p("\t\"iter\"")
	}
	if slices.ContainsFunc(e.shapes, func(id string) bool { return e.m.shape(id).Type == "timestamp" }) {
		e.p("\t\"time\"")
	}
	e.p("")
	e.p("\t\"devstack/emulators/wire\"")
	e.p(")")
}

func (e *emitter) isStream(id string) bool { return e.m.shape(id).Traits.has("smithy.api#streaming") }

// api writes the interface that the service implements, and register.
func (e *emitter) api() {
	iface, register, model := e.lower("api"), e.lower("register"), e.lower("model")
	e.p("")
	e.p("// %s is the operations of operations.txt; one that the service lacks does not compile.", iface)
	e.p("type %s interface {", iface)
	for _, id := range e.ops {
		if n := name(id); e.wanted[n] {
			e.p("\t%s(context.Context, *%s) (*%s, error)", n, e.typeName(e.input(id)), e.typeName(e.output(id)))
		}
	}
	e.p("}")
	e.p("")
	e.p("// %s returns the service as the wire wants it.", register)
	e.p("func %s(s %s) *wire.Service {", register, iface)
	e.p("\treturn wire.NewService(&%s, map[string]wire.Handler{", model)
	for _, id := range e.ops {
		if n := name(id); e.wanted[n] {
			e.p("\t\t%q: wire.Handle(s.%s),", n, n)
		}
	}
	e.p("\t})")
	e.p("}")
}

// errors writes a constructor for each error.
func (e *emitter) errors() {
	for _, id := range e.shapes {
		s := e.m.shape(id)
		if !s.Traits.has("smithy.api#error") || e.shared[name(id)] {
			continue
		}
		fn := "err" + e.prefix + upper(strings.TrimPrefix(name(id), "Err"))
		e.p("")
		e.p("// %s makes the error %s, HTTP status %d.", fn, name(id), e.status(s))
		e.p("func %s(format string, args ...any) *wire.Error {", fn)
		e.p("\treturn wire.Errorf(%q, %d, format, args...)", name(id), e.status(s))
		e.p("}")
	}
}

// status is the HTTP status of an error: the trait of the older protocols, or of HTTP, or by whose fault it is.
func (e *emitter) status(s *shape) int {
	var q struct{ HTTPResponseCode int }
	if s.Traits.into("aws.protocols#awsQueryError", &q) && q.HTTPResponseCode != 0 {
		return q.HTTPResponseCode
	}
	status := 0
	if s.Traits.into("smithy.api#httpError", &status) {
		return status
	}
	if s.Traits.text("smithy.api#error") == "server" {
		return 500
	}
	return 400
}

// types writes a struct for each structure and union.
func (e *emitter) types() {
	inputs, outputs := map[string]string{}, map[string]string{}
	for _, id := range e.ops {
		if e.wanted[name(id)] {
			inputs[e.input(id)], outputs[e.output(id)] = name(id), name(id)
		}
	}
	for _, id := range e.shapes {
		s := e.m.shape(id)
		if s.Type != "structure" && s.Type != "union" || e.shared[name(id)] || s.Traits.has("smithy.api#error") || s.Traits.has(goType) {
			continue
		}
		e.p("")
		switch t := e.typeName(id); {
		case inputs[id] != "":
			e.p("// %s is the input of %s.", t, inputs[id])
		case outputs[id] != "":
			e.p("// %s is the output of %s.", t, outputs[id])
		case s.Type == "union":
			e.p("// %s is the model's union %s: one of its members is set.", t, name(id))
		default:
			e.p("// %s is the model's structure %s.", t, name(id))
		}
		e.p("type %s struct {", e.typeName(id))
		for _, m := range s.Members {
			e.p("\t%s %s", upper(m.Name), e.fieldType(m.Target))
		}
		e.p("}")
	}
}

// typeName is the Go name of a structure.
func (e *emitter) typeName(id string) string {
	n := name(id)
	if e.shared[n] {
		return upper(n)
	}
	return e.prefix + upper(n)
}

// fieldType is the Go type of a structure's field: scalars and structures by pointer, so that "not given" can be told.
func (e *emitter) fieldType(id string) string {
	if e.isEvents(id) {
		return "iter.Seq2[" + e.typeName(id) + ", error]"
	}
	switch s := e.m.shape(id); s.Type {
	case "list", "set", "map", "blob", "document":
		return e.valueType(id)
	default:
		return "*" + e.valueType(id)
	}
}

// goType is the trait that names the package's own type for a shape.
const goType = "devstack#goType"

// valueType is the Go type of a list's element or a map's value.
func (e *emitter) valueType(id string) string {
	s := e.m.shape(id)
	if own := s.Traits.text(goType); own != "" {
		return own
	}
	sparse := ""
	if s.Traits.has("smithy.api#sparse") {
		sparse = "*"
	}
	nullable := func(target string) string {
		t := e.valueType(target)
		if sparse != "" && (strings.HasPrefix(t, "[]") || strings.HasPrefix(t, "map[") || t == "any") {
			return t // nil already
		}
		return sparse + t
	}
	switch s.Type {
	case "structure", "union":
		return e.typeName(id)
	case "list", "set":
		return "[]" + nullable(s.Member.Target)
	case "map":
		return "map[string]" + nullable(s.Value.Target)
	case "blob":
		if e.isStream(id) {
			return "io.Reader"
		}
		return "[]byte"
	case "boolean":
		return "bool"
	case "byte":
		return "int8"
	case "short":
		return "int16"
	case "integer", "intEnum":
		return "int32"
	case "long":
		return "int64"
	case "float":
		return "float32"
	case "double":
		return "float64"
	case "timestamp":
		return "time.Time"
	case "document":
		return "any"
	case "string", "enum", "bigInteger", "bigDecimal":
		return "string"
	}
	panic(fmt.Sprintf("%s: no Go type for %s", id, s.Type))
}

// enums writes the values of each enumeration as constants.
func (e *emitter) enums() {
	for _, id := range e.shapes {
		s := e.m.shape(id)
		if s.Type != "enum" || len(s.Members) == 0 || e.shared[name(id)] {
			continue
		}
		e.p("")
		e.p("// Values of %s.", name(id))
		e.p("const (")
		seen := map[string]bool{}
		for _, m := range s.Members {
			n := e.prefix + upper(name(id)) + camel(m.Name)
			if !seen[n] {
				e.p("\t%s = %q", n, enumValue(m))
			}
			seen[n] = true
		}
		e.p(")")
	}
}

func enumValue(m *member) string {
	if v := m.Traits.text("smithy.api#enumValue"); v != "" {
		return v
	}
	return m.Name
}

// lower prefixes one of the generated package-level names: api, or streamsAPI with the prefix Streams.
func (e *emitter) lower(n string) string {
	if e.prefix == "" {
		return n
	}
	if n == "api" {
		n = "API"
	}
	return strings.ToLower(e.prefix[:1]) + e.prefix[1:] + upper(n)
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// camel turns PAY_PER_REQUEST into PayPerRequest and leaves what has lower-case letters already.
func camel(s string) string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == '_' || r == '-' || r == '.' || r == ':' || r == '/' || r == ' ' }) {
		if strings.ToUpper(word) == word {
			word = strings.ToLower(word)
		}
		b.WriteString(upper(word))
	}
	return b.String()
}

// number writes a bound as Go does.
func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
