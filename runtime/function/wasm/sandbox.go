package wasm

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"

	"devstack/internal/clock"
	"devstack/runtime/config"
	"devstack/runtime/function"
)

// sandbox runs a module, one event after the other. All that lives from event to event is /tmp.
type sandbox struct {
	build  *build
	clock  clock.Clock
	config wazero.ModuleConfig // without what differs between events
	log    function.LogFunc
	memory atomic.Int64 // the most that an event took, bytes
	done   chan struct{}
	close  sync.Once
}

// Start returns a sandbox. A module that cannot be run is an *function.InitError.
func (e *Engine) Start(_ context.Context, fn *config.Function, b function.Build, env []string, log function.LogFunc) (function.Sandbox, error) {
	built := b.(*build)
	if built.unfit != "" {
		// https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html; the text is ours
		const typ = "Runtime.InvalidEntrypoint"
		return nil, &function.InitError{Type: typ, Payload: function.ErrorBody(typ, built.unfit)}
	}
	opt, err := function.Opt(fn)
	if err != nil {
		return nil, err
	}
	s := &sandbox{build: built, clock: e.opts.Clock, log: log, done: make(chan struct{})}
	files := wazero.NewFSConfig().WithReadOnlyDirMount(built.root, "/").WithReadOnlyDirMount(built.root, taskRoot)
	if opt != "" {
		files = files.WithReadOnlyDirMount(opt, "/opt")
	}
	s.config = wazero.NewModuleConfig().WithName("").WithStartFunctions().WithRandSource(rand.Reader).WithArgs("bootstrap")
	for _, kv := range env {
		switch name, value, _ := strings.Cut(kv, "="); name {
		case "PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "LAMBDA_TASK_ROOT": // of this machine; a module has neither programs nor libraries
		case "TMPDIR":
			files = files.WithDirMount(value, "/tmp")
		default:
			s.config = s.config.WithEnv(name, value)
		}
	}
	s.config = s.config.WithEnv("LAMBDA_TASK_ROOT", taskRoot).WithEnv("TMPDIR", "/tmp").WithEnv("PWD", taskRoot).WithFSConfig(files)
	return s, nil
}

const taskRoot = "/var/task"

// Invoke runs the module.
func (s *sandbox) Invoke(ctx context.Context, ev *function.Event) ([]byte, error) {
	out := &bounded{most: function.MaxResponse + 1}
	errs := &lines{line: func(text string) { s.log(ev.RequestID, text) }}
	began := s.clock.Now()
	mod, err := s.build.runtime.InstantiateModule(ctx, s.build.module, s.eventConfig(ctx, ev, began).
		WithStdin(bytes.NewReader(ev.Payload)).WithStdout(out).WithStderr(errs))
	if err == nil {
		_, err = mod.ExportedFunction(start).Call(ctx)
		s.note(mod)
		mod.Close(context.WithoutCancel(ctx))
	}
	errs.end()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var exit *sys.ExitError
	switch {
	case out.Len() > function.MaxResponse: // whatever the module made of it
		return nil, function.ResponseTooLarge()
	case errors.As(err, &exit) && exit.ExitCode() != 0:
		return nil, failed(out.Bytes(), exit.ExitCode())
	case err != nil && exit == nil:
		return nil, trapped(err)
	case len(bytes.TrimSpace(out.Bytes())) == 0:
		return []byte("null"), nil
	}
	return out.Bytes(), nil
}

