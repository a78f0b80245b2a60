package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"devstack/emulators/wire"
	"devstack/internal/clock"
)

const aStream = "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-01-02T03:04:05.000"

// stream is a DynamoDB stream.
type stream struct {
	mu      sync.Mutex
	records int
	ends    []int         // the last records of the shards that are closed
	page    int           // of a GetRecords, in records; 0: all
	every   time.Duration // between two records
	queues  bool          // there is SQS
	sent    []string      // messages to queues
	s       *Service
}

// add writes records and wakes the service, as a writer does.
func (st *stream) add(n int) {
	st.mu.Lock()
	st.records += n
	st.mu.Unlock()
	st.s.Wake(context.Background(), aStream)
}

// roll closes the open shard.
func (st *stream) roll() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.ends = append(st.ends, st.records)
}

// shards describes one shard at a time, in pages.
func (st *stream) shards(after string) map[string]any {
	n := 0
	if after != "" {
		n, _ = strconv.Atoi(after)
		n++
	}
	d := map[string]any{"Shards": []any{map[string]any{"ShardId": fmt.Sprint(n)}}}
	if n < len(st.ends) {
		d["LastEvaluatedShardId"] = fmt.Sprint(n)
	}
	return map[string]any{"StreamDescription": d}
}

// read answers GetRecords to an iterator, which is a shard and the number of a record.
func (st *stream) read(iterator string) map[string]any {
	var shard, after int
	fmt.Sscanf(iterator, "%d after %d", &shard, &after)
	last, closed := st.records, shard < len(st.ends)
	if closed {
		last = st.ends[shard]
	}
	if st.page > 0 && last > after+st.page {
		last, closed = after+st.page, false
	}
	records := []any{}
	for n := after + 1; n <= last; n++ {
		records = append(records, map[string]any{
			"eventID": fmt.Sprint(n), "userIdentity": map[string]any{"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"},
			"dynamodb": map[string]any{
				"SequenceNumber": fmt.Sprint(n), "ApproximateCreationDateTime": epoch.Add(time.Duration(n-1) * st.every).Unix(),
				"Keys": map[string]any{"id": map[string]any{"N": fmt.Sprint(n % 2)}},
			},
		})
	}
	out := map[string]any{"Records": records}
	if !closed {
		out["NextShardIterator"] = fmt.Sprintf("%d after %d", shard, max(last, after))
	}
	return out
}

// Call answers the three operations that a poller needs. Sequence numbers count from 1.
func (st *stream) Call(_ context.Context, service, operation string, in, out any) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	p := in.(map[string]any)
	var answer any
	if service == "sqs" && !st.queues {
		return wire.Errorf("UnknownService", 404, "devstack emulates no service for the service sqs")
	}
	switch operation {
	case "SendMessage":
		st.sent = append(st.sent, p["MessageBody"].(string))
	case "DescribeStream":
		if p["StreamArn"] != aStream {
			return wire.Errorf("ResourceNotFoundException", 400, "no")
		}
		after, _ := p["ExclusiveStartShardId"].(string)
		answer = st.shards(after)
	case "GetShardIterator":
		after, ok := p["SequenceNumber"].(string)
		if shard, _ := strconv.Atoi(p["ShardId"].(string)); !ok && shard > 0 {
			after = fmt.Sprint(st.ends[shard-1])
		}
		answer = map[string]any{"ShardIterator": fmt.Sprintf("%s after %s", p["ShardId"], after)}
	case "GetRecords":
		answer = st.read(p["ShardIterator"].(string))
	}
	if out == nil {
		return nil
	}
	b, _ := json.Marshal(answer)
	return json.Unmarshal(b, out)
}

// ids are the event ids in a batch that a function was handed.
func ids(payload string) string {
	var ev struct{ Records []struct{ EventID string } }
	if err := json.Unmarshal([]byte(payload), &ev); err != nil {
		return err.Error()
	}
	var out []string
	for _, r := range ev.Records {
		out = append(out, r.EventID)
	}
	return strings.Join(out, ",")
}

