package lambda

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"devstack/emulators/proxyevent"
	"devstack/emulators/store"
	"devstack/emulators/wire"
	"devstack/internal/trace"
)

// Answers of a function URL itself. The first two are recorded; of one that is not there, see
// https://github.com/localstack/localstack/pull/6342; the words of the last two are a guess.
//
// https://docs.aws.amazon.com/lambda/latest/dg/urls-monitoring.html
const (
	textBroken    = "Internal Server Error"
	jsonForbidden = `{"Message":"Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"}`
	jsonNothing   = `{"Message":null}`
	jsonTooLarge  = `{"Message":"Request Entity Too Large"}`
	jsonThrottled = `{"Message":"Rate Exceeded."}`
)

// buildError is the errorType of functions that cannot be built. It is the one error of which the caller, who is the developer,
// is told everything.
const buildError = "Runtime.BuildError"

// urlExchange is one request on its way through a function URL.
type urlExchange struct {
	s      *Service
	url    *functionURL
	id     string // of the request
	caller *urlIdentity
	w      http.ResponseWriter
	r      *http.Request
	span   *trace.Active
}

// FunctionURL takes the host name of a function URL apart: ID.lambda-url.REGION.localhost, or as AWS has it
// ID.lambda-url.REGION.on.aws.
func FunctionURL(host string) (id, region string, ok bool) {
	parts := strings.Split(strings.ToLower(proxyevent.Host(host)), ".")
	if len(parts) < 4 || parts[1] != "lambda-url" {
		return "", "", false
	}
	return parts[0], parts[2], true
}

// byID returns the URL of an id, nil if there is none in the region.
func (s *Service) byID(id, region string) (u *functionURL, err error) {
	err = s.Store.View(func(tx *store.Tx) error {
		u = nil
		t, ok := urlTargets.Get(tx, id)
		if !ok || t.Region != region {
			return nil
		}
		if found, ok := urls.Get(tx, urlKey(t)...); ok {
			u = &found
		}
		return nil
	})
	return u, err
}

// AllowsOrigin reports whether the function URL that a host names lets pages of an origin call it.
func (s *Service) AllowsOrigin(host, origin string) bool {
	id, region, ok := FunctionURL(host)
	if !ok {
		return false
	}
	u, err := s.byID(id, region)
	return err == nil && u != nil && u.allows(origin)
}

// URLHandler is the data plane of function URLs: it answers requests at their host names.
func (s *Service) URLHandler() http.Handler { return http.HandlerFunc(s.serveURL) }

func (s *Service) serveURL(w http.ResponseWriter, r *http.Request) {
	id, region, _ := FunctionURL(r.Host)
	x := &urlExchange{s: s, id: s.IDs.UUID(), w: w, r: r}
	h := w.Header()
	h.Set("X-Amzn-Requestid", x.id)
	u, err := s.byID(id, region)
	if err != nil {
		s.Log.Error("function URLs cannot be read", "error", err)
		x.refuse(http.StatusInternalServerError, `{"Message":"Internal Server Error"}`, "InternalFailure", err.Error())
		return
	}
	if u == nil {
		x.refuse(http.StatusNotFound, jsonNothing, "ResourceNotFoundException", "there is no function URL of the id "+id+" in "+region)
		return
	}
	x.url = u
	ctx := trace.Join(r.Context(), r.Header.Get("X-Amzn-Trace-Id"), r.Header.Get("Traceparent"))
	ctx, x.span = trace.Start(ctx, "api", r.Method+" "+r.URL.Path)
	ctx = wire.WithRequest(ctx, &wire.Request{Account: u.Of.Account, Region: u.Of.Region, ID: x.id, Host: r.Host, Service: "lambda", AccessKey: accessKey(r)})
	if x.span.Recording() {
		h.Set("X-Amzn-Trace-Id", "Root="+x.span.TraceID())
	}
	x.span.End(x.serve(ctx))
}

// serve answers a request of the URL's caller. The error is for the trace.
func (x *urlExchange) serve(ctx context.Context) error {
	if x.preflight() {
		return nil
	}
	x.allowOrigin()
	if err := x.authorize(ctx); err != nil {
		return x.refuse(http.StatusForbidden, jsonForbidden, "AccessDeniedException", err.Error())
	}
	c, err := x.s.callee(x.url.Of)
	if err != nil { // as recorded of an alias that was deleted
		return x.refuse(http.StatusForbidden, jsonForbidden, "AccessDeniedException", err.Error())
	}
	body, err := io.ReadAll(http.MaxBytesReader(x.w, x.r.Body, maxPayload))
	if err != nil {
		return x.refuse(http.StatusRequestEntityTooLarge, jsonTooLarge, "RequestEntityTooLargeException", err.Error())
	}
	x.span.Input(body)
	payload, err := json.Marshal(x.newURLEvent(ctx, x.r, body))
	if err != nil {
		return x.broken(err.Error())
	}
	if len(payload) > maxPayload {
		return x.refuse(http.StatusRequestEntityTooLarge, jsonTooLarge, "RequestEntityTooLargeException", "the event of the request has more than 6 MB")
	}
	if x.url.Mode == InvokeModeResponseStream {
		return x.stream(ctx, c, payload)
	}
	out, err := x.s.call(ctx, c, Event{Payload: payload})
	if err != nil {
		return x.unrun(err)
	}
	if out.Failed {
		return x.failed(out)
	}
	return x.buffered(out.Payload)
}

