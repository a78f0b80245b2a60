package dynamodb

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// The bounds of GetRecords and of the lists.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html
const (
	maxRecords    = 1000
	maxRecordSize = 1 << 20 // bytes in one answer
	maxStreams    = 100
	maxShards     = 100
	iteratorLife  = 15 * time.Minute
)

// What DynamoDB Streams says.
const (
	msgStreamNotFound = "Requested resource not found: Stream: %s not found"
	msgShardNotFound  = "Requested resource not found: Shard does not exist" // https://github.com/ironSource/node-dynamodb-stream/issues/16
	msgBadIterator    = "Invalid ShardIterator"                              // a guess
	msgTrimmed        = "The data you are trying to access has been trimmed" // https://github.com/ironSource/node-dynamodb-stream/issues/13

	// Kinesis's words for its own iterators (https://github.com/awslabs/amazon-kinesis-client/issues/701); that those of
	// DynamoDB Streams are told so too is a guess.
	msgExpiredIterator = "Iterator expired. The iterator was created at time %s while right now it is %s which is further in the future than the tolerated delay of %d milliseconds."
	msgNoSequence      = "Sequence number is required for shard iterator type %s" // a guess
	msgBadSequence     = "Invalid SequenceNumber"                                 // a guess
	msgBadStreamARN    = "Invalid StreamArn"                                      // what the AWS SDK for JavaScript's tests against AWS expect
	msgNoParent        = "ShardFilter must have a Type and a ShardId"             // a guess

	// The words of a constraint, by analogy: the models tell the upper limits in prose only.
	msgTooMany = "1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value less than or equal to %d"
)

// limited is a Limit that is given, or the most that there may be.
func limited(given *int32, most int) (int, error) {
	switch {
	case given == nil:
		return most, nil
	case int(*given) > most:
		return 0, errValidation(msgTooMany, *given, most)
	}
	return int(*given), nil
}

// find looks a stream up by its ARN.
func (s *streamService) find(tx *store.Tx, r *wire.Request, arn string, now time.Time) (*stream, error) {
	name, ok := strings.CutPrefix(arn, r.ARN("dynamodb", "table/"))
	name, label, isStream := strings.Cut(name, "/stream/")
	if !strings.HasPrefix(arn, "arn:") || !strings.Contains(arn, "/stream/") {
		return nil, errValidation(msgBadStreamARN)
	}
	if ok && isStream {
		if m, exists := streams.Get(tx, r.Account, r.Region, name, label); exists && !m.gone(now) {
			return &m, nil
		}
	}
	return nil, errStreamsResourceNotFoundException(msgStreamNotFound, arn)
}

// ListStreams lists the streams of the account in the region, or of one table, those among them that were disabled in the
// last 24 hours.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_ListStreams.html
func (s *streamService) ListStreams(ctx context.Context, in *StreamsListStreamsInput) (out *StreamsListStreamsOutput, err error) {
	r, now := wire.From(ctx), s.Clock.Now()
	limit, err := limited(in.Limit, maxStreams)
	if err != nil {
		return nil, err
	}
	prefix := []any{r.Account, r.Region}
	if in.TableName != nil {
		prefix = append(prefix, *in.TableName)
	}
	err = s.Store.View(func(tx *store.Tx) error {
		after := ""
		if in.ExclusiveStartStreamArn != nil {
			m, err := s.find(tx, r, *in.ExclusiveStartStreamArn, now)
			if err != nil {
				return err
			}
			after = m.ARN
		}
		out = &StreamsListStreamsOutput{Streams: []StreamsStream{}}
		for m := range streams.All(tx, prefix...) {
			if after != "" || m.gone(now) {
				if m.ARN == after {
					after = ""
				}
				continue
			}
			if len(out.Streams) == limit {
				out.LastEvaluatedStreamArn = out.Streams[limit-1].StreamArn
				break
			}
			out.Streams = append(out.Streams, StreamsStream{StreamArn: new(m.ARN), TableName: new(m.Table), StreamLabel: new(m.Label)})
		}
		return nil
	})
	return out, err
}

