package dynamodb

import (
	"slices"
	"strings"

	"devstack/emulators/wire"
)

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

// checkClass refuses a class that there is not.
func checkClass(class *string) error {
	if class == nil || *class == TableClassStandard || *class == TableClassStandardInfrequentAccess {
		return nil
	}
	return errValidation("Invalid table-class parameter provided. Please try again with a valid table-class value: [STANDARD, STANDARD_INFREQUENT_ACCESS].")
}
