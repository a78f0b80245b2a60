package container

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strconv"
	"sync"
	"time"

	"devstack/runtime/config"
	"devstack/runtime/process"
	"devstack/runtime/supervise"
)

// forwarder is how long a connection must have stayed open to be one to the program: the engine's port forwarder accepts
// connections before the program does, and then closes them at once.
const forwarder = 50 * time.Millisecond

// Runner runs services that are images or folders with a Dockerfile. It is a supervise.Runner.
type Runner struct {
	engine *Engine
	env    func(*config.Service) map[string]string
}

// New returns a Runner. env is what every service is given, such as AWS_ENDPOINT_URL; it may be nil. See Env for what
// becomes of addresses in it.
func New(engine *Engine, env func(*config.Service) map[string]string) *Runner {
	return &Runner{engine: engine, env: env}
}

// Start builds or pulls the service's image and starts a container of it.
func (r *Runner) Start(ctx context.Context, res config.Resource) (supervise.Instance, error) {
	s, ok := res.(*config.Service)
	if !ok || s.Image == "" && s.Build == "" {
		return nil, fmt.Errorf("%s is not a service with an image or a build", res.Base().ID)
	}
	if s.Port == 0 {
		return nil, fmt.Errorf("%s needs a port: the one on which the program in the container listens", s.ID)
	}
	source := s.ID.String()
	ref := s.Image
	var err error
	if s.Build != "" {
		ref, err = r.engine.Build(ctx, source, s.Build)
	} else {
		err = r.engine.Pull(ctx, source, ref)
	}
	if err != nil {
		return nil, err
	}
	var given map[string]string
	if r.env != nil {
		given = r.env(s)
	}
	env, err := r.engine.Env(ctx, process.List(given, s.Environment, map[string]string{"PORT": strconv.Itoa(s.Port)}))
	if err != nil {
		return nil, err
	}
	c, err := r.engine.Run(ctx, Spec{Resource: source, Image: ref, Command: s.Command, Env: env, Port: s.Port})
	if err != nil {
		return nil, err
	}
	return &instance{c, s.Health}, nil
}

// loopbackURL is an address of this machine within a URL: scheme, host and port.
var loopbackURL = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(\b[a-z][a-z0-9+.-]*://(?:[^@/\s]*@)?)(?:127\.0\.0\.1|localhost)(:\d+)`)
})

// Env returns an environment as a container needs it: in a URL, the loopback address and a port mean this machine, which
// the container calls by the gateway's address. The daemon listens there too; see GatewayAddr.
func (e *Engine) Env(ctx context.Context, env []string) ([]string, error) {
	host, err := e.HostAddr(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(env))
	for i, variable := range env {
		out[i] = withHost(variable, host)
	}
	return out, nil
}

func withHost(variable, host string) string {
	return loopbackURL().ReplaceAllString(variable, "${1}"+host+"${2}")
}

// instance is one container of a service.
type instance struct {
	*Container
	health string
}

func (i *instance) URL() string { return "http://" + cmp.Or(i.addr, "127.0.0.1:0") }

// Ready waits until the service is healthy.
func (i *instance) Ready(ctx context.Context) error {
	return supervise.Healthy(ctx, i, supervise.Check{URL: i.URL(), Path: i.health, Forwarder: forwarder})
}
