package lambda

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"devstack/emulators/eventpattern"
	"devstack/emulators/store"
	"devstack/emulators/wire"
	"devstack/internal/clock"
	"devstack/internal/trace"
)

// idlePoll is how often a mapping looks at its stream without having been woken: a safety net, as the stream's writer wakes it.
const idlePoll = 5 * time.Second

// Backoff between attempts of a batch that the function refuses. AWS does not publish its own; it is seen to double from about a
// second to about a minute.
const (
	firstBackoff = time.Second
	lastBackoff  = time.Minute
)

// poller reads a mapping's stream. It alone changes the mapping's progress.
type poller struct {
	s       *Service
	life    context.Context // ends with the service: a batch that the function has is waited for, though the mapping is changed
	arn     string          // of the source
	source  source
	m       mapping // its own copy
	wake    chan struct{}
	stop    context.CancelFunc
	ended   chan struct{} // closed when it changes nothing any more
	filters []*eventpattern.Pattern
	over    map[string]bool // shards that are closed and read to their ends
	noting  sync.Mutex      // held while progress is written down
	cause   string          // X-Amzn-Trace-Id of the latest write to the stream; Service.mu guards it
}

// poll gives a mapping a poller that goes by what is stored of it now, in place of the one that it had. The new one begins
// once the old one has ended, so that a mapping's progress is changed by one alone.
func (s *Service) poll(m *mapping) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return // the next process begins with what is stored
	}
	life := wire.WithRequest(s.ctx, &wire.Request{Account: m.Account, Region: m.Region})
	ctx, cancel := context.WithCancel(life)
	p := &poller{s: s, life: life, arn: m.Source, source: s.sourceOf(m), m: *m, wake: make(chan struct{}, 1), stop: cancel, ended: make(chan struct{})}
	before := s.pollers[m.UUID]
	s.pollers[m.UUID] = p
	if before != nil {
		before.stop()
	}
	s.running.Go(func() {
		defer p.end()
		if before != nil {
			<-before.ended
		}
		if p.load() {
			p.run(ctx)
		}
	})
}

// load reads the mapping and reports whether there is anything to do: it is not if the mapping is gone or disabled.
func (p *poller) load() bool {
	there := false
	err := p.s.Store.View(func(tx *store.Tx) error {
		var m mapping
		if m, there = mappings.Get(tx, p.m.Account, p.m.Region, p.m.UUID); there {
			p.m = m
		}
		return nil
	})
	if err != nil {
		p.s.Log.Error("event source mapping cannot be read", "mapping", p.m.UUID, "error", err)
		return false
	}
	if p.m.Read == nil {
		p.m.Read = map[string]string{}
	}
	if p.m.Windows == nil {
		p.m.Windows = map[string]window{}
	}
	p.filters, p.over = nil, map[string]bool{}
	for _, f := range p.m.Filters {
		if pattern, err := eventpattern.Parse([]byte(f)); err == nil { // it was parsed before it was stored
			p.filters = append(p.filters, pattern)
		}
	}
	return there && p.m.Enabled
}

// end takes the poller off the list, unless another is there in its place.
func (p *poller) end() {
	p.stop()
	p.s.mu.Lock()
	if p.s.pollers[p.m.UUID] == p {
		delete(p.s.pollers, p.m.UUID)
	}
	p.s.mu.Unlock()
	close(p.ended)
}

// resumeMappings starts the pollers of the mappings that are stored.
func (s *Service) resumeMappings() error {
	var all []mapping
	if err := s.Store.View(func(tx *store.Tx) error {
		all = nil
		for m := range mappings.All(tx) {
			all = append(all, m)
		}
		return nil
	}); err != nil {
		return err
	}
	for _, m := range all {
		s.poll(&m)
	}
	return nil
}

// Wake tells the mappings of a stream that it has new records, so that none of them has to poll in haste. ctx is the writer's: the
// delivery belongs to its trace, and a batch with the records of several writers to the latest one's.
func (s *Service) Wake(ctx context.Context, streamARN string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pollers {
		if p.arn == streamARN {
			p.cause = trace.Header(ctx)
			select {
			case p.wake <- struct{}{}:
			default: // it has been told already
			}
		}
	}
}

