package store

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
)

// benchStore is a store with n values of 1 KB under keys that are spread.
func benchStore(b *testing.B, n int) *Store {
	s := New("", Options{Ephemeral: true})
	b.Cleanup(func() { s.Close() })
	for i := 0; i < n; i += 1000 {
		err := s.Update(func(tx *Tx) error {
			for k := i; k < i+1000; k++ {
				tx.Bucket("items").Put(benchKey(k), make([]byte, 1050))
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	return s
}

func benchKey(n int) []byte {
	k := binary.BigEndian.AppendUint64(nil, uint64(n)*0x9e3779b97f4a7c15)
	return append(k, "some more of a key"...)
}

func eachSize(b *testing.B, f func(b *testing.B, s *Store, n int)) {
	for _, n := range []int{1000, 200_000} {
		s := benchStore(b, n)
		for _, goroutines := range []int{1, 8, 64} {
			b.Run(fmt.Sprintf("%d values/%d", n, goroutines), func(b *testing.B) {
				b.ReportAllocs()
				b.SetParallelism((goroutines + 1) / 2)
				f(b, s, n)
			})
		}
	}
}

func BenchmarkView(b *testing.B) {
	eachSize(b, func(b *testing.B, s *Store, n int) {
		b.RunParallel(func(p *testing.PB) {
			for p.Next() {
				s.View(func(tx *Tx) error {
					tx.Bucket("tables").Get(benchKey(0))
					if tx.Bucket("items").Get(benchKey(rand.IntN(n))) == nil {
						b.Error("it is gone")
					}
					return nil
				})
			}
		})
	})
}

func BenchmarkUpdate(b *testing.B) {
	eachSize(b, func(b *testing.B, s *Store, n int) {
		value := make([]byte, 1050)
		b.RunParallel(func(p *testing.PB) {
			for p.Next() {
				s.Update(func(tx *Tx) error {
					tx.Bucket("tables").Get(benchKey(0))
					k := benchKey(rand.IntN(n))
					tx.Bucket("items").Get(k)
					tx.Bucket("items").Put(k, value)
					return nil
				})
			}
		})
	})
}
