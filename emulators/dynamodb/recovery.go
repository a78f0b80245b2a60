package dynamodb

import (
	"bytes"
	"context"
	"encoding/binary"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// recovery is a table's point-in-time recovery. While it is on, each change leaves in the table's journal what was there
// before; a restore copies the items and takes back what is younger than its instant.
type recovery struct {
	From time.Time // there is no way back beyond this second
	Days int32     // RecoveryPeriodInDays
}

// defaultRecovery is RecoveryPeriodInDays unless another is given.
const defaultRecovery = 35

// The words of AWS's answers, as observed (ack-api-quirks, DDB-TABLE-084, 100, 272). The observer cut the last after
// "and LatestRestor" and the last but one after "Pleas": what follows is a guess.
const (
	msgRecoveryPeriod = "Invalid Request: Cannot specify RecoveryPeriodInDays when disabling point-in-time recovery."
	msgRecoveryUsed   = "Point in time recovery cannot be disabled while table '%s' is being restored" // a guess
	msgNoRecovery     = "Point in time recovery is not enabled for table '%s'"
	msgRestoreSource  = "Must provide exactly one of: sourceTableArn, sourceTableName"
	msgRestoreNothing = "The parameter 'TableName' is required but was not present in the request"
	msgOtherAccount   = "This action is only supported by accounts that match the resource owner’s account."
	msgRestoreNoTime  = "Invalid Request: Either one of RestoreDateTime or UseLatestRestorableTime must be specified, but not both"
	msgRestoreTwice   = "Invalid Request: Both RestoreDateTime and UseLatestRestorableTime cannot be set for point-in-time restore request. " +
		"Please specify either RestoreDateTime time or UseLatestRestorableTime"
	msgRestoreTime = "RestoreDateTime '%s' must be within EarliestRestorableDateTime '%s' and LatestRestorableDateTime '%s'"
)

// earliest is the first second that the table can be restored to.
func (p *recovery) earliest(now time.Time) time.Time {
	at := now.AddDate(0, 0, -int(p.Days)).Truncate(time.Second)
	if at.Before(p.From) {
		return p.From
	}
	return at
}

// continuous describes the table's backups. The continuous ones are always there; that they are for a few seconds not, after
// a table was made, is left out.
func (t *table) continuous(now time.Time) *ContinuousBackupsDescription {
	d := &PointInTimeRecoveryDescription{PointInTimeRecoveryStatus: new(PointInTimeRecoveryStatusDisabled)}
	if p := t.Recovery; p != nil {
		d.PointInTimeRecoveryStatus, d.RecoveryPeriodInDays = new(PointInTimeRecoveryStatusEnabled), new(p.Days)
		d.EarliestRestorableDateTime, d.LatestRestorableDateTime = new(p.earliest(now)), new(now.Truncate(time.Second))
	}
	return &ContinuousBackupsDescription{ContinuousBackupsStatus: new(ContinuousBackupsStatusEnabled), PointInTimeRecoveryDescription: d}
}

// DescribeContinuousBackups tells whether point-in-time recovery is on, and how far back it goes. LatestRestorableDateTime is
// the present second, where AWS's is five minutes ago.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeContinuousBackups.html
func (s *service) DescribeContinuousBackups(ctx context.Context, in *DescribeContinuousBackupsInput) (out *DescribeContinuousBackupsOutput, err error) {
	r, now := wire.From(ctx), s.Clock.Now()
	err = s.Store.View(func(tx *store.Tx) error {
		t, err := s.present(tx, r, *in.TableName)
		if err != nil {
			return err
		}
		out = &DescribeContinuousBackupsOutput{ContinuousBackupsDescription: t.continuous(now)}
		return nil
	})
	return out, err
}

// UpdateContinuousBackups turns point-in-time recovery on or off, or changes its period. Turned off, it forgets the past.
//
// RecoveryPeriodInDays is 1 to 35, and 35 if it is not given.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateContinuousBackups.html
func (s *service) UpdateContinuousBackups(ctx context.Context, in *UpdateContinuousBackupsInput) (out *UpdateContinuousBackupsOutput, err error) {
	r, now, spec := wire.From(ctx), s.Clock.Now(), in.PointInTimeRecoverySpecification
	if !*spec.PointInTimeRecoveryEnabled && spec.RecoveryPeriodInDays != nil {
		return nil, errValidation(msgRecoveryPeriod)
	}
	err = s.Store.Update(func(tx *store.Tx) error {
		found, err := s.present(tx, r, *in.TableName)
		if err != nil {
			return err
		}
		if found.lookingBack() && !*spec.PointInTimeRecoveryEnabled {
			return errContinuousBackupsUnavailableException(msgRecoveryUsed, found.Name)
		}
		t := *found
		t.recover(tx, spec, now)
		t.put(tx)
		out = &UpdateContinuousBackupsOutput{ContinuousBackupsDescription: t.continuous(now)}
		return nil
	})
	return out, err
}

// recover turns point-in-time recovery on or off.
func (t *table) recover(tx *store.Tx, spec *PointInTimeRecoverySpecification, now time.Time) {
	if !*spec.PointInTimeRecoveryEnabled {
		t.Recovery = nil
		tx.DropBucket(t.journal())
		return
	}
	p := recovery{From: now.Truncate(time.Second), Days: defaultRecovery}
	if spec.RecoveryPeriodInDays != nil {
		p.Days = *spec.RecoveryPeriodInDays
	}
	if t.Recovery != nil { // what a shorter period has let go does not come back with a longer one
		p.From = t.Recovery.earliest(now)
		p.From = p.earliest(now)
	}
	t.Recovery = &p
}

// The journal is a bucket with what each change has replaced: under the instant in milliseconds and a sequence number the
// length of the item's key, the key, and the record, which is empty if there was none.
func (t *table) journal() string { return "journal/" + t.ID }

func journalKey(instant int64, sequence uint64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(make([]byte, 0, 16), uint64(instant)), sequence)
}

