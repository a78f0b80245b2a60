package golang

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/rpc"
	"net/rpc/jsonrpc"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/bootstrap"
	"devstack/runtime/function/spawn"
)

// Functions that are debugged run under Delve, each sandbox under one of its own with a port that Delve finds itself. Clients
// connect to the function's port, which is the engine's: it hands each of them on to the debugger of the latest sandbox. So the
// port is there before the first sandbox, stays while versions come and go, and a client that connects again after a reload
// meets the new version, whether the old one is still stopped at a breakpoint or not.
//
// https://github.com/go-delve/delve/blob/master/Documentation/usage/dlv_exec.md

// findDelve finds the debugger, in PATH or where `go install` puts it.
func findDelve() (string, error) {
	if path, err := exec.LookPath("dlv"); err == nil {
		return path, nil
	}
	var folders []string
	if bin := os.Getenv("GOBIN"); bin != "" {
		folders = append(folders, bin)
	}
	for _, dir := range filepath.SplitList(os.Getenv("GOPATH")) {
		folders = append(folders, filepath.Join(dir, "bin"))
	}
	if home, err := os.UserHomeDir(); err == nil {
		folders = append(folders, filepath.Join(home, "go", "bin"))
	}
	for _, dir := range folders {
		if path, err := exec.LookPath(filepath.Join(dir, "dlv")); err == nil {
			return path, nil
		}
	}
	return "", errors.New("the debugger dlv was found neither in PATH nor in " + strings.Join(folders, ", ") +
		"; `go install github.com/go-delve/delve/cmd/dlv@latest` installs it")
}

// port is a function's port for debuggers' clients.
type port struct {
	number   int
	listener net.Listener
	refs     int // programs that have it; guarded by Engine.mu

	mu      sync.Mutex
	targets []string      // addresses of sandboxes' debuggers, the latest last
	changed chan struct{} // closed and replaced with every new target
	closed  chan struct{}
	serving sync.WaitGroup
}

// listen opens the port, or returns the one that other versions have open.
func (e *Engine) listen(number int) (*port, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p := e.ports[number]; p != nil {
		p.refs++
		return p, nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(number))
	if err != nil {
		return nil, fmt.Errorf("the port for debuggers: %w", err)
	}
	p := &port{number: number, listener: l, refs: 1, changed: make(chan struct{}), closed: make(chan struct{})}
	e.ports[number] = p
	p.serving.Go(p.serve)
	return p, nil
}

// leave ends a program's use of the port. The last one closes it.
func (e *Engine) leave(p *port) error {
	e.mu.Lock()
	p.refs--
	last := p.refs == 0
	if last {
		delete(e.ports, p.number)
	}
	e.mu.Unlock()
	if !last {
		return nil
	}
	close(p.closed)
	err := p.listener.Close()
	p.serving.Wait()
	return err
}

func (p *port) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		p.serving.Go(func() { p.connect(client) })
	}
}

// connect joins a client to the latest debugger. One who comes before any sandbox waits for it.
func (p *port) connect(client net.Conn) {
	defer client.Close()
	if !sameUser(client) {
		return // whoever debugs a process can do all that its user can
	}
	address := p.latest()
	if address == "" {
		return
	}
	server, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer server.Close()
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
		p.serving.Go(func() {
			io.Copy(way[0], way[1]) // ends with either
			done <- struct{}{}
		})
	}
	select {
	case <-done:
	case <-p.closed:
	}
}

// latest waits until there is a debugger. It is "" when the port is closed.
func (p *port) latest() string {
	for {
		p.mu.Lock()
		changed := p.changed
		if n := len(p.targets); n > 0 {
			defer p.mu.Unlock()
			return p.targets[n-1]
		}
		p.mu.Unlock()
		select {
		case <-changed:
		case <-p.closed:
			return ""
		}
	}
}

func (p *port) add(address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.targets = append(p.targets, address)
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *port) remove(address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.targets = slices.DeleteFunc(p.targets, func(a string) bool { return a == address })
}

// sameUser reports whether a connection comes from a process of the daemon's own user, as far as the system tells.
//
// https://man7.org/linux/man-pages/man5/proc_pid_net.5.html (/proc/net/tcp)
func sameUser(c net.Conn) bool {
	table, err := os.ReadFile("/proc/net/tcp")
	remote, ok := c.RemoteAddr().(*net.TCPAddr)
	if err != nil || !ok {
		return true
	}
	theirs := fmt.Sprintf(":%04X", remote.Port)
	ours := fmt.Sprintf(":%04X", c.LocalAddr().(*net.TCPAddr).Port)
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line) // number, local address, remote address, state, queues, timer, retransmits, user
		if len(f) > 7 && strings.HasSuffix(f[1], theirs) && strings.HasSuffix(f[2], ours) {
			return f[7] == strconv.Itoa(os.Getuid())
		}
	}
	return false
}

// debugged is a sandbox whose program runs under Delve, which outlives it.
type debugged struct {
	*bootstrap.Sandbox
	delve *delve
}

