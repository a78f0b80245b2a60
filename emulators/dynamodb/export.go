package dynamodb

import (
	"context"
	"strings"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// There is no S3 to export to or to import from, so nothing is ever started: lists are empty, and an export or an import
// that is asked for by its ARN is not found.

// The words of AWS's answers, as observed (ack-api-quirks, DDB-EXPORT-001 to 006 and DDB-IMPORT-009, 010); that of an
// import that is not there is a guess by analogy.
const (
	msgNotTableARN     = "One or more parameter values were invalid: %s is not a valid ARN"
	msgExportNotFound  = "Export not found: Export not found: %s"
	msgExportRegion    = "Export not found: Invalid export arn"
	msgImportNotFound  = "Import not found: Import not found: %s"
	msgInvalidExport   = "Invalid Export ARN"
	msgInvalidImport   = "Invalid Import ARN"
	msgInvalidToken    = "Invalid Request: Provided nextToken is invalid: %s"
	msgExportTime      = "Export Time is invalid"
	msgExportWindow    = "Point in Time Recovery is not available for specified export time"
	msgExportFromEarly = "Incremental export period from time cannot be less than the table creation time : %s"
	msgExportToLate    = "Incremental export period to time cannot be greater than the current time : %s"
	msgExportShort     = "Difference between export period from time and export period to time is less than 15 minutes"
	msgExportLong      = "Difference between export period from time and export period to time is more than 24 hours" // a guess
	msgIncremental     = "Invalid Request: Export Type expected to be Incremental Export when incremental export specification is provided"
	msgFullIncremental = "Invalid Request: When Export Type is Full Export , Incremental Export Specification should not be provided"
	msgNoIncremental   = "Invalid Request: Incremental Export Specification expected when export type is set as Incremental Export"
	msgNoExportFrom    = "Invalid Request: ExportFromTime must be provided in IncrementalExportSpecification"
	msgImportOptions   = "Invalid Request: Unsupported InputFormatOptions for the given input format: %s."
	msgExportKey       = "Invalid Request: KMS Key Id is not supported for this encryption type"
)

// ExportTableToPointInTime is refused once the request is found to be right: there is no S3 to write to.
//
// PointInTimeRecoveryUnavailableException if point-in-time recovery is off, InvalidExportTimeException if ExportTime is
// outside of what can be restored.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportTableToPointInTime.html
func (s *service) ExportTableToPointInTime(ctx context.Context, in *ExportTableToPointInTimeInput) (*ExportTableToPointInTimeOutput, error) {
	if err := checkExport(in); err != nil {
		return nil, err
	}
	r, now := wire.From(ctx), s.Clock.Now()
	if part := strings.Split(*in.TableArn, ":"); len(part) > 5 && part[3] != r.Region && part[4] == r.Account { // DDB-EXPORT-002
		return nil, errTableNotFoundException(msgNoTable, *in.TableArn)
	}
	return nil, s.Store.View(func(tx *store.Tx) error {
		t, _, err := s.lookup(tx, r, *in.TableArn)
		switch {
		case err != nil:
			return err
		case t == nil || t.under(creating) != nil:
			return errTableNotFoundException(msgNoTable, *in.TableArn)
		}
		if err := t.checkExportTimes(in, now); err != nil {
			return err
		}
		return wire.NotImplemented("devstack does not implement ExportTableToPointInTime: there is no Amazon S3 here to export to")
	})
}

// checkExport checks what the parameters of an export say together.
func checkExport(in *ExportTableToPointInTimeInput) error {
	incremental, full := is(in.ExportType, ExportTypeIncrementalExport), is(in.ExportType, ExportTypeFullExport)
	spec := in.IncrementalExportSpecification
	switch {
	case *in.TableArn == "": // ack-api-quirks, DDB-TABLE-457
		return errValidation("Invalid TableArn: Invalid Table ARN")
	case !strings.HasPrefix(*in.TableArn, "arn:"):
		return errValidation(msgNotTableARN, "tableArn")
	case strings.Count(*in.TableArn, "/") > 1: // an index's
		return errValidation("Invalid Request: Table ARN is invalid.")
	case spec != nil && full:
		return errValidation(msgFullIncremental)
	case spec != nil && !incremental:
		return errValidation(msgIncremental)
	case incremental && spec == nil:
		return errValidation(msgNoIncremental)
	case incremental && spec.ExportFromTime == nil:
		return errValidation(msgNoExportFrom)
	case in.S3SseKmsKeyId != nil && !is(in.S3SseAlgorithm, S3SseAlgorithmKms):
		return errValidation(msgExportKey)
	}
	return nil
}

// checkExportTimes checks what is to be exported. An incremental export's times are checked even if recovery is off.
func (t *table) checkExportTimes(in *ExportTableToPointInTimeInput, now time.Time) error {
	if in.IncrementalExportSpecification != nil {
		from, to := *in.IncrementalExportSpecification.ExportFromTime, now
		if in.IncrementalExportSpecification.ExportToTime != nil {
			to = *in.IncrementalExportSpecification.ExportToTime
		}
		switch length := to.Sub(from); {
		case from.Before(t.Created):
			return errInvalidExportTimeException(msgExportFromEarly, restoreTime(from))
		case to.After(now):
			return errInvalidExportTimeException(msgExportToLate, restoreTime(to))
		case length < 15*time.Minute:
			return errInvalidExportTimeException(msgExportShort)
		case length > 24*time.Hour:
			return errInvalidExportTimeException(msgExportLong)
		}
	}
	switch at := in.ExportTime; {
	case t.Recovery == nil:
		return errPointInTimeRecoveryUnavailableException(msgNoRecovery, t.Name)
	case at == nil:
		return nil
	case at.Before(t.Created) || at.After(now):
		return errInvalidExportTimeException(msgExportTime)
	case at.Before(t.Recovery.earliest(now)):
		return errInvalidExportTimeException(msgExportWindow)
	}
	return nil
}

// DescribeExport answers ExportNotFoundException: nothing was ever exported.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeExport.html
func (s *service) DescribeExport(ctx context.Context, in *DescribeExportInput) (*DescribeExportOutput, error) {
	a, ok := parseARN(*in.ExportArn, "export")
	r := wire.From(ctx)
	switch {
	case !ok:
		return nil, errValidation(msgInvalidExport)
	case a.account != r.Account:
		return nil, errAccessDenied()
	case a.region != r.Region:
		return nil, errExportNotFoundException(msgExportRegion)
	}
	return nil, errExportNotFoundException(msgExportNotFound, *in.ExportArn)
}

// ListExports lists no exports.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListExports.html
func (s *service) ListExports(_ context.Context, in *ListExportsInput) (*ListExportsOutput, error) {
	if in.NextToken != nil { // nobody was ever given one
		return nil, errValidation(msgInvalidToken, *in.NextToken)
	}
	return &ListExportsOutput{ExportSummaries: []ExportSummary{}}, nil
}

// ImportTable is refused once the request is found to be right: there is no S3 to read from.
//
// ResourceInUseException if there is a table of the name.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ImportTable.html
func (s *service) ImportTable(ctx context.Context, in *ImportTableInput) (*ImportTableOutput, error) {
	if in.InputFormatOptions != nil && in.InputFormatOptions.Csv != nil && *in.InputFormat != InputFormatCsv {
		return nil, errValidation(msgImportOptions, *in.InputFormat)
	}
	r, now, p := wire.From(ctx), s.Clock.Now(), in.TableCreationParameters
	t, err := newTable(r, &CreateTableInput{
		TableName: p.TableName, AttributeDefinitions: p.AttributeDefinitions, KeySchema: p.KeySchema, BillingMode: p.BillingMode,
		ProvisionedThroughput: p.ProvisionedThroughput, OnDemandThroughput: p.OnDemandThroughput, SSESpecification: p.SSESpecification,
		GlobalSecondaryIndexes: p.GlobalSecondaryIndexes,
	}, "", now)
	if err != nil {
		return nil, err
	}
	return nil, s.Store.View(func(tx *store.Tx) error {
		if old, exists := tables.Get(tx, t.Account, t.Region, t.Name); exists && old.settle(now) != nil {
			return errResourceInUseException("Table already exists: %s", t.Name) // ack-api-quirks, DDB-IMPORT-019
		}
		return wire.NotImplemented("devstack does not implement ImportTable: there is no Amazon S3 here to import from")
	})
}

// DescribeImport answers ImportNotFoundException: nothing was ever imported.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeImport.html
func (s *service) DescribeImport(ctx context.Context, in *DescribeImportInput) (*DescribeImportOutput, error) {
	a, ok := parseARN(*in.ImportArn, "import")
	switch {
	case !ok:
		return nil, errValidation(msgInvalidImport)
	case a.account != wire.From(ctx).Account:
		return nil, errAccessDenied()
	}
	return nil, errImportNotFoundException(msgImportNotFound, *in.ImportArn)
}

// ListImports lists no imports.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListImports.html
func (s *service) ListImports(_ context.Context, in *ListImportsInput) (*ListImportsOutput, error) {
	if in.NextToken != nil {
		return nil, errValidation(msgInvalidToken, *in.NextToken)
	}
	return &ListImportsOutput{ImportSummaryList: []ImportSummary{}}, nil
}
