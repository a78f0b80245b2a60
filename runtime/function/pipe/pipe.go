// Package pipe speaks with a runtime that we wrote ourselves, over two pipes: frames of JSON and bytes, and beside them
// whatever the function prints. A round trip takes a fraction of what HTTP takes.
package pipe

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"devstack/runtime/function"
	"devstack/runtime/function/bootstrap"
	"devstack/runtime/function/extension"
	"devstack/runtime/function/runtimeapi"
	"devstack/runtime/function/spawn"
)

// Sandbox is the daemon's end of the pipes. It is a function.Sandbox once Load has returned.
type Sandbox struct {
	in  *os.File // we write
	out *os.File // we read

	process *spawn.Process
	host    Host            // nil: nothing lives beside the process
	api     *runtimeapi.API // nil, or by which a program in the runtime's place may take events
	answers *bufio.Reader   // what the process says; its reader is whoever has handed it something
	close   sync.Once
	request atomic.Pointer[string] // whose event it has

	mu    sync.Mutex
	log   function.LogFunc // nil until somebody loads a function
	early []line           // what was printed before
}

type line struct{ requestID, text string }

// none is the request id outside of any request.
var none string

// Open makes the pipes. Theirs are the process's ends, to read from and to write to: the caller closes them once the
// process has them.
func Open() (s *Sandbox, theirs [2]*os.File, err error) {
	theirIn, in, err := os.Pipe()
	if err != nil {
		return nil, theirs, err
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		theirIn.Close()
		in.Close()
		return nil, theirs, err
	}
	s = &Sandbox{in: in, out: out, answers: bufio.NewReaderSize(out, 16<<10)}
	s.request.Store(&none)
	return s, [2]*os.File{theirIn, theirOut}, nil
}

// A runtime that knows where its messages end, and whose they are, prints them as
//
//	mark request id 0x00 message
//
// in one line, with lineEnd for each newline in the message. It may follow what was printed without a newline.
const (
	mark    = "\x00P"
	lineEnd = "\x00n"
)

// Line takes a line that the process printed; it is made for spawn.Spec.
func (s *Sandbox) Line(text string) {
	before, message, marked := strings.Cut(text, mark)
	if !marked {
		s.print(*s.request.Load(), text)
		return
	}
	if before != "" {
		s.print(*s.request.Load(), before)
	}
	requestID, message, _ := strings.Cut(message, "\x00")
	s.print(requestID, strings.ReplaceAll(message, lineEnd, "\n"))
}

// print delivers a line, or keeps it for whoever will load a function.
func (s *Sandbox) print(requestID, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.log == nil {
		s.early = append(s.early, line{requestID, text})
		return
	}
	s.log(requestID, text)
}

// Attach takes the process that has the other ends of the pipes.
func (s *Sandbox) Attach(p *spawn.Process) {
	s.process = p
	go func() {
		<-p.Done()
		// Its last word may still be in the pipe, and something that it started may hold the pipe.
		s.out.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	}()
}

// Host has what lives beside the process: an extension.Host.
type Host interface {
	Runtime(extension.Process)
	Ready(context.Context) error
	Life() context.Context
	Err() error
	Abandon()
	Close() error
}

// Attend gives the sandbox a Host, which ends with it.
func (s *Sandbox) Attend(h Host) {
	s.host = h
	h.Runtime(s.process)
}

// Allow lets a program in the runtime's place take its events by the Runtime API: that has the sandbox which is heard of first.
func (s *Sandbox) Allow(api *runtimeapi.API) { s.api = api }

// Abandon closes pipes that no process has got.
func (s *Sandbox) Abandon() {
	s.in.Close()
	s.out.Close()
}

// Limit bounds the memory that the process may hold while it loads a function or has an event: in bytes, 0 for any number.
func (s *Sandbox) Limit(bytes int64) { s.process.Limit(bytes) }

// Warm has the process load something before there is a function for it.
func (s *Sandbox) Warm(what any) error { return s.send(warm, what) }

