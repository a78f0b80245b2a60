package dynamodb

import (
	"context"
	"slices"
	"strings"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// What AWS says of changes of replicas (ack-api-quirks, DDB-TABLE-203, 222 to 225, 250, 257, 258, 265, 307).
const (
	msgReplicasAlone  = "Replica modification must be the only operation in the request"
	msgMembersAlone   = "Requests that modify replicas or witnesses must not also modify other fields"
	msgNoAction       = "There are no actions specified in the Replica Update Action of the request."
	msgActionTypes    = "Update table operation with more than one type of replica actions not allowed."
	msgActions        = "Update table operation with more than one create or delete replica actions not allowed"
	msgLocalRegion    = "Cannot add or delete the local region through ReplicaUpdates. Use CreateTable, DeleteTable, or UpdateTable as required."
	msgReplicaExists  = "Failed to create a the new replica of table with name: ‘%s’ because one or more replicas already existed as tables."
	msgNoReplicas     = "Update global table operation failed because one or more replicas were not part of the global table. Please retry the request without these replicas: [%s]."
	msgNoRegion       = "Region %s is not supported. The latest version of global tables are only supported in the following regions: [%s]"
	msgWriteCapacity  = "Table write capacity should either be Pay-Per-Request or AutoScaled."
	msgStreamStays    = "Disabling Stream is not allowed for a Global Table replica."
	msgReplicaGuarded = "Cannot delete table %s in region %s because it has deletion protection enabled. Disable deletion protection first."
	msgReplicaKey     = "KMSMasterKeyId must be specified for each replica."
	msgReplicaKeys    = "All replica keys must either be Customer Managed CMK or AWS Managed CMK."
	msgRegrouping     = "The resource which you are attempting to change is in use."
	msgSettingsMode   = "Value 'ENABLED_WITH_OVERRIDES' at 'GlobalTableSettingsReplicationMode' failed to satisfy constraint: Only ENABLED and DISABLED settings replication are supported for a Regional Table."
)

// regions are those in which a table may have replicas. Which they are is AWS's; their order was observed of the first twelve
// (ack-api-quirks, DDB-TABLE-457), and is a guess after them.
//
// https://docs.aws.amazon.com/general/latest/gr/ddb.html
var regions = strings.Fields(`ap-south-2 ap-south-1 eu-south-1 eu-south-2 me-central-1 il-central-1 ca-central-1 ap-east-2 mx-central-1 eu-central-1
	eu-central-2 us-west-1 us-west-2 af-south-1 eu-north-1 eu-west-3 eu-west-2 eu-west-1 ap-northeast-3 ap-northeast-2 me-south-1
	ap-northeast-1 ca-west-1 sa-east-1 ap-east-1 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5
	ap-southeast-6 ap-southeast-7 us-east-1 us-east-2`)

// memberChange is what UpdateTable is asked to do to the group of a table: to add replicas, to change them, or to delete them.
type memberChange struct {
	creates     []CreateReplicationGroupMemberAction
	updates     []UpdateReplicationGroupMemberAction
	deletes     []string
	consistency *string // MultiRegionConsistency
	addWitness  *string
	endWitness  *string
}

// strong tells whether the replicas are asked for to be strongly consistent.
func (c *memberChange) strong() bool { return is(c.consistency, MultiRegionConsistencyStrong) }

// gone are the regions that leave the group.
func (c *memberChange) gone() []string {
	if c.endWitness != nil {
		return append(slices.Clone(c.deletes), *c.endWitness)
	}
	return c.deletes
}

// newMemberChange reads the request and checks it by itself.
func newMemberChange(in *UpdateTableInput) (*memberChange, error) {
	if in.AttributeDefinitions != nil || in.ProvisionedThroughput != nil || in.BillingMode != nil || in.StreamSpecification != nil ||
		in.GlobalSecondaryIndexUpdates != nil || in.SSESpecification != nil || in.TableClass != nil || in.DeletionProtectionEnabled != nil ||
		in.OnDemandThroughput != nil || in.WarmThroughput != nil || in.GlobalTableSettingsReplicationMode != nil {
		if in.MultiRegionConsistency != nil || in.GlobalTableWitnessUpdates != nil {
			return nil, errValidation(msgMembersAlone)
		}
		return nil, badParameter(msgReplicasAlone)
	}
	c := &memberChange{consistency: in.MultiRegionConsistency}
	for _, u := range in.ReplicaUpdates {
		if err := c.add(u); err != nil {
			return nil, err
		}
	}
	for _, w := range in.GlobalTableWitnessUpdates {
		if w.Create != nil {
			c.addWitness = w.Create.RegionName
		}
		if w.Delete != nil {
			c.endWitness = w.Delete.RegionName
		}
	}
	return c, nil
}

// add takes over one of the ReplicaUpdates. The same one twice is one (ack-api-quirks, DDB-TABLE-265).
func (c *memberChange) add(u ReplicationGroupUpdate) error {
	kinds := 0
	for _, is := range []bool{u.Create != nil || c.creates != nil, u.Update != nil || c.updates != nil, u.Delete != nil || c.deletes != nil} {
		if is {
			kinds++
		}
	}
	switch {
	case u.Create == nil && u.Update == nil && u.Delete == nil:
		return errValidation(msgNoAction)
	case u.Create != nil && u.Create.RegionName == nil: // ack-api-quirks, DDB-TABLE-457
		return errValidation(msgLegacyNothing)
	case kinds > 1:
		return errValidation(msgActionTypes)
	case u.Create != nil:
		if !slices.ContainsFunc(c.creates, func(a CreateReplicationGroupMemberAction) bool { return *a.RegionName == *u.Create.RegionName }) {
			c.creates = append(c.creates, *u.Create)
		}
	case u.Delete != nil:
		if !slices.Contains(c.deletes, *u.Delete.RegionName) {
			c.deletes = append(c.deletes, *u.Delete.RegionName)
		}
	default:
		c.updates = append(c.updates, *u.Update)
		return checkOverrides(u.Update)
	}
	return nil
}

// checkOverrides refuses an update of nothing.
func checkOverrides(u *UpdateReplicationGroupMemberAction) error {
	empty := func(x ReplicaGlobalSecondaryIndex) bool {
		return x.ProvisionedThroughputOverride == nil && x.OnDemandThroughputOverride == nil
	}
	some := u.ProvisionedThroughputOverride != nil || u.OnDemandThroughputOverride != nil || u.TableClassOverride != nil || u.KMSMasterKeyId != nil
	if !some && !slices.ContainsFunc(u.GlobalSecondaryIndexes, func(x ReplicaGlobalSecondaryIndex) bool { return !empty(x) }) {
		return errValidation(msgNoAction)
	}
	return nil
}

// updateMembers is UpdateTable with ReplicaUpdates. A replica of a small table has all items when the call returns, though it is
// CREATING and the table UPDATING for as long as Options.Transition says; that of a large one is until it has them (copy.go). The
// answer tells neither of what was added nor of what has changed, as AWS's (ack-api-quirks, DDB-TABLE-226, 250, 261).
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables.tutorial.html
func (s *service) updateMembers(ctx context.Context, in *UpdateTableInput) (out *UpdateTableOutput, err error) {
	c, err := newMemberChange(in)
	if err != nil {
		return nil, err
	}
	r, now := wire.From(ctx), s.Clock.Now()
	var ids []string
	for range c.creates {
		ids = append(ids, s.IDs.UUID())
	}
	busy := false
	err = s.update(ctx, func(tx *store.Tx, e *effects) error {
		t, err := s.tableToChange(tx, r, *in.TableName)
		if err != nil {
			return err
		}
		if err := c.check(tx, r, t, now); err != nil {
			return err
		}
		// From here on nothing fails: a failure after a write costs those that share the commit.
		dropOldStreams(tx, now)
		d := t.describe(tx, now)
		if len(c.creates) > 0 {
			s.addReplicas(tx, r, t, c, ids, now, e)
			known := append([]ReplicaDescription{}, d.Replicas...)
			d = t.describe(tx, now)
			d.Replicas, d.GlobalTableWitnesses = known, nil
		}
		for i := range c.updates {
			t.overrideReplica(tx, &c.updates[i], now)
		}
		for _, region := range c.deletes {
			t.replica(tx, region).drop(tx, now)
		}
		if c.deletes != nil {
			stay := slices.DeleteFunc(t.others(), func(region string) bool { return slices.Contains(c.deletes, region) })
			t.regroup(tx, stay, t.Global.without(c.gone()...))
		}
		d.TableStatus = new(TableStatusUpdating)
		out = &UpdateTableOutput{TableDescription: d}
		t.begin(transition{Kind: regrouping}, now, s.opts.Transition)
		t.settle(now).put(tx)
		busy = t.busy()
		return nil
	})
	s.copies.wakeIf(busy && err == nil)
	if err == nil {
		for _, region := range c.deletes {
			s.cache.forget(r.Account, region, *out.TableDescription.TableName)
		}
	}
	s.wake(now, err)
	return out, err
}

// check checks the change against the table and its group.
func (c *memberChange) check(tx *store.Tx, r *wire.Request, t *table, now time.Time) error {
	if err := t.checkPresent(); err != nil {
		return err
	}
	if len(t.Transitions) > 0 {
		return errResourceInUseException(msgRegrouping)
	}
	if err := c.checkConsistency(tx, t); err != nil {
		return err
	}
	if !t.strong() && !c.strong() && len(c.creates)+len(c.deletes) > 1 {
		return errValidation(msgActions)
	}
	for _, a := range c.creates {
		if err := checkNewReplica(tx, r, t, &a); err != nil {
			return err
		}
	}
	for i := range c.updates {
		if err := t.checkOverride(&c.updates[i]); err != nil {
			return err
		}
	}
	for _, region := range c.deletes {
		switch {
		case region == t.Region:
			return errValidation(msgLocalRegion)
		case !slices.Contains(regions, region): // ack-api-quirks, DDB-TABLE-457
			return errValidation(msgNoRegion, region, strings.Join(regions, ", "))
		case !slices.Contains(t.others(), region):
			return errValidation(msgNoReplicas, region)
		case t.replica(tx, region).busy():
			return errResourceInUseException(msgRegrouping) // a guess
		case t.replica(tx, region).Protected:
			return errValidation(msgReplicaGuarded, t.Name, region)
		case !t.Global.Strong && t.Global.wasSource(region, now):
			return errValidation(msgSource)
		}
	}
	return nil
}

// checkNewReplica checks whether the table can have a replica in a region.
func checkNewReplica(tx *store.Tx, r *wire.Request, t *table, a *CreateReplicationGroupMemberAction) error {
	region := *a.RegionName
	if region == t.Region {
		return errValidation(msgLocalRegion)
	}
	if !slices.Contains(regions, region) {
		return errValidation(msgNoRegion, region, strings.Join(regions, ", "))
	}
	if _, exists := tables.Get(tx, t.Account, region, t.Name); exists {
		return errValidation(msgReplicaExists, t.Name)
	}
	if t.Billing != BillingModePayPerRequest { // there is no Application Auto Scaling here
		return errValidation(msgWriteCapacity)
	}
	_, err := t.replicaKey(r, region, a.KMSMasterKeyId)
	return err
}

// replicaKey is the KMS key of a replica, of which all must have the same kind: AWS's own, of which nothing is said, one that
// AWS keeps in the region, or one of the customer's, which must be named (ack-api-quirks, DDB-TABLE-309, 313).
func (t *table) replicaKey(r *wire.Request, region string, given *string) (keyARN string, err error) {
	there := &wire.Request{Account: r.Account, Region: region, ID: r.ID}
	managed := keyOfAlias(there, managedAlias)
	switch {
	case t.customKey() && given == nil, t.EncryptedBy == "" && given != nil:
		return "", badParameter(msgReplicaKey)
	case given == nil && t.EncryptedBy == "":
		return "", nil
	case given == nil:
		return managed, nil
	}
	if keyARN, err = keyARNOf(there, *given); err != nil {
		return "", err
	}
	if (keyARN == managed) == t.customKey() {
		return "", badParameter(msgReplicaKeys)
	}
	return keyARN, nil
}

// managedKey is the key that AWS keeps in the table's region.
func managedKey(t *table) string {
	return keyOfAlias(&wire.Request{Account: t.Account, Region: t.Region}, managedAlias)
}

// customKey tells whether the table is encrypted with a key of the customer's.
func (t *table) customKey() bool { return t.EncryptedBy != "" && t.EncryptedBy != managedKey(t) }

// checkOverride checks what is to be changed of one replica, which may be the table itself.
func (t *table) checkOverride(u *UpdateReplicationGroupMemberAction) error {
	if t.Global == nil || *u.RegionName != t.Region && !slices.Contains(t.others(), *u.RegionName) {
		return errValidation(msgNoReplicas, *u.RegionName)
	}
	if u.KMSMasterKeyId != nil {
		return badParameter(msgReplicaKey)
	}
	provisioned := u.ProvisionedThroughputOverride != nil
	for _, x := range u.GlobalSecondaryIndexes {
		provisioned = provisioned || x.ProvisionedThroughputOverride != nil
		if _, ok := t.index(*x.IndexName); !ok {
			return errResourceNotFoundException(msgNotFound) // a guess
		}
	}
	if provisioned { // replicas are on demand
		return errValidation("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
	}
	return nil
}

// addReplicas makes the replicas and tells the group. Without a stream none could be kept alike on AWS: a table gets one,
// which stays (ack-api-quirks, DDB-TABLE-221).
func (s *service) addReplicas(tx *store.Tx, from *wire.Request, t *table, c *memberChange, ids []string, now time.Time, e *effects) {
	if t.View == "" && !c.strong() {
		s.enableStream(tx, t, StreamViewTypeNewAndOldImages, now)
	}
	g := t.Global
	if g == nil {
		g = &globalTable{Members: []member{{Region: t.Region, Added: now}}, Strong: c.strong()}
		if c.addWitness != nil {
			g.Witness = *c.addWitness
		}
	}
	for i := range c.creates {
		r := t.newReplica(&c.creates[i], ids[i], now)
		r.Copied = r.take(tx, recordsOf(tx, t.items(), nil), s.opts.first, now, e)
		if r.Copied != nil {
			t.Copies = append(slices.Clone(t.Copies), r.Region)
		}
		r.EncryptedBy, _ = t.replicaKey(from, r.Region, c.creates[i].KMSMasterKeyId) // which is checked
		if t.View != "" && !g.Strong {
			s.enableStream(tx, r, t.View, now)
		}
		r.begin(transition{Kind: creating}, now, s.opts.Transition)
		r.settle(now).put(tx)
		g = g.with(member{Region: r.Region, Source: t.Region, Added: now})
	}
	t.Global = g // so that it has all the others
	t.regroup(tx, t.others(), g)
}

// newReplica describes a replica of the table, without its stream. Tags, deletion protection and point-in-time
// recovery are each replica's own.
func (t *table) newReplica(a *CreateReplicationGroupMemberAction, id string, now time.Time) *table {
	r := *t
	r.Region, r.ID, r.Created, r.Global = *a.RegionName, id, now, nil
	r.OnDemandFrom, r.Tags, r.Protected, r.SettingsMode, r.Recovery = &now, nil, false, "", nil
	r.View, r.Label, r.StreamARN = "", "", ""
	r.Transitions, r.ClassChanges, r.KeyChanges, r.ProtectedAt = nil, nil, nil, nil
	r.Indexes = slices.Clone(t.Indexes)
	r.Copies, r.Snapshots = nil, nil
	r.override(a.OnDemandThroughputOverride, a.GlobalSecondaryIndexes, a.TableClassOverride, now)
	return &r
}

// copyOn does a step towards a replica of the table's items. One that was deleted meanwhile needs none.
func (t *table) copyOn(tx *store.Tx, size stepSize, now time.Time, e *effects) {
	r := t.replica(tx, t.Copies[0])
	if r.Copied != nil {
		r.Copied = r.take(tx, recordsOf(tx, t.items(), r.Copied.next()), size, now, e)
		r.settle(now).put(tx)
	}
	if r.Copied == nil {
		t.Copies = t.Copies[1:]
	}
}

// overrideReplica gives one replica something of its own.
func (t *table) overrideReplica(tx *store.Tx, u *UpdateReplicationGroupMemberAction, now time.Time) {
	if *u.RegionName == t.Region {
		t.override(u.OnDemandThroughputOverride, u.GlobalSecondaryIndexes, u.TableClassOverride, now)
		return
	}
	r := t.replica(tx, *u.RegionName)
	r.override(u.OnDemandThroughputOverride, u.GlobalSecondaryIndexes, u.TableClassOverride, now)
	r.put(tx)
}

// override takes over what is a replica's own. ProvisionedThroughputOverride and indexes that there are none of are
// accepted and mean nothing, as on AWS (ack-api-quirks, DDB-TABLE-307).
func (t *table) override(onDemand *OnDemandThroughputOverride, indexes []ReplicaGlobalSecondaryIndex, class *string, now time.Time) {
	if onDemand != nil {
		t.Throughput.limit(&OnDemandThroughput{MaxReadRequestUnits: onDemand.MaxReadRequestUnits})
	}
	for _, in := range indexes {
		if x, ok := t.index(*in.IndexName); ok && in.OnDemandThroughputOverride != nil {
			x.Throughput.limit(&OnDemandThroughput{MaxReadRequestUnits: in.OnDemandThroughputOverride.MaxReadRequestUnits})
		}
	}
	if class != nil {
		t.changeClass(*class, now)
	}
}

// checkReplica refuses what UpdateTable cannot do to a table of a group.
func (t *table) checkReplica(in *UpdateTableInput) error {
	switch {
	case t.Global == nil:
	case t.under(regrouping) != nil:
		return errResourceInUseException(msgRegrouping)
	case is(in.BillingMode, BillingModeProvisioned):
		return errValidation(msgWriteCapacity) // a guess: that is said of new replicas
	case in.GlobalTableSettingsReplicationMode != nil:
		return errValidation(msgSettingsMode) // a guess
	case in.SSESpecification != nil && in.SSESpecification.KMSMasterKeyId != nil && !t.customKey():
		return badParameter(msgReplicaKey) // a guess: the others would have none
	}
	return nil
}

// checkSettingsMode refuses the modes that a table of one account cannot have.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_MA_HowItWorks.html
func checkSettingsMode(mode *string) error {
	switch {
	case is(mode, GlobalTableSettingsReplicationModeEnabledWithOverrides):
		return errValidation(msgSettingsMode)
	case is(mode, GlobalTableSettingsReplicationModeEnabled):
		return notImplemented("UpdateTable", "GlobalTableSettingsReplicationMode ENABLED, which prepares replicas in other accounts")
	}
	return nil
}
