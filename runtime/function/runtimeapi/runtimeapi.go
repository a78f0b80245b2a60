// Package runtimeapi is the AWS Lambda Runtime API: the HTTP interface by which a runtime takes events and answers them.
// Each sandbox has a server of its own, because official runtime clients know no path before /2018-06-01.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html; status codes are those of the OpenAPI description that
// is published there; states, names and texts of errors those of AWS's open source runtime interface emulator
// (github.com/aws/aws-lambda-runtime-interface-emulator, lambda/core/states.go and lambda/rapi).
package runtimeapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"devstack/runtime/function"
	"devstack/runtime/function/extension"
)

// API serves one sandbox. Its methods may be called from any goroutine.
type API struct {
	listener net.Listener
	server   *http.Server
	ready    chan struct{} // closed by the first request for an event
	failed   chan *function.InitError
	closed   chan struct{}
	once     sync.Once

	mu      sync.Mutex
	state   state
	asked   bool        // ready is closed
	current *invocation // handed in and not answered
	last    string      // request id of the one answered last
	offered chan struct{}
}

// state is what the runtime is at, by the names that its errors have.
type state string

const (
	started    state = "Started"
	initFailed state = "InitError"
	ready      state = "Ready"                    // it waits for an event
	running    state = "Running"                  // it has one
	responding state = "InvocationResponse"       // it sends its response
	failing    state = "InvocationErrorResponse"  // it sends an error
	sent       state = "RuntimeResponseSentState" // it has answered
)

// invocation is an event on its way through the runtime.
type invocation struct {
	event  *function.Event
	gone   <-chan struct{} // closed when the runtime's process has ended
	taken  bool
	answer chan answer
	over   chan struct{} // closed when nobody waits for the answer any more
}

type answer struct {
	payload []byte
	err     error
}

// New opens a server on a free port of the loopback interface. More are the paths of other APIs that it has.
func New(more ...func(*http.ServeMux)) (*API, error) { return Listen("127.0.0.1:0", more...) }

// Listen opens a server on another address that only a sandbox can reach, such as that of a container's bridge.
func Listen(address string, more ...func(*http.ServeMux)) (*API, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for a sandbox's runtime: %w", err)
	}
	a := newAPI()
	a.listener = l
	a.server = &http.Server{Handler: a.handler(more...), ReadHeaderTimeout: time.Minute}
	go a.server.Serve(l) // ends with Close
	return a, nil
}

func newAPI() *API {
	return &API{
		ready: make(chan struct{}), failed: make(chan *function.InitError, 1), state: started,
		closed: make(chan struct{}), offered: make(chan struct{}, 1),
	}
}

// handler knows nothing of /runtime/restore: where SnapStart is off, as it is here, AWS too answers that there is no such
// path.
func (a *API) handler(more ...func(*http.ServeMux)) http.Handler {
	const version = "/2018-06-01/runtime"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+version+"/invocation/next", a.next)
	mux.HandleFunc("POST "+version+"/invocation/{id}/response", a.response)
	mux.HandleFunc("POST "+version+"/invocation/{id}/error", a.invocationError)
	mux.HandleFunc("POST "+version+"/init/error", a.initError)
	for _, add := range more {
		add(mux)
	}
	return extension.Guard(mux)
}

// Addr is host and port, the value of AWS_LAMBDA_RUNTIME_API.
func (a *API) Addr() string { return a.listener.Addr().String() }

// Ready is closed when the runtime has asked for its first event: it has loaded the function.
func (a *API) Ready() <-chan struct{} { return a.ready }

// Failed delivers the runtime's report that it could not load the function.
func (a *API) Failed() <-chan *function.InitError { return a.failed }

// Close ends the server and all connections.
func (a *API) Close() error {
	a.once.Do(func() { close(a.closed) })
	return a.server.Close()
}

