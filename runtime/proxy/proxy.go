// Package proxy is the stable address in front of a service: requests go to one of its ready instances in turn, wait a
// little while there is none, and none is dropped when instances are swapped.
package proxy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"time"

	"devstack/internal/trace"
)

// maxWait is how long a request waits for an instance, as long as API Gateway would wait for the service.
const maxWait = 30 * time.Second

// Proxy stands in front of one service. It is a Handler for requests that came over a socket and a RoundTripper for those
// that the daemon makes itself, which spares them a second loopback hop. Its methods may be called from any goroutine.
type Proxy struct {
	name    string
	ring    *trace.Ring // nil: no traces
	forward *http.Transport
	reverse *httputil.ReverseProxy
	wait    time.Duration
	guard   func(http.Handler) http.Handler // of what comes over its port; nil: nothing

	mu      sync.Mutex
	targets []*target
	next    int // round robin
	why     string
	hopeful bool          // without targets: requests may wait
	changed chan struct{} // closed and replaced when targets, why or hopeful change
	busy    map[string]*target
	servers []*http.Server
}

// target is one instance.
type target struct {
	url      *url.URL
	inFlight int
	idle     chan struct{} // closed when inFlight falls to zero, if somebody waits for it
}

// New returns the proxy of the named service: no targets yet, requests wait. Spans go to the ring, which may be nil.
func New(name string, ring *trace.Ring) *Proxy {
	p := &Proxy{
		name: name, ring: ring, wait: maxWait,
		forward: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			MaxIdleConnsPerHost: 256,
			IdleConnTimeout:     90 * time.Second,
			DisableCompression:  true, // what the service says is what the client gets
		},
		hopeful: true,
		why:     "it has not started yet",
		changed: make(chan struct{}),
		busy:    map[string]*target{},
	}
	p.reverse = &httputil.ReverseProxy{
		Transport:     forwarder{p},
		FlushInterval: -1, // streams pass as they come
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", p.name // a target is chosen later
			r.Out.Host = r.In.Host
			r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
			r.SetXForwarded()
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, p.failure(err), http.StatusBadGateway)
		},
		ErrorLog: log.New(io.Discard, "", 0), // an answer cut short is in the trace
	}
	return p
}

// SetTargets replaces the instances that requests go to. What is under way to the others goes on; see Drain.
func (p *Proxy) SetTargets(urls []*url.URL) {
	p.set(urls, "it has no instance", true)
}

// Unavailable takes all instances away and says why. Requests wait if wait is true, and are refused at once otherwise.
func (p *Proxy) Unavailable(why string, wait bool) { p.set(nil, why, wait) }

func (p *Proxy) set(urls []*url.URL, why string, hopeful bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.targets = nil
	for _, u := range urls {
		t := p.busy[u.String()]
		if t == nil {
			t = &target{url: u}
		}
		p.targets = append(p.targets, t)
	}
	p.why, p.hopeful = why, hopeful
	close(p.changed)
	p.changed = make(chan struct{})
}

// Drain returns once no request is under way to a URL that is not a target any more, or when ctx ends.
func (p *Proxy) Drain(ctx context.Context, u *url.URL) error {
	p.mu.Lock()
	t := p.busy[u.String()]
	if t == nil {
		p.mu.Unlock()
		return nil
	}
	if t.idle == nil {
		t.idle = make(chan struct{})
	}
	idle := t.idle
	p.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// unavailableError is why no instance takes a request.
type unavailableError struct{ name, why string }

func (e *unavailableError) Error() string {
	return fmt.Sprintf("service %s is not available: %s", e.name, e.why)
}

// acquire chooses a target other than those tried, and counts a request to it. It waits while there is hope for one.
func (p *Proxy) acquire(ctx context.Context, tried []*target, deadline <-chan time.Time) (*target, error) {
	for {
		p.mu.Lock()
		t := p.pick(tried)
		if t != nil {
			t.inFlight++
			p.busy[t.url.String()] = t
			p.mu.Unlock()
			return t, nil
		}
		changed, hopeful, refused := p.changed, p.hopeful, &unavailableError{p.name, p.why}
		p.mu.Unlock()
		if !hopeful {
			return nil, refused
		}
		select {
		case <-changed:
		case <-deadline:
			return nil, refused
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// pick returns the next target in turn.
func (p *Proxy) pick(tried []*target) *target {
	for range p.targets {
		p.next = (p.next + 1) % len(p.targets)
		if t := p.targets[p.next]; !slices.Contains(tried, t) {
			return t
		}
	}
	return nil
}

// release counts a request less.
func (p *Proxy) release(t *target) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t.inFlight--
	if t.inFlight > 0 {
		return
	}
	delete(p.busy, t.url.String())
	if t.idle != nil {
		close(t.idle)
		t.idle = nil
	}
}

// send sends a request to an instance. One that cannot even be connected to has just ended: another takes the request,
// which no one has seen yet.
func (p *Proxy) send(r *http.Request) (*http.Response, error) {
	deadline := time.NewTimer(p.wait)
	defer deadline.Stop()
	var tried []*target
	var failed error
	for {
		t, err := p.acquire(r.Context(), tried, deadline.C)
		if err != nil {
			return nil, cmp.Or(failed, err)
		}
		resp, err := p.forward.RoundTrip(t.aim(r))
		if err == nil {
			resp.Body = onClose(resp.Body, func() { p.release(t) })
			return resp, nil
		}
		p.release(t)
		if !isDial(err) || r.Context().Err() != nil {
			return nil, err
		}
		tried, failed = append(tried, t), err
	}
}

// aim returns the request as the target gets it.
func (t *target) aim(r *http.Request) *http.Request {
	out := r.WithContext(r.Context())
	u := *r.URL
	u.Scheme, u.Host = t.url.Scheme, t.url.Host
	out.URL = &u
	return out
}

func isDial(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}
