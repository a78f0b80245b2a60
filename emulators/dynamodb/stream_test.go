package dynamodb

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"devstack/emulators/kit"
	"devstack/emulators/wire"
)

// streamed is a table with a stream, and how its tests read it.
type streamed struct {
	*cloud
	arn, shard string
}

func openStream(t *testing.T, view string) *streamed {
	s := &streamed{cloud: open(t)}
	s.must(t, "CreateTable", strings.TrimSuffix(createPK, "}")+`,"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"`+view+`"}}`)
	s.arn = "arn:aws:dynamodb:us-east-1:000000000000:table/things/stream/2026-03-01T12:00:00.000"
	s.findShard(t)
	return s
}

func (s *streamed) findShard(t *testing.T) {
	t.Helper()
	d := decode[struct {
		StreamDescription struct{ Shards []struct{ ShardId string } }
	}](t, s.must(t, "DescribeStream", `{"StreamArn":"`+s.arn+`"}`))
	s.shard = d.StreamDescription.Shards[0].ShardId
}

func (s *streamed) put(t *testing.T, n int) {
	t.Helper()
	s.must(t, "PutItem", fmt.Sprintf(`{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"%d"}}}`, n))
}

// iterator returns an iterator, or the error.
func (s *streamed) iterator(kind, sequence string) string {
	if sequence != "" {
		sequence = `,"SequenceNumber":"` + sequence + `"`
	}
	out := s.call("GetShardIterator", `{"StreamArn":"`+s.arn+`","ShardId":"`+s.shard+`","ShardIteratorType":"`+kind+`"`+sequence+`}`)
	var v struct{ ShardIterator string }
	if json.Unmarshal([]byte(out), &v) != nil {
		return out
	}
	return v.ShardIterator
}

type records struct {
	Records []struct {
		EventName string
		Dynamodb  struct {
			SequenceNumber string
			Keys           struct{ Sk struct{ N string } }
			NewImage       json.RawMessage
			OldImage       json.RawMessage
		}
	}
	NextShardIterator *string
}

// read returns the sort keys of the records from an iterator on, and the next iterator.
func (s *streamed) read(t *testing.T, iterator string, limit int) (keys []string, next string) {
	t.Helper()
	r := decode[records](t, s.must(t, "GetRecords", fmt.Sprintf(`{"ShardIterator":"%s","Limit":%d}`, iterator, limit)))
	for _, rec := range r.Records {
		keys = append(keys, rec.Dynamodb.Keys.Sk.N)
	}
	if r.NextShardIterator != nil {
		next = *r.NextShardIterator
	}
	return keys, next
}

func TestIterators(t *testing.T) {
	s := openStream(t, "KEYS_ONLY")
	for n := range 4 {
		s.put(t, n)
	}
	all := decode[records](t, s.must(t, "GetRecords", `{"ShardIterator":"`+s.iterator("TRIM_HORIZON", "")+`"}`))
	second := all.Records[1].Dynamodb.SequenceNumber
	latest := s.iterator("LATEST", "")
	s.put(t, 4)
	for _, tt := range []struct{ name, iterator, want string }{
		{"TRIM_HORIZON begins with the oldest", s.iterator("TRIM_HORIZON", ""), "0 1 2 3 4"},
		{"LATEST begins with what is written after it", latest, "4"},
		{"AT_SEQUENCE_NUMBER begins with that record", s.iterator("AT_SEQUENCE_NUMBER", second), "1 2 3 4"},
		{"AFTER_SEQUENCE_NUMBER begins behind it", s.iterator("AFTER_SEQUENCE_NUMBER", second), "2 3 4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for next := tt.iterator; ; {
				keys, following := s.read(t, next, 2)
				if len(keys) == 0 {
					break
				}
				got, next = append(got, keys...), following
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %v, want %s", got, tt.want)
			}
		})
	}
	if n := len(s.written); n != 5 {
		t.Errorf("OnStreamWrite was called %d times for 5 writes", n)
	}
}

func TestIteratorExpiresAfterFifteenMinutes(t *testing.T) {
	s := openStream(t, "KEYS_ONLY")
	it := s.iterator("TRIM_HORIZON", "")
	s.clock.Advance(15 * time.Minute)
	s.read(t, it, 1)
	s.clock.Advance(time.Millisecond)
	if got := s.call("GetRecords", `{"ShardIterator":"`+it+`"}`); !strings.HasPrefix(got, "ExpiredIteratorException: ") {
		t.Error(got)
	}
}

func TestRecordsAreKeptForADay(t *testing.T) {
	s := openStream(t, "KEYS_ONLY")
	s.put(t, 0)
	s.put(t, 1)
	s.clock.Advance(time.Hour)
	s.put(t, 2)
	s.clock.Advance(23*time.Hour - 15*time.Minute)
	it := s.iterator("TRIM_HORIZON", "")
	if keys, _ := s.read(t, it, 9); !slices.Equal(keys, []string{"0", "1", "2"}) {
		t.Errorf("a moment before: %v", keys)
	}
	s.clock.Advance(15 * time.Minute)
	if got := s.call("GetRecords", `{"ShardIterator":"`+it+`"}`); got != "TrimmedDataAccessException: "+msgTrimmed {
		t.Errorf("a day later, an old iterator: %s", got)
	}
	if got := s.iterator("AT_SEQUENCE_NUMBER", sequenceText(2)); got != "TrimmedDataAccessException: "+msgTrimmed {
		t.Errorf("a day later, an old sequence number: %s", got)
	}
	s.put(t, 3) // takes the old ones away
	if keys, _ := s.read(t, s.iterator("TRIM_HORIZON", ""), 9); !slices.Equal(keys, []string{"2"}) {
		t.Errorf("a day later: %v", keys)
	}
	if keys := s.walk(t); !slices.Equal(keys, []string{"2", "3"}) {
		t.Errorf("a day later, in all shards: %v", keys)
	}
}

