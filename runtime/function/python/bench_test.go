package python_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"devstack/internal/clock"
	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/python"
	"devstack/runtime/watch"
)

// BenchmarkSave measures from a save to the first answer by the new code, with half a second of typing between saves.
// DEVSTACK_VENV names a virtualenv with boto3 in it, for the run with packages.
func BenchmarkSave(b *testing.B) {
	plain := func(n int) string { return fmt.Sprintf("def lambda_handler(event, context):\n    return '%d'\n", n) }
	b.Run("Python", func(b *testing.B) { edits(b, "", plain) })
	venv := os.Getenv("DEVSTACK_VENV")
	if venv == "" {
		return
	}
	b.Run("with boto3", func(b *testing.B) {
		edits(b, venv, func(n int) string { return "import boto3\nclient = boto3.client('dynamodb')\n" + plain(n) })
	})
}

func edits(b *testing.B, venv string, source func(n int) string) {
	dir := b.TempDir()
	if venv != "" {
		if err := os.Symlink(venv, filepath.Join(dir, ".venv")); err != nil {
			b.Fatal(err)
		}
	}
	save := func(n int) {
		if err := os.WriteFile(filepath.Join(dir, "lambda_function.py"), []byte(source(n)), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	save(0)
	engine := python.New(python.Options{Clock: clock.System()})
	w, err := watch.New()
	if err != nil {
		b.Fatal(err)
	}
	m := function.NewManager(function.Config{
		Engines: func(string) function.Engine { return engine }, Clock: clock.System(), Watch: w,
		Env: func(*config.Function) []string {
			return []string{"AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1"}
		}, Log: func(function.Line) {},
	})
	defer engine.Close()
	defer m.Close()
	fn := &config.Function{Name: "f", Runtime: "python3.12", Source: dir, Timeout: 20, Memory: 128}
	if err := m.Put(b.Context(), fn); err != nil {
		b.Fatal(err)
	}
	ask := func(want int) {
		out, err := m.Invoke(b.Context(), "f", function.Invocation{Payload: []byte("{}")})
		if err != nil || string(out.Payload) != strconv.Quote(strconv.Itoa(want)) {
			b.Fatalf("%v %s", err, out.Payload)
		}
	}
	ask(0)
	var saves, warm []time.Duration
	for n := 1; b.Loop(); n++ {
		time.Sleep(500 * time.Millisecond)
		began := time.Now()
		save(n)
		ask(n)
		saves = append(saves, time.Since(began))
		for range 20 {
			began := time.Now()
			ask(n)
			warm = append(warm, time.Since(began))
		}
	}
	report(b, "save", saves)
	report(b, "warm", warm)
}

func report(b *testing.B, what string, d []time.Duration) {
	slices.SortFunc(d, cmp.Compare)
	at := func(p int) float64 { return float64(d[(len(d)-1)*p/100].Microseconds()) / 1000 }
	b.ReportMetric(at(50), what+"-p50-ms")
	b.ReportMetric(at(95), what+"-p95-ms")
}
