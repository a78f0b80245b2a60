package emulators

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"devstack/emulators/kit"
	"devstack/emulators/lambda"
	"devstack/internal/clock"
	"devstack/internal/trace"
)

const anARN = "arn:aws:lambda:us-east-1:000000000000:function:f"

// echo is an application of one function, f, that answers at once.
type echo struct{}

func (echo) List(string, string) []lambda.Function {
	return []lambda.Function{{Name: "f", Active: true}}
}

func (e echo) Get(_, _, name string) (lambda.Function, bool) { return e.List("", "")[0], name == "f" }

func (echo) Deploy(context.Context, lambda.Deployment) error { return errNoRuntime }

func (echo) Freeze(context.Context, string, string, string, string) (lambda.Frozen, error) {
	return lambda.Frozen{}, errNoRuntime
}

func (echo) Withdraw(string) {}

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

// TestManyCallersWhileTheAPIChanges is for the race detector, and for what must not be seen: an answer of half a change.
func TestManyCallersWhileTheAPIChanges(t *testing.T) {
	c := open(t, trace.NewRing(100, clock.System().Now))
	id := newAPI(t, c)
	h := c.API(id)
	ctx, stop := context.WithCancel(t.Context())
	var changes, callers sync.WaitGroup
	changes.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			var route struct{ RouteId string }
			key := fmt.Sprintf("GET /other/%d", n)
			if err := c.Call(ctx, "apigateway", "CreateRoute", map[string]any{"ApiId": id, "RouteKey": key}, &route); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
			if err := c.Call(ctx, "apigateway", "DeleteRoute", map[string]any{"ApiId": id, "RouteId": route.RouteId}, nil); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}
	})
	for range 8 {
		callers.Go(func() {
			for range 50 {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, order())
				if w.Code != 201 {
					t.Errorf("got %d %s", w.Code, w.Body)
				}
			}
		})
	}
	callers.Wait()
	stop()
	changes.Wait()
}

func TestWhatWasDeclaredIsThereForTheNextProcess(t *testing.T) {
	dir := t.TempDir()
	next := func() *Cloud {
		c := Open(Config{Dir: dir, Clock: clock.System(), Log: slog.New(slog.DiscardHandler), Functions: echo{}})
		if err := c.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		return c
	}
	type clusters struct {
		CacheClusters []struct {
			CacheClusterStatus string
			CacheNodes         []struct{ Endpoint struct{ Port int } }
		}
	}
	describe := func(c *Cloud) (out clusters) {
		if err := c.Call(t.Context(), "elasticache", "DescribeCacheClusters", map[string]any{"ShowCacheNodeInfo": true}, &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	first := next()
	id := newAPI(t, first)
	if err := first.Call(t.Context(), "elasticache", "CreateCacheCluster", map[string]any{"CacheClusterId": "sessions"}, nil); err != nil {
		t.Fatal(err)
	}
	was := describe(first)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := next()
	defer second.Close()
	if is := describe(second); len(is.CacheClusters) != 1 || is.CacheClusters[0].CacheClusterStatus != "available" || !reflect.DeepEqual(is, was) {
		t.Errorf("the cache is %+v, was %+v", is, was)
	}
	w := httptest.NewRecorder()
	second.API(id).ServeHTTP(w, order())
	if w.Code != 201 {
		t.Errorf("the API answers %d %s", w.Code, w.Body)
	}
}

func TestCloseLeavesNothingRunning(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 5 {
		c := Open(Config{Ephemeral: true, Clock: clock.System(), Log: slog.New(slog.DiscardHandler), Functions: echo{}})
		for _, call := range []struct {
			service, operation string
			in                 map[string]any
		}{
			{"elasticache", "CreateCacheCluster", map[string]any{"CacheClusterId": "sessions"}},
			{"dynamodb", "CreateTable", map[string]any{
				"TableName": "orders", "KeySchema": []any{map[string]any{"AttributeName": "id", "KeyType": "HASH"}}, "BillingMode": "PAY_PER_REQUEST",
				"AttributeDefinitions": []any{map[string]any{"AttributeName": "id", "AttributeType": "S"}},
				"StreamSpecification":  map[string]any{"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"},
			}},
			{"lambda", "Invoke", map[string]any{"FunctionName": "f", "InvocationType": "Event"}},
		} {
			if err := c.Call(t.Context(), call.service, call.operation, call.in, nil); err != nil {
				t.Fatal(err)
			}
		}
		var table struct {
			Table struct{ LatestStreamArn string }
		}
		if err := c.Call(t.Context(), "dynamodb", "DescribeTable", map[string]any{"TableName": "orders"}, &table); err != nil {
			t.Fatal(err)
		}
		if err := c.Call(t.Context(), "lambda", "CreateEventSourceMapping", map[string]any{"FunctionName": "f", "EventSourceArn": table.Table.LatestStreamArn, "StartingPosition": "LATEST"}, nil); err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}
