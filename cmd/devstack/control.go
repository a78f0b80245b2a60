package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"time"

	"devstack/emulators/wire"
	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/supervise"
)

// report is what `devstack status --json` prints.
type report struct {
	Stack     string             `json:"stack"`
	Dir       string             `json:"dir"`
	PID       int                `json:"pid"`
	Endpoint  string             `json:"endpoint"`
	Region    string             `json:"region"`
	Account   string             `json:"account"`
	Started   time.Time          `json:"started"`
	Problem   string             `json:"problem,omitempty"` // why the stack's files are not what runs
	Applied   bool               `json:"applied"`           // the stack's files were carried out once
	Settled   bool               `json:"settled"`           // nothing is pending or starting any more
	Resources []supervise.Status `json:"resources"`
	AWS       []serviceReport    `json:"aws,omitempty"` // services that were called
}

// serviceReport says what was asked of a service, and what of it is not there.
type serviceReport struct {
	Service        string            `json:"service"`
	Calls          uint64            `json:"calls"`
	NotImplemented map[string]uint64 `json:"not_implemented,omitempty"`
	Unknown        map[string]uint64 `json:"unknown,omitempty"`
}

// control is the daemon's own API: HTTP on a socket in the stack's .devstack folder, for the command line and for nobody else.
type control struct {
	d       *daemon
	pid     int
	started time.Time
	down    func() // ends the daemon
	restart func() // ends it and begins anew with empty services
}

// serveControl listens until the returned function is called.
func serveControl(socket string, c *control) (stop func(), err error) {
	os.Remove(socket) // of a daemon that was killed: we hold the lock
	l, err := net.Listen("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	if err := os.Chmod(socket, 0o600); err != nil {
		l.Close()
		return nil, fmt.Errorf("control socket: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { answer(w, c.report()) })
	mux.HandleFunc("GET /logs", c.serveLogs)
	mux.HandleFunc("POST /invoke/{name}", c.serveInvoke)
	mux.HandleFunc("GET /traces", c.serveTraces)
	mux.HandleFunc("GET /traces/{id}", c.serveTrace)
	mux.HandleFunc("POST /clock", c.serveClock)
	mux.HandleFunc("GET /clock", c.serveClock)
	mux.HandleFunc("POST /reset", c.serveReset)
	mux.HandleFunc("POST /down", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, struct{}{})
		c.down()
	})
	ctx, end := context.WithCancel(context.Background())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	go server.Serve(l)
	return func() {
		end() // who follows logs sees their end, and not a broken connection
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			server.Close()
		}
	}, nil
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a client that went away
}

// refuse answers an error as the client's `call` returns it.
func refuse(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": err.Error()})
}

// report is the state of everything.
func (c *control) report() report {
	d := c.d
	stack := d.current()
	r := report{
		Stack: stack.Name, Dir: d.dir, PID: c.pid, Started: c.started, Endpoint: endpointURL(stack), Region: stack.Region, Account: stack.Account,
		Resources: d.status(), AWS: serviceReports(d.cloud.Stats()), Settled: true, Applied: d.applied.Load(),
	}
	d.mu.Lock()
	if d.problem != nil {
		r.Problem = d.problem.Error()
	}
	d.mu.Unlock()
	for _, s := range r.Resources {
		r.Settled = r.Settled && s.State != supervise.Pending && s.State != supervise.Starting
	}
	return r
}

// status is the supervisor's, corrected by what functions know of themselves.
func (d *daemon) status() []supervise.Status {
	all := d.sup.Status()
	for i := range all {
		d.correct(&all[i])
	}
	return all
}

// correct takes a function that cannot be built for failed: to the supervisor it is there, because its callers are answered.
func (d *daemon) correct(s *supervise.Status) {
	if s.Type != "function" || s.State != supervise.Ready {
		return
	}
	fn, ok := d.resource(s.ID).(*config.Function)
	if !ok {
		return
	}
	if fn.Debug != 0 {
		s.Debugger = net.JoinHostPort("127.0.0.1", strconv.Itoa(fn.Debug))
	}
	if info, err := d.functions.Get(fn.Name); err == nil && info.State == function.Failed {
		s.State, s.Why = supervise.Failed, info.Reason
	}
}

// resource returns a resource of the running stack, nil if there is none.
func (d *daemon) resource(id config.ID) config.Resource {
	for _, r := range d.current().Resources {
		if r.Base().ID == id {
			return r
		}
	}
	return nil
}