// Invoke offers an event to the runtime and waits for the answer: what the handler returned, or a
// *function.FunctionError. A streamed response goes to the event's Stream, if it has one. If ctx ends first the error is ctx's;
// if the runtime does (gone is closed) it is ErrEnded, or function.ErrGone if the runtime had not taken the event.
func (a *API) Invoke(ctx context.Context, ev *function.Event, gone <-chan struct{}) (payload []byte, err error) {
	in := &invocation{event: ev, gone: gone, answer: make(chan answer, 1), over: make(chan struct{})}
	defer close(in.over)
	a.mu.Lock()
	if a.current != nil {
		a.mu.Unlock()
		return nil, errors.New("the runtime has an event already")
	}
	a.current = in
	a.mu.Unlock()
	a.offered <- struct{}{}
	select {
	case r := <-in.answer:
		return r.payload, r.err
	case <-ctx.Done():
		err = ctx.Err()
	case <-gone:
		err = ErrEnded
	case <-a.closed:
		err = ErrEnded
	}
	return a.withdraw(in, err)
}

// ErrEnded is Invoke's error for an event that the runtime took and had not answered when it ended.
var ErrEnded = errors.New("the runtime ended without an answer")

// withdraw takes an event back, unless it was answered in the same moment.
func (a *API) withdraw(in *invocation, err error) ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case r := <-in.answer:
		return r.payload, r.err
	default:
	}
	a.current = nil
	if !in.taken {
		select {
		case <-a.offered:
		default:
		}
		if errors.Is(err, ErrEnded) {
			return nil, function.ErrGone
		}
	}
	return nil, err
}

// next waits for an event. A runtime may wait for days. One that asks again while it has an event gets the same again, as on
// AWS: its connection may have broken before it had read all of it.
func (a *API) next(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	switch a.state {
	case running:
		if in := a.current; in != nil {
			a.mu.Unlock()
			deliver(w, in.event)
			return
		}
		a.state = ready // it was withdrawn
	case started, sent:
		a.state = ready
	case ready:
	default:
		p := a.notAllowedLocked(ready)
		a.mu.Unlock()
		refuse(w, p)
		return
	}
	if !a.asked {
		a.asked = true
		close(a.ready)
	}
	a.mu.Unlock()
	for {
		select {
		case <-a.offered:
		case <-r.Context().Done():
			return
		case <-a.closed:
			return
		}
		a.mu.Lock()
		in := a.current
		if in == nil { // withdrawn in the same moment
			a.mu.Unlock()
			continue
		}
		in.taken, a.state = true, running
		a.mu.Unlock()
		deliver(w, in.event)
		return
	}
}

func deliver(w http.ResponseWriter, ev *function.Event) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(ev.Payload)))
	h.Set("Lambda-Runtime-Aws-Request-Id", ev.RequestID)
	// By the clock of the operating system, which the runtime's process compares it with, not by the daemon's.
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(ev.Timeout).UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", ev.ARN)
	for name, value := range map[string]string{
		"Lambda-Runtime-Trace-Id":         ev.TraceID,
		"Lambda-Runtime-Client-Context":   ev.ClientContext,
		"Lambda-Runtime-Cognito-Identity": ev.Identity,
		"Lambda-Runtime-Aws-Tenant-Id":    ev.Tenant,
	} {
		if value != "" {
			h.Set(name, value)
		}
	}
	w.Write(ev.Payload) // a runtime that is gone is noticed by its process
}

// claim begins the answer to an event, or says why it cannot be answered: the request id comes first, then the state.
func (a *API) claim(id string, next state) (*invocation, *problem) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.current != nil && a.current.taken && a.current.event.RequestID == id:
	case id == a.last && id != "":
		return nil, a.notAllowedLocked(next) // answered already
	default:
		return nil, unknownRequest
	}
	if a.state != running {
		return nil, a.notAllowedLocked(next)
	}
	a.state = next
	return a.current, nil
}

// settle completes what claim began. It is a problem only where nobody waits for the answer any more.
func (a *API) settle(in *invocation, r answer) *problem {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.state = sent
	if a.current != in {
		return unknownRequest
	}
	in.answer <- r
	a.current, a.last = nil, in.event.RequestID
	return nil
}

func (a *API) notAllowedLocked(next state) *problem {
	return &problem{http.StatusForbidden, "InvalidStateTransition",
		fmt.Sprintf("State transition from %s to %s failed for runtime. Error: State transition is not allowed", a.state, next)}
}
