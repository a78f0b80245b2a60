package lambda

import (
	"context"
	"encoding/base64"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"devstack/internal/trace"
)

// urlEvent is what a function is handed of a request to its URL, payload format 2.0. Members that function URLs do not use are left
// out, as on AWS.
//
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-request-payload
type urlEvent struct {
	Version               string            `json:"version"`
	RouteKey              string            `json:"routeKey"`
	RawPath               string            `json:"rawPath"`
	RawQueryString        string            `json:"rawQueryString"`
	Cookies               []string          `json:"cookies,omitempty"`
	Headers               map[string]string `json:"headers"`
	QueryStringParameters map[string]string `json:"queryStringParameters,omitempty"`
	RequestContext        urlContext        `json:"requestContext"`
	Body                  *string           `json:"body,omitempty"`
	IsBase64Encoded       bool              `json:"isBase64Encoded"`
}

type urlContext struct {
	AccountID    string         `json:"accountId"` // of the caller who signs, else "anonymous"
	APIID        string         `json:"apiId"`
	Authorizer   *urlAuthorizer `json:"authorizer,omitempty"`
	DomainName   string         `json:"domainName"`
	DomainPrefix string         `json:"domainPrefix"`
	HTTP         urlHTTP        `json:"http"`
	RequestID    string         `json:"requestId"`
	RouteKey     string         `json:"routeKey"`
	Stage        string         `json:"stage"`
	Time         string         `json:"time"` // 12/Mar/2020:19:03:58 +0000
	TimeEpoch    int64          `json:"timeEpoch"`
}

type urlHTTP struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

type urlAuthorizer struct {
	IAM urlIdentity `json:"iam"`
}

type urlIdentity struct {
	AccessKey       string  `json:"accessKey"`
	AccountID       string  `json:"accountId"`
	CallerID        string  `json:"callerId"`
	CognitoIdentity *string `json:"cognitoIdentity"` // function URLs have none
	PrincipalOrgID  *string `json:"principalOrgId"`  // devstack has no organisations
	UserARN         string  `json:"userArn"`
	UserID          string  `json:"userId"`
}

// The placeholders that function URLs have in place of what API Gateway has there.
const (
	defaultRoute = "$default"
	anonymous    = "anonymous" // seen: https://github.com/localstack/localstack/pull/6342, review of 2022-08-03
)

// newURLEvent describes a request.
func (x *urlExchange) newURLEvent(ctx context.Context, r *http.Request, body []byte) *urlEvent {
	now, domain := x.s.Clock.Now().UTC(), hostOnly(r.Host)
	ev := &urlEvent{
		Version: "2.0", RouteKey: defaultRoute, RawPath: r.URL.Path, RawQueryString: r.URL.RawQuery,
		Headers: urlHeaders(ctx, r), QueryStringParameters: urlQuery(r.URL),
		RequestContext: urlContext{
			AccountID: anonymous, APIID: x.url.ID, DomainName: domain, DomainPrefix: x.url.ID, RequestID: x.id, RouteKey: defaultRoute, Stage: defaultRoute,
			Time: now.Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
			HTTP: urlHTTP{r.Method, r.URL.Path, r.Proto, hostOnly(r.RemoteAddr), r.UserAgent()},
		},
	}
	if x.caller != nil {
		ev.RequestContext.AccountID = x.caller.AccountID
		ev.RequestContext.Authorizer = &urlAuthorizer{*x.caller}
	}
	for _, line := range r.Header["Cookie"] {
		for c := range strings.SplitSeq(line, ";") {
			ev.Cookies = append(ev.Cookies, strings.TrimSpace(c))
		}
	}
	if len(body) > 0 {
		if ev.IsBase64Encoded = !isText(r.Header.Get("Content-Type"), body); ev.IsBase64Encoded {
			ev.Body = new(base64.StdEncoding.EncodeToString(body))
		} else {
			ev.Body = new(string(body))
		}
	}
	return ev
}

// urlHeaders are the request's headers in lower case, those of one name joined by commas, cookies left out, with those that Lambda adds
// of its own. What only HTTPS has (x-amzn-tls-version) is not there.
func urlHeaders(ctx context.Context, r *http.Request) map[string]string {
	h := make(map[string]string, len(r.Header)+6)
	for name, values := range r.Header {
		if name != "Cookie" {
			h[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	h["host"] = r.Host
	h["x-forwarded-for"] = strings.TrimPrefix(h["x-forwarded-for"]+", "+hostOnly(r.RemoteAddr), ", ")
	h["x-forwarded-port"], h["x-forwarded-proto"] = "80", "http"
	if _, port, ok := splitPort(r.Host); ok {
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

// urlQuery are the query's parameters, those of one name joined by commas.
func urlQuery(u *url.URL) map[string]string {
	if u.RawQuery == "" {
		return nil
	}
	q := map[string]string{}
	for name, values := range u.Query() {
		q[name] = strings.Join(values, ",")
	}
	return q
}

// isText reports whether a body is handed on as it is. A form counts as binary, as recorded for multipart/form-data.
func isText(contentType string, body []byte) bool {
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return utf8.Valid(body) // a guess
	}
	return (strings.HasPrefix(t, "text/") || t == "application/json" || t == "application/javascript" || t == "application/xml" ||
		strings.HasSuffix(t, "+json") || strings.HasSuffix(t, "+xml")) && utf8.Valid(body)
}

// splitPort takes an address apart, if it has a port.
func splitPort(addr string) (host, port string, ok bool) {
	host, port, err := net.SplitHostPort(addr)
	return host, port, err == nil && port != ""
}

// hostOnly is an address without its port.
func hostOnly(addr string) string {
	if h, _, ok := splitPort(addr); ok {
		return h
	}
	return addr
}
