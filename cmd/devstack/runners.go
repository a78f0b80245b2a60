package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"devstack/runtime/config"
	"devstack/runtime/container"
	"devstack/runtime/function"
	"devstack/runtime/supervise"
)

// provisioned runs what exists in AWS alone: it is there once the calls that declare it have been made.
type provisioned struct{ d *daemon }

// Start declares the resource.
func (p provisioned) Start(ctx context.Context, r config.Resource) (supervise.Instance, error) {
	return p.Update(ctx, nil, r, nil)
}

// Update changes it in place.
func (p provisioned) Update(ctx context.Context, old, new config.Resource, _ supervise.Instance) (supervise.Instance, error) {
	if err := p.d.provision.Apply(ctx, old, new); err != nil {
		return nil, err
	}
	url := ""
	if c, ok := new.(*config.Cache); ok {
		url = c.URL
	}
	return supervise.Static(url, nil), nil
}

// Remove deletes it in AWS, with what it holds.
func (p provisioned) Remove(ctx context.Context, r config.Resource) error {
	return p.d.provision.Remove(ctx, r)
}

// functionRunner runs functions. One that cannot be built is there all the same: its callers get the reason, and a save heals it.
type functionRunner struct{ d *daemon }

// Start builds the function and connects its event sources.
func (f functionRunner) Start(ctx context.Context, r config.Resource) (supervise.Instance, error) {
	return f.Update(ctx, nil, r, nil)
}

// Update replaces its version; callers wait for the new one.
func (f functionRunner) Update(ctx context.Context, old, new config.Resource, _ supervise.Instance) (supervise.Instance, error) {
	fn := new.(*config.Function)
	if old, ok := old.(*config.Function); ok && old.Name != fn.Name {
		_ = f.d.functions.Remove(old.Name) // it is known only if it was put
	}
	if fn.Runtime == "image" {
		if err := f.d.listenForContainers(ctx); err != nil {
			return nil, err
		}
	}
	unpacked, err := f.d.withLayers(fn)
	if err != nil {
		return nil, err
	}
	if !f.runs(unpacked) {
		if err := f.d.functions.Put(ctx, unpacked); err != nil && !isOwnFault(err) {
			return nil, err
		}
	}
	if err := f.d.provision.Apply(ctx, old, new); err != nil {
		return nil, err
	}
	return supervise.Static(f.url(ctx, fn.Name), func(context.Context) error {
		if err := f.d.functions.Remove(fn.Name); err != nil && !errors.Is(err, function.ErrNoFunction) {
			return err
		}
		return nil
	}), nil
}

// runs reports whether the function runs like that already: what differs, if anything does, is Lambda's alone, and execution environments
// need not be replaced for it. What was wanted before does not tell: an update that was given up may have come half the way.
func (f functionRunner) runs(wanted *config.Function) bool {
	info, err := f.d.functions.Get(wanted.Key())
	if err != nil || info.State != function.Ready {
		return false
	}
	has, wants := *info.Function, *wanted
	for _, fn := range []*config.Function{&has, &wants} {
		fn.Concurrency, fn.URL, fn.Async, fn.Tags, fn.Events = nil, nil, nil, nil, nil
	}
	return config.Equal(&has, &wants)
}

// Remove disconnects the function's event sources.
func (f functionRunner) Remove(ctx context.Context, r config.Resource) error {
	return f.d.provision.Remove(ctx, r)
}

// url is where a function answers over HTTP, "" if it has no URL.
func (f functionRunner) url(ctx context.Context, name string) string {
	var out struct{ FunctionUrl string }
	if err := f.d.cloud.Call(ctx, "lambda", "GetFunctionUrlConfig", map[string]any{"FunctionName": name}, &out); err != nil {
		return "" // it has none
	}
	return out.FunctionUrl
}

// isOwnFault reports whether a function failed for what its developer wrote. Everything else (a missing interpreter, an unknown
// runtime) is a failure to start.
func isOwnFault(err error) bool {
	var build *function.BuildError
	var init *function.InitError
	var ended *function.ExitError
	return errors.As(err, &build) || errors.As(err, &init) || errors.As(err, &ended)
}

// apiRunner runs HTTP APIs, each on a port of its own.
type apiRunner struct{ d *daemon }

