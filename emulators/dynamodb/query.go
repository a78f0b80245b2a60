package dynamodb

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"slices"

	"devstack/emulators/dynamodb/expr"
	"devstack/emulators/dynamodb/item"
	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// Query reads the items of one partition in the order of their sort keys, a page at a time.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html
func (s *service) Query(ctx context.Context, in *QueryInput) (out *QueryOutput, err error) {
	old := older{attributes: in.AttributesToGet, filter: in.QueryFilter, filterName: "QueryFilter", operator: in.ConditionalOperator, keys: in.KeyConditions}
	err = old.check(parameter{"ProjectionExpression", in.ProjectionExpression != nil}, parameter{"FilterExpression", in.FilterExpression != nil},
		parameter{"KeyConditionExpression", in.KeyConditionExpression != nil})
	if err != nil {
		return nil, err
	}
	if in.KeyConditionExpression == nil && in.KeyConditions == nil {
		return nil, errValidation("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	req := request{in.IndexName, in.Select, in.ProjectionExpression, in.ConsistentRead, in.Limit, in.AttributesToGet}
	if err := checkSelect(req); err != nil {
		return nil, violated(err)
	}
	e, err := texts{filter: in.FilterExpression, projection: in.ProjectionExpression, keyCondition: in.KeyConditionExpression,
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
		may: mayQuery}.parse()
	if err != nil {
		return nil, err
	}
	if err := old.parse(&e); err != nil {
		return nil, err
	}
	start, err := newStart(in.ExclusiveStartKey)
	if err != nil {
		return nil, err
	}
	r := wire.From(ctx)
	err = s.Store.View(func(tx *store.Tx) error {
		t, err := s.table(tx, r, *in.TableName)
		if err != nil {
			return err
		}
		rd, err := newReading(t, req, e)
		if err != nil {
			return err
		}
		within, err := rd.partition()
		if err != nil {
			return err
		}
		forward := in.ScanIndexForward == nil || *in.ScanIndexForward
		if in.ExclusiveStartKey != nil {
			key, err := rd.startKey(start)
			if err != nil {
				return err
			}
			if err := rd.checkStart(key, within); err != nil {
				return err
			}
			within = within.from(key, forward)
		}
		rd.request = r
		p, err := rd.read(tx, within.span, forward)
		if err != nil {
			return err
		}
		out = &QueryOutput{Items: p.items, Count: new(int32(p.found)), ScannedCount: new(int32(p.passed)), LastEvaluatedKey: p.last,
			ConsumedCapacity: p.used.report(in.ReturnConsumedCapacity)}
		return nil
	})
	return out, err
}

// newStart reads an ExclusiveStartKey.
func newStart(a Attributes) (record, error) {
	start, err := givenRecord(a)
	if known, ok := errors.AsType[*wire.Error](err); ok {
		return nil, errValidation(msgStartKey+": %s", known.Message) // from memory of AWS's answers
	}
	return start, err
}

// partition is where the items lie that satisfy a key condition.
type partition struct {
	span
	prefix []byte // of all keys of the partition
}

func (p partition) from(key []byte, forward bool) partition {
	p.span = p.span.from(key, forward)
	return p
}

// partition fits the key condition to the schema and finds where to look.
func (rd *reading) partition() (partition, error) {
	key := rd.key()
	hash, sortKey := key.parts()
	c, err := rd.keyCondition.Fit(hash.expr(), sortKey.expr())
	if err != nil {
		return partition{}, invalid(err)
	}
	if err := rd.checkOperands(hash, sortKey, c); err != nil {
		return partition{}, err
	}
	if rd.filter != nil {
		for _, name := range rd.filter.Names() {
			if key.has(name) {
				return partition{}, errValidation(msgFilterKey, cmp.Or(rd.filterName, "Filter Expression"), name)
			}
		}
	}
	prefix := key.prefix(c.Hash)
	return partition{sortSpan(prefix, c), prefix}, nil
}

// checkOperands refuses values that no key has: those that are empty or too long.
//
// https://github.com/ministackorg/ministack/pull/1067; the words for an index are those of
// https://github.com/praetorian-inc/chariot-ui/issues/353
func (rd *reading) checkOperands(hash, sortKey keySchema, c *expr.KeyCondition) error {
	check := func(a keyAttribute, v item.Value) error {
		if rd.x != nil && v.Text() == "" {
			return errValidation(msgIndexKeyEmpty, emptyWord(v), rd.x.Name, a.Name)
		}
		return a.checkValue(v)
	}
	for i, v := range c.Hash {
		if err := check(hash[i], v); err != nil {
			return err
		}
	}
	ranges := slices.Clone(c.Equal)
	if c.Op != expr.AnyRange {
		ranges = append(ranges, c.Low)
	}
	for i, v := range ranges {
		if err := check(sortKey[i], v); err != nil {
			return err
		}
	}
	if c.Op == expr.Between {
		return check(sortKey[len(c.Equal)], c.High)
	}
	return nil
}

// sortSpan is the part of a partition that a condition on the sort key selects.
func sortSpan(prefix []byte, c *expr.KeyCondition) span {
	for _, v := range c.Equal {
		prefix = item.AppendKey(prefix[:len(prefix):len(prefix)], v)
	}
	with := func(v item.Value) []byte { return item.AppendKey(prefix[:len(prefix):len(prefix)], v) }
	whole := span{prefix, after(prefix)}
	switch c.Op {
	case expr.EQ:
		return span{with(c.Low), after(with(c.Low))}
	case expr.LT:
		return span{prefix, with(c.Low)}
	case expr.LE:
		return span{prefix, after(with(c.Low))}
	case expr.GT:
		return span{after(with(c.Low)), whole.high}
	case expr.GE:
		return span{with(c.Low), whole.high}
	case expr.Between:
		return span{with(c.Low), after(with(c.High))}
	case expr.BeginsWith:
		low := item.AppendKeyPrefix(prefix[:len(prefix):len(prefix)], c.Low)
		return span{low, after(low)}
	}
	return whole
}

// checkStart refuses a start key that the query would not have come to.
func (rd *reading) checkStart(key []byte, within partition) error {
	switch {
	case !(span{within.prefix, after(within.prefix)}).holds(key):
		return errValidation(msgStartOutside)
	case !within.holds(key):
		return errValidation(msgStartPredicate)
	}
	return nil
}

// Scan reads all items of a table or an index, or one segment of them, a page at a time, in no order that means anything.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html
func (s *service) Scan(ctx context.Context, in *ScanInput) (out *ScanOutput, err error) {
	old := older{attributes: in.AttributesToGet, filter: in.ScanFilter, filterName: "ScanFilter", operator: in.ConditionalOperator}
	err = old.check(parameter{"ProjectionExpression", in.ProjectionExpression != nil}, parameter{"FilterExpression", in.FilterExpression != nil})
	if err != nil {
		return nil, err
	}
	req := request{in.IndexName, in.Select, in.ProjectionExpression, in.ConsistentRead, in.Limit, in.AttributesToGet}
	if err := checkSelect(req); err != nil {
		return nil, err
	}
	segment, err := newSegment(in.Segment, in.TotalSegments)
	if err != nil {
		return nil, err
	}
	e, err := texts{filter: in.FilterExpression, projection: in.ProjectionExpression, names: in.ExpressionAttributeNames,
		values: in.ExpressionAttributeValues, may: mayScan, scan: true}.parse()
	if err != nil {
		return nil, err
	}
	if err := old.parse(&e); err != nil {
		return nil, err
	}
	start, err := newStart(in.ExclusiveStartKey)
	if err != nil {
		return nil, err
	}
	r := wire.From(ctx)
	err = s.Store.View(func(tx *store.Tx) error {
		t, err := s.table(tx, r, *in.TableName)
		if err != nil {
			return err
		}
		rd, err := newReading(t, req, e)
		if err != nil {
			return err
		}
		within := segment
		if in.ExclusiveStartKey != nil {
			key, err := rd.startKey(start)
			if err != nil {
				return err
			}
			if !segment.holds(key) {
				return errValidation("The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: %d Segment: %d",
					*in.TotalSegments, *in.Segment)
			}
			within = segment.from(key, true)
		}
		rd.request = r
		p, err := rd.read(tx, within, true)
		if err != nil {
			return err
		}
		out = &ScanOutput{Items: p.items, Count: new(int32(p.found)), ScannedCount: new(int32(p.passed)), LastEvaluatedKey: p.last,
			ConsumedCapacity: p.used.report(in.ReturnConsumedCapacity)}
		return nil
	})
	return out, err
}

// newSegment is the share of all hashes that a segment has.
func newSegment(segment, total *int32) (span, error) {
	switch {
	case segment == nil && total == nil:
		return span{}, nil
	case total == nil:
		return span{}, errValidation("The TotalSegments parameter is required but was not present in the request when Segment parameter is present")
	case segment == nil:
		return span{}, errValidation("The Segment parameter is required but was not present in the request when parameter TotalSegments is present")
	case *segment >= *total:
		return span{}, errValidation("The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: %d is not less than TotalSegments: %d", *segment, *total)
	}
	bound := func(i int32) []byte {
		if i == *total {
			return nil
		}
		return binary.BigEndian.AppendUint32(nil, uint32(uint64(i)<<32/uint64(*total)))
	}
	return span{bound(*segment), bound(*segment + 1)}, nil
}
