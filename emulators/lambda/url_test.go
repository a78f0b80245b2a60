package lambda

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"devstack/emulators/proxyevent"
	"devstack/internal/clock"
)

// urlOf makes a URL of f and returns what sends requests to it.
func urlOf(t *testing.T, s *Service, in CreateFunctionUrlConfigInput) (host string, do func(*http.Request) *httptest.ResponseRecorder) {
	t.Helper()
	in.FunctionName = new("f")
	if in.AuthType == nil {
		in.AuthType = new(FunctionUrlAuthTypeNone)
	}
	s.ListensOn(4566)
	out, err := s.CreateFunctionUrlConfig(t.Context(), &in)
	if err != nil {
		t.Fatal(err)
	}
	host = strings.TrimSuffix(strings.TrimPrefix(*out.FunctionUrl, "http://"), "/")
	if !strings.HasSuffix(host, ".lambda-url.us-east-1.localhost:4566") {
		t.Errorf("the URL is %s", *out.FunctionUrl)
	}
	return host, func(r *http.Request) *httptest.ResponseRecorder {
		if r.Host == "example.com" {
			r.Host = host
		}
		w := httptest.NewRecorder()
		s.URLHandler().ServeHTTP(w, r)
		return w
	}
}

func TestTheEventOfAFunctionURL(t *testing.T) {
	f := &scripted{answer: func(_ int, payload string) (*Outcome, error) { return &Outcome{Payload: []byte(payload)}, nil }}
	s := open(t, t.TempDir(), clock.Fixed(epoch), f, nil)
	host, do := urlOf(t, s, CreateFunctionUrlConfigInput{})
	id, _, _ := strings.Cut(host, ".")
	r := httptest.NewRequest("POST", "/pa2%25Fth/1?q=query&multiQuery=foo&multiQuery=%2Fbar", strings.NewReader(`{"foo": "bar"}`))
	r.RemoteAddr = "127.0.0.1:1234"
	r.Header = http.Header{"Content-Type": {"application/json"}, "Extra-Headers": {"With WeiRd CapS", "twice"}, "Cookie": {"a=b; c=d"}, "User-Agent": {"test/echo"}}
	w := do(r)
	requestID := w.Header().Get("X-Amzn-Requestid")
	want := `{"version":"2.0","routeKey":"$default","rawPath":"/pa2%Fth/1","rawQueryString":"q=query\u0026multiQuery=foo\u0026multiQuery=%2Fbar","cookies":["a=b","c=d"],` +
		`"headers":{"content-length":"14","content-type":"application/json","extra-headers":"With WeiRd CapS,twice","host":"HOST:4566","user-agent":"test/echo","x-forwarded-for":"127.0.0.1","x-forwarded-port":"4566","x-forwarded-proto":"http"},` +
		`"queryStringParameters":{"multiQuery":"foo,/bar","q":"query"},` +
		`"requestContext":{"accountId":"anonymous","apiId":"ID","domainName":"HOST","domainPrefix":"ID","http":{"method":"POST","path":"/pa2%Fth/1","protocol":"HTTP/1.1","sourceIp":"127.0.0.1","userAgent":"test/echo"},` +
		`"requestId":"REQUEST","routeKey":"$default","stage":"$default","time":"02/Jan/2026:03:04:05 +0000","timeEpoch":1767323045000},"body":"{\"foo\": \"bar\"}","isBase64Encoded":false}`
	want = strings.NewReplacer("HOST", proxyevent.Host(host), "ID", id, "REQUEST", requestID).Replace(want)
	if got := w.Body.String(); got != want || w.Code != 200 || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%d %v\n%s\nwant\n%s", w.Code, w.Header(), got, want)
	}
	form := httptest.NewRequest("POST", "/", strings.NewReader("a=b"))
	form.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if got := do(form).Body.String(); !strings.Contains(got, `"body":"YT1i","isBase64Encoded":true`) {
		t.Errorf("a form: %s", got)
	}
}

