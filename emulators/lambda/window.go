package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"devstack/emulators/store"
)

// maxWindowState is how large the state of a window may become, in bytes, before the window is ended early.
//
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-windows.html
const maxWindowState = 1 << 20

// window is a tumbling window of a shard that is open, as it is stored.
type window struct {
	Start int64           // in seconds, a multiple of the mapping's TumblingWindowInSeconds
	State json.RawMessage // that the function returned last
}

// end is when the window is over.
func (w *window) end(m *mapping) time.Time { return time.Unix(w.Start+int64(m.Tumbling), 0) }

// windowEvent is what an event has of its window.
type windowEvent struct {
	Window struct {
		Start string `json:"start"` // 2020-07-30T17:00:00Z
		End   string `json:"end"`
	} `json:"window"`
	State     json.RawMessage `json:"state"`
	ShardID   string          `json:"shardId"`
	SourceARN string          `json:"eventSourceARN"`
	Final     bool            `json:"isFinalInvokeForWindow"`
	Early     bool            `json:"isWindowTerminatedEarly"`
}

// take takes the function's new state, and reports whether there is one: a function that returns none has failed. The answer to the last
// event of a window needs none, which is a guess.
func (w *windowEvent) take(payload []byte) bool {
	var answer struct{ State json.RawMessage }
	_ = json.Unmarshal(payload, &answer) // anything else has no state
	if len(answer.State) == 0 {
		return w.Final
	}
	w.State = answer.State
	return true
}

func (l *lane) windowEvent(w *window) *windowEvent {
	ev := &windowEvent{State: w.State, ShardID: l.shard, SourceARN: l.m.Source}
	ev.Window.Start = time.Unix(w.Start, 0).UTC().Format(time.RFC3339)
	ev.Window.End = w.end(&l.m).UTC().Format(time.RFC3339)
	return ev
}

// tumble hands records to the function in the windows that they belong to, by their instants. A window that a record lies beyond is
// ended first; a record that lies before the open window belongs to that one.
func (l *lane) tumble(ctx context.Context, batch []record) bool {
	for len(batch) > 0 {
		length := int64(l.m.Tumbling)
		start := batch[0].created.Unix() / length * length
		if w, open := l.m.Windows[l.shard]; open && start > w.Start {
			if !l.endWindow(ctx, w, false) {
				return false
			}
		}
		w, open := l.m.Windows[l.shard]
		if !open {
			w = window{Start: start, State: json.RawMessage("{}")}
		}
		n := 1
		for n < len(batch) && batch[n].created.Before(w.end(&l.m)) {
			n++
		}
		if !l.inWindow(ctx, batch[:n], w, 0) {
			return false
		}
		batch = batch[n:]
	}
	return true
}

// inWindow is attempt for records of one window: each answer's state goes with the next event.
func (l *lane) inWindow(ctx context.Context, batch []record, w window, made int32) bool {
	var last *attempted
	for backoff := firstBackoff; len(batch) > 0; backoff = min(2*backoff, lastBackoff) {
		if ctx.Err() != nil {
			return false
		}
		if batch = l.dropOld(ctx, batch, made, last); len(batch) == 0 {
			return true
		}
		if open, ok := l.m.Windows[l.shard]; ok {
			w = open
		}
		ev := l.windowEvent(&w)
		call, failedAt, err := l.invoke(batch, ev)
		if call != nil {
			last = call
		}
		if err == nil {
			l.m.Windows[l.shard] = window{w.Start, ev.State}
			if !l.finish(batch[:failedAt], resultOK) {
				return false
			}
			if len(ev.State) > maxWindowState && !l.endWindow(ctx, l.m.Windows[l.shard], true) {
				return false
			}
			if failedAt == len(batch) {
				return true
			}
			batch, made = batch[failedAt:], 0
		}
		switch {
		case l.life.Err() != nil:
			return false
		case err == nil: // the rest is a batch of its own
		case !errors.Is(err, errFunction):
			l.s.Log.Warn("event source mapping cannot invoke", "mapping", l.m.UUID, "function", l.m.Function, "error", err)
		case l.m.Retries >= 0 && made >= l.m.Retries:
			l.giveUp(ctx, batch, batchRetries, made+1, last)
			return l.finish(batch, resultError)
		case l.m.Bisect && len(batch) > 1:
			half := len(batch) / 2
			if !l.inWindow(ctx, batch[:half], w, made) {
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

// endWindow hands the function the last event of a window: no records, and what became of the state. A window whose last event fails as
// often as the mapping allows is dropped.
func (l *lane) endWindow(ctx context.Context, w window, early bool) bool {
	backoff := firstBackoff
	for made := int32(0); ; {
		ev := l.windowEvent(&w)
		ev.Final, ev.Early = true, early
		_, _, err := l.invoke(nil, ev)
		switch {
		case l.life.Err() != nil:
			return false
		case err == nil:
			delete(l.m.Windows, l.shard)
			return l.done("", nil, resultOK)
		case errors.Is(err, errFunction) && l.m.Retries >= 0 && made >= l.m.Retries:
			delete(l.m.Windows, l.shard)
			return l.done("", nil, resultError)
		case errors.Is(err, errFunction):
			made++
		}
		if l.s.sleep(ctx, backoff) != nil {
			return false
		}
		backoff = min(2*backoff, lastBackoff)
	}
}

// closeWindow ends the window of a shard that has no more records for it: its time is over, or the shard is.
func (p *poller) closeWindow(ctx context.Context, shard string, over bool) bool {
	w, open := p.m.Windows[shard]
	if !open || !over && p.s.Clock.Now().Before(w.end(&p.m)) {
		return true
	}
	return (&lane{p, shard, true}).endWindow(ctx, w, false)
}

// done records that a batch of a shard needs no further attempt, with the windows that are open; without a shard the result alone.
func (p *poller) done(shard string, batch []record, result string) bool {
	p.noting.Lock()
	defer p.noting.Unlock()
	if len(batch) > 0 {
		p.m.Read[shard] = batch[len(batch)-1].sequence
	}
	if result != "" {
		p.m.LastResult = result
	}
	err := p.s.Store.Update(func(tx *store.Tx) error {
		m, ok := mappings.Get(tx, p.m.Account, p.m.Region, p.m.UUID)
		if !ok {
			return nil // deleted meanwhile
		}
		m.Read, m.Windows, m.LastResult = p.m.Read, p.m.Windows, p.m.LastResult
		mappings.Put(tx, m, m.Account, m.Region, m.UUID)
		return nil
	})
	if err != nil {
		p.s.Log.Error("event source mapping cannot keep its progress", "mapping", p.m.UUID, "error", err)
	}
	return err == nil
}
