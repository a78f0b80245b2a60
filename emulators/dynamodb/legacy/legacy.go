// Package legacy reads the parameters that DynamoDB's requests had before there were expressions (Expected, QueryFilter,
// ScanFilter, KeyConditions, AttributeUpdates, AttributesToGet) and makes of them what package expr makes of expressions.
//
// An error is AWS's message, word for word; the caller makes the exception of it (always a ValidationException), and may word it as a
// violated constraint. Of several
// mistakes the one of the first attribute by name is reported; which one AWS picks is not known.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.html
package legacy

import (
	"fmt"
	"maps"
	"slices"

	"devstack/emulators/dynamodb/expr"
	"devstack/emulators/dynamodb/item"
)

// Beside each text is the issue on github.com in which a user quotes AWS's answer. A text without one is from memory of AWS's
// answers.
const (
	invalidValue = "One or more parameter values were invalid: "

	errOperatorAlone = item.Violation("ConditionalOperator cannot be used without Filter or Expected")                         // ExtendDB/extenddb/pull/213
	errOperatorOne   = item.Violation("ConditionalOperator can only be used when Filter or Expected has two or more elements") // the same
	errConditions    = item.Violation("Conditions can be of length 1 or 2 only")
	errBounds        = item.Violation("The BETWEEN condition was provided a range where the lower bound is greater than the upper bound") // "bigger" in 2014: Cbsoftware/pressureNET-server/issues/78

	msgCount     = "Invalid number of argument(s) for the %s ComparisonOperator"   // Dynamoid/dynamoid/pull/225
	msgType      = "ComparisonOperator %s is not valid for %s AttributeValue type" // scylladb/scylladb/issues/5141
	msgTypes     = "AttributeValues inside AttributeValueList must be of same type"
	msgDuplicate = "Duplicate value in attribute name: %s"
)

// What is wrong with an element of Expected. The first four are in floci-io/floci/issues/2126.
const (
	msgNoValue     = "Value must be provided when Exists is %s for Attribute: %s"
	msgAbsentValue = "Value cannot be used when Exists is false for Attribute: %s"
	msgTwoForms    = "Exists and ComparisonOperator cannot be used together for Attribute: %s"
	msgListAlone   = "AttributeValueList can only be used with a ComparisonOperator for Attribute: %s"
	msgTwoValues   = "Value and AttributeValueList cannot be used together for Attribute: %s"
	msgNoArgument  = "Value or AttributeValueList must be used with ComparisonOperator: %s for Attribute: %s"
)

// What is wrong with an element of AttributeUpdates.
const (
	msgOnlyDelete = "Only DELETE action is allowed when no attribute value is specified"
	msgAddType    = "ADD action is not supported for the type %s"
	msgDeleteType = "DELETE action with value is not supported for the type %s" // "STRING" in 2014: awslabs/dynamodb-document-js-sdk/issues/20
)

func invalid(format string, args ...any) error {
	return item.Violation(invalidValue + fmt.Sprintf(format, args...))
}

// Condition is what an attribute or a key is compared with.
type Condition struct {
	Operator string       // ComparisonOperator
	Values   []item.Value // AttributeValueList
}

// operators are the types of the values that each ComparisonOperator takes, and how many; no types are all of them.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Condition.html
var operators = map[string]struct {
	least, most int
	kinds       []item.Kind
}{
	"EQ": {1, 1, nil}, "NE": {1, 1, nil},
	"LE": {1, 1, scalars}, "LT": {1, 1, scalars}, "GE": {1, 1, scalars}, "GT": {1, 1, scalars},
	"NOT_NULL": {}, "NULL": {},
	"CONTAINS": {1, 1, members}, "NOT_CONTAINS": {1, 1, members},
	"BEGINS_WITH": {1, 1, []item.Kind{item.S, item.B}},
	"IN":          {1, 1 << 30, scalars},
	"BETWEEN":     {2, 2, scalars},
}

// scalars have an order. members are what a set or a list may be said to contain: no set, map or list.
var (
	scalars = []item.Kind{item.S, item.N, item.B}
	members = []item.Kind{item.S, item.N, item.B, item.BOOL, item.NULL}
)

// check checks the values against what the operator takes.
func (c Condition) check() error {
	takes := operators[c.Operator]
	if len(c.Values) < takes.least || len(c.Values) > takes.most {
		return invalid(msgCount, c.Operator)
	}
	for _, v := range c.Values {
		if v.Kind() != c.Values[0].Kind() {
			return invalid(msgTypes)
		}
	}
	if len(c.Values) > 0 && takes.kinds != nil && !slices.Contains(takes.kinds, c.Values[0].Kind()) {
		return invalid(msgType, c.Operator, c.Values[0].Kind())
	}
	if c.Operator == "BETWEEN" {
		if order, _ := c.Values[0].Compare(c.Values[1]); order > 0 {
			return errBounds
		}
	}
	return nil
}

// checkAll checks conditions in the order of their attributes' names.
func checkAll(conditions map[string]Condition) (list []expr.Test, err error) {
	for _, name := range slices.Sorted(maps.Keys(conditions)) {
		c := conditions[name]
		if err := c.check(); err != nil {
			return nil, err
		}
		list = append(list, expr.Test{Name: name, Operator: c.Operator, Values: c.Values})
	}
	return list, nil
}

// combine makes one condition of the tests, or none of none.
func combine(list []expr.Test, operator string) *expr.Condition {
	if len(list) == 0 {
		return nil
	}
	return expr.NewCondition(list, operator == "OR")
}

// CheckOperator refuses a ConditionalOperator that has less than two conditions to combine; an empty one was not given.
func CheckOperator(operator string, conditions int) error {
	switch {
	case operator == "" || conditions > 1:
		return nil
	case conditions == 1:
		return errOperatorOne
	}
	return errOperatorAlone
}

// Filter makes a condition of a QueryFilter or a ScanFilter; nil if it has no elements. operator is the ConditionalOperator,
// or empty.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.ScanFilter.html
func Filter(conditions map[string]Condition, operator string) (*expr.Condition, error) {
	list, err := checkAll(conditions)
	if err != nil {
		return nil, err
	}
	return combine(list, operator), nil
}

// Keys makes key conditions of KeyConditions, to be held against the schema of a table or index.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.KeyConditions.html
func Keys(conditions map[string]Condition) (*expr.KeyTerms, error) {
	if len(conditions) == 0 {
		return nil, errConditions
	}
	list, err := checkAll(conditions)
	if err != nil {
		return nil, err
	}
	return expr.NewKeyTerms(list), nil
}

// Attributes makes a projection of AttributesToGet.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.AttributesToGet.html
func Attributes(names []string) (*expr.Projection, error) {
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if seen[name] {
			return nil, invalid(msgDuplicate, name)
		}
		seen[name] = true
	}
	return expr.NewProjection(names), nil
}
