package logs

import (
	"context"
	"fmt"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// Bounds of a PutLogEvents. The model bounds the number of events at 10,000.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
const (
	maxBatch = 1 << 20 // bytes: of messages, and perEvent for each
	perEvent = 26
	maxAhead = 2 * time.Hour       // newer events are rejected
	maxAge   = 14 * 24 * time.Hour // older events are rejected
	maxSpan  = 24 * time.Hour      // between the first and the last event
)

// Messages in the service's words.
const (
	// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html gives the rules; the words are as
	// quoted by users of the agents and SDKs
	msgOrder  = "Log events in a single PutLogEvents request must be in chronological order."
	msgSpan   = "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
	msgUpload = "Upload too large: %d bytes exceeds limit of %d"
)

// PutLogEvents appends events, in chronological order, to a stream. Events that are too new, too old or past the group's
// retention are left out, and the answer says which; the others are kept.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
func (s *service) PutLogEvents(ctx context.Context, in *PutLogEventsInput) (*PutLogEventsOutput, error) {
	if err := checkBatch(in.LogEvents); err != nil {
		return nil, err
	}
	p, now := placeOf(wire.From(ctx)), s.Clock.Now()
	out := &PutLogEventsOutput{NextSequenceToken: new(sequenceToken(now.UnixMilli()))}
	err := s.Store.Update(func(tx *store.Tx) error {
		out.RejectedLogEventsInfo = nil
		g, err := p.group(tx, *in.LogGroupName)
		if err != nil {
			return err
		}
		st, err := p.stream(tx, g.Name, *in.LogStreamName)
		if err != nil {
			return err
		}
		kept, rejected := sift(in.LogEvents, g, now)
		for _, e := range kept {
			p.add(tx, g, st, event{st.Name, *e.Timestamp, g.Next, now.UnixMilli(), *e.Message})
		}
		out.RejectedLogEventsInfo = rejected
		p.expire(tx, g, now)
		p.putGroup(tx, g)
		streams.Put(tx, *st, p.account, p.region, g.Name, st.Name)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// checkBatch holds events against the bounds of one request.
func checkBatch(batch []InputLogEvent) error {
	size := 0
	for i, e := range batch {
		size += len(*e.Message) + perEvent
		if i > 0 && *e.Timestamp < *batch[i-1].Timestamp {
			return errInvalidParameterException(msgOrder)
		}
	}
	if size > maxBatch {
		return errInvalidParameterException(msgUpload, size, maxBatch)
	}
	if n := len(batch); n > 0 && *batch[n-1].Timestamp-*batch[0].Timestamp > maxSpan.Milliseconds() {
		return errInvalidParameterException(msgSpan)
	}
	return nil
}

// sift leaves out what is too old, expired or too new of events in chronological order, and says how many that were.
func sift(batch []InputLogEvent, g *group, now time.Time) (kept []InputLogEvent, rejected *RejectedLogEventsInfo) {
	var r RejectedLogEventsInfo
	old, expired, end := 0, 0, len(batch)
	for expired < len(batch) && *batch[expired].Timestamp < g.oldest(now) {
		expired++
	}
	for old < len(batch) && *batch[old].Timestamp < now.Add(-maxAge).UnixMilli() {
		old++
	}
	for end > 0 && *batch[end-1].Timestamp > now.Add(maxAhead).UnixMilli() {
		end--
	}
	if expired > 0 {
		r.ExpiredLogEventEndIndex, rejected = new(int32(expired)), &r
	}
	if old > 0 {
		r.TooOldLogEventEndIndex, rejected = new(int32(old)), &r
	}
	if end < len(batch) {
		r.TooNewLogEventStartIndex, rejected = new(int32(end)), &r
	}
	start := min(max(old, expired), end)
	return batch[start:end], rejected
}

// add stores an event in both orders.
func (p place) add(tx *store.Tx, g *group, st *stream, e event) {
	events.Put(tx, e, p.account, p.region, g.Name, st.Name, e.Timestamp, e.Number)
	times.Put(tx, e, p.account, p.region, g.Name, e.Timestamp, e.Number)
	g.Next++
	g.Bytes += int64(len(e.Message) + perEvent)
	if st.LastIngested == 0 || e.Timestamp < st.First {
		st.First = e.Timestamp
	}
	st.Last, st.LastIngested = max(st.Last, e.Timestamp), e.Ingested
}

// drop removes an event.
func (p place) drop(tx *store.Tx, g *group, e *event) {
	events.Delete(tx, p.account, p.region, g.Name, e.Stream, e.Timestamp, e.Number)
	times.Delete(tx, p.account, p.region, g.Name, e.Timestamp, e.Number)
	g.Bytes -= int64(len(e.Message) + perEvent)
}

// expire removes events that are past the group's retention, some at each PutLogEvents. Readers leave them out before that.
func (p place) expire(tx *store.Tx, g *group, now time.Time) {
	const atOnce = 1000
	oldest := g.oldest(now)
	if oldest == 0 {
		return
	}
	var gone []event
	for e := range times.All(tx, p.account, p.region, g.Name) {
		if e.Timestamp >= oldest || len(gone) == atOnce {
			break
		}
		gone = append(gone, e)
	}
	for _, e := range gone {
		p.drop(tx, g, &e)
	}
}

// sequenceToken looks like AWS's, which nobody has to give any more.
func sequenceToken(ms int64) string { return fmt.Sprintf("496%053d", ms) }
