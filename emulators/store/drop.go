package store

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// dropped is a bucket with the buckets that were dropped, each in one of its own under a number: names may come again.
var dropped = []byte("store/dropped")

// dropStep is how many keys one transaction deletes of a dropped bucket.
const dropStep = 1000

// DropBucket removes a bucket with all that is in it. A large one is only put aside: it is deleted in the background, a step at a time,
// and at the next start what is left of it.
func (tx *Tx) DropBucket(name string) {
	b := tx.tx.Bucket([]byte(name))
	if b == nil {
		return
	}
	tx.dirty = true
	var err error
	if fewer(b, dropStep) {
		err = tx.tx.DeleteBucket([]byte(name))
	} else {
		err = tx.setAside([]byte(name))
	}
	if err != nil && err != bolterrors.ErrBucketNotFound {
		panic(failure{fmt.Errorf("store: bucket %q: %w", name, err)})
	}
}

// fewer tells whether a bucket has fewer keys than n.
func fewer(b *bbolt.Bucket, n int) bool {
	c := b.Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		if n--; n <= 0 {
			return false
		}
	}
	return true
}

// setAside moves a bucket to those that were dropped. What this transaction has written into it is not moved, nor needed.
func (tx *Tx) setAside(name []byte) error {
	tx.dropped = true
	all, err := tx.tx.CreateBucketIfNotExists(dropped)
	if err != nil {
		return err
	}
	n, err := all.NextSequence()
	if err != nil {
		return err
	}
	b, err := all.CreateBucket(binary.BigEndian.AppendUint64(nil, n))
	if err != nil {
		return err
	}
	return tx.tx.MoveBucket(name, nil, b)
}

// empty deletes the buckets that were dropped. Writers come in between. If the disk does not take it, the next drop or the next
// start goes on.
func (s *Store) empty() {
	s.emptying.Lock()
	defer s.emptying.Unlock()
	defer func() {
		if p := recover(); p != nil { // bbolt checks its pages by panics
			s.damaged(p)
		}
	}()
	for more := true; more; {
		err := s.Update(func(tx *Tx) (err error) {
			more, err = tx.deleteDropped()
			return err
		})
		if err != nil {
			return
		}
		s.Trim()
	}
}

// deleteDropped deletes a step's keys, and reports whether there is more to delete.
func (tx *Tx) deleteDropped() (more bool, err error) {
	all := tx.tx.Bucket(dropped)
	if all == nil {
		return false, nil
	}
	tx.dirty = true
	number, _ := all.Cursor().First()
	if number == nil {
		return false, tx.tx.DeleteBucket(dropped)
	}
	number = bytes.Clone(number)
	holder := all.Bucket(number)
	name, _ := holder.Cursor().First()
	b := holder.Bucket(name)
	if fewer(b, dropStep) {
		return true, all.DeleteBucket(number)
	}
	keys := make([][]byte, 0, dropStep)
	c := b.Cursor()
	for k, _ := c.First(); len(keys) < dropStep && k != nil; k, _ = c.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	for _, k := range keys {
		if err := b.Delete(k); err != nil {
			return false, err
		}
	}
	return true, nil
}
