package python

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"devstack/runtime/function/pipe"
	"devstack/runtime/function/spawn"
)

// command is what a server is told. Those with a number are answered.
type command struct {
	Do      string   `json:"do"` // "read", "warm", "fork"
	N       int      `json:"n,omitempty"`
	Root    string   `json:"root,omitempty"`
	Module  string   `json:"module,omitempty"`
	Site    []string `json:"site,omitzero"`
	Modules []string `json:"modules,omitzero"`
}

// word is what a server says: an answer, or the end of a child.
type word struct {
	N      int             `json:"n"`
	Result json.RawMessage `json:"result"`
	Pid    int             `json:"pid"`
	Cannot string          `json:"cannot"` // why it does not fork

	Ended  int    `json:"ended"` // process id
	Status string `json:"status"`
}

// answer is a server's, to one command.
type answer struct {
	word
	ended chan string // of the child that was forked
	err   error
}

// server is a Python that has imported packages and forks sandboxes.
type server struct {
	process *spawn.Process
	conn    *net.UnixConn
	keep    spawn.Keeper

	sending sync.Mutex

	mu       sync.Mutex
	last     int // number of the latest command
	asked    map[int]chan answer
	children map[int]chan string // by process id: how it ended
	gone     bool
	used     time.Time
}

// errServerGone says that a server ended before it answered.
var errServerGone = errors.New("the Python process that forks sandboxes has ended")

// startServer starts a server with an environment of its own.
func startServer(python string, env []string, keep spawn.Keeper) (*server, error) {
	script, err := installRuntime()
	if err != nil {
		return nil, err
	}
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, fmt.Errorf("start Python: %w", err)
	}
	defer theirs.Close()
	// What packages print as they are imported is nobody's: the function that imports them next prints it again, if at all.
	p, err := spawn.Start(spawn.Spec{Path: python, Args: []string{"-B", script, "server"}, Dir: "/", Env: env, Extra: []*os.File{theirs}, Keep: keep})
	if err != nil {
		ours.Close()
		return nil, err
	}
	s := &server{process: p, conn: ours, keep: keep, asked: map[int]chan answer{}, children: map[int]chan string{}}
	go s.listen()
	return s, nil
}

func socketPair() (ours *net.UnixConn, theirs *os.File, err error) {
	syscall.ForkLock.RLock() // so that no other child inherits them
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, err
	}
	file := os.NewFile(uintptr(fds[0]), "server")
	theirs = os.NewFile(uintptr(fds[1]), "server")
	conn, err := net.FileConn(file)
	file.Close()
	if err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return conn.(*net.UnixConn), theirs, nil
}

// listen takes the server's words until it ends, and then tells everybody.
func (s *server) listen() {
	r := bufio.NewReader(s.conn)
	for {
		w, err := readWord(r)
		if err != nil {
			break
		}
		s.hear(w)
	}
	s.conn.Close()
	s.mu.Lock()
	s.gone = true
	for _, ch := range s.asked {
		ch <- answer{err: errServerGone}
	}
	for _, ended := range s.children { // the kernel has killed them with it
		ended <- "signal: killed"
	}
	s.asked, s.children = nil, nil
	s.mu.Unlock()
}

func readWord(r io.Reader) (w word, err error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return w, err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > 64<<20 {
		return w, fmt.Errorf("a word of %d bytes", n)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return w, err
	}
	return w, json.Unmarshal(text, &w)
}

func (s *server) hear(w word) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ended := s.children[w.Ended]; ended != nil {
		delete(s.children, w.Ended)
		ended <- w.Status
		return
	}
	ch := s.asked[w.N]
	if ch == nil {
		return
	}
	delete(s.asked, w.N)
	a := answer{word: w}
	if w.Pid != 0 {
		a.ended = make(chan string, 1)
		s.children[w.Pid] = a.ended
	}
	ch <- a
}

// send sends a command with files. The channel gets its answer.
func (s *server) send(c command, files ...*os.File) (chan answer, error) {
	ch := make(chan answer, 1)
	s.mu.Lock()
	if s.gone {
		s.mu.Unlock()
		return nil, errServerGone
	}
	if c.Do != "warm" {
		s.last++
		c.N = s.last
		s.asked[c.N] = ch
	}
	s.mu.Unlock()
	text, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	var rights []byte
	if len(files) > 0 {
		fds := make([]int, len(files))
		for i, f := range files {
			fds[i] = int(f.Fd())
		}
		rights = syscall.UnixRights(fds...)
	}
	b := append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...)
	s.sending.Lock()
	defer s.sending.Unlock()
	n, _, err := s.conn.WriteMsgUnix(b, rights, nil)
	if err == nil && n < len(b) {
		_, err = s.conn.Write(b[n:])
	}
	if err != nil {
		return nil, errServerGone
	}
	return ch, nil
}

// ask sends a command and decodes its result.
func (s *server) ask(ctx context.Context, c command, result any) error {
	ch, err := s.send(c)
	if err != nil {
		return err
	}
	select {
	case a := <-ch:
		if a.err != nil {
			return a.err
		}
		return json.Unmarshal(a.Result, result)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// warm has the server import packages; it does so after what it was asked before.
func (s *server) warm(site, modules []string) error {
	_, err := s.send(command{Do: "warm", Site: orEmpty(site), Modules: orEmpty(modules)})
	return err
}

// cannotFork says why a server does not fork.
type cannotFork struct{ why string }

func (e *cannotFork) Error() string { return "Python cannot be forked: " + e.why }

// fork makes a process that waits for a function.
func (s *server) fork(ctx context.Context) (*pipe.Sandbox, error) {
	box, theirs, err := pipe.Open()
	if err != nil {
		return nil, err
	}
	output, printed, err := os.Pipe()
	if err != nil {
		theirs[0].Close()
		theirs[1].Close()
		box.Abandon()
		return nil, err
	}
	ch, err := s.send(command{Do: "fork"}, theirs[0], theirs[1], printed)
	theirs[0].Close()
	theirs[1].Close()
	printed.Close()
	if err != nil {
		box.Abandon()
		output.Close()
		return nil, err
	}
	select {
	case a := <-ch:
		return s.adopt(a, box, output)
	case <-ctx.Done():
		go func() { // it comes all the same
			if box, err := s.adopt(<-ch, box, output); err == nil {
				box.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

func (s *server) adopt(a answer, box *pipe.Sandbox, output *os.File) (*pipe.Sandbox, error) {
	err := a.err
	if err == nil && a.Cannot != "" {
		err = &cannotFork{a.Cannot}
	}
	if err != nil {
		box.Abandon()
		output.Close()
		return nil, err
	}
	p, err := spawn.Adopt(spawn.Adoption{Pid: a.Pid, Output: output, Line: box.Line, Keep: s.keep, Ended: a.ended})
	if err != nil {
		box.Abandon()
		return nil, err
	}
	box.Attach(p)
	return box, nil
}

// alive reports whether the server can still be asked.
func (s *server) alive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.gone
}

// retire has the server end once its last sandbox has.
func (s *server) retire() { _ = s.conn.CloseWrite() } // one that is gone has nothing to end

// kill ends the server and all its sandboxes.
func (s *server) kill() {
	s.process.Kill()
	s.conn.Close()
}
