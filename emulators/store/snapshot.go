package store

import (
	"sync"

	"go.etcd.io/bbolt"
)

// snapshot is a read transaction of bbolt's that Views share for as long as nothing is written: to begin one, and to find a bucket
// in it, costs as much as to read an item. bbolt calls its transactions unsafe for many goroutines; to read, through cursors of
// their own, they are safe: what belongs to a read transaction does not change between its beginning and its end.
type snapshot struct {
	tx    *bbolt.Tx
	users int // those who read it, and the store that shows it; guarded by snapshots.mu

	mu      sync.RWMutex
	buckets map[string]*bbolt.Bucket // that were opened; nil for one that is not there
}

// snapshots is the snapshot that new Views are shown.
type snapshots struct {
	mu      sync.Mutex
	shown   *snapshot // nil: the next View makes it
	writers int       // at work: meanwhile every View has a snapshot of its own, so that none is kept that a growing file would wait for
}

// take returns a snapshot that holds everything that was committed before the call.
func (s *snapshots) take(db *bbolt.DB) (*snapshot, error) {
	s.mu.Lock()
	if sn := s.shown; sn != nil {
		sn.users++
		s.mu.Unlock()
		return sn, nil
	}
	if s.writers > 0 {
		s.mu.Unlock()
		tx, err := db.Begin(false)
		return &snapshot{tx: tx, users: 1}, err
	}
	defer s.mu.Unlock()
	tx, err := db.Begin(false)
	if err != nil {
		return nil, err
	}
	s.shown = &snapshot{tx: tx, users: 2}
	return s.shown, nil
}

// leave ends the use of a snapshot.
func (s *snapshots) leave(sn *snapshot) {
	s.mu.Lock()
	sn.users--
	last := sn.users == 0
	s.mu.Unlock()
	if last {
		_ = sn.tx.Rollback()
	}
}

// hide has later Views take a new snapshot. A writer hides it before it begins, with 1, and with -1 before anybody is told that what
// it wrote is committed.
func (s *snapshots) hide(writers int) {
	s.mu.Lock()
	sn := s.shown
	s.shown = nil
	s.writers += writers
	s.mu.Unlock()
	if sn != nil {
		s.leave(sn)
	}
}

// bucket returns a bucket of the snapshot, nil if it is not there.
func (sn *snapshot) bucket(name string) *bbolt.Bucket {
	sn.mu.RLock()
	b, known := sn.buckets[name]
	sn.mu.RUnlock()
	if known {
		return b
	}
	b = sn.tx.Bucket([]byte(name))
	sn.mu.Lock()
	defer sn.mu.Unlock()
	if sn.buckets == nil {
		sn.buckets = map[string]*bbolt.Bucket{}
	}
	sn.buckets[name] = b
	return b
}
