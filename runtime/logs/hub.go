// Package logs gathers the lines that everything in a stack writes: the latest of each source in memory, more of them in a
// ring on disk, and all of them to whoever listens.
package logs

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"devstack/internal/clock"
)

// Line is one line of a log.
type Line struct {
	Time      time.Time `json:"time"`
	Source    string    `json:"source"`           // of whom: "service.catalog"
	Stream    string    `json:"stream,omitempty"` // "stdout", "stderr" or "build", "invocation" for how one went, "" for what devstack itself says
	Text      string    `json:"text"`
	RequestID string    `json:"request_id,omitempty"` // of the invocation that wrote it
	Lost      int       `json:"lost,omitempty"`       // not a line: how many were lost here because the reader was slow
}

// Options bounds a Hub. Zero values mean the defaults.
type Options struct {
	Clock   clock.Clock
	MaxLine int         // bytes of a line, longer ones are split; 64 KiB
	Memory  int         // bytes of text kept in memory for each source; 256 KiB
	Disk    int         // bytes kept on disk for each source; 8 MiB
	Backlog int         // lines that a slow reader may be behind; 4096
	Warn    func(error) // is told, once, that logs cannot be written to disk
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	o.MaxLine = cmp.Or(o.MaxLine, 64<<10)
	o.Memory = cmp.Or(o.Memory, 256<<10)
	o.Disk = cmp.Or(o.Disk, 8<<20)
	o.Backlog = cmp.Or(o.Backlog, 4096)
	return o
}

// Hub takes lines from many sources. Its methods may be called from any goroutine, and none waits for a reader. Tail has a line at
// once, readers and the disk some milliseconds later.
type Hub struct {
	dir  string
	opts Options
	warn sync.Once

	gathering atomic.Bool // deliver is going to be called

	// Appending holds mu for reading, so that Follow, which holds it for writing, misses no line and sees none twice.
	mu      sync.RWMutex
	sources map[string]*source
	readers map[*reader]struct{}
}

// New returns a hub that keeps its rings in the folder dir, or only in memory if dir is "". What an earlier process left
// in the folder can be read again.
func New(dir string, o Options) *Hub {
	return &Hub{
		dir:     dir,
		opts:    o.withDefaults(),
		sources: map[string]*source{},
		readers: map[*reader]struct{}{},
	}
}

// Append adds a line to a source. Its Source is set; its Time too, if it has none.
func (h *Hub) Append(name string, l Line) {
	l.Source = name
	if l.Time.IsZero() {
		l.Time = h.opts.Clock.Now()
	}
	s := h.source(name)
	h.mu.RLock()
	defer h.mu.RUnlock()
	s.append(l)
	for r := range h.readers {
		r.offer(l)
	}
	if !h.gathering.Swap(true) {
		time.AfterFunc(gather, h.deliver)
	}
}

// gather is how long lines are collected before they go to readers and to the disk, together: whoever appends one is often about to
// answer somebody, and waking others for each line would cost him more than the line. It is real time.
const gather = 5 * time.Millisecond

// deliver brings what was gathered on its way.
func (h *Hub) deliver() {
	h.gathering.Store(false) // before anything is taken: a line that comes from now on has the next delivery
	h.mu.RLock()
	for r := range h.readers {
		r.stir()
	}
	sources := slices.Collect(maps.Values(h.sources))
	h.mu.RUnlock()
	for _, s := range sources {
		s.write()
	}
}

// Say adds a line in devstack's own voice.
func (h *Hub) Say(name, text string) { h.Append(name, Line{Text: text}) }

// Tail returns the last n lines of a source, oldest first; of all sources, in the order of their instants, if name is "".
func (h *Hub) Tail(name string, n int) []Line {
	if name != "" {
		return h.source(name).tail(n)
	}
	return h.tailOf(h.Sources(), n)
}

func (h *Hub) tailOf(names []string, n int) []Line {
	var all []Line
	for _, name := range names {
		all = append(all, h.source(name).tail(n)...)
	}
	slices.SortStableFunc(all, func(a, b Line) int { return a.Time.Compare(b.Time) })
	return all[max(0, len(all)-n):]
}

// Sources returns the names of all sources that have lines, in memory or on disk, sorted.
func (h *Hub) Sources() []string {
	names := namesOnDisk(h.dir)
	h.mu.RLock()
	defer h.mu.RUnlock()
	for name := range h.sources {
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Subscribe returns the lines that arrive from now on, of the named sources or, if there are none, of all. The channel is
// closed when ctx ends. A reader that falls behind by more than Options.Backlog lines loses some; a Line with Lost set
// stands in their place.
func (h *Hub) Subscribe(ctx context.Context, sources []string) <-chan Line {
	_, lines := h.Follow(ctx, sources, 0)
	return lines
}

// Follow is Tail and Subscribe in one, with no line between the two missed or seen twice.
func (h *Hub) Follow(ctx context.Context, sources []string, n int) ([]Line, <-chan Line) {
	names := sources
	if len(names) == 0 {
		names = h.Sources()
	}
	known := make([]*source, len(names))
	for i, name := range names {
		known[i] = h.source(name)
	}
	r := newReader(sources, h.opts.Backlog)
	h.mu.Lock()
	var tail []Line
	if n > 0 {
		for _, s := range known {
			tail = append(tail, s.tail(n)...)
		}
	}
	h.readers[r] = struct{}{}
	h.mu.Unlock()
	go r.pump(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.readers, r)
	})
	slices.SortStableFunc(tail, func(a, b Line) int { return a.Time.Compare(b.Time) })
	return tail[max(0, len(tail)-n):], r.out
}

// Close closes the files. Lines that come later are kept in memory only.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.sources {
		s.close()
	}
}

// source returns the named source, with what is on disk of it already in memory.
func (h *Hub) source(name string) *source {
	h.mu.RLock()
	s := h.sources[name]
	h.mu.RUnlock()
	if s != nil {
		return s
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if s = h.sources[name]; s == nil {
		s = h.openSource(name)
		h.sources[name] = s
	}
	return s
}

// full says, once, that the disk does not take our lines.
func (h *Hub) full(err error) {
	h.warn.Do(func() {
		if h.opts.Warn != nil {
			h.opts.Warn(err)
		}
	})
}
