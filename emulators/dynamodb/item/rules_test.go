package item

import (
	"slices"
	"strconv"
	"testing"
)

func TestSets(t *testing.T) {
	for _, tt := range []struct {
		name    string
		kind    Kind
		members []string
		want    string // the error
	}{
		{"texts", SS, []string{"a", "b"}, ""},
		{"an empty text is a member like any other", SS, []string{""}, ""},
		{"no texts", SS, nil, "One or more parameter values were invalid: An string set  may not be empty"},
		{"no numbers", NS, []string{}, "One or more parameter values were invalid: An number set  may not be empty"},
		{"no bytes", BS, nil, "One or more parameter values were invalid: Binary sets should not be empty"},
		{"a text twice", SS, []string{"X", "X"}, "One or more parameter values were invalid: Input collection [X, X] contains duplicates."},
		{"a number twice, in two forms", NS, []string{"1", "1.0"}, "Input collection contains duplicates"},
		{"bytes twice", BS, []string{"b", "b"}, "One or more parameter values were invalid: Input collection [Yg==, Yg==]of type BS contains duplicates."},
		{"a number that is none", NS, []string{"1", "x"}, "The parameter cannot be converted to a numeric value: x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := NewSet(tt.kind, tt.members)
			if got := text(err); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestUnionAndDifference(t *testing.T) {
	for _, many := range []int{3, 100} { // few members are compared one by one, many by an index
		var even, all []string
		for i := range many {
			m := strconv.Itoa(i)
			all = append(all, m)
			if i%2 == 0 {
				even = append(even, m)
			}
		}
		a, _ := NewSet(NS, slices.Clone(even))
		b, _ := NewSet(NS, slices.Clone(all))
		odd := b.Minus(a)
		if !a.Union(b).Equal(b) || !a.Union(odd).Equal(b) || !b.Minus(odd).Equal(a) {
			t.Errorf("of %d members: %v and %v", many, a.Set(), odd.Set())
		}
		if !a.Minus(b).IsZero() {
			t.Errorf("of %d members: a set without all its members is %v", many, a.Minus(b).Set())
		}
	}
}

func TestDepth(t *testing.T) {
	within := func(wraps int) Item {
		v := String("deep")
		for i := range wraps {
			if i%2 == 0 {
				v = List([]Value{v})
			} else {
				v = Map(Item{"m": v})
			}
		}
		return Item{"a": v}
	}
	if err := CheckDepth(within(31)); err != nil {
		t.Errorf("a scalar within 31 lists and maps: %v", err)
	}
	want := "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
	if err := CheckDepth(within(32)); text(err) != want {
		t.Errorf("a scalar within 32 lists and maps: %v, want %s", err, want)
	}
}

func TestSizes(t *testing.T) {
	for _, tt := range []struct {
		name string
		item Item
		size int // bytes
	}{
		{"nothing", Item{}, 0},
		{"a text by its UTF-8 bytes", Item{"ä": String("ö")}, 4},
		{"bytes", Item{"b": Binary([]byte{1, 2, 3})}, 4},
		{"a number of one digit", Item{"n": Num(numberOf("1"))}, 3},
		{"zeros either side do not count", Item{"n": Num(numberOf("1000"))}, 3},
		{"zeros behind the point do not count", Item{"n": Num(numberOf("0.001"))}, 3},
		{"a number of three digits", Item{"n": Num(numberOf("461"))}, 4},
		{"a pair of digits does not span the point", Item{"n": Num(numberOf("1.2"))}, 4},
		{"digits either side of the point", Item{"n": Num(numberOf("100.5"))}, 5},
		{"a negative number", Item{"n": Num(numberOf("-27"))}, 4},
		{"zero", Item{"n": Num(Number{})}, 2},
		{"null and Boolean", Item{"n": Null(), "b": Bool(true)}, 4},
		{"an empty list", Item{"l": List(nil)}, 4},
		{"a list's elements have a byte more", Item{"l": List([]Value{String("ab"), Null()})}, 1 + 3 + (1 + 2) + (1 + 1)},
		{"a map's attributes too, and their names", Item{"m": Map(Item{"k": String("ab")})}, 1 + 3 + (1 + 1 + 2)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.item.Size(); got != tt.size {
				t.Errorf("%d bytes, want %d", got, tt.size)
			}
		})
	}
}

func TestEquality(t *testing.T) {
	one, _ := NewSet(SS, []string{"a", "b"})
	same, _ := NewSet(SS, []string{"b", "a"})
	other, _ := NewSet(SS, []string{"a", "c"})
	n1, _ := ParseNum("1.0")
	n2, _ := ParseNum("1")
	for _, tt := range []struct {
		name string
		a, b Value
		want bool
	}{
		{"sets in another order", one, same, true},
		{"sets with other members", one, other, false},
		{"numbers in another form", n1, n2, true},
		{"a number and its text", n2, String("1"), false},
		{"a text and the same bytes", String("a"), Binary([]byte("a")), false},
		{"lists in another order", List([]Value{n1, Null()}), List([]Value{Null(), n1}), false},
		{"maps", Map(Item{"a": n1}), Map(Item{"a": n2}), true},
		{"nulls", Null(), Null(), true},
		{"true and false", Bool(true), Bool(false), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.a.Equal(tt.b); got != tt.want {
				t.Errorf("equal: %v, want %v", got, tt.want)
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
