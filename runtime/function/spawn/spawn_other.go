//go:build unix && !linux

package spawn

import (
	"os/exec"
	"syscall"
)

func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func start(cmd *exec.Cmd) error { return cmd.Start() }

// MaxMemory is 0: this system does not tell of a running process.
func (p *Process) MaxMemory() int64 { return 0 }
