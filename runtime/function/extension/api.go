package extension

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"devstack/runtime/function"
)

// maxExtensions is how many there can be. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
const maxExtensions = 10

// maxBody bounds a request's body, in bytes.
const maxBody = 1 << 20

// Handle adds the Extensions API and the Telemetry API to a server.
func (h *Host) Handle(mux *http.ServeMux) {
	const v = "/2020-01-01/extension"
	mux.HandleFunc("POST "+v+"/register", h.register)
	mux.HandleFunc("GET "+v+"/event/next", h.known(h.event))
	mux.HandleFunc("POST "+v+"/init/error", h.known(h.initError))
	mux.HandleFunc("POST "+v+"/exit/error", h.known(h.exitError))
	mux.HandleFunc("PUT /2022-07-01/telemetry", h.known(h.subscribe(telemetryAPI)))
	mux.HandleFunc("PUT /2020-08-15/logs", h.known(h.subscribe(logsAPI)))
}

// Guard refuses browsers: no runtime and no extension is one, and no page in one may take a function's events or answer them.
func Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "" {
			refuse(w, http.StatusForbidden, "InvalidStateTransition", "State transition is not allowed")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// register makes an extension known. One whose name is that of a program which was started is external, another internal: it
// runs in the runtime's process.
func (h *Host) register(w http.ResponseWriter, r *http.Request) {
	name := r.Header.Get("Lambda-Extension-Name")
	if name == "" {
		refuse(w, http.StatusForbidden, "Extension.InvalidExtensionName", "Empty extension name")
		return
	}
	var in struct {
		Events            []string `json:"events"`
		ConfigurationKeys []string `json:"configurationKeys"`
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil {
		err = json.Unmarshal(body, &in)
	}
	if err == nil && len(in.ConfigurationKeys) > 0 {
		err = fmt.Errorf("configurationKeys are deprecated; use environment variables instead")
	}
	if err != nil {
		refuse(w, http.StatusForbidden, "InvalidRequestFormat", err.Error())
		return
	}
	a, p := h.enlist(name, in.Events)
	if p != nil {
		refuse(w, p.status, p.kind, p.text)
		return
	}
	fn := h.cfg.Function
	out := map[string]string{"functionName": fn.Name, "functionVersion": version(fn.Version), "handler": h.cfg.Handler}
	for feature := range strings.SplitSeq(r.Header.Get("Lambda-Extension-Accept-Feature"), ",") {
		if parts := strings.Split(fn.ARN, ":"); strings.TrimSpace(feature) == "accountId" && len(parts) > 4 {
			out["accountId"] = parts[4]
		}
	}
	w.Header().Set("Lambda-Extension-Identifier", a.id)
	reply(w, http.StatusOK, out)
}

func version(v string) string {
	if v == "" {
		return "$LATEST"
	}
	return v
}

// problem is a refused request.
type problem struct {
	status     int
	kind, text string
}

func forbidden(kind, format string, args ...any) *problem {
	return &problem{http.StatusForbidden, kind, fmt.Sprintf(format, args...)}
}

func (h *Host) enlist(name string, events []string) (*agent, *problem) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.IndexFunc(h.agents, func(a *agent) bool { return a.name == name })
	external := i >= 0 && h.agents[i].external
	for _, e := range events {
		switch {
		case e == "INVOKE", e == "SHUTDOWN" && external:
		case e == "SHUTDOWN":
			return nil, forbidden("Extension.InvalidEventType", "%s: ShutdownEventNotSupportedForInternalExtension", e)
		default:
			return nil, forbidden("Extension.InvalidEventType", "%s: ErrorInvalidEventType", e)
		}
	}
	events = slices.Compact(slices.Clone(events))
	if external {
		a := h.agents[i]
		if a.state != started {
			return nil, notAllowed(a, registered, a.name)
		}
		a.state, a.events, a.id = registered, events, newID()
		h.changedLocked()
		return a, nil
	}
	switch {
	case h.closed || h.ending:
		return nil, forbidden("Extension.RegistrationClosed", "Extension registration closed already")
	case i >= 0:
		return nil, forbidden("Extension.InvalidExtensionState", "Extension with this name already registered")
	case len(h.agents) >= maxExtensions:
		return nil, forbidden("Extension.TooManyExtensions", "Extension limit (%d) reached", maxExtensions)
	}
	a := &agent{name: name, id: newID(), state: registered, events: events, next: make(chan []byte, 1)}
	h.agents = append(h.agents, a)
	return a, nil
}

func notAllowed(a *agent, to state, who string) *problem {
	return forbidden("Extension.InvalidExtensionState", "State transition from %s to %s failed for extension %s. Error: State transition is not allowed",
		a.state, to, who)
}

// known finds the extension that a request is of.
func (h *Host) known(next func(http.ResponseWriter, *http.Request, *agent)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("Lambda-Extension-Identifier")
		switch {
		case id == "":
			refuse(w, http.StatusForbidden, "Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header")
			return
		case !isID(id):
			refuse(w, http.StatusForbidden, "Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier")
			return
		}
		h.mu.Lock()
		i := slices.IndexFunc(h.agents, func(a *agent) bool { return a.id == strings.ToLower(id) })
		var a *agent
		if i >= 0 {
			a = h.agents[i]
		}
		h.mu.Unlock()
		if a == nil {
			refuse(w, http.StatusForbidden, "Extension.UnknownExtensionIdentifier", "Unknown extension "+id)
			return
		}
		next(w, r, a)
	}
}

