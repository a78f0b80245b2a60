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
		out = &GetItemOutput{Item: project(stored, e.projection), ConsumedCapacity: used.report(in.ReturnConsumedCapacity)}
		return nil
	})
	return out, err
}

// project returns the part of an item that was asked for, all of it without a projection; nil if there is no item.
func project(stored record, p *expr.Projection) Attributes {
	if stored == nil || p == nil {
		return stored.wire()
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
	old := older{expected: in.Expected, operator: in.ConditionalOperator, newer: true}
	if err := old.check(parameter{"ConditionExpression", in.ConditionExpression != nil}); err != nil {
		return nil, err
	}
	a := &action{table: *in.TableName, kind: put, showOld: is(in.ReturnValuesOnConditionCheckFailure, ReturnValuesOnConditionCheckFailureAllOld)}
	if a.item, err = violatedItem(in.Item); err != nil {
		return nil, err
	}
	if err := checkReturnOld(in.ReturnValues); err != nil {
		return nil, violated(err)
	}
	if err := checkItemSize(a.item.size()); err != nil {
		return nil, err
	}
	e, err := texts{condition: in.ConditionExpression, names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
		may: []expr.Kind{expr.ConditionExpression}, newer: true}.parse()
	if err != nil {
		return nil, err
	}
	if err := old.parse(&e); err != nil {
		return nil, err
	}
	a.condition = e.condition
	used, err := s.runForUsage(ctx, a, func(tx *store.Tx, c *change) error {
		out = &PutItemOutput{ItemCollectionMetrics: c.table.collection(tx, a.item, in.ReturnItemCollectionMetrics)}
		out.Attributes = oldAttributes(c, in.ReturnValues)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.ConsumedCapacity = used.report(in.ReturnConsumedCapacity)
	return out, nil
}

// runForUsage is run, with what the action has consumed as its result.
func (s *service) runForUsage(ctx context.Context, a *action, answer func(tx *store.Tx, c *change) error) (used *usage, err error) {
	err = s.run(ctx, a, func(tx *store.Tx, c *change, u *usage) error {
		used = u
		return answer(tx, c)
	})
	return used, err
}

// checkReturnOld checks the ReturnValues of a put or a deletion, which have less to return than an update.
func checkReturnOld(asked *string) error {
	if asked == nil || *asked == ReturnValueNone || *asked == ReturnValueAllOld {
		return nil
	}
	return errValidation("ReturnValues can only be ALL_OLD or NONE")
}

// oldAttributes is the answer to ReturnValues ALL_OLD.
func oldAttributes(c *change, asked *string) Attributes {
	if !is(asked, ReturnValueAllOld) {
		return nil
	}
	return c.old.wire()
}

// DeleteItem deletes an item. That there is none is no error, unless a condition says so.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteItem.html
func (s *service) DeleteItem(ctx context.Context, in *DeleteItemInput) (out *DeleteItemOutput, err error) {
	old := older{expected: in.Expected, operator: in.ConditionalOperator}
	if err := old.check(parameter{"ConditionExpression", in.ConditionExpression != nil}); err != nil {
		return nil, err
	}
	a := &action{table: *in.TableName, kind: remove, showOld: is(in.ReturnValuesOnConditionCheckFailure, ReturnValuesOnConditionCheckFailureAllOld)}
	if a.key, err = givenRecord(in.Key); err != nil {
		return nil, err
	}
	if err := checkReturnOld(in.ReturnValues); err != nil {
		return nil, err
	}
	e, err := texts{condition: in.ConditionExpression, names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
		may: []expr.Kind{expr.ConditionExpression}}.parse()
	if err != nil {
		return nil, err
	}
	if err := old.parse(&e); err != nil {
		return nil, err
	}
	a.condition = e.condition
	used, err := s.runForUsage(ctx, a, func(tx *store.Tx, c *change) error {
		out = &DeleteItemOutput{ItemCollectionMetrics: c.table.collection(tx, a.key, in.ReturnItemCollectionMetrics)}
		out.Attributes = oldAttributes(c, in.ReturnValues)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.ConsumedCapacity = used.report(in.ReturnConsumedCapacity)
	return out, nil
}

// UpdateItem changes attributes of an item, or makes one with the key and those attributes.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html
func (s *service) UpdateItem(ctx context.Context, in *UpdateItemInput) (out *UpdateItemOutput, err error) {
	old := older{updates: in.AttributeUpdates, expected: in.Expected, operator: in.ConditionalOperator, newer: true}
	err = old.check(parameter{"UpdateExpression", in.UpdateExpression != nil}, parameter{"ConditionExpression", in.ConditionExpression != nil})
	if err != nil {
		return nil, err
	}
	a := &action{table: *in.TableName, kind: update, showOld: is(in.ReturnValuesOnConditionCheckFailure, ReturnValuesOnConditionCheckFailureAllOld)}
	if a.key, err = violatedItem(in.Key); err != nil {
		return nil, err
	}
	e, err := texts{update: in.UpdateExpression, condition: in.ConditionExpression, names: in.ExpressionAttributeNames,
		values: in.ExpressionAttributeValues, may: []expr.Kind{expr.UpdateExpression, expr.ConditionExpression}, newer: true}.parse()
	if err != nil {
		return nil, err
	}
	if err := old.parse(&e); err != nil {
		return nil, err
	}
	a.update, a.condition = e.update, e.condition
	used, err := s.runForUsage(ctx, a, func(tx *store.Tx, c *change) error {
		out = &UpdateItemOutput{ItemCollectionMetrics: c.table.collection(tx, a.key, in.ReturnItemCollectionMetrics)}
		out.Attributes = updatedAttributes(c, a.update, in.ReturnValues)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.ConsumedCapacity = used.report(in.ReturnConsumedCapacity)
	return out, nil
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
