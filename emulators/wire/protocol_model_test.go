package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// The published protocol cases come with models in botocore's format. This file makes Models and Go types of them.

type caseSuite struct {
	Description    string
	Metadata       caseMetadata
	ClientEndpoint string
	Shapes         map[string]*caseShape
	Cases          []*protocolCase
}

type caseMetadata struct {
	Protocol, APIVersion, JSONVersion, TargetPrefix string
	AwsQueryCompatible                              *struct{}
	XMLNamespace                                    string
}

type protocolCase struct {
	ID    string
	Given struct {
		Name string
		HTTP struct {
			Method, RequestURI string
			ResponseCode       int
		}
		Input, Output *caseRef
		Errors        []caseRef
	}
	Params     json.RawMessage
	Serialized struct {
		Method, URI, Body, Host string
		Headers                 map[string]string
	}
	Result       json.RawMessage
	Error        json.RawMessage
	ErrorCode    string
	ErrorMessage string
	Response     struct {
		Status  int `json:"status_code"`
		Headers map[string]string
		Body    string
	}
}

type caseRef struct {
	Shape, LocationName, Location string
	Flattened, XMLAttribute       bool
	IdempotencyToken              bool
	JSONValue                     bool
	QueryName                     string
	TimestampFormat               string
	XMLNamespace                  *caseNamespace
}

type caseNamespace struct{ URI, Prefix string }

// UnmarshalJSON reads a namespace, which may be just its URI.
func (n *caseNamespace) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		return json.Unmarshal(b, &n.URI)
	}
	type plain caseNamespace
	return json.Unmarshal(b, (*plain)(n))
}

type caseShape struct {
	Type                       string
	Members                    map[string]caseRef
	Required                   []string
	Payload                    string
	Member, Key, Value         caseRef
	Flattened, Document, Union bool
	Exception                  bool
	LocationName               string
	TimestampFormat            string
	XMLNamespace               *caseNamespace
	Enum                       []string
	Error                      struct {
		Code           string
		HTTPStatusCode int
		SenderFault    bool
	}
}

var caseProtocols = map[string]Protocol{
	"ec2": EC2Query, "query": AWSQuery, "rest-json": RestJSON1, "rest-xml": RestXML, "smithy-rpc-v2-cbor": RPCv2CBOR,
}

func (m caseMetadata) protocol() Protocol {
	if m.Protocol == "json" {
		if m.JSONVersion == "1.0" {
			return AWSJSON10
		}
		return AWSJSON11
	}
	return caseProtocols[m.Protocol]
}

// maxUnroll is how often a structure that contains itself is repeated: reflect cannot make recursive types, so the shapes
// are unrolled, and each level is a shape of its own. The cases nest less.
const maxUnroll = 5

// caseModel converts a suite's shapes as one operation of it wants them.
type caseModel struct {
	t     *testing.T
	suite *caseSuite
	m     *Model
	made  map[string]int
	types []reflect.Type
}

func newCaseModel(t *testing.T, s *caseSuite) *caseModel {
	md := s.Metadata
	m := &Model{
		Service: "cases", Name: md.TargetPrefix, Namespace: "aws.protocoltests", Version: md.APIVersion, SigningName: "cases",
		Protocols: []Protocol{md.protocol()}, QueryCompat: md.AwsQueryCompatible != nil,
	}
	return &caseModel{t: t, suite: s, m: m, made: map[string]int{}}
}

