package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"hash/fnv"
	"slices"
	"sync"
	"time"

	"devstack/emulators/deliver"
	"devstack/emulators/eventpattern"
	"devstack/emulators/wire"
	"devstack/internal/trace"
)

// What a mapping shows of its latest batch. The first two are recorded; how AWS words the last is not known.
const (
	resultNone  = "No records processed"
	resultOK    = "OK"
	resultError = "PROBLEM: Function call failed"
	resultOld   = "PROBLEM: Record age exceeded"
)

// Conditions under which a batch is given up, recorded.
const (
	batchRetries = "RetryAttemptsExhausted"
	batchAge     = "RecordAgeExceeded"
)

// lane hands records of a shard to the function, one batch after the other. The lanes of a shard work at the same time.
type lane struct {
	*poller
	shard string
	alone bool // there are no others: what is done is written down with each batch
}

// attempted is what came of the latest attempt at a batch.
type attempted struct {
	requestID, version string
	failed             bool // the function failed, as against that it reported failures
}

// hand has the function handle records of a shard, and reports whether to go on. With a ParallelizationFactor they are divided among
// lanes by their keys; then it is written down that they are done once all are, and what a kill leaves is handed out again.
//
// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-batching.html
func (p *poller) hand(ctx context.Context, shard string, records []record) bool {
	n := int(p.m.lanes())
	if n == 1 || len(records) == 0 {
		l := &lane{p, shard, true}
		for batch := range slices.Chunk(records, int(p.m.BatchSize)) {
			if !l.deliver(ctx, batch) {
				return false
			}
		}
		return true
	}
	parts := make([][]record, n)
	for _, r := range records {
		h := fnv.New32a()
		h.Write([]byte(r.key))
		i := int(h.Sum32() % uint32(n))
		parts[i] = append(parts[i], r)
	}
	var lanes sync.WaitGroup
	done := make([]bool, n)
	for i, part := range parts {
		lanes.Go(func() {
			l := &lane{p, shard, false}
			for batch := range slices.Chunk(part, int(p.m.BatchSize)) {
				if !l.deliver(ctx, batch) {
					return
				}
			}
			done[i] = true
		})
	}
	lanes.Wait()
	return !slices.Contains(done, false) && p.done(shard, records, "")
}

// deliver hands the records of a batch that the mapping's filters let through to the function; the others are done with.
func (l *lane) deliver(ctx context.Context, batch []record) bool {
	wanted := slices.DeleteFunc(slices.Clone(batch), func(r record) bool { return !l.lets(r) })
	if l.m.Tumbling > 0 {
		if !l.tumble(ctx, wanted) {
			return false
		}
	} else if !l.attempt(ctx, wanted, 0) {
		return false
	}
	last := batch[len(batch)-1]
	if n := len(wanted); n > 0 && wanted[n-1].sequence == last.sequence {
		return true
	}
	return l.finish([]record{last}, resultNone)
}

// lets reports whether the filters let a record through.
func (p *poller) lets(r record) bool {
	return len(p.filters) == 0 || slices.ContainsFunc(p.filters, func(f *eventpattern.Pattern) bool { return f.Match(r.json) })
}

// attempt hands a batch to the function until it takes it or the mapping's limits drop it, and reports whether to go on. A
// batch that fails blocks its lane, so that the function sees the records of a key in their order. made is how often these
// records have failed already: to split a batch is no attempt, and neither is one that did not reach the function.
//
// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html
func (l *lane) attempt(ctx context.Context, batch []record, made int32) bool {
	var last *attempted
	for backoff := firstBackoff; len(batch) > 0; backoff = min(2*backoff, lastBackoff) {
		if ctx.Err() != nil {
			return false
		}
		if batch = l.dropOld(ctx, batch, made, last); len(batch) == 0 {
			return true
		}
		call, failedAt, err := l.invoke(batch, nil)
		if call != nil {
			last = call
		}
		switch {
		case err == nil && failedAt == len(batch):
			return l.finish(batch, resultOK)
		case l.life.Err() != nil:
			return false
		case err == nil && failedAt > 0: // the records before it are done; the rest is a batch of its own
			if !l.finish(batch[:failedAt], resultOK) {
				return false
			}
			batch, made = batch[failedAt:], 0
		case err != nil && !errors.Is(err, errFunction):
			l.s.Log.Warn("event source mapping cannot invoke", "mapping", l.m.UUID, "function", l.m.Function, "error", err)
		case l.m.Retries >= 0 && made >= l.m.Retries:
			l.giveUp(ctx, batch, batchRetries, made+1, last)
			return l.finish(batch, resultError)
		case l.m.Bisect && len(batch) > 1:
			half := len(batch) / 2
			if !l.attempt(ctx, batch[:half], made) {
				return false
			}
			batch = batch[half:]
		default:
			made++
		}
		if l.s.sleep(ctx, backoff) != nil {
			return false
		}
	}
	return true
}

