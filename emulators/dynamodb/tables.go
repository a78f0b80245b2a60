package dynamodb

import (
	"context"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// CreateTable makes a table, which is ACTIVE at once.
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
		if _, exists := tables.Get(tx, t.Account, t.Region, t.Name); exists {
			return errResourceInUseException("Table already exists: %s", t.Name) // recorded answer
		}
		dropOldStreams(tx, now)
		fresh := *t
		if spec := in.StreamSpecification; spec != nil && *spec.StreamEnabled {
			s.enableStream(tx, &fresh, *spec.StreamViewType, now)
		}
		fresh.put(tx)
		putPolicy(tx)
		out = &CreateTableOutput{TableDescription: created(fresh.describe(tx, now), in)}
		return nil
	})
	return out, err
}

// created is the description that CreateTable answers. AWS does not know yet what it will be ready for, nor since when it is
// on demand (recorded answers).
func created(d *TableDescription, in *CreateTableInput) *TableDescription {
	if in.WarmThroughput == nil {
		d.WarmThroughput = nil
	}
	if d.BillingModeSummary != nil {
		d.BillingModeSummary.LastUpdateToPayPerRequestDateTime = nil
	}
	for i, x := range in.GlobalSecondaryIndexes {
		if x.WarmThroughput == nil {
			d.GlobalSecondaryIndexes[i].WarmThroughput = nil
		}
	}
	return d
}

// refuseCreate names what CreateTable would have to do more than report.
func refuseCreate(in *CreateTableInput) error {
	switch {
	case in.SSESpecification != nil && in.SSESpecification.Enabled != nil && *in.SSESpecification.Enabled:
		return notImplemented("CreateTable", "SSESpecification")
	case in.GlobalTableSourceArn != nil:
		return notImplemented("CreateTable", "GlobalTableSourceArn")
	case in.GlobalTableSettingsReplicationMode != nil:
		return notImplemented("CreateTable", "GlobalTableSettingsReplicationMode")
	}
	return nil
}

// msgRequired is how a constraint of the model would be told.
const msgRequired = "1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null"

// newTable makes the description of a new table, without its stream.
func newTable(r *wire.Request, in *CreateTableInput, id string, now time.Time) (*table, error) {
	name, err := tableName(*in.TableName)
	if err != nil {
		return nil, err
	}
	switch { // the model no longer requires these, for the sake of global tables
	case in.AttributeDefinitions == nil:
		return nil, errValidation(msgRequired, "attributeDefinitions")
	case len(in.KeySchema) == 0:
		return nil, errValidation(msgRequired, "keySchema")
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
	if err := t.Throughput.set(t.Billing, "", in.ProvisionedThroughput, in.OnDemandThroughput, in.WarmThroughput); err != nil {
		return nil, err
	}
	if in.TableClass != nil {
		t.Class = *in.TableClass
	}
	t.Protected = in.DeletionProtectionEnabled != nil && *in.DeletionProtectionEnabled
	if len(in.AttributeDefinitions) < len(in.KeySchema) {
		return nil, errValidation(msgTooFewDefinitions)
	}
	if t.Key, err = newSchema(in.KeySchema, t.Attributes, 1); err != nil {
		return nil, err
	}
	if err := newIndexes(t, in); err != nil {
		return nil, err
	}
	if err := checkStreamSpecification(in.StreamSpecification); err != nil {
		return nil, err
	}
	return t, checkDefinitions(t)
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

// DeleteTable removes a table with its items and indexes at once. Its stream can be read for another 24 hours.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteTable.html
func (s *service) DeleteTable(ctx context.Context, in *DeleteTableInput) (out *DeleteTableOutput, err error) {
	r, now := wire.From(ctx), s.Clock.Now()
	defer func() { // and not before the commit: until then it is still there to be read
		if err == nil {
			s.cache.forget(r.Account, r.Region, *out.TableDescription.TableName)
		}
	}()
	err = s.Store.Update(func(tx *store.Tx) error {
		t, err := s.tableToChange(tx, r, *in.TableName)
		if err != nil {
			return err
		}
		if t.Protected {
			return errValidation("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
		}
		if err := t.checkLeave(now); err != nil {
			return err
		}
		d := t.describe(tx, now)
		d.TableStatus = new(TableStatusDeleting)
		out = &DeleteTableOutput{TableDescription: d}

		dropOldStreams(tx, now)
		t.leave(tx)
		t.drop(tx, now)
		return nil
	})
	return out, err
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
	r, limit, after := wire.From(ctx), 100, ""
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	if in.ExclusiveStartTableName != nil {
		after = *in.ExclusiveStartTableName
	}
	err = s.Store.View(func(tx *store.Tx) error {
		out = &ListTablesOutput{TableNames: []string{}}
		for t := range tables.After(tx, []any{after}, r.Account, r.Region) {
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

// DescribeLimits tells the default quotas of an account, which nothing here enforces: capacity is not limited.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
func (s *service) DescribeLimits(context.Context, *DescribeLimitsInput) (*DescribeLimitsOutput, error) {
	return &DescribeLimitsOutput{
		AccountMaxReadCapacityUnits: new(int64(80000)), AccountMaxWriteCapacityUnits: new(int64(80000)),
		TableMaxReadCapacityUnits: new(int64(40000)), TableMaxWriteCapacityUnits: new(int64(40000)),
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
