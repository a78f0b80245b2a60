// Package debug keeps the port on which a debugger finds a function while the sandboxes behind it come and go: the listener stays,
// and each connection goes to the sandbox that is the latest.
package debug

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Protocol is what debuggers speak on a port.
type Protocol int

// Protocols.
const (
	Inspector Protocol = iota // V8's: HTTP, then a websocket. A client reattaches when its connection ends
	Adapter                   // the Debug Adapter Protocol. A client reattaches when it is told that the session is to be restarted
	Delve                     // JSON-RPC or that. A session stays with its sandbox until it ends: without it that would be stopped for ever where it is
)

// Ports are the open ports of an engine's functions. The zero value has none.
type Ports struct {
	mu   sync.Mutex
	open map[string]*Port // by function
}

// Open returns a function's port, which stays the same for as long as the number does.
func (p *Ports) Open(function string, number int, protocol Protocol) (*Port, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if old := p.open[function]; old != nil {
		if old.number == number {
			return old, nil
		}
		old.Close()
		delete(p.open, function)
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(number)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("port %d, for the debugger of function %s, is in use by another program; choose one with --debug %s=PORT", number, function, function)
	} else if err != nil {
		return nil, fmt.Errorf("the debugger of function %s: %w", function, err)
	}
	port := &Port{number: number, protocol: protocol, listener: l, turned: make(chan struct{}), sessions: map[*session]bool{}}
	port.life, port.end = context.WithCancel(context.Background())
	port.work.Go(port.accept)
	if p.open == nil {
		p.open = map[string]*Port{}
	}
	p.open[function] = port
	return port, nil
}

// Drop closes the port of a function that is not debugged any more.
func (p *Ports) Drop(function string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if old := p.open[function]; old != nil {
		old.Close()
		delete(p.open, function)
	}
}

// Close closes all of them.
func (p *Ports) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, port := range p.open {
		port.Close()
	}
	p.open = nil
}

// Port is one function's.
type Port struct {
	number   int
	protocol Protocol
	listener net.Listener
	life     context.Context // ends with the port
	end      context.CancelFunc
	work     sync.WaitGroup

	mu       sync.Mutex
	target   string        // address of the latest sandbox's own debugger, "" before the first
	turned   chan struct{} // closed and replaced with every new target
	sessions map[*session]bool
}

// session is one connection.
type session struct {
	client, sandbox net.Conn
	said            *bufio.Reader // what the client says
}

// Turn has the port lead to another sandbox, and ends the sessions with the one before, whose clients come again, unless they are
// Delve's. It reports whether there were any: then the new sandbox is to wait for them, so that no breakpoint is missed.
func (p *Port) Turn(address string) (attached bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = address
	close(p.turned)
	p.turned = make(chan struct{})
	if p.protocol == Delve {
		return false
	}
	for s := range p.sessions {
		s.sandbox.Close()
		attached = true
	}
	return attached
}

// Close ends the port and all sessions.
func (p *Port) Close() {
	p.end()
	p.listener.Close()
	p.mu.Lock()
	for s := range p.sessions {
		s.client.Close()
		s.sandbox.Close()
	}
	p.mu.Unlock()
	p.work.Wait()
}

func (p *Port) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // it is closed
		}
		p.work.Go(func() { p.serve(client) })
	}
}

// patience is how long a client is kept waiting for a sandbox: longer than any start takes, and than a debugger waits.
const patience = time.Minute

// serve connects a client with the latest sandbox.
func (p *Port) serve(client net.Conn) {
	defer client.Close()
	if !sameUser(client) {
		return // whoever debugs a process can do all that its user can
	}
	s := p.connect(client)
	if s == nil {
		return
	}
	defer func() {
		p.mu.Lock()
		delete(p.sessions, s)
		p.mu.Unlock()
		s.sandbox.Close()
	}()
	if p.protocol == Adapter || p.protocol == Delve && s.adapts() {
		p.adapt(s)
		return
	}
	var up sync.WaitGroup
	up.Go(func() {
		s.said.WriteTo(s.sandbox) // until one of them ends
		s.sandbox.Close()
	})
	io.Copy(s.client, s.sandbox)
	s.client.Close()
	up.Wait()
}

// adapts reports whether a client of Delve's speaks the Debug Adapter Protocol, whose messages begin with a header, and not JSON-RPC.
// Both have the client speak first.
func (s *session) adapts() bool {
	first, err := s.said.Peek(1)
	return err == nil && first[0] == 'C'
}

// connect waits until there is a sandbox. It is nil if none came.
func (p *Port) connect(client net.Conn) *session {
	ctx, cancel := context.WithTimeout(p.life, patience)
	defer cancel()
	for {
		p.mu.Lock()
		target, turned := p.target, p.turned
		p.mu.Unlock()
		if target != "" {
			var d net.Dialer
			sandbox, err := d.DialContext(ctx, "tcp", target)
			if err == nil {
				if s := p.join(target, client, sandbox); s != nil {
					return s
				}
				sandbox.Close()
				continue // there is a newer one
			}
		}
		select {
		case <-turned: // the sandbox has ended, and here is the next
		case <-ctx.Done():
			return nil
		}
	}
}

// join registers a session, unless the target is not the latest any more.
func (p *Port) join(target string, client, sandbox net.Conn) *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.target != target || p.life.Err() != nil {
		return nil
	}
	s := &session{client: client, sandbox: sandbox, said: bufio.NewReader(client)}
	p.sessions[s] = true
	return s
}
