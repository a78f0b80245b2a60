package store

import (
	"path/filepath"
	"sync"
	"testing"
)

// Views share a snapshot, and none of them sees less than what was acknowledged before it began.
func TestViewsShareWhatNobodyChanges(t *testing.T) {
	numbers := NewTable[int]("numbers")
	s := New(filepath.Join(t.TempDir(), "s.db"), Options{})
	defer s.Close()
	put := func(n int) {
		t.Helper()
		if err := s.Update(func(tx *Tx) error { numbers.Put(tx, n, "n"); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	see := func(tx *Tx, want int) {
		t.Helper()
		if n, _ := numbers.Get(tx, "n"); n != want {
			t.Errorf("it sees %d, want %d", n, want)
		}
	}
	put(1)
	err := s.View(func(tx *Tx) error {
		first := tx.Version()
		err := s.View(func(tx *Tx) error {
			if tx.Version() != first || first == 0 {
				t.Errorf("versions %d and %d of the same", first, tx.Version())
			}
			return nil
		})
		put(2)
		see(tx, 1) // it is as it was
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = s.View(func(tx *Tx) error { see(tx, 2); return nil })
	_ = s.Update(func(tx *Tx) error {
		if tx.Version() != 0 {
			t.Errorf("an Update sees version %d", tx.Version())
		}
		return nil
	})

	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			own := NewTable[int]("own")
			for n := range 200 {
				_ = s.Update(func(tx *Tx) error { own.Put(tx, n, i); return nil })
				_ = s.View(func(tx *Tx) error {
					if got, _ := own.Get(tx, i); got != n {
						t.Errorf("after %d was acknowledged a View sees %d", n, got)
					}
					return nil
				})
			}
		})
	}
	group.Wait()
	if s.snapshots.writers != 0 {
		t.Errorf("%d writers are left", s.snapshots.writers)
	}
}
