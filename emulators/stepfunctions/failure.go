package stepfunctions

import (
	"errors"
	"fmt"
	"slices"

	"devstack/emulators/stepfunctions/asl"
	"devstack/emulators/stepfunctions/value"
)

// The names of the States Language's own errors.
//
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
const (
	errAll              = "States.ALL"
	errDataLimit        = "States.DataLimitExceeded"
	errHeartbeatTimeout = "States.HeartbeatTimeout"
	errIntrinsic        = "States.IntrinsicFailure"
	errNoChoice         = "States.NoChoiceMatched"
	errResultPath       = "States.ResultPathMatchFailure"
	errRuntime          = "States.Runtime"
	errTaskFailed       = "States.TaskFailed"
	errTimeout          = "States.Timeout"
)

// failure is why a state failed: an error name of the States Language's, a service's or a function's, and its cause.
type failure struct {
	name, cause *string // nil: not given, as a Fail state may
	after       int64   // the event that a Parallel or Map state goes on from
}

// Error returns the name and the cause.
func (f *failure) Error() string {
	switch {
	case f.name == nil:
		return "failed"
	case f.cause == nil || *f.cause == "":
		return *f.name
	}
	return *f.name + ": " + *f.cause
}

// fail makes a failure.
func fail(name, cause string) *failure { return &failure{name: &name, cause: &cause} }

// failIn makes a failure of a state itself, as opposed to one of what it called. The sentence is AWS's.
func (b *branch) failIn(name, format string, args ...any) *failure {
	return fail(name, fmt.Sprintf("An error occurred while executing the state '%s' (entered at the event id #%d). ", b.f.State, b.f.Entered)+
		fmt.Sprintf(format, args...))
}

// output is what a catcher puts in the place of a result. What is not given is null; of a timeout the cause is empty
// (recorded answers).
func (f *failure) output() *data {
	o := value.NewObject("Error", nil, "Cause", nil)
	if f.name != nil {
		o.Set("Error", *f.name)
		if *f.name == errTimeout || *f.name == errHeartbeatTimeout {
			o.Set("Cause", "")
		}
	}
	if f.cause != nil {
		o.Set("Cause", *f.cause)
	}
	return valueData(o)
}

// matches reports whether ErrorEquals names the failure. States.Runtime cannot be caught (recorded answer).
func (f *failure) matches(errorEquals []string) bool {
	name := ""
	if f.name != nil {
		name = *f.name
	}
	if name == errRuntime {
		return false
	}
	return slices.ContainsFunc(errorEquals, func(e string) bool {
		switch e {
		case errAll:
			return true
		case errTaskFailed:
			return name != errTimeout && name != errHeartbeatTimeout
		case errTimeout:
			return name == errTimeout || name == errHeartbeatTimeout
		}
		return e == name
	})
}

// caught returns the catcher for a failure, nil if there is none.
func (f *failure) caught(catchers []asl.Catcher) *asl.Catcher {
	for i := range catchers {
		if f.matches(catchers[i].ErrorEquals) {
			return &catchers[i]
		}
	}
	return nil
}

// Why a branch's context ends before its work does.
var (
	errEnded   = errors.New("the execution has ended")      // stopped, timed out, or failed elsewhere
	errSibling = errors.New("another branch failed")        // of the same Parallel or Map state
	errClosing = errors.New("the engine is closing")        // the execution goes on at the next start
	errLate    = errors.New("the time of the task ran out") // TimeoutSeconds
	errSilent  = errors.New("the task's heartbeat failed")  // HeartbeatSeconds
)
