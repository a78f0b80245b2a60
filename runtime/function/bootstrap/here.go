package bootstrap

import (
	"context"
	"net"
	"net/http"

	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/extension"
	"devstack/runtime/function/runtimeapi"
	"devstack/runtime/function/spawn"
)

// here is the Machine whose programs are processes of this one.
type here struct {
	fn  *config.Function
	env []string
}

func (h *here) Listen(more ...func(*http.ServeMux)) (*runtimeapi.API, string, error) {
	api, err := runtimeapi.New(more...)
	if err != nil {
		return nil, "", err
	}
	return api, api.Addr(), nil
}

func (h *here) Open(context.Context) (extensions, env []string, err error) {
	return extension.Programs(h.fn.Layers), h.env, nil
}

func (h *here) Run(spec spawn.Spec) (Process, error) {
	if spec.Dir == "" {
		spec.Dir = function.TaskRoot(h.fn)
	}
	p, err := spawn.Start(spec)
	if err != nil {
		return nil, err // not a nil *spawn.Process
	}
	return p, nil
}

func (h *here) Address(port string) (string, error) { return net.JoinHostPort("127.0.0.1", port), nil }

// Close has nothing to end: the processes are the sandbox's.
func (h *here) Close() error { return nil }
