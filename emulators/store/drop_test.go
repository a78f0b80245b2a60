package store

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

// put writes n keys into a bucket, beginning with the one of the number first.
func put(t *testing.T, s *Store, bucket string, first, n int) {
	t.Helper()
	err := s.Update(func(tx *Tx) error {
		for i := range n {
			tx.Bucket(bucket).Put(Key(first+i), make([]byte, 200))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// size counts the keys of a bucket.
func size(t *testing.T, s *Store, bucket string) (n int) {
	t.Helper()
	err := s.View(func(tx *Tx) error {
		n = 0
		for range tx.Bucket(bucket).Ascend(nil) {
			n++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// left tells whether there are dropped buckets.
func left(t *testing.T, s *Store) (yes bool) {
	t.Helper()
	if err := s.View(func(tx *Tx) error { yes = tx.tx.Bucket(dropped) != nil; return nil }); err != nil {
		t.Fatal(err)
	}
	return yes
}

func emptied(t *testing.T, s *Store) {
	t.Helper()
	for end := time.Now().Add(time.Minute); left(t, s); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("what was dropped is still there")
		}
	}
}

func TestDropBucket(t *testing.T) {
	for _, tt := range []struct {
		name string
		keys int
	}{
		{"one that there is not", 0},
		{"a small one", 10},
		{"one of a step less one", dropStep - 1},
		{"one of a step", dropStep},
		{"one of several steps", 3*dropStep + 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := fresh(t)
			put(t, s, "other", 0, 10)
			for range 2 { // names may come again before all is deleted
				if tt.keys > 0 {
					put(t, s, "b", 0, tt.keys)
				}
				err := s.Update(func(tx *Tx) error {
					tx.Bucket("b").Put(Key(5), []byte("just before"))
					tx.DropBucket("b")
					tx.Bucket("b").Put(Key(7), []byte("new"))
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				if n := size(t, s, "b"); n != 1 {
					t.Errorf("the new bucket has %d keys", n)
				}
			}
			emptied(t, s)
			if b, other := size(t, s, "b"), size(t, s, "other"); b != 1 || other != 10 {
				t.Errorf("then the new one has %d keys, another %d", b, other)
			}
			check(t, s)
		})
	}
}

// check has bbolt look for pages that are lost or used twice.
func check(t *testing.T, s *Store) {
	t.Helper()
	tx, err := s.db.Load().Begin(false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	for err := range tx.Check() {
		t.Error(err)
	}
}

func TestADropThatFailsIsNone(t *testing.T) {
	s := fresh(t)
	put(t, s, "b", 0, 2*dropStep)
	failed := errors.New("failed")
	if err := s.Update(func(tx *Tx) error { tx.DropBucket("b"); return failed }); !errors.Is(err, failed) {
		t.Fatal(err)
	}
	if n := size(t, s, "b"); n != 2*dropStep || left(t, s) {
		t.Errorf("%d keys are left", n)
	}
}

// TestDroppingGoesOnAtTheNextStart has a file in which nothing is deleted yet of what was dropped, as a kill leaves it.
func TestDroppingGoesOnAtTheNextStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	s := New(path, Options{})
	put(t, s, "b", 0, 5*dropStep)
	put(t, s, "other", 0, 10)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error { return (&Tx{tx: tx}).setAside([]byte("b")) })
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	s = New(path, Options{})
	defer s.Close()
	if b, other := size(t, s, "b"), size(t, s, "other"); b != 0 || other != 10 {
		t.Errorf("it has %d keys, another %d", b, other)
	}
	emptied(t, s)
	check(t, s)
}
