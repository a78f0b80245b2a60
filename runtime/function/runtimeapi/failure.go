package runtimeapi

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"strconv"

	"devstack/runtime/function"
)

// invocationError takes the error that the handler failed with.
func (a *API) invocationError(w http.ResponseWriter, r *http.Request) {
	in, problem := a.claim(r.PathValue("id"), failing)
	if problem != nil {
		refuse(w, problem)
		return
	}
	body, problem := readError(r)
	got := answer{err: failure(r.Header.Get("Lambda-Runtime-Function-Error-Type"), body)}
	switch problem {
	case tooLarge:
		got.err = function.ResponseTooLarge()
	case truncated:
		got, problem = in.cutShort(io.ErrUnexpectedEOF)
	}
	if p := a.settle(in, got); problem == nil {
		problem = p
	}
	accept(w, problem)
}

// initError takes the reason why the function could not be loaded. It comes before any event.
func (a *API) initError(w http.ResponseWriter, r *http.Request) {
	body, problem := readError(r)
	if problem != nil {
		refuse(w, problem)
		return
	}
	a.mu.Lock()
	if a.state != started {
		problem = a.notAllowedLocked(initFailed)
	} else {
		a.state = initFailed
	}
	a.mu.Unlock()
	if problem == nil {
		f := failure(r.Header.Get("Lambda-Runtime-Function-Error-Type"), body)
		a.failed <- &function.InitError{Type: f.Type, Payload: f.Payload}
	}
	accept(w, problem)
}

func readError(r *http.Request) ([]byte, *problem) {
	body, err := io.ReadAll(io.LimitReader(r.Body, function.MaxResponse+1))
	if err != nil {
		return nil, truncated
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
		return &function.FunctionError{Type: header, Payload: function.ErrorBody(header, string(body))}
	}
	parts.Type = cmp.Or(parts.Type, header, "Runtime.Unknown")
	return &function.FunctionError{Type: parts.Type, Payload: body}
}

// problem is a refused request.
type problem struct {
	status     int
	kind, text string
}

var (
	unknownRequest = &problem{http.StatusBadRequest, "InvalidRequestID", "Invalid request ID"}
	invalidMode    = &problem{http.StatusBadRequest, "InvalidFunctionResponseMode", "Invalid function response mode"}
	truncated      = &problem{http.StatusBadRequest, "TruncatedHTTPRequest", "HTTP request detected as truncated"}
	tooLarge       = entityTooLarge(function.MaxResponse)
	streamTooLarge = entityTooLarge(function.MaxStreamedResponse)
)

func entityTooLarge(limit int) *problem {
	return &problem{http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
		"Exceeded maximum allowed payload size (" + strconv.Itoa(limit) + " bytes)."}
}

func refuse(w http.ResponseWriter, p *problem) {
	reply(w, p.status, map[string]string{"errorType": p.kind, "errorMessage": p.text})
}

func accept(w http.ResponseWriter, p *problem) {
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
