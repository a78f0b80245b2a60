package container

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/client"
	"github.com/docker/docker/pkg/stdcopy"
	"github.com/docker/go-connections/nat"
)

// Spec is a container to run.
type Spec struct {
	Resource string   // "service.catalog": its label, part of its name, and the source of its log lines
	Image    string   // reference or id
	Command  []string // in place of the image's, if not nil
	Entry    []string // and so its entry point
	Dir      string   // working directory, "" for the image's
	Env      []string
	Port     int            // published on a free port of 127.0.0.1; 0: none
	Memory   int64          // bytes that it may use, swap included; 0: no limit
	ReadOnly bool           // it can write below /tmp only, which is on disk and goes with the container
	Hostname string         // "" for one that the engine makes up; what is behind a dot is its domain
	Binds    []string       // files and folders of this machine that it sees: "/here:/there:ro"
	Output   io.WriteCloser // takes what it writes, in place of the logs, and is closed at its end; nil: the logs

	// Program is an executable of this machine that the container sees, read-only, as the first of Entry. Without it there is no
	// container, while a folder of Binds that is not there is made.
	Program string
}

// Container is a running container.
type Container struct {
	engine *Engine
	client *client.Client
	id     string
	addr   string
	logged chan struct{} // closed when all that it wrote was read
	done   chan struct{}
	err    error
	code   int // 128 and the signal's number if a signal ended it, -1 if nobody knows
}

// Run creates and starts a container. Its output goes to the logs, unless the Spec says otherwise.
func (e *Engine) Run(ctx context.Context, spec Spec) (*Container, error) {
	c, err := e.connect(ctx)
	if err != nil {
		return nil, err
	}
	conf := &container.Config{
		Image: spec.Image, Env: spec.Env, Cmd: spec.Command, Entrypoint: spec.Entry, WorkingDir: spec.Dir, Labels: e.labels(spec.Resource),
	}
	host := &container.HostConfig{ExtraHosts: []string{hostName + ":host-gateway"}, ReadonlyRootfs: spec.ReadOnly, Binds: spec.Binds}
	host.Memory, host.MemorySwap = spec.Memory, spec.Memory
	if spec.Program != "" {
		host.Mounts = []mount.Mount{{Type: mount.TypeBind, Source: spec.Program, Target: spec.Entry[0], ReadOnly: true}}
	}
	conf.Hostname, conf.Domainname, _ = strings.Cut(spec.Hostname, ".")
	if spec.ReadOnly {
		conf.Volumes = map[string]struct{}{"/tmp": {}}
	}
	port := nat.Port(strconv.Itoa(spec.Port) + "/tcp")
	if spec.Port != 0 {
		conf.ExposedPorts = nat.PortSet{port: {}}
		host.PortBindings = nat.PortMap{port: {{HostIP: "127.0.0.1"}}}
	}
	created, err := c.ContainerCreate(ctx, conf, host, nil, nil, e.name(spec.Resource))
	if err != nil {
		return nil, fmt.Errorf("create a container of %s: %w", spec.Image, err)
	}
	run := &Container{
		engine: e, client: c, id: created.ID,
		logged: make(chan struct{}), done: make(chan struct{}),
	}
	if err := run.start(ctx, spec, port); err != nil {
		remove(context.WithoutCancel(ctx), c, run.id)
		return nil, err
	}
	return run, nil
}