func TestAnswersOfAFunctionURL(t *testing.T) {
	big := strings.Repeat("x", maxPayload)
	for _, tt := range []struct {
		name    string
		config  CreateFunctionUrlConfigInput
		request func() *http.Request
		outcome Outcome
		status  int
		body    string
		header  string // "Name: value"
	}{
		{"a failure", CreateFunctionUrlConfigInput{}, nil, Outcome{Failed: true, Payload: []byte(`{"errorType":"Error","errorMessage":"no"}`)}, 502, "Internal Server Error", "X-Devstack-Error: Error: no"},
		{"a function that cannot be built", CreateFunctionUrlConfigInput{}, nil, Outcome{Failed: true, Payload: []byte(`{"errorType":"Runtime.BuildError","errorMessage":"line 1\nline 2"}`)}, 502, "line 1\nline 2\n", "Content-Type: text/plain; charset=utf-8"},
		{"no answer", CreateFunctionUrlConfigInput{}, nil, Outcome{Payload: []byte(`{"statusCode":"x"}`)}, 502, "Internal Server Error", ""},
		{"an answer", CreateFunctionUrlConfigInput{}, nil, Outcome{Payload: []byte(`{"statusCode":201,"headers":{"x-a":"b","connection":"close"},"cookies":["c=d"],"body":"aGk=","isBase64Encoded":true}`)}, 201, "hi", "Set-Cookie: c=d"},
		{"nobody has signed", CreateFunctionUrlConfigInput{AuthType: new(FunctionUrlAuthTypeAwsIam)}, nil, Outcome{}, 403, jsonForbidden, "X-Amzn-Errortype: AccessDeniedException"},
		{"somebody has signed for another service", CreateFunctionUrlConfigInput{AuthType: new(FunctionUrlAuthTypeAwsIam)}, func() *http.Request {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0")
			return r
		}, Outcome{}, 403, jsonForbidden, ""},
		{"too much", CreateFunctionUrlConfigInput{}, func() *http.Request { return httptest.NewRequest("POST", "/", strings.NewReader(big+"x")) }, Outcome{}, 413, jsonTooLarge, ""},
		{"too much in an event", CreateFunctionUrlConfigInput{}, func() *http.Request { return httptest.NewRequest("POST", "/", strings.NewReader(big)) }, Outcome{}, 413, jsonTooLarge, ""},
		{"another region", CreateFunctionUrlConfigInput{}, func() *http.Request {
			r := httptest.NewRequest("GET", "/", nil)
			r.Host = "abc.lambda-url.eu-west-1.on.aws"
			return r
		}, Outcome{}, 404, jsonNothing, ""},
		{"a prelude that nobody streams", CreateFunctionUrlConfigInput{}, nil, Outcome{Payload: []byte("{\"statusCode\":201}\x00\x00\x00\x00\x00\x00\x00\x00hi")}, 201, "hi", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, t.TempDir(), clock.Fixed(epoch), &scripted{answer: func(int, string) (*Outcome, error) { return &tt.outcome, nil }}, nil)
			_, do := urlOf(t, s, tt.config)
			r := httptest.NewRequest("GET", "/", nil)
			if tt.request != nil {
				r = tt.request()
			}
			w := do(r)
			name, value, _ := strings.Cut(tt.header, ": ")
			if w.Code != tt.status || w.Body.String() != tt.body || name != "" && w.Header().Get(name) != value || w.Header().Get("Connection") != "" {
				t.Errorf("%d %v %.200s", w.Code, w.Header(), w.Body)
			}
		})
	}
}

