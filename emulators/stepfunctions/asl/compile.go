package asl

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"devstack/emulators/stepfunctions/jsonpath"
	"devstack/emulators/stepfunctions/value"
)

// The codes of diagnostics. NotSupported is ours: it names a feature of the language that devstack does not do.
const (
	InvalidJSON       = "INVALID_JSON_DESCRIPTION"
	SchemaFailed      = "SCHEMA_VALIDATION_FAILED"
	MissingTransition = "MISSING_TRANSITION_TARGET"
	MissingEnd        = "MISSING_END_STATE"
	DuplicateState    = "DUPLICATE_STATE_NAME"
	NotSupported      = "NOT_SUPPORTED"
)

const (
	msgTimestamp = "String does not match RFC3339 timestamp" // recorded answer
	maxNested    = 100                                       // branches in branches, conditions in conditions
	maxTimeout   = 99_999_999                                // seconds
	maxStateName = 80                                        // characters
)

// Diagnostic is one thing that is wrong with a definition.
type Diagnostic struct {
	Code     string
	Message  string
	Location string // "/States/X/Next"; "" if it has none
}

// String writes the diagnostic as in the message of InvalidDefinition. One without a place is "at null" there.
func (d Diagnostic) String() string {
	at := d.Location
	if at == "" {
		at = "null"
	}
	return d.Code + ": " + d.Message + " at " + at
}

// Compile reads a definition. It returns every diagnostic, or none and the machine. An express machine has no patterns that
// wait.
func Compile(text string, express bool) (*Machine, []Diagnostic) {
	c := &compiler{express: express, names: map[string]bool{}}
	v, err := value.Decode(text)
	var syntax *value.SyntaxError
	if errors.As(err, &syntax) {
		place := fmt.Sprintf("[Source: (String)\"%s\"; line: %d, column: %d]", clipped(text), syntax.Line, syntax.Column)
		return nil, []Diagnostic{{InvalidJSON, syntax.Message + "\n at " + place, place}}
	}
	o, ok := v.(*value.Object)
	if !ok {
		return nil, []Diagnostic{{Code: SchemaFailed, Message: "Definition must be a valid JSON object"}}
	}
	m := c.machine(o, "", 0)
	if len(c.diags) == 0 {
		c.graph(m, "")
	}
	if len(c.diags) > 0 {
		return nil, c.diags
	}
	return m, nil
}

// clipped shortens a source as Jackson does in its messages.
func clipped(text string) string {
	if len(text) > 500 {
		return strings.ToValidUTF8(text[:500], "") + "\"[truncated " + strconv.Itoa(len(text)-500) + " chars]"
	}
	return text
}

type compiler struct {
	express bool
	diags   []Diagnostic
	names   map[string]bool // of all states, at every depth
}

func (c *compiler) report(code, at, format string, args ...any) {
	if at == "" {
		at = "/"
	}
	c.diags = append(c.diags, Diagnostic{code, fmt.Sprintf(format, args...), at})
}

func (c *compiler) schema(at, format string, args ...any) {
	c.report(SchemaFailed, at, format, args...)
}

// expected complains of a value's type. The words are a guess.
func (c *compiler) expected(at, kind string) { c.schema(at, "Expected value of type %s", kind) }

// unsupported refuses a feature by its name.
func (c *compiler) unsupported(at, feature string) {
	c.report(NotSupported, at, "devstack does not support %s", feature)
}

// variable refuses a path that uses a workflow variable, and reports whether it was one.
func (c *compiler) variable(err error, field, at string) bool {
	if !errors.Is(err, jsonpath.ErrVariable) {
		return false
	}
	c.unsupported(at+"/"+field, jsonpath.ErrVariable.Error())
	return true
}

func index(at string, i int) string { return at + "[" + strconv.Itoa(i) + "]" }

// node is an object of the definition and its place.
type node struct {
	c  *compiler
	o  *value.Object
	at string
}

func (c *compiler) node(o *value.Object, at string) node { return node{c, o, at} }

// require complains of fields that are missing, all at once.
func (n node) require(fields ...string) bool {
	var missing []string
	for _, f := range fields {
		if _, ok := n.o.Get(f); !ok {
			missing = append(missing, f)
		}
	}
	if missing != nil {
		n.c.schema(n.at, "These fields are required: [%s]", strings.Join(missing, ", "))
	}
	return missing == nil
}

// allow complains of every field that is not among the given ones.
func (n node) allow(fields ...string) {
	for _, k := range n.o.Keys() {
		if !slices.Contains(fields, k) {
			n.c.schema(n.at, "Field '%s' is not supported", k)
		}
	}
}

func (n node) has(field string) bool {
	_, ok := n.o.Get(field)
	return ok
}

func (n node) text(field string) string {
	v, ok := n.o.Get(field)
	s, isText := v.(string)
	if ok && !isText {
		n.c.expected(n.at+"/"+field, "String")
	}
	return s
}

