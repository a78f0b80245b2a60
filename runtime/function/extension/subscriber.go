package extension

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"devstack/runtime/function"
)

// subscriber sends batches to one extension. Its times are the operating system's: they are those of a process.
type subscriber struct {
	host   *Host
	api    *api
	name   string // of the extension
	types  []string
	schema string
	url    string // of HTTP
	method string
	tcp    string // address, of TCP

	maxItems  int
	maxBytes  int
	timeoutMs int

	life context.Context
	end  context.CancelFunc
	done chan struct{} // closed when nothing is sent any more

	mu      sync.Mutex
	batch   [][]byte
	size    int // bytes of batch
	first   time.Time
	dropped function.LogsDropped
	wake    chan struct{} // there is something to look at
	flushed []chan struct{}
}

const (
	defaultItems   = 10000
	defaultBytes   = 256 << 10
	defaultTimeout = 1000
	sendPatience   = 2 * time.Second        // with a destination
	flushPatience  = 500 * time.Millisecond // at the end
	held           = 4                      // times maxBytes that wait for a slow destination
)

func newSubscriber(h *Host, kind *api, name string) *subscriber {
	s := &subscriber{
		host: h, api: kind, name: name, maxItems: defaultItems, maxBytes: defaultBytes, timeoutMs: defaultTimeout,
		done: make(chan struct{}), wake: make(chan struct{}, 1),
	}
	s.life, s.end = context.WithCancel(context.Background())
	return s
}

// offer takes a record without waiting. What a slow destination leaves no room for is dropped and counted.
func (s *subscriber) offer(r function.Record) {
	events := s.encode(r)
	if events == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range events {
		if s.size+len(e) > held*s.maxBytes || len(s.batch) >= held*s.maxItems {
			s.dropped.Records++
			s.dropped.Bytes += len(e)
			continue
		}
		if len(s.batch) == 0 {
			s.first = time.Now()
		}
		s.batch = append(s.batch, e)
		s.size += len(e) + 1
	}
	s.nudge()
}

func (s *subscriber) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// flush has everything sent at once and waits for that, though not long.
func (s *subscriber) flush() {
	sent := make(chan struct{})
	s.mu.Lock()
	s.flushed = append(s.flushed, sent)
	s.nudge()
	s.mu.Unlock()
	wait := time.NewTimer(flushPatience)
	defer wait.Stop()
	select {
	case <-sent:
	case <-s.done:
	case <-wait.C:
	}
}

func (s *subscriber) close() { s.end() }

// run sends batches until the end.
func (s *subscriber) run() {
	defer close(s.done)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		batch, told, wait := s.take()
		if len(batch) > 0 {
			s.deliver(batch)
		}
		for _, t := range told {
			close(t)
		}
		if len(batch) > 0 {
			continue
		}
		timer.Reset(wait)
		select {
		case <-s.life.Done():
			return
		case <-s.wake:
		case <-timer.C:
		}
	}
}

// take returns what is to be sent now, who waits for that, and otherwise how long there is nothing to do.
func (s *subscriber) take() (batch [][]byte, told []chan struct{}, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dropped.Records > 0 && len(s.batch) == 0 {
		s.dropped.Reason = "Some logs were dropped because the downstream consumer is slower than the logs production rate"
		s.batch, s.size, s.first = append(s.batch, event(time.Now(), "platform.logsDropped", s.dropped)), 0, time.Now()
		s.dropped = function.LogsDropped{}
	}
	timeout := time.Duration(s.timeoutMs) * time.Millisecond
	age := time.Since(s.first)
	if len(s.batch) == 0 || len(s.flushed) == 0 && s.size < s.maxBytes && len(s.batch) < s.maxItems && age < timeout {
		if len(s.batch) == 0 {
			told, s.flushed = s.flushed, nil
			return nil, told, time.Hour
		}
		return nil, nil, timeout - age
	}
	n, size := 0, 0
	for n < len(s.batch) && n < s.maxItems && (n == 0 || size+len(s.batch[n])+1 <= s.maxBytes) {
		size += len(s.batch[n]) + 1
		n++
	}
	batch, s.batch = s.batch[:n:n], s.batch[n:]
	s.size = max(0, s.size-size)
	if len(s.batch) == 0 {
		told, s.flushed = s.flushed, nil
	}
	return batch, told, 0
}

// deliver sends a batch, and tries again once if nobody listens yet.
func (s *subscriber) deliver(batch [][]byte) {
	var err error
	for try := range 2 {
		if err = s.send(batch); err == nil || s.life.Err() != nil {
			return
		}
		if try == 0 {
			select {
			case <-time.After(100 * time.Millisecond):
			case <-s.life.Done():
				return
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range batch {
		s.dropped.Records++
		s.dropped.Bytes += len(e)
	}
}

func (s *subscriber) send(batch [][]byte) error {
	ctx, cancel := context.WithTimeout(s.life, sendPatience)
	defer cancel()
	if s.tcp != "" {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.tcp)
		if err != nil {
			return err
		}
		defer conn.Close()
		if d, ok := ctx.Deadline(); ok {
			conn.SetDeadline(d)
		}
		_, err = conn.Write(append(bytes.Join(batch, []byte("\n")), '\n')) // newline-delimited JSON
		return err
	}
	body := append(append([]byte("["), bytes.Join(batch, []byte(","))...), ']')
	req, err := http.NewRequestWithContext(ctx, s.method, s.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, maxBody))
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("the extension answered %s", resp.Status)
	}
	return nil
}

// client calls extensions, whatever proxies the daemon has in its environment.
var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute}}
