package js

import (
	"context"
	"sync"

	"github.com/dop251/goja"
)

// loop is a sandbox's event loop. It turns only during an invocation, as Lambda freezes a sandbox between two: what is
// under way then is served by the next one.
//
// Other goroutines post tasks; everything else belongs to the goroutine that owns the goja.Runtime.
type loop struct {
	mu    sync.Mutex
	tasks []func()
	wake  chan struct{} // holds one token while there may be tasks

	spare   []func() // the slice that tasks were taken out of last
	pending int      // operations under way in Go
	timers  timers
}

// post has f called on the loop's goroutine. It may be called from any goroutine, also after the sandbox has ended.
func (l *loop) post(f func()) {
	l.mu.Lock()
	l.tasks = append(l.tasks, f)
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// take returns the tasks posted so far.
func (l *loop) take() []func() {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.tasks
	l.tasks, l.spare = l.spare[:0], t
	return t
}

// run turns the loop until settled reports true, until nothing is left that could bring anything about, or until ctx ends.
// The last is an error.
func (l *loop) run(ctx context.Context, settled func() bool) error {
	for {
		for _, f := range l.take() {
			if err := ctx.Err(); err != nil {
				return err
			}
			f()
		}
		if settled() {
			return nil
		}
		if l.pending == 0 && l.timers.held == 0 && len(l.wake) == 0 {
			return nil
		}
		select {
		case <-l.wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// async runs work in a goroutine of its own and returns a promise of what value makes of its outcome on the loop.
func (s *sandbox) async(work func(context.Context) (value func() goja.Value, err error)) goja.Value {
	promise, resolve, reject := s.rt.NewPromise()
	ctx := s.ctx
	s.loop.pending++
	go func() {
		value, err := work(ctx)
		s.loop.post(func() {
			s.loop.pending--
			if err != nil {
				s.called(reject(s.hostError(err)))
				return
			}
			s.called(resolve(value()))
		})
	}()
	return s.rt.ToValue(promise)
}
