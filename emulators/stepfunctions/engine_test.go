package stepfunctions

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"devstack/emulators/store"
	"devstack/internal/trace"
)

const function = "arn:aws:lambda:us-east-1:111111111111:function:f"

// answered is a function that answers its input, and counts its calls.
func answered(calls *[]string, mu *sync.Mutex) fake {
	return func(_ context.Context, in json.RawMessage) (any, error) {
		var call struct{ Payload []byte }
		if err := json.Unmarshal(in, &call); err != nil {
			return nil, err
		}
		mu.Lock()
		defer mu.Unlock()
		*calls = append(*calls, string(call.Payload))
		return object{"StatusCode": 200, "Payload": call.Payload}, nil
	}
}

// TestRestart interrupts executions where they wait, by a stop and by a kill, and compares what comes to pass with what would
// have without.
func TestRestart(t *testing.T) {
	for _, tt := range []struct {
		name       string
		definition string
		input      string
	}{
		{"in a Wait", `{"StartAt":"A","States":{"A":{"Type":"Pass","Result":{"x":1},"Next":"W"},"W":{"Type":"Wait","Seconds":30,"Next":"B"},"B":{"Type":"Succeed"}}}`, `{}`},
		{"in the delay before a retry", `{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"` + function + `","Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":30,"MaxAttempts":2}],
			"Catch":[{"ErrorEquals":["States.ALL"],"Next":"B"}],"End":true},"B":{"Type":"Pass","End":true}}}`, `{"fail":true}`},
		{"in a branch of a Parallel", `{"StartAt":"P","States":{"P":{"Type":"Parallel","Branches":[{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":30,"Next":"X"},"X":{"Type":"Pass","Result":1,"End":true}}}],"End":true}}}`, `{}`},
		{"in the second iteration of a Map, one at a time", `{"StartAt":"M","States":{"M":{"Type":"Map","MaxConcurrency":1,"ItemProcessor":{"StartAt":"C","States":{
			"C":{"Type":"Choice","Choices":[{"Variable":"$","NumericEquals":2,"Next":"W"}],"Default":"T"},"W":{"Type":"Wait","Seconds":30,"Next":"T"},
			"T":{"Type":"Task","Resource":"` + function + `","End":true}}},"Next":"Again"},"Again":{"Type":"Map","ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Pass","End":true}}},"MaxConcurrency":1,"End":true}}}`, `[1,2,3]`},
		{"in a Map in a Parallel in a Map", `{"StartAt":"M","States":{"M":{"Type":"Map","MaxConcurrency":1,"ItemProcessor":{"StartAt":"P","States":{"P":{"Type":"Parallel","Branches":[{"StartAt":"N","States":{
			"N":{"Type":"Map","MaxConcurrency":1,"ItemProcessor":{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":30,"End":true}}},"End":true}}}],"End":true}}},"End":true}}}`, `[[1,2],[3]]`},
	} {
		for _, how := range []string{"not", "stopped", "killed"} {
			t.Run(tt.name+", "+how, func(t *testing.T) {
				want := walkThrough(t, tt.definition, tt.input, "not")
				got := walkThrough(t, tt.definition, tt.input, how)
				if !slices.Equal(got, want) {
					t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			})
		}
	}
}

// walkThrough runs an execution with an interruption at every rest, and returns its history and the calls it made.
func walkThrough(t *testing.T, definition, input, how string) []string {
	t.Helper()
	w := newWorld(t)
	var mu sync.Mutex
	var calls []string
	echo := answered(&calls, &mu)
	w.fakes["lambda.Invoke"] = func(ctx context.Context, in json.RawMessage) (any, error) {
		out, err := echo(ctx, in)
		if o, ok := out.(object); ok && strings.Contains(string(o["Payload"].([]byte)), "fail") {
			o["FunctionError"], o["Payload"] = "Unhandled", []byte(`{"errorType":"E"}`)
		}
		return out, err
	}
	arn := w.call("StartExecution", object{"stateMachineArn": w.create("m", "STANDARD", definition), "name": "x", "input": input})["executionArn"].(string)
	for range 20 {
		w.idle()
		switch how {
		case "stopped":
			w.restart()
		case "killed":
			w.crash()
		}
		w.idle()
		w.clock.Advance(10 * time.Second)
	}
	if got := w.describe(arn)["status"]; got != "SUCCEEDED" {
		t.Fatalf("status %v", got)
	}
	return append(w.history(arn), calls...)
}

// TestKilledDuringACall kills the process while a function works: the call is made again, and nothing is recorded twice.
func TestKilledDuringACall(t *testing.T) {
	w := newWorld(t)
	called := make(chan struct{}, 10)
	var answer atomic.Bool
	w.fakes["lambda.Invoke"] = func(ctx context.Context, _ json.RawMessage) (any, error) {
		called <- struct{}{}
		if !answer.Load() {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return object{"StatusCode": 200, "Payload": []byte("1")}, nil
	}
	arn := w.start(w.create("m", "STANDARD", `{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"`+function+`","End":true}}}`), `{}`)
	<-called
	w.close()
	answer.Store(true)
	w.open()
	w.resume()
	<-called
	w.describe(arn)
	if got := types(w.history(arn)); got != "ExecutionStarted TaskStateEntered LambdaFunctionScheduled LambdaFunctionStarted LambdaFunctionSucceeded TaskStateExited ExecutionSucceeded" {
		t.Errorf("history: %s", got)
	}
}

// types is the types of events, without their details.
func types(history []string) string {
	var out []string
	for _, line := range history {
		out = append(out, strings.Fields(line)[2])
	}
	return strings.Join(out, " ")
}

// tokenMachine sends a token to a queue and waits for somebody to give it back.
const tokenMachine = `{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","HeartbeatSeconds":60,"TimeoutSeconds":600,
	"Parameters":{"QueueUrl":"q","MessageBody":{"token.$":"$$.Task.Token"}},"Catch":[{"ErrorEquals":["States.ALL"],"Next":"C"}],"End":true},"C":{"Type":"Pass","End":true}}}`

// tokenWorld starts an execution that waits for its token.
func tokenWorld(t *testing.T) (w *world, arn, token string) {
	w = newWorld(t)
	sent := make(chan string, 1)
	w.fakes["sqs.SendMessage"] = func(_ context.Context, in json.RawMessage) (any, error) {
		var m struct{ MessageBody struct{ Token string } }
		err := json.Unmarshal(in, &m)
		sent <- m.MessageBody.Token
		return object{"MessageId": "1"}, err
	}
	arn = w.start(w.create("m", "STANDARD", tokenMachine), `{}`)
	token = <-sent
	w.until(arn, submitted)
	return w, arn, token
}

// until waits until the execution's own branch is in a phase.
func (w *world) until(arn string, p phase) {
	w.t.Helper()
	for range 2000 {
		var f frame
		if err := w.store.View(func(tx *store.Tx) error { f, _ = frames.Get(tx, arn, ""); return nil }); err != nil {
			w.t.Fatal(err)
		}
		if f.Phase == p {
			return
		}
		time.Sleep(time.Millisecond)
	}
	w.t.Fatalf("never in phase %q", p)
}

func TestTaskTokens(t *testing.T) {
	const before = "ExecutionStarted TaskStateEntered TaskScheduled TaskStarted TaskSubmitted "
	for _, tt := range []struct {
		name   string
		act    func(w *world, token string)
		types  string
		output string
	}{
		{"a success gives its output", func(w *world, token string) {
			w.call("SendTaskSuccess", object{"taskToken": token, "output": `{"a": 1}`})
		}, before + "TaskSucceeded TaskStateExited ExecutionSucceeded", `{"a": 1}`},
		{"a failure can be caught, and what it does not give is null", func(w *world, token string) {
			w.call("SendTaskFailure", object{"taskToken": token, "error": "E"})
		}, before + "TaskFailed TaskStateExited PassStateEntered PassStateExited ExecutionSucceeded", `{"Error":"E","Cause":null}`},
		{"without a heartbeat the task times out", func(w *world, token string) { w.clock.Advance(time.Minute) },
			before + "TaskTimedOut TaskStateExited PassStateEntered PassStateExited ExecutionSucceeded", `{"Error":"States.HeartbeatTimeout","Cause":""}`},
		{"with heartbeats it lives until its timeout", func(w *world, token string) {
			for range 19 {
				w.clock.Advance(30 * time.Second)
				w.call("SendTaskHeartbeat", object{"taskToken": token})
				w.beaten(token)
			}
			w.clock.Advance(30 * time.Second)
		}, before + "TaskTimedOut TaskStateExited PassStateEntered PassStateExited ExecutionSucceeded", `{"Error":"States.Timeout","Cause":""}`},
		{"a restart in between is not noticed", func(w *world, token string) {
			w.crash()
			w.call("SendTaskSuccess", object{"taskToken": token, "output": `2`})
		}, before + "TaskSucceeded TaskStateExited ExecutionSucceeded", `2`},
		{"a success that was acknowledged before a kill counts after it", func(w *world, token string) {
			w.engine.Close() // nobody listens any more
			w.call("SendTaskSuccess", object{"taskToken": token, "output": `3`})
			w.crash()
		}, before + "TaskSucceeded TaskStateExited ExecutionSucceeded", `3`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, arn, token := tokenWorld(t)
			tt.act(w, token)
			x := w.describe(arn)
			if x["output"] != tt.output {
				t.Errorf("output %v, want %v", x["output"], tt.output)
			}
			if got := types(w.history(arn)); got != tt.types {
				t.Errorf("history: %s", got)
			}
			err := w.Call(t.Context(), "stepfunctions", "SendTaskSuccess", object{"taskToken": token, "output": "1"}, nil)
			if err == nil || err.Error() != "TaskTimedOut: "+msgTaskGone {
				t.Errorf("a second answer: %v", err)
			}
		})
	}
}

// beaten waits until a heartbeat has been taken.
func (w *world) beaten(token string) {
	for l := w.engine.listener(token); l != nil && len(l.beat) > 0; {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(5 * time.Millisecond) // the timer is set anew after that
}

func TestWaitingForAnExecution(t *testing.T) {
	child := `{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":30,"Next":"C"},"C":{"Type":"Choice","Choices":[{"Variable":"$.fail","BooleanEquals":true,"Next":"F"}],"Default":"S"},"F":{"Type":"Fail","Error":"E","Cause":"C"},"S":{"Type":"Succeed"}}}`
	parent := func(pattern string, child string) string {
		return `{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution` + pattern + `","Parameters":{"StateMachineArn":"` + child + `","Name":"c","Input.$":"$"},"End":true}}}`
	}
	for _, tt := range []struct {
		name, pattern, input string
		status, member, want string
	}{
		{"its output is text", ".sync", `{"fail":false}`, "SUCCEEDED", "Output", `"{\"fail\":false}"`},
		{"or JSON in the second form", ".sync:2", `{"fail":false}`, "SUCCEEDED", "Output", `{"fail":false}`},
		{"its failure is the task's", ".sync:2", `{"fail":true}`, "FAILED", "Error", `"E"`},
	} {
		for _, interrupted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, interrupted %v", tt.name, interrupted), func(t *testing.T) {
				w := newWorld(t)
				c := w.create("child", "STANDARD", child)
				arn := w.start(w.create("parent", "STANDARD", parent(tt.pattern, c)), tt.input)
				w.until(arn, submitted)
				if interrupted {
					w.crash()
				}
				x := w.describe(arn)
				if x["status"] != tt.status {
					t.Fatalf("status %v: %v", x["status"], x["cause"])
				}
				text, _ := x["output"].(string)
				if tt.status == "FAILED" {
					if x["error"] != errTaskFailed {
						t.Errorf("error %v", x["error"])
					}
					text = x["cause"].(string)
				}
				var out map[string]json.RawMessage
				if err := json.Unmarshal([]byte(text), &out); err != nil {
					t.Fatal(err)
				}
				if string(out[tt.member]) != tt.want {
					t.Errorf("%s is %s, want %s", tt.member, out[tt.member], tt.want)
				}
			})
		}
	}
	t.Run("a parent that is stopped stops it", func(t *testing.T) {
		w := newWorld(t)
		c := w.create("child", "STANDARD", child)
		arn := w.start(w.create("parent", "STANDARD", parent(".sync", c)), `{}`)
		w.until(arn, submitted)
		w.call("StopExecution", object{"executionArn": arn})
		for range 2000 {
			if x := w.call("DescribeExecution", object{"executionArn": strings.Replace(c, ":stateMachine:", ":execution:", 1) + ":c"}); x["status"] == "ABORTED" {
				return
			}
			time.Sleep(time.Millisecond)
		}
		t.Error("the child goes on")
	})
}

