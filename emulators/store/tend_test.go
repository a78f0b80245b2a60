package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestReadersAndWritersGoOnWhileMemoryIsGivenBack gives the map's pages back all the time, and brings the store to rest in
// between, while others read and write what is in them.
func TestReadersAndWritersGoOnWhileMemoryIsGivenBack(t *testing.T) {
	s := fresh(t)
	text := func(n, version int) string { return fmt.Sprintf("%d, version %d, %0800d", n, version, n) }
	put := func(n, version int) error {
		return s.Update(func(tx *Tx) error { notes.Put(tx, note{text(n, version)}, n); return nil })
	}
	const values = 200
	for n := range values {
		if err := put(n, 0); err != nil {
			t.Fatal(err)
		}
	}
	var group sync.WaitGroup
	stop := make(chan bool)
	group.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			s.files.Lock()
			s.listFree(s.db.Load())
			s.trim(s.db.Load(), false)
			unmapPages(s.db.Load().Info().Data, uintptr(s.size))
			s.files.Unlock()
		}
	})
	var workers sync.WaitGroup
	for w := range 4 {
		workers.Go(func() {
			for version := 1; version < 40; version++ {
				n := w + 4*(version%(values/4))
				if err := put(n, version); err != nil {
					t.Error(err)
				}
				err := s.View(func(tx *Tx) error {
					if got, _ := notes.Get(tx, n); got.Text != text(n, version) {
						return fmt.Errorf("%d is %s", n, got.Text)
					}
					count := 0
					for range notes.All(tx) {
						count++
					}
					if count != values {
						return fmt.Errorf("%d values", count)
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	workers.Wait()
	close(stop)
	group.Wait()
}

var others = NewTable[note]("others")

// TestAFileWithoutItsListOfFreePagesIsWhole copies a file in the middle of its use, as the death of its process leaves it.
func TestAFileWithoutItsListOfFreePagesIsWhole(t *testing.T) {
	s := fresh(t)
	err := s.Update(func(tx *Tx) error { // whose pages are more than a commit lists, once they are free
		for n := range 2 * maxListed {
			others.Put(tx, note{strings.Repeat("x", 3*pageSize/4)}, n)
		}
		return nil
	})
	if err == nil {
		err = s.Update(func(tx *Tx) error { others.Clear(tx); return nil })
	}
	if err != nil {
		t.Fatal(err)
	}
	for n := range 300 {
		if err := s.Update(func(tx *Tx) error { notes.Put(tx, note{fmt.Sprint(n)}, n%100); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if !s.unlisted.Load() {
		t.Error("there is a list")
	}
	left := filepath.Join(t.TempDir(), "left.db")
	b, err := os.ReadFile(s.path)
	if err == nil {
		err = os.WriteFile(left, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	again := New(left, Options{})
	if got := texts(t, again); len(got) != 100 || got[99] != "299" {
		t.Errorf("it holds %v", got)
	}
	for n := range 300 {
		if err := again.Update(func(tx *Tx) error { notes.Put(tx, note{"new"}, n%100); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	now, _ := os.Stat(left)
	if now.Size() > int64(len(b)+len(b)/2) {
		t.Errorf("of %d bytes it has grown to %d: its free pages are not used", len(b), now.Size())
	}
}

// TestAnIdleStoreIsLeftAlone waits until there is nothing left to tend.
func TestAnIdleStoreIsLeftAlone(t *testing.T) {
	s := fresh(t)
	if err := s.Update(func(tx *Tx) error { notes.Put(tx, note{"x"}, 1); return nil }); err != nil {
		t.Fatal(err)
	}
	for rest := false; !rest; time.Sleep(10 * time.Millisecond) {
		s.mu.Lock()
		rest = !s.tended && !s.dirty
		s.mu.Unlock()
	}
	if s.files.Lock(); s.unlisted.Load() {
		t.Error("at rest the file has no list of its free pages")
	}
	s.files.Unlock()
}
