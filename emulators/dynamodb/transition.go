package dynamodb

import (
	"fmt"
	"slices"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// transition is a change to a table that is under way: made already, but not yet reported as done. It ends by the clock,
// Options.Transition after it began, or once its work is done (copy.go), and survives a restart. With no time to take it is only seen in the answer to the
// operation that begins it.
type transition struct {
	Kind  transitionKind
	Until time.Time
	Index *index   // whose change it is, as it was before; for an added one as it is
	Was   reported // what is reported meanwhile
	To    string   // what is said of it in refusals: the new table class, ENABLE or DISABLE
	From  *origin  // of a created table: what it is restored from; nil: nothing

	Fills       time.Time // of an added index: when its resources are allocated and it begins to be filled
	Backfilling bool      // Fills is over
}

// transitionKind is what a transition changes.
type transitionKind string

const (
	creating      transitionKind = "create"
	deleting      transitionKind = "delete"
	changingIOPS  transitionKind = "iops" // provisioned throughput or the billing mode
	streaming     transitionKind = "stream"
	classing      transitionKind = "class"
	encrypting    transitionKind = "sse"
	warming       transitionKind = "warm"
	addingIndex   transitionKind = "add index"
	droppingIndex transitionKind = "drop index"
	changingIndex transitionKind = "change index"
	expiring      transitionKind = "ttl"
	regrouping    transitionKind = "replicas"
)

// reported is what of a table is reported as it was while a transition is under way.
type reported struct {
	Throughput   *throughput
	OnDemandFrom *time.Time
	Class        string
	ClassFrom    *time.Time
	Key          string // of the encryption, "" for none
}

// begin notes a transition. It is forgotten by settle.
func (t *table) begin(m transition, now time.Time, takes time.Duration) {
	m.Until = now.Add(takes)
	if m.Kind == addingIndex { // on AWS it is half a minute of ten; observed in October 2026
		m.Fills = now.Add(takes / 2)
	}
	t.Transitions = append(slices.Clone(t.Transitions), m)
}

// over tells whether a transition has ended.
func (m *transition) over(now time.Time) bool { return !m.Until.After(now) }

// settle returns the table without the transitions that are over: itself if there are none, nil if it is gone.
func (t *table) settle(now time.Time) *table {
	over := func(m transition) bool { return m.over(now) && !t.works(&m) }
	changes := func(m transition) bool {
		return over(m) || m.Kind == addingIndex && !m.Backfilling && !m.Fills.After(now)
	}
	if t == nil || !slices.ContainsFunc(t.Transitions, changes) {
		return t
	}
	if m := t.under(deleting); m != nil && m.over(now) {
		return nil
	}
	c := *t
	c.Transitions = slices.DeleteFunc(slices.Clone(t.Transitions), over)
	for i := range c.Transitions {
		m := &c.Transitions[i]
		m.Backfilling = m.Kind == addingIndex && !m.Fills.After(now)
	}
	return &c
}

// under finds a transition of a kind that is under way.
func (t *table) under(kind transitionKind) *transition {
	i := slices.IndexFunc(t.Transitions, func(m transition) bool { return m.Kind == kind })
	if i < 0 {
		return nil
	}
	return &t.Transitions[i]
}

// status is the TableStatus.
func (t *table) status() string {
	status := TableStatusActive
	for _, m := range t.Transitions {
		switch m.Kind {
		case creating:
			return TableStatusCreating
		case deleting:
			return TableStatusDeleting
		case changingIOPS, streaming, classing, droppingIndex, regrouping:
			status = TableStatusUpdating
		case addingIndex:
			if !m.Backfilling {
				status = TableStatusUpdating
			}
		}
	}
	return status
}

// indexStatus is the IndexStatus, and whether the index is being filled; nil if that is not said.
func (t *table) indexStatus(name string) (status string, backfilling *bool) {
	if t.under(creating) != nil {
		return IndexStatusCreating, nil
	}
	for _, m := range t.Transitions {
		switch {
		case m.Index == nil || m.Index.Name != name:
		case m.Kind == addingIndex:
			return IndexStatusCreating, new(m.Backfilling)
		case m.Kind == changingIndex:
			return IndexStatusUpdating, nil
		}
	}
	return IndexStatusActive, nil
}

// readable refuses to read an index that is being filled. AWS's words, as quoted in
// https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1075; that the name follows is from memory.
func (t *table) readable(x *index) error {
	for _, m := range t.Transitions {
		if m.Kind == addingIndex && m.Index.Name == x.Name {
			return errValidation("Cannot read from backfilling global secondary index: %s", x.Name)
		}
	}
	return nil
}

// inUse begins what AWS says of a table that is changing. The endings are its too (observed on AWS, October 2026; the two
// blanks before "Table: " in those about one index are in https://github.com/hashicorp/terraform/issues/9559).
func inUse(format string, args ...any) *wire.Error {
	return errResourceInUseException("Attempt to change a resource which is still in use: "+format, args...)
}

// checkPresent refuses changes to a table that is being created or deleted.
func (t *table) checkPresent() error {
	switch {
	case t.under(creating) != nil && t.Global != nil: // ack-api-quirks, DDB-TABLE-298
		return inUse("Table: %s is being used.", t.Name)
	case t.under(creating) != nil:
		return inUse("Table is being created: %s", t.Name)
	case t.under(deleting) != nil:
		return inUse("Table is being deleted: %s", t.Name)
	}
	return nil
}

// checkIdle refuses a change for the sake of another that is under way. what is the change in AWS's words.
func (t *table) checkIdle(what string) error {
	for _, m := range t.Transitions {
		switch m.Kind {
		case changingIOPS:
			switch what {
			case changeIOPS:
				return inUse("Table IOPS are currently being updated. Table: %s", t.Name)
			case changeStream:
				what = "enable or disable stream"
			case changeIndexes:
				what = "create or delete indexes"
			}
			return inUse("Can't %s while table IOPS are being updated. Table: %s", what, t.Name)
		case streaming:
			if what == changeStream {
				return inUse("A stream status change is currently in progress. Table: %s Stream: %s Operation: %s", t.Name, t.Label, m.To)
			}
			return inUse("Can't %s when stream status is being updated. Table: %s Stream: %s Operation: %s", what, t.Name, t.Label, m.To)
		case classing:
			return inUse("Can't %s when a table class update is in progress. Table: %s TableClassUpdateInProgress: %s", what, t.Name, m.To)
		case addingIndex:
			if !m.Backfilling && what != changeIndexes {
				return inUse("Can't %s when an index is being created. Table: %s Indexes: [%s]", what, t.Name, m.Index.Name)
			}
		case droppingIndex:
			if what != changeIndexes {
				return inUse("Can't %s when an index is being deleted. Table: %s Indexes: [%s]", what, t.Name, m.Index.Name)
			}
		}
	}
	return nil
}

// The changes of checkIdle.
const (
	changeIOPS    = "change table IOPS"
	changeStream  = "change stream status"
	changeClass   = "update table class"
	changeIndexes = "create or delete an index"
)

// checkOnDemandIdle refuses a change to the maximum of on-demand requests.
func (t *table) checkOnDemandIdle() error {
	for _, m := range t.Transitions {
		during := ""
		switch m.Kind {
		case changingIOPS:
			during = "BillingMode update is in progress"
		case streaming:
			during = "stream status update is in progress"
		case classing:
			during = "TableClass update is in progress. TableClassUpdateInProgress: " + m.To
		case addingIndex:
			if !m.Backfilling {
				during = fmt.Sprintf("index creation is in progress for indexes: [%s]", m.Index.Name)
			}
		case droppingIndex:
			during = fmt.Sprintf("index deletion is in progress for indexes: [%s]", m.Index.Name)
		}
		if during != "" {
			return inUse("OnDemandThroughput cannot be updated while %s", during)
		}
	}
	return nil
}

// checkIndexIdle refuses to change an index that is changing.
func (t *table) checkIndexIdle(name string, remove bool) error {
	for _, m := range t.Transitions {
		if m.Index == nil || m.Index.Name != name {
			continue
		}
		how := ""
		switch {
		case m.Kind == addingIndex && !m.Backfilling && remove:
			return inUse("Index creation is in resource allocation phase. Retry deletion during backfilling phase or when the index is active. Table: %s Index: %s", t.Name, name)
		case m.Kind == addingIndex && !m.Backfilling:
			how = "created but is not backfilling yet"
		case m.Kind == droppingIndex:
			how = "deleted"
		case m.Kind == changingIndex:
			how = "updated"
		default:
			continue
		}
		return inUse("Index is being %s.  Table: %s Index: %s", how, t.Name, name)
	}
	return nil
}

// checkDeletable refuses to delete a table that is changing.
func (t *table) checkDeletable() error {
	if err := t.checkPresent(); err != nil {
		return err
	}
	if len(t.Snapshots) > 0 { // its guide says so; the words are a guess
		return inUse("Cannot delete table while a backup is being created or restored: %s", t.Name)
	}
	for _, m := range t.Transitions {
		switch m.Kind {
		case addingIndex, droppingIndex, changingIndex:
			return inUse("Cannot delete table while indexes are being created, updated, or deleted.")
		case streaming:
			return inUse("Cannot delete table while stream is being enabled/disabled.")
		case changingIOPS, classing, encrypting, warming:
			return inUse("Table: %s is in the process of being updated.", t.Name)
		}
	}
	return nil
}

// finish carries what is over into the store: tables that are deleted go, others are kept without it. It returns when the
// next transition ends, zero if none is under way.
func (s *service) finish(tx *store.Tx, now time.Time) (next time.Time) {
	sooner := func(at time.Time) {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	var over []table
	for t := range tables.All(tx) {
		if slices.ContainsFunc(t.Transitions, func(m transition) bool { return m.over(now) && !t.works(&m) }) {
			over = append(over, t)
			continue
		}
		for _, m := range t.Transitions {
			if !m.over(now) {
				sooner(m.Until)
			}
		}
	}
	for _, t := range over {
		left := t.settle(now)
		if left == nil {
			t.drop(tx, now)
			continue
		}
		left.put(tx)
		for _, m := range left.Transitions {
			if !m.over(now) {
				sooner(m.Until)
			}
		}
	}
	return next
}

// describeTransitions lets a description say what is reported while transitions are under way.
func (t *table) describeTransitions(d *TableDescription) {
	for _, m := range t.Transitions {
		switch {
		case m.Kind == creating && m.From != nil:
			m.From.describe(d)
		case m.Kind == classing:
			d.TableClassSummary = classSummary(m.Was.Class, m.Was.ClassFrom)
		case m.Kind == warming && m.Index == nil:
			d.WarmThroughput.ReadUnitsPerSecond, d.WarmThroughput.WriteUnitsPerSecond = new(m.Was.Throughput.WarmRead), new(m.Was.Throughput.WarmWrite)
			d.WarmThroughput.Status = new(TableStatusUpdating)
		case m.Kind == changingIOPS:
			t.describeIOPS(d, &m.Was)
		case m.Kind == encrypting:
			d.SSEDescription = &SSEDescription{Status: new(SSEStatusUpdating)}
			if m.Was.Key != "" {
				d.SSEDescription.SSEType, d.SSEDescription.KMSMasterKeyArn = new(SSETypeKms), new(m.Was.Key)
			}
		}
	}
}

// describeIOPS says what a change of throughput reports meanwhile: the old units and count of decreases, but the new instants;
// and of the billing mode the new one, but not since when.
func (t *table) describeIOPS(d *TableDescription, was *reported) {
	if d.BillingModeSummary != nil {
		d.BillingModeSummary.LastUpdateToPayPerRequestDateTime = was.OnDemandFrom
	}
	if p := was.Throughput; p != nil {
		d.ProvisionedThroughput.ReadCapacityUnits, d.ProvisionedThroughput.WriteCapacityUnits = new(p.Read), new(p.Write)
		d.ProvisionedThroughput.NumberOfDecreasesToday = new(p.Decreases)
		d.WarmThroughput.ReadUnitsPerSecond, d.WarmThroughput.WriteUnitsPerSecond = new(p.WarmRead), new(p.WarmWrite)
	}
}

// describeIndexTransition does the same for one index.
func (t *table) describeIndexTransition(d *GlobalSecondaryIndexDescription) {
	for _, m := range t.Transitions {
		if m.Index == nil || m.Index.Name != *d.IndexName {
			continue
		}
		switch m.Kind {
		case warming:
			d.WarmThroughput.ReadUnitsPerSecond, d.WarmThroughput.WriteUnitsPerSecond = new(m.Index.Throughput.WarmRead), new(m.Index.Throughput.WarmWrite)
			d.WarmThroughput.Status = new(IndexStatusUpdating)
		case changingIndex:
			p := m.Index.Throughput
			d.ProvisionedThroughput.ReadCapacityUnits, d.ProvisionedThroughput.WriteCapacityUnits = new(p.Read), new(p.Write)
			d.ProvisionedThroughput.NumberOfDecreasesToday = new(p.Decreases)
		}
	}
}
