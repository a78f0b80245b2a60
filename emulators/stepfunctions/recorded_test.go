package stepfunctions

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"devstack/emulators/stepfunctions/value"
	"devstack/emulators/wire"
)

// shared opens one of the inputs that lie beside the repository.
func shared(t *testing.T, name string) *os.File {
	t.Helper()
	dir := os.Getenv("DEVSTACK_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	f, err := os.Open(filepath.Join(dir, name))
	if errors.Is(err, os.ErrNotExist) {
		if os.Getenv("CI") != "" {
			t.Fatalf("%v; set DEVSTACK_SHARED", err)
		}
		t.Skipf("%v; set DEVSTACK_SHARED", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// recording is a conversation with AWS: what was asked, and what was answered.
type recording struct {
	Name  string
	Calls []struct {
		Operation string
		Input     map[string]any
	}
	Recorded []struct {
		Exec string
		Key  string
		Want json.RawMessage
	}
}

// features are what recordings use and is not supported yet, with the number of them.
var features = map[string]int{"distributed Map (Mode DISTRIBUTED)": 2, "the query language JSONata": 28, "workflow variables (Assign)": 11}

// differing are recordings that we do not answer alike, with the reason.
var differing = map[string]string{
	"test_max_concurrency_path_negative": "AWS leaves the execution hanging before its first state; ours fails with States.Runtime",
}

// TestRecordedExecutions runs the executions that were recorded from AWS and compares their histories event for event.
func TestRecordedExecutions(t *testing.T) {
	in := bufio.NewScanner(shared(t, "aws-recordings/stepfunctions-executions.jsonl"))
	in.Buffer(nil, 16<<20)
	total, matched, later := 0, 0, map[string][]string{}
	for in.Scan() {
		var rec recording
		if err := json.Unmarshal(in.Bytes(), &rec); err != nil {
			t.Fatal(err)
		}
		total++
		t.Run(fmt.Sprintf("%03d %s", total, rec.Name), func(t *testing.T) {
			feature, diffs := replay(t, rec)
			switch {
			case feature != "":
				later[feature] = append(later[feature], rec.Name)
			case differing[rec.Name] != "":
				if len(diffs) == 0 {
					t.Errorf("matches now; it is no longer different")
				}
			case len(diffs) > 0:
				t.Errorf("differs from AWS:\n%s", strings.Join(diffs, "\n"))
			default:
				matched++
			}
		})
	}
	for _, f := range slices.Sorted(maps.Keys(later)) {
		t.Logf("%d use what is not supported yet: %s", len(later[f]), f)
		if len(later[f]) != features[f] {
			t.Errorf("%d use %s, want %d: %v", len(later[f]), f, features[f], later[f])
		}
	}
	for name, why := range differing {
		t.Logf("different: %s: %s", name, why)
	}
	t.Logf("%d of %d histories match", matched, total)
}

// suffix is what the names of machines have in the recorded calls besides the name that they were made with.
var suffix = regexp.MustCompile(`(stateMachine:[A-Za-z0-9_]+)-zq[0-9]+`)

// replay carries out the calls. It returns the feature that a definition needs and that is not supported, or the differences.
func replay(t *testing.T, rec recording) (feature string, diffs []string) {
	w := newWorld(t)
	w.fakes["dynamodb.PutItem"] = putItemRefusals
	var started []string
	var synced []object
	for _, call := range rec.Calls {
		b, _ := json.Marshal(call.Input)
		var out object
		err := w.Call(t.Context(), "stepfunctions", call.Operation, json.RawMessage(suffix.ReplaceAll(b, []byte("$1"))), &out)
		if err != nil && strings.Contains(err.Error(), "NOT_SUPPORTED: devstack does not support ") {
			_, feature, _ := strings.Cut(err.Error(), "NOT_SUPPORTED: devstack does not support ")
			feature, _, _ = strings.Cut(feature, " at /")
			return feature, nil
		}
		if err != nil {
			return "", []string{call.Operation + ": " + err.Error()}
		}
		switch call.Operation {
		case "StartExecution":
			arn := out["executionArn"].(string)
			started = append(started, arn)
			w.finish(arn, 20)
		case "StartSyncExecution":
			synced = append(synced, out)
		}
	}
	var execs []string
	for _, r := range rec.Recorded {
		if !slices.Contains(execs, r.Exec) {
			execs = append(execs, r.Exec)
		}
	}
	for _, r := range rec.Recorded {
		want, err := value.Decode(string(r.Want))
		if err != nil {
			t.Fatal(err)
		}
		i := slices.Index(execs, r.Exec)
		switch {
		case len(synced) > 0:
			diffs = append(diffs, compareJSON("response", want, decoded(t, synced[i]))...)
		case r.Key == "cases":
			diffs = append(diffs, w.compareCases(want, started)...)
		case r.Key == "describe_execution":
			diffs = append(diffs, compareJSON("execution", want, decoded(t, w.call("DescribeExecution", object{"executionArn": started[i]})))...)
		default:
			got := w.call("GetExecutionHistory", object{"executionArn": started[i], "reverseOrder": strings.HasSuffix(r.Key, "[True]"), "maxResults": 1000})
			diffs = append(diffs, compareHistories(want, decoded(t, got))...)
		}
	}
	return "", diffs
}

// putItemRefusals is as much of DynamoDB's PutItem as the recordings need.
func putItemRefusals(_ context.Context, in json.RawMessage) (any, error) {
	var put struct {
		TableName string
		Item      *json.RawMessage
	}
	if err := json.Unmarshal(in, &put); err != nil {
		return nil, err
	}
	if put.Item == nil {
		return nil, wire.Errorf("ValidationException", 400, "1 validation error detected: Value null at 'item' failed to satisfy constraint: Member must not be null")
	}
	return nil, wire.Errorf("ValidationException", 400, "1 validation error detected: Value '%s' at 'tableName' failed to satisfy constraint: "+
		"Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+", put.TableName)
}

func decoded(t *testing.T, v any) any {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	out, err := value.Decode(b.String())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// compareCases compares inputs and outputs of one execution after another.
func (w *world) compareCases(want any, started []string) (diffs []string) {
	for i, c := range want.([]any) {
		x := w.call("DescribeExecution", object{"executionArn": started[i]})
		out, _ := c.(*value.Object).Get("output")
		diffs = append(diffs, compareJSON(fmt.Sprintf("case %d", i), out, x["output"])...)
	}
	return diffs
}

func get(v any, key string) any {
	o, ok := v.(*value.Object)
	if !ok {
		return nil
	}
	x, _ := o.Get(key)
	return x
}

// compareHistories compares the events. Where branches ran at the same time the recording hides ids, sorts events and leaves
// some out: those are looked for anywhere.
func compareHistories(want, got any) (diffs []string) {
	wanted, ours := get(want, "events").([]any), get(got, "events").([]any)
	hidden := slices.ContainsFunc(wanted, func(e any) bool { _, ok := get(e, "id").([]any); return ok })
	if !hidden {
		if len(wanted) != len(ours) {
			diffs = append(diffs, fmt.Sprintf("%d events, want %d", len(ours), len(wanted)))
		}
		for i := range min(len(wanted), len(ours)) {
			diffs = append(diffs, compareJSON(fmt.Sprintf("event %d", i+1), wanted[i], ours[i])...)
		}
		return diffs
	}
	for _, e := range wanted {
		at := slices.IndexFunc(ours, func(o any) bool { return len(compareJSON("", e, o)) == 0 })
		if at < 0 {
			diffs = append(diffs, "missing: "+value.Encode(e))
			continue
		}
		ours = slices.Delete(ours, at, at+1)
	}
	for _, o := range ours {
		if kind := get(o, "type"); kind != "ParallelStateSucceeded" && kind != "ParallelStateExited" {
			diffs = append(diffs, "too much: "+value.Encode(o))
		}
	}
	return diffs
}

// masks are words that stand for anything in recordings, as do words in angle brackets.
var masks = []string{"timestamp", "datetime", "date", "start-time", "entered-time", "start-date", "stop-date", "RandomNumberGenerated", "snf_role_arn", "sfn_role_arn"}

var placeholder = regexp.MustCompile(`<[^<>]+>`)

// compareJSON compares a recorded value with ours. A recorded object where we have a string is the JSON in the string.
func compareJSON(at string, want, got any) []string {
	switch want := want.(type) {
	case *value.Object:
		if s, ok := got.(string); ok {
			if v, err := value.Decode(s); err == nil {
				got = v
			}
		}
		o, ok := got.(*value.Object)
		if !ok {
			return []string{fmt.Sprintf("%s: got %s, want %s", at, value.Encode(got), value.Encode(want))}
		}
		return compareObjects(at, want, o)
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return []string{fmt.Sprintf("%s: got %s, want %s", at, value.Encode(got), value.Encode(want))}
		}
		var diffs []string
		for i := range want {
			diffs = append(diffs, compareJSON(fmt.Sprintf("%s[%d]", at, i), want[i], list[i])...)
		}
		return diffs
	case string:
		s, ok := got.(string)
		if slices.Contains(masks, want) || ok && matchesMask(want, s) {
			return nil
		}
	case json.Number:
		if n, ok := got.(json.Number); ok && value.Compare(want, n) == 0 {
			return nil
		}
	default:
		if want == got {
			return nil
		}
	}
	return []string{fmt.Sprintf("%s: got %s, want %s", at, value.Encode(got), value.Encode(want))}
}

func matchesMask(want, got string) bool {
	pattern := regexp.QuoteMeta(want)
	pattern = placeholder.ReplaceAllString(pattern, "(?s:.+?)")
	return regexp.MustCompile("^" + pattern + "$").MatchString(got)
}

// compareObjects compares members. Those of our answers come in any order, those of data in AWS's.
func compareObjects(at string, want, got *value.Object) (diffs []string) {
	var keys []string
	for _, k := range want.Keys() {
		if k == "ResponseMetadata" {
			continue
		}
		keys = append(keys, k)
		x, _ := want.Get(k)
		y, ok := got.Get(k)
		switch {
		case !ok:
			diffs = append(diffs, fmt.Sprintf("%s.%s is missing, want %s", at, k, value.Encode(x)))
		case isHidden(want, k), k == "Content-Length":
		default:
			diffs = append(diffs, compareJSON(at+"."+k, x, y)...)
		}
	}
	for _, k := range got.Keys() {
		if _, ok := want.Get(k); !ok {
			y, _ := got.Get(k)
			diffs = append(diffs, fmt.Sprintf("%s.%s: got %s, want none", at, k, value.Encode(y)))
		}
	}
	if len(diffs) == 0 && strings.Contains(at, "put") && !slices.Equal(keys, got.Keys()) {
		diffs = append(diffs, fmt.Sprintf("%s: members in the order %v, want %v", at, got.Keys(), keys))
	}
	return diffs
}

// isHidden reports whether the recording hides an event's id, and with it that of its predecessor.
func isHidden(event *value.Object, key string) bool {
	id, _ := event.Get("id")
	_, hidden := id.([]any)
	return hidden && (key == "id" || key == "previousEventId")
}
