// Package function runs the stack's functions: it builds them, keeps sandboxes, hands them events, and replaces them
// when a file that they are made of changes.
package function

import (
	"cmp"
	"context"
	"time"

	"devstack/runtime/config"
)

// Engine makes functions of one family of runtimes runnable.
type Engine interface {
	// Build turns a function's sources into something that can be started. previous is the last Build of the same
	// function, nil at first; an engine may use what it holds to be faster. A mistake in the function's sources is a
	// *BuildError; even then the returned Build, if it is not nil, has the inputs whose change may mend it. Inputs may be
	// written to during Build, by others: it is then called again. It must not write to them itself. It returns soon after
	// ctx ended, as it does when a newer save has come, and what it returns then is not used but as previous.
	Build(ctx context.Context, fn *config.Function, previous Build) (Build, error)

	// Start returns a sandbox that has loaded the function and waits for its first event. A function whose own
	// initialisation fails is an *InitError, or an *ExitError where its process ended without a word. ctx bounds the start;
	// the sandbox lives on after it. A sandbox during whose start an input was written to is not used.
	Start(ctx context.Context, fn *config.Function, b Build, env []string, log LogFunc) (Sandbox, error)

	// Close ends what the engine keeps running.
	Close() error
}

// Warmer is an Engine whose sandboxes cost so little that one is kept ready for a function nobody has called yet.
type Warmer interface{ Warm() }

// Preparer is an Engine that can get ready for a function which nobody has called yet, beside its caller's way: a process that waits
// with third-party packages loaded makes the first event quick. How many there are is the engine's to bound.
type Preparer interface {
	Prepare(fn *config.Function, b Build, env []string)
}

// Build is one built version of a function. If it is an io.Closer it is closed once no sandbox uses it and a later Build
// of the function exists.
type Build interface {
	// Inputs are the absolute paths of all files and folders that the build depends on: a change of any of them (content,
	// or the list of a folder's entries) makes the build stale.
	Inputs() []string
}

// Sandbox is one execution environment. It takes one event at a time.
type Sandbox interface {
	// Invoke hands the sandbox an event and returns what the handler returned. A handler that threw is a *FunctionError,
	// one that ended its process an *ExitError; after the latter, and after ctx ended, the sandbox is of no further use.
	// An event that the sandbox never took because it had ended before is ErrGone. Invoke returns soon after ctx ended,
	// whatever the handler does.
	Invoke(ctx context.Context, ev *Event) ([]byte, error)

	// Done is closed once the sandbox cannot take another event.
	Done() <-chan struct{}

	// Close ends it, at once if it is idle.
	Close() error
}

// Meter is a Sandbox that knows the most memory it has held so far, in bytes.
type Meter interface{ MaxMemory() int64 }

// Event is one invocation as the runtime sees it.
type Event struct {
	RequestID     string
	Payload       []byte        // JSON
	Deadline      time.Time     // by the daemon's clock
	Timeout       time.Duration // until the deadline, for a sandbox whose process has a clock of its own
	ARN           string        // invoked function ARN
	TraceID       string        // X-Amzn-Trace-Id header
	ClientContext string        // JSON, "" for none
	Identity      string        // of Amazon Cognito, JSON, "" for none
	Tenant        string        // of a function with tenant isolation, "" for none
	Stream        Stream        // takes the response as it comes, if the function streams it; nil: Invoke returns all of it
}

// Stream takes a response piece by piece. A function that does not stream leaves it alone, and Invoke returns its response as
// ever; of one that does Invoke returns nothing, or the *FunctionError that cut the stream short. What an engine writes after
// Invoke has returned reaches nobody and is an error.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming
type Stream interface {
	// Begin is called once, before the first byte: the function streams. contentType is the response's Content-Type;
	// "application/vnd.awslambda.http-integration-response" says that it begins with a prelude (status code, headers and cookies as
	// JSON, then eight zero bytes).
	Begin(contentType string)

	// Write waits while the reader is slow. After an error, which says that the reader is gone, the rest may be dropped.
	Write(b []byte) (int, error)
}

// LogFunc takes what a sandbox prints, a line at a time, without its newline; a message of several lines is one where the
// runtime tells its end. requestID is "" outside an invocation.
type LogFunc func(requestID, line string)

// BuildError says why a function's sources cannot be built, in words for its developer: file, line, code frame.
type BuildError struct{ Text string }

// Error returns the text.
func (e *BuildError) Error() string { return e.Text }

// ExitError is a process that ended, while it loaded the function or while it had an event. Callers receive AWS's
// Runtime.ExitError with the number of their request.
type ExitError struct{ Status string } // "exit status 1", "signal: killed", "" for status 0

// Error returns AWS's sentence.
//
// https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
func (e *ExitError) Error() string {
	if e.Status == "" {
		return "Runtime exited without providing a reason"
	}
	return "Runtime exited with error: " + e.Status
}

// InitError is a function's own failure to load: Payload is the runtime's error body. Where there was no runtime to report it
// Payload is nil, and callers receive Reason behind the number of their request.
type InitError struct {
	Type    string // "Runtime.ImportModuleError"
	Payload []byte // {"errorType":…,"errorMessage":…,"trace":[…]}
	Reason  string // "fork/exec /var/task/bootstrap: exec format error"
}

// Error returns type and body.
func (e *InitError) Error() string { return e.Type + ": " + cmp.Or(string(e.Payload), e.Reason) }

// body is what the caller of one event receives. Seen in the wild:
//
//	{"errorMessage":"RequestId: a81f0097-… Error: fork/exec /var/task/bootstrap: permission denied","errorType":"Runtime.InvalidEntrypoint"}
//
// https://github.com/awslabs/aws-lambda-dart-runtime/issues/20
func (e *InitError) body(requestID string) []byte {
	if e.Payload == nil {
		return ErrorBody(e.Type, "RequestId: "+requestID+" Error: "+e.Reason)
	}
	return e.Payload
}

// FunctionError is a failed invocation: what a caller receives with X-Amz-Function-Error: Unhandled.
type FunctionError struct {
	Type    string // "Error", "Sandbox.Timedout", "Runtime.ExitError"
	Payload []byte // {"errorType":…,"errorMessage":…}
}

// Error returns type and body.
func (e *FunctionError) Error() string { return e.Type + ": " + string(e.Payload) }
