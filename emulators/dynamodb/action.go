package dynamodb

import (
	"context"
	"reflect"
	"slices"

	"devstack/emulators/dynamodb/expr"
	"devstack/emulators/dynamodb/item"
	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// action is one write as a request asks for it, by PutItem, UpdateItem, DeleteItem, or as part of a batch or a transaction.
type action struct {
	table     string // name or ARN
	item      record // of a put
	key       record // of all the others
	update    *expr.Update
	condition *expr.Condition
	kind      actionKind
	showOld   bool // ReturnValuesOnConditionCheckFailure is ALL_OLD
	batched   bool // it is part of a BatchWriteItem
	insert    bool // of a put: its condition is that there is no such item
}

type actionKind uint8

const (
	put actionKind = iota
	update
	remove
	check // of a condition, in a transaction
)

// The words for what an update cannot do to an item: the model lists most of them at TransactionCanceledException, the
// others are from memory of AWS's answers.
const (
	msgConditionFailed = "The conditional request failed" // recorded answer
	msgUpdateKey       = "One or more parameter values were invalid: Cannot update attribute %s. This attribute is part of the key"
	msgUpdateSize      = "Item size to update has exceeded the maximum allowed size"
	msgUpdateIndexType = "The update expression attempted to update the secondary index key to unsupported type"
	msgUpdateIndexSize = "The update expression attempted to update the secondary index key beyond allowed size limits."
	msgUpdateIndexNull = "The update expression attempted to update a secondary index key to a value that is not supported. " +
		"The AttributeValue for a key attribute cannot contain an empty %s value."
)

// check checks the action against the table's schema.
func (a *action) check(t *table) error {
	if a.kind == put {
		if a.batched && !t.Key.typed(a.item) {
			return errValidation(msgKeySchema)
		}
		return t.checkPut(a.item)
	}
	if err := t.Key.checkKey(a.key); err != nil {
		return err
	}
	if a.update != nil {
		for _, name := range a.update.Names() {
			if t.Key.has(name) {
				return errValidation(msgUpdateKey, name)
			}
		}
	}
	return nil
}

// at is where the action acts.
func (a *action) at() record {
	if a.kind == put {
		return a.item
	}
	return a.key
}

// prepare works out the change that an action comes to, or why it cannot be done. It writes nothing: what fails after a
// write costs those that share its commit.
func (a *action) prepare(tx *store.Tx, t *table) (*change, error) {
	c := &change{table: t}
	c.key, c.old = t.find(tx, a.at())
	if a.condition != nil && !a.condition.Match(peeked(c.old)) {
		return nil, a.failed(c.old)
	}
	switch a.kind {
	case put:
		c.new = a.item
	case check:
		c.new = c.old
	case update:
		return c, a.prepareUpdate(c)
	}
	return c, nil
}

// failed is the answer to a condition that does not hold.
func (a *action) failed(old record) error {
	if a.insert {
		return errDuplicateItemException(msgDuplicateItem)
	}
	failed := errConditionalCheckFailedException(msgConditionFailed)
	if !a.showOld || old == nil {
		return failed
	}
	return failed.With("Item", old.wire())
}

// prepareUpdate works out the updated item. Of the old one no more is decoded than the update reads or changes.
func (a *action) prepareUpdate(c *change) error {
	c.new = c.old
	if c.old == nil {
		c.new = a.key
	}
	var updated item.Item
	if a.update != nil {
		used := item.Item{}
		for _, name := range a.update.Uses() {
			if v, ok := c.old.peek(name); ok {
				used[name] = v
			}
		}
		var err error
		if updated, err = a.update.Apply(used); err != nil {
			return invalid(err)
		}
		if c.old == nil && a.update.Deletes() {
			c.new = nil
			return nil
		}
		c.new = c.new.with(a.update.Names(), updated)
	}
	if err := a.checkUpdated(c); err != nil {
		return err
	}
	return invalid(item.CheckDepth(updated))
}

// checkUpdated checks what an update has made of an old item.
func (a *action) checkUpdated(c *change) error {
	x, k, wrong := c.table.checkIndexKeys(c.new, c.old)
	switch {
	case x == nil:
	case a.update != nil && a.update.Legacy(): // no expression has attempted it: a guess
		return x.keyError(k, c.new, wrong)
	case wrong == errIndexKeyType:
		return errValidation(msgUpdateIndexType)
	case wrong == errIndexKeyEmpty:
		v, _ := c.new.peek(k.Name)
		return refusal{errValidation(msgUpdateIndexNull, emptyWord(v))}
	default:
		return errValidation(msgUpdateIndexSize)
	}
	size := c.new.size() - a.key.size()
	if a.update != nil {
		size += a.update.Overhead()
	}
	if size > maxItemSize {
		return errValidation(msgUpdateSize)
	}
	return nil
}

// run carries out a single action and hands the change, once applied, to answer, which makes the operation's output. It may
// be called more than once.
func (s *service) run(ctx context.Context, a *action, answer func(tx *store.Tx, c *change, used *usage) error) error {
	now, r := s.Clock.Now(), wire.From(ctx)
	return s.update(ctx, func(tx *store.Tx, e *effects) error {
		t, err := s.table(tx, r, a.table)
		if err != nil {
			return err
		}
		if err := a.check(t); err != nil {
			return err
		}
		c, err := a.prepare(tx, t)
		if err != nil {
			return err
		}
		used := newUsage(t)
		if err := answer(tx, c, used); err != nil { // before the write: it reads the old item
			return err
		}
		used.write(c.apply(tx, now, e), 1)
		return nil
	})
}

// collection makes the answer to ReturnItemCollectionMetrics; nil if nobody asked, or the table has no local index, and so no
// item collections to measure.
//
// The range is true but wide: the collection is no larger than all that the table and its local indexes hold.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ItemCollectionMetrics.html
func (t *table) collection(tx *store.Tx, at record, asked *string) *ItemCollectionMetrics {
	if !is(asked, ReturnItemCollectionMetricsSize) {
		return nil
	}
	total, local := t.count(tx, nil).bytes, false
	for i := range t.Indexes {
		if x := &t.Indexes[i]; !x.Global {
			local = true
			total += t.count(tx, x).bytes
		}
	}
	if !local {
		return nil
	}
	return &ItemCollectionMetrics{
		ItemCollectionKey:   Attributes(at.only([]string{t.Key[0].Name})),
		SizeEstimateRangeGB: []float64{0, float64(total>>30) + 1},
	}
}

// collections are the metrics of a call that writes several items: one for each item collection, by table.
type collections map[string][]ItemCollectionMetrics

func (cs *collections) add(t *table, m *ItemCollectionMetrics) {
	if m == nil {
		return
	}
	same := func(old ItemCollectionMetrics) bool {
		return reflect.DeepEqual(old.ItemCollectionKey, m.ItemCollectionKey)
	}
	if !slices.ContainsFunc((*cs)[t.Name], same) {
		set((*map[string][]ItemCollectionMetrics)(cs), t.Name, append((*cs)[t.Name], *m))
	}
}