// dropOld leaves out the records at the front that are older than the mapping allows.
func (l *lane) dropOld(ctx context.Context, batch []record, made int32, last *attempted) []record {
	if l.m.MaxAge < 0 {
		return batch
	}
	oldest := l.s.Clock.Now().Add(-time.Duration(l.m.MaxAge) * time.Second)
	n := 0
	for n < len(batch) && batch[n].created.Before(oldest) {
		n++
	}
	if n > 0 {
		l.giveUp(ctx, batch[:n], batchAge, made, last)
		l.finish(batch[:n], resultOld)
	}
	return batch[n:]
}

// batchRecord is what a destination is told of a batch that was given up: as recorded, with the records themselves in a bucket alone.
//
// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
type batchRecord struct {
	RequestContext  requestOutcome `json:"requestContext"`
	ResponseContext *batchResponse `json:"responseContext,omitempty"`
	Version         string         `json:"version"`
	Timestamp       string         `json:"timestamp"`

	Payload *json.RawMessage `json:"payload,omitempty"`
}

type batchResponse struct {
	StatusCode      int     `json:"statusCode"`
	ExecutedVersion string  `json:"executedVersion"`
	FunctionError   *string `json:"functionError"` // null for failures that the function reports
}

// giveUp tells the mapping's destination of records that are not tried any more. made is how often the function had them, last what came
// of the latest attempt, nil if there was none.
func (l *lane) giveUp(ctx context.Context, batch []record, condition string, made int32, last *attempted) {
	if l.m.OnFailure == "" {
		return
	}
	now := l.s.Clock.Now()
	t := l.m.target()
	r := batchRecord{
		Version: "1.0", Timestamp: now.UTC().Format(recordTime),
		RequestContext: requestOutcome{FunctionARN: t.arn(), Condition: condition, ApproxInvoke: int(made)},
	}
	if last != nil {
		r.RequestContext.RequestID = last.requestID
		if condition == batchRetries { // recorded: not of records that are too old
			r.ResponseContext = &batchResponse{StatusCode: 200, ExecutedVersion: last.version}
			if last.failed {
				r.ResponseContext.FunctionError = new(unhandled)
			}
		}
	}
	if deliver.Service(l.m.OnFailure) == "s3" {
		payload := l.event(batch, nil)
		r.Payload = (*json.RawMessage)(&payload)
	}
	body, _ := json.Marshal(r) // nothing in it cannot be written
	name, info := l.source.batchInfo(l.shard, batch)
	more, _ := json.Marshal(map[string]any{name: info})
	body = append(append(body[:len(body)-1], ','), more[1:]...)
	l.s.send(ctx, t, l.m.OnFailure, deliver.Message{
		Body: string(body), Key: "aws/lambda/" + l.m.UUID + "/" + l.shard + now.UTC().Format("/2006/01/02/2006-01-02T15.04.05-") + l.s.IDs.UUID(),
	})
}

// errFunction is the function's own failure, as against that it was not run.
var errFunction = errors.New("the function failed")

// streamEvent is what a function is handed of a stream.
type streamEvent struct {
	Records []json.RawMessage `json:"Records"`
	*windowEvent
}

// event is the payload of a batch, in a window if the mapping has those.
func (p *poller) event(batch []record, w *windowEvent) []byte {
	ev := streamEvent{Records: make([]json.RawMessage, len(batch)), windowEvent: w}
	for i, r := range batch {
		ev.Records[i] = r.json
	}
	b, _ := json.Marshal(ev) // the records were JSON when they were read
	return b
}

// invoke hands the function a batch and returns the index of the first record that it reports as failed, len(batch) if there is
// none. With a window the function's new state is put into it. call is nil if the function was not run.
func (l *lane) invoke(batch []record, w *windowEvent) (call *attempted, failedAt int, err error) {
	payload := l.event(batch, w)
	l.s.mu.Lock()
	cause := l.cause
	l.s.mu.Unlock()
	ctx, span := trace.Start(trace.Join(l.life, cause, ""), "stream", l.m.Source)
	defer func() { span.End(err) }()
	span.Input(payload)
	c, err := l.s.callee(l.m.target())
	if err != nil {
		return nil, 0, err
	}
	r := *wire.From(ctx)
	r.ID = l.s.IDs.UUID()
	res, err := l.s.call(wire.WithRequest(ctx, &r), c, Event{Payload: payload})
	if err != nil {
		return nil, 0, err
	}
	call = &attempted{requestID: r.ID, version: c.Version, failed: res.Failed}
	if res.Failed {
		return call, 0, errFunction
	}
	if w != nil && !w.take(res.Payload) {
		call.failed = true
		return call, 0, errFunction
	}
	if !l.m.ReportsItems {
		return call, len(batch), nil
	}
	failedAt, err = firstFailure(res.Payload, batch)
	return call, failedAt, err
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
	if first == 0 && len(batch) > 0 {
		return 0, errFunction
	}
	return first, nil
}

// finish records that a batch needs no further attempt: of one lane among several that alone, as the others may be behind.
func (l *lane) finish(batch []record, result string) bool {
	if l.alone {
		return l.done(l.shard, batch, result)
	}
	return l.done("", nil, result)
}
