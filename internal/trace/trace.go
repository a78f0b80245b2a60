// Package trace records what happens to a request on its way through devstack: one span a hop, joined by AWS's
// X-Amzn-Trace-Id header (and W3C's traceparent), kept in a bounded ring.
//
// The daemon carries every hop itself, so the application needs no change. Code that carries one calls Start and End:
//
//	ctx, span := trace.Start(ctx, "function", "create_order")
//	span.Input(payload)
//	…
//	span.Output(result)
//	span.End(err)
//
// A context that no Ring was put into records nothing.
package trace

import (
	"context"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Span is one hop.
type Span struct {
	Trace    string        `json:"trace"`            // "1-5759e988-bd862e3fe1be46a994272793", the root of X-Amzn-Trace-Id
	ID       string        `json:"id"`               // 16 hexadecimal digits
	Parent   string        `json:"parent,omitempty"` // of the span that caused this one
	Kind     string        `json:"kind"`             // "api", "function", "service", "aws", "state", "stream", …
	Name     string        `json:"name"`             // "POST /orders", "create_order", "dynamodb.PutItem"
	Start    time.Time     `json:"start"`
	Duration time.Duration `json:"duration"` // nanoseconds
	Input    string        `json:"input,omitempty"`
	Output   string        `json:"output,omitempty"`
	Error    string        `json:"error,omitempty"`
}

// Ring holds the latest spans. Its methods may be called from any goroutine.
type Ring struct {
	now func() time.Time

	mu     sync.Mutex
	spans  []kept // the span of number n stands at n modulo the capacity
	next   int    // number of the next span
	bodies bodies
}

// kept is a span as the ring keeps it: its input and output stand elsewhere.
type kept struct {
	Span
	in, out body
}

// NewRing returns a ring of a number of spans, dated by now.
func NewRing(size int, now func() time.Time) *Ring {
	return &Ring{now: now, spans: make([]kept, 0, size)}
}

// Spans returns the finished spans, oldest first.
func (r *Ring) Spans() []Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	oldest := 0
	if len(r.spans) == cap(r.spans) {
		oldest = r.next % cap(r.spans)
	}
	out := make([]Span, 0, len(r.spans))
	for i := range r.spans {
		k := &r.spans[(oldest+i)%len(r.spans)]
		s := k.Span
		s.Input, s.Output = r.bodies.text(k.in), r.bodies.text(k.out)
		out = append(out, s)
	}
	return out
}

// Trace returns the finished spans of one trace, oldest first.
func (r *Ring) Trace(id string) []Span {
	var out []Span
	for _, s := range r.Spans() {
		if s.Trace == id {
			out = append(out, s)
		}
	}
	return out
}

func (r *Ring) add(k *kept) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.spans) < cap(r.spans) {
		r.spans = append(r.spans, *k)
	} else {
		r.spans[r.next%cap(r.spans)] = *k
	}
	r.next++
}

func (r *Ring) keep(b []byte) body {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bodies.keep(b)
}

// place is where in which trace a context is.
type place struct {
	ring        *Ring
	trace, span string
}

type placeKey struct{}

func placeOf(ctx context.Context) (place, bool) {
	p, ok := ctx.Value(placeKey{}).(*place)
	if !ok {
		return place{}, false
	}
	return *p, true
}

func withPlace(ctx context.Context, p place) context.Context {
	return context.WithValue(ctx, placeKey{}, &p)
}

// Context returns a context whose spans go to the ring.
func (r *Ring) Context(ctx context.Context) context.Context {
	return withPlace(ctx, place{ring: r})
}

// Join returns a context that continues the trace named in a request's headers: X-Amzn-Trace-Id if it has a root, else
// traceparent. With neither it returns ctx, and the next Start begins a new trace.
func Join(ctx context.Context, amznTraceID, traceparent string) context.Context {
	p, _ := placeOf(ctx)
	if root, parent := parseAmzn(amznTraceID); root != "" {
		p.trace, p.span = root, parent
	} else if root, parent := parseW3C(traceparent); root != "" {
		p.trace, p.span = root, parent
	} else {
		return ctx
	}
	return withPlace(ctx, p)
}

// Silent returns a context in which nothing is recorded: for what devstack does by itself over and over, such as polling.
func Silent(ctx context.Context) context.Context {
	return withPlace(ctx, place{})
}

