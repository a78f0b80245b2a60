package item

import "slices"

// Error is what AWS answers to a request that is wrong, word for word; the caller names the exception, which is always
// ValidationException. Errors of other types are ours.
type Error string

// Error returns AWS's words.
func (e Error) Error() string { return string(e) }

// Violation is an Error about a value that is well formed and yet not allowed: a set that is empty or has a member twice, a
// NULL that is false. AWS's newer operations report these as violated constraints, and other Errors about values as they are:
// https://github.com/nubo-db/dynoxide/pull/152, https://github.com/ministackorg/ministack/issues/1038
type Violation string

// Error returns AWS's words.
func (v Violation) Error() string { return string(v) }

// Unwrap makes an Error of the violation.
func (v Violation) Unwrap() error { return Error(v) }

// MaxDepth is how many levels a value may have: a scalar within 31 maps or lists is the deepest.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-attributes
const MaxDepth = 32

// MaxName is the length in bytes of the longest name of an attribute, on every level.
//
// https://github.com/ExtendDB/extenddb/issues/365 has what was measured.
const MaxName = 65535

// What AWS says of values that a request got wrong. The last two are quoted by
// https://github.com/ExtendDB/extenddb/issues/365 and by
// https://github.com/nubo-db/dynoxide/issues/110, with the depth at which it comes.
const (
	ErrEmptyValue = Error("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
	ErrManyValues = Error("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
	ErrNullFalse  = Violation("One or more parameter values were invalid: Null attribute value types must have the value of true")
	ErrLongName   = Violation("Attribute name is too large, must be less than 65536 bytes")
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
