package legacy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"devstack/emulators/dynamodb/expr"
	"devstack/emulators/dynamodb/item"
)

func num(text string) item.Value {
	v, err := item.ParseNum(text)
	if err != nil {
		panic(err)
	}
	return v
}

func set(kind item.Kind, members ...string) item.Value {
	v, err := item.NewSet(kind, members)
	if err != nil {
		panic(err)
	}
	return v
}

var (
	s     = item.String("b")
	n     = num("2")
	ss    = set(item.SS, "a", "b")
	list  = item.List([]item.Value{n, s})
	doc   = item.Map(item.Item{"k": n})
	yes   = item.Bool(true)
	empty = item.String("")
)

// stored is the item that the conditions are asked of. One name looks like a path and is none.
func stored() item.Item {
	return item.Item{
		"s": item.String("abc"), "n": num("5"), "b": item.Binary([]byte{1, 0xff}), "ss": ss, "ns": set(item.NS, "1", "2"),
		"l": list, "m": doc, "bool": yes, "null": item.Null(), "a.b[0] #:": num("1"), "": num("0"),
	}
}

func TestConditions(t *testing.T) {
	of := func(operator string, values ...item.Value) Condition { return Condition{operator, values} }
	for _, tt := range []struct {
		name, attribute string
		condition       Condition
		want            bool
	}{
		{"equal numbers", "n", of("EQ", num("5.0")), true},
		{"a text is no number", "n", of("EQ", item.String("5")), false},
		{"a number is no set", "ns", of("EQ", num("1")), false},
		{"sets are equal whatever their order", "ss", of("EQ", set(item.SS, "b", "a")), true},
		{"equal lists", "l", of("EQ", list), true},
		{"equal maps", "m", of("EQ", doc), true},
		{"equal booleans", "bool", of("EQ", yes), true},
		{"nothing equals what is missing", "none", of("EQ", n), false},
		{"unequal numbers", "n", of("NE", n), true},
		{"another type is unequal", "n", of("NE", s), true},
		{"what is missing is unequal", "none", of("NE", n), true},
		{"less", "n", of("LT", num("6")), true},
		{"not less than itself", "n", of("LT", num("5")), false},
		{"less or equal", "n", of("LE", num("5")), true},
		{"greater", "n", of("GT", n), true},
		{"greater or equal", "n", of("GE", num("5")), true},
		{"bytes are unsigned", "b", of("GT", item.Binary([]byte{1, 0x7f})), true},
		{"another type has no order", "n", of("GT", s), false},
		{"what is missing has no order", "none", of("LT", n), false},
		{"a null exists", "null", of("NOT_NULL"), true},
		{"a null is not missing", "null", of("NULL"), false},
		{"missing", "none", of("NULL"), true},
		{"contains a text", "s", of("CONTAINS", s), true},
		{"contains a member", "ss", of("CONTAINS", s), true},
		{"a set of texts contains no number", "ss", of("CONTAINS", n), false},
		{"contains an element", "l", of("CONTAINS", n), true},
		{"contains no such element", "l", of("CONTAINS", yes), false},
		{"does not contain", "ss", of("NOT_CONTAINS", item.String("z")), true},
		{"does contain", "ss", of("NOT_CONTAINS", s), false},
		{"what is missing does not contain", "none", of("NOT_CONTAINS", s), true},
		{"begins with", "s", of("BEGINS_WITH", item.String("ab")), true},
		{"begins with nothing", "s", of("BEGINS_WITH", empty), true},
		{"a number does not begin", "n", of("BEGINS_WITH", s), false},
		{"one of several", "n", of("IN", n, num("5")), true},
		{"none of several", "n", of("IN", n, num("6")), false},
		{"between", "n", of("BETWEEN", n, num("5")), true},
		{"below", "n", of("BETWEEN", num("6"), num("7")), false},
		{"a name that looks like a path", "a.b[0] #:", of("EQ", num("1")), true},
		{"no name at all", "", of("EQ", num("0")), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Filter(map[string]Condition{tt.attribute: tt.condition}, "")
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Match(item.Encode(stored())); got != tt.want {
				t.Errorf("%s %v is %v", tt.attribute, tt.condition, got)
			}
			if names := c.Names(); !slices.Equal(names, []string{tt.attribute}) {
				t.Errorf("it reads %q", names)
			}
		})
	}
}

