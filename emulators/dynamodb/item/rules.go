package item

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// Error is what AWS answers to a request that is wrong, word for word; the caller names the exception, which is always
// ValidationException. Errors of other types are ours.
type Error string

// Error returns AWS's words.
func (e Error) Error() string { return string(e) }

// MaxDepth is how many levels a value may have: a scalar within 31 maps or lists is the deepest.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-attributes
const MaxDepth = 32

// What AWS says of values that a request got wrong.
const (
	ErrEmptyValue = Error("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
	ErrManyValues = Error("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
	ErrNullFalse  = Error("One or more parameter values were invalid: Null attribute value types must have the value of true")
	ErrTooDeep    = Error("Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit")
)

// emptySet is what AWS says of a set without members; the two blanks after "number set" are its own.
var emptySet = map[Kind]error{
	SS: Error("One or more parameter values were invalid: An string set  may not be empty"),
	NS: Error("One or more parameter values were invalid: An number set  may not be empty"),
	BS: Error("One or more parameter values were invalid: Binary sets should not be empty"),
}

// checkSet applies the rules for sets to members that are canonical.
func checkSet(kind Kind, members []string) error {
	if len(members) == 0 {
		return emptySet[kind]
	}
	if !hasDuplicate(members) {
		return nil
	}
	if kind == NS {
		return Error("Input collection contains duplicates")
	}
	shown := members
	if kind == BS {
		shown = make([]string, len(members))
		for i, m := range members {
			shown[i] = base64.StdEncoding.EncodeToString([]byte(m))
		}
		return Error(fmt.Sprintf("One or more parameter values were invalid: Input collection [%s]of type BS contains duplicates.", strings.Join(shown, ", ")))
	}
	return Error(fmt.Sprintf("One or more parameter values were invalid: Input collection [%s] contains duplicates.", strings.Join(shown, ", ")))
}

func hasDuplicate(members []string) bool {
	if len(members) < 2 {
		return false
	}
	sorted := slices.Sorted(slices.Values(members))
	return len(slices.Compact(sorted)) < len(members)
}

// CheckDepth refuses an item with a value of more than MaxDepth levels.
func CheckDepth(i Item) error {
	for _, v := range i {
		if v.deeperThan(MaxDepth - 1) {
			return ErrTooDeep
		}
	}
	return nil
}

// deeperThan tells whether there are more maps and lists around a scalar than so many.
func (v Value) deeperThan(levels int) bool {
	switch v.kind {
	case L:
		return levels == 0 || slices.ContainsFunc(v.List(), func(e Value) bool { return e.deeperThan(levels - 1) })
	case M:
		if levels == 0 {
			return true
		}
		for _, e := range v.Map() {
			if e.deeperThan(levels - 1) {
				return true
			}
		}
	}
	return false
}
