package stepfunctions

import (
	"context"
	"errors"

	"devstack/emulators/stepfunctions/value"
)

// invocation is Lambda's Invoke, as much of it as tasks use.
type invocation struct {
	FunctionName   any
	InvocationType any    `json:",omitempty"`
	ClientContext  any    `json:",omitempty"`
	Qualifier      any    `json:",omitempty"`
	LogType        any    `json:",omitempty"`
	Payload        []byte `json:",omitempty"`
}

// invoked is its answer.
type invoked struct {
	StatusCode      int64
	FunctionError   *string
	LogResult       *string
	Payload         []byte
	ExecutedVersion *string
}

// invokeARN calls the function whose ARN is the task's resource.
func (c *call) invokeARN(ctx context.Context) (*data, error) {
	out, err := c.callLambda(ctx, invocation{FunctionName: c.s.Resource.ARN, Payload: []byte(c.params.text)})
	if err != nil {
		return nil, err
	}
	return payload(out.Payload), nil
}

// invoke is the optimised integration lambda:invoke. The result's Payload is JSON, and not text.
//
// https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html
func (c *call) invoke(ctx context.Context) (*data, error) {
	params, ok := c.params.value().(*value.Object)
	if !ok {
		return nil, errors.New("the parameters of lambda:invoke are no object")
	}
	get := func(name string) any { v, _ := params.Get(name); return v }
	in := invocation{FunctionName: get("FunctionName"), InvocationType: get("InvocationType"), ClientContext: get("ClientContext"),
		Qualifier: get("Qualifier"), LogType: get("LogType")}
	if p := get("Payload"); p != nil {
		in.Payload = []byte(value.Encode(p))
	}
	out, err := c.callLambda(ctx, in)
	if err != nil {
		return nil, err
	}
	answer := &value.Object{}
	for name, v := range map[string]*string{"ExecutedVersion": out.ExecutedVersion, "LogResult": out.LogResult} {
		if v != nil {
			answer.Set(name, *v)
		}
	}
	if len(out.Payload) > 0 {
		answer.Set("Payload", payload(out.Payload).value())
	}
	answer.Set("StatusCode", value.Int(out.StatusCode))
	e := c.b.run.engine
	return valueData(sorted(withMetadata(answer, "lambda", len(out.Payload), e.Clock.Now(), e.IDs.UUID()))), nil
}

func (c *call) callLambda(ctx context.Context, in invocation) (*invoked, error) {
	var out invoked
	if in.Payload == nil {
		in.Payload = []byte("{}")
	}
	if err := c.b.run.engine.AWS.Call(ctx, "lambda", "Invoke", in, &out); err != nil {
		return nil, c.serviceFailure(optimized["lambda"], c.b.run.engine.translate("lambda", "Invoke", true), err)
	}
	if out.FunctionError != nil {
		return nil, functionFailure(string(out.Payload))
	}
	return &out, nil
}

// payload makes data of what a function answered: nothing is null, and what is not JSON is a string.
func payload(b []byte) *data {
	if len(b) == 0 {
		return valueData(nil)
	}
	if _, err := value.Decode(string(b)); err != nil {
		return valueData(string(b))
	}
	return textData(string(b))
}

// functionFailure makes a failure of an error that a function answered: its errorType, and all of the answer as the cause
// (recorded answers). The words for an answer without an errorType are AWS's, from memory.
func functionFailure(answer string) *failure {
	if v, err := value.Decode(answer); err == nil {
		if o, ok := v.(*value.Object); ok {
			if name, _ := o.Get("errorType"); name != nil {
				if s, ok := name.(string); ok && s != "" {
					return fail(s, answer)
				}
			}
		}
	}
	return fail("Lambda.Unknown", "The cause could not be determined because Lambda did not return an error type. Returned payload: "+answer)
}
