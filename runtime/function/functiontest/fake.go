package functiontest

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"devstack/runtime/config"
	"devstack/runtime/function"
)

// Fake is an engine for tests without a language: a function is a file "main", or a folder with it, that names its version in its one line, or
// says "syntax error", or "bad init"; and it obeys the suite's events. It counts what it is asked to do.
type Fake struct {
	Builds, Starts, Open atomic.Int64          // Open: sandboxes that are not closed
	OpenBuilds           atomic.Int64          // builds that are not closed
	Sleeping             atomic.Int64          // sandboxes that handle a "sleep"
	Latest               atomic.Value          // content, a string, that the latest whole build read
	Building             func(context.Context) // called in the middle of each build, after the file was read; nil: nothing
	Starting             func()                // called at the start of each sandbox; nil: nothing
	Sleep                <-chan bool           // ends each "sleep" once it is closed; nil: they last a minute
	Loading              func(context.Context) // called while each sandbox loads the function; nil: nothing
}

// FakeSample is the Fake's function for the suite.
var FakeSample = Sample{
	Runtime:   "fake",
	Source:    "main",
	Files:     func(version string) map[string]string { return map[string]string{"main": version} },
	Broken:    map[string]string{"main": "syntax error"},
	BadInit:   map[string]string{"main": "bad init"},
	ErrorType: "Error",
}

type fakeBuild struct {
	fake    *Fake
	inputs  []string
	content string
	closed  atomic.Bool
}

func (b *fakeBuild) Inputs() []string { return b.inputs }

// Close panics when it is called twice or too early: see Start.
func (b *fakeBuild) Close() error {
	if b.closed.Swap(true) {
		panic("a build was closed twice")
	}
	b.fake.OpenBuilds.Add(-1)
	return nil
}

// Build reads the file.
func (f *Fake) Build(ctx context.Context, fn *config.Function, _ function.Build) (function.Build, error) {
	f.Builds.Add(1)
	path, inputs := fn.Source, []string{fn.Source}
	if info, err := os.Stat(fn.Source); err == nil && info.IsDir() {
		path, inputs = filepath.Join(fn.Source, "main"), function.Files(fn.Source)
	}
	content, err := os.ReadFile(path)
	if f.Building != nil {
		f.Building(ctx)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	f.OpenBuilds.Add(1)
	f.Latest.Store(strings.TrimSpace(string(content)))
	b := &fakeBuild{fake: f, inputs: inputs, content: strings.TrimSpace(string(content))}
	switch {
	case err != nil:
		return b, &function.BuildError{Text: err.Error()}
	case b.content == "syntax error", b.content == "":
		return b, &function.BuildError{Text: filepath.Base(fn.Source) + ":1: syntax error"}
	}
	return b, nil
}

// Start returns a sandbox that answers with what was built.
func (f *Fake) Start(ctx context.Context, _ *config.Function, b function.Build, env []string, log function.LogFunc) (function.Sandbox, error) {
	f.Starts.Add(1)
	if f.Starting != nil {
		f.Starting()
	}
	if f.Loading != nil {
		if f.Loading(ctx); ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	built := b.(*fakeBuild)
	if built.closed.Load() {
		panic("a sandbox was started of a closed build")
	}
	if built.content == "bad init" {
		return nil, &function.InitError{Type: "Error", Payload: []byte(`{"errorType":"Error","errorMessage":"bad init"}`)}
	}
	f.Open.Add(1)
	return &fakeSandbox{fake: f, build: built, env: env, log: log, done: make(chan struct{})}, nil
}

// Close reports what was left open.
func (f *Fake) Close() error {
	if n := f.Open.Load(); n != 0 {
		return errors.New("sandboxes were left open")
	}
	if n := f.OpenBuilds.Load(); n != 0 {
		return errors.New("builds were left open")
	}
	return nil
}

type fakeSandbox struct {
	fake  *Fake
	build *fakeBuild
	env   []string
	log   function.LogFunc
	busy  atomic.Bool
	done  chan struct{}
	once  sync.Once
	ended atomic.Bool
}

func (s *fakeSandbox) Done() <-chan struct{} { return s.done }

func (s *fakeSandbox) Close() error {
	s.once.Do(func() { close(s.done) })
	if s.ended.Swap(true) {
		panic("a sandbox was closed twice")
	}
	s.fake.Open.Add(-1)
	return nil
}

func (s *fakeSandbox) Invoke(ctx context.Context, ev *function.Event) ([]byte, error) {
	if s.busy.Swap(true) {
		panic("a sandbox has been given two events at once")
	}
	defer s.busy.Store(false)
	if s.build.closed.Load() {
		panic("a sandbox of a closed build was given an event")
	}
	var in struct {
		Do, Name, Line string
		Value          json.RawMessage
		Pieces         []string
	}
	if err := json.Unmarshal(ev.Payload, &in); err != nil {
		return nil, err
	}
	switch in.Do {
	case "version":
		return json.Marshal(s.build.content)
	case "echo":
		return in.Value, nil
	case "throw":
		return nil, &function.FunctionError{Type: "Error", Payload: []byte(`{"errorType":"Error","errorMessage":"boom"}`)}
	case "sleep":
		s.fake.Sleeping.Add(1)
		defer s.fake.Sleeping.Add(-1)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-s.fake.Sleep:
			return []byte("null"), nil
		case <-time.After(time.Minute):
			return nil, nil
		}
	case "exit":
		s.once.Do(func() { close(s.done) })
		return nil, &function.ExitError{Status: "exit status 1"}
	case "env":
		for _, kv := range s.env {
			if v, ok := strings.CutPrefix(kv, in.Name+"="); ok {
				return json.Marshal(v)
			}
		}
		return []byte(`""`), nil
	case "log":
		s.log(ev.RequestID, in.Line)
		return []byte("null"), nil
	case "stream": // piece by piece, then perhaps an error
		if ev.Stream == nil {
			return []byte(strings.Join(in.Pieces, "")), nil
		}
		ev.Stream.Begin("text/plain")
		for _, p := range in.Pieces {
			if _, err := ev.Stream.Write([]byte(p)); err != nil {
				f := []byte(`{"errorType":"Gone","errorMessage":"` + err.Error() + `"}`)
				return nil, &function.FunctionError{Type: "Gone", Payload: f}
			}
		}
		if in.Line != "" {
			return nil, &function.FunctionError{Type: "Error", Payload: []byte(`{"errorType":"Error","errorMessage":"` + in.Line + `"}`)}
		}
		return nil, nil
	case "trace":
		return json.Marshal(ev.TraceID)
	}
	return nil, &function.FunctionError{Type: "Error", Payload: []byte(`{"errorType":"Error","errorMessage":"unknown event"}`)}
}
