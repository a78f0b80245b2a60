package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"devstack/internal/trace"
	"devstack/runtime/supervise"
)

// order places an order and returns it.
func (r *running) order(customer, lines string) map[string]any {
	r.t.Helper()
	var o map[string]any
	answer := r.want(201, `"PLACED"`, "POST", "/orders", `{"customer":"`+customer+`","lines":`+lines+`}`)
	if err := json.Unmarshal([]byte(answer), &o); err != nil {
		r.t.Fatal(err)
	}
	return o
}

func (r *running) checkout(o map[string]any) string {
	r.t.Helper()
	b, _ := json.Marshal(o)
	return r.want(200, "", "POST", "/checkout", string(b))
}

func TestTheShop(t *testing.T) {
	r := runStack(t, shop(t))

	t.Run("every resource is ready", func(t *testing.T) {
		for _, s := range r.status().Resources {
			if s.State != supervise.Ready {
				t.Errorf("%s.%s is %s: %s", s.Type, s.Name, s.State, s.Why)
			}
		}
	})

	t.Run("the service answers through the API", func(t *testing.T) {
		r.want(200, `"price":450`, "GET", "/catalog/products/tea", "")
		r.want(404, "no such product", "GET", "/catalog/products/nothing", "")
	})

	tea := r.order("ada", `[{"product":"tea","count":2}]`)
	t.Run("an order is priced, kept and found by both keys", func(t *testing.T) {
		if tea["total"] != 900.0 {
			t.Errorf("two teas cost %v", tea["total"])
		}
		r.want(200, tea["id"].(string), "GET", "/orders/ada", "")
		r.want(200, tea["id"].(string), "GET", "/orders?status=PLACED", "")
		r.want(400, "want a customer", "POST", "/orders", `{}`)
		r.want(404, "the catalog has no gold", "POST", "/orders", `{"customer":"ada","lines":[{"product":"gold","count":1}]}`)
	})

	t.Run("the table's stream feeds the tally", func(t *testing.T) {
		eventually(t, "total of tea", func() bool {
			_, answer := r.awsJSON("DynamoDB_20120810.GetItem", `{"TableName":"totals","Key":{"product":{"S":"tea"}}}`)
			return strings.Contains(answer, `"ordered":{"N":"2"}`)
		})
		eventually(t, "log event in CloudWatch", func() bool {
			_, answer := r.awsJSON("Logs_20140328.FilterLogEvents", `{"logGroupName":"/aws/lambda/tally","filterPattern":"counted"}`)
			return strings.Contains(answer, "counted order")
		})
	})

	t.Run("the state machine pays for it, trying again when the bank is busy", func(t *testing.T) {
		for range 3 { // the bank is busy every third time
			o := r.order("bob", `[{"product":"tea","count":1},{"product":"cake","count":1}]`)
			if answer := r.checkout(o); !strings.Contains(answer, `"status":"SUCCEEDED"`) {
				t.Errorf("checkout: %s", answer)
			}
		}
		r.want(200, `"PAID"`, "GET", "/orders/bob", "")
	})

	t.Run("what cannot be paid is caught and marked", func(t *testing.T) {
		answer := r.checkout(r.order("eve", `[{"product":"yacht","count":1}]`))
		if !strings.Contains(answer, `"status":"FAILED"`) || !strings.Contains(answer, "CardDeclined") {
			t.Errorf("checkout: %s", answer)
		}
		r.want(200, `"REFUSED"`, "GET", "/orders/eve", "")
	})

	t.Run("every hop is in the trace", func(t *testing.T) { testTrace(t, r) })
	t.Run("pages of other sites are refused", func(t *testing.T) { testDoors(t, r) })
	t.Run("the clock moves Redis too", func(t *testing.T) {
		r.devstack("clock", "advance", "2m") // prices are kept for a minute: the next order asks the catalog again
		root := trace.NewRoot(time.Now())
		r.call("POST", "/orders", `{"customer":"ada","lines":[{"product":"tea","count":1}]}`, "X-Amzn-Trace-Id", "Root="+root)
		if hops := r.devstack("trace", root); !strings.Contains(hops, "service catalog") {
			t.Errorf("the price of two minutes ago was still there:\n%s", hops)
		}
	})
	t.Run("no credentials of the caller reach a command", func(t *testing.T) {
		out := r.devstack("exec", "--", "env")
		if strings.Contains(out, "AKIAREAL") || strings.Contains(out, "AWS_PROFILE") || !strings.Contains(out, "AWS_ENDPOINT_URL=http://127.0.0.1:"+strconv.Itoa(r.aws)) {
			t.Errorf("exec env prints\n%s", out)
		}
	})
	t.Run("a second daemon is told who holds the stack", func(t *testing.T) {
		out, code := r.try("up")
		if code != exitFailure || !strings.Contains(out, strconv.Itoa(r.status().PID)) {
			t.Errorf("exit code %d: %s", code, out)
		}
	})
	t.Run("verbs work below the stack's folder", func(t *testing.T) {
		if out := r.devstack("-C", "examples/shop/functions", "logs", "tally"); !strings.Contains(out, "counted order") {
			t.Errorf("logs: %s", out)
		}
	})
	t.Run("invoke prints what the function returns", func(t *testing.T) {
		if out := r.devstack("invoke", "list_orders", `{"pathParameters":{"customer":"eve"}}`); !strings.Contains(out, "REFUSED") {
			t.Errorf("invoke: %s", out)
		}
		if out, code := r.try("invoke", "list_order"); code != 1 || !strings.Contains(out, `did you mean "list_orders"?`) {
			t.Errorf("a wrong name: %d %s", code, out)
		}
	})
}

