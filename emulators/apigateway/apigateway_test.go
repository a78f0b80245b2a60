package apigateway

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"devstack/emulators/kit"
	"devstack/emulators/store"
	"devstack/emulators/wire"
	"devstack/internal/clock"
)

const aFunction = "arn:aws:lambda:us-east-1:000000000000:function:f"

// scripted answers calls to other services.
type scripted func(service, operation string, in map[string]any) (any, error)

func (f scripted) Call(_ context.Context, service, operation string, in, out any) error {
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	res, err := f(service, operation, m)
	if err != nil {
		return err
	}
	if b, err = json.Marshal(res); err != nil {
		return err
	}
	return json.Unmarshal(b, out)
}

func open(t *testing.T, aws scripted) *Service {
	t.Helper()
	st := store.New("", store.Options{Ephemeral: true})
	t.Cleanup(func() { st.Close() })
	at := clock.Fixed(time.Date(2020, 3, 12, 19, 3, 58, 5e6, time.UTC))
	_, s := New(kit.Env{Store: st, Clock: at, AWS: aws, Log: slog.New(slog.DiscardHandler), IDs: kit.SeededIDs(1)}, http.DefaultTransport)
	return s
}

// newAPI makes an API whose routes, by key, call a function or, if their target is one, a URL.
func newAPI(t *testing.T, s *Service, in CreateApiInput, routes map[string]string) http.Handler {
	t.Helper()
	ctx := t.Context()
	in.Name, in.ProtocolType = new("test"), new(ProtocolTypeHttp)
	a := must(s.CreateApi(ctx, &in))(t)
	must(s.CreateStage(ctx, &CreateStageInput{ApiId: a.ApiId, StageName: new(defaultStage), AutoDeploy: new(true)}))(t)
	for key, target := range routes {
		i := &CreateIntegrationInput{ApiId: a.ApiId, IntegrationUri: &target, IntegrationType: new(IntegrationTypeAwsProxy), PayloadFormatVersion: new("2.0")}
		if strings.HasPrefix(target, "http") {
			i.IntegrationType, i.IntegrationMethod = new(IntegrationTypeHttpProxy), new("ANY")
		}
		made := must(s.CreateIntegration(ctx, i))(t)
		must(s.CreateRoute(ctx, &CreateRouteInput{ApiId: a.ApiId, RouteKey: &key, Target: new(targetPrefix + *made.IntegrationId)}))(t)
	}
	return s.Handler(wire.DefaultAccount, wire.DefaultRegion, *a.ApiId)
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func call(h http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestRouting(t *testing.T) {
	all := []target{}
	for _, key := range []string{"$default", "ANY /{proxy+}", "GET /pets/{proxy+}", "ANY /pets/{id}", "GET /pets/{id}", "GET /pets/dog", "GET /pets/dog/{n}", "GET /"} {
		all = append(all, target{key: key})
	}
	r := newRouter(all)
	for _, tt := range []struct{ method, path, key, variables string }{
		{"GET", "/", "GET /", ""},
		{"POST", "/", "$default", ""},
		{"GET", "/pets/dog", "GET /pets/dog", ""},
		{"GET", "/pets/cat", "GET /pets/{id}", "id=cat"},
		{"PUT", "/pets/cat", "ANY /pets/{id}", "id=cat"},
		{"GET", "/pets/a%2Fb", "GET /pets/{id}", "id=a/b"},
		{"GET", "/pets/dog/1", "GET /pets/dog/{n}", "n=1"},
		{"GET", "/pets/dog/1/2", "GET /pets/{proxy+}", "proxy=dog/1/2"},
		{"POST", "/pets/dog/1", "ANY /{proxy+}", "proxy=pets/dog/1"},
		{"GET", "/pets/", "ANY /{proxy+}", "proxy=pets/"},
	} {
		got, variables := r.match(tt.method, tt.path)
		shown := ""
		for k, v := range variables {
			shown += k + "=" + v
		}
		if got.key != tt.key || shown != tt.variables {
			t.Errorf("%s %s: %s with %q, want %s with %q", tt.method, tt.path, got.key, shown, tt.key, tt.variables)
		}
	}
}

func TestTheEventOfPayloadFormat2(t *testing.T) {
	var event string
	s := open(t, func(_, _ string, in map[string]any) (any, error) {
		b, _ := base64.StdEncoding.DecodeString(in["Payload"].(string))
		event = string(b)
		return map[string]any{"Payload": []byte(`{"ok":true}`)}, nil
	})
	h := newAPI(t, s, CreateApiInput{}, map[string]string{"POST /orders/{id}": aFunction})
	w := call(h, "POST", "/orders/a%20b?x=1&x=2&y=%26", `{"n":1}`, "Content-Type", "application/json", "Cookie", "a=1; b=2", "X-Two", "1", "X-Two", "2", "X-Forwarded-For", "203.0.113.9")
	if w.Code != 200 || w.Body.String() != `{"ok":true}` || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("an answer without a statusCode: %d %s %s", w.Code, w.Header(), w.Body)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(event), &got); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"version": `"2.0"`, "routeKey": `"POST /orders/{id}"`, "rawPath": `"/orders/a b"`, "rawQueryString": `"x=1\u0026x=2\u0026y=%26"`,
		"cookies": `["a=1","b=2"]`, "queryStringParameters": `{"x":"1,2","y":"\u0026"}`, "pathParameters": `{"id":"a b"}`,
		"body": `"{\"n\":1}"`, "isBase64Encoded": "false", "headers.x-two": `"1,2"`, "headers.x-forwarded-for": `"203.0.113.9, 192.0.2.1"`, "headers.x-forwarded-port": `"80"`, "requestContext.http.method": `"POST"`,
		"requestContext.stage": `"$default"`, "requestContext.time": `"12/Mar/2020:19:03:58 +0000"`, "requestContext.timeEpoch": "1584039838005",
	} {
		var v any = got
		for name := range strings.SplitSeq(path, ".") {
			v = v.(map[string]any)[name]
		}
		if b, _ := json.Marshal(v); string(b) != want {
			t.Errorf("%s is %s, want %s", path, b, want)
		}
	}
}

