package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// protocols by Smithy trait, in the order of preference for an answer to a client that does not say.
var protocols = []struct{ trait, constant string }{
	{"aws.protocols#awsJson1_0", "wire.AWSJSON10"},
	{"aws.protocols#awsJson1_1", "wire.AWSJSON11"},
	{"aws.protocols#awsQuery", "wire.AWSQuery"},
	{"aws.protocols#ec2Query", "wire.EC2Query"},
	{"aws.protocols#restJson1", "wire.RestJSON1"},
	{"aws.protocols#restXml", "wire.RestXML"},
	{"smithy.protocols#rpcv2Cbor", "wire.RPCv2CBOR"},
}

var kinds = map[string]string{
	"structure": "Structure", "union": "Union", "list": "List", "set": "List", "map": "Map", "string": "String", "enum": "String",
	"blob": "Blob", "boolean": "Boolean", "byte": "Byte", "short": "Short", "integer": "Integer", "intEnum": "Integer",
	"long": "Long", "float": "Float", "double": "Double", "bigInteger": "BigInteger", "bigDecimal": "BigDecimal",
	"timestamp": "Timestamp", "document": "Document",
}

var formats = map[string]string{"epoch-seconds": "wire.EpochSeconds", "date-time": "wire.DateTime", "http-date": "wire.HTTPDate"}

// model writes the table that the wire reads. It is one composite literal of constants, so it costs a process that does not
// use the service neither time nor memory.
func (e *emitter) model() {
	s := e.m.shape(e.m.service)
	ns, serviceName, _ := strings.Cut(e.m.service, "#")
	var sig struct{ Name string }
	s.Traits.into("aws.auth#sigv4", &sig)
	var api struct{ EndpointPrefix string }
	s.Traits.into("aws.api#service", &api)
	var xmlns struct{ URI string }
	s.Traits.into("smithy.api#xmlNamespace", &xmlns)
	var spoken []string
	for _, p := range protocols {
		if s.Traits.has(p.trait) {
			spoken = append(spoken, p.constant)
		}
	}
	service := e.service
	if e.prefix != "" {
		service += strings.ToLower(e.prefix)
	}
	e.p("")
	e.p("var %s = wire.Model{", e.lower("model"))
	e.p("Service: %q, Name: %q, Namespace: %q, Version: %q,", service, serviceName, ns, s.Version)
	e.p("SigningName: %q, EndpointPrefix: %q, XMLNamespace: %q,", sig.Name, api.EndpointPrefix, xmlns.URI)
	e.traits(s.Traits)
	e.p("Protocols: []wire.Protocol{%s},", strings.Join(spoken, ", "))
	e.p("Operations: []wire.Operation{")
	for _, id := range e.ops {
		e.operation(id)
	}
	e.p("},")
	e.p("Shapes: []wire.Shape{")
	for i, id := range e.shapes {
		e.shape(i, id)
	}
	e.p("},")
	e.p("}")
}

// traits writes what is peculiar to a service. The traits of devstack are set by overrides.
func (e *emitter) traits(t traits) {
	if t.has("aws.protocols#awsQueryCompatible") {
		e.p("QueryCompat: true,")
	}
	var rest struct{ NoErrorWrapping bool }
	if t.into("aws.protocols#restXml", &rest); rest.NoErrorWrapping {
		e.p("UnwrappedError: true,")
	}
	for _, s := range []struct{ trait, field string }{
		{"devstack#errorNamespace", "ErrorNamespace"}, {"devstack#validationCode", "ValidationCode"}, {"devstack#checkPrefix", "CheckPrefix"},
	} {
		if v := t.text(s.trait); v != "" {
			e.p("%s: %q,", s.field, v)
		}
	}
	if t.has("devstack#hideValues") {
		e.p("HideValues: true,")
	}
	if t.has("devstack#crc32") {
		e.p("CRC32: true,")
	}
}

