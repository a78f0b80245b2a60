package dynamodb

import (
	"context"
	"slices"
	"strings"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// UpdateTable changes a table's throughput, billing, class, encryption, protection, stream or one global secondary index: one
// of them at a time. The answer says what AWS's says while the change is under way, the former throughput among it.
//
// A new index is filled before the call returns, though it cannot be read for as long as Options.Transition has it CREATING.
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
		u := tableUpdate{table: t, in: in, now: now, takes: s.opts.Transition}
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
		t.synchronize(tx, &before, now, s.opts.Transition)
		out = &UpdateTableOutput{TableDescription: t.describe(tx, now)}
		t.followIndexes(tx, &before)
		if u.status != "" {
			out.TableDescription.TableStatus = &u.status
		}
		t.settleOnDemand()
		t.settle(now).put(tx)
		return nil
	})
	s.wake(now, err)
	return out, err
}

// msgNothing is the answer to a call that asks for nothing (observed on AWS, October 2026, as are the rules of checkUpdate).
const msgNothing = "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, SSESpecification, " +
	"ReplicaUpdates, MultiAccountReplicaReady, ReplicaTransitRoleArn, MultiRegionConsistency, DeletionProtectionEnabled, OnDemandThroughput, " +
	"WarmThroughput or TableClass is required"

// asks tells what a request is to change, and how much that is.
func (in *UpdateTableInput) asks() (asked map[string]bool, n int) {
	asked = map[string]bool{
		"throughput": in.ProvisionedThroughput != nil, "billing": in.BillingMode != nil, "stream": in.StreamSpecification != nil,
		"sse": in.SSESpecification != nil, "class": in.TableClass != nil, "protection": in.DeletionProtectionEnabled != nil,
		"on demand": in.OnDemandThroughput != nil, "warm": in.WarmThroughput != nil, "indexes": len(in.GlobalSecondaryIndexUpdates) > 0,
		"settings": in.GlobalTableSettingsReplicationMode != nil,
	}
	for _, given := range asked {
		if given {
			n++
		}
	}
	return asked, n
}

// withoutEmpty leaves out throughput of which nothing is said, unless nothing else is asked for (observed, ack-api-quirks,
// DDB-TABLE-448, 456).
func withoutEmpty(in *UpdateTableInput) *UpdateTableInput {
	c := *in
	if c.WarmThroughput != nil && *c.WarmThroughput == (WarmThroughput{}) {
		c.WarmThroughput = nil
	}
	if c.OnDemandThroughput != nil && *c.OnDemandThroughput == (OnDemandThroughput{}) {
		c.OnDemandThroughput = nil
	}
	if _, n := c.asks(); n == 0 {
		return in
	}
	return &c
}

// errUnsaid is what AWS answers to throughput of which nothing is said, and to that of which an index that is not there should
// be warm (observed, ack-api-quirks, DDB-TABLE-448).
func errUnsaid() error { return wire.Errorf("InternalFailure", 500, "") }

// checkUpdate checks the request by itself: most changes must come alone.
func checkUpdate(in *UpdateTableInput) error {
	asked, n := in.asks()
	switch {
	case n == 0 && in.MultiRegionConsistency != nil: // which is not named then (ack-api-quirks, DDB-TABLE-449)
		return errValidation("%s", strings.Replace(msgNothing, "MultiRegionConsistency, ", "", 1))
	case n == 0:
		return errValidation(msgNothing)
	case in.GlobalSecondaryIndexUpdates != nil && !asked["indexes"]:
		return badParameter("List of GlobalSecondaryIndexUpdates is empty")
	}
	if err := checkClass(in.TableClass); err != nil {
		return err
	}
	structural, err := checkIndexUpdates(in.GlobalSecondaryIndexUpdates)
	iops := asked["throughput"] || is(in.BillingMode, BillingModeProvisioned)
	switch {
	case err != nil:
		return err
	case n > 1 && asked["sse"]:
		return badParameter("Server-Side Encryption modification must be the only operation in the request")
	case n > 1 && asked["class"]:
		return badParameter("TableClass modification must be the only operation in the request")
	case n > 1 && asked["protection"]:
		return badParameter("DeletionProtection modification must be the only operation in the request")
	case n == 2 && asked["warm"] && creates(in.GlobalSecondaryIndexUpdates):
		return badParameter("Create global secondary index cannot be specified when updating WarmThroughput")
	case n > 1 && asked["warm"] && asked["on demand"] || n > 1 && asked["on demand"] && !(n == 2 && asked["billing"]):
		return badParameter("OnDemandThroughput can only be combined with BillingMode in an UpdateTable request")
	case n > 1 && asked["warm"]:
		return badParameter("WarmThroughput must be the only operation in the request")
	case asked["stream"] && iops:
		return badParameter("You cannot modify stream status while updating table IOPS")
	case structural && asked["stream"]:
		return badParameter("You cannot create or delete index while changing stream status")
	case structural && asked["throughput"]:
		return badParameter("You cannot create or delete index while updating table IOPS")
	case is(in.BillingMode, BillingModeProvisioned) && !asked["throughput"]:
		return badParameter("ProvisionedThroughput must be specified when BillingMode is PROVISIONED")
	case is(in.BillingMode, BillingModePayPerRequest) && asked["throughput"]:
		return badParameter("ProvisionedThroughput cannot be specified when BillingMode is PAY_PER_REQUEST")
	}
	if err := checkSettingsMode(in.GlobalTableSettingsReplicationMode); err != nil {
		return err
	}
	return checkStreamSpecification(in.StreamSpecification, false)
}

