package spawn

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"
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

// MaxMemory is the most memory the process itself has held so far, in bytes; 0 if it is gone.
//
// https://man7.org/linux/man-pages/man5/proc_pid_status.5.html (VmHWM)
func (p *Process) MaxMemory() int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid()))
	if err != nil {
		return 0
	}
	_, after, found := bytes.Cut(status, []byte("\nVmHWM:"))
	fields := bytes.Fields(after)
	if !found || len(fields) == 0 {
		return 0
	}
	kib, err := strconv.ParseInt(string(fields[0]), 10, 64)
	if err != nil {
		return 0
	}
	return kib << 10
}
