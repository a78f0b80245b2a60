package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"devstack/emulators"
	"devstack/internal/clock"
	"devstack/internal/trace"
	"devstack/runtime/config"
	"devstack/runtime/container"
	"devstack/runtime/function"
	"devstack/runtime/logs"
	"devstack/runtime/process"
	"devstack/runtime/process/reap"
	"devstack/runtime/provision"
	"devstack/runtime/proxy"
	"devstack/runtime/supervise"
	"devstack/runtime/watch"
)

// maxSpans is how many spans the daemon remembers.
const maxSpans = 10_000

// daemon is a running stack: the emulators of AWS on one side, the application on the other, and here alone they meet.
type daemon struct {
	dir     string // of the stack
	options daemonOptions

	clock     *clock.Moving
	traces    *trace.Ring
	logs      *logs.Hub
	watch     *watch.Watcher // nil where the operating system has no file events left
	watchdog  *reap.Watchdog
	cloud     *emulators.Cloud
	endpoint  *http.Server
	alloc     config.Allocator
	functions *function.Manager
	engines   *engines
	docker    *container.Engine
	provision *provision.Provisioner
	proxies   *proxy.Set
	sup       *supervise.Supervisor
	shipper   *shipper

	moving    sync.Mutex    // one move of the clock at a time
	saved     chan struct{} // has room for one: the stack's files were saved and not read since
	reloading sync.WaitGroup
	endReload context.CancelFunc

	applying     sync.Mutex // one change of the stack at a time; guards what follows
	stackWatch   subscription
	serviceWatch map[config.ID]*subscription
	provisioned  []provisionedRecord // what is in AWS, as it is written down

	applied  atomic.Bool                        // a change has been carried out
	overtake atomic.Pointer[context.CancelFunc] // ends the apply under way, for a save that has come since

	mu       sync.Mutex // guards what follows
	stack    *config.Stack
	problem  error  // why the stack's files are not what runs
	gateway  string // address of the container bridge, once a container needed it
	gateways []net.Listener
}

// daemonOptions are what the command line decides.
type daemonOptions struct {
	ephemeral bool
	vars      map[string]string
	debug     []debugged    // functions for a debugger
	launches  bool          // VS Code is told of them
	offset    time.Duration // by which the clock is ahead from the start
}

// openDaemon makes the parts of a daemon for the stack in dir, and reads the stack. Nothing of the application runs yet.
func openDaemon(dir string, o daemonOptions) (*daemon, error) {
	d := &daemon{
		dir: dir, options: o, clock: clock.System(), saved: make(chan struct{}, 1), serviceWatch: map[config.ID]*subscription{},
		endReload: func() {},
	}
	d.clock.Advance(o.offset)
	if err := d.openAllocator(); err != nil {
		return nil, err
	}
	stack, err := d.load()
	if err != nil {
		return nil, err
	}
	if err := d.setDebug(stack, true); err != nil {
		return nil, err
	}
	if _, err := readRecords(recordsFile(dir)); err != nil && !o.ephemeral {
		return nil, err // before anything runs
	}
	d.stack = &config.Stack{Name: stack.Name, Dir: stack.Dir, Region: stack.Region, Account: stack.Account, Port: stack.Port}
	d.traces = trace.NewRing(maxSpans, d.clock.Now)
	d.openLogs()
	if d.watch, err = watch.New(); err != nil {
		d.logs.Say("devstack", "without file events: "+err.Error())
	}
	d.watchdog = reap.New(filepath.Join(dir, stateDir))
	if n := d.watchdog.Sweep(); n > 0 {
		d.logs.Say("devstack", fmt.Sprintf("ended %d processes that an earlier run left behind", n))
	}
	d.proxies = proxy.NewSet(d.traces)
	d.proxies.Guard(doors{hosts: d.containerHosts, pages: true}.guard)
	d.openCloud(stack)
	d.openFunctions(stack)
	d.openSupervisor(stack)
	return d, nil
}

