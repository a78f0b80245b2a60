package wire

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// sibling is a second service with the signing name of the first, as apigateway has two.
func sibling() *Service {
	s := testService()
	s.Model.Service, s.Model.Name, s.Model.Version, s.Model.EndpointPrefix = "sibling", "Sibling", "2021-01-01", "streams.thing"
	for i := range s.Model.Operations {
		s.Model.Operations[i].URI = "/v2" + s.Model.Operations[i].URI
	}
	return s
}

func TestRouting(t *testing.T) {
	s := NewServer(Config{Services: []*Service{testService(), sibling()}, NewID: func() string { return "id" }})
	const scoped = "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/thing/aws4_request, Signature=0"
	for _, tt := range []struct {
		name, request string // method, URL, then headers by line
		want          string // service.operation, or the error
	}{
		{"by target", "POST /\nX-Amz-Target: Sibling.Who", "sibling.Who"},
		{"by target, whatever the signature says", "POST /\nX-Amz-Target: Thing_20200101.Who\nAuthorization: " + strings.Replace(scoped, "/thing/", "/other/", 1), "thing.Who"},
		{"by RPC path", "POST /service/Sibling/operation/Who\nSmithy-Protocol: rpc-v2-cbor", "sibling.Who"},
		{"by RPC path with a prefix and a namespace", "POST /some/where/service/com.amazonaws.Sibling/operation/Who\nSmithy-Protocol: rpc-v2-cbor", "sibling.Who"},
		{"one signing name, told apart by path", "GET /v2/who\nAuthorization: " + scoped, "sibling.Who"},
		{"one signing name, told apart by path again", "GET /who\nAuthorization: " + scoped, "thing.Who"},
		{"by host", "GET /v2/who\nHost: streams.thing.us-east-1.amazonaws.com", "sibling.Who"},
		{"by path alone", "GET /v2/who", "sibling.Who"},
		{"by action and version", "GET /?Action=Who&Version=2021-01-01", "sibling.Who"},
		{"by action, the version unsaid", "GET /?Action=Who", "thing.Who"},
		{"by version 4a's scope without a region", "GET /who\nAuthorization: AWS4-ECDSA-P256-SHA256 Credential=x/20260101/thing/aws4_request", "thing.Who"},
		{"an application's own Authorization", "GET /who\nAuthorization: Bearer Credential=nothing", "thing.Who"},
		{"a slash at the end", "GET /who/", "thing.Who"},
		{"an operation that nobody has", "GET /nobody", "UnknownService"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lines := strings.Split(tt.request, "\n")
			method, url, _ := strings.Cut(lines[0], " ")
			r := httptest.NewRequest(method, "http://localhost:4566"+url, http.NoBody)
			for _, l := range lines[1:] {
				k, v, _ := strings.Cut(l, ": ")
				if r.Header.Set(k, v); k == "Host" {
					r.Host = v
				}
			}
			x := &exchange{server: s, r: r}
			got := ""
			if err := x.route(); err != nil {
				got = err.(*Error).Code
			} else {
				got = x.service.Model.Service + "." + x.op.Name
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestURIPatterns(t *testing.T) {
	for _, tt := range []struct{ pattern, path, want string }{
		{"/", "/", ""},
		{"/things", "/things", ""},
		{"/things", "/thing", "no"},
		{"/things/{Id}", "/things/a%2Fb%20c", "Id=a/b c"},
		{"/things/{Id}", "/things/", "no"},
		{"/things/{Id}", "/things/a/b", "no"},
		{"/{Bucket}", "/b/", "Bucket=b"},
		{"/{Bucket}/{Key+}", "/b/a/b//c/", "Bucket=b Key=a/b//c/"},
		{"/{Bucket}/{Key+}", "/b/", "no"},
		{"/{Path+}/tail/{Id}", "/a/b/tail/c", "Path=a/b Id=c"},
		{"/{Path+}/tail", "/tail", "no"},
		{"/a?x", "/a?x=1", ""},
		{"/a?x=2", "/a?x=1", "no"},
		{"/a?x-id=Op", "/a", ""},
		{"/tags/{Arn}", "/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A0%3Afunction%3Af", "Arn=arn:aws:lambda:us-east-1:0:function:f"},
	} {
		path, q, _ := strings.Cut(tt.path, "?")
		query, err := parseForm(q)
		if err != nil {
			t.Fatal(err)
		}
		p := parseURI("GET", tt.pattern)
		var parts []string
		labels, ok := p.match("GET", path, query, make([]uriLabel, 0, 8))
		for _, l := range labels {
			parts = append(parts, l.name+"="+l.value)
		}
		got := strings.Join(parts, " ")
		if !ok {
			got = "no"
		}
		if got != tt.want {
			t.Errorf("%s of %s: got %q, want %q", tt.path, tt.pattern, got, tt.want)
		}
	}
}

func TestStatsCount(t *testing.T) {
	s := testServer(t)
	ask(t, s, "POST", "/", `{"TableName":"abc"}`, jsonTarget("Put"))
	ask(t, s, "POST", "/", `{}`, jsonTarget("Absent"))
	ask(t, s, "POST", "/", `{}`, jsonTarget("Nothing"))
	_ = s.Call(t.Context(), "thing", "Who", nil, nil)
	_ = s.Call(t.Context(), "thing", "Nothing", nil, nil)
	st := s.Stats().Services[0]
	if st.Calls["Put"] != 1 || st.Calls["Who"] != 1 || st.NotImplemented["Absent"] != 1 || st.Unknown["Nothing"] != 2 || st.Operations != 4 || st.Implemented != 3 {
		t.Errorf("%+v", st)
	}
}
