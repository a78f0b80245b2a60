package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	warmCalls = 2000
	warmBatch = 50 // calls of each function in turn
)

// caller measures single calls over a kept-alive connection.
type caller struct {
	what   string
	conn   *conn
	ask    []byte
	budget time.Duration // 0 for none
	took   []time.Duration
}

func newCaller(what string, port int, ask []byte, budget time.Duration) (*caller, error) {
	c, err := dial(port)
	if err != nil {
		return nil, err
	}
	return &caller{what: what, conn: c, ask: ask, budget: budget}, nil
}

func (c *caller) batch(calls int) error {
	c.conn.SetDeadline(time.Now().Add(answerWithin))
	for range calls {
		began := time.Now()
		if err := c.conn.do(c.ask); err != nil {
			return fmt.Errorf("%s: %w", c.what, err)
		}
		c.took = append(c.took, time.Since(began))
	}
	return nil
}

// warm calls every function through the API and through Lambda's Invoke, and a bare server, in turns.
func (b *bench) warm(ctx context.Context, s *stack, all []handler) error {
	bare, err := b.startBare(ctx, "")
	if err != nil {
		return err
	}
	defer bare.stop()
	var callers []*caller
	add := func(what string, port int, ask []byte, budget time.Duration) error {
		c, err := newCaller(what, port, ask, budget)
		if err == nil {
			callers = append(callers, c)
		}
		return err
	}
	err = add("bare handler", bare.port, request("GET", "/", ""), 0)
	for _, h := range all {
		err = errors.Join(err, add("warm call through the API, "+h.title, s.port, h.ask(), h.warm))
		err = errors.Join(err, add("warm call by Lambda Invoke, "+h.title, s.aws, h.invoke(), 0))
	}
	defer func() {
		for _, c := range callers {
			c.conn.Close()
		}
	}()
	if err != nil {
		return err
	}
	for _, c := range callers {
		if err := c.batch(200); err != nil { // to warm up
			return err
		}
		c.took = nil
	}
	for range warmCalls / warmBatch {
		for _, c := range callers {
			if err := errors.Join(c.batch(warmBatch), ctx.Err()); err != nil {
				return err
			}
		}
	}
	reference := median(callers[0].took)
	for _, c := range callers[1:] {
		p50 := median(c.took)
		r := row{
			what: fmt.Sprintf("%s, p50 of %d", c.what, warmCalls), figure: ms(p50), reference: ms(reference) + " bare handler",
			ratio: float64(p50) / float64(reference),
		}
		if c.budget > 0 {
			r.budget, r.missed = "< "+ms(c.budget), p50 >= c.budget
		}
		b.add(r)
	}
	return nil
}