// checkIndexUpdates checks the list of what is asked of indexes, and tells whether one is to be created or deleted.
func checkIndexUpdates(updates []GlobalSecondaryIndexUpdate) (structural bool, err error) {
	seen := map[string]bool{}
	for _, u := range updates {
		name, actions := "", 0
		if u.Create != nil {
			name, actions, structural = *u.Create.IndexName, actions+1, true
		}
		if u.Delete != nil {
			name, actions, structural = *u.Delete.IndexName, actions+1, true
		}
		if u.Update != nil {
			name, actions = *u.Update.IndexName, actions+1
		}
		switch {
		case actions == 0:
			return false, badParameter("One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null")
		case actions > 1:
			return false, badParameter("Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object")
		case seen[name]:
			return false, badParameter("Only one global secondary index update per index is allowed simultaneously. Index: %s", name)
		}
		seen[name] = true
		if u.Update != nil && u.Update.WarmThroughput != nil && *u.Update.WarmThroughput == (WarmThroughput{}) { // ack-api-quirks, DDB-TABLE-456
			return false, badParameter("WarmThroughput must have at least one of ReadUnitsPerSecond or WriteUnitsPerSecond specified for index: %s", name)
		}
	}
	return structural, nil
}

func creates(updates []GlobalSecondaryIndexUpdate) bool {
	return slices.ContainsFunc(updates, func(u GlobalSecondaryIndexUpdate) bool { return u.Create != nil })
}

