package proxy

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"devstack/internal/trace"
	"devstack/runtime/config"
)

// instance is a server that answers with its name and what it was sent.
func instance(t *testing.T, name string) *url.URL {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s", name, r.Method, r.URL.RequestURI(), body)
	}))
	t.Cleanup(s.Close)
	return parse(t, s.URL)
}

func parse(t *testing.T, text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// refused is an address where nothing listens.
func refused(t *testing.T) *url.URL {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return parse(t, "http://"+l.Addr().String())
}

// ways are the two to reach a service: over a socket and in process.
func ways(t *testing.T, p *Proxy) map[string]*http.Client {
	addr, err := p.Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close(context.Background()) })
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	}
	return map[string]*http.Client{
		"over a socket": {Transport: &http.Transport{DialContext: dial}},
		"in process":    {Transport: p},
	}
}

func TestRequestsAndWhatGoesWrong(t *testing.T) {
	for _, tt := range []struct {
		name   string
		set    func(t *testing.T, p *Proxy)
		status int
		body   string
	}{
		{"an instance gets the request as it is", func(t *testing.T, p *Proxy) { p.SetTargets([]*url.URL{instance(t, "a")}) },
			200, "a POST /x%2Fy?q=1 hello"},
		{"one that cannot be reached is passed over", func(t *testing.T, p *Proxy) {
			p.SetTargets([]*url.URL{refused(t), instance(t, "b"), refused(t)})
		}, 200, "b POST /x%2Fy?q=1 hello"},
		{"no instance and no hope", func(_ *testing.T, p *Proxy) { p.Unavailable("exited with status 1", false) },
			503, "service catalog is not available: exited with status 1\n"},
		{"none came in time", func(_ *testing.T, p *Proxy) { p.Unavailable("it is being built", true) },
			503, "service catalog is not available: it is being built\n"},
		{"the instance hangs up", func(t *testing.T, p *Proxy) {
			s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
			t.Cleanup(s.Close)
			p.SetTargets([]*url.URL{parse(t, s.URL)})
		}, 502, "service catalog did not answer: EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := New("catalog", nil)
			p.wait = 100 * time.Millisecond
			tt.set(t, p)
			for way, client := range ways(t, p) {
				for range 3 {
					resp, err := client.Post("http://catalog.internal/x%2Fy?q=1", "text/plain", strings.NewReader("hello"))
					if err != nil {
						t.Fatalf("%s: %v", way, err)
					}
					body, _ := io.ReadAll(resp.Body)
					resp.Body.Close()
					if resp.StatusCode != tt.status || !strings.HasPrefix(string(body), tt.body) {
						t.Errorf("%s: %d %q, want %d %q", way, resp.StatusCode, body, tt.status, tt.body)
					}
				}
			}
		})
	}
}

func TestWaitingRequestsGoToTheFirstInstance(t *testing.T) {
	p := New("catalog", nil)
	for way, client := range ways(t, p) {
		p.Unavailable("restarting", true)
		answers := make(chan string)
		for range 10 {
			go func() {
				resp, err := client.Get("http://catalog.internal/")
				if err != nil {
					answers <- err.Error()
					return
				}
				defer resp.Body.Close()
				body, _ := io.ReadAll(resp.Body)
				answers <- string(body)
			}()
		}
		p.SetTargets([]*url.URL{instance(t, "a")})
		for range 10 {
			if got := <-answers; got != "a GET / " {
				t.Errorf("%s: %q", way, got)
			}
		}
	}
}

func TestRoundRobin(t *testing.T) {
	p := New("catalog", nil)
	p.SetTargets([]*url.URL{instance(t, "a"), instance(t, "b"), instance(t, "c")})
	client := &http.Client{Transport: p}
	counts := map[string]int{}
	for range 30 {
		resp, err := client.Get("http://x/")
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		counts[string(body[:1])]++
	}
	if counts["a"] != 10 || counts["b"] != 10 || counts["c"] != 10 {
		t.Errorf("30 requests went to %v", counts)
	}
}

func TestDrainWaitsForTheLastByte(t *testing.T) {
	proceed := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "first ")
		w.(http.Flusher).Flush()
		<-proceed
		io.WriteString(w, "last")
	}))
	t.Cleanup(s.Close)
	old := parse(t, s.URL)
	p := New("catalog", nil)
	for way, client := range ways(t, p) {
		p.SetTargets([]*url.URL{old})
		resp, err := client.Get("http://x/")
		if err != nil {
			t.Fatal(err)
		}
		p.SetTargets([]*url.URL{instance(t, "new")})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if err := p.Drain(ctx, old); err == nil {
			t.Errorf("%s: drained while a request is under way", way)
		}
		cancel()
		drained := make(chan error)
		go func() { drained <- p.Drain(context.Background(), old) }()
		proceed <- struct{}{}
		if body, _ := io.ReadAll(resp.Body); string(body) != "first last" {
			t.Errorf("%s: %q", way, body)
		}
		resp.Body.Close()
		if err := <-drained; err != nil {
			t.Error(err)
		}
	}
}

