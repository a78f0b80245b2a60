package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"devstack/emulators/wire"
	"devstack/runtime/logs"
)

// Bounds of what waits to be shipped and of one PutLogEvents.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
const (
	maxWaiting = 100_000
	maxEvents  = 1000    // AWS takes 10,000; smaller ones make other callers wait less
	maxBytes   = 1 << 20 // of messages, and perEvent for each
	perEvent   = 26
)

// gather is how long lines are collected after some were shipped: the first are there at once, and a flood costs its writers no
// commit for every line. It is real time, as the disk's is.
const gather = 50 * time.Millisecond

// caller runs an operation of AWS.
type caller interface {
	Call(ctx context.Context, service, operation string, in, out any) error
}

// shipper brings log lines to CloudWatch Logs, in the order in which they were written and without making their writer wait.
type shipper struct {
	aws  caller
	logs *logs.Hub
	wake chan struct{}
	quit chan struct{} // closed by close
	done chan struct{}

	mu      sync.Mutex // guards what follows
	waiting []shipped
	lost    int
	closed  bool
}

// shipped is a line on its way to a log stream.
type shipped struct {
	place
	group, stream string
	at            time.Time
	text          string
}

// place is whose log group it is; its zero value is the stack's own account and region.
type place struct{ region, account string }

type logEvent struct {
	Timestamp int64  `json:"timestamp"` // milliseconds since 1970
	Message   string `json:"message"`
}

func newShipper(aws caller, hub *logs.Hub) *shipper {
	s := &shipper{aws: aws, logs: hub, wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{})}
	go s.run()
	return s
}

// follow ships what services print: to the log group /devstack/STACK/service.NAME, a stream a run of the daemon.
func (s *shipper) follow(ctx context.Context, stack, stream string) {
	for l := range s.logs.Subscribe(ctx, nil) {
		if strings.HasPrefix(l.Source, "service.") && l.Stream != "" { // a line of the service's own
			s.ship("/devstack/"+stack+"/"+l.Source, stream, l.Time, l.Text)
		}
	}
}

// ship has a line brought to a log stream, which need not exist yet.
func (s *shipper) ship(group, stream string, at time.Time, text string) {
	s.add(shipped{place{}, group, stream, at, text})
}

// shipFor is ship for a line of a function, by its ARN: its log group is where the function is.
func (s *shipper) shipFor(arn, group, stream string, at time.Time, text string) {
	region, account := arnPlace(arn)
	s.add(shipped{place{region, account}, group, stream, at, text})
}

func (s *shipper) add(l shipped) {
	s.mu.Lock()
	switch {
	case s.closed:
	case len(s.waiting) == maxWaiting:
		s.lost++
	default:
		s.waiting = append(s.waiting, l)
	}
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// close brings what waits and ends.
func (s *shipper) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	close(s.quit)
	select {
	case s.wake <- struct{}{}:
	default:
	}
	<-s.done
}

func (s *shipper) run() {
	defer close(s.done)
	for range s.wake {
		lines, lost, closed := s.take()
		if lost > 0 {
			s.logs.Say("devstack", fmt.Sprintf("%d log lines came faster than CloudWatch Logs takes them and are not there", lost))
		}
		for _, batch := range batches(lines) {
			s.put(batch)
		}
		if closed {
			return
		}
		select {
		case <-time.After(gather):
		case <-s.quit:
		}
	}
}

// take empties the queue.
func (s *shipper) take() (lines []shipped, lost int, closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines, s.waiting = s.waiting, nil
	lost, s.lost = s.lost, 0
	return lines, lost, s.closed
}

// batches are lines by their stream, each in the order of time, as PutLogEvents wants them, and no more than one call carries.
func batches(lines []shipped) (all [][]shipped) {
	type stream struct {
		place
		group, stream string
	}
	byPlace := map[stream][]shipped{}
	var places []stream // in the order of their first lines
	for _, l := range lines {
		p := stream{l.place, l.group, l.stream}
		if byPlace[p] == nil {
			places = append(places, p)
		}
		byPlace[p] = append(byPlace[p], l)
	}
	for _, p := range places {
		lines := byPlace[p]
		slices.SortStableFunc(lines, func(a, b shipped) int { return a.at.Compare(b.at) }) // several writers share a stream
		for len(lines) > 0 {
			n := carried(lines)
			all, lines = append(all, lines[:n:n]), lines[n:]
		}
	}
	return all
}

// carried is how many of the lines one call carries, one at least.
func carried(lines []shipped) int {
	size := 0
	for i, l := range lines {
		if size += len(l.text) + perEvent; i > 0 && size > maxBytes || i == maxEvents {
			return i
		}
	}
	return len(lines)
}

// put makes one PutLogEvents, and the group and stream first if they are not there.
func (s *shipper) put(batch []shipped) {
	ctx := context.Background()
	if p := batch[0].place; p != (place{}) {
		ctx = wire.WithRequest(ctx, &wire.Request{Account: p.account, Region: p.region})
	}
	events := make([]logEvent, len(batch))
	for i, l := range batch {
		events[i] = logEvent{l.at.UnixMilli(), orElse(l.text, " ")} // an event has at least one character
	}
	group, stream := batch[0].group, batch[0].stream
	in := map[string]any{"logGroupName": group, "logStreamName": stream, "logEvents": events}
	err := s.aws.Call(ctx, "logs", "PutLogEvents", in, nil)
	if hasCode(err, "ResourceNotFoundException") {
		for _, make := range []struct {
			operation string
			in        map[string]any
		}{
			{"CreateLogGroup", map[string]any{"logGroupName": group}},
			{"CreateLogStream", map[string]any{"logGroupName": group, "logStreamName": stream}},
		} {
			if err := s.aws.Call(ctx, "logs", make.operation, make.in, nil); err != nil && !hasCode(err, "ResourceAlreadyExistsException") {
				s.logs.Say("devstack", fmt.Sprintf("%s %s: %v", make.operation, group, err))
				return
			}
		}
		err = s.aws.Call(ctx, "logs", "PutLogEvents", in, nil)
	}
	if err != nil {
		s.logs.Say("devstack", fmt.Sprintf("log lines are not in %s: %v", group, err))
	}
}

// hasCode reports whether an error is an answer of AWS with that code.
func hasCode(err error, code string) bool {
	var e interface{ ErrorCode() string }
	return errors.As(err, &e) && e.ErrorCode() == code
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
