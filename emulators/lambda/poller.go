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
	m       mapping // its own copy
	wake    chan struct{}
	stop    context.CancelFunc
	filters []*eventpattern.Pattern
	cause   string // X-Amzn-Trace-Id of the latest write to the stream; Service.mu guards it
}

// poll starts a mapping's poller, if it is enabled.
func (s *Service) poll(m *mapping) {
	if !m.Enabled {
		return
	}
	ctx := wire.WithRequest(s.ctx, &wire.Request{Account: m.Account, Region: m.Region})
	ctx, cancel := context.WithCancel(ctx)
	p := &poller{s: s, m: *m, wake: make(chan struct{}, 1), stop: cancel}
	p.m.Read = maps.Clone(m.Read)
	for _, f := range m.Filters {
		if pattern, err := eventpattern.Parse([]byte(f)); err == nil { // it was parsed before it was stored
			p.filters = append(p.filters, pattern)
		}
	}
	s.mu.Lock()
	s.pollers[m.UUID] = p
	s.mu.Unlock()
	// The iterators of LATEST must be taken before CreateEventSourceMapping answers: what is written after that counts.
	p.begin(ctx)
	s.running.Go(func() { p.run(ctx) })
}

// unpoll stops a mapping's poller.
func (s *Service) unpoll(uuid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.pollers[uuid]; p != nil {
		p.stop()
		delete(s.pollers, uuid)
	}
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
		if p.m.Source == streamARN {
			p.cause = trace.Header(ctx)
			select {
			case p.wake <- struct{}{}:
			default: // it has been told already
			}
		}
	}
}

// begin fixes where LATEST is: at the end of every shard that there is now.
func (p *poller) begin(ctx context.Context) {
	if p.m.StartingPosition != EventSourcePositionLatest {
		return
	}
	for _, shard := range p.shards(ctx) {
		if _, known := p.m.Read[shard]; !known {
			records := p.records(ctx, shard, EventSourcePositionTrimHorizon, "")
			p.m.Read[shard] = ""
			if n := len(records); n > 0 {
				p.m.Read[shard] = records[n-1].sequence
			}
		}
	}
}

// run reads the stream whenever there is something in it, until ctx ends.
func (p *poller) run(ctx context.Context) {
	for ctx.Err() == nil {
		if !p.pass(ctx) {
			p.pause(ctx)
		}
	}
}

