package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// conn is a kept-alive connection that sends prepared requests. It is no more than the measurement needs, so that the server
// is what is measured and not the client.
type conn struct {
	net.Conn
	r    *bufio.Reader
	head []byte // of the last answer: status line and headers
	body []byte // of the last answer
}

// answerWithin bounds how long an answer may take.
const answerWithin = 30 * time.Second

func dial(port int) (*conn, error) {
	c, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", port))
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, r: bufio.NewReaderSize(c, 64<<10)}, nil
}

// request is a prepared HTTP request.
func request(method, path, body string, headers ...string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n", method, path, len(body))
	for i := 0; i < len(headers); i += 2 {
		fmt.Fprintf(&b, "%s: %s\r\n", headers[i], headers[i+1])
	}
	b.WriteString("\r\n" + body)
	return b.Bytes()
}

// do sends a request and reads the answer, which is good until the next. Any status but 2xx is an error.
func (c *conn) do(request []byte) error {
	status, err := c.exchange(request)
	if err == nil && status/100 != 2 {
		err = fmt.Errorf("answered %d %s", status, c.body)
	}
	return err
}

// exchange is do for answers of any status.
func (c *conn) exchange(request []byte) (status int, err error) {
	if _, err := c.Write(request); err != nil {
		return 0, err
	}
	c.head, c.body = c.head[:0], c.body[:0]
	length, chunked := 0, false
	for first := true; ; first = false {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		c.head = append(c.head, line...)
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if first {
			if len(line) < 12 {
				return 0, fmt.Errorf("no HTTP answer: %q", line)
			}
			status, err = strconv.Atoi(string(line[9:12]))
		} else if v, ok := value(line, "Content-Length:"); ok {
			length, err = strconv.Atoi(string(v))
		} else if v, ok := value(line, "Transfer-Encoding:"); ok {
			chunked = string(v) == "chunked"
		}
		if err != nil {
			return 0, err
		}
	}
	if chunked {
		return status, c.chunks()
	}
	return status, c.read(length)
}

// value returns a header line's value if it is the header's.
func value(line []byte, name string) ([]byte, bool) {
	if len(line) < len(name) || !bytes.EqualFold(line[:len(name)], []byte(name)) {
		return nil, false
	}
	return bytes.TrimSpace(line[len(name):]), true
}

// read appends n bytes to the body.
func (c *conn) read(n int) error {
	old := len(c.body)
	c.body = append(c.body, make([]byte, n)...)
	_, err := io.ReadFull(c.r, c.body[old:])
	return err
}

func (c *conn) chunks() error {
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 32)
		if err != nil {
			return err
		}
		if err := c.read(int(n)); err != nil {
			return err
		}
		if _, err := c.r.Discard(2); err != nil || n == 0 {
			return err
		}
	}
}
