// Package container runs services and functions as containers of a Docker engine. The engine is looked for only when
// something needs it; a stack without containers needs none.
package container

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"
	"golang.org/x/sync/singleflight"

	"devstack/runtime/logs"
	"devstack/runtime/process/reap"
)

// The labels of our containers and images.
const (
	labelStack    = "devstack.stack"    // the stack's name
	labelDir      = "devstack.dir"      // the stack's folder, absolute
	labelResource = "devstack.resource" // "service.catalog"
	labelOwner    = "devstack.owner"    // the daemon that runs it
)

// hostName is the name by which a container can call the machine that the engine runs for.
const hostName = "host.docker.internal"

// Config is what an Engine works with.
type Config struct {
	Stack    string // name
	Dir      string // of the stack, absolute
	Watchdog *reap.Watchdog
	Logs     *logs.Hub
}

// Engine is a Docker engine as one stack uses it. Its methods may be called from any goroutine.
type Engine struct {
	conf   Config
	builds singleflight.Group

	mu     sync.Mutex
	client *client.Client // nil: not connected yet
	host   string         // how containers call this machine, "" if not asked yet
}

// NewEngine returns an engine that is connected to when it is first needed.
func NewEngine(conf Config) *Engine { return &Engine{conf: conf} }

// Close ends the connection. Containers are their own users' business.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.client == nil {
		return nil
	}
	return e.client.Close()
}

// connect returns a client for the engine. At first it tells the watchdog and removes the containers that an earlier
// daemon of this stack left behind.
func (e *Engine) connect(ctx context.Context) (*client.Client, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.client != nil {
		return e.client, nil
	}
	c, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := e.conf.Watchdog.Add(Kind, legacy{c.DaemonHost(), e.conf.Watchdog.Owner()}.String()); err != nil {
		c.Close()
		return nil, err
	}
	if err := e.removeLeftovers(ctx, c); err != nil {
		c.Close()
		return nil, err
	}
	e.client = c
	return c, nil
}

// dial finds an engine that answers: the one that DOCKER_HOST names, or one at the usual places.
func dial(ctx context.Context) (*client.Client, error) {
	var tried []string
	for _, host := range hosts() {
		opts := []client.Opt{client.FromEnv, client.WithAPIVersionNegotiation()}
		if host != "" {
			opts = append(opts, client.WithHost(host))
		}
		c, err := client.NewClientWithOpts(opts...)
		if err != nil {
			return nil, fmt.Errorf("the settings for the Docker engine (DOCKER_HOST and others) are wrong: %w", err)
		}
		limited, cancel := context.WithTimeout(ctx, 5*time.Second)
		_, err = c.Ping(limited)
		cancel()
		if err == nil {
			return c, nil
		}
		tried = append(tried, fmt.Sprintf("%s (%s)", c.DaemonHost(), reason(c.DaemonHost(), err)))
		c.Close()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return nil, fmt.Errorf("no Docker engine answers at %s: start Docker, set DOCKER_HOST to where it listens, "+
		"or run the service as a command", strings.Join(tried, ", "))
}

// hosts are where an engine may listen. "" is where the environment says.
func hosts() []string {
	if os.Getenv("DOCKER_HOST") != "" {
		return []string{""}
	}
	all := []string{client.DefaultDockerHost}
	home, _ := os.UserHomeDir()
	for _, path := range []string{
		filepath.Join(home, ".docker/run/docker.sock"), // Docker Desktop
		filepath.Join(home, ".colima/default/docker.sock"),
		filepath.Join(cmp.Or(os.Getenv("XDG_RUNTIME_DIR"), "/nonexistent"), "docker.sock"), // rootless
	} {
		if _, err := os.Stat(path); err == nil {
			all = append(all, "unix://"+path)
		}
	}
	return all
}

// reason says why an engine does not answer, without the client's own advice around it.
func reason(host string, err error) string {
	path, isSocket := strings.CutPrefix(host, "unix://")
	if !isSocket || !client.IsErrConnectionFailed(err) {
		return err.Error()
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		conn.Close()
		return "it does not answer in time"
	}
	var sys *os.SyscallError
	if errors.As(err, &sys) {
		return sys.Err.Error()
	}
	return err.Error()
}

// labels are what marks a container of ours.
func (e *Engine) labels(resource string) map[string]string {
	return map[string]string{
		labelStack:    e.conf.Stack,
		labelDir:      e.conf.Dir,
		labelResource: resource,
		labelOwner:    e.conf.Watchdog.Owner(),
	}
}

// removeLeftovers removes the containers of earlier daemons of the stack. There is one daemon a stack, so they are orphans.
func (e *Engine) removeLeftovers(ctx context.Context, c *client.Client) error {
	found, err := c.ContainerList(ctx, container.ListOptions{
		All: true, Filters: filters.NewArgs(filters.Arg("label", labelDir+"="+e.conf.Dir)),
	})
	if err != nil {
		return fmt.Errorf("look for containers of an earlier run: %w", err)
	}
	for _, old := range found {
		if old.Labels[labelOwner] == e.conf.Watchdog.Owner() {
			continue
		}
		if err := remove(ctx, c, old.ID); err != nil {
			return fmt.Errorf("remove container %s of an earlier run: %w", old.ID[:12], err)
		}
	}
	return nil
}

// remove kills and removes a container. One that is gone is no error.
func remove(ctx context.Context, c *client.Client, id string) error {
	err := c.ContainerRemove(ctx, id, container.RemoveOptions{Force: true, RemoveVolumes: true})
	if err == nil || errdefs.IsNotFound(err) || strings.Contains(err.Error(), "already in progress") {
		return nil
	}
	return err
}

// GatewayAddr is the address of this machine on the engine's bridge network, where containers can call what listens on it.
// It is "" if the engine has another way to the loopback interface, as Docker Desktop has.
func (e *Engine) GatewayAddr(ctx context.Context) (string, error) {
	host, err := e.HostAddr(ctx)
	if err != nil || host == hostName {
		return "", err
	}
	return host, nil
}

// HostAddr is how a container calls this machine: GatewayAddr or, where that is "", a name that the engine makes known to it.
func (e *Engine) HostAddr(ctx context.Context) (string, error) {
	c, err := e.connect(ctx)
	if err != nil {
		return "", err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.host != "" {
		return e.host, nil
	}
	bridge, err := c.NetworkInspect(ctx, "bridge", network.InspectOptions{})
	if err != nil {
		return "", fmt.Errorf("inspect Docker's bridge network: %w", err)
	}
	e.host = hostName
	for _, conf := range bridge.IPAM.Config {
		if ip := gateway(conf); ip.Is4() && isLocal(ip) {
			e.host = ip.String()
		}
	}
	return e.host, nil
}

// gateway is a network's gateway: the first address of the subnet, unless the engine says otherwise.
func gateway(conf network.IPAMConfig) netip.Addr {
	if ip, err := netip.ParseAddr(conf.Gateway); err == nil {
		return ip
	}
	subnet, err := netip.ParsePrefix(conf.Subnet)
	if err != nil {
		return netip.Addr{}
	}
	return subnet.Masked().Addr().Next()
}

// isLocal reports whether an address is one of this machine's own.
func isLocal(ip netip.Addr) bool {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Unmap() == ip {
			return true
		}
	}
	return false
}
