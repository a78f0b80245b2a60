package dynamodb

import (
	"context"
	"slices"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// overrides is what a restore may change of the table.
type overrides struct {
	billing  *string
	global   []GlobalSecondaryIndex // nil: all
	local    []LocalSecondaryIndex  // nil: all
	units    *ProvisionedThroughput
	onDemand *OnDemandThroughput
	sse      *SSESpecification
}

// The words of AWS's answers, as observed (ack-api-quirks, DDB-BACKUP-010, DDB-TABLE-219, 273, 274, 280). Some were quoted
// without the first two words, which others of the same operations have.
const (
	msgTableExists       = "Table already exists: %s"
	msgRestoring         = "Table: %s is already being restored from backup: %s"
	msgRestoringPoint    = "Table: %s is already being restored" // a guess
	msgRestoreUsed       = "Backup is being used to restore another table: %s"
	msgRestoreRegion     = "Invalid Request: sseSpecificationOverride must be provided for cross-region restores"
	msgRestoreUnits      = "Invalid Request: Cannot override ProvisionedThroughput unless BillingMode is PROVISIONED"
	msgRestoreNoUnits    = "Invalid Request: Must override ProvisionedThroughput if BillingMode is overridden to PROVISIONED"
	msgRestoreOnDemand   = "Invalid Request: Cannot override %s for OnDemandThroughput unless BillingModeOverride is PAY_PER_REQUEST"
	msgRestoreMaximum    = "Invalid Request: Requested %s for OnDemandThroughput is outside of valid range"
	msgRestoreIndex      = "Invalid Request: Index %s does not match a secondary index that existed in the source table and cannot be created during the restore operation"
	msgRestoreIndexNone  = "Invalid Request: Must specify provisioned throughput for index %s"
	msgRestoreIndexUnits = "Invalid Request: Cannot override ProvisionedThroughput if BillingMode is overridden to PAY_PER_REQUEST for index %s"
)

// RestoreTableFromBackup makes a new table of a backup: its items, keys, indexes and throughput. Streams, time to live,
// tags, table class, deletion protection, point-in-time recovery and policies are not restored. The answer says CREATING; how
// long the table is so, Options.Transition tells, and a large one is until it has all items (copy.go).
//
// TableAlreadyExistsException if there is a table of the name, BackupNotFoundException if there is no such backup, and
// BackupInUseException while another table is made of it. One of another region needs SSESpecificationOverride.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableFromBackup.html
func (s *service) RestoreTableFromBackup(ctx context.Context, in *RestoreTableFromBackupInput) (out *RestoreTableFromBackupOutput, err error) {
	r, now, id := wire.From(ctx), s.Clock.Now(), s.IDs.UUID()
	if in.VectorIndexOverride != nil {
		return nil, notImplemented("RestoreTableFromBackup", "VectorIndexOverride")
	}
	if err := checkPlainName("TableName", "targetTableName", *in.TargetTableName); err != nil {
		return nil, err
	}
	o := overrides{
		in.BillingModeOverride, in.GlobalSecondaryIndexOverride, in.LocalSecondaryIndexOverride,
		in.ProvisionedThroughputOverride, in.OnDemandThroughputOverride, in.SSESpecificationOverride,
	}
	busy := false
	err = s.Store.Update(func(tx *store.Tx) error {
		b, err := s.backup(tx, r, *in.BackupArn, now)
		if err != nil {
			return err
		}
		t, err := s.restored(tx, r, &b.Table, o, *in.TargetTableName, id, now)
		switch {
		case err != nil:
			return err
		case b.Copying, b.restores(tx, now):
			return errBackupInUseException(msgRestoreUsed, b.arn())
		}
		d, err := s.restore(tx, t, origin{Backup: b.arn(), Table: b.Table.arn(), At: b.Created}, now, func() {
			t.Copied = t.take(tx, recordsOf(tx, b.Bucket, nil), s.opts.first, now, &effects{})
		})
		busy = t.busy()
		out = &RestoreTableFromBackupOutput{TableDescription: d}
		return err
	})
	s.wake(now, err)
	s.copies.wakeIf(busy && err == nil)
	return out, err
}

// origin is what a table that is being created is restored from.
type origin struct {
	Backup string // its ARN; "": it is restored to a point in time
	Table  string // its ARN
	At     time.Time
}

// describe says so, as long as the table is CREATING. Later nothing tells of the restore any more, as on AWS
// (ack-api-quirks, DDB-TABLE-216, 282).
//
// https://docs.aws.amazon.com/cli/latest/reference/dynamodb/restore-table-from-backup.html#examples
func (o *origin) describe(d *TableDescription) {
	d.RestoreSummary = &RestoreSummary{SourceTableArn: new(o.Table), RestoreDateTime: new(o.At), RestoreInProgress: new(true)}
	if o.Backup != "" {
		d.RestoreSummary.SourceBackupArn = new(o.Backup)
	}
	d.WarmThroughput = nil
	for i := range d.GlobalSecondaryIndexes {
		d.GlobalSecondaryIndexes[i].IndexStatus, d.GlobalSecondaryIndexes[i].WarmThroughput = nil, nil
	}
}

// restores tells whether a table is being made of the backup.
func (b *backup) restores(tx *store.Tx, now time.Time) bool {
	for t := range tables.All(tx, b.Table.Account) {
		if m := t.restoring(now); m != nil && m.Backup == b.arn() {
			return true
		}
	}
	return false
}

// restoring tells what the table is being restored from, nil if it is not.
func (t *table) restoring(now time.Time) *origin {
	if t = t.settle(now); t == nil {
		return nil
	}
	if m := t.under(creating); m != nil {
		return m.From
	}
	return nil
}

// restore makes the table, whose items come from elsewhere. The description is that of the table before them.
func (s *service) restore(tx *store.Tx, t *table, from origin, now time.Time, copyItems func()) (*TableDescription, error) {
	if err := makeRoom(tx, t, now); err != nil { // there was room before anything was written
		return nil, err
	}
	t.begin(transition{Kind: creating, From: &from}, now, s.opts.Transition)
	d := t.describe(tx, now)
	d.BillingModeSummary = &BillingModeSummary{BillingMode: new(t.Billing)}
	copyItems()
	t.settle(now).put(tx)
	return d, nil
}

// restored makes the description of the table that a restore of source makes.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CreateBackup.html
func (s *service) restored(tx *store.Tx, r *wire.Request, source *table, o overrides, name, id string, now time.Time) (*table, error) {
	if source.Region != r.Region && o.sse == nil {
		return nil, errValidation(msgRestoreRegion)
	}
	key, err := encryption(r, o.sse)
	if err != nil {
		return nil, err
	}
	if o.sse == nil {
		key = source.EncryptedBy
	}
	t := &table{
		Account: r.Account, Region: r.Region, Name: name, ID: id, Created: now, Key: source.Key, Billing: source.Billing,
		Throughput: source.Throughput.restored(), EncryptedBy: key,
	}
	if err := t.overrideThroughput(o); err != nil {
		return nil, err
	}
	if t.Billing == BillingModePayPerRequest {
		t.OnDemandFrom = &now
	}
	if err := t.overrideIndexes(source, o); err != nil {
		return nil, err
	}
	t.Attributes = t.definitions()
	return t, t.checkTarget(tx, now)
}

// checkTarget refuses a name that is taken. One of a table that is being deleted is.
func (t *table) checkTarget(tx *store.Tx, now time.Time) error {
	old, exists := tables.Get(tx, t.Account, t.Region, t.Name)
	if !exists || old.settle(now) == nil {
		return nil
	}
	switch from := old.restoring(now); {
	case from == nil:
		return errTableAlreadyExistsException(msgTableExists, t.Name)
	case from.Backup == "":
		return errTableInUseException(msgRestoringPoint, t.Name)
	default:
		return errTableInUseException(msgRestoring, t.Name, from.Backup)
	}
}

// restored is what a restore takes over of a throughput.
func (p *throughput) restored() throughput {
	return throughput{Read: p.Read, Write: p.Write, OnDemandRead: p.OnDemandRead, OnDemandWrite: p.OnDemandWrite}
}

// overrideThroughput takes over the billing mode and the throughput of the table itself.
func (t *table) overrideThroughput(o overrides) error {
	if o.billing != nil {
		t.Billing = *o.billing
	}
	provisioned := t.Billing == BillingModeProvisioned
	switch {
	case o.units != nil && !provisioned:
		return errValidation(msgRestoreUnits)
	case o.units == nil && is(o.billing, BillingModeProvisioned):
		return errValidation(msgRestoreNoUnits)
	case o.units != nil:
		t.Throughput.Read, t.Throughput.Write = *o.units.ReadCapacityUnits, *o.units.WriteCapacityUnits
	case !provisioned:
		t.Throughput.Read, t.Throughput.Write = 0, 0
	}
	if provisioned {
		t.Throughput.OnDemandRead, t.Throughput.OnDemandWrite = nil, nil
	}
	return t.Throughput.overrideMaximum(o.onDemand, provisioned)
}

// overrideMaximum takes over the maximum of on-demand requests.
func (p *throughput) overrideMaximum(given *OnDemandThroughput, provisioned bool) error {
	if given == nil {
		return nil
	}
	for _, m := range []struct {
		name  string
		units *int64
		to    **int64
	}{
		{"MaxReadRequestUnits", given.MaxReadRequestUnits, &p.OnDemandRead},
		{"MaxWriteRequestUnits", given.MaxWriteRequestUnits, &p.OnDemandWrite},
	} {
		switch {
		case m.units == nil:
		case provisioned:
			return errValidation(msgRestoreOnDemand, m.name)
		case *m.units == -1: // takes it away
			*m.to = nil
		case *m.units < 1:
			return errValidation(msgRestoreMaximum, m.name)
		default:
			*m.to = m.units
		}
	}
	return nil
}

// overrideIndexes gives the table the indexes of the source, or those that the overrides choose of them. An index may be
// restored under another name.
func (t *table) overrideIndexes(source *table, o overrides) error {
	for _, x := range source.Indexes {
		if x.Global && o.global == nil || !x.Global && o.local == nil {
			t.Indexes = append(t.Indexes, index{
				Name: x.Name, Global: x.Global, Key: x.Key, Projection: x.Projection, Include: x.Include, Throughput: x.Throughput.restored(),
			})
		}
	}
	for _, given := range o.local {
		x, err := source.restoredIndex(false, *given.IndexName, given.KeySchema, given.Projection)
		if err != nil {
			return err
		}
		t.Indexes = append(t.Indexes, x)
	}
	for _, given := range o.global {
		x, err := source.restoredIndex(true, *given.IndexName, given.KeySchema, given.Projection)
		if err != nil {
			return err
		}
		x.Throughput = throughput{}
		if given.ProvisionedThroughput != nil {
			if t.Billing == BillingModePayPerRequest {
				return errValidation(msgRestoreIndexUnits, x.Name)
			}
			x.Throughput.Read, x.Throughput.Write = *given.ProvisionedThroughput.ReadCapacityUnits, *given.ProvisionedThroughput.WriteCapacityUnits
		}
		x.Throughput.limit(given.OnDemandThroughput)
		x.Throughput.warm(given.WarmThroughput)
		t.Indexes = append(t.Indexes, x)
	}
	for i := range t.Indexes {
		x := &t.Indexes[i]
		switch {
		case t.Billing == BillingModePayPerRequest:
			x.Throughput.Read, x.Throughput.Write = 0, 0
		case x.Global && x.Throughput.Read == 0: // nor did it have any: the source was on demand
			return errValidation(msgRestoreIndexNone, x.Name)
		}
	}
	return t.checkIndexes()
}

// restoredIndex finds the index of the source that has the key and the projection, and gives it the name.
func (t *table) restoredIndex(global bool, name string, key []KeySchemaElement, p *Projection) (index, error) {
	for _, x := range t.Indexes {
		if x.Global == global && sameKey(x.Key.wire(), key) && is(p.ProjectionType, x.Projection) && sameSet(x.Include, p.NonKeyAttributes) {
			return index{Name: name, Global: global, Key: x.Key, Projection: x.Projection, Include: x.Include}, nil
		}
	}
	return index{}, errValidation(msgRestoreIndex, name)
}

func sameKey(a, b []KeySchemaElement) bool {
	return slices.EqualFunc(a, b, func(a, b KeySchemaElement) bool {
		return *a.AttributeName == *b.AttributeName && *a.KeyType == *b.KeyType
	})
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