// shape adds a shape and its Go type, and returns its index. depth counts how often each structure encloses itself.
func (c *caseModel) shape(name string, depth map[string]int) int {
	s := c.suite.Shapes[name]
	if s == nil {
		c.t.Fatalf("no shape %s", name)
	}
	key := fmt.Sprint(name, depth)
	if i, ok := c.made[key]; ok {
		return i
	}
	if s.Type != "structure" && s.Type != "list" && s.Type != "map" {
		key = name
	}
	i := len(c.m.Shapes)
	c.made[key] = i
	c.m.Shapes = append(c.m.Shapes, Shape{})
	c.types = append(c.types, nil)
	var form ShapeFlags
	if p := c.m.Protocols[0]; p == AWSQuery || p == EC2Query {
		form = inForm
	}
	sh := Shape{Name: name, Flags: form, Enum: s.Enum, XMLName: s.LocationName, TimestampFormat: caseFormat(s.TimestampFormat)}
	if s.Flattened {
		sh.Flags |= Flattened
	}
	if strings.HasPrefix(name, "Sparse") { // the format has lost the trait
		sh.Flags |= Sparse
	}
	if s.XMLNamespace != nil {
		sh.XMLNamespace, sh.XMLPrefix = s.XMLNamespace.URI, s.XMLNamespace.Prefix
	}
	var typ reflect.Type
	switch {
	case s.Document:
		sh.Kind, typ = Document, goTypes[Document]
	case s.Type == "structure":
		sh.Kind = Structure
		sh.Members, typ = c.members(s, name, depth)
		if s.Exception || s.Error.HTTPStatusCode != 0 {
			if sh.ErrorStatus = s.Error.HTTPStatusCode; sh.ErrorStatus == 0 {
				sh.ErrorStatus = 400
			}
			sh.ErrorCode = s.Error.Code
		}
	case s.Type == "list":
		sh.Kind = List
		m, t := c.member("member", s.Member, depth)
		sh.Members, typ = []Member{m}, reflect.SliceOf(nullable(t))
	case s.Type == "map":
		sh.Kind = Map
		k, _ := c.member("key", s.Key, depth)
		v, t := c.member("value", s.Value, depth)
		sh.Members, typ = []Member{k, v}, reflect.MapOf(reflect.TypeFor[string](), nullable(t))
	default:
		sh.Kind = caseKinds[s.Type]
		typ = goTypes[sh.Kind]
		if typ == nil {
			c.t.Fatalf("no kind for %s", s.Type)
		}
	}
	c.m.Shapes[i], c.types[i] = sh, typ
	return i
}

var caseKinds = map[string]Kind{
	"string": String, "character": String, "blob": Blob, "boolean": Boolean, "byte": Byte, "short": Short, "integer": Integer, "long": Long,
	"float": Float, "double": Double, "timestamp": Timestamp, "bigdecimal": BigDecimal, "biginteger": BigInteger,
}

// nullable makes elements pointers: the cases do not say which lists are sparse.
func nullable(t reflect.Type) reflect.Type {
	switch t.Kind() {
	case reflect.Slice, reflect.Map, reflect.Interface:
		return t
	}
	return reflect.PointerTo(t)
}

func (c *caseModel) members(s *caseShape, name string, depth map[string]int) ([]Member, reflect.Type) {
	depth = maps.Clone(depth)
	if depth[name]++; depth[name] > maxUnroll {
		return nil, reflect.TypeFor[struct{}]()
	}
	var ms []Member
	var fields []reflect.StructField
	for _, mn := range slices.Sorted(maps.Keys(s.Members)) {
		m, t := c.member(mn, s.Members[mn], depth)
		if s.Payload == mn {
			m.Location = InPayload
			if m.XMLName == mn {
				m.XMLName = "" // the format says it of every payload; the element is the structure's
			}
		}
		if slices.Contains(s.Required, mn) {
			m.Flags |= Required
		}
		ms = append(ms, m)
		fields = append(fields, reflect.StructField{Name: goName(mn), Type: nullable(t)})
	}
	return ms, reflect.StructOf(fields)
}

func (c *caseModel) member(name string, r caseRef, depth map[string]int) (Member, reflect.Type) {
	i := c.shape(r.Shape, depth)
	if c.types[i] == nil {
		c.t.Fatalf("%s contains itself without a structure between", r.Shape)
	}
	m := Member{Name: name, Shape: i, WireName: r.LocationName, XMLName: r.LocationName, TimestampFormat: caseFormat(r.TimestampFormat)}
	switch r.Location {
	case "uri":
		m.Location = InURI
	case "querystring":
		m.Location = InQuery
		if c.m.Shapes[i].Kind == Map {
			m.Location = InQueryParams
		}
	case "header":
		m.Location = InHeader
	case "headers":
		m.Location = InPrefixHeaders
	case "statusCode":
		m.Location = InStatus
	}
	if c.m.Protocols[0] == EC2Query {
		m.WireName = r.QueryName
	}
	if r.XMLNamespace != nil {
		m.XMLNamespace, m.XMLPrefix = r.XMLNamespace.URI, r.XMLNamespace.Prefix
	}
	for flag, on := range map[MemberFlags]bool{FlattenedMember: r.Flattened, XMLAttribute: r.XMLAttribute, IdempotencyToken: r.IdempotencyToken, JSONValue: r.JSONValue} {
		if on {
			m.Flags |= flag
		}
	}
	return m, c.types[i]
}

