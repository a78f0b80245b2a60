// Package proxyevent is what a function is handed of an HTTP request, payload format 2.0: by HTTP APIs, and by function URLs, which
// leave out what they have not.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html,
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-request-payload
package proxyevent

import (
	"context"
	"encoding/base64"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"devstack/internal/trace"
)

// Version is the payload format.
const Version = "2.0"

// Event is the event.
type Event struct {
	Version               string            `json:"version"`
	RouteKey              string            `json:"routeKey"`
	RawPath               string            `json:"rawPath"`
	RawQueryString        string            `json:"rawQueryString"`
	Cookies               []string          `json:"cookies,omitempty"`
	Headers               map[string]string `json:"headers"`
	QueryStringParameters map[string]string `json:"queryStringParameters,omitempty"`
	RequestContext        Context           `json:"requestContext"`
	PathParameters        map[string]string `json:"pathParameters,omitempty"`
	StageVariables        map[string]string `json:"stageVariables,omitempty"`
	Body                  *string           `json:"body,omitempty"`
	IsBase64Encoded       bool              `json:"isBase64Encoded"`
}

// Context is what is known of the request beside itself.
type Context struct {
	AccountID    string `json:"accountId"`
	APIID        string `json:"apiId"`
	Authorizer   any    `json:"authorizer,omitempty"` // who calls
	DomainName   string `json:"domainName"`
	DomainPrefix string `json:"domainPrefix"`
	HTTP         HTTP   `json:"http"`
	RequestID    string `json:"requestId"`
	RouteKey     string `json:"routeKey"`
	Stage        string `json:"stage"`
	Time         string `json:"time"` // 12/Mar/2020:19:03:58 +0000
	TimeEpoch    int64  `json:"timeEpoch"`
}

// HTTP is the request's first line and where it came from.
type HTTP struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

// New describes a request that came now. What the request does not tell (route, stage, account, API, request id, who calls) is the
// caller's to fill in.
func New(ctx context.Context, r *http.Request, body []byte, now time.Time) *Event {
	ev := &Event{
		Version: Version, RawPath: r.URL.Path, RawQueryString: r.URL.RawQuery, Cookies: cookies(r), Headers: headers(ctx, r),
		QueryStringParameters: query(r.URL), RequestContext: ContextOf(r, now),
	}
	if len(body) > 0 {
		text := string(body)
		if ev.IsBase64Encoded = !isText(r.Header.Get("Content-Type"), body); ev.IsBase64Encoded {
			text = base64.StdEncoding.EncodeToString(body)
		}
		ev.Body = &text
	}
	return ev
}

// ContextOf is the part of a request's context that the request tells.
func ContextOf(r *http.Request, now time.Time) Context {
	name := Host(r.Host)
	prefix, _, _ := strings.Cut(name, ".")
	return Context{
		DomainName: name, DomainPrefix: prefix, HTTP: HTTP{r.Method, r.URL.Path, r.Proto, Host(r.RemoteAddr), r.UserAgent()},
		Time: now.UTC().Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
	}
}

func cookies(r *http.Request) (all []string) {
	for _, line := range r.Header["Cookie"] {
		for c := range strings.SplitSeq(line, ";") {
			all = append(all, strings.TrimSpace(c))
		}
	}
	return all
}

// headers are the request's headers in lower case, those of one name joined by commas, cookies left out, with those that AWS adds of its
// own. A list of addresses that the request was forwarded for goes on with the caller's. What only HTTPS has (x-amzn-tls-version) is not
// there.
func headers(ctx context.Context, r *http.Request) map[string]string {
	h := make(map[string]string, len(r.Header)+6)
	for name, values := range r.Header {
		if name != "Cookie" {
			h[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	h["host"] = r.Host
	h["x-forwarded-for"] = strings.TrimPrefix(h["x-forwarded-for"]+", "+Host(r.RemoteAddr), ", ")
	h["x-forwarded-port"], h["x-forwarded-proto"] = "80", "http"
	if _, port, err := net.SplitHostPort(r.Host); err == nil && port != "" {
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

// query are the query's parameters, those of one name joined by commas.
func query(u *url.URL) map[string]string {
	if u.RawQuery == "" {
		return nil
	}
	q := map[string]string{}
	for name, values := range u.Query() {
		q[name] = strings.Join(values, ",")
	}
	return q
}

// isText reports whether a body is handed on as it is. AWS decides by the content type; a form counts as binary, as recorded for
// multipart/form-data. A body without a type is text if it can be: a guess.
func isText(contentType string, body []byte) bool {
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return utf8.Valid(body)
	}
	return (strings.HasPrefix(t, "text/") || t == "application/json" || t == "application/javascript" || t == "application/xml" ||
		strings.HasSuffix(t, "+json") || strings.HasSuffix(t, "+xml")) && utf8.Valid(body)
}

// Host is an address without its port.
func Host(addr string) string {
	if h, _, err := net.SplitHostPort(addr); err == nil {
		return h
	}
	return addr
}