// pass reads each shard once and reports whether there was anything.
func (p *poller) pass(ctx context.Context) (found bool) {
	for _, shard := range p.shards(ctx) {
		position, after := EventSourcePositionTrimHorizon, p.m.Read[shard]
		if after != "" {
			position = "AFTER_SEQUENCE_NUMBER"
		}
		records := p.records(ctx, shard, position, after)
		if len(records) > 0 && p.m.Window > 0 && len(records) < int(p.m.BatchSize) {
			if p.s.sleep(ctx, time.Duration(p.m.Window)*time.Second) != nil {
				return true
			}
			records = p.records(ctx, shard, position, after)
		}
		for batch := range slices.Chunk(records, int(p.m.BatchSize)) {
			found = true
			if !p.deliver(ctx, shard, batch) {
				return true
			}
		}
	}
	return found
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

// shards lists the stream's shards, oldest first. A stream that is gone has none.
func (p *poller) shards(ctx context.Context) []string {
	ctx = trace.Silent(ctx)
	var out struct {
		StreamDescription struct{ Shards []struct{ ShardId string } }
	}
	if err := p.s.AWS.Call(ctx, "dynamodbstreams", "DescribeStream", map[string]any{"StreamArn": p.m.Source}, &out); err != nil {
		return nil
	}
	var ids []string
	for _, shard := range out.StreamDescription.Shards {
		ids = append(ids, shard.ShardId)
	}
	return ids
}

// record is one record of a stream, as a function is handed it.
type record struct {
	json     json.RawMessage
	sequence string
	created  time.Time
}

// records reads what a shard holds from a position on, all of it that one GetRecords answers.
func (p *poller) records(ctx context.Context, shard, position, after string) []record {
	ctx = trace.Silent(ctx)
	in := map[string]any{"StreamArn": p.m.Source, "ShardId": shard, "ShardIteratorType": position}
	if after != "" {
		in["SequenceNumber"] = after
	}
	var iterator struct{ ShardIterator string }
	err := p.s.AWS.Call(ctx, "dynamodbstreams", "GetShardIterator", in, &iterator)
	if hasCode(err, "TrimmedDataAccessException") {
		in["ShardIteratorType"] = EventSourcePositionTrimHorizon // what came in between is past its 24 hours
		delete(in, "SequenceNumber")
		err = p.s.AWS.Call(ctx, "dynamodbstreams", "GetShardIterator", in, &iterator)
	}
	if err != nil {
		return nil
	}
	var page struct{ Records []map[string]json.RawMessage }
	if err := p.s.AWS.Call(ctx, "dynamodbstreams", "GetRecords", map[string]any{"ShardIterator": iterator.ShardIterator}, &page); err != nil {
		return nil
	}
	source, _ := json.Marshal(p.m.Source)
	var out []record
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
			p.s.Log.Error("a stream record cannot be read", "stream", p.m.Source, "error", err)
			return out
		}
		out = append(out, record{b, facts.SequenceNumber, time.UnixMilli(int64(facts.ApproximateCreationDateTime * 1000))})
	}
	return out
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
	if !p.attempt(ctx, shard, wanted) {
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
// batch that fails blocks its shard, so that the function sees the records of a key in their order.
func (p *poller) attempt(ctx context.Context, shard string, batch []record) bool {
	backoff := firstBackoff
	for attempt := int32(0); len(batch) > 0; attempt++ {
		if batch = p.dropOld(shard, batch); len(batch) == 0 {
			return true
		}
		failedAt, ok := p.invoke(ctx, batch)
		switch {
		case ctx.Err() != nil:
			return false
		case ok && failedAt == len(batch):
			return p.done(shard, batch, "OK")
		case ok && failedAt > 0: // the records before it are done; the rest is a batch of its own
			if !p.done(shard, batch[:failedAt], "OK") {
				return false
			}
			batch, attempt = batch[failedAt:], -1
		case p.m.Retries >= 0 && attempt >= p.m.Retries:
			return p.done(shard, batch, "PROBLEM: Function call failed")
		case p.m.Bisect && len(batch) > 1:
			half := len(batch) / 2
			if !p.attempt(ctx, shard, batch[:half]) {
				return false
			}
			batch = batch[half:]
		}
		if p.s.sleep(ctx, backoff) != nil {
			return false
		}
		backoff = min(2*backoff, lastBackoff)
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

// invoke hands the function a batch. failedAt is the index of the first record that it reports as failed, len(batch) if there is
// none; ok is false if it failed as a whole.
func (p *poller) invoke(ctx context.Context, batch []record) (failedAt int, ok bool) {
	records := make([]json.RawMessage, len(batch))
	for i, r := range batch {
		records[i] = r.json
	}
	payload, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		return 0, false
	}
	p.s.mu.Lock()
	cause := p.cause
	p.s.mu.Unlock()
	ctx, span := trace.Start(trace.Join(ctx, cause, ""), "stream", p.m.Source)
	span.Input(payload)
	res, err := p.s.functions.Invoke(ctx, p.m.Function, Event{Payload: payload})
	span.End(err)
	if err != nil || res.Failed {
		return 0, false
	}
	if !p.m.ReportsItems {
		return len(batch), true
	}
	return firstFailure(res.Payload, batch)
}

// firstFailure reads the function's report of single failures. A report that names an unknown record, or none, fails the batch.
//
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
func firstFailure(payload []byte, batch []record) (int, bool) {
	var report struct {
		Failures []struct {
			ID *string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if json.Unmarshal(payload, &report) != nil {
		return len(batch), true // null, a string, …: a complete success
	}
	first := len(batch)
	for _, f := range report.Failures {
		if f.ID == nil {
			return 0, false
		}
		i := slices.IndexFunc(batch, func(r record) bool { return r.sequence == *f.ID })
		if i < 0 {
			return 0, false
		}
		first = min(first, i)
	}
	return first, true
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
