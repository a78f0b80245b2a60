package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	soakSamples = 20                     // of the daemon, over the whole time
	soakPause   = 2 * time.Millisecond   // between two calls of one function
	soakEdit    = 200 * time.Millisecond // between two saves, of one function after the other
	soakBroken  = 10                     // one save in so many does not build

	// What the last quarter may hold more than the second one: memory comes and goes with collections, the rest hardly.
	soakMemory    = 1.25
	soakEverybody = 10 // files, and processes

	soakAnswer = time.Minute // that an answer may take: an API gives up after half of it, and that is an answer
)

// holding is what a daemon holds at one moment.
type holding struct {
	memory    int // bytes
	files     int
	processes int // it and all below it
}

// soak reloads the functions of a stack under load for a long time, and holds what the daemon has at the end against what it had
// before: what grows is a leak.
func (b *bench) soak(ctx context.Context) (err error) {
	if b.soakFor == 0 {
		return nil
	}
	all := append(b.present(handlers), goHandler)
	s, err := b.functionStack("soak", all)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.down()) }()
	if _, _, err := s.up(ctx); err != nil {
		return err
	}
	load := &soakLoad{stack: s}
	ctx, end := context.WithTimeout(ctx, b.soakFor)
	defer end()
	for _, h := range all {
		load.running.Go(func() { load.call(ctx, h) })
	}
	load.running.Go(func() { load.save(ctx, all) })
	samples, err := sampled(ctx, s.pid, b.soakFor)
	end()
	load.running.Wait()
	if err != nil {
		return err
	}
	b.add(row{
		what:   fmt.Sprintf("%v of reloads under load", b.soakFor),
		figure: fmt.Sprintf("%d calls, %d saves", load.calls.Load(), load.saves.Load()),
	}, row{
		what: "  calls that were not answered", figure: fmt.Sprint(load.dropped.Load()), budget: "0", missed: load.dropped.Load() > 0,
	})
	b.soakRows(samples)
	return nil
}

// soakRows compares the second quarter of the time with the last.
func (b *bench) soakRows(samples []holding) {
	quarter := len(samples) / 4
	early, late := samples[quarter:2*quarter], samples[len(samples)-quarter:]
	middle := func(of []holding, get func(holding) int) int {
		var values []int
		for _, h := range of {
			values = append(values, get(h))
		}
		return median(values)
	}
	for _, r := range []struct {
		what string
		get  func(holding) int
		say  func(int) string
		most func(early int) int
	}{
		{"memory", func(h holding) int { return h.memory }, mib, func(n int) int { return int(float64(n) * soakMemory) }},
		{"open files", func(h holding) int { return h.files }, strconv.Itoa, func(n int) int { return n + soakEverybody }},
		{"processes", func(h holding) int { return h.processes }, strconv.Itoa, func(n int) int { return n + soakEverybody }},
	} {
		before, after := middle(early, r.get), middle(late, r.get)
		b.add(row{
			what: "  the daemon's " + r.what + " in the last quarter", figure: r.say(after), reference: r.say(before) + " in the second",
			ratio: float64(after) / float64(max(before, 1)), budget: "≤ " + r.say(r.most(before)), missed: after > r.most(before),
		})
	}
}

// sampled looks at the daemon from time to time until ctx ends.
func sampled(ctx context.Context, pid int, during time.Duration) (samples []holding, err error) {
	tick := time.NewTicker(during / soakSamples)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return samples, nil
		case <-tick.C:
		}
		var h holding
		if h.memory, err = resident(pid); err != nil {
			return nil, err
		}
		files, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		h.files, h.processes = len(files), descendants(pid)
		samples = append(samples, h)
		fmt.Fprintf(os.Stderr, "  %s, %d files, %d processes\n", mib(h.memory), h.files, h.processes)
	}
}

// descendants counts a process and all that come from it, 1 where there is no /proc to tell.
func descendants(pid int) int {
	parents := map[int]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		id, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		_, rest, _ := strings.Cut(string(text), ") ")
		if fields := strings.Fields(rest); len(fields) > 1 {
			parents[id], _ = strconv.Atoi(fields[1])
		}
	}
	n := 1
	for id := range parents {
		for up := parents[id]; up > 0; up = parents[up] {
			if up == pid {
				n++
				break
			}
		}
	}
	return n
}

// soakLoad is who calls and who saves.
type soakLoad struct {
	stack                 *stack
	running               sync.WaitGroup
	calls, saves, dropped atomic.Int64
}

// drop counts a call that was not answered, and says why.
func (l *soakLoad) drop(h handler, err error) {
	l.dropped.Add(1)
	fmt.Fprintf(os.Stderr, "  %s: %v\n", h.title, err)
}

// call asks a function again and again. Its error is an answer; no answer is a dropped request.
func (l *soakLoad) call(ctx context.Context, h handler) {
	var c *conn
	for ctx.Err() == nil {
		var err error
		if c == nil {
			if c, err = dial(l.stack.port); err != nil {
				l.drop(h, err)
				time.Sleep(soakEdit)
				continue
			}
		}
		c.SetDeadline(time.Now().Add(soakAnswer))
		l.calls.Add(1)
		if _, err = c.exchange(h.ask()); err != nil {
			l.drop(h, err)
			c.Close()
			c = nil
		}
		time.Sleep(soakPause)
	}
	if c != nil {
		c.Close()
	}
}

// save saves one function after the other, some of them broken.
func (l *soakLoad) save(ctx context.Context, all []handler) {
	for n := 1; ctx.Err() == nil; n++ {
		h := all[n%len(all)]
		if n%soakBroken == 0 {
			h.source = "}" + h.source
		}
		if err := h.write(l.stack.dir, n); err != nil {
			l.drop(h, err)
		}
		l.saves.Add(1)
		select {
		case <-time.After(soakEdit):
		case <-ctx.Done():
		}
	}
}
