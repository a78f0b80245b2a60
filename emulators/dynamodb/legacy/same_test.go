package legacy

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"devstack/emulators/dynamodb/expr"
	"devstack/emulators/dynamodb/item"
)

// expressions are the ComparisonOperators as expressions: #n is the attribute, :v0 … its values.
var expressions = map[string]string{
	"EQ": "#n = :v0", "NE": "#n <> :v0", "LE": "#n <= :v0", "LT": "#n < :v0", "GE": "#n >= :v0", "GT": "#n > :v0",
	"NOT_NULL": "attribute_exists(#n)", "NULL": "attribute_not_exists(#n)", "CONTAINS": "contains(#n, :v0)",
	"NOT_CONTAINS": "NOT contains(#n, :v0)", "BEGINS_WITH": "begins_with(#n, :v0)", "BETWEEN": "#n BETWEEN :v0 AND :v1",
}

// pool is a source of small values, so that many are equal.
type pool struct{ *rand.Rand }

func (p pool) value(depth int) item.Value {
	switch p.IntN(10) {
	case 0, 1:
		return item.String(strings.Repeat("ab", p.IntN(3)))
	case 2, 3:
		return num(fmt.Sprint(p.IntN(4)))
	case 4:
		return item.Binary([]byte{byte(p.IntN(2)), 0xff}[:1+p.IntN(2)])
	case 5:
		return set(item.SS, []string{"a", "ab", ""}[:1+p.IntN(3)]...)
	case 6:
		return set(item.NS, []string{"1", "2", "3"}[p.IntN(3):]...)
	case 7:
		return item.Bool(p.IntN(2) == 0)
	case 8:
		return item.Null()
	}
	if depth == 0 {
		return item.List(nil)
	}
	if p.IntN(2) == 0 {
		return item.Map(p.item(depth - 1))
	}
	return item.List([]item.Value{p.value(depth - 1), p.value(depth - 1)})
}

func (p pool) item(depth int) item.Item {
	i := item.Item{}
	for _, name := range names {
		if p.IntN(4) > 0 {
			i[name] = p.value(depth)
		}
	}
	return i
}

var names = []string{"a", "b.c", "d[0]"}

// condition is one of which most are accepted.
func (p pool) condition() Condition {
	operator := slices.Sorted(maps.Keys(operators))[p.IntN(len(operators))]
	c := Condition{Operator: operator}
	for range min(operators[operator].most, 1+p.IntN(3)) {
		c.Values = append(c.Values, p.value(2))
	}
	return c
}

// expression writes a condition as an expression; suffix tells its placeholders from others'.
func (c Condition) expression(suffix string) string {
	text := expressions[c.Operator]
	if c.Operator == "IN" {
		values := make([]string, len(c.Values))
		for i := range values {
			values[i] = fmt.Sprintf(":v%d", i)
		}
		text = "#n IN (" + strings.Join(values, ", ") + ")"
	}
	return strings.NewReplacer("#n", "#n"+suffix, ":v", ":v"+suffix).Replace(text)
}

// TestALegacyConditionIsTheExpressionThatSaysTheSame compares the two on random items.
func TestALegacyConditionIsTheExpressionThatSaysTheSame(t *testing.T) {
	p := pool{rand.New(rand.NewPCG(7, 42))}
	accepted := map[string]int{}
	for range 20000 {
		conditions, texts := map[string]Condition{}, []string(nil)
		nameOf, valueOf := map[string]string{}, map[string]item.Value{}
		for i, name := range names[:1+p.IntN(len(names))] {
			c, suffix := p.condition(), string(rune('x'+i))
			conditions[name] = c
			texts = append(texts, "("+c.expression(suffix)+")")
			nameOf["#n"+suffix] = name
			for j, v := range c.Values {
				valueOf[fmt.Sprintf(":v%s%d", suffix, j)] = v
			}
		}
		operator := []string{"AND", "OR"}[p.IntN(2)]
		legacy, err := Filter(conditions, operator)
		if err != nil {
			continue
		}
		if len(valueOf) == 0 {
			valueOf = nil
		}
		params := expr.NewParams(nameOf, valueOf)
		text := strings.Join(texts, " "+operator+" ")
		modern, err := expr.ParseCondition(expr.FilterExpression, text, params)
		if err != nil {
			t.Fatalf("%v is accepted, but %s: %v", conditions, text, err)
		}
		for range 4 {
			if i := p.item(2); legacy.Match(i) != modern.Match(item.Encode(i)) {
				t.Fatalf("%v is %v of %v; %s with %v is not", conditions, legacy.Match(i), i, text, valueOf)
			}
		}
		for _, c := range conditions {
			accepted[c.Operator]++
		}
	}
	for operator := range operators {
		if accepted[operator] < 50 {
			t.Errorf("%s was compared only %d times", operator, accepted[operator])
		}
	}
}

// FuzzConditions takes structures apart from bytes: none makes anything panic, and what is accepted can be asked of an item,
// written over it, and says the same of an item and of what is stored of it.
func FuzzConditions(f *testing.F) {
	f.Add("a", "EQ", "ADD", uint64(1), uint8(2), true)
	f.Add("b.c", "BETWEEN", "DELETE", uint64(9), uint8(7), false)
	f.Add("", "IN", "PUT", uint64(3), uint8(31), true)
	f.Fuzz(func(t *testing.T, name, operator, action string, seed uint64, form uint8, exists bool) {
		if _, known := operators[operator]; !known {
			return // the model's constraint has refused it
		}
		p := pool{rand.New(rand.NewPCG(seed, 1))}
		e := Expectation{Condition: Condition{Operator: operator}, HasList: form&1 > 0}
		if e.HasList {
			for range form >> 4 {
				e.Values = append(e.Values, p.value(1))
			}
		}
		if form&2 > 0 {
			e.Value = p.value(1)
		}
		if form&4 > 0 {
			e.Exists = &exists
		}
		if form&8 > 0 {
			e.Operator = ""
		}
		i := p.item(1)
		if c, err := Expected(map[string]Expectation{name: e}, ""); err == nil && c.Match(i) != c.Match(item.Encode(i)) {
			t.Errorf("%v differs of %v stored", e, i)
		}
		if k, err := Keys(map[string]Condition{name: {operator, e.Values}}); err == nil {
			k.Fit([]expr.Key{{Name: name, Kind: item.S}}, nil)
		}
		u, err := Updates(map[string]Update{name: {action, e.Value}})
		if err != nil {
			return
		}
		if updated, err := u.Apply(i); err == nil {
			if _, err := item.Decode(item.Encode(updated)); err != nil {
				t.Errorf("%v made %v: %v", e.Value, updated, err)
			}
		}
	})
}
