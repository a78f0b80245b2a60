package dynamodb

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"sync"
	"time"

	"devstack/emulators/dynamodb/item"
	"devstack/emulators/store"
	"devstack/emulators/wire"
	"devstack/internal/clock"
)

// tooOld is how far in the past an expiry may lie. What is older is taken for a mistake and the item kept.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html
const tooOld = 5 * 365 * 24 * time.Hour

// What AWS says of changes that change nothing, and of those too soon after another (observed in October 2026).
const (
	msgTTLEnabled  = "TimeToLive is already enabled"
	msgTTLDisabled = "TimeToLive is already disabled"
	msgTTLOther    = "TimeToLive is active on a different AttributeName: current AttributeName is %s"
	msgTTLTooSoon  = "Time to live has been modified multiple times within a fixed interval"
)

// UpdateTimeToLive says which attribute holds the second, counted from 1970, at which an item expires. It takes effect at
// once, and an item is deleted in the second in which it expires, where AWS takes days. With Options.Transition it is ENABLING
// or DISABLING for that long, deletes nothing yet, and may not be changed again; without, it may be changed at any time.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTimeToLive.html
func (s *service) UpdateTimeToLive(ctx context.Context, in *UpdateTimeToLiveInput) (*UpdateTimeToLiveOutput, error) {
	r, now := wire.From(ctx), s.Clock.Now()
	spec := in.TimeToLiveSpecification
	busy := false
	err := s.update(ctx, func(tx *store.Tx, e *effects) error {
		t, err := s.tableToUse(tx, r, *in.TableName)
		if err != nil {
			return err
		}
		switch {
		case t.TTL == "" && !*spec.Enabled:
			return errValidation(msgTTLDisabled)
		case t.TTL != "" && t.TTL != *spec.AttributeName:
			return errValidation(msgTTLOther, t.TTL)
		case t.TTL != "" && *spec.Enabled:
			return errValidation(msgTTLEnabled)
		}
		if t.strong() {
			return errValidation(msgStrongWithout, "TimeToLive")
		}
		if err := t.checkExpiring(); err != nil {
			return err
		}
		t.begin(transition{Kind: expiring, To: t.TTL}, now, s.opts.Transition)
		attribute := ""
		if *spec.Enabled {
			attribute = *spec.AttributeName
		}
		for _, region := range t.others() {
			replica := t.replica(tx, region)
			replica.begin(transition{Kind: expiring, To: replica.TTL}, now, s.opts.Transition)
			replica.expireBy(tx, attribute, s.opts.first, now, e)
		}
		t.expireBy(tx, attribute, s.opts.first, now, e)
		busy = t.busy() || t.Global != nil
		return nil
	})
	s.wake(now, err)
	s.copies.wakeIf(busy && err == nil)
	return &UpdateTimeToLiveOutput{TimeToLiveSpecification: spec}, err
}

// checkExpiring refuses a change of the time to live while the table or its time to live is changing.
func (t *table) checkExpiring() error {
	switch {
	case t.under(creating) != nil:
		return inUse("Table %s is being created", t.Name)
	case t.under(deleting) != nil:
		return t.checkPresent()
	case t.under(expiring) != nil:
		return errValidation(msgTTLTooSoon)
	}
	return nil
}

// expireBy sets the attribute of expiry, "" for none.
func (t *table) expireBy(tx *store.Tx, attribute string, size stepSize, now time.Time, e *effects) {
	t.TTL = attribute
	if attribute == "" {
		tx.DropBucket(t.expiries())
	} else {
		t.Listed = &reach{}
		t.listExpiries(tx, size, now, e)
	}
	t.settle(now).put(tx)
}

// DescribeTimeToLive tells which attribute holds the expiry.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTimeToLive.html
func (s *service) DescribeTimeToLive(ctx context.Context, in *DescribeTimeToLiveInput) (*DescribeTimeToLiveOutput, error) {
	r, d := wire.From(ctx), &TimeToLiveDescription{TimeToLiveStatus: new(TimeToLiveStatusDisabled)}
	err := s.Store.View(func(tx *store.Tx) error {
		t, err := s.tableToUse(tx, r, *in.TableName)
		if err != nil {
			return err
		}
		if status := t.status(); status == TableStatusCreating || status == TableStatusDeleting {
			return errValidation("Cannot describe time to live while table is in %[1]s state: Current table state is %[1]s", status)
		}
		if t.TTL != "" {
			d.TimeToLiveStatus, d.AttributeName = new(TimeToLiveStatusEnabled), new(t.TTL)
		}
		switch m := t.under(expiring); {
		case m != nil && t.TTL != "":
			d.TimeToLiveStatus = new(TimeToLiveStatusEnabling)
		case m != nil:
			d.TimeToLiveStatus, d.AttributeName = new(TimeToLiveStatusDisabling), new(m.To)
		}
		return nil
	})
	return &DescribeTimeToLiveOutput{TimeToLiveDescription: d}, err
}

