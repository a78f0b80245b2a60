package dynamodb

// The operations that are being written. The file goes away with the last of them.

import (
	"context"

	"devstack/emulators/wire"
)

func (s *service) BatchExecuteStatement(context.Context, *BatchExecuteStatementInput) (*BatchExecuteStatementOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation BatchExecuteStatement of the service dynamodb")
}

func (s *service) CreateBackup(context.Context, *CreateBackupInput) (*CreateBackupOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation CreateBackup of the service dynamodb")
}

func (s *service) CreateGlobalTable(context.Context, *CreateGlobalTableInput) (*CreateGlobalTableOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation CreateGlobalTable of the service dynamodb")
}

func (s *service) DeleteBackup(context.Context, *DeleteBackupInput) (*DeleteBackupOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation DeleteBackup of the service dynamodb")
}

func (s *service) DeleteResourcePolicy(context.Context, *DeleteResourcePolicyInput) (*DeleteResourcePolicyOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation DeleteResourcePolicy of the service dynamodb")
}

func (s *service) DescribeBackup(context.Context, *DescribeBackupInput) (*DescribeBackupOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation DescribeBackup of the service dynamodb")
}

func (s *service) DescribeContributorInsights(context.Context, *DescribeContributorInsightsInput) (*DescribeContributorInsightsOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation DescribeContributorInsights of the service dynamodb")
}

func (s *service) DescribeExport(context.Context, *DescribeExportInput) (*DescribeExportOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation DescribeExport of the service dynamodb")
}

func (s *service) DescribeGlobalTable(context.Context, *DescribeGlobalTableInput) (*DescribeGlobalTableOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation DescribeGlobalTable of the service dynamodb")
}

func (s *service) DescribeGlobalTableSettings(context.Context, *DescribeGlobalTableSettingsInput) (*DescribeGlobalTableSettingsOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation DescribeGlobalTableSettings of the service dynamodb")
}

func (s *service) DescribeImport(context.Context, *DescribeImportInput) (*DescribeImportOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation DescribeImport of the service dynamodb")
}

func (s *service) DescribeKinesisStreamingDestination(context.Context, *DescribeKinesisStreamingDestinationInput) (*DescribeKinesisStreamingDestinationOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation DescribeKinesisStreamingDestination of the service dynamodb")
}

func (s *service) DescribeTableReplicaAutoScaling(context.Context, *DescribeTableReplicaAutoScalingInput) (*DescribeTableReplicaAutoScalingOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation DescribeTableReplicaAutoScaling of the service dynamodb")
}

func (s *service) DisableKinesisStreamingDestination(context.Context, *DisableKinesisStreamingDestinationInput) (*DisableKinesisStreamingDestinationOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation DisableKinesisStreamingDestination of the service dynamodb")
}

func (s *service) EnableKinesisStreamingDestination(context.Context, *EnableKinesisStreamingDestinationInput) (*EnableKinesisStreamingDestinationOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation EnableKinesisStreamingDestination of the service dynamodb")
}

func (s *service) ExecuteStatement(context.Context, *ExecuteStatementInput) (*ExecuteStatementOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation ExecuteStatement of the service dynamodb")
}

func (s *service) ExecuteTransaction(context.Context, *ExecuteTransactionInput) (*ExecuteTransactionOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation ExecuteTransaction of the service dynamodb")
}

func (s *service) ExportTableToPointInTime(context.Context, *ExportTableToPointInTimeInput) (*ExportTableToPointInTimeOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation ExportTableToPointInTime of the service dynamodb")
}

func (s *service) GetResourcePolicy(context.Context, *GetResourcePolicyInput) (*GetResourcePolicyOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation GetResourcePolicy of the service dynamodb")
}

func (s *service) ImportTable(context.Context, *ImportTableInput) (*ImportTableOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation ImportTable of the service dynamodb")
}

func (s *service) ListBackups(context.Context, *ListBackupsInput) (*ListBackupsOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation ListBackups of the service dynamodb")
}

func (s *service) ListContributorInsights(context.Context, *ListContributorInsightsInput) (*ListContributorInsightsOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation ListContributorInsights of the service dynamodb")
}

func (s *service) ListExports(context.Context, *ListExportsInput) (*ListExportsOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation ListExports of the service dynamodb")
}

func (s *service) ListGlobalTables(context.Context, *ListGlobalTablesInput) (*ListGlobalTablesOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation ListGlobalTables of the service dynamodb")
}

func (s *service) ListImports(context.Context, *ListImportsInput) (*ListImportsOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation ListImports of the service dynamodb")
}

func (s *service) PutResourcePolicy(context.Context, *PutResourcePolicyInput) (*PutResourcePolicyOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation PutResourcePolicy of the service dynamodb")
}

func (s *service) RestoreTableFromBackup(context.Context, *RestoreTableFromBackupInput) (*RestoreTableFromBackupOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation RestoreTableFromBackup of the service dynamodb")
}

func (s *service) RestoreTableToPointInTime(context.Context, *RestoreTableToPointInTimeInput) (*RestoreTableToPointInTimeOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation RestoreTableToPointInTime of the service dynamodb")
}

func (s *service) UpdateContinuousBackups(context.Context, *UpdateContinuousBackupsInput) (*UpdateContinuousBackupsOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation UpdateContinuousBackups of the service dynamodb")
}

func (s *service) UpdateContributorInsights(context.Context, *UpdateContributorInsightsInput) (*UpdateContributorInsightsOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation UpdateContributorInsights of the service dynamodb")
}

func (s *service) UpdateGlobalTable(context.Context, *UpdateGlobalTableInput) (*UpdateGlobalTableOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation UpdateGlobalTable of the service dynamodb")
}

func (s *service) UpdateGlobalTableSettings(context.Context, *UpdateGlobalTableSettingsInput) (*UpdateGlobalTableSettingsOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation UpdateGlobalTableSettings of the service dynamodb")
}

func (s *service) UpdateKinesisStreamingDestination(context.Context, *UpdateKinesisStreamingDestinationInput) (*UpdateKinesisStreamingDestinationOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation UpdateKinesisStreamingDestination of the service dynamodb")
}

func (s *service) UpdateTableReplicaAutoScaling(context.Context, *UpdateTableReplicaAutoScalingInput) (*UpdateTableReplicaAutoScalingOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation UpdateTableReplicaAutoScaling of the service dynamodb")
}
