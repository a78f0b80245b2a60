package supervise

import (
	"context"
	"slices"
	"sync"

	"devstack/runtime/config"
)

// subscriber holds the statuses that a reader has not taken yet, the latest of each resource.
type subscriber struct {
	out  chan Status
	wake chan struct{} // has room for one: there is something to take

	mu     sync.Mutex
	latest map[config.ID]Status
	order  []config.ID // as the changes came
}

func newSubscriber() *subscriber {
	return &subscriber{
		out:    make(chan Status),
		wake:   make(chan struct{}, 1),
		latest: map[config.ID]Status{},
	}
}

// offer never waits.
func (r *subscriber) offer(s Status) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, pending := r.latest[s.ID]; pending {
		r.order = slices.DeleteFunc(r.order, func(id config.ID) bool { return id == s.ID })
	}
	r.latest[s.ID] = s
	r.order = append(r.order, s.ID)
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (r *subscriber) take() []Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]Status, len(r.order))
	for i, id := range r.order {
		all[i] = r.latest[id]
	}
	clear(r.latest)
	r.order = nil
	return all
}

// pump hands statuses to the reader until ctx ends.
func (r *subscriber) pump(ctx context.Context, leave func()) {
	defer close(r.out)
	defer leave()
	for {
		select {
		case <-r.wake:
		case <-ctx.Done():
			return
		}
		for _, s := range r.take() {
			select {
			case r.out <- s:
			case <-ctx.Done():
				return
			}
		}
	}
}
