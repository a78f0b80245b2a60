package rapid

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"devstack/runtime/function/spawn"
)

// A program initialises its packages in the order of their names, each once all that it needs are
// (https://go.dev/ref/spec#Program_initialization). This one needs so little that its turn comes before the daemon's larger
// dependencies take their time and memory, of which an init has neither. Package net is not among what it needs for that reason.
func init() {
	if len(os.Args) == 4 && os.Args[1] == Verb {
		os.Exit(run(os.Args[2], os.Args[3]))
	}
}

// run is the init's life: it ends with the connection, and the container with it.
func run(address, secret string) int {
	runtime.GOMAXPROCS(1)
	conn, in, err := connect(address, secret)
	if err != nil {
		fmt.Fprintln(os.Stderr, "the container cannot reach devstack:", err)
		return 1
	}
	i := &initial{conn: conn, programs: map[uint32]*spawn.Process{}, ours: map[int]bool{}, died: make(chan os.Signal, 1)}
	go i.reap()
	go i.forward()
	i.send(Hello, 0, Texts(Version, string(Texts(os.Environ()...)), string(Texts(extensions(Extensions)...))))
	for {
		f, err := Read(in)
		if err != nil {
			return 0
		}
		i.obey(f)
	}
}

// connect makes the connection to the daemon. It is an HTTP request that stops to be one.
func connect(address, secret string) (*os.File, *bufio.Reader, error) {
	conn, err := dial(address)
	if err != nil {
		return nil, nil, fmt.Errorf("connect to %s: %w", address, err)
	}
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: %s\r\n%s: %s\r\n\r\n", Upgrade, address, Protocol, Secret, secret)
	in := bufio.NewReader(conn)
	status, err := in.ReadString('\n')
	if err == nil && !strings.HasPrefix(status, "HTTP/1.1 101 ") {
		err = errors.New(strings.TrimSpace(status))
	}
	for line := status; err == nil && line != "\r\n"; {
		line, err = in.ReadString('\n')
	}
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	return conn, in, nil
}

// dial connects to the IPv4 address and port of a bridge's gateway.
func dial(address string) (*os.File, error) {
	var to unix.SockaddrInet4
	host, port, _ := strings.Cut(address, ":")
	parts := strings.Split(host, ".")
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || len(parts) != len(to.Addr) {
		return nil, unix.EINVAL
	}
	to.Port = int(n)
	for i, part := range parts {
		b, err := strconv.ParseUint(part, 10, 8)
		if err != nil {
			return nil, unix.EINVAL
		}
		to.Addr[i] = byte(b)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	err = unix.Connect(fd, &to)
	for err == unix.EINTR {
		if err = unix.Connect(fd, &to); err == unix.EISCONN {
			err = nil
		}
	}
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	if err == nil {
		err = unix.SetNonblock(fd, true) // so that a read holds no thread
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), address), nil
}

// extensions are the files in a folder, which may not be there, by name.
func extensions(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var found []string
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			found = append(found, path)
		}
	}
	return found
}

// initial is a running init.
type initial struct {
	writing sync.Mutex
	conn    *os.File

	mu       sync.Mutex // held while a program is started: until it is one of ours, nobody may take it for an orphan
	programs map[uint32]*spawn.Process
	ours     map[int]bool // their pids

	died chan os.Signal // children have
}

// send writes a frame. What cannot be written has nobody to read it, and the end of the connection is the init's.
func (i *initial) send(kind byte, id uint32, body []byte) {
	i.writing.Lock()
	defer i.writing.Unlock()
	_ = Write(i.conn, Frame{kind, id, body})
}

// obey carries out what the daemon wants.
func (i *initial) obey(f Frame) {
	if f.Kind == Start {
		i.start(f)
		return
	}
	i.mu.Lock()
	p := i.programs[f.ID]
	i.mu.Unlock()
	switch {
	case f.Kind == Drain:
		i.drain(p, f)
	case p == nil: // it has just ended
	case f.Kind == Terminate:
		p.Terminate()
	case f.Kind == Kill:
		go p.Kill()
	}
}

func (i *initial) start(f Frame) {
	spec, err := decode(f.Body)
	if err == nil {
		spec.Line = func(text string) { i.send(Line, f.ID, []byte(text)) }
		err = i.launch(f.ID, spec)
	}
	if err != nil {
		i.send(Refused, f.ID, refusal(err))
	}
}

// decode takes a Start apart.
func decode(body []byte) (spawn.Spec, error) {
	parts, err := SplitN(body, 4)
	if err != nil {
		return spawn.Spec{}, err
	}
	spec := spawn.Spec{Path: parts[0], Dir: parts[1]}
	if spec.Args, err = Split([]byte(parts[2])); err == nil {
		spec.Env, err = Split([]byte(parts[3]))
	}
	return spec, err
}

// launch starts a program and sees to it until its end.
func (i *initial) launch(id uint32, spec spawn.Spec) error {
	if !strings.Contains(spec.Path, "/") {
		path, err := exec.LookPath(spec.Path)
		if err != nil && !errors.Is(err, exec.ErrDot) {
			return err
		}
		spec.Path = path
	}
	i.mu.Lock()
	p, err := spawn.Start(spec)
	if err != nil {
		i.mu.Unlock()
		return err
	}
	i.programs[id], i.ours[p.Pid()] = p, true
	i.send(Started, id, nil)
	i.mu.Unlock()
	go func() {
		<-p.Done()
		i.mu.Lock()
		delete(i.programs, id)
		delete(i.ours, p.Pid())
		i.mu.Unlock()
		i.send(Ended, id, []byte(p.Status()))
		i.nudge() // an orphan may have waited behind it
	}()
	return nil
}

// refusal says why a program could not be started, so that the daemon can make the same error of it.
func refusal(err error) []byte {
	var path *fs.PathError
	var look *exec.Error
	var number syscall.Errno
	errors.As(err, &number)
	n := strconv.Itoa(int(number))
	switch {
	case errors.As(err, &path):
		return Texts(path.Op, path.Path, n, err.Error())
	case errors.As(err, &look):
		return Texts("exec", look.Name, n, err.Error())
	}
	return Texts("", "", n, err.Error())
}

// drain delivers what the programs have printed by now. The answer goes after it.
func (i *initial) drain(p *spawn.Process, f Frame) {
	i.mu.Lock()
	all := make([]*spawn.Process, 0, len(i.programs))
	for _, one := range i.programs {
		all = append(all, one)
	}
	i.mu.Unlock()
	for _, one := range all {
		one.Flush()
	}
	memory := int64(0)
	if p != nil {
		memory = p.MaxMemory()
	}
	i.send(Drained, f.ID, binary.BigEndian.AppendUint64(f.Body[:len(f.Body):len(f.Body)], uint64(memory)))
}

// forward hands on the signals that reach the container's first process.
func (i *initial) forward() {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2)
	for s := range signals {
		i.mu.Lock()
		for pid := range i.ours {
			syscall.Kill(pid, s.(syscall.Signal))
		}
		i.mu.Unlock()
	}
}
