package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// eventModel is a service of one operation with an event stream, in a protocol and as one member of its structures.
func eventModel(protocol, in, out string) string {
	return fmt.Sprintf(`{"smithy": "2.0", "shapes": {
		"x#X": {"type": "service", "version": "1", "operations": [{"target": "x#Watch"}], "traits": {"aws.protocols#%s": {}, "aws.api#service": {"sdkId": "Thing", "endpointPrefix": "things"}}},
		"x#Watch": {"type": "operation", "input": {"target": "x#In"}, "output": {"target": "x#Out"}, "traits": {"smithy.api#http": {"method": "POST", "uri": "/watch"}}},
		"x#In": {"type": "structure", "members": {%s}},
		"x#Out": {"type": "structure", "members": {%s}},
		"x#Events": {"type": "union", "members": {"Piece": {"target": "x#Piece"}}, "traits": {"smithy.api#streaming": {}}},
		"x#Piece": {"type": "structure", "members": {
			"Data": {"target": "smithy.api#Blob", "traits": {"smithy.api#eventPayload": {}}}, "N": {"target": "smithy.api#Integer", "traits": {"smithy.api#eventHeader": {}}}}}
	}}`, protocol, in, out)
}

func TestEventStreams(t *testing.T) {
	const stream = `"Events": {"target": "x#Events", "traits": {"smithy.api#httpPayload": {}}}`
	for _, tt := range []struct {
		name, model string
		err         string
		want        []string
	}{
		{"an answer's", eventModel("restJson1", "", stream), "", []string{
			`"iter"`, "Events iter.Seq2[Events, error]", "Flags: wire.EventPayload", "Flags: wire.EventHeader",
		}},
		{"a request's", eventModel("restJson1", stream, ""), "the wire has no event streams in inputs (Events)", nil},
		{"of another protocol", eventModel("restXml", "", stream), "the wire has event streams in REST-JSON alone (Events)", nil},
		{"beside other members", eventModel("restJson1", "", `"Events": {"target": "x#Events"}`), "the wire has event streams in REST-JSON alone (Events)", nil},
	} {
		dir := t.TempDir()
		for name, text := range map[string]string{"x.json": tt.model, "operations.txt": "Watch\n"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		out := filepath.Join(dir, "api_gen.go")
		err := generate(config{service: "x", model: "x", models: dir, botocore: filepath.Join("testdata", "botocore"), operations: filepath.Join(dir, "operations.txt"), overrides: filepath.Join(dir, "none"), out: out})
		if tt.err != "" || err != nil {
			if err == nil || !strings.Contains(err.Error(), tt.err) || tt.err == "" {
				t.Errorf("%s: %v, want %s", tt.name, err, tt.err)
			}
			continue
		}
		got, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range tt.want {
			if !strings.Contains(string(got), want) {
				t.Errorf("%s: there is no %s in\n%s", tt.name, want, got)
			}
		}
	}
}
