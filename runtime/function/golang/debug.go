package golang

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/bootstrap"
	"devstack/runtime/function/debug"
	"devstack/runtime/function/spawn"
)

// Functions that are debugged run under Delve, each sandbox under one of its own with a port that Delve finds itself. Clients
// connect to the function's port, which leads to the debugger of the latest sandbox: a client that connects again after a reload
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
	port      *debug.Port
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
	client  *rpc
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
	client, err := dialRPC(address)
	if err != nil {
		return fmt.Errorf("debugger: %w", err)
	}
	d.mu.Lock()
	d.client = client
	d.mu.Unlock()
	var out struct{ Pid int }
	if err := client.call("RPCServer.ProcessPid", struct{}{}, &out); err != nil {
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
		d.port.Turn(address)
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
		err := d.client.call("RPCServer.State", struct{ NonBlocking bool }{true}, &out)
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
			d.client.close()
		}
		if d.pid > 0 {
			syscall.Kill(-d.pid, syscall.SIGKILL) // it may be gone
			d.forget()
		}
		d.mu.Unlock()
		d.work.Wait()
	})
}