// Load has the process load a function, whose output goes to log from now on. Its own failure is a *function.InitError.
// Unless the error is nil the sandbox is closed.
func (s *Sandbox) Load(ctx context.Context, what any, log function.LogFunc) error {
	s.mu.Lock()
	for _, l := range s.early {
		log(l.requestID, l.text)
	}
	s.log, s.early = log, nil
	s.mu.Unlock()
	if s.host != nil {
		with, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(s.host.Life(), cancel)()
		ctx = with
	}
	defer s.process.Busy()()
	stop := s.cut(ctx)
	err := s.send(load, what)
	var f frame
	if err == nil {
		f, err = s.firstWord(ctx)
	} else if s.hasEnded() {
		err = &function.ExitError{Status: s.process.Status()}
	}
	if !stop() && err == nil {
		err = ctx.Err() // in the same moment
	}
	s.process.Flush()
	if err == nil && f.kind != loaded {
		typ, body := f.typed()
		err = &function.InitError{Type: typ, Payload: body}
	}
	if s.host != nil {
		err = s.hosted(ctx, err)
	}
	if err != nil {
		s.Close()
	}
	return err
}

// firstWord is the answer to Load. One who asks for an event by the Runtime API has loaded the function.
func (s *Sandbox) firstWord(ctx context.Context) (frame, error) {
	if s.api == nil {
		return s.answer(ctx)
	}
	spoken, silent := make(chan frame, 1), make(chan struct{})
	go func() {
		defer close(silent)
		if f, err := readFrame(s.answers); err == nil { // a program that is not the runtime may close what it does not know
			spoken <- f
		}
	}()
	select {
	case f := <-spoken:
		return s.heard(f)
	case <-s.api.Ready():
		return frame{kind: loaded}, nil
	case failed := <-s.api.Failed():
		return frame{}, failed
	case <-s.process.Done():
		<-silent // its last word may still be in the pipe
		select {
		case f := <-spoken:
			return s.heard(f)
		default:
			return frame{}, &function.ExitError{Status: s.process.Status()}
		}
	case <-ctx.Done():
		return frame{}, ctx.Err()
	}
}

// heard notes that the process is the runtime.
func (s *Sandbox) heard(f frame) (frame, error) {
	s.api = nil
	return f, nil
}

// Address waits for the process to say where it waits for a debugger: "127.0.0.1:9229". It must be asked before Load, of a process
// that was started to be debugged.
func (s *Sandbox) Address(ctx context.Context) (string, error) {
	stop := s.cut(ctx)
	f, err := s.answer(ctx)
	s.process.Flush()
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err == nil && f.kind != address {
		typ, body := f.typed()
		err = &function.InitError{Type: typ, Payload: body}
	}
	return string(f.body), err
}

// hosted waits for what lives beside the process, or sees that it is let go.
func (s *Sandbox) hosted(ctx context.Context, err error) error {
	if err == nil {
		err = s.host.Ready(ctx)
	}
	if failure := s.host.Err(); failure != nil {
		err = failure
	}
	if err != nil {
		s.host.Abandon()
		s.host = nil // it ends by itself, or by the Manager
	}
	return err
}

func (s *Sandbox) send(kind byte, what any) error {
	body, err := json.Marshal(what)
	if err != nil {
		return err
	}
	_, err = s.in.Write(append(appendHeader(make([]byte, 0, header+len(body)), kind, len(body)), body...))
	return err
}

// answer waits for the process's next word.
func (s *Sandbox) answer(ctx context.Context) (frame, error) {
	f, err := readFrame(s.answers)
	switch {
	case err == nil:
		return f, nil
	case ctx.Err() != nil:
		return f, ctx.Err()
	}
	// It has ended, which its pipe may say before the kernel does, or it talks nonsense, or has closed the pipe.
	if !s.gone() {
		s.process.Kill()
	}
	return f, &function.ExitError{Status: s.process.Status()}
}

// cut has reads and writes return soon after ctx ended. It is not undone: a sandbox whose event was cut off is of no further use.
func (s *Sandbox) cut(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() {
		s.in.SetWriteDeadline(time.Unix(1, 0))
		s.out.SetReadDeadline(time.Unix(1, 0))
	})
}

