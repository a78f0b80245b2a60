// Package reap ends what a daemon started when the daemon is gone, however it went.
//
// No signal handler survives kill -9, and no operating system kills a daemon's grandchildren with it. So a second process,
// the watchdog, holds the reading end of a pipe whose only writing end is the daemon's. The daemon writes down what it
// starts; when the pipe ends, the watchdog kills what is still written down, and on Linux also every process that carries
// the daemon's mark in its environment, which finds those that left their process group. Should both be killed at the
// same time, the next daemon of the stack looks for the mark that the last one left on disk.
package reap

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Verb is the hidden argument with which the program becomes a watchdog: main calls Main then, and nothing else.
const Verb = "__reap"

// variable marks, in the environment, whose child a process is.
const variable = "DEVSTACK_OWNER"

// Killer ends what was added with one kind. It is called once the daemon is gone.
type Killer func(ctx context.Context, what string) error

// note is what the daemon writes to the watchdog.
type note struct {
	Owner  string `json:",omitempty"`
	Kind   string `json:",omitempty"`
	What   string `json:",omitempty"`
	Remove bool   `json:",omitempty"`
}

// Watchdog is the daemon's end of the pipe. The other process starts with the first Add. Its methods may be called from
// any goroutine.
type Watchdog struct {
	command []string
	owner   string
	mark    string // file that holds owner while there may be something to end

	mu     sync.Mutex
	pipe   *os.File // nil: no watchdog runs
	notes  map[note]int
	gone   chan struct{} // closed when the running watchdog has ended
	closed bool
}

// New returns the watchdog of a daemon. stateDir is the stack's .devstack folder, "" if nothing is kept; command starts
// this program as the watchdog, the program itself with Verb if there is none.
func New(stateDir string, command ...string) *Watchdog {
	id := make([]byte, 16)
	rand.Read(id) // never fails
	w := &Watchdog{command: command, owner: hex.EncodeToString(id), notes: map[note]int{}}
	if stateDir != "" {
		w.mark = filepath.Join(stateDir, "run", "owner")
	}
	return w
}

// Owner is the daemon's mark: 32 hexadecimal digits, new with each daemon.
func (w *Watchdog) Owner() string { return w.owner }

// Env is the variable that every child must have in its environment.
func (w *Watchdog) Env() string { return variable + "=" + w.owner }

// Sweep kills what an earlier daemon of the stack left behind because it and its watchdog were killed together. It is to
// be called before anything is started, by the only daemon of the stack. It returns how many processes there were.
func (w *Watchdog) Sweep() int {
	if w.mark == "" {
		return 0
	}
	owner, err := os.ReadFile(w.mark)
	if err != nil {
		return 0
	}
	killed := killMarked(strings.TrimSpace(string(owner)))
	os.Remove(w.mark)
	return killed
}

// Prepare starts the watchdog if it does not run yet. Called before a child is started, it leaves no moment in which the
// child has nobody to end it.
func (w *Watchdog) Prepare() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.prepare()
}

func (w *Watchdog) prepare() error {
	if w.closed {
		return errors.New("the daemon is stopping")
	}
	if w.pipe != nil {
		return nil
	}
	if err := w.start(); err != nil {
		return fmt.Errorf("start the watchdog that ends children with the daemon: %w", err)
	}
	return nil
}

// Add has the watchdog end something of a kind that Main knows, should the daemon go before remove is called.
func (w *Watchdog) Add(kind, what string) (remove func(), err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := note{Kind: kind, What: what}
	if err := w.prepare(); err != nil {
		return nil, err
	}
	w.notes[n]++
	if err := w.write(n); err != nil {
		return nil, fmt.Errorf("watch %s %s: %w", kind, what, err)
	}
	return sync.OnceFunc(func() { w.remove(n) }), nil
}

func (w *Watchdog) remove(n note) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.notes[n]--; w.notes[n] > 0 {
		return
	}
	delete(w.notes, n)
	if w.pipe != nil {
		n.Remove = true
		w.write(n) // a watchdog that has ended is replaced by one that never hears of n
	}
}

// start runs the other process and tells it everything. The caller holds the lock.
func (w *Watchdog) start() error {
	if w.mark != "" {
		if err := os.MkdirAll(filepath.Dir(w.mark), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(w.mark, []byte(w.owner+"\n"), 0o644); err != nil {
			return err
		}
	}
	command := w.command
	if len(command) == 0 {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		command = []string{self, Verb}
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	defer reader.Close()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin = reader
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal's signals
	if err := cmd.Start(); err != nil {
		writer.Close()
		return err
	}
	gone := make(chan struct{})
	w.pipe, w.gone = writer, gone
	go func() {
		began := time.Now()
		cmd.Wait()
		close(gone)
		w.ended(writer, time.Since(began) > time.Second)
	}()
	if err := w.write(note{Owner: w.owner}); err != nil {
		return err
	}
	for n := range w.notes {
		if err := w.write(n); err != nil {
			return err
		}
	}
	return nil
}

// ended replaces a watchdog that somebody has killed. One that does not live a second is tried again with the next Add.
func (w *Watchdog) ended(pipe *os.File, replace bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	pipe.Close()
	if w.pipe != pipe {
		return
	}
	w.pipe = nil
	if replace && !w.closed {
		w.start() // should it fail, so will the next Add, which says so
	}
}

func (w *Watchdog) write(n note) error {
	b, err := json.Marshal(n)
	if err != nil {
		return err
	}
	_, err = w.pipe.Write(append(b, '\n'))
	return err
}

// Close ends everything that is still there and returns when it is gone.
func (w *Watchdog) Close() {
	w.mu.Lock()
	w.closed = true
	pipe, gone := w.pipe, w.gone
	w.pipe = nil
	w.mu.Unlock()
	if pipe == nil {
		return
	}
	pipe.Close()
	select {
	case <-gone:
		if w.mark != "" {
			os.Remove(w.mark)
		}
	case <-time.After(5 * time.Second): // it hangs, perhaps on a container engine; the mark stays for the next daemon
	}
}

// Main is the watchdog's life: it reads what there is to end, and ends it when in ends. Process groups it knows itself;
// kinds has a Killer for everything else.
func Main(in io.Reader, kinds map[string]Killer) {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	owner, notes := read(in)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var others sync.WaitGroup
	for n := range notes {
		if n.Kind == Group {
			killGroup(n.What)
		} else if kill := kinds[n.Kind]; kill != nil {
			others.Go(func() { kill(ctx, n.What) })
		}
	}
	if owner != "" {
		killMarked(owner)
	}
	others.Wait()
}

// read takes notes until the pipe ends. A torn or foreign line is passed over.
func read(in io.Reader) (owner string, notes map[note]bool) {
	notes = map[note]bool{}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var n note
		if json.Unmarshal(lines.Bytes(), &n) != nil {
			continue
		}
		switch {
		case n.Owner != "":
			owner = n.Owner
		case n.Remove:
			n.Remove = false
			delete(notes, n)
		default:
			notes[n] = true
		}
	}
	return owner, notes
}
