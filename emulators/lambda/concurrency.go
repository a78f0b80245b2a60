package lambda

import (
	"context"
	"errors"
	"sync"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
	"devstack/internal/clock"
)

// How many executions an account may have at once, and how many of them stay for functions that have none reserved.
//
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
const (
	accountLimit    = 1000
	leastUnreserved = 100
)

// msgThrottled is a recorded answer, as is the Reason beside it. How long a caller is told to wait is a guess.
const (
	msgThrottled = "Rate Exceeded."
	retryAfter   = "1" // seconds
)

// concurrency counts what runs and holds it against what may. Settings are read from the store once, and kept here from then on.
type concurrency struct {
	setting sync.Mutex // held while a setting is changed, so that what is stored and what is here are the same

	mu    sync.Mutex
	pools map[target]*pool // by account and region
}

// pool is the executions of an account in a region.
type pool struct {
	reserved    map[string]int // by function; what is not there is not reserved
	provisioned map[string]map[string]int
	busy        map[string]int            // executions by function, but for those on provisioned sandboxes
	warm        map[string]map[string]int // those, by function and qualifier
	waiting     []*waiter                 // who came first is first
}

// waiter is a call that waits for its turn.
type waiter struct {
	c     *callee
	leave func()        // set before entered is closed
	turn  chan struct{} // closed when it may go on
}

// pool returns the pool of a target. The caller holds mu.
func (k *concurrency) pool(s *Service, t target) (*pool, error) {
	at := target{Account: t.Account, Region: t.Region}
	if p := k.pools[at]; p != nil {
		return p, nil
	}
	p := &pool{busy: map[string]int{}, warm: map[string]map[string]int{}}
	if err := p.load(s, t); err != nil {
		return nil, err
	}
	if k.pools == nil {
		k.pools = map[target]*pool{}
	}
	k.pools[at] = p
	return p, nil
}

// load reads the settings of a pool.
func (p *pool) load(s *Service, t target) error {
	return s.Store.View(func(tx *store.Tx) error {
		p.reserved, p.provisioned = map[string]int{}, map[string]map[string]int{}
		for r := range reservations.All(tx, t.Account, t.Region) {
			p.reserved[r.Function] = r.Executions
		}
		for c := range provisions.All(tx, t.Account, t.Region) {
			put(p.provisioned, c.Function, c.Qualifier, c.Requested)
		}
		return nil
	})
}

// reload reads the settings anew once a function is gone.
func (k *concurrency) reload(s *Service, t target) (err error) {
	k.setting.Lock()
	defer k.setting.Unlock()
	changed := k.change(s, t, func(p *pool) { err = p.load(s, t) })
	return errors.Join(changed, err)
}

// put sets a number of a map of maps; 0 takes it away.
func put(m map[string]map[string]int, function, qualifier string, n int) {
	if n > 0 {
		if m[function] == nil {
			m[function] = map[string]int{}
		}
		m[function][qualifier] = n
		return
	}
	delete(m[function], qualifier)
	if len(m[function]) == 0 {
		delete(m, function)
	}
}

func sum[K comparable](m map[K]int) (n int) {
	for _, x := range m {
		n += x
	}
	return n
}

// change changes the settings of a pool, and lets in who may go on now.
func (k *concurrency) change(s *Service, t target, f func(*pool)) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	p, err := k.pool(s, t)
	if err != nil {
		return err
	}
	f(p)
	k.admit(p)
	return nil
}

// look shows the settings of a pool.
func (k *concurrency) look(s *Service, t target, f func(*pool)) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	p, err := k.pool(s, t)
	if err == nil {
		f(p)
	}
	return err
}

// enter takes a place for a call. The error says that there is none: TooManyRequestsException.
func (k *concurrency) enter(s *Service, c *callee) (leave func(), err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	p, err := k.pool(s, c.target)
	if err != nil {
		return nil, err
	}
	leave, reason := k.take(p, c)
	if leave == nil {
		return nil, byUser(errTooManyRequestsException(msgThrottled)).With("Reason", reason).With("retryAfterSeconds", retryAfter)
	}
	return leave, nil
}