func TestConditionsThatAreRefused(t *testing.T) {
	const (
		count = invalidValue + "Invalid number of argument(s) for the %s ComparisonOperator"
		kind  = invalidValue + "ComparisonOperator %s is not valid for %s AttributeValue type"
	)
	for _, tt := range []struct {
		operator string
		values   []item.Value
		want     string
	}{
		{"EQ", nil, fmt.Sprintf(count, "EQ")},
		{"NE", []item.Value{n, n}, fmt.Sprintf(count, "NE")},
		{"NULL", []item.Value{n}, fmt.Sprintf(count, "NULL")},
		{"NOT_NULL", []item.Value{n}, fmt.Sprintf(count, "NOT_NULL")},
		{"IN", nil, fmt.Sprintf(count, "IN")},
		{"BETWEEN", []item.Value{n}, fmt.Sprintf(count, "BETWEEN")},
		{"CONTAINS", []item.Value{s, s}, fmt.Sprintf(count, "CONTAINS")},
		{"LT", []item.Value{ss}, fmt.Sprintf(kind, "LT", "SS")},
		{"LE", []item.Value{list}, fmt.Sprintf(kind, "LE", "L")},
		{"GT", []item.Value{yes}, fmt.Sprintf(kind, "GT", "BOOL")},
		{"GE", []item.Value{item.Null()}, fmt.Sprintf(kind, "GE", "NULL")},
		{"BEGINS_WITH", []item.Value{n}, fmt.Sprintf(kind, "BEGINS_WITH", "N")},
		{"CONTAINS", []item.Value{ss}, fmt.Sprintf(kind, "CONTAINS", "SS")},
		{"NOT_CONTAINS", []item.Value{doc}, fmt.Sprintf(kind, "NOT_CONTAINS", "M")},
		{"IN", []item.Value{ss}, fmt.Sprintf(kind, "IN", "SS")},
		{"BETWEEN", []item.Value{list, list}, fmt.Sprintf(kind, "BETWEEN", "L")},
		{"BETWEEN", []item.Value{n, s}, invalidValue + "AttributeValues inside AttributeValueList must be of same type"},
		{"IN", []item.Value{n, n, s}, invalidValue + "AttributeValues inside AttributeValueList must be of same type"},
		{"BETWEEN", []item.Value{num("10"), num("9")}, "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"},
	} {
		t.Run(fmt.Sprintf("%s %d", tt.operator, len(tt.values)), func(t *testing.T) {
			c := map[string]Condition{"a": {tt.operator, tt.values}}
			if _, err := Filter(c, ""); err == nil || err.Error() != tt.want {
				t.Errorf("as a filter: %v\nwant %s", err, tt.want)
			}
			if _, err := Keys(c); err == nil || err.Error() != tt.want {
				t.Errorf("as a key condition: %v\nwant %s", err, tt.want)
			}
			e := map[string]Expectation{"a": {Condition: c["a"], HasList: true}}
			if _, err := Expected(e, ""); err == nil || err.Error() != tt.want {
				t.Errorf("as an expectation: %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestExpectations(t *testing.T) {
	for _, tt := range []struct {
		name     string
		expected Expectation
		want     string // "" matches, "no" does not, else the error without its beginning
	}{
		{"a value", Expectation{Value: num("5")}, ""},
		{"another value", Expectation{Value: n}, "no"},
		{"a value that exists", Expectation{Value: num("5"), Exists: new(true)}, ""},
		{"it should not exist", Expectation{Exists: new(false)}, "no"},
		{"a comparison", Expectation{Condition: Condition{"GT", []item.Value{n}}, HasList: true}, ""},
		{"a comparison with Value", Expectation{Condition: Condition{Operator: "GT"}, Value: n}, ""},
		{"it should be missing", Expectation{Condition: Condition{Operator: "NULL"}}, "no"},
		{"nothing", Expectation{}, "Value must be provided when Exists is null for Attribute: n"},
		{"no value that exists", Expectation{Exists: new(true)}, "Value must be provided when Exists is true for Attribute: n"},
		{"a value that does not exist", Expectation{Exists: new(false), Value: n}, "Value cannot be used when Exists is false for Attribute: n"},
		{"both forms", Expectation{Condition: Condition{"EQ", []item.Value{n}}, HasList: true, Exists: new(true)},
			"Exists and ComparisonOperator cannot be used together for Attribute: n"},
		{"a list alone", Expectation{Condition: Condition{Values: []item.Value{n}}, HasList: true, Exists: new(true)},
			"AttributeValueList can only be used with a ComparisonOperator for Attribute: n"},
		{"both kinds of value", Expectation{Condition: Condition{"EQ", []item.Value{n}}, HasList: true, Value: n},
			"Value and AttributeValueList cannot be used together for Attribute: n"},
		{"an operator alone", Expectation{Condition: Condition{Operator: "EQ"}},
			"Value or AttributeValueList must be used with ComparisonOperator: EQ for Attribute: n"},
		{"an operator with an empty list", Expectation{Condition: Condition{Operator: "EQ"}, HasList: true},
			"Invalid number of argument(s) for the EQ ComparisonOperator"},
		{"an operator that takes no Value", Expectation{Condition: Condition{Operator: "NULL"}, Value: n},
			"Invalid number of argument(s) for the NULL ComparisonOperator"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Expected(map[string]Expectation{"n": tt.expected}, "")
			got := ""
			switch {
			case err != nil:
				got = strings.TrimPrefix(err.Error(), invalidValue)
			case !c.Match(stored()):
				got = "no"
			}
			if got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestConditionsAreCombined(t *testing.T) {
	conditions := map[string]Condition{"n": {"EQ", []item.Value{num("5")}}, "s": {"EQ", []item.Value{n}}}
	for operator, want := range map[string]bool{"": false, "AND": false, "OR": true} {
		if c, err := Filter(conditions, operator); err != nil || c.Match(stored()) != want {
			t.Errorf("with %q it is not %v: %v", operator, want, err)
		}
	}
	if c, err := Filter(nil, ""); c != nil || err != nil {
		t.Errorf("of no conditions: %v, %v", c, err)
	}
	for count, want := range []error{errOperatorAlone, errOperatorOne, nil} {
		if err := CheckOperator("OR", count); err != want {
			t.Errorf("an operator with %d conditions: %v", count, err)
		}
		if err := CheckOperator("", count); err != nil {
			t.Errorf("no operator with %d conditions: %v", count, err)
		}
	}
}

func TestKeys(t *testing.T) {
	hash, sortKey := []expr.Key{{Name: "p", Kind: item.S}}, []expr.Key{{Name: "q", Kind: item.N}}
	eq := Condition{"EQ", []item.Value{s}}
	for _, tt := range []struct {
		name       string
		conditions map[string]Condition
		want       string
	}{
		{"the partition", map[string]Condition{"p": eq}, ""},
		{"a range", map[string]Condition{"p": eq, "q": {"BETWEEN", []item.Value{n, num("3")}}}, ""},
		{"none", map[string]Condition{}, "Conditions can be of length 1 or 2 only"},
		{"three", map[string]Condition{"p": eq, "q": eq, "r": eq}, "Conditions can be of length 1 or 2 only"},
		{"another attribute", map[string]Condition{"z": eq}, "Query condition missed key schema element: p"},
		{"another attribute besides", map[string]Condition{"p": eq, "z": eq}, "Query condition missed key schema element: q"},
		{"an operator without an order", map[string]Condition{"p": {"CONTAINS", []item.Value{s}}}, "Attempted conditional constraint is not an indexable operation"},
		{"unequal", map[string]Condition{"p": eq, "q": {"NE", []item.Value{n}}}, "Attempted conditional constraint is not an indexable operation"},
		{"existing", map[string]Condition{"p": eq, "q": {Operator: "NOT_NULL"}}, "Attempted conditional constraint is not an indexable operation"},
		{"a range of partitions", map[string]Condition{"p": {"GT", []item.Value{s}}}, "Query key condition not supported"},
		{"another type", map[string]Condition{"p": eq, "q": eq}, "One or more parameter values were invalid: Condition parameter type does not match schema type"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k, err := Keys(tt.conditions)
			if err == nil {
				_, err = k.Fit(hash, sortKey)
			}
			if got := fmt.Sprint(err); got != tt.want && !(tt.want == "" && err == nil) {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

func TestUpdates(t *testing.T) {
	for _, tt := range []struct {
		name, attribute string
		update          Update
		want            item.Value // none: the attribute is gone
		err             string
	}{
		{"put in place of another type", "n", Update{"PUT", doc}, doc, ""},
		{"put is what is meant", "new", Update{"", s}, s, ""},
		{"a number added", "n", Update{"ADD", num("-7")}, num("-2"), ""},
		{"a number added to nothing", "new", Update{"ADD", n}, n, ""},
		{"members added", "ss", Update{"ADD", set(item.SS, "b", "c")}, set(item.SS, "a", "b", "c"), ""},
		{"elements added", "l", Update{"ADD", list}, item.List([]item.Value{n, s, n, s}), ""},
		{"elements added to nothing", "new", Update{"ADD", list}, list, ""},
		{"members deleted", "ss", Update{"DELETE", set(item.SS, "b", "c")}, set(item.SS, "a"), ""},
		{"all members deleted", "ss", Update{"DELETE", ss}, item.Value{}, ""},
		{"members deleted from nothing", "new", Update{"DELETE", ss}, item.Value{}, ""},
		{"an attribute deleted", "m", Update{"DELETE", item.Value{}}, item.Value{}, ""},
		{"a name that looks like a path", "a.b[0] #:", Update{"ADD", n}, num("3"), ""},
		{"a number added to a text", "s", Update{"ADD", n}, s, "Type mismatch for attribute to update"},
		{"members added to a list", "l", Update{"ADD", ss}, s, "Type mismatch for attribute to update"},
		{"texts deleted from a set of numbers", "ns", Update{"DELETE", ss}, s, "Type mismatch for attribute to update"},
		{"nothing put", "n", Update{"PUT", item.Value{}}, s, invalidValue + "Only DELETE action is allowed when no attribute value is specified"},
		{"nothing added", "n", Update{"ADD", item.Value{}}, s, invalidValue + "Only DELETE action is allowed when no attribute value is specified"},
		{"a text added", "n", Update{"ADD", s}, s, invalidValue + "ADD action is not supported for the type S"},
		{"a map added", "n", Update{"ADD", doc}, s, invalidValue + "ADD action is not supported for the type M"},
		{"a null added", "n", Update{"ADD", item.Null()}, s, invalidValue + "ADD action is not supported for the type NULL"},
		{"a number deleted", "n", Update{"DELETE", n}, s, invalidValue + "DELETE action with value is not supported for the type N"},
		{"a list deleted", "l", Update{"DELETE", list}, s, invalidValue + "DELETE action with value is not supported for the type L"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var updated item.Item
			u, err := Updates(map[string]Update{tt.attribute: tt.update})
			if err == nil {
				updated, err = u.Apply(stored())
			}
			if err != nil || tt.err != "" {
				if fmt.Sprint(err) != tt.err {
					t.Errorf("%v, want %s", err, tt.err)
				}
				return
			}
			if got := updated[tt.attribute]; !got.Equal(tt.want) {
				t.Errorf("it is %v, want %v", got, tt.want)
			}
			touched := u.Written(updated)
			if v, ok := touched[tt.attribute]; ok == tt.want.IsZero() || ok && !v.Equal(tt.want) || len(touched) > 1 {
				t.Errorf("UPDATED_NEW is %v", touched)
			}
			delete(updated, tt.attribute)
			rest := stored()
			delete(rest, tt.attribute)
			if !maps.EqualFunc(updated, rest, item.Value.Equal) {
				t.Errorf("the rest is %v", updated)
			}
		})
	}
}

func TestDeletesMakeNoItem(t *testing.T) {
	for _, tt := range []struct {
		name    string
		updates map[string]Update
		want    bool
	}{
		{"only deletes", map[string]Update{"a": {"DELETE", item.Value{}}, "b": {"DELETE", ss}}, true},
		{"a put too", map[string]Update{"a": {"DELETE", item.Value{}}, "b": {"PUT", ss}}, false},
		{"nothing at all", nil, false},
	} {
		if u, err := Updates(tt.updates); err != nil || u.Deletes() != tt.want {
			t.Errorf("%s: %v, %v", tt.name, u.Deletes(), err)
		}
	}
}

func TestAttributes(t *testing.T) {
	p, err := Attributes([]string{"n", "a.b[0] #:", "none"})
	if err != nil {
		t.Fatal(err)
	}
	want := item.Item{"n": num("5"), "a.b[0] #:": num("1")}
	if got := p.Apply(item.Encode(stored())); !maps.EqualFunc(got, want, item.Value.Equal) {
		t.Errorf("it returns %v", got)
	}
	if _, err := Attributes([]string{"b", "a", "b", "a"}); fmt.Sprint(err) != invalidValue+"Duplicate value in attribute name: b" {
		t.Errorf("of a name twice: %v", err)
	}
}