// serviceReports lists the services that were asked anything.
func serviceReports(stats wire.Stats) []serviceReport {
	var out []serviceReport
	for _, s := range stats.Services {
		r := serviceReport{Service: s.Service, NotImplemented: s.NotImplemented, Unknown: s.Unknown}
		for _, n := range s.Calls {
			r.Calls += n
		}
		if r.Calls > 0 || len(r.NotImplemented) > 0 || len(r.Unknown) > 0 {
			out = append(out, r)
		}
	}
	return out
}

// serveLogs writes log lines as JSON, one a line: the last n of the sources, and with follow what comes after.
func (c *control) serveLogs(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	n := 200
	if _, err := fmt.Sscan(q.Get("n"), &n); q.Get("n") != "" && err != nil {
		refuse(w, http.StatusBadRequest, fmt.Errorf("n: %w", err))
		return
	}
	sources, err := c.sources(q["source"])
	if err != nil {
		refuse(w, http.StatusNotFound, err)
		return
	}
	tail, next := c.d.logs.Follow(r.Context(), sources, 2*n)
	enc := json.NewEncoder(w)
	for _, l := range logged(tail, n) {
		_ = enc.Encode(l)
	}
	if q.Get("follow") == "" {
		return
	}
	flush := http.NewResponseController(w)
	_ = flush.Flush()
	for l := range next {
		if l.Stream == invocation {
			continue
		}
		if enc.Encode(l) != nil {
			return
		}
		_ = flush.Flush()
	}
}

// sources finds the log sources of names as a person gives them: "function.tally", or "tally" alone.
func (c *control) sources(names []string) ([]string, error) {
	known := c.d.logs.Sources()
	for _, s := range c.d.sup.Status() {
		known = append(known, s.ID.String())
	}
	slices.Sort(known)
	known = slices.Compact(known) // most are a source and a resource
	var out []string
	for _, name := range names {
		found := false
		for _, k := range known {
			if k == name || afterDot(k) == name {
				out, found = append(out, k), true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no resource %q in the stack%s", name, didYouMean(name, known))
		}
	}
	return out, nil
}

func (c *control) serveInvoke(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if fn, ok := c.d.resource(config.ID{Type: "function", Name: name}).(*config.Function); ok {
		name = fn.Name
	}
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, function.MaxPayload))
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, err)
		return
	}
	var out struct {
		FunctionError      string
		Payload, LogResult []byte
	}
	in := map[string]any{"FunctionName": name, "Payload": payload, "LogType": "Tail"}
	err = c.d.cloud.Call(c.d.traces.Context(r.Context()), "lambda", "Invoke", in, &out)
	var refused *wire.Error
	switch {
	case errors.As(err, &refused) && refused.Code == "ResourceNotFoundException":
		var known []string
		for _, f := range c.d.functions.List() {
			known = append(known, f.Function.Name)
		}
		refuse(w, http.StatusNotFound, fmt.Errorf("there is no function %q%s", name, didYouMean(name, known)))
	case err != nil:
		refuse(w, http.StatusInternalServerError, err)
	default:
		answer(w, invoked{Payload: out.Payload, Failed: out.FunctionError != "", Log: out.LogResult})
	}
}

// invoked is the answer of /invoke.
type invoked struct {
	Payload []byte `json:"payload"`
	Failed  bool   `json:"failed"`
	Log     []byte `json:"log"`
}

func (c *control) serveTraces(w http.ResponseWriter, _ *http.Request) {
	answer(w, summaries(c.d.traces.Spans()))
}

func (c *control) serveTrace(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	spans := c.d.traces.Trace(id)
	if len(spans) == 0 {
		refuse(w, http.StatusNotFound, fmt.Errorf("there is no trace %q, or not any more: the latest %d spans are kept", id, maxSpans))
		return
	}
	answer(w, spans)
}

// clockReport is the answer of /clock.
type clockReport struct {
	Now    time.Time     `json:"now"`
	Offset time.Duration `json:"offset"` // nanoseconds ahead of the operating system's clock
}

// serveClock moves the stack's clock forward by the duration in "advance", if there is one, and says where it stands.
func (c *control) serveClock(w http.ResponseWriter, r *http.Request) {
	if by := r.URL.Query().Get("advance"); by != "" {
		d, err := time.ParseDuration(by)
		if err != nil || d < 0 {
			refuse(w, http.StatusBadRequest, fmt.Errorf("%q is not a duration forward, like 90s or 1h30m", by))
			return
		}
		if err := c.d.advance(d); err != nil {
			refuse(w, http.StatusInternalServerError, err)
			return
		}
	}
	answer(w, clockReport{c.d.clock.Now(), c.d.clock.Offset()})
}

// serveReset begins anew with empty services.
func (c *control) serveReset(w http.ResponseWriter, _ *http.Request) {
	answer(w, struct{}{})
	c.restart()
}