func caseFormat(s string) Format {
	return map[string]Format{"iso8601": DateTime, "rfc822": HTTPDate, "unixTimestamp": EpochSeconds}[s]
}

// structure returns the shape and the type of an input or output, an empty one where there is none.
func (c *caseModel) structure(r *caseRef) (int, reflect.Type) {
	if r == nil {
		c.m.Shapes = append(c.m.Shapes, Shape{Name: "Unit", Kind: Structure})
		c.types = append(c.types, reflect.TypeFor[struct{}]())
		return len(c.m.Shapes) - 1, c.types[len(c.types)-1]
	}
	i := c.shape(r.Shape, map[string]int{})
	if r.LocationName != "" {
		c.m.Shapes[i].XMLName = r.LocationName
	}
	if r.XMLNamespace != nil {
		c.m.Shapes[i].XMLNamespace = r.XMLNamespace.URI
	}
	return i, c.types[i]
}

// caseJSON parses a case's values; long numbers keep their digits.
func caseJSON(t *testing.T, raw json.RawMessage) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var x any
	if err := d.Decode(&x); err != nil && len(raw) > 0 {
		t.Fatal(err)
	}
	return x
}

// floats turns the numbers of a document into what a document holds.
func floats(x any) any {
	switch x := x.(type) {
	case json.Number:
		f, _ := x.Float64()
		return f
	case []any:
		for i := range x {
			x[i] = floats(x[i])
		}
	case map[string]any:
		for k := range x {
			x[k] = floats(x[k])
		}
	}
	return x
}

// caseValue sets v to what a case's params or result say: blobs and big numbers as text, times in seconds.
func caseValue(t *testing.T, f *field, x any, v reflect.Value) {
	t.Helper()
	if x == nil {
		return
	}
	if f.ptr {
		v = f.target(v)
	}
	p := f.plan
	switch p.kind {
	case Structure, Union:
		m, ok := x.(map[string]any)
		if !ok {
			t.Fatalf("%s: %v is no structure", p.shape.Name, x)
		}
		for i := range p.fields {
			if y, ok := m[p.fields[i].Name]; ok {
				caseValue(t, &p.fields[i], y, v.Field(p.fields[i].index))
			}
		}
	case List:
		v.Set(reflect.MakeSlice(p.typ, 0, 0))
		for _, y := range x.([]any) {
			el := reflect.New(p.typ.Elem()).Elem()
			caseValue(t, p.element(), y, el)
			v.Set(reflect.Append(v, el))
		}
	case Map:
		v.Set(reflect.MakeMap(p.typ))
		for k, y := range x.(map[string]any) {
			el := reflect.New(p.typ.Elem()).Elem()
			caseValue(t, &p.fields[1], y, el)
			v.SetMapIndex(reflect.ValueOf(k), el)
		}
	case Blob:
		v.SetBytes([]byte(x.(string)))
	case Timestamp:
		v.Set(reflect.ValueOf(epochMillis(floats(x).(float64))))
	case Document:
		v.Set(reflect.ValueOf(floats(x)))
	case String:
		s, ok := x.(string)
		if !ok { // a JSON value
			b, err := json.Marshal(x)
			if err != nil {
				t.Fatal(err)
			}
			s = string(b)
		}
		v.SetString(s)
	case BigInteger, BigDecimal:
		v.SetString(fmt.Sprint(x))
	case Boolean:
		v.SetBool(x.(bool))
	case Float, Double:
		if s, ok := x.(string); ok {
			y, ok := specialFloat(s)
			if !ok {
				t.Fatalf("%q is no float", s)
			}
			v.SetFloat(y)
			return
		}
		v.SetFloat(floats(x).(float64))
	default:
		n, err := x.(json.Number).Int64()
		if err != nil {
			t.Fatal(err)
		}
		v.SetInt(n)
	}
}

func epochMillis(x float64) time.Time { return time.UnixMilli(int64(math.Round(x * 1000))).UTC() }

