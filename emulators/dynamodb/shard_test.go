package dynamodb

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

type describedShard struct {
	ShardId, ParentShardId string
	SequenceNumberRange    struct{ StartingSequenceNumber, EndingSequenceNumber string }
}

// shards describes the stream; more are further members of the request.
func (s *streamed) shards(t *testing.T, more string) (shards []describedShard, last string) {
	t.Helper()
	d := decode[struct {
		StreamDescription struct {
			Shards               []describedShard
			LastEvaluatedShardId string
		}
	}](t, s.must(t, "DescribeStream", `{"StreamArn":"`+s.arn+`"`+more+`}`)).StreamDescription
	return d.Shards, d.LastEvaluatedShardId
}

// walk reads the stream as its consumers do: a shard to its end, then its child.
func (s *streamed) walk(t *testing.T) (keys []string) {
	t.Helper()
	shards, _ := s.shards(t, "")
	for i, shard := range shards {
		s.shard = shard.ShardId
		for next := s.iterator("TRIM_HORIZON", ""); next != ""; {
			var page []string
			page, next = s.read(t, next, 2)
			keys = append(keys, page...)
			if len(page) == 0 && i == len(shards)-1 {
				break // the open shard has no end
			}
		}
	}
	return keys
}

func TestShardsFollowEachOther(t *testing.T) {
	s := openStream(t, "KEYS_ONLY")
	s.put(t, 0)
	s.put(t, 1)
	early := s.iterator("LATEST", "")
	s.clock.Advance(4*time.Hour - time.Millisecond)
	if shards, _ := s.shards(t, ""); len(shards) != 1 || shards[0].SequenceNumberRange.EndingSequenceNumber != "" {
		t.Fatalf("a moment before: %+v", shards)
	}
	last := s.iterator("LATEST", "")
	s.clock.Advance(time.Millisecond)
	s.put(t, 2)
	s.clock.Advance(4 * time.Hour) // nothing happens
	s.clock.Advance(time.Hour)
	s.put(t, 3)
	shards, _ := s.shards(t, "")
	if len(shards) != 3 {
		t.Fatalf("after nine hours: %+v", shards)
	}
	for i, shard := range shards {
		r := shard.SequenceNumberRange
		if i > 0 && (shard.ParentShardId != shards[i-1].ShardId || r.StartingSequenceNumber <= shards[i-1].SequenceNumberRange.EndingSequenceNumber) {
			t.Errorf("shard %d does not follow its parent: %+v", i, shard)
		}
		if open := r.EndingSequenceNumber == ""; open != (i == 2) {
			t.Errorf("shard %d: open is %v", i, open)
		}
	}
	if shards[0].ParentShardId != "" || shards[0].SequenceNumberRange.EndingSequenceNumber != sequenceText(2) {
		t.Errorf("the first shard: %+v", shards[0])
	}
	if keys := s.walk(t); strings.Join(keys, " ") != "0 1 2 3" {
		t.Errorf("the walk finds %v", keys)
	}
	if got := s.call("GetRecords", `{"ShardIterator":"`+early+`"}`); !strings.HasPrefix(got, "ExpiredIteratorException: ") {
		t.Error(got)
	}
	if got := s.call("GetRecords", `{"ShardIterator":"`+last+`"}`); !strings.HasPrefix(got, "ExpiredIteratorException: ") {
		t.Error(got)
	}
}

func TestAnIteratorEndsWithItsShard(t *testing.T) {
	s := openStream(t, "KEYS_ONLY")
	s.clock.Advance(4*time.Hour - time.Minute)
	it := s.iterator("LATEST", "")
	s.put(t, 0)
	s.clock.Advance(time.Minute)
	s.put(t, 1)
	keys, next := s.read(t, it, 1)
	if !slices.Equal(keys, []string{"0"}) || next != "" {
		t.Errorf("%v, next %q; want one record and no next iterator", keys, next)
	}
	if keys, next := s.read(t, s.iterator("LATEST", ""), 1); len(keys) != 0 || next != "" {
		t.Errorf("the end of a closed shard: %v, next %q", keys, next)
	}
}

