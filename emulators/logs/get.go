package logs

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// maxEvents and maxAnswer bound what one answer carries: events, and bytes of messages.
const (
	maxEvents = 10000
	maxAnswer = 1 << 20
)

// position is a place between events: after the event of a timestamp and number.
type position struct{ timestamp, number int64 }

func (e *event) position() position { return position{e.Timestamp, e.Number} }

// cmp orders positions as their events.
func (p position) cmp(q position) int {
	return cmp.Or(cmp.Compare(p.timestamp, q.timestamp), cmp.Compare(p.number, q.number))
}

// justBefore is the place between the events that are older than an instant and the others.
func justBefore(timestamp int64) position { return position{timestamp, -1} }

// key is the position as the last parts of a key.
func (p position) key() []any { return []any{p.timestamp, p.number} }

// token writes a position for a client, with the direction in which it leads.
func (p position) token(direction string) string {
	return fmt.Sprintf("%s/%020d%036d/s", direction, p.timestamp, p.number)
}

// parseToken reads what token wrote.
func parseToken(token string) (direction string, p position, err error) {
	direction, rest, _ := strings.Cut(token, "/")
	digits, ok := strings.CutSuffix(rest, "/s")
	if !ok || len(digits) != 56 || direction != "f" && direction != "b" {
		return "", p, errInvalidParameterException(msgBadToken)
	}
	var err1, err2 error
	p.timestamp, err1 = strconv.ParseInt(digits[:20], 10, 64)
	p.number, err2 = strconv.ParseInt(digits[20:], 10, 64)
	if err1 != nil || err2 != nil {
		return "", p, errInvalidParameterException(msgBadToken)
	}
	return direction, p, nil
}

