// Package js runs Lambda handlers written in JavaScript or TypeScript inside the daemon, with no Node installed.
//
// esbuild bundles a handler with the pure JavaScript packages that it imports; goja, a JavaScript engine in Go, runs the
// bundle. The AWS SDK's clients, Redis clients and some of Node's modules are built in: their calls go straight to Go.
// docs/functions-js.md says what is there and what is not.
package js

import (
	"context"
	"net/http"
	"sync"

	"devstack/internal/clock"
	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/bundle"
)

// Options are what the engine is given.
type Options struct {
	Dir       string            // of the stack, absolute; stack traces name files relative to it
	Clock     clock.Clock       // of Date, of timers and of log lines
	AWS       Caller            // carries out what the SDK's clients send
	Schema    Schema            // says what operations there are; nil: no AWS clients can be imported
	Transport http.RoundTripper // of fetch; nil: http.DefaultTransport
}

// Caller runs an operation of an AWS service. in is a json.RawMessage of the operation's input by AWS's member names, blobs
// in base64, timestamps in seconds; out is a *json.RawMessage. Errors of the service have the methods of an awsError.
type Caller interface {
	Call(ctx context.Context, service, operation string, in, out any) error
}

// Engine runs the functions of runtime "js".
type Engine struct {
	opts    Options
	redis   *redisPools
	clients sync.Map // service → func() of its client's exports
	types   sync.Map // "service.operation" → operationTypes

	mu       sync.Mutex
	bundlers map[*bundle.Bundler]int // how many builds hold each

	names map[string][]string // exports of the built-in modules
}

var (
	_ function.Engine = (*Engine)(nil)
	_ function.Warmer = (*Engine)(nil)
)

// New returns an engine. It costs nothing until the first build.
func New(o Options) *Engine {
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	return &Engine{opts: o, redis: newRedisPools(), bundlers: map[*bundle.Bundler]int{}}
}

// Close ends connections and forgets what builds keep. Sandboxes are closed by whoever started them.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for b := range e.bundlers {
		b.Close()
	}
	clear(e.bundlers)
	e.redis.close()
	return nil
}

// Warm says that a sandbox costs little: well under a millisecond and about a megabyte.
func (e *Engine) Warm() {}

// bundlerOf returns the bundler of the previous build if that can be used again, else a new one. The caller releases it.
func (e *Engine) bundlerOf(prev *build, fn *config.Function, entry string, awaits bool) (*bundle.Bundler, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if prev != nil && prev.entry == entry && prev.awaits == awaits && e.bundlers[prev.bundler] > 0 {
		e.bundlers[prev.bundler]++
		return prev.bundler, nil
	}
	b, err := bundle.New(e.bundleOptions(fn, entry, awaits))
	if err != nil {
		return nil, err
	}
	e.bundlers[b] = 1
	return b, nil
}

// release gives back what bundlerOf returned. The last one closes the bundler.
func (e *Engine) release(b *bundle.Bundler) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if n := e.bundlers[b]; n > 1 {
		e.bundlers[b]--
	} else if n == 1 {
		delete(e.bundlers, b)
		b.Close()
	}
}

// Start runs the function's module and returns a sandbox that has its handler.
func (e *Engine) Start(ctx context.Context, fn *config.Function, b function.Build, env []string, log function.LogFunc) (function.Sandbox, error) {
	s := newSandbox(e, fn, env, log)
	if err := s.load(ctx, b.(*build)); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}
