package stepfunctions

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"devstack/emulators/kit"
	"devstack/emulators/stepfunctions/value"
	"devstack/emulators/store"
	"devstack/emulators/wire"
	"devstack/internal/clock"
)

// world is a Step Functions emulator among scripted services.
type world struct {
	t      *testing.T
	clock  *clock.Moving
	path   string
	store  *store.Store
	engine *Service
	ids    kit.IDs
	server *wire.Server
	fakes  map[string]fake // by "lambda.Invoke"
	models map[string]*wire.Model
}

// fake is an operation of a scripted service.
type fake func(ctx context.Context, in json.RawMessage) (any, error)

// birth is the instant at which worlds begin: that of the recordings, as their inputs show.
var birth = time.Date(2026, 11, 23, 7, 49, 57, 0, time.UTC)

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: clock.Fixed(birth), path: filepath.Join(t.TempDir(), "stepfunctions.db"),
		ids: kit.SeededIDs(1), fakes: map[string]fake{}, models: map[string]*wire.Model{}}
	w.open()
	t.Cleanup(w.close)
	return w
}

// open starts the emulator on what the store has.
func (w *world) open() {
	w.store = store.New(w.path, store.Options{})
	var svc *wire.Service
	svc, w.engine = New(kit.Env{Store: w.store, Clock: w.clock, AWS: w, Log: slog.New(slog.DiscardHandler), IDs: w.ids})
	w.server = wire.NewServer(wire.Config{Services: []*wire.Service{svc}, Account: "111111111111", Region: "us-east-1", Now: w.clock.Now,
		NewID: kit.RandomIDs().UUID, Log: slog.New(slog.DiscardHandler)})
}

func (w *world) close() {
	w.engine.Close()
	w.store.Close()
}

// restart is the end of the process and the beginning of the next one.
func (w *world) restart() {
	w.t.Helper()
	w.close()
	w.open()
	w.resume()
}

// crash goes on with what a killed process would have left: the file as it is now.
func (w *world) crash() {
	w.t.Helper()
	b, err := os.ReadFile(w.path)
	if err != nil {
		w.t.Fatal(err)
	}
	w.close()
	w.path += ".crashed"
	if err := os.WriteFile(w.path, b, 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.open()
	w.resume()
}

func (w *world) resume() {
	w.t.Helper()
	if err := w.engine.Resume(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// history returns the events of an execution, one a line: id, previous id, type, details.
func (w *world) history(arn string) []string {
	w.t.Helper()
	var out struct{ Events []json.RawMessage }
	if err := w.Call(w.t.Context(), "stepfunctions", "GetExecutionHistory", object{"executionArn": arn, "maxResults": 1000}, &out); err != nil {
		w.t.Fatal(err)
	}
	var lines []string
	for _, raw := range out.Events {
		v, err := value.Decode(string(raw))
		if err != nil {
			w.t.Fatal(err)
		}
		e := v.(*value.Object)
		field := func(name string) any { x, _ := e.Get(name); return x }
		line := fmt.Sprintf("%v %v %v", field("id"), field("previousEventId"), field("type"))
		for _, k := range e.Keys() {
			if strings.HasSuffix(k, "Details") {
				line += " " + value.Encode(field(k))
			}
		}
		lines = append(lines, strings.NewReplacer(`,"inputDetails":{"truncated":false}`, "", `,"outputDetails":{"truncated":false}`, "").Replace(line))
	}
	return lines
}

// Call runs an operation of the emulator, or of a scripted service.
func (w *world) Call(ctx context.Context, service, operation string, in, out any) error {
	if service == "stepfunctions" {
		return w.server.Call(ctx, service, operation, in, out)
	}
	f := w.fakes[service+"."+operation]
	if f == nil {
		return wire.Errorf("UnknownOperationException", 400, "nothing is scripted for %s.%s", service, operation)
	}
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := f(ctx, b)
	if err != nil {
		return err
	}
	if b, err = json.Marshal(answer); err != nil {
		return err
	}
	return json.Unmarshal(b, out)
}

// Model returns the model of a scripted service.
func (w *world) Model(service string) *wire.Model { return w.models[service] }

// object is a JSON object in tests.
type object = map[string]any

// call runs an operation of the emulator that has to succeed.
func (w *world) call(operation string, in any) object {
	w.t.Helper()
	var out object
	if err := w.Call(w.t.Context(), "stepfunctions", operation, in, &out); err != nil {
		w.t.Fatalf("%s: %v", operation, err)
	}
	return out
}

// create makes a machine and returns its ARN.
func (w *world) create(name, kind, definition string) string {
	w.t.Helper()
	return w.call("CreateStateMachine", object{"name": name, "type": kind, "definition": definition, "roleArn": "arn:aws:iam::111111111111:role/r"})["stateMachineArn"].(string)
}

// start starts an execution and returns its ARN.
func (w *world) start(machine, input string) string {
	w.t.Helper()
	return w.call("StartExecution", object{"stateMachineArn": machine, "input": input})["executionArn"].(string)
}

// finish moves the clock until an execution has ended, a number of seconds at most. It reports whether it has.
func (w *world) finish(arn string, seconds int) bool {
	for range seconds {
		r := w.engine.running(arn)
		if r == nil {
			return true
		}
		select {
		case <-r.done:
		case <-time.After(5 * time.Millisecond):
			w.clock.Advance(time.Second)
		}
	}
	return w.engine.running(arn) == nil
}

// idle waits until every execution waits for the clock, or for somebody to give a token back.
func (w *world) idle() {
	w.t.Helper()
	for range 2000 {
		busy := false
		err := w.store.View(func(tx *store.Tx) error {
			busy = false
			for arn := range running.All(tx) {
				busy = busy || w.busy(slices.Collect(frames.All(tx, arn)))
			}
			return nil
		})
		if err != nil {
			w.t.Fatal(err)
		}
		if !busy {
			return
		}
		time.Sleep(time.Millisecond)
	}
	w.t.Fatal("the executions do not come to rest")
}

// busy reports whether a branch is at work. One that is inside a state rests if another one below it does.
func (w *world) busy(all []frame) bool {
	return slices.ContainsFunc(all, func(f frame) bool {
		switch {
		case f.Done:
			return false
		case f.Entered == 0 || f.Phase == entering || f.Phase == calling:
			return true
		case f.Phase == waiting || f.Phase == retrying:
			return !f.Until.After(w.clock.Now())
		case f.Phase == inside:
			below := f.Path + "/"
			return !slices.ContainsFunc(all, func(g frame) bool {
				return !g.Done && g.Path != "" && (f.Path == "" || strings.HasPrefix(g.Path, below))
			})
		}
		return false
	})
}

// describe runs an execution to its end and returns its description.
func (w *world) describe(arn string) object {
	w.t.Helper()
	if !w.finish(arn, 1000) {
		w.t.Fatalf("%s has not ended", arn)
	}
	return w.call("DescribeExecution", object{"executionArn": arn})
}
