package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	edits   = 50
	goEdits = 10

	goBudget = 0.5 // of building and starting by hand
)

// editor saves versions of a function and asks for them.
type editor struct {
	handler
	dir     string
	conn    *conn
	version int
	took    []time.Duration // from the beginning of a save to the new version's answer
	fresh   []time.Duration // the reference
	stale   int             // answers by a version that was no longer saved
}

// edit saves a new version and asks until it answers.
func (e *editor) edit() error {
	e.version++
	e.conn.SetDeadline(time.Now().Add(answerWithin))
	want := fmt.Sprintf("v%d.", e.version)
	began := time.Now()
	if err := e.write(e.dir, e.version); err != nil {
		return err
	}
	for {
		if err := e.conn.do(e.ask()); err != nil {
			return fmt.Errorf("%s, version %d: %w", e.title, e.version, err)
		}
		if strings.Contains(string(e.conn.body), want) {
			break
		}
		e.stale++
	}
	e.took = append(e.took, time.Since(began))
	return nil
}

// restart measures the reference: a new process that loads the function.
func (e *editor) restart(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, e.handler.fresh[0], e.handler.fresh[1:]...)
	cmd.Dir = e.dir
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", e.title, err, out)
	}
	e.fresh = append(e.fresh, time.Since(began))
	return nil
}

// saves edits every function in turn, with the pauses of a quick typist between the edits of one.
func (b *bench) saves(ctx context.Context, s *stack, all []handler) error {
	var editors []*editor
	for _, h := range all {
		c, err := dial(s.port)
		if err != nil {
			return err
		}
		defer c.Close()
		editors = append(editors, &editor{handler: h, dir: s.dir, conn: c})
	}
	for n := range edits {
		for _, e := range editors {
			time.Sleep(time.Duration(60+rand.IntN(80)) * time.Millisecond)
			if err := errors.Join(e.edit(), ctx.Err()); err != nil {
				return err
			}
			if n%5 == 0 && e.handler.fresh != nil {
				if err := e.restart(ctx); err != nil {
					return err
				}
			}
		}
	}
	for _, e := range editors {
		p50, p95 := median(e.took), quantile(e.took, 0.95)
		r := row{
			what: fmt.Sprintf("save to served, %s, p50 / p95 of %d", e.title, edits), figure: ms(p50) + " / " + ms(p95),
			budget: "< " + ms(e.save) + " / " + ms(e.save95), missed: p50 >= e.save || p95 >= e.save95,
		}
		if fresh := median(e.fresh); fresh > 0 {
			r.reference, r.ratio = ms(fresh)+" "+e.freshName, float64(p50)/float64(fresh)
		}
		b.add(r, row{what: fmt.Sprintf("  stale answers, %s", e.title), figure: fmt.Sprint(e.stale), budget: "0", missed: e.stale > 0})
	}
	return nil
}

// goSaves edits the Go function, and the same function in a folder of its own, built and run by hand.
func (b *bench) goSaves(ctx context.Context, s *stack) error {
	c, err := dial(s.port)
	if err != nil {
		return err
	}
	defer c.Close()
	e := &editor{handler: goHandler, dir: s.dir, conn: c}
	plain := goHandler
	plain.file = "by-hand/main.go"
	program := filepath.Join(b.temp, "by-hand")
	// The first saves on a machine have the daemon compile all packages anew behind other work: they are no part of the figure.
	if err := errors.Join(plain.write(s.dir, 0), b.goBuild(ctx, s, program, "-gcflags=all=-dwarf=false")); err != nil {
		return err
	}
	for n := range goEdits {
		if err := plain.write(s.dir, 1000+n); err != nil {
			return err
		}
		began := time.Now()
		if err := b.goBuild(ctx, s, program); err != nil {
			return err
		}
		_ = exec.CommandContext(ctx, program).Run() // it ends at once for want of Lambda: that is its start
		fresh := time.Since(began)
		if err := e.edit(); err != nil {
			return err
		}
		if n == 0 { // which fills the build cache, and is followed by the pause in which later saves are prepared
			e.took = nil
			time.Sleep(5 * time.Second)
			continue
		}
		e.fresh = append(e.fresh, fresh)
	}
	ratio := median(ratios(e.took, e.fresh))
	b.add(
		row{
			what: fmt.Sprintf("save to served, Go, p50 of %d", goEdits-1), figure: ms(median(e.took)), reference: ms(median(e.fresh)) + " go build and start",
			ratio: ratio, budget: fmt.Sprintf("≤ %.1f ×", goBudget), missed: ratio > goBudget,
		},
		row{what: "  stale answers, Go", figure: fmt.Sprint(e.stale), budget: "0", missed: e.stale > 0},
	)
	return nil
}

// goBuild builds the Go function by hand.
func (b *bench) goBuild(ctx context.Context, s *stack, program string, flags ...string) error {
	args := slices.Concat([]string{"build", "-tags", "lambda.norpc", "-ldflags", "-s -w"}, flags, []string{"-o", program, "./by-hand"})
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = s.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}