// errTooOld says that a call did not get its turn in time.
var errTooOld = errors.New("the event was not handled before its maximum age")

// await is enter for a call that nobody waits for: it takes its turn, until an instant.
func (k *concurrency) await(ctx context.Context, s *Service, c *callee, until time.Time) (leave func(), err error) {
	k.mu.Lock()
	p, err := k.pool(s, c.target)
	if err != nil {
		k.mu.Unlock()
		return nil, err
	}
	w := &waiter{c: c, turn: make(chan struct{})}
	p.waiting = append(p.waiting, w)
	k.admit(p)
	k.mu.Unlock()
	late := make(chan struct{})
	select {
	case <-w.turn:
		return w.leave, nil
	default:
	}
	stop := clock.At(s.Clock, until, func() { close(late) })
	defer stop()
	select {
	case <-w.turn:
		return w.leave, nil
	case <-late:
		err = errTooOld
	case <-ctx.Done():
		err = ctx.Err()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range p.waiting {
		if p.waiting[i] == w {
			p.waiting = append(p.waiting[:i], p.waiting[i+1:]...)
			return nil, err
		}
	}
	return w.leave, nil // in the same moment
}

// admit lets in those who wait, as far as there are places. One function's calls keep their order, and do not hold up another's.
func (k *concurrency) admit(p *pool) {
	full := map[target]bool{}
	still := p.waiting[:0]
	for _, w := range p.waiting {
		if !full[w.c.target] {
			w.leave, _ = k.take(p, w.c)
		}
		if w.leave == nil {
			full[w.c.target] = true
			still = append(still, w)
			continue
		}
		close(w.turn)
	}
	clear(p.waiting[len(still):])
	p.waiting = still
}

// take takes a place: one of the target's provisioned ones while there are any, else of the function's reserved ones, else of those
// that all functions without share. leave is nil if there is none, for a reason.
func (k *concurrency) take(p *pool, c *callee) (leave func(), reason string) {
	if p.warm[c.Name][c.Qualifier] < p.provisioned[c.Name][c.Qualifier] {
		put(p.warm, c.Name, c.Qualifier, p.warm[c.Name][c.Qualifier]+1)
		return k.leaver(p, func() { put(p.warm, c.Name, c.Qualifier, p.warm[c.Name][c.Qualifier]-1) }), ""
	}
	if limit, ok := p.reserved[c.Name]; ok {
		if p.busy[c.Name] >= limit-sum(p.provisioned[c.Name]) {
			return nil, ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded
		}
	} else if p.shared() >= p.unreserved(true) {
		return nil, ThrottleReasonConcurrentInvocationLimitExceeded
	}
	p.busy[c.Name]++
	return k.leaver(p, func() {
		if p.busy[c.Name]--; p.busy[c.Name] == 0 {
			delete(p.busy, c.Name)
		}
	}), ""
}

// leaver makes a function that gives a place back, once.
func (k *concurrency) leaver(p *pool, give func()) func() {
	return sync.OnceFunc(func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		give()
		k.admit(p)
	})
}

// shared is how many executions there are of functions that have none reserved.
func (p *pool) shared() (n int) {
	for name, busy := range p.busy {
		if _, ok := p.reserved[name]; !ok {
			n += busy
		}
	}
	return n
}

// unreserved is how many executions the functions share that have none reserved; free: without those that are provisioned.
func (p *pool) unreserved(free bool) int {
	n := accountLimit - sum(p.reserved)
	for name, of := range p.provisioned {
		if _, ok := p.reserved[name]; !ok && free {
			n -= sum(of)
		}
	}
	return n
}

// throttled reports whether an error says that there was no place.
func throttled(err error) bool {
	var e *wire.Error
	return errors.As(err, &e) && e.Code == "TooManyRequestsException"
}
