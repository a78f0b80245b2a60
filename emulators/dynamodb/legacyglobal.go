package dynamodb

import (
	"context"
	"slices"
)

// Global tables of version 2017.11.29 cannot be made on AWS any more, so that there are none: as quoted in
// https://github.com/crossplane-contrib/provider-aws/issues/2308 and
// https://github.com/aws-controllers-k8s/dynamodb-controller/pull/167. Those of version 2019.11.21, which UpdateTable makes, are
// none of theirs (ack-api-quirks, DDB-GLOBALTABLE-001, 002 and 004).
const (
	msgLegacyGlobal  = "DynamoDB global tables version 2017.11.29 is not supported. We recommend using DynamoDB global tables version 2019.11.21, instead of version 2017.11.29 (Legacy)."
	msgNoGlobalTable = "Global table not found: " + msgNotGlobal
	msgInternal      = "Internal server error"
	msgLegacyNothing = "One or more parameter values were invalid"
)

func checkGlobalName(name string) error { return checkPlainName("TableName", "globalTableName", name) }

// otherRegions are those in which there are no global tables, but which there are (observed of the first, ack-api-quirks,
// DDB-TABLE-448).
var otherRegions = []string{"cn-north-1", "cn-northwest-1", "us-gov-east-1", "us-gov-west-1"}

func isRegion(name string) bool {
	return slices.Contains(regions, name) || slices.Contains(otherRegions, name)
}

// CreateGlobalTable is refused, as on AWS: UpdateTable's ReplicaUpdates make the global tables of today.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateGlobalTable.html
func (s *service) CreateGlobalTable(_ context.Context, in *CreateGlobalTableInput) (*CreateGlobalTableOutput, error) {
	if err := checkGlobalName(*in.GlobalTableName); err != nil {
		return nil, err
	}
	return nil, badParameter(msgLegacyGlobal)
}

// UpdateGlobalTable finds no global table of version 2017.11.29.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateGlobalTable.html
func (s *service) UpdateGlobalTable(_ context.Context, in *UpdateGlobalTableInput) (*UpdateGlobalTableOutput, error) {
	err := checkGlobalName(*in.GlobalTableName)
	switch {
	case err != nil:
		return nil, err
	case len(in.ReplicaUpdates) == 0, slices.ContainsFunc(in.ReplicaUpdates, func(u ReplicaUpdate) bool { return u.Create == nil && u.Delete == nil }):
		return nil, errValidation(msgLegacyNothing)
	case slices.ContainsFunc(in.ReplicaUpdates, func(u ReplicaUpdate) bool { return u.Create != nil }):
		return nil, badParameter(msgLegacyGlobal)
	}
	return nil, errGlobalTableNotFoundException(msgNotGlobal, *in.GlobalTableName)
}

// DescribeGlobalTable finds no global table of version 2017.11.29.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeGlobalTable.html
func (s *service) DescribeGlobalTable(_ context.Context, in *DescribeGlobalTableInput) (*DescribeGlobalTableOutput, error) {
	if err := checkGlobalName(*in.GlobalTableName); err != nil {
		return nil, err
	}
	return nil, errGlobalTableNotFoundException(msgNoGlobalTable, *in.GlobalTableName)
}

// ListGlobalTables lists the global tables of version 2017.11.29: none. A region that there is not is an internal error.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListGlobalTables.html
func (s *service) ListGlobalTables(_ context.Context, in *ListGlobalTablesInput) (*ListGlobalTablesOutput, error) {
	if in.RegionName != nil && !isRegion(*in.RegionName) {
		return nil, errInternalServerError(msgInternal)
	}
	return &ListGlobalTablesOutput{GlobalTables: []GlobalTable{}}, nil
}

// DescribeGlobalTableSettings finds no global table of version 2017.11.29.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeGlobalTableSettings.html
func (s *service) DescribeGlobalTableSettings(_ context.Context, in *DescribeGlobalTableSettingsInput) (*DescribeGlobalTableSettingsOutput, error) {
	if err := checkGlobalName(*in.GlobalTableName); err != nil {
		return nil, err
	}
	return nil, errGlobalTableNotFoundException(msgNotGlobal, *in.GlobalTableName)
}

// UpdateGlobalTableSettings finds no global table of version 2017.11.29.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateGlobalTableSettings.html
func (s *service) UpdateGlobalTableSettings(_ context.Context, in *UpdateGlobalTableSettingsInput) (*UpdateGlobalTableSettingsOutput, error) {
	if err := checkGlobalName(*in.GlobalTableName); err != nil {
		return nil, err
	}
	return nil, errGlobalTableNotFoundException(msgNotGlobal, *in.GlobalTableName)
}
