package apigateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"devstack/emulators/proxyevent"
	"devstack/emulators/wire"
)

// newEvent describes a request to a function.
func (x *exchange) newEvent(ctx context.Context, r *http.Request) *proxyevent.Event {
	ev := proxyevent.New(ctx, r, x.body, x.s.Clock.Now())
	ev.RouteKey, ev.PathParameters, ev.StageVariables = x.route, x.variables, x.stage.StageVariables
	ev.RequestContext = x.placed(ev.RequestContext)
	return ev
}

// requestContext is what is known of a request beside itself.
func (x *exchange) requestContext(r *http.Request) proxyevent.Context {
	return x.placed(proxyevent.ContextOf(r, x.s.Clock.Now()))
}

// placed fills in whose request it is and where it belongs.
func (x *exchange) placed(c proxyevent.Context) proxyevent.Context {
	c.AccountID, c.APIID, c.RequestID, c.RouteKey, c.Stage = x.scope.account, x.scope.api, x.id, x.route, *x.stage.StageName
	return c
}

// callFunction hands the request to a function and its answer to the caller.
func (x *exchange) callFunction(ctx context.Context, w http.ResponseWriter, r *http.Request, i *Integration) {
	payload, err := json.Marshal(x.newEvent(ctx, r))
	if err != nil {
		broken.write(w, err.Error())
		return
	}
	in := struct {
		FunctionName string
		Payload      []byte
	}{functionARN().FindString(*i.IntegrationUri), payload}
	var out struct {
		FunctionError string
		Payload       []byte
	}
	err = x.s.AWS.Call(ctx, "lambda", "Invoke", &in, &out)
	switch {
	case ctx.Err() != nil:
		unavailable.write(w, "the function did not answer within the integration's "+timeout(i).String())
	case throttled(err): // a guess: 503 rather than 500
		unavailable.write(w, err.Error())
	case err != nil:
		broken.write(w, err.Error())
	case out.FunctionError != "":
		writeFunctionError(w, out.Payload)
	default:
		x.writeResult(w, out.Payload)
	}
}

// throttled reports whether Lambda refused for want of concurrency.
func throttled(err error) bool {
	var e *wire.Error
	return errors.As(err, &e) && e.Status == http.StatusTooManyRequests
}

// buildError is the errorType of functions that cannot be built. It is the one error of which the caller, who is the developer,
// is told everything.
const buildError = "Runtime.BuildError"

func writeFunctionError(w http.ResponseWriter, payload []byte) {
	var e struct{ ErrorType, ErrorMessage string }
	_ = json.Unmarshal(payload, &e) // a runtime may fail with anything
	if e.ErrorType == buildError {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set(errorHeader, oneLine(e.ErrorMessage))
		w.WriteHeader(broken.status)
		fmt.Fprintln(w, e.ErrorMessage)
		return
	}
	broken.write(w, strings.TrimPrefix(e.ErrorType+": "+e.ErrorMessage, ": "))
}

// writeResult turns what a function returned, format 2.0, into the answer. Without a statusCode all of it is a JSON body.
func (x *exchange) writeResult(w http.ResponseWriter, payload []byte) {
	var members map[string]json.RawMessage
	if json.Unmarshal(payload, &members) != nil || isNull(members["statusCode"]) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusOK)
		w.Write(text(payload))
		return
	}
	res, err := parseResult(members)
	if err != nil {
		broken.write(w, err.Error())
		return
	}
	h := w.Header()
	for name, value := range res.headers {
		if !x.isCORS(name) && !ofTheConnection(name) {
			h.Set(name, value)
		}
	}
	for _, c := range res.cookies {
		h.Add("Set-Cookie", c)
	}
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "text/plain;charset=UTF-8")
	}
	w.WriteHeader(res.status)
	w.Write(res.body)
}

// ofTheConnection reports whether a header is the server's own business: how long a message is and how it is carried.
func ofTheConnection(header string) bool {
	name := http.CanonicalHeaderKey(header)
	return name == "Content-Length" || slices.Contains(hop, name)
}

// text is a JSON string's content; any other JSON is itself.
func text(raw []byte) []byte {
	raw = bytes.TrimSpace(raw)
	var s string
	if len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &s) == nil {
		return []byte(s)
	}
	return raw
}

func timeout(i *Integration) time.Duration {
	return time.Duration(*i.TimeoutInMillis) * time.Millisecond
}
