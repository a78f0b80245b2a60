package function

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"devstack/internal/clock"
	"devstack/runtime/config"
	"devstack/runtime/watch"
)

// Config is what a Manager works with.
type Config struct {
	Engines func(runtime string) Engine                                   // nil for a runtime that nobody runs
	Clock   clock.Clock                                                   // of timeouts, durations and the end of idle sandboxes
	Watch   *watch.Watcher                                                // nil: changes are found by verifying at each invocation alone
	Env     func(fn *config.Function) []string                            // region, endpoint and credentials, as "AWS_REGION=us-east-1"
	Log     func(Line)                                                    // takes what functions print and Lambda's own lines; nil: nobody
	Done    func(fn *config.Function, o *Outcome, failure *FunctionError) // hears of every event that is over, failure nil if it went well; nil: nobody
	Limit   int                                                           // events a function may handle at once, further ones wait; 0: 1,000, AWS's limit of an account
	Starts  int                                                           // sandboxes that are started at once on the machine; 0: twice its processors, at least 4
	Notify  func(key string, ev Reload)                                   // hears of every finished build, and must not call the Manager; nil: nobody
}

// Line is one line of a function's log.
type Line struct {
	Function  string // its name
	ARN       string
	Group     string // CloudWatch log group: "/aws/lambda/NAME"
	Stream    string // and log stream: "2026/11/23/[$LATEST]0123456789abcdef0123456789abcdef"
	RequestID string // "" outside an invocation
	Text      string
}

// Reload is a build that has finished: the first one, one after a save, or one after a change of configuration.
type Reload struct {
	Function *config.Function
	Version  int           // counts the function's builds from 1
	Path     string        // that changed and began it, "" if it was not a file
	Took     time.Duration // the build alone
	Err      error         // *BuildError, *InitError, *ExitError, or what kept the engine from working; nil if it is live
}

// State of a function.
type State string

// What a function can be.
const (
	Building State = "building" // callers wait for it
	Ready    State = "ready"
	Failed   State = "failed" // callers get the reason
)

// Info is what can be known about a function without calling it.
type Info struct {
	Function     *config.Function
	State        State
	Reason       string        // why it failed
	Version      int           // of the build that callers get, counted from 1
	BuildTime    time.Duration // of that build
	LastModified time.Time     // when that build became live
	Idle, Busy   int           // sandboxes

	Provisioned      int // sandboxes that are to be kept started ahead of calls
	ProvisionedReady int // of those: started, idle or not
}

// Manager keeps functions built, warm and never stale. Its methods may be called from any goroutine.
type Manager struct {
	cfg   Config
	turns turns

	mu        sync.Mutex
	functions map[string]*managed // by config.Function.Key
	closed    bool
}

// NewManager returns a Manager without functions.
func NewManager(cfg Config) *Manager {
	cfg.Limit = cmp.Or(cfg.Limit, 1000)
	if cfg.Env == nil {
		cfg.Env = func(*config.Function) []string { return nil }
	}
	if cfg.Log == nil {
		cfg.Log = func(Line) {}
	}
	if cfg.Done == nil {
		cfg.Done = func(*config.Function, *Outcome, *FunctionError) {}
	}
	if cfg.Notify == nil {
		cfg.Notify = func(string, Reload) {}
	}
	return &Manager{cfg: cfg, turns: newTurns(cfg.Starts), functions: map[string]*managed{}}
}

// Put creates a function, or replaces one of the same key, and returns once it is built and, where sandboxes are cheap,
// one is ready. A function that cannot be built or loaded stays: the error is returned here and to each caller, and a
// save that mends it heals it. While a replaced function is being built its callers wait.
func (m *Manager) Put(ctx context.Context, fn *config.Function) error {
	engine := m.cfg.Engines(fn.Runtime)
	if engine == nil {
		return fmt.Errorf("function %s: runtime %q is not supported", fn.Name, fn.Runtime)
	}
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return ErrClosed
	}
	f, ok := m.functions[fn.Key()]
	var other *managed // another language: nothing of it is of use
	if ok && f.engine != engine {
		ok, other = false, f
	}
	if !ok {
		f = newManaged(m.cfg, m.turns, engine, fn)
		m.functions[fn.Key()] = f
	}
	m.mu.Unlock()
	if other != nil {
		other.close()
	}
	return f.put(ctx, fn)
}

// Remove ends a function. Events that it is handling are cut off. An unknown key is ErrNoFunction.
func (m *Manager) Remove(key string) error {
	m.mu.Lock()
	f, ok := m.functions[key]
	delete(m.functions, key)
	m.mu.Unlock()
	if !ok {
		return ErrNoFunction
	}
	f.close()
	return nil
}

// Provision keeps n sandboxes of a function started ahead of calls, instead of as many as it was put with: those that are lacking are
// started before long, see Info. A Put that changes config.Function.Provisioned takes its number again. An unknown key is
// ErrNoFunction, a negative number an error.
//
// https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
func (m *Manager) Provision(key string, n int) error {
	if n < 0 {
		return fmt.Errorf("function %s: %d sandboxes cannot be kept", key, n)
	}
	f, err := m.lookup(key)
	if err != nil {
		return err
	}
	f.provision(n)
	return nil
}

// Get describes a function. An unknown key is ErrNoFunction.
func (m *Manager) Get(key string) (Info, error) {
	f, err := m.lookup(key)
	if err != nil {
		return Info{}, err
	}
	return f.info(), nil
}

// List describes all functions by key.
func (m *Manager) List() []Info {
	m.mu.Lock()
	all := slices.Collect(maps.Values(m.functions))
	m.mu.Unlock()
	out := make([]Info, len(all))
	for i, f := range all {
		out[i] = f.info()
	}
	slices.SortFunc(out, func(a, b Info) int { return cmp.Compare(a.Function.Key(), b.Function.Key()) })
	return out
}

// Close ends all functions. The engines are their owner's to close, afterwards.
func (m *Manager) Close() error {
	m.mu.Lock()
	all := slices.Collect(maps.Values(m.functions))
	m.functions, m.closed = map[string]*managed{}, true
	m.mu.Unlock()
	var errs []error
	for _, f := range all {
		errs = append(errs, f.close())
	}
	return errors.Join(errs...)
}

func (m *Manager) lookup(key string) (*managed, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, ok := m.functions[key]
	if !ok {
		return nil, ErrNoFunction
	}
	return f, nil
}
