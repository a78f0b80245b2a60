package emulators

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"devstack/emulators/kit"
	"devstack/emulators/lambda"
	"devstack/internal/clock"
	"devstack/internal/trace"
)

const anARN = "arn:aws:lambda:us-east-1:000000000000:function:f"

// echo is an application of one function, f, that answers at once.
type echo struct{}

func (echo) List() []lambda.Function { return []lambda.Function{{Name: "f", Active: true}} }

func (e echo) Get(name string) (lambda.Function, bool) { return e.List()[0], name == "f" }

func (echo) Invoke(context.Context, string, lambda.Event) (*lambda.Outcome, error) {
	return &lambda.Outcome{Payload: []byte(`{"statusCode":201,"headers":{"content-type":"application/json"},"body":"{\"id\":\"o-1\"}"}`)}, nil
}

func open(tb testing.TB, traces *trace.Ring) *Cloud {
	tb.Helper()
	c := Open(Config{Ephemeral: true, Clock: clock.System(), Log: slog.New(slog.DiscardHandler), Functions: echo{}, Traces: traces})
	tb.Cleanup(func() { c.Close() })
	return c
}

// newAPI makes an API whose one route, POST /orders/{id}, calls f.
func newAPI(tb testing.TB, aws kit.Caller) (id string) {
	tb.Helper()
	var api struct{ ApiId string }
	err := aws.Call(context.Background(), "apigateway", "CreateApi", map[string]any{"Name": "shop", "ProtocolType": "HTTP", "Target": anARN, "RouteKey": "POST /orders/{id}"}, &api)
	if err != nil {
		tb.Fatal(err)
	}
	return api.ApiId
}

func order() *http.Request {
	r := httptest.NewRequest("POST", "/orders/o-1?expand=items", strings.NewReader(`{"customer":"c-7","items":[{"sku":"a","n":2},{"sku":"b","n":1}]}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "bench")
	r.Header.Set("Accept", "*/*")
	return r
}

func TestAnAPIAnswersByItsHostName(t *testing.T) {
	c := open(t, nil)
	r := order()
	r.Host = newAPI(t, c) + ".execute-api.localhost:4566"
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	if w.Code != 201 || w.Body.String() != `{"id":"o-1"}` {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

// BenchmarkAPIToFunction is what the daemon adds to a function's own time on its way through an API, without HTTP.
func BenchmarkAPIToFunction(b *testing.B) {
	for _, tt := range []struct {
		name   string
		traces *trace.Ring
	}{{"untraced", nil}, {"traced", trace.NewRing(1000, clock.System().Now)}} {
		b.Run(tt.name, func(b *testing.B) {
			c := open(b, tt.traces)
			h := c.API(newAPI(b, c))
			ctx := context.Background()
			if tt.traces != nil {
				ctx = tt.traces.Context(ctx)
			}
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(discard{http.Header{}}, order().WithContext(ctx))
			}
		})
	}
}

// BenchmarkCallInvoke is Lambda's Invoke in process, by the means of a caller that does not know Lambda's types.
func BenchmarkCallInvoke(b *testing.B) {
	c := open(b, nil)
	payload := []byte(`{"version":"2.0","body":"` + strings.Repeat("x", 1000) + `"}`)
	b.ReportAllocs()
	for b.Loop() {
		var out struct{ Payload []byte }
		if err := c.Call(context.Background(), "lambda", "Invoke", map[string]any{"FunctionName": anARN, "Payload": payload}, &out); err != nil {
			b.Fatal(err)
		}
	}
}

// discard is a response that nobody reads.
type discard struct{ h http.Header }

func (d discard) Header() http.Header         { return d.h }
func (d discard) WriteHeader(int)             {}
func (d discard) Write(b []byte) (int, error) { return io.Discard.Write(b) }