// refuse answers in Lambda's own words; why goes into a header of ours.
func (x *urlExchange) refuse(status int, body, kind, why string) error {
	h := x.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Amzn-Errortype", kind)
	h.Set(wire.ErrorHeader, oneLine(why))
	h.Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(status)
	_, _ = io.WriteString(x.w, body) // a caller that went away
	return errors.New(http.StatusText(status) + ": " + why)
}

// broken answers that the function did not answer as it should.
func (x *urlExchange) broken(why string) error {
	h := x.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set(wire.ErrorHeader, oneLine(why))
	h.Set("Content-Length", strconv.Itoa(len(textBroken)))
	x.w.WriteHeader(http.StatusBadGateway)
	_, _ = io.WriteString(x.w, textBroken)
	return errors.New(why)
}

// unrun answers that the function could not be run.
func (x *urlExchange) unrun(err error) error {
	if throttled(err) {
		return x.refuse(http.StatusTooManyRequests, jsonThrottled, "TooManyRequestsException", err.Error())
	}
	return x.broken(err.Error())
}

// failed answers that the function failed: with 502, or with all that is wrong where it could not be built.
func (x *urlExchange) failed(out *Outcome) error {
	var e struct{ ErrorType, ErrorMessage string }
	_ = json.Unmarshal(out.Payload, &e) // a runtime may fail with anything
	if e.ErrorType != buildError {
		return x.broken(cmp.Or(out.Fault, strings.TrimPrefix(e.ErrorType+": "+e.ErrorMessage, ": ")))
	}
	x.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	x.w.Header().Set(wire.ErrorHeader, oneLine(cmp.Or(out.Fault, e.ErrorMessage)))
	x.w.WriteHeader(http.StatusBadGateway)
	fmt.Fprintln(x.w, e.ErrorMessage)
	return errors.New(e.ErrorMessage)
}

// oneLine makes a text fit for a header.
func oneLine(s string) string {
	const longest = 1000
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return ' '
		}
		return r
	}, s)
	return s[:min(len(s), longest)]
}

// buffered answers with what the function returned. A function that streams although its URL does not has its prelude understood: a
// guess.
func (x *urlExchange) buffered(payload []byte) error {
	if i := bytes.Index(payload, preludeEnd); i >= 0 {
		if a, err := parsePrelude(payload[:i]); err == nil {
			a.body = payload[i+len(preludeEnd):]
			x.send(a)
			return nil
		}
	}
	a, err := parseResponse(payload)
	if err != nil {
		return x.broken(err.Error())
	}
	x.send(a)
	return nil
}

// send sends an answer whose body is known.
func (x *urlExchange) send(a *answer) {
	x.head(a)
	if a.status != http.StatusNoContent && a.status != http.StatusNotModified && a.status >= 200 {
		x.w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	x.w.WriteHeader(a.status)
	_, _ = x.w.Write(a.body) // nothing is written where there is no body, as to HEAD
	x.span.Output(a.body)
}

// hop are the headers that belong to a connection, and not to what it carries.
var hop = []string{"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length"}

// head sets the headers that the function wants, but for those that are the connection's or the URL's own business.
func (x *urlExchange) head(a *answer) {
	h := x.w.Header()
	for name, value := range a.headers {
		if !slices.Contains(hop, name) && !x.isCORS(name) {
			h.Set(name, value)
		}
	}
	for _, c := range a.cookies {
		h.Add("Set-Cookie", c)
	}
}

// stream answers with what the function streams, each piece as it comes. The whole of what a function returned that does not stream is
// the body as it is, and not taken for an answer: a guess.
//
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html
func (x *urlExchange) stream(ctx context.Context, c *callee, payload []byte) error {
	st, streams, err := x.s.startStream(ctx, c, Event{Payload: payload})
	if err != nil {
		return x.unrun(err)
	}
	defer st.close()
	if !streams {
		if st.out.Failed {
			return x.failed(st.out)
		}
		x.send(&answer{status: http.StatusOK, headers: map[string]string{"Content-Type": "application/json"}, body: st.out.Payload})
		return nil
	}
	out := http.NewResponseController(x.w)
	begun := false
	begin := func(a *answer) {
		x.head(a)
		x.w.WriteHeader(a.status)
		_ = out.Flush()
		begun = true
	}
	contentType := st.contentType
	if contentType == "" {
		contentType = "application/octet-stream"
	}
	if contentType != httpIntegration {
		begin(&answer{status: http.StatusOK, headers: map[string]string{"Content-Type": contentType}})
	}
	var head prelude
	for piece := range st.all() {
		if !begun {
			a, rest, err := head.add(piece)
			if err != nil {
				return x.broken(err.Error())
			}
			if a == nil {
				continue
			}
			if a.headers["Content-Type"] == "" {
				a.headers["Content-Type"] = "application/octet-stream"
			}
			begin(a)
			piece = rest
		}
		if len(piece) == 0 {
			continue
		}
		if _, err := x.w.Write(piece); err != nil {
			return err
		}
		_ = out.Flush()
	}
	switch {
	case st.err == nil && !st.out.Failed && begun:
		return nil
	case !begun && st.err != nil:
		return x.broken(st.err.Error())
	case !begun && st.out.Failed:
		return x.failed(st.out)
	case !begun:
		return x.broken("the response ends within its prelude")
	}
	why := "the response broke off"
	if st.err == nil {
		why += ": " + string(st.out.Payload)
	}
	x.span.End(errors.New(why))
	panic(http.ErrAbortHandler) // the client must not take what it has for the whole
}
