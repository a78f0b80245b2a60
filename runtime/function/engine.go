// Package function runs the stack's functions: it builds them, keeps sandboxes, hands them events, and replaces them
// when a file that they are made of changes.
package function

import (
	"context"
	"time"

	"devstack/runtime/config"
)

// Engine makes functions of one family of runtimes runnable.
type Engine interface {
	// Build turns a function's sources into something that can be started. previous is the last Build of the same
	// function, nil at first; an engine may use what it holds to be faster. A mistake in the function's sources is a
	// *BuildError; even then the returned Build, if it is not nil, has the inputs whose change may mend it.
	Build(ctx context.Context, fn *config.Function, previous Build) (Build, error)

	// Start returns a sandbox that has loaded the function and waits for its first event. A function whose own
	// initialisation fails is an *InitError.
	Start(ctx context.Context, fn *config.Function, b Build, env []string, log LogFunc) (Sandbox, error)

	// Close ends what the engine keeps running.
	Close() error
}

// Build is one built version of a function.
type Build interface {
	// Inputs are the absolute paths of all files and folders that the build depends on: a change of any of them (content,
	// or the list of a folder's entries) makes the build stale.
	Inputs() []string
}

// Sandbox is one execution environment. It takes one event at a time.
type Sandbox interface {
	// Invoke hands the sandbox an event and returns what the handler returned. A handler that threw, and one that ended
	// its process, are a *FunctionError; after the latter, and after ctx ended, the sandbox is of no further use.
	Invoke(ctx context.Context, ev *Event) ([]byte, error)

	// Done is closed once the sandbox cannot take another event.
	Done() <-chan struct{}

	// Close ends it, at once if it is idle.
	Close() error
}

// Event is one invocation as the runtime sees it.
type Event struct {
	RequestID     string
	Payload       []byte // JSON
	Deadline      time.Time
	ARN           string // invoked function ARN
	TraceID       string // X-Amzn-Trace-Id header
	ClientContext string // JSON, "" for none
}

// LogFunc takes what a sandbox prints, a line at a time, without its newline. requestID is "" outside an invocation.
type LogFunc func(requestID, line string)

// BuildError says why a function's sources cannot be built, in words for its developer: file, line, code frame.
type BuildError struct{ Text string }

// Error returns the text.
func (e *BuildError) Error() string { return e.Text }

// InitError is a function's own failure to load. Payload is the runtime's error body.
type InitError struct {
	Type    string // "Runtime.ImportModuleError"
	Payload []byte // {"errorType":…,"errorMessage":…,"trace":[…]}
}

// Error returns type and body.
func (e *InitError) Error() string { return e.Type + ": " + string(e.Payload) }

// FunctionError is a failed invocation: what a caller receives with X-Amz-Function-Error: Unhandled.
type FunctionError struct {
	Type    string // "Error", "Sandbox.Timedout", "Runtime.ExitError"
	Payload []byte // {"errorType":…,"errorMessage":…}
}

// Error returns type and body.
func (e *FunctionError) Error() string { return e.Type + ": " + string(e.Payload) }
