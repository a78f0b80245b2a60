package dynamodb

import (
	"context"

	"devstack/emulators/dynamodb/expr"
	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// GetItem returns one item, or no Item if there is none. Every read is consistent; ConsistentRead decides what it costs.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html
func (s *service) GetItem(ctx context.Context, in *GetItemInput) (out *GetItemOutput, err error) {
	old := older{attributes: in.AttributesToGet}
	if err := old.check(parameter{"ProjectionExpression", in.ProjectionExpression != nil}); err != nil {
		return nil, err
	}
	key, err := givenRecord(in.Key)
	if err != nil {
		return nil, err
	}
	e, err := texts{projection: in.ProjectionExpression, names: in.ExpressionAttributeNames}.parse()
	if err != nil {
		return nil, err
	}
	if err := old.parse(&e); err != nil {
		return nil, err
	}
	r := wire.From(ctx)
	err = s.Store.View(func(tx *store.Tx) error {
		t, err := s.table(tx, r, *in.TableName)
		if err != nil {
			return err
		}
		if err := t.Key.checkKey(key); err != nil {
			return err
		}
		_, stored := t.find(tx, key)
		used := newUsage(t)
		used.table = readUnitsFor(stored.size(), yes(in.ConsistentRead))
		out = &GetItemOutput{Item: project(r, stored, e.projection), ConsumedCapacity: used.report(in.ReturnConsumedCapacity)}
		return nil
	})
	return out, err
}

// project returns the part of an item that was asked for, all of it without a projection; nil if there is no item.
func project(r *wire.Request, stored record, p *expr.Projection) Attributes {
	if stored == nil || p == nil {
		return stored.wireFor(r)
	}
	if names, whole := p.Whole(); whole {
		return Attributes(stored.only(names))
	}
	return Attributes(newRecord(p.Apply(peeked(stored))))
}

// PutItem puts an item in place of the one with its key, if there is one.
//
// ConditionalCheckFailedException if the condition does not hold for the old item.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html
func (s *service) PutItem(ctx context.Context, in *PutItemInput) (out *PutItemOutput, err error) {
	w := writing{
		texts: texts{condition: in.ConditionExpression, names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
			may: mayCondition, newer: true},
		older:    older{expected: in.Expected, operator: in.ConditionalOperator, newer: true},
		returned: in.ReturnValues, capacity: in.ReturnConsumedCapacity, metrics: in.ReturnItemCollectionMetrics,
	}
	if err := w.older.check(parameter{"ConditionExpression", in.ConditionExpression != nil}); err != nil {
		return nil, err
	}
	a := newAction(put, *in.TableName, in.ReturnValuesOnConditionCheckFailure)
	if a.item, err = violatedItem(in.Item); err != nil {
		return nil, err
	}
	if err := checkReturnOld(in.ReturnValues); err != nil {
		return nil, violated(err)
	}
	if err := checkItemSize(a.item.size()); err != nil {
		return nil, err
	}
	return s.write(ctx, a, &w)
}

// DeleteItem deletes an item. That there is none is no error, unless a condition says so.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteItem.html
func (s *service) DeleteItem(ctx context.Context, in *DeleteItemInput) (out *DeleteItemOutput, err error) {
	w := writing{
		texts: texts{condition: in.ConditionExpression, names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
			may: mayCondition},
		older:    older{expected: in.Expected, operator: in.ConditionalOperator},
		returned: in.ReturnValues, capacity: in.ReturnConsumedCapacity, metrics: in.ReturnItemCollectionMetrics,
	}
	if err := w.older.check(parameter{"ConditionExpression", in.ConditionExpression != nil}); err != nil {
		return nil, err
	}
	a := newAction(remove, *in.TableName, in.ReturnValuesOnConditionCheckFailure)
	if a.key, err = givenRecord(in.Key); err != nil {
		return nil, err
	}
	if err := checkReturnOld(in.ReturnValues); err != nil {
		return nil, err
	}
	written, err := s.write(ctx, a, &w)
	return (*DeleteItemOutput)(written), err
}

// UpdateItem changes attributes of an item, or makes one with the key and those attributes.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html
func (s *service) UpdateItem(ctx context.Context, in *UpdateItemInput) (out *UpdateItemOutput, err error) {
	w := writing{
		texts: texts{update: in.UpdateExpression, condition: in.ConditionExpression, names: in.ExpressionAttributeNames,
			values: in.ExpressionAttributeValues, may: mayUpdate, newer: true},
		older:    older{updates: in.AttributeUpdates, expected: in.Expected, operator: in.ConditionalOperator, newer: true},
		returned: in.ReturnValues, capacity: in.ReturnConsumedCapacity, metrics: in.ReturnItemCollectionMetrics,
	}
	err = w.older.check(parameter{"UpdateExpression", in.UpdateExpression != nil}, parameter{"ConditionExpression", in.ConditionExpression != nil})
	if err != nil {
		return nil, err
	}
	a := newAction(update, *in.TableName, in.ReturnValuesOnConditionCheckFailure)
	if a.key, err = violatedItem(in.Key); err != nil {
		return nil, err
	}
	written, err := s.write(ctx, a, &w)
	return (*UpdateItemOutput)(written), err
}

// writing is what the three operations that write one item ask for alike.
type writing struct {
	texts                       texts
	older                       older
	returned, capacity, metrics *string // ReturnValues, ReturnConsumedCapacity, ReturnItemCollectionMetrics
}

func newAction(kind actionKind, table string, onFailure *string) *action {
	return &action{table: table, kind: kind, showOld: is(onFailure, ReturnValuesOnConditionCheckFailureAllOld)}
}

// write carries out a PutItem, UpdateItem or DeleteItem whose item or key has been read. The outputs of all three are the same.
func (s *service) write(ctx context.Context, a *action, w *writing) (*PutItemOutput, error) {
	e, err := w.texts.parse()
	if err != nil {
		return nil, err
	}
	if err := w.older.parse(&e); err != nil {
		return nil, err
	}
	a.update, a.condition = e.update, e.condition
	var out *PutItemOutput
	var used *usage
	returned, metrics := w.returned, w.metrics
	err = s.run(ctx, a, func(tx *store.Tx, c *change, u *usage) error {
		used = u
		out = &PutItemOutput{Attributes: c.attributes(a, returned), ItemCollectionMetrics: c.table.collection(tx, a.at(), metrics)}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.ConsumedCapacity = used.report(w.capacity)
	return out, nil
}

// checkReturnOld checks the ReturnValues of a put or a deletion, which have less to return than an update.
func checkReturnOld(asked *string) error {
	if asked == nil || *asked == ReturnValueNone || *asked == ReturnValueAllOld {
		return nil
	}
	return errValidation("ReturnValues can only be ALL_OLD or NONE")
}

// attributes is the answer to ReturnValues.
func (c *change) attributes(a *action, asked *string) Attributes {
	switch {
	case a.kind == update:
		return updatedAttributes(c, a.update, asked)
	case is(asked, ReturnValueAllOld):
		return c.old.wire()
	}
	return nil
}

// updatedAttributes is the answer to an update's ReturnValues. There are no Attributes where there is nothing to show.
func updatedAttributes(c *change, u *expr.Update, asked *string) Attributes {
	if asked == nil || *asked == ReturnValueNone {
		return nil
	}
	shown, part := c.old, u.Touched
	if *asked == ReturnValueAllNew || *asked == ReturnValueUpdatedNew {
		shown, part = c.new, u.Written
	}
	if *asked == ReturnValueUpdatedOld || *asked == ReturnValueUpdatedNew {
		if u == nil || shown == nil {
			return nil
		}
		shown = newRecord(part(peeked(shown)))
	}
	if shown.encoded().Len() == 0 {
		return nil
	}
	return shown.wire()
}
