package proxy_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"devstack/runtime/config"
	"devstack/runtime/logs"
	"devstack/runtime/plan"
	"devstack/runtime/process"
	"devstack/runtime/process/reap"
	"devstack/runtime/proxy"
	"devstack/runtime/supervise"
)

// The test binary is also the watchdog and the service.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == reap.Verb {
		reap.Main(os.Stdin, nil)
		return
	}
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		serve()
		return
	}
	os.Exit(m.Run())
}

// serve answers with VERSION and ends at once when it is asked to, with no care for requests under way.
func serve() {
	signal.Reset(syscall.SIGTERM)
	http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, os.Getenv("VERSION"))
	}))
}

func service(t *testing.T, version string, port, proxyPort, replicas int) *config.Service {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := &config.Service{
		Command: []string{self, "serve"}, Dir: t.TempDir(), Health: "/", Port: port, ProxyPort: proxyPort, Replicas: replicas,
		Environment: map[string]string{"VERSION": version},
	}
	s.ID = config.ID{Type: "service", Name: "catalog"}
	return s
}

func freePort(t *testing.T) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// Real processes are replaced again and again while clients call them, and not one request fails.
func TestSwapsUnderLoadDropNothing(t *testing.T) {
	for _, tt := range []struct {
		name     string
		fixed    bool // one port: the old one has to end before the new one starts
		replicas int
	}{
		{"one instance", false, 1},
		{"two replicas", false, 2},
		{"on a fixed port", true, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			hub := logs.New("", logs.Options{})
			watchdog := reap.New("")
			defer watchdog.Close()
			set := proxy.NewSet(nil)
			sup := supervise.New(supervise.Config{
				Runners: map[string]supervise.Runner{"service": process.New(process.Config{Watchdog: watchdog, Logs: hub})},
				Router:  set, Logs: hub,
			})
			defer sup.Stop(context.Background())
			port, proxyPort := 0, freePort(t)
			if tt.fixed {
				port = freePort(t)
			}
			s := service(t, "0", port, proxyPort, tt.replicas)
			if err := sup.Apply(t.Context(), []plan.Step{{Action: plan.Create, ID: s.ID, New: s}}); err != nil {
				t.Fatal(err)
			}
			load := newLoad(fmt.Sprintf("http://127.0.0.1:%d/", proxyPort), set.Proxy(s.ID))
			for n := range 5 {
				next := service(t, fmt.Sprint(n+1), port, proxyPort, tt.replicas)
				if err := sup.Apply(t.Context(), []plan.Step{{Action: plan.Update, ID: s.ID, Old: s, New: next}}); err != nil {
					t.Fatal(err)
				}
				if got := load.get(); got != fmt.Sprint(n+1) {
					t.Errorf("after change %d: %q", n+1, got)
				}
				sup.Kick(s.ID) // a save
				if got := load.get(); got != fmt.Sprint(n+1) {
					t.Errorf("after save %d: %q", n+1, got)
				}
				s = next
			}
			if failed := load.stop(); len(failed) > 0 {
				t.Errorf("%d of %d requests failed, such as %q", len(failed), load.sent.Load(), failed[0])
			}
			t.Logf("%d requests", load.sent.Load())
		})
	}
}

// load is clients that call without pause, over the socket and in process.
type load struct {
	url     string
	clients []*http.Client
	running sync.WaitGroup
	ended   atomic.Bool
	sent    atomic.Int64

	mu     sync.Mutex
	failed []string
}

func newLoad(url string, p *proxy.Proxy) *load {
	l := &load{url: url}
	for i := range 8 {
		client := &http.Client{Transport: &http.Transport{}}
		if i%2 == 0 {
			client = &http.Client{Transport: p}
		}
		l.clients = append(l.clients, client)
		l.running.Go(func() {
			for !l.ended.Load() {
				l.call(client)
			}
		})
	}
	return l
}

// call sends one request and returns the answer.
func (l *load) call(client *http.Client) string {
	l.sent.Add(1)
	resp, err := client.Post(l.url, "text/plain", http.NoBody)
	if err != nil {
		l.fail(err.Error())
		return ""
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		l.fail(fmt.Sprint(resp.Status, string(body), err))
	}
	return string(body)
}

func (l *load) get() string { return l.call(l.clients[1]) }

func (l *load) fail(why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed = append(l.failed, why)
}

func (l *load) stop() []string {
	l.ended.Store(true)
	l.running.Wait()
	return l.failed
}
