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
	table     string    // name or ARN
	item      item.Item // of a put
	key       item.Item // of all the others
	update    *expr.Update
	condition *expr.Condition
	kind      actionKind
	showOld   bool // ReturnValuesOnConditionCheckFailure is ALL_OLD
	batched   bool // it is part of a BatchWriteItem
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
func (a *action) at() item.Item {
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
	if a.condition != nil && !a.condition.Match(c.old.source()) {
		return nil, a.failed(c.old)
	}
	switch a.kind {
	case put:
		c.new = newRecord(a.item)
	case check:
		c.new = c.old
	case update:
		return c, a.prepareUpdate(c)
	}
	return c, nil
}

// source is what an expression reads; a record that is not there has no attributes.
func (r record) source() expr.Source {
	if r == nil {
		return item.Item(nil)
	}
	return r
}

// failed is the answer to a condition that does not hold.
func (a *action) failed(old record) error {
	failed := errConditionalCheckFailedException(msgConditionFailed)
	if !a.showOld || old == nil {
		return failed
	}
	i, err := old.decode()
	if err != nil {
		return err
	}
	return failed.With("Item", wireItem(i))
}

// prepareUpdate works out the updated item.
func (a *action) prepareUpdate(c *change) error {
	old, err := c.old.decode()
	if err != nil {
		return err
	}
	fresh := item.Item{}
	if old != nil {
		fresh = old
	}
	if a.update != nil {
		if fresh, err = a.update.Apply(fresh); err != nil {
			return invalid(err)
		}
	}
	if old == nil {
		for name, v := range a.key {
			fresh[name] = v
		}
	}
	if err := a.checkUpdated(c.table, fresh, old); err != nil {
		return err
	}
	c.new = newRecord(fresh)
	return nil
}

// checkUpdated checks what an update has made of an old item.
func (a *action) checkUpdated(t *table, i, old item.Item) error {
	x, k, wrong := t.checkIndexKeys(i, old)
	switch {
	case x == nil:
	case wrong == errIndexKeyType:
		return errValidation(msgUpdateIndexType)
	case wrong == errIndexKeyEmpty:
		return refusal{errValidation(msgUpdateIndexNull, emptyWord(i[k.Name]))}
	default:
		return errValidation(msgUpdateIndexSize)
	}
	size := i.Size() - a.key.Size()
	if a.update != nil {
		size += a.update.Overhead()
	}
	if size > maxItemSize {
		return errValidation(msgUpdateSize)
	}
	return invalid(item.CheckDepth(i))
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
func (t *table) collection(tx *store.Tx, at item.Item, asked *string) *ItemCollectionMetrics {
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
	name := t.Key[0].Name
	return &ItemCollectionMetrics{
		ItemCollectionKey:   wireItem(item.Item{name: at[name]}),
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
