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
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// maxShared bounds how many Updates one commit carries, so that the first of them does not wait for a whole flood.
const maxShared = 256

// reserved is how large a file may become before its map is replaced, in bytes: 64 GiB, and 1 GiB where addresses have 32 bits.
const reserved = 1 << (30 + 6*(^uint(0)>>63))

// pageSize is that of new files, in bytes. Seven items of 1 KB fit, where the usual 4 KB have room for three: a file of a million
// is a quarter smaller, a Query of a hundred reads half as many pages, and there is a level less to the tree. A write copies
// more, which 16 KB would make felt.
const pageSize = 8 << 10

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

	db      atomic.Pointer[bbolt.DB]    // nil: not opened yet
	open    sync.Mutex                  // held while it is opened
	openErr error                       // for good; guarded by open
	broken  atomic.Pointer[DamageError] // found while the file was used
	read    atomic.Int64                // see Read

	snapshots snapshots // that Views read

	emptying sync.Mutex  // held while dropped buckets are deleted
	files    sync.Mutex  // held while the file is tended or closed
	used     atomic.Bool // since it was last tended
	unlisted atomic.Bool // the file has no list of its free pages
	size     int64       // of the file when it was last tended; guarded by files

	mu     sync.Mutex // guards what follows
	queue  []*update  // waiting for a commit
	busy   bool       // somebody leads a commit now
	closed bool
	tended bool          // it will be tended again
	dirty  bool          // there were commits since the last sync
	waited time.Duration // since the last sync
}

// New returns the store in the file at path, which need not exist yet.
func New(path string, opts Options) *Store { return &Store{path: path, opts: opts} }

// View runs f in a read transaction: a consistent snapshot that waits for no writer.
func (s *Store) View(f func(*Tx) error) (err error) {
	db, err := s.file()
	if err != nil {
		return err
	}
	sn, err := s.snapshots.take(db)
	if err != nil {
		return closedOr(err)
	}
	t := &Tx{tx: sn.tx, snapshot: sn}
	defer s.done(t)
	return s.run(f, t)
}

// done ends a read transaction.
func (s *Store) done(t *Tx) {
	s.snapshots.leave(t.snapshot)
	s.read.Add(int64(t.read))
	s.touch()
}

// Read is how many keys Views have looked up or walked over so far. It grows with what a read costs, whatever else goes on.
func (s *Store) Read() int { return int(s.read.Load()) }

// update is one call of Update on its way through a shared commit.
type update struct {
	f    func(*Tx) error
	err  error     // the outcome
	turn chan bool // told once: true to carry out the next commit, false when there is an outcome
}

// Update runs f in a write transaction and returns once it is committed. If f returns an error nothing that it wrote is
// kept. f shares its commit with others that arrive at the same time and is run again when one of those fails, so it must
// set, and not accumulate, whatever it leaves outside the transaction.
func (s *Store) Update(f func(*Tx) error) error {
	db, err := s.file()
	if err != nil {
		return err
	}
	u := &update{f: f, turn: make(chan bool, 1)}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ErrClosed
	}
	s.queue = append(s.queue, u)
	first := !s.busy
	s.busy = true
	s.mu.Unlock()
	if first || <-u.turn {
		s.commitNext(db)
	}
	if p, ok := u.err.(*panicked); ok {
		panic(p.value)
	}
	return u.err
}

// commitNext carries out the updates that wait now, the caller's first among them, and passes the lead on.
func (s *Store) commitNext(db *bbolt.DB) {
	runtime.Gosched() // those who are about to ask come along: a third more Puts over eight connections
	s.mu.Lock()
	n := min(len(s.queue), maxShared)
	batch := append([]*update(nil), s.queue[:n]...)
	s.queue = append(s.queue[:0], s.queue[n:]...)
	s.mu.Unlock()

	s.snapshots.hide(+1)
	s.commit(db, batch)
	s.snapshots.hide(-1)
	for _, u := range batch[1:] {
		u.turn <- false
	}

	defer s.touch()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) > 0 {
		s.queue[0].turn <- true
	} else {
		s.busy = false
	}
	s.dirty = true
}

// commit runs a batch in one transaction. An update that fails after it has written takes the transaction with it: those before
// it are run again without it, and then it is by itself.
//
// Who fails is told no sooner than those before it. It may have failed for what one of them wrote, and nobody may learn of that
// before readers see it.
func (s *Store) commit(db *bbolt.DB, batch []*update) {
	for len(batch) > 0 {
		if broken := s.broken.Load(); broken != nil {
			answer(batch, broken)
			return
		}
		tx, err := db.Begin(true)
		if err != nil {
			answer(batch, closedOr(err))
			return
		}
		free := db.Stats()
		db.NoFreelistSync = free.FreePageN+free.PendingPageN > maxListed
		s.unlisted.Store(db.NoFreelistSync)
		dirty, spoiler := s.runAll(tx, batch)
		if spoiler >= 0 {
			tx.Rollback()
			s.commit(db, batch[:spoiler])
			batch = batch[max(spoiler, 1):]
			continue
		}
		if !dirty {
			tx.Rollback()
		} else if err := s.finish(tx); err != nil {
			answer(batch, err)
		}
		return
	}
}

