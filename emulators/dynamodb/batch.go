package dynamodb

import (
	"context"
	"maps"
	"slices"

	"devstack/emulators/dynamodb/item"
	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// The bounds of a batch. The last two are in bytes.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-api
const (
	maxBatchGet      = 100
	maxBatchWrite    = 25
	maxBatchGetSize  = 16 << 20
	maxTransactItems = 100
	maxTransactSize  = 4 << 20
)

// What AWS says of batches, from memory of its answers but for the last.
const (
	msgTooManyGets   = "Too many items requested for the BatchGetItem call"
	msgTooManyWrites = "Too many items requested for the BatchWriteItem call"
	msgDuplicates    = "Provided list of item keys contains duplicates"
	msgNoWrites      = "The requestItems parameter is required for BatchWriteItem" // https://github.com/nubo-db/dynoxide/pull/198
)

// batchGet is what BatchGetItem asks of one table.
type batchGet struct {
	name string
	keys []record
	expressions
	consistent bool
	given      KeysAndAttributes
}

// BatchGetItem reads up to 100 items by their keys. Keys without an item are left out; those for which 16 MB do not
// suffice come back as UnprocessedKeys.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
func (s *service) BatchGetItem(ctx context.Context, in *BatchGetItemInput) (out *BatchGetItemOutput, err error) {
	if err := checkMixed(in.RequestItems); err != nil {
		return nil, err
	}
	var gets []batchGet
	total := 0
	for _, name := range slices.Sorted(maps.Keys(in.RequestItems)) {
		g, err := newBatchGet(name, in.RequestItems[name])
		if err != nil {
			return nil, err
		}
		gets = append(gets, g)
		total += len(g.keys)
	}
	if total > maxBatchGet {
		return nil, errValidation(msgTooManyGets)
	}
	r := wire.From(ctx)
	err = s.Store.View(func(tx *store.Tx) error {
		out = &BatchGetItemOutput{Responses: map[string]Items{}, UnprocessedKeys: map[string]KeysAndAttributes{}}
		used, left := usages{}, maxBatchGetSize
		for _, g := range gets {
			t, err := s.table(tx, r, g.name)
			if err != nil {
				return err
			}
			if err := g.read(tx, r, t, used.of(t), &left, out); err != nil {
				return err
			}
		}
		out.ConsumedCapacity = used.report(in.ReturnConsumedCapacity)
		return nil
	})
	return out, err
}

func newBatchGet(name string, in KeysAndAttributes) (g batchGet, err error) {
	g = batchGet{name: name, consistent: yes(in.ConsistentRead), given: in}
	if g.expressions, err = (texts{projection: in.ProjectionExpression, names: in.ExpressionAttributeNames}).parse(); err != nil {
		return g, err
	}
	old := older{attributes: in.AttributesToGet}
	if err := old.parse(&g.expressions); err != nil {
		return g, err
	}
	seen := map[string]bool{}
	for _, k := range in.Keys {
		key, err := givenRecord(k)
		if err != nil {
			return g, err
		}
		if seen[string(k)] { // before the table is looked for: https://github.com/ExtendDB/extenddb/pull/192
			return g, errValidation(msgDuplicates)
		}
		seen[string(k)] = true
		g.keys = append(g.keys, key)
	}
	return g, nil
}

// read adds what the batch wants of one table to out. left is how many bytes may still be read.
func (g *batchGet) read(tx *store.Tx, r *wire.Request, t *table, used *usage, left *int, out *BatchGetItemOutput) error {
	for _, key := range g.keys {
		if err := t.Key.checkKey(key); err != nil {
			return err
		}
	}
	found := newItems(r)
	for n, key := range g.keys {
		_, stored := t.find(tx, key)
		if *left -= stored.size(); *left < 0 {
			rest := g.given
			rest.Keys = rest.Keys[n:]
			out.UnprocessedKeys[g.name] = rest
			break
		}
		used.table += readUnitsFor(stored.size(), g.consistent)
		if stored != nil {
			found = found.add(stored, g.projection)
		}
	}
	out.Responses[g.name] = found
	return nil
}

// BatchWriteItem puts and deletes up to 25 items. All of them are written: UnprocessedItems is always empty.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
func (s *service) BatchWriteItem(ctx context.Context, in *BatchWriteItemInput) (out *BatchWriteItemOutput, err error) {
	if len(in.RequestItems) == 0 {
		return nil, errValidation(msgNoWrites)
	}
	var actions []*action
	for _, name := range slices.Sorted(maps.Keys(in.RequestItems)) {
		for _, w := range in.RequestItems[name] {
			a, err := newBatchWrite(name, w)
			if err != nil {
				return nil, err
			}
			actions = append(actions, a)
		}
	}
	if len(actions) > maxBatchWrite {
		return nil, errValidation(msgTooManyWrites)
	}
	r, now := wire.From(ctx), s.Clock.Now()
	err = s.update(ctx, func(tx *store.Tx, e *effects) error {
		changes, err := s.prepareBatch(tx, r, actions)
		if err != nil {
			return err
		}
		used, metrics := usages{}, collections(nil)
		out = &BatchWriteItemOutput{UnprocessedItems: map[string][]WriteRequest{}}
		for i, c := range changes {
			metrics.add(c.table, c.table.collection(tx, actions[i].at(), in.ReturnItemCollectionMetrics))
			used.of(c.table).write(c.apply(tx, now, e), 1)
		}
		out.ItemCollectionMetrics = metrics
		out.ConsumedCapacity = used.report(in.ReturnConsumedCapacity)
		return nil
	})
	return out, err
}

func newBatchWrite(name string, w WriteRequest) (a *action, err error) {
	switch {
	case w.PutRequest != nil && w.DeleteRequest == nil:
		a = &action{table: name, kind: put, batched: true}
		if a.item, err = givenRecord(w.PutRequest.Item); err == nil {
			err = checkItemSize(a.item.size())
		}
	case w.DeleteRequest != nil && w.PutRequest == nil:
		a = &action{table: name, kind: remove}
		a.key, err = givenRecord(w.DeleteRequest.Key)
	case w.PutRequest == nil: // AWS says of write requests what it says of attribute values: from memory of its answers
		err = invalid(item.ErrEmptyValue)
	default:
		err = invalid(item.ErrManyValues)
	}
	return a, err
}

// prepareBatch works out the changes of a batch, which must be of different items.
func (s *service) prepareBatch(tx *store.Tx, r *wire.Request, actions []*action) ([]*change, error) {
	targets := make([]*table, len(actions))
	for i, a := range actions {
		t, err := s.table(tx, r, a.table)
		if err != nil {
			return nil, err
		}
		if err := a.check(t); err != nil {
			return nil, err
		}
		targets[i] = t
	}
	seen := map[string]bool{}
	var changes []*change
	for i, a := range actions {
		t := targets[i]
		c, err := a.prepare(tx, t)
		if err != nil {
			return nil, err
		}
		id := t.ID + string(c.key)
		if seen[id] {
			return nil, errValidation(msgDuplicates)
		}
		seen[id] = true
		changes = append(changes, c)
	}
	return changes, nil
}