// feed makes a mapping from the stream to f and returns what adds records.
func feed(t *testing.T, c clock.Clock, f *scripted, in CreateEventSourceMappingInput) (*Service, *stream) {
	t.Helper()
	st := &stream{}
	s := open(t, t.TempDir(), c, f, st)
	st.s = s
	in.FunctionName, in.EventSourceArn = new("f"), new(aStream)
	if in.StartingPosition == nil {
		in.StartingPosition = new(EventSourcePositionTrimHorizon)
	}
	if _, err := s.CreateEventSourceMapping(t.Context(), &in); err != nil {
		t.Fatal(err)
	}
	return s, st
}

// batches waits until f was handed n batches and returns their ids.
func batches(t *testing.T, c *clock.Moving, f *scripted, n int) (got []string) {
	t.Helper()
	until(t, fmt.Sprintf("batch %d", n), func() bool { c.Advance(time.Second); return len(f.seen()) >= n })
	for _, payload := range f.seen() {
		got = append(got, ids(payload))
	}
	return got
}

func TestBatchesInOrder(t *testing.T) {
	c, f := clock.Fixed(epoch), &scripted{}
	_, st := feed(t, c, f, CreateEventSourceMappingInput{BatchSize: new(int32(2))})
	st.add(5)
	if got := batches(t, c, f, 3); !slices.Equal(got, []string{"1,2", "3,4", "5"}) {
		t.Errorf("got %v", got)
	}
	if first := f.seen()[0]; !strings.Contains(first, `"userIdentity":{"principalId":"dynamodb.amazonaws.com","type":"Service"}`) || !strings.Contains(first, `"eventSourceARN":"`+aStream) {
		t.Errorf("the event is %s", first)
	}
}

func TestLatestBeginsAtTheEnd(t *testing.T) {
	c, f, st := clock.Fixed(epoch), &scripted{}, &stream{records: 3, page: 2}
	s := open(t, t.TempDir(), c, f, st)
	st.s = s
	if _, err := s.CreateEventSourceMapping(t.Context(), &CreateEventSourceMappingInput{FunctionName: new("f"), EventSourceArn: new(aStream), StartingPosition: new(EventSourcePositionLatest)}); err != nil {
		t.Fatal(err)
	}
	st.add(1)
	if got := batches(t, c, f, 1); !slices.Equal(got, []string{"4"}) {
		t.Errorf("got %v", got)
	}
}

func TestLatestIsKeptThoughNothingWasRead(t *testing.T) {
	dir, c, f, st := t.TempDir(), clock.Fixed(epoch), &scripted{}, &stream{records: 3}
	s := open(t, dir, c, f, st)
	if _, err := s.CreateEventSourceMapping(t.Context(), &CreateEventSourceMappingInput{FunctionName: new("f"), EventSourceArn: new(aStream), StartingPosition: new(EventSourcePositionLatest)}); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s.Store.Close()
	st.records += 2 // while nobody reads
	st.s = open(t, dir, c, f, st)
	if err := st.s.Resume(); err != nil {
		t.Fatal(err)
	}
	if got := batches(t, c, f, 1); !slices.Equal(got, []string{"4,5"}) {
		t.Errorf("got %v", got)
	}
}

func TestChildrenWaitForTheirParents(t *testing.T) {
	c, st := clock.Fixed(epoch), &stream{page: 2}
	f := &scripted{answer: func(n int, _ string) (*Outcome, error) { return &Outcome{Failed: n < 3, Payload: []byte("null")}, nil }}
	st.s = open(t, t.TempDir(), c, f, st)
	st.add(5)
	st.roll()
	st.roll() // nothing was written for hours
	st.add(1)
	if _, err := st.s.CreateEventSourceMapping(t.Context(), &CreateEventSourceMappingInput{FunctionName: new("f"), EventSourceArn: new(aStream), StartingPosition: new(EventSourcePositionTrimHorizon)}); err != nil {
		t.Fatal(err)
	}
	if got := batches(t, c, f, 6); !slices.Equal(got, []string{"1,2", "1,2", "1,2", "3,4", "5", "6"}) {
		t.Errorf("got %v", got)
	}
	st.roll()
	st.add(1)
	if got := batches(t, c, f, 7); got[6] != "7" {
		t.Errorf("after another shard was closed: %v", got)
	}
}

