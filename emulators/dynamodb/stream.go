package dynamodb

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"devstack/emulators/dynamodb/item"
	"devstack/emulators/store"
)

// retention is how long a stream keeps a record, and how long a stream can be read after it was disabled.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
const retention = 24 * time.Hour

// stream is what is kept of a stream besides its records.
type stream struct {
	Account, Region, Table string

	Label    string
	ARN      string
	View     string // StreamViewType
	Key      keySchema
	Created  time.Time
	Disabled *time.Time
	Tags     []Tag // its own, not the table's
}

// records is the name of the bucket with the stream's records (shard.go has its keys).
func (m *stream) records() string { return "stream/" + m.ARN }

// sequenceText writes a sequence number with AWS's least number of digits, 21, so that numbers sort as texts too.
func sequenceText(n uint64) string { return fmt.Sprintf("1%020d", n) }

// sequenceNumber reads a sequence number.
func sequenceNumber(text string) (uint64, bool) {
	var n uint64
	if len(text) != 21 || text[0] != '1' {
		return 0, false
	}
	for _, d := range text[1:] {
		if d < '0' || d > '9' || n > (1<<63)/10 {
			return 0, false
		}
		n = n*10 + uint64(d-'0')
	}
	return n, true
}

// appendStream adds a change's record to the table's stream, and takes away records of yesterday that have come to its end.
func appendStream(tx *store.Tx, c *change, now time.Time) {
	t := c.table
	b := tx.Bucket((&stream{ARN: t.StreamARN}).records())
	b.Put(recordKey(takeNumber(b, t.Streaming, now)), newStreamRecord(c, now))

	var old [][]byte
	for key, value := range b.Ascend(recordKey(0)) {
		_, ok := recordNumber(key)
		if !ok || len(old) == 2 || streamRecord(value).at().After(now.Add(-retention)) { // two for each new one: it gets shorter
			break
		}
		old = append(old, bytes.Clone(key))
	}
	for _, key := range old {
		b.Delete(key)
	}
}

// streamRecord is a record as it is kept: the instant, flags, the length of the encoded keys, the keys, the length of the
// encoded old item, the old item, the new item.
type streamRecord []byte

// What a streamRecord's flags say.
const (
	hadOld = 1 << iota
	hasNew
	byTTL
)

func newStreamRecord(c *change, now time.Time) streamRecord {
	var flags byte
	var old, fresh item.Encoded
	if c.old != nil {
		flags |= hadOld
		if c.table.View == StreamViewTypeOldImage || c.table.View == StreamViewTypeNewAndOldImages {
			old = c.old.encoded()
		}
	}
	if c.new != nil {
		flags |= hasNew
		if c.table.View == StreamViewTypeNewImage || c.table.View == StreamViewTypeNewAndOldImages {
			fresh = c.new.encoded()
		}
	}
	if c.byTTL {
		flags |= byTTL
	}
	source := c.new
	if source == nil {
		source = c.old
	}
	keys := c.table.keyOf(source, nil).encoded()
	b := make([]byte, 0, 16+len(keys)+len(old)+len(fresh))
	b = binary.BigEndian.AppendUint64(b, uint64(now.UnixMilli()))
	b = append(b, flags)
	b = append(binary.AppendUvarint(b, uint64(len(keys))), keys...)
	b = append(binary.AppendUvarint(b, uint64(len(old))), old...)
	return append(b, fresh...)
}

func (r streamRecord) at() time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(r))).UTC()
}

var errStreamRecord = errors.New("dynamodb: damaged stream record")

// parts cuts a record.
func (r streamRecord) parts() (flags byte, keys, old, fresh item.Encoded, err error) {
	if len(r) < 9 {
		return 0, nil, nil, nil, errStreamRecord
	}
	rest := []byte(r[9:])
	cut := func() (part item.Encoded) {
		n, size := binary.Uvarint(rest)
		if size <= 0 || n > uint64(len(rest)-size) {
			err = errStreamRecord
			return nil
		}
		part, rest = rest[size:size+int(n)], rest[size+int(n):]
		return part
	}
	keys, old = cut(), cut()
	return r[8], keys, old, rest, err
}

