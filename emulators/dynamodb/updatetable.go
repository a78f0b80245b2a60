package dynamodb

import (
	"bytes"
	"context"
	"slices"
	"time"

	"devstack/emulators/dynamodb/item"
	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// UpdateTable changes a table's throughput, billing, class, protection, stream or one global secondary index.
//
// A new index is filled before the call returns. An item whose attributes cannot be the index's key is left out of it.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html
func (s *service) UpdateTable(ctx context.Context, in *UpdateTableInput) (out *UpdateTableOutput, err error) {
	r, now := wire.From(ctx), s.Clock.Now()
	if in.ReplicaUpdates != nil {
		return s.updateMembers(ctx, in)
	}
	if err := refuseUpdate(in); err != nil {
		return nil, err
	}
	err = s.Store.Update(func(tx *store.Tx) error {
		t, err := s.tableToChange(tx, r, *in.TableName)
		if err != nil {
			return err
		}
		before := *t
		if err := t.checkReplica(in); err != nil {
			return err
		}
		if err := t.update(in, now); err != nil {
			return err
		}
		if err := t.updateIndexes(in.GlobalSecondaryIndexUpdates, now); err != nil {
			return err
		}
		if err := checkStreamChange(t, in.StreamSpecification); err != nil {
			return err
		}
		// From here on nothing fails: a failure after a write costs those that share the commit.
		dropOldStreams(tx, now)
		if spec := in.StreamSpecification; spec != nil {
			if *spec.StreamEnabled {
				s.enableStream(tx, t, *spec.StreamViewType, now)
			} else {
				disableStream(tx, t, now)
			}
		}
		t.followIndexes(tx, &before)
		t.synchronize(tx, &before, now)
		t.put(tx)
		out = &UpdateTableOutput{TableDescription: t.describe(tx, now)}
		return nil
	})
	return out, err
}

// refuseUpdate names what UpdateTable would have to do more than report, and refuses a call that asks for nothing.
func refuseUpdate(in *UpdateTableInput) error {
	switch {
	case in.SSESpecification != nil && in.SSESpecification.Enabled != nil && *in.SSESpecification.Enabled:
		return notImplemented("UpdateTable", "SSESpecification")
	case in.ProvisionedThroughput == nil && in.BillingMode == nil && in.StreamSpecification == nil && in.GlobalSecondaryIndexUpdates == nil &&
		in.SSESpecification == nil && in.TableClass == nil && in.DeletionProtectionEnabled == nil && in.OnDemandThroughput == nil && in.WarmThroughput == nil &&
		in.GlobalTableSettingsReplicationMode == nil:
		return errValidation("At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required")
	}
	if err := checkSettingsMode(in.GlobalTableSettingsReplicationMode); err != nil {
		return err
	}
	return checkStreamSpecification(in.StreamSpecification)
}

// update takes over what concerns the table itself.
func (t *table) update(in *UpdateTableInput, now time.Time) error {
	for _, d := range in.AttributeDefinitions {
		i := slices.IndexFunc(t.Attributes, func(old AttributeDefinition) bool { return *old.AttributeName == *d.AttributeName })
		switch {
		case i < 0:
			t.Attributes = append(t.Attributes, d)
		case *t.Attributes[i].AttributeType != *d.AttributeType: // the words are a guess
			return badParameter("Attribute %s is defined with type %s already", *d.AttributeName, *t.Attributes[i].AttributeType)
		}
	}
	if err := t.updateBilling(in, now); err != nil {
		return err
	}
	t.Throughput.limit(in.OnDemandThroughput)
	t.Throughput.warm(in.WarmThroughput)
	if in.GlobalTableSettingsReplicationMode != nil {
		t.SettingsMode = *in.GlobalTableSettingsReplicationMode
	}
	if in.TableClass != nil && *in.TableClass != t.Class {
		t.Class, t.ClassFrom = *in.TableClass, &now
	}
	if in.DeletionProtectionEnabled != nil {
		t.Protected = *in.DeletionProtectionEnabled
	}
	return nil
}

// msgSameThroughput is how AWS refuses what would change nothing, from memory of its answer.
const msgSameThroughput = "The provisioned throughput for the table will not change. The requested value equals the current value. " +
	"Current ReadCapacityUnits provisioned for the table: %d. Requested ReadCapacityUnits: %d. " +
	"Current WriteCapacityUnits provisioned for the table: %d. Requested WriteCapacityUnits: %d. " +
	"Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."

// updateBilling changes the billing mode or the provisioned throughput.
func (t *table) updateBilling(in *UpdateTableInput, now time.Time) error {
	given := in.ProvisionedThroughput
	if in.BillingMode != nil && *in.BillingMode != t.Billing {
		t.Billing = *in.BillingMode
		if err := t.Throughput.set(t.Billing, "", given, nil, nil); err != nil {
			return err
		}
		if t.Billing == BillingModePayPerRequest {
			t.OnDemandFrom = &now
			for i := range t.Indexes {
				t.Indexes[i].Throughput.Read, t.Indexes[i].Throughput.Write = 0, 0
			}
			return nil
		}
		return t.provisionIndexes(in.GlobalSecondaryIndexUpdates)
	}
	switch {
	case given == nil:
		return nil
	case t.Billing == BillingModePayPerRequest:
		return t.Throughput.set(t.Billing, "", given, nil, nil) // refuses
	case t.Throughput.equals(given) && in.BillingMode == nil:
		return errValidation(msgSameThroughput, t.Throughput.Read, *given.ReadCapacityUnits, t.Throughput.Write, *given.WriteCapacityUnits)
	}
	t.Throughput.change(given, now)
	return nil
}

// provisionIndexes checks that a change to PROVISIONED says what each index is to have.
func (t *table) provisionIndexes(updates []GlobalSecondaryIndexUpdate) error {
	for _, x := range t.Indexes {
		said := slices.ContainsFunc(updates, func(u GlobalSecondaryIndexUpdate) bool {
			return u.Update != nil && *u.Update.IndexName == x.Name && u.Update.ProvisionedThroughput != nil ||
				u.Delete != nil && *u.Delete.IndexName == x.Name
		})
		if x.Global && !said {
			return badParameter("ProvisionedThroughput must be specified for index: %s", x.Name)
		}
	}
	return nil
}

// updateIndexes takes over what concerns indexes.
func (t *table) updateIndexes(updates []GlobalSecondaryIndexUpdate, now time.Time) error {
	structural := 0
	for _, u := range updates {
		switch {
		case u.Create != nil:
			structural++
			if _, exists := t.index(*u.Create.IndexName); exists {
				return errValidation("Attempting to create an index which already exists")
			}
			if err := t.addGlobal(*u.Create); err != nil {
				return err
			}
		case u.Delete != nil:
			structural++
			x, ok := t.index(*u.Delete.IndexName)
			if !ok || !x.Global {
				return errResourceNotFoundException(msgNotFound) // a guess
			}
			t.Indexes = slices.DeleteFunc(t.Indexes, func(x index) bool { return x.Name == *u.Delete.IndexName })
		case u.Update != nil:
			if err := t.updateIndex(u.Update, now); err != nil {
				return err
			}
		default:
			return badParameter("One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null") // a guess
		}
	}
	if structural > 1 {
		return errLimitExceededException("Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table")
	}
	t.Attributes = slices.DeleteFunc(t.Attributes, func(d AttributeDefinition) bool {
		return !slices.ContainsFunc(append(indexKeys(t.Indexes), t.Key), func(k keySchema) bool { return k.has(*d.AttributeName) })
	})
	return t.checkIndexes()
}

// updateIndex changes an index's throughput.
func (t *table) updateIndex(in *UpdateGlobalSecondaryIndexAction, now time.Time) error {
	x, ok := t.index(*in.IndexName)
	if !ok || !x.Global {
		return errResourceNotFoundException(msgNotFound) // a guess
	}
	if given := in.ProvisionedThroughput; given != nil {
		if t.Billing == BillingModePayPerRequest {
			return x.Throughput.set(t.Billing, "index: "+x.Name, given, nil, nil) // refuses
		}
		x.Throughput.change(given, now)
	}
	x.Throughput.limit(in.OnDemandThroughput)
	x.Throughput.warm(in.WarmThroughput)
	return nil
}

// followIndexes fills the indexes that the table did not have before and empties those that it has no longer.
func (t *table) followIndexes(tx *store.Tx, before *table) {
	for i := range before.Indexes {
		if _, kept := t.index(before.Indexes[i].Name); !kept {
			before.dropIndex(tx, &before.Indexes[i])
		}
	}
	for i := range t.Indexes {
		x := &t.Indexes[i]
		if _, old := before.index(x.Name); old {
			continue
		}
		entries := tx.Bucket(t.entries(x))
		var n counts
		for key, stored := range tx.Bucket(t.items()).Ascend(nil) {
			e, ok := t.entryOf(x, record(stored), key)
			if !ok {
				continue
			}
			entries.Put(e.key, bytes.Clone(e.value))
			n.items++
			n.bytes += int64(e.value.size())
		}
		t.add(tx, x, n)
	}
}

// keyKind is the data type of a key attribute.
func (a keyAttribute) kind() item.Kind {
	k, _ := item.ParseKind(a.Type)
	return k
}
