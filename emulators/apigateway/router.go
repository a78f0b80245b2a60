package apigateway

import (
	"net/url"
	"slices"
	"strings"
)

// router finds the route of a request.
type router struct {
	targets  []target // the most specific first
	fallback *target  // $default
}

// target is a route with what it calls.
type target struct {
	key         string       // "GET /pets/{id}"
	integration *Integration // nil: none yet
	method      string       // "ANY" for all
	segments    []segment
}

// segment is one part of a route's path.
type segment struct {
	text   string // or the variable's name
	isVar  bool
	greedy bool
}

// newRouter orders routes as API Gateway prefers them: a fixed segment over a variable, a variable over a greedy one, at the
// first segment that differs; a method over ANY; $default last.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html#http-api-develop-routes.evaluation
func newRouter(all []target) *router {
	r := &router{}
	for _, t := range all {
		if t.key == defaultRoute {
			r.fallback = &t
			continue
		}
		method, path, _ := strings.Cut(t.key, " ")
		t.method = method
		for part := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
			t.segments = append(t.segments, parseSegment(part))
		}
		r.targets = append(r.targets, t)
	}
	slices.SortStableFunc(r.targets, compareTargets)
	return r
}

func parseSegment(part string) segment {
	if !strings.HasPrefix(part, "{") {
		return segment{text: part}
	}
	name := strings.TrimSuffix(strings.TrimPrefix(part, "{"), "}")
	text, greedy := strings.CutSuffix(name, "+")
	return segment{text: text, isVar: true, greedy: greedy}
}

// rank orders segments by how specific they are.
func (s segment) rank() int {
	switch {
	case s.greedy:
		return 2
	case s.isVar:
		return 1
	}
	return 0
}

func compareTargets(a, b target) int {
	for i := range min(len(a.segments), len(b.segments)) {
		if d := a.segments[i].rank() - b.segments[i].rank(); d != 0 {
			return d
		}
	}
	if d := len(b.segments) - len(a.segments); d != 0 {
		return d
	}
	switch {
	case a.method == b.method:
		return 0
	case a.method == "ANY":
		return 1
	}
	return -1
}

// match returns the route of a request and the values of its path's variables, decoded; nil if there is none. path is the one
// that was sent, without the stage.
func (r *router) match(method, path string) (*target, map[string]string) {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i := range r.targets {
		t := &r.targets[i]
		if t.method != "ANY" && t.method != method {
			continue
		}
		if variables, ok := t.fit(parts); ok {
			return t, variables
		}
	}
	return r.fallback, nil
}

// fit holds a path against the target's.
func (t *target) fit(parts []string) (map[string]string, bool) {
	var variables map[string]string
	set := func(name, value string) {
		if variables == nil {
			variables = map[string]string{}
		}
		variables[name] = decoded(value)
	}
	for i, seg := range t.segments {
		switch {
		case i >= len(parts):
			return nil, false
		case seg.greedy:
			rest := strings.Join(parts[i:], "/")
			if rest == "" {
				return nil, false // a greedy variable takes at least one character
			}
			set(seg.text, rest)
			return variables, true
		case seg.isVar:
			if parts[i] == "" {
				return nil, false
			}
			set(seg.text, parts[i])
		case seg.text != decoded(parts[i]):
			return nil, false
		}
	}
	return variables, len(parts) == len(t.segments)
}

// decoded is a path's part without its percent-encoding; what is wrongly encoded stays as it is.
func decoded(s string) string {
	if d, err := url.PathUnescape(s); err == nil {
		return d
	}
	return s
}
