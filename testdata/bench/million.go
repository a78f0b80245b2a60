package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	largeTable      = 1_000_000 // items
	loadConnections = 8

	growthBudget  = 0.75      // of a small table's throughput
	loadedBudget  = 200 << 20 // bytes
	restartBudget = time.Second
	settled       = 3 * time.Second // after the load
)

// million measures a table of a million items: loading it, the memory that the daemon holds then, restarting with it, and
// the operations beside the same on a table of a thousand.
func (b *bench) million(ctx context.Context) error {
	dir, small := filepath.Join(b.temp, "million"), filepath.Join(b.temp, "thousand")
	for _, d := range []string{dir, small} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return err
		}
	}
	defer os.RemoveAll(dir) // it is larger than all else
	large, err := b.serveFor(ctx, createTable, "--dir", dir)
	if err != nil {
		return err
	}
	if err := b.fill(ctx, large); err != nil {
		return errors.Join(err, large.stop())
	}
	if large, err = b.restart(ctx, large, dir, syscall.SIGTERM, "stopped"); err != nil {
		return err
	}
	err = b.growth(ctx, large, small)
	if err == nil {
		large, err = b.restart(ctx, large, dir, syscall.SIGKILL, "killed")
	}
	return errors.Join(err, large.stop())
}

// fill writes the large table and looks at the daemon's memory.
func (b *bench) fill(ctx context.Context, s *server) error {
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	began, top := time.Now(), 0
	for range loadConnections {
		group.Go(func() error {
			c, err := dial(s.port)
			if err != nil {
				return err
			}
			defer c.Close()
			for ctx.Err() == nil {
				n := int(next.Add(batchSize)) - batchSize
				if n >= largeTable {
					return nil
				}
				c.SetDeadline(time.Now().Add(answerWithin))
				if err := c.do(batchWrite(n, largeTable)); err != nil {
					return err
				}
			}
			return ctx.Err()
		})
	}
	watch := time.NewTicker(100 * time.Millisecond)
	defer watch.Stop()
	for int(next.Load()) < largeTable && ctx.Err() == nil {
		<-watch.C
		if held, err := resident(s.cmd.Process.Pid); err == nil {
			top = max(top, held)
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	took := time.Since(began)
	time.Sleep(settled)
	held, err := resident(s.cmd.Process.Pid)
	b.add(
		row{
			what:   fmt.Sprintf("dynamodb 1,000,000 items of 1 KB by BatchWriteItem, %d connections", loadConnections),
			figure: fmt.Sprintf("%.0f items/s, %.0f s", largeTable/took.Seconds(), took.Seconds()),
		},
		row{what: "  the daemon's memory, at most meanwhile", figure: mib(top)},
		row{what: fmt.Sprintf("  the daemon's memory, %s later", settled), figure: mib(held), budget: "< " + mib(loadedBudget), missed: held >= loadedBudget},
	)
	return err
}

// restart ends the daemon by a signal and starts it again on the same data.
func (b *bench) restart(ctx context.Context, s *server, dir string, by syscall.Signal, how string) (*server, error) {
	if err := s.cmd.Process.Signal(by); err != nil {
		return s, err
	}
	s.cmd.Wait() // it ends as it was told
	again, err := b.serveFor(ctx, dynamoLoads(largeTable)[0].asks[0], "--dir", dir)
	if err != nil {
		return s, err
	}
	b.add(row{
		what: "  " + how + ", then exec to the first GetItem", figure: ms(again.took), budget: "< " + ms(restartBudget), missed: again.took >= restartBudget,
	})
	return again, nil
}

// growth compares the operations on the large table with those on a small one, both in files.
func (b *bench) growth(ctx context.Context, large *server, dir string) error {
	small, err := b.serveFor(ctx, createTable, "--dir", dir)
	if err != nil {
		return err
	}
	of, beside := dynamoLoads(largeTable), dynamoLoads(smallTable)
	if err := small.ask(fillTable(smallTable)[1:]); err != nil {
		return errors.Join(err, small.stop())
	}
	for i := range of {
		l, s := &side{server: large, load: of[i]}, &side{server: small, load: beside[i]}
		if err := takeTurns(ctx, 8, s, l); err != nil {
			return errors.Join(err, small.stop())
		}
		b.add(rateRow("dynamodb "+l.name+", 1,000,000 items, 8 connections", l, s, "1,000 items", growthBudget))
	}
	held, err := resident(large.cmd.Process.Pid)
	b.add(row{what: "  the daemon's memory after that", figure: mib(held)})
	return errors.Join(err, small.stop())
}
