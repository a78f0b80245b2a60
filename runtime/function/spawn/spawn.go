// Package spawn runs a sandbox's process: in a process group of its own that ends as a whole, dead as soon as the daemon
// is, with everything that it prints delivered a line at a time and, on request, up to the present moment.
package spawn

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Keeper ends process groups that the daemon leaves behind. The process package's watchdog is one.
type Keeper interface {
	Env() string // "NAME=value" that each child must have in its environment
	AddGroup(pgid int) (remove func(), err error)
}

// Spec is a process to start.
type Spec struct {
	Path  string   // absolute
	Args  []string // without the program's own name
	Dir   string
	Env   []string // all of it: nothing of the daemon's is added
	Stdin *os.File // nil: nothing to read
	Extra []*os.File
	Line  func(text string) // takes each line that it prints, on standard output or error
	Keep  Keeper            // nil: on Linux the kernel ends the process with the daemon, elsewhere nobody does

	// Frames gives the process a file for messages of its log, which may have several lines or no end of a line: its number is
	// in _LAMBDA_TELEMETRY_LOG_FD, as on Lambda, whose runtime clients write there. Line takes each message.
	Frames bool
}

// Process is a running process and those that it starts in its group.
type Process struct {
	cmd    *exec.Cmd
	output *output
	frames *output // nil without
	forget func()
	done   chan struct{}
	status string
	memory memory
}

// Start starts a process. The files of the Spec stay the caller's to close.
func Start(spec Spec) (*Process, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	var frames *output
	if spec.Frames {
		fr, fw, err := os.Pipe()
		if err != nil {
			r.Close()
			return nil, err
		}
		defer fw.Close()
		frames = newOutput(fr, spec.Line)
		frames.framed = true
		spec.Env = append(spec.Env[:len(spec.Env):len(spec.Env)], fmt.Sprintf("_LAMBDA_TELEMETRY_LOG_FD=%d", 3+len(spec.Extra)))
		spec.Extra = append(spec.Extra[:len(spec.Extra):len(spec.Extra)], fw)
	}
	cmd, err := execute(spec, w)
	if err != nil {
		r.Close()
		if frames != nil {
			frames.pipe.Close()
		}
		return nil, err
	}
	p := &Process{cmd: cmd, output: newOutput(r, spec.Line), frames: frames, forget: func() {}, done: make(chan struct{})}
	limit(p.Pid())
	if spec.Keep != nil {
		forget, err := spec.Keep.AddGroup(p.Pid())
		if err != nil {
			go p.wait()
			p.Kill()
			return nil, err
		}
		p.forget = forget
	}
	go p.output.read()
	if p.frames != nil {
		go p.frames.read()
	}
	go p.wait()
	return p, nil
}

// execute starts the program, and waits a moment for one that is just being written: its file stays busy until every
// process that happened to be forked meanwhile has let go of it (https://go.dev/issue/22315).
func execute(spec Spec, output *os.File) (*exec.Cmd, error) {
	env := spec.Env
	if spec.Keep != nil {
		env = append(env[:len(env):len(env)], spec.Keep.Env())
	}
	for wait := time.Millisecond; ; wait *= 2 {
		cmd := &exec.Cmd{
			Path: spec.Path, Args: append([]string{spec.Path}, spec.Args...), Dir: spec.Dir, Env: env,
			Stdout: output, Stderr: output, ExtraFiles: spec.Extra, SysProcAttr: attributes(),
		}
		if spec.Stdin != nil {
			cmd.Stdin = spec.Stdin
		}
		err := start(cmd)
		if err == nil {
			return cmd, nil
		}
		if !errors.Is(err, syscall.ETXTBSY) || wait > 100*time.Millisecond {
			return nil, explain(spec.Path, spec.Dir, err)
		}
		time.Sleep(wait)
	}
}

// wait sees the process off: what is left of its group, then its last words.
func (p *Process) wait() {
	err := p.cmd.Wait()
	p.signal()
	p.forget()
	p.Flush()
	p.output.close()
	if p.frames != nil {
		p.frames.close()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		p.status = exit.Error()
	}
	p.memory.gauge.close()
	close(p.done)
}

