// Package process runs programs as children: each in a process group of its own that ends as a whole, with nothing of
// devstack's environment but what it needs, and never outliving the daemon.
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"devstack/runtime/process/reap"
)

// Spec is a program to run.
type Spec struct {
	Command []string // the program, as a path relative to Dir or a name to be found in the PATH of Env, and its arguments
	Dir     string   // absolute
	Env     []string // all of it
	Stdin   *os.File // nil: nothing to read
	Stdout  io.WriteCloser
	Stderr  io.WriteCloser
	Extra   []*os.File // inherited as descriptors 3 and up
	Scratch string     // folder that is removed when the program and its group have ended, "" for none
}

// Process is a running program and everything that it starts in its process group.
type Process struct {
	cmd     *exec.Cmd
	scratch string
	forget  func() // takes the group off the watchdog's list
	done    chan struct{}
	err     error
}

// outputPatience is how long we read on after the program and its group have ended, should something that left the group
// hold the pipes open.
const outputPatience = time.Second

// Start starts a program and has the watchdog know of it. The errors say what is wrong with the command.
func Start(watchdog *reap.Watchdog, spec Spec) (*Process, error) {
	path, err := find(spec)
	if err != nil {
		return nil, err
	}
	if err := watchdog.Prepare(); err != nil {
		return nil, err
	}
	cmd := &exec.Cmd{
		Path: path, Args: spec.Command, Dir: spec.Dir,
		Env:         append(spec.Env[:len(spec.Env):len(spec.Env)], watchdog.Env()),
		ExtraFiles:  spec.Extra,
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
	}
	if spec.Stdin != nil {
		cmd.Stdin = spec.Stdin
	}
	out := &output{}
	if cmd.Stdout, err = out.pipe(spec.Stdout); err == nil {
		cmd.Stderr, err = out.pipe(spec.Stderr)
	}
	if err == nil {
		err = cmd.Start()
	}
	out.started()
	if err != nil {
		out.finish(0)
		return nil, explain(path, err)
	}
	p := &Process{cmd: cmd, scratch: spec.Scratch, done: make(chan struct{})}
	if p.forget, err = watchdog.AddGroup(cmd.Process.Pid); err != nil {
		p.forget = func() {}
		go p.wait(out)
		p.Kill()
		return nil, err
	}
	go p.wait(out)
	return p, nil
}

// wait sees the program off: its group, its last output, then those who wait for it.
func (p *Process) wait(out *output) {
	err := p.cmd.Wait()
	p.signal(syscall.SIGKILL) // what it leaves behind in its group
	p.forget()
	out.finish(outputPatience)
	removeAll(p.scratch)
	p.err = exitError(err)
	close(p.done)
}

// removeAll removes a folder that processes may still write to which have been killed and are not gone yet.
func removeAll(dir string) {
	if dir == "" {
		return
	}
	const tries, pause = 50, 10 * time.Millisecond
	for n := 0; os.RemoveAll(dir) != nil && n < tries; n++ {
		time.Sleep(pause) // the operating system's: it is processes that are waited for
	}
}

// exitError says in words how a program ended, nil if with status 0.
func exitError(err error) error {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return err
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return fmt.Errorf("killed by signal %d (%s)", status.Signal(), status.Signal())
	}
	return fmt.Errorf("exited with status %d", exit.ExitCode())
}

// Pid is the number of the process and of its group.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done is closed when the program has ended, its group is gone, and all that it wrote was read.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err says how the program ended, once Done is closed: nil for status 0.
func (p *Process) Err() error { return p.err }

// Stop asks the group to end, kills it when ctx ends, and returns when it is gone.
func (p *Process) Stop(ctx context.Context) error {
	select {
	case <-p.done:
		return nil
	default:
	}
	p.signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-ctx.Done():
		p.signal(syscall.SIGKILL)
		<-p.done
	}
	return nil
}

// Kill ends the group without asking, and returns when it is gone.
func (p *Process) Kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
}

// signal reaches every process of the group. One that is gone already is no error.
func (p *Process) signal(s syscall.Signal) { syscall.Kill(-p.cmd.Process.Pid, s) }

// output copies what a program writes. The pipes are ours, not exec's, so that waiting for the program does not wait for
// grandchildren that hold them.
type output struct {
	copying sync.WaitGroup
	readers []*os.File
	writers []*os.File // the program's ends, for us to close once it has them
	sinks   []io.Closer
}

// pipe returns what a program can write to, nil for no output.
func (o *output) pipe(to io.WriteCloser) (io.Writer, error) {
	if to == nil {
		return nil, nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	o.readers, o.writers, o.sinks = append(o.readers, r), append(o.writers, w), append(o.sinks, to)
	o.copying.Go(func() { io.Copy(to, r) })
	return w, nil
}

func (o *output) started() {
	for _, w := range o.writers {
		w.Close()
	}
}

// finish waits until everything is copied, at most for patience.
func (o *output) finish(patience time.Duration) {
	all := make(chan struct{})
	go func() { o.copying.Wait(); close(all) }()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-all:
	case <-timer.C:
	}
	for _, r := range o.readers {
		r.Close()
	}
	<-all
	for _, s := range o.sinks {
		s.Close()
	}
}

// find returns the absolute path of the program.
func find(spec Spec) (string, error) {
	if len(spec.Command) == 0 || spec.Command[0] == "" {
		return "", errors.New("the command is empty")
	}
	if info, err := os.Stat(spec.Dir); err != nil || !info.IsDir() {
		return "", fmt.Errorf("the working directory %s does not exist", spec.Dir)
	}
	name := spec.Command[0]
	if strings.ContainsRune(name, filepath.Separator) {
		path := name
		if !filepath.IsAbs(path) {
			path = filepath.Join(spec.Dir, path)
		}
		return path, executable(path)
	}
	for _, dir := range filepath.SplitList(lookup(spec.Env, "PATH")) {
		path := filepath.Join(dir, name)
		if filepath.IsAbs(path) && executable(path) == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("command %q was not found in PATH: install it, or give a path to it", name)
}

// executable says why a file cannot be executed.
func executable(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("command %s does not exist", path)
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("command %s is a folder", path)
	case info.Mode()&0o111 == 0:
		return fmt.Errorf("command %s is not executable: chmod +x it", path)
	}
	return nil
}

// explain says what the operating system means by refusing a program.
func explain(path string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOEXEC):
		return fmt.Errorf("command %s is not a program for this machine; a script needs a first line such as #!/bin/sh", path)
	case errors.Is(err, fs.ErrNotExist): // it was there: its interpreter or loader is not
		return fmt.Errorf("command %s needs an interpreter that does not exist (see its first line): %w", path, err)
	}
	return fmt.Errorf("start %s: %w", path, err)
}

// lookup returns the value of a variable in an environment, the last one if there are several.
func lookup(env []string, name string) string {
	var value string
	for _, variable := range env {
		if v, ok := strings.CutPrefix(variable, name+"="); ok {
			value = v
		}
	}
	return value
}
