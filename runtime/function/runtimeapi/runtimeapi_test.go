package runtimeapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"devstack/runtime/function"
	"devstack/runtime/function/runtimeapi"
)

// client is a runtime.
type client struct {
	t    *testing.T
	base string
}

func open(t *testing.T) (*runtimeapi.API, client) {
	t.Helper()
	api, err := runtimeapi.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { api.Close() })
	return api, client{t, "http://" + api.Addr() + "/2018-06-01/runtime/"}
}

func (c client) next() (http.Header, string) {
	c.t.Helper()
	resp, err := http.Get(c.base + "invocation/next")
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		c.t.Fatalf("next: %s %s %v", resp.Status, body, err)
	}
	return resp.Header, string(body)
}

func (c client) post(path, body string) string {
	c.t.Helper()
	resp, err := http.Post(c.base+path, "application/json", strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return strconv.Itoa(resp.StatusCode) + " " + string(text)
}

type result struct {
	payload []byte
	err     error
}

// invoke offers an event in the background.
func invoke(ctx context.Context, api *runtimeapi.API, ev *function.Event, gone <-chan struct{}) <-chan result {
	done := make(chan result, 1)
	go func() {
		payload, err := api.Invoke(ctx, ev, gone)
		done <- result{payload, err}
	}()
	return done
}

// forbidden is the answer to a request that the runtime may not make in its state.
func forbidden(from, to string) string {
	return `403 {"errorMessage":"State transition from ` + from + ` to ` + to +
		` failed for runtime. Error: State transition is not allowed","errorType":"InvalidStateTransition"}`
}

const (
	accepted = `202 {"status":"OK"}`
	unknown  = `400 {"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}`
)

func TestAnEventAndItsAnswer(t *testing.T) {
	api, c := open(t)
	done := invoke(t.Context(), api, &function.Event{
		RequestID: "r-1", Payload: []byte(`{"a":1}`), Timeout: 3 * time.Second, ARN: "arn:aws:lambda:x",
		TraceID: "Root=1-2-3", ClientContext: `{"client":{}}`, Identity: `{"cognitoIdentityId":"i"}`, Tenant: "t-1",
	}, nil)
	before := time.Now().UnixMilli()
	h, body := c.next()
	if body != `{"a":1}` {
		t.Errorf("the event is %s", body)
	}
	for name, want := range map[string]string{
		"Lambda-Runtime-Aws-Request-Id":       "r-1",
		"Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:x",
		"Lambda-Runtime-Trace-Id":             "Root=1-2-3",
		"Lambda-Runtime-Client-Context":       `{"client":{}}`,
		"Lambda-Runtime-Cognito-Identity":     `{"cognitoIdentityId":"i"}`,
		"Lambda-Runtime-Aws-Tenant-Id":        "t-1",
		"Content-Type":                        "application/json",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	deadline, err := strconv.ParseInt(h.Get("Lambda-Runtime-Deadline-Ms"), 10, 64)
	if err != nil || deadline < before-3000 || deadline > time.Now().UnixMilli()+3000 {
		t.Errorf("the deadline is %s", h.Get("Lambda-Runtime-Deadline-Ms"))
	}
	select {
	case <-api.Ready():
	default:
		t.Error("the runtime asked for an event and is not ready")
	}
	for _, step := range []struct{ name, path, body, want string }{
		{"an answer to another request", "invocation/r-0/response", `1`, unknown},
		{"an error of another request", "invocation/r-0/error", `{}`, unknown},
		{"too late for an error of the initialisation", "init/error", `{}`, forbidden("Running", "InitError")},
		{"the answer", "invocation/r-1/response", `{"b":2}`, accepted},
		{"the same answer again", "invocation/r-1/response", `{"b":2}`, forbidden("RuntimeResponseSentState", "InvocationResponse")},
		{"an error after the answer", "invocation/r-1/error", `{}`, forbidden("RuntimeResponseSentState", "InvocationErrorResponse")},
	} {
		if got := c.post(step.path, step.body); got != step.want {
			t.Errorf("%s: %s, want %s", step.name, got, step.want)
		}
	}
	if r := <-done; r.err != nil || string(r.payload) != `{"b":2}` {
		t.Errorf("the caller got %s, %v", r.payload, r.err)
	}
}

func TestNextDuringAnInvocationGetsTheSameEvent(t *testing.T) {
	api, c := open(t)
	done := invoke(t.Context(), api, &function.Event{RequestID: "r-1", Payload: []byte("1")}, nil)
	c.next()
	if h, body := c.next(); h.Get("Lambda-Runtime-Aws-Request-Id") != "r-1" || body != "1" {
		t.Errorf("got %s: %s", h.Get("Lambda-Runtime-Aws-Request-Id"), body)
	}
	if got := c.post("invocation/r-1/response", "2"); got != accepted {
		t.Error(got)
	}
	if r := <-done; string(r.payload) != "2" || r.err != nil {
		t.Errorf("the caller got %s, %v", r.payload, r.err)
	}
}

func TestSnapStartIsOff(t *testing.T) {
	for _, request := range []string{"GET restore/next", "POST restore/error"} {
		method, path, _ := strings.Cut(request, " ")
		w := httptest.NewRecorder()
		runtimeapi.Handler().ServeHTTP(w, httptest.NewRequest(method, "/2018-06-01/runtime/"+path, nil))
		if w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", request, w.Code)
		}
	}
}

func TestAfterAnErrorOfTheInitialisationThereAreNoEvents(t *testing.T) {
	_, c := open(t)
	c.post("init/error", `{}`)
	if got, want := c.post("init/error", `{}`), forbidden("InitError", "InitError"); got != want {
		t.Errorf("a second error: %s", got)
	}
	resp, err := http.Get(c.base + "invocation/next")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if got, want := strconv.Itoa(resp.StatusCode)+" "+string(body), forbidden("InitError", "Ready"); got != want || err != nil {
		t.Errorf("next: %s, %v", got, err)
	}
}

func TestABrowserIsRefused(t *testing.T) {
	for _, header := range []string{"Origin", "Sec-Fetch-Site"} {
		req := httptest.NewRequest("GET", "/2018-06-01/runtime/invocation/next", nil)
		req.Header.Set(header, "cross-site")
		w := httptest.NewRecorder()
		runtimeapi.Handler().ServeHTTP(w, req)
		if w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", header, w.Code)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct{ name, header, body, typ, payload string }{
		{"as the runtime made it", "Ignored.Header", `{"errorType":"E","errorMessage":"m","stackTrace":["a"]}`, "E", `{"errorType":"E","errorMessage":"m","stackTrace":["a"]}`},
		{"its type in the header alone", "Handler.Bad", `{"errorMessage":"m"}`, "Handler.Bad", `{"errorMessage":"m"}`},
		{"no JSON", "Handler.Bad", `sorry`, "Handler.Bad", `{"errorType":"Handler.Bad","errorMessage":"sorry"}`},
		{"nothing at all", "", ``, "Runtime.Unknown", `{"errorType":"Runtime.Unknown","errorMessage":""}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			api, c := open(t)
			done := invoke(t.Context(), api, &function.Event{RequestID: "r-1"}, nil)
			c.next()
			req, err := http.NewRequest("POST", c.base+"invocation/r-1/error", strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if tt.header != "" {
				req.Header.Set("Lambda-Runtime-Function-Error-Type", tt.header)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil || resp.StatusCode != http.StatusAccepted {
				t.Fatal(resp, err)
			}
			resp.Body.Close()
			var failure *function.FunctionError
			if r := <-done; !errors.As(r.err, &failure) || failure.Type != tt.typ || string(failure.Payload) != tt.payload {
				t.Errorf("the caller got %v, want %s: %s", r.err, tt.typ, tt.payload)
			}
		})
	}
}

func TestAnErrorOfTheInitialisation(t *testing.T) {
	api, c := open(t)
	if got := c.post("init/error", `{"errorType":"Runtime.NoSuchModule","errorMessage":"m"}`); got != accepted {
		t.Fatal(got)
	}
	if failed := <-api.Failed(); failed.Type != "Runtime.NoSuchModule" {
		t.Errorf("got %v", failed)
	}
}

func TestAnAnswerThatIsTooLarge(t *testing.T) {
	api, c := open(t)
	done := invoke(t.Context(), api, &function.Event{RequestID: "r-1"}, nil)
	c.next()
	got := c.post("invocation/r-1/response", strings.Repeat("x", function.MaxResponse+1))
	if want := `413 {"errorMessage":"Exceeded maximum allowed payload size (6291556 bytes).","errorType":"RequestEntityTooLarge"}`; got != want {
		t.Errorf("got %s", got)
	}
	var failure *function.FunctionError
	if r := <-done; !errors.As(r.err, &failure) || failure.Type != "Function.ResponseSizeTooLarge" {
		t.Errorf("the caller got %v", r.err)
	}
}

func TestARuntimeThatEnds(t *testing.T) {
	api, c := open(t)
	gone := make(chan struct{})
	taken := invoke(t.Context(), api, &function.Event{RequestID: "r-1"}, gone)
	c.next()
	close(gone)
	if r := <-taken; r.err != runtimeapi.ErrEnded {
		t.Errorf("an event that was taken: %v", r.err)
	}
	if r := <-invoke(t.Context(), api, &function.Event{RequestID: "r-2"}, gone); r.err != function.ErrGone {
		t.Errorf("an event that was not: %v", r.err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := <-invoke(ctx, api, &function.Event{RequestID: "r-3"}, nil); r.err != context.Canceled {
		t.Errorf("a caller who went away: %v", r.err)
	}
}

// FuzzReport has a runtime report all kinds of errors: what a caller receives is JSON with a type.
func FuzzReport(f *testing.F) {
	f.Add("", []byte(`{"errorType":"E","errorMessage":"m"}`))
	f.Add("Handler.Bad", []byte(`sorry`))
	f.Add("x\n", []byte("[1,\xff"))
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		failure := runtimeapi.Failure(header, body)
		if !json.Valid(failure.Payload) {
			t.Errorf("%q and %q became %q", header, body, failure.Payload)
		}
	})
}

// FuzzRequest sends all kinds of requests: none is answered by anything but what the interface knows.
func FuzzRequest(f *testing.F) {
	f.Add("POST", "/2018-06-01/runtime/invocation/x/response", []byte("1"))
	f.Add("POST", "/2018-06-01/runtime/init/error", []byte("{"))
	f.Add("GET", "/2018-06-01/runtime/invocation/../next", []byte{})
	f.Fuzz(func(t *testing.T, method, path string, body []byte) {
		req, err := http.NewRequest(method, "http://h/", strings.NewReader(string(body)))
		if err != nil || strings.HasSuffix(path, "/next") {
			return // a request for an event waits until there is one
		}
		req.URL.Path = path
		w := httptest.NewRecorder()
		runtimeapi.Handler().ServeHTTP(w, req)
		if w.Code >= 500 {
			t.Errorf("%s %q answered %d", method, path, w.Code)
		}
	})
}