// tableUpdate is an update of a table at work.
type tableUpdate struct {
	*table
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

// billing changes the billing mode or the provisioned throughput.
func (u *tableUpdate) billing() error {
	given, mode := u.in.ProvisionedThroughput, u.in.BillingMode
	switch {
	case given == nil && mode == nil:
		return nil
	case given == nil && *mode == u.Billing:
		u.status = TableStatusUpdating // for nothing, but that is what AWS answers
		return nil
	}
	if err := u.checkIdle(changeIOPS); err != nil {
		return err
	}
	switch {
	case mode == nil && u.Billing == BillingModePayPerRequest:
		return badParameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
	case mode == nil || *mode == u.Billing:
		return u.capacity(given)
	case *mode == BillingModePayPerRequest:
		u.payPerRequest()
		return nil
	}
	return u.provision(given)
}

// capacity changes the provisioned throughput.
func (u *tableUpdate) capacity(given *ProvisionedThroughput) error {
	if u.Throughput.equals(given) {
		return u.Throughput.unchanged(nil, given)
	}
	was := u.Throughput
	was.Decreases = was.decreasesToday(u.now)
	if err := u.Throughput.change(u.table, nil, given, u.now); err != nil {
		return err
	}
	u.start(transition{Kind: changingIOPS, Was: reported{Throughput: &was, OnDemandFrom: u.OnDemandFrom}})
	return nil
}

// payPerRequest changes the billing mode. An index's throughput is said to decrease by it, the table's is not.
func (u *tableUpdate) payPerRequest() {
	u.start(transition{Kind: changingIOPS, Was: reported{OnDemandFrom: u.OnDemandFrom}})
	u.Billing, u.OnDemandFrom = BillingModePayPerRequest, &u.now
	u.Throughput.payPerRequest()
	for i := range u.Indexes {
		if x := &u.Indexes[i]; x.Global {
			x.Throughput.payPerRequest()
			x.Throughput.decreased(u.now)
		}
	}
}

func (p *throughput) payPerRequest() {
	p.Read, p.Write = 0, 0
	p.WarmRead, p.WarmWrite = max(p.WarmRead, warmReads), max(p.WarmWrite, warmWrites)
}

// provision changes the billing mode the other way. Each index must be given its throughput in the same call.
func (u *tableUpdate) provision(given *ProvisionedThroughput) error {
	for i := range u.Indexes {
		x := &u.Indexes[i]
		if !x.Global {
			continue
		}
		j := slices.IndexFunc(u.in.GlobalSecondaryIndexUpdates, func(g GlobalSecondaryIndexUpdate) bool {
			return g.Update != nil && *g.Update.IndexName == x.Name && g.Update.ProvisionedThroughput != nil
		})
		if j < 0 {
			return badParameter("ProvisionedThroughput must be specified for index: %s", x.Name)
		}
		x.Throughput.OnDemandRead, x.Throughput.OnDemandWrite = nil, nil
	}
	if err := checkCapacity(u.table, nil, given); err != nil {
		return err
	}
	u.start(transition{Kind: changingIOPS, Was: reported{OnDemandFrom: u.OnDemandFrom}})
	p := &u.Throughput
	u.Billing, p.Read, p.Write = BillingModeProvisioned, *given.ReadCapacityUnits, *given.WriteCapacityUnits
	p.OnDemandRead, p.OnDemandWrite = nil, nil
	p.WarmRead, p.WarmWrite = max(p.WarmRead, p.Read), max(p.WarmWrite, p.Write)
	return nil
}

// onDemand changes the maximum of on-demand requests, at once.
func (u *tableUpdate) onDemand() error {
	switch {
	case u.in.OnDemandThroughput == nil:
		return nil
	case *u.in.OnDemandThroughput == (OnDemandThroughput{}):
		return errUnsaid()
	}
	if u.in.BillingMode == nil {
		if err := u.checkOnDemandIdle(); err != nil {
			return err
		}
	}
	return u.Throughput.updateOnDemand(u.table, nil, u.in.OnDemandThroughput)
}

// settleOnDemand forgets what was taken away by this call.
func (t *table) settleOnDemand() {
	t.Throughput.settleOnDemand()
	for i := range t.Indexes {
		t.Indexes[i].Throughput.settleOnDemand()
	}
}

// warmth raises the throughput that the table is ready for.
func (u *tableUpdate) warmth() error {
	switch {
	case u.in.WarmThroughput == nil:
		return nil
	case *u.in.WarmThroughput == (WarmThroughput{}):
		return errUnsaid()
	}
	was := u.Throughput
	if err := u.Throughput.updateWarm(u.table, nil, u.in.WarmThroughput); err != nil {
		return err
	}
	u.start(transition{Kind: warming, Was: reported{Throughput: &was}})
	return nil
}

// How often the class of a table may change.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.TableClasses.html
const (
	maxClassChanges   = 2
	classChangeWindow = 30 * 24 * time.Hour
)

// checkClass refuses a class that there is not.
func checkClass(class *string) error {
	if class == nil || *class == TableClassStandard || *class == TableClassStandardInfrequentAccess {
		return nil
	}
	return errValidation("Invalid table-class parameter provided. Please try again with a valid table-class value: [STANDARD, STANDARD_INFREQUENT_ACCESS].")
}

// class changes the table class. STANDARD is no change of a table of which nobody has said another.
func (u *tableUpdate) class() error {
	class := u.in.TableClass
	if class == nil {
		return nil
	}
	if err := u.checkIdle(changeClass); err != nil {
		return err
	}
	recent := slices.DeleteFunc(slices.Clone(u.ClassChanges), func(at time.Time) bool { return !at.After(u.now.Add(-classChangeWindow)) })
	switch {
	case len(recent) >= maxClassChanges:
		return errLimitExceededException("Subscriber limit exceeded: Updates to TableClass are limited to %d times in 30 day(s).", maxClassChanges)
	case *class == u.Class || u.Class == "" && *class == TableClassStandard:
		u.status = TableStatusUpdating
		return nil
	}
	u.start(transition{Kind: classing, To: *class, Was: reported{Class: u.Class, ClassFrom: u.ClassFrom}})
	u.Class, u.ClassFrom, u.ClassChanges = *class, &u.now, append(recent, u.now)
	return nil
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
