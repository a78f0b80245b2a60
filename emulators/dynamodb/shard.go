package dynamodb

import (
	"encoding/binary"
	"fmt"
	"iter"
	"sort"
	"time"

	"devstack/emulators/store"
)

// shardLife is how long a shard takes records before a child takes its place, whether or not there were any. AWS says "up to
// 4 hours" in its guide; the shards of its example follow each other after a little more than that.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_DescribeStream.html
const shardLife = 4 * time.Hour

// perShard is how far apart the sequence numbers of a shard and of its child begin. It leaves 21 digits for all of them.
const perShard = 100_000_000_000_000

// shard is a part of a stream: the records of one shardLife. There is one open shard at a time; what follows from the stream's
// creation and the clock alone is not stored.
type shard struct {
	m *stream
	n uint64 // counted from 0
}

// shardsBetween is how many whole lives of shards lie between two instants.
func shardsBetween(from, to time.Time) uint64 { return uint64(max(0, to.Sub(from)) / shardLife) }

// last is the stream's latest shard, which is open unless the stream is disabled.
func (m *stream) last(now time.Time) shard {
	if m.Disabled != nil && m.Disabled.Before(now) {
		now = *m.Disabled
	}
	return shard{m, shardsBetween(m.Created, now)}
}

// first is the stream's oldest shard that may still hold records.
func (m *stream) first(now time.Time) shard {
	return shard{m, shardsBetween(m.Created, now.Add(-retention))}
}

// shards yields the stream's shards, parents before children.
func (m *stream) shards(now time.Time) iter.Seq[shard] {
	return func(yield func(shard) bool) {
		for s := m.first(now); s.n <= m.last(now).n; s.n++ {
			if !yield(s) {
				return
			}
		}
	}
}

// shard finds a shard that the stream has, or had, by its id.
func (m *stream) shard(id string, now time.Time) (shard, bool) {
	var millis int64
	if _, err := fmt.Sscanf(id, "shardId-%020d-", &millis); err != nil {
		return shard{}, false
	}
	s := shard{m, shardsBetween(m.Created, time.UnixMilli(millis).Add(time.Millisecond))} // the id has no microseconds
	return s, s.n <= m.last(now).n && s.id() == id
}

// id is the shard's name: a time and a hash, as in AWS's.
func (s shard) id() string {
	at := s.m.Created.Add(time.Duration(s.n) * shardLife).UnixMilli()
	return fmt.Sprintf("shardId-%020d-%08x", at, hash(fmt.Appendf(nil, "%s %d", s.m.ARN, s.n)))
}

// open tells whether the shard still takes records.
func (s shard) open(now time.Time) bool { return s.m.Disabled == nil && s.n == s.m.last(now).n }

// start is the shard's first sequence number.
func (s shard) start() uint64 { return s.n*perShard + 1 }

// end is the sequence number that follows the shard's last record, start if it has had none.
func (s shard) end(tx *store.Tx) uint64 {
	b := tx.Bucket(s.m.records())
	next := nextIn(b)
	if next/perShard == s.n {
		return next
	}
	if v := b.Get(endKey(s.n)); len(v) == 8 {
		return binary.BigEndian.Uint64(v)
	}
	return s.start()
}

// oldest is the sequence number of the shard's first record that is not older than 24 hours, its end if there is none.
func (s shard) oldest(tx *store.Tx, now time.Time) uint64 {
	b, end := tx.Bucket(s.m.records()), s.end(tx)
	for key := range b.Ascend(recordKey(s.start())) {
		first, ok := recordNumber(key)
		if !ok || first >= end {
			break
		}
		// Records are taken away at this end only, so that there is one for each number up to the end.
		kept := sort.Search(int(end-first), func(i int) bool {
			return streamRecord(b.Get(recordKey(first + uint64(i)))).at().After(now.Add(-retention))
		})
		return first + uint64(kept)
	}
	return end
}

// wire describes the shard. A closed one that has had no records ends with the number that it begins with, as in the example
// of AWS's page.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Shard.html
func (s shard) wire(tx *store.Tx, now time.Time) StreamsShard {
	out := StreamsShard{
		ShardId:             new(s.id()),
		SequenceNumberRange: &StreamsSequenceNumberRange{StartingSequenceNumber: new(sequenceText(s.start()))},
	}
	if s.n > 0 {
		out.ParentShardId = new(shard{s.m, s.n - 1}.id())
	}
	if !s.open(now) {
		out.SequenceNumberRange.EndingSequenceNumber = new(sequenceText(max(s.start(), s.end(tx)-1)))
	}
	return out
}

// The keys of a stream's bucket: nextKey for the next sequence number, recordKey for each record, endKey for the end of each
// closed shard that has had records.
var nextKey = []byte{0}

func recordKey(sequence uint64) []byte { return binary.BigEndian.AppendUint64([]byte{1}, sequence) }
func endKey(shard uint64) []byte       { return binary.BigEndian.AppendUint64([]byte{2}, shard) }

// recordNumber reads a record's key; false if the key is no record's.
func recordNumber(key []byte) (uint64, bool) {
	if len(key) != 9 || key[0] != 1 {
		return 0, false
	}
	return binary.BigEndian.Uint64(key[1:]), true
}

// nextIn is the sequence number that follows the stream's last record. They begin with 1.
func nextIn(b store.Bucket) uint64 {
	if v := b.Get(nextKey); len(v) == 8 {
		return binary.BigEndian.Uint64(v)
	}
	return 1
}

// takeNumber takes the sequence number of a new record in the open shard, which the stream's creation tells. The first record
// after a shard's life is its child's first.
func takeNumber(b store.Bucket, created, now time.Time) uint64 {
	n, open := nextIn(b), shardsBetween(created, now)
	if closed := n / perShard; closed < open {
		b.Put(endKey(closed), binary.BigEndian.AppendUint64(nil, n))
		forgetEnds(b, open)
		n = shard{n: open}.start()
	}
	b.Put(nextKey, binary.BigEndian.AppendUint64(nil, n+1))
	return n
}

// forgetEnds drops what is kept of shards that nobody can read any more.
func forgetEnds(b store.Bucket, open uint64) {
	const kept = uint64(retention/shardLife) + 2
	var old [][]byte
	for key := range b.Ascend(endKey(0)) {
		if binary.BigEndian.Uint64(key[1:])+kept >= open {
			break
		}
		old = append(old, append([]byte(nil), key...))
	}
	for _, key := range old {
		b.Delete(key)
	}
}
