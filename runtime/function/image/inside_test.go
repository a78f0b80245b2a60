package image_test

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"devstack/runtime/function/image"
	"devstack/runtime/function/rapid"
)

// FuzzInside says any bytes in an init's place: the daemon has an end of it, and so has each program that waits.
func FuzzInside(f *testing.F) {
	hello := func(parts ...string) []byte {
		var b bytes.Buffer
		rapid.Write(&b, rapid.Frame{Kind: rapid.Hello, Body: rapid.Texts(parts...)})
		return b.Bytes()
	}
	f.Add(hello(rapid.Version, string(rapid.Texts("A=b")), ""))
	f.Add(hello("2", "", ""))
	f.Add([]byte("X\x00\x00\x00\x01\x00\x00\x00\x04\x00\x00\x00\x00"))
	f.Add([]byte("O\x00\x00\x00\x01\x00\x00\x00\x00L\x00\x00\x00\x01\x00\x00\x00\x02hiE\x00\x00\x00\x01\x00\x00\x00\x00"))
	f.Add([]byte("Z\x00\x00\x00\x01\x00\x00\x00\x0c\x00\x00\x00\x01\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, said []byte) { image.Hear(said) })
}

// Only the init knows the secret, and there is one init.
func TestTheDoorOfTheInit(t *testing.T) {
	secret, handler := image.Door()
	server := httptest.NewServer(handler)
	defer server.Close()
	knock := func(secret string) string {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if _, err := conn.Write([]byte("POST " + rapid.Upgrade + " HTTP/1.1\r\nHost: x\r\n" + rapid.Secret + ": " + secret + "\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		status, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(status)
	}
	for _, tt := range []struct{ secret, want string }{
		{"", "HTTP/1.1 403 Forbidden"},
		{"guess", "HTTP/1.1 403 Forbidden"},
		{secret, "HTTP/1.1 101 Switching Protocols"},
		{secret, "HTTP/1.1 403 Forbidden"},
	} {
		if got := knock(tt.secret); got != tt.want {
			t.Errorf("with secret %q: %s, want %s", tt.secret, got, tt.want)
		}
	}
	if resp, err := http.Get(server.URL + rapid.Upgrade); err != nil || resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %v, %v", resp, err)
	}
}
