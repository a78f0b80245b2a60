package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

const (
	crowd    = 100             // calls at once
	handled  = 1 * time.Second // that each of them takes
	reserved = 10              // concurrency of the function that refuses
)

// sleepers are functions that take a second for an event, and do nothing in it.
var sleepers = []handler{
	{name: "js", title: "js", block: `runtime = "js"` + "\n" + `source = "js/index.ts"`, file: "js/index.ts",
		source: "export const handler = () => new Promise((done) => setTimeout(() => done({ version: \"vVERSION.\" }), 1000));\n"},
	{name: "node", title: "Node", block: `runtime = "nodejs22.x"` + "\n" + `source = "node"`, file: "node/index.js", tool: "node",
		source: "exports.handler = () => new Promise((done) => setTimeout(() => done({ version: \"vVERSION.\" }), 1000));\n"},
	{name: "python", title: "Python", block: `runtime = "python3.12"` + "\n" + `source = "python"` + "\n" + `handler = "app.handler"`, file: "python/app.py", tool: "python3",
		source: "import time\n\n\ndef handler(event, context):\n    time.sleep(1)\n    return {\"version\": \"vVERSION.\"}\n"},
	{name: "few", title: "js", block: `runtime = "js"` + "\n" + `source = "few/index.ts"` + "\n" + fmt.Sprint("concurrency = ", reserved), file: "few/index.ts",
		source: "export const handler = () => new Promise((done) => setTimeout(() => done({ version: \"vVERSION.\" }), 1000));\n"},
}

// crowds calls functions a hundred times at once: one scales to as many sandboxes, one has its concurrency reserved and refuses.
func (b *bench) crowds(ctx context.Context) (err error) {
	present := b.present(sleepers)
	s, err := b.functionStack("crowd", present)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.down()) }()
	if _, _, err := s.up(ctx); err != nil {
		return err
	}
	for _, h := range present {
		ok, throttled, took, err := atOnce(s.aws, h.invoke())
		if err != nil {
			return fmt.Errorf("%s: %w", h.title, err)
		}
		r := row{
			what:   fmt.Sprintf("%d calls at once of %v each, %s", crowd, handled, h.title),
			figure: fmt.Sprintf("%d served, %s", ok, ms(took)), reference: ms(handled) + " of its own", ratio: float64(took) / float64(handled),
			budget: fmt.Sprint(crowd, " served"), missed: ok != crowd,
		}
		if h.name == "few" {
			r.what = fmt.Sprintf("%d calls at once, %d reserved, %s", crowd, reserved, h.title)
			r.figure, r.budget = fmt.Sprintf("%d served, %d × 429", ok, throttled), fmt.Sprintf("%d and %d", reserved, crowd-reserved)
			r.reference, r.ratio, r.missed = "", 0, ok != reserved || throttled != crowd-reserved
		}
		b.add(r)
	}
	return nil
}

// atOnce sends one request over each of a hundred connections and counts the answers.
func atOnce(port int, ask []byte) (ok, throttled int, took time.Duration, err error) {
	conns := make([]*conn, crowd)
	for i := range conns {
		if conns[i], err = dial(port); err != nil {
			return 0, 0, 0, err
		}
		defer conns[i].Close()
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	began := time.Now()
	for _, c := range conns {
		wg.Go(func() {
			c.SetDeadline(time.Now().Add(answerWithin))
			status, failure := c.exchange(ask)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case failure != nil:
				err = errors.Join(err, failure)
			case status == 429:
				throttled++
			case status == 200 && strings.Contains(string(c.body), "v0."):
				ok++
			default:
				err = errors.Join(err, fmt.Errorf("answered %d %s", status, c.body))
			}
		})
	}
	wg.Wait()
	return ok, throttled, time.Since(began), err
}
