package lambda

import (
	"context"
	"sync/atomic"
)

// workers are the goroutines that run calls. One that is done waits for another call: a new goroutine's stack is small, and a call of a
// function makes it grow several times, each time by copying.
type workers struct {
	calls   chan func()
	waiting atomic.Int32
}

// maxWaiting is how many of them wait at most. A crowd of calls starts as many as it needs, and most of them end with it.
const maxWaiting = 16

// run has a worker run a call. ctx is the service's: workers that wait end with it.
func (w *workers) run(ctx context.Context, call func()) {
	select {
	case w.calls <- call:
	default:
		go w.work(ctx, call)
	}
}

func (w *workers) work(ctx context.Context, call func()) {
	for {
		call()
		if w.waiting.Add(1) > maxWaiting {
			w.waiting.Add(-1)
			return
		}
		select {
		case call = <-w.calls:
			w.waiting.Add(-1)
		case <-ctx.Done():
			return
		}
	}
}
