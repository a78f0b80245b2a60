package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// build compiles a package of this repository as `make build` does and returns the binary's path.
func (b *bench) build(ctx context.Context, pkg, name string) (string, error) {
	out := filepath.Join(b.temp, name)
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, pkg)
	cmd.Dir = b.root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", pkg, err, text)
	}
	return out, nil
}

// server is a process that answers HTTP on a port.
type server struct {
	cmd   *exec.Cmd
	port  int
	took  time.Duration // from the start of the process to its first answer
	first []byte        // that answer's body
}

// start runs a program and waits for its first good answer to a request.
func start(ctx context.Context, port int, ask []byte, program string, args ...string) (*server, error) {
	s := &server{cmd: exec.CommandContext(ctx, program, args...), port: port}
	s.cmd.Stderr = os.Stderr
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for {
		if c, err := dial(port); err == nil {
			c.SetDeadline(time.Now().Add(answerWithin))
			err = c.do(ask)
			s.took, s.first = time.Since(began), c.body
			c.Close()
			if err != nil {
				return nil, errors.Join(fmt.Errorf("%s: %w", filepath.Base(program), err), s.stop())
			}
			return s, nil
		}
		if time.Since(began) > answerWithin || ctx.Err() != nil {
			return nil, errors.Join(fmt.Errorf("%s does not answer", filepath.Base(program)), s.stop())
		}
		time.Sleep(100 * time.Microsecond)
	}
}

// stop ends the process and waits for its end.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	killer := time.AfterFunc(5*time.Second, func() { s.cmd.Process.Kill() })
	defer killer.Stop()
	s.cmd.Wait() // "signal: terminated" is what we asked for
	return nil
}

// resident returns the memory that a process holds, in bytes.
func resident(pid int) (int, error) {
	out, err := exec.Command("ps", "-o", "rss=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return 0, fmt.Errorf("ps: %w", err)
	}
	kib, err := strconv.Atoi(strings.TrimSpace(string(out)))
	return kib << 10, err
}

// ticks is how many of the kernel's units of processor time make a second; Linux tells it to programs as 100 everywhere.
const ticks = 100

// processor returns the processor time that a process has used, 0 where there is no /proc to tell.
func processor(pid int) time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / ticks
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