// eventConfig adds what is the event's. The variables are called as the Runtime API's headers are, in the way of CGI;
// _X_AMZN_TRACE_ID is Lambda's own.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-next
func (s *sandbox) eventConfig(ctx context.Context, ev *function.Event, began time.Time) wazero.ModuleConfig {
	c := s.config.
		WithEnv("LAMBDA_RUNTIME_AWS_REQUEST_ID", ev.RequestID).
		WithEnv("LAMBDA_RUNTIME_DEADLINE_MS", strconv.FormatInt(ev.Deadline.UnixMilli(), 10)).
		WithEnv("LAMBDA_RUNTIME_INVOKED_FUNCTION_ARN", ev.ARN)
	if ev.ClientContext != "" {
		c = c.WithEnv("LAMBDA_RUNTIME_CLIENT_CONTEXT", ev.ClientContext)
	}
	if ev.TraceID != "" {
		c = c.WithEnv("_X_AMZN_TRACE_ID", ev.TraceID)
	}
	return c.
		WithWalltime(func() (int64, int32) { now := s.clock.Now(); return now.Unix(), int32(now.Nanosecond()) }, sys.ClockResolution(time.Microsecond)).
		WithNanotime(func() int64 { return s.clock.Now().Sub(began).Nanoseconds() + 1 }, 1).
		WithNanosleep(func(ns int64) { _ = clock.Sleep(ctx, s.clock, time.Duration(ns)) }) // one that is cut short ends the module
}

// note remembers the memory of a module that has run.
func (s *sandbox) note(mod api.Module) {
	if m := mod.Memory(); m != nil {
		s.memory.Store(max(s.memory.Load(), int64(m.Size())))
	}
}

// failed is the outcome of a module that ended with a status: what it wrote, if that is an error document, else what Lambda says of
// a process that ends.
func failed(out []byte, status uint32) error {
	var doc struct {
		Type    *string `json:"errorType"`
		Message *string `json:"errorMessage"`
	}
	if json.Unmarshal(out, &doc) == nil && doc.Type != nil && doc.Message != nil {
		return &function.FunctionError{Type: *doc.Type, Payload: out}
	}
	return &function.ExitError{Status: fmt.Sprintf("exit status %d", status)}
}

// trapped is the outcome of a module that did what WebAssembly forbids. AWS has no such runtime, so type and form are ours.
func trapped(err error) *function.FunctionError {
	const typ = "Runtime.Trap"
	message, stack, _ := strings.Cut(err.Error(), "\nwasm stack trace:\n")
	doc := struct {
		Type    string   `json:"errorType"`
		Message string   `json:"errorMessage"`
		Stack   []string `json:"stackTrace,omitempty"`
	}{typ, strings.TrimSuffix(strings.TrimPrefix(message, "wasm error: "), " (recovered by wazero)"), nil}
	for line := range strings.Lines(stack) {
		doc.Stack = append(doc.Stack, strings.TrimSpace(line))
	}
	payload, marshalErr := json.Marshal(doc)
	if marshalErr != nil {
		panic(marshalErr) // strings always marshal
	}
	return &function.FunctionError{Type: typ, Payload: payload}
}

// Done is closed when the sandbox is.
func (s *sandbox) Done() <-chan struct{} { return s.done }

// Close lets it go.
func (s *sandbox) Close() error {
	s.close.Do(func() { close(s.done) })
	return nil
}

// MaxMemory is the size of the largest memory that a module had when it ended, in bytes.
func (s *sandbox) MaxMemory() int64 { return s.memory.Load() }

// bounded keeps what is written up to a number of bytes, and refuses more.
type bounded struct {
	bytes.Buffer
	most int
}

func (b *bounded) Write(p []byte) (int, error) {
	n := min(len(p), b.most-b.Len())
	b.Buffer.Write(p[:n])
	if n < len(p) {
		return n, io.ErrShortWrite
	}
	return n, nil
}

// lines delivers what is written a line at a time.
type lines struct {
	line    func(string)
	partial []byte
}

// longest is the number of bytes after which a line is delivered even if it has no end: the size of the largest event
// that CloudWatch Logs takes. https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
const longest = 1 << 20

func (l *lines) Write(p []byte) (int, error) {
	for part := range bytes.Lines(p) {
		l.partial = append(l.partial, part...)
		if l.partial[len(l.partial)-1] == '\n' || len(l.partial) >= longest {
			l.end()
		}
	}
	return len(p), nil
}

// end delivers a last line that has no end.
func (l *lines) end() {
	if len(l.partial) > 0 {
		l.line(strings.TrimRight(string(l.partial), "\r\n"))
		l.partial = l.partial[:0]
	}
}
