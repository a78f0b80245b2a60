package debug

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
)

// sameUser reports whether a connection comes from a process of the daemon's own user, as far as the system tells.
//
// https://man7.org/linux/man-pages/man5/proc_pid_net.5.html (/proc/net/tcp)
func sameUser(c net.Conn) bool {
	remote, ok := c.RemoteAddr().(*net.TCPAddr)
	local, alsoOK := c.LocalAddr().(*net.TCPAddr)
	if !ok || !alsoOK {
		return true
	}
	told := false
	for _, name := range []string{"/proc/net/tcp", "/proc/net/tcp6"} { // a client's socket may be for both versions of IP, as Java's are
		table, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		told = true
		if user, ok := owner(string(table), remote.Port, local.Port); ok {
			return user == strconv.Itoa(os.Getuid())
		}
	}
	return !told
}

// owner finds the user of the socket that is connected from a port of this machine to another.
func owner(table string, from, to int) (user string, ok bool) {
	local, remote := fmt.Sprintf(":%04X", from), fmt.Sprintf(":%04X", to)
	for line := range strings.Lines(table) {
		f := strings.Fields(line) // number, local address, remote address, state, queues, timer, retransmits, user
		if len(f) > 7 && strings.HasSuffix(f[1], local) && strings.HasSuffix(f[2], remote) {
			return f[7], true
		}
	}
	return "", false
}