// Invoke hands the process an event.
func (s *Sandbox) Invoke(ctx context.Context, ev *function.Event) ([]byte, error) {
	if s.hasEnded() {
		return nil, function.ErrGone
	}
	s.request.Store(&ev.RequestID)
	defer s.request.Store(&none)
	if s.api != nil {
		return bootstrap.Invoke(ctx, s.api, s.process, ev)
	}
	b, err := eventFrame(ev)
	if err != nil {
		return nil, err
	}
	s.answers.Discard(s.answers.Buffered()) // to nobody's question
	defer s.process.Busy()()
	stop := s.cut(ctx)
	f, streamed, err := s.exchange(ctx, b, ev.Stream)
	s.process.Flush() // what it printed before it answered
	if !stop() && err == nil {
		err = ctx.Err() // in the same moment
	}
	switch {
	case err != nil:
		return nil, err
	case f.kind == result && streamed != nil, f.kind == result && len(f.body) == 0:
		return streamed, nil
	case f.kind == result:
		return f.body, nil
	case f.kind == dying:
		s.seeOff(ctx)
	}
	typ, body := f.typed()
	return nil, &function.FunctionError{Type: typ, Payload: body}
}

// exchange writes an event and reads what comes of it. A stream may keep its writer waiting for longer than ctx lasts.
func (s *Sandbox) exchange(ctx context.Context, event []byte, to function.Stream) (frame, []byte, error) {
	if err := s.write(ctx, event); err != nil {
		return frame{}, nil, err
	}
	if to == nil {
		return s.outcome(ctx, nil)
	}
	type outcome struct {
		f        frame
		streamed []byte
		err      error
	}
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		o.f, o.streamed, o.err = s.outcome(ctx, to)
		done <- o
	}()
	select {
	case o := <-done:
		return o.f, o.streamed, o.err
	case <-ctx.Done():
		return frame{}, nil, ctx.Err()
	}
}

// outcome reads until the handler has come to an end. What it streams goes to the stream, which the process waits for if it is
// slow; without one it is collected, up to what makes a response too large.
func (s *Sandbox) outcome(ctx context.Context, to function.Stream) (_ frame, streamed []byte, _ error) {
	for {
		f, err := s.answer(ctx)
		switch {
		case err != nil:
			return f, nil, err
		case f.kind == begin && to != nil:
			to.Begin(string(f.body))
		case f.kind == begin:
			streamed = append([]byte{}, streamed...) // not nil
		case f.kind == chunk && to != nil:
			if _, err := to.Write(f.body); err != nil {
				to = deaf{} // the handler comes to its end all the same
			}
		case f.kind == chunk:
			streamed = append(streamed, f.body[:min(len(f.body), max(0, function.MaxResponse+1-len(streamed)))]...)
		default:
			return f, streamed, nil
		}
	}
}

// deaf takes what nobody reads any more.
type deaf struct{}

func (deaf) Begin(string)                {}
func (deaf) Write(b []byte) (int, error) { return len(b), nil }

// write writes an event.
func (s *Sandbox) write(ctx context.Context, b []byte) error {
	_, err := s.in.Write(b)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, os.ErrClosed), s.gone():
		return function.ErrGone
	}
	return err
}

// gone waits for a process that has closed its end of a pipe, which it does by ending.
func (s *Sandbox) gone() bool {
	select {
	case <-s.process.Done():
		return true
	case <-time.After(time.Second):
		return false
	}
}

// seeOff waits for a process that said it would end.
func (s *Sandbox) seeOff(ctx context.Context) {
	select {
	case <-s.process.Done():
	case <-ctx.Done():
	case <-time.After(time.Second):
		s.process.Kill()
	}
}

// hasEnded reports whether the process is gone.
func (s *Sandbox) hasEnded() bool {
	select {
	case <-s.process.Done():
		return true
	default:
		return false
	}
}

// Done is closed when the process has ended.
func (s *Sandbox) Done() <-chan struct{} { return s.process.Done() }

// Close ends the process and those that it started.
func (s *Sandbox) Close() (err error) {
	s.close.Do(func() {
		s.process.Kill()
		s.in.Close()
		s.out.Close()
		if s.host != nil {
			err = s.host.Close()
		}
	})
	return err
}

// MaxMemory is the most memory that the process has held so far, in bytes.
func (s *Sandbox) MaxMemory() int64 { return s.process.MaxMemory() }
