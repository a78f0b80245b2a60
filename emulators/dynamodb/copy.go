package dynamodb

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"time"

	"devstack/emulators/store"
)

// A new index, a list of expiries, a replica, a backup and a restored table are made of all items of a table. That goes in steps, each a
// transaction of its own, so that writers wait for no more than one and no more than one is held in memory. The first is done by the
// call that asks for it: of a small table it is all.

// reach is how far such a work has come, in the order of the items' keys. What is made has exactly what follows from the items up
// to the key To: a change of one of those goes on to it in the same transaction, any other is left to the step that gets there. nil: it
// has all.
type reach struct{ To []byte }

func (r *reach) covers(key []byte) bool { return r == nil || bytes.Compare(key, r.To) <= 0 }

// next is the first key that is not covered.
func (r *reach) next() []byte { return append(bytes.Clone(r.To), 0) }

// stepSize is how much of a table one step takes.
type stepSize struct{ items, bytes int }

// The steps take a few milliseconds, most of it for the pages of an index over which the entries are spread. The first may be longer:
// there is only one, and what it completes is there when the call returns.
var (
	firstStep = stepSize{items: 1000, bytes: 1 << 20}
	nextStep  = stepSize{items: 250, bytes: 256 << 10}
)

// walk hands f the next step of items, which begin where the reach ends, and returns the reach that there is then.
func (size stepSize) walk(items iter.Seq2[[]byte, record], f func(key []byte, stored record)) *reach {
	var last []byte
	for key, stored := range items {
		if size.items == 0 || size.bytes <= 0 {
			return &reach{last}
		}
		last = bytes.Clone(key)
		f(last, bytes.Clone(stored))
		size.items--
		size.bytes -= len(stored)
	}
	return nil
}

// recordsOf yields those of a bucket from a key on.
func recordsOf(tx *store.Tx, bucket string, from []byte) iter.Seq2[[]byte, record] {
	return func(yield func([]byte, record) bool) {
		for key, stored := range tx.Bucket(bucket).Ascend(from) {
			if !yield(key, stored) {
				return
			}
		}
	}
}

// fillIndex does a step towards a new index.
func (t *table) fillIndex(tx *store.Tx, x *index, size stepSize) {
	entries := tx.Bucket(t.entries(x))
	var n counts
	x.Filled = size.walk(recordsOf(tx, t.items(), x.Filled.next()), func(key []byte, stored record) {
		if e, ok := t.entryOf(x, stored, key); ok {
			entries.Put(e.key, e.value)
			n.items++
			n.bytes += int64(e.value.size())
		}
	})
	t.add(tx, x, n)
}

// listExpiries does a step towards the list of the expiries of the items that the table has already.
func (t *table) listExpiries(tx *store.Tx, size stepSize, now time.Time, e *effects) {
	var found []change
	t.Listed = size.walk(recordsOf(tx, t.items(), t.Listed.next()), func(key []byte, stored record) {
		found = append(found, change{table: t, key: key, new: stored})
	})
	for _, c := range found {
		c.applyExpiry(tx, now, e)
	}
}

// take does a step towards having the items of a bucket. No stream tells of them.
func (t *table) take(tx *store.Tx, items iter.Seq2[[]byte, record], size stepSize, now time.Time, e *effects) *reach {
	var found []change
	reached := size.walk(items, func(key []byte, stored record) {
		if stored != nil {
			found = append(found, change{table: t, key: key, new: stored, replicated: true, copied: true})
		}
	})
	for _, c := range found {
		c.apply(tx, now, e)
	}
	return reached
}

// unfilled is an index that is still being filled, nil if there is none.
func (t *table) unfilled() *index {
	i := slices.IndexFunc(t.Indexes, func(x index) bool { return x.Filled != nil })
	if i < 0 {
		return nil
	}
	return &t.Indexes[i]
}

// busy tells whether there are steps to be done for the table.
func (t *table) busy() bool {
	return t.unfilled() != nil || t.Listed != nil || len(t.Copies) > 0 || len(t.Snapshots) > 0 || t.source() != nil
}

// source is the backup of which the table is being made, nil if it is not.
func (t *table) source() *origin {
	m := t.under(creating)
	if t.Copied == nil || m == nil || m.From == nil || m.From.Backup == "" {
		return nil
	}
	return m.From
}

// works tells whether a transition has something left to do, and so cannot be over yet.
func (t *table) works(m *transition) bool {
	switch m.Kind {
	case creating:
		return t.Copied != nil
	case addingIndex:
		x, ok := t.index(m.Index.Name)
		return ok && x.Filled != nil
	case expiring:
		return t.Listed != nil
	case regrouping:
		return len(t.Copies) > 0
	}
	return false
}

// step does the next step for a table, and reports whether there is another.
func (s *service) step(tx *store.Tx, id tableID, now time.Time, e *effects) (more bool) {
	t, ok := tables.Get(tx, id.account, id.region, id.name)
	if !ok || !t.busy() {
		return false
	}
	switch x := t.unfilled(); {
	case x != nil:
		t.fillIndex(tx, x, s.opts.step)
	case t.Listed != nil:
		t.listExpiries(tx, s.opts.step, now, e)
	case t.source() != nil:
		a, _ := parseARN(t.source().Backup, "backup")
		b, _ := backups.Get(tx, a.account, a.region, a.id, a.table)
		t.Copied = t.take(tx, recordsOf(tx, b.Bucket, t.Copied.next()), s.opts.step, now, e)
	case len(t.Copies) > 0:
		t.copyOn(tx, s.opts.step, now, e)
	default:
		t.advance(tx, 0, s.opts.step, now, e)
	}
	left := t.settle(now)
	if left == nil { // deleted meanwhile
		return false
	}
	left.put(tx)
	return left.busy()
}

// copier does the steps that calls have left, one after the other.
type copier struct {
	s       *service
	mu      sync.Mutex
	running bool
	again   bool // there may be new work
}

func (w *copier) start(s *service) {
	w.s = s
	s.Clock.AfterFunc(startDelay, w.wake)
}

// wake has it look for work, after the commit of a call that has left some.
func (w *copier) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.again = true; !w.running {
		w.running = true
		go w.run()
	}
}

func (w *copier) wakeIf(busy bool) {
	if busy {
		w.wake()
	}
}

// asked tells whether to look for work; if not, it is at rest from now on.
func (w *copier) asked() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running, w.again = w.again, false
	return w.running
}

// retryAfter is when steps that the disk did not take are tried again.
const retryAfter = 10 * time.Second

func (w *copier) run() {
	for w.asked() {
		err := w.work()
		if err == nil || errors.Is(err, store.ErrClosed) {
			continue
		}
		w.s.Log.Error("dynamodb: copy items", "error", err)
		if _, full := errors.AsType[*store.WriteError](err); full {
			w.s.Clock.AfterFunc(retryAfter, w.wake)
		}
	}
}

// work does all steps of the tables that are busy now.
func (w *copier) work() error {
	var busy []tableID
	err := w.s.Store.View(func(tx *store.Tx) error {
		busy = nil
		for t := range tables.All(tx) {
			if t.busy() {
				busy = append(busy, tableID{t.Account, t.Region, t.Name})
			}
		}
		return nil
	})
	for _, id := range busy {
		for more := true; more && err == nil; {
			err = w.s.update(context.Background(), func(tx *store.Tx, e *effects) error {
				more = w.s.step(tx, id, w.s.Clock.Now(), e)
				return nil
			})
			w.s.Store.Trim()
		}
	}
	return err
}