// same compares two values of one plan: NaN is itself, JSON in strings is compared as JSON, and an idempotency token that the
// case does not give is the client's own.
func same(p *plan, want, got reflect.Value, at string) []string {
	var diffs []string
	for i := range p.fields {
		f := &p.fields[i]
		path := at + "." + f.Name
		w, wok := f.given(want.Field(f.index))
		g, gok := f.given(got.Field(f.index))
		if !wok && gok && (f.Flags&IdempotencyToken != 0) {
			continue
		}
		if f.Location == InQueryParams {
			w, wok = withoutNamed(p, w)
			g, gok = withoutNamed(p, g)
		}
		if wok != gok && unspoken(p, f, w, g) {
			continue
		}
		if wok != gok {
			diffs = append(diffs, fmt.Sprintf("%s: want %v, got %v", path, show(want.Field(f.index)), show(got.Field(f.index))))
			continue
		}
		if wok {
			diffs = append(diffs, sameValue(f, w, g, path)...)
		}
	}
	return diffs
}

// withoutNamed takes the parameters that have a member of their own out of the map of all parameters: the published cases
// have them in the map or not, as it happens.
func withoutNamed(p *plan, m reflect.Value) (reflect.Value, bool) {
	rest := reflect.MakeMap(m.Type())
	for _, k := range m.MapKeys() {
		if !slices.ContainsFunc(p.fields, func(f field) bool { return f.Location == InQuery && f.WireName == k.String() }) {
			rest.SetMapIndex(k, m.MapIndex(k))
		}
	}
	return rest, rest.Len() > 0
}

// unspoken reports whether two values differ only in what does not travel: a form, a header and a query string say nothing of
// an empty list or map, and a structure that is the whole body is there even if it is empty.
func unspoken(p *plan, f *field, w, g reflect.Value) bool {
	switch f.plan.kind {
	case List, Map:
		return g.Len() == 0 && w.Len() == 0 && (f.Location != InBody || p.shape.Flags&inForm != 0)
	case Structure, Union:
		return f.Location == InPayload
	}
	return false
}

// inForm marks the shapes of Query cases.
const inForm ShapeFlags = 1 << 7

func show(v reflect.Value) string {
	b, _ := json.Marshal(v.Interface())
	return string(b)
}

func sameValue(f *field, w, g reflect.Value, at string) []string {
	p := f.plan
	bad := []string{fmt.Sprintf("%s: want %s, got %s", at, show(w), show(g))}
	element := func(el *field, w, g reflect.Value, at string) []string {
		w, wok := el.given(w)
		g, gok := el.given(g)
		if wok != gok {
			return bad
		}
		if !wok {
			return nil
		}
		return sameValue(el, w, g, at)
	}
	var diffs []string
	switch p.kind {
	case Structure, Union:
		return same(p, w, g, at)
	case List:
		if w.Len() != g.Len() {
			return bad
		}
		for i := range w.Len() {
			diffs = append(diffs, element(p.element(), w.Index(i), g.Index(i), fmt.Sprint(at, "[", i, "]"))...)
		}
		return diffs
	case Map:
		if w.Len() != g.Len() {
			return bad
		}
		for _, k := range w.MapKeys() {
			x := g.MapIndex(k)
			if !x.IsValid() {
				return bad
			}
			diffs = append(diffs, element(&p.fields[1], w.MapIndex(k), x, at+"["+k.String()+"]")...)
		}
		return diffs
	case Float, Double:
		if w.Float() == g.Float() || math.IsNaN(w.Float()) && math.IsNaN(g.Float()) || math.Abs(w.Float()-g.Float()) < 1e-6 {
			return nil
		}
		return bad
	case Timestamp:
		if w.Interface().(time.Time).Equal(g.Interface().(time.Time)) {
			return nil
		}
		return bad
	case Blob:
		if string(w.Bytes()) == string(g.Bytes()) {
			return nil
		}
		return bad
	case String:
		if f.Member != nil && f.Flags&JSONValue != 0 && sameJSON(w.String(), g.String()) {
			return nil
		}
	}
	if reflect.DeepEqual(w.Interface(), g.Interface()) {
		return nil
	}
	return bad
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

// caseURI puts the members' names for the labels' in a URI.
func caseURI(uri string, s *Shape) string {
	for _, m := range s.Members {
		if m.Location == InURI && m.WireName != "" {
			uri = strings.NewReplacer("{"+m.WireName+"}", "{"+m.Name+"}", "{"+m.WireName+"+}", "{"+m.Name+"+}").Replace(uri)
		}
	}
	return uri
}
