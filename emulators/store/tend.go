package store

import (
	"runtime/debug"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
)

const (
	// tendEvery is how often a store in use is tended, and so how long an acknowledged write may stay in the operating
	// system's cache. The death of the process does not touch that cache; only the machine's own death loses what is younger.
	tendEvery = time.Second

	// trimEvery is how often a store is tended while its file grows.
	trimEvery = 50 * time.Millisecond

	// maxMapped is how many bytes of files the process may hold in its memory before they are given back. They stay in the
	// operating system's cache, from where the next read takes them again.
	maxMapped = 64 << 20

	// maxListed is how many free pages a file may have for commits to list them: twice as many as a table of a million items has.
	maxListed = 768

	// maxHeap is how many bytes of other memory a process at rest may hold before the garbage is collected and given back.
	maxHeap = 64 << 20
)

// inUse is how many stores of the process are being tended. It is at rest when none is: what is given back while another one is in use
// is taken again at once, a page and a fault at a time.
var inUse atomic.Int32

// touch starts tending. A store that nobody has used for a while needs no timer.
func (s *Store) touch() {
	if s.used.Load() {
		return
	}
	s.used.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.tended && !s.closed {
		s.tended, s.waited = true, tendEvery
		inUse.Add(1)
		time.AfterFunc(tendEvery, s.tend)
	}
}

// tend brings what was committed to the disk, every second, and gives memory back. Once nobody has used the store since the last
// time, it also brings it to rest, and is not called again.
func (s *Store) tend() {
	s.files.Lock()
	defer s.files.Unlock()
	s.mu.Lock()
	used, dirty := s.used.Swap(false), s.dirty
	gone := s.closed || s.broken.Load() != nil
	s.tended = used && !gone
	idle := !s.tended && inUse.Add(-1) == 0
	due := !used || s.waited >= tendEvery
	if due {
		s.dirty, s.waited = false, 0
	}
	s.mu.Unlock()
	if gone {
		return
	}
	db := s.db.Load()
	if due {
		if !used || !dirty { // nothing has been written since the last time
			dirty = s.listFree(db) || dirty
		}
		if dirty && !s.opts.Ephemeral {
			_ = db.Sync() // a full or failing disk shows at the next commit, which has a caller to tell
		}
	}
	next := tendEvery
	if s.trim(db, !used) {
		next = trimEvery
	}
	if idle {
		giveBack()
	}
	if used {
		s.mu.Lock()
		s.waited += next
		s.mu.Unlock()
		time.AfterFunc(next, s.tend)
	}
}

// trim gives memory back: that of the file when it is at rest, and while it grows, because what fills a file does not come back
// to what it has written. In between readers keep what they have touched, for to take a page again costs them a fault. It tells
// whether the file grows.
func (s *Store) trim(db *bbolt.DB, rest bool) (grows bool) {
	tx, err := db.Begin(false) // no other map takes this one's place meanwhile
	if err != nil {
		return false
	}
	defer tx.Rollback()
	size := tx.Size()
	grows, s.size = size > s.size, size
	if !grows && !rest {
		return false
	}
	if files, _, err := resident(); err == nil && files > maxMapped {
		unmapPages(db.Info().Data, uintptr(size))
	}
	return grows
}

// giveBack collects the garbage of a process at rest, if it is much, and gives its memory back.
func giveBack() {
	if _, other, err := resident(); err == nil && other > maxHeap {
		debug.FreeOSMemory()
	}
}

// Trim gives the file's memory back if it is much. Who goes through all of a file calls it in between.
func (s *Store) Trim() {
	s.files.Lock()
	defer s.files.Unlock()
	db := s.db.Load()
	if db == nil || s.broken.Load() != nil {
		return
	}
	tx, err := db.Begin(false) // no other map takes this one's place meanwhile
	if err != nil {
		return
	}
	defer tx.Rollback()
	if files, _, err := resident(); err == nil && files > maxMapped {
		unmapPages(db.Info().Data, uintptr(tx.Size()))
	}
}

// listFree writes the list of the file's free pages, where commits have left it out: it is sorted and written whole, which after the
// end of a large table would cost more than all the rest of a commit. Without it the file is walked when it is opened, which takes
// half a second for 1.6 GB, and as long as the disk takes for what is not in the operating system's cache.
func (s *Store) listFree(db *bbolt.DB) bool {
	if s.opts.Ephemeral || !s.unlisted.Swap(false) {
		return false
	}
	s.snapshots.hide(+1)
	defer s.snapshots.hide(-1)
	tx, err := db.Begin(true)
	if err != nil {
		return false
	}
	db.NoFreelistSync = false // every writer sets it, under the writers' lock
	return s.finish(tx) == nil
}
