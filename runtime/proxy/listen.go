package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"

	"devstack/internal/trace"
)

// Listen takes the port on 127.0.0.1, any free one if it is zero, and serves on it until Close. It returns the address.
func (p *Proxy) Listen(port int) (string, error) {
	l, err := p.bind(port)
	if err != nil {
		return "", err
	}
	p.Serve(l)
	return l.Addr().String(), nil
}

func (p *Proxy) bind(port int) (net.Listener, error) {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("port %d of service %s is in use by another program", port, p.name)
	}
	if err != nil {
		return nil, fmt.Errorf("listen for service %s: %w", p.name, err)
	}
	return l, nil
}

// Serve serves on a listener as well, such as one on the container bridge's gateway, until Close.
func (p *Proxy) Serve(l net.Listener) {
	var h http.Handler = http.HandlerFunc(p.serveOutside)
	if p.guard != nil {
		h = p.guard(h)
	}
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 30 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	p.mu.Lock()
	p.servers = append(p.servers, s)
	p.mu.Unlock()
	go s.Serve(l)
}

// serveOutside is ServeHTTP for a request that does not come from inside the daemon: it may say what trace it is of.
func (p *Proxy) serveOutside(w http.ResponseWriter, r *http.Request) {
	if p.ring != nil {
		ctx := p.ring.Context(r.Context())
		r = r.WithContext(trace.Join(ctx, r.Header.Get("X-Amzn-Trace-Id"), r.Header.Get("Traceparent")))
	}
	p.ServeHTTP(w, r)
}

// Close gives the address up. Requests under way are given until ctx ends.
func (p *Proxy) Close(ctx context.Context) {
	shutDown(ctx, p.takeServers())
	p.forward.CloseIdleConnections()
}

// takeServers returns what serves on the proxy's listeners, for somebody else to close.
func (p *Proxy) takeServers() []*http.Server {
	p.mu.Lock()
	defer p.mu.Unlock()
	servers := p.servers
	p.servers = nil
	return servers
}

// shutDown closes the listeners at once and the connections when they are idle or ctx ends.
func shutDown(ctx context.Context, servers []*http.Server) {
	for _, s := range servers {
		if s.Shutdown(ctx) != nil {
			s.Close()
		}
	}
}
