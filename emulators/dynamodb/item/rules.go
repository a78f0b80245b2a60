package item

import "slices"

// Error is what AWS answers to a request that is wrong, word for word; the caller names the exception, which is always
// ValidationException. Errors of other types are ours.
type Error string

// Error returns AWS's words.
func (e Error) Error() string { return string(e) }

// MaxDepth is how many levels a value may have: a scalar within 31 maps or lists is the deepest.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-attributes
const MaxDepth = 32

// What AWS says of values that a request got wrong. The last is quoted by
// https://github.com/nubo-db/dynoxide/issues/110, with the depth at which it comes.
const (
	ErrEmptyValue = Error("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
	ErrManyValues = Error("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
	ErrNullFalse  = Error("One or more parameter values were invalid: Null attribute value types must have the value of true")
	ErrTooDeep    = Error("Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit")
)

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
