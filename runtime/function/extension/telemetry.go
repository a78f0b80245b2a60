package extension

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"devstack/runtime/function"
)

// api is one of the two interfaces by which an extension can have what is logged: the Telemetry API, and the Logs API before it.
type api struct {
	name    string // in refusals
	event   string // that says that somebody has subscribed
	schemas []string
	legacy  bool // it knows fewer events, and "platform.end"
}

// https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api-reference.html
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-logs-api.html
var (
	telemetryAPI = &api{"Telemetry", "platform.telemetrySubscription", []string{"2022-07-01", "2022-12-13", "2025-01-29"}, false}
	logsAPI      = &api{"Logs", "platform.logsSubscription", []string{"2020-08-15", "2021-03-18"}, true}
)

// subscription is a request for telemetry.
type subscription struct {
	Schema      string   `json:"schemaVersion"`
	Types       []string `json:"types"`
	Destination struct {
		Protocol string `json:"protocol"`
		URI      string `json:"URI"`
		Port     int    `json:"port"` // of TCP
		Method   string `json:"method"`
		Encoding string `json:"encoding"`
	} `json:"destination"`
	Buffering *buffering `json:"buffering"`
}

// buffering bounds a batch.
type buffering struct {
	MaxItems *int `json:"maxItems"`
	MaxBytes *int `json:"maxBytes"`
	Timeout  *int `json:"timeoutMs"`
}

// telemetry has those who have subscribed, and what they missed of the initialisation.
type telemetry struct {
	host *Host

	mu          sync.Mutex
	subscribers []*subscriber
	history     []function.Record
	over        bool // nobody can subscribe any more
}

// maxHistory bounds the records of an initialisation that are kept for later subscribers.
const maxHistory = 10000

func (t *telemetry) init(h *Host) { t.host = h }

// Observe sends a record to all who have subscribed to its kind. See function.Companion.
func (h *Host) Observe(r function.Record) {
	t := &h.telemetry
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.over && len(t.history) < maxHistory {
		t.history = append(t.history, r)
	}
	for _, s := range t.subscribers {
		s.offer(r)
	}
}

// begun says that the initialisation is over.
func (t *telemetry) begun() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over, t.history = true, nil
}

// flush sends what is gathered, and waits a moment until it has arrived.
func (t *telemetry) flush() {
	for _, s := range t.all() {
		s.flush()
	}
}

// close ends all deliveries.
func (t *telemetry) close() {
	t.begun()
	for _, s := range t.all() {
		s.close()
	}
}

func (t *telemetry) all() []*subscriber {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.subscribers)
}

// subscribe sends an extension what is logged, from the beginning of the initialisation on. A second subscription replaces the
// first.
func (h *Host) subscribe(kind *api) func(http.ResponseWriter, *http.Request, *agent) {
	return func(w http.ResponseWriter, r *http.Request, a *agent) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			refuse(w, http.StatusBadRequest, "ValidationError", "the body cannot be read: "+err.Error())
			return
		}
		s, problem := h.parse(kind, a.name, body)
		if problem != "" {
			refuse(w, http.StatusBadRequest, "ValidationError", problem)
			return
		}
		if !h.telemetry.add(s) {
			s.close()
			refuse(w, http.StatusForbidden, kind.name+".SubscriptionClosed", kind.name+" API subscription is closed already")
			return
		}
		h.joint.Tell(kind.event, function.Subscription{Name: a.name, State: "Subscribed", Types: s.types})
		reply(w, http.StatusOK, "OK")
	}
}

func (t *telemetry) add(s *subscriber) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return false
	}
	for _, r := range t.history {
		s.offer(r)
	}
	if i := slices.IndexFunc(t.subscribers, func(o *subscriber) bool { return o.name == s.name && o.api == s.api }); i >= 0 {
		go t.subscribers[i].close() // it may be sending
		t.subscribers[i] = s
		return true
	}
	t.subscribers = append(t.subscribers, s)
	return true
}

func (h *Host) parse(kind *api, name string, body []byte) (s *subscriber, problem string) {
	var in subscription
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, "the body is not the JSON of a subscription: " + err.Error()
	}
	return h.subscriber(kind, name, &in)
}