// runAll runs a batch. It tells whether anything was written, and which of the batch has spoiled the transaction; -1 for none.
func (s *Store) runAll(tx *bbolt.Tx, batch []*update) (dirty bool, spoiler int) {
	for i, u := range batch {
		t := &Tx{tx: tx}
		u.err = s.runUpdate(u.f, t)
		if u.err != nil && t.dirty {
			return dirty, i
		}
		dirty = dirty || t.dirty
		if t.dropped {
			tx.OnCommit(func() { go s.empty() })
		}
	}
	return dirty, -1
}

// answer gives all of a batch the same outcome.
func answer(batch []*update, err error) {
	for _, u := range batch {
		u.err = err
	}
}

// finish commits a transaction. The old state stays if that fails, as on a full disk.
func (s *Store) finish(tx *bbolt.Tx) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil { // bbolt checks its pages by panics, and holds its locks then
			err = s.damaged(p)
		}
	}()
	if err = tx.Commit(); err != nil {
		tx.Rollback()
		return &WriteError{s.path, err}
	}
	return nil
}

// run calls f and turns the failure of a table's method inside it, and a page that is not in the file any more, into an error.
func (s *Store) run(f func(*Tx) error, tx *Tx) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		switch p := recover().(type) {
		case nil:
		case failure:
			err = p.err
			if content, ok := errors.AsType[*contentError](err); ok {
				err = &DamageError{s.path, content}
			}
		case interface{ Addr() uintptr }: // a fault
			err = s.damaged(p)
		default:
			if !boltPanics() {
				panic(p)
			}
			err = s.damaged(p)
		}
	}()
	return f(tx)
}

// panicked is the panic of an Update's function, on its way from the goroutine that ran it to the one that called Update.
type panicked struct{ value any }

func (p *panicked) Error() string { return fmt.Sprint("panic: ", p.value) }

// runUpdate is run for a function that may be another goroutine's: its panic is its own caller's, and spoils the transaction.
func (s *Store) runUpdate(f func(*Tx) error, tx *Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			tx.dirty, err = true, &panicked{p}
		}
	}()
	return s.run(f, tx)
}

// Close syncs and closes the file. Later calls of View and Update return ErrClosed.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.open.Lock()
	s.openErr = ErrClosed
	s.open.Unlock()
	db := s.db.Load()
	if db == nil {
		return nil
	}
	s.snapshots.hide(+1) // for good: the file is closed once nobody reads it
	s.files.Lock()
	defer s.files.Unlock()
	if s.broken.Load() != nil {
		return nil // its locks are held for ever, and what could be read of it was written before
	}
	var err error
	if !s.opts.Ephemeral {
		s.listFree(db)
		err = db.Sync()
	}
	return errors.Join(err, db.Close())
}

// file opens the file at the first call. A full disk may have space at the next.
func (s *Store) file() (*bbolt.DB, error) {
	if broken := s.broken.Load(); broken != nil {
		return nil, broken
	}
	if db := s.db.Load(); db != nil {
		return db, nil
	}
	s.open.Lock()
	defer s.open.Unlock()
	if db := s.db.Load(); db != nil || s.openErr != nil {
		return db, s.openErr
	}
	db, err := s.openFile()
	if _, again := errors.AsType[*WriteError](err); err != nil && !again {
		s.openErr = err
	}
	if db != nil {
		s.db.Store(db)
	}
	return db, err
}

func (s *Store) openFile() (db *bbolt.DB, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			db, err = nil, s.damaged(p)
		}
	}()
	path := s.path
	if s.opts.Ephemeral {
		f, err := os.CreateTemp("", "devstack-*.db")
		if err != nil {
			return nil, fmt.Errorf("store: %w", err)
		}
		path = f.Name()
		_, err = f.Write(emptyFile())
		if err = errors.Join(err, f.Close()); err != nil {
			os.Remove(path)
			return nil, &WriteError{path, err}
		}
	} else if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, &WriteError{path, err}
	}
	// The list of free pages is a map. As an array it would make a Put cheaper by 4 % while it has a few hundred pages, and commits eight
	// times as expensive after the end of a table of a million items: it is merged anew with each of them.
	opts := &bbolt.Options{
		Timeout: time.Second, FreelistType: bbolt.FreelistMapType, NoSync: !s.opts.SyncEveryCommit, NoGrowSync: true, PageSize: pageSize,
	}
	if runtime.GOOS != "windows" {
		// Address space only. A smaller map would have to be replaced as the file grows, and a writer waits for every
		// reader to do that. (On Windows the file itself would take this size.)
		opts.InitialMmapSize = reserved
	}
	before, statErr := os.Stat(path)
	isNew := statErr != nil || before.Size() == 0
	db, err = bbolt.Open(path, 0o600, opts)
	if errors.Is(err, syscall.ENOMEM) { // address space is limited (ulimit -v)
		opts.InitialMmapSize = 0
		db, err = bbolt.Open(path, 0o600, opts)
	}
	if err != nil && isNew && !errors.Is(err, bolterrors.ErrTimeout) {
		os.Remove(path) // half of a first page is no file
	}
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("store: %s is held by another process", path)
	case errors.Is(err, syscall.ENOSPC):
		return nil, &WriteError{path, err}
	case err != nil:
		return nil, &DamageError{path, err}
	}
	if left := db.View(func(tx *bbolt.Tx) error {
		if tx.Bucket(dropped) != nil {
			go s.empty()
		}
		return nil
	}); left != nil {
		return nil, &DamageError{path, left}
	}
	if s.opts.Ephemeral && runtime.GOOS != "windows" {
		os.Remove(path) // the open file lives on without its name
	}
	return db, nil
}

func closedOr(err error) error {
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return fmt.Errorf("store: %w", err)
}