// notInNames is what Docker does not accept in a container's name.
var notInNames = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[^a-zA-Z0-9_.-]+`) })

// name makes up a name by which a person recognises the container: devstack-shop-service.catalog-3f9a1c.
func (e *Engine) name(resource string) string {
	b := make([]byte, 3)
	rand.Read(b) // never fails
	return notInNames().ReplaceAllString("devstack-"+e.conf.Stack+"-"+resource, "_") + "-" + hex.EncodeToString(b)
}

// start attaches to the container before it starts, so that not a word of it is lost: what the engine's own log of a
// container tells to those who follow it may lack the end.
func (c *Container) start(ctx context.Context, spec Spec, port nat.Port) error {
	output, err := c.client.ContainerAttach(context.Background(), c.id, container.AttachOptions{
		Stream: true, Stdout: true, Stderr: true,
	})
	if err != nil {
		return fmt.Errorf("read the output of a container of %s: %w", spec.Image, err)
	}
	if err := c.client.ContainerStart(ctx, c.id, container.StartOptions{}); err != nil {
		output.Close()
		return fmt.Errorf("start a container of %s: %w", spec.Image, err)
	}
	go c.log(spec, output)
	if spec.Port != 0 {
		if err := c.findAddr(ctx, port); err != nil {
			return err
		}
	}
	go c.wait()
	return nil
}

// findAddr learns which port of this machine the container's port is published on. A container that has ended already has
// none: Ready will say why.
func (c *Container) findAddr(ctx context.Context, port nat.Port) error {
	info, err := c.client.ContainerInspect(ctx, c.id)
	if err != nil {
		return fmt.Errorf("inspect a container: %w", err)
	}
	for _, binding := range info.NetworkSettings.Ports[port] {
		if binding.HostIP == "127.0.0.1" {
			c.addr = "127.0.0.1:" + binding.HostPort
			return nil
		}
	}
	if info.State.Running {
		return fmt.Errorf("port %s of the container is not published", port)
	}
	return nil
}

// log copies the container's output to where it belongs until it ends.
func (c *Container) log(spec Spec, output types.HijackedResponse) {
	defer close(c.logged)
	defer output.Close()
	if spec.Output != nil {
		defer spec.Output.Close()
		stdcopy.StdCopy(spec.Output, spec.Output, output.Reader)
		return
	}
	stdout := c.engine.conf.Logs.StreamWriter(spec.Resource, "stdout")
	stderr := c.engine.conf.Logs.StreamWriter(spec.Resource, "stderr")
	defer stdout.Close()
	defer stderr.Close()
	stdcopy.StdCopy(stdout, stderr, output.Reader)
}

const (
	logPatience    = 2 * time.Second  // with the last output of a container that has ended
	removePatience = 10 * time.Second // with the engine, when a container is to go
)

// wait sees the container off: its last output, its end's reason, the container itself, then those who wait for it.
func (c *Container) wait() {
	ended, failed := c.client.ContainerWait(context.Background(), c.id, container.WaitConditionNotRunning)
	select {
	case r := <-ended:
		c.err, c.code = c.exitError(r.StatusCode), int(r.StatusCode)
	case err := <-failed:
		c.err, c.code = fmt.Errorf("lost sight of the container: %w", err), -1
	}
	timer := time.NewTimer(logPatience)
	select {
	case <-c.logged:
	case <-timer.C:
	}
	timer.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), removePatience)
	defer cancel()
	remove(ctx, c.client, c.id)
	close(c.done)
}

// exitError says in words how a container ended, nil if with status 0.
func (c *Container) exitError(status int64) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if info, err := c.client.ContainerInspect(ctx, c.id); err == nil && info.State.OOMKilled {
		return errors.New("killed because it used more memory than there is")
	}
	if status == 0 {
		return nil
	}
	return fmt.Errorf("exited with status %d", status)
}

// Addr is where the container's port is published, "127.0.0.1:32768", "" without one.
func (c *Container) Addr() string { return c.addr }

// Done is closed when the container has ended and is removed, and all that it wrote was read.
func (c *Container) Done() <-chan struct{} { return c.done }

// Err says how it ended, once Done is closed: nil for status 0.
func (c *Container) Err() error { return c.err }

// ExitStatus is how it ended in the words that a process's end has, once Done is closed: "exit status 1", "signal: killed", "" if with
// status 0.
func (c *Container) ExitStatus() string {
	switch {
	case c.code == 0:
		return ""
	case c.code > 128:
		return "signal: " + syscall.Signal(c.code-128).String()
	case c.code < 0:
		return c.err.Error()
	}
	return fmt.Sprintf("exit status %d", c.code)
}

// Flush returns when what the container had written before the call was read, as a rule. No call waits for that; but output
// passes through the process that holds the container (containerd's shim), then the engine, and this asks each of them for
// something that has no effect, so that each has had its turn: twice, because on a machine with far too much to do the first
// turn may go to others. On an idle machine none of 400 lines came later, on a busy one a line in some hundreds does: who needs to
// know reads the program's output in the container itself, as the init of functions does.
func (c *Container) Flush(ctx context.Context) {
	for range 2 {
		c.client.ContainerResize(ctx, c.id, container.ResizeOptions{Height: 1, Width: 1}) // of a terminal, which it does not have
		c.client.Ping(ctx)
	}
}

// Stop sends the image's stop signal, kills the container when ctx ends, and returns when it is gone.
func (c *Container) Stop(ctx context.Context) error {
	options := container.StopOptions{}
	if deadline, ok := ctx.Deadline(); ok {
		seconds := int(math.Ceil(max(0, time.Until(deadline).Seconds())))
		options.Timeout = &seconds
	}
	failed := make(chan error, 1)
	go func() { failed <- c.client.ContainerStop(context.WithoutCancel(ctx), c.id, options) }()
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
	case err := <-failed:
		if err != nil && !errdefs.IsNotFound(err) {
			return fmt.Errorf("stop the container: %w", err)
		}
		<-c.done
		return nil
	}
	return c.Kill()
}

// Kill ends the container at once and returns when it is gone.
func (c *Container) Kill() error {
	ctx, cancel := context.WithTimeout(context.Background(), removePatience)
	defer cancel()
	if err := remove(ctx, c.client, c.id); err != nil {
		return fmt.Errorf("kill the container: %w", err)
	}
	<-c.done
	return nil
}