func TestViewTypes(t *testing.T) {
	for _, tt := range []struct{ view, old, fresh string }{
		{"KEYS_ONLY", "", ""},
		{"NEW_IMAGE", "", `{"pk":{"S":"a"},"sk":{"N":"1"},"v":{"N":"2"}}`},
		{"OLD_IMAGE", `{"pk":{"S":"a"},"sk":{"N":"1"}}`, ""},
		{"NEW_AND_OLD_IMAGES", `{"pk":{"S":"a"},"sk":{"N":"1"}}`, `{"pk":{"S":"a"},"sk":{"N":"1"},"v":{"N":"2"}}`},
	} {
		t.Run(tt.view, func(t *testing.T) {
			s := openStream(t, tt.view)
			s.put(t, 1)
			s.must(t, "UpdateItem", `{"TableName":"things","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"UpdateExpression":"SET v = :v","ExpressionAttributeValues":{":v":{"N":"2"}}}`)
			r := decode[records](t, s.must(t, "GetRecords", `{"ShardIterator":"`+s.iterator("AFTER_SEQUENCE_NUMBER", sequenceText(1))+`"}`))
			got := r.Records[0]
			if got.EventName != "MODIFY" || string(got.Dynamodb.OldImage) != tt.old || string(got.Dynamodb.NewImage) != tt.fresh {
				t.Errorf("%s old %s new %s", got.EventName, got.Dynamodb.OldImage, got.Dynamodb.NewImage)
			}
		})
	}
}

func TestIteratorOfAFormerStreamIsOfNoUse(t *testing.T) {
	c := open(t)
	db, _ := New(kit.Env{Store: c.store, Clock: c.clock, IDs: kit.SeededIDs(2), Log: slog.New(slog.DiscardHandler)},
		Options{StreamLabel: func(_, _, _ string, _ time.Time) string { return "always" }})
	named := &streamed{cloud: &cloud{Server: wire.NewServer(wire.Config{Services: []*wire.Service{db, c.streams}, NewID: kit.RandomIDs().UUID}), clock: c.clock},
		arn: "arn:aws:dynamodb:us-east-1:000000000000:table/things/stream/always"}
	create := strings.TrimSuffix(createPK, "}") + `,"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"}}`
	named.must(t, "CreateTable", create)
	named.findShard(t)
	named.put(t, 1)
	old := named.iterator("LATEST", "")
	named.must(t, "DeleteTable", `{"TableName":"things"}`)
	c.clock.Advance(time.Second)
	named.must(t, "CreateTable", create)
	if got := named.call("GetRecords", `{"ShardIterator":"`+old+`"}`); !strings.HasPrefix(got, "ResourceNotFoundException: ") {
		t.Error(got)
	}
}

func TestShardEndsWithItsStream(t *testing.T) {
	s := openStream(t, "KEYS_ONLY")
	s.put(t, 1)
	s.must(t, "DeleteTable", `{"TableName":"things"}`)
	keys, next := s.read(t, s.iterator("TRIM_HORIZON", ""), 9)
	if len(keys) != 1 || next != "" {
		t.Errorf("%v, next %q; want one record and no next iterator", keys, next)
	}
	s.clock.Advance(24 * time.Hour)
	if got := s.iterator("TRIM_HORIZON", ""); !strings.HasPrefix(got, "ResourceNotFoundException: ") {
		t.Errorf("a day later: %s", got)
	}
}

func FuzzIterator(f *testing.F) {
	f.Add("")
	f.Add("arn|1|MSAx")
	f.Add(newIterator(shard{m: &stream{ARN: "arn:aws:dynamodb:us-east-1:000000000000:table/a/stream/b", Created: start}}, 7, start))
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parseIterator(text)
		if err != nil {
			return
		}
		if again, err := parseIterator(p.String()); err != nil || again != p {
			t.Errorf("%q is %v, which comes back as %v (%v)", text, p, again, err)
		}
	})
}

func FuzzStreamRecord(f *testing.F) {
	c := change{table: &table{Key: keySchema{{Name: "a", Type: "S"}}, View: StreamViewTypeNewAndOldImages}}
	f.Add([]byte(newStreamRecord(&c, start)))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		streamRecord(b).wire(&stream{}, 1) // must not panic
	})
}

func TestListStreamsPages(t *testing.T) {
	c := open(t)
	for _, name := range []string{"aaa", "bbb", "ccc"} {
		c.must(t, "CreateTable", strings.TrimSuffix(strings.Replace(createPK, "things", name, 1), "}")+`,"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"}}`)
	}
	type list struct {
		Streams                []struct{ TableName, StreamArn string }
		LastEvaluatedStreamArn string
	}
	first := decode[list](t, c.must(t, "ListStreams", `{"Limit":2}`))
	if len(first.Streams) != 2 || first.LastEvaluatedStreamArn != first.Streams[1].StreamArn {
		t.Fatalf("the first page: %+v", first)
	}
	second := decode[list](t, c.must(t, "ListStreams", `{"Limit":2,"ExclusiveStartStreamArn":"`+first.LastEvaluatedStreamArn+`"}`))
	if len(second.Streams) != 1 || second.Streams[0].TableName != "ccc" || second.LastEvaluatedStreamArn != "" {
		t.Errorf("the second page: %+v", second)
	}
}
