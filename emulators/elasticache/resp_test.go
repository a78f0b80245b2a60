package elasticache

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"devstack/internal/clock"
)

func TestWhatIsNoCommandHarmsNothing(t *testing.T) {
	r, err := startRedis(clock.Fixed(time.Unix(0, 0)), 0, "")
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	const set, get, ping = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n", "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", "*1\r\n$4\r\nPING\r\n"
	for _, tt := range []struct{ name, sent, answer string }{
		{"a command", ping, "+PONG\r\n"},
		{"an empty command is passed over", "*0\r\n*-1\r\n" + ping, "+PONG\r\n"},
		{"a page's POST ends the connection before its body is read", "POST / HTTP/1.1\r\nHost: localhost\r\n\r\n" + set, "-ERR Protocol error: expected '*', got 'P'\r\n"},
		{"nothing was set by it", get, "$-1\r\n"},
		{"a length that no memory has", "*1\r\n$99999999999\r\n", "-ERR Protocol error: invalid bulk length\r\n"},
		{"a negative length", "*1\r\n$-1\r\n", "-ERR Protocol error: invalid bulk length\r\n"},
		{"more arguments than a command has", "*1000000000\r\n", "-ERR Protocol error: invalid multibulk length\r\n"},
		{"an array in an array", "*1\r\n*1\r\n", "-ERR Protocol error: expected '$', got '*'\r\n"},
		{"no number", "*x\r\n", "-ERR Protocol error: invalid multibulk length\r\n"},
		{"an endless line", strings.Repeat("*", 4096), "-ERR Protocol error: invalid multibulk length\r\n"},
		{"an argument with line ends in it", "*2\r\n$4\r\nECHO\r\n$5\r\na\r\n*0\r\n", "$5\r\na\r\n*0\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := net.Dial("tcp", r.l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_, _ = io.WriteString(c, tt.sent) // it may be closed meanwhile
			got := make([]byte, len(tt.answer))
			c.SetReadDeadline(time.Now().Add(10 * time.Second))
			if _, err := io.ReadFull(c, got); err != nil || string(got) != tt.answer {
				t.Errorf("the answer is %q, %v; want %q", got, err, tt.answer)
			}
		})
	}
}

// What the guard lets through is what came, and in it every announced length is within bounds.
func FuzzGuard(f *testing.F) {
	f.Add([]byte("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*0\r\n*1\r\n$4\r\nPING\r\n"))
	f.Add([]byte("POST / HTTP/1.1\r\n\r\n"))
	f.Add([]byte("*1\r\n$99999999999\r\n"))
	f.Fuzz(func(t *testing.T, sent []byte) {
		here, there := net.Pipe()
		defer here.Close()
		go func() {
			_, _ = here.Write(sent)
			here.Close()
		}()
		go io.Copy(io.Discard, here)
		got, err := io.ReadAll(guard(there))
		there.Close()
		if err == nil && len(got) > len(sent) {
			t.Errorf("%q became %q", sent, got)
		}
		if bytes.HasPrefix(got, []byte("*0")) || len(got) > 0 && got[0] != '*' {
			t.Errorf("%q was let through", got)
		}
	})
}
