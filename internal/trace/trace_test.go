package trace

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestSpansFormATree(t *testing.T) {
	r := NewRing(10, func() time.Time { return epoch })
	ctx, outer := Start(r.Context(context.Background()), "api", "POST /orders")
	_, inner := Start(ctx, "function", "create_order")
	inner.Input([]byte("in"))
	inner.Output([]byte("out"))
	inner.End(errors.New("no"))
	outer.End(nil)
	spans := r.Trace(outer.TraceID())
	if len(spans) != 2 {
		t.Fatalf("%d spans, want 2", len(spans))
	}
	in, out := spans[0], spans[1]
	if in.Parent != out.ID || in.Trace != out.Trace || in.Input != "in" || in.Output != "out" || in.Error != "no" || out.Parent != "" {
		t.Errorf("got %+v and %+v", in, out)
	}
}

func TestHeadersCarryATraceOn(t *testing.T) {
	r := NewRing(10, func() time.Time { return epoch })
	ctx, first := Start(r.Context(context.Background()), "api", "a")
	for name, join := range map[string]func(context.Context) context.Context{
		"X-Amzn-Trace-Id": func(c context.Context) context.Context { return Join(c, Header(ctx), "") },
		"traceparent":     func(c context.Context) context.Context { return Join(c, "", Traceparent(ctx)) },
	} {
		_, next := Start(join(r.Context(context.Background())), "service", "b")
		next.End(nil)
		got := r.Spans()[len(r.Spans())-1]
		if got.Trace != first.TraceID() || got.Parent != first.span.ID {
			t.Errorf("%s: %+v is not below %+v", name, got, first.span)
		}
	}
}

func TestNonsenseBeginsANewTrace(t *testing.T) {
	r := NewRing(10, func() time.Time { return epoch })
	for _, h := range []string{"", "Root=", "Root=1-x-y", "Root=1-5759e988-bd862e3fe1be46a99427279;Parent=zz", ";;;=", "Root=2-5759e988-bd862e3fe1be46a994272793"} {
		_, s := Start(Join(r.Context(context.Background()), h, "00-"+h), "api", "a")
		if len(s.TraceID()) != 35 {
			t.Errorf("%q: trace id %q", h, s.TraceID())
		}
	}
}

func TestTheRingKeepsTheLatest(t *testing.T) {
	r := NewRing(3, func() time.Time { return epoch })
	for _, name := range []string{"1", "2", "3", "4", "5"} {
		_, s := Start(r.Context(context.Background()), "api", name)
		s.End(nil)
	}
	got := ""
	for _, s := range r.Spans() {
		got += s.Name
	}
	if got != "345" {
		t.Errorf("holds %s, want 345", got)
	}
}

func TestBodiesAreBoundedTogether(t *testing.T) {
	const spans = 6000
	for _, size := range []int{spans, spans / 2} { // a ring that is not full, and one that turned
		r := NewRing(size, func() time.Time { return epoch })
		body := make([]byte, maxBody)
		for range spans {
			_, s := Start(r.Context(context.Background()), "api", "a")
			s.Input(body)
			s.End(nil)
		}
		held, last := 0, Span{}
		for _, s := range r.Spans() {
			held, last = held+len(s.Input)+len(s.Output), s
		}
		if held > maxBodies || held < maxBodies-2*maxBody && size == spans || len(last.Input) != maxBody {
			t.Errorf("a ring of %d holds %d bytes, the latest span %d", size, held, len(last.Input))
		}
	}
}

func TestWithoutARingNothingIsRecorded(t *testing.T) {
	r := NewRing(3, func() time.Time { return epoch })
	for _, ctx := range []context.Context{context.Background(), Silent(r.Context(context.Background()))} {
		_, s := Start(ctx, "api", "a")
		if s.End(nil); s.Recording() || len(r.Spans()) > 0 {
			t.Error("it was recorded")
		}
	}
}

func FuzzJoin(f *testing.F) {
	f.Add("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	f.Fuzz(func(t *testing.T, amzn, w3c string) {
		ctx := Join(NewRing(1, time.Now).Context(context.Background()), amzn, w3c)
		Header(ctx)
		Traceparent(ctx)
	})
}

func TestATraceBeginsByTheRingsClock(t *testing.T) {
	r := NewRing(1, func() time.Time { return epoch })
	_, span := Start(r.Context(context.Background()), "api", "GET /")
	if want := fmt.Sprintf("1-%08x-", epoch.Unix()); !strings.HasPrefix(span.TraceID(), want) {
		t.Errorf("%s does not begin with %s", span.TraceID(), want)
	}
}

func TestBodiesAreClippedAndMadeText(t *testing.T) {
	r := NewRing(1, func() time.Time { return epoch })
	_, s := Start(r.Context(context.Background()), "api", "a")
	s.Input([]byte(strings.Repeat("x", maxBody-1) + "é"))
	s.Output([]byte("a\xffb"))
	s.End(nil)
	got := r.Spans()[0]
	if got.Input != strings.Repeat("x", maxBody-1)+"…" || got.Output != "a\uFFFDb" {
		t.Errorf("kept %d bytes, ending in %q, and %q", len(got.Input), got.Input[maxBody-4:], got.Output)
	}
}
