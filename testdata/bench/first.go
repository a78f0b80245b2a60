package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

const (
	firstRounds  = 10
	firstSettles = 1500 * time.Millisecond // after the start, until a process waits

	idleMany   = 20              // functions of a daemon that nobody calls
	idleRest   = 5 * time.Second // after the start
	idleBudget = 60 << 20        // bytes
)

// firsts are the functions whose first call after a start is measured.
func firsts() (all []handler, budgets map[string]time.Duration) {
	budgets = map[string]time.Duration{"node": 15 * time.Millisecond, "python": 10 * time.Millisecond}
	for _, h := range handlers {
		if h.name == "js" || budgets[h.name] > 0 {
			all = append(all, h)
		}
	}
	return all, budgets
}

// first measures the first call that a function gets after the stack has started, once that has come to rest.
func (b *bench) first(ctx context.Context) error {
	all, budgets := firsts()
	all = b.present(all)
	s, err := b.functionStack("first", all)
	if err != nil {
		return err
	}
	took := map[string][]time.Duration{}
	for range firstRounds {
		if err := errors.Join(b.firstCalls(ctx, s, all, took), ctx.Err()); err != nil {
			return err
		}
	}
	for _, h := range all {
		p50 := median(took[h.name])
		r := row{what: fmt.Sprintf("first call after a start, %s, p50 of %d", h.title, firstRounds), figure: ms(p50)}
		if budget := budgets[h.name]; budget > 0 {
			r.budget, r.missed = "< "+ms(budget), p50 >= budget
		}
		b.add(r)
	}
	return nil
}

func (b *bench) firstCalls(ctx context.Context, s *stack, all []handler, took map[string][]time.Duration) (err error) {
	if _, _, err := s.up(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.down()) }()
	time.Sleep(firstSettles)
	for _, h := range all {
		c, err := newCaller(h.title, s.aws, h.invoke(), 0)
		if err == nil {
			err = c.batch(1)
			c.conn.Close()
		}
		if err != nil {
			return err
		}
		took[h.name] = append(took[h.name], c.took...)
	}
	return nil
}

// idle measures what a daemon with many functions holds that nobody has called yet.
func (b *bench) idle(ctx context.Context) (err error) {
	kinds, _ := firsts()
	kinds = b.present(kinds)
	var all []handler
	for n := range idleMany {
		h := kinds[n%len(kinds)]
		folder := fmt.Sprint(h.name, n)
		h.block = strings.Replace(h.block, `source = "`+filepath.Dir(h.file), `source = "`+folder, 1)
		h.file = filepath.Join(folder, filepath.Base(h.file))
		h.name = folder
		all = append(all, h)
	}
	s, err := b.functionStack("idle", all)
	if err != nil {
		return err
	}
	if _, _, err := s.up(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.down()) }()
	time.Sleep(idleRest)
	held, err := resident(s.pid)
	if err != nil {
		return err
	}
	b.add(row{what: fmt.Sprintf("daemon with %d functions, %v idle: resident", idleMany, idleRest), figure: mib(held), budget: "< " + mib(idleBudget), missed: held >= idleBudget})
	return nil
}