func (e *emitter) operation(id string) {
	op := e.m.shape(id)
	in, out := -1, -1
	var flags, errs []string
	if e.wanted[name(id)] {
		in, out = e.index[e.input(id)], e.index[e.output(id)]
		flags = append(flags, "wire.OpImplemented")
		for _, er := range op.Errors {
			errs = append(errs, fmt.Sprint(e.index[er.Target]))
		}
	}
	fields := []string{fmt.Sprintf("Name: %q, Input: %d, Output: %d", name(id), in, out)}
	var http struct {
		Method, URI string
		Code        int
	}
	if op.Traits.into("smithy.api#http", &http) {
		if http.Code == 0 {
			http.Code = 200
		}
		fields = append(fields, fmt.Sprintf("Method: %q, URI: %q, Status: %d", http.Method, http.URI, http.Code))
	}
	if op.Traits.has("aws.customizations#s3UnwrappedXmlOutput") {
		flags = append(flags, "wire.OpUnwrappedXML")
	}
	if op.Traits.has("devstack#newChecks") {
		flags = append(flags, "wire.OpNewChecks")
	}
	if op.Traits.has("devstack#firstEnum") {
		flags = append(flags, "wire.OpFirstEnum")
	}
	if len(errs) > 0 {
		fields = append(fields, "Errors: []int{"+strings.Join(errs, ", ")+"}")
	}
	if len(flags) > 0 {
		fields = append(fields, "Flags: "+strings.Join(flags, " | "))
	}
	e.p("{%s},", strings.Join(fields, ", "))
}

func (e *emitter) shape(i int, id string) {
	s := e.m.shape(id)
	var f, flags []string
	add := func(format string, args ...any) { f = append(f, fmt.Sprintf(format, args...)) }
	add("Name: %q, Kind: wire.%s", name(id), kinds[s.Type])
	f = append(f, e.constraints(s.Traits)...)
	if s.Type == "enum" {
		var values []string
		for _, m := range s.Members {
			values = append(values, fmt.Sprintf("%q", enumValue(m)))
		}
		add("Enum: []string{%s}", strings.Join(values, ", "))
	}
	var order []string // as the service's messages list the values
	if s.Traits.into("devstack#enumOrder", &order) {
		f = slices.DeleteFunc(f, func(x string) bool { return strings.HasPrefix(x, "Enum: ") })
		add("Enum: %#v", order)
	}
	var old []struct{ Value string } // Smithy 1.0's enum trait
	if s.Traits.into("smithy.api#enum", &old) {
		var values []string
		for _, v := range old {
			values = append(values, fmt.Sprintf("%q", v.Value))
		}
		add("Enum: []string{%s}", strings.Join(values, ", "))
	}
	if v := e.rootName(id, s); v != "" {
		add("XMLName: %q", v)
	}
	f = append(f, xmlNamespace(s.Traits)...)
	if s.Traits.has("smithy.api#error") {
		add("ErrorStatus: %d", e.status(s))
		var q struct{ Code string }
		if s.Traits.into("aws.protocols#awsQueryError", &q) && q.Code != "" && q.Code != name(id) {
			add("ErrorCode: %q", q.Code)
		}
	}
	for _, t := range []struct{ trait, flag string }{
		{"smithy.api#sparse", "Sparse"}, {"smithy.api#sensitive", "Sensitive"}, {"devstack#boundsFirst", "BoundsFirst"},
		{"devstack#lastFirst", "LastFirst"},
	} {
		if s.Traits.has(t.trait) {
			flags = append(flags, "wire."+t.flag)
		}
	}
	if len(flags) > 0 {
		add("Flags: %s", strings.Join(flags, " | "))
	}
	ms := e.membersOf(s)
	if len(ms) == 0 {
		e.p("%d: {%s},", i, strings.Join(f, ", "))
		return
	}
	e.p("%d: {%s, Members: []wire.Member{", i, strings.Join(f, ", "))
	for _, m := range ms {
		e.member(m)
	}
	e.p("}},")
}

// rootName is the element of a structure that is a document, where the shape's own name is not: in REST-XML that is the
// model's name of an output, whatever we call it.
func (e *emitter) rootName(id string, s *shape) string {
	if v := s.Traits.text("smithy.api#xmlName"); v != "" {
		return v
	}
	if e.renamed[id] != "" && e.m.shape(e.m.service).Traits.has("aws.protocols#restXml") {
		return e.renamed[id]
	}
	return ""
}

