package node_test

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
	"devstack/runtime/function/node"
	"devstack/runtime/watch"
)

// BenchmarkSave measures from a save to the first answer by the new code, with half a second of typing between saves.
// DEVSTACK_NODE_MODULES names a node_modules folder with @aws-sdk/client-dynamodb in it, for the run with packages.
func BenchmarkSave(b *testing.B) {
	plain := func(n int) string { return fmt.Sprintf("exports.handler = async () => '%d';\n", n) }
	b.Run("JavaScript", func(b *testing.B) { edits(b, "index.js", "", plain) })
	b.Run("TypeScript", func(b *testing.B) {
		edits(b, "index.ts", "", func(n int) string {
			return fmt.Sprintf("export const handler = async (): Promise<string> => '%d';\n", n)
		})
	})
	modules := os.Getenv("DEVSTACK_NODE_MODULES")
	if modules == "" {
		return
	}
	b.Run("with the AWS SDK", func(b *testing.B) {
		edits(b, "index.js", modules, func(n int) string {
			return "const { DynamoDBClient } = require('@aws-sdk/client-dynamodb');\nconst client = new DynamoDBClient({});\n" + plain(n)
		})
	})
}

func edits(b *testing.B, name, modules string, source func(n int) string) {
	dir := b.TempDir()
	if modules != "" {
		if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
			b.Fatal(err)
		}
	}
	save := func(n int) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(source(n)), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	save(0)
	engine := node.New(node.Options{Clock: clock.System()})
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
	fn := &config.Function{Name: "f", Runtime: "nodejs20.x", Source: dir, Timeout: 20, Memory: 128}
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
