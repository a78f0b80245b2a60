package lambda

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"devstack/emulators/store"
	"devstack/internal/clock"
)

const aQueue = "arn:aws:sqs:us-east-1:000000000000:q"

// toQueue is a mapping's destination for failures.
var toQueue = &DestinationConfig{OnFailure: &OnFailure{Destination: new(aQueue)}}

// feedWith is feed with a stream that is prepared.
func feedWith(t *testing.T, dir string, c clock.Clock, f *scripted, st *stream, in CreateEventSourceMappingInput) *Service {
	t.Helper()
	s := open(t, dir, c, f, st)
	st.s = s
	in.FunctionName, in.EventSourceArn, in.StartingPosition = new("f"), new(aStream), new(EventSourcePositionTrimHorizon)
	if _, err := s.CreateEventSourceMapping(t.Context(), &in); err != nil {
		t.Fatal(err)
	}
	return s
}

func (st *stream) told() []string {
	st.mu.Lock()
	defer st.mu.Unlock()
	return slices.Clone(st.sent)
}

func TestRecordsThatAreGivenUpAreTold(t *testing.T) {
	const info = `"DDBStreamBatchInfo":{"shardId":"0","startSequenceNumber":"%s","endSequenceNumber":"%s","approximateArrivalOfFirstRecord":"2026-01-02T03:04:05Z","approximateArrivalOfLastRecord":"2026-01-02T03:04:05Z","batchSize":%d,"streamArn":"` + aStream + `"}}`
	for _, tt := range []struct {
		name   string
		in     CreateEventSourceMappingInput
		answer Outcome
		late   time.Duration
		want   string
	}{
		{"after two attempts", CreateEventSourceMappingInput{MaximumRetryAttempts: new(int32(1))}, Outcome{Failed: true}, 0,
			`"functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":2},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"TIME",` + fmt.Sprintf(info, "1", "2", 2)},
		{"that the function reports", CreateEventSourceMappingInput{MaximumRetryAttempts: new(int32(0)), FunctionResponseTypes: []string{FunctionResponseTypeReportBatchItemFailures}}, Outcome{Payload: []byte(`{"batchItemFailures":[{"itemIdentifier":"2"}]}`)}, 0,
			`"condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":null},"version":"1.0","timestamp":"TIME",` + fmt.Sprintf(info, "2", "2", 1)},
		{"that are too old", CreateEventSourceMappingInput{MaximumRecordAgeInSeconds: new(int32(60))}, Outcome{}, 61 * time.Second,
			`"condition":"RecordAgeExceeded","approximateInvokeCount":0},"version":"1.0","timestamp":"TIME",` + fmt.Sprintf(info, "1", "2", 2)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, st := clock.Fixed(epoch.Add(tt.late)), &stream{queues: true, records: 2}
			f := &scripted{answer: func(int, string) (*Outcome, error) { return &tt.answer, nil }}
			tt.in.DestinationConfig = toQueue
			feedWith(t, t.TempDir(), c, f, st, tt.in)
			until(t, "message", func() bool { c.Advance(time.Second); return len(st.told()) == 1 })
			var r struct{ Timestamp string }
			got := st.told()[0]
			if err := json.Unmarshal([]byte(got), &r); err != nil {
				t.Fatal(err, got)
			}
			if got = strings.Replace(got, r.Timestamp, "TIME", 1); !strings.HasSuffix(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestLanesKeepTheOrderOfAKey(t *testing.T) {
	c, st := clock.Fixed(epoch), &stream{records: 40}
	var both = make(chan bool, 2)
	f := &scripted{answer: func(n int, payload string) (*Outcome, error) {
		if n <= 2 { // the first of either lane waits for the other's
			both <- true
			for len(both) < 2 {
				time.Sleep(time.Millisecond)
			}
		}
		return &Outcome{Payload: []byte("null")}, nil
	}}
	s := feedWith(t, t.TempDir(), c, f, st, CreateEventSourceMappingInput{BatchSize: new(int32(3)), ParallelizationFactor: new(int32(10))})
	until(t, "progress", func() bool { c.Advance(time.Second); return progress(t, s)["0"] == "40" })
	var odd, even []string
	for _, payload := range f.seen() {
		for id := range strings.SplitSeq(ids(payload), ",") {
			if strings.ContainsAny(id[len(id)-1:], "13579") {
				odd = append(odd, id)
			} else {
				even = append(even, id)
			}
		}
	}
	for _, key := range [][]string{odd, even} {
		if len(key) != 20 {
			t.Errorf("records of a key: %v", key)
		}
		for i := 1; i < len(key); i++ {
			var a, b int
			fmt.Sscan(key[i-1], &a)
			fmt.Sscan(key[i], &b)
			if a >= b {
				t.Errorf("records of a key come in the order %v", key)
				break
			}
		}
	}
}

// progress is how far the one mapping has read.
func progress(t *testing.T, s *Service) (read map[string]string) {
	t.Helper()
	if err := s.Store.View(func(tx *store.Tx) error {
		for m := range mappings.All(tx) {
			read = m.Read
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return read
}

// counts answers with how many records the window had so far.
func counts(_ int, payload string) (*Outcome, error) {
	var ev struct {
		Records []any
		State   struct{ N int }
	}
	if err := json.Unmarshal([]byte(payload), &ev); err != nil {
		return nil, err
	}
	return &Outcome{Payload: fmt.Appendf(nil, `{"state":{"n":%d}}`, ev.State.N+len(ev.Records))}, nil
}

// windows shows events of windows: their records, window, state and flags.
func windows(f *scripted) (all []string) {
	for _, payload := range f.seen() {
		var ev windowEvent
		if err := json.Unmarshal([]byte(payload), &ev); err != nil {
			return append(all, err.Error())
		}
		all = append(all, fmt.Sprint(ids(payload), " ", ev.Window.Start[14:19], "-", ev.Window.End[14:19], " ", string(ev.State), " ", ev.Final, " ", ev.Early))
	}
	return all
}

func TestTumblingWindows(t *testing.T) {
	dir, c, st := t.TempDir(), clock.Fixed(epoch), &stream{records: 5, every: 4 * time.Second} // at 05, 09, 13, 17 and 21 seconds
	f := &scripted{answer: counts}
	in := CreateEventSourceMappingInput{BatchSize: new(int32(2)), TumblingWindowInSeconds: new(int32(10))}
	s := feedWith(t, dir, c, f, st, in)
	until(t, "five records", func() bool { return len(f.seen()) == 5 && progress(t, s)["0"] == "5" })
	s.Close() // the window that is open, and its state, are the next process's
	s.Store.Close()
	st.s = open(t, dir, c, f, st)
	if err := st.s.Resume(); err != nil {
		t.Fatal(err)
	}
	until(t, "end of the last window", func() bool { c.Advance(time.Second); return len(f.seen()) == 6 })
	want := []string{
		`1,2 04:00-04:10 {} false false`, ` 04:00-04:10 {"n":2} true false`,
		`3,4 04:10-04:20 {} false false`, ` 04:10-04:20 {"n":2} true false`,
		`5 04:20-04:30 {} false false`, ` 04:20-04:30 {"n":1} true false`,
	}
	if got := windows(f); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if now := c.Now(); now.Before(epoch.Add(25 * time.Second)) {
		t.Errorf("the last window ended at %v", now)
	}
	if first := f.seen()[0]; !strings.HasSuffix(first, `"window":{"start":"2026-01-02T03:04:00Z","end":"2026-01-02T03:04:10Z"},"state":{},"shardId":"0","eventSourceARN":"`+aStream+`","isFinalInvokeForWindow":false,"isWindowTerminatedEarly":false}`) {
		t.Errorf("the event is %s", first)
	}
}

func TestAWindowWhoseStateIsTooLargeEndsEarly(t *testing.T) {
	c, st := clock.Fixed(epoch), &stream{records: 2}
	f := &scripted{answer: func(n int, _ string) (*Outcome, error) {
		if n == 1 {
			return &Outcome{Payload: []byte(`{"state":"` + strings.Repeat("x", maxWindowState) + `"}`)}, nil
		}
		return &Outcome{Payload: []byte(`{"state":{}}`)}, nil
	}}
	feedWith(t, t.TempDir(), c, f, st, CreateEventSourceMappingInput{BatchSize: new(int32(1)), TumblingWindowInSeconds: new(int32(900))})
	until(t, "three events", func() bool { return len(f.seen()) == 3 })
	got := windows(f)
	if !strings.HasSuffix(got[1], "true true") || got[2] != "2 00:00-15:00 {} false false" {
		t.Errorf("got %.60s and %s", got[1], got[2])
	}
}

func TestAnAnswerWithoutStateIsAFailure(t *testing.T) {
	c, st := clock.Fixed(epoch), &stream{queues: true, records: 1}
	f := &scripted{}
	feedWith(t, t.TempDir(), c, f, st, CreateEventSourceMappingInput{TumblingWindowInSeconds: new(int32(900)), MaximumRetryAttempts: new(int32(0)), DestinationConfig: toQueue})
	until(t, "message", func() bool { return len(st.told()) == 1 })
}

func TestStatesOfAMapping(t *testing.T) {
	s, _ := feed(t, clock.Fixed(epoch), &scripted{}, CreateEventSourceMappingInput{})
	list, err := s.ListEventSourceMappings(t.Context(), &ListEventSourceMappingsInput{})
	if err != nil || len(list.EventSourceMappings) != 1 {
		t.Fatal(list, err)
	}
	id := list.EventSourceMappings[0].UUID
	for _, tt := range []struct {
		in   UpdateEventSourceMappingInput
		want string
	}{
		{UpdateEventSourceMappingInput{BatchSize: new(int32(7))}, "Updating"},
		{UpdateEventSourceMappingInput{Enabled: new(false)}, "Disabling"},
		{UpdateEventSourceMappingInput{Enabled: new(false)}, "Updating"},
		{UpdateEventSourceMappingInput{Enabled: new(true)}, "Enabling"},
	} {
		tt.in.UUID = id
		out, err := s.UpdateEventSourceMapping(t.Context(), &tt.in)
		if err != nil || *out.State != tt.want {
			t.Errorf("%v %v, want %s", out, err, tt.want)
		}
	}
}
