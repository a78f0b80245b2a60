package stepfunctions

import (
	"context"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"devstack/emulators/kit"
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
	server *wire.Server
	fakes  map[string]func(in json.RawMessage) (any, error) // by "lambda.Invoke"
	models map[string]*wire.Model
}

// birth is the instant at which worlds begin.
var birth = time.Date(2026, 11, 23, 7, 49, 57, 0, time.UTC)

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: clock.Fixed(birth), path: filepath.Join(t.TempDir(), "stepfunctions.db"),
		fakes: map[string]func(json.RawMessage) (any, error){}, models: map[string]*wire.Model{}}
	w.open()
	t.Cleanup(w.close)
	return w
}

// open starts the emulator on what the store has.
func (w *world) open() {
	w.store = store.New(w.path, store.Options{})
	var svc *wire.Service
	svc, w.engine = New(kit.Env{Store: w.store, Clock: w.clock, AWS: w, Log: slog.New(slog.DiscardHandler), IDs: kit.RandomIDs()})
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
	if err := w.engine.Resume(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
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
	answer, err := f(b)
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

// describe runs an execution to its end and returns its description.
func (w *world) describe(arn string) object {
	w.t.Helper()
	if !w.finish(arn, 1000) {
		w.t.Fatalf("%s has not ended", arn)
	}
	return w.call("DescribeExecution", object{"executionArn": arn})
}