// DescribeStream describes a stream and its shards, parents before children, 100 at a time.
//
// A shard without an EndingSequenceNumber is open. Shards whose records are all older than 24 hours are left out, though a
// child goes on naming its parent. ShardFilter leaves only the children of a shard.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_DescribeStream.html
func (s *streamService) DescribeStream(ctx context.Context, in *StreamsDescribeStreamInput) (out *StreamsDescribeStreamOutput, err error) {
	r, now := wire.From(ctx), s.Clock.Now()
	limit, err := limited(in.Limit, maxShards)
	if err != nil {
		return nil, err
	}
	if f := in.ShardFilter; f != nil && (f.Type == nil || f.ShardId == nil) {
		return nil, errValidation(msgNoParent)
	}
	err = s.Store.View(func(tx *store.Tx) error {
		m, err := s.find(tx, r, *in.StreamArn, now)
		if err != nil {
			return err
		}
		d := &StreamsStreamDescription{
			StreamArn: new(m.ARN), StreamLabel: new(m.Label), StreamStatus: new(m.status(tx, now)), StreamViewType: new(m.View),
			CreationRequestDateTime: new(m.Created), TableName: new(m.Table), KeySchema: m.Key.wire(), Shards: []StreamsShard{},
		}
		for shard := range m.shards(now) {
			w := shard.wire(tx, now)
			if in.ExclusiveStartShardId != nil && *w.ShardId <= *in.ExclusiveStartShardId { // ids sort by time
				continue
			}
			if in.ShardFilter != nil && !is(w.ParentShardId, *in.ShardFilter.ShardId) {
				continue
			}
			if len(d.Shards) == limit {
				d.LastEvaluatedShardId = d.Shards[limit-1].ShardId
				break
			}
			d.Shards = append(d.Shards, w)
		}
		out = &StreamsDescribeStreamOutput{StreamDescription: d}
		return nil
	})
	return out, err
}

// status is the StreamStatus: on its way for as long as the table's change of it is.
func (m *stream) status(tx *store.Tx, now time.Time) string {
	t, _ := tables.Get(tx, m.Account, m.Region, m.Table)
	left := t.settle(now)
	changing := left != nil && left.Label == m.Label && (left.under(streaming) != nil || left.under(creating) != nil)
	switch {
	case changing && m.Disabled != nil:
		return StreamsStreamStatusDisabling
	case changing:
		return StreamsStreamStatusEnabling
	case m.Disabled != nil:
		return StreamsStreamStatusDisabled
	}
	return StreamsStreamStatusEnabled
}

// GetShardIterator returns a place in a shard, which is good for 15 minutes.
//
// TrimmedDataAccessException if the records from SequenceNumber on are older than 24 hours.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetShardIterator.html
func (s *streamService) GetShardIterator(ctx context.Context, in *StreamsGetShardIteratorInput) (out *StreamsGetShardIteratorOutput, err error) {
	r, now := wire.From(ctx), s.Clock.Now()
	err = s.Store.View(func(tx *store.Tx) error {
		m, err := s.find(tx, r, *in.StreamArn, now)
		if err != nil {
			return err
		}
		shard, known := m.shard(*in.ShardId, now)
		if !known || shard.n < m.first(now).n {
			return errStreamsResourceNotFoundException(msgShardNotFound)
		}
		from, err := shard.place(tx, in, now)
		if err == nil {
			out = &StreamsGetShardIteratorOutput{ShardIterator: new(newIterator(shard, from, now))}
		}
		return err
	})
	return out, err
}

// place finds the sequence number that an iterator begins with.
func (s shard) place(tx *store.Tx, in *StreamsGetShardIteratorInput, now time.Time) (uint64, error) {
	kind, trim, end := *in.ShardIteratorType, s.oldest(tx, now), s.end(tx)
	switch kind {
	case StreamsShardIteratorTypeTrimHorizon:
		return trim, nil
	case StreamsShardIteratorTypeLatest:
		return end, nil
	}
	if in.SequenceNumber == nil {
		return 0, errValidation(msgNoSequence, kind)
	}
	n, ok := sequenceNumber(*in.SequenceNumber)
	switch {
	case !ok || n/perShard != s.n || n >= end && n != s.start(): // of another shard, or of a record that is yet to come
		return 0, errValidation(msgBadSequence)
	case n < trim:
		return 0, errStreamsTrimmedDataAccessException(msgTrimmed)
	case kind == StreamsShardIteratorTypeAfterSequenceNumber && n < end:
		n++
	}
	return n, nil
}

