package deliver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"devstack/emulators/wire"
)

// recorder notes the calls that it is asked for, and answers what the test says.
type recorder struct {
	calls   []string
	answers map[string]string // JSON, by operation
	err     error
}

func (r *recorder) Call(ctx context.Context, service, operation string, in, out any) error {
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	at := wire.From(ctx)
	r.calls = append(r.calls, fmt.Sprintf("%s %s %s.%s %s", at.Account, at.Region, service, operation, b))
	if r.err != nil || out == nil {
		return r.err
	}
	return json.Unmarshal([]byte(r.answers[operation]), out)
}

func TestTheCallThatDelivers(t *testing.T) {
	m := Message{
		Body: `{"a":1}`, Attributes: []Attribute{{"ErrorCode", "Number", "200"}}, Key: "k",
		Source: "lambda", DetailType: "it happened", Resources: []string{"arn:aws:lambda:eu-west-1:111122223333:function:f"},
	}
	for _, tt := range []struct{ arn, service, calls string }{
		{"arn:aws:lambda:eu-west-1:111122223333:function:f:live", "lambda",
			`111122223333 eu-west-1 lambda.Invoke {"FunctionName":"arn:aws:lambda:eu-west-1:111122223333:function:f:live","InvocationType":"Event","Payload":"eyJhIjoxfQ=="}`},
		{"arn:aws:sqs:eu-west-1:111122223333:q", "sqs", `111122223333 eu-west-1 sqs.GetQueueUrl {"QueueName":"q"}` + "\n" +
			`111122223333 eu-west-1 sqs.SendMessage {"MessageAttributes":{"ErrorCode":{"DataType":"Number","StringValue":"200"}},"MessageBody":"{\"a\":1}","QueueUrl":"u"}`},
		{"arn:aws:sns:eu-west-1:111122223333:t", "sns",
			`111122223333 eu-west-1 sns.Publish {"Message":"{\"a\":1}","MessageAttributes":{"ErrorCode":{"DataType":"Number","StringValue":"200"}},"TopicArn":"arn:aws:sns:eu-west-1:111122223333:t"}`},
		{"arn:aws:events:eu-west-1:111122223333:event-bus/b", "events",
			`111122223333 eu-west-1 eventbridge.PutEvents {"Entries":[{"Detail":"{\"a\":1}","DetailType":"it happened","EventBusName":"arn:aws:events:eu-west-1:111122223333:event-bus/b","Resources":["arn:aws:lambda:eu-west-1:111122223333:function:f"],"Source":"lambda"}]}`},
		{"arn:aws:states:eu-west-1:111122223333:stateMachine:m", "states",
			`111122223333 eu-west-1 stepfunctions.StartExecution {"input":"{\"a\":1}","stateMachineArn":"arn:aws:states:eu-west-1:111122223333:stateMachine:m"}`},
		{"arn:aws:s3:::bucket", "s3", `000000000000 us-east-1 s3.PutObject {"Body":"eyJhIjoxfQ==","Bucket":"bucket","Key":"k"}`},
	} {
		r := &recorder{answers: map[string]string{"GetQueueUrl": `{"QueueUrl":"u"}`, "PutEvents": `{}`}}
		if err := To(t.Context(), r, tt.arn, m); err != nil {
			t.Errorf("%s: %v", tt.arn, err)
		}
		if got := strings.Join(r.calls, "\n"); got != tt.calls {
			t.Errorf("%s: calls\n%s\nwant\n%s", tt.arn, got, tt.calls)
		}
		if got := Service(tt.arn); got != tt.service {
			t.Errorf("%s belongs to %q, want %q", tt.arn, got, tt.service)
		}
		r = &recorder{}
		if err := Probe(t.Context(), r, tt.arn); err != nil || len(r.calls) != 1 {
			t.Errorf("%s: probe: %v %v", tt.arn, err, r.calls)
		}
	}
}

func TestWhatTakesNoMessages(t *testing.T) {
	for _, arn := range []string{"", "f", "arn:aws:iam::111122223333:role/r", "arn:aws:lambda:eu-west-1:111122223333:layer:l", "arn:aws:sqs:eu-west-1:111122223333:", "arn:x:sqs:a:b:c"} {
		r := &recorder{}
		err := To(t.Context(), r, arn, Message{})
		if _, ok := errors.AsType[*UnknownTargetError](err); !ok || len(r.calls) > 0 || Service(arn) != "" {
			t.Errorf("%q: %v, calls %v", arn, err, r.calls)
		}
		if _, ok := errors.AsType[*UnknownTargetError](Probe(t.Context(), r, arn)); !ok {
			t.Errorf("probe of %q finds something", arn)
		}
	}
}

func TestRefusals(t *testing.T) {
	const bus = "arn:aws:events:eu-west-1:111122223333:event-bus/b"
	r := &recorder{answers: map[string]string{"PutEvents": `{"FailedEntryCount":1,"Entries":[{"ErrorCode":"NotAuthorized","ErrorMessage":"no"}]}`}}
	if err := To(t.Context(), r, bus, Message{Body: "{}"}); err == nil || !strings.Contains(err.Error(), "NotAuthorized: no") {
		t.Errorf("an event that the bus refuses: %v", err)
	}
	r = &recorder{}
	if err := To(t.Context(), r, "arn:aws:states:eu-west-1:111122223333:stateMachine:m", Message{Body: "{"}); err == nil || len(r.calls) > 0 {
		t.Errorf("what is not JSON goes to a state machine: %v", err)
	}
	for code, want := range map[string]bool{"UnknownService": true, "NotImplemented": true, "UnknownOperationException": true, "QueueDoesNotExist": false} {
		err := To(t.Context(), &recorder{err: wire.Errorf(code, 400, "no")}, "arn:aws:sns:eu-west-1:111122223333:t", Message{})
		if Unavailable(err) != want {
			t.Errorf("%s counts as unavailable: %v", code, !want)
		}
	}
}
