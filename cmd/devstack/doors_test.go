package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestDoors(t *testing.T) {
	aws := doors{hosts: func() []string { return []string{"host.docker.internal"} }}
	api := doors{origins: []string{"https://shop.example"}, pages: true}
	const url = "abc.lambda-url.us-east-1.localhost:4566"
	urls := doors{allows: func(host, origin string) bool { return host == url && origin == "https://shop.example" }}
	for _, tt := range []struct {
		name    string
		doors   doors
		method  string
		host    string
		headers map[string]string
		open    bool
	}{
		{"an SDK", aws, "POST", "127.0.0.1:4566", nil, true},
		{"an SDK by name", aws, "POST", "localhost:4566", nil, true},
		{"IPv6 loopback", aws, "POST", "[::1]:4566", nil, true},
		{"an API's own host name", aws, "GET", "a1b2c3.execute-api.localhost:4566", nil, true},
		{"an operation with a host prefix", aws, "POST", "sync-127.0.0.1:4566", nil, true},
		{"a container", aws, "POST", "host.docker.internal:4566", nil, true},
		{"a name that was pointed at loopback", aws, "POST", "evil.example:4566", nil, false},
		{"a name that ends like ours", aws, "POST", "evillocalhost:4566", nil, false},
		{"an address that is not loopback", aws, "POST", "10.0.0.1:4566", nil, false},
		{"a page of another site", aws, "POST", "localhost:4566", map[string]string{"Origin": "https://evil.example"}, false},
		{"a page in somebody's bucket", aws, "POST", "localhost:4566", map[string]string{"Origin": "https://evil.s3.amazonaws.com"}, false},
		{"a sandboxed frame", aws, "POST", "localhost:4566", map[string]string{"Origin": "null"}, false},
		{"a page of this machine", aws, "POST", "localhost:4566", map[string]string{"Origin": "http://localhost:3000"}, true},
		{"an image tag of another site", aws, "GET", "localhost:4566", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, false},
		{"a link of another site to the AWS endpoint", aws, "GET", "localhost:4566", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, false},
		{"a link of another site to an API", api, "GET", "localhost:8080", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, true},
		{"a form of another site", api, "POST", "localhost:8080", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, false},
		{"a page that the stack named", api, "POST", "localhost:8080", map[string]string{"Origin": "https://shop.example", "Sec-Fetch-Site": "cross-site"}, true},
		{"a page that a function URL names", urls, "POST", url, map[string]string{"Origin": "https://shop.example", "Sec-Fetch-Site": "cross-site"}, true},
		{"a page that it does not name", urls, "POST", url, map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, false},
		{"the same page at the AWS endpoint", urls, "POST", "localhost:4566", map[string]string{"Origin": "https://shop.example", "Sec-Fetch-Site": "cross-site"}, false},
		{"a link of another site to a function URL", urls, "GET", url, map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, true},
		{"a form of another site to one", urls, "POST", url, map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, false},
		{"an image tag of another site to one", urls, "GET", url, map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, false},
		{"a function URL by AWS's name", urls, "GET", "abc.lambda-url.us-east-1.on.aws", nil, true},
		{"a page that the stack did not name", api, "POST", "localhost:8080", map[string]string{"Origin": "https://shop.example.evil.example"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, "/", nil)
			r.Host = tt.host
			for k, v := range tt.headers {
				r.Header.Set(k, v)
			}
			w := httptest.NewRecorder()
			tt.doors.guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
			if open := w.Code == http.StatusOK; open != tt.open {
				t.Errorf("open: %v, want %v (%s)", open, tt.open, w.Body)
			}
		})
	}
}
