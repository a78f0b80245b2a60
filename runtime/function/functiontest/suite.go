// Package functiontest is the suite that every engine passes: a function behaves as on Lambda, and is never stale.
package functiontest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"devstack/internal/clock"
	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/watch"
)

// Sample is one function in the engine's language. Its handler does what the event asks for:
//
//	{"do":"version"}              returns the version that Files was given, as a string
//	{"do":"echo","value":…}       returns the value
//	{"do":"throw"}                fails with the message "boom"
//	{"do":"sleep"}                waits, without using the processor, for a minute
//	{"do":"exit"}                 ends its process with status 1
//	{"do":"env","name":"N"}       returns the environment variable N, "" if there is none
//	{"do":"log","line":"L"}       prints the line L and returns null
type Sample struct {
	Runtime string
	Handler string
	Source  string // path of the source in the project, "" for the project's folder itself

	Files   func(version string) map[string]string // by path in the project; best more than one file
	Broken  map[string]string                      // files that replace some of those and do not build
	BadInit map[string]string                      // files that replace some of those, build, and fail as they are loaded

	NoBuild   bool   // nothing is built: Broken fails as it is loaded
	Heavy     bool   // a sandbox takes so much that a machine cannot have a hundred
	NoExit    bool   // a function of this runtime has no process to end
	ErrorType string // errorType of a thrown error, "Error" in JavaScript
	Races     int    // saves in the race test; 0: 1,000
	Parallel  int    // events that are handled at once; 0: 100
}

// Run runs the suite. newEngine is called for each test; the suite closes what it returns.
func Run(t *testing.T, newEngine func(t *testing.T) function.Engine, sample Sample) {
	Cases(t, newEngine, sample)
	Race(t, newEngine, sample)
}

// Cases runs the suite without its races.
func Cases(t *testing.T, newEngine func(t *testing.T) function.Engine, sample Sample) {
	for _, tt := range []struct {
		name string
		run  func(*testing.T, *Project)
		skip bool
	}{
		{"an event comes back as it was sent", echo, false},
		{"a thrown error is its caller's and the sandbox lives on", thrown, false},
		{"a function that takes too long is ended", timeout, false},
		{"a process that ends is Runtime.ExitError and the next event gets a new one", exit, sample.NoExit},
		{"a function that cannot be loaded says so until it is mended", badInit, false},
		{"the environment is Lambda's and nothing of the daemon's", environment, false},
		{"what a function prints belongs to its request", logs, false},
		{"a save is answered by the new code", saved, false},
		{"a syntax error is the answer until it is mended", broken, false},
		{"events are handled side by side", parallel, false},
		{"a hundred events that take long are handled at once", hundred, sample.Heavy},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !tt.skip {
				tt.run(t, NewProject(t, newEngine(t), sample, false))
			}
		})
	}
}

// Race runs the suite's races: saves while events come. The sample need know no event but "version" for it.
func Race(t *testing.T, newEngine func(t *testing.T) function.Engine, sample Sample) {
	t.Run("no answer is stale while files are watched", func(t *testing.T) { races(t, NewProject(t, newEngine(t), sample, true)) })
	t.Run("no answer is stale where nothing is watched", func(t *testing.T) { races(t, NewProject(t, newEngine(t), sample, false)) })
}

// Project is a folder with the sample in it and a Manager that runs it as "sample".
type Project struct {
	Dir      string
	Manager  *function.Manager
	Function *config.Function
	Sample   Sample

	mu    sync.Mutex
	lines []function.Line
	files map[string]string // as they were written last
}

