// Package runtimeapi is the AWS Lambda Runtime API: the HTTP interface by which a runtime takes events and answers them.
// Each sandbox has a server of its own, because official runtime clients know no path before /2018-06-01.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html; status codes are those of the OpenAPI description that
// is published there, names and texts of errors those that AWS's open source runtime interface emulator answers.
package runtimeapi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"devstack/runtime/function"
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
	asked   bool        // ready is closed
	current *invocation // handed in and not answered
	last    string      // request id of the one answered last
	offered chan struct{}
}

// invocation is an event on its way through the runtime.
type invocation struct {
	event  *function.Event
	taken  bool
	answer chan answer
}

type answer struct {
	payload []byte
	err     error
}

// New opens a server on a free port of the loopback interface.
func New() (*API, error) { return Listen("127.0.0.1:0") }

// Listen opens a server on another address that only a sandbox can reach, such as that of a container's bridge.
func Listen(address string) (*API, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for a sandbox's runtime: %w", err)
	}
	a := newAPI()
	a.listener = l
	a.server = &http.Server{Handler: a.handler(), ReadHeaderTimeout: time.Minute}
	go a.server.Serve(l) // ends with Close
	return a, nil
}

func newAPI() *API {
	return &API{
		ready: make(chan struct{}), failed: make(chan *function.InitError, 1),
		closed: make(chan struct{}), offered: make(chan struct{}, 1),
	}
}