func journalInstant(key []byte) int64 { return int64(binary.BigEndian.Uint64(key)) }

// journal notes what a change replaces, and takes away two entries that are too old to be needed, if there are: so it gets
// shorter. A clock that was read before another may commit after it; the order of commits counts.
func (c *change) journal(tx *store.Tx, now time.Time) {
	b := tx.Bucket(c.table.journal())
	instant, sequence := now.UnixMilli(), uint64(0)
	for last := range b.Descend(nil) {
		instant, sequence = max(instant, journalInstant(last)), binary.BigEndian.Uint64(last[8:])+1
		break
	}
	value := binary.AppendUvarint(make([]byte, 0, 4+len(c.key)+len(c.old)), uint64(len(c.key)))
	b.Put(journalKey(instant, sequence), append(append(value, c.key...), c.old...))

	if c.table.lookingBack() { // further than that, perhaps
		return
	}
	var old [][]byte
	limit := c.table.Recovery.earliest(now).UnixMilli()
	for key := range b.Ascend(nil) {
		if len(old) == 2 || journalInstant(key) > limit {
			break
		}
		old = append(old, bytes.Clone(key))
	}
	for _, key := range old {
		b.Delete(key)
	}
}

// restoreTo begins to give another table the items of the instant, and reports whether there is more to copy.
func (t *table) restoreTo(tx *store.Tx, to *table, at time.Time, size stepSize, now time.Time) (more bool) {
	to.Copied = &reach{}
	to.put(tx)
	source := *t
	source.snap(tx, snapshot{ID: "restore/" + to.ID, At: at.UnixMilli(), Journal: endOfJournal, Region: to.Region, Table: to.Name}, size, now)
	*to, _ = tables.Get(tx, to.Account, to.Region, to.Name)
	if to.Copied != nil {
		source.put(tx)
		return true
	}
	return false
}
