package js

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// redisPools are the connections to Redis servers, kept from one invocation to the next and shared by all sandboxes.
type redisPools struct {
	mu sync.Mutex
	m  map[string]*redisPool // by URL
}

func newRedisPools() *redisPools { return &redisPools{m: map[string]*redisPool{}} }

// of returns the pool of a URL: redis://[user:password@]host[:port][/database], rediss:// for TLS.
func (ps *redisPools) of(rawURL string) (*redisPool, error) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if p := ps.m[rawURL]; p != nil {
		return p, nil
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("invalid Redis URL %q: %w", rawURL, err)
	}
	if u.Scheme != "redis" && u.Scheme != "rediss" {
		return nil, fmt.Errorf("invalid Redis URL %q: its scheme must be redis or rediss", rawURL)
	}
	p := &redisPool{url: u}
	ps.m[rawURL] = p
	return p, nil
}

func (ps *redisPools) close() {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for _, p := range ps.m {
		p.close()
	}
	clear(ps.m)
}

// redisPool keeps idle connections to one server. Each is used by one caller at a time.
type redisPool struct {
	url *url.URL

	mu     sync.Mutex
	idle   []*redisConn
	closed bool
}

// Bounds of a pool and of its connections.
const (
	maxIdleRedis     = 16
	redisDialTimeout = 5 * time.Second
	maxRedisReply    = 512 << 20 // bytes of a string: Redis's own limit
)

// do sends commands together and returns their replies: string, int64, nil, []any or redisError each. A connection that
// the server has closed in the meantime is replaced once.
func (p *redisPool) do(ctx context.Context, commands [][][]byte) ([]any, error) {
	for {
		c, reused, err := p.get(ctx)
		if err != nil {
			return nil, err
		}
		stop := context.AfterFunc(ctx, func() { c.Close() })
		replies, err := c.do(commands)
		if !stop() {
			return nil, ctx.Err()
		}
		if err == nil {
			p.put(c)
			return replies, nil
		}
		c.Close()
		if !reused || len(replies) > 0 || !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) && !isReset(err) {
			return nil, err
		}
	}
}

func isReset(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && !op.Timeout()
}

func (p *redisPool) get(ctx context.Context) (c *redisConn, reused bool, err error) {
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		c, p.idle = p.idle[n-1], p.idle[:n-1]
	}
	p.mu.Unlock()
	if c != nil {
		return c, true, nil
	}
	c, err = p.dial(ctx)
	return c, false, err
}

func (p *redisPool) put(c *redisConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle) >= maxIdleRedis {
		c.Close()
		return
	}
	p.idle = append(p.idle, c)
}

func (p *redisPool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, c := range p.idle {
		c.Close()
	}
	p.idle = nil
}

// dial connects, authenticates and selects the database.
func (p *redisPool) dial(ctx context.Context) (*redisConn, error) {
	ctx, cancel := context.WithTimeout(ctx, redisDialTimeout)
	defer cancel()
	port := p.url.Port()
	if port == "" {
		port = "6379"
	}
	addr := net.JoinHostPort(p.url.Hostname(), port)
	var conn net.Conn
	var err error
	if p.url.Scheme == "rediss" {
		conn, err = (&tls.Dialer{Config: &tls.Config{ServerName: p.url.Hostname()}}).DialContext(ctx, "tcp", addr)
	} else {
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	}
	if err != nil {
		return nil, err
	}
	c := &redisConn{Conn: conn, r: bufio.NewReader(conn)}
	if err := c.greet(p.url); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// redisConn speaks RESP2.
//
// https://redis.io/docs/latest/develop/reference/protocol-spec/
type redisConn struct {
	net.Conn
	r *bufio.Reader
}

func (c *redisConn) greet(u *url.URL) error {
	var commands [][][]byte
	if password, ok := u.User.Password(); ok {
		auth := [][]byte{[]byte("AUTH")}
		if user := u.User.Username(); user != "" {
			auth = append(auth, []byte(user))
		}
		commands = append(commands, append(auth, []byte(password)))
	}
	if db := strings.Trim(u.Path, "/"); db != "" && db != "0" {
		commands = append(commands, [][]byte{[]byte("SELECT"), []byte(db)})
	}
	if len(commands) == 0 {
		return nil
	}
	replies, err := c.do(commands)
	for _, r := range replies {
		if re, ok := r.(redisError); ok {
			return re
		}
	}
	return err
}

// do writes commands and reads a reply for each.
func (c *redisConn) do(commands [][][]byte) ([]any, error) {
	var b []byte
	for _, command := range commands {
		b = append(strconv.AppendInt(append(b, '*'), int64(len(command)), 10), "\r\n"...)
		for _, word := range command {
			b = append(strconv.AppendInt(append(b, '$'), int64(len(word)), 10), "\r\n"...)
			b = append(append(b, word...), "\r\n"...)
		}
	}
	if _, err := c.Write(b); err != nil {
		return nil, err
	}
	replies := make([]any, 0, len(commands))
	for range commands {
		r, err := readReply(c.r, 0)
		if err != nil {
			return replies, err
		}
		replies = append(replies, r)
	}
	return replies, nil
}

// redisError is a reply that is an error.
type redisError string

// Error is the server's sentence.
func (e redisError) Error() string { return string(e) }

// maxReplyNesting is how deep arrays may be nested in a reply.
const maxReplyNesting = 32

// readReply reads one RESP2 value.
func readReply(r *bufio.Reader, depth int) (any, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return nil, err
	}
	line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
	if line == "" || depth > maxReplyNesting {
		return nil, fmt.Errorf("redis: malformed reply")
	}
	rest := line[1:]
	switch line[0] {
	case '+':
		return rest, nil
	case '-':
		return redisError(rest), nil
	}
	n, err := strconv.ParseInt(rest, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("redis: malformed reply %q", line)
	}
	switch line[0] {
	case ':':
		return n, nil
	case '$':
		return readBulk(r, n)
	case '*':
		if n < 0 {
			return nil, nil
		}
		list := make([]any, 0, min(n, 1024))
		for range n {
			item, err := readReply(r, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, item)
		}
		return list, nil
	}
	return nil, fmt.Errorf("redis: malformed reply %q", line)
}

func readBulk(r *bufio.Reader, n int64) (any, error) {
	if n < 0 {
		return nil, nil
	}
	if n > maxRedisReply {
		return nil, fmt.Errorf("redis: a reply of %d bytes", n)
	}
	var b strings.Builder // grows with what arrives, not with what is announced
	if _, err := io.CopyN(&b, r, n); err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	var end [2]byte
	if _, err := io.ReadFull(r, end[:]); err != nil {
		return nil, err
	}
	if end != [2]byte{'\r', '\n'} {
		return nil, errors.New("redis: malformed reply")
	}
	return b.String(), nil
}