// expiryOf is the instant at which an item expires, and whether it does. Its attribute must be a number.
func expiryOf(attribute string, stored record) (time.Time, bool) {
	if stored == nil {
		return time.Time{}, false
	}
	v, ok := stored.Lookup(attribute)
	if !ok || v.Kind() != item.N {
		return time.Time{}, false
	}
	whole, _, _ := strings.Cut(v.Text(), ".")
	if len(whole) > 11 || strings.HasPrefix(whole, "-") {
		return time.Time{}, false // later than the year 5138
	}
	var seconds int64
	for _, d := range whole {
		seconds = seconds*10 + int64(d-'0')
	}
	return time.Unix(seconds, 0).UTC(), true
}

// expiryKey orders items by the second in which they expire.
func expiryKey(at time.Time, itemKey []byte) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(at.Unix())), itemKey...)
}

// sweeper deletes what has expired, as soon as the second of its expiry is over, and ends transitions.
type sweeper struct {
	s    *service
	mu   sync.Mutex
	next time.Time // when the next sweep is due; zero: none is
	stop func() bool
}

// startDelay is how long after its start the emulator looks for what has expired meanwhile. A daemon that nobody asks for a
// table should not have to open the file at once.
const startDelay = time.Second

func (w *sweeper) start(s *service) {
	w.s = s
	w.due(s.Clock.Now().Add(startDelay))
}

// due sees to it that there is a sweep once the second at has passed; in a second, if it has.
func (w *sweeper) due(at time.Time) {
	now := w.s.Clock.Now()
	if at = at.Add(time.Second); !at.After(now) {
		at = now.Add(time.Second)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.next.IsZero() && !at.Before(w.next) {
		return
	}
	if w.stop != nil {
		w.stop()
	}
	w.next = at
	w.stop = clock.At(w.s.Clock, at, w.sweep)
}

// sweepBatch bounds the deletions of one transaction.
const sweepBatch = 100

// sweep deletes what has expired and arranges for the next time.
func (w *sweeper) sweep() {
	w.mu.Lock()
	w.next, w.stop = time.Time{}, nil
	w.mu.Unlock()
	for more := true; more; {
		now := w.s.Clock.Now()
		var next time.Time
		err := w.s.update(context.Background(), func(tx *store.Tx, e *effects) error {
			more, next = w.s.deleteExpired(tx, now, e)
			return nil
		})
		if err != nil {
			if !errors.Is(err, store.ErrClosed) {
				w.s.Log.Error("dynamodb: delete expired items", "error", err)
			}
			return
		}
		if !more && !next.IsZero() {
			w.due(next)
		}
	}
}

// deleteExpired deletes up to a batch of expired items. It reports whether there may be more, and when the next expires.
func (s *service) deleteExpired(tx *store.Tx, now time.Time, e *effects) (more bool, next time.Time) {
	left := sweepBatch
	next = s.finish(tx, now)
	for t := range tables.All(tx) {
		if t.TTL == "" || t.under(expiring) != nil {
			continue
		}
		expired, first := t.expired(tx, now, left)
		for _, key := range expired {
			c := change{table: &t, key: key[8:], old: record(tx.Bucket(t.items()).Get(key[8:])), byTTL: true}
			c.apply(tx, now, e)
		}
		if left -= len(expired); left == 0 {
			return true, time.Time{}
		}
		if !first.IsZero() && (next.IsZero() || first.Before(next)) {
			next = first
		}
	}
	return false, next
}

// expired returns up to n keys of the list of expiries that have passed, and the first instant that has not.
func (t *table) expired(tx *store.Tx, now time.Time, n int) (keys [][]byte, first time.Time) {
	for key := range tx.Bucket(t.expiries()).Ascend(expiryKey(now.Add(-tooOld), nil)) {
		at := time.Unix(int64(binary.BigEndian.Uint64(key)), 0).UTC()
		if at.Unix() >= now.Unix() {
			return keys, at
		}
		if len(keys) == n {
			break
		}
		keys = append(keys, bytes.Clone(key))
	}
	return keys, time.Time{}
}
