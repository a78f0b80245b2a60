package lambda

import (
	"context"
	"encoding/json"
	"time"

	"devstack/internal/trace"
)

// source is a stream that a mapping reads: shards, each a sequence of records that a function sees in their order. Sources that are no
// streams, such as queues, want a poller of their own beside this one.
type source interface {
	// shards lists the shards, parents before children. A stream that is gone has none.
	shards(ctx context.Context) (ids []string)

	// records reads what a shard holds after a sequence number, from its beginning if that is "", and at most one answer's worth. closed
	// tells that the shard has no more than that and takes no more.
	records(ctx context.Context, shard, after string) (out []record, closed bool)

	// batchInfo describes records that were given up, under the name that a destination's record has for it.
	batchInfo(shard string, batch []record) (name string, info batchInfo)
}

// record is one record of a stream, as a function is handed it.
type record struct {
	json     json.RawMessage
	sequence string
	created  time.Time
	key      string // records of one key are handled in their order
}

// batchInfo says which records were given up, but not what they hold: they are to be had from the stream for as long as it has them.
//
// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
type batchInfo struct {
	ShardID       string `json:"shardId"`
	StartSequence string `json:"startSequenceNumber"`
	EndSequence   string `json:"endSequenceNumber"`
	FirstArrival  string `json:"approximateArrivalOfFirstRecord"`
	LastArrival   string `json:"approximateArrivalOfLastRecord"`
	BatchSize     int    `json:"batchSize"`
	StreamARN     string `json:"streamArn"`
}

// newBatchInfo describes a batch; layout is how the source writes an instant.
func newBatchInfo(arn, shard string, batch []record, layout string) batchInfo {
	first, last := batch[0], batch[len(batch)-1]
	return batchInfo{
		ShardID: shard, StartSequence: first.sequence, EndSequence: last.sequence, BatchSize: len(batch), StreamARN: arn,
		FirstArrival: first.created.UTC().Format(layout), LastArrival: last.created.UTC().Format(layout),
	}
}

// dynamoStream is a DynamoDB stream.
type dynamoStream struct {
	s   *Service
	arn string
}

// batchInfo is as recorded: seconds, and no fractions of them.
func (d *dynamoStream) batchInfo(shard string, batch []record) (string, batchInfo) {
	return "DDBStreamBatchInfo", newBatchInfo(d.arn, shard, batch, time.RFC3339)
}

// shards lists the stream's shards, parents before children. A stream that is gone has none.
func (d *dynamoStream) shards(ctx context.Context) (ids []string) {
	ctx = trace.Silent(ctx)
	for in := map[string]any{"StreamArn": d.arn}; ; {
		var out struct {
			StreamDescription struct {
				Shards               []struct{ ShardId string }
				LastEvaluatedShardId string
			}
		}
		if err := d.s.AWS.Call(ctx, "dynamodbstreams", "DescribeStream", in, &out); err != nil {
			return nil
		}
		for _, shard := range out.StreamDescription.Shards {
			ids = append(ids, shard.ShardId)
		}
		if out.StreamDescription.LastEvaluatedShardId == "" {
			return ids
		}
		in["ExclusiveStartShardId"] = out.StreamDescription.LastEvaluatedShardId
	}
}

// records reads what a shard holds after a sequence number, from its beginning if that is "": all of it that one GetRecords
// answers. closed tells that the shard has no more than that and takes no more.
func (d *dynamoStream) records(ctx context.Context, shard, after string) (out []record, closed bool) {
	ctx = trace.Silent(ctx)
	in := map[string]any{"StreamArn": d.arn, "ShardId": shard, "ShardIteratorType": EventSourcePositionTrimHorizon}
	if after != "" {
		in["ShardIteratorType"], in["SequenceNumber"] = "AFTER_SEQUENCE_NUMBER", after
	}
	var iterator struct{ ShardIterator string }
	err := d.s.AWS.Call(ctx, "dynamodbstreams", "GetShardIterator", in, &iterator)
	if hasCode(err, "TrimmedDataAccessException") {
		in["ShardIteratorType"] = EventSourcePositionTrimHorizon // what came in between is past its 24 hours
		delete(in, "SequenceNumber")
		err = d.s.AWS.Call(ctx, "dynamodbstreams", "GetShardIterator", in, &iterator)
	}
	if err != nil {
		return nil, false
	}
	var page struct {
		Records           []map[string]json.RawMessage
		NextShardIterator *string
	}
	if err := d.s.AWS.Call(ctx, "dynamodbstreams", "GetRecords", map[string]any{"ShardIterator": iterator.ShardIterator}, &page); err != nil {
		return nil, false
	}
	source, _ := json.Marshal(d.arn)
	for _, r := range page.Records {
		var facts struct {
			SequenceNumber              string
			ApproximateCreationDateTime float64
			Keys                        json.RawMessage
		}
		r["eventSourceARN"] = source
		if id, ok := r["userIdentity"]; ok {
			r["userIdentity"] = lowerIdentity(id)
		}
		b, err := json.Marshal(r)
		if err == nil {
			err = json.Unmarshal(r["dynamodb"], &facts)
		}
		if err != nil {
			d.s.Log.Error("a stream record cannot be read", "stream", d.arn, "error", err)
			return out, false
		}
		out = append(out, record{b, facts.SequenceNumber, time.UnixMilli(int64(facts.ApproximateCreationDateTime * 1000)), string(facts.Keys)})
	}
	return out, page.NextShardIterator == nil
}

// lowerIdentity is the identity of a time-to-live deletion as events have it, whose members the API calls PrincipalId and Type.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
func lowerIdentity(id json.RawMessage) json.RawMessage {
	var who struct {
		PrincipalID string `json:"principalId"`
		Type        string `json:"type"`
	}
	_ = json.Unmarshal(id, &who) // members match whatever their case; the API's answer is well-formed
	b, _ := json.Marshal(who)
	return b
}
