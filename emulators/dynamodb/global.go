package dynamodb

import (
	"slices"
	"time"

	"devstack/emulators/store"
)

// Facts about global tables beside which "ack-api-quirks" and a number stand were observed of AWS in October 2026, as
// published with that name; the others are AWS's guide's.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html

// globalTable is a group of tables of one name in several regions that have the same items. Each of them keeps a copy.
type globalTable struct {
	Members []member // the tables, as they came, at least two or one and a witness
	Strong  bool     // MultiRegionConsistency STRONG
	Witness string   // the region that only votes, "" for none; it has no table (ack-api-quirks, DDB-TABLE-259)
}

// member is one table of the group.
type member struct {
	Region string
	Source string    // the region whose table it was copied from, "" for the first
	Added  time.Time // when it was
}

const globalVersion = "2019.11.21"

// msgSource is AWS's, as observed (ack-api-quirks, DDB-TABLE-442).
const msgSource = "Replica cannot be deleted because it has acted as a source region for new replica(s) being added to the table in the last 24 hours."

// sourceLife is how long a table whose items were copied to a replica is held on to.
const sourceLife = 24 * time.Hour

// others are the regions of the other replicas, nil for a table that has none. Each region sees them in the order in which
// they came (ack-api-quirks, DDB-TABLE-265).
func (t *table) others() (regions []string) {
	if t.Global == nil {
		return nil
	}
	for _, m := range t.Global.Members {
		if m.Region != t.Region {
			regions = append(regions, m.Region)
		}
	}
	return regions
}

// strong tells whether reads of every replica see every write: which they do anyway, but the table may do less then.
func (t *table) strong() bool { return t.Global != nil && t.Global.Strong }

// replica returns a copy of the table's replica in a region.
func (t *table) replica(tx *store.Tx, region string) *table {
	r, _ := tables.Get(tx, t.Account, region, t.Name)
	return &r
}

// wasSource tells whether a replica that still is there was copied from a region in the last 24 hours.
func (g *globalTable) wasSource(region string, now time.Time) bool {
	return slices.ContainsFunc(g.Members, func(m member) bool { return m.Source == region && now.Before(m.Added.Add(sourceLife)) })
}

// with returns the group with further members.
func (g *globalTable) with(members ...member) *globalTable {
	c := *g
	c.Members = append(slices.Clone(g.Members), members...)
	return &c
}

// without returns the group without some regions, nil if no more than one table is left.
func (g *globalTable) without(regions ...string) *globalTable {
	c := *g
	c.Members = slices.DeleteFunc(slices.Clone(g.Members), func(m member) bool { return slices.Contains(regions, m.Region) })
	if slices.Contains(regions, c.Witness) {
		c.Witness = ""
	}
	if len(c.Members) < 2 && c.Witness == "" {
		return nil
	}
	return &c
}

// regroup tells the table and its replicas in some regions what has become of the group. The table is not stored.
func (t *table) regroup(tx *store.Tx, replicas []string, g *globalTable) {
	for _, region := range replicas {
		r := t.replica(tx, region)
		r.Global = g
		r.put(tx)
	}
	t.Global = g
}

// checkLeave checks whether the table can be deleted, as far as its group goes.
func (t *table) checkLeave(now time.Time) error {
	switch {
	case t.Global == nil:
		return nil
	case t.under(regrouping) != nil:
		return errResourceInUseException(msgRegrouping)
	case t.Global.Strong:
		return errValidation(msgStrongDelete)
	case t.Global.wasSource(t.Region, now):
		return errValidation(msgSource)
	}
	return nil
}

// leave takes a table that is being deleted out of its group.
func (t *table) leave(tx *store.Tx) {
	if t.Global != nil {
		t.regroup(tx, t.others(), t.Global.without(t.Region))
	}
}

// follow changes a replica as a call has changed another table of the group from before to after. A maximum of reads that
// differed before is the replica's own and stays.
func (t *table) follow(before, after *table, now time.Time) {
	t.Attributes = slices.Clone(after.Attributes)
	t.Throughput.follow(&before.Throughput, &after.Throughput)
	indexes := slices.Clone(after.Indexes)
	for i := range indexes {
		own, ok := t.index(indexes[i].Name)
		was, old := before.index(indexes[i].Name)
		if ok && old {
			indexes[i] = *own
			indexes[i].Throughput.follow(&was.Throughput, &after.Indexes[i].Throughput)
		}
	}
	t.Indexes = indexes
	if after.Class != before.Class { // ack-api-quirks, DDB-TABLE-294
		t.changeClass(after.Class, now)
	}
	if after.EncryptedBy != before.EncryptedBy && !after.customKey() { // a customer's key is each region's own
		t.EncryptedBy = ""
		if after.EncryptedBy != "" {
			t.EncryptedBy = managedKey(t)
		}
	}
}

