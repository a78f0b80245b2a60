package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	loadRounds = 12
	loadTime   = 200 * time.Millisecond // of each server in each round

	nullBudget = 0.5 // of a bare handler's throughput
)

// load is a request that is sent over and over.
type load struct {
	name   string
	target string // X-Amz-Target, "" without one
	ask    []byte
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
	answers, err := b.record(devstack.port, prepare, loads)
	if err == nil {
		var bare *server
		if bare, err = b.startBare(ctx, answers); err == nil {
			return &pair{devstack, bare}, nil
		}
	}
	return nil, errors.Join(err, devstack.stop())
}

func (p *pair) stop() error { return errors.Join(p.devstack.stop(), p.bare.stop()) }

func (b *bench) record(port int, prepare [][]byte, loads []load) (dir string, err error) {
	c, err := dial(port)
	if err != nil {
		return "", err
	}
	defer c.Close()
	for _, ask := range prepare {
		if err := c.do(ask); err != nil {
			return "", err
		}
	}
	if dir, err = os.MkdirTemp(b.temp, "answers-"); err != nil {
		return "", err
	}
	for _, l := range loads {
		if err := c.do(l.ask); err != nil {
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

// throughput is what a comparison of two servers found.
type throughput struct {
	devstack, bare       []float64     // requests a second, by round
	devstackCPU, bareCPU time.Duration // processor time a request; 0 where it is not known
}

// compare loads both servers in turns.
func (p *pair) compare(ctx context.Context, l load, connections int) (t throughput, err error) {
	sides := []*side{{server: p.bare}, {server: p.devstack}}
	for _, s := range sides {
		if err := s.open(connections); err != nil {
			return t, err
		}
		defer s.close()
		if _, err := s.run(l.ask, loadTime/4); err != nil { // to warm up
			return t, err
		}
		s.calls, s.used = 0, -processor(s.cmd.Process.Pid)
	}
	for range loadRounds {
		if err := ctx.Err(); err != nil {
			return t, err
		}
		for _, s := range sides {
			rate, err := s.run(l.ask, loadTime)
			if err != nil {
				return t, fmt.Errorf("%s: %w", l.name, err)
			}
			s.rates = append(s.rates, rate)
		}
		slices.Reverse(sides) // who goes first must not matter
	}
	for _, s := range sides {
		cpu := (s.used + processor(s.cmd.Process.Pid)) / time.Duration(max(s.calls, 1))
		if s.server == p.bare {
			t.bare, t.bareCPU = s.rates, cpu
		} else {
			t.devstack, t.devstackCPU = s.rates, cpu
		}
	}
	return t, nil
}

// side is one of two servers under load.
type side struct {
	*server
	conns []*conn
	rates []float64
	calls int
	used  time.Duration // of the processor
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
}

// run sends a request over all connections for a time and returns how many a second were answered.
func (s *side) run(ask []byte, d time.Duration) (rate float64, err error) {
	counts := make([]int, len(s.conns))
	var group errgroup.Group
	began := time.Now()
	for i, c := range s.conns {
		c.SetDeadline(began.Add(d + answerWithin))
		group.Go(func() error {
			for time.Since(began) < d {
				if err := c.do(ask); err != nil {
					return err
				}
				counts[i]++
			}
			return nil
		})
	}
	err = group.Wait()
	total := 0
	for _, n := range counts {
		total += n
	}
	s.calls += total
	return float64(total) / time.Since(began).Seconds(), err
}

// row is the comparison as a line of the table.
func (t throughput) row(what string) row {
	return row{
		what: what, figure: fmt.Sprintf("%.0f/s", median(t.devstack)), reference: fmt.Sprintf("%.0f/s bare handler", median(t.bare)),
		ratio: median(ratios(t.devstack, t.bare)),
	}
}

func (t throughput) cpuRow(what string) row {
	return row{
		what: what, figure: fmt.Sprintf("%d µs", t.devstackCPU.Microseconds()), reference: fmt.Sprintf("%d µs bare handler", t.bareCPU.Microseconds()),
		ratio: float64(t.devstackCPU) / float64(t.bareCPU),
	}
}

// nullPath measures the least that a request of AWS's costs: who is calling.
func (b *bench) nullPath(ctx context.Context) error {
	l := load{name: "GetCallerIdentity", ask: request("POST", "/", "Action=GetCallerIdentity&Version=2011-06-15",
		"Content-Type", "application/x-www-form-urlencoded; charset=utf-8", "X-Amz-Date", "20260102T030405Z", "Authorization", signed("sts"))}
	p, err := b.pair(ctx, nil, []load{l})
	if err != nil {
		return err
	}
	var last throughput
	for _, connections := range []int{1, 8, 64} {
		t, err := p.compare(ctx, l, connections)
		if err != nil {
			return errors.Join(err, p.stop())
		}
		r := t.row(fmt.Sprintf("sts GetCallerIdentity, %d connections, p50 of %d × %s", connections, loadRounds, loadTime))
		r.budget, r.missed = fmt.Sprintf("≥ %.1f ×", nullBudget), r.ratio < nullBudget
		b.add(r)
		last = t
	}
	if last.bareCPU > 0 {
		b.add(last.cpuRow("sts GetCallerIdentity, the server's processor time"))
	}
	return p.stop()
}

// dynamodb informs about the operations that applications live on.
func (b *bench) dynamodb(ctx context.Context) error {
	loads, prepare := dynamoLoads()
	p, err := b.pair(ctx, prepare, loads)
	if err != nil {
		return err
	}
	for _, l := range loads {
		t, err := p.compare(ctx, l, 8)
		if err != nil {
			return errors.Join(err, p.stop())
		}
		b.add(t.row("dynamodb " + l.name + ", 8 connections"))
		if t.bareCPU > 0 {
			b.add(t.cpuRow("dynamodb " + l.name + ", the server's processor time"))
		}
	}
	return p.stop()
}

// dynamoLoads are the operations that are measured, and the requests that make their table.
func dynamoLoads() (loads []load, prepare [][]byte) {
	text := strings.Repeat("x", 1000)
	item := func(n int) string {
		return fmt.Sprintf(`{"TableName":"bench","Item":{"customer":{"S":"ada"},"id":{"S":"%04d"},"status":{"S":"PLACED"},"total":{"N":"450"},"text":{"S":"%s"}}}`, n, text)
	}
	prepare = append(prepare, dynamoRequest("CreateTable", `{"TableName":"bench","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"customer","KeyType":"HASH"},`+
		`{"AttributeName":"id","KeyType":"RANGE"}],"AttributeDefinitions":[{"AttributeName":"customer","AttributeType":"S"},{"AttributeName":"id","AttributeType":"S"}]}`))
	for n := range 100 {
		prepare = append(prepare, dynamoRequest("PutItem", item(n)))
	}
	const key = `{"TableName":"bench","Key":{"customer":{"S":"ada"},"id":{"S":"0042"}}`
	for _, o := range []struct{ name, operation, body string }{
		{"GetItem of 1 KB", "GetItem", key + `}`},
		{"PutItem of 1 KB", "PutItem", item(7)},
		{"Query of 10 items of 1 KB", "Query", `{"TableName":"bench","KeyConditionExpression":"customer = :c AND id >= :i","Limit":10,` +
			`"ExpressionAttributeValues":{":c":{"S":"ada"},":i":{"S":"0050"}}}`},
		{"UpdateItem with a condition", "UpdateItem", key + `,"UpdateExpression":"SET #t = #t + :one","ConditionExpression":"#s = :placed",` +
			`"ExpressionAttributeNames":{"#s":"status","#t":"total"},"ExpressionAttributeValues":{":one":{"N":"1"},":placed":{"S":"PLACED"}}}`},
	} {
		ask := dynamoRequest(o.operation, o.body)
		loads = append(loads, load{o.name, "DynamoDB_20120810." + o.operation, ask})
	}
	return loads, prepare
}
