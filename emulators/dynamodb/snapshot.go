package dynamodb

import (
	"bytes"
	"encoding/binary"
	"iter"
	"math"
	"slices"
	"time"

	"devstack/emulators/store"
)

// snapshot is a copy of a table's items as they are at one instant, on its way to a backup or to another table. What changes beyond
// its reach is first put aside as it was, and copied in place of what is there when the reach gets to it.
type snapshot struct {
	ID      string // of the bucket with what was put aside
	Reach   reach
	At      int64  // the instant in milliseconds, if it is an earlier one
	Journal []byte // of the way back to it: before which key of the journal it goes on; nil: it is there

	Backup        string // the backup's id; "": it goes to a table
	Region, Table string
}

// aside is the bucket with what was put aside: under an item's key a byte that tells whether the item was there, and its record.
func (m *snapshot) aside() string { return "aside/" + m.ID }

// keep puts aside what was under a key.
func (m *snapshot) keep(tx *store.Tx, key []byte, old record) {
	value := []byte{0}
	if len(old) > 0 {
		value = append([]byte{1}, old...)
	}
	tx.Bucket(m.aside()).Put(bytes.Clone(key), value)
}

// keepOld puts a change's old item aside for those snapshots of the table that have not come to it, unless they have an older one.
func (c *change) keepOld(tx *store.Tx) {
	for i := range c.table.Snapshots {
		if m := &c.table.Snapshots[i]; !m.Reach.covers(c.key) && tx.Bucket(m.aside()).Get(c.key) == nil {
			m.keep(tx, c.key, c.old)
		}
	}
}

// items are those of the instant, from the reach on. One that was not there then is nil.
func (m *snapshot) items(tx *store.Tx, t *table) iter.Seq2[[]byte, record] {
	return func(yield func([]byte, record) bool) {
		from := m.Reach.next()
		key, old := first(tx, m.aside(), from)
		for k, stored := range recordsOf(tx, t.items(), from) {
			for ; key != nil && bytes.Compare(key, k) < 0; key, old = first(tx, m.aside(), append(key, 0)) {
				if !yield(key, old) {
					return
				}
			}
			if bytes.Equal(key, k) {
				stored = old
				key, old = first(tx, m.aside(), append(key, 0))
			}
			if !yield(k, stored) {
				return
			}
		}
		for ; key != nil; key, old = first(tx, m.aside(), append(key, 0)) {
			if !yield(key, old) {
				return
			}
		}
	}
}

// first is the first that was put aside from a key on.
func first(tx *store.Tx, bucket string, from []byte) (key []byte, old record) {
	for k, v := range tx.Bucket(bucket).Ascend(from) {
		if v[0] == 1 {
			old = record(v[1:])
		}
		return bytes.Clone(k), old
	}
	return nil, nil
}

// endOfJournal is after all its keys.
var endOfJournal = journalKey(-1, math.MaxUint64)

// goBack does a step back through the journal, from where it ended at the call to the instant, and reports whether it has come there.
// What a change has replaced takes the place of what a later one has.
func (m *snapshot) goBack(tx *store.Tx, t *table, size stepSize) bool {
	for key, value := range tx.Bucket(t.journal()).Descend(m.Journal) {
		if journalInstant(key) <= m.At {
			break
		}
		if size.items == 0 || size.bytes <= 0 {
			return false
		}
		n, skip := binary.Uvarint(value)
		m.keep(tx, value[skip:skip+int(n)], record(value[skip+int(n):]))
		m.Journal = bytes.Clone(key)
		size.items--
		size.bytes -= len(value)
	}
	m.Journal = nil
	return true
}

// lookingBack tells whether a snapshot needs the journal.
func (t *table) lookingBack() bool {
	return slices.ContainsFunc(t.Snapshots, func(m snapshot) bool { return m.Journal != nil })
}

// snap does the first step of a snapshot and leaves the others to the table, which is to be stored if there are any.
func (t *table) snap(tx *store.Tx, m snapshot, size stepSize, now time.Time) {
	t.Snapshots = append(slices.Clone(t.Snapshots), m)
	t.advance(tx, len(t.Snapshots)-1, size, now, &effects{})
}

// advance does a step of one of the table's snapshots.
func (t *table) advance(tx *store.Tx, i int, size stepSize, now time.Time, e *effects) {
	m := &t.Snapshots[i]
	if m.Journal != nil && !m.goBack(tx, t, size) {
		return
	}
	var reached *reach
	if m.Backup != "" {
		reached = m.toBackup(tx, t, size)
	} else {
		to, _ := tables.Get(tx, t.Account, m.Region, m.Table)
		reached = to.take(tx, m.items(tx, t), size, now, e)
		to.Copied = reached
		to.settle(now).put(tx)
	}
	if reached != nil {
		m.Reach = *reached
		return
	}
	tx.DropBucket(m.aside())
	t.Snapshots = slices.Delete(slices.Clone(t.Snapshots), i, i+1)
}

// toBackup does a step towards a backup.
func (m *snapshot) toBackup(tx *store.Tx, t *table, size stepSize) *reach {
	b, _ := backups.Get(tx, t.Account, t.Region, m.Backup, t.Name)
	bucket := tx.Bucket(b.Bucket)
	reached := size.walk(m.items(tx, t), func(key []byte, stored record) {
		if stored != nil {
			bucket.Put(key, stored)
		}
	})
	if reached == nil {
		b.Copying = false
		b.put(tx)
	}
	return reached
}
