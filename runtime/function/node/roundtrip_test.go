package node_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"devstack/internal/clock"
	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/node"
)

// BenchmarkRoundTrip is a warm event without what the Manager adds: the pipes, the process, a handler that does nothing.
func BenchmarkRoundTrip(b *testing.B) {
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.js"), []byte("exports.handler = async () => 1;\n"), 0o644); err != nil {
		b.Fatal(err)
	}
	engine := node.New(node.Options{Clock: clock.System()})
	defer engine.Close()
	fn := &config.Function{Name: "f", Runtime: "nodejs20.x", Source: dir, Timeout: 20, Memory: 128}
	built, err := engine.Build(b.Context(), fn, nil)
	if err != nil {
		b.Fatal(err)
	}
	s, err := engine.Start(b.Context(), fn, built, []string{"AWS_EXECUTION_ENV=AWS_Lambda_nodejs20.x", "PATH=" + os.Getenv("PATH"), "LAMBDA_TASK_ROOT=" + dir}, func(string, string) {})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	b.ReportAllocs()
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		if _, err := s.Invoke(ctx, &function.Event{RequestID: "0f3a7a3e-0000-4000-8000-000000000000", Payload: []byte(`{}`), Timeout: time.Minute, ARN: "arn:aws:lambda:us-east-1:000000000000:function:f"}); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	report(b, "call", took)
}

// BenchmarkFirstEvent is the first event of a function that nobody has called: with a process that waits, and, where the function has
// variables that Node.js reads at its start, without.
func BenchmarkFirstEvent(b *testing.B) {
	for name, env := range map[string]map[string]string{"a process waits": nil, "none waits": {"NODE_NO_WARNINGS": "1"}} {
		b.Run(name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				took = append(took, firstEvent(b, env))
			}
			report(b, "first", took)
		})
	}
}

func firstEvent(b *testing.B, env map[string]string) time.Duration {
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.js"), []byte("exports.handler = async () => 1;\n"), 0o644); err != nil {
		b.Fatal(err)
	}
	engine := node.New(node.Options{Clock: clock.System()})
	defer engine.Close()
	m := function.NewManager(function.Config{Engines: func(string) function.Engine { return engine }, Clock: clock.System()})
	defer m.Close()
	fn := &config.Function{Name: "f", Runtime: "nodejs20.x", Source: dir, Timeout: 20, Memory: 128, Environment: env}
	if err := m.Put(b.Context(), fn); err != nil {
		b.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond) // as long as nobody calls
	began := time.Now()
	if out, err := m.Invoke(b.Context(), "f", function.Invocation{}); err != nil || string(out.Payload) != "1" {
		b.Fatal(out, err)
	}
	return time.Since(began)
}