// TestFirstFailureStopsTheOthers: what the other branches were doing is recorded as aborted.
func TestFirstFailureStopsTheOthers(t *testing.T) {
	w := newWorld(t)
	calls := make(chan struct{})
	w.fakes["lambda.Invoke"] = func(ctx context.Context, in json.RawMessage) (any, error) {
		if strings.Contains(string(in), "other") {
			close(calls)
			<-ctx.Done()
			return nil, ctx.Err()
		}
		<-calls
		w.waitingBranches(2)
		return object{"StatusCode": 200, "FunctionError": "Unhandled", "Payload": []byte(`{"errorType":"E"}`)}, nil
	}
	task := func(name, arn string) string {
		return `{"StartAt":"` + name + `","States":{"` + name + `":{"Type":"Task","Resource":"` + arn + `","End":true}}}`
	}
	arn := w.start(w.create("m", "STANDARD", `{"StartAt":"P","States":{"P":{"Type":"Parallel","Branches":[`+task("T", function)+`,`+task("O", function+":other")+`,
		{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":1000000,"End":true}}},
		{"StartAt":"M","States":{"M":{"Type":"Map","ItemProcessor":{"StartAt":"V","States":{"V":{"Type":"Wait","Seconds":1000000,"End":true}}},"End":true}}}],
		"Catch":[{"ErrorEquals":["E"],"Next":"C"}],"End":true},"C":{"Type":"Pass","End":true}}}`), `[1]`)
	w.describe(arn)
	got := types(w.history(arn))
	for kind, n := range map[string]int{"TaskStateAborted": 2, "WaitStateAborted": 2, "MapIterationAborted": 1, "MapStateAborted": 1, "ParallelStateFailed": 1, "ParallelStateExited": 1, "ExecutionSucceeded": 1} {
		if strings.Count(got, kind) != n {
			t.Errorf("%d events %s, want %d, in %s", strings.Count(got, kind), kind, n, got)
		}
	}
}