// ends are the last records of a stream's shards as there are now: where LATEST begins. They are stored with the mapping, so
// that what is written from then on counts, whatever happens to this process.
func (s *Service) ends(ctx context.Context, m *mapping) map[string]string {
	from := s.sourceOf(m)
	last := map[string]string{}
	for _, shard := range from.shards(ctx) {
		last[shard] = ""
		for {
			records, _ := from.records(ctx, shard, last[shard])
			if len(records) == 0 {
				break
			}
			last[shard] = records[len(records)-1].sequence
		}
	}
	return last
}

// run reads the stream whenever there is something in it, until ctx ends.
func (p *poller) run(ctx context.Context) {
	for ctx.Err() == nil {
		if !p.pass(ctx) {
			p.pause(ctx)
		}
	}
}

// pass reads the first shard that has anything and reports whether there was one. A child waits until its parent was read to
// the end, so that the function sees the records of a key in their order.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html#Streams.Processing
func (p *poller) pass(ctx context.Context) (found bool) {
	shards := p.source.shards(ctx)
	p.forget(shards)
	for _, shard := range shards {
		if p.over[shard] {
			continue
		}
		records, closed := p.gather(ctx, shard)
		if !p.hand(ctx, shard, records) || !p.closeWindow(ctx, shard, closed && len(records) == 0) {
			return true
		}
		if len(records) > 0 {
			return true
		}
		if closed {
			p.over[shard] = true
		}
	}
	return false
}

// forget drops what is known of shards that the stream has no more. What it says of them is stored with the next record done.
func (p *poller) forget(shards []string) {
	if len(shards) == 0 {
		return // the stream could not be described
	}
	gone := func(shard string) bool { return !slices.Contains(shards, shard) }
	maps.DeleteFunc(p.over, func(shard string, _ bool) bool { return gone(shard) })
	maps.DeleteFunc(p.m.Read, func(shard string, _ string) bool { return gone(shard) })
	maps.DeleteFunc(p.m.Windows, func(shard string, _ window) bool { return gone(shard) })
}

// gather reads a shard from where the mapping is, and reports whether that was its end. What does not fill a batch waits for
// more until the mapping's window is over, unless there can be no more.
func (p *poller) gather(ctx context.Context, shard string) (records []record, closed bool) {
	records, closed = p.source.records(ctx, shard, p.m.Read[shard])
	if len(records) == 0 || closed || p.m.Window == 0 {
		return records, closed
	}
	over := make(chan struct{})
	stop := p.s.Clock.AfterFunc(time.Duration(p.m.Window)*time.Second, func() { close(over) })
	defer stop()
	for len(records) < int(p.m.BatchSize*p.m.lanes()) && !closed {
		select {
		case <-ctx.Done():
			return nil, false
		case <-over:
			return p.source.records(ctx, shard, p.m.Read[shard])
		case <-p.wake:
			records, closed = p.source.records(ctx, shard, p.m.Read[shard])
		}
	}
	return records, closed
}

// pause waits until the stream's writer wakes the poller, or for a while: no longer than until a window ends.
func (p *poller) pause(ctx context.Context) {
	timer := make(chan struct{})
	wait := idlePoll
	for _, w := range p.m.Windows {
		wait = max(0, min(wait, w.end(&p.m).Sub(p.s.Clock.Now())))
	}
	stop := p.s.Clock.AfterFunc(wait, func() { close(timer) })
	defer stop()
	select {
	case <-ctx.Done():
	case <-p.wake:
	case <-timer:
	}
}

func hasCode(err error, code string) bool {
	var e *wire.Error
	return errors.As(err, &e) && e.Code == code
}

// sleep waits by the clock.
func (s *Service) sleep(ctx context.Context, d time.Duration) error {
	return clock.Sleep(ctx, s.Clock, d)
}
