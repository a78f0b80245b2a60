package dynamodb

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"devstack/emulators/dynamodb/item"
	"devstack/emulators/dynamodb/legacy"
)

// msgMixed names the parameters in the order in which AWS does, which is from memory of its answers where more than one of a
// kind is given: https://github.com/getmoto/moto/issues/5354, https://github.com/floci-io/floci/issues/2894.
const msgMixed = "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {%s} Expression parameters: {%s}"

// older are a request's parameters of the time before expressions. What was not given is nil.
type older struct {
	attributes []string // AttributesToGet
	updates    map[string]AttributeValueUpdate
	expected   map[string]ExpectedAttributeValue
	filter     map[string]Condition
	filterName string // QueryFilter or ScanFilter
	operator   *string
	keys       map[string]Condition
	newer      bool // the operation is one of those with newer checks: see violated
}

// none tells whether the request has no such parameter, as nearly all have.
func (o *older) none() bool {
	return o.attributes == nil && o.updates == nil && o.expected == nil && o.filter == nil && o.operator == nil && o.keys == nil
}

// check refuses these parameters beside those expressions that were given, and a ConditionalOperator that has nothing to
// combine. AWS lets KeyConditions stand beside expressions, which came before there was a KeyConditionExpression:
// https://github.com/ExtendDB/extenddb/pull/213
func (o *older) check(expressions ...parameter) error {
	if o.none() {
		return nil
	}
	modern := given(expressions)
	old := given([]parameter{{"AttributesToGet", o.attributes != nil}, {"AttributeUpdates", o.updates != nil}, {o.filterName, o.filter != nil},
		{"Expected", o.expected != nil}, {"ConditionalOperator", o.operator != nil},
		{"KeyConditions", o.keys != nil && slices.Contains(modern, "KeyConditionExpression")}})
	if len(old) > 0 && len(modern) > 0 {
		return o.worded(item.Violation(fmt.Sprintf(msgMixed, strings.Join(old, ", "), strings.Join(modern, ", "))))
	}
	return o.worded(legacy.CheckOperator(textOf(o.operator), len(o.filter)+len(o.expected)))
}

// checkMixed refuses a batch with AttributesToGet of one table and a ProjectionExpression of that or another one.
//
// https://github.com/nubo-db/dynoxide/pull/127
func checkMixed(gets map[string]KeysAndAttributes) error {
	var old older
	modern := false
	for _, g := range gets {
		modern = modern || g.ProjectionExpression != nil
		if g.AttributesToGet != nil {
			old.attributes = g.AttributesToGet
		}
	}
	return old.check(parameter{"ProjectionExpression", modern})
}

// given returns the names of those parameters that were given.
func given(parameters []parameter) (names []string) {
	for _, p := range parameters {
		if p.given {
			names = append(names, p.name)
		}
	}
	return names
}

// worded makes an exception of what is wrong with the parameters. Operations with newer checks are seen to word what is wrong
// with Expected as a violation (https://github.com/floci-io/floci/issues/2126); that they do so of the others is a guess.
func (o *older) worded(err error) error {
	if o.newer && isViolation(err) {
		return violated(invalid(err))
	}
	return invalid(err)
}

// parse adds to e what these parameters say.
func (o *older) parse(e *expressions) error {
	if o.none() {
		return nil
	}
	err := o.parseUpdates(e) // one by one, and not in a loop over functions: what those take is moved to the heap
	if err == nil {
		err = o.parseExpected(e)
	}
	if err == nil {
		err = o.parseFilter(e)
	}
	if err == nil {
		err = o.parseAttributes(e)
	}
	if err == nil {
		err = o.parseKeys(e)
	}
	return o.worded(err)
}

func (o *older) parseUpdates(e *expressions) error {
	if o.updates == nil {
		return nil
	}
	updates, err := convert(o.updates, newAttributeUpdate)
	if err != nil {
		return err
	}
	e.update, err = legacy.Updates(updates)
	return err
}

func (o *older) parseExpected(e *expressions) error {
	if o.expected == nil {
		return nil
	}
	expected, err := convert(o.expected, newExpectation)
	if err != nil {
		return err
	}
	e.condition, err = legacy.Expected(expected, textOf(o.operator))
	return err
}

func (o *older) parseFilter(e *expressions) error {
	if o.filter == nil {
		return nil
	}
	conditions, err := convert(o.filter, newCondition)
	if err != nil {
		return err
	}
	e.filterName = o.filterName
	e.filter, err = legacy.Filter(conditions, textOf(o.operator))
	return err
}

func (o *older) parseAttributes(e *expressions) (err error) {
	if o.attributes != nil {
		e.projection, err = legacy.Attributes(o.attributes)
	}
	return err
}

func (o *older) parseKeys(e *expressions) error {
	if o.keys == nil {
		return nil
	}
	conditions, err := convert(o.keys, newCondition)
	if err != nil {
		return err
	}
	e.keyCondition, err = legacy.Keys(conditions)
	return err
}

// convert reads the values of a parameter's elements. Of several that are wrong it tells of the first by name.
func convert[From, To any](all map[string]From, one func(From) (To, error)) (map[string]To, error) {
	out := make(map[string]To, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		to, err := one(all[name])
		if err != nil {
			return nil, err
		}
		out[name] = to
	}
	return out, nil
}

func newExpectation(in ExpectedAttributeValue) (e legacy.Expectation, err error) {
	e = legacy.Expectation{HasList: in.AttributeValueList != nil, Exists: in.Exists}
	if e.Value, err = optionalValue(in.Value); err != nil {
		return e, err
	}
	e.Condition, err = newCondition(Condition{in.AttributeValueList, in.ComparisonOperator})
	return e, err
}

func newAttributeUpdate(in AttributeValueUpdate) (u legacy.Update, err error) {
	u.Action = textOf(in.Action)
	u.Value, err = optionalValue(in.Value)
	return u, err
}

func newCondition(in Condition) (c legacy.Condition, err error) {
	c.Operator = textOf(in.ComparisonOperator)
	for _, a := range in.AttributeValueList {
		v, err := newValue(a)
		if err != nil {
			return c, err
		}
		c.Values = append(c.Values, v)
	}
	return c, nil
}

// optionalValue is the zero Value for none.
func optionalValue(a *AttributeValue) (item.Value, error) {
	if a == nil {
		return item.Value{}, nil
	}
	return newValue(*a)
}

// textOf is an optional string of a request, empty for none.
func textOf(given *string) string {
	if given == nil {
		return ""
	}
	return *given
}
