package dynamodb

import (
	"context"
	"fmt"
	"strings"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

var backups = store.NewTable[backup]("backups") // by account, region, id, table name

// systemRetention is how long the backup of a deleted table is kept.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html
const systemRetention = 35 * 24 * time.Hour

// backup is a copy of a table: of its items, and of what was said about it.
type backup struct {
	ID      string // the instant of its creation in milliseconds, and a random part
	Name    string
	Type    string // BackupType
	Created time.Time
	Expires *time.Time // nil: never
	Table   table      // as it was
	Count   int64      // items
	Bytes   int64
	Bucket  string // of the items
	Copying bool   // which are not all there yet
}

// The words of AWS's answers, as observed (ack-api-quirks, DDB-BACKUP-005, 010, 012, 014, 015, DDB-TABLE-167, 442).
const (
	msgNoBackup     = "Backup not found: %s"
	msgBackupARN    = "Invalid Backup ARN"
	msgBackupNone   = "Invalid Request: BackupArn is not valid"
	msgBackupAfter  = "Invalid Request: The supplied ExclusiveStartBackupArn does not match the region"
	msgBackupRange  = "One or more parameter values were invalid: Time range lower bound must be less than or equal to upper bound"
	msgDeleteUsed   = "Backup is being used to restore table: %s"
	msgDeleteSystem = "Invalid Request: User is not allowed to delete the system backup with arn %s. It will automatically expire on %s"
)

func (b *backup) arn() string { return b.Table.arn() + "/backup/" + b.ID }

func (b *backup) put(tx *store.Tx) {
	backups.Put(tx, *b, b.Table.Account, b.Table.Region, b.ID, b.Table.Name)
}

func (b *backup) drop(tx *store.Tx) {
	tx.DropBucket(b.Bucket)
	backups.Delete(tx, b.Table.Account, b.Table.Region, b.ID, b.Table.Name)
}

func (b *backup) expired(now time.Time) bool { return b.Expires != nil && !b.Expires.After(now) }

// newBackup makes the description of a backup of the table as it is. An id is a table's once: were it taken, the backup is
// a millisecond younger.
func newBackup(tx *store.Tx, t *table, name, kind, random string, now time.Time) *backup {
	b := &backup{Name: name, Type: kind, Created: now.Truncate(time.Millisecond), Table: *t}
	for {
		b.ID = fmt.Sprintf("%014d-%s", b.Created.UnixMilli(), random)
		if _, taken := backups.Get(tx, t.Account, t.Region, b.ID, t.Name); !taken {
			break
		}
		b.Created = b.Created.Add(time.Millisecond)
	}
	n := t.count(tx, nil)
	b.Count, b.Bytes = n.items, n.bytes
	b.Bucket = "backup/" + t.ID + "/" + b.ID
	return b
}

// CreateBackup copies a table with all its items as they are at this instant. A large table's backup is CREATING until it has them
// (copy.go). Names need not differ.
//
// TableNotFoundException if there is no such table.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateBackup.html
func (s *service) CreateBackup(ctx context.Context, in *CreateBackupInput) (out *CreateBackupOutput, err error) {
	r, now, random := wire.From(ctx), s.Clock.Now(), s.IDs.Hex(8)
	busy := false
	err = s.Store.Update(func(tx *store.Tx) error {
		t, err := s.present(tx, r, *in.TableName)
		if err != nil {
			return err
		}
		dropOldBackups(tx, now)
		b := newBackup(tx, t, *in.BackupName, BackupTypeUser, random, now)
		b.Copying = true
		b.put(tx)
		source := *t
		if source.snap(tx, snapshot{ID: "backup/" + t.ID + "/" + b.ID, Backup: b.ID}, s.opts.first, now); source.busy() {
			source.put(tx)
		}
		busy = source.busy()
		out = &CreateBackupOutput{BackupDetails: b.details()}
		out.BackupDetails.BackupStatus = new(BackupStatusCreating) // by the next call it is AVAILABLE, as on AWS (DDB-BACKUP-003)
		return nil
	})
	s.copies.wakeIf(busy && err == nil)
	return out, err
}

// present finds the table of an operation on backups. One that is being created is not there yet (observed, ack-api-quirks,
// DDB-BACKUP-001).
func (s *service) present(tx *store.Tx, r *wire.Request, nameOrARN string) (*table, error) {
	t, name, err := s.lookup(tx, r, nameOrARN)
	if err == nil && (t == nil || t.under(creating) != nil) {
		err = errTableNotFoundException(msgNoTable, name)
	}
	return t, err
}

// dropItems removes the items of a table that is deleted. With point-in-time recovery on they become those of a SYSTEM
// backup instead.
func dropItems(tx *store.Tx, t *table, now time.Time) {
	dropOldBackups(tx, now)
	if t.Recovery == nil {
		tx.DropBucket(t.items())
		return
	}
	tx.DropBucket(t.journal())
	b := newBackup(tx, t, t.Name+"$DeletedTableBackup", BackupTypeSystem, "00000000", now)
	b.Expires, b.Bucket = new(b.Created.Add(systemRetention)), t.items()
	b.put(tx)
}

// dropOldBackups removes the backups that have expired.
func dropOldBackups(tx *store.Tx, now time.Time) {
	var old []backup
	for b := range backups.All(tx) {
		if b.expired(now) && !b.restores(tx, now) {
			old = append(old, b)
		}
	}
	for _, b := range old {
		b.drop(tx)
	}
}

// backup finds a backup of the request's account, in the region of its ARN.
func (s *service) backup(tx *store.Tx, r *wire.Request, arn string, now time.Time) (*backup, error) {
	a, ok := parseARN(arn, "backup")
	switch {
	case !ok:
		return nil, errValidation(msgBackupARN)
	case a.account != r.Account:
		return nil, errAccessDenied()
	}
	b, ok := backups.Get(tx, a.account, a.region, a.id, a.table)
	if !ok || b.expired(now) {
		return nil, errBackupNotFoundException(msgNoBackup, arn)
	}
	return &b, nil
}

// localBackup finds a backup of the request's account and region, whichever region its ARN names (observed, ack-api-quirks,
// DDB-BACKUP-012).
func (s *service) localBackup(tx *store.Tx, r *wire.Request, arn string, now time.Time) (*backup, error) {
	parts := strings.Split(arn, ":")
	if len(parts) != 6 || parts[0] != "arn" {
		return nil, errValidation(msgBackupARN)
	}
	a, ok := parseARN(strings.Join([]string{"arn", "aws", "dynamodb", r.Region, parts[4], parts[5]}, ":"), "backup")
	switch {
	case !ok:
		return nil, errValidation(msgBackupARN)
	case parts[1] != "aws", parts[2] != "dynamodb", parts[3] != "" && parts[3] != r.Region && !isRegion(parts[3]):
		return nil, errValidation(msgBackupNone)
	case a.account != r.Account, parts[3] == "":
		return nil, errAccessDenied()
	}
	b, ok := backups.Get(tx, a.account, r.Region, a.id, a.table)
	if !ok || b.expired(now) {
		return nil, errBackupNotFoundException(msgNoBackup, arn)
	}
	return &b, nil
}

// DescribeBackup describes a backup and the table as it was. The backup outlives the table.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeBackup.html
func (s *service) DescribeBackup(ctx context.Context, in *DescribeBackupInput) (out *DescribeBackupOutput, err error) {
	r, now := wire.From(ctx), s.Clock.Now()
	err = s.Store.View(func(tx *store.Tx) error {
		b, err := s.localBackup(tx, r, *in.BackupArn, now)
		if err == nil {
			out = &DescribeBackupOutput{BackupDescription: b.describe()}
			out.BackupDescription.BackupDetails.BackupArn = in.BackupArn // as it was asked for
		}
		return err
	})
	return out, err
}

// DeleteBackup removes a backup. Those of the type SYSTEM cannot be removed, they expire.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteBackup.html
func (s *service) DeleteBackup(ctx context.Context, in *DeleteBackupInput) (out *DeleteBackupOutput, err error) {
	r, now := wire.From(ctx), s.Clock.Now()
	err = s.Store.Update(func(tx *store.Tx) error {
		b, err := s.localBackup(tx, r, *in.BackupArn, now)
		switch {
		case err != nil:
			return err
		case b.Type == BackupTypeSystem:
			return errValidation(msgDeleteSystem, *in.BackupArn, b.Expires.Format("2006-01-02T15:04:05.000Z"))
		case b.Copying, b.restores(tx, now):
			return errBackupInUseException(msgDeleteUsed, b.arn())
		}
		b.drop(tx)
		dropOldBackups(tx, now)
		out = &DeleteBackupOutput{BackupDescription: b.describe()}
		out.BackupDescription.BackupDetails.BackupStatus = new(BackupStatusDeleted)
		return nil
	})
	return out, err
}

// maxBackups is how many backups a page has at most.
const maxBackups = 100

// ListBackups lists backups in the order of their creation, those of the type USER unless another is asked for. That of a
// table that is gone, or never was, is no error.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListBackups.html
func (s *service) ListBackups(ctx context.Context, in *ListBackupsInput) (out *ListBackupsOutput, err error) {
	r, now := wire.From(ctx), s.Clock.Now()
	wanted, err := newBackupFilter(in, now)
	if err != nil {
		return nil, err
	}
	limit := maxBackups
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	after := partARN{}
	if in.ExclusiveStartBackupArn != nil {
		var ok bool
		if after, ok = parseARN(*in.ExclusiveStartBackupArn, "backup"); !ok {
			return nil, errValidation(msgBackupARN)
		}
		if after.region != r.Region {
			return nil, errValidation(msgBackupAfter)
		}
	}
	err = s.Store.View(func(tx *store.Tx) error {
		out = &ListBackupsOutput{BackupSummaries: []BackupSummary{}}
		for b := range backups.After(tx, []any{after.id, after.table}, r.Account, r.Region) {
			if !wanted(&b) {
				continue
			}
			if len(out.BackupSummaries) == limit {
				out.LastEvaluatedBackupArn = out.BackupSummaries[limit-1].BackupArn
				break
			}
			out.BackupSummaries = append(out.BackupSummaries, b.summary())
		}
		return nil
	})
	return out, err
}

// newBackupFilter makes what a backup must fulfil to be listed.
func newBackupFilter(in *ListBackupsInput, now time.Time) (func(*backup) bool, error) {
	kind, name := BackupTypeFilterUser, ""
	if in.BackupType != nil {
		kind = *in.BackupType
	}
	if in.TableName != nil {
		var err error
		if name, err = tableName(*in.TableName); err != nil {
			return nil, err
		}
	}
	from, to := in.TimeRangeLowerBound, in.TimeRangeUpperBound
	if from != nil && to != nil && from.After(*to) {
		return nil, errValidation(msgBackupRange)
	}
	return func(b *backup) bool {
		return !b.expired(now) &&
			(kind == BackupTypeFilterAll || kind == b.Type) &&
			(name == "" || name == b.Table.Name) &&
			(from == nil || !b.Created.Before(*from)) &&
			(to == nil || b.Created.Before(*to))
	}, nil
}
