package stepfunctions

import (
	"context"
	"errors"
	"slices"

	"devstack/emulators/stepfunctions/asl"
	"devstack/emulators/stepfunctions/value"
	"devstack/internal/trace"
)

// childMembers are those of DescribeExecution that a task which waits for an execution gets (recorded answer).
var childMembers = []string{"Cause", "Error", "ExecutionArn", "Input", "InputDetails", "Name", "Output", "OutputDetails", "StartDate", "StateMachineArn",
	"Status", "StopDate"}

// awaitChild waits for the end of the execution that the task started, and returns its description. With the second form of
// .sync its input and output are JSON, and not text.
//
// https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html
func (c *call) awaitChild(ctx context.Context) (*data, error) {
	e := c.b.run.engine
	if err := e.wait(ctx, c.b.f.Child); err != nil {
		c.stopChild(ctx, err)
		return nil, err
	}
	answer, _, err := c.operate(ctx, optimized["states"], "DescribeExecution", value.NewObject("ExecutionArn", c.b.f.Child), true)
	if err != nil {
		return nil, err
	}
	out := &value.Object{}
	for _, k := range answer.Keys() {
		v, _ := answer.Get(k)
		if text, ok := v.(string); ok && c.s.Resource.Pattern == asl.Sync2 && (k == "Input" || k == "Output") {
			if v, err = value.Decode(text); err != nil {
				return nil, err
			}
		}
		if slices.Contains(childMembers, k) {
			out.Set(k, v)
		}
	}
	if status, _ := out.Get("Status"); status != ExecutionStatusSucceeded {
		return nil, fail(errTaskFailed, value.Encode(out))
	}
	return valueData(out), nil
}

// stopChild stops the execution that nobody waits for any more, unless the wait goes on after a restart.
func (c *call) stopChild(ctx context.Context, why error) {
	if errors.Is(why, errClosing) {
		return
	}
	e := c.b.run.engine
	err := e.AWS.Call(trace.Detach(ctx), "stepfunctions", "StopExecution", map[string]string{"executionArn": c.b.f.Child}, nil)
	if err != nil {
		e.Log.Warn("the execution that a task waited for could not be stopped", "execution", c.b.f.Child, "error", err)
	}
}