func TestAThrottledFunctionURL(t *testing.T) {
	s := open(t, t.TempDir(), clock.Fixed(epoch), &scripted{}, nil)
	for _, mode := range []string{InvokeModeBuffered, InvokeModeResponseStream} {
		if why := reserve(s, "f", 0); why != "" {
			t.Fatal(why)
		}
		_, do := urlOf(t, s, CreateFunctionUrlConfigInput{InvokeMode: &mode})
		if w := do(httptest.NewRequest("GET", "/", nil)); w.Code != 429 {
			t.Errorf("%s: %d %s", mode, w.Code, w.Body)
		}
		if _, err := s.DeleteFunctionUrlConfig(t.Context(), &DeleteFunctionUrlConfigInput{FunctionName: new("f")}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestASignedRequestNamesItsCaller(t *testing.T) {
	f := &scripted{answer: func(_ int, payload string) (*Outcome, error) { return &Outcome{Payload: []byte(payload)}, nil }}
	s := open(t, t.TempDir(), clock.Fixed(epoch), f, &told{})
	_, do := urlOf(t, s, CreateFunctionUrlConfigInput{AuthType: new(FunctionUrlAuthTypeAwsIam)})
	signed := httptest.NewRequest("GET", "/", nil)
	signed.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0")
	presigned := httptest.NewRequest("GET", "/?X-Amz-Credential=AKID%2F20260101%2Fus-east-1%2Flambda%2Faws4_request&X-Amz-Signature=0", nil)
	for _, r := range []*http.Request{signed, presigned} {
		var ev struct {
			RequestContext struct{ Authorizer urlAuthorizer }
		}
		if err := json.Unmarshal(do(r).Body.Bytes(), &ev); err != nil || ev.RequestContext.Authorizer.IAM.AccessKey != "AKID" {
			t.Errorf("%v %+v", err, ev.RequestContext)
		}
	}
}

func TestCORSOfAFunctionURL(t *testing.T) {
	f := &scripted{answer: func(int, string) (*Outcome, error) {
		return &Outcome{Payload: []byte(`{"statusCode":200,"headers":{"Access-Control-Allow-Origin":"https://function.example"}}`)}, nil
	}}
	cors := &Cors{
		AllowOrigins: []string{"https://shop.example", "http://*"}, AllowMethods: []string{"GET", "POST"}, AllowHeaders: []string{"x-a"},
		ExposeHeaders: []string{"x-b"}, MaxAge: new(int32(60)), AllowCredentials: new(true),
	}
	for _, tt := range []struct {
		name           string
		cors           *Cors
		method, origin string
		status         int
		want           string // origin, credentials, methods, headers, max age, exposed
	}{
		{"a page that is named", cors, "GET", "https://shop.example", 200, "https://shop.example true    x-b"},
		{"its preflight", cors, "OPTIONS", "https://shop.example", 200, "https://shop.example true GET,POST x-a 60 x-b"},
		{"one of a kind that is named", cors, "GET", "http://a.example", 200, "http://a.example true    x-b"},
		{"another page", cors, "GET", "https://evil.example", 200, "     "},
		{"its preflight", cors, "OPTIONS", "https://evil.example", 200, "     "},
		{"any page", &Cors{AllowOrigins: []string{"*"}}, "GET", "https://evil.example", 200, "*     "},
		{"where nothing is configured the function answers", nil, "OPTIONS", "https://evil.example", 200, "https://function.example     "},
	} {
		s := open(t, t.TempDir(), clock.Fixed(epoch), f, nil)
		host, do := urlOf(t, s, CreateFunctionUrlConfigInput{Cors: tt.cors})
		r := httptest.NewRequest(tt.method, "/", nil)
		r.Header.Set("Origin", tt.origin)
		if tt.method == "OPTIONS" {
			r.Header.Set("Access-Control-Request-Method", "POST")
		}
		before := len(f.seen())
		w := do(r)
		var got []string
		for _, name := range []string{"Allow-Origin", "Allow-Credentials", "Allow-Methods", "Allow-Headers", "Max-Age", "Expose-Headers"} {
			got = append(got, w.Header().Get("Access-Control-"+name))
		}
		if w.Code != tt.status || strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %d %q, want %q", tt.name, w.Code, strings.Join(got, " "), tt.want)
		}
		if asked := len(f.seen()) > before; asked == (tt.method == "OPTIONS" && tt.cors != nil) {
			t.Errorf("%s: the function was asked: %v", tt.name, asked)
		}
		if allowed := s.AllowsOrigin(host, tt.origin); allowed != (tt.cors != nil && !strings.HasPrefix(tt.want, " ")) {
			t.Errorf("%s: pages of %s may call: %v", tt.name, tt.origin, allowed)
		}
	}
}

func TestAFunctionURLStreams(t *testing.T) {
	next := make(chan bool)
	f := &scripted{streams: func(st Stream) (*Outcome, error) {
		st.Begin(httpIntegration)
		for _, piece := range []string{`{"statusCode":201,"headers":{"Content-Type":"text/x"},"cookies":["a=b"]}` + "\x00\x00\x00", "\x00\x00\x00\x00\x00one\n", "two\n"} {
			_, _ = st.Write([]byte(piece))
			if strings.HasSuffix(piece, "one\n") {
				<-next
			}
		}
		return &Outcome{}, nil
	}}
	s := open(t, t.TempDir(), clock.Fixed(epoch), f, nil)
	host, _ := urlOf(t, s, CreateFunctionUrlConfigInput{InvokeMode: new(InvokeModeResponseStream)})
	web := httptest.NewServer(s.URLHandler())
	defer web.Close()
	r, err := http.NewRequest("GET", web.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 201 || res.Header.Get("Content-Type") != "text/x" || res.Header.Get("Set-Cookie") != "a=b" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
	lines := bufio.NewReader(res.Body)
	if line, err := lines.ReadString('\n'); line != "one\n" || err != nil { // would wait for ever if it waited for the second
		t.Fatal(line, err)
	}
	close(next)
	if rest, err := io.ReadAll(lines); string(rest) != "two\n" || err != nil {
		t.Errorf("then %q %v", rest, err)
	}
}

func TestABrokenStreamIsNotTakenForAWholeOne(t *testing.T) {
	for _, tt := range []struct {
		name        string
		contentType string
		pieces      []string
		status      int // 0: the connection breaks
	}{
		{"within the body", "text/plain", []string{"one"}, 0},
		{"before anything", httpIntegration, nil, 502},
		{"within the prelude", httpIntegration, []string{"{"}, 502},
		{"with a prelude that is none", httpIntegration, []string{"x\x00\x00\x00\x00\x00\x00\x00\x00"}, 502},
	} {
		f := &scripted{streams: func(st Stream) (*Outcome, error) {
			st.Begin(tt.contentType)
			for _, p := range tt.pieces {
				_, _ = st.Write([]byte(p))
			}
			return &Outcome{Failed: true, Payload: []byte(`{"errorType":"E"}`)}, nil
		}}
		s := open(t, t.TempDir(), clock.Fixed(epoch), f, nil)
		host, _ := urlOf(t, s, CreateFunctionUrlConfigInput{InvokeMode: new(InvokeModeResponseStream)})
		web := httptest.NewServer(s.URLHandler())
		r, _ := http.NewRequest("GET", web.URL, nil)
		r.Host = host
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.ReadAll(res.Body)
		if tt.status == 0 && err == nil || tt.status != 0 && (err != nil || res.StatusCode != tt.status) {
			t.Errorf("%s: %d %v", tt.name, res.StatusCode, err)
		}
		res.Body.Close()
		web.Close()
	}
}

func TestWhatAFunctionURLIsCalled(t *testing.T) {
	for host, want := range map[string]string{
		"abc.lambda-url.us-east-1.localhost:4566": "abc us-east-1 true", "ABC.lambda-url.eu-west-1.on.aws": "abc eu-west-1 true",
		"abc.execute-api.us-east-1.localhost": "  false", "lambda.us-east-1.amazonaws.com": "  false", "lambda-url": "  false", "abc.lambda-url.localhost": "  false",
	} {
		id, region, ok := FunctionURL(host)
		if got := fmt.Sprint(id, " ", region, " ", ok); got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
}
