package image

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"devstack/runtime/function/bootstrap"
	"devstack/runtime/function/rapid"
	"devstack/runtime/function/spawn"
)

// inside speaks with the init of a container: see package rapid.
type inside struct {
	secret  string
	arrived chan struct{} // closed when the init has said Hello
	lost    chan struct{} // closed when the connection has ended
	gone    func() string // kills the container, and says how it ended

	writing sync.Mutex
	conn    net.Conn // nil before the init has come

	env, extensions []string // once arrived is closed

	mu       sync.Mutex
	programs map[uint32]*program
	number   uint32 // the last program's
	drains   map[uint32]chan struct{}
	asked    uint32 // the last drain's
	over     bool
}

func newInside(gone func() string) *inside {
	return &inside{
		secret: rand.Text(), arrived: make(chan struct{}), lost: make(chan struct{}), gone: gone,
		programs: map[uint32]*program{}, drains: map[uint32]chan struct{}{},
	}
}

// patience is how long an init may take with what takes it no time at all. Afterwards the container is stopped, by a person perhaps.
const patience = 10 * time.Second

// handle adds the init's door to the sandbox's server.
func (i *inside) handle(mux *http.ServeMux) { mux.HandleFunc("POST "+rapid.Upgrade, i.accept) }

// accept lets the init in, once. All others in the container, and whoever else can call its server, do not know the secret.
func (i *inside) accept(w http.ResponseWriter, r *http.Request) {
	known := subtle.ConstantTimeCompare([]byte(r.Header.Get(rapid.Secret)), []byte(i.secret)) == 1
	i.writing.Lock()
	defer i.writing.Unlock()
	hijacker, ok := w.(http.Hijacker)
	if !known || !ok || i.conn != nil {
		http.Error(w, "this is not for you", http.StatusForbidden)
		return
	}
	conn, in, err := hijacker.Hijack()
	if err != nil {
		return
	}
	i.conn = conn
	conn.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " + rapid.Protocol + "\r\n\r\n"))
	go i.read(in.Reader)
}

// read takes what the init says, until it says nothing any more.
func (i *inside) read(in *bufio.Reader) {
	defer i.end()
	for {
		f, err := rapid.Read(in)
		if err == nil {
			err = i.take(f)
		}
		if err != nil {
			return
		}
	}
}

// take acts on one frame. What is no frame of an init's is an error, what comes too late for anybody is not.
func (i *inside) take(f rapid.Frame) error {
	switch f.Kind {
	case rapid.Hello:
		return i.greet(f.Body)
	case rapid.Drained:
		return i.drained(f)
	}
	i.mu.Lock()
	p := i.programs[f.ID]
	i.mu.Unlock()
	if p == nil {
		return nil
	}
	switch f.Kind {
	case rapid.Started:
		p.answer(nil)
	case rapid.Refused:
		p.answer(refused(f.Body))
		i.forget(f.ID)
	case rapid.Line:
		p.line(string(f.Body))
	case rapid.Ended:
		i.forget(f.ID)
		p.end(string(f.Body))
	default:
		return errors.New("an unknown frame")
	}
	return nil
}

func (i *inside) greet(body []byte) error {
	select {
	case <-i.arrived:
		return errors.New("a second hello")
	default:
	}
	parts, err := rapid.SplitN(body, 3)
	if err != nil {
		return err
	}
	if parts[0] != rapid.Version {
		return fmt.Errorf("version %s", parts[0])
	}
	if i.env, err = rapid.Split([]byte(parts[1])); err == nil {
		i.extensions, err = rapid.Split([]byte(parts[2]))
	}
	if err == nil {
		close(i.arrived)
	}
	return err
}

func (i *inside) drained(f rapid.Frame) error {
	if len(f.Body) != 12 {
		return errors.New("a torn frame")
	}
	number := binary.BigEndian.Uint32(f.Body)
	i.mu.Lock()
	defer i.mu.Unlock()
	if p := i.programs[f.ID]; p != nil {
		p.memory.Store(max(p.memory.Load(), int64(binary.BigEndian.Uint64(f.Body[4:]))))
	}
	if done := i.drains[number]; done != nil {
		close(done)
		delete(i.drains, number)
	}
	return nil
}

func (i *inside) forget(id uint32) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.programs, id)
}

// end says of all programs how the container ended: its init was the last of it.
func (i *inside) end() {
	i.conn.Close()
	i.mu.Lock()
	i.over = true
	left := i.programs
	i.programs = map[uint32]*program{}
	i.mu.Unlock()
	close(i.lost)
	status := i.gone()
	for _, p := range left {
		p.answer(errGone)
		p.end(status)
	}
}

var errGone = errors.New("the container ended")

// send writes a frame. What cannot be written is for nobody: the reader notices that.
func (i *inside) send(kind byte, id uint32, body []byte) {
	i.writing.Lock()
	defer i.writing.Unlock()
	i.conn.SetWriteDeadline(time.Now().Add(patience))
	if err := rapid.Write(i.conn, rapid.Frame{Kind: kind, ID: id, Body: body}); err != nil {
		i.conn.Close()
	}
}

