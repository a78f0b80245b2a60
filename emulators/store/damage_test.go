package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// filled is a closed store's file with a few pages in it.
func filled(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s.db")
	s := New(path, Options{})
	for i := range 100 {
		if err := s.Update(func(tx *Tx) error { notes.Put(tx, note{strings.Repeat("x", 1000)}, i); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDamagedFiles(t *testing.T) {
	for _, tt := range []struct {
		name   string
		damage func([]byte) []byte
	}{
		{"noise", func(b []byte) []byte { return bytes.Repeat([]byte("noise"), 1000) }},
		{"a file that ends too early", func(b []byte) []byte { return b[:5000] }},
		{"the first pages alone", func(b []byte) []byte { return b[:2*os.Getpagesize()] }},
		{"the first half", func(b []byte) []byte { return b[:len(b)/2] }},
		{"noise behind the first pages", func(b []byte) []byte {
			rest := b[2*os.Getpagesize():]
			copy(rest, bytes.Repeat([]byte("noise"), len(rest)))
			return b
		}},
		{"noise in every other page from the fifth on", func(b []byte) []byte {
			for at := 4 * pageSize; at < len(b); at += 2 * pageSize {
				copy(b[at:min(at+pageSize, len(b))], bytes.Repeat([]byte("noise"), pageSize/5))
			}
			return b
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filled(t)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, tt.damage(b), 0o600); err != nil {
				t.Fatal(err)
			}
			s := New(path, Options{})
			err = s.View(func(tx *Tx) error {
				for range notes.All(tx) {
				}
				return nil
			})
			if err == nil { // what is read may be whole
				for i := range 100 {
					if err = s.Update(func(tx *Tx) error { notes.Put(tx, note{"new"}, i); return nil }); err != nil {
						break
					}
				}
			}
			if damage, ok := errors.AsType[*DamageError](err); !ok || !strings.Contains(damage.Error(), path) {
				t.Errorf("the error is %v", err)
			}
			s.Close() // it returns, though bbolt may hold its locks
		})
	}
}

func TestAPanicIsItsCallersAlone(t *testing.T) {
	s := fresh(t)
	func() {
		defer func() {
			if p := recover(); p != "mistake" {
				t.Errorf("the caller's panic is %v", p)
			}
		}()
		s.Update(func(tx *Tx) error { notes.Put(tx, note{"half"}, 1); panic("mistake") })
	}()
	if err := s.Update(func(tx *Tx) error { notes.Put(tx, note{"whole"}, 2); return nil }); err != nil {
		t.Fatal(err)
	}
	if got := texts(t, s); len(got) != 1 || got[0] != "whole" {
		t.Errorf("kept: %v", got)
	}
}

func TestAFolderThatCannotBeMadeIsTriedAgain(t *testing.T) {
	inTheWay := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(inTheWay, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := New(filepath.Join(inTheWay, "s.db"), Options{})
	t.Cleanup(func() { s.Close() })
	write := func() error { return s.Update(func(tx *Tx) error { notes.Put(tx, note{"kept"}, 1); return nil }) }
	if _, ok := errors.AsType[*WriteError](write()); !ok {
		t.Errorf("the error is %v", write())
	}
	os.Remove(inTheWay)
	if err := write(); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