// Pid is the number of the process and of its group.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done is closed once the process has ended and all that it printed was delivered.
func (p *Process) Done() <-chan struct{} { return p.done }

// Status says how it ended, once Done is closed: "exit status 1", "signal: killed", "" if with status 0.
func (p *Process) Status() string { return p.status }

// Terminate asks the process to end, by SIGTERM. One that is gone already is no error.
func (p *Process) Terminate() {
	select {
	case <-p.done:
	default:
		syscall.Kill(p.Pid(), syscall.SIGTERM)
	}
}

// Kill ends the group and returns when it is gone.
func (p *Process) Kill() {
	p.signal()
	<-p.done
}

// Flush delivers every whole line that was printed before the call, without waiting for more.
func (p *Process) Flush() {
	p.output.flush()
	if p.frames != nil {
		p.frames.flush()
	}
}

// signal kills all of the group. One that is gone already is no error.
func (p *Process) signal() { syscall.Kill(-p.Pid(), syscall.SIGKILL) }

func explain(path, dir string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist) && dir != "" && !exists(dir):
		return fmt.Errorf("start %s: its working directory %s is not there: %w", path, dir, err)
	case errors.Is(err, syscall.ENOEXEC):
		return fmt.Errorf("%s is not a program for this machine, which is %s/%s; a script needs a first line such as #!/bin/sh: %w",
			path, runtime.GOOS, runtime.GOARCH, err)
	case errors.Is(err, fs.ErrNotExist) && exists(path):
		return fmt.Errorf("%s names an interpreter in its first line that is not there; a line that ends as on Windows does that too: %w", path, err)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%s cannot be executed; `chmod +x` it: %w", path, err)
	}
	return fmt.Errorf("start %s: %w", path, err)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// output reads what a process prints. Two read from the pipe, one at a time: a goroutine that waits for more, and
// whoever needs all that is there by now.
type output struct {
	pipe *os.File
	raw  syscall.RawConn
	line func(string)
	end  sync.Once

	framed bool

	mu      sync.Mutex
	partial []byte
	buffer  []byte
}

// longest is the number of bytes after which a line is delivered even if it has no end: the size of the largest event
// that CloudWatch Logs takes. https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
const longest = 1 << 20

func newOutput(pipe *os.File, line func(string)) *output {
	if line == nil {
		line = func(string) {}
	}
	raw, err := pipe.SyscallConn()
	if err != nil {
		panic(err) // of an open file there always is one
	}
	return &output{pipe: pipe, raw: raw, line: line, buffer: make([]byte, 32<<10)}
}

// read delivers lines until the pipe ends.
func (o *output) read() {
	_ = o.raw.Read(func(fd uintptr) (done bool) { return o.drain(int(fd)) }) // ends with the pipe
}

// flush delivers what is in the pipe now.
func (o *output) flush() {
	_ = o.raw.Control(func(fd uintptr) { o.drain(int(fd)) }) // a closed pipe is empty
}

// drain reads until there is no more for now, and reports whether there never will be.
func (o *output) drain(fd int) (ended bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		n, err := syscall.Read(fd, o.buffer)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			return false
		case err != nil || n <= 0:
			return true
		}
		if o.framed {
			o.unframe(o.buffer[:n])
		} else {
			o.split(o.buffer[:n])
		}
	}
}

func (o *output) split(b []byte) {
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		if i < 0 && len(o.partial)+len(b) < longest {
			o.partial = append(o.partial, b...)
			return
		}
		rest := b[len(b):]
		if i >= 0 {
			rest, b = b[i+1:], b[:i]
		}
		o.line(strings.TrimSuffix(string(append(o.partial, b...)), "\r"))
		o.partial, b = o.partial[:0], rest
	}
}

// close delivers a last line without an end.
func (o *output) close() {
	o.end.Do(func() {
		o.pipe.Close()
		o.mu.Lock()
		defer o.mu.Unlock()
		if len(o.partial) > 0 {
			o.line(strings.TrimSuffix(string(o.partial), "\r"))
			o.partial = nil
		}
	})
}
