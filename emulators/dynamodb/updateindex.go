package dynamodb

import (
	"slices"

	"devstack/emulators/dynamodb/item"
	"devstack/emulators/store"
)

// indexes takes over what concerns indexes.
func (u *tableUpdate) indexes() error {
	structural := 0
	for _, m := range u.Transitions {
		if m.Kind == addingIndex || m.Kind == droppingIndex {
			structural++
		}
	}
	for _, g := range u.in.GlobalSecondaryIndexUpdates {
		var err error
		switch {
		case g.Update != nil:
			err = u.changeIndex(g.Update)
		case g.Create != nil:
			structural++
			err = u.createIndex(g.Create)
		default:
			structural++
			if x, ok := u.index(*g.Delete.IndexName); ok && u.adding(x.Name) {
				structural-- // what is being created may be deleted
			}
			err = u.deleteIndex(*g.Delete.IndexName)
		}
		if err != nil {
			return err
		}
		if structural > 1 && g.Update == nil {
			return errLimitExceededException("Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table")
		}
	}
	return u.checkIndexes()
}

func (t *table) adding(name string) bool {
	m := t.under(addingIndex)
	return m != nil && m.Index.Name == name
}

// createIndex adds an index. The definitions need only be those of new attributes.
func (u *tableUpdate) createIndex(in *CreateGlobalSecondaryIndexAction) error {
	if u.in.BillingMode == nil {
		if err := u.checkIdle(changeIndexes); err != nil {
			return err
		}
	}
	global := 0
	for _, x := range u.Indexes {
		if x.Global {
			global++
		}
	}
	_, exists := u.index(*in.IndexName)
	switch {
	case exists:
		return errValidation("Attempting to create an index which already exists")
	case u.in.AttributeDefinitions == nil:
		return badParameter("AttributeDefinitions is not specified for index: %s", *in.IndexName)
	case global >= maxGlobalIndexes:
		return errLimitExceededException("Subscriber limit exceeded: Number of global secondary indexes exceeds per-table limit of %d", maxGlobalIndexes)
	}
	u.Attributes = u.definitions()
	for _, d := range u.in.AttributeDefinitions {
		i := slices.IndexFunc(u.Attributes, func(old AttributeDefinition) bool { return *old.AttributeName == *d.AttributeName })
		if i < 0 {
			u.Attributes = append(u.Attributes, d)
		} else if *u.Attributes[i].AttributeType != *d.AttributeType && slices.Contains(schemaNames(in.KeySchema), *d.AttributeName) {
			return badParameter("Attribute %s is defined with type %s already", *d.AttributeName, *u.Attributes[i].AttributeType) // a guess
		}
	}
	if err := u.addGlobal(in); err != nil {
		return err
	}
	u.Attributes = u.definitions()
	x := u.Indexes[len(u.Indexes)-1]
	u.start(transition{Kind: addingIndex, Index: &x})
	return nil
}

// globalIndex finds the index of an update. do is what is to be done, in AWS's words.
func (u *tableUpdate) globalIndex(name, do string) (*index, error) {
	x, ok := u.index(name)
	switch {
	case !ok:
		if err := u.checkIndexIdle(name, false); err != nil { // one that is being deleted
			return nil, err
		}
		return nil, errResourceNotFoundException("Requested resource not found: Index %s for table %s", name, u.Name)
	case !x.Global:
		return nil, errValidation("Cannot %s an index that is not a GlobalSecondaryIndex: %s", do, name)
	}
	return x, nil
}

// deleteIndex takes an index away.
func (u *tableUpdate) deleteIndex(name string) error {
	x, err := u.globalIndex(name, "delete")
	if err != nil {
		return err
	}
	if err := u.checkIndexIdle(name, true); err != nil {
		return err
	}
	if err := u.checkIdle(changeIndexes); err != nil && u.in.BillingMode == nil {
		return err
	}
	gone := *x
	u.Transitions = slices.DeleteFunc(slices.Clone(u.Transitions), func(m transition) bool { return m.Index != nil && m.Index.Name == name })
	u.start(transition{Kind: droppingIndex, Index: &gone})
	u.Indexes = slices.DeleteFunc(u.Indexes, func(x index) bool { return x.Name == name })
	u.Attributes = u.definitions()
	return nil
}

// changeIndex changes an index's throughput.
func (u *tableUpdate) changeIndex(in *UpdateGlobalSecondaryIndexAction) error {
	x, err := u.globalIndex(*in.IndexName, "update")
	if _, there := u.index(*in.IndexName); !there && in.WarmThroughput != nil {
		return errUnsaid()
	}
	if err != nil {
		return err
	}
	if err := u.checkIndexIdle(x.Name, false); err != nil {
		return err
	}
	if u.Billing == BillingModePayPerRequest && in.ProvisionedThroughput == nil && in.WarmThroughput == nil &&
		(in.OnDemandThroughput == nil || *in.OnDemandThroughput == (OnDemandThroughput{})) {
		return badParameter(msgOnDemandIndex, x.Name)
	}
	was := *x
	was.Throughput.Decreases = was.Throughput.decreasesToday(u.now)
	if given := in.ProvisionedThroughput; given != nil {
		if err := u.changeIndexCapacity(x, given); err != nil {
			return err
		}
	}
	if in.OnDemandThroughput != nil {
		if err := x.Throughput.updateOnDemand(u.table, x, in.OnDemandThroughput); err != nil {
			return err
		}
	}
	if in.WarmThroughput != nil {
		if err := x.Throughput.updateWarm(u.table, x, in.WarmThroughput); err != nil {
			return err
		}
		u.start(transition{Kind: warming, Index: &was})
	}
	if in.ProvisionedThroughput != nil && u.in.BillingMode == nil || in.OnDemandThroughput != nil {
		u.start(transition{Kind: changingIndex, Index: &was})
	}
	return nil
}

// msgOnDemandIndex is also the answer to an update of nothing (observed, ack-api-quirks, DDB-TABLE-456).
const msgOnDemandIndex = "The only Updates for index: %s when TableThroughputMode is PAY_PER_REQUEST can be to OnDemandThroughput, WarmThroughput"

func (u *tableUpdate) changeIndexCapacity(x *index, given *ProvisionedThroughput) error {
	switch {
	case u.Billing == BillingModePayPerRequest && u.in.BillingMode != nil:
		return badParameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: %s when BillingMode is PAY_PER_REQUEST", x.Name)
	case u.Billing == BillingModePayPerRequest:
		return badParameter(msgOnDemandIndex, x.Name)
	case x.Throughput.equals(given):
		return x.Throughput.unchanged(x, given)
	}
	return x.Throughput.change(u.table, x, given, u.now)
}

// followIndexes fills the indexes that the table did not have before, as far as one step goes, and empties those that it has no
// longer. What it has put into a new one is not in the answer's counts.
func (t *table) followIndexes(tx *store.Tx, before *table, size stepSize) {
	for i := range before.Indexes {
		if _, kept := t.index(before.Indexes[i].Name); !kept {
			before.dropIndex(tx, &before.Indexes[i])
		}
	}
	for i := range t.Indexes {
		x := &t.Indexes[i]
		if _, old := before.index(x.Name); !old {
			x.Filled = &reach{}
			t.fillIndex(tx, x, size)
		}
	}
}

// keyKind is the data type of a key attribute.
func (a keyAttribute) kind() item.Kind {
	k, _ := item.ParseKind(a.Type)
	return k
}
