package dynamodb

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"time"

	"devstack/emulators/dynamodb/item"
	"devstack/emulators/store"
)

// entry is an item as one of the indexes shows it.
type entry struct {
	key   []byte
	value record
}

// entryOf returns the entry of an item in an index; there is none if an attribute of the index's key is missing. itemKey is
// the item's own, whose part after the hash makes the entry's key the item's alone.
func (t *table) entryOf(x *index, stored record, itemKey []byte) (entry, bool) {
	if stored == nil {
		return entry{}, false
	}
	key, ok := x.Key.appendKey(make([]byte, 0, 96), stored)
	if !ok {
		return entry{}, false
	}
	return entry{append(key, itemKey[hashSize:]...), t.project(x, stored)}, true
}

// project returns what an index keeps of an item.
func (t *table) project(x *index, stored record) record {
	if x.Projection == ProjectionTypeAll {
		return stored
	}
	return stored.only(append(t.keyNames(x), x.Include...))
}

// change is the replacement of an item by another, of nothing by an item, or of an item by nothing.
type change struct {
	table *table
	key   []byte
	old   record // shares the store's memory
	new   record
	byTTL bool

	replicated bool // it comes from another replica of the table
	copied     bool // it is not new: streams do not tell of it
}

// effects are what follows a commit. A transaction that is run again begins with none.
type effects struct {
	streams []string  // their ARNs: they have new records
	expiry  time.Time // when the first of the items written expires; zero: none does
}

// apply writes a change with all that follows from it: index entries, counts, expiry, stream. A change of nothing writes
// nothing, not even a stream record.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
func (c *change) apply(tx *store.Tx, now time.Time, e *effects) (used writeUnits) {
	used.table = writeUnitsFor(max(c.old.size(), c.new.size()))
	if bytes.Equal(c.old, c.new) {
		return used
	}
	t := c.table
	if t.View != "" && !c.copied {
		appendStream(tx, c, now)
		e.streams = append(e.streams, t.StreamARN)
	}
	c.keepOld(tx)
	if t.Recovery != nil {
		c.journal(tx, now)
	}
	used.indexes = make([]float64, len(t.Indexes))
	for i := range t.Indexes {
		if x := &t.Indexes[i]; x.Filled.covers(c.key) {
			used.indexes[i] = c.applyIndex(tx, x)
		}
	}
	if t.TTL != "" && t.Listed.covers(c.key) {
		c.applyExpiry(tx, now, e)
	}
	t.add(tx, nil, difference(c.old, c.new))
	if c.new == nil {
		tx.Bucket(t.items()).Delete(c.key)
	} else {
		tx.Bucket(t.items()).Put(c.key, c.new)
	}
	if t.Global != nil && !c.replicated {
		c.replicate(tx, now, e)
	}
	return used
}

// difference is what a change adds to the counts.
func difference(old, fresh record) counts {
	d := counts{bytes: int64(fresh.size() - old.size())}
	switch {
	case old == nil && fresh != nil:
		d.items = 1
	case old != nil && fresh == nil:
		d.items = -1
	}
	return d
}

// applyIndex moves a change on to an index and returns the write units that it costs there: one write if an entry comes,
// goes or changes, two if it moves, none if the index does not see the change.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations.Writes
func (c *change) applyIndex(tx *store.Tx, x *index) (units float64) {
	t := c.table
	old, had := t.entryOf(x, c.old, c.key)
	fresh, has := t.entryOf(x, c.new, c.key)
	stays := had && has && bytes.Equal(old.key, fresh.key)
	if !had && !has || stays && bytes.Equal(old.value, fresh.value) {
		return 0
	}
	bucket := tx.Bucket(t.entries(x))
	if had && !stays {
		bucket.Delete(old.key)
		units += writeUnitsFor(old.value.size())
	}
	if has {
		bucket.Put(fresh.key, fresh.value)
		size := fresh.value.size()
		if stays {
			size = max(size, old.value.size())
		}
		if !stays || !sameItem(old.value, fresh.value) {
			units += writeUnitsFor(size)
		}
	}
	t.add(tx, x, difference(old.value, fresh.value))
	return units
}

// sameItem tells whether two records are of equal items. That a set has its members in another order does not count, for
// which an index is not charged: https://github.com/nubo-db/dynoxide/issues/176
func sameItem(a, b record) bool {
	if len(a) != len(b) {
		return false
	}
	i, err := a.decode()
	j, err2 := b.decode()
	return err == nil && err2 == nil && maps.EqualFunc(i, j, item.Value.Equal)
}

// applyExpiry keeps the list of what expires when.
func (c *change) applyExpiry(tx *store.Tx, now time.Time, e *effects) {
	old, had := expiryOf(c.table.TTL, c.old)
	fresh, has := expiryOf(c.table.TTL, c.new)
	bucket := tx.Bucket(c.table.expiries())
	if had && (!has || !old.Equal(fresh)) {
		bucket.Delete(expiryKey(old, c.key))
	}
	if has {
		bucket.Put(expiryKey(fresh, c.key), []byte{})
		if fresh.After(now.Add(-tooOld)) && (e.expiry.IsZero() || fresh.Before(e.expiry)) {
			e.expiry = fresh
		}
	}
}

// find reads an item by its key attributes.
func (t *table) find(tx *store.Tx, key record) (storeKey []byte, stored record) {
	storeKey, _ = t.Key.appendKey(make([]byte, 0, 64), key)
	return storeKey, record(tx.Bucket(t.items()).Get(storeKey))
}

// update runs f in a transaction and, once it is committed, tells those who wait for what it has changed.
func (s *service) update(ctx context.Context, f func(tx *store.Tx, e *effects) error) error {
	var e effects
	err := s.Store.Update(func(tx *store.Tx) error {
		e = effects{}
		return f(tx, &e)
	})
	if err != nil {
		return err
	}
	for i, arn := range e.streams {
		if !slices.Contains(e.streams[:i], arn) {
			s.opts.OnStreamWrite(ctx, arn)
		}
	}
	if !e.expiry.IsZero() {
		s.expiry.due(e.expiry)
	}
	return nil
}
