package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"devstack/emulators"
	"devstack/internal/clock"
	"devstack/runtime/config"
	"devstack/runtime/container"
	"devstack/runtime/function"
	"devstack/runtime/logs"
	"devstack/runtime/process/reap"
)

// serving runs the functions that are created while `devstack serve` runs. Nothing of it is there before the first one.
type serving struct {
	dir       string // the folder that is served, "" to leave nothing there
	clock     *clock.Moving
	cloud     *emulators.Cloud
	endpoint  net.Addr
	out       io.Writer // takes what functions print
	temporary string    // stands for dir if that is ""

	mu       sync.Mutex // guards what follows
	closed   bool
	manager  *function.Manager // nil: nothing was deployed yet
	engines  *engines
	host     *host
	hub      *logs.Hub
	shipper  *shipper
	gateway  net.Listener // on the bridge network of containers, once one needed it
	printing sync.Mutex   // a line at a time
}

// functions is the functions as the Lambda emulator knows them.
func (s *serving) functions() functions { return functions{manager: s.open, reach: s.reach} }

// open returns the Manager, and makes it at first.
func (s *serving) open() (*function.Manager, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, function.ErrClosed
	}
	if s.manager != nil {
		return s.manager, nil
	}
	dir, state := s.dir, filepath.Join(s.dir, stateDir)
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "devstack-serve-"); err != nil {
			return nil, err
		}
		s.temporary, state = dir, ""
	}
	watchdog := reap.New(state)
	watchdog.Sweep()
	s.hub = logs.New("", logs.Options{Clock: s.clock, Warn: func(error) {}}) // in memory: nothing can fail
	docker := container.NewEngine(container.Config{Stack: "serve", Dir: dir, Watchdog: watchdog, Logs: s.hub})
	s.host = &host{dir: dir, clock: s.clock, cloud: s.cloud, watchdog: watchdog, docker: docker, transport: http.DefaultTransport}
	s.engines = newEngines(s.host)
	s.shipper = newShipper(s.cloud, s.hub)
	endpoint := "http://" + s.endpoint.String()
	s.manager = function.NewManager(function.Config{
		Engines: s.engines.of, Clock: s.clock, Log: s.log, Env: func(fn *config.Function) []string { return functionEnv(endpoint, fn) },
	})
	return s.manager, nil
}

// log takes a line that a function wrote.
func (s *serving) log(l function.Line) {
	s.printing.Lock()
	fmt.Fprintf(s.out, "%s | %s\n", l.Function, l.Text)
	s.printing.Unlock()
	s.shipper.shipFor(l.ARN, l.Group, l.Stream, s.clock.Now(), l.Text)
}

// reach makes the AWS endpoint reachable from the engine's bridge network, once.
func (s *serving) reach(ctx context.Context) error {
	if _, err := s.open(); err != nil {
		return err
	}
	addr, err := s.host.docker.GatewayAddr(ctx)
	if err != nil || addr == "" {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gateway != nil || s.closed {
		return nil
	}
	_, port, err := net.SplitHostPort(s.endpoint.String())
	if err != nil {
		return err
	}
	if s.gateway, err = net.Listen("tcp", net.JoinHostPort(addr, port)); err != nil {
		s.gateway = nil
		return fmt.Errorf("containers cannot reach port %s of this machine: %w", port, err)
	}
	go forward(s.gateway, s.endpoint.String())
	return nil
}

// close ends the functions, and what they run on.
func (s *serving) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.manager == nil {
		return nil
	}
	err := errors.Join(s.manager.Close(), s.engines.close())
	s.host.watchdog.Close()
	s.host.docker.Close()
	s.shipper.close()
	if s.gateway != nil {
		s.gateway.Close()
	}
	s.hub.Close()
	if s.temporary != "" {
		err = errors.Join(err, os.RemoveAll(s.temporary))
	}
	return err
}
