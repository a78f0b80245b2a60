package supervise

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"devstack/runtime/config"
)

// work brings up instances for a unit, in a goroutine of its own.
type work struct {
	unit    *unit
	want    config.Resource
	version int
	kick    bool
	count   int       // of instances to start
	old     []*member // that the new ones replace
	began   time.Time
	cancel  context.CancelFunc
}

// result is what came of it: members that are ready, or an error and none.
type result struct {
	members []*member
	inPlace bool // the members are the old ones, changed
	err     error
}

// replicas is how many instances a resource is to have.
func replicas(r config.Resource) int {
	if service, ok := r.(*config.Service); ok {
		return max(1, service.Replicas)
	}
	return 1
}

// alone reports whether the old instance must be gone before the new one starts.
func (w *work) alone() bool {
	l, ok := w.unit.runner.(Loner)
	return ok && l.Alone(w.want)
}

func (w *work) do(ctx context.Context) result {
	if updater, ok := w.unit.runner.(Updater); ok && !w.kick && len(w.old) > 0 {
		return w.update(ctx, updater)
	}
	if w.alone() {
		w.endOld()
	}
	return w.start(ctx)
}

// update changes the old instances in place.
func (w *work) update(ctx context.Context, updater Updater) result {
	r := result{inPlace: true}
	for _, old := range w.old {
		inst, err := updater.Update(ctx, old.of, w.want, old.inst)
		if err == nil {
			err = w.ready(ctx, inst)
		}
		if err != nil {
			return result{inPlace: true, err: err}
		}
		r.members = append(r.members, w.member(inst))
	}
	return r
}

// endOld stops the old instances. It does so even if the work was given up: nobody else will.
func (w *work) endOld() {
	ctx, cancel := context.WithTimeout(context.Background(), w.unit.s.conf.StopTimeout)
	defer cancel()
	for _, old := range w.old {
		w.unit.end(ctx, old, w.unit.s.conf.StopTimeout/2)
	}
	w.old = nil
}

// start starts new instances and waits until all are ready. If one fails the others are stopped.
func (w *work) start(ctx context.Context) result {
	members := make([]*member, w.count)
	group, ctx := errgroup.WithContext(ctx)
	for i := range members {
		group.Go(func() (err error) {
			members[i], err = w.one(ctx)
			return err
		})
	}
	err := group.Wait()
	if err == nil {
		return result{members: members}
	}
	for _, m := range members {
		if m != nil {
			w.discard(m.inst)
		}
	}
	return result{err: err}
}

// one starts an instance and waits until it is ready.
func (w *work) one(ctx context.Context) (*member, error) {
	inst, err := w.unit.runner.Start(ctx, w.want)
	if err != nil {
		return nil, err
	}
	if err := w.ready(ctx, inst); err != nil {
		w.discard(inst)
		return nil, err
	}
	return w.member(inst), nil
}

func (w *work) member(inst Instance) *member {
	return &member{inst: inst, of: w.want, version: w.version, since: w.unit.s.conf.Clock.Now()}
}

// ready waits until an instance is ready, but not for ever.
func (w *work) ready(ctx context.Context, inst Instance) error {
	limit := w.unit.s.conf.ReadyTimeout
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := inst.Ready(limited)
	if err != nil && ctx.Err() == nil && errors.Is(limited.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("not ready after %s: %w", limit, err)
	}
	return err
}

// discard stops an instance that never took a request.
func (w *work) discard(inst Instance) {
	ctx, cancel := context.WithTimeout(context.Background(), w.unit.s.conf.StopTimeout)
	defer cancel()
	inst.Stop(ctx)
}