func (a *API) handler() http.Handler {
	const version = "/2018-06-01/runtime"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+version+"/invocation/next", a.next)
	mux.HandleFunc("POST "+version+"/invocation/{id}/response", a.response)
	mux.HandleFunc("POST "+version+"/invocation/{id}/error", a.invocationError)
	mux.HandleFunc("POST "+version+"/init/error", a.initError)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// No runtime is a browser, and no page in one may take a function's events or answer them.
		if r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "" {
			refuse(w, forbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
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
// *function.FunctionError. If ctx ends first the error is ctx's; if the runtime does (gone is closed) it is ErrEnded, or
// function.ErrGone if the runtime had not taken the event.
func (a *API) Invoke(ctx context.Context, ev *function.Event, gone <-chan struct{}) (payload []byte, err error) {
	in := &invocation{event: ev, answer: make(chan answer, 1)}
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

// next waits for an event. A runtime may wait for days.
func (a *API) next(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	if !a.asked {
		a.asked = true
		close(a.ready)
	}
	if a.current != nil && a.current.taken {
		a.mu.Unlock()
		refuse(w, forbidden)
		return
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
		in.taken = true
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
	if ev.TraceID != "" {
		h.Set("Lambda-Runtime-Trace-Id", ev.TraceID)
	}
	if ev.ClientContext != "" {
		h.Set("Lambda-Runtime-Client-Context", ev.ClientContext)
	}
	w.Write(ev.Payload) // a runtime that is gone is noticed by its process
}

// response takes what the handler returned. A streamed one is taken to its end; an error in the middle comes in trailers.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming
func (a *API) response(w http.ResponseWriter, r *http.Request) {
	if problem := a.check(r.PathValue("id")); problem != nil {
		refuse(w, problem)
		return
	}
	payload, err := io.ReadAll(io.LimitReader(r.Body, function.MaxResponse+1))
	switch {
	case err != nil:
		refuse(w, &problem{http.StatusBadRequest, "InvalidRequest", "the body cannot be read: " + err.Error()})
		return
	case len(payload) > function.MaxResponse:
		a.answer(r.PathValue("id"), nil, function.ResponseTooLarge())
		refuse(w, tooLarge)
		return
	}
	var failure error
	if kind := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); kind != "" {
		failure = streamError(kind, r.Trailer.Get("Lambda-Runtime-Function-Error-Body"))
	}
	a.accept(w, a.answer(r.PathValue("id"), payload, failure))
}

func streamError(kind, encoded string) *function.FunctionError {
	body, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		body = nil
	}
	return failure(kind, body)
}

// invocationError takes the error that the handler failed with.
func (a *API) invocationError(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if problem := a.check(id); problem != nil {
		refuse(w, problem)
		return
	}
	body, problem := readError(r)
	if problem != nil {
		refuse(w, problem)
		return
	}
	a.accept(w, a.answer(id, nil, failure(r.Header.Get("Lambda-Runtime-Function-Error-Type"), body)))
}

// initError takes the reason why the function could not be loaded. It comes before any event.
func (a *API) initError(w http.ResponseWriter, r *http.Request) {
	body, problem := readError(r)
	if problem != nil {
		refuse(w, problem)
		return
	}
	a.mu.Lock()
	late := a.asked
	a.mu.Unlock()
	if late {
		refuse(w, forbidden)
		return
	}
	f := failure(r.Header.Get("Lambda-Runtime-Function-Error-Type"), body)
	select {
	case a.failed <- &function.InitError{Type: f.Type, Payload: f.Payload}:
		a.accept(w, nil)
	default:
		refuse(w, forbidden) // it has failed already
	}
}

func readError(r *http.Request) ([]byte, *problem) {
	body, err := io.ReadAll(io.LimitReader(r.Body, function.MaxResponse+1))
	if err != nil {
		return nil, &problem{http.StatusBadRequest, "InvalidRequest", "the body cannot be read: " + err.Error()}
	}
	if len(body) > function.MaxResponse {
		return nil, tooLarge
	}
	return body, nil
}

// failure makes a function's error of what a runtime reported. The header names the type where the body has none.
func failure(header string, body []byte) *function.FunctionError {
	var parts struct {
		Type string `json:"errorType"`
	}
	if json.Unmarshal(body, &parts) != nil || len(body) == 0 {
		if header == "" {
			header = "Runtime.Unknown"
		}
		made, err := json.Marshal(map[string]string{"errorType": header, "errorMessage": string(body)})
		if err != nil {
			panic(err) // strings always marshal
		}
		return &function.FunctionError{Type: header, Payload: made}
	}
	if parts.Type == "" {
		parts.Type = header
	}
	return &function.FunctionError{Type: parts.Type, Payload: body}
}

// check says why a request id cannot be answered, nil if it can.
func (a *API) check(id string) *problem {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.checkLocked(id)
}

func (a *API) checkLocked(id string) *problem {
	switch {
	case a.current != nil && a.current.taken && a.current.event.RequestID == id:
		return nil
	case id == a.last:
		return forbidden // answered already
	}
	return &problem{http.StatusBadRequest, "InvalidRequestID", "Invalid request ID"}
}

// answer completes the invocation.
func (a *API) answer(id string, payload []byte, err error) *problem {
	a.mu.Lock()
	defer a.mu.Unlock()
	if problem := a.checkLocked(id); problem != nil {
		return problem
	}
	a.current.answer <- answer{payload, err}
	a.current, a.last = nil, id
	return nil
}

// problem is a refused request.
type problem struct {
	status     int
	kind, text string
}

var (
	forbidden = &problem{http.StatusForbidden, "InvalidStateTransition", "State transition is not allowed"}
	tooLarge  = &problem{http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
		"Exceeded maximum allowed payload size (" + strconv.Itoa(function.MaxResponse) + " bytes)."}
)

func refuse(w http.ResponseWriter, p *problem) {
	reply(w, p.status, map[string]string{"errorType": p.kind, "errorMessage": p.text})
}

func (a *API) accept(w http.ResponseWriter, p *problem) {
	if p != nil {
		refuse(w, p)
		return
	}
	reply(w, http.StatusAccepted, map[string]string{"status": "OK"})
}

func reply(w http.ResponseWriter, status int, body map[string]string) {
	b, err := json.Marshal(body)
	if err != nil {
		panic(err) // strings always marshal
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	w.Write(b)
}
