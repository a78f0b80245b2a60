// Package deliver hands a message to whatever an ARN names: it knows which call of which service that is.
package deliver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"devstack/emulators/kit"
	"devstack/emulators/wire"
)

// Message is what is delivered. A target takes of it what it has room for.
type Message struct {
	Body       string      // of a queue's or topic's message and of an object, the payload of a function, the detail of an event; JSON for the last two
	Attributes []Attribute // of a queue's or topic's message
	Key        string      // of an object in a bucket

	// Of an event on a bus.
	Source, DetailType string
	Resources          []string // ARNs
}

// Attribute is an attribute of a queue's or topic's message.
type Attribute struct {
	Name, Type, Value string // Type is "String" or "Number"
}

// target is an ARN taken apart.
type target struct {
	arn                                string
	service, region, account, resource string
}

// kind is a service that takes messages.
type kind struct {
	service string // its package's name
	names   func(t target) bool
	send    func(ctx context.Context, aws kit.Caller, t target, m Message) error
	there   func(t target) (operation string, in map[string]any) // a call that fails where there is no such target
}

// kinds are the services by the name that they have in ARNs.
var kinds = map[string]kind{
	"lambda": {"lambda", prefixed("function:"), toFunction, func(t target) (string, map[string]any) {
		return "GetFunctionConfiguration", map[string]any{"FunctionName": t.arn}
	}},
	"sqs": {"sqs", prefixed(""), toQueue, func(t target) (string, map[string]any) {
		return "GetQueueUrl", map[string]any{"QueueName": t.resource}
	}},
	"sns": {"sns", prefixed(""), toTopic, func(t target) (string, map[string]any) {
		return "GetTopicAttributes", map[string]any{"TopicArn": t.arn}
	}},
	"events": {"eventbridge", prefixed("event-bus/"), toBus, func(t target) (string, map[string]any) {
		return "DescribeEventBus", map[string]any{"Name": t.arn}
	}},
	"states": {"stepfunctions", prefixed("stateMachine:"), toStateMachine, func(t target) (string, map[string]any) {
		return "DescribeStateMachine", map[string]any{"stateMachineArn": t.arn}
	}},
	"s3": {"s3", prefixed(""), toBucket, func(t target) (string, map[string]any) {
		return "HeadBucket", map[string]any{"Bucket": t.resource}
	}},
}

func prefixed(prefix string) func(target) bool {
	return func(t target) bool { return len(t.resource) > len(prefix) && strings.HasPrefix(t.resource, prefix) }
}

// UnknownTargetError says that nothing takes messages under an ARN.
type UnknownTargetError struct{ ARN string }

// Error names the ARN.
func (e *UnknownTargetError) Error() string { return "nothing can be delivered to " + e.ARN }

// Service is the service that an ARN belongs to, by its name in ARNs: "sqs"; "" if it is no ARN of anything that takes messages.
func Service(arn string) string {
	t, k := parse(arn)
	if k == nil {
		return ""
	}
	return t.service
}

// To delivers a message to what an ARN names, in the ARN's own account and region. It returns when the target has taken it, which
// for a function is before it has run. An ARN of something that takes no messages is an *UnknownTargetError; a service that is not
// emulated answers the *wire.Error that says so, see Unavailable.
func To(ctx context.Context, aws kit.Caller, arn string, m Message) error {
	t, k := parse(arn)
	if k == nil {
		return &UnknownTargetError{arn}
	}
	return k.send(t.request(ctx), aws, t, m)
}

// Probe asks whether what an ARN names is there. Errors are To's.
func Probe(ctx context.Context, aws kit.Caller, arn string) error {
	t, k := parse(arn)
	if k == nil {
		return &UnknownTargetError{arn}
	}
	operation, in := k.there(t)
	return aws.Call(t.request(ctx), k.service, operation, in, nil)
}

// Unavailable reports whether an error says that a service, or an operation of it, is not emulated.
func Unavailable(err error) bool {
	e, ok := errors.AsType[*wire.Error](err)
	return ok && (e.Code == "UnknownService" || e.Code == "NotImplemented" || e.Code == "UnknownOperationException")
}

// parse takes an ARN apart; the kind is nil if it names nothing that takes messages.
func parse(arn string) (target, *kind) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || !strings.HasPrefix(parts[1], "aws") {
		return target{}, nil
	}
	t := target{arn, parts[2], parts[3], parts[4], parts[5]}
	k, ok := kinds[t.service]
	if !ok || !k.names(t) {
		return t, nil
	}
	return t, &k
}

// request is a context whose calls go to the target's account and region.
func (t target) request(ctx context.Context) context.Context {
	r := *wire.From(ctx)
	if t.region != "" {
		r.Region = t.region
	}
	if t.account != "" {
		r.Account = t.account
	}
	return wire.WithRequest(ctx, &r)
}

func toFunction(ctx context.Context, aws kit.Caller, t target, m Message) error {
	return aws.Call(ctx, "lambda", "Invoke", map[string]any{"FunctionName": t.arn, "InvocationType": "Event", "Payload": []byte(m.Body)}, nil)
}

func toQueue(ctx context.Context, aws kit.Caller, t target, m Message) error {
	var queue struct{ QueueUrl string }
	if err := aws.Call(ctx, "sqs", "GetQueueUrl", map[string]any{"QueueName": t.resource}, &queue); err != nil {
		return err
	}
	in := map[string]any{"QueueUrl": queue.QueueUrl, "MessageBody": m.Body}
	if len(m.Attributes) > 0 {
		in["MessageAttributes"] = m.attributes()
	}
	return aws.Call(ctx, "sqs", "SendMessage", in, nil)
}

func toTopic(ctx context.Context, aws kit.Caller, t target, m Message) error {
	in := map[string]any{"TopicArn": t.arn, "Message": m.Body}
	if len(m.Attributes) > 0 {
		in["MessageAttributes"] = m.attributes()
	}
	return aws.Call(ctx, "sns", "Publish", in, nil)
}

func (m Message) attributes() map[string]any {
	out := map[string]any{}
	for _, a := range m.Attributes {
		out[a.Name] = map[string]string{"DataType": a.Type, "StringValue": a.Value}
	}
	return out
}

func toBus(ctx context.Context, aws kit.Caller, t target, m Message) error {
	entry := map[string]any{"EventBusName": t.arn, "Source": m.Source, "DetailType": m.DetailType, "Detail": m.Body, "Resources": m.Resources}
	var out struct {
		FailedEntryCount int
		Entries          []struct{ ErrorCode, ErrorMessage string }
	}
	if err := aws.Call(ctx, "eventbridge", "PutEvents", map[string]any{"Entries": []any{entry}}, &out); err != nil {
		return err
	}
	if out.FailedEntryCount > 0 && len(out.Entries) > 0 {
		return fmt.Errorf("%s refuses the event: %s: %s", t.arn, out.Entries[0].ErrorCode, out.Entries[0].ErrorMessage)
	}
	return nil
}

func toStateMachine(ctx context.Context, aws kit.Caller, t target, m Message) error {
	if !json.Valid([]byte(m.Body)) {
		return fmt.Errorf("%s takes JSON alone", t.arn)
	}
	return aws.Call(ctx, "stepfunctions", "StartExecution", map[string]any{"stateMachineArn": t.arn, "input": m.Body}, nil)
}

func toBucket(ctx context.Context, aws kit.Caller, t target, m Message) error {
	return aws.Call(ctx, "s3", "PutObject", map[string]any{"Bucket": t.resource, "Key": m.Key, "Body": []byte(m.Body)}, nil)
}
