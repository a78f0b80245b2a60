package supervise

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"devstack/internal/clock"
	"devstack/runtime/config"
	"devstack/runtime/logs"
)

// errStopped is what everything says after Stop.
var errStopped = errors.New("the stack is stopped")

// Supervisor runs a stack. Its methods may be called from any goroutine.
type Supervisor struct {
	conf  Config
	do    chan func(*state) // to the goroutine that owns the state
	apply chan struct{}     // holds one: the turn to apply steps
}

// state is what the Supervisor's goroutine owns.
type state struct {
	units   map[config.ID]*unit
	order   []config.ID // of creation, for Status
	wanted  map[config.ID]config.Resource
	told    map[config.ID]config.Resource // what each unit was last told to run
	have    map[config.ID]config.Resource // what each unit was last ready with
	status  map[config.ID]Status
	blocked map[config.ID]bool        // not begun, because something that they need failed
	doomed  map[config.ID][]config.ID // not deleted, because what used them failed to change and goes on as it was
	readers map[*subscriber]struct{}
	stopped bool
}

// New returns a supervisor of nothing yet.
func New(conf Config) *Supervisor {
	if conf.Clock == nil {
		conf.Clock = clock.System()
	}
	if conf.Logs == nil {
		conf.Logs = logs.New("", logs.Options{Clock: conf.Clock})
	}
	if conf.Router == nil {
		conf.Router = noRouter{}
	}
	conf.ReadyTimeout = cmp.Or(conf.ReadyTimeout, 60*time.Second)
	conf.StopTimeout = cmp.Or(conf.StopTimeout, 10*time.Second)
	s := &Supervisor{conf: conf, do: make(chan func(*state)), apply: make(chan struct{}, 1)}
	go s.own()
	return s
}

// own runs what others ask for, one thing after another. It lives as long as the process: a stopped supervisor still
// answers Status.
func (s *Supervisor) own() {
	st := &state{
		units:  map[config.ID]*unit{},
		wanted: map[config.ID]config.Resource{}, told: map[config.ID]config.Resource{},
		have:    map[config.ID]config.Resource{},
		status:  map[config.ID]Status{},
		blocked: map[config.ID]bool{},
		doomed:  map[config.ID][]config.ID{},
		readers: map[*subscriber]struct{}{},
	}
	for f := range s.do {
		f(st)
	}
}

// ask runs f in the owning goroutine and returns what it returned.
func ask[T any](s *Supervisor, f func(*state) T) T {
	answer := make(chan T, 1)
	s.do <- func(st *state) { answer <- f(st) }
	return <-answer
}

// Status returns what is known about each resource, in the order in which they were first applied.
func (s *Supervisor) Status() []Status { return ask(s, (*state).all) }

func (st *state) all() []Status {
	all := make([]Status, 0, len(st.order))
	for _, id := range st.order {
		all = append(all, st.status[id])
	}
	return all
}

// Subscribe returns the present status of each resource and then every change, until ctx ends. A slow reader misses
// states in between, never the latest one of a resource.
func (s *Supervisor) Subscribe(ctx context.Context) <-chan Status {
	r := newSubscriber()
	ask(s, func(st *state) struct{} {
		for _, status := range st.all() {
			r.offer(status)
		}
		st.readers[r] = struct{}{}
		return struct{}{}
	})
	go r.pump(ctx, func() {
		s.do <- func(st *state) { delete(st.readers, r) }
	})
	return r.out
}

// Kick replaces the instances of a resource by new ones at once, because what they are made of was saved, and forgets how
// often it failed before. Until the new ones are ready requests wait: none that begins after the save gets the old
// answer. It reports whether there is such a resource.
func (s *Supervisor) Kick(id config.ID) bool {
	u := ask(s, func(st *state) *unit { return st.units[id] })
	if u == nil {
		return false
	}
	taken := make(chan struct{})
	u.send(command{kick: true, taken: taken})
	<-taken
	return true
}

