package legacy

import (
	"maps"
	"slices"
	"strconv"

	"devstack/emulators/dynamodb/expr"
	"devstack/emulators/dynamodb/item"
)

// Expectation is an element of Expected, which has two forms: with a ComparisonOperator, and with Value and Exists.
type Expectation struct {
	Condition            // no Operator: there is no ComparisonOperator
	HasList   bool       // there is an AttributeValueList
	Value     item.Value // the zero Value: there is none
	Exists    *bool
}

// Expected makes a condition of Expected; nil if it has no elements. operator is the ConditionalOperator, or empty.
//
// A Value with a ComparisonOperator is its argument, although the documentation calls the two incompatible:
// https://github.com/floci-io/floci/issues/2126
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExpectedAttributeValue.html
func Expected(expected map[string]Expectation, operator string) (*expr.Condition, error) {
	var list []expr.Test
	for _, name := range slices.Sorted(maps.Keys(expected)) {
		c, err := expected[name].condition(name)
		if err != nil {
			return nil, err
		}
		list = append(list, expr.Test{Name: name, Operator: c.Operator, Values: c.Values})
	}
	return combine(list, operator), nil
}

// condition brings both forms to that with an operator.
func (e Expectation) condition(name string) (Condition, error) {
	hasValue := !e.Value.IsZero()
	switch {
	case e.HasList && hasValue:
		return Condition{}, invalid(msgTwoValues, name)
	case e.Operator != "":
		return e.comparison(name)
	case e.HasList:
		return Condition{}, invalid(msgListAlone, name)
	case e.Exists != nil && !*e.Exists && hasValue:
		return Condition{}, invalid(msgAbsentValue, name)
	case e.Exists != nil && !*e.Exists:
		return Condition{Operator: "NULL"}, nil
	case !hasValue && e.Exists == nil:
		return Condition{}, invalid(msgNoValue, "null", name)
	case !hasValue:
		return Condition{}, invalid(msgNoValue, strconv.FormatBool(*e.Exists), name)
	}
	return Condition{"EQ", []item.Value{e.Value}}, nil
}

// comparison is the form with a ComparisonOperator.
func (e Expectation) comparison(name string) (Condition, error) {
	c := e.Condition
	if !e.Value.IsZero() {
		c.Values = []item.Value{e.Value}
	}
	switch {
	case e.Exists != nil:
		return c, invalid(msgTwoForms, name)
	case operators[c.Operator].least > 0 && !e.HasList && e.Value.IsZero():
		return c, invalid(msgNoArgument, c.Operator, name)
	}
	return c, c.check()
}