// startDebugged starts a program under Delve.
func (e *Engine) startDebugged(ctx context.Context, fn *config.Function, p *program, spec bootstrap.Spec, log function.LogFunc) (function.Sandbox, error) {
	path, err := findDelve()
	if err != nil {
		return nil, err
	}
	d := &delve{port: p.port, keep: spec.Keep, listening: make(chan string, 1), started: make(chan struct{}), stop: make(chan struct{})}
	spec.Path, spec.Args = path, []string{
		"exec", "--headless", "--listen=127.0.0.1:0", "--api-version=2", "--accept-multiclient", "--continue", p.path,
	}
	spec.Line = d.line
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d.work.Go(func() { // the program loads, and may end, while Delve is asked
		err := d.attach()
		if err == nil {
			err = d.watch()
		}
		d.end(err)
		cancel()
		<-d.started
		if d.sandbox != nil {
			d.sandbox.Close()
		}
	})
	d.sandbox, err = bootstrap.Start(ctx, fn, spec, log)
	close(d.started)
	if err != nil {
		d.close()
		return nil, d.explain(err)
	}
	return &debugged{d.sandbox, d}, nil
}

// Invoke is that of the program. How that ended Delve knows.
func (s *debugged) Invoke(ctx context.Context, ev *function.Event) ([]byte, error) {
	payload, err := s.Sandbox.Invoke(ctx, ev)
	return payload, s.delve.explain(err)
}

// Close ends Delve and the program.
func (s *debugged) Close() error {
	s.delve.close()
	return s.Sandbox.Close()
}

// MaxMemory is 0: Delve's memory is not the program's.
func (s *debugged) MaxMemory() int64 { return 0 }

// delve is the debugger of one sandbox.
type delve struct {
	port      *port
	keep      spawn.Keeper
	listening chan string // says where it listens, once
	started   chan struct{}
	sandbox   *bootstrap.Sandbox // once started is closed; nil if it did not start
	stop      chan struct{}
	once      sync.Once
	work      sync.WaitGroup

	mu      sync.Mutex
	address string // "" until it listens
	words   []string
	client  *rpc.Client
	pid     int // of the program, which is a process group of its own
	forget  func()
	ended   error // what has become of the program, nil while it runs
}

// line takes what Delve and the program print, and reports whether it was the program.
func (d *delve) line(text string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.address != "" {
		return text != "Stop reason: exited"
	}
	address, ok := strings.CutPrefix(text, "API server listening at: ")
	if !ok {
		d.words = append(d.words, text)
		return false
	}
	d.address = address
	d.listening <- address
	return false
}

// attach waits until the program runs, and has the port lead to it.
func (d *delve) attach() error {
	var address string
	select {
	case address = <-d.listening:
	case <-d.stop:
		return nil
	}
	client, err := jsonrpc.Dial("tcp", address)
	if err != nil {
		return fmt.Errorf("debugger: %w", err)
	}
	d.mu.Lock()
	d.client = client
	d.mu.Unlock()
	var out struct{ Pid int }
	if err := client.Call("RPCServer.ProcessPid", struct{}{}, &out); err != nil {
		return fmt.Errorf("debugger: %w", err)
	}
	forget := func() {}
	if d.keep != nil {
		if forget, err = d.keep.AddGroup(out.Pid); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pid, d.forget = out.Pid, forget
	select {
	case <-d.stop:
	default:
		d.port.add(address)
	}
	return nil
}

// exited is Delve's error for a program that has ended.
var exited = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`has exited with status (-?\d+)`) })

// watch asks Delve until the program has ended.
func (d *delve) watch() error {
	for {
		select {
		case <-d.stop:
			return nil
		case <-time.After(100 * time.Millisecond): // the operating system's: it is a process that is looked at
		}
		var out any
		err := d.client.Call("RPCServer.State", struct{ NonBlocking bool }{true}, &out)
		if err == nil {
			continue
		}
		m := exited().FindStringSubmatch(err.Error())
		if m == nil {
			return nil // Delve has ended, and the program with it
		}
		switch code, _ := strconv.Atoi(m[1]); {
		case code > 0:
			return &function.ExitError{Status: "exit status " + m[1]}
		case code < 0:
			return &function.ExitError{Status: "signal: " + syscall.Signal(-code).String()}
		}
		return &function.ExitError{}
	}
}

func (d *delve) end(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = err
}

// explain says what an error of the sandbox comes from, if it is that Delve or the program under it has ended.
func (d *delve) explain(err error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var exit *function.ExitError
	switch gone := errors.As(err, &exit) || errors.Is(err, context.Canceled); {
	case gone && d.ended != nil:
		return d.ended
	case gone && d.address == "" && len(d.words) > 0:
		return fmt.Errorf("the debugger did not start: %s", strings.Join(d.words, "; "))
	}
	return err
}

// close ends the program.
func (d *delve) close() {
	d.once.Do(func() {
		close(d.stop)
		d.mu.Lock()
		if d.client != nil {
			d.client.Close()
		}
		d.port.remove(d.address)
		if d.pid > 0 {
			syscall.Kill(-d.pid, syscall.SIGKILL) // it may be gone
			d.forget()
		}
		d.mu.Unlock()
		d.work.Wait()
	})
}
