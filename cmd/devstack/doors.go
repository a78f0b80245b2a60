package main

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"devstack/emulators/lambda"
)

// doors keeps web pages out. Everything here listens on loopback only, but a browser on this machine reaches loopback for
// any page that it shows: a page of the internet must neither read the stack nor drive it, by a request of its own
// (cross-site) or by a name of its own that it points at 127.0.0.1 (DNS rebinding).
type doors struct {
	hosts   func() []string // further host names under which the stack may be called, such as a container's gateway; nil: none
	origins []string        // of pages that the stack named; "*" for all
	pages   bool            // a person may follow a link here from any page (an application's API, not the AWS endpoint)

	// allows asks whether what answers at a host names an origin itself, as function URLs do; nil: nothing does.
	allows func(host, origin string) bool
}

// guard lets requests through to next that do not come from a foreign page.
func (d doors) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if why := d.refuse(r); why != "" {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintf(w, "{\"message\":%q}\n", "devstack: "+why)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// refuse returns why a request is not let through, "" if it is.
func (d doors) refuse(r *http.Request) string {
	if !d.ours(r.Host) {
		return "the host name " + r.Host + " is not one of this machine's"
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		if d.named(origin) || d.allows != nil && d.allows(r.Host, origin) {
			return ""
		}
		return "requests of pages from " + origin + " are refused; an api's or a function URL's `cors` block names the origins that may call it"
	}
	_, _, isURL := lambda.FunctionURL(r.Host)
	if r.Header.Get("Sec-Fetch-Site") == "cross-site" && !((d.pages || isURL) && navigates(r)) {
		return "requests of other sites' pages are refused"
	}
	return ""
}

// navigates reports whether a person followed a link, rather than a page made the request by itself.
func navigates(r *http.Request) bool {
	return r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}

// named reports whether pages of an origin may call: this machine's own, and those that the stack names.
func (d doors) named(origin string) bool {
	if slices.Contains(d.origins, "*") || slices.Contains(d.origins, origin) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && isLoopback(hostname(u.Host))
}

// ours reports whether a Host header names this machine: as a page's origin would, or by one of AWS's own names, which only a
// resolver that the user changed sends here. (Anybody can put a page on a host below amazonaws.com, but not its address.)
func (d doors) ours(host string) bool {
	host = hostname(host)
	if _, endpoint, prefixed := strings.Cut(host, "-"); prefixed && isLoopback(endpoint) {
		return true // SDKs put "sync-" before the host of some operations; no domain has such a top level
	}
	return isLoopback(host) || below(host, "amazonaws.com") || below(host, "on.aws") || below(host, "localhost.localstack.cloud") || d.hosts != nil && slices.Contains(d.hosts(), host)
}

// isLoopback reports whether a host is a loopback address, localhost, or below it ("ID.execute-api.localhost").
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback() || below(host, "localhost")
}

func below(host, domain string) bool { return host == domain || strings.HasSuffix(host, "."+domain) }

// hostname is a host without its port and brackets, in lower case.
func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}
