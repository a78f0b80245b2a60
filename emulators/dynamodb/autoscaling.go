package dynamodb

import (
	"context"
	"slices"

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

// DescribeTableReplicaAutoScaling tells of all replicas, sorted by region, that nothing of them is scaled (ack-api-quirks,
// DDB-TABLE-232).
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTableReplicaAutoScaling.html
func (s *service) DescribeTableReplicaAutoScaling(ctx context.Context, in *DescribeTableReplicaAutoScalingInput) (out *DescribeTableReplicaAutoScalingOutput, err error) {
	r := wire.From(ctx)
	off := &AutoScalingSettingsDescription{AutoScalingDisabled: new(true), ScalingPolicies: []AutoScalingPolicyDescription{}}
	err = s.Store.View(func(tx *store.Tx) error {
		t, err := s.globalTable(tx, r, *in.TableName)
		if err != nil {
			return err
		}
		d := &TableAutoScalingDescription{TableName: new(t.Name), TableStatus: new(TableStatusActive)}
		for _, region := range slices.Sorted(slices.Values(append(t.others(), t.Region))) {
			replica := ReplicaAutoScalingDescription{
				RegionName: new(region), ReplicaStatus: new(ReplicaStatusActive), GlobalSecondaryIndexes: []ReplicaGlobalSecondaryIndexAutoScalingDescription{},
				ReplicaProvisionedReadCapacityAutoScalingSettings: off, ReplicaProvisionedWriteCapacityAutoScalingSettings: off,
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
		out = &DescribeTableReplicaAutoScalingOutput{TableAutoScalingDescription: d}
		return nil
	})
	return out, err
}

// UpdateTableReplicaAutoScaling is refused: the settings are Application Auto Scaling's, which is not here, and throughput
// limits nothing that could be scaled.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTableReplicaAutoScaling.html
func (s *service) UpdateTableReplicaAutoScaling(ctx context.Context, in *UpdateTableReplicaAutoScalingInput) (*UpdateTableReplicaAutoScalingOutput, error) {
	r := wire.From(ctx)
	return nil, s.Store.View(func(tx *store.Tx) error {
		if _, err := s.globalTable(tx, r, *in.TableName); err != nil {
			return err
		}
		return wire.NotImplemented("devstack does not implement UpdateTableReplicaAutoScaling: there is no Application Auto Scaling here")
	})
}
