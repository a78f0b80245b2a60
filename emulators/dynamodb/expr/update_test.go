package expr

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"devstack/emulators/dynamodb/item"
)

// render writes a value in a short form, maps and sets in order.
func render(v item.Value) string {
	switch v.Kind() {
	case item.SS, item.NS, item.BS:
		return fmt.Sprintf("{%s}", strings.Join(slices.Sorted(slices.Values(v.Set())), " "))
	case item.L:
		var parts []string
		for _, e := range v.List() {
			parts = append(parts, render(e))
		}
		return "[" + strings.Join(parts, " ") + "]"
	case item.M:
		return renderItem(v.Map())
	case item.BOOL:
		return fmt.Sprint(v.Bool())
	case item.NULL:
		return "null"
	}
	return v.Text()
}

func renderItem(i item.Item) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(i)) {
		parts = append(parts, name+":"+render(i[name]))
	}
	return "(" + strings.Join(parts, " ") + ")"
}

// before is the item that the updates change.
func before() item.Item {
	return item.Item{
		"a": num("1"), "name": item.String("abc"), "ss": set(item.SS, "a", "b"), "ns": set(item.NS, "1", "2"),
		"l": item.List([]item.Value{num("0"), num("10"), num("20"), num("30")}),
		"m": item.Map(item.Item{"k": num("1"), "l": item.List([]item.Value{item.Map(item.Item{"x": num("5")}), num("6")})}),
	}
}

func TestUpdates(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       string // the attributes that it changed
		touched    string // the part of the new item that UPDATED_NEW returns
	}{
		{"a new attribute", "SET b = :s", "b:abc", "(b:abc)"},
		{"in place of another type", "SET a = :l", "a:[9]", "(a:[9])"},
		{"a sum", "SET a = a + :2", "a:3", "(a:3)"},
		{"a difference", "SET a = :5 - a", "a:4", "(a:4)"},
		{"a sum in parentheses", "SET a = (a + :2)", "a:3", "(a:3)"},
		{"a sum of operands in parentheses", "SET a = (a) + (:2)", "a:3", "(a:3)"},
		{"a sum without blanks", "SET a=a+:2", "a:3", "(a:3)"},
		{"operands are the old item's", "SET a = :5, b = a", "a:5 b:1", "(a:5 b:1)"},
		{"attributes swapped", "SET a = #n, #n = a", "a:abc name:1", "(a:abc name:1)"},
		{"if it exists not", "SET b = if_not_exists(b, :2)", "b:2", "(b:2)"},
		{"if it exists", "SET b = if_not_exists(a, :2)", "b:1", "(b:1)"},
		{"a counter", "SET b = if_not_exists(b, :0) + :1", "b:1", "(b:1)"},
		{"a list appended", "SET l = list_append(l, :l)", "l:[0 10 20 30 9]", "(l:[0 10 20 30 9])"},
		{"a list prepended", "SET l = list_append(:l, l)", "l:[9 0 10 20 30]", "(l:[9 0 10 20 30])"},
		{"a list begun", "SET b = list_append(if_not_exists(b, :el), :l)", "b:[9]", "(b:[9])"},
		{"into a map", "SET m.#n = :s", "m:(k:1 l:[(x:5) 6] name:abc)", "(m:(name:abc))"},
		{"into a map in a list in a map", "SET m.l[0].x = :3", "m:(k:1 l:[(x:3) 6])", "(m:(l:[(x:3)]))"},
		{"an element", "SET l[1] = :5", "l:[0 5 20 30]", "(l:[5])"},
		{"past the end of a list", "SET l[99] = :5", "l:[0 10 20 30 5]", "()"},
		{"past the end in the order of the indexes", "SET l[99] = :5, l[50] = :3", "l:[0 10 20 30 3 5]", "()"},
		{"an attribute removed", "REMOVE a", "a:-", "()"},
		{"what is not there removed", "REMOVE b, m.z, l[99]", "", "()"},
		{"elements removed by their old indexes", "REMOVE l[0], l[2]", "l:[10 30]", "()"},
		{"an element removed and one within another", "REMOVE m.l[1], m.l[0].x", "m:(k:1 l:[()])", "()"},
		{"an element set and another removed", "SET l[3] = :5 REMOVE l[0]", "l:[10 20 5]", "()"},
		{"a number added", "ADD a :2", "a:3", "(a:3)"},
		{"a number added to nothing", "ADD b :2", "b:2", "(b:2)"},
		{"a number added within a map", "ADD m.k :2", "m:(k:3 l:[(x:5) 6])", "(m:(k:3))"},
		{"members added", "ADD ss :a1, ns :ns", "", "(ns:{1 2} ss:{a b})"},
		{"members added to nothing", "ADD b :ss", "b:{a b}", "(b:{a b})"},
		{"members deleted", "DELETE ss :a1", "ss:{b}", "(ss:{b})"},
		{"all members deleted", "DELETE ss :ss", "ss:-", "()"},
		{"members deleted from nothing", "DELETE b :ss", "", "()"},
		{"all sections, in any order and case", "remove #n add a :1 delete ss :a1 Set b = :1", "a:2 b:1 name:- ss:{b}", "(a:2 b:1 ss:{b})"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u, err := ParseUpdate(tt.text, params(t))
			if err != nil {
				t.Fatal(err)
			}
			old := before()
			updated, err := u.Apply(old)
			if err != nil {
				t.Fatal(err)
			}
			if got := difference(before(), updated); got != tt.want {
				t.Errorf("%s changed %q, want %q", tt.text, got, tt.want)
			}
			if got := renderItem(u.Written(updated)); got != tt.touched {
				t.Errorf("%s touched %s, want %s", tt.text, got, tt.touched)
			}
			if got := difference(before(), old); got != "" {
				t.Errorf("%s changed the old item: %s", tt.text, got)
			}
			used := item.Item{}
			for _, name := range u.Uses() {
				if v, ok := before()[name]; ok {
					used[name] = v
				}
			}
			partly, err := u.Apply(used)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range u.Names() {
				if !partly[name].Equal(updated[name]) {
					t.Errorf("%s makes %s %s of what it uses, %s of the whole item", tt.text, name, render(partly[name]), render(updated[name]))
				}
			}
		})
	}
}

