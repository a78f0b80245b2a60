package wire

import (
	"encoding/base64"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestErrorShapes writes what each protocol answers to each kind of error, as testdata/errors.txt has it.
func TestErrorShapes(t *testing.T) {
	dynamo := testService()
	dynamo.Model.ErrorNamespace, dynamo.Model.CRC32, dynamo.Model.QueryCompat = "com.amazonaws.thing.v1", true, true
	s := NewServer(Config{Services: []*Service{dynamo}, NewID: func() string { return "request-1" }})
	xml := testService()
	xml.Model.Protocols, xml.Model.UnwrappedError = []Protocol{RestXML}, true
	s3 := NewServer(Config{Services: []*Service{xml}, NewID: func() string { return "request-1" }})
	ec2 := testService()
	ec2.Model.Protocols = []Protocol{EC2Query}
	ec2s := NewServer(Config{Services: []*Service{ec2}, NewID: func() string { return "request-1" }})

	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	cbor := map[string]string{"Smithy-Protocol": "rpc-v2-cbor"}
	scoped := map[string]string{"Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/thing/aws4_request, Signature=0"}
	how := string(append([]byte{cborMap<<5 | 1}, appendCBORText(appendCBORText(nil, "How"), "gone")...))
	var b strings.Builder
	for _, tt := range []struct {
		name, method, url, body string
		header                  map[string]string
		server                  *Server
	}{
		{"JSON: an error of the model", "POST", "/", `{"How":"gone"}`, jsonTarget("Fail"), s},
		{"JSON: an error wrapped by the service", "POST", "/", `{"How":"wrapped"}`, jsonTarget("Fail"), s},
		{"JSON: an error that is not AWS's", "POST", "/", `{"How":"internal"}`, jsonTarget("Fail"), s},
		{"JSON: a panic", "POST", "/", `{"How":"panic"}`, jsonTarget("Fail"), s},
		{"JSON: a violated constraint", "POST", "/", `{}`, jsonTarget("Put"), s},
		{"JSON: a number for a string", "POST", "/", `{"How":1}`, jsonTarget("Fail"), s},
		{"JSON: a map for a string", "POST", "/", `{"How":{}}`, jsonTarget("Fail"), s},
		{"JSON: a string for a number", "POST", "/", `{"Count":"1"}`, jsonTarget("Put"), s},
		{"JSON: not JSON", "POST", "/", `{"How`, jsonTarget("Fail"), s},
		{"JSON: an unknown operation", "POST", "/", `{}`, jsonTarget("Nothing"), s},
		{"JSON: an operation that we do not do", "POST", "/", `{}`, jsonTarget("Absent"), s},
		{"JSON: a service that we do not know", "POST", "/", `{}`, map[string]string{"X-Amz-Target": "Other_1.Do"}, s},
		{"Query: an error of the model", "POST", "/", "Action=Fail&Version=2020-01-01&How=gone", form, s},
		{"Query: an error that is not AWS's", "POST", "/", "Action=Fail&Version=2020-01-01&How=internal", form, s},
		{"Query: an unknown action", "POST", "/", "Action=Nothing&Version=2020-01-01", form, s},
		{"Query: an action that we do not do", "POST", "/", "Action=Absent&Version=2020-01-01", form, s},
		{"Query: a violated constraint", "POST", "/", "Action=Put&Version=2020-01-01", form, s},
		{"Query: an action of no service", "POST", "/", "Action=Put&Version=1999-01-01", form, s},
		{"EC2: an error of the model", "POST", "/", "Action=Fail&Version=2020-01-01&How=gone", form, ec2s},
		{"EC2: a signed request without an action", "GET", "/", "", scoped, ec2s},
		{"REST-JSON: an error of the model", "POST", "/fail", `{"How":"gone"}`, scoped, s},
		{"REST-JSON: a path that no operation has", "GET", "/nothing", "", scoped, s},
		{"REST-JSON: an operation that we do not do", "GET", "/absent", "", scoped, s},
		{"REST-JSON: a service that we do not know", "GET", "/nothing", "", map[string]string{"Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/other/aws4_request"}, s},
		{"REST-XML: an error of the model, as S3 has it", "POST", "/fail", `<FailInput><How>gone</How></FailInput>`, scoped, s3},
		{"REST-XML: not XML", "POST", "/fail", `<FailInput>`, scoped, s3},
		{"REST-XML: a method that no operation has", "PATCH", "/fail", "", scoped, s3},
		{"CBOR: an error of the model", "POST", "/service/Thing_20200101/operation/Fail", how, cbor, s},
		{"CBOR: an unknown operation", "POST", "/service/Thing_20200101/operation/Nothing", "", cbor, s},
		{"CBOR: no such path", "POST", "/operation/Nothing", "", cbor, s},
	} {
		status, body, h := ask(t, tt.server, tt.method, tt.url, tt.body, tt.header)
		fmt.Fprintf(&b, "-- %s --\n%d\n%s", tt.name, status, showHeader(h))
		if strings.HasPrefix(h.Get("Content-Type"), "application/cbor") {
			body = base64.StdEncoding.EncodeToString([]byte(body))
		}
		fmt.Fprintf(&b, "%s\n\n", body)
	}
	golden(t, "errors.txt", b.String())
}

func showHeader(h http.Header) string {
	var lines []string
	for k, v := range h {
		if k != "Content-Length" {
			lines = append(lines, k+": "+strings.Join(v, ", ")+"\n")
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wantLines, gotLines := strings.Split(string(want), "\n"), strings.Split(got, "\n")
	for i := range max(len(wantLines), len(gotLines)) {
		if i >= len(wantLines) || i >= len(gotLines) || wantLines[i] != gotLines[i] {
			t.Fatalf("%s:%d differs (go test -update rewrites it)\n%s", path, i+1, got)
		}
	}
}