// newIterator writes a shard iterator: the stream, a number, and what is the service's own affair, as AWS's do.
func newIterator(s shard, from uint64, now time.Time) string {
	return place{s.m.ARN, s.id(), from, now}.String()
}

// place is what an iterator says: where in a shard it points, and when it was made.
type place struct {
	arn, shard string
	from       uint64 // sequence number
	made       time.Time
}

func (p place) String() string {
	text := p.shard + " " + strconv.FormatUint(p.from, 10) + " " + strconv.FormatInt(p.made.UnixMilli(), 10)
	return p.arn + "|1|" + base64.StdEncoding.EncodeToString([]byte(text))
}

// parseIterator reads a shard iterator.
func parseIterator(text string) (place, error) {
	arn, rest, ok := strings.Cut(text, "|1|")
	inner, err := base64.StdEncoding.DecodeString(rest)
	parts := strings.Split(string(inner), " ")
	if !ok || err != nil || len(parts) != 3 {
		return place{}, errValidation(msgBadIterator)
	}
	from, err := strconv.ParseUint(parts[1], 10, 63)
	millis, err2 := strconv.ParseInt(parts[2], 10, 64)
	if err != nil || err2 != nil {
		return place{}, errValidation(msgBadIterator)
	}
	return place{arn, parts[0], from, time.UnixMilli(millis).UTC()}, nil
}

// GetRecords returns up to 1000 records or 1 MB of them, in the order in which they were written.
//
// ExpiredIteratorException 15 minutes after the iterator was made, TrimmedDataAccessException if what it points at has
// become older than 24 hours meanwhile. There is no NextShardIterator behind the last record of a closed shard: the reader goes
// on with its child.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html
func (s *streamService) GetRecords(ctx context.Context, in *StreamsGetRecordsInput) (out *StreamsGetRecordsOutput, err error) {
	r, now := wire.From(ctx), s.Clock.Now()
	limit, err := limited(in.Limit, maxRecords)
	if err != nil {
		return nil, err
	}
	at, err := parseIterator(*in.ShardIterator)
	if err != nil {
		return nil, err
	}
	if now.Sub(at.made) > iteratorLife {
		return nil, errStreamsExpiredIteratorException(msgExpiredIterator, awsTime(at.made), awsTime(now), iteratorLife.Milliseconds())
	}
	err = s.Store.View(func(tx *store.Tx) error {
		m, err := s.find(tx, r, at.arn, now)
		if err != nil {
			return err
		}
		shard, known := m.shard(at.shard, now)
		switch {
		case !known: // of a former stream of the same label
			return errStreamsResourceNotFoundException(msgShardNotFound)
		case shard.n < m.first(now).n || at.from < shard.oldest(tx, now):
			return errStreamsTrimmedDataAccessException(msgTrimmed)
		}
		records, next, err := shard.read(tx, at.from, limit)
		if err != nil {
			return err
		}
		out = &StreamsGetRecordsOutput{Records: records}
		if shard.open(now) || next < shard.end(tx) {
			out.NextShardIterator = new(newIterator(shard, next, now))
		}
		return nil
	})
	return out, err
}

// awsTime is how the message of an expired iterator writes an instant.
func awsTime(t time.Time) string { return t.Format("Mon Jan 02 15:04:05 MST 2006") }

// read returns the shard's records from a sequence number on, and the number that follows them.
func (s shard) read(tx *store.Tx, from uint64, limit int) ([]StreamsRecord, uint64, error) {
	out, size := []StreamsRecord{}, 0
	for key, value := range tx.Bucket(s.m.records()).Ascend(recordKey(from)) {
		sequence, ok := recordNumber(key)
		if !ok || sequence/perShard != s.n || len(out) == limit || len(out) > 0 && size+len(value) > maxRecordSize {
			break
		}
		rec, err := streamRecord(value).wire(s.m, sequence)
		if err != nil {
			return nil, 0, fmt.Errorf("dynamodb: stream %s: %w", s.m.ARN, err)
		}
		out, size, from = append(out, rec), size+len(value), sequence+1
	}
	return out, from, nil
}
