package config

import (
	"net/url"
	"slices"
	"strings"
)

func (l *loader) api(i *instance) *API {
	f := i.fields
	a := &API{Block: i.base(), Name: l.checkName(i, apiNaming), Port: i.exportedPort(), Tags: l.tags(f, 50), URL: i.exportedText("url")}
	shapes := map[string]string{}
	for _, b := range f.blocks {
		if b.schema.name == "cors" {
			a.CORS = l.cors(b)
			continue
		}
		l.checkRouteKey(b, shapes)
		a.Routes = append(a.Routes, l.route(b))
	}
	return a
}

// methods are those that a route can have.
func methods() []string {
	return []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY"}
}

var (
	routeParameter = lazy(`\{([^{}/]*?)(\+?)\}`)
	routeSegment   = lazy(`^(\{[a-zA-Z0-9._:-]+\+?\}|[^{}\s]*)$`)
)

// checkRouteKey reports a key that API Gateway would not take, and one that answers the same requests as another.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
func (l *loader) checkRouteKey(f *fields, shapes map[string]string) {
	invalid := func(format string, args ...any) { l.add(f.labelRange(), "Invalid route", format, args...) }
	if f.label == "$default" {
		return
	}
	method, path, ok := strings.Cut(f.label, " ")
	switch {
	case !ok || !strings.HasPrefix(path, "/"):
		invalid("%q is not a route: write \"METHOD /path\" or \"$default\"", f.label)
		return
	case !slices.Contains(methods(), method):
		invalid("there is no method %q; it is %s%s", method, list(methods()), didYouMean(method, methods()))
		return
	}
	segments := strings.Split(path[1:], "/")
	seen := map[string]bool{}
	for n, segment := range segments {
		if !routeSegment().MatchString(segment) {
			invalid("%q is not a part of a path: it is text, or {name} alone, or at the end {name+}", segment)
			return
		}
		m := routeParameter().FindStringSubmatch(segment)
		if m == nil {
			continue
		}
		if m[2] == "+" && n < len(segments)-1 {
			invalid("%s takes the rest of the path, so it must stand at its end", segment)
			return
		}
		if seen[m[1]] {
			invalid("the path has two parts named %q", m[1])
			return
		}
		seen[m[1]] = true
	}
	shape := method + " " + routeParameter().ReplaceAllString(path, "{$2}")
	if other := shapes[shape]; other != "" && other != f.label {
		invalid("%q answers the same requests as %q", f.label, other)
	}
	shapes[shape] = f.label
}

// targets are the arguments of a route of which exactly one says what answers it.
func targets() []string { return []string{"function", "state_machine", "service", "url"} }

func (l *loader) route(f *fields) Route {
	r := Route{Key: f.label, URL: f.text("url"), TimeoutMS: f.integer("timeout_ms"), Range: f.block.DefRange()}
	var given []string
	for _, name := range targets() {
		if f.given(name) {
			given = append(given, name)
		}
	}
	switch len(given) {
	case 0:
		l.add(f.block.DefRange(), "Missing argument", "a route needs one of function, state_machine, service and url")
	case 1:
	default:
		l.add(f.rangeOf(given[1]), "Invalid route", "a route has one target, not %s", strings.Join(given, " and "))
	}
	for _, name := range given {
		if ref, ok := f.values[name].(targetRef); ok {
			l.routeTo(&r, ref.id)
		}
	}
	if _, ok := f.values["url"].(string); ok {
		l.checkRouteURL(f, &r)
	}
	return r
}

// routeTo sets a route's target, and what of it the API needs to know.
func (l *loader) routeTo(r *Route, id ID) {
	to := l.find(id)
	switch id.Type {
	case "function":
		r.Function, r.ARN = &id, to.exportedText("arn")
	case "state_machine":
		r.StateMachine, r.ARN, r.Express = &id, to.exportedText("arn"), to.fields.text("type") == "EXPRESS"
	case "service":
		r.Service, r.Upstream = &id, to.exportedText("url")
	}
}

// checkRouteURL reports a URL that requests cannot be sent to, or that names parts of the path that the route lacks.
func (l *loader) checkRouteURL(f *fields, r *Route) {
	u, err := url.Parse(r.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		l.add(f.rangeOf("url"), "Invalid url", "%q is not the URL of an HTTP server", r.URL)
		return
	}
	var names []string
	for _, m := range routeParameter().FindAllStringSubmatch(r.Key, -1) {
		names = append(names, m[1])
	}
	for _, m := range routeParameter().FindAllStringSubmatch(r.URL, -1) {
		if !slices.Contains(names, m[1]) {
			l.add(f.rangeOf("url"), "Invalid url", "the route %q has no part {%s}%s", r.Key, m[1], didYouMean(m[1], names))
		}
	}
	r.Upstream = r.URL
}

func (l *loader) cors(f *fields) *CORS {
	c := &CORS{
		AllowOrigins: f.texts("allow_origins"), AllowMethods: f.texts("allow_methods"), AllowHeaders: f.texts("allow_headers"),
		ExposeHeaders: f.texts("expose_headers"), AllowCredentials: f.boolean("allow_credentials"), MaxAge: f.integer("max_age"),
	}
	if f.values["allow_origins"] != nil && len(c.AllowOrigins) == 0 {
		l.add(f.rangeOf("allow_origins"), "Invalid allow_origins", "allow_origins is empty")
	}
	for _, origin := range c.AllowOrigins {
		u, err := url.Parse(strings.Replace(origin, "*.", "", 1))
		if origin != "*" && origin != "http://*" && origin != "https://*" && (err != nil || u.Scheme == "" || u.Host == "" || u.Path != "") {
			l.add(f.rangeOf("allow_origins"), "Invalid allow_origins", "%q is not an origin, such as \"https://example.com\"", origin)
		}
	}
	for _, m := range c.AllowMethods {
		if known := append(methods()[:7], "*"); !slices.Contains(known, m) {
			l.add(f.rangeOf("allow_methods"), "Invalid allow_methods", "there is no method %q%s", m, didYouMean(m, known))
		}
	}
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
	if c.AllowCredentials && slices.Contains(c.AllowOrigins, "*") {
		l.add(f.rangeOf("allow_credentials"), "Invalid allow_credentials", "credentials cannot be allowed to the origin \"*\": name the origins")
	}
	return c
}