func TestLatestGoesOnInTheNextShard(t *testing.T) {
	c, f, st := clock.Fixed(epoch), &scripted{}, &stream{records: 3}
	st.s = open(t, t.TempDir(), c, f, st)
	if _, err := st.s.CreateEventSourceMapping(t.Context(), &CreateEventSourceMappingInput{FunctionName: new("f"), EventSourceArn: new(aStream), StartingPosition: new(EventSourcePositionLatest)}); err != nil {
		t.Fatal(err)
	}
	st.roll()
	st.add(2)
	if got := batches(t, c, f, 1); !slices.Equal(got, []string{"4,5"}) {
		t.Errorf("got %v", got)
	}
}

func TestAClosedShardDoesNotWaitForAWindow(t *testing.T) {
	c, f, st := clock.Fixed(epoch), &scripted{}, &stream{records: 1, ends: []int{1}}
	st.s = open(t, t.TempDir(), c, f, st)
	if _, err := st.s.CreateEventSourceMapping(t.Context(), &CreateEventSourceMappingInput{
		FunctionName: new("f"), EventSourceArn: new(aStream), StartingPosition: new(EventSourcePositionTrimHorizon), MaximumBatchingWindowInSeconds: new(int32(300)),
	}); err != nil {
		t.Fatal(err)
	}
	until(t, "batch", func() bool { return len(f.seen()) == 1 })
}

func TestAFullBatchDoesNotWaitForItsWindow(t *testing.T) {
	c, f := clock.Fixed(epoch), &scripted{}
	_, st := feed(t, c, f, CreateEventSourceMappingInput{BatchSize: new(int32(3)), MaximumBatchingWindowInSeconds: new(int32(300))})
	st.add(2)
	st.add(1)
	until(t, "batch", func() bool { st.add(0); return len(f.seen()) == 1 })
	if got := ids(f.seen()[0]); got != "1,2,3" {
		t.Errorf("got %s", got)
	}
	st.add(1)
	if got := batches(t, c, f, 2); got[1] != "4" {
		t.Errorf("after its window: %v", got)
	}
}

func TestWhatIsNotRunIsNoAttempt(t *testing.T) {
	c := clock.Fixed(epoch)
	f := &scripted{answer: func(n int, _ string) (*Outcome, error) {
		if n < 4 {
			return nil, wire.Errorf("TooManyRequestsException", 429, "Rate Exceeded.")
		}
		return &Outcome{Payload: []byte("null")}, nil
	}}
	s, st := feed(t, c, f, CreateEventSourceMappingInput{MaximumRetryAttempts: new(int32(0))})
	st.add(1)
	batches(t, c, f, 4)
	until(t, "success", func() bool { return result(t, s) == "OK" })
}

// result is the LastProcessingResult of the one mapping.
func result(t *testing.T, s *Service) string {
	t.Helper()
	list, err := s.ListEventSourceMappings(t.Context(), &ListEventSourceMappingsInput{})
	if err != nil || len(list.EventSourceMappings) != 1 {
		t.Fatal(list, err)
	}
	return *list.EventSourceMappings[0].LastProcessingResult
}

