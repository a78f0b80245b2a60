package apigateway

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// checkCORS refuses what no browser would accept.
func checkCORS(c *Cors) error {
	if c != nil && c.AllowCredentials != nil && *c.AllowCredentials && slices.Contains(c.AllowOrigins, "*") {
		return errBadRequestException("allow-credentials is not supported if 'allow-origin' is *") // https://github.com/aws/aws-cdk/issues/9076
	}
	return nil
}

// preflight answers a browser's question whether a page may call, if the API has a CORS configuration, and reports whether it
// did. Without one the question goes to the integration like any other request.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
func (p *dataPlane) preflight(w http.ResponseWriter, r *http.Request) bool {
	c := p.api.CorsConfiguration
	if c == nil || r.Method != http.MethodOptions || r.Header.Get("Origin") == "" || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	p.allowOrigin(w, r)
	h := w.Header()
	if h.Get("Access-Control-Allow-Origin") != "" {
		list(h, "Access-Control-Allow-Methods", c.AllowMethods)
		list(h, "Access-Control-Allow-Headers", c.AllowHeaders)
		if c.MaxAge != nil {
			h.Set("Access-Control-Max-Age", strconv.Itoa(int(*c.MaxAge)))
		}
	}
	w.WriteHeader(http.StatusNoContent)
	return true
}

// allowOrigin sets the headers that let a page read the answer, if the configuration names its origin.
func (p *dataPlane) allowOrigin(w http.ResponseWriter, r *http.Request) {
	c, origin := p.api.CorsConfiguration, r.Header.Get("Origin")
	if c == nil || origin == "" || !slices.ContainsFunc(c.AllowOrigins, func(pattern string) bool { return originMatches(pattern, origin) }) {
		return
	}
	h := w.Header()
	if slices.Contains(c.AllowOrigins, "*") {
		origin = "*"
	} else {
		h.Set("Vary", "Origin")
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if c.AllowCredentials != nil && *c.AllowCredentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	list(h, "Access-Control-Expose-Headers", c.ExposeHeaders)
}

// originMatches holds an origin against "*", "https://*", "http://*" or an exact one.
func originMatches(pattern, origin string) bool {
	if start, any := strings.CutSuffix(pattern, "*"); any {
		return strings.HasPrefix(origin, start)
	}
	return strings.EqualFold(pattern, origin)
}

func list(h http.Header, name string, values []string) {
	if len(values) > 0 {
		h.Set(name, strings.Join(values, ","))
	}
}

// isCORS reports whether a header of an integration's answer is one that the API's own configuration replaces.
func (p *dataPlane) isCORS(header string) bool {
	return p.api.CorsConfiguration != nil && strings.HasPrefix(http.CanonicalHeaderKey(header), "Access-Control-")
}