// apiInstance is a listening API.
type apiInstance struct {
	supervise.Instance
	server *http.Server
	port   int
}

// Start declares the API and listens.
func (a apiRunner) Start(ctx context.Context, r config.Resource) (supervise.Instance, error) {
	return a.Update(ctx, nil, r, nil)
}

// Update changes the API in place; its port stays open unless it is another one.
func (a apiRunner) Update(ctx context.Context, old, new config.Resource, inst supervise.Instance) (supervise.Instance, error) {
	api := new.(*config.API)
	if err := a.d.provision.Apply(ctx, old, new); err != nil {
		return nil, err
	}
	id, err := a.d.provision.APIID(ctx, api.Name)
	if err != nil {
		return nil, err
	}
	handler := apiDoors(api).guard(a.d.cloud.API(id))
	if was, ok := inst.(*apiInstance); ok && was.port == api.Port {
		was.server.Handler.(*swappable).set(handler)
		return was, nil
	}
	l, err := listen(api.Port, api.ID.String(), "give it another port, or stop the other program")
	if err != nil {
		return nil, err
	}
	h := &swappable{}
	h.set(handler)
	server := a.d.server(h)
	go server.Serve(l)
	stop := func(ctx context.Context) error {
		if err := server.Shutdown(ctx); err != nil {
			return server.Close()
		}
		return nil
	}
	return &apiInstance{supervise.Static(api.URL, stop), server, api.Port}, nil
}

// Remove deletes the API in AWS.
func (a apiRunner) Remove(ctx context.Context, r config.Resource) error {
	return a.d.provision.Remove(ctx, r)
}

// apiDoors lets the pages in that the API's CORS configuration names.
func apiDoors(api *config.API) doors {
	d := doors{pages: true}
	if api.CORS != nil {
		d.origins = api.CORS.AllowOrigins
	}
	return d
}

// gatewayed runs containers, for which the daemon listens on the bridge's gateway as well.
type gatewayed struct {
	d *daemon
	*container.Runner
}

// Start opens the AWS endpoint to containers and starts one.
func (g *gatewayed) Start(ctx context.Context, r config.Resource) (supervise.Instance, error) {
	if err := g.d.listenForContainers(ctx); err != nil {
		return nil, err
	}
	return g.Runner.Start(ctx, r)
}

// listenForContainers makes the AWS endpoint and the services' proxies reachable from the engine's bridge network, once.
func (d *daemon) listenForContainers(ctx context.Context) error {
	addr, err := d.docker.GatewayAddr(ctx)
	if err != nil || addr == "" {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.gateways != nil {
		return nil
	}
	d.gateway = addr
	ports := []int{d.stack.Port}
	for _, r := range d.stack.Resources {
		if c, ok := r.(*config.Cache); ok {
			ports = append(ports, c.Port)
		}
		if s, ok := r.(*config.Service); ok {
			ports = append(ports, s.ProxyPort)
		}
	}
	for _, port := range ports {
		l, err := net.Listen("tcp", net.JoinHostPort(addr, fmt.Sprint(port)))
		if err != nil {
			return fmt.Errorf("containers cannot reach port %d of this machine: %w", port, err)
		}
		d.gateways = append(d.gateways, l)
		go forward(l, net.JoinHostPort("127.0.0.1", fmt.Sprint(port)))
	}
	return nil
}

// closeGateways gives the ports on the engine's bridge network up.
func (d *daemon) closeGateways() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.gateways {
		l.Close()
	}
	d.gateways = nil
}

// containerHosts are the names by which containers call this machine.
func (d *daemon) containerHosts() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return []string{"host.docker.internal", d.gateway}
}

// services carries API Gateway's HTTP integrations: those to a service of the stack without a way over its proxy's socket.
type services struct{ d *daemon }

// RoundTrip sends a request to a service of the stack, or anywhere else.
func (s services) RoundTrip(r *http.Request) (*http.Response, error) {
	for _, res := range s.d.current().Resources {
		if svc, ok := res.(*config.Service); ok && strings.TrimPrefix(svc.URL, "http://") == r.URL.Host {
			return s.d.proxies.Proxy(svc.ID).RoundTrip(r)
		}
	}
	return http.DefaultTransport.RoundTrip(r)
}
