package function

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// ErrNoFunction answers the name of a function that was never put, or was removed.
var ErrNoFunction = errors.New("no such function")

// ErrClosed answers an invocation that the end of the daemon, or of the function, cut short.
var ErrClosed = errors.New("the function was removed while it was being invoked")

// ErrGone is a Sandbox's answer to an event that it never took, because it had ended: another one may have it.
var ErrGone = errors.New("the sandbox had ended before it took the event")

// PayloadError says that an event is larger than Lambda takes.
//
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
type PayloadError struct{ Size, Limit int } // bytes

// Error is AWS's sentence: seen in the wild as the message of RequestEntityTooLargeException.
func (e *PayloadError) Error() string {
	return fmt.Sprintf("Request must be smaller than %d bytes for the InvokeFunction operation", e.Limit)
}

// Bounds of what an invocation carries, in bytes.
//
// https://docs.aws.amazon.com/lambda/latest/dg/API_Invoke.html; the response's bound is in a recorded answer. A streamed one's:
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	MaxPayload          = 6 << 20
	MaxAsyncPayload     = 1 << 20
	MaxResponse         = 6291556
	MaxStreamedResponse = 200 << 20
)

// body is the error document that callers of a failed invocation receive.
type body struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

// ErrorBody makes the error document of a type and a message.
func ErrorBody(typ, message string) []byte {
	b, err := json.Marshal(body{typ, message})
	if err != nil {
		panic(err) // two strings always marshal
	}
	return b
}

// timedOut is the outcome of a function that did not answer in time. Recorded answer:
//
//	{"errorMessage":"RequestId: … Error: Task timed out after 30.00 seconds","errorType":"Sandbox.Timedout"}
func timedOut(requestID string, after time.Duration) *FunctionError {
	const typ = "Sandbox.Timedout"
	msg := fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", requestID, after.Seconds())
	return &FunctionError{Type: typ, Payload: ErrorBody(typ, msg)}
}

// exited is the outcome of a function whose process ended.
//
// https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html (Runtime.ExitError)
func exited(requestID string, e *ExitError) *FunctionError {
	const typ = "Runtime.ExitError"
	return &FunctionError{Type: typ, Payload: ErrorBody(typ, "RequestId: "+requestID+" Error: "+e.Error())}
}

// failedExtension is the outcome of a function whose extension failed. Seen: "Extension.Crash" with "RequestId: … Error: exit code 0",
// and "Extension.LaunchError" with "RequestId: … Error: fork/exec /opt/extensions/…".
func failedExtension(requestID string, e *ExtensionError) *FunctionError {
	return &FunctionError{Type: e.Type, Payload: ErrorBody(e.Type, "RequestId: "+requestID+" Error: "+e.Message)}
}

// ResponseTooLarge is the outcome of a function whose answer is longer than Lambda passes on. Recorded answer.
func ResponseTooLarge() *FunctionError { return responseTooLarge(MaxResponse) }

// StreamTooLarge is what cuts a streamed response short that is longer than Lambda passes on. A guess: nobody has recorded
// one.
func StreamTooLarge() *FunctionError { return responseTooLarge(MaxStreamedResponse) }

func responseTooLarge(limit int) *FunctionError {
	const typ = "Function.ResponseSizeTooLarge"
	msg := fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", limit)
	return &FunctionError{Type: typ, Payload: ErrorBody(typ, msg)}
}

// unbuilt is the outcome of a function whose sources cannot be built: AWS has no such state, so type and text are ours.
func unbuilt(err error) *FunctionError {
	const typ = "Runtime.BuildError"
	return &FunctionError{Type: typ, Payload: ErrorBody(typ, err.Error())}
}
