package stepfunctions

import (
	"testing"

	"devstack/emulators/stepfunctions/value"
	"devstack/emulators/wire"
)

// queues is as much of a model as SendMessage needs.
var queues = wire.Model{Service: "sqs", Operations: []wire.Operation{{Name: "SendMessage", Input: 0, Output: 1}}, Shapes: []wire.Shape{
	{Name: "SendMessageRequest", Kind: wire.Structure, Members: []wire.Member{{Name: "QueueUrl", Shape: 2}, {Name: "MessageBody", Shape: 2}}},
	{Name: "SendMessageResult", Kind: wire.Structure, Members: []wire.Member{{Name: "MessageId", Shape: 2}, {Name: "MD5OfMessageBody", Shape: 2}}},
	{Name: "String", Kind: wire.String},
}}

// bus is as much of a model as PutEvents needs.
var bus = wire.Model{Service: "eventbridge", Operations: []wire.Operation{{Name: "PutEvents", Input: 0, Output: -1}}, Shapes: []wire.Shape{
	{Name: "PutEventsRequest", Kind: wire.Structure, Members: []wire.Member{{Name: "Entries", Shape: 1}}},
	{Name: "Entries", Kind: wire.List, Members: []wire.Member{{Name: "member", Shape: 2}}},
	{Name: "Entry", Kind: wire.Structure, Members: []wire.Member{{Name: "Source", Shape: 3}, {Name: "DetailType", Shape: 3}, {Name: "Detail", Shape: 3}}},
	{Name: "String", Kind: wire.String},
}}

// odd is a model with a member of every kind that is translated.
var odd = wire.Model{Service: "odd", Operations: []wire.Operation{{Name: "Do", Input: 0, Output: 0, Errors: []int{6}}}, Shapes: []wire.Shape{
	{Name: "All", Kind: wire.Structure, Members: []wire.Member{{Name: "text", Shape: 1, Flags: wire.Required}, {Name: "bytes", Shape: 2}, {Name: "at", Shape: 3},
		{Name: "byName", Shape: 4}, {Name: "list", Shape: 5}, {Name: "ARN", Shape: 1}}},
	{Name: "String", Kind: wire.String},
	{Name: "Blob", Kind: wire.Blob},
	{Name: "Timestamp", Kind: wire.Timestamp},
	{Name: "Map", Kind: wire.Map, Members: []wire.Member{{Name: "key", Shape: 1}, {Name: "value", Shape: 0}}},
	{Name: "List", Kind: wire.List, Members: []wire.Member{{Name: "member", Shape: 3}}},
	{Name: "OddException", Kind: wire.Structure, ErrorStatus: 400},
}}

func TestTranslation(t *testing.T) {
	w := newWorld(t)
	w.models["odd"] = &odd
	for _, tt := range []struct {
		name   string
		output bool
		millis bool
		in     string
		want   string
	}{
		{"members are found whatever their case", false, false, `{"Text":"a","Arn":"b"}`, `{"text":"a","ARN":"b"}`},
		{"JSON becomes text where the service takes text", false, false, `{"Text":{"a":[1]}}`, `{"text":"{\"a\":[1]}"}`},
		{"a blob is given as text", false, false, `{"Bytes":"hi"}`, `{"bytes":"aGk="}`},
		{"a timestamp is given as text", false, false, `{"At":"2026-01-01T00:00:00.5Z"}`, `{"at":1767225600.5}`},
		{"the keys of a map are data", false, false, `{"ByName":{"text":{"Text":"x"}}}`, `{"byName":{"text":{"text":"x"}}}`},
		{"an unknown member is left for the service to refuse", false, false, `{"Other":1}`, `{"Other":1}`},
		{"results are in the alphabet's order", true, false, `{"text":"a","ARN":"b","byName":{"k":{"text":"x"}}}`, `{"ARN":"b","ByName":{"k":{"Text":"x"}},"Text":"a"}`},
		{"a blob comes as text", true, false, `{"bytes":"aGk="}`, `{"Bytes":"hi"}`},
		{"a timestamp comes as text", true, false, `{"at":1767225600.5,"list":[1767225600]}`, `{"At":"2026-01-01T00:00:00.500Z","List":["2026-01-01T00:00:00.000Z"]}`},
		{"or as milliseconds in an optimised integration", true, true, `{"at":1767225600.5}`, `{"At":1767225600500}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := value.Decode(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			tr := w.engine.translate("odd", "Do", tt.millis)
			got := tr.input(v)
			if tt.output {
				got = tr.output(v)
			}
			if value.Encode(got) != tt.want {
				t.Errorf("got %s, want %s", value.Encode(got), tt.want)
			}
			if !tr.knows("OddException") || tr.knows("ValidationException") {
				t.Error("the operation's errors are not those of its model")
			}
		})
	}
}

func TestParametersAreThoseOfTheOperation(t *testing.T) {
	w := newWorld(t)
	w.models["odd"] = &odd
	for _, tt := range []struct{ params, want string }{
		{`{"Text.$":"$.x","ByName":{}}`, ``},
		{`{"text":"a","Oter":1}`, `The field "text" is not supported by Step Functions at /States/M/ItemProcessor/States/T/Parameters, ` +
			`SCHEMA_VALIDATION_FAILED: The field "Oter" is not supported by Step Functions at /States/M/ItemProcessor/States/T/Parameters, ` +
			`SCHEMA_VALIDATION_FAILED: The field "Text" is required but was missing at /States/M/ItemProcessor/States/T/Parameters`},
	} {
		err := w.Call(t.Context(), "stepfunctions", "CreateStateMachine", object{"name": "m", "roleArn": "arn:aws:iam::111111111111:role/r", "definition": `{"StartAt":"M","States":{"M":{"Type":"Map",
			"ItemProcessor":{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:odd:do","Parameters":` + tt.params + `,"End":true}}},"End":true}}}`}, nil)
		switch {
		case tt.want == "" && err != nil:
			t.Error(err)
		case tt.want != "" && (err == nil || err.Error() != "InvalidDefinition: Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: "+tt.want+"'"):
			t.Errorf("got %v", err)
		}
	}
}