// subscriber checks a subscription. What is wrong with it is said in our words.
func (h *Host) subscriber(kind *api, name string, in *subscription) (s *subscriber, problem string) {
	s = newSubscriber(h, kind, name)
	if !slices.Contains(kind.schemas, in.Schema) {
		return nil, "schemaVersion must be one of " + strings.Join(kind.schemas, ", ") + ", not " + strconv.Quote(in.Schema)
	}
	if len(in.Types) == 0 {
		return nil, "types must name at least one of platform, function, extension"
	}
	for _, typ := range in.Types {
		if !slices.Contains([]string{"platform", "function", "extension"}, typ) {
			return nil, "types must be of platform, function, extension, not " + strconv.Quote(typ)
		}
	}
	s.types, s.schema = in.Types, in.Schema
	if problem := s.destination(in); problem != "" {
		return nil, problem
	}
	if b := in.Buffering; b != nil {
		for _, limit := range []struct {
			name     string
			given    *int
			to       *int
			min, max int
		}{
			{"maxItems", b.MaxItems, &s.maxItems, 1000, 10000},
			{"maxBytes", b.MaxBytes, &s.maxBytes, 262144, 1048576},
			{"timeoutMs", b.Timeout, &s.timeoutMs, 25, 30000},
		} {
			switch {
			case limit.given == nil:
			case *limit.given < limit.min || *limit.given > limit.max:
				return nil, "buffering." + limit.name + " must be between " + strconv.Itoa(limit.min) + " and " + strconv.Itoa(limit.max)
			default:
				*limit.to = *limit.given
			}
		}
	}
	go s.run()
	return s, ""
}

// destination finds out where to send to: a port of the sandbox, whose name is sandbox.localdomain. Its processes are this machine's,
// or a container's.
func (s *subscriber) destination(in *subscription) (problem string) {
	address := s.host.cfg.Address
	if address == nil {
		address = func(port string) (string, error) { return net.JoinHostPort("127.0.0.1", port), nil }
	}
	d := in.Destination
	switch d.Protocol {
	case "HTTP":
		u, err := url.Parse(d.URI)
		if err != nil || u.Scheme != "http" || u.Hostname() != "sandbox.localdomain" && u.Hostname() != "sandbox" {
			return "destination.URI must be http://sandbox.localdomain:PORT, and maybe a path, not " + strconv.Quote(d.URI)
		}
		port := u.Port()
		if port == "" {
			port = "80"
		}
		if u.Host, err = address(port); err != nil {
			return "destination.URI cannot be reached: " + err.Error()
		}
		if d.Method != "" && d.Method != "POST" && d.Method != "PUT" {
			return "destination.method must be POST or PUT, not " + strconv.Quote(d.Method)
		}
		if d.Encoding != "" && d.Encoding != "JSON" {
			return "destination.encoding must be JSON, not " + strconv.Quote(d.Encoding)
		}
		s.url, s.method = u.String(), "POST"
		if d.Method != "" {
			s.method = d.Method
		}
	case "TCP":
		if d.Port < 1 || d.Port > 65535 {
			return "destination.port must be between 1 and 65535"
		}
		var err error
		if s.tcp, err = address(strconv.Itoa(d.Port)); err != nil {
			return "destination.port cannot be reached: " + err.Error()
		}
	default:
		return "destination.protocol must be HTTP or TCP, not " + strconv.Quote(d.Protocol)
	}
	return ""
}

// encode writes a record as its API has it; nil if that knows no such event.
func (s *subscriber) encode(r function.Record) [][]byte {
	typ := r.Type
	kind, _, _ := strings.Cut(typ, ".")
	if !slices.Contains(s.types, kind) {
		return nil
	}
	record := r.Record
	if line, ok := record.(string); ok && typ == "function" && s.host.cfg.Function.LogFormat == "JSON" && isObject(line) {
		record = json.RawMessage(line)
	}
	if !s.api.legacy || kind != "platform" {
		return [][]byte{event(r.Time, typ, record)}
	}
	switch typ {
	case "platform.start", "platform.extension", "platform.logsSubscription", "platform.logsDropped":
		return [][]byte{event(r.Time, typ, record)}
	case "platform.runtimeDone":
		if s.schema != "2020-08-15" { // it came later
			return [][]byte{event(r.Time, typ, record)}
		}
	case "platform.report":
		end := map[string]string{"requestId": r.RequestID}
		return [][]byte{event(r.Time, "platform.end", end), event(r.Time, typ, record)}
	}
	return nil
}

func isObject(line string) bool {
	var o map[string]json.RawMessage
	return json.Unmarshal([]byte(line), &o) == nil
}

func event(at time.Time, typ string, record any) []byte {
	return marshal(struct {
		Time   string `json:"time"`
		Type   string `json:"type"`
		Record any    `json:"record"`
	}{at.UTC().Format(function.Stamp), typ, record})
}
