// Package supervise keeps the resources of a stack running: it carries out the steps of a plan, waits until each
// resource is ready, restarts what ends, swaps what changes, and stops everything in reverse.
//
// How a resource of some type is run is its Runner's business. A unit, one a resource, is a goroutine that owns the
// resource's instances; the Supervisor's own goroutine owns what is known about all of them. Everybody else gets copies.
package supervise

import (
	"context"
	"time"

	"devstack/internal/clock"
	"devstack/runtime/config"
	"devstack/runtime/logs"
)

// Runner runs the resources of one block type.
type Runner interface {
	// Start returns once the instance exists; it need not be ready. The context bounds the start, not the instance.
	Start(ctx context.Context, r config.Resource) (Instance, error)
}

// Updater is a Runner that changes an instance in place, as a table or an API can. A Runner without it gets a new instance,
// which is ready before the old one is stopped.
type Updater interface {
	// Update turns the instance of old into one of new and returns it: the same, or another that has taken its place.
	// On an error the instance goes on as it was.
	Update(ctx context.Context, old, new config.Resource, inst Instance) (Instance, error)
}

// Remover is a Runner whose resources leave something behind when they are stopped, such as a table with its items. Deleting
// a resource stops it and then removes that; stopping the stack does not.
type Remover interface {
	Remove(ctx context.Context, r config.Resource) error
}

// Loner is a Runner some of whose resources cannot have two instances at a time, such as a process on a fixed port.
// Their old instance is stopped before the new one starts; the Router holds requests in between.
type Loner interface {
	// Alone reports whether an instance of r must be the only one.
	Alone(r config.Resource) bool
}

// Instance is one running thing.
type Instance interface {
	// Ready returns nil once the instance serves. It returns an error if the instance ends before, or, when ctx does,
	// what was still missing.
	Ready(ctx context.Context) error

	// Done is closed once the instance has ended by itself or was stopped, all that it wrote being in its logs.
	Done() <-chan struct{}

	// Err says how it ended. It is meaningful once Done is closed; nil is an end without complaint.
	Err() error

	// Stop ends it: in peace until ctx ends, by force then. It returns once the instance is gone.
	Stop(ctx context.Context) error

	// URL is where it takes requests, "" if it takes none.
	URL() string
}

// Router sends a service's requests to its instances. proxy.Set is one.
type Router interface {
	// Open takes the resource's stable address before its first instance starts, and again when the resource changes.
	Open(r config.Resource) error

	// Route says where requests may go from now on.
	Route(id config.ID, to Route)

	// Drain returns once no request is under way to a URL that Route has taken away, or when ctx ends.
	Drain(ctx context.Context, id config.ID, url string)

	// Close gives the address up.
	Close(id config.ID)
}

// Route is where requests for a resource go.
type Route struct {
	URLs []string // of instances that are ready
	Why  string   // there are none, or why there soon will be others
	Wait bool     // without URLs: a request may wait, because an instance is on its way
}

// State is where in its life a resource is.
type State string

// The states of a resource.
const (
	Pending  State = "pending"  // waits for what it needs
	Starting State = "starting" // or restarting
	Ready    State = "ready"
	Failed   State = "failed" // and tried again, ever more rarely, unless it waits for something that failed
	Stopped  State = "stopped"
)

// Status is what is known about a resource.
type Status struct {
	ID        config.ID     `json:"-"`
	Type      string        `json:"type"`
	Name      string        `json:"name"`
	State     State         `json:"state"`
	URL       string        `json:"url,omitempty"`
	Debugger  string        `json:"debugger,omitempty"` // address on which a function's debugger is listened for
	Why       string        `json:"why,omitempty"`      // it is not ready, or not in its latest version
	Tail      []string      `json:"tail,omitempty"`     // the last lines of its log when it failed
	Since     time.Time     `json:"since"`
	Restarts  int           `json:"restarts"`
	StartedIn time.Duration `json:"started_in"` // nanoseconds from the last start to ready
}

// Config is what a Supervisor works with.
type Config struct {
	Runners      map[string]Runner // by block type: "table", "service"
	Router       Router            // nil: nothing is routed
	Logs         *logs.Hub         // the source of a resource's lines is its ID
	Clock        clock.Clock
	ReadyTimeout time.Duration // for each instance; 60 s if zero
	StopTimeout  time.Duration // for draining and a peaceful end together; 10 s if zero
}

// Choose returns a Runner that asks which Runner a resource is for: services are processes or containers.
func Choose(which func(config.Resource) Runner) Runner { return chooser(which) }

type chooser func(config.Resource) Runner

func (c chooser) Start(ctx context.Context, r config.Resource) (Instance, error) {
	return c(r).Start(ctx, r)
}

func (c chooser) Alone(r config.Resource) bool {
	l, ok := c(r).(Loner)
	return ok && l.Alone(r)
}

// Static returns an instance that is ready at once and never ends by itself: a table that exists, an API that listens.
// stop, if not nil, is called by Stop.
func Static(url string, stop func(context.Context) error) Instance {
	return &static{url: url, stop: stop, done: make(chan struct{})}
}

type static struct {
	url  string
	stop func(context.Context) error
	done chan struct{}
}

func (s *static) Ready(context.Context) error { return nil }
func (s *static) Done() <-chan struct{}       { return s.done }
func (s *static) Err() error                  { return nil }
func (s *static) URL() string                 { return s.url }

// Stop is called once.
func (s *static) Stop(ctx context.Context) error {
	defer close(s.done)
	if s.stop == nil {
		return nil
	}
	return s.stop(ctx)
}
