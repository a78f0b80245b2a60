package dynamodb

import (
	"slices"
	"strings"

	"devstack/emulators/store"
)

// What AWS says of multi-Region strong consistency (ack-api-quirks, DDB-TABLE-257, 260, 202), but for the last three, which
// are guesses: that such a table is made empty and has neither local indexes nor transactions nor time to live is its guide's.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html#V2globaltables_HowItWorks.consistency-modes
const (
	msgStrongCount      = "Unsupported replica count for global tables with MultiRegionConsistency set to STRONG."
	msgStrongRegions    = "Unsupported Region(s) specified for global tables with MultiRegionConsistency set to STRONG: [%s]."
	msgStrongFrozen     = "Cannot add replicas to a global table with strong MultiRegionConsistency"
	msgStrongDelete     = "Deletion of only one table replica is not supported for global tables with MultiRegionConsistency set to STRONG."
	msgConsistencyKept  = "MultiRegionConsistency parameter is unsupported on existing global table"
	msgConsistencyAlone = "Only Replica Create actions are supported when MultiRegionConsistency parameter is provided."
	msgWitnessStrong    = "MultiRegionConsistency must be set as STRONG when GlobalTableWitnessUpdates parameter is present."
	msgWitnessReplica   = "Cannot add a witness in the same region as an existing replica when creating a global table with MultiRegionConsistency set to STRONG."
	msgWitnessLeft      = "Update table delete operation does not include all witnesses."
	msgNoWitness        = "Update global table operation failed because one or more witnesses were not part of the global table. Please retry the request without these witnesses: [%s]."
	msgSameRegion       = "Cannot target multiple regions with the same action"
	msgStrongEmpty      = "Table must be empty to be added to a global table with MultiRegionConsistency set to STRONG."
	msgStrongIndexes    = "LocalSecondaryIndexes are not supported for global tables with MultiRegionConsistency set to STRONG."
	msgStrongWithout    = "%s is not supported for global tables with MultiRegionConsistency set to STRONG."
)

// strongRegions are those whose tables can be strongly consistent with each other.
var strongRegions = strings.Fields(`us-east-1 us-east-2 us-west-2 eu-west-1 eu-west-2 eu-west-3 eu-central-1
	ap-northeast-1 ap-northeast-2 ap-northeast-3`)

// strongSize is how many regions such a group has, the witness's among them. It is made and ended as a whole.
const strongSize = 3

// checkConsistency checks what a change has to do with MultiRegionConsistency and the witness.
func (c *memberChange) checkConsistency(tx *store.Tx, t *table) error {
	if c.addWitness != nil && !c.strong() {
		return errValidation(msgWitnessStrong)
	}
	if c.consistency != nil && len(c.creates) == 0 {
		return errValidation(msgConsistencyAlone)
	}
	if c.strong() {
		if err := c.checkStrong(t); err != nil {
			return err
		}
	}
	switch {
	case c.consistency != nil && t.Global != nil:
		return errValidation(msgConsistencyKept)
	case c.strong():
		return t.checkCanBeStrong(tx)
	case t.strong():
		return c.checkFrozen(t)
	case c.endWitness != nil:
		return errValidation(msgNoWitness, *c.endWitness)
	}
	return nil
}

// checkStrong checks the regions of a strongly consistent group that is to be made.
func (c *memberChange) checkStrong(t *table) error {
	all := []string{t.Region}
	for _, a := range c.creates {
		all = append(all, *a.RegionName)
	}
	if c.addWitness != nil {
		all = append(all, *c.addWitness)
	}
	unsupported := slices.DeleteFunc(slices.Clone(all), func(region string) bool { return slices.Contains(strongRegions, region) })
	slices.Sort(unsupported)
	switch {
	case len(all) != strongSize:
		return errValidation(msgStrongCount)
	case len(unsupported) > 0:
		return errValidation(msgStrongRegions, strings.Join(slices.Compact(unsupported), ", "))
	case c.addWitness == nil:
	case *c.addWitness == t.Region:
		return errValidation(msgWitnessReplica)
	case *c.addWitness == *c.creates[0].RegionName:
		return errValidation(msgSameRegion)
	}
	return nil
}

// checkCanBeStrong checks whether the table can become one of a strongly consistent group.
func (t *table) checkCanBeStrong(tx *store.Tx) error {
	switch {
	case t.count(tx, nil).items > 0:
		return errValidation(msgStrongEmpty)
	case slices.ContainsFunc(t.Indexes, func(x index) bool { return !x.Global }):
		return errValidation(msgStrongIndexes)
	case t.TTL != "":
		return errValidation(msgStrongWithout, "TimeToLive")
	}
	return nil
}

// checkFrozen refuses to change the members of a strongly consistent group other than to end it.
func (c *memberChange) checkFrozen(t *table) error {
	switch {
	case len(c.creates) > 0:
		return errValidation(msgStrongFrozen)
	case len(c.deletes) == 0:
		return nil
	case t.Global.Witness != "" && c.endWitness == nil:
		return errValidation(msgWitnessLeft)
	case c.endWitness != nil && *c.endWitness != t.Global.Witness:
		return errValidation(msgNoWitness, *c.endWitness)
	}
	for _, region := range t.others() {
		if !slices.Contains(c.deletes, region) {
			return errValidation(msgStrongDelete)
		}
	}
	return nil
}
