package process

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"

	"devstack/runtime/config"
	"devstack/runtime/logs"
	"devstack/runtime/process/reap"
	"devstack/runtime/supervise"
)

// Config is what the Runner works with.
type Config struct {
	Watchdog *reap.Watchdog
	Logs     *logs.Hub
	Env      func(*config.Service) map[string]string // what every child is given, such as AWS_ENDPOINT_URL; may be nil
	Temp     string                                  // folder for the processes' own; only one daemon uses it; "" for the system's
}

// Runner runs services that are commands. It is a supervise.Runner.
type Runner struct {
	conf Config

	mu    sync.Mutex
	given map[int]bool // free ports that processes have been given: they may not listen there yet
}

// New returns a Runner. What an earlier daemon left in the folder for the processes' own is removed.
func New(conf Config) *Runner {
	if conf.Temp != "" {
		removeAll(conf.Temp)
	}
	return &Runner{conf: conf, given: map[int]bool{}}
}

// Alone reports whether a service must end before its successor starts: two cannot listen on one port.
func (r *Runner) Alone(res config.Resource) bool {
	s, ok := res.(*config.Service)
	return ok && s.Port != 0
}

// Start starts the service's command with the port in PORT.
func (r *Runner) Start(ctx context.Context, res config.Resource) (supervise.Instance, error) {
	s, ok := res.(*config.Service)
	if !ok || len(s.Command) == 0 {
		return nil, fmt.Errorf("%s is not a service with a command", res.Base().ID)
	}
	if s.Port != 0 && s.Replicas > 1 {
		return nil, fmt.Errorf("%d replicas cannot all listen on port %d: leave port out, and each gets a free one in PORT",
			s.Replicas, s.Port)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	port, err := r.takePort(s.Port)
	if err != nil {
		return nil, err
	}
	p, err := r.startOn(s, port)
	if err != nil {
		r.leavePort(port)
		return nil, err
	}
	go func() { <-p.Done(); r.leavePort(port) }()
	return &instance{Process: p, url: fmt.Sprintf("http://127.0.0.1:%d", port), health: s.Health}, nil
}

func (r *Runner) startOn(s *config.Service, port int) (*Process, error) {
	var given map[string]string
	if r.conf.Env != nil {
		given = r.conf.Env(s)
	}
	scratch, err := r.scratch(s)
	if err != nil {
		return nil, err
	}
	source := s.ID.String()
	p, err := Start(r.conf.Watchdog, Spec{
		Command: s.Command,
		Dir:     s.Dir,
		Env:     List(BaseEnv(), map[string]string{"GOTMPDIR": scratch}, given, s.Environment, map[string]string{"PORT": strconv.Itoa(port)}),
		Stdout:  r.conf.Logs.StreamWriter(source, "stdout"),
		Stderr:  r.conf.Logs.StreamWriter(source, "stderr"),
		Scratch: scratch,
	})
	if err != nil {
		os.Remove(scratch)
	}
	return p, err
}

// scratch makes the folder in which `go run` builds. Only an interrupt has it remove what it made, and services are not ended by
// one: in the system's folder a program would be left behind with each reload.
//
// https://pkg.go.dev/cmd/go#hdr-Environment_variables
func (r *Runner) scratch(s *config.Service) (string, error) {
	if r.conf.Temp != "" {
		if err := os.MkdirAll(r.conf.Temp, 0o755); err != nil {
			return "", err
		}
	}
	return os.MkdirTemp(r.conf.Temp, "devstack-service-"+s.ID.Name+"-")
}

// instance is one process of a service.
type instance struct {
	*Process
	url    string
	health string
}

func (i *instance) URL() string { return i.url }

// Ready waits until the service is healthy.
func (i *instance) Ready(ctx context.Context) error {
	return supervise.Healthy(ctx, i, supervise.Check{URL: i.url, Path: i.health})
}

// Ports that processes are given lie below those that operating systems hand out to outgoing connections: a program may take its
// time until it listens, and nobody must have taken its port by then. They also leave alone those that a stack keeps for its proxies.
const firstPort, lastPort = 10000, 19999

// takePort returns the wanted port if it is free, or any free one that no other process was given.
func (r *Runner) takePort(want int) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if want != 0 {
		if err := tryPort(want); errors.Is(err, syscall.EADDRINUSE) {
			return 0, fmt.Errorf("port %d is in use by another program: stop it, or choose another port", want)
		} else if err != nil {
			return 0, fmt.Errorf("port %d: %w", want, err)
		}
		r.given[want] = true
		return want, nil
	}
	const tries = 100
	for range tries {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		if !r.given[port] && tryPort(port) == nil {
			r.given[port] = true
			return port, nil
		}
	}
	return 0, fmt.Errorf("no free port was found between %d and %d", firstPort, lastPort)
}

// tryPort reports why a port cannot be listened on now.
func tryPort(port int) error {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	return l.Close()
}

func (r *Runner) leavePort(port int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.given, port)
}
