package js

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/dop251/goja"

	"devstack/runtime/config"
	"devstack/runtime/function"
)

// maxCallDepth is how many JavaScript calls may be nested; more is a RangeError. V8 gets to about eleven thousand.
const maxCallDepth = 10_000

// sandbox is one JavaScript world with a function loaded. Its goroutine owns everything but jobs, done and the loop's queue.
type sandbox struct {
	engine *Engine
	fn     *config.Function
	env    []string
	log    function.LogFunc

	rt       *goja.Runtime
	loop     loop
	modules  map[string]goja.Value // built-in modules loaded so far
	host     *goja.Object          // what they are given
	invoker  goja.Callable         // prelude.js's way to call a handler
	setTrace goja.Callable         // sets process.env._X_AMZN_TRACE_ID
	handler  goja.Value

	errorLogger goja.Callable // logs what a handler threw
	streamed    *response     // of the invocation, if its handler streams it and has begun to

	life      context.Context // ends with the sandbox
	end       context.CancelFunc
	ctx       context.Context // of what is begun now; see outliving
	event     *function.Event // the same; nil while loading
	files     *files          // nil until they are first asked for
	context   goja.Value      // of what runs now, for AsyncLocalStorage; nil: none
	rejected  map[*goja.Promise]bool
	failure   error         // what has ended the sandbox
	createdAt int64         // the clock's nanoseconds, zero of performance.now
	jobs      chan func()   // for the goroutine
	done      chan struct{} // closed at the end
	closing   sync.Once
}

// errClosed interrupts a script whose sandbox was closed, or whose time is over.
var errClosed = errors.New("the sandbox is closed")

func newSandbox(e *Engine, fn *config.Function, env []string, log function.LogFunc) *sandbox {
	s := &sandbox{
		engine: e, fn: fn, env: env, log: log,
		rt:        goja.New(),
		loop:      loop{wake: make(chan struct{}, 1)},
		modules:   map[string]goja.Value{},
		rejected:  map[*goja.Promise]bool{},
		createdAt: e.opts.Clock.Now().UnixNano(),
		jobs:      make(chan func()),
		done:      make(chan struct{}),
	}
	s.life, s.end = context.WithCancel(context.Background())
	go s.own()
	return s
}

// outliving is the context of what a script begins: it belongs to the invocation's trace and ends with the sandbox, not with
// the invocation. A connection that a module opens while it is loaded is there for every event, and what a handler leaves
// behind goes on with the next one, as on Lambda.
type outliving struct {
	context.Context
	values context.Context
}

// Value returns the invocation's values.
func (o outliving) Value(key any) any { return o.values.Value(key) }

// own is the sandbox's goroutine.
func (s *sandbox) own() {
	for {
		select {
		case job := <-s.jobs:
			job()
		case <-s.done:
			if s.files != nil {
				s.files.close()
			}
			return
		}
	}
}

// do has f run on the sandbox's goroutine and waits for it. When ctx ends first the sandbox is closed: the script is
// interrupted, and whatever it was doing is left to itself.
func (s *sandbox) do(ctx context.Context, f func()) error {
	finished := make(chan struct{})
	select {
	case s.jobs <- func() { s.ctx = outliving{s.life, ctx}; s.guard(f); s.finish(finished) }:
	case <-s.done:
		return function.ErrGone
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-finished:
		return nil
	case <-ctx.Done():
		s.Close()
		return ctx.Err()
	case <-s.done:
		select {
		case <-finished: // the sandbox ended with its last answer
			return nil
		default:
			return errClosed
		}
	}
}

// guard runs f. A panic in the engine ends the sandbox as it would end a process, and nothing else.
func (s *sandbox) guard(f func()) {
	defer func() {
		if x := recover(); x != nil {
			s.failure = &function.ExitError{Status: fmt.Sprintf("panic in the js runtime: %v", x)}
		}
	}()
	f()
}

// finish ends a job, and then the sandbox if the job was its last.
func (s *sandbox) finish(finished chan struct{}) {
	close(finished)
	if s.failure != nil {
		s.Close()
	}
}

// Done is closed once the sandbox cannot take another event.
func (s *sandbox) Done() <-chan struct{} { return s.done }

// Close ends the sandbox at once.
func (s *sandbox) Close() error {
	s.closing.Do(func() {
		close(s.done)
		s.end()
		s.rt.Interrupt(errClosed)
	})
	return nil
}

// load sets the world up, runs the module and finds the handler.
func (s *sandbox) load(ctx context.Context, b *build) error {
	var failed error
	if err := s.do(ctx, func() { failed = s.loadModule(ctx, b) }); err != nil {
		return err
	}
	if failed == nil && s.handler == nil {
		return s.failure
	}
	return failed
}

func (s *sandbox) loadModule(ctx context.Context, b *build) error {
	if err := s.setUp(); err != nil {
		return err
	}
	exports, err := s.runModule(ctx, b)
	if err == nil && s.failure == nil {
		err = s.uncaughtRejection()
	}
	if err == nil {
		err = s.failure
	}
	if err != nil {
		return s.initError(err)
	}
	s.handler = exports.Get(b.export)
	if _, ok := goja.AssertFunction(s.handler); ok {
		return nil
	}
	module := strings.TrimSuffix(s.fn.Handler, "."+b.export)
	if module == "" || module == b.export {
		module = "index"
	}
	if s.handler == nil || goja.IsUndefined(s.handler) {
		return s.initFailure("Runtime.HandlerNotFound", module+"."+b.export+" is undefined or not exported")
	}
	return s.initFailure("Runtime.HandlerNotFound", module+"."+b.export+" is not a function")
}