// wire makes the record that GetRecords returns.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Record.html
func (r streamRecord) wire(m *stream, sequence uint64) (StreamsRecord, error) {
	flags, encodedKeys, encodedOld, encodedNew, err := r.parts()
	if err != nil {
		return StreamsRecord{}, err
	}
	size := 0
	image := func(e item.Encoded) Attributes {
		if len(e) == 0 {
			return nil
		}
		size += e.Size()
		return Attributes(append(binary.BigEndian.AppendUint32(nil, uint32(e.Size())), e...))
	}
	keys, old, fresh := image(encodedKeys), image(encodedOld), image(encodedNew)
	event := StreamsOperationTypeModify
	switch {
	case flags&hadOld == 0:
		event = StreamsOperationTypeInsert
	case flags&hasNew == 0:
		event = StreamsOperationTypeRemove
	}
	id := sha256.Sum256([]byte(m.ARN + sequenceText(sequence)))
	out := StreamsRecord{
		EventID: new(hex.EncodeToString(id[:16])), EventName: &event, EventVersion: new("1.1"),
		EventSource: new("aws:dynamodb"), AwsRegion: new(m.Region),
		Dynamodb: &StreamsStreamRecord{
			ApproximateCreationDateTime: new(r.at().Truncate(time.Second)), Keys: keys, OldImage: old, NewImage: fresh,
			SequenceNumber: new(sequenceText(sequence)), SizeBytes: new(int64(size)), StreamViewType: new(m.View),
		},
	}
	if flags&byTTL != 0 {
		out.UserIdentity = &StreamsIdentity{PrincipalId: new("dynamodb.amazonaws.com"), Type: new("Service")}
	}
	return out, nil
}

// checkStreamSpecification checks a StreamSpecification by itself. The words, which speak of a parameter that is not
// there, are AWS's (observed on AWS, October 2026).
func checkStreamSpecification(spec *StreamSpecification, create bool) error {
	switch {
	case spec == nil:
	case *spec.StreamEnabled && spec.StreamViewType == nil && create:
		return badParameter("Table is being created with a stream enabled, UpdateViewType is required")
	case *spec.StreamEnabled && spec.StreamViewType == nil:
		return badParameter("If stream is being enabled then UpdateViewType is required")
	case !*spec.StreamEnabled && spec.StreamViewType != nil && create:
		return badParameter("Table is being created with a stream disabled, UpdateViewType should not be specified")
	case !*spec.StreamEnabled && spec.StreamViewType != nil:
		return badParameter("If stream is being disabled, then UpdateViewType must not be specified")
	}
	return nil
}

// checkStreamChange refuses to enable a stream twice, or to disable it twice. AWS's words, as quoted in
// https://github.com/scylladb/scylladb/issues/6939 and https://github.com/aws-controllers-k8s/community/issues/2782
func checkStreamChange(t *table, spec *StreamSpecification) error {
	switch {
	case spec == nil:
	case *spec.StreamEnabled && t.View != "":
		return errValidation("Table already has an enabled stream: TableName: %s", t.Name)
	case !*spec.StreamEnabled && t.View == "":
		return errValidation("Table has no stream to disable: TableName: %s", t.Name)
	case !*spec.StreamEnabled && t.Global != nil && !t.Global.Strong:
		return badParameter(msgStreamStays)
	}
	return nil
}

// enableStream gives a table a new stream. A former one of the same label, which is possible where the stack chooses the
// labels, is replaced.
func (s *service) enableStream(tx *store.Tx, t *table, view string, now time.Time) {
	t.View, t.Streaming = view, now
	t.Label = s.opts.StreamLabel(t.Account, t.Region, t.Name, now)
	t.StreamARN = t.arn() + "/stream/" + t.Label
	m := stream{
		Account: t.Account, Region: t.Region, Table: t.Name, Label: t.Label, ARN: t.StreamARN, View: view, Key: t.Key, Created: now,
	}
	tx.DropBucket(m.records())
	policies.Delete(tx, m.Account, m.Region, m.Table, m.Label)
	streams.Put(tx, m, m.Account, m.Region, m.Table, m.Label)
}

// disableStream ends the table's stream, if it has one. It can be read for another 24 hours.
func disableStream(tx *store.Tx, t *table, now time.Time) {
	if t.View == "" {
		return
	}
	t.View = ""
	if m, ok := streams.Get(tx, t.Account, t.Region, t.Name, t.Label); ok {
		m.Disabled = &now
		streams.Put(tx, m, m.Account, m.Region, m.Table, m.Label)
	}
}

// gone tells whether a stream was disabled so long ago that nothing is left of it.
func (m *stream) gone(now time.Time) bool {
	return m.Disabled != nil && !m.Disabled.After(now.Add(-retention))
}

// dropOldStreams removes the streams that are gone.
func dropOldStreams(tx *store.Tx, now time.Time) {
	var old []stream
	for m := range streams.All(tx) {
		if m.gone(now) {
			old = append(old, m)
		}
	}
	for _, m := range old {
		tx.DropBucket(m.records())
		streams.Delete(tx, m.Account, m.Region, m.Table, m.Label)
	}
}
