package function_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"devstack/internal/clock"
	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/functiontest"
)

// BenchmarkInvoke is what the Manager adds to a call: looking at one input, taking a sandbox, bounding the time, the log.
func BenchmarkInvoke(b *testing.B) {
	for _, callers := range []int{1, 8} {
		b.Run(fmt.Sprintf("%d callers", callers), func(b *testing.B) {
			m := newFake(b)
			b.SetParallelism(callers)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := m.Invoke(b.Context(), "f", function.Invocation{Payload: []byte(`{"do":"version"}`)}); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

// BenchmarkSaveToServed is the Manager's part of a reload: from a save that has returned to the answer by the new code.
func BenchmarkSaveToServed(b *testing.B) {
	m := newFake(b)
	info, err := m.Get("f")
	if err != nil {
		b.Fatal(err)
	}
	var total time.Duration
	for n := range b.N {
		if err := os.WriteFile(info.Function.Source, fmt.Appendf(nil, "%d", n), 0o644); err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		out, err := m.Invoke(b.Context(), "f", function.Invocation{Payload: []byte(`{"do":"version"}`)})
		total += time.Since(began)
		if err != nil || string(out.Payload) != fmt.Sprintf("%q", fmt.Sprint(n)) {
			b.Fatalf("save %d: %+v %v", n, out, err)
		}
	}
	b.ReportMetric(float64(total.Microseconds())/float64(b.N), "µs/reload")
}

func newFake(b *testing.B) *function.Manager {
	b.Helper()
	fake := &functiontest.Fake{}
	m := function.NewManager(function.Config{Engines: func(string) function.Engine { return fake }, Clock: clock.System()})
	b.Cleanup(func() { m.Close() })
	fn := &config.Function{Name: "f", Runtime: "fake", Source: filepath.Join(b.TempDir(), "main"), Timeout: 3, Memory: 128}
	if err := os.WriteFile(fn.Source, []byte("one"), 0o644); err != nil {
		b.Fatal(err)
	}
	if err := m.Put(b.Context(), fn); err != nil {
		b.Fatal(err)
	}
	return m
}

// BenchmarkVerify is what a call costs for being certain that none of a function's files has changed, beside one of a single file.
func BenchmarkVerify(b *testing.B) {
	for _, files := range []int{1, 500} {
		b.Run(fmt.Sprint(files, " files"), func(b *testing.B) {
			fake := &functiontest.Fake{}
			dir := b.TempDir()
			for i := range files {
				name := "main"
				if i > 0 {
					name = fmt.Sprint("file", i)
				}
				path := filepath.Join(dir, name)
				old := time.Now().Add(-time.Hour) // its facts prove its content
				if err := errors.Join(os.WriteFile(path, []byte("one"), 0o644), os.Chtimes(path, old, old)); err != nil {
					b.Fatal(err)
				}
			}
			m := function.NewManager(function.Config{Engines: func(string) function.Engine { return fake }, Clock: clock.System()})
			defer m.Close()
			if err := m.Put(b.Context(), &config.Function{Name: "f", Runtime: "fake", Source: dir, Timeout: 3, Memory: 128}); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := m.Invoke(b.Context(), "f", function.Invocation{Payload: []byte(version)}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
