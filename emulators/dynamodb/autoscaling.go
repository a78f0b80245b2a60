package dynamodb

import (
	"context"
	"slices"
	"strings"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// msgNotGlobal is AWS's, as observed of a table that is not there or has no replicas (ack-api-quirks, DDB-TABLE-187, 254).
const msgNotGlobal = "Global table with name: '%s' does not exist."

// globalTable finds a table that has replicas.
func (s *service) globalTable(tx *store.Tx, r *wire.Request, nameOrARN string) (*table, error) {
	t, name, err := s.lookup(tx, r, nameOrARN)
	if err == nil && (t == nil || t.Global == nil) {
		err = errResourceNotFoundException(msgNotGlobal, name)
	}
	return t, err
}

// DescribeTableReplicaAutoScaling tells of all replicas that nothing of them is scaled.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTableReplicaAutoScaling.html
func (s *service) DescribeTableReplicaAutoScaling(ctx context.Context, in *DescribeTableReplicaAutoScalingInput) (out *DescribeTableReplicaAutoScalingOutput, err error) {
	r, now := wire.From(ctx), s.Clock.Now()
	err = s.Store.View(func(tx *store.Tx) error {
		t, err := s.globalTable(tx, r, *in.TableName)
		if err == nil {
			out = &DescribeTableReplicaAutoScalingOutput{TableAutoScalingDescription: t.describeScaling(tx, now)}
		}
		return err
	})
	return out, err
}

// describeScaling tells that nothing is scaled, of all replicas, sorted by region. One that is being created is among them, and
// the table is ACTIVE all the time (ack-api-quirks, DDB-TABLE-187, 232).
func (t *table) describeScaling(tx *store.Tx, now time.Time) *TableAutoScalingDescription {
	off := &AutoScalingSettingsDescription{AutoScalingDisabled: new(true), ScalingPolicies: []AutoScalingPolicyDescription{}}
	d := &TableAutoScalingDescription{TableName: new(t.Name), TableStatus: new(TableStatusActive)}
	for _, region := range slices.Sorted(slices.Values(append(t.others(), t.Region))) {
		replica := ReplicaAutoScalingDescription{
			RegionName: new(region), ReplicaStatus: new(ReplicaStatusActive), GlobalSecondaryIndexes: []ReplicaGlobalSecondaryIndexAutoScalingDescription{},
			ReplicaProvisionedReadCapacityAutoScalingSettings: off, ReplicaProvisionedWriteCapacityAutoScalingSettings: off,
		}
		if t.replica(tx, region).settle(now).status() == TableStatusCreating {
			replica.ReplicaStatus = new(ReplicaStatusCreating)
		}
		for _, x := range t.Indexes {
			if x.Global {
				replica.GlobalSecondaryIndexes = append(replica.GlobalSecondaryIndexes, ReplicaGlobalSecondaryIndexAutoScalingDescription{
					IndexName: new(x.Name), IndexStatus: new(IndexStatusActive),
					ProvisionedReadCapacityAutoScalingSettings: off, ProvisionedWriteCapacityAutoScalingSettings: off,
				})
			}
		}
		d.Replicas = append(d.Replicas, replica)
	}
	return d
}

// What AWS says of settings that cannot be (observed, ack-api-quirks, DDB-TABLE-190, 241, 242, 253, 255, 446).
const (
	msgScaling          = "Failed to update settings for global table with name: ‘%s’"
	msgScalingNothing   = msgScaling + " because at least one update parameter must be specified."
	msgScalingTwice     = msgScaling + " because the regions: ‘[%s]’ were specified more than once."
	msgScalingEmpty     = msgScaling + " because at least one update parameter must be specified for region: ‘%s’."
	msgScalingParts     = msgScaling + ": Parameters %s are required unless auto scaling is being disabled."
	msgScalingBlank     = "Failed to update settings for global table with name ‘%s’: Parameters %s must be left blank when disabling auto scaling."
	msgScalingNoReplica = msgScaling + " because a replica does not exist in regions: ‘[%s]’."
	msgScalingNoIndexes = msgScaling + " because the global secondary indexes with names: ‘[%s]’ do not exist."
	msgScalingNoIndex   = msgScaling + " because a global secondary index with name: ‘%s’ does not exist in region: ‘%s’."
	msgScalingBilling   = "Failed to update global table with name ‘%s‘. Replicas %s BillingMode is PayPerRequest. You must convert table's BillingMode " +
		"to PROVISIONED to set parameters: %s."
)

// UpdateTableReplicaAutoScaling can turn off what is off. To scale is refused, by AWS's rule for a table whose billing mode is
// PAY_PER_REQUEST: that of every table with replicas is, as AWS has no replicas of others whose writes are not scaled, and
// Application Auto Scaling is not here.
//
// ResourceNotFoundException of a table without replicas, and of a replica or an index that is not there.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTableReplicaAutoScaling.html
func (s *service) UpdateTableReplicaAutoScaling(ctx context.Context, in *UpdateTableReplicaAutoScalingInput) (out *UpdateTableReplicaAutoScalingOutput, err error) {
	r, now := wire.From(ctx), s.Clock.Now()
	err = s.Store.View(func(tx *store.Tx) error {
		t, err := s.globalTable(tx, r, *in.TableName)
		if err != nil {
			return err
		}
		if err := t.checkScalingRegions(in); err != nil {
			return err
		}
		if err := t.checkScaling(in.scalings()); err != nil {
			return err
		}
		out = &UpdateTableReplicaAutoScalingOutput{TableAutoScalingDescription: t.describeScaling(tx, now)}
		return nil
	})
	return out, err
}

// scaling is what one of a request's settings is to be, and the name under which AWS speaks of it: an index's is a guess, after
// the parameters of the older UpdateGlobalTableSettings.
type scaling struct {
	parameter string
	to        *AutoScalingSettingsUpdate
}

// scalings are the request's settings.
func (in *UpdateTableReplicaAutoScalingInput) scalings() (all []scaling) {
	add := func(parameter string, to *AutoScalingSettingsUpdate) {
		if to != nil {
			all = append(all, scaling{parameter, to})
		}
	}
	add("GlobalTableProvisionedWriteCapacityAutoScalingSettingsUpdate", in.ProvisionedWriteCapacityAutoScalingUpdate)
	for _, x := range in.GlobalSecondaryIndexUpdates {
		add("ProvisionedWriteCapacityAutoScalingSettingsUpdate", x.ProvisionedWriteCapacityAutoScalingUpdate)
	}
	for _, u := range in.ReplicaUpdates {
		add("ReplicaProvisionedReadCapacityAutoScalingSettingsUpdate", u.ReplicaProvisionedReadCapacityAutoScalingUpdate)
		for _, x := range u.ReplicaGlobalSecondaryIndexUpdates {
			add("ProvisionedReadCapacityAutoScalingSettingsUpdate", x.ProvisionedReadCapacityAutoScalingUpdate)
		}
	}
	return all
}

// checkScalingRegions checks of which replicas and indexes a request speaks. Which of two mistakes is told is a guess.
func (t *table) checkScalingRegions(in *UpdateTableReplicaAutoScalingInput) error {
	if in.ProvisionedWriteCapacityAutoScalingUpdate == nil && in.GlobalSecondaryIndexUpdates == nil && in.ReplicaUpdates == nil {
		return errValidation(msgScalingNothing, t.Name)
	}
	seen, regions := map[string]bool{}, append(t.others(), t.Region)
	for _, u := range in.ReplicaUpdates {
		switch region := *u.RegionName; {
		case seen[region]:
			return errValidation(msgScalingTwice, t.Name, region)
		case u.ReplicaProvisionedReadCapacityAutoScalingUpdate == nil && u.ReplicaGlobalSecondaryIndexUpdates == nil:
			return errValidation(msgScalingEmpty, t.Name, region)
		case !slices.Contains(regions, region):
			return errResourceNotFoundException(msgScalingNoReplica, t.Name, region)
		}
		seen[*u.RegionName] = true
		for _, x := range u.ReplicaGlobalSecondaryIndexUpdates {
			if name, ok := t.globalIndex(x.IndexName); !ok {
				return errResourceNotFoundException(msgScalingNoIndex, t.Name, name, *u.RegionName)
			}
		}
	}
	for _, x := range in.GlobalSecondaryIndexUpdates {
		if name, ok := t.globalIndex(x.IndexName); !ok {
			return errResourceNotFoundException(msgScalingNoIndexes, t.Name, name)
		}
	}
	return nil
}

// globalIndex tells whether there is a global secondary index of a name, which may be missing.
func (t *table) globalIndex(given *string) (name string, ok bool) {
	if given != nil {
		name = *given
	}
	return name, slices.ContainsFunc(t.Indexes, func(x index) bool { return x.Global && x.Name == name })
}

// checkScaling checks what the settings are to be: all of a setting must be said, or that there is none.
func (t *table) checkScaling(all []scaling) error {
	var wanted []string
	for _, x := range all {
		var given, missing []string
		for _, part := range []struct {
			name string
			is   bool
		}{{"MaximumUnits", x.to.MaximumUnits != nil}, {"ScalingPolicyUpdate", x.to.ScalingPolicyUpdate != nil}, {"MinimumUnits", x.to.MinimumUnits != nil}} {
			if part.is {
				given = append(given, part.name)
			} else {
				missing = append(missing, part.name)
			}
		}
		off := x.to.AutoScalingDisabled != nil && *x.to.AutoScalingDisabled
		switch {
		case off && given != nil:
			return errValidation(msgScalingBlank, t.Name, quoted(given))
		case off:
			continue
		case missing != nil:
			return errValidation(msgScalingParts, t.Name, quoted(missing))
		}
		wanted = append(wanted, x.parameter)
	}
	if wanted == nil {
		return nil
	}
	regions := slices.Sorted(slices.Values(append(t.others(), t.Region)))
	return errValidation(msgScalingBilling, t.Name, strings.ToUpper(quoted(regions)), quoted(wanted))
}

// quoted are words as AWS lists them in this operation's messages.
func quoted(words []string) string { return "'" + strings.Join(words, "', '") + "'" }
