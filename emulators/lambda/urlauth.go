package lambda

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"devstack/emulators/wire"
)

// signature is the beginning of an Authorization header of Signature Version 4, or 4A.
const signature = "AWS4-"

// credential is the Credential of a request's signature, in its header or its query: KEY/DATE/REGION/SERVICE/aws4_request.
func credential(r *http.Request) string {
	if auth := r.Header.Get("Authorization"); strings.HasPrefix(auth, signature) {
		_, rest, _ := strings.Cut(auth, "Credential=")
		rest, _, _ = strings.Cut(rest, ",")
		return strings.TrimSpace(rest)
	}
	if q := r.URL.Query(); q.Get("X-Amz-Signature") != "" {
		return q.Get("X-Amz-Credential")
	}
	return ""
}

// accessKey is the access key of a request's signature, "" without one.
func accessKey(r *http.Request) string {
	key, _, _ := strings.Cut(credential(r), "/")
	return key
}

// authorize lets a caller in, or says why not. At a URL with AuthType NONE everybody may call; at one with AWS_IAM who has signed
// the request for Lambda. As everywhere in devstack any credentials are good: the signature is not computed, and policies, the
// function's own among them, are not asked.
//
// https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
func (x *urlExchange) authorize(ctx context.Context) error {
	if x.url.Auth == FunctionUrlAuthTypeNone {
		return nil
	}
	scope := strings.Split(credential(x.r), "/")
	if len(scope) < 5 {
		return errors.New("the URL has AuthType AWS_IAM, and the request is not signed")
	}
	if service := scope[len(scope)-2]; service != "lambda" {
		return errors.New("the request is signed for the service " + service + ", and not for lambda")
	}
	var who struct{ Account, Arn, UserId string }
	if err := x.s.AWS.Call(ctx, "sts", "GetCallerIdentity", nil, &who); err != nil {
		account := wire.From(ctx).Account
		who.Account, who.Arn, who.UserId = account, "arn:aws:iam::"+account+":root", account
	}
	x.caller = &urlIdentity{AccessKey: scope[0], AccountID: who.Account, CallerID: who.UserId, UserARN: who.Arn, UserID: who.UserId}
	return nil
}

// allows reports whether pages of an origin may call the URL.
func (u *functionURL) allows(origin string) bool {
	return u.CORS != nil && slices.ContainsFunc(u.CORS.AllowOrigins, func(pattern string) bool { return originMatches(pattern, origin) })
}

// originMatches holds an origin against "*", "https://*", "http://*" or an exact one.
func originMatches(pattern, origin string) bool {
	if start, any := strings.CutSuffix(pattern, "*"); any {
		return strings.HasPrefix(strings.ToLower(origin), strings.ToLower(start))
	}
	return strings.EqualFold(pattern, origin)
}

// preflight answers a browser's question whether a page may call, if the URL has a CORS configuration, and reports whether it did.
// Without one the function is asked like by any other request.
//
// https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html#urls-cors
func (x *urlExchange) preflight() bool {
	c, r := x.url.CORS, x.r
	if c == nil || r.Method != http.MethodOptions || r.Header.Get("Origin") == "" || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	x.allowOrigin()
	h := x.w.Header()
	if h.Get("Access-Control-Allow-Origin") != "" {
		list(h, "Access-Control-Allow-Methods", c.AllowMethods)
		list(h, "Access-Control-Allow-Headers", c.AllowHeaders)
		if c.MaxAge != nil {
			h.Set("Access-Control-Max-Age", strconv.Itoa(int(*c.MaxAge)))
		}
	}
	h.Set("Content-Length", "0")
	x.w.WriteHeader(http.StatusOK)
	return true
}

// allowOrigin sets the headers that let a page read the answer, if the configuration names its origin.
func (x *urlExchange) allowOrigin() {
	origin := x.r.Header.Get("Origin")
	if origin == "" || !x.url.allows(origin) {
		return
	}
	c, h := x.url.CORS, x.w.Header()
	credentials := c.AllowCredentials != nil && *c.AllowCredentials
	if slices.Contains(c.AllowOrigins, "*") && !credentials {
		origin = "*"
	} else {
		h.Set("Vary", "Origin")
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if credentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	list(h, "Access-Control-Expose-Headers", c.ExposeHeaders)
}

func list(h http.Header, name string, values []string) {
	if len(values) > 0 {
		h.Set(name, strings.Join(values, ","))
	}
}

// isCORS reports whether a header of the function's answer is one that the URL's own configuration replaces.
func (x *urlExchange) isCORS(name string) bool {
	return x.url.CORS != nil && strings.HasPrefix(name, "Access-Control-")
}
