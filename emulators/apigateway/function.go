package apigateway

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"devstack/emulators/wire"
	"devstack/internal/trace"
)

// proxyEvent is what a function is handed, payload format 2.0.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
type proxyEvent struct {
	Version               string            `json:"version"`
	RouteKey              string            `json:"routeKey"`
	RawPath               string            `json:"rawPath"`
	RawQueryString        string            `json:"rawQueryString"`
	Cookies               []string          `json:"cookies,omitempty"`
	Headers               map[string]string `json:"headers"`
	QueryStringParameters map[string]string `json:"queryStringParameters,omitempty"`
	RequestContext        requestContext    `json:"requestContext"`
	PathParameters        map[string]string `json:"pathParameters,omitempty"`
	StageVariables        map[string]string `json:"stageVariables,omitempty"`
	Body                  *string           `json:"body,omitempty"`
	IsBase64Encoded       bool              `json:"isBase64Encoded"`
}

type requestContext struct {
	AccountID    string      `json:"accountId"`
	APIID        string      `json:"apiId"`
	DomainName   string      `json:"domainName"`
	DomainPrefix string      `json:"domainPrefix"`
	HTTP         httpContext `json:"http"`
	RequestID    string      `json:"requestId"`
	RouteKey     string      `json:"routeKey"`
	Stage        string      `json:"stage"`
	Time         string      `json:"time"` // 12/Mar/2020:19:03:58 +0000
	TimeEpoch    int64       `json:"timeEpoch"`
}

type httpContext struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

// newEvent describes a request to a function.
func (x *exchange) newEvent(ctx context.Context, r *http.Request) *proxyEvent {
	ev := &proxyEvent{
		Version: payloadVersion2, RouteKey: x.route, RawPath: r.URL.Path, RawQueryString: r.URL.RawQuery,
		Headers: eventHeaders(ctx, r), QueryStringParameters: eventQuery(r.URL), PathParameters: x.variables,
		StageVariables: x.stage.StageVariables, RequestContext: x.requestContext(r),
	}
	for _, line := range r.Header["Cookie"] {
		for c := range strings.SplitSeq(line, ";") {
			ev.Cookies = append(ev.Cookies, strings.TrimSpace(c))
		}
	}
	if len(x.body) > 0 {
		if ev.IsBase64Encoded = !isText(r.Header.Get("Content-Type"), x.body); ev.IsBase64Encoded {
			ev.Body = new(base64.StdEncoding.EncodeToString(x.body))
		} else {
			ev.Body = new(string(x.body))
		}
	}
	return ev
}

func (x *exchange) requestContext(r *http.Request) requestContext {
	now, name := x.s.Clock.Now(), host(r.Host)
	prefix, _, _ := strings.Cut(name, ".")
	return requestContext{
		AccountID: x.scope.account, APIID: x.scope.api, DomainName: name, DomainPrefix: prefix, RequestID: x.id, RouteKey: x.route,
		Stage: *x.stage.StageName, Time: now.Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
		HTTP: httpContext{r.Method, r.URL.Path, r.Proto, host(r.RemoteAddr), r.UserAgent()},
	}
}

// eventHeaders are the request's headers in lower case, those of one name joined by commas, cookies left out, with those that
// API Gateway adds of its own. A list of addresses that the request was forwarded for goes on with the caller's.
func eventHeaders(ctx context.Context, r *http.Request) map[string]string {
	h := make(map[string]string, len(r.Header)+6)
	for name, values := range r.Header {
		if name != "Cookie" {
			h[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	h["host"] = r.Host
	h["x-forwarded-for"] = strings.TrimPrefix(h["x-forwarded-for"]+", "+host(r.RemoteAddr), ", ")
	h["x-forwarded-port"], h["x-forwarded-proto"] = "80", "http"
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		h["x-forwarded-port"] = port
	}
	if r.ContentLength > 0 {
		h["content-length"] = strconv.FormatInt(r.ContentLength, 10)
	}
	if id := trace.Header(ctx); id != "" {
		h["x-amzn-trace-id"] = id
	}
	return h
}

// eventQuery are the query's parameters, those of one name joined by commas.
func eventQuery(u *url.URL) map[string]string {
	if u.RawQuery == "" {
		return nil
	}
	q := map[string]string{}
	for name, values := range u.Query() {
		q[name] = strings.Join(values, ",")
	}
	return q
}

// isText reports whether a body is handed on as it is. API Gateway decides by the content type.
func isText(contentType string, body []byte) bool {
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return utf8.Valid(body)
	}
	return (strings.HasPrefix(t, "text/") || t == "application/json" || t == "application/javascript" || t == "application/xml" ||
		strings.HasSuffix(t, "+json") || strings.HasSuffix(t, "+xml")) && utf8.Valid(body)
}

// host is an address without its port.
func host(addr string) string {
	if h, _, err := net.SplitHostPort(addr); err == nil {
		return h
	}
	return addr
}

// callFunction hands the request to a function and its answer to the caller.
func (x *exchange) callFunction(ctx context.Context, w http.ResponseWriter, r *http.Request, i *Integration) {
	payload, err := json.Marshal(x.newEvent(ctx, r))
	if err != nil {
		broken.write(w, err.Error())
		return
	}
	var out struct {
		FunctionError string
		Payload       []byte
	}
	err = x.s.AWS.Call(ctx, "lambda", "Invoke", map[string]any{"FunctionName": functionARN().FindString(*i.IntegrationUri), "Payload": payload}, &out)
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
