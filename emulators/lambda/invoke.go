package lambda

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"

	"devstack/emulators/wire"
	"devstack/internal/trace"
)

// Bounds of a payload in bytes.
//
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	maxPayload      = 6 << 20
	maxAsyncPayload = 1 << 20
)

// Messages in the service's words.
const (
	msgNotJSON  = "Could not parse request body into json: Could not parse payload into json: %s" // recorded; see notjson.go for the reasons
	msgTooLarge = "Request must be smaller than %d bytes for the InvokeFunction operation"        // https://repost.aws/knowledge-center/lambda-error-request-too-large
)

// Invoke runs a function. InvocationType is RequestResponse (the default: the answer waits for the function), Event (202 at
// once; see async.go for what happens then) or DryRun (204 if it could be run).
//
// A function that fails answers 200 with FunctionError "Unhandled" and its error as the payload. With LogType Tail the last
// 4 KiB of its log come in LogResult, in base64. InvalidRequestContentException for a payload that is not JSON,
// RequestTooLargeException over 6 MB (asynchronously 1 MB), TooManyRequestsException if as many calls run as may.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
func (s *Service) Invoke(ctx context.Context, in *InvokeInput) (*InvokeOutput, error) {
	c, err := s.invoked(ctx, *in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if err := refuseUnsupportedInvoke("Invoke", in.DurableExecutionName, in.TenantId); err != nil {
		return nil, err
	}
	kind := InvocationTypeRequestResponse
	if in.InvocationType != nil {
		kind = *in.InvocationType
	}
	ev, err := newEvent(in.Payload, in.ClientContext, kind == InvocationTypeEvent)
	if err != nil {
		return nil, err
	}
	switch kind {
	case InvocationTypeDryRun:
		return &InvokeOutput{StatusCode: new(int32(204))}, nil
	case InvocationTypeEvent:
		return &InvokeOutput{StatusCode: new(int32(202))}, s.accept(ctx, c, ev)
	}
	wire.From(ctx).Answer(traceHeader, trace.Header(ctx))
	res, err := s.call(ctx, c, ev)
	if err != nil {
		return nil, err
	}
	out := &InvokeOutput{StatusCode: new(int32(200)), Payload: res.Payload, ExecutedVersion: &c.Version}
	if res.Failed {
		out.FunctionError = new(unhandled)
		wire.From(ctx).Explain(res.Fault)
	}
	if in.LogType != nil && *in.LogType == LogTypeTail {
		out.LogResult = new(base64.StdEncoding.EncodeToString(res.LogTail))
	}
	return out, nil
}

// traceHeader says in an answer which trace the call belongs to.
//
// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
const traceHeader = "X-Amzn-Trace-Id"

// unhandled is the only kind of failure that functions have nowadays.
const unhandled = "Unhandled"

// invoked returns what a call by name comes to. Without a qualifier the errors name $LATEST, as recorded; the function is still called
// by the ARN that the request had.
func (s *Service) invoked(ctx context.Context, ref string, qualifier *string) (*callee, error) {
	t, err := parse(ctx, ref, qualifier)
	if err != nil {
		return nil, err
	}
	c, err := s.callee(t)
	if err != nil && t.Qualifier == "" {
		return s.callee(t.at(latest))
	}
	return c, err
}

// InvokeAsync is what Invoke with the type Event has replaced.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_InvokeAsync.html
func (s *Service) InvokeAsync(ctx context.Context, in *InvokeAsyncInput) (*InvokeAsyncOutput, error) {
	c, err := s.invoked(ctx, *in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	var payload []byte
	if in.InvokeArgs != nil {
		if payload, err = io.ReadAll(io.LimitReader(in.InvokeArgs, maxAsyncPayload+1)); err != nil {
			return nil, byUser(errInvalidRequestContentException(msgNotJSON, "the body ends early")) // the words are a guess
		}
	}
	ev, err := newEvent(payload, nil, true)
	if err != nil {
		return nil, err
	}
	return &InvokeAsyncOutput{Status: new(int32(202))}, s.accept(ctx, c, ev)
}

// refuseUnsupportedInvoke names a parameter that the function would have had to hear of.
func refuseUnsupportedInvoke(operation string, durable, tenant *string) error {
	if durable != nil {
		return wire.NotImplemented("lambda.%s: the parameter DurableExecutionName is not emulated", operation)
	}
	if tenant != nil {
		return wire.NotImplemented("lambda.%s: the parameter TenantId is not emulated", operation)
	}
	return nil
}

// newEvent checks what the function is to be handed. No payload at all is an empty object.
func newEvent(payload []byte, clientContext *string, async bool) (ev Event, err error) {
	limit := maxPayload
	if async {
		limit = maxAsyncPayload
	}
	if len(payload) > limit {
		return ev, byUser(errRequestTooLargeException(msgTooLarge, limit))
	}
	if ev.Payload = payload; len(ev.Payload) == 0 {
		ev.Payload = []byte("{}")
	}
	if why := notJSON(ev.Payload); why != "" {
		return ev, byUser(errInvalidRequestContentException(msgNotJSON, why))
	}
	if clientContext != nil {
		b, err := base64.StdEncoding.DecodeString(*clientContext)
		if err != nil || !json.Valid(b) {
			return ev, byUser(errInvalidRequestContentException("Client context must be a valid Base64-encoded JSON object.")) // a guess
		}
		ev.ClientContext = string(b)
	}
	return ev, nil
}