// testTrace looks at the trace of an order: the API, the function, and what the function did.
func testTrace(t *testing.T, r *running) {
	root := trace.NewRoot(time.Now())
	status, _ := r.call("POST", "/orders", `{"customer":"tess","lines":[{"product":"coffee","count":1}]}`, "X-Amzn-Trace-Id", "Root="+root)
	if status != 201 {
		t.Fatalf("the order: %d", status)
	}
	kinds := map[string]string{}
	eventually(t, "delivery of the stream in the order's trace", func() bool {
		var spans []trace.Span
		if err := json.Unmarshal([]byte(r.devstack("trace", root, "--json")), &spans); err != nil {
			t.Fatal(err)
		}
		clear(kinds)
		for _, s := range spans {
			kinds[s.Kind] += s.Name + " "
		}
		return strings.Contains(kinds["stream"], "orders") && strings.Contains(kinds["function"], "tally")
	})
	for kind, name := range map[string]string{"api": "POST /orders", "function": "create_order", "service": "catalog", "aws": "dynamodb.PutItem"} {
		if !strings.Contains(kinds[kind], name) {
			t.Errorf("the trace has no %s %s: %v", kind, name, kinds)
		}
	}
}

// testDoors tries what a page of another site would, at every port that the stack opens.
func testDoors(t *testing.T, r *running) {
	urls := map[string]string{"AWS": fmt.Sprintf("http://127.0.0.1:%d/", r.aws)}
	for _, s := range r.status().Resources {
		if strings.HasPrefix(s.URL, "http:") {
			urls[s.Type] = s.URL + "/"
		}
	}
	if len(urls) != 3 {
		t.Errorf("the doors are %v", urls)
	}
	for what, url := range urls {
		for _, header := range [][2]string{{"Host", "evil.example"}, {"Origin", "https://evil.example"}, {"Origin", "null"}, {"Sec-Fetch-Site", "cross-site"}} {
			req, _ := http.NewRequest("POST", url, strings.NewReader("{}"))
			if req.Header.Set(header[0], header[1]); header[0] == "Host" {
				req.Host = header[1]
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != http.StatusForbidden {
				t.Errorf("%s: with %v the answer is %d", what, header, res.StatusCode)
			}
		}
	}
	cache := strings.TrimPrefix(r.state("cache", "prices").URL, "redis://")
	for i, sent := range []string{"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n*3\r\n$3\r\nSET\r\n$4\r\nevil\r\n$1\r\n1\r\n", "*2\r\n$3\r\nGET\r\n$4\r\nevil\r\n"} {
		c, err := net.Dial("tcp", cache)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = io.WriteString(c, sent)
		answer, _ := bufio.NewReader(c).ReadString('\n')
		if want := []string{"-ERR Protocol error: expected '*', got 'P'\r\n", "$-1\r\n"}[i]; answer != want {
			t.Errorf("the cache answers %q, want %q", answer, want)
		}
	}
}

func TestSaves(t *testing.T) {
	r := runStack(t, shop(t))
	list := "examples/shop/functions/list_orders.ts"

	t.Run("a function's next answer is of the new code", func(t *testing.T) {
		r.edit(list, "return { orders: Items };", "return { all: Items };")
		r.want(200, `"all"`, "GET", "/orders/ada", "")
	})
	t.Run("a mistake is told to its callers and harms nobody else", func(t *testing.T) {
		r.edit(list, "return { all: Items };", "return { all: Items ;")
		r.want(500, "list_orders.ts:", "GET", "/orders/ada", "")
		r.order("ada", `[{"product":"tea","count":1}]`)
		if s := r.state("function", "list_orders"); s.State != supervise.Failed || !strings.Contains(s.Why, "list_orders.ts") {
			t.Errorf("status: %s %s", s.State, s.Why)
		}
		r.edit(list, "return { all: Items ;", "return { healed: Items };")
		r.want(200, `"healed"`, "GET", "/orders/ada", "")
	})
	t.Run("a service is replaced and no request is dropped", func(t *testing.T) {
		r.edit("examples/shop/catalog/main.go", `"tea": 450`, `"tea": 451`)
		eventually(t, "new price", func() bool {
			status, answer := r.call("GET", "/catalog/products/tea", "")
			if status != 200 {
				t.Fatalf("in between the answer is %d %s", status, answer)
			}
			return strings.Contains(answer, "451")
		})
	})
	t.Run("a route is added by an edit of stack.hcl", func(t *testing.T) {
		r.want(404, "Not Found", "GET", "/all", "")
		r.edit("stack.hcl", `route "POST /checkout"`, "route \"GET /all\"               { function = function.list_orders }\n  route \"POST /checkout\"")
		eventually(t, "new route", func() bool { status, _ := r.call("GET", "/all", ""); return status == 200 })
	})
	t.Run("a stack file with five mistakes reports five and changes nothing", func(t *testing.T) {
		bad := "\ntable \"bad\" {\n  hash_kye = \"x\"\n}\nfunction \"f\" {\n  runtime = \"jss\"\n  source = \"nowhere.ts\"\n}\ncache \"c\" { port = 99999 }\nqueu \"q\" {}\n"
		r.edit("stack.hcl", "cache \"prices\" {}", "cache \"prices\" {}"+bad)
		out, code := r.try("validate")
		if code != exitConfiguration || strings.Count(out, "stack.hcl:") < 5 || !strings.Contains(out, `"hash_key"`) {
			t.Errorf("validate: %d\n%s", code, out)
		}
		eventually(t, "report of the problem", func() bool { return r.status().Problem != "" })
		r.want(200, `"healed"`, "GET", "/orders/ada", "")
		r.edit("stack.hcl", bad, "")
		eventually(t, "end of the problem", func() bool { return r.status().Problem == "" })
	})
}

// state is what status says of a resource.
func (r *running) state(kind, name string) supervise.Status {
	r.t.Helper()
	for _, s := range r.status().Resources {
		if s.Type == kind && s.Name == name {
			return s
		}
	}
	r.t.Fatalf("there is no %s.%s", kind, name)
	panic("unreachable")
}

func TestKilledDaemon(t *testing.T) {
	dir := shop(t)
	r := runStack(t, dir)
	o := r.order("ada", `[{"product":"tea","count":2}]`)
	pid := r.status().PID
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "end of all that it had started", func() bool { return !held(dir) && len(processesIn(t, dir)) == 0 })

	again := runStack(t, dir)
	again.want(200, o["id"].(string), "GET", "/orders/ada", "")
	if s := again.state("service", "catalog"); s.State != supervise.Ready {
		t.Errorf("the service is %s: %s", s.State, s.Why)
	}
	t.Run("reset empties it", func(t *testing.T) {
		again.devstack("reset")
		again.want(200, `{"orders":[]}`, "GET", "/orders/ada", "")
	})
	t.Run("down ends it, and its data stays", func(t *testing.T) {
		o := again.order("bob", `[{"product":"tea","count":1}]`)
		again.devstack("down")
		if left := processesIn(t, dir); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
		runStack(t, dir).want(200, o["id"].(string), "GET", "/orders/bob", "")
	})
}