func TestAnswersOfFunctions(t *testing.T) {
	for _, tt := range []struct {
		name    string
		payload string
		failed  bool
		status  int
		body    string
		header  string // "name: value"
	}{
		{"a status, headers and a body", `{"statusCode":201,"headers":{"x-a":"1"},"body":"made"}`, false, 201, "made", "X-A: 1"},
		{"a cookie", `{"statusCode":200,"cookies":["a=1"]}`, false, 200, "", "Set-Cookie: a=1"},
		{"bytes in base64", `{"statusCode":200,"body":"aGk=","isBase64Encoded":true}`, false, 200, "hi", ""},
		{"a status that is text", `{"statusCode":"204"}`, false, 204, "", ""},
		{"a plain text", `"hello"`, false, 200, "hello", "Content-Type: application/json"},
		{"nothing", `null`, false, 200, "null", ""},
		{"members by their exact names", `{"StatusCode":404}`, false, 200, `{"StatusCode":404}`, "Content-Type: application/json"},
		{"a body that is no text", `{"statusCode":200,"body":{"a":1}}`, false, 500, `{"message":"Internal Server Error"}`, `X-Devstack-Error: The response from the Lambda function doesn't match the format that API Gateway expects. Lambda body contains the wrong type for field "body"`},
		{"headers in a list", `{"statusCode":200,"headers":["a"]}`, false, 500, `{"message":"Internal Server Error"}`, ""},
		{"a status that is none", `{"statusCode":"ok"}`, false, 500, `{"message":"Internal Server Error"}`, ""},
		{"numbers and booleans as headers", `{"statusCode":200,"headers":{"x-n":7,"x-b":true},"body":null}`, false, 200, "", "X-N: 7"},
		{"a length that is not the body's", `{"statusCode":200,"headers":{"content-length":"7","Connection":"close"},"body":"hi"}`, false, 200, "hi", "Connection: "},
		{"no base64 where it says so", `{"statusCode":200,"body":"?","isBase64Encoded":true}`, false, 500, `{"message":"Internal Server Error"}`, ""},
		{"an error", `{"errorType":"Error","errorMessage":"no"}`, true, 500, `{"message":"Internal Server Error"}`, "X-Devstack-Error: Error: no"},
		{"an error of the build", `{"errorType":"Runtime.BuildError","errorMessage":"f.ts:1:2: unexpected }"}`, true, 500, "f.ts:1:2: unexpected }\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, func(string, string, map[string]any) (any, error) {
				out := map[string]any{"Payload": []byte(tt.payload)}
				if tt.failed {
					out["FunctionError"] = "Unhandled"
				}
				return out, nil
			})
			w := call(newAPI(t, s, CreateApiInput{}, map[string]string{"$default": aFunction}), "GET", "/", "")
			name, value, _ := strings.Cut(tt.header, ": ")
			if w.Code != tt.status || w.Body.String() != tt.body || w.Header().Get(name) != value && name != "" {
				t.Errorf("got %d %q %v", w.Code, w.Body, w.Header())
			}
		})
	}
}

