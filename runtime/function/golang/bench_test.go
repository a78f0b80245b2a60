package golang_test

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"devstack/internal/clock"
	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/golang"
	"devstack/runtime/watch"
)

// BenchmarkSave measures from a save to the first answer by the new code, in turn with what the same takes by hand: `go build` and a
// start. Where others use the machine as well the processor's time tells more than the clock's.
func BenchmarkSave(b *testing.B) {
	const plain = "package main\n\nimport \"github.com/aws/aws-lambda-go/lambda\"\n\nfunc main() {\n\tlambda.Start(func() (int, error) { return VERSION, nil })\n}\n"
	const sdk = `package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

func main() {
	lambda.Start(func(ctx context.Context) (int, error) {
		cfg, err := config.LoadDefaultConfig(ctx)
		if err == nil && VERSION < 0 {
			_, err = dynamodb.NewFromConfig(cfg).ListTables(ctx, nil)
		}
		return VERSION, err
	})
}
`
	b.Run("a plain function", func(b *testing.B) { goEdits(b, plain) })
	b.Run("with the AWS SDK", func(b *testing.B) { goEdits(b, sdk) })
}

func goEdits(b *testing.B, source string) {
	mod, err := os.ReadFile(filepath.Join("..", "..", "..", "go.mod"))
	if err != nil {
		b.Fatal(err)
	}
	sum, err := os.ReadFile(filepath.Join("..", "..", "..", "go.sum"))
	if err != nil {
		b.Fatal(err)
	}
	b.Setenv("GOFLAGS", "-mod=mod")
	dir := b.TempDir()
	write := func(name, content string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	write("go.mod", string(mod))
	write("go.sum", string(sum))
	save := func(name string, n int) {
		write(name, strings.ReplaceAll(source, "VERSION", strconv.Itoa(n)))
	}
	save("f/main.go", 0)
	engine := golang.New(golang.Config{Cache: b.TempDir()})
	w, err := watch.New()
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	m := function.NewManager(function.Config{
		Engines: func(string) function.Engine { return engine }, Clock: clock.System(), Watch: w,
		Env: func(*config.Function) []string { return []string{"AWS_REGION=us-east-1"} },
	})
	defer engine.Close()
	defer m.Close()
	fn := &config.Function{Name: "f", Runtime: "go", Source: filepath.Join(dir, "f"), Timeout: 20, Memory: 128}
	if err := m.Put(b.Context(), fn); err != nil {
		b.Fatal(err)
	}
	ask := func(want int) {
		out, err := m.Invoke(b.Context(), "f", function.Invocation{Payload: []byte("{}")})
		if err != nil || string(out.Payload) != strconv.Itoa(want) {
			b.Fatalf("%v %s", err, out.Payload)
		}
	}
	ask(0)
	byHand := filepath.Join(dir, "by-hand-program")
	hand := func(n int) {
		save("by-hand/main.go", n)
		cmd := exec.Command("go", "build", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", byHand, "./by-hand")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v %s", err, out)
		}
		_ = exec.Command(byHand).Run() // it ends at once for want of Lambda
	}
	hand(0)
	var saves, hands, ratios, busy, busyByHand []float64
	n := 0
	for b.Loop() {
		time.Sleep(2 * time.Second) // for what is made beside
		n++
		began, used := time.Now(), children(b)
		save("f/main.go", n)
		ask(n)
		saves, busy = append(saves, ms(time.Since(began))), append(busy, ms(children(b)-used))
		began, used = time.Now(), children(b)
		hand(n)
		hands, busyByHand = append(hands, ms(time.Since(began))), append(busyByHand, ms(children(b)-used))
		ratios = append(ratios, saves[len(saves)-1]/hands[len(hands)-1])
	}
	b.ReportMetric(p(saves, 50), "save-p50-ms")
	b.ReportMetric(p(saves, 95), "save-p95-ms")
	b.ReportMetric(p(hands, 50), "by-hand-p50-ms")
	b.ReportMetric(p(ratios, 50), "ratio-p50")
	b.ReportMetric(p(busy, 50), "save-p50-cpu-ms")
	b.ReportMetric(p(busyByHand, 50), "by-hand-p50-cpu-ms")
}

// children is the processor's time that ended child processes have used.
func children(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func p(values []float64, percent int) float64 {
	values = slices.Clone(values)
	slices.SortFunc(values, cmp.Compare)
	return values[(len(values)-1)*percent/100]
}
