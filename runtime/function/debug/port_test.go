package debug

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// echo is a sandbox's debugger that answers each line with its name.
func echo(t *testing.T, name string) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for lines := bufio.NewScanner(c); lines.Scan(); {
					fmt.Fprintln(c, name, lines.Text())
				}
			}()
		}
	}()
	return l.Addr().String()
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func open(t *testing.T, protocol Protocol) (*Port, int) {
	t.Helper()
	var ports Ports
	number := freePort(t)
	p, err := ports.Open("orders", number, protocol)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ports.Close)
	if again, err := ports.Open("orders", number, protocol); again != p || err != nil {
		t.Errorf("opened again it is another: %v", err)
	}
	return p, number
}

func dial(t *testing.T, number int) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", number))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	return c, bufio.NewReader(c)
}

func TestAPortLeadsToTheLatestSandbox(t *testing.T) {
	p, number := open(t, Inspector)
	early, r := dial(t, number)
	fmt.Fprintln(early, "hello") // before there is any sandbox
	if p.Turn(echo(t, "one")) {
		t.Error("nobody was attached")
	}
	if line, err := r.ReadString('\n'); line != "one hello\n" {
		t.Fatalf("%q %v", line, err)
	}
	if !p.Turn(echo(t, "two")) {
		t.Error("somebody was attached")
	}
	if line, err := r.ReadString('\n'); err == nil {
		t.Errorf("the old session goes on: %q", line)
	}
	c, r := dial(t, number)
	fmt.Fprintln(c, "again")
	if line, err := r.ReadString('\n'); line != "two again\n" {
		t.Errorf("%q %v", line, err)
	}
}

// A program that is stopped under Delve stays so when its client is gone: the client must see it through.
func TestASessionOfDelveStaysWithItsSandbox(t *testing.T) {
	p, number := open(t, Delve)
	p.Turn(echo(t, "one"))
	old, r := dial(t, number)
	fmt.Fprintln(old, "hello")
	if line, err := r.ReadString('\n'); line != "one hello\n" {
		t.Fatalf("%q %v", line, err)
	}
	if p.Turn(echo(t, "two")) {
		t.Error("the new sandbox would wait for a client that does not come")
	}
	fmt.Fprintln(old, "go on")
	if line, err := r.ReadString('\n'); line != "one go on\n" {
		t.Errorf("%q %v", line, err)
	}
	c, r := dial(t, number)
	fmt.Fprintln(c, "hello")
	if line, err := r.ReadString('\n'); line != "two hello\n" {
		t.Errorf("%q %v", line, err)
	}
}

// Delve's clients that speak the Debug Adapter Protocol come again once their sandbox has ended.
func TestADebugAdaptersClientOfDelveIsToldToComeAgain(t *testing.T) {
	p, number := open(t, Delve)
	p.Turn(adapter(t, `{"type":"event","event":"initialized"}`))
	c, r := dial(t, number)
	if err := writeMessage(c, []byte(`{"type":"request","command":"initialize"}`)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`{"type":"event","event":"initialized"}`, `{"type":"response"}`} {
		if m, err := readMessage(r); err != nil || string(m) != want {
			t.Fatalf("%s %v, want %s", m, err, want)
		}
	}
	p.Turn(adapter(t, `{"type":"event","event":"terminated"}`))
	c, r = dial(t, number)
	if err := writeMessage(c, []byte(`{"type":"request","command":"initialize"}`)); err != nil {
		t.Fatal(err)
	}
	if m, err := readMessage(r); err != nil || !strings.Contains(string(m), `"restart":true`) {
		t.Errorf("%s %v", m, err)
	}
}

func TestAClientWaitsForTheNextSandbox(t *testing.T) {
	p, number := open(t, Inspector)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	p.Turn(l.Addr().String()) // it has ended
	c, r := dial(t, number)
	fmt.Fprintln(c, "x")
	time.AfterFunc(50*time.Millisecond, func() { p.Turn(echo(t, "next")) })
	if line, err := r.ReadString('\n'); line != "next x\n" {
		t.Errorf("%q %v", line, err)
	}
}

// adapter is a sandbox's debug adapter that says these messages, and reads until its session ends.
func adapter(t *testing.T, messages ...string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			for _, m := range messages {
				_ = writeMessage(c, []byte(m))
			}
			for r := bufio.NewReader(c); ; {
				if _, err := readMessage(r); err != nil {
					break
				}
				_ = writeMessage(c, []byte(`{"type":"response"}`))
			}
			c.Close()
		}
	}()
	return l.Addr().String()
}

func TestADebugAdaptersClientIsToldToComeAgain(t *testing.T) {
	for _, tt := range []struct {
		name string
		says []string
		end  func(p *Port)
	}{
		{"when there is a new sandbox", []string{`{"type":"event","event":"initialized"}`}, func(p *Port) { p.Turn("127.0.0.1:1") }},
		{"when the sandbox ends by itself", []string{`{"type":"event","event":"initialized"}`, `{"type":"event","event":"terminated"}`}, func(*Port) {}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, number := open(t, Adapter)
			p.Turn(adapter(t, tt.says...))
			_, r := dial(t, number)
			if m, err := readMessage(r); err != nil || string(m) != tt.says[0] {
				t.Fatalf("%s %v", m, err)
			}
			tt.end(p)
			if m, err := readMessage(r); err != nil || !strings.Contains(string(m), `"restart":true`) {
				t.Errorf("%s %v", m, err)
			}
		})
	}
}

func TestAClientThatLeavesIsNotToldToComeAgain(t *testing.T) {
	p, number := open(t, Adapter)
	p.Turn(adapter(t))
	c, r := dial(t, number)
	if err := writeMessage(c, []byte(`{"type":"request","command":"disconnect"}`)); err != nil {
		t.Fatal(err)
	}
	if m, err := readMessage(r); err != nil || string(m) != `{"type":"response"}` {
		t.Fatalf("%s %v", m, err)
	}
	p.Turn("127.0.0.1:1")
	if m, err := readMessage(r); err == nil {
		t.Errorf("it was told %s", m)
	}
}

func FuzzReadMessage(f *testing.F) {
	f.Add([]byte("Content-Length: 2\r\n\r\n{}"))
	f.Add([]byte("content-length:2\nX: y\n\n{}Content-Length: 0\r\n\r\n"))
	f.Add([]byte("Content-Length: -1\r\n\r\n"))
	f.Add([]byte("\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bufio.NewReader(bytes.NewReader(b))
		for {
			m, err := readMessage(r)
			if err != nil {
				return
			}
			var again bytes.Buffer
			if err := writeMessage(&again, m); err != nil {
				t.Fatal(err)
			}
			if back, err := readMessage(bufio.NewReader(&again)); err != nil || !bytes.Equal(back, m) {
				t.Fatalf("%q became %q, %v", m, back, err)
			}
		}
	})
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte("\x81\x02{}\x88\x00"))
	f.Add([]byte("\x01\x01{\x80\x01}"))
	f.Add([]byte("\x81\x7e\x00\x02{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c := &Client{r: bufio.NewReader(bytes.NewReader(b))}
		for {
			if _, err := c.Receive(); err != nil {
				return
			}
		}
	})
}