// openAllocator chooses who picks ports and labels: with a memory on disk, unless nothing is to be left there.
func (d *daemon) openAllocator() (err error) {
	if d.options.ephemeral {
		d.alloc = config.NewPassingAllocator(d.dir, d.clock)
		return nil
	}
	d.alloc, err = config.NewFileAllocator(filepath.Join(d.dir, stateDir, "allocated.json"), d.clock)
	return err
}

func (d *daemon) openLogs() {
	folder := filepath.Join(d.dir, stateDir, "logs")
	if d.options.ephemeral {
		folder = ""
	}
	d.logs = logs.New(folder, logs.Options{Clock: d.clock, Warn: func(err error) {
		slog.Warn("logs are kept in memory only", "error", err)
	}})
}

// load reads the stack's files as they are now.
func (d *daemon) load() (*config.Stack, error) {
	stack, err := config.Load(d.dir, config.Options{Vars: d.options.vars, Allocator: d.alloc, CheckDefinition: checkDefinition, CheckSeed: checkSeed})
	if err == nil {
		err = d.setDebug(stack, false)
	}
	return stack, err
}

func (d *daemon) openCloud(stack *config.Stack) {
	d.cloud = emulators.Open(emulators.Config{
		Dir: filepath.Join(d.dir, stateDir, "data"), Ephemeral: d.options.ephemeral, Sync: stack.Sync, Account: stack.Account, Region: stack.Region,
		Clock: d.clock, Log: d.logger(), Traces: d.traces, Version: version(), Functions: d.lambda(), Transport: services{d},
		Debugging: len(d.options.debug) > 0, StreamLabel: d.streamLabel, TableDelay: time.Duration(stack.TableDelay) * time.Second, Port: stack.Port,
	})
}

// logger is where the emulators tell the operator something.
func (d *daemon) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(d.logs.Writer("devstack"), &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// streamLabel gives a table of the stack the stream that its references already name.
func (d *daemon) streamLabel(account, region, table string, created time.Time) string {
	stack := d.current()
	for _, r := range stack.Resources {
		if t, ok := r.(*config.Table); ok && t.Name == table && stack.Account == account && stack.Region == region && t.StreamLabel != "" {
			return t.StreamLabel
		}
	}
	return created.Format("2006-01-02T15:04:05.000")
}

func (d *daemon) openFunctions(stack *config.Stack) {
	d.docker = container.NewEngine(container.Config{Stack: stack.Name, Dir: d.dir, Watchdog: d.watchdog, Logs: d.logs})
	d.engines = newEngines(&host{dir: d.dir, clock: d.clock, cloud: d.cloud, watchdog: d.watchdog, docker: d.docker, transport: services{d}})
	d.shipper = newShipper(d.cloud, d.logs)
	d.functions = function.NewManager(function.Config{
		Engines: d.engines.of, Clock: d.clock, Watch: d.watch, Env: func(fn *config.Function) []string { return functionEnv(endpointURL(stack), fn) },
		Log: d.functionLog, Notify: d.reloaded, Done: d.invoked,
	})
}

func (d *daemon) openSupervisor(stack *config.Stack) {
	d.provision = provision.New(d.cloud, stack.Region, d.clock)
	env := func(*config.Service) map[string]string { return childEnv(stack) }
	processes := process.New(process.Config{
		Watchdog: d.watchdog, Logs: d.logs, Env: env, Temp: filepath.Join(d.dir, stateDir, "run", "tmp"),
	})
	containers := &gatewayed{d: d, Runner: container.New(d.docker, env)}
	d.sup = supervise.New(supervise.Config{
		Runners: map[string]supervise.Runner{
			"table": provisioned{d}, "cache": provisioned{d}, "state_machine": provisioned{d},
			"function": functionRunner{d}, "api": apiRunner{d},
			"service": supervise.Choose(func(r config.Resource) supervise.Runner {
				if s := r.(*config.Service); s.Image != "" || s.Build != "" {
					return containers
				}
				return processes
			}),
		},
		Router: d.proxies, Logs: d.logs, Clock: d.clock,
	})
}

// start opens the AWS endpoint and takes up what an earlier run left; then Apply can bring the application up.
func (d *daemon) start(ctx context.Context) error {
	l, err := listen(d.current().Port, "the AWS endpoint", "give the `stack` block another port, or stop the other program")
	if err != nil {
		return err
	}
	d.endpoint = d.server(doors{hosts: d.containerHosts, allows: d.cloud.AllowsOrigin}.guard(d.cloud))
	go d.endpoint.Serve(l)
	go d.shipper.follow(ctx, d.current().Name, d.clock.Now().Format("2006/01/02/150405"))
	if err := d.cloud.Resume(d.traces.Context(ctx)); err != nil {
		d.logs.Say("devstack", "not everything of the last run goes on: "+err.Error())
	}
	ctx, d.endReload = context.WithCancel(ctx)
	d.reloading.Go(func() { d.reload(ctx) })
	return nil
}

// server is an HTTP server whose requests are traced.
func (d *daemon) server(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return d.traces.Context(context.Background()) },
		ErrorLog:    slog.NewLogLogger(d.logger().Handler(), slog.LevelDebug),
	}
}

