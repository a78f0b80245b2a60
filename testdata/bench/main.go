// Command bench measures devstack on this machine and prints one table: what, the figure, the reference that was measured in
// the same run, their ratio, and the budget. `make bench` runs it; docs/benchmarks.md says how to read it.
//
// It builds devstack as `make build` does, drives it from outside as its users do, and takes turns between devstack and the
// reference, so that a noisy neighbour meets both. A missed budget is told and is no error: the exit code is 1 only if
// something did not run at all.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// within bounds the whole run without the soak, which takes eight minutes, most of them Node's races and the million items, and twice that on a
// busy machine.
const within = 20 * time.Minute

// bench is one run.
type bench struct {
	root      string // of the repository
	temp      string // for binaries and stacks; removed at the end
	devstack  string // the binaries
	bare      string
	raceSaves int           // of each race
	soakFor   time.Duration // 0: no soak
	rows      []row
}

// sections are what is measured, in the table's order.
var sections = []struct {
	name string
	run  func(*bench, context.Context) error
}{
	{"start", (*bench).processStart},
	{"stack", (*bench).rootStack},
	{"null", (*bench).nullPath},
	{"functions", (*bench).functions},
	{"crowds", (*bench).crowds},
	{"first", (*bench).first},
	{"idle", (*bench).idle},
	{"dynamodb", (*bench).dynamodb},
	{"million", (*bench).million},
	{"races", (*bench).races},
	{"soak", (*bench).soak},
}

func main() {
	only := flag.String("run", "", "regular `expression` of the sections to run: start, stack, null, functions, crowds, first, idle, dynamodb, million, races, soak")
	saves := flag.Int("races", 1000, "`number` of saves in each race")
	soak := flag.Duration("soak", 0, "how long functions are reloaded under load to see what leaks, such as 30m; 0: not at all")
	flag.Parse()
	wanted, err := regexp.Compile(*only)
	if err == nil {
		err = run(wanted, &bench{raceSaves: *saves, soakFor: *soak})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(wanted *regexp.Regexp, b *bench) error {
	began := time.Now()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, within+b.soakFor)
	defer cancel()
	if err := b.prepare(ctx); err != nil {
		return err
	}
	defer os.RemoveAll(b.temp)
	var failed []error
	for _, s := range sections {
		if !wanted.MatchString(s.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring %s …\n", s.name)
		if err := s.run(b, ctx); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", s.name, err))
		}
	}
	fmt.Printf("%s, %s/%s, %d processors, %s, %d s\n\n", time.Now().Format(time.DateOnly), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(),
		runtime.Version(), int(time.Since(began).Seconds()))
	printTable(os.Stdout, b.rows)
	return errors.Join(failed...)
}

// prepare finds the repository and builds what is measured.
func (b *bench) prepare(ctx context.Context) error {
	mod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return fmt.Errorf("go env: %w", err)
	}
	b.root = filepath.Dir(strings.TrimSpace(string(mod)))
	if b.temp, err = os.MkdirTemp("", "devstack-bench-"); err != nil {
		return err
	}
	if err := os.Setenv("GOTMPDIR", b.temp); err != nil { // the go command leaves its work there when it is killed
		return err
	}
	fmt.Fprintln(os.Stderr, "building …")
	if b.devstack, err = b.build(ctx, "./cmd/devstack", "devstack"); err == nil {
		b.bare, err = b.build(ctx, "./testdata/bench/bare", "bare")
	}
	if err != nil {
		os.RemoveAll(b.temp)
	}
	return err
}

// add appends rows to the table.
func (b *bench) add(rows ...row) { b.rows = append(b.rows, rows...) }
