package debug

import (
	"errors"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
)

func TestWhoseASocketIs(t *testing.T) {
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2537 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:C350 0100007F:2537 01 00000000:00000000 00:00000000 00000000  1000        0 2 1 0 20 4 30 10 -1
   2: 0100007F:2537 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 3 1 0 20 4 30 10 -1
   3: 0000000000000000FFFF00000100007F:C351 0000000000000000FFFF00000100007F:2537 01 00000000:00000000 00:00000000 00000000  1001        0 4 1 0 20 4 30 10 -1
   4: 0100007F
`
	for _, tt := range []struct {
		name     string
		from, to int
		want     string
	}{
		{"the client's end tells, not ours", 50000, 9527, "1000"},
		{"an address of IPv4 in one of IPv6", 50001, 9527, "1001"},
		{"one that is not there", 50002, 9527, ""},
		{"one to another port", 50000, 9528, ""},
	} {
		if user, ok := owner(table, tt.from, tt.to); user != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: %q, %v", tt.name, user, ok)
		}
	}
}

// A client whose socket is for both versions of IP, as those of programs in Java are, is one of ours too.
func TestTheSameUserByEitherKindOfSocket(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells whose a connection is")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	for name, family := range map[string]int{"IPv4": syscall.AF_INET, "both": syscall.AF_INET6} {
		fd, err := syscall.Socket(family, syscall.SOCK_STREAM, 0)
		if errors.Is(err, syscall.EAFNOSUPPORT) {
			t.Log("this machine has no IPv6")
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		defer os.NewFile(uintptr(fd), name).Close()
		var to syscall.Sockaddr = &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}
		if family == syscall.AF_INET6 {
			to = &syscall.SockaddrInet6{Port: port, Addr: [16]byte{10: 0xff, 11: 0xff, 12: 127, 15: 1}}
		}
		if err := syscall.Connect(fd, to); err != nil {
			t.Fatal(err)
		}
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if !sameUser(c) {
			t.Errorf("%s: it is taken for somebody else", name)
		}
	}
}
