package dynamodb

import (
	"context"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// msgNotGlobal is AWS's, as observed of a table that is not there (ack-api-quirks, DDB-TABLE-254).
const msgNotGlobal = "Global table with name: '%s' does not exist."

// refuseAutoScaling is the answer to both operations: the settings are Application Auto Scaling's, which is not here, and
// throughput limits nothing that could be scaled.
func (s *service) refuseAutoScaling(ctx context.Context, operation, nameOrARN string) error {
	r := wire.From(ctx)
	return s.Store.View(func(tx *store.Tx) error {
		t, name, err := s.lookup(tx, r, nameOrARN)
		switch {
		case err != nil:
			return err
		case t == nil:
			return errResourceNotFoundException(msgNotGlobal, name)
		}
		return wire.NotImplemented("devstack does not implement %s: there is no Application Auto Scaling here", operation)
	})
}

// DescribeTableReplicaAutoScaling is refused.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTableReplicaAutoScaling.html
func (s *service) DescribeTableReplicaAutoScaling(ctx context.Context, in *DescribeTableReplicaAutoScalingInput) (*DescribeTableReplicaAutoScalingOutput, error) {
	return nil, s.refuseAutoScaling(ctx, "DescribeTableReplicaAutoScaling", *in.TableName)
}

// UpdateTableReplicaAutoScaling is refused.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTableReplicaAutoScaling.html
func (s *service) UpdateTableReplicaAutoScaling(ctx context.Context, in *UpdateTableReplicaAutoScalingInput) (*UpdateTableReplicaAutoScalingOutput, error) {
	return nil, s.refuseAutoScaling(ctx, "UpdateTableReplicaAutoScaling", *in.TableName)
}
