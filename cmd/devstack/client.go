package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// client talks to a daemon's control API.
type client struct {
	http   http.Client
	holder holder
}

// errNotRunning is returned by connect when there is no daemon.
var errNotRunning = errors.New("the stack is not running; `devstack up` starts it")

// connect returns a client of the daemon of the stack that the command is about.
func connect(cmd *cobra.Command) (*client, error) {
	dir, err := stackDir(cmd)
	if err != nil {
		return nil, err
	}
	return connectTo(dir)
}

func connectTo(dir string) (*client, error) {
	if !held(dir) {
		return nil, errNotRunning
	}
	h, err := readHolder(dir)
	if err != nil {
		return nil, errNotRunning
	}
	if h.Socket == "" {
		return nil, fmt.Errorf("process %d runs `devstack serve` in %s, which has no stack; stop it (kill %d) before `devstack up`", h.PID, dir, h.PID)
	}
	c := &client{holder: h}
	c.http.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dialDaemon(ctx, dir, h.Socket) }}
	return c, nil
}

// dialDaemon connects to the daemon's socket. One that holds the stack and does not listen is about to, or about to end.
func dialDaemon(ctx context.Context, dir, socket string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, stopWithin)
	defer cancel()
	for {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "unix", socket)
		if err == nil {
			return conn, nil
		}
		if !held(dir) {
			return nil, errNotRunning
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// call makes a request and decodes the answer into out, if out is not nil.
func (c *client) call(ctx context.Context, method, path string, query url.Values, in []byte, out any) error {
	res, err := c.do(ctx, method, path, query, in)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		return fmt.Errorf("the daemon's answer: %w", err)
	}
	return nil
}

// do makes a request. An answer other than 200 is an error in the daemon's words.
func (c *client) do(ctx context.Context, method, path string, query url.Values, in []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://devstack"+path+"?"+query.Encode(), bytes.NewReader(in))
	if err != nil {
		return nil, err
	}
	res, err := c.http.Do(req)
	switch {
	case errors.Is(err, errNotRunning):
		return nil, errNotRunning
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		if cause, ok := errors.AsType[*url.Error](err); ok {
			err = cause.Err
		}
		return nil, fmt.Errorf("process %d holds the stack but does not answer (%w); `kill -9 %d` ends it, and its data stays", c.holder.PID, err, c.holder.PID)
	}
	if res.StatusCode == http.StatusOK {
		return res, nil
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	var e struct{ Error string }
	if json.Unmarshal(b, &e) != nil || e.Error == "" {
		e.Error = strings.TrimSpace(res.Status + " " + string(b))
	}
	return nil, errors.New(e.Error)
}

func afterDot(s string) string { return s[strings.LastIndexByte(s, '.')+1:] }
