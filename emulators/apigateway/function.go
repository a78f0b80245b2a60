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
	"strings"
	"time"
	"unicode/utf8"

	"devstack/emulators/wire"
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
func (x *exchange) newEvent(r *http.Request) *proxyEvent {
	now := x.s.Clock.Now()
	ev := &proxyEvent{
		Version: payloadVersion2, RouteKey: x.route, RawPath: r.URL.Path, RawQueryString: r.URL.RawQuery,
		Headers: eventHeaders(r), QueryStringParameters: eventQuery(r.URL), PathParameters: x.variables, StageVariables: x.stage.StageVariables,
		RequestContext: requestContext{
			AccountID: x.scope.account, APIID: x.scope.api, DomainName: host(r.Host), DomainPrefix: strings.SplitN(host(r.Host), ".", 2)[0],
			RequestID: x.id, RouteKey: x.route, Stage: *x.stage.StageName, Time: now.Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
			HTTP: httpContext{r.Method, r.URL.Path, r.Proto, host(r.RemoteAddr), r.UserAgent()},
		},
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

// eventHeaders are the request's headers in lower case, those of one name joined by commas, cookies left out.
func eventHeaders(r *http.Request) map[string]string {
	h := map[string]string{"host": r.Host}
	for name, values := range r.Header {
		if name != "Cookie" {
			h[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	if h["x-forwarded-for"] == "" {
		h["x-forwarded-for"] = host(r.RemoteAddr)
	}
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		h["x-forwarded-port"] = port
	}
	h["x-forwarded-proto"] = "http"
	if r.ContentLength > 0 {
		h["content-length"] = fmt.Sprint(r.ContentLength)
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
	payload, err := json.Marshal(x.newEvent(r))
	if err != nil {
		broken.write(w, err.Error())
		return
	}
	var out struct {
		FunctionError string
		Payload       []byte
	}
	err = x.s.AWS.Call(ctx, "lambda", "Invoke", map[string]any{"FunctionName": functionARN.FindString(*i.IntegrationUri), "Payload": payload}, &out)
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
		w.Header().Set(integrationX, oneLine(e.ErrorMessage))
		w.WriteHeader(broken.status)
		fmt.Fprintln(w, e.ErrorMessage)
		return
	}
	broken.write(w, strings.TrimPrefix(e.ErrorType+": "+e.ErrorMessage, ": "))
}

// proxyResult is a function's answer, format 2.0.
type proxyResult struct {
	StatusCode      *json.Number               `json:"statusCode"`
	Headers         map[string]json.RawMessage `json:"headers"`
	Cookies         []string                   `json:"cookies"`
	Body            json.RawMessage            `json:"body"`
	IsBase64Encoded bool                       `json:"isBase64Encoded"`
}

// writeResult turns what a function returned into the answer. Without a statusCode all of it is a JSON body.
func (x *exchange) writeResult(w http.ResponseWriter, payload []byte) {
	var res proxyResult
	d := json.NewDecoder(bytes.NewReader(payload))
	if err := d.Decode(&res); err != nil || res.StatusCode == nil {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusOK)
		w.Write(text(payload))
		return
	}
	status, err := res.StatusCode.Int64()
	if err != nil || status < 100 || status > 999 {
		broken.write(w, "the function's statusCode is "+res.StatusCode.String())
		return
	}
	body := text(res.Body)
	if res.IsBase64Encoded {
		if body, err = base64.StdEncoding.DecodeString(string(body)); err != nil {
			broken.write(w, "the function's body is not base64: "+err.Error())
			return
		}
	}
	h := w.Header()
	for name, value := range res.Headers {
		if !x.isCORS(name) {
			h.Set(name, string(text(value)))
		}
	}
	for _, c := range res.Cookies {
		h.Add("Set-Cookie", c)
	}
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "text/plain;charset=UTF-8")
	}
	w.WriteHeader(int(status))
	w.Write(body)
}

// text is a JSON string's content; any other JSON is itself, null is nothing.
func text(raw []byte) []byte {
	raw = bytes.TrimSpace(raw)
	var s string
	switch {
	case string(raw) == "null":
		return nil
	case len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &s) == nil:
		return []byte(s)
	}
	return raw
}

func timeout(i *Integration) time.Duration {
	return time.Duration(*i.TimeoutInMillis) * time.Millisecond
}