// GetLogEvents reads one stream, oldest event first: the latest ones unless StartFromHead, as many as fit 1 MB, at most Limit (1 to
// 10000). StartTime is inclusive, EndTime exclusive, in milliseconds since 1970. There are always both tokens; reading on with one
// at the end of the stream returns no events and the same token.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
func (s *service) GetLogEvents(ctx context.Context, in *GetLogEventsInput) (*GetLogEventsOutput, error) {
	ref, err := oneOf(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	direction, at := "b", position{math.MaxInt64, math.MaxInt64}
	if in.EndTime != nil {
		at = position{*in.EndTime, -1}
	}
	if in.StartFromHead != nil && *in.StartFromHead {
		direction, at = "f", position{math.MinInt64, 0}
	}
	if in.NextToken != nil {
		if direction, at, err = parseToken(*in.NextToken); err != nil {
			return nil, err
		}
	}
	p, now := placeOf(wire.From(ctx)), s.Clock.Now()
	var found []event
	err = s.Store.View(func(tx *store.Tx) error {
		g, err := p.group(tx, ref)
		if err != nil {
			return err
		}
		st, err := p.stream(tx, g.Name, *in.LogStreamName)
		if err != nil {
			return err
		}
		from, to := window(in.StartTime, in.EndTime, g.oldest(now))
		prefix := []any{p.account, p.region, g.Name, st.Name}
		if direction == "b" {
			start := slices.MinFunc([]position{at, justBefore(to)}, position.cmp)
			found, _ = take(events.Before(tx, start.key(), prefix...), from, to, in.Limit)
			slices.Reverse(found)
		} else {
			start := slices.MaxFunc([]position{at, justBefore(from)}, position.cmp)
			found, _ = take(events.After(tx, start.key(), prefix...), from, to, in.Limit)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return readOut(found, at), nil
}

// window returns the times that a reader wants, the first inclusive, the second exclusive.
func window(start, end *int64, oldest int64) (from, to int64) {
	from, to = oldest, math.MaxInt64
	if start != nil {
		from = max(from, *start)
	}
	if end != nil {
		to = *end
	}
	return from, to
}

// take collects events that begin inside a window, in either order of time, until they leave it or one answer carries no more. It
// says whether there are more.
func take(all iter.Seq[event], from, to int64, limit *int32) (found []event, more bool) {
	most, size := maxEvents, 0
	if limit != nil {
		most = int(*limit)
	}
	for e := range all {
		if e.Timestamp < from || e.Timestamp >= to {
			return found, false
		}
		if size += len(e.Message) + perEvent; len(found) == most || len(found) > 0 && size > maxAnswer {
			return found, true
		}
		found = append(found, e)
	}
	return found, false
}

// readOut is an answer with the events and the positions at both ends of them.
func readOut(found []event, at position) *GetLogEventsOutput {
	out := &GetLogEventsOutput{Events: []OutputLogEvent{}}
	first, last := at, at
	if n := len(found); n > 0 {
		first, last = found[0].position(), found[n-1].position()
	}
	if first.timestamp == math.MinInt64 || first.timestamp == math.MaxInt64 { // an empty stream, read without a token
		first, last = position{}, position{}
	}
	first.number, last.number = max(first.number, 0), max(last.number, 0)
	out.NextBackwardToken, out.NextForwardToken = new(first.token("b")), new(last.token("f"))
	for _, e := range found {
		out.Events = append(out.Events, OutputLogEvent{Timestamp: &e.Timestamp, Message: &e.Message, IngestionTime: &e.Ingested})
	}
	return out
}

// FilterLogEvents reads a group in the order of time: all of its streams, or those named or of a prefix, and of them what matches a
// filter pattern. Limit is 1 to 10000, the default; StartTime is inclusive, EndTime too.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
func (s *service) FilterLogEvents(ctx context.Context, in *FilterLogEventsInput) (*FilterLogEventsOutput, error) {
	ref, err := oneOf(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	if in.LogStreamNames != nil && in.LogStreamNamePrefix != nil {
		return nil, errInvalidParameterException("logStreamNames and logStreamNamePrefix are mutually exclusive parameters.") // API reference; the words are a guess
	}
	matches, err := parsePattern(in.FilterPattern)
	if err != nil {
		return nil, err
	}
	if in.StartFromHead != nil && !*in.StartFromHead {
		return nil, wire.NotImplemented("logs.FilterLogEvents: StartFromHead false is not emulated")
	}
	at := position{math.MinInt64, 0}
	if in.NextToken != nil {
		if _, at, err = parseToken(*in.NextToken); err != nil {
			return nil, err
		}
	}
	p, now := placeOf(wire.From(ctx)), s.Clock.Now()
	out := &FilterLogEventsOutput{}
	err = s.Store.View(func(tx *store.Tx) error {
		*out = FilterLogEventsOutput{Events: []FilteredLogEvent{}, SearchedLogStreams: []SearchedLogStream{}}
		g, err := p.group(tx, ref)
		if err != nil {
			return err
		}
		var end *int64
		if in.EndTime != nil {
			end = new(*in.EndTime + 1)
		}
		from, to := window(in.StartTime, end, g.oldest(now))
		start := slices.MaxFunc([]position{at, justBefore(from)}, position.cmp)
		wanted := func(yield func(event) bool) {
			for e := range times.After(tx, start.key(), p.account, p.region, g.Name) {
				if e.Timestamp >= to { // most of what follows may not match, and need not be looked at
					return
				}
				if in.ofStream(e.Stream) && matches(e.Message) && !yield(e) {
					return
				}
			}
		}
		found, more := take(wanted, from, to, in.Limit)
		for _, e := range found {
			out.Events = append(out.Events, FilteredLogEvent{
				LogStreamName: &e.Stream, Timestamp: &e.Timestamp, Message: &e.Message, IngestionTime: &e.Ingested,
				EventId: new(fmt.Sprintf("%020d%036d", e.Timestamp, e.Number)),
			})
		}
		if more {
			out.NextToken = new(found[len(found)-1].position().token("f"))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ofStream reports whether a stream is among those that the request is about.
func (in *FilterLogEventsInput) ofStream(name string) bool {
	switch {
	case in.LogStreamNames != nil:
		return slices.Contains(in.LogStreamNames, name)
	case in.LogStreamNamePrefix != nil:
		return strings.HasPrefix(name, *in.LogStreamNamePrefix)
	}
	return true
}