func TestProtocolUpgrade(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", r.Header.Get("Upgrade"))
		rw.Flush()
		line, _ := rw.ReadString('\n')
		fmt.Fprintf(rw, "you said %s", line)
		rw.Flush()
	}))
	t.Cleanup(s.Close)
	p := New("catalog", trace.NewRing(10, time.Now))
	p.SetTargets([]*url.URL{parse(t, s.URL)})
	addr, err := p.Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close(context.Background()) })
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != 101 || resp.Header.Get("Upgrade") != "websocket" {
		t.Fatalf("%v %v", resp, err)
	}
	io.WriteString(conn, "hello\n")
	if line, _ := r.ReadString('\n'); line != "you said hello\n" {
		t.Errorf("got %q", line)
	}
}

func TestTracesPassThrough(t *testing.T) {
	var mu sync.Mutex
	var header http.Header
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		header = r.Header.Clone()
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, "made")
	}))
	t.Cleanup(s.Close)
	ring := trace.NewRing(100, time.Now)
	p := New("catalog", ring)
	p.SetTargets([]*url.URL{parse(t, s.URL)})
	for way, client := range ways(t, p) {
		t.Run(way, func(t *testing.T) {
			root := trace.NewRoot(time.Now())
			sent := "Root=" + root + ";Parent=1122334455667788;Sampled=1"
			ctx := trace.Join(ring.Context(t.Context()), sent, "")
			req, _ := http.NewRequestWithContext(ctx, http.MethodPost, "http://x/orders", strings.NewReader(`{"id":1}`))
			req.Header.Set("X-Amzn-Trace-Id", sent)
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if string(body) != "made" {
				t.Errorf("got %q", body)
			}
			if req.Header.Get("X-Amzn-Trace-Id") != sent {
				t.Error("the caller's request was changed")
			}
			var spans []trace.Span
			for deadline := time.Now().Add(10 * time.Second); len(spans) == 0 && time.Now().Before(deadline); {
				spans = ring.Trace(root)
			}
			if len(spans) != 1 {
				t.Fatalf("%d spans", len(spans))
			}
			span := spans[0]
			if span.Kind != "service" || span.Name != "catalog" || span.Parent != "1122334455667788" ||
				span.Input != "POST /orders\n\n"+`{"id":1}` || span.Output != "200 OK\n\nmade" {
				t.Errorf("span %+v", span)
			}
			mu.Lock()
			defer mu.Unlock()
			if got, want := header.Get("X-Amzn-Trace-Id"), "Root="+root+";Parent="+span.ID+";Sampled=1"; got != want {
				t.Errorf("the service was told %q, want %q", got, want)
			}
			if got := header.Get("Traceparent"); !strings.Contains(got, span.ID) {
				t.Errorf("traceparent %q", got)
			}
		})
	}
}

func TestPortInUseIsNamed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	_, err = New("catalog", nil).Listen(port)
	if want := fmt.Sprintf("port %d of service catalog is in use by another program", port); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestLargeBodiesPassBothWays(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Write(body)
	}))
	t.Cleanup(s.Close)
	ring := trace.NewRing(10, time.Now)
	p := New("catalog", ring)
	p.SetTargets([]*url.URL{refused(t), parse(t, s.URL)})
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	for way, client := range ways(t, p) {
		req, _ := http.NewRequestWithContext(ring.Context(t.Context()), http.MethodPost, "http://x/", bytes.NewReader(sent))
		resp, err := client.Do(req)
		if err != nil {
			t.Fatalf("%s: %v", way, err)
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%s: %d bytes of %d came back, %v", way, len(got), len(sent), err)
		}
	}
}

func TestTheGuardIsBeforeThePortAlone(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "made") }))
	t.Cleanup(s.Close)
	set := NewSet(nil)
	set.Guard(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	})
	p := set.Proxy(config.ID{Type: "service", Name: "catalog"})
	p.SetTargets([]*url.URL{parse(t, s.URL)})
	want := map[string]int{"over a socket": http.StatusForbidden, "in process": http.StatusOK}
	for way, client := range ways(t, p) {
		resp, err := client.Get("http://x/")
		if err != nil {
			t.Fatalf("%s: %v", way, err)
		}
		resp.Body.Close()
		if resp.StatusCode != want[way] {
			t.Errorf("%s: %d, want %d", way, resp.StatusCode, want[way])
		}
	}
}
