package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	loadRounds = 10
	loadTime   = 200 * time.Millisecond // of each side in each round

	nullBudget = 0.5 // of a bare handler's throughput
)

// load is requests that are sent over and over, in any order.
type load struct {
	name   string
	target string // X-Amz-Target, "" without one
	asks   [][]byte
	vary   int // where in each of them there are nine digits that must be different each time; 0: nowhere
}

// next returns one of the requests, in buf if it is varied.
func (l *load) next(buf []byte) []byte {
	ask := l.asks[rand.IntN(len(l.asks))]
	if l.vary == 0 {
		return ask
	}
	buf = append(buf[:0], ask...)
	strconv.AppendInt(buf[:l.vary], 100_000_000+rand.Int64N(900_000_000), 10)
	return buf
}

// pair is devstack and the bare server that gives the same answers.
type pair struct {
	devstack, bare *server
}

// pair starts devstack, prepares it, records its answers to the loads, and starts a bare server that gives them.
func (b *bench) pair(ctx context.Context, prepare [][]byte, loads []load) (*pair, error) {
	devstack, err := b.serve(ctx)
	if err != nil {
		return nil, err
	}
	answers, err := b.record(devstack, prepare, loads)
	if err == nil {
		var bare *server
		if bare, err = b.startBare(ctx, answers); err == nil {
			return &pair{devstack, bare}, nil
		}
	}
	return nil, errors.Join(err, devstack.stop())
}

func (p *pair) stop() error { return errors.Join(p.devstack.stop(), p.bare.stop()) }

func (b *bench) record(s *server, prepare [][]byte, loads []load) (dir string, err error) {
	if err := s.ask(prepare); err != nil {
		return "", err
	}
	c, err := dial(s.port)
	if err != nil {
		return "", err
	}
	defer c.Close()
	if dir, err = os.MkdirTemp(b.temp, "answers-"); err != nil {
		return "", err
	}
	for _, l := range loads {
		if err := c.do(l.asks[0]); err != nil {
			return "", fmt.Errorf("%s: %w", l.name, err)
		}
		name := l.target
		if name == "" {
			name = "none"
		}
		if err := os.WriteFile(filepath.Join(dir, name), slices.Concat(c.head, c.body), 0o644); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// ask sends requests one after the other.
func (s *server) ask(all [][]byte) error {
	c, err := dial(s.port)
	if err != nil {
		return err
	}
	defer c.Close()
	for _, ask := range all {
		c.SetDeadline(time.Now().Add(answerWithin))
		if err := c.do(ask); err != nil {
			return err
		}
	}
	return nil
}

// side is one of those that are measured in turns: a server under a load.
type side struct {
	*server
	load
	conns []*conn
	rates []float64       // requests a second, by round
	took  []time.Duration // of each request
	calls int
	used  time.Duration // the server's processor time
}

// takeTurns loads the sides in turns.
func takeTurns(ctx context.Context, connections int, sides ...*side) error {
	for _, s := range sides {
		defer s.close()
		if err := s.open(connections); err != nil {
			return err
		}
		if err := s.run(loadTime / 2); err != nil { // to warm up
			return err
		}
		s.rates, s.took, s.calls, s.used = nil, nil, 0, 0
	}
	for range loadRounds {
		for _, s := range sides {
			if err := errors.Join(ctx.Err(), s.run(loadTime)); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
		slices.Reverse(sides) // who goes first must not matter
	}
	return nil
}

func (s *side) open(connections int) error {
	for range connections {
		c, err := dial(s.port)
		if err != nil {
			return err
		}
		s.conns = append(s.conns, c)
	}
	return nil
}

func (s *side) close() {
	for _, c := range s.conns {
		c.Close()
	}
	s.conns = nil
}

// run sends the load over all connections for a time.
func (s *side) run(d time.Duration) error {
	took := make([][]time.Duration, len(s.conns))
	var group errgroup.Group
	used, began := processor(s.cmd.Process.Pid), time.Now()
	for i, c := range s.conns {
		c.SetDeadline(began.Add(d + answerWithin))
		group.Go(func() error {
			buf := make([]byte, 0, 4<<10)
			for sent := time.Since(began); sent < d; {
				if err := c.do(s.next(buf)); err != nil {
					return err
				}
				now := time.Since(began)
				took[i] = append(took[i], now-sent)
				sent = now
			}
			return nil
		})
	}
	err := group.Wait()
	lasted, total := time.Since(began), 0
	for _, t := range took {
		total += len(t)
		s.took = append(s.took, t...)
	}
	s.calls += total
	s.used += processor(s.cmd.Process.Pid) - used
	s.rates = append(s.rates, float64(total)/lasted.Seconds())
	return err
}

// cpu is the server's processor time a request, 0 where it is not known.
func (s *side) cpu() time.Duration { return s.used / time.Duration(max(s.calls, 1)) }

// comparison is what devstack and the bare server did with the same load.
type comparison struct{ devstack, bare *side }

func (p *pair) compare(ctx context.Context, l load, connections int) (comparison, error) {
	c := comparison{&side{server: p.devstack, load: l}, &side{server: p.bare, load: l}}
	return c, takeTurns(ctx, connections, c.bare, c.devstack)
}

// row is the comparison as a line of the table. atLeast is the budget, a share of the bare server's throughput; 0 for none.
func (c comparison) row(what string, atLeast float64) row {
	return rateRow(what, c.devstack, c.bare, "bare handler", atLeast)
}

// rateRow compares the throughput of two sides.
func rateRow(what string, s, reference *side, name string, atLeast float64) row {
	r := row{
		what: what, figure: fmt.Sprintf("%.0f/s", median(s.rates)), reference: fmt.Sprintf("%.0f/s %s", median(reference.rates), name),
		ratio: median(ratios(s.rates, reference.rates)),
	}
	if atLeast > 0 {
		r.budget, r.missed = fmt.Sprintf("≥ %.2f ×", atLeast), r.ratio < atLeast
	}
	return r
}

func (c comparison) cpuRow(what string) row {
	return row{
		what: what, figure: us(c.devstack.cpu()), reference: us(c.bare.cpu()) + " bare handler",
		ratio: float64(c.devstack.cpu()) / float64(c.bare.cpu()),
	}
}

// nullPath measures the least that a request of AWS's costs: who is calling.
func (b *bench) nullPath(ctx context.Context) error {
	l := load{name: "GetCallerIdentity", asks: [][]byte{request("POST", "/", "Action=GetCallerIdentity&Version=2011-06-15",
		"Content-Type", "application/x-www-form-urlencoded; charset=utf-8", "X-Amz-Date", "20260102T030405Z", "Authorization", signed("sts"))}}
	p, err := b.pair(ctx, nil, []load{l})
	if err != nil {
		return err
	}
	var last comparison
	for _, connections := range []int{1, 8, 64} {
		c, err := p.compare(ctx, l, connections)
		if err != nil {
			return errors.Join(err, p.stop())
		}
		b.add(c.row(fmt.Sprintf("sts GetCallerIdentity, %d connections, p50 of %d × %s", connections, loadRounds, loadTime), nullBudget))
		last = c
	}
	if last.bare.cpu() > 0 {
		b.add(last.cpuRow("sts GetCallerIdentity, the server's processor time"))
	}
	return p.stop()
}