// runModule runs the bundle as a CommonJS module and returns what it exports. What the bundle awaits at its top is waited for.
func (s *sandbox) runModule(ctx context.Context, b *build) (*goja.Object, error) {
	v, err := s.rt.RunProgram(b.program)
	if err != nil {
		return nil, err
	}
	run, _ := goja.AssertFunction(v)
	exports, module := s.rt.NewObject(), s.rt.NewObject()
	if err := module.Set("exports", exports); err != nil {
		return nil, err
	}
	exported := func(call goja.FunctionCall) goja.Value {
		_ = module.Set("exports", call.Argument(0)) // cannot fail: a plain object
		return goja.Undefined()
	}
	v, err = run(exports, exports, s.rt.ToValue(s.require), module, s.rt.ToValue(exported))
	if err == nil && b.awaits {
		err = s.await(ctx, v)
	}
	if err != nil {
		return nil, err
	}
	out, ok := module.Get("exports").(*goja.Object)
	if !ok {
		return s.rt.NewObject(), nil
	}
	return out, nil
}

// unsettled is how Node ends when nothing is left that could settle what a module awaits at its top.
//
// https://nodejs.org/api/process.html#exit-codes
const unsettled = "exit status 13"

// await turns the loop until a module's promise is settled.
func (s *sandbox) await(ctx context.Context, v goja.Value) error {
	p, ok := v.Export().(*goja.Promise)
	if !ok {
		return nil
	}
	err := s.loop.run(ctx, func() bool { return p.State() != goja.PromiseStatePending || s.failure != nil })
	switch {
	case err != nil:
		return err
	case p.State() == goja.PromiseStateRejected:
		delete(s.rejected, p)
		return &rejected{p.Result()}
	case p.State() == goja.PromiseStatePending && s.failure == nil:
		return &function.ExitError{Status: unsettled}
	}
	return nil
}

// invocation is one call of the handler under way.
type invocation struct {
	settled bool          // nothing more is waited for
	waiting goja.Callable // answers with what a callback was given, once the event loop is empty
	result  []byte        // JSON; nil: none yet
	err     error         // *function.FunctionError
}

// Invoke calls the handler. See function.Sandbox.
func (s *sandbox) Invoke(ctx context.Context, ev *function.Event) ([]byte, error) {
	var inv invocation
	if err := s.do(ctx, func() { s.invoke(ctx, ev, &inv) }); err != nil {
		return nil, err
	}
	if inv.result == nil && inv.err == nil {
		return nil, s.failure
	}
	return inv.result, inv.err
}

func (s *sandbox) invoke(ctx context.Context, ev *function.Event, inv *invocation) {
	s.event, s.streamed = ev, nil
	watched := s.watchMemory()
	err := s.callHandler(inv)
	if err == nil {
		err = s.loop.run(ctx, func() bool {
			if !inv.settled && s.failure == nil {
				s.failure = s.uncaughtRejection()
			}
			return inv.settled || s.failure != nil
		})
	}
	s.called(err)
	if !inv.settled && s.failure == nil && inv.waiting != nil {
		_, err := inv.waiting(goja.Undefined())
		s.called(err)
	}
	watched()
	if s.failure != nil && !inv.settled {
		inv.result, inv.err = nil, s.fatal(s.failure)
	}
	if r := s.streamed; r != nil {
		inv.result, s.streamed = r.whole, nil // of a failed one, which only the stream has, Invoke returns the error
	}
	if inv.err == nil && inv.result == nil {
		inv.result = []byte("null") // the loop ran empty before the handler settled: as Lambda answers then
	}
	if s.failure == nil {
		if s.failure = s.uncaughtRejection(); s.failure != nil {
			s.fatal(s.failure) // after the answer: only the log hears of it
		}
	}
}

// callHandler starts the handler by way of prelude.js.
func (s *sandbox) callHandler(inv *invocation) error {
	if _, err := s.setTrace(goja.Undefined(), s.rt.ToValue(s.event.TraceID)); err != nil {
		return err
	}
	succeed := func(call goja.FunctionCall) goja.Value {
		if f, ok := goja.AssertFunction(call.Argument(0)); ok && inv.waiting == nil {
			inv.waiting = f
		} else if !ok && !inv.settled {
			inv.result, inv.settled = []byte(call.Argument(0).String()), true
		}
		return goja.Undefined()
	}
	fail := func(call goja.FunctionCall) goja.Value {
		if !inv.settled {
			inv.settled, inv.result = true, nil
			inv.err = s.thrown(call.Argument(0), "Invoke Error")
		}
		return goja.Undefined()
	}
	payload, err := s.parse(s.event.Payload, nil)
	if err != nil {
		syntax, err := s.rt.New(s.rt.Get("SyntaxError"), s.rt.ToValue(err.Error()))
		if err == nil {
			inv.settled, inv.err = true, s.thrown(syntax, "Invoke Error")
		}
		return err
	}
	_, err = s.invoker(goja.Undefined(), s.handler, payload, s.rt.ToValue(s.event.RequestID),
		s.rt.ToValue(s.event.ARN), s.rt.ToValue(s.event.ClientContext), s.rt.ToValue(succeed), s.rt.ToValue(fail))
	return err
}

// called notes the outcome of a call into the script: an exception that nothing caught ends the sandbox.
func (s *sandbox) called(err error) {
	if err != nil && s.failure == nil {
		s.failure = err
	}
}

// trackRejection keeps the rejected promises that nobody handles.
func (s *sandbox) trackRejection(p *goja.Promise, op goja.PromiseRejectionOperation) {
	if op == goja.PromiseRejectionReject {
		s.rejected[p] = true
	} else {
		delete(s.rejected, p)
	}
}
