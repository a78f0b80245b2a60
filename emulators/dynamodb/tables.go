package dynamodb

import (
	"context"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// CreateTable makes a table. The answer says CREATING; how long the table is so, Options.Transition tells.
//
// ResourceInUseException if there is one of the name. Throughput is reported and limits nothing.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html
func (s *service) CreateTable(ctx context.Context, in *CreateTableInput) (out *CreateTableOutput, err error) {
	r, now := wire.From(ctx), s.Clock.Now()
	if err := refuseCreate(in); err != nil {
		return nil, err
	}
	t, err := newTable(r, in, s.IDs.UUID(), now)
	if err != nil {
		return nil, err
	}
	putPolicy, err := newTablePolicy(t, in.ResourcePolicy, now)
	if err != nil {
		return nil, err
	}
	err = s.Store.Update(func(tx *store.Tx) error {
		if err := makeRoom(tx, t, now); err != nil {
			return err
		}
		if err := t.checkAccount(tx); err != nil {
			return err
		}
		dropOldStreams(tx, now)
		fresh := *t
		if spec := in.StreamSpecification; spec != nil && *spec.StreamEnabled {
			s.enableStream(tx, &fresh, *spec.StreamViewType, now)
		}
		putPolicy(tx)
		fresh.begin(transition{Kind: creating}, now, s.opts.Transition)
		out = &CreateTableOutput{TableDescription: created(fresh.describe(tx, now), in)}
		fresh.settle(now).put(tx)
		return nil
	})
	s.wake(now, err)
	return out, err
}

// makeRoom refuses a table of a name that is taken, in the words for its state (observed on AWS, October 2026), and clears
// away one whose deletion is over.
func makeRoom(tx *store.Tx, t *table, now time.Time) error {
	old, exists := tables.Get(tx, t.Account, t.Region, t.Name)
	if !exists {
		return nil
	}
	left := old.settle(now)
	switch {
	case left == nil:
		old.drop(tx, now)
		return nil
	case left.restoring(now) != nil: // ack-api-quirks, DDB-TABLE-219
		return inUse("Table is being used: %s", t.Name)
	case left.under(creating) != nil:
		return left.checkPresent()
	}
	return errResourceInUseException("Table already exists: %s", t.Name) // recorded answer
}

// wake sees to it that the transitions which a call has begun end, too, if nobody asks for the table.
func (s *service) wake(now time.Time, err error) {
	if err == nil && s.opts.Transition > 0 {
		s.expiry.due(now.Add(s.opts.Transition))
	}
}

// created is the description that CreateTable answers. AWS does not know yet what it will be ready for, nor since when it is
// on demand (recorded answers).
func created(d *TableDescription, in *CreateTableInput) *TableDescription {
	if in.WarmThroughput == nil {
		d.WarmThroughput = nil
	} else {
		d.WarmThroughput.Status = new(TableStatusUpdating)
	}
	if d.BillingModeSummary != nil {
		d.BillingModeSummary.LastUpdateToPayPerRequestDateTime = nil
	}
	for i := range d.GlobalSecondaryIndexes {
		d.GlobalSecondaryIndexes[i].WarmThroughput = nil
	}
	return d
}

// refuseCreate names what CreateTable would have to do more than report.
func refuseCreate(in *CreateTableInput) error {
	switch {
	case in.VectorIndexes != nil:
		return notImplemented("CreateTable", "VectorIndexes")
	case in.GlobalTableSourceArn != nil:
		return notImplemented("CreateTable", "GlobalTableSourceArn")
	case in.GlobalTableSettingsReplicationMode != nil:
		return notImplemented("CreateTable", "GlobalTableSettingsReplicationMode")
	}
	return nil
}

// checkRequired refuses a table without what the model no longer requires, for the sake of global tables.
func checkRequired(in *CreateTableInput) error {
	const null = "Value null at '%s' failed to satisfy constraint: Member must not be null"
	switch {
	case in.AttributeDefinitions == nil && in.KeySchema == nil:
		return errValidation("2 validation errors detected: "+null+"; "+null, "attributeDefinitions", "keySchema")
	case in.AttributeDefinitions == nil:
		return errValidation("1 validation error detected: "+null, "attributeDefinitions")
	case in.KeySchema == nil:
		return errValidation("1 validation error detected: "+null, "keySchema")
	}
	return checkLengths(in)
}

// newTable makes the description of a new table, without its stream.
func newTable(r *wire.Request, in *CreateTableInput, id string, now time.Time) (*table, error) {
	name, err := ownTableName(r, *in.TableName)
	if err != nil {
		return nil, err
	}
	if err := checkRequired(in); err != nil {
		return nil, err
	}
	t := &table{
		Account: r.Account, Region: r.Region, Name: name, ID: id, Created: now,
		Attributes: in.AttributeDefinitions, Billing: BillingModeProvisioned, Tags: in.Tags,
	}
	if in.BillingMode != nil {
		t.Billing = *in.BillingMode
	}
	if t.Billing == BillingModePayPerRequest {
		t.OnDemandFrom = &now
	}
	if err := t.Throughput.create(t, nil, in.ProvisionedThroughput, in.OnDemandThroughput, in.WarmThroughput); err != nil {
		return nil, err
	}
	if in.TableClass != nil {
		t.Class = *in.TableClass
	}
	if err := checkClass(in.TableClass); err != nil {
		return nil, err
	}
	t.Protected = yes(in.DeletionProtectionEnabled)
	if err := checkUnique(in.AttributeDefinitions); err != nil {
		return nil, err
	}
	if len(in.AttributeDefinitions) < len(in.KeySchema) {
		return nil, errValidation(msgTooFewDefinitions)
	}
	if t.Key, err = newSchema(nil, in.KeySchema, t.Attributes); err != nil {
		return nil, err
	}
	if err := newIndexes(t, in); err != nil {
		return nil, err
	}
	if err := checkStreamSpecification(in.StreamSpecification, true); err != nil {
		return nil, err
	}
	if t.EncryptedBy, err = encryption(r, in.SSESpecification); err != nil {
		return nil, err
	}
	t.Attributes = t.definitions()
	return t, checkTags(in.Tags)
}

// DescribeTable describes a table. Its counts are those of this instant, where AWS's are up to six hours old.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTable.html
func (s *service) DescribeTable(ctx context.Context, in *DescribeTableInput) (out *DescribeTableOutput, err error) {
	r, now := wire.From(ctx), s.Clock.Now()
	err = s.Store.View(func(tx *store.Tx) error {
		t, err := s.tableToChange(tx, r, *in.TableName)
		if err == nil {
			out = &DescribeTableOutput{Table: t.describe(tx, now)}
		}
		return err
	})
	return out, err
}

// DeleteTable removes a table with its items and indexes. The answer says DELETING; how long the table is so, Options.Transition
// tells, and until then it can be read and written. Its stream can be read for another 24 hours.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteTable.html
func (s *service) DeleteTable(ctx context.Context, in *DeleteTableInput) (out *DeleteTableOutput, err error) {
	r, now := wire.From(ctx), s.Clock.Now()
	err = s.Store.Update(func(tx *store.Tx) error {
		t, err := s.tableToChange(tx, r, *in.TableName)
		if err != nil {
			return err
		}
		if err := t.checkDeletable(); err != nil {
			return err
		}
		switch {
		case t.Protected && t.Global != nil: // ack-api-quirks, DDB-TABLE-297
			return errValidation(msgReplicaGuarded, t.Name, t.Region)
		case t.Protected:
			return errValidation("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
		}
		if err := t.checkLeave(now); err != nil {
			return err
		}
		t.begin(transition{Kind: deleting}, now, s.opts.Transition)
		out = &DeleteTableOutput{TableDescription: deleted(t.describe(tx, now))}
		dropOldStreams(tx, now)
		disableStream(tx, t, now)
		t.leave(tx)
		t.Global = nil
		if left := t.settle(now); left != nil {
			left.put(tx)
		} else {
			t.drop(tx, now)
		}
		return nil
	})
	if err == nil && s.opts.Transition == 0 { // and not before the commit: until then it is still there to be read
		s.cache.forget(r.Account, r.Region, *out.TableDescription.TableName)
	}
	s.wake(now, err)
	return out, err
}

// deleted is the part of a description that DeleteTable answers, as in public transcripts:
// https://github.com/aws/aws-cli/blob/develop/awscli/examples/dynamodb/delete-table.rst
func deleted(d *TableDescription) *TableDescription {
	return &TableDescription{
		TableName: d.TableName, TableStatus: d.TableStatus, ProvisionedThroughput: d.ProvisionedThroughput, TableSizeBytes: d.TableSizeBytes,
		ItemCount: d.ItemCount, TableArn: d.TableArn, TableId: d.TableId, BillingModeSummary: d.BillingModeSummary,
		TableClassSummary: d.TableClassSummary, DeletionProtectionEnabled: d.DeletionProtectionEnabled,
	}
}

// drop removes a table with its items and indexes, and ends its stream.
func (t *table) drop(tx *store.Tx, now time.Time) {
	disableStream(tx, t, now)
	for i := range t.Indexes {
		t.dropIndex(tx, &t.Indexes[i])
	}
	dropItems(tx, t, now)
	dropPolicies(tx, t)
	tx.DropBucket(t.expiries())
	tx.Bucket("counts").Delete(t.countKey(nil))
	tables.Delete(tx, t.Account, t.Region, t.Name)
}

// dropIndex removes what an index holds.
func (t *table) dropIndex(tx *store.Tx, x *index) {
	tx.DropBucket(t.entries(x))
	tx.Bucket("counts").Delete(t.countKey(x))
}

// ListTables lists the names of the account's tables in the region, 100 at a time.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListTables.html
func (s *service) ListTables(ctx context.Context, in *ListTablesInput) (out *ListTablesOutput, err error) {
	r, now, limit, after := wire.From(ctx), s.Clock.Now(), 100, ""
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	if in.ExclusiveStartTableName != nil {
		after = *in.ExclusiveStartTableName
	}
	err = s.Store.View(func(tx *store.Tx) error {
		out = &ListTablesOutput{TableNames: []string{}}
		for t := range tables.After(tx, []any{after}, r.Account, r.Region) {
			if t.settle(now) == nil {
				continue
			}
			if len(out.TableNames) == limit {
				out.LastEvaluatedTableName = new(out.TableNames[limit-1])
				break
			}
			out.TableNames = append(out.TableNames, t.Name)
		}
		return nil
	})
	return out, err
}

// DescribeLimits tells the default quotas of an account. That of a table is enforced where one asks for more, and that of the
// account for new tables.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeLimits.html
func (s *service) DescribeLimits(context.Context, *DescribeLimitsInput) (*DescribeLimitsOutput, error) {
	return &DescribeLimitsOutput{
		AccountMaxReadCapacityUnits: new(int64(maxAccountUnits)), AccountMaxWriteCapacityUnits: new(int64(maxAccountUnits)),
		TableMaxReadCapacityUnits: new(int64(maxTableUnits)), TableMaxWriteCapacityUnits: new(int64(maxTableUnits)),
	}, nil
}

// DescribeEndpoints tells clients that discover endpoints to come back to the host that they have called.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeEndpoints.html
func (s *service) DescribeEndpoints(ctx context.Context, _ *DescribeEndpointsInput) (*DescribeEndpointsOutput, error) {
	r := wire.From(ctx)
	host := r.Host
	if host == "" {
		host = "dynamodb." + r.Region + ".amazonaws.com"
	}
	return &DescribeEndpointsOutput{Endpoints: []Endpoint{{Address: &host, CachePeriodInMinutes: new(int64(1440))}}}, nil
}
