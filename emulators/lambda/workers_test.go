package lambda

import (
	"context"
	"sync"
	"testing"
)

// Calls that wait for each other all run, however many there are: none is kept behind another.
func TestWorkers(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := workers{calls: make(chan func())}
	for range 3 {
		var all, ended sync.WaitGroup
		const n = 10 * maxWaiting
		all.Add(n)
		ended.Add(n)
		for range n {
			w.run(ctx, func() {
				all.Done()
				all.Wait()
				ended.Done()
			})
		}
		ended.Wait()
	}
}
