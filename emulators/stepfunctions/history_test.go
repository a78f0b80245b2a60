package stepfunctions

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"devstack/emulators/wire"
)

// TestHistories runs the machines of testdata/histories. A file has sections: the definition, the input, what scripted
// services answer in turn, and then what it comes to: what they were sent, and the history. go test -update writes those.
//
//	-- answer lambda.Invoke --
//	payload {"a":1}                 the function's answer; failure {…} is its error
//	error ThrottlingException 400 …  of the service
//	hang                            never answers
//	{"Item":{}}                     any other answer
func TestHistories(t *testing.T) {
	files, err := filepath.Glob("testdata/histories/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no histories (%v)", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			given, want, _ := strings.Cut(string(b), "-- sent --\n")
			got := playHistory(t, given)
			if flag.Lookup("update").Value.String() == "true" {
				if err := os.WriteFile(file, []byte(given+"-- sent --\n"+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

var section = regexp.MustCompile(`(?m)^-- (.+) --\n`)

// playHistory runs a file's machine and returns what it came to.
func playHistory(t *testing.T, text string) string {
	w := newWorld(t)
	w.models["sqs"], w.models["eventbridge"] = &queues, &bus
	s := &script{answers: map[string][]string{}}
	var definition, input string
	heads := section.FindAllStringSubmatchIndex(text, -1)
	for i, h := range heads {
		end := len(text)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		body := strings.TrimSpace(text[h[1]:end])
		switch name := text[h[2]:h[3]]; {
		case name == "definition":
			definition = body
		case name == "input":
			input = body
		default:
			op := strings.TrimPrefix(name, "answer ")
			s.answers[op] = append(s.answers[op], body)
			w.fakes[op] = func(ctx context.Context, in json.RawMessage) (any, error) { return s.answer(ctx, op, in) }
		}
	}
	machine := w.create("m", "STANDARD", definition)
	arn := w.call("StartExecution", object{"stateMachineArn": machine, "name": "x", "input": input})["executionArn"].(string)
	w.describe(arn)
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.sent, "") + "-- history --\n" + dates.ReplaceAllString(strings.Join(w.history(arn), "\n"), "DATE") + "\n"
}

// dates are those of headers: how far the clock is moved to bring an execution to its end depends on the machine.
var dates = regexp.MustCompile(`[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]+ GMT`)

// script is the answers of services, and what they were sent.
type script struct {
	mu      sync.Mutex
	answers map[string][]string
	sent    []string
}

func (s *script) answer(ctx context.Context, op string, in json.RawMessage) (any, error) {
	s.mu.Lock()
	shown := struct{ Payload []byte }{}
	if json.Unmarshal(in, &shown) == nil && shown.Payload != nil {
		in = append(bytes.TrimSuffix(in, []byte("}")), []byte(" = "+string(shown.Payload))...)
	}
	s.sent = append(s.sent, fmt.Sprintf("%s %s\n", op, in))
	if len(s.answers[op]) == 0 {
		s.mu.Unlock()
		return nil, wire.Errorf("InternalFailure", 500, "no answer is left")
	}
	body := s.answers[op][0]
	s.answers[op] = s.answers[op][1:]
	s.mu.Unlock()
	kind, rest, _ := strings.Cut(body, " ")
	switch kind {
	case "payload":
		return object{"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": []byte(rest)}, nil
	case "failure":
		return object{"StatusCode": 200, "FunctionError": "Unhandled", "Payload": []byte(rest)}, nil
	case "hang":
		<-ctx.Done()
		return nil, ctx.Err()
	case "error":
		parts := strings.SplitN(rest, " ", 3)
		status, err := strconv.Atoi(parts[1])
		if err != nil {
			return nil, err
		}
		return nil, wire.Errorf(parts[0], status, "%s", parts[2])
	}
	return json.RawMessage(body), nil
}
