package spawn

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// attributes give the child its own group, and have the kernel kill it when its parent dies.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// To the kernel a child's parent is the thread that made it, not the process (prctl(2), PR_SET_PDEATHSIG). So one thread
// that lives as long as the daemon makes all children.
var thread = sync.OnceValue(func() chan<- func() {
	jobs := make(chan func())
	go func() {
		runtime.LockOSThread()
		for job := range jobs {
			job()
		}
	}()
	return jobs
})

func start(cmd *exec.Cmd) error {
	result := make(chan error)
	thread() <- func() { result <- cmd.Start() }
	return <-result
}

// limit gives a process the limits that Lambda's have, where it had more. It has been running for a moment by then, but has
// been told nothing of a function yet. Recorded on AWS: 1,024 open files, 64 KiB of locked memory, a stack of 8 MiB.
// What AWS has besides is left alone: 742 processes, because here they would be counted with all others of the user, and core
// files of 10 GiB, because they would be written among the function's sources.
func limit(pid int) {
	for resource, most := range map[int]unix.Rlimit{
		unix.RLIMIT_NOFILE:  {Cur: 1024, Max: 1024},
		unix.RLIMIT_MEMLOCK: {Cur: 64 << 10, Max: 64 << 10},
		unix.RLIMIT_STACK:   {Cur: 8 << 20, Max: unix.RLIM_INFINITY},
	} {
		var now unix.Rlimit
		if unix.Prlimit(pid, resource, nil, &now) != nil {
			return // it has ended
		}
		wanted := unix.Rlimit{Cur: min(now.Cur, most.Cur), Max: min(now.Max, most.Max)}
		if wanted != now {
			_ = unix.Prlimit(pid, resource, &wanted, nil) // lowering is always allowed
		}
	}
}
