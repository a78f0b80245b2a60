package dynamodb

import (
	"context"
	"slices"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// UpdateTable changes a table's throughput, billing, class, encryption, protection, stream or one global secondary index: one
// of them at a time. The answer says what AWS's says while the change is under way, the former throughput among it.
//
// A new index of a small table is filled before the call returns, though it cannot be read for as long as Options.Transition has it
// CREATING. That of a large one is CREATING until it is filled (copy.go).
// An item whose attributes cannot be the index's key is left out of it.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html
func (s *service) UpdateTable(ctx context.Context, in *UpdateTableInput) (out *UpdateTableOutput, err error) {
	r, now := wire.From(ctx), s.Clock.Now()
	if in.VectorIndexUpdates != nil {
		return nil, notImplemented("UpdateTable", "VectorIndexUpdates")
	}
	if in.ReplicaUpdates != nil {
		return s.updateMembers(ctx, in)
	}
	in = withoutEmpty(in)
	if err := checkUpdate(in); err != nil {
		return nil, err
	}
	busy := false
	err = s.Store.Update(func(tx *store.Tx) error {
		t, err := s.tableToUse(tx, r, *in.TableName)
		if err != nil {
			return err
		}
		before := *t
		before.Indexes = slices.Clone(t.Indexes)
		if err := t.checkReplica(in); err != nil {
			return err
		}
		u := tableUpdate{table: t, tx: tx, in: in, now: now, takes: s.opts.Transition}
		if err := u.apply(r); err != nil {
			return err
		}
		// From here on nothing fails: a failure after a write costs those that share the commit.
		dropOldStreams(tx, now)
		if spec := in.StreamSpecification; spec != nil {
			if *spec.StreamEnabled {
				s.enableStream(tx, t, *spec.StreamViewType, now)
			} else {
				disableStream(tx, t, now)
			}
		}
		t.synchronize(tx, &before, now, &s.opts)
		out = &UpdateTableOutput{TableDescription: t.describe(tx, now)}
		t.followIndexes(tx, &before, s.opts.first)
		if u.status != "" {
			out.TableDescription.TableStatus = &u.status
		}
		t.settleOnDemand()
		t.settle(now).put(tx)
		busy = t.busy() || t.Global != nil
		return nil
	})
	s.wake(now, err)
	s.copies.wakeIf(busy && err == nil)
	return out, err
}

// tableUpdate is an update of a table at work.
type tableUpdate struct {
	*table
	tx     *store.Tx
	in     *UpdateTableInput
	now    time.Time
	takes  time.Duration
	status string // TableStatus of the answer, where it is not the table's
}

// apply makes the changes to the table's description.
func (u *tableUpdate) apply(r *wire.Request) error {
	if err := u.checkPresent(); err != nil {
		return err
	}
	for _, step := range []func() error{u.billing, u.onDemand, u.warmth, u.class, u.protection, u.stream, u.indexes} {
		if err := step(); err != nil {
			return err
		}
	}
	if u.in.GlobalTableSettingsReplicationMode != nil {
		u.SettingsMode = *u.in.GlobalTableSettingsReplicationMode
	}
	if u.in.SSESpecification != nil {
		was := u.EncryptedBy
		if err := u.encrypt(r, u.in.SSESpecification, u.now); err != nil {
			return err
		}
		u.start(transition{Kind: encrypting, Was: reported{Key: was}})
	}
	return nil
}

func (u *tableUpdate) start(m transition) { u.begin(m, u.now, u.takes) }

// How often the class of a table may change.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.TableClasses.html
const (
	maxClassChanges   = 2
	classChangeWindow = 30 * 24 * time.Hour
)

// class changes the table class. STANDARD is no change of a table of which nobody has said another.
func (u *tableUpdate) class() error {
	class := u.in.TableClass
	if class == nil {
		return nil
	}
	if err := u.checkIdle(changeClass); err != nil {
		return err
	}
	switch {
	case len(u.recentClasses(u.now)) >= maxClassChanges:
		return errLimitExceededException("Subscriber limit exceeded: Updates to TableClass are limited to %d times in 30 day(s).", maxClassChanges)
	case *class == u.Class || u.Class == "" && *class == TableClassStandard:
		u.status = TableStatusUpdating
		return nil
	}
	for _, region := range u.others() { // whose classes change with it (ack-api-quirks, DDB-TABLE-294)
		if len(u.replica(u.tx, region).recentClasses(u.now)) >= maxClassChanges {
			return errLimitExceededException("Limit exceeded for replica in %s. Updates to TableClass are limited to %d times in 30 day(s)", region, maxClassChanges)
		}
	}
	u.start(transition{Kind: classing, To: *class, Was: reported{Class: u.Class, ClassFrom: u.ClassFrom}})
	u.changeClass(*class, u.now)
	return nil
}

// recentClasses are the changes of the table class that count.
func (t *table) recentClasses(now time.Time) []time.Time {
	return slices.DeleteFunc(slices.Clone(t.ClassChanges), func(at time.Time) bool { return !at.After(now.Add(-classChangeWindow)) })
}

// changeClass changes the table class. To say STANDARD of a table of which nobody has said a class does not count.
func (t *table) changeClass(class string, now time.Time) {
	if class != t.Class && (t.Class != "" || class != TableClassStandard) {
		t.ClassChanges = append(t.recentClasses(now), now)
	}
	t.Class, t.ClassFrom = class, &now
}

// protectionPause is how long deletion protection stays as it was set. It is kept to where transitions take time.
const protectionPause = 15 * time.Second

// protection changes the deletion protection, at once.
func (u *tableUpdate) protection() error {
	given := u.in.DeletionProtectionEnabled
	if given == nil || *given == u.Protected {
		return nil
	}
	if u.takes > 0 && u.ProtectedAt != nil && u.now.Before(u.ProtectedAt.Add(protectionPause)) {
		return errThrottlingException("Deletion protection setting for table %s modified within the previous %d milliseconds. Please try again after %s",
			u.Name, protectionPause.Milliseconds(), u.ProtectedAt.Add(protectionPause).UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	u.Protected, u.ProtectedAt = *given, &u.now
	return nil
}

// stream begins what UpdateTable does to the stream once nothing can fail.
func (u *tableUpdate) stream() error {
	spec := u.in.StreamSpecification
	if spec == nil {
		return nil
	}
	if err := u.checkIdle(changeStream); err != nil && u.in.BillingMode == nil {
		return err
	}
	if err := checkStreamChange(u.table, spec); err != nil {
		return err
	}
	operation := "DISABLE"
	if *spec.StreamEnabled {
		operation = "ENABLE"
	}
	u.start(transition{Kind: streaming, To: operation})
	return nil
}
