package supervise

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"devstack/internal/clock"
	"devstack/runtime/config"
	"devstack/runtime/logs"
	"devstack/runtime/plan"
)

// scripted is a Runner whose instances do what their service's Command says, one word for each start, the last one again
// and again:
//
//	ready     serves at once
//	missing   cannot be started
//	exits     ends before it is ready
//	floods    writes 100 lines and ends before it is ready
//	hangs     is never ready
type scripted struct {
	logs *logs.Hub

	mu     sync.Mutex
	starts map[string]int
	live   map[string][]*fake // by name, as started
	events []string
}

// world is a supervisor with a scripted Runner, a Router that takes notes, and a clock that is moved by hand.
type world struct {
	*Supervisor
	runner *scripted
	router *notes
	clock  *clock.Moving
	logs   *logs.Hub
}

func newWorld(t *testing.T, conf Config) *world {
	c := clock.Fixed(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	hub := logs.New("", logs.Options{Clock: c})
	r := &scripted{logs: hub, starts: map[string]int{}, live: map[string][]*fake{}}
	n := &notes{runner: r, routes: map[string]Route{}}
	conf.Clock, conf.Logs, conf.Router = c, hub, n
	if conf.Runners == nil {
		conf.Runners = map[string]Runner{"service": r}
	}
	w := &world{New(conf), r, n, c, hub}
	t.Cleanup(func() { w.Stop(context.Background()) })
	return w
}

// service is a step that makes or changes a service. needs are names of services.
func service(name, script string, needs ...string) *config.Service {
	s := &config.Service{Command: strings.Fields(script), Replicas: 1}
	s.ID = config.ID{Type: "service", Name: name}
	for _, need := range needs {
		s.Needs = append(s.Needs, config.ID{Type: "service", Name: need})
	}
	return s
}

func create(services ...*config.Service) []plan.Step {
	var steps []plan.Step
	for _, s := range services {
		steps = append(steps, plan.Step{Action: plan.Create, ID: s.ID, New: s, After: s.Needs})
	}
	return steps
}

func update(old, new *config.Service) []plan.Step {
	return []plan.Step{{Action: plan.Update, ID: new.ID, Old: old, New: new}}
}

func (r *scripted) Start(_ context.Context, res config.Resource) (Instance, error) {
	s := res.(*config.Service)
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.starts[s.ID.Name]
	r.starts[s.ID.Name]++
	word := s.Command[min(n, len(s.Command)-1)]
	if word == "missing" {
		return nil, errors.New("command not found")
	}
	i := &fake{runner: r, name: s.ID.Name, url: fmt.Sprintf("http://%s/%d", s.ID.Name, n+1), word: word, done: make(chan struct{})}
	r.live[i.name] = append(r.live[i.name], i)
	r.note("start " + i.url)
	return i, nil
}

func (r *scripted) Alone(res config.Resource) bool { return res.(*config.Service).Port != 0 }

// note is called with the lock held.
func (r *scripted) note(event string) { r.events = append(r.events, event) }

// happened returns what happened since the last call.
func (r *scripted) happened() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	events := r.events
	r.events = nil
	return events
}

// instances returns those of a service that run.
func (r *scripted) instances(name string) []*fake {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.live[name]), (*fake).ended)
}

// fake is an instance.
type fake struct {
	runner          *scripted
	name, url, word string
	once            sync.Once
	done            chan struct{}
	err             error
}

func (i *fake) exit(err error) {
	i.once.Do(func() { i.err = err; close(i.done) })
}

func (i *fake) ended() bool {
	select {
	case <-i.done:
		return true
	default:
		return false
	}
}

func (i *fake) Ready(ctx context.Context) error {
	switch i.word {
	case "ready":
		return nil
	case "floods":
		for n := range 100 {
			i.runner.logs.Append("service."+i.name, logs.Line{Stream: "stderr", Text: fmt.Sprintf("line %d", n+1)})
		}
		fallthrough
	case "exits":
		i.exit(errors.New("exited with status 1"))
		return early(i.err)
	}
	<-ctx.Done()
	return errors.New("nothing accepts connections")
}

func (i *fake) Done() <-chan struct{} { return i.done }
func (i *fake) Err() error            { return i.err }
func (i *fake) URL() string           { return i.url }

func (i *fake) Stop(context.Context) error {
	i.runner.mu.Lock()
	if !i.ended() {
		i.runner.note("stop " + i.url)
	}
	i.runner.mu.Unlock()
	i.exit(nil)
	return nil
}

// notes is a Router that writes what it is told beside the Runner's events.
type notes struct {
	runner *scripted
	routes map[string]Route
}

func (n *notes) Open(config.Resource) error { return nil }
func (n *notes) Close(config.ID)            {}

func (n *notes) Route(id config.ID, to Route) {
	n.runner.mu.Lock()
	defer n.runner.mu.Unlock()
	if last, ok := n.routes[id.Name]; !ok || !slices.Equal(last.URLs, to.URLs) {
		n.runner.note("route " + id.Name + " to " + strings.Join(to.URLs, " "))
	}
	n.routes[id.Name] = to
}

func (n *notes) Drain(_ context.Context, _ config.ID, url string) {
	n.runner.mu.Lock()
	defer n.runner.mu.Unlock()
	n.runner.note("drain " + url)
}

func (n *notes) route(name string) Route {
	n.runner.mu.Lock()
	defer n.runner.mu.Unlock()
	return n.routes[name]
}

// status returns that of one service.
func (w *world) status(name string) Status {
	for _, s := range w.Status() {
		if s.Name == name {
			return s
		}
	}
	return Status{}
}

// until waits for something to become true, moving the clock if step is not zero.
func (w *world) until(t *testing.T, what string, step time.Duration, f func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !f() {
		if time.Now().After(deadline) {
			t.Fatalf("it never came that %s; status %+v", what, w.Status())
		}
		w.clock.Advance(step)
		time.Sleep(time.Millisecond)
	}
}

func (w *world) untilState(t *testing.T, name string, state State, step time.Duration) Status {
	t.Helper()
	w.until(t, name+" is "+string(state), step, func() bool { return w.status(name).State == state })
	return w.status(name)
}