// event waits for an extension's next event. Asking for it says that the extension is done with the one before.
func (h *Host) event(w http.ResponseWriter, r *http.Request, a *agent) {
	h.mu.Lock()
	switch {
	case a.state == registered, a.state == running, a.state == ready && a.waiting == 0:
	default:
		p := notAllowed(a, ready, a.id)
		h.mu.Unlock()
		refuse(w, p.status, p.kind, p.text)
		return
	}
	if a.state == running {
		a.pending = false
		h.settleLocked()
	}
	a.state = ready
	a.waiting++
	h.changedLocked()
	h.mu.Unlock()
	var event []byte
	select {
	case event = <-a.next:
	case <-r.Context().Done():
	case <-h.over:
	}
	h.mu.Lock()
	a.waiting--
	if event != nil && a.state == ready {
		a.state = running
	}
	h.mu.Unlock()
	if event == nil {
		return
	}
	w.Header().Set("Lambda-Extension-Identifier", a.id)
	w.Header().Set("Lambda-Extension-Event-Identifier", newID())
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(event)))
	w.Write(event) // one that is gone is noticed by its process
}

// settleLocked closes settled if no extension has an event any more.
func (h *Host) settleLocked() {
	if slices.ContainsFunc(h.agents, func(a *agent) bool { return a.pending }) {
		return
	}
	select {
	case <-h.settled:
	default:
		close(h.settled)
	}
}

// Begin tells those who want to know that the function has an event.
func (h *Host) Begin(ev *function.Event) {
	body := invokeEvent(ev)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.agents {
		if !slices.Contains(a.events, "INVOKE") || a.state != ready {
			continue
		}
		select {
		case a.next <- body:
			a.pending = true
		default: // it has not taken the one before
		}
	}
	if slices.ContainsFunc(h.agents, func(a *agent) bool { return a.pending }) {
		h.settled = make(chan struct{})
	}
}

func invokeEvent(ev *function.Event) []byte {
	out := struct {
		EventType string            `json:"eventType"`
		Deadline  int64             `json:"deadlineMs"`
		RequestID string            `json:"requestId"`
		ARN       string            `json:"invokedFunctionArn"`
		Tracing   *function.Tracing `json:"tracing,omitempty"`
	}{"INVOKE", time.Now().Add(ev.Timeout).UnixMilli(), ev.RequestID, ev.ARN, nil} // by the clock that its process has
	if ev.TraceID != "" {
		out.Tracing = &function.Tracing{Type: "X-Amzn-Trace-Id", Value: ev.TraceID}
	}
	return marshal(out)
}

// initError takes an extension's report that it cannot work: the sandbox is given up.
func (h *Host) initError(w http.ResponseWriter, r *http.Request, a *agent) {
	h.report(w, r, a, initFailed, "Extension.InitError")
}

// exitError takes an extension's report that it is about to end.
func (h *Host) exitError(w http.ResponseWriter, r *http.Request, a *agent) {
	h.report(w, r, a, exitFailed, "Extension.ExitError")
}

func (h *Host) report(w http.ResponseWriter, r *http.Request, a *agent, to state, typ string) {
	const header = "Lambda-Extension-Function-Error-Type"
	kind := r.Header.Get(header)
	if kind == "" {
		refuse(w, http.StatusForbidden, "Extension.MissingHeader", header+" not found")
		return
	}
	h.mu.Lock()
	allowed := a.state == to || a.state == registered || to == exitFailed && (a.state == ready || a.state == running)
	if !allowed {
		p := notAllowed(a, to, a.id)
		h.mu.Unlock()
		refuse(w, p.status, p.kind, p.text)
		return
	}
	a.state, a.errType, a.pending = to, kind, false
	h.changedLocked()
	h.settleLocked()
	ending := h.ending
	h.mu.Unlock()
	if !ending {
		// The message is a guess: it names what failed, as the developer needs to know.
		h.fail(&function.ExtensionError{Type: typ, Message: "extension " + a.name + " reported " + kind})
	}
	w.Header().Set("Lambda-Extension-Identifier", a.id)
	reply(w, http.StatusAccepted, map[string]string{"status": "OK"})
}

func refuse(w http.ResponseWriter, status int, kind, text string) {
	reply(w, status, map[string]string{"errorType": kind, "errorMessage": text})
}

func reply(w http.ResponseWriter, status int, body any) {
	b := marshal(body)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	w.Write(b)
}

func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // our own types always marshal
	}
	return b
}

// newID makes a version 4 UUID.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails, since Go 1.24
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// isID reports whether a text is a UUID.
func isID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(strings.ToLower(s)) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
