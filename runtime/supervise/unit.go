package supervise

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"devstack/runtime/config"
)

const (
	firstDelay = 100 * time.Millisecond // before the first restart; each further one doubles it
	lastDelay  = 10 * time.Second
	healthy    = 10 * time.Second // an instance that served for so long starts counting afresh
	looping    = 3                // the end in a row that makes a restarting resource a failed one
	tailLines  = 20               // of log, with a failure

	lastRequests = 500 * time.Millisecond // that requests under way are given when their service goes away for good
)

// unit keeps one resource running. Its goroutine, run, owns all fields below the channels; what takes time is done by
// goroutines of their own that send what came of it.
type unit struct {
	s      *Supervisor
	id     config.ID
	runner Runner

	inbox   chan command
	results chan result
	ended   chan *member
	retry   chan struct{}
	halt    chan context.Context // asks for the end, once
	gone    chan struct{}        // closed after the end
	haltErr error                // of stopping, to be read once gone

	want     config.Resource
	version  int       // of what is wanted: counts changes and kicks
	live     []*member // ready, as far as we know
	work     *work     // under way
	hold     bool      // a save was announced: what is live must not answer any more
	failures int       // in a row
	waiters  []chan<- error
	unretry  func() bool // stops the pending retry
	retiring sync.WaitGroup
	status   Status
}

// command tells a unit what to run. Channels may be nil.
type command struct {
	want  config.Resource // nil: the same
	kick  bool
	taken chan<- struct{} // closed once no request gets an answer from before the command that it should not get
	done  chan<- error    // has room for one; told once that what is wanted is ready or has failed
}

// member is one instance of a unit.
type member struct {
	inst    Instance
	of      config.Resource
	version int
	since   time.Time // ready
}

func newUnit(s *Supervisor, id config.ID, runner Runner) *unit {
	u := &unit{
		s: s, id: id, runner: runner,
		inbox:   make(chan command),
		results: make(chan result),
		ended:   make(chan *member),
		retry:   make(chan struct{}, 1),
		halt:    make(chan context.Context),
		gone:    make(chan struct{}),
		status:  Status{ID: id, Type: id.Type, Name: id.Name, State: Pending, Since: s.conf.Clock.Now()},
	}
	go u.run()
	return u
}

// send gives the unit a command. One that has ended answers that it has.
func (u *unit) send(c command) {
	select {
	case u.inbox <- c:
	case <-u.gone:
		if c.taken != nil {
			close(c.taken)
		}
		if c.done != nil {
			c.done <- errStopped
		}
	}
}

// stop ends the unit and all of its instances, by force once ctx ends.
func (u *unit) stop(ctx context.Context) error {
	select {
	case u.halt <- ctx:
	case <-u.gone:
	}
	<-u.gone
	return u.haltErr
}

func (u *unit) run() {
	defer close(u.gone)
	for {
		select {
		case c := <-u.inbox:
			u.obey(c)
		case r := <-u.results:
			u.finish(r)
		case m := <-u.ended:
			u.lose(m)
		case <-u.retry:
			u.begin()
		case ctx := <-u.halt:
			u.haltErr = u.shutDown(ctx)
			return
		}
	}
}

// obey takes up a command. What is under way for an earlier one is given up.
func (u *unit) obey(c command) {
	if c.want != nil {
		u.want = c.want
	}
	if c.done != nil {
		u.waiters = append(u.waiters, c.done)
	}
	u.version++
	u.failures = 0
	u.hold = u.hold || c.kick
	if u.work != nil {
		u.work.cancel()
		u.starting()
	} else {
		u.begin()
	}
	if c.taken != nil {
		close(c.taken)
	}
}

// begin starts the work that brings what is live to what is wanted.
func (u *unit) begin() {
	u.stopRetry()
	if u.work != nil {
		return
	}
	if err := u.s.conf.Router.Open(u.want); err != nil {
		u.fail(err, u.s.conf.Clock.Now())
		return
	}
	w := &work{
		unit: u, want: u.want, version: u.version, kick: u.hold,
		began: u.s.conf.Clock.Now(),
		count: replicas(u.want),
	}
	for _, m := range u.live {
		if m.version == u.version {
			w.count-- // one of several replicas ended: the others stay
		} else {
			w.old = append(w.old, m)
		}
	}
	if w.alone() {
		u.live = nil
	}
	u.starting()
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	u.work = w
	go func() {
		r := w.do(ctx)
		cancel()
		u.results <- r
	}()
}

// starting says that new instances are on their way, unless old ones answer meanwhile. What has failed is called so until
// it is ready.
func (u *unit) starting() {
	again := u.status.State == Failed && u.failures > 0
	if !again && (len(u.live) == 0 || u.hold) {
		u.publish(Starting, u.status.Why, nil)
	}
	u.route()
}

// finish takes in what came of the work.
func (u *unit) finish(r result) {
	w := u.work
	u.work = nil
	current := w.version == u.version
	switch {
	case r.err != nil:
	case r.inPlace:
		u.replace(w.old, r.members)
		w.old = nil
	case current:
		u.replace(w.old, r.members)
	default:
		u.retire(r.members)
	}
	if !current {
		u.begin()
		return
	}
	if r.err != nil {
		u.fail(r.err, w.began)
		return
	}
	u.hold = false
	u.status.StartedIn = u.s.conf.Clock.Now().Sub(w.began)
	u.s.do <- func(st *state) { st.have[u.id] = w.want }
	u.publish(Ready, "", nil)
	u.route()
	u.retire(w.old)
	u.tell(nil)
	if len(u.live) < replicas(u.want) { // one ended while others were being replaced
		u.retryLater()
	}
}