func (e *emitter) member(m *member) {
	var f, flags []string
	add := func(format string, args ...any) { f = append(f, fmt.Sprintf(format, args...)) }
	add("Name: %q, Shape: %d", m.Name, e.index[m.Target])
	wireName, location := memberPlace(m.Traits)
	if wireName != "" {
		add("WireName: %q", wireName)
	}
	if n := m.Traits.text("smithy.api#xmlName"); n != "" {
		add("XMLName: %q", n)
	}
	if location != "" {
		add("Location: wire.%s", location)
	}
	f = append(f, e.constraints(m.Traits)...)
	f = append(f, xmlNamespace(m.Traits)...)
	for _, t := range []struct{ trait, flag string }{
		{"smithy.api#required", "Required"}, {"smithy.api#xmlFlattened", "FlattenedMember"}, {"smithy.api#xmlAttribute", "XMLAttribute"},
		{"smithy.api#idempotencyToken", "IdempotencyToken"}, {"smithy.api#eventHeader", "EventHeader"}, {"smithy.api#eventPayload", "EventPayload"},
	} {
		if m.Traits.has(t.trait) {
			flags = append(flags, "wire."+t.flag)
		}
	}
	if m.Traits.text("smithy.api#mediaType") == "application/json" || e.m.shape(m.Target).Traits.text("smithy.api#mediaType") == "application/json" {
		flags = append(flags, "wire.JSONValue")
	}
	if len(flags) > 0 {
		add("Flags: %s", strings.Join(flags, " | "))
	}
	e.p("{%s},", strings.Join(f, ", "))
}

// memberPlace returns where a member travels and under which name.
func memberPlace(t traits) (wireName, location string) {
	for _, p := range []struct{ trait, location string }{
		{"smithy.api#httpQuery", "InQuery"}, {"smithy.api#httpHeader", "InHeader"}, {"smithy.api#httpPrefixHeaders", "InPrefixHeaders"},
	} {
		if t.has(p.trait) {
			return t.text(p.trait), p.location
		}
	}
	for _, p := range []struct{ trait, location string }{
		{"smithy.api#httpLabel", "InURI"}, {"smithy.api#httpQueryParams", "InQueryParams"},
		{"smithy.api#httpPayload", "InPayload"}, {"smithy.api#httpResponseCode", "InStatus"},
	} {
		if t.has(p.trait) {
			location = p.location
		}
	}
	if n := t.text("aws.protocols#ec2QueryName"); n != "" {
		return n, location
	}
	return t.text("smithy.api#jsonName"), location
}

// constraints writes a shape's or member's bounds, pattern and timestamp format.
func (e *emitter) constraints(t traits) []string {
	var f []string
	var b struct{ Min, Max *json.Number }
	if t.into("smithy.api#length", &b) || t.into("smithy.api#range", &b) {
		var parts []string
		for _, x := range []struct {
			n     *json.Number
			field string
		}{{b.Min, "Min"}, {b.Max, "Max"}} {
			if x.n != nil {
				v, _ := x.n.Float64()
				parts = append(parts, fmt.Sprintf("%s: %s, Has%s: true", x.field, number(v), x.field))
			}
		}
		f = append(f, "Bounds: &wire.Bounds{"+strings.Join(parts, ", ")+"}")
	}
	if p := t.text("smithy.api#pattern"); p != "" {
		f = append(f, fmt.Sprintf("Pattern: %q", p))
	}
	if tf := t.text("smithy.api#timestampFormat"); tf != "" {
		f = append(f, "TimestampFormat: "+formats[tf])
	}
	sort.Strings(f)
	return f
}

func xmlNamespace(t traits) []string {
	var ns struct{ URI, Prefix string }
	if !t.into("smithy.api#xmlNamespace", &ns) {
		return nil
	}
	f := []string{fmt.Sprintf("XMLNamespace: %q", ns.URI)}
	if ns.Prefix != "" {
		f = append(f, fmt.Sprintf("XMLPrefix: %q", ns.Prefix))
	}
	return f
}