func (p *throughput) follow(before, after *throughput) {
	p.OnDemandWrite, p.WarmRead, p.WarmWrite = after.OnDemandWrite, after.WarmRead, after.WarmWrite
	if same(p.OnDemandRead, before.OnDemandRead) {
		p.OnDemandRead = after.OnDemandRead
	}
}

func same(a, b *int64) bool { return a == b || a != nil && b != nil && *a == *b }

// synchronize does to the replicas what UpdateTable has done to the table, and lets it take as long there.
func (t *table) synchronize(tx *store.Tx, before *table, now time.Time, opts *Options) {
	for _, region := range t.others() {
		r := t.replica(tx, region)
		was := *r
		r.follow(before, t, now)
		for _, m := range t.Transitions {
			switch m.Kind {
			case addingIndex, droppingIndex, changingIndex:
				if m.Until.Equal(now.Add(opts.Transition)) { // begun by this call
					r.begin(m, now, opts.Transition)
				}
			}
		}
		r.followIndexes(tx, &was, opts.first)
		r.settleOnDemand()
		r.settle(now).put(tx)
	}
}

// replicate writes a change to the other replicas, in the transaction that it is made in: they are always alike, where on AWS
// it takes a second. A deletion by time to live is the service's in the region where it happened alone.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
func (c *change) replicate(tx *store.Tx, now time.Time, e *effects) {
	for _, region := range c.table.others() {
		t := c.table.replica(tx, region)
		if !t.Copied.covers(c.key) {
			continue
		}
		r := change{table: t, key: c.key, old: record(tx.Bucket(t.items()).Get(c.key)), new: c.new, replicated: true}
		r.apply(tx, now, e)
	}
}

// describeReplicas adds what DescribeTable tells of the other replicas: only what differs here, and nothing at all of a table
// of one region (ack-api-quirks, DDB-TABLE-229).
func (t *table) describeReplicas(tx *store.Tx, d *TableDescription, now time.Time) {
	if t.SettingsMode != "" {
		d.GlobalTableSettingsReplicationMode = new(t.SettingsMode)
	}
	if t.Global == nil {
		return
	}
	d.GlobalTableVersion, d.GlobalTableSettingsReplicationMode = new(globalVersion), new(GlobalTableSettingsReplicationModeEnabledWithOverrides)
	for _, region := range t.others() {
		d.Replicas = append(d.Replicas, t.describeReplica(t.replica(tx, region).settle(now)))
	}
	if t.Global.Strong {
		d.MultiRegionConsistency = new(MultiRegionConsistencyStrong)
	}
	if t.Global.Witness != "" {
		d.GlobalTableWitnesses = []GlobalTableWitnessDescription{{RegionName: new(t.Global.Witness), WitnessStatus: new(WitnessStatusActive)}}
	}
}

func (t *table) describeReplica(r *table) ReplicaDescription {
	reads, writes := r.Throughput.ready(r.Billing)
	d := ReplicaDescription{
		RegionName: new(r.Region), ReplicaStatus: new(r.status()),
		WarmThroughput:                     &TableWarmThroughputDescription{ReadUnitsPerSecond: &reads, WriteUnitsPerSecond: &writes, Status: new(TableStatusActive)},
		OnDemandThroughputOverride:         t.Throughput.override(&r.Throughput),
		GlobalTableSettingsReplicationMode: new(GlobalTableSettingsReplicationModeEnabledWithOverrides),
	}
	if r.Class != "" {
		d.ReplicaTableClassSummary = &TableClassSummary{TableClass: new(r.Class), LastUpdateDateTime: r.ClassFrom}
	}
	if r.EncryptedBy != "" {
		d.KMSMasterKeyId = new(r.EncryptedBy)
	}
	for i := range r.Indexes {
		x := &r.Indexes[i]
		own, ok := t.index(x.Name)
		if !x.Global || !ok {
			continue
		}
		reads, writes := x.Throughput.ready(r.Billing)
		d.GlobalSecondaryIndexes = append(d.GlobalSecondaryIndexes, ReplicaGlobalSecondaryIndexDescription{
			IndexName: new(x.Name), OnDemandThroughputOverride: own.Throughput.override(&x.Throughput),
			WarmThroughput: &GlobalSecondaryIndexWarmThroughputDescription{ReadUnitsPerSecond: &reads, WriteUnitsPerSecond: &writes, Status: new(IndexStatusActive)},
		})
	}
	return d
}

// override describes what another replica has of its own, nil if it has nothing. Each region calls the other's so
// (ack-api-quirks, DDB-TABLE-422).
func (p *throughput) override(other *throughput) *OnDemandThroughputOverride {
	if other.OnDemandRead == nil || same(p.OnDemandRead, other.OnDemandRead) {
		return nil
	}
	return &OnDemandThroughputOverride{MaxReadRequestUnits: other.OnDemandRead}
}
