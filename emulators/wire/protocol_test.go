package wire

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// protocolCases reads the published cases of a direction: "input" or "output".
func protocolCases(t *testing.T, direction string) map[string][]*caseSuite {
	t.Helper()
	shared := os.Getenv("DEVSTACK_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	files, _ := filepath.Glob(filepath.Join(shared, "protocol-tests", direction, "*.json"))
	if len(files) == 0 {
		if os.Getenv("CI") != "" {
			t.Fatalf("no protocol cases in %s; DEVSTACK_SHARED names another folder", shared)
		}
		t.Skipf("no protocol cases in %s; DEVSTACK_SHARED names another folder", shared)
	}
	suites := map[string][]*caseSuite{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var s []*caseSuite
		if err := json.Unmarshal(b, &s); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		suites[strings.TrimSuffix(filepath.Base(f), ".json")] = s
	}
	return suites
}

// notForServers are the cases that say nothing about a server, with the reason.
var notForServers = map[string]string{
	"rest-json/SDKAppliedContentEncoding_restJson1":                    noBody,
	"rest-json/SDKAppendedGzipAfterProvidedEncoding_restJson1":         noBody,
	"rest-xml/SDKAppliedContentEncoding_restXml":                       noBody,
	"rest-xml/SDKAppendedGzipAfterProvidedEncoding_restXml":            noBody,
	"query/SDKAppliedContentEncoding_awsQuery":                         noBody,
	"query/SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsQuery":      noBody,
	"ec2/SDKAppliedContentEncoding_ec2Query":                           noBody,
	"ec2/SDKAppendsGzipAndIgnoresHttpProvidedEncoding_ec2Query":        noBody,
	"json/SDKAppliedContentEncoding_awsJson1_1":                        noBody,
	"json/SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsJson1_1":     noBody,
	"json_1_0/SDKAppliedContentEncoding_awsJson1_0":                    noBody,
	"json_1_0/SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsJson1_0": noBody,
}

const (
	noBody = "the case has parameters and a Content-Encoding header, but no body; TestGzip has one"
)

// clientHeaders are what every client sends; a case lists only the headers that it is about.
func clientHeaders(s *caseSuite, c *protocolCase) map[string]string {
	switch s.Metadata.protocol() {
	case AWSQuery, EC2Query:
		return map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	case AWSJSON10, AWSJSON11:
		return map[string]string{"X-Amz-Target": s.Metadata.TargetPrefix + "." + c.Given.Name}
	}
	return nil
}

// eachCase runs f for each case of a direction and prints how many passed.
func eachCase(t *testing.T, direction string, f func(*testing.T, string, *caseSuite, *protocolCase)) {
	passed, left := 0, 0
	seen := map[string]bool{}
	for file, suites := range protocolCases(t, direction) {
		for _, s := range suites {
			for _, c := range s.Cases {
				seen[file+"/"+c.ID] = true
				if reason := notForServers[file+"/"+c.ID]; reason != "" {
					left++
					continue
				}
				if t.Run(file+"/"+c.ID, func(t *testing.T) { f(t, file, s, c) }) {
					passed++
				}
			}
		}
	}
	table := notForServers
	if direction == "output" {
		table = variants
	}
	for id := range table {
		if !seen[id] {
			t.Errorf("%s is listed, but there is no such case", id)
		}
	}
	t.Logf("%s: %d cases passed, %d do not apply to a server", direction, passed, left)
}

// caseServer is a server with the one operation of a case.
func caseServer(t *testing.T, s *caseSuite, c *protocolCase, act func(any) (any, error)) (*Server, *operation, *caseModel) {
	cm := newCaseModel(t, s)
	in, inType := cm.structure(c.Given.Input)
	out, outType := cm.structure(c.Given.Output)
	for _, e := range c.Given.Errors {
		i := cm.shape(e.Shape, map[string]int{})
		cm.m.Shapes[i].ErrorStatus = max(cm.m.Shapes[i].ErrorStatus, 400)
	}
	op := Operation{Name: c.Given.Name, Input: in, Output: out, Flags: OpImplemented}
	if p := cm.m.Protocols[0]; p == RestJSON1 || p == RestXML {
		op.Method, op.URI, op.Status = c.Given.HTTP.Method, caseURI(c.Given.HTTP.RequestURI, &cm.m.Shapes[in]), c.Given.HTTP.ResponseCode
	}
	cm.m.Operations = []Operation{op}
	svc := NewService(cm.m, map[string]Handler{op.Name: {
		newInput: func() any { return reflect.New(inType).Interface() },
		act:      func(_ context.Context, in any) (any, error) { return act(in) },
		in:       inType,
		out:      outType,
	}})
	server := NewServer(Config{Services: []*Service{svc}, NewID: func() string { return cmp.Or(c.Response.Headers["X-Amzn-Requestid"], "requestid") }, Now: time.Now})
	o := server.byName["cases"].lookups().operations[op.Name]
	o.plans()
	return server, o, cm
}

func TestProtocolInputs(t *testing.T) {
	eachCase(t, "input", func(t *testing.T, _ string, s *caseSuite, c *protocolCase) {
		var got any
		server, op, _ := caseServer(t, s, c, func(in any) (any, error) { got = in; return nil, nil })
		body := c.Serialized.Body
		if s.Metadata.protocol() == RPCv2CBOR {
			body = unbase64(t, body)
		}
		_, mount, _ := strings.Cut(c.Serialized.Host, "/") // an endpoint's own path is where a server is mounted
		uri := strings.TrimPrefix(strings.TrimPrefix(c.Serialized.URI, "/"), mount)
		r := httptest.NewRequest(c.Serialized.Method, "http://localhost/"+strings.TrimPrefix(uri, "/"), strings.NewReader(body))
		for k, v := range clientHeaders(s, c) {
			r.Header.Set(k, v)
		}
		for k, v := range c.Serialized.Headers {
			r.Header.Set(k, v)
		}
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if got == nil {
			t.Fatalf("refused: %d %s", w.Code, w.Body)
		}
		want := reflect.New(op.in.typ).Elem()
		caseValue(t, &field{plan: op.in}, caseJSON(t, c.Params), want)
		for _, d := range same(op.in, want, reflect.ValueOf(got).Elem(), "") {
			t.Error(d)
		}
		if t.Failed() {
			t.Logf("%s %s %v\n%s", c.Serialized.Method, c.Serialized.URI, c.Serialized.Headers, c.Serialized.Body)
		}
	})
}

func unbase64(t *testing.T, s string) string {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