// NewProject writes version "1" of the sample. The function is not put yet.
func NewProject(t *testing.T, engine function.Engine, sample Sample, watched bool) *Project {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := &Project{Dir: dir, Sample: sample, files: map[string]string{}}
	p.Function = &config.Function{
		Name: "sample", Runtime: sample.Runtime, Handler: sample.Handler, Source: filepath.Join(dir, sample.Source),
		Timeout: 20, Memory: 128, ARN: "arn:aws:lambda:us-east-1:000000000000:function:sample",
		Environment: map[string]string{"COLOUR": "green"},
	}
	if sample.Runtime == "image" {
		p.Function.Source, p.Function.Build = "", p.Function.Source
	}
	cfg := function.Config{
		Engines: func(runtime string) function.Engine { return engine },
		Clock:   clock.System(),
		Env:     func(*config.Function) []string { return []string{"AWS_REGION=us-east-1"} },
		Log:     p.log,
	}
	if watched {
		if cfg.Watch, err = watch.New(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cfg.Watch.Close() })
	}
	p.Manager = function.NewManager(cfg)
	t.Cleanup(func() {
		if err := errors.Join(p.Manager.Close(), engine.Close()); err != nil {
			t.Error(err)
		}
	})
	p.Save(t, "1")
	return p
}

func (p *Project) log(l function.Line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = append(p.lines, l)
}

// Save writes the files of a version that differ from what is there. replaced are other contents for some of them.
func (p *Project) Save(t *testing.T, version string, replaced ...map[string]string) {
	t.Helper()
	files := p.Sample.Files(version)
	for _, r := range replaced {
		maps.Copy(files, r)
	}
	for name, content := range files {
		if old, ok := p.files[name]; ok && old == content {
			continue
		}
		p.files[name] = content
		if err := save(filepath.Join(p.Dir, name), content); err != nil {
			t.Error(err) // not Fatal: saves also happen beside the test's goroutine
		}
	}
}

// save writes a file as editors do: in place, or beside it and renamed.
func save(path, content string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	mode := os.FileMode(0o644)
	if strings.HasPrefix(content, "#!") {
		mode = 0o755
	}
	if rand.IntN(2) == 0 {
		return os.WriteFile(path, []byte(content), mode)
	}
	beside := path + "~"
	if err := os.WriteFile(beside, []byte(content), mode); err != nil {
		return err
	}
	return os.Rename(beside, path)
}

// Put puts the function and fails the test if it is not live.
func (p *Project) Put(t *testing.T) {
	t.Helper()
	if err := p.Manager.Put(t.Context(), p.Function); err != nil {
		t.Fatal(err)
	}
}

// Invoke sends an event, given as JSON, and fails the test if it does not reach the function.
func (p *Project) Invoke(t *testing.T, event string) *function.Outcome {
	t.Helper()
	out, err := p.Manager.Invoke(t.Context(), "sample", function.Invocation{Payload: []byte(event)})
	if err != nil {
		t.Fatalf("%s: %v", event, err)
	}
	return out
}

// Want sends an event and compares what the handler returned, as JSON.
func (p *Project) Want(t *testing.T, event, want string) *function.Outcome {
	t.Helper()
	out := p.Invoke(t, event)
	if got := compact(out.Payload); out.FunctionError != "" || got != want {
		t.Fatalf("%s answered %s %s, want %s", event, out.FunctionError, got, want)
	}
	return out
}

// Fails sends an event that fails and returns the error body.
func (p *Project) Fails(t *testing.T, event string) (out *function.Outcome, errorType, message string) {
	t.Helper()
	out = p.Invoke(t, event)
	var body struct{ ErrorType, ErrorMessage string }
	if err := json.Unmarshal(out.Payload, &body); err != nil {
		t.Fatalf("%s: the error body %s: %v", event, out.Payload, err)
	}
	if out.FunctionError != "Unhandled" {
		t.Fatalf("%s answered %s, want a function error", event, out.Payload)
	}
	return out, body.ErrorType, body.ErrorMessage
}

// Lines are the texts logged for a request.
func (p *Project) Lines(requestID string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, l := range p.lines {
		if l.RequestID == requestID {
			out = append(out, l.Text)
		}
	}
	return out
}

func compact(b []byte) string {
	var v any
	if json.Unmarshal(b, &v) != nil {
		return string(b)
	}
	out, err := json.Marshal(v)
	if err != nil {
		return string(b)
	}
	return string(out)
}

func quote(s string) string { return fmt.Sprintf("%q", s) }
