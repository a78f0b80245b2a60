package apigateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"devstack/emulators/proxyevent"
	"devstack/emulators/wire"
	"devstack/internal/trace"
)

// integrate carries out a route's integration, within its timeout.
func (x *exchange) integrate(ctx context.Context, w http.ResponseWriter, r *http.Request, i *Integration) {
	// A caller waits in real time, so this is the wall clock's business and not ours.
	if !x.s.Patient {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout(i))
		defer cancel()
	}
	switch {
	case i.IntegrationSubtype != nil:
		x.callStepFunctions(ctx, w, r, i)
	case *i.IntegrationType == IntegrationTypeAwsProxy:
		x.callFunction(ctx, w, r, i)
	default:
		x.callHTTP(ctx, w, r, i)
	}
}

// hop are the headers that belong to a connection and not to a message.
//
// https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
var hop = []string{"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

// callHTTP hands the request to an HTTP server and its answer to the caller.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-http.html
func (x *exchange) callHTTP(ctx context.Context, w http.ResponseWriter, r *http.Request, i *Integration) {
	method := *i.IntegrationMethod
	if method == "ANY" {
		method = r.Method
	}
	target := x.expand(*i.IntegrationUri)
	if r.URL.RawQuery != "" {
		sep := "?"
		if strings.Contains(target, "?") {
			sep = "&"
		}
		target += sep + r.URL.RawQuery
	}
	out, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(x.body))
	if err != nil {
		broken.write(w, err.Error())
		return
	}
	out.Header = r.Header.Clone()
	dropHop(out.Header)
	if out.Header.Get("User-Agent") == "" {
		out.Header.Set("User-Agent", "") // or net/http would send its own
	}
	out.Header.Set("Forwarded", "by="+proxyevent.Host(r.Host)+";for="+proxyevent.Host(r.RemoteAddr)+";host="+r.Host+";proto=http")
	out.Header.Set("Via", "HTTP/1.1 AmazonAPIGateway")
	if h := trace.Header(ctx); h != "" {
		out.Header.Set("X-Amzn-Trace-Id", h)
		out.Header.Set("Traceparent", trace.Traceparent(ctx))
	}
	res, err := x.s.transport.RoundTrip(out)
	if err != nil {
		unavailable.write(w, err.Error())
		return
	}
	defer res.Body.Close()
	x.passOn(w, res)
}

// passOn gives the caller a server's answer, once all of it is there: half of one is no answer.
func (x *exchange) passOn(w http.ResponseWriter, res *http.Response) {
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	switch {
	case err != nil:
		unavailable.write(w, err.Error())
		return
	case len(body) > maxBody: // a guess: the quota is known, the answer is not
		broken.write(w, "the answer is larger than "+strconv.Itoa(maxBody)+" bytes")
		return
	}
	dropHop(res.Header)
	h := w.Header()
	for name, values := range res.Header {
		if !x.isCORS(name) {
			h[name] = values
		}
	}
	w.WriteHeader(res.StatusCode)
	_, _ = w.Write(body) // a caller that went away
}

// dropHop removes the headers of a connection, those that its Connection header names among them.
func dropHop(h http.Header) {
	for _, line := range h["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			h.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range hop {
		h.Del(name)
	}
}

// expand puts the path's variables into an integration's URI. A greedy one keeps its slashes.
func (x *exchange) expand(uri string) string {
	for name, value := range x.variables {
		parts := strings.Split(value, "/")
		for i := range parts {
			parts[i] = url.PathEscape(parts[i])
		}
		uri = strings.ReplaceAll(uri, "{"+name+"}", strings.Join(parts, "/"))
	}
	return uri
}

// callStepFunctions runs one of Step Functions' operations with the integration's parameters; its answer is the caller's.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services-reference.html
func (x *exchange) callStepFunctions(ctx context.Context, w http.ResponseWriter, r *http.Request, i *Integration) {
	in := map[string]any{}
	for name, expression := range i.RequestParameters {
		value, ok := x.mapped(expression, r)
		if !ok {
			continue
		}
		switch name {
		case "Region":
			r := *wire.From(ctx)
			r.Region = value
			ctx = wire.WithRequest(ctx, &r)
		case "Input", "Name", "StateMachineArn", "ExecutionArn", "Cause", "Error", "TraceHeader":
			in[strings.ToLower(name[:1])+name[1:]] = value
		}
	}
	var out json.RawMessage
	err := x.s.AWS.Call(ctx, "stepfunctions", strings.TrimPrefix(*i.IntegrationSubtype, stepFunctions), in, &out)
	w.Header().Set("Content-Type", "application/json")
	var e *wire.Error
	switch {
	case errors.As(err, &e):
		b, _ := json.Marshal(map[string]string{"__type": e.Code, "message": e.Message}) // texts only
		w.WriteHeader(e.Status)
		w.Write(b)
	case err != nil:
		broken.write(w, err.Error())
	default:
		w.WriteHeader(http.StatusOK)
		w.Write(out)
	}
}

// mapped evaluates a parameter mapping expression: "$request.body", "$request.body.customer.id", "$request.path.id",
// "$request.querystring.q", "$request.header.x", "$context.requestId", "$stageVariables.v", a text with any of them in ${…}, or
// a plain text. ok is false if what it names is not there.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html
func (x *exchange) mapped(expression string, r *http.Request) (value string, ok bool) {
	if strings.HasPrefix(expression, "$") && !strings.HasPrefix(expression, "${") {
		return x.selected(expression[1:], r)
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(expression, "${")
		b.WriteString(before)
		if !found {
			return b.String(), true
		}
		name, rest, closed := strings.Cut(after, "}")
		if !closed {
			return b.String() + "${" + after, true
		}
		v, _ := x.selected(name, r)
		b.WriteString(v)
		expression = rest
	}
}

// selected returns what a selection names.
func (x *exchange) selected(selection string, r *http.Request) (value string, ok bool) {
	source, name, _ := strings.Cut(strings.TrimPrefix(selection, "request."), ".")
	switch source {
	case "body":
		return bodyMember(x.body, name)
	case "path":
		if name == "" {
			return r.URL.Path, true
		}
		value, ok = x.variables[name]
	case "querystring":
		value, ok = strings.Join(r.URL.Query()[name], ","), r.URL.Query().Has(name)
	case "header":
		value, ok = strings.Join(r.Header.Values(name), ","), r.Header.Get(name) != ""
	case "stageVariables":
		value, ok = x.stage.StageVariables[name]
	case "context":
		c := x.requestContext(r)
		value, ok = map[string]string{
			"accountId": c.AccountID, "apiId": c.APIID, "domainName": c.DomainName, "domainPrefix": c.DomainPrefix, "httpMethod": c.HTTP.Method,
			"path": c.HTTP.Path, "protocol": c.HTTP.Protocol, "requestId": c.RequestID, "requestTime": c.Time, "routeKey": c.RouteKey,
			"stage": c.Stage, "identity.sourceIp": c.HTTP.SourceIP, "identity.userAgent": c.HTTP.UserAgent,
		}[name]
	}
	return value, ok
}

// bodyMember returns the whole body, or the member of its JSON that a dotted path names: a string's text, else JSON.
func bodyMember(body []byte, path string) (string, bool) {
	if path == "" {
		return string(body), len(body) > 0
	}
	raw := json.RawMessage(body)
	for name := range strings.SplitSeq(path, ".") {
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil || object[name] == nil {
			return "", false
		}
		raw = object[name]
	}
	return string(text(raw)), !isNull(raw)
}