// replace puts new members in the place of old ones and watches them.
func (u *unit) replace(old, new []*member) {
	u.live = slices.DeleteFunc(u.live, func(m *member) bool { return slices.Contains(old, m) })
	for _, m := range new {
		u.live = append(u.live, m)
		go u.watch(m)
	}
}

// watch tells the unit when an instance has ended.
func (u *unit) watch(m *member) {
	select {
	case <-m.inst.Done():
	case <-u.gone:
		return
	}
	select {
	case u.ended <- m:
	case <-u.gone:
	}
}

// fail says why what is wanted does not run, and tries again later.
func (u *unit) fail(err error, since time.Time) {
	failed := &NotReadyError{ID: u.id, Err: err, Tail: u.tail(since)}
	u.failures++
	if len(u.live) > 0 && !u.hold {
		u.publish(Ready, "the previous version goes on, because the new one failed: "+err.Error(), failed.Tail)
	} else {
		u.publish(Failed, err.Error(), failed.Tail)
	}
	u.route()
	u.tell(failed)
	u.retryLater()
}

// lose takes note of an instance that ended by itself, and has it replaced.
func (u *unit) lose(m *member) {
	i := slices.Index(u.live, m)
	if i < 0 {
		return // it was being stopped
	}
	u.live = slices.Delete(u.live, i, i+1)
	now := u.s.conf.Clock.Now()
	if now.Sub(m.since) >= healthy {
		u.failures = 0
	}
	u.failures++
	u.status.Restarts++
	why := "ended"
	if err := m.inst.Err(); err != nil {
		why = err.Error()
	}
	u.s.conf.Logs.Say(u.id.String(), fmt.Sprintf("%s %s; restarting in %s", u.id, why, u.delay()))
	switch {
	case u.failures >= looping:
		u.publish(Failed, why, u.tail(m.since))
	case len(u.live) == 0:
		u.publish(Starting, why, nil)
	}
	u.route()
	if u.work == nil {
		u.retryLater()
	}
}

// delay is how long to wait before the next try.
func (u *unit) delay() time.Duration {
	if u.failures > 7 {
		return lastDelay
	}
	return min(firstDelay<<max(0, u.failures-1), lastDelay)
}

func (u *unit) retryLater() {
	u.stopRetry()
	u.unretry = u.s.conf.Clock.AfterFunc(u.delay(), func() {
		select {
		case u.retry <- struct{}{}:
		default:
		}
	})
}

func (u *unit) stopRetry() {
	if u.unretry != nil {
		u.unretry()
		u.unretry = nil
	}
}

// route tells the Router who answers now.
func (u *unit) route() {
	to := Route{Why: u.status.Why, Wait: u.status.State == Starting}
	if !u.hold {
		for _, m := range u.live {
			to.URLs = append(to.URLs, m.inst.URL())
		}
	}
	u.s.conf.Router.Route(u.id, to)
}

// tell answers everyone who waits for what was wanted.
func (u *unit) tell(err error) {
	for _, done := range u.waiters {
		done <- err
	}
	u.waiters = nil
}

// publish makes a status known.
func (u *unit) publish(now State, why string, tail []string) {
	if now != u.status.State {
		u.status.Since = u.s.conf.Clock.Now()
	}
	u.status.State, u.status.Why, u.status.Tail = now, why, tail
	u.status.URL = u.url()
	status := u.status
	u.s.do <- func(st *state) { st.set(u.s, status) }
}

// url is the resource's stable address if it has one, else the first instance's.
func (u *unit) url() string {
	if service, ok := u.want.(*config.Service); ok {
		return service.URL
	}
	if len(u.live) > 0 {
		return u.live[0].inst.URL()
	}
	return ""
}

// tail returns the last lines that the resource wrote since an instant.
func (u *unit) tail(since time.Time) []string {
	var texts []string
	for _, l := range u.s.conf.Logs.Tail(u.id.String(), tailLines) {
		if !l.Time.Before(since) && l.Stream != "" {
			texts = append(texts, l.Text)
		}
	}
	return texts
}

// retire stops instances that nobody needs any more, in the background.
func (u *unit) retire(old []*member) {
	for _, m := range old {
		u.retiring.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), u.s.conf.StopTimeout)
			defer cancel()
			u.end(ctx, m, u.s.conf.StopTimeout/2)
		})
	}
}

// end stops an instance once the requests that it has are answered, or after patience.
func (u *unit) end(ctx context.Context, m *member, patience time.Duration) error {
	drain, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	u.s.conf.Router.Drain(drain, u.id, m.inst.URL())
	return m.inst.Stop(ctx)
}

// shutDown ends the unit's instances and everything under way.
func (u *unit) shutDown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, u.s.conf.StopTimeout)
	defer cancel()
	u.stopRetry()
	old := u.live
	u.live = nil
	u.publish(Stopped, "", nil)
	u.route()
	if u.work != nil {
		u.work.cancel()
		if r := <-u.results; r.inPlace && r.err == nil {
			old = r.members
		} else {
			old = append(old, r.members...)
		}
	}
	u.tell(errStopped)
	var ends sync.WaitGroup
	errs := make([]error, len(old))
	for i, m := range old {
		ends.Go(func() { errs[i] = u.end(ctx, m, lastRequests) })
	}
	ends.Wait()
	u.retiring.Wait()
	u.s.conf.Router.Close(u.id)
	return errors.Join(errs...)
}