// Detach returns a context without ctx's deadline and cancellation that belongs to the same trace: for what goes on after
// the answer, such as an asynchronous invocation.
func Detach(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

// Active is a span that has not ended.
type Active struct {
	ring *Ring
	span kept
}

// inside is the context inside a span. It is one piece with the span, for every call has one.
type inside struct {
	context.Context
	place place
	span  Active
}

// Value returns the span's place, or what the context outside has.
func (c *inside) Value(key any) any {
	if key == (placeKey{}) {
		return &c.place
	}
	return c.Context.Value(key)
}

// Start begins a span below the one that ctx is in. The returned context is inside it.
func Start(ctx context.Context, kind, name string) (context.Context, *Active) {
	p, ok := placeOf(ctx)
	if !ok || p == (place{}) {
		return ctx, &Active{}
	}
	c := &inside{Context: ctx, place: p}
	a := &c.span
	a.ring, a.span.Span = p.ring, Span{ID: newID(), Parent: p.span, Kind: kind, Name: name}
	if p.ring != nil {
		a.span.Start = p.ring.now()
	}
	if p.trace == "" { // only a ring's own context has none
		c.place.trace = NewRoot(a.span.Start)
	}
	a.span.Trace, c.place.span = c.place.trace, a.span.ID
	return c, a
}

// Recording reports whether the span is kept, so that a caller can spare the making of an input or output that is not.
func (a *Active) Recording() bool { return a.ring != nil }

// TraceID returns the span's trace id, "" if it is not recorded.
func (a *Active) TraceID() string { return a.span.Trace }

// Input keeps the beginning of what the hop was given.
func (a *Active) Input(b []byte) {
	if a.ring != nil {
		a.span.in = a.ring.keep(b)
	}
}

// Output keeps the beginning of what the hop answered.
func (a *Active) Output(b []byte) {
	if a.ring != nil {
		a.span.out = a.ring.keep(b)
	}
}

// End records the span. err is why it failed, nil if it did not.
func (a *Active) End(err error) {
	if a.ring == nil {
		return
	}
	if err != nil {
		a.span.Error = err.Error()
	}
	a.span.Duration = a.ring.now().Sub(a.span.Start)
	a.ring.add(&a.span)
}

// Header returns the X-Amzn-Trace-Id that tells the next hop where it belongs, "" outside any trace.
//
// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
func Header(ctx context.Context) string {
	p, ok := placeOf(ctx)
	if !ok || p.trace == "" {
		return ""
	}
	if p.span == "" {
		return "Root=" + p.trace + ";Sampled=1"
	}
	return "Root=" + p.trace + ";Parent=" + p.span + ";Sampled=1"
}

// Traceparent returns the same in W3C's form, "" outside any trace.
//
// https://www.w3.org/TR/trace-context/#traceparent-header
func Traceparent(ctx context.Context) string {
	p, ok := placeOf(ctx)
	if !ok || p.trace == "" || p.span == "" {
		return ""
	}
	return "00-" + strings.ReplaceAll(strings.TrimPrefix(p.trace, "1-"), "-", "") + "-" + p.span + "-01"
}

// NewRoot makes a trace id: version, the second in hexadecimal, 96 random bits.
func NewRoot(now time.Time) string {
	b := append(make([]byte, 0, 35), "1-"...)
	b = append(appendHex(b, uint64(now.Unix()), 8), '-')
	return string(appendHex(appendHex(b, rand.Uint64(), 16), rand.Uint64(), 8))
}

// newID makes a span's id. Nobody is kept from guessing it: it need only be unlike the others.
func newID() string { return string(appendHex(make([]byte, 0, 16), rand.Uint64(), 16)) }

// appendHex appends the last digits of a number in hexadecimal.
func appendHex(b []byte, n uint64, digits int) []byte {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		b = append(b, "0123456789abcdef"[n>>shift&15])
	}
	return b
}

func parseAmzn(h string) (root, parent string) {
	for field := range strings.SplitSeq(h, ";") {
		k, v, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch k {
		case "Root":
			if validRoot(v) {
				root = v
			}
		case "Parent":
			if isHex(v, 16) {
				parent = v
			}
		}
	}
	return root, parent
}

func validRoot(s string) bool {
	parts := strings.Split(s, "-")
	return len(parts) == 3 && parts[0] == "1" && isHex(parts[1], 8) && isHex(parts[2], 24)
}

func parseW3C(h string) (root, parent string) {
	parts := strings.Split(h, "-")
	if len(parts) < 4 || !isHex(parts[1], 32) || !isHex(parts[2], 16) {
		return "", ""
	}
	return "1-" + parts[1][:8] + "-" + parts[1][8:], parts[2]
}

func isHex(s string, n int) bool {
	if len(s) != n {
		return false
	}
	for i := 0; i < n; i += 8 {
		if _, err := strconv.ParseUint(s[i:i+8], 16, 32); err != nil {
			return false
		}
	}
	return true
}
