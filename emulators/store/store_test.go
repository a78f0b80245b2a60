package store

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

type note struct{ Text string }

var notes = NewTable[note]("notes")

func fresh(t *testing.T) *Store {
	t.Helper()
	s := New(filepath.Join(t.TempDir(), "s.db"), Options{})
	t.Cleanup(func() { s.Close() })
	return s
}

func texts(t *testing.T, s *Store, prefix ...any) (got []string) {
	t.Helper()
	err := s.View(func(tx *Tx) error {
		got = nil
		for n := range notes.All(tx, prefix...) {
			got = append(got, n.Text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestTable(t *testing.T) {
	s := fresh(t)
	if got := texts(t, s); got != nil {
		t.Errorf("a table that was never written holds %v", got)
	}
	err := s.Update(func(tx *Tx) error {
		notes.Put(tx, note{"b1"}, "b", 1)
		notes.Put(tx, note{"a2"}, "a", 2)
		notes.Put(tx, note{"a10"}, "a", 10)
		notes.Put(tx, note{"ab"}, "ab", 1)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := texts(t, s, "a"); !slices.Equal(got, []string{"a2", "a10"}) {
		t.Errorf("under a: %v", got)
	}
	if got := texts(t, s); !slices.Equal(got, []string{"a2", "a10", "ab", "b1"}) {
		t.Errorf("all: %v", got)
	}
	err = s.View(func(tx *Tx) error {
		var got []string
		for n := range notes.Before(tx, nil, "a") {
			got = append(got, n.Text)
		}
		for n := range notes.Before(tx, []any{10}, "a") {
			got = append(got, n.Text)
		}
		if !slices.Equal(got, []string{"a10", "a2", "a2"}) {
			t.Errorf("backwards: %v", got)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Update(func(tx *Tx) error {
		for n := range notes.After(tx, []any{2}, "a") {
			if n.Text != "a10" {
				t.Errorf("after a,2 comes %s", n.Text)
			}
		}
		if !notes.Delete(tx, "b", 1) || notes.Delete(tx, "b", 1) {
			t.Error("a key is deleted once")
		}
		notes.Clear(tx, "a")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := texts(t, s); !slices.Equal(got, []string{"ab"}) {
		t.Errorf("left: %v", got)
	}
}

func TestKeysSortAsTheirParts(t *testing.T) {
	at := func(ns int64) time.Time { return time.Unix(0, ns) }
	sorted := [][]any{
		{"", "z"}, {"\x00"}, {"\x00\x00"}, {"\x00\x01"}, {"\x01"}, {"a"}, {"a", -5}, {"a", 0}, {"a", 7}, {"a", at(1 << 40)}, {"a\x00"}, {"a\x00b"}, {"ab"}, {"b"},
	}
	for i := 1; i < len(sorted); i++ {
		if a, b := Key(sorted[i-1]...), Key(sorted[i]...); bytes.Compare(a, b) >= 0 {
			t.Errorf("%q is not before %q: % x, % x", sorted[i-1], sorted[i], a, b)
		}
	}
}

func TestAFailedUpdateLeavesNothingAndHarmsNobody(t *testing.T) {
	s := fresh(t)
	refused := errors.New("refused")
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			err := s.Update(func(tx *Tx) error {
				notes.Put(tx, note{strconv.Itoa(i)}, i)
				if i%3 == 0 {
					return refused
				}
				return nil
			})
			if (i%3 == 0) != errors.Is(err, refused) {
				t.Errorf("update %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	var want []string
	for i := range 200 {
		if i%3 != 0 {
			want = append(want, strconv.Itoa(i))
		}
	}
	if got := texts(t, s); !slices.Equal(got, want) {
		t.Errorf("kept %v", got)
	}
}

// TestNobodyLearnsOfAWriteBeforeReadersSeeIt has updates share a commit, one of which fails for what another has written. While
// the commit is held up it must not tell.
func TestNobodyLearnsOfAWriteBeforeReadersSeeIt(t *testing.T) {
	taken := errors.New("taken")
	for _, tt := range []struct {
		name  string
		write bool // before it fails
	}{
		{"by a failure that has written nothing", false},
		{"by a failure that has written something", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := fresh(t)
			var group sync.WaitGroup
			queued := func(n int, f func(*Tx) error, after func(error)) {
				group.Go(func() { after(s.Update(f)) })
				for waiting := -1; waiting < n; time.Sleep(time.Millisecond) {
					s.mu.Lock()
					waiting = len(s.queue)
					s.mu.Unlock()
				}
			}
			ignore := func(error) {}
			began, open, told := make(chan bool), make(chan bool), make(chan bool, 1)
			group.Go(func() { s.Update(func(*Tx) error { close(began); <-open; return nil }) }) // so that the others wait
			<-began
			queued(1, func(tx *Tx) error { notes.Put(tx, note{"first"}, "name"); return nil }, ignore)
			queued(2, func(tx *Tx) error {
				if tt.write {
					notes.Put(tx, note{"second"}, "other")
				}
				if _, ok := notes.Get(tx, "name"); ok {
					return taken
				}
				return nil
			}, func(err error) {
				told <- true
				if !errors.Is(err, taken) {
					t.Errorf("the second: %v", err)
				}
				if got := texts(t, s); !slices.Equal(got, []string{"first"}) {
					t.Errorf("it failed for what readers see as %v", got)
				}
			})
			queued(3, func(*Tx) error {
				select {
				case <-told:
				case <-time.After(20 * time.Millisecond):
				}
				return nil
			}, ignore)
			close(open)
			group.Wait()
		})
	}
}

func TestACorruptFileIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	if err := os.WriteFile(path, bytes.Repeat([]byte("no database "), 2000), 0o600); err != nil {
		t.Fatal(err)
	}
	err := New(path, Options{}).View(func(*Tx) error { return nil })
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "devstack reset") {
		t.Errorf("got %v, want the path and the way out", err)
	}
}

func TestClosed(t *testing.T) {
	s := fresh(t)
	if err := s.Update(func(tx *Tx) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func(func(*Tx) error) error{"View": s.View, "Update": s.Update} {
		if err := f(func(*Tx) error { return nil }); !errors.Is(err, ErrClosed) {
			t.Errorf("%s after Close: %v", name, err)
		}
	}
}

func TestEphemeralLeavesNoFile(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s := New("", Options{Ephemeral: true})
	defer s.Close()
	if err := s.Update(func(tx *Tx) error { notes.Put(tx, note{"x"}, "x"); return nil }); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if got := texts(t, s); !slices.Equal(got, []string{"x"}) {
		t.Errorf("holds %v", got)
	}
}

// TestKilledProcessKeepsWhatItAcknowledged runs this test binary as a writer, kills it in the middle, and looks for
// every write that it had acknowledged.
func TestKilledProcessKeepsWhatItAcknowledged(t *testing.T) {
	if path := os.Getenv("STORE_TEST_WRITE_TO"); path != "" {
		write(path)
		return
	}
	path := filepath.Join(t.TempDir(), "s.db")
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "STORE_TEST_WRITE_TO="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var acknowledged []int
	for lines := bufio.NewScanner(out); lines.Scan(); {
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatalf("the writer says %q", lines.Text())
		}
		if acknowledged = append(acknowledged, n); len(acknowledged) == 500 {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // killed
	s := New(path, Options{})
	defer s.Close()
	err = s.View(func(tx *Tx) error {
		for _, n := range acknowledged {
			if _, ok := notes.Get(tx, n); !ok {
				return fmt.Errorf("write %d was acknowledged and is lost", n)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// write puts notes from eight goroutines and prints the number of each that is acknowledged, until it is killed.
func write(path string) {
	s := New(path, Options{})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := g; ; i += 8 {
				if err := s.Update(func(tx *Tx) error { notes.Put(tx, note{"x"}, i); return nil }); err != nil {
					fmt.Println(err)
					return
				}
				os.Stdout.WriteString(strconv.Itoa(i) + "\n")
			}
		})
	}
	wg.Wait()
}
