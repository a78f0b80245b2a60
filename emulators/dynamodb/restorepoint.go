package dynamodb

import (
	"context"
	"strings"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// RestoreTableToPointInTime makes a new table of what another was at an instant. Keys, indexes and throughput are those that
// the source has now. What RestoreTableFromBackup does not restore, neither does this.
//
// RestoreDateTime lies between EarliestRestorableDateTime and now, else InvalidRestoreTimeException. With
// UseLatestRestorableTime the new table has everything that the source has. PointInTimeRecoveryUnavailableException if
// point-in-time recovery is off.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableToPointInTime.html
func (s *service) RestoreTableToPointInTime(ctx context.Context, in *RestoreTableToPointInTimeInput) (out *RestoreTableToPointInTimeOutput, err error) {
	r, now, id := wire.From(ctx), s.Clock.Now(), s.IDs.UUID()
	if in.VectorIndexOverride != nil {
		return nil, notImplemented("RestoreTableToPointInTime", "VectorIndexOverride")
	}
	if err := checkPlainName("TableName", "targetTableName", *in.TargetTableName); err != nil {
		return nil, err
	}
	if err := checkRestorePoint(r, in); err != nil {
		return nil, err
	}
	o := overrides{
		in.BillingModeOverride, in.GlobalSecondaryIndexOverride, in.LocalSecondaryIndexOverride,
		in.ProvisionedThroughputOverride, in.OnDemandThroughputOverride, in.SSESpecificationOverride,
	}
	busy := false
	err = s.Store.Update(func(tx *store.Tx) error {
		source, err := s.restoreSource(tx, r, in, now)
		if err != nil {
			return err
		}
		at, err := source.restorePoint(in, now)
		if err != nil {
			return err
		}
		t, err := s.restored(tx, r, source, o, *in.TargetTableName, id, now)
		if err != nil {
			return err
		}
		d, err := s.restore(tx, t, origin{Table: source.arn(), At: at}, now, func() {
			busy = source.restoreTo(tx, t, at, s.opts.first, now)
		})
		out = &RestoreTableToPointInTimeOutput{TableDescription: d}
		return err
	})
	s.wake(now, err)
	s.copies.wakeIf(busy && err == nil)
	return out, err
}

// checkRestorePoint checks what the parameters say together. AWS does so before it looks for the table.
func checkRestorePoint(r *wire.Request, in *RestoreTableToPointInTimeInput) error {
	latest := in.UseLatestRestorableTime != nil && *in.UseLatestRestorableTime
	switch {
	case in.SourceTableArn != nil && in.SourceTableName != nil:
		return errValidation(msgRestoreSource)
	case in.SourceTableArn == nil && in.SourceTableName == nil:
		return errValidation(msgRestoreNothing)
	case latest && in.RestoreDateTime != nil:
		return errValidation(msgRestoreTwice)
	case !latest && in.RestoreDateTime == nil:
		return errValidation(msgRestoreNoTime)
	case in.SourceTableArn == nil:
		return nil
	}
	parts := strings.SplitN(*in.SourceTableArn, ":", 6)
	switch {
	case len(parts) < 6 || parts[0] != "arn" || parts[2] != "dynamodb" || !strings.HasPrefix(parts[5], "table/"):
		return errValidation(msgNotTableARN, "sourceTableArn")
	case parts[4] != r.Account:
		return errValidation(msgOtherAccount)
	}
	return nil
}

// restoreSource finds the table to restore. By its ARN it may be of another region.
func (s *service) restoreSource(tx *store.Tx, r *wire.Request, in *RestoreTableToPointInTimeInput, now time.Time) (*table, error) {
	var name, region string
	if in.SourceTableName != nil {
		name, region = *in.SourceTableName, r.Region
	} else {
		parts := strings.SplitN(*in.SourceTableArn, ":", 6)
		name, region = strings.TrimPrefix(parts[5], "table/"), parts[3]
	}
	t, err := s.cache.find(tx, r.Account, region, name)
	if t = t.settle(now); err == nil && (t == nil || t.under(creating) != nil) {
		err = errTableNotFoundException(msgNoTable, name)
	}
	return t, err
}

// restorePoint is the instant to restore to.
func (t *table) restorePoint(in *RestoreTableToPointInTimeInput, now time.Time) (at time.Time, err error) {
	if t.Recovery == nil {
		return at, errPointInTimeRecoveryUnavailableException(msgNoRecovery, t.Name)
	}
	if in.RestoreDateTime == nil {
		return now, nil
	}
	earliest := t.Recovery.earliest(now)
	if at = *in.RestoreDateTime; at.Before(earliest) || at.After(now) {
		return at, errInvalidRestoreTimeException(msgRestoreTime, restoreTime(at), restoreTime(earliest), restoreTime(now))
	}
	return at, nil
}

func restoreTime(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05Z") }