func TestHTTPIntegration(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Seen", r.Method+" "+r.URL.EscapedPath()+"?"+r.URL.RawQuery+" via "+r.Header.Get("Via"))
		w.WriteHeader(http.StatusTeapot)
		w.Write(b)
	}))
	defer upstream.Close()
	h := newAPI(t, open(t, nil), CreateApiInput{}, map[string]string{"ANY /catalog/{proxy+}": upstream.URL + "/{proxy}", "GET /down": "http://127.0.0.1:1/"})
	w := call(h, "PUT", "/catalog/a/b%20c?q=1", "body")
	if want := "PUT /a/b%20c?q=1 via HTTP/1.1 AmazonAPIGateway"; w.Code != http.StatusTeapot || w.Body.String() != "body" || w.Header().Get("X-Seen") != want {
		t.Errorf("got %d %q %q", w.Code, w.Body, w.Header().Get("X-Seen"))
	}
	if w := call(h, "GET", "/down", ""); w.Code != 503 {
		t.Errorf("a server that is down: %d", w.Code)
	}
	if w := call(h, "GET", "/nowhere", ""); w.Code != 404 || strings.TrimSpace(w.Body.String()) != `{"message":"Not Found"}` {
		t.Errorf("no route: %d %s", w.Code, w.Body)
	}
}

func TestAnAnswerThatBreaksOffIsNone(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("half"))
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}))
	defer upstream.Close()
	h := newAPI(t, open(t, nil), CreateApiInput{}, map[string]string{"$default": upstream.URL})
	if w := call(h, "GET", "/", ""); w.Code != 503 || w.Body.String() != `{"message":"Service Unavailable"}` {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
}

func TestHeadersOfTheConnectionStayThere(t *testing.T) {
	var seen http.Header
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header
		w.Header().Set("Connection", "x-mine")
		w.Header().Set("X-Mine", "1")
	}))
	defer upstream.Close()
	h := newAPI(t, open(t, nil), CreateApiInput{}, map[string]string{"$default": upstream.URL})
	w := call(h, "GET", "/", "", "Connection", "keep-alive, X-Private", "X-Private", "1", "X-Public", "1")
	if seen.Get("X-Private") != "" || seen.Get("X-Public") != "1" || seen.Get("User-Agent") != "" || w.Header().Get("X-Mine") != "" {
		t.Errorf("the server saw %v, the caller %v", seen, w.Header())
	}
}

func TestStepFunctionsIntegration(t *testing.T) {
	var got map[string]any
	s := open(t, func(service, operation string, in map[string]any) (any, error) {
		if got = in; in["input"] == "{}" {
			return nil, wire.Errorf("InvalidExecutionInput", 400, "no")
		}
		return map[string]any{"status": "SUCCEEDED", "operation": service + "." + operation}, nil
	})
	ctx := t.Context()
	a := must(s.CreateApi(ctx, &CreateApiInput{Name: new("test"), ProtocolType: new(ProtocolTypeHttp)}))(t)
	must(s.CreateStage(ctx, &CreateStageInput{ApiId: a.ApiId, StageName: new("v1"), AutoDeploy: new(true)}))(t)
	i := must(s.CreateIntegration(ctx, &CreateIntegrationInput{
		ApiId: a.ApiId, IntegrationType: new(IntegrationTypeAwsProxy), IntegrationSubtype: new(startSync),
		RequestParameters: map[string]string{"StateMachineArn": "arn:m", "Input": "$request.body", "Name": "order-${request.body.id}"},
	}))(t)
	must(s.CreateRoute(ctx, &CreateRouteInput{ApiId: a.ApiId, RouteKey: new("POST /pay"), Target: new(targetPrefix + *i.IntegrationId)}))(t)
	h := s.Handler(wire.DefaultAccount, wire.DefaultRegion, *a.ApiId)
	w := call(h, "POST", "/v1/pay", `{"id":7}`)
	if w.Code != 200 || !strings.Contains(w.Body.String(), "stepfunctions.StartSyncExecution") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if got["stateMachineArn"] != "arn:m" || got["input"] != `{"id":7}` || got["name"] != "order-7" {
		t.Errorf("called with %v", got)
	}
	if w := call(h, "POST", "/v1/pay", `{}`); w.Code != 400 || !strings.Contains(w.Body.String(), "InvalidExecutionInput") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if w := call(h, "POST", "/pay", `{}`); w.Code != 404 {
		t.Errorf("there is no default stage, and the answer is %d", w.Code)
	}
}

