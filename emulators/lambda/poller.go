package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
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
	source  string  // ARN of the stream
	m       mapping // its own copy
	wake    chan struct{}
	stop    context.CancelFunc
	ended   chan struct{} // closed when it changes nothing any more
	filters []*eventpattern.Pattern
	over    map[string]bool // shards that are closed and read to their ends
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
	ctx, cancel := context.WithCancel(wire.WithRequest(s.ctx, &wire.Request{Account: m.Account, Region: m.Region}))
	p := &poller{s: s, source: m.Source, m: *m, wake: make(chan struct{}, 1), stop: cancel, ended: make(chan struct{})}
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
		if p.source == streamARN {
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
	p := &poller{s: s, source: m.Source, m: *m}
	last := map[string]string{}
	for _, shard := range p.shards(ctx) {
		last[shard] = ""
		for {
			records, _ := p.records(ctx, shard, last[shard])
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
	shards := p.shards(ctx)
	p.forget(shards)
	for _, shard := range shards {
		if p.over[shard] {
			continue
		}
		records, closed := p.gather(ctx, shard)
		for batch := range slices.Chunk(records, int(p.m.BatchSize)) {
			if !p.deliver(ctx, shard, batch) {
				return true
			}
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
}

// gather reads a shard from where the mapping is, and reports whether that was its end. What does not fill a batch waits for
// more until the mapping's window is over, unless there can be no more.
func (p *poller) gather(ctx context.Context, shard string) (records []record, closed bool) {
	records, closed = p.records(ctx, shard, p.m.Read[shard])
	if len(records) == 0 || closed || p.m.Window == 0 {
		return records, closed
	}
	over := make(chan struct{})
	stop := p.s.Clock.AfterFunc(time.Duration(p.m.Window)*time.Second, func() { close(over) })
	defer stop()
	for len(records) < int(p.m.BatchSize) && !closed {
		select {
		case <-ctx.Done():
			return nil, false
		case <-over:
			return p.records(ctx, shard, p.m.Read[shard])
		case <-p.wake:
			records, closed = p.records(ctx, shard, p.m.Read[shard])
		}
	}
	return records, closed
}

// pause waits until the stream's writer wakes the poller, or for a while.
func (p *poller) pause(ctx context.Context) {
	timer := make(chan struct{})
	stop := p.s.Clock.AfterFunc(idlePoll, func() { close(timer) })
	defer stop()
	select {
	case <-ctx.Done():
	case <-p.wake:
	case <-timer:
	}
}

// shards lists the stream's shards, parents before children. A stream that is gone has none.
func (p *poller) shards(ctx context.Context) (ids []string) {
	ctx = trace.Silent(ctx)
	for in := map[string]any{"StreamArn": p.source}; ; {
		var out struct {
			StreamDescription struct {
				Shards               []struct{ ShardId string }
				LastEvaluatedShardId string
			}
		}
		if err := p.s.AWS.Call(ctx, "dynamodbstreams", "DescribeStream", in, &out); err != nil {
			return nil
		}
		for _, shard := range out.StreamDescription.Shards {
			ids = append(ids, shard.ShardId)
		}
		if out.StreamDescription.LastEvaluatedShardId == "" {
			return ids
		}
		in["ExclusiveStartShardId"] = out.StreamDescription.LastEvaluatedShardId
	}
}

// record is one record of a stream, as a function is handed it.
type record struct {
	json     json.RawMessage
	sequence string
	created  time.Time
}

// records reads what a shard holds after a sequence number, from its beginning if that is "": all of it that one GetRecords
// answers. closed tells that the shard has no more than that and takes no more.
func (p *poller) records(ctx context.Context, shard, after string) (out []record, closed bool) {
	ctx = trace.Silent(ctx)
	in := map[string]any{"StreamArn": p.source, "ShardId": shard, "ShardIteratorType": EventSourcePositionTrimHorizon}
	if after != "" {
		in["ShardIteratorType"], in["SequenceNumber"] = "AFTER_SEQUENCE_NUMBER", after
	}
	var iterator struct{ ShardIterator string }
	err := p.s.AWS.Call(ctx, "dynamodbstreams", "GetShardIterator", in, &iterator)
	if hasCode(err, "TrimmedDataAccessException") {
		in["ShardIteratorType"] = EventSourcePositionTrimHorizon // what came in between is past its 24 hours
		delete(in, "SequenceNumber")
		err = p.s.AWS.Call(ctx, "dynamodbstreams", "GetShardIterator", in, &iterator)
	}
	if err != nil {
		return nil, false
	}
	var page struct {
		Records           []map[string]json.RawMessage
		NextShardIterator *string
	}
	if err := p.s.AWS.Call(ctx, "dynamodbstreams", "GetRecords", map[string]any{"ShardIterator": iterator.ShardIterator}, &page); err != nil {
		return nil, false
	}
	source, _ := json.Marshal(p.source)
	for _, r := range page.Records {
		var facts struct {
			SequenceNumber              string
			ApproximateCreationDateTime float64
		}
		r["eventSourceARN"] = source
		if id, ok := r["userIdentity"]; ok {
			r["userIdentity"] = lowerIdentity(id)
		}
		b, err := json.Marshal(r)
		if err == nil {
			err = json.Unmarshal(r["dynamodb"], &facts)
		}
		if err != nil {
			p.s.Log.Error("a stream record cannot be read", "stream", p.source, "error", err)
			return out, false
		}
		out = append(out, record{b, facts.SequenceNumber, time.UnixMilli(int64(facts.ApproximateCreationDateTime * 1000))})
	}
	return out, page.NextShardIterator == nil
}

// lowerIdentity is the identity of a time-to-live deletion as events have it, whose members the API calls PrincipalId and Type.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
func lowerIdentity(id json.RawMessage) json.RawMessage {
	var who struct {
		PrincipalID string `json:"principalId"`
		Type        string `json:"type"`
	}
	_ = json.Unmarshal(id, &who) // members match whatever their case; the API's answer is well-formed
	b, _ := json.Marshal(who)
	return b
}

func hasCode(err error, code string) bool {
	var e *wire.Error
	return errors.As(err, &e) && e.Code == code
}

// deliver hands the records of a batch that the mapping's filters let through to the function; the others are done with.
func (p *poller) deliver(ctx context.Context, shard string, batch []record) bool {
	wanted := slices.DeleteFunc(slices.Clone(batch), func(r record) bool { return !p.lets(r) })
	if !p.attempt(ctx, shard, wanted, 0) {
		return false
	}
	last := batch[len(batch)-1]
	if n := len(wanted); n > 0 && wanted[n-1].sequence == last.sequence {
		return true
	}
	return p.done(shard, []record{last}, "No records processed")
}

// lets reports whether the filters let a record through.
func (p *poller) lets(r record) bool {
	return len(p.filters) == 0 || slices.ContainsFunc(p.filters, func(f *eventpattern.Pattern) bool { return f.Match(r.json) })
}

// attempt hands a batch to the function until it takes it or the mapping's limits drop it, and reports whether to go on. A
// batch that fails blocks its shard, so that the function sees the records of a key in their order. made is how often these
// records have failed already: to split a batch is no attempt, and neither is one that did not reach the function.
//
// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html
func (p *poller) attempt(ctx context.Context, shard string, batch []record, made int32) bool {
	for backoff := firstBackoff; len(batch) > 0; backoff = min(2*backoff, lastBackoff) {
		if batch = p.dropOld(shard, batch); len(batch) == 0 {
			return true
		}
		failedAt, err := p.invoke(ctx, batch)
		switch {
		case err == nil && failedAt == len(batch):
			return p.done(shard, batch, "OK")
		case ctx.Err() != nil:
			return false
		case err == nil && failedAt > 0: // the records before it are done; the rest is a batch of its own
			if !p.done(shard, batch[:failedAt], "OK") {
				return false
			}
			batch, made = batch[failedAt:], 0
		case err != nil && !errors.Is(err, errFunction):
			p.s.Log.Warn("event source mapping cannot invoke", "mapping", p.m.UUID, "function", p.m.Function, "error", err)
		case p.m.Retries >= 0 && made >= p.m.Retries:
			return p.done(shard, batch, "PROBLEM: Function call failed")
		case p.m.Bisect && len(batch) > 1:
			half := len(batch) / 2
			if !p.attempt(ctx, shard, batch[:half], made) {
				return false
			}
			batch = batch[half:]
		default:
			made++
		}
		if p.s.sleep(ctx, backoff) != nil {
			return false
		}
	}
	return true
}

// dropOld leaves out the records at the front that are older than the mapping allows.
func (p *poller) dropOld(shard string, batch []record) []record {
	if p.m.MaxAge < 0 {
		return batch
	}
	oldest := p.s.Clock.Now().Add(-time.Duration(p.m.MaxAge) * time.Second)
	n := 0
	for n < len(batch) && batch[n].created.Before(oldest) {
		n++
	}
	if n > 0 {
		p.done(shard, batch[:n], "PROBLEM: Record age exceeded")
	}
	return batch[n:]
}

// errFunction is the function's own failure, as against that it was not run.
var errFunction = errors.New("the function failed")

// invoke hands the function a batch and returns the index of the first record that it reports as failed, len(batch) if there is
// none.
func (p *poller) invoke(ctx context.Context, batch []record) (failedAt int, err error) {
	records := make([]json.RawMessage, len(batch))
	for i, r := range batch {
		records[i] = r.json
	}
	payload, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		return 0, err
	}
	p.s.mu.Lock()
	cause := p.cause
	p.s.mu.Unlock()
	ctx, span := trace.Start(trace.Join(ctx, cause, ""), "stream", p.source)
	defer func() { span.End(err) }()
	span.Input(payload)
	c, err := p.s.callee(p.m.target())
	if err != nil {
		return 0, err
	}
	res, err := p.s.call(ctx, c, Event{Payload: payload})
	switch {
	case err != nil:
		return 0, err
	case res.Failed:
		return 0, errFunction
	case !p.m.ReportsItems:
		return len(batch), nil
	}
	return firstFailure(res.Payload, batch)
}

// firstFailure reads the function's report of single failures. A report that names an unknown record, or none, fails the batch.
//
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
func firstFailure(payload []byte, batch []record) (int, error) {
	var report struct {
		Failures []struct {
			ID *string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if json.Unmarshal(payload, &report) != nil {
		return len(batch), nil // null, a string, …: a complete success
	}
	first := len(batch)
	for _, f := range report.Failures {
		if f.ID == nil {
			return 0, errFunction
		}
		i := slices.IndexFunc(batch, func(r record) bool { return r.sequence == *f.ID })
		if i < 0 {
			return 0, errFunction
		}
		first = min(first, i)
	}
	if first == 0 {
		return 0, errFunction
	}
	return first, nil
}

// done records that a batch needs no further attempt.
func (p *poller) done(shard string, batch []record, result string) bool {
	p.m.Read[shard], p.m.LastResult = batch[len(batch)-1].sequence, result
	err := p.s.Store.Update(func(tx *store.Tx) error {
		m, ok := mappings.Get(tx, p.m.Account, p.m.Region, p.m.UUID)
		if !ok {
			return nil // deleted meanwhile
		}
		m.Read, m.LastResult = p.m.Read, result
		mappings.Put(tx, m, m.Account, m.Region, m.UUID)
		return nil
	})
	if err != nil {
		p.s.Log.Error("event source mapping cannot keep its progress", "mapping", p.m.UUID, "error", err)
	}
	return err == nil
}

// sleep waits by the clock.
func (s *Service) sleep(ctx context.Context, d time.Duration) error {
	return clock.Sleep(ctx, s.Clock, d)
}
