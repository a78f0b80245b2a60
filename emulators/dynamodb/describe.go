package dynamodb

import (
	"encoding/binary"
	"time"

	"devstack/emulators/store"
)

// DescribeTable's answer, and that of every operation on tables.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html
func (t *table) describe(tx *store.Tx, now time.Time) *TableDescription {
	n := t.count(tx, nil)
	d := &TableDescription{
		AttributeDefinitions:      t.Attributes,
		TableName:                 new(t.Name),
		KeySchema:                 t.Key.wire(),
		TableStatus:               new(TableStatusActive),
		CreationDateTime:          new(t.Created),
		ProvisionedThroughput:     t.Throughput.provisioned(now),
		TableSizeBytes:            new(n.bytes),
		ItemCount:                 new(n.items),
		TableArn:                  new(t.arn()),
		TableId:                   new(t.ID),
		DeletionProtectionEnabled: new(t.Protected),
		OnDemandThroughput:        t.Throughput.onDemand(),
	}
	if t.Billing == BillingModePayPerRequest || t.OnDemandFrom != nil {
		d.BillingModeSummary = &BillingModeSummary{BillingMode: new(t.Billing), LastUpdateToPayPerRequestDateTime: t.OnDemandFrom}
	}
	reads, writes := t.Throughput.ready(t.Billing)
	d.WarmThroughput = &TableWarmThroughputDescription{ReadUnitsPerSecond: &reads, WriteUnitsPerSecond: &writes, Status: new(TableStatusActive)}
	if t.Class != "" {
		d.TableClassSummary = &TableClassSummary{TableClass: new(t.Class), LastUpdateDateTime: t.ClassFrom}
	}
	if t.StreamARN != "" {
		d.LatestStreamArn, d.LatestStreamLabel = new(t.StreamARN), new(t.Label)
	}
	if t.View != "" {
		d.StreamSpecification = &StreamSpecification{StreamEnabled: new(true), StreamViewType: new(t.View)}
	}
	for i := range t.Indexes {
		if x := &t.Indexes[i]; x.Global {
			d.GlobalSecondaryIndexes = append(d.GlobalSecondaryIndexes, t.describeGlobal(tx, x, now))
		} else {
			d.LocalSecondaryIndexes = append(d.LocalSecondaryIndexes, t.describeLocal(tx, x))
		}
	}
	t.describeReplicas(tx, d)
	return d
}

func (t *table) describeGlobal(tx *store.Tx, x *index, now time.Time) GlobalSecondaryIndexDescription {
	n := t.count(tx, x)
	reads, writes := x.Throughput.ready(t.Billing)
	return GlobalSecondaryIndexDescription{
		IndexName: new(x.Name), KeySchema: x.Key.wire(), Projection: x.projection(), IndexStatus: new(IndexStatusActive),
		ProvisionedThroughput: x.Throughput.provisioned(now), IndexSizeBytes: new(n.bytes), ItemCount: new(n.items),
		IndexArn: new(t.arn() + "/index/" + x.Name), OnDemandThroughput: x.Throughput.onDemand(),
		WarmThroughput: &GlobalSecondaryIndexWarmThroughputDescription{ReadUnitsPerSecond: &reads, WriteUnitsPerSecond: &writes, Status: new(IndexStatusActive)},
	}
}

func (t *table) describeLocal(tx *store.Tx, x *index) LocalSecondaryIndexDescription {
	n := t.count(tx, x)
	return LocalSecondaryIndexDescription{
		IndexName: new(x.Name), KeySchema: x.Key.wire(), Projection: x.projection(),
		IndexSizeBytes: new(n.bytes), ItemCount: new(n.items), IndexArn: new(t.arn() + "/index/" + x.Name),
	}
}

func (x *index) projection() *Projection {
	return &Projection{ProjectionType: new(x.Projection), NonKeyAttributes: x.Include}
}

// counts is how much a table or an index holds: ItemCount, and TableSizeBytes or IndexSizeBytes.
type counts struct{ items, bytes int64 }

// count reads the counts of the table, or of one of its indexes.
func (t *table) count(tx *store.Tx, x *index) (n counts) {
	if b := tx.Bucket("counts").Get(t.countKey(x)); len(b) == 16 {
		n.items, n.bytes = int64(binary.BigEndian.Uint64(b)), int64(binary.BigEndian.Uint64(b[8:]))
	}
	return n
}

// add adds to the counts of the table, or of one of its indexes.
func (t *table) add(tx *store.Tx, x *index, d counts) {
	if d == (counts{}) {
		return
	}
	n := t.count(tx, x)
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 16), uint64(n.items+d.items))
	tx.Bucket("counts").Put(t.countKey(x), binary.BigEndian.AppendUint64(b, uint64(n.bytes+d.bytes)))
}