// processesIn lists the processes whose working folder is the stack's.
func processesIn(t *testing.T, dir string) (pids []string) {
	t.Helper()
	if _, err := os.Stat("/proc/self/cwd"); err != nil {
		missing(t, "there is no /proc to find processes in")
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	links, _ := filepath.Glob("/proc/[0-9]*/cwd")
	for _, link := range links {
		if cwd, err := os.Readlink(link); err == nil && cwd == real {
			pids = append(pids, filepath.Base(filepath.Dir(link)))
		}
	}
	return pids
}

func TestStartFailures(t *testing.T) {
	for _, tt := range []struct {
		name  string
		stack string
		code  int
		says  []string
	}{
		{"a port in use", `stack "s" { port = PORT }`, exitStart, []string{"port PORT", "in use"}},
		{"a missing command", `stack "s" { port = FREE }
service "x" { command = ["no-such-program"] }`, exitStart, []string{"service.x", "no-such-program"}},
		{"a service that ends", `stack "s" { port = FREE }
service "x" { command = ["sh", "-c", "echo its last words; exit 3"] }`, exitStart, []string{"service.x", "exited with status 3", "its last words"}},
		{"a handler file that is not there", `stack "s" { port = FREE }
function "f" {
  runtime = "js"
  source  = "f.ts"
}`, exitConfiguration, []string{"stack.hcl:4", "f.ts"}},
		{"a state machine that is none", `stack "s" { port = FREE }
state_machine "m" {
  definition = jsonencode({ StartAt = "A", States = {} })
}`, exitConfiguration, []string{"stack.hcl", "Invalid definition", "SCHEMA_VALIDATION_FAILED"}},
		{"no stack at all", ``, exitConfiguration, []string{"stack"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			taken, free := takenPort(t), freePort(t)
			replace := strings.NewReplacer("PORT", strconv.Itoa(taken), "FREE", strconv.Itoa(free))
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "stack.hcl"), []byte(replace.Replace(tt.stack)), 0o644); err != nil {
				t.Fatal(err)
			}
			r := &running{t: t, dir: dir}
			out, code := r.try("up", "--detach", "--wait", "20s")
			if held(dir) {
				defer r.devstack("down")
				out += r.devstack("status") + r.devstack("logs")
			}
			if code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			for _, s := range tt.says {
				if !strings.Contains(out, replace.Replace(s)) {
					t.Errorf("%q is not in\n%s", s, out)
				}
			}
		})
	}
}

// takenPort listens on a port for the length of the test.
func takenPort(t *testing.T) int {
	t.Helper()
	l, err := listen(0, "a test", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().(*net.TCPAddr).Port
}
