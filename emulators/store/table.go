package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"

	"go.etcd.io/bbolt"
)

// Tx is a transaction. It is of no use once the function that it was handed to has returned.
type Tx struct {
	tx       *bbolt.Tx
	snapshot *snapshot // of a View
	dirty    bool      // something was written
	read     int       // keys that were looked up or walked over

	dropped bool // a bucket was set aside, to be deleted later
}

// failure carries an error out of a table's method to View or Update, which return it. It means a damaged file or a full
// disk: nothing that the code in between could handle.
type failure struct{ err error }

// Table is a typed table: JSON values under composite keys (see Key), in the order of the keys.
type Table[V any] struct{ name string }

// NewTable declares a table. It exists in every store; its contents belong to the store.
func NewTable[V any](name string) Table[V] { return Table[V]{name} }

// Get returns the value under a key, and whether there is one.
func (t Table[V]) Get(tx *Tx, key ...any) (V, bool) {
	b := tx.Bucket(t.name).Get(Key(key...))
	if b == nil {
		var zero V
		return zero, false
	}
	return t.decode(b), true
}

// Put stores a value under a key, in place of what was there.
func (t Table[V]) Put(tx *Tx, v V, key ...any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(failure{fmt.Errorf("store: table %s: %w", t.name, err)})
	}
	tx.Bucket(t.name).Put(Key(key...), b)
}

// Delete removes a key and reports whether it was there.
func (t Table[V]) Delete(tx *Tx, key ...any) bool {
	b, k := tx.Bucket(t.name), Key(key...)
	if b.Get(k) == nil {
		return false
	}
	b.Delete(k)
	return true
}

// All yields the values whose keys begin with the given parts, in the order of the keys. The table must not be written
// while it is read; collect first.
func (t Table[V]) All(tx *Tx, prefix ...any) iter.Seq[V] { return t.from(tx, Key(prefix...), nil) }

// After yields what All yields, from the first key that lies after the key prefix+after.
func (t Table[V]) After(tx *Tx, after []any, prefix ...any) iter.Seq[V] {
	return t.from(tx, Key(prefix...), Key(append(prefix[:len(prefix):len(prefix)], after...)...))
}

// Before yields, in reverse order, the values whose keys begin with prefix and lie before the key prefix+before; with a nil
// before all of them, the last first.
func (t Table[V]) Before(tx *Tx, before []any, prefix ...any) iter.Seq[V] {
	p := Key(prefix...)
	end := successor(p)
	if before != nil {
		end = Key(append(prefix[:len(prefix):len(prefix)], before...)...)
	}
	return func(yield func(V) bool) {
		for k, v := range tx.Bucket(t.name).Descend(end) {
			if !bytes.HasPrefix(k, p) || !yield(t.decode(v)) {
				return
			}
		}
	}
}

// successor is the first key after all that begin with p, nil if there is none.
func successor(p []byte) []byte {
	end := bytes.TrimRight(p, "\xff")
	if len(end) == 0 {
		return nil
	}
	end = bytes.Clone(end)
	end[len(end)-1]++
	return end
}

func (t Table[V]) from(tx *Tx, prefix, after []byte) iter.Seq[V] {
	return func(yield func(V) bool) {
		start := prefix
		if after != nil {
			start = after
		}
		for k, v := range tx.Bucket(t.name).Ascend(start) {
			if !bytes.HasPrefix(k, prefix) {
				return
			}
			if after != nil && bytes.HasPrefix(k, after) {
				continue
			}
			if !yield(t.decode(v)) {
				return
			}
		}
	}
}

// Clear removes every key that begins with the given parts.
func (t Table[V]) Clear(tx *Tx, prefix ...any) {
	b, p := tx.Bucket(t.name), Key(prefix...)
	var keys [][]byte
	for k := range b.Ascend(p) {
		if !bytes.HasPrefix(k, p) {
			break
		}
		keys = append(keys, bytes.Clone(k))
	}
	for _, k := range keys {
		b.Delete(k)
	}
}

func (t Table[V]) decode(b []byte) (v V) {
	if err := json.Unmarshal(b, &v); err != nil {
		panic(failure{&contentError{t.name, err}})
	}
	return v
}

// Bucket is the level below Table: bytes under bytes, for a service with an encoding of its own.
type Bucket struct {
	tx *Tx
	b  *bbolt.Bucket // nil: nothing was ever written, and this transaction only reads
}

// fill is how full the first of two pages is that one becomes. Most of what is written goes behind what was written before (times,
// counters), and with bbolt's half, pages would stay half empty for ever. Keys in no order fill them almost as well.
const fill = 0.85

// Bucket returns the bucket of a name, empty if it was never written to.
func (tx *Tx) Bucket(name string) Bucket {
	if tx.snapshot != nil {
		return Bucket{tx, tx.snapshot.bucket(name)}
	}
	b := tx.tx.Bucket([]byte(name))
	if b == nil {
		var err error
		if b, err = tx.tx.CreateBucket([]byte(name)); err != nil {
			panic(failure{fmt.Errorf("store: bucket %q: %w", name, err)})
		}
	}
	b.FillPercent = fill
	return Bucket{tx, b}
}

// Version numbers what a View sees: two Views of one number see the same. It is 0 in an Update, where what is seen may change.
func (tx *Tx) Version() int {
	if tx.snapshot == nil {
		return 0
	}
	return tx.tx.ID()
}

// Get returns the value under a key, nil if there is none. The bytes are valid only inside the transaction, and only to read.
func (b Bucket) Get(key []byte) []byte {
	if b.b == nil {
		return nil
	}
	b.tx.read++
	return b.b.Get(key)
}

// Put stores a value under a key, in place of what was there. Neither may be changed before the transaction ends.
func (b Bucket) Put(key, value []byte) {
	b.tx.dirty = true
	if err := b.b.Put(key, value); err != nil {
		panic(failure{fmt.Errorf("store: %w", err)})
	}
}

// Delete removes a key, if it is there.
func (b Bucket) Delete(key []byte) {
	b.tx.dirty = true
	if err := b.b.Delete(key); err != nil {
		panic(failure{fmt.Errorf("store: %w", err)})
	}
}

// Ascend yields keys and values in order, from the first key that is not before start.
func (b Bucket) Ascend(start []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		if b.b == nil {
			return
		}
		c := b.b.Cursor()
		for k, v := c.Seek(start); k != nil; k, v = c.Next() {
			if b.tx.read++; !yield(k, v) {
				return
			}
		}
	}
}

// Descend yields keys and values in reverse order, from the last key that is before end; from the last of all if end is nil.
func (b Bucket) Descend(end []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		if b.b == nil {
			return
		}
		c := b.b.Cursor()
		var k, v []byte
		if end == nil {
			k, v = c.Last()
		} else if k, _ = c.Seek(end); k == nil {
			k, v = c.Last()
		} else {
			k, v = c.Prev()
		}
		for ; k != nil; k, v = c.Prev() {
			if b.tx.read++; !yield(k, v) {
				return
			}
		}
	}
}
