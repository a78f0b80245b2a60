package proxy

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"time"

	"devstack/internal/trace"
	"devstack/runtime/config"
	"devstack/runtime/supervise"
)

// Set is the proxies of a stack's services. It is the Supervisor's Router.
type Set struct {
	ring  *trace.Ring
	guard func(http.Handler) http.Handler

	mu      sync.Mutex
	proxies map[config.ID]*entry
}

// entry is one service's proxy and the port that it listens on.
type entry struct {
	proxy *Proxy
	port  int // 0: not yet
}

// NewSet returns a set whose spans go to the ring, which may be nil.
func NewSet(ring *trace.Ring) *Set {
	return &Set{ring: ring, proxies: map[config.ID]*entry{}}
}

// Guard has what comes over the services' ports pass through a handler of somebody else's before it goes on to the service.
// It is called before Open.
func (s *Set) Guard(guard func(http.Handler) http.Handler) { s.guard = guard }

// Proxy returns the proxy of a service. One that does not exist yet holds requests until it does.
func (s *Set) Proxy(id config.ID) *Proxy {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entry(id).proxy
}

func (s *Set) entry(id config.ID) *entry {
	e := s.proxies[id]
	if e == nil {
		e = &entry{proxy: New(id.Name, s.ring)}
		e.proxy.guard = s.guard
		s.proxies[id] = e
	}
	return e
}

// Open listens on a service's ProxyPort. Other resources have no proxy.
func (s *Set) Open(r config.Resource) error {
	service, ok := r.(*config.Service)
	if !ok || service.ProxyPort == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entry(service.ID)
	if e.port == service.ProxyPort {
		return nil
	}
	l, err := e.proxy.bind(service.ProxyPort)
	if err != nil {
		return err
	}
	old := e.proxy.takeServers()
	e.proxy.Serve(l)
	e.port = service.ProxyPort
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), maxWait)
		defer cancel()
		shutDown(ctx, old)
	}()
	return nil
}

// Route sends a service's requests to the given instances from now on.
func (s *Set) Route(id config.ID, to supervise.Route) {
	p := s.find(id)
	if p == nil {
		return
	}
	var urls []*url.URL
	for _, text := range to.URLs {
		if u, err := url.Parse(text); err == nil && text != "" {
			urls = append(urls, u)
		}
	}
	if len(urls) == 0 {
		p.Unavailable(to.Why, to.Wait)
		return
	}
	p.SetTargets(urls)
}

// Drain returns once no request is under way to a URL that is not a target any more, or when ctx ends.
func (s *Set) Drain(ctx context.Context, id config.ID, text string) {
	p := s.find(id)
	u, err := url.Parse(text)
	if p != nil && err == nil {
		p.Drain(ctx, u)
	}
}

// Close gives a service's address up.
func (s *Set) Close(id config.ID) {
	s.mu.Lock()
	e := s.proxies[id]
	delete(s.proxies, id)
	s.mu.Unlock()
	if e == nil {
		return
	}
	e.proxy.Unavailable("it has been stopped", false)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	e.proxy.Close(ctx)
}

func (s *Set) find(id config.ID) *Proxy {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.proxies[id]; e != nil {
		return e.proxy
	}
	return nil
}
