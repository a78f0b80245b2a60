package rapid

import (
	"os"
	"os/signal"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// reap sees off processes whose parents have ended before them: their new parent is the first process of the container.
func (i *initial) reap() {
	signal.Notify(i.died, syscall.SIGCHLD)
	for range i.died {
		i.reapAll()
	}
}

// nudge has reap look again.
func (i *initial) nudge() {
	select {
	case i.died <- os.Signal(syscall.SIGCHLD):
	default: // it is about to
	}
}

// reapAll reaps until there is nobody, or one of ours, who is its own waiter's: that one's end calls again.
func (i *initial) reapAll() {
	i.mu.Lock()
	defer i.mu.Unlock()
	for {
		pid := dead()
		if pid == 0 || i.ours[pid] {
			return
		}
		if _, err := unix.Wait4(pid, nil, unix.WNOHANG, nil); err != nil {
			return
		}
	}
}

// dead is a child that has ended and was not waited for, 0 if there is none. It stays what it is.
func dead() int {
	var info struct {
		signo, errno, code int32
		_                  [unsafe.Sizeof(uintptr(0)) - 4]byte // what follows is aligned as a pointer is
		pid                int32
		_                  [128]byte
	}
	for {
		err := unix.Waitid(unix.P_ALL, 0, (*unix.Siginfo)(unsafe.Pointer(&info)), unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return 0
		}
		return int(info.pid)
	}
}