func (n node) boolean(field string) bool {
	v, ok := n.o.Get(field)
	b, isBool := v.(bool)
	if ok && !isBool {
		n.c.expected(n.at+"/"+field, "Boolean")
	}
	return b
}

// integer reads a whole number within bounds, otherwise if there is none.
func (n node) integer(field string, least, most, otherwise int64) int64 {
	v, ok := n.o.Get(field)
	if !ok {
		return otherwise
	}
	num, isNum := v.(json.Number)
	i, err := num.Int64()
	switch {
	case !isNum || err != nil:
		n.c.expected(n.at+"/"+field, "Integer")
	case i < least || i > most: // the words are a guess
		n.c.schema(n.at+"/"+field, "Value must be between %d and %d", least, most)
	default:
		return i
	}
	return otherwise
}

func (n node) object(field string) *value.Object {
	v, ok := n.o.Get(field)
	o, isObject := v.(*value.Object)
	if ok && !isObject {
		n.c.expected(n.at+"/"+field, "Object")
	}
	return o
}

// list reads an array, which may not be empty if it is there.
func (n node) list(field string) []any {
	v, ok := n.o.Get(field)
	l, isList := v.([]any)
	switch {
	case ok && !isList:
		n.c.expected(n.at+"/"+field, "Array")
	case ok && len(l) == 0:
		n.c.schema(n.at+"/"+field, "Value cannot be empty") // recorded answer, of Branches
	}
	return l
}

// strings reads an array of strings.
func (n node) strings(field string) []string {
	var out []string
	for i, v := range n.list(field) {
		s, ok := v.(string)
		if !ok {
			n.c.expected(index(n.at+"/"+field, i), "String")
		}
		out = append(out, s)
	}
	return out
}

// path reads a path.
func (n node) path(field string) *jsonpath.Path {
	if !n.has(field) {
		return nil
	}
	text := n.text(field)
	p, err := jsonpath.Parse(text)
	if err != nil && !n.c.variable(err, field, n.at) {
		n.c.schema(n.at+"/"+field, "Value is not a valid JSONPath") // from memory of AWS's answers
	}
	return p
}

// referencePath reads a path that names one place.
func (n node) referencePath(field string) *jsonpath.Path {
	p := n.path(field)
	if p != nil && !p.Reference() {
		n.c.schema(n.at+"/"+field, "Value is not a Reference Path: The path '%s' does not select one place", p) // the last words are a guess
	}
	return p
}

// pathField reads a path that may be null.
func (n node) pathField(field string) PathField {
	if v, ok := n.o.Get(field); ok && v == nil {
		return PathField{Null: true}
	}
	return PathField{Path: n.path(field)}
}

// number reads a number that may also be given by a path in a second field.
func (n node) number(field string, least, most int64) Number {
	if n.has(field) && n.has(field+"Path") {
		n.c.schema(n.at, "Only one of these fields is allowed: [%s, %sPath]", field, field) // the words are a guess
	}
	return Number{Value: n.integer(field, least, most, 0), Path: n.path(field + "Path")}
}

func (n node) template(field string) *Template {
	v, ok := n.o.Get(field)
	if !ok {
		return nil
	}
	return n.c.template(v, n.at+"/"+field)
}

// machine compiles a definition or a branch.
func (c *compiler) machine(o *value.Object, at string, depth int) *Machine {
	n := c.node(o, at)
	m := &Machine{States: map[string]*State{}}
	if depth > maxNested {
		c.schema(at, "States nest too deep")
		return m
	}
	if !n.require("States", "StartAt") {
		return m
	}
	if at == "" {
		n.allow("Comment", "StartAt", "States", "TimeoutSeconds", "Version", "QueryLanguage")
		c.language(n)
		m.Timeout = time.Duration(n.integer("TimeoutSeconds", 1, maxTimeout, 0)) * time.Second
		if v := n.text("Version"); n.has("Version") && v != "1.0" {
			c.schema(at+"/Version", "Version must be '1.0'") // the words are a guess
		}
	}
	m.StartAt = n.text("StartAt")
	states := n.object("States")
	if states == nil {
		return m
	}
	if states.Len() == 0 {
		c.schema(at+"/States", "Value cannot be empty")
	}
	for _, name := range states.Keys() {
		v, _ := states.Get(name)
		m.order = append(m.order, name)
		m.States[name] = c.state(name, v, at+"/States/"+name, depth)
	}
	return m
}

// language reads a QueryLanguage and refuses the one that we do not do.
func (c *compiler) language(n node) {
	switch l := n.text("QueryLanguage"); {
	case !n.has("QueryLanguage") || l == string(JSONPath):
	case l == "JSONata":
		c.unsupported(n.at+"/QueryLanguage", "the query language JSONata")
	default:
		c.schema(n.at+"/QueryLanguage", "The field 'QueryLanguage' should have one of these values: [JSONPath, JSONata]")
	}
}
