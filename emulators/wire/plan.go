package wire

import (
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync"
	"time"

	"devstack/internal/jsontext"
)

// plan is how a shape of the model lies in a Go type. It is worked out once per pair, so that a codec at work compares no
// names and asks no tags: it walks the plan and the value together.
type plan struct {
	shape  *Shape
	kind   Kind
	typ    reflect.Type
	fields []field        // structure, union: its members; list: its element; map: key and value
	byJSON map[string]int // the same by name in JSON, where there are too many to look through
	check  checks         // what of it there is to check
	plain  *plan          // of the plain type, where typ is Compact
	events *plan          // of the events, where typ is a stream of them
}

// field is a member in its place.
type field struct {
	*Member
	plan    *plan
	index   int    // of the Go struct's field
	ptr     bool   // the Go value is a pointer to the plan's type
	sparse  bool   // an element that may be null
	json    string // its name in JSON
	jsonKey string // `"Name":`
	ownKey  string // the same with the model's name
	xml     string // its element
}

type planKey struct {
	shape int
	typ   reflect.Type
}

// planner makes the plans of a model, each when it is first wanted.
type planner struct {
	model *Model
	mu    sync.Mutex
	plans map[planKey]*plan
}

func newPlanner(m *Model) *planner { return &planner{model: m, plans: map[planKey]*plan{}} }

// plan returns the plan of a shape in a Go type, which is not a pointer. A type that does not fit its shape is a mistake of
// the generator, and panics.
func (p *planner) plan(shape int, t reflect.Type) *plan {
	p.mu.Lock()
	defer p.mu.Unlock()
	pl := p.build(shape, t)
	p.markChecks(pl)
	return pl
}

func (p *planner) build(shape int, t reflect.Type) *plan {
	key := planKey{shape, t}
	if pl := p.plans[key]; pl != nil {
		return pl
	}
	s := &p.model.Shapes[shape]
	pl := &plan{shape: s, kind: s.Kind, typ: t}
	p.plans[key] = pl // before its members: shapes may contain themselves
	if reflect.PointerTo(t).Implements(compactType) {
		pl.plain = p.build(shape, plainOf(reflect.New(t).Elem()).Type())
		return pl
	}
	if isEvents(t) {
		pl.events = p.build(shape, eventOf(t))
		return pl
	}
	if want, ok := goTypes[s.Kind]; ok && t != want && !(s.Kind == Blob && t == readerType) {
		panic(fmt.Sprintf("wire: %s is a %s in Go, not a %s", s.Name, want, t))
	}
	switch s.Kind {
	case Structure, Union:
		pl.fields = make([]field, len(s.Members))
		for i := range s.Members {
			m := &s.Members[i]
			sf, ok := t.FieldByName(goName(m.Name))
			if !ok {
				panic(fmt.Sprintf("wire: %s has no field for %s.%s", t, s.Name, m.Name))
			}
			pl.fields[i] = p.field(m, sf.Type)
			pl.fields[i].index = sf.Index[0]
		}
		if len(pl.fields) > 6 {
			pl.byJSON = make(map[string]int, len(pl.fields))
			for i := range pl.fields {
				pl.byJSON[pl.fields[i].json] = i
			}
		}
	case List:
		el := p.field(&s.Members[0], t.Elem())
		el.sparse = s.Flags&Sparse != 0
		pl.fields = []field{el}
	case Map:
		val := p.field(&s.Members[1], t.Elem())
		val.sparse = s.Flags&Sparse != 0
		pl.fields = []field{p.field(&s.Members[0], t.Key()), val}
	}
	return pl
}

func (p *planner) field(m *Member, t reflect.Type) field {
	f := field{Member: m, json: m.WireName, xml: m.XMLName}
	if f.json == "" || m.Location != InBody && m.Location != InPayload {
		f.json = m.Name
	}
	if f.xml == "" {
		f.xml = m.Name
	}
	f.jsonKey = string(jsontext.AppendString(nil, f.json)) + ":"
	f.ownKey = string(jsontext.AppendString(nil, m.Name)) + ":"
	if t.Kind() == reflect.Pointer {
		f.ptr, t = true, t.Elem()
	}
	f.plan = p.build(m.Shape, t)
	return f
}

var (
	readerType = reflect.TypeFor[io.Reader]()
	goTypes    = map[Kind]reflect.Type{
		String: reflect.TypeFor[string](), Blob: reflect.TypeFor[[]byte](), Boolean: reflect.TypeFor[bool](),
		Byte: reflect.TypeFor[int8](), Short: reflect.TypeFor[int16](), Integer: reflect.TypeFor[int32](),
		Long: reflect.TypeFor[int64](), Float: reflect.TypeFor[float32](), Double: reflect.TypeFor[float64](),
		BigInteger: reflect.TypeFor[string](), BigDecimal: reflect.TypeFor[string](),
		Timestamp: reflect.TypeFor[time.Time](), Document: reflect.TypeFor[any](),
	}
)

// goName is the name of a member's field in Go.
func goName(member string) string { return strings.ToUpper(member[:1]) + member[1:] }

// byName finds a field by its name in JSON. Members mostly come in the model's order, so the one after the last, the hint, is
// tried first.
func (p *plan) byName(name []byte, hint int) int {
	if hint < len(p.fields) && p.fields[hint].json == string(name) {
		return hint
	}
	if p.byJSON != nil {
		if i, ok := p.byJSON[string(name)]; ok {
			return i
		}
		return -1
	}
	for i := range p.fields {
		if p.fields[i].json == string(name) {
			return i
		}
	}
	return -1
}

// byModelName finds a field by the model's name. The case of the first letter does not count: Step Functions and
// CloudFormation write TableName where the model may say tableName.
func (p *plan) byModelName(name []byte) int {
	for i := range p.fields {
		if n := p.fields[i].Name; len(n) == len(name) && n[1:] == string(name[1:]) && n[0]|0x20 == name[0]|0x20 {
			return i
		}
	}
	return -1
}

// target returns where a field's value goes: the Go field itself, or what its pointer is made to point at.
func (f *field) target(v reflect.Value) reflect.Value {
	if !f.ptr {
		return v
	}
	p := reflect.New(f.plan.typ)
	v.Set(p)
	return p.Elem()
}

// given returns a field's value and whether there is one.
func (f *field) given(v reflect.Value) (reflect.Value, bool) {
	switch {
	case f.ptr:
		if v.IsNil() {
			return v, false
		}
		return v.Elem(), true
	case v.Kind() == reflect.Slice, v.Kind() == reflect.Map, v.Kind() == reflect.Interface, v.Kind() == reflect.Func:
		return v, !v.IsNil()
	}
	return v, true
}