// Stop stops everything, each resource after those that need it. It returns when all are gone; once ctx ends they are
// ended by force.
func (s *Supervisor) Stop(ctx context.Context) error {
	type world struct {
		units map[config.ID]*unit
		needs map[config.ID][]config.ID
	}
	w := ask(s, func(st *state) world {
		w := world{st.units, map[config.ID][]config.ID{}}
		for id, r := range st.wanted {
			w.needs[id] = r.Base().Needs
		}
		st.stopped = true
		st.units = map[config.ID]*unit{}
		for id := range st.blocked {
			st.set(s, Status{ID: id, Type: id.Type, Name: id.Name, State: Stopped, Since: s.conf.Clock.Now()})
		}
		clear(st.blocked)
		clear(st.doomed)
		return w
	})
	gone := map[config.ID]chan struct{}{}
	for id := range w.units {
		gone[id] = make(chan struct{})
	}
	errs := make(chan error, len(w.units))
	for id, u := range w.units {
		go func() {
			defer close(gone[id])
			for other, needs := range w.needs {
				if gone[other] != nil && other != id && slices.Contains(needs, id) {
					<-gone[other]
				}
			}
			errs <- u.stop(ctx)
		}()
	}
	var all []error
	for range w.units {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}

// set makes a resource's status known, and begins what waited for it.
func (st *state) set(s *Supervisor, status Status) {
	if _, known := st.status[status.ID]; !known {
		st.order = append(st.order, status.ID)
	}
	st.status[status.ID] = status
	for r := range st.readers {
		r.offer(status)
	}
	if !status.asWanted() || st.stopped {
		return
	}
	for id := range st.blocked {
		if st.allAsWanted(st.wanted[id].Base().Needs) {
			delete(st.blocked, id)
			st.told[id] = st.wanted[id]
			go st.unit(s, id).send(command{want: st.wanted[id]})
		}
	}
	for id, users := range st.doomed {
		if st.allAsWanted(users) {
			delete(st.doomed, id)
			go s.delete(context.Background(), id)
		}
	}
}

// asWanted reports whether a resource is ready in its latest version.
func (s Status) asWanted() bool { return s.State == Ready && s.Why == "" }

// allAsWanted reports whether all those of the resources that there are still to be are ready in their latest version.
func (st *state) allAsWanted(ids []config.ID) bool {
	for _, id := range ids {
		if _, ours := st.wanted[id]; ours && !st.status[id].asWanted() {
			return false
		}
	}
	return true
}

// unit returns the unit of a resource, a new one if it has none.
func (st *state) unit(s *Supervisor, id config.ID) *unit {
	u := st.units[id]
	if u == nil {
		u = newUnit(s, id, s.conf.Runners[id.Type])
		st.units[id] = u
	}
	return u
}

// Begun is a resource that has been begun with.
type Begun struct {
	Resource config.Resource // as it was last wanted
	AsWanted bool            // it is ready as that: nothing is under way, and nothing has failed
}

// Begun returns the resources that have been begun with, in the order of Status. An Apply that ended early has left the others out.
func (s *Supervisor) Begun() []Begun {
	return ask(s, func(st *state) (begun []Begun) {
		for _, id := range st.order {
			if r := st.told[id]; r != nil {
				begun = append(begun, Begun{r, st.have[id] == r && st.status[id].asWanted()})
			}
		}
		return begun
	})
}

// forget drops what is known about a resource that is gone.
func (st *state) forget(id config.ID) {
	delete(st.units, id)
	delete(st.wanted, id)
	delete(st.told, id)
	delete(st.have, id)
	delete(st.status, id)
	delete(st.blocked, id)
	delete(st.doomed, id)
	st.order = slices.DeleteFunc(st.order, func(other config.ID) bool { return other == id })
}

// noRouter is the Router of a supervisor without one.
type noRouter struct{}

func (noRouter) Open(config.Resource) error               { return nil }
func (noRouter) Route(config.ID, Route)                   {}
func (noRouter) Drain(context.Context, config.ID, string) {}
func (noRouter) Close(config.ID)                          {}