// difference lists the attributes that are new or changed, and with a hyphen those that are gone.
func difference(old, updated item.Item) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(updated)) {
		if v, ok := old[name]; !ok || !v.Equal(updated[name]) {
			parts = append(parts, name+":"+render(updated[name]))
		}
	}
	for name := range old {
		if _, ok := updated[name]; !ok {
			parts = append(parts, name+":-")
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

func TestUpdatesThatTheItemDoesNotFit(t *testing.T) {
	const (
		missing = "The provided expression refers to an attribute that does not exist in the item"
		kind    = "An operand in the update expression has an incorrect data type"
		where   = "The document path provided in the update expression is invalid for update"
	)
	for _, tt := range []struct{ name, text, want string }{
		{"a missing operand", "SET a = b", missing},
		{"a missing summand", "SET a = b + :1", missing},
		{"a missing list", "SET l = list_append(b, :l)", missing},
		{"a text as a summand", "SET a = #n + :1", kind},
		{"a number as a list", "SET l = list_append(a, :l)", kind},
		{"a number added to a text", "ADD #n :1", kind},
		{"members added to a list", "ADD l :ss", kind},
		{"members of another type added", "ADD ss :ns", kind},
		{"members of another type deleted", "DELETE ss :ns", kind},
		{"into a map that is not there", "SET b.c = :1", where},
		{"into a map that is none", "SET a.c = :1", where},
		{"into a list that is none", "SET m[0] = :1", where},
		{"through an element that is not there", "SET l[99].x = :1", where},
		{"out of a map that is not there", "REMOVE b.c", where},
		{"out of a list that is none", "REMOVE a[0]", where},
		{"added within a map that is not there", "ADD b.c :1", where},
		{"a sum that is too precise", "SET a = a + :big", "Attempting to store more than 38 significant digits in a Number"},
		{"a sum that is too large", "SET a = :99 + :99", "Number overflow. Attempting to store a number with magnitude larger than supported range"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			values := testValues()
			values[":99"] = num("9E125")
			p := NewParams(testNames, values)
			u, err := ParseUpdate(tt.text, p)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := u.Apply(before()); err == nil || err.Error() != tt.want {
				t.Errorf("%s: %v, want %s", tt.text, err, tt.want)
			}
		})
	}
}

func TestUpdatesThatAreRefused(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", "The expression can not be empty;"},
		{"too long", "REMOVE " + strings.Repeat("a", 4090), "Expression size has exceeded the maximum allowed size;"},
		{"no section", "INVALID SYNTAX HERE", `Syntax error; token: "INVALID", near: "INVALID SYNTAX"`},
		{"a colon alone", "ADD hits : incr", `Syntax error; token: ":", near: "hits : incr"`},
		{"a hash alone", "SET a = :1, #, #n = :2", `Syntax error; token: "#", near: ", #,"`},
		{"an underscore first", "set _something = :1", `Syntax error; token: "_", near: "set _something"`},
		{"a comma before a name ends", "SET #a, #n = :1", `Syntax error; token: ",", near: "#a, #n"`},
		{"a comma at the end", "SET a = :1,", `Syntax error; token: "<EOF>", near: ","`},
		{"a path where a value should be", "ADD a b", `Syntax error; token: "b", near: "a b"`},
		{"a section without actions", "SET  REMOVE #n", `Syntax error; token: "REMOVE", near: "SET  REMOVE #n"`},
		{"a keyword as a name", "SET a.delete = :1", `Syntax error; token: "delete", near: ".delete ="`},
		{"two signs", "SET a = a + :1 + :2", `Syntax error; token: "+", near: ":1 + :2"`},
		{"a section twice", "SET a = :1 SET b = :2", `The "SET" section can only be used once in an update expression;`},
		{"a reserved word", "SET status = :1", "Attribute name is a reserved keyword; reserved keyword: status"},
		{"an undefined name", "SET #x = :1", "An expression attribute name used in the document path is not defined; attribute name: #x"},
		{"an undefined value", "SET a = :x", "An expression attribute value used in expression is not defined; attribute value: :x"},
		{"redundant parentheses", "SET a = ((a + :1))", "The expression has redundant parentheses;"},
		{"an unknown function", "SET a = concat(a, :1)", "Invalid function name; function: concat"},
		{"a function of conditions", "SET a = size(l)", "The function is not allowed in an update expression; function: size"},
		{"too few operands", "SET a = if_not_exists(a)", "Incorrect number of operands for operator or function; operator or function: if_not_exists, number of operands: 1"},
		{"a path is needed", "SET a = if_not_exists(:1, :2)", "Operator or function requires a document path; operator or function: if_not_exists"},
		{"a text as a summand", "SET a = a + :s", "Incorrect operand type for operator or function; operator or function: +, operand type: S"},
		{"a map as a list", "SET a = list_append(a, :m)", "Incorrect operand type for operator or function; operator or function: list_append, operand type: M"},
		{"a map as a list further down", "SET a = if_not_exists(a, list_append(a, :m))", "Incorrect operand type for operator or function; operator or function: list_append, operand type: M"},
		{"a text added", "ADD a :s", "Incorrect operand type for operator or function; operator: ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND"},
		{"a list added", "ADD a :l", "Incorrect operand type for operator or function; operator: ADD, operand type: LIST, typeSet: ALLOWED_FOR_ADD_OPERAND"},
		{"a number deleted", "DELETE a :1", "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND"},
		{"a path twice", "SET #a = :1, a = :2", "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a]"},
		{"a path within another", "REMOVE thing SET thing.nested.hello = :1", "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [thing], path two: [thing, nested, hello]"},
		{"a list and a map", "SET a.b = :1, a[1] = :2", "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a, [1]]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseUpdate(tt.text, params(t))
			want := "Invalid UpdateExpression: " + tt.want
			if err == nil || err.Error() != want {
				t.Errorf("%.60s\n got: %v\nwant: %s", tt.text, err, want)
			}
		})
	}
}

func TestAnUpdateOfNothingMakesAnItem(t *testing.T) {
	u, err := ParseUpdate("SET a = :1 ADD b :2", params(t))
	if err != nil {
		t.Fatal(err)
	}
	made, err := u.Apply(nil)
	if err != nil || renderItem(made) != "(a:1 b:2)" {
		t.Errorf("made %s, %v", renderItem(made), err)
	}
	if got := strings.Join(u.Names(), " "); got != "a b" {
		t.Errorf("it changes %s", got)
	}
}