// close ends the connection, of which there may be none.
func (i *inside) close() {
	i.writing.Lock()
	defer i.writing.Unlock()
	if i.conn != nil {
		i.conn.Close()
	}
}

// came reports whether the init has been let in.
func (i *inside) came() bool {
	i.writing.Lock()
	defer i.writing.Unlock()
	return i.conn != nil
}

// address is how a port of the container is called from here.
func (i *inside) address(port string) (string, error) {
	i.writing.Lock()
	defer i.writing.Unlock()
	if i.conn == nil {
		return "", errGone
	}
	host, _, err := net.SplitHostPort(i.conn.RemoteAddr().String())
	return net.JoinHostPort(host, port), err
}

// run starts a program in the container. It is called once the init has arrived.
func (i *inside) run(spec spawn.Spec) (bootstrap.Process, error) {
	p := &program{inside: i, line: spec.Line, started: make(chan error, 1), done: make(chan struct{})}
	i.mu.Lock()
	if i.over {
		i.mu.Unlock()
		return nil, errGone
	}
	i.number++
	p.id = i.number
	i.programs[p.id] = p
	i.mu.Unlock()
	i.send(rapid.Start, p.id, rapid.Texts(spec.Path, spec.Dir, string(rapid.Texts(spec.Args...)), string(rapid.Texts(spec.Env...))))
	if err := <-p.started; err != nil { // by the init, or by the end of it
		return nil, err
	}
	return p, nil
}

// refused makes the error that a program would have had here.
func refused(body []byte) error {
	parts, err := rapid.SplitN(body, 4)
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(parts[2])
	if err != nil {
		return err
	}
	words, cause := parts[3], error(syscall.Errno(number))
	switch {
	case parts[0] == "exec" && number == 0:
		return &exec.Error{Name: parts[1], Err: exec.ErrNotFound}
	case parts[0] == "exec":
		return &exec.Error{Name: parts[1], Err: cause}
	case parts[0] == "":
		return errors.New(words)
	}
	return &refusal{words, &fs.PathError{Op: parts[0], Path: parts[1], Err: cause}}
}

// refusal is an error of the container's operating system, with the init's words, which say what to do about it.
type refusal struct {
	words string
	cause *fs.PathError
}

func (r *refusal) Error() string { return r.words }
func (r *refusal) Unwrap() error { return r.cause }

// program is a process in the container.
type program struct {
	inside  *inside
	id      uint32
	line    func(string)
	started chan error // has the init's answer
	memory  atomic.Int64

	once   sync.Once
	done   chan struct{}
	status string
}

// answer is given once: what comes after it is dropped.
func (p *program) answer(err error) {
	select {
	case p.started <- err:
	default:
	}
}

func (p *program) end(status string) {
	p.once.Do(func() {
		p.status = status
		close(p.done)
	})
}

// Done is closed once the program has ended and all that it printed was delivered.
func (p *program) Done() <-chan struct{} { return p.done }

// Status says how it ended, once Done is closed.
func (p *program) Status() string { return p.status }

// Terminate asks it to end.
func (p *program) Terminate() { p.inside.send(rapid.Terminate, p.id, nil) }

// Kill ends it, with its process group, and returns when it is gone: by force on the container if its init does not answer.
func (p *program) Kill() {
	select {
	case <-p.done:
		return
	default:
	}
	p.inside.send(rapid.Kill, p.id, nil)
	wait := time.NewTimer(patience)
	defer wait.Stop()
	select {
	case <-p.done:
	case <-wait.C:
		p.inside.close()
		<-p.done
	}
}

// Flush delivers every whole line that was printed before the call: the init reads its pipes until they are empty, and answers
// behind the lines.
func (p *program) Flush() {
	i := p.inside
	done := make(chan struct{})
	i.mu.Lock()
	i.asked++
	number := i.asked
	i.drains[number] = done
	i.mu.Unlock()
	i.send(rapid.Drain, p.id, binary.BigEndian.AppendUint32(nil, number))
	wait := time.NewTimer(patience)
	defer wait.Stop()
	select {
	case <-done:
	case <-i.lost:
	case <-wait.C: // somebody has stopped the container
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.drains, number)
}

// MaxMemory is the most memory that it has held, as of the last Flush.
func (p *program) MaxMemory() int64 { return p.memory.Load() }

// Limit does nothing: the container has its function's memory.
func (p *program) Limit(int64) {}

// Busy does nothing for the same reason.
func (p *program) Busy() func() { return func() {} }

// wait waits for the init to come. ended is closed when the container has.
func (i *inside) wait(ctx context.Context, ended <-chan struct{}) error {
	select {
	case <-i.arrived:
		return nil
	case <-i.lost: // it talks nonsense
	case <-ended:
	case <-ctx.Done():
		return ctx.Err()
	}
	return errGone
}

// paths are the external extensions.
func (i *inside) paths() []string { return slices.Clone(i.extensions) }
