package dynamodb

import (
	"bytes"
	"slices"
	"testing"

	"devstack/emulators/store"
)

// checkAll checks every table against its items, and every stream against its table. The streams are those that have been there
// since their tables were empty, with both images, and have lost no record to their age.
func (c *cloud) checkAll(t *testing.T, step int) {
	t.Helper()
	var names []string
	err := c.store.View(func(tx *store.Tx) error {
		names = nil
		for tab := range tables.All(tx) {
			names = append(names, tab.Name)
			if tab.View != "" {
				checkStreamOf(t, tx, &tab)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		c.checkTableOf(t, name, step)
	}
}

// checkStreamOf plays a stream's records and compares what they come to with the table's items.
func checkStreamOf(t *testing.T, tx *store.Tx, tab *table) {
	t.Helper()
	state := map[string][]byte{} // an encoded item, by its encoded key
	b := tx.Bucket((&stream{ARN: tab.StreamARN}).records())
	next := uint64(1)
	for key, value := range b.Ascend(recordKey(0)) {
		n, ok := recordNumber(key)
		if !ok {
			break
		}
		if n != next {
			t.Errorf("record %d of %s comes where %d should", n, tab.Name, next)
		}
		next = n + 1
		flags, keys, old, fresh, err := streamRecord(value).parts()
		if err != nil {
			t.Fatal(err)
		}
		if was, had := state[string(keys)]; had != (flags&hadOld != 0) || !bytes.Equal(was, old) {
			t.Errorf("record %d of %s replaces %q, but there was %q", n, tab.Name, old, was)
		}
		if delete(state, string(keys)); flags&hasNew != 0 {
			state[string(keys)] = fresh
		}
	}
	if got := nextIn(b); got != next {
		t.Errorf("the next record of %s has the number %d, want %d", tab.Name, got, next)
	}
	for _, value := range tx.Bucket(tab.items()).Ascend(nil) {
		key := string(tab.keyOf(record(value), nil).encoded())
		if !bytes.Equal(state[key], record(value).encoded()) {
			t.Errorf("the stream of %s makes %q, the table has %q", tab.Name, state[key], record(value).encoded())
		}
		delete(state, key)
	}
	if len(state) > 0 {
		t.Errorf("the stream of %s makes %d items that the table does not have", tab.Name, len(state))
	}
}

// TestTheChecksNoticeDamage damages what follows from the items, each in its own way: a check that cannot fail proves nothing.
func TestTheChecksNoticeDamage(t *testing.T) {
	first := func(b store.Bucket) (key, value []byte) {
		for k, v := range b.Ascend([]byte{1}) {
			return slices.Clone(k), slices.Clone(v)
		}
		t.Fatal("there is nothing to damage")
		return nil, nil
	}
	for _, tt := range []struct {
		name   string
		damage func(tx *store.Tx, tab *table)
	}{
		{"an index entry is missing", func(tx *store.Tx, tab *table) {
			b := tx.Bucket(tab.entries(&tab.Indexes[0]))
			key, _ := first(b)
			b.Delete(key)
		}},
		{"an index entry is left over", func(tx *store.Tx, tab *table) {
			b := tx.Bucket(tab.entries(&tab.Indexes[1]))
			key, value := first(b)
			b.Put(append(key, 1), value)
		}},
		{"a count is wrong", func(tx *store.Tx, tab *table) { tab.add(tx, nil, counts{items: 1}) }},
		{"an expiry is missing", func(tx *store.Tx, tab *table) {
			b := tx.Bucket(tab.expiries())
			for key := range b.Ascend(nil) {
				b.Delete(slices.Clone(key))
				break
			}
		}},
		{"a record is missing", func(tx *store.Tx, tab *table) {
			b := tx.Bucket((&stream{ARN: tab.StreamARN}).records())
			key, _ := first(b)
			b.Delete(key)
		}},
		{"an item is lost", func(tx *store.Tx, tab *table) {
			b := tx.Bucket(tab.items())
			for key := range b.Ascend(nil) {
				b.Delete(slices.Clone(key))
				break
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := open(t)
			createKilled(t, c)
			for n := range 40 {
				c.call(killedWrite(0, n))
			}
			c.checkAll(t, 0)
			if t.Failed() {
				return
			}
			err := c.store.Update(func(tx *store.Tx) error {
				tab, _ := tables.Get(tx, "000000000000", "us-east-1", "things")
				tt.damage(tx, &tab)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if !noticed(c) {
				t.Error("nobody noticed")
			}
		})
	}
}

// noticed tells whether checkAll finds fault.
func noticed(c *cloud) bool {
	var inner testing.T
	done := make(chan struct{})
	go func() { // which may end with FailNow
		defer close(done)
		c.checkAll(&inner, 0)
	}()
	<-done
	return inner.Failed()
}
