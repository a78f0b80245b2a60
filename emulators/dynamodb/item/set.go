package item

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// NewSet makes an SS, NS or BS of its members: raw bytes as strings in a BS, the texts of numbers in an NS. The rules for
// sets are checked: none is empty, no member occurs twice, every number is one. The slice is the Value's from now on.
func NewSet(kind Kind, members []string) (Value, error) {
	if kind == NS {
		for i, m := range members {
			n, err := ParseNum(m)
			if err != nil {
				return Value{}, err
			}
			members[i] = n.text
		}
	}
	if err := checkSet(kind, members); err != nil {
		return Value{}, err
	}
	return Value{kind: kind, many: members}, nil
}

// Union returns a set with the members of two sets of the same kind, v's first.
func (v Value) Union(w Value) Value {
	has := membership(v.Set())
	union := slices.Clone(v.Set())
	for _, m := range w.Set() {
		if !has(m) {
			union = append(union, m)
		}
	}
	return Value{kind: v.kind, many: union}
}

// Minus returns a set without the members of another one of the same kind. There is no empty set: if none is left it is
// the zero Value.
func (v Value) Minus(w Value) Value {
	left := slices.DeleteFunc(slices.Clone(v.Set()), membership(w.Set()))
	if len(left) == 0 {
		return Value{}
	}
	return Value{kind: v.kind, many: left}
}

// sameMembers compares two sets, which hold no member twice.
func sameMembers(a, b []string) bool {
	has := membership(a)
	return len(a) == len(b) && !slices.ContainsFunc(b, func(m string) bool { return !has(m) })
}

// membership returns a function that tells whether a set has a member: by looking at each, or by an index if they are many.
func membership(members []string) func(string) bool {
	if len(members) <= 32 {
		return func(m string) bool { return slices.Contains(members, m) }
	}
	index := make(map[string]struct{}, len(members))
	for _, m := range members {
		index[m] = struct{}{}
	}
	return func(m string) bool { _, ok := index[m]; return ok }
}

// emptySet is what AWS says of a set without members; the two blanks are its own.
//
// https://github.com/zio/zio-dynamodb/issues/113 quotes the first, the others are guesses by it.
var emptySet = map[Kind]error{
	SS: Violation("One or more parameter values were invalid: An string set  may not be empty"),
	NS: Violation("One or more parameter values were invalid: An number set  may not be empty"),
	BS: Violation("One or more parameter values were invalid: Binary sets should not be empty"),
}

// msgDuplicates is quoted for an SS by https://github.com/truora/minidyn/issues/50, the text for an NS by
// https://github.com/ExtendDB/extenddb/issues/100; that of a BS is a guess.
const msgDuplicates = "One or more parameter values were invalid: Input collection [%s]%s contains duplicates."

// checkSet applies the rules for sets to members that are canonical.
func checkSet(kind Kind, members []string) error {
	if len(members) == 0 {
		return emptySet[kind]
	}
	if !hasDuplicate(members) {
		return nil
	}
	if kind == NS {
		return Violation("Input collection contains duplicates")
	}
	shown := members
	if kind == BS {
		shown = make([]string, len(members))
		for i, m := range members {
			shown[i] = base64.StdEncoding.EncodeToString([]byte(m))
		}
		return Violation(fmt.Sprintf(msgDuplicates, strings.Join(shown, ", "), "of type BS"))
	}
	return Violation(fmt.Sprintf(msgDuplicates, strings.Join(shown, ", "), ""))
}

func hasDuplicate(members []string) bool {
	if len(members) < 2 {
		return false
	}
	sorted := slices.Sorted(slices.Values(members))
	return len(slices.Compact(sorted)) < len(members)
}
