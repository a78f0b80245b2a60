package elasticache

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
)

// Redis's own bounds on what a client may announce.
//
// https://redis.io/docs/latest/develop/reference/protocol-spec/ and proto-max-bulk-len in redis.conf
const (
	maxBulk     = 512 << 20 // bytes of an argument
	maxCommand  = 1 << 20   // arguments of a command
	maxAnnounce = 64        // bytes of a line that announces a length
)

// guardedConn is a client's connection of which the server sees well-formed commands alone: miniredis believes every length that
// it reads, and an empty command ends the whole process. What is not a command is answered as Redis answers it, and closed: a
// web page's POST among it.
type guardedConn struct {
	net.Conn
	in   *bufio.Reader
	line []byte // announced, and not yet read by the server
	args int    // of the current command, still to come
	bulk int    // bytes of the current argument, with its line end, still to come
}

func guard(c net.Conn) *guardedConn { return &guardedConn{Conn: c, in: bufio.NewReader(c)} }

// Read gives the server the next bytes of a command.
func (g *guardedConn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(g.line) == 0 && g.bulk == 0 {
		if err := g.announced(); err != nil {
			return 0, err
		}
	}
	if len(g.line) > 0 {
		n := copy(p, g.line)
		g.line = g.line[n:]
		return n, nil
	}
	n, err := g.in.Read(p[:min(len(p), g.bulk)])
	g.bulk -= n
	return n, err
}

// announced reads the line that says how long what follows is. Redis passes over an empty command.
func (g *guardedConn) announced() error {
	kind, n, line, err := readAnnounce(g.in)
	switch {
	case err != nil:
		return err
	case g.args == 0 && kind != '*':
		return g.refuse("expected '*', got '%c'", kind)
	case g.args == 0 && n > maxCommand:
		return g.refuse("invalid multibulk length")
	case g.args == 0:
		if n > 0 {
			g.args, g.line = n, line
		}
	case kind != '$':
		return g.refuse("expected '$', got '%c'", kind)
	case n < 0 || n > maxBulk:
		return g.refuse("invalid bulk length")
	default:
		g.args, g.line, g.bulk = g.args-1, line, n+len("\r\n")
	}
	return nil
}

// readAnnounce reads a line such as "*3\r\n". n is past every bound if what follows the first character is no number.
func readAnnounce(in *bufio.Reader) (kind byte, n int, line []byte, err error) {
	for len(line) < maxAnnounce {
		c, err := in.ReadByte()
		if err != nil {
			return 0, 0, nil, err
		}
		if line = append(line, c); c == '\n' {
			break
		}
	}
	end := len(line) - len("\r\n")
	if end < 1 || line[end] != '\r' {
		return line[0], maxBulk + 1, line, nil
	}
	digits := string(line[1:end])
	if n, err = strconv.Atoi(digits); err != nil || strconv.Itoa(n) != digits { // Redis takes no leading zeros and no plus
		n = maxBulk + 1
	}
	return line[0], n, line, nil
}

// refuse tells the client what is wrong, in Redis's words, and ends what the server reads.
//
// https://github.com/redis/redis/blob/7.2/src/networking.c (processMultibulkBuffer)
func (g *guardedConn) refuse(format string, args ...any) error {
	_, _ = fmt.Fprintf(g.Conn, "-ERR Protocol error: "+format+"\r\n", args...) // it may be gone
	return io.EOF
}
