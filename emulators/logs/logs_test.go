package logs

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"devstack/emulators/kit"
	"devstack/emulators/store"
	"devstack/emulators/wire"
	"devstack/internal/clock"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// open returns a service with the group g and its stream s.
func open(t *testing.T) (*service, *clock.Moving) {
	t.Helper()
	st := store.New("", store.Options{Ephemeral: true})
	t.Cleanup(func() { st.Close() })
	c := clock.Fixed(epoch)
	s := &service{kit.Env{Store: st, Clock: c, Log: slog.New(slog.DiscardHandler), IDs: kit.SeededIDs(1)}}
	if _, err := s.CreateLogGroup(t.Context(), &CreateLogGroupInput{LogGroupName: new("g")}); err != nil {
		t.Fatal(err)
	}
	addStream(t, s, "s")
	return s, c
}

func addStream(t *testing.T, s *service, name string) {
	t.Helper()
	if _, err := s.CreateLogStream(t.Context(), &CreateLogStreamInput{LogGroupName: new("g"), LogStreamName: &name}); err != nil {
		t.Fatal(err)
	}
}

// put writes messages, each a second after the one before it.
func put(t *testing.T, s *service, stream string, first time.Time, messages ...string) *PutLogEventsOutput {
	t.Helper()
	in := &PutLogEventsInput{LogGroupName: new("g"), LogStreamName: &stream}
	for i, m := range messages {
		in.LogEvents = append(in.LogEvents, InputLogEvent{Timestamp: new(first.Add(time.Duration(i) * time.Second).UnixMilli()), Message: &m})
	}
	out, err := s.PutLogEvents(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func messages(out *GetLogEventsOutput) string {
	var m []string
	for _, e := range out.Events {
		m = append(m, *e.Message)
	}
	return strings.Join(m, " ")
}

func TestGetLogEventsPages(t *testing.T) {
	s, _ := open(t)
	put(t, s, "s", epoch, "a", "b", "c", "d", "e")
	get := func(in GetLogEventsInput) *GetLogEventsOutput {
		t.Helper()
		in.LogGroupName, in.LogStreamName, in.Limit = new("g"), new("s"), new(int32(2))
		out, err := s.GetLogEvents(t.Context(), &in)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	latest := get(GetLogEventsInput{})
	if got := messages(latest); got != "d e" {
		t.Errorf("without a direction: %s, want the latest two", got)
	}
	if got := messages(get(GetLogEventsInput{NextToken: latest.NextBackwardToken})); got != "b c" {
		t.Errorf("backward from there: %s", got)
	}
	head := get(GetLogEventsInput{StartFromHead: new(true)})
	if got := messages(head); got != "a b" {
		t.Errorf("from the head: %s", got)
	}
	next := get(GetLogEventsInput{NextToken: head.NextForwardToken})
	if got := messages(next); got != "c d" {
		t.Errorf("forward from there: %s", got)
	}
	end := get(GetLogEventsInput{NextToken: get(GetLogEventsInput{NextToken: next.NextForwardToken}).NextForwardToken})
	if again := get(GetLogEventsInput{NextToken: end.NextForwardToken}); len(again.Events) != 0 || *again.NextForwardToken != *end.NextForwardToken {
		t.Errorf("at the end the token stays: %v", again)
	}
	put(t, s, "s", epoch.Add(time.Minute), "f")
	if got := messages(get(GetLogEventsInput{NextToken: end.NextForwardToken})); got != "f" {
		t.Errorf("what came later is read on from the token: %s", got)
	}
	if got := messages(get(GetLogEventsInput{StartFromHead: new(true), StartTime: new(epoch.Add(time.Second).UnixMilli()), EndTime: new(epoch.Add(2 * time.Second).UnixMilli())})); got != "b" {
		t.Errorf("the end is exclusive: %s", got)
	}
}

func TestReadersBeginAtTheirWindow(t *testing.T) {
	s, _ := open(t)
	put(t, s, "s", epoch, "a", "b", "c", "d", "e")
	from, to := new(epoch.Add(time.Second).UnixMilli()), new(epoch.Add(4*time.Second).UnixMilli())
	for name, fromHead := range map[string]bool{"b c d": true, "d c b": false} {
		in := &GetLogEventsInput{LogGroupName: new("g"), LogStreamName: new("s"), StartTime: from, EndTime: to, StartFromHead: &fromHead, Limit: new(int32(1))}
		var got []string
		for range 4 {
			out, err := s.GetLogEvents(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if len(out.Events) > 0 {
				got = append(got, messages(out))
			}
			if in.NextToken = out.NextForwardToken; !fromHead {
				in.NextToken = out.NextBackwardToken
			}
		}
		if strings.Join(got, " ") != name {
			t.Errorf("one by one: %v, want %s", got, name)
		}
	}
	out, err := s.FilterLogEvents(t.Context(), &FilterLogEventsInput{LogGroupName: new("g"), StartTime: from, EndTime: to})
	if err != nil || len(out.Events) != 4 || *out.Events[0].Message != "b" {
		t.Errorf("filtered, the end inclusive: %v %v", out, err)
	}
}

func TestGroupNamePatternsMindCase(t *testing.T) {
	s, _ := open(t)
	for _, name := range []string{"aws/DataLogs", "GroupDataLogs", "datalogs", "Data/log/s"} {
		if _, err := s.CreateLogGroup(t.Context(), &CreateLogGroupInput{LogGroupName: &name}); err != nil {
			t.Fatal(err)
		}
	}
	out, err := s.DescribeLogGroups(t.Context(), &DescribeLogGroupsInput{LogGroupNamePattern: new("DataLogs")})
	if err != nil || len(out.LogGroups) != 2 {
		t.Errorf("got %v %v, want the two that the API reference names", out, err)
	}
}

func TestFilterLogEventsMergesStreamsByTime(t *testing.T) {
	s, _ := open(t)
	addStream(t, s, "s2")
	put(t, s, "s", epoch, "a", "c")
	put(t, s, "s2", epoch.Add(500*time.Millisecond), "b", "d")
	var got []string
	in := &FilterLogEventsInput{LogGroupName: new("g"), Limit: new(int32(3))}
	for {
		out, err := s.FilterLogEvents(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range out.Events {
			got = append(got, *e.LogStreamName+":"+*e.Message)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	if want := []string{"s:a", "s2:b", "s:c", "s2:d"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestPatterns(t *testing.T) {
	line, object := "ERROR code=404 [main] not found", `{"level":"error","n":7,"user":{"name":"ada"},"tags":["x"],"gone":null,"ok":true}`
	for _, tt := range []struct {
		pattern string
		message string
		want    bool
	}{
		{"", line, true},
		{"ERROR", line, true},
		{"error", line, false},
		{"ERROR found", line, true},
		{"ERROR lost", line, false},
		{`"code=404"`, line, true},
		{`"not found" -ERROR`, line, false},
		{"ERROR -WARN", line, true},
		{"?WARN ?ERROR", line, true},
		{"?WARN ?INFO", line, false},
		{`%code=\d{3}%`, line, true},
		{`{ $.level = "error" }`, object, true},
		{`{ $.level = error }`, object, true},
		{`{ $.level = "err*" }`, object, true},
		{`{ $.level != "error" }`, object, false},
		{`{ $.n > 6 && $.n <= 7 }`, object, true},
		{`{ $.n = 8 || $.user.name = "ada" }`, object, true},
		{`{ ($.n = 8 || $.n = 7) && $.tags[0] = "x" }`, object, true},
		{`{ $.gone IS NULL }`, object, true},
		{`{ $.gone NOT EXISTS }`, object, false},
		{`{ $.nothing NOT EXISTS }`, object, true},
		{`{ $.ok IS TRUE }`, object, true},
		{`{ $.n = 7 }`, line, false},
		{`{ $.user.name = %^a% }`, object, true},
	} {
		m, err := parsePattern(&tt.pattern)
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
		} else if got := m(tt.message); got != tt.want {
			t.Errorf("%s on %s: %v", tt.pattern, tt.message, got)
		}
	}
	for _, bad := range []string{`"open`, `%open`, `a=b`, `{ $.a }`, `{ a = 1 }`, `{ $.a = 1`, `{ ($.a = 1 }`, `{ $.a > "x" }`, `[a, b]`, "?"} {
		if _, err := parsePattern(&bad); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

func FuzzPattern(f *testing.F) {
	f.Add(`{ $.a.b[0] = "x*" && ($.n > 1.5 || $.c NOT EXISTS) }`, `{"a":1}`)
	f.Add(`?a -"b c" %d+%`, "a b c")
	f.Fuzz(func(t *testing.T, pattern, message string) {
		if m, err := parsePattern(&pattern); err == nil {
			m(message)
		}
	})
}

func TestRetentionFollowsTheClock(t *testing.T) {
	s, c := open(t)
	put(t, s, "s", epoch, "old")
	if _, err := s.PutRetentionPolicy(t.Context(), &PutRetentionPolicyInput{LogGroupName: new("g"), RetentionInDays: new(int32(1))}); err != nil {
		t.Fatal(err)
	}
	c.Advance(25 * time.Hour)
	out, err := s.FilterLogEvents(t.Context(), &FilterLogEventsInput{LogGroupName: new("g")})
	if err != nil || len(out.Events) != 0 {
		t.Errorf("after 25 h with a retention of a day: %v %v", out, err)
	}
	put(t, s, "s", c.Now(), "new")
	groups, err := s.DescribeLogGroups(t.Context(), &DescribeLogGroupsInput{})
	if err != nil || *groups.LogGroups[0].StoredBytes != int64(len("new")+perEvent) {
		t.Errorf("the old event still takes room: %v %v", groups, err)
	}
}

func TestRejectedEvents(t *testing.T) {
	s, _ := open(t)
	out := put(t, s, "s", epoch.Add(-maxAge-2*time.Second), "old", "old", "new enough")
	if r := out.RejectedLogEventsInfo; r == nil || r.TooOldLogEventEndIndex == nil || *r.TooOldLogEventEndIndex != 2 {
		t.Errorf("rejected: %+v", r)
	}
	out = put(t, s, "s", epoch.Add(maxAhead), "soon", "too new")
	if r := out.RejectedLogEventsInfo; r == nil || r.TooNewLogEventStartIndex == nil || *r.TooNewLogEventStartIndex != 1 {
		t.Errorf("rejected: %+v", r)
	}
}

func TestAnswersThatWereRecorded(t *testing.T) {
	s, _ := open(t)
	ctx := t.Context()
	event := func(ms int64) InputLogEvent { return InputLogEvent{Timestamp: &ms, Message: new("m")} }
	for _, tt := range []struct {
		name, code, message string
		call                func() error
	}{
		{"a group twice", "ResourceAlreadyExistsException", msgGroupExists, func() error {
			_, err := s.CreateLogGroup(ctx, &CreateLogGroupInput{LogGroupName: new("g")})
			return err
		}},
		{"a stream twice", "ResourceAlreadyExistsException", msgStreamExists, func() error {
			_, err := s.CreateLogStream(ctx, &CreateLogStreamInput{LogGroupName: new("g"), LogStreamName: new("s")})
			return err
		}},
		{"no such group", "ResourceNotFoundException", msgNoGroup, func() error {
			_, err := s.GetLogEvents(ctx, &GetLogEventsInput{LogGroupName: new("x"), LogStreamName: new("s")})
			return err
		}},
		{"no such stream", "ResourceNotFoundException", msgNoStream, func() error {
			_, err := s.PutLogEvents(ctx, &PutLogEventsInput{LogGroupName: new("g"), LogStreamName: new("x"), LogEvents: []InputLogEvent{event(epoch.UnixMilli())}})
			return err
		}},
		{"a token that is none", "InvalidParameterException", msgBadToken, func() error {
			_, err := s.FilterLogEvents(ctx, &FilterLogEventsInput{LogGroupName: new("g"), NextToken: new("invalid")})
			return err
		}},
		{"a prefix and a pattern", "InvalidParameterException", msgPrefixOrElse, func() error {
			_, err := s.DescribeLogGroups(ctx, &DescribeLogGroupsInput{LogGroupNamePrefix: new("a"), LogGroupNamePattern: new("b")})
			return err
		}},
		{"events out of order", "InvalidParameterException", msgOrder, func() error {
			_, err := s.PutLogEvents(ctx, &PutLogEventsInput{LogGroupName: new("g"), LogStreamName: new("s"), LogEvents: []InputLogEvent{event(2), event(1)}})
			return err
		}},
	} {
		var e *wire.Error
		if err := tt.call(); !errors.As(err, &e) || e.Code != tt.code || e.Message != tt.message {
			t.Errorf("%s: %v, want %s: %s", tt.name, err, tt.code, tt.message)
		}
	}
}

func TestDescribeLogStreams(t *testing.T) {
	s, _ := open(t)
	for i := range 5 {
		addStream(t, s, fmt.Sprintf("t%d", i))
	}
	put(t, s, "t3", epoch, "x")
	out, err := s.DescribeLogStreams(t.Context(), &DescribeLogStreamsInput{LogGroupName: new("g"), OrderBy: new(OrderByLastEventTime), Descending: new(true), Limit: new(int32(1))})
	if err != nil || *out.LogStreams[0].LogStreamName != "t3" || out.NextToken == nil {
		t.Errorf("the stream with the latest event: %v %v", out, err)
	}
	out, err = s.DescribeLogStreams(t.Context(), &DescribeLogStreamsInput{LogGroupName: new("g"), LogStreamNamePrefix: new("t"), Limit: new(int32(50))})
	if err != nil || len(out.LogStreams) != 5 {
		t.Errorf("by prefix: %v %v", out, err)
	}
}