// waitingBranches waits until a number of branches are in Wait states.
func (w *world) waitingBranches(n int) {
	for range 2000 {
		found := 0
		_ = w.store.View(func(tx *store.Tx) error {
			found = 0
			for arn := range running.All(tx) {
				for f := range frames.All(tx, arn) {
					if f.Phase == waiting {
						found++
					}
				}
			}
			return nil
		})
		if found == n {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func TestEndsFromOutside(t *testing.T) {
	loop := `{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Choice","Choices":[{"Variable":"$","IsNull":true,"Next":"C"}],"Default":"A"},"C":{"Type":"Succeed"}}}`
	t.Run("a machine's timeout", func(t *testing.T) {
		w := newWorld(t)
		arn := w.start(w.create("m", "STANDARD", `{"TimeoutSeconds":5,"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":60,"End":true}}}`), `{}`)
		w.idle()
		w.crash()
		x := w.describe(arn)
		if x["status"] != "TIMED_OUT" || x["error"] != "States.Timeout" {
			t.Errorf("got %v", x)
		}
		if got := types(w.history(arn)); got != "ExecutionStarted WaitStateEntered ExecutionTimedOut" {
			t.Errorf("history: %s", got)
		}
	})
	t.Run("its machine's deletion", func(t *testing.T) {
		w := newWorld(t)
		m := w.create("m", "STANDARD", `{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"W"},"W":{"Type":"Wait","Seconds":60,"End":true}}}`)
		arn := w.start(m, `{}`)
		w.until(arn, waiting)
		r := w.engine.running(arn)
		w.call("DeleteStateMachine", object{"stateMachineArn": m})
		<-r.done
		err := w.store.View(func(tx *store.Tx) error {
			for range frames.All(tx, arn) {
				t.Error("a frame is left")
			}
			for range events.All(tx, arn) {
				t.Error("an event is left")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	t.Run("a history of 25,000 events", func(t *testing.T) {
		w := newWorld(t)
		arn := w.start(w.create("m", "STANDARD", loop), `{}`)
		for w.engine.running(arn) != nil {
			time.Sleep(time.Millisecond)
		}
		x := w.describe(arn)
		if x["error"] != errRuntime || x["cause"] != "The execution reached the maximum number of history events (25000)." {
			t.Errorf("got %v", x)
		}
		out := w.call("GetExecutionHistory", object{"executionArn": arn, "reverseOrder": true, "maxResults": 1})
		if e := out["events"].([]any)[0].(object); e["id"] != 25000.0 || e["type"] != "ExecutionFailed" {
			t.Errorf("the last event is %v", e)
		}
	})
	t.Run("an express execution's five minutes", func(t *testing.T) {
		w := newWorld(t)
		m := w.create("m", "EXPRESS", `{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":600,"End":true}}}`)
		done := make(chan object, 1)
		go func() { done <- w.call("StartSyncExecution", object{"stateMachineArn": m}) }()
		for {
			select {
			case x := <-done:
				if x["status"] != "TIMED_OUT" {
					t.Errorf("got %v", x)
				}
				return
			case <-time.After(time.Millisecond):
				w.clock.Advance(time.Second)
			}
		}
	})
	t.Run("data that nests too deep", func(t *testing.T) {
		w := newWorld(t)
		arn := w.start(w.create("m", "STANDARD", `{"StartAt":"A","States":{"A":{"Type":"Pass","Parameters":{"a.$":"$"},"Next":"B"},"B":{"Type":"Choice","Choices":[{"Variable":"$","IsNull":true,"Next":"C"}],"Default":"A"},"C":{"Type":"Succeed"}}}`), strings.Repeat("[", 990)+strings.Repeat("]", 990))
		if x := w.describe(arn); x["error"] != errRuntime || !strings.HasSuffix(x["cause"].(string), "Document nesting depth (1001) exceeds the maximum allowed (1000)") {
			t.Errorf("got %v: %v", x["error"], x["cause"])
		}
	})
	t.Run("data that is too large", func(t *testing.T) {
		w := newWorld(t)
		w.fakes["lambda.Invoke"] = func(context.Context, json.RawMessage) (any, error) {
			return object{"StatusCode": 200, "Payload": []byte(`"` + strings.Repeat("x", maxData) + `"`)}, nil
		}
		x := w.describe(w.start(w.create("m", "STANDARD", `{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"`+function+`","End":true}}}`), `{}`))
		if x["error"] != errDataLimit || x["cause"] != "The state/task '"+function+"' returned a result with a size exceeding the maximum number of bytes service limit." {
			t.Errorf("got %v: %v", x["error"], x["cause"])
		}
	})
}

// TestTrace: the states of an execution are spans of the trace that started it, also after a restart.
func TestTrace(t *testing.T) {
	w := newWorld(t)
	ring := trace.NewRing(100, w.clock.Now)
	var mu sync.Mutex
	var calls []string
	w.fakes["lambda.Invoke"] = answered(&calls, &mu)
	machine := w.create("m", "STANDARD", `{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"`+function+`","Next":"W"},"W":{"Type":"Wait","Seconds":9,"Next":"U"},"U":{"Type":"Task","Resource":"`+function+`","End":true}}}`)
	ctx, span := trace.Start(ring.Context(t.Context()), "api", "POST /")
	var out object
	if err := w.Call(ctx, "stepfunctions", "StartExecution", object{"stateMachineArn": machine, "input": `"in"`}, &out); err != nil {
		t.Fatal(err)
	}
	span.End(nil)
	w.until(out["executionArn"].(string), waiting)
	w.close()
	w.open()
	if err := w.engine.Resume(ring.Context(t.Context())); err != nil {
		t.Fatal(err)
	}
	w.describe(out["executionArn"].(string))
	var names []string
	for _, s := range ring.Trace(span.TraceID()) {
		if s.Kind == "state" {
			names = append(names, s.Name+" "+s.Input+" "+s.Output)
		}
	}
	if !slices.Equal(names, []string{`T "in" "in"`, `U "in" "in"`}) {
		t.Errorf("spans: %q", names)
	}
}
