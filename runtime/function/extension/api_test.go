package extension_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/extension"
)

// newPlayer returns a Host and a way to call it, as an extension does.
func newPlayer(t testing.TB) (*extension.Host, func(method, path, body string, headers ...string) (int, http.Header, string)) {
	t.Helper()
	h := extension.New(context.Background(), extension.Config{
		Function: &config.Function{Name: "f", ARN: "arn:aws:lambda:us-east-1:123456789012:function:f"}, Handler: "h",
	})
	if err := h.Listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h, func(method, path, body string, headers ...string) (int, http.Header, string) {
		t.Helper()
		req, err := http.NewRequest(method, "http://"+h.Addr()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, resp.Header, string(text)
	}
}

const (
	register = "/2020-01-01/extension/register"
	next     = "/2020-01-01/extension/event/next"
	nobody   = "4f9c2b1e-0000-4000-8000-000000000000"
)

func TestRefusals(t *testing.T) {
	h, call := newPlayer(t)
	h.Expect("outside")
	for i := range 9 {
		if status, _, text := call("POST", register, `{"events":[]}`, "Lambda-Extension-Name", fmt.Sprint("inside-", i)); status != 200 {
			t.Fatal(text)
		}
	}
	const id, kind = "Lambda-Extension-Identifier", "Lambda-Extension-Function-Error-Type"
	_, header, _ := call("POST", register, `{"events":["INVOKE"]}`, "Lambda-Extension-Name", "outside")
	outside := header.Get(id)
	for _, tt := range []struct {
		name, method, path, body string
		headers                  []string
		want                     string
	}{
		{"no name", "POST", register, `{}`, nil, `403 {"errorMessage":"Empty extension name","errorType":"Extension.InvalidExtensionName"}`},
		{"no JSON", "POST", register, `{`, []string{"Lambda-Extension-Name", "x"},
			`403 {"errorMessage":"unexpected end of JSON input","errorType":"InvalidRequestFormat"}`},
		{"an unknown event", "POST", register, `{"events":["SLEEP"]}`, []string{"Lambda-Extension-Name", "x"},
			`403 {"errorMessage":"SLEEP: ErrorInvalidEventType","errorType":"Extension.InvalidEventType"}`},
		{"the same name again", "POST", register, `{}`, []string{"Lambda-Extension-Name", "inside-0"},
			`403 {"errorMessage":"Extension with this name already registered","errorType":"Extension.InvalidExtensionState"}`},
		{"the same external extension again", "POST", register, `{}`, []string{"Lambda-Extension-Name", "outside"},
			`403 {"errorMessage":"State transition from Registered to Registered failed for extension outside. Error: State transition is not allowed","errorType":"Extension.InvalidExtensionState"}`},
		{"an eleventh", "POST", register, `{}`, []string{"Lambda-Extension-Name", "x"},
			`403 {"errorMessage":"Extension limit (10) reached","errorType":"Extension.TooManyExtensions"}`},
		{"no identifier", "GET", next, ``, nil,
			`403 {"errorMessage":"Missing Lambda-Extension-Identifier header","errorType":"Extension.MissingExtensionIdentifier"}`},
		{"no UUID", "GET", next, ``, []string{id, "me"},
			`403 {"errorMessage":"Invalid Lambda-Extension-Identifier","errorType":"Extension.InvalidExtensionIdentifier"}`},
		{"nobody's UUID", "GET", next, ``, []string{id, nobody},
			`403 {"errorMessage":"Unknown extension ` + nobody + `","errorType":"Extension.UnknownExtensionIdentifier"}`},
		{"an error without a type", "POST", "/2020-01-01/extension/init/error", `{}`, []string{id, outside},
			`403 {"errorMessage":"Lambda-Extension-Function-Error-Type not found","errorType":"Extension.MissingHeader"}`},
		{"a subscription that is no JSON", "PUT", "/2022-07-01/telemetry", `[]`, []string{id, outside},
			`400 {"errorMessage":"the body is not the JSON of a subscription: json: cannot unmarshal array into Go value of type extension.subscription","errorType":"ValidationError"}`},
		{"a browser", "GET", next, ``, []string{id, outside, "Origin", "http://x"},
			`403 {"errorMessage":"State transition is not allowed","errorType":"InvalidStateTransition"}`},
		{"an error of the initialisation", "POST", "/2020-01-01/extension/init/error", `{}`, []string{id, outside, kind, "E"}, `202 {"status":"OK"}`},
		{"an event after that", "GET", next, ``, []string{id, outside},
			`403 {"errorMessage":"State transition from InitError to Ready failed for extension ` + outside + `. Error: State transition is not allowed","errorType":"Extension.InvalidExtensionState"}`},
		{"an error of its end after that", "POST", "/2020-01-01/extension/exit/error", `{}`, []string{id, outside, kind, "E"},
			`403 {"errorMessage":"State transition from InitError to ExitError failed for extension ` + outside + `. Error: State transition is not allowed","errorType":"Extension.InvalidExtensionState"}`},
	} {
		status, _, text := call(tt.method, tt.path, tt.body, tt.headers...)
		if got := fmt.Sprint(status, " ", text); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	h.Closed()
	if status, _, text := call("POST", register, `{}`, "Lambda-Extension-Name", "late"); status != 403 || !strings.Contains(text, "Extension.RegistrationClosed") {
		t.Errorf("after the initialisation: %d %s", status, text)
	}
	const subscription = `{"schemaVersion":"2022-07-01","types":["platform"],"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:1"}}`
	if status, _, text := call("PUT", "/2022-07-01/telemetry", subscription, id, outside); status != 403 || !strings.Contains(text, "Telemetry.SubscriptionClosed") {
		t.Errorf("a subscription after the initialisation: %d %s", status, text)
	}
}

func TestSubscriptionsThatAreRefused(t *testing.T) {
	h, _ := newPlayer(t)
	const good = `"schemaVersion":"2022-12-13","types":["platform"],"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:8080"}`
	if problem := h.Subscribe(false, []byte("{"+good+"}")); problem != "" {
		t.Fatal(problem)
	}
	for _, tt := range []struct{ name, from, to, want string }{
		{"no schema", "2022-12-13", "", `schemaVersion must be one of 2022-07-01, 2022-12-13, 2025-01-29, not ""`},
		{"no types", `["platform"]`, `[]`, "types must name at least one of platform, function, extension"},
		{"another type", `platform`, `Platform`, `types must be of platform, function, extension, not "Platform"`},
		{"another protocol", `HTTP`, `UDP`, `destination.protocol must be HTTP or TCP, not "UDP"`},
		{"another host", `sandbox.localdomain`, `example.com`, `destination.URI must be http://sandbox.localdomain:PORT, and maybe a path, not "http://example.com:8080"`},
		{"TCP without a port", `HTTP`, `TCP`, "destination.port must be between 1 and 65535"},
		{"few items", good, good + `,"buffering":{"maxItems":999}`, "buffering.maxItems must be between 1000 and 10000"},
		{"many bytes", good, good + `,"buffering":{"maxBytes":1048577}`, "buffering.maxBytes must be between 262144 and 1048576"},
		{"no time", good, good + `,"buffering":{"timeoutMs":24}`, "buffering.timeoutMs must be between 25 and 30000"},
		{"a method", `"protocol"`, `"method":"GET","protocol"`, `destination.method must be POST or PUT, not "GET"`},
	} {
		if got := h.Subscribe(false, []byte("{"+strings.Replace(good, tt.from, tt.to, 1)+"}")); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := h.Subscribe(true, []byte(strings.Replace("{"+good+"}", "2022-12-13", "2021-03-18", 1))); got != "" {
		t.Errorf("the Logs API refuses its own schema: %s", got)
	}
}

// receiver is an extension's server for telemetry.
func receiver(t *testing.T, batches chan<- []string, gate <-chan struct{}) (port string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var events []struct {
			Type   string
			Record json.RawMessage
		}
		if err := json.NewDecoder(r.Body).Decode(&events); err != nil {
			t.Error(err)
		}
		var batch []string
		for _, e := range events {
			batch = append(batch, e.Type+" "+string(e.Record))
		}
		batches <- batch
		if gate != nil {
			<-gate
		}
	}))
	t.Cleanup(s.Close)
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func TestBatches(t *testing.T) {
	h, call := newPlayer(t)
	_, header, _ := call("POST", register, `{"events":[]}`, "Lambda-Extension-Name", "inside")
	batches := make(chan []string, 100)
	h.Observe(function.Record{Type: "function", Record: "before the subscription"})
	status, _, text := call("PUT", "/2022-07-01/telemetry", `{"schemaVersion":"2022-12-13","types":["function"],"buffering":{"timeoutMs":30000},
		"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:`+receiver(t, batches, nil)+`"}}`, "Lambda-Extension-Identifier", header.Get("Lambda-Extension-Identifier"))
	if status != 200 {
		t.Fatal(text)
	}
	h.SetBuffering(3, 1<<20, 30000)
	for _, line := range []string{"one", "two", "three", "four"} {
		h.Observe(function.Record{Type: "function", Record: line})
		h.Observe(function.Record{Type: "extension", Record: line}) // which nobody wanted
	}
	if got := strings.Join(<-batches, ", "); got != `function "before the subscription", function "one", function "two"` {
		t.Errorf("the first batch, of three records, is %s", got)
	}
	h.SetBuffering(1000, 1<<20, 25)
	h.Observe(function.Record{Type: "function", Record: "five"})
	if got := strings.Join(<-batches, ", "); got != `function "three", function "four", function "five"` {
		t.Errorf("the second, of what came within a time, is %s", got)
	}
	h.SetBuffering(1000, 100, 30000)
	long := strings.Repeat("x", 100)
	h.Observe(function.Record{Type: "function", Record: long})
	if got := strings.Join(<-batches, ", "); got != `function "`+long+`"` {
		t.Errorf("the third, of so many bytes, is %s", got)
	}
}

func TestASlowDestinationLosesRecordsAndLearnsOfIt(t *testing.T) {
	h, call := newPlayer(t)
	_, header, _ := call("POST", register, `{"events":[]}`, "Lambda-Extension-Name", "inside")
	batches, gate := make(chan []string, 100), make(chan struct{})
	call("PUT", "/2022-07-01/telemetry", `{"schemaVersion":"2022-12-13","types":["function"],"buffering":{"timeoutMs":25},
		"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:`+receiver(t, batches, gate)+`"}}`, "Lambda-Extension-Identifier", header.Get("Lambda-Extension-Identifier"))
	h.SetBuffering(10, 1<<20, 25)
	h.Observe(function.Record{Type: "function", Record: "first"})
	<-batches // it is being sent, and the destination does not answer
	for i := range 100 {
		h.Observe(function.Record{Type: "function", Record: i})
	}
	close(gate)
	got := 0
	for {
		batch := <-batches
		last := batch[len(batch)-1]
		if strings.HasPrefix(last, "platform.logsDropped") {
			want := fmt.Sprintf(`"droppedRecords":%d,`, 100-got)
			if !strings.Contains(last, want) || got != 40 {
				t.Errorf("%d arrived, and %s", got, last)
			}
			return
		}
		got += len(batch)
	}
}

func TestTheLogsAPIKnowsTheEndOfAnInvocation(t *testing.T) {
	h, call := newPlayer(t)
	_, header, _ := call("POST", register, `{"events":[]}`, "Lambda-Extension-Name", "inside")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	status, _, text := call("PUT", "/2020-08-15/logs", `{"schemaVersion":"2020-08-15","types":["platform"],"buffering":{"timeoutMs":25},
		"destination":{"protocol":"TCP","port":`+port+`}}`, "Lambda-Extension-Identifier", header.Get("Lambda-Extension-Identifier"))
	if status != 200 || text != `"OK"` {
		t.Fatal(text)
	}
	for _, typ := range []string{"platform.initStart", "platform.start", "platform.runtimeDone", "platform.report"} {
		h.Observe(function.Record{Type: typ, RequestID: "r-1", Record: map[string]string{}, Time: time.Unix(0, 0)})
	}
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var lines []string
	for s := bufio.NewScanner(conn); s.Scan(); {
		lines = append(lines, s.Text())
	}
	want := `{"time":"1970-01-01T00:00:00.000Z","type":"platform.start","record":{}}
{"time":"1970-01-01T00:00:00.000Z","type":"platform.end","record":{"requestId":"r-1"}}
{"time":"1970-01-01T00:00:00.000Z","type":"platform.report","record":{}}`
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}

// FuzzRegister has extensions register with all kinds of bodies and names.
func FuzzRegister(f *testing.F) {
	f.Add("x", `{"events":["INVOKE"]}`, "accountId")
	f.Add("", `{"events":null}`, ",")
	f.Add("x", `{"events":["INVOKE","INVOKE",""],"configurationKeys":[]}`, "\x00")
	f.Fuzz(func(t *testing.T, name, body, features string) {
		h := extension.New(t.Context(), extension.Config{Function: &config.Function{Name: "f", ARN: "arn"}})
		defer h.Close()
		mux := http.NewServeMux()
		h.Handle(mux)
		req := httptest.NewRequest("POST", register, strings.NewReader(body))
		req.Header["Lambda-Extension-Name"] = []string{name}
		req.Header["Lambda-Extension-Accept-Feature"] = []string{features}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, req)
		if w.Code != 200 && w.Code != 403 || !json.Valid(w.Body.Bytes()) || (w.Code == 200) != (w.Header().Get("Lambda-Extension-Identifier") != "") {
			t.Errorf("%q %q answered %d %s", name, body, w.Code, w.Body)
		}
	})
}

// FuzzSubscription has extensions subscribe with all kinds of bodies: each is refused with a reason, or sends to this machine alone.
func FuzzSubscription(f *testing.F) {
	f.Add(false, []byte(`{"schemaVersion":"2022-12-13","types":["platform"],"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:1/x"},"buffering":{"maxItems":1000}}`))
	f.Add(true, []byte(`{"schemaVersion":"2021-03-18","types":["function"],"destination":{"protocol":"TCP","port":1}}`))
	f.Add(false, []byte(`{"destination":{"URI":"http://sandbox.localdomain:99999999"}}`))
	f.Fuzz(func(t *testing.T, legacy bool, body []byte) {
		h := extension.New(t.Context(), extension.Config{Function: &config.Function{Name: "f", LogFormat: "JSON"}})
		defer h.Close()
		h.Subscribe(legacy, body)
	})
}
