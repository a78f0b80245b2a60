package wire

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

// readAnswer reads an answer as a client of the protocol would.
func readAnswer(t *testing.T, p Protocol, op *operation, status int, h http.Header, body []byte) reflect.Value {
	t.Helper()
	v := reflect.New(op.out.typ).Elem()
	if err := readHeaders(op.out, v, status, h); err != nil {
		t.Fatal(err)
	}
	if i := op.outPlace.payload; i >= 0 && (p == RestJSON1 || p == RestXML) {
		f := &op.out.fields[i]
		x := &exchange{r: &http.Request{ContentLength: int64(len(body))}, read: true, buf: &body}
		structure := restJSONBody
		if p == RestXML {
			structure = restXMLBody
		}
		if err := payloadIn(f, v.Field(f.index), x, structure); err != nil {
			t.Fatal(err)
		}
		return v
	}
	if len(body) == 0 {
		return v
	}
	var err error
	switch p {
	case RPCv2CBOR:
		err = decodeCBOR(body, op.out, v)
	case AWSQuery, EC2Query, RestXML:
		var n *xmlNode
		if n, err = parseXML(body); err != nil {
			break
		}
		if p == AWSQuery {
			if n = n.kidNamed(op.Name + "Result"); n == nil {
				return v
			}
		}
		err = xmlStructure(op.out, n, v, false)
	default:
		err = decodeJSON(body, op.out, v, false)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (n *xmlNode) kidNamed(name string) *xmlNode {
	for _, k := range n.kids {
		if k.name == name {
			return k
		}
	}
	return nil
}

// readHeaders reads the members that travel in the head of an answer.
func readHeaders(p *plan, v reflect.Value, status int, h http.Header) error {
	for i := range p.fields {
		f := &p.fields[i]
		dst := v.Field(f.index)
		switch f.Location {
		case InStatus:
			f.target(dst).SetInt(int64(status))
		case InHeader:
			if err := decodeHeader(f, dst, &exchange{r: &http.Request{Header: h}}); err != nil {
				return err
			}
		case InPrefixHeaders:
			h = h.Clone()
			for _, transport := range []string{"Content-Length", "Content-Type", "X-Amzn-Requestid", "X-Amz-Request-Id", "Date"} {
				h.Del(transport)
			}
			decodePrefixHeaders(f, dst, h)
		}
	}
	return nil
}

func TestProtocolOutputs(t *testing.T) {
	eachCase(t, "output", func(t *testing.T, file string, s *caseSuite, c *protocolCase) {
		if len(c.Result) == 0 {
			testErrorCase(t, s, c)
			return
		}
		var out any
		server, op, _ := caseServer(t, s, c, func(any) (any, error) { return out, nil })
		want := reflect.New(op.out.typ)
		out = want.Interface()
		caseValue(t, &field{plan: op.out}, caseJSON(t, c.Result), want.Elem())
		w := serveCase(t, server, s, c)
		if want := max(c.Response.Status, 200); w.Code != want {
			t.Errorf("status %d, want %d", w.Code, want)
		}
		got := readAnswer(t, s.Metadata.protocol(), op, w.Code, w.Header(), w.Body.Bytes())
		for _, d := range same(op.out, want.Elem(), got, "") {
			t.Error("read from our answer: " + d)
		}
		body := []byte(c.Response.Body)
		if s.Metadata.protocol() == RPCv2CBOR {
			body = []byte(unbase64(t, c.Response.Body))
		}
		published := readAnswer(t, s.Metadata.protocol(), op, c.Response.Status, canonical(c.Response.Headers), body)
		for _, d := range same(op.out, want.Elem(), published, "") {
			t.Error("read from the published answer: " + d)
		}
		compareAnswers(t, file, s, c, w, body)
		if t.Failed() {
			t.Logf("published: %v\n%s\nours: %v\n%s", c.Response.Headers, c.Response.Body, w.Header(), w.Body)
		}
	})
}

func canonical(h map[string]string) http.Header {
	c := http.Header{}
	for k, v := range h {
		c.Set(k, v)
	}
	return c
}

// serveCase asks the server for the operation of a case, by the protocol of the case.
func serveCase(t *testing.T, server *Server, s *caseSuite, c *protocolCase) *httptest.ResponseRecorder {
	t.Helper()
	op := server.byName["cases"].lookups().operations[c.Given.Name]
	method, uri, body := "POST", "/", ""
	switch s.Metadata.protocol() {
	case RPCv2CBOR:
		uri = "/service/" + s.Metadata.TargetPrefix + "/operation/" + c.Given.Name
	case RestJSON1, RestXML:
		method, uri = c.Given.HTTP.Method, c.Given.HTTP.RequestURI
		if strings.Contains(uri, "{") {
			t.Fatalf("the case has labels: %s", uri)
		}
	case AWSQuery, EC2Query:
		body = "Action=" + op.Name + "&Version=" + s.Metadata.APIVersion
	}
	r := httptest.NewRequest(method, "http://localhost"+uri, strings.NewReader(body))
	for k, v := range clientHeaders(s, c) {
		r.Header.Set(k, v)
	}
	if s.Metadata.protocol() == RPCv2CBOR {
		r.Header.Set("Smithy-Protocol", "rpc-v2-cbor")
	}
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	return w
}

// variants are answers that a client must be able to read and that a server would write in another way. What is read from ours
// is the same.
var variants = map[string]string{
	"ec2/Ec2QueryDateTimeWithNegativeOffset":       otherZone,
	"ec2/Ec2QueryDateTimeWithPositiveOffset":       otherZone,
	"json/AwsJson11DateTimeWithNegativeOffset":     otherZone,
	"json/AwsJson11DateTimeWithPositiveOffset":     otherZone,
	"query/AwsQueryDateTimeWithNegativeOffset":     otherZone,
	"query/AwsQueryDateTimeWithPositiveOffset":     otherZone,
	"rest-json/RestJsonDateTimeWithNegativeOffset": otherZone,
	"rest-json/RestJsonDateTimeWithPositiveOffset": otherZone,
	"rest-xml/RestXmlDateTimeWithNegativeOffset":   otherZone,
	"rest-xml/RestXmlDateTimeWithPositiveOffset":   otherZone,

	"json/handles_unexpected_json_output":                                      unknownMembers,
	"json_1_0/AwsJson10HandlesUnexpectedJsonOutput":                            unknownMembers,
	"json/AwsJson11DeserializeIgnoreType":                                      unknownMembers,
	"json_1_0/AwsJson10DeserializeIgnoreType":                                  unknownMembers,
	"rest-json/RestJsonDeserializeIgnoreType":                                  unknownMembers,
	"smithy-rpc-v2-cbor/RpcV2CborExtraFieldsInTheBodyShouldBeSkippedByClients": unknownMembers,
	"smithy-rpc-v2-cbor/RpcV2CborPayloadWithUnsetUnion":                        unknownMembers,

	"rest-json/RestJsonDoesntDeserializeNullStructureValues":                 nulls,
	"json/AwsJson11StructuresDontDeserializeNullValues":                      nulls,
	"json_1_0/AwsJson10DeserializeAllowNulls":                                nulls,
	"rest-json/RestJsonDeserializesDenseSetMapAndSkipsNull":                  nulls,
	"smithy-rpc-v2-cbor/RpcV2CborDeserializesDenseSetMapAndSkipsNull":        nulls,
	"smithy-rpc-v2-cbor/RpcV2CborClientDoesntDeserializeNullStructureValues": nulls,

	"ec2/Ec2XmlEmptyLists": "the case's content type lacks EC2's charset",
}

const (
	otherZone      = "AWS writes times in UTC"
	unknownMembers = "the answer has members that the model does not know"
	nulls          = "a server leaves out what is not there"
)

// compareAnswers compares our answer with the published one, as parsed.
func compareAnswers(t *testing.T, file string, s *caseSuite, c *protocolCase, w *httptest.ResponseRecorder, body []byte) {
	t.Helper()
	var diffs []string
	for k, v := range c.Response.Headers {
		if k == "Content-Type" && w.Body.Len() == 0 {
			continue // no content, no type
		}
		if k == "X-Amz-Target" {
			continue // of requests; one case has it here by mistake
		}
		if got := w.Header().Get(k); got != v {
			diffs = append(diffs, fmt.Sprintf("header %s: want %q, got %q", k, v, got))
		}
	}
	want, got := parsedBody(t, s.Metadata.protocol(), body), parsedBody(t, s.Metadata.protocol(), w.Body.Bytes())
	nothing := want == nil && isEmpty(got)               // servers send the protocol's empty structure, the cases often nothing
	if !nothing && fmt.Sprint(want) != fmt.Sprint(got) { // as text, where NaN is NaN
		diffs = append(diffs, fmt.Sprintf("want %v\n got %v", want, got))
	}
	reason := variants[file+"/"+c.ID]
	switch {
	case len(diffs) > 0 && reason == "":
		t.Error("not the published answer:\n" + strings.Join(diffs, "\n"))
	case len(diffs) == 0 && reason != "":
		t.Errorf("is the published answer, but is listed as a variant: %s", reason)
	}
}

func isEmpty(x any) bool {
	switch x := x.(type) {
	case map[string]any:
		return len(x) == 0
	case map[any]any:
		return len(x) == 0
	case string:
		return strings.HasSuffix(x, "()")
	}
	return x == nil
}

// parsedBody parses a body by a parser that is not ours, where there is one.
func parsedBody(t *testing.T, p Protocol, body []byte) any {
	t.Helper()
	if len(body) == 0 {
		return nil
	}
	var x any
	var err error
	switch p {
	case RPCv2CBOR:
		err = cbor.Unmarshal(body, &x)
	case AWSQuery, EC2Query, RestXML:
		n, xerr := parseXML(body)
		if xerr != nil {
			return string(body)
		}
		return n.outline()
	default:
		if json.Unmarshal(body, &x) != nil {
			return string(body)
		}
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	return x
}

// outline is an element as text, what it contains in order.
func (n *xmlNode) outline() string {
	if len(n.kids) == 0 {
		return n.name + "=" + strings.TrimSpace(n.text)
	}
	var kids []string
	for _, k := range n.kids {
		if k.name != "RequestId" && k.name != "RequestID" && k.name != "ResponseMetadata" && k.name != "requestId" {
			kids = append(kids, k.outline())
		}
	}
	slices.Sort(kids) // maps have no order; that of lists is seen where answers are read
	return n.name + "(" + strings.Join(kids, " ") + ")"
}

// testErrorCase has the operation fail with a case's error and reads the answer as a client would.
func testErrorCase(t *testing.T, s *caseSuite, c *protocolCase) {
	t.Helper()
	var cause error
	server, _, cm := caseServer(t, s, c, func(any) (any, error) { return nil, cause })
	svc := server.byName["cases"]
	code := c.Given.Errors[0].Shape
	index := svc.lookups().errors[code]
	p := svc.planner.plan(index, cm.types[index])
	want, fields := reflect.New(p.typ).Elem(), caseJSON(t, c.Error)
	caseValue(t, &field{plan: p}, fields, want)
	e := Errorf(code, max(c.Response.Status, 400), "%s", c.ErrorMessage)
	for i := range p.fields {
		f := &p.fields[i]
		if v, ok := f.given(want.Field(f.index)); ok && !strings.EqualFold(f.Name, "message") {
			e = e.With(f.Name, v.Interface())
		}
	}
	cause = e
	w := serveCase(t, server, s, c)
	if w.Code != e.Status {
		t.Errorf("status %d, want %d", w.Code, e.Status)
	}
	gotCode, got := readError(t, s.Metadata.protocol(), p, w)
	if gotCode != c.ErrorCode {
		t.Errorf("code %q, want %q", gotCode, c.ErrorCode)
	}
	for _, d := range same(p, want, got, "") {
		t.Error(d)
	}
	if t.Failed() {
		t.Logf("published: %v\n%s\nours: %v\n%s", c.Response.Headers, c.Response.Body, w.Header(), w.Body)
	}
}

// readError reads an error's code and members as a client does.
func readError(t *testing.T, p Protocol, pl *plan, w *httptest.ResponseRecorder) (code string, v reflect.Value) {
	t.Helper()
	v = reflect.New(pl.typ).Elem()
	body := w.Body.Bytes()
	var err error
	switch p {
	case AWSQuery, EC2Query, RestXML:
		n, err := parseXML(body)
		if err != nil {
			t.Fatal(err)
		}
		if n.name == "Response" {
			n = n.kidNamed("Errors")
		}
		if n.name != "Error" {
			n = n.kidNamed("Error")
		}
		code = n.kidNamed("Code").text
		if err := xmlStructure(pl, n, v, p == RestXML); err != nil {
			t.Fatal(err)
		}
	case RPCv2CBOR:
		var typed struct {
			Type string `cbor:"__type"`
		}
		if err := cbor.Unmarshal(body, &typed); err != nil {
			t.Fatal(err)
		}
		code = typed.Type
		err = decodeCBOR(body, pl, v)
	default:
		var typed struct {
			Type string `json:"__type"`
		}
		if err := json.Unmarshal(body, &typed); err != nil {
			t.Fatal(err)
		}
		code = typed.Type
		err = decodeJSON(body, pl, v, false)
	}
	if err != nil {
		t.Fatal(err)
	}
	if p == RestJSON1 {
		code = w.Header().Get("X-Amzn-Errortype")
	}
	if p == RestJSON1 || p == RestXML {
		if err := readHeaders(pl, v, w.Code, w.Header()); err != nil {
			t.Fatal(err)
		}
	}
	if legacy := w.Header().Get("X-Amzn-Query-Error"); legacy != "" {
		code, _, _ = strings.Cut(legacy, ";")
	}
	return code[strings.LastIndexByte(code, '#')+1:], v
}
