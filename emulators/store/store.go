// Package store keeps an emulator's state in one bbolt file: typed tables, transactions as functions.
//
// View and Update are the only way in. Semantics live above them: read the clock before, deliver after; nothing inside a
// transaction waits, calls out, or logs. Concurrent Updates share a commit, which is where nearly all of their cost is.
package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"go.etcd.io/bbolt"
)

// syncDelay is how long an acknowledged write may stay in the operating system's cache. The death of the process does not
// touch that cache; only the machine's own death loses what is younger than this.
const syncDelay = time.Second

// maxShared bounds how many Updates one commit carries, so that the first of them does not wait for a whole flood.
const maxShared = 256

// ErrClosed is returned by View and Update after Close.
var ErrClosed = errors.New("store: closed")

// Options say how a store keeps what it is given.
type Options struct {
	SyncEveryCommit bool // fsync before every acknowledgement, instead of within a second
	Ephemeral       bool // an unnamed temporary file, gone with the process however it ends
}

// Store is one emulator's file. Its methods may be called from any goroutine. The file is opened by the first of them.
type Store struct {
	path string
	opts Options

	open    sync.Once
	db      *bbolt.DB
	openErr error

	files sync.Mutex // held while the file is synced or closed

	mu     sync.Mutex // guards what follows
	queue  []*update  // waiting for a commit
	busy   bool       // somebody leads a commit now
	closed bool
	unsync bool // a sync is on its way
}

// New returns the store in the file at path, which need not exist yet.
func New(path string, opts Options) *Store { return &Store{path: path, opts: opts} }

// View runs f in a read transaction: a consistent snapshot that waits for no writer.
func (s *Store) View(f func(*Tx) error) (err error) {
	db, err := s.file()
	if err != nil {
		return err
	}
	tx, err := db.Begin(false)
	if err != nil {
		return closedOr(err)
	}
	defer tx.Rollback()
	return run(f, &Tx{tx: tx})
}

// update is one call of Update on its way through a shared commit.
type update struct {
	f    func(*Tx) error
	done chan error    // the outcome
	lead chan struct{} // told to carry out the next commit
}

// Update runs f in a write transaction and returns once it is committed. If f returns an error nothing that it wrote is
// kept. f shares its commit with others that arrive at the same time and is run again when one of those fails, so it must
// set, and not accumulate, whatever it leaves outside the transaction.
func (s *Store) Update(f func(*Tx) error) error {
	db, err := s.file()
	if err != nil {
		return err
	}
	u := &update{f: f, done: make(chan error, 1), lead: make(chan struct{}, 1)}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ErrClosed
	}
	s.queue = append(s.queue, u)
	first := !s.busy
	s.busy = true
	s.mu.Unlock()
	if !first {
		select {
		case err := <-u.done:
			return err
		case <-u.lead:
		}
	}
	s.commitNext(db)
	return <-u.done
}

// commitNext carries out the updates that wait now, the caller's among them, and passes the lead on.
func (s *Store) commitNext(db *bbolt.DB) {
	s.mu.Lock()
	n := min(len(s.queue), maxShared)
	batch := append([]*update(nil), s.queue[:n]...)
	s.queue = append(s.queue[:0], s.queue[n:]...)
	s.mu.Unlock()

	commit(db, batch)

	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) > 0 {
		s.queue[0].lead <- struct{}{}
	} else {
		s.busy = false
	}
	if !s.unsync && !s.opts.SyncEveryCommit && !s.opts.Ephemeral && !s.closed {
		s.unsync = true
		time.AfterFunc(syncDelay, s.sync)
	}
}

// commit runs a batch in one transaction. An update that fails after it has written takes the transaction with it; the
// others are then run again without it.
func commit(db *bbolt.DB, batch []*update) {
	for len(batch) > 0 {
		tx, err := db.Begin(true)
		if err != nil {
			answer(batch, closedOr(err))
			return
		}
		var kept []*update
		spoiled := false
		for i, u := range batch {
			t := &Tx{tx: tx}
			if err := run(u.f, t); err != nil {
				u.done <- err
				if t.dirty {
					kept, spoiled = append(kept, batch[i+1:]...), true
					break
				}
				continue
			}
			kept = append(kept, u)
		}
		if spoiled || len(kept) == 0 {
			tx.Rollback()
			batch = kept
			continue
		}
		err = tx.Commit()
		if err != nil {
			tx.Rollback()
			err = fmt.Errorf("store: commit to %s: %w", db.Path(), err)
		}
		answer(kept, err)
		return
	}
}

func answer(batch []*update, err error) {
	for _, u := range batch {
		u.done <- err
	}
}

// run calls f and turns the failure of a table's method inside it into an error.
func run(f func(*Tx) error, tx *Tx) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case failure:
			err = p.err
		default:
			panic(p)
		}
	}()
	return f(tx)
}

// Close syncs and closes the file. Later calls of View and Update return ErrClosed.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.open.Do(func() { s.openErr = ErrClosed })
	if s.db == nil {
		return nil
	}
	s.files.Lock()
	defer s.files.Unlock()
	var err error
	if !s.opts.Ephemeral {
		err = s.db.Sync()
	}
	return errors.Join(err, s.db.Close())
}

// sync brings what was committed to the disk.
func (s *Store) sync() {
	s.files.Lock()
	defer s.files.Unlock()
	s.mu.Lock()
	s.unsync = false
	closed := s.closed
	s.mu.Unlock()
	if !closed {
		_ = s.db.Sync() // a full or failing disk shows at the next commit, which has a caller to tell
	}
}

// file opens the file at the first call.
func (s *Store) file() (*bbolt.DB, error) {
	s.open.Do(func() { s.db, s.openErr = s.openFile() })
	return s.db, s.openErr
}

func (s *Store) openFile() (*bbolt.DB, error) {
	path := s.path
	if s.opts.Ephemeral {
		f, err := os.CreateTemp("", "devstack-*.db")
		if err != nil {
			return nil, fmt.Errorf("store: %w", err)
		}
		path = f.Name()
		f.Close()
	} else if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	opts := &bbolt.Options{Timeout: time.Second, FreelistType: bbolt.FreelistMapType, NoSync: !s.opts.SyncEveryCommit, NoGrowSync: true}
	if runtime.GOOS != "windows" {
		// Address space only. A smaller map would have to be replaced as the file grows, and a writer waits for every
		// reader to do that. (On Windows the file itself would take this size.)
		opts.InitialMmapSize = 1 << 30
	}
	db, err := bbolt.Open(path, 0o600, opts)
	switch {
	case errors.Is(err, bbolt.ErrTimeout):
		return nil, fmt.Errorf("store: %s is held by another process", path)
	case err != nil:
		return nil, fmt.Errorf("store: %s cannot be read (%w); `devstack reset` starts over with an empty one", path, err)
	}
	if s.opts.Ephemeral && runtime.GOOS != "windows" {
		os.Remove(path) // the open file lives on without its name
	}
	return db, nil
}

func closedOr(err error) error {
	if errors.Is(err, bbolt.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return fmt.Errorf("store: %w", err)
}
