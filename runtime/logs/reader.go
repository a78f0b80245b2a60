package logs

import (
	"context"
	"slices"
	"sync"
)

// reader is one subscription: a bounded queue between those who append and one who may be slow.
type reader struct {
	sources []string // sorted; none: all
	limit   int
	out     chan Line
	wake    chan struct{} // has room for one: there is something to take

	mu    sync.Mutex
	queue []Line
	lost  int // lines lost behind the queue
}

func newReader(sources []string, limit int) *reader {
	return &reader{
		sources: slices.Sorted(slices.Values(sources)),
		limit:   limit,
		out:     make(chan Line),
		wake:    make(chan struct{}, 1),
	}
}

// offer queues a line that the reader wants, or counts it as lost. The reader hears of it when it is stirred, or at once when the queue
// fills up.
func (r *reader) offer(l Line) {
	if _, wanted := slices.BinarySearch(r.sources, l.Source); len(r.sources) > 0 && !wanted {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	// Once lines are lost, more are until the queue is empty: then one note stands for all of them, in its place.
	if r.lost > 0 || len(r.queue) >= r.limit {
		r.lost++
	} else {
		r.queue = append(r.queue, l)
	}
	if len(r.queue) > r.limit/2 {
		r.stirLocked()
	}
}

// stir has the reader look into its queue if there is something.
func (r *reader) stir() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) > 0 {
		r.stirLocked()
	}
}

func (r *reader) stirLocked() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// take empties the queue. The note about what was lost comes last.
func (r *reader) take() []Line {
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := r.queue
	if r.lost > 0 {
		lines = append(lines, Line{Time: lines[len(lines)-1].Time, Lost: r.lost})
	}
	r.queue, r.lost = nil, 0
	return lines
}

// pump hands lines to the reader until ctx ends.
func (r *reader) pump(ctx context.Context, leave func()) {
	defer close(r.out)
	defer leave()
	for {
		select {
		case <-r.wake:
		case <-ctx.Done():
			return
		}
		for _, l := range r.take() {
			select {
			case r.out <- l:
			case <-ctx.Done():
				return
			}
		}
	}
}