func TestAMappingThatIsUpdatedHasOnePoller(t *testing.T) {
	c, f := clock.System(), &scripted{}
	s, st := feed(t, c, f, CreateEventSourceMappingInput{BatchSize: new(int32(1))})
	list, err := s.ListEventSourceMappings(t.Context(), &ListEventSourceMappingsInput{})
	if err != nil {
		t.Fatal(err)
	}
	const n = 200
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range n / 4 {
				st.add(1)
				if i%5 == g {
					if _, err := s.UpdateEventSourceMapping(t.Context(), &UpdateEventSourceMappingInput{UUID: list.EventSourceMappings[0].UUID, MaximumRetryAttempts: new(int32(i))}); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	until(t, "delivery of the last record", func() bool { seen := f.seen(); return len(seen) > 0 && ids(seen[len(seen)-1]) == fmt.Sprint(n) })
	before := 0
	for _, payload := range f.seen() {
		id, _ := strconv.Atoi(ids(payload))
		if id != before+1 {
			t.Fatalf("record %d after %d", id, before)
		}
		before = id
	}
}

func TestAFailedBatchBlocksItsShard(t *testing.T) {
	c := clock.Fixed(epoch)
	f := &scripted{answer: func(n int, _ string) (*Outcome, error) { return &Outcome{Failed: n < 3, Payload: []byte("null")}, nil }}
	_, st := feed(t, c, f, CreateEventSourceMappingInput{BatchSize: new(int32(2))})
	st.add(4)
	if got := batches(t, c, f, 4); !slices.Equal(got, []string{"1,2", "1,2", "1,2", "3,4"}) {
		t.Errorf("got %v", got)
	}
}

func TestRetriesAreLimited(t *testing.T) {
	c := clock.Fixed(epoch)
	f := &scripted{answer: func(_ int, payload string) (*Outcome, error) {
		return &Outcome{Failed: strings.Contains(payload, `"eventID":"1"`), Payload: []byte("null")}, nil
	}}
	_, st := feed(t, c, f, CreateEventSourceMappingInput{BatchSize: new(int32(1)), MaximumRetryAttempts: new(int32(1))})
	st.add(2)
	if got := batches(t, c, f, 3); !slices.Equal(got, []string{"1", "1", "2"}) {
		t.Errorf("got %v", got)
	}
}

func TestABatchIsBisected(t *testing.T) {
	c := clock.Fixed(epoch)
	f := &scripted{answer: func(_ int, payload string) (*Outcome, error) {
		return &Outcome{Failed: strings.Contains(payload, `"eventID":"3"`), Payload: []byte("null")}, nil
	}}
	_, st := feed(t, c, f, CreateEventSourceMappingInput{MaximumRetryAttempts: new(int32(2)), BisectBatchOnFunctionError: new(true)})
	st.add(4)
	until(t, "delivery of all but the bad one", func() bool {
		c.Advance(time.Second)
		done := map[string]bool{}
		for _, payload := range f.seen() {
			if !strings.Contains(payload, `"eventID":"3"`) {
				for id := range strings.SplitSeq(ids(payload), ",") {
					done[id] = true
				}
			}
		}
		return done["1"] && done["2"] && done["4"]
	})
}

func TestReportedFailuresAreTriedAgainAlone(t *testing.T) {
	c := clock.Fixed(epoch)
	f := &scripted{answer: func(n int, _ string) (*Outcome, error) {
		if n == 1 {
			return &Outcome{Payload: []byte(`{"batchItemFailures":[{"itemIdentifier":"3"}]}`)}, nil
		}
		return &Outcome{Payload: []byte(`{"batchItemFailures":[]}`)}, nil
	}}
	_, st := feed(t, c, f, CreateEventSourceMappingInput{FunctionResponseTypes: []string{FunctionResponseTypeReportBatchItemFailures}})
	st.add(4)
	if got := batches(t, c, f, 2); !slices.Equal(got, []string{"1,2,3,4", "3,4"}) {
		t.Errorf("got %v", got)
	}
}

func TestFilteredRecordsAreDoneWith(t *testing.T) {
	c, f := clock.Fixed(epoch), &scripted{}
	_, st := feed(t, c, f, CreateEventSourceMappingInput{FilterCriteria: &FilterCriteria{Filters: []Filter{{Pattern: new(`{"eventID":["2","3"]}`)}}}})
	st.add(4)
	st.add(1)
	if got := batches(t, c, f, 1); !slices.Equal(got, []string{"2,3"}) {
		t.Errorf("got %v", got)
	}
}

func TestADisabledMappingRests(t *testing.T) {
	c, f := clock.Fixed(epoch), &scripted{}
	s, st := feed(t, c, f, CreateEventSourceMappingInput{Enabled: new(false)})
	st.add(1)
	c.Advance(time.Minute)
	list, err := s.ListEventSourceMappings(t.Context(), &ListEventSourceMappingsInput{FunctionName: new("f")})
	if err != nil || len(list.EventSourceMappings) != 1 || *list.EventSourceMappings[0].State != "Disabled" || len(f.seen()) != 0 {
		t.Fatalf("got %v %v, events %v", list, err, f.seen())
	}
	if _, err := s.UpdateEventSourceMapping(t.Context(), &UpdateEventSourceMappingInput{UUID: list.EventSourceMappings[0].UUID, Enabled: new(true)}); err != nil {
		t.Fatal(err)
	}
	if got := batches(t, c, f, 1); !slices.Equal(got, []string{"1"}) {
		t.Errorf("once enabled: %v", got)
	}
}

func TestMappingRefusals(t *testing.T) {
	s, _ := feed(t, clock.Fixed(epoch), &scripted{}, CreateEventSourceMappingInput{})
	position := new(EventSourcePositionLatest)
	for _, tt := range []struct {
		name string
		in   CreateEventSourceMappingInput
		err  string
	}{
		{"no source", CreateEventSourceMappingInput{FunctionName: new("f")}, "InvalidParameterValueException: " + msgUnknownSource},
		{"no such function", CreateEventSourceMappingInput{FunctionName: new("g"), EventSourceArn: new(aStream)}, "InvalidParameterValueException: " + msgUnknownFunction},
		{"no such stream", CreateEventSourceMappingInput{FunctionName: new("f"), EventSourceArn: new(aStream + "x"), StartingPosition: position}, "InvalidParameterValueException: Stream not found: " + aStream + "x"},
		{"no position", CreateEventSourceMappingInput{FunctionName: new("f"), EventSourceArn: new(aStream)}, "InvalidParameterValueException: " + msgNoPosition},
		{"the same again", CreateEventSourceMappingInput{FunctionName: new("f"), EventSourceArn: new(aStream), StartingPosition: position}, "ResourceConflictException: An event source mapping with event source arn"},
		{"a queue", CreateEventSourceMappingInput{FunctionName: new("f"), EventSourceArn: new("arn:aws:sqs:us-east-1:000000000000:q")}, "NotImplemented: lambda.CreateEventSourceMapping: event sources of sqs"},
		{"a filter that is none", CreateEventSourceMappingInput{FunctionName: new("f"), EventSourceArn: new(aStream), StartingPosition: position, FilterCriteria: &FilterCriteria{Filters: []Filter{{Pattern: new(`{"eventName": ["INSERT"=123}`)}}}}, "InvalidParameterValueException: " + msgBadFilter},
		{"records that may be hardly any older than now", CreateEventSourceMappingInput{FunctionName: new("f"), EventSourceArn: new(aStream), StartingPosition: position, MaximumRecordAgeInSeconds: new(int32(59))}, "InvalidParameterValueException: 1 validation error detected: Value '59' at 'maximumRecordAgeInSeconds'"},
		{"a queue for failures while there are none", CreateEventSourceMappingInput{FunctionName: new("f"), EventSourceArn: new(aStream), StartingPosition: position, DestinationConfig: &DestinationConfig{OnFailure: &OnFailure{Destination: new(aQueue)}}}, "NotImplemented: lambda: " + aQueue + " cannot be a destination: devstack does not emulate the service sqs"},
		{"a function for failures", CreateEventSourceMappingInput{FunctionName: new("f"), EventSourceArn: new(aStream), StartingPosition: position, DestinationConfig: &DestinationConfig{OnFailure: &OnFailure{Destination: new(another)}}}, "InvalidParameterValueException: The provided destination config DestinationConfig(onSuccess=null, onFailure=OnFailure(destination=" + another},
		{"a destination for successes", CreateEventSourceMappingInput{FunctionName: new("f"), EventSourceArn: new(aStream), StartingPosition: position, DestinationConfig: &DestinationConfig{OnSuccess: &OnSuccess{Destination: new(aQueue)}}}, "InvalidParameterValueException: " + msgNoSuccess},
		{"six filters", CreateEventSourceMappingInput{FunctionName: new("f"), EventSourceArn: new(aStream), StartingPosition: position, FilterCriteria: &FilterCriteria{Filters: slices.Repeat([]Filter{{Pattern: new("{}")}}, 6)}}, "InvalidParameterValueException: The number of filters"},
		{"windows in lanes", CreateEventSourceMappingInput{FunctionName: new("f"), EventSourceArn: new(aStream), StartingPosition: position, TumblingWindowInSeconds: new(int32(1)), ParallelizationFactor: new(int32(2))}, "NotImplemented: lambda: an event source mapping with TumblingWindowInSeconds"},
	} {
		if _, err := s.CreateEventSourceMapping(t.Context(), &tt.in); err == nil || !strings.HasPrefix(err.Error(), tt.err) {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.err)
		}
	}
	if _, err := s.GetEventSourceMapping(t.Context(), &GetEventSourceMappingInput{UUID: new("x")}); err == nil || err.Error() != "ResourceNotFoundException: "+msgUnknownMapping {
		t.Errorf("no such mapping: %v", err)
	}
}
