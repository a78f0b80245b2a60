package dynamodb

import (
	"encoding/binary"
	"maps"
	"slices"
	"time"

	"devstack/emulators/store"
)

// DescribeTable's answer, and that of every operation on tables.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html
func (t *table) describe(tx *store.Tx, now time.Time) *TableDescription {
	n := t.count(tx, nil)
	d := &TableDescription{
		AttributeDefinitions:      t.definitions(),
		TableName:                 new(t.Name),
		KeySchema:                 t.Key.wire(),
		TableStatus:               new(t.status()),
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
	d.TableClassSummary = classSummary(t.Class, t.ClassFrom)
	if t.EncryptedBy != "" {
		d.SSEDescription = &SSEDescription{Status: new(SSEStatusEnabled), SSEType: new(SSETypeKms), KMSMasterKeyArn: new(t.EncryptedBy)}
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
	if m := t.under(droppingIndex); m != nil {
		g := t.describeGlobal(tx, m.Index, now)
		g.IndexStatus = new(IndexStatusDeleting)
		d.GlobalSecondaryIndexes = append(d.GlobalSecondaryIndexes, g)
	}
	t.describeTransitions(d)
	t.describeReplicas(tx, d, now)
	return d
}

// definitions are the attributes of all keys, by name, which is the order of AWS's answers. Those of an index that is being
// deleted are still among them.
func (t *table) definitions() []AttributeDefinition {
	types := map[string]string{}
	add := func(k keySchema) {
		for _, a := range k {
			types[a.Name] = a.Type
		}
	}
	add(t.Key)
	for _, x := range t.Indexes {
		add(x.Key)
	}
	if m := t.under(droppingIndex); m != nil {
		add(m.Index.Key)
	}
	var out []AttributeDefinition
	for _, name := range slices.Sorted(maps.Keys(types)) {
		out = append(out, AttributeDefinition{AttributeName: new(name), AttributeType: new(types[name])})
	}
	return out
}

func classSummary(class string, from *time.Time) *TableClassSummary {
	if class == "" {
		return nil
	}
	return &TableClassSummary{TableClass: &class, LastUpdateDateTime: from}
}

func (t *table) describeGlobal(tx *store.Tx, x *index, now time.Time) GlobalSecondaryIndexDescription {
	n := t.count(tx, x)
	status, backfilling := t.indexStatus(x.Name)
	reads, writes := x.Throughput.ready(t.Billing)
	d := GlobalSecondaryIndexDescription{
		IndexName: new(x.Name), KeySchema: x.Key.wire(), Projection: x.projection(), IndexStatus: &status, Backfilling: backfilling,
		ProvisionedThroughput: x.Throughput.provisioned(now), IndexSizeBytes: new(n.bytes), ItemCount: new(n.items),
		IndexArn: new(t.arn() + "/index/" + x.Name), OnDemandThroughput: x.Throughput.onDemand(),
		WarmThroughput: &GlobalSecondaryIndexWarmThroughputDescription{ReadUnitsPerSecond: &reads, WriteUnitsPerSecond: &writes, Status: new(IndexStatusActive)},
	}
	t.describeIndexTransition(&d)
	return d
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