func TestSequenceNumbersBelongToAShard(t *testing.T) {
	s := openStream(t, "KEYS_ONLY")
	s.put(t, 0)
	s.clock.Advance(4 * time.Hour)
	s.put(t, 1)
	shards, _ := s.shards(t, "")
	first, second := shards[0].SequenceNumberRange.StartingSequenceNumber, shards[1].SequenceNumberRange.StartingSequenceNumber
	const bad, missing = "ValidationException: " + msgBadSequence, "ValidationException: Sequence number is required for shard iterator type AT_SEQUENCE_NUMBER"
	for _, tt := range []struct{ name, kind, sequence, want string }{
		{"the shard's own", "AT_SEQUENCE_NUMBER", first, ""},
		{"behind its last", "AFTER_SEQUENCE_NUMBER", first, ""},
		{"its child's", "AT_SEQUENCE_NUMBER", second, bad},
		{"one that is yet to come", "AFTER_SEQUENCE_NUMBER", sequenceText(7), bad},
		{"no number", "AT_SEQUENCE_NUMBER", strings.Repeat("x", 21), bad},
		{"none", "AT_SEQUENCE_NUMBER", "", missing},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := s.iterator(tt.kind, tt.sequence)
			if tt.want == "" != strings.HasPrefix(got, s.arn) || tt.want != "" && got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestDescribeStreamPages(t *testing.T) {
	s := openStream(t, "KEYS_ONLY")
	s.clock.Advance(9 * time.Hour)
	all, last := s.shards(t, "")
	if len(all) != 3 || last != "" {
		t.Fatalf("%+v, last %q", all, last)
	}
	page, last := s.shards(t, `,"Limit":2`)
	if len(page) != 2 || last != all[1].ShardId {
		t.Errorf("the first page: %+v, last %q", page, last)
	}
	page, last = s.shards(t, `,"Limit":2,"ExclusiveStartShardId":"`+last+`"`)
	if len(page) != 1 || page[0] != all[2] || last != "" {
		t.Errorf("the second page: %+v, last %q", page, last)
	}
	page, _ = s.shards(t, `,"ShardFilter":{"Type":"CHILD_SHARDS","ShardId":"`+all[1].ShardId+`"}`)
	if len(page) != 1 || page[0] != all[2] {
		t.Errorf("the children of the second: %+v", page)
	}
	page, _ = s.shards(t, `,"ShardFilter":{"Type":"CHILD_SHARDS","ShardId":"`+all[2].ShardId+`"}`)
	if len(page) != 0 {
		t.Errorf("the children of the last: %+v", page)
	}
	s.want(t, "DescribeStream", `{"StreamArn":"`+s.arn+`","Limit":101}`, "ValidationException: "+fmt.Sprintf(msgTooMany, 101, 100))
	s.want(t, "DescribeStream", `{"StreamArn":"an-arn-that-is-none-but-long-enough-to-be"}`, "ValidationException: "+msgBadStreamARN)
}

func TestShardsAreForgottenWithTheirRecords(t *testing.T) {
	s := openStream(t, "KEYS_ONLY")
	first := s.shard
	for n := range 12 {
		s.put(t, n)
		s.clock.Advance(4 * time.Hour)
	}
	shards, _ := s.shards(t, "")
	if len(shards) != 7 || shards[0].ParentShardId == "" { // six of the last day and the open one; the parent of the oldest is gone
		t.Errorf("%d shards: %+v", len(shards), shards)
	}
	s.shard = first
	if got := s.iterator("TRIM_HORIZON", ""); got != "ResourceNotFoundException: "+msgShardNotFound {
		t.Error(got)
	}
	if keys := s.walk(t); strings.Join(keys, " ") != "7 8 9 10 11" {
		t.Errorf("two days later: %v", keys)
	}
}

func TestAStreamTakesItsTime(t *testing.T) {
	s := &streamed{cloud: slow(t), arn: "arn:aws:dynamodb:us-east-1:000000000000:table/things/stream/2026-03-01T12:00:10.000"}
	status := func(want string) {
		t.Helper()
		if got := s.must(t, "DescribeStream", `{"StreamArn":"`+s.arn+`"}`); !strings.Contains(got, `"StreamStatus":"`+want+`"`) {
			t.Errorf("it is not %s: %s", want, got)
		}
	}
	s.must(t, "CreateTable", createPK)
	s.clock.Advance(10 * time.Second)
	s.must(t, "UpdateTable", `{"TableName":"things","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"}}`)
	status("ENABLING")
	s.clock.Advance(10 * time.Second)
	status("ENABLED")
	s.must(t, "UpdateTable", `{"TableName":"things","StreamSpecification":{"StreamEnabled":false}}`)
	status("DISABLING")
	s.clock.Advance(10 * time.Second)
	status("DISABLED")
}
