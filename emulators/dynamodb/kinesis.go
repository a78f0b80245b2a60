package dynamodb

import (
	"context"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// There is no Kinesis to write to, so no table has a destination. What AWS says of one that is not there: a recorded answer,
// but for the first, which was observed (ack-api-quirks, DDB-TABLE-302).
const (
	msgDestinationInactive = "Table is not in a valid state to enable Kinesis Streaming Destination: KinesisStreamingDestination must be ACTIVE to perform DISABLE operation."
	msgDestinationNone     = "Table is not in a valid state to enable Kinesis Streaming Destination: No streaming destination with streamArn: %s found for table with tableName: %s"
	msgDestinationNothing  = "Streaming destination cannot be updated with given parameters: UpdateKinesisStreamingConfiguration cannot be null or contain only null values"
)

// streaming finds the name of a table whose destinations are asked for.
func (s *service) streaming(ctx context.Context, nameOrARN string) (name string, err error) {
	r := wire.From(ctx)
	err = s.Store.View(func(tx *store.Tx) error {
		t, err := s.tableToChange(tx, r, nameOrARN)
		if err == nil {
			name = t.Name
		}
		return err
	})
	return name, err
}

// EnableKinesisStreamingDestination is refused: there is no Kinesis.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_EnableKinesisStreamingDestination.html
func (s *service) EnableKinesisStreamingDestination(ctx context.Context, in *EnableKinesisStreamingDestinationInput) (*EnableKinesisStreamingDestinationOutput, error) {
	if len(*in.StreamArn) < 37 { // which DisableKinesisStreamingDestination does not look at (ack-api-quirks, DDB-TABLE-302, 457)
		return nil, errValidation("1 validation error detected: Value '%s' at 'streamArn' failed to satisfy constraint: Member must have length greater than or equal to 37", *in.StreamArn)
	}
	if _, err := s.streaming(ctx, *in.TableName); err != nil {
		return nil, err
	}
	return nil, wire.NotImplemented("devstack does not implement EnableKinesisStreamingDestination: there is no Amazon Kinesis here to write to")
}

// DisableKinesisStreamingDestination answers ValidationException, as AWS does for a stream that is no destination.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DisableKinesisStreamingDestination.html
func (s *service) DisableKinesisStreamingDestination(ctx context.Context, in *DisableKinesisStreamingDestinationInput) (*DisableKinesisStreamingDestinationOutput, error) {
	if c := in.EnableKinesisStreamingConfiguration; c != nil && c.ApproximateCreationDateTimePrecision != nil { // ack-api-quirks, DDB-TABLE-301
		return nil, errValidation("Stream cannot be disabled using EnableKinesisStreamingConfiguration parameters")
	}
	if _, err := s.streaming(ctx, *in.TableName); err != nil {
		return nil, err
	}
	return nil, errValidation(msgDestinationInactive)
}

// UpdateKinesisStreamingDestination answers ValidationException, as AWS does for a stream that is no destination.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateKinesisStreamingDestination.html
func (s *service) UpdateKinesisStreamingDestination(ctx context.Context, in *UpdateKinesisStreamingDestinationInput) (*UpdateKinesisStreamingDestinationOutput, error) {
	if c := in.UpdateKinesisStreamingConfiguration; c == nil || c.ApproximateCreationDateTimePrecision == nil {
		return nil, errValidation(msgDestinationNothing)
	}
	name, err := s.streaming(ctx, *in.TableName)
	if err != nil {
		return nil, err
	}
	return nil, errValidation(msgDestinationNone, *in.StreamArn, name)
}

// DescribeKinesisStreamingDestination lists no destinations.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeKinesisStreamingDestination.html
func (s *service) DescribeKinesisStreamingDestination(ctx context.Context, in *DescribeKinesisStreamingDestinationInput) (*DescribeKinesisStreamingDestinationOutput, error) {
	name, err := s.streaming(ctx, *in.TableName)
	if err != nil {
		return nil, err
	}
	return &DescribeKinesisStreamingDestinationOutput{TableName: &name, KinesisDataStreamDestinations: []KinesisDataStreamDestination{}}, nil
}