func TestCORS(t *testing.T) {
	s := open(t, func(string, string, map[string]any) (any, error) {
		return map[string]any{"Payload": []byte(`{"statusCode":200,"headers":{"access-control-allow-origin":"https://other.example"}}`)}, nil
	})
	h := newAPI(t, s, CreateApiInput{CorsConfiguration: &Cors{AllowOrigins: []string{"https://shop.example"}, AllowMethods: []string{"GET", "POST"}, MaxAge: new(int32(60))}},
		map[string]string{"$default": aFunction})
	ask := func(origin string) http.Header {
		return call(h, "OPTIONS", "/", "", "Origin", origin, "Access-Control-Request-Method", "POST").Header()
	}
	if h := ask("https://shop.example"); h.Get("Access-Control-Allow-Origin") != "https://shop.example" || h.Get("Access-Control-Allow-Methods") != "GET,POST" || h.Get("Access-Control-Max-Age") != "60" {
		t.Errorf("a named page: %v", h)
	}
	if h := ask("https://evil.example"); h.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("another page: %v", h)
	}
	if w := call(h, "GET", "/", "", "Origin", "https://shop.example"); w.Header().Get("Access-Control-Allow-Origin") != "https://shop.example" {
		t.Errorf("the API's own configuration decides, not the function: %v", w.Header())
	}
}

func TestControlPlaneRefusals(t *testing.T) {
	s := open(t, nil)
	ctx := t.Context()
	a := must(s.CreateApi(ctx, &CreateApiInput{Name: new("test"), ProtocolType: new(ProtocolTypeHttp)}))(t)
	must(s.CreateRoute(ctx, &CreateRouteInput{ApiId: a.ApiId, RouteKey: new("GET /a")}))(t)
	for _, tt := range []struct {
		name string
		code string
		call func() error
	}{
		{"an API that is not there", "NotFoundException", func() error { _, err := s.GetRoutes(ctx, &GetRoutesInput{ApiId: new("x")}); return err }},
		{"a route that is there already", "ConflictException", func() error {
			_, err := s.CreateRoute(ctx, &CreateRouteInput{ApiId: a.ApiId, RouteKey: new("GET /a")})
			return err
		}},
		{"a key without a method", "BadRequestException", func() error {
			_, err := s.CreateRoute(ctx, &CreateRouteInput{ApiId: a.ApiId, RouteKey: new("/a")})
			return err
		}},
		{"a greedy variable in the middle", "BadRequestException", func() error {
			_, err := s.CreateRoute(ctx, &CreateRouteInput{ApiId: a.ApiId, RouteKey: new("GET /{a+}/b")})
			return err
		}},
		{"an integration that is not there", "NotFoundException", func() error {
			_, err := s.CreateRoute(ctx, &CreateRouteInput{ApiId: a.ApiId, RouteKey: new("GET /b"), Target: new("integrations/x")})
			return err
		}},
		{"an authorizer", "NotImplemented", func() error {
			_, err := s.CreateRoute(ctx, &CreateRouteInput{ApiId: a.ApiId, RouteKey: new("GET /b"), AuthorizationType: new(AuthorizationTypeJwt)})
			return err
		}},
		{"credentials from everywhere", "BadRequestException", func() error {
			_, err := s.UpdateApi(ctx, &UpdateApiInput{ApiId: a.ApiId, CorsConfiguration: &Cors{AllowOrigins: []string{"*"}, AllowCredentials: new(true)}})
			return err
		}},
		{"WebSockets", "NotImplemented", func() error {
			_, err := s.CreateApi(ctx, &CreateApiInput{Name: new("w"), ProtocolType: new(ProtocolTypeWebsocket)})
			return err
		}},
	} {
		var e *wire.Error
		if err := tt.call(); !errors.As(err, &e) || e.Code != tt.code {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.code)
		}
	}
}
