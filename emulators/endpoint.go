package emulators

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"

	"devstack/emulators/lambda"
)

// ServeHTTP is the address at which clients find all of AWS (port 4566 by convention): the services by their own protocols, the
// data planes of HTTP APIs and function URLs by host name, and the paths by which tools ask whether an emulator is there.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if id, ok := apiOf(r.Host); ok {
		c.API(id).ServeHTTP(w, r)
		return
	}
	if _, _, ok := lambda.FunctionURL(r.Host); ok {
		c.lambda.URLHandler().ServeHTTP(w, r)
		return
	}
	if lambda.ServesCode(r.URL.Path) {
		c.lambda.ServeCode(w, r)
		return
	}
	switch r.URL.Path {
	case "/_localstack/health", "/_localstack/info":
		c.health(w, r)
		return
	}
	c.server.ServeHTTP(w, r)
}

// apiOf returns the id in a host name like a1b2c3d4e5.execute-api.us-east-1.amazonaws.com, or …execute-api.localhost.
func apiOf(host string) (string, bool) {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	id, rest, _ := strings.Cut(host, ".")
	return id, strings.HasPrefix(rest, "execute-api.")
}

// health answers in the form that LocalStack made common, which test libraries and CI scripts wait for.
func (c *Cloud) health(w http.ResponseWriter, r *http.Request) {
	services := map[string]string{}
	for _, m := range c.models {
		services[m.EndpointPrefix] = "running"
	}
	w.Header().Set("Content-Type", "application/json")
	if r.Method == http.MethodHead {
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"services": services, "edition": "devstack", "version": c.config.Version})
}
