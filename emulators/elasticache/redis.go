package elasticache

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"

	"devstack/internal/clock"
)

// redis is one running server. miniredis does not let keys expire by itself: before every command it is moved to our
// clock's present, so that a key is gone at its instant, whether that came by waiting or by `devstack clock advance`.
type redis struct {
	m     *miniredis.Miniredis
	l     net.Listener
	done  chan struct{} // closed once no more connections are accepted
	clock clock.Clock

	mu  sync.Mutex
	now time.Time // that the server has been moved to
}

// startRedis starts a server on a loopback port, 0 for a free one. A password is asked of clients unless it is empty.
func startRedis(c clock.Clock, port int, password string) (*redis, error) {
	r := &redis{m: miniredis.NewMiniRedis(), done: make(chan struct{}), clock: c, now: c.Now()}
	if password != "" {
		r.m.RequireAuth(password)
	}
	r.m.SetTime(r.now)
	var err error
	r.l, err = net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("port %d is in use by another program; give the cache another port", port)
	case err != nil:
		return nil, fmt.Errorf("start Redis: %w", err)
	}
	// miniredis insists on a listener of its own, on a port that nobody is told.
	if err := r.m.StartAddr(net.JoinHostPort(host, "0")); err != nil {
		r.l.Close()
		return nil, fmt.Errorf("start Redis: %w", err)
	}
	r.m.Server().SetPreHook(func(*server.Peer, string, ...string) bool {
		r.catchUp()
		return false // the command goes on to its own handler
	})
	go r.serve()
	return r, nil
}

// serve gives the server the connections of our listener, until that is closed.
func (r *redis) serve() {
	defer close(r.done)
	for {
		c, err := r.l.Accept()
		if err != nil {
			return
		}
		r.m.Server().ServeConn(guard(c))
	}
}

// catchUp moves the server to the present. Redis counts in milliseconds; less than one is left for the next command.
func (r *redis) catchUp() {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.clock.Now()
	if passed := now.Sub(r.now).Truncate(time.Millisecond); passed > 0 {
		r.now = r.now.Add(passed)
		r.m.SetTime(r.now)
		r.m.FastForward(passed)
	}
}

func (r *redis) port() int {
	return r.l.Addr().(*net.TCPAddr).Port
}

func (r *redis) close() {
	r.l.Close()
	<-r.done
	r.m.Close()
}