// listen takes a loopback port, and says in words what is wrong if it cannot.
func listen(port int, what, wayOut string) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, &exit{exitStart, fmt.Errorf("port %d, for %s, is in use by another program; %s", port, what, wayOut)}
	} else if err != nil {
		return nil, &exit{exitStart, fmt.Errorf("%s: %w", what, err)}
	}
	return l, nil
}

// apply makes what runs be what the stack's files say. If they say nothing that makes sense, nothing changes.
func (d *daemon) apply(ctx context.Context) error {
	d.applying.Lock()
	defer d.applying.Unlock()
	began := time.Now()
	old := d.current()
	next, err := d.read(ctx, old)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	d.mu.Lock()
	if d.problem = err; err == nil {
		d.stack = next
	}
	d.mu.Unlock()
	if err != nil {
		next.Files = append(next.Files, old.Files...) // it is not known what else would have been read
		d.watchStack(next, began)
		return err
	}
	if old.Port != next.Port || old.Region != next.Region || old.Account != next.Account || old.Sync != next.Sync || old.TableDelay != next.TableDelay {
		d.logs.Say("devstack", "the stack's port, region, account, durability and table_delay change with the next start")
	}
	d.watchStack(next, began)
	d.watchServices(next)
	err = d.carryOut(d.traces.Context(ctx), d.begun(next), next)
	d.applied.Store(true)
	return err
}

// begun is the stack that runs, as far as an earlier apply came: one that a save has overtaken leaves resources out, and others
// under way. Those of next that are under way are taken for new, so that nothing that needs them begins before they are ready. So are
// those that have failed: a save tries them at once, and tells of what is still wrong, which an apply that was overtaken has not.
func (d *daemon) begun(next *config.Stack) *config.Stack {
	stack := &config.Stack{}
	for _, b := range d.sup.Begun() {
		stays := slices.ContainsFunc(next.Resources, func(r config.Resource) bool { return r.Base().ID == b.Resource.Base().ID })
		if b.AsWanted || !stays {
			stack.Resources = append(stack.Resources, b.Resource)
		}
	}
	return stack
}

// current is the stack that runs.
func (d *daemon) current() *config.Stack {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stack
}

// close ends the application, then AWS.
func (d *daemon) close(ctx context.Context) error {
	d.endReload()
	d.reloading.Wait()
	d.unwatch()
	err := d.sup.Stop(ctx)
	d.functions.Close()
	d.engines.close()
	d.watchdog.Close()
	d.docker.Close()
	d.shipper.close()
	if d.endpoint != nil {
		d.endpoint.Close()
	}
	d.closeGateways()
	err = errors.Join(err, d.cloud.Close())
	d.logs.Close()
	return err
}
