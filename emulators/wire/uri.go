package wire

import (
	"net/url"
	"strings"
)

// uriPattern is a REST operation's method and URI: "/v2/apis/{ApiId}/routes", "/{Bucket}/{Key+}?acl".
type uriPattern struct {
	method   string
	segments []uriSegment
	query    []formField // constant parameters that must be there
}

type uriSegment struct {
	text   string // literal, or the label's name
	label  bool
	greedy bool // takes all segments that the rest of the pattern leaves it
}

// uriLabel is what a label of a pattern stands for in a request.
type uriLabel struct{ name, value string }

func parseURI(method, uri string) uriPattern {
	p := uriPattern{method: method}
	path, query, _ := strings.Cut(uri, "?")
	for seg := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		s := uriSegment{text: seg}
		if name, ok := strings.CutPrefix(seg, "{"); ok {
			s.label = true
			s.text, s.greedy = strings.CutSuffix(strings.TrimSuffix(name, "}"), "+")
		}
		p.segments = append(p.segments, s)
	}
	for q := range strings.SplitSeq(query, "&") {
		// Clients add x-id=Operation for people who read logs; AWS does not look at it.
		if name, value, _ := strings.Cut(q, "="); name != "" && name != "x-id" {
			p.query = append(p.query, formField{name, value})
		}
	}
	return p
}

// weight orders the patterns that match one request: the more constant it is, the better it fits.
func (p *uriPattern) weight() int {
	w := 4 * len(p.query)
	for _, s := range p.segments {
		switch {
		case !s.label:
			w += 1000
		case !s.greedy:
			w += 100
		}
	}
	return w
}

// match reports whether a path that is still escaped, with the parameters of the query, fits, and the labels' values.
func (p *uriPattern) match(method, path string, query []formField, into []uriLabel) ([]uriLabel, bool) {
	if method != p.method || !p.hasQuery(query) {
		return nil, false
	}
	labels := into[:0]
	path = strings.TrimPrefix(path, "/")
	for i, s := range p.segments {
		last := i == len(p.segments)-1
		var seg string
		more := false
		switch {
		case s.greedy && last:
			seg, path = path, ""
		case s.greedy:
			at := cutTail(path, len(p.segments)-1-i)
			if at < 0 {
				return nil, false
			}
			seg, path, more = path[:at], path[at+1:], true
		default:
			seg, path, more = strings.Cut(path, "/")
		}
		if more && last && path == "" && s.text != "" {
			more = false // one slash at the end does not count
		}
		if more == last {
			return nil, false
		}
		if !s.label {
			if u, ok := unescapePath(seg); !ok || u != s.text {
				return nil, false
			}
			continue
		}
		u, ok := unescapePath(seg)
		if !ok || u == "" {
			return nil, false
		}
		labels = append(labels, uriLabel{s.text, u})
	}
	return labels, true
}

// cutTail returns where the slash before the last n segments of a path stands.
func cutTail(path string, n int) int {
	at := len(path)
	for range n {
		if at = strings.LastIndexByte(path[:at], '/'); at < 0 {
			return -1
		}
	}
	return at
}

func (p *uriPattern) hasQuery(query []formField) bool {
	for _, want := range p.query {
		found := false
		for _, q := range query {
			if q.name == want.name && (want.value == "" || q.value == want.value) {
				found = true
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

func unescapePath(s string) (string, bool) {
	if !strings.Contains(s, "%") {
		return s, true
	}
	u, err := url.PathUnescape(s)
	return u, err == nil
}
