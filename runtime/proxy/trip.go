package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"

	"devstack/internal/trace"
)

// ServeHTTP sends the request to an instance and its answer back, protocol upgrades included.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.reverse.ServeHTTP(w, r) }

// RoundTrip sends a request to an instance without a way through the proxy's own listener; the host in its URL does not
// matter. What goes wrong is an answer as it would be over the socket: 503 if no instance can take the request, 502 if one
// did and failed.
func (p *Proxy) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := p.trip(r)
	if err != nil && r.Context().Err() == nil {
		return answer(r, http.StatusBadGateway, p.failure(err)), nil
	}
	return resp, err
}

// forwarder is RoundTrip for the ReverseProxy, which makes its own 502.
type forwarder struct{ p *Proxy }

func (f forwarder) RoundTrip(r *http.Request) (*http.Response, error) { return f.p.trip(r) }

func (p *Proxy) failure(err error) string {
	return fmt.Sprintf("service %s did not answer: %v", p.name, err)
}

// trip sends a request within a span of its own.
func (p *Proxy) trip(r *http.Request) (*http.Response, error) {
	ctx, span := trace.Start(r.Context(), "service", p.name)
	out := r.WithContext(ctx)
	out.Header = maps.Clone(r.Header)
	if out.Header == nil {
		out.Header = http.Header{}
	}
	if id := trace.Header(ctx); id != "" {
		out.Header.Set("X-Amzn-Trace-Id", id)
	}
	if parent := trace.Traceparent(ctx); parent != "" {
		out.Header.Set("Traceparent", parent)
	}
	in := &head{}
	if span.Recording() {
		fmt.Fprintf(in, "%s %s\n\n", r.Method, r.URL.RequestURI())
	}
	out, body := withBody(out, in, span.Recording())
	resp, err := p.send(out)
	span.Input(in.Bytes())
	if err != nil {
		body.finish()
		span.End(err)
		var refused *unavailableError
		if errors.As(err, &refused) {
			return answer(r, http.StatusServiceUnavailable, err.Error()), nil
		}
		return nil, err
	}
	recordAnswer(resp, span)
	return resp, nil
}

// recordAnswer ends the span when the answer has been read.
func recordAnswer(resp *http.Response, span *trace.Active) {
	if !span.Recording() {
		return
	}
	got := &head{}
	fmt.Fprintf(got, "%s\n\n", resp.Status)
	end := func() {
		span.Output(got.Bytes())
		span.End(nil)
	}
	if _, upgraded := resp.Body.(io.Writer); upgraded {
		resp.Body = onClose(resp.Body, end)
		return
	}
	resp.Body = onClose(struct {
		io.Reader
		io.Closer
	}{io.TeeReader(resp.Body, got), resp.Body}, end)
}

// answer makes a response of our own.
func answer(r *http.Request, status int, text string) *http.Response {
	if r.Body != nil {
		r.Body.Close()
	}
	h := http.Header{}
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	return &http.Response{
		Status: fmt.Sprintf("%d %s", status, http.StatusText(status)), StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, Request: r,
		ContentLength: int64(len(text) + 1),
		Body:          io.NopCloser(strings.NewReader(text + "\n")),
	}
}

// requestBody keeps a transport from closing the body of a request that it could not connect for, so that the next
// instance can have it, and copies the beginning of what is sent.
type requestBody struct {
	io.ReadCloser
	copy      *head // nil: not copied
	connected atomic.Bool
}

// withBody wraps the body of a request, if it has one, and returns the request to send.
func withBody(r *http.Request, copy *head, recording bool) (*http.Request, *requestBody) {
	if r.Body == nil || r.Body == http.NoBody {
		return r, nil
	}
	b := &requestBody{ReadCloser: r.Body}
	if recording {
		b.copy = copy
	}
	ctx := httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { b.connected.Store(true) },
	})
	out := r.WithContext(ctx)
	out.Body, out.GetBody = b, nil
	return out, b
}

func (b *requestBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.copy != nil {
		b.copy.Write(p[:n])
	}
	return n, err
}

// Close closes the body once it belongs to a connection.
func (b *requestBody) Close() error {
	if !b.connected.Load() {
		return nil
	}
	return b.ReadCloser.Close()
}

// finish closes the body of a request that nobody took.
func (b *requestBody) finish() {
	if b != nil {
		b.ReadCloser.Close()
	}
}

// head keeps the first bytes written to it, as many as a span keeps, and lets the rest pass.
type head struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// headSize is a little more than a span keeps, so that it can see that there was more.
const headSize = 4<<10 + 16

func (h *head) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.buf.Write(p[:min(len(p), headSize-h.buf.Len())])
	return len(p), nil
}

func (h *head) Bytes() []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	return bytes.Clone(h.buf.Bytes())
}

// onClose returns a body that calls f once, when it is closed. It can be written to if the given one can, as the body of
// an upgraded connection.
func onClose(body io.ReadCloser, f func()) io.ReadCloser {
	c := &closer{ReadCloser: body, f: f}
	if w, ok := body.(io.Writer); ok {
		return struct {
			*closer
			io.Writer
		}{c, w}
	}
	return c
}

type closer struct {
	io.ReadCloser
	once sync.Once
	f    func()
}

func (c *closer) Close() error {
	err := c.ReadCloser.Close()
	c.once.Do(c.f)
	return err
}
