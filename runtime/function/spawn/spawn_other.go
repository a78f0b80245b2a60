//go:build unix && !linux

package spawn

import (
	"os/exec"
	"syscall"
)

func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func start(cmd *exec.Cmd) error { return cmd.Start() }

// limit leaves a process the limits that it inherits: here nobody can set another's.
func limit(int) {}

// held is 0: this system does not tell cheaply what a running process holds, so no limit is enforced.
func held(int) int64 { return 0 }

// gauge knows nothing for the same reason.
type gauge struct{}

func (*gauge) peak(int) int64 { return 0 }
func (*gauge) close()         {}
