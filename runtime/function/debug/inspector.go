package debug

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Client speaks the protocol of V8's inspector with a sandbox: as much of a websocket as that needs.
//
// https://chromedevtools.github.io/devtools-protocol/, https://www.rfc-editor.org/rfc/rfc6455
type Client struct {
	conn net.Conn
	r    *bufio.Reader
	id   int
}

// Dial connects to the inspector that listens on an address.
func Dial(ctx context.Context, address string) (*Client, error) {
	targets, err := Targets(ctx, address)
	if err != nil {
		return nil, err
	}
	if len(targets) == 0 {
		return nil, fmt.Errorf("the inspector on %s has no target", address)
	}
	req, err := http.NewRequest("GET", "http"+targets[0].URL[len("ws"):], nil)
	if err != nil {
		return nil, fmt.Errorf("the inspector on %s: %w", address, err)
	}
	key := make([]byte, 16)
	rand.Read(key) // never fails, since Go 1.24
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "websocket")
	req.Header.Set("Sec-WebSocket-Version", "13")
	req.Header.Set("Sec-WebSocket-Key", base64.StdEncoding.EncodeToString(key))
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", req.URL.Host)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		conn.SetDeadline(deadline)
	}
	c := &Client{conn: conn, r: bufio.NewReader(conn)}
	if err := req.Write(conn); err != nil {
		conn.Close()
		return nil, err
	}
	resp, err := http.ReadResponse(c.r, req)
	if err == nil && resp.StatusCode != http.StatusSwitchingProtocols {
		err = fmt.Errorf("the inspector on %s answered %s", address, resp.Status)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	conn.SetDeadline(time.Time{})
	return c, nil
}

// Target is what an inspector lists.
type Target struct {
	URL   string `json:"webSocketDebuggerUrl"` // "ws://127.0.0.1:9229/…"
	Title string `json:"title"`
}

// Targets lists what can be debugged on an address.
func Targets(ctx context.Context, address string) ([]Target, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", "http://"+address+"/json/list", nil)
	if err != nil {
		return nil, err
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var targets []Target
	if err := json.NewDecoder(resp.Body).Decode(&targets); err != nil {
		return nil, fmt.Errorf("the inspector on %s: %w", address, err)
	}
	for _, t := range targets {
		if len(t.URL) < len("ws://") || t.URL[:len("ws://")] != "ws://" {
			return nil, fmt.Errorf("the inspector on %s lists %q", address, t.URL)
		}
	}
	return targets, nil
}

// Send sends a command and returns its number.
func (c *Client) Send(method string, params any) (int, error) {
	c.id++
	text, err := json.Marshal(struct {
		ID     int    `json:"id"`
		Method string `json:"method"`
		Params any    `json:"params,omitempty"`
	}{c.id, method, params})
	if err != nil {
		return 0, err
	}
	head := []byte{0x81} // the whole of a text
	switch n := len(text); {
	case n < 126:
		head = append(head, 0x80|byte(n))
	case n < 1<<16:
		head = binary.BigEndian.AppendUint16(append(head, 0x80|126), uint16(n))
	default:
		head = binary.BigEndian.AppendUint64(append(head, 0x80|127), uint64(n))
	}
	_, err = c.conn.Write(append(append(head, 0, 0, 0, 0), text...)) // a mask of zeroes changes nothing
	return c.id, err
}

// Message is an answer, with an ID, or an event.
type Message struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  json.RawMessage `json:"error"`
}

// Receive waits for the next message.
func (c *Client) Receive() (*Message, error) {
	var text []byte
	for {
		fin, op, body, err := c.frame()
		if err != nil {
			return nil, err
		}
		switch op {
		case 8: // close
			return nil, io.EOF
		case 9, 10: // ping, pong: inspectors send none that matter
			continue
		}
		if text = append(text, body...); len(text) > longest {
			return nil, fmt.Errorf("a message of more than %d bytes", longest)
		}
		if fin {
			var m Message
			return &m, json.Unmarshal(text, &m)
		}
	}
}

func (c *Client) frame() (fin bool, op byte, body []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		return false, 0, nil, err
	}
	n := uint64(head[1] & 0x7f)
	switch n {
	case 126:
		var long [2]byte
		_, err = io.ReadFull(c.r, long[:])
		n = uint64(binary.BigEndian.Uint16(long[:]))
	case 127:
		var long [8]byte
		_, err = io.ReadFull(c.r, long[:])
		n = binary.BigEndian.Uint64(long[:])
	}
	if err != nil || n > longest || head[1]&0x80 != 0 {
		return false, 0, nil, fmt.Errorf("a frame of %d bytes: %w", n, orEOF(err))
	}
	body = make([]byte, n)
	_, err = io.ReadFull(c.r, body)
	return head[0]&0x80 != 0, head[0] & 0x0f, body, err
}

func orEOF(err error) error {
	if err == nil {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Close ends the session, by the websocket's own way: a Node.js whose debugger just disappears may crash.
func (c *Client) Close() error {
	c.conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := c.conn.Write([]byte{0x88, 0x80, 0, 0, 0, 0}); err == nil {
		_, _ = io.Copy(io.Discard, c.r) // its answer, and the end
	}
	return c.conn.Close()
}

// Release has a sandbox that waits for a debugger go on without one.
func Release(ctx context.Context, address string) error {
	c, err := Dial(ctx, address)
	if err != nil {
		return err
	}
	defer c.Close()
	n, err := c.Send("Runtime.runIfWaitingForDebugger", nil)
	for err == nil {
		var m *Message
		if m, err = c.Receive(); err == nil && m.ID == n {
			return nil
		}
	}
	return err
}
