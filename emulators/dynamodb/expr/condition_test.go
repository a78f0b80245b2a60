package expr

import (
	"fmt"
	"strings"
	"testing"

	"devstack/emulators/dynamodb/item"
)

// names and values are what the placeholders in these tests stand for.
var testNames = map[string]string{"#n": "name", "#dotted": "x.y", "#a": "a", "#m": "m", "#pk": "pk", "#sk": "sk", "#zz": "zz"}

func testValues() map[string]item.Value {
	return map[string]item.Value{
		":s": item.String("abc"), ":a": item.String("a"), ":b": item.String("b"), ":z": item.String("z"), ":empty": item.String(""),
		":0": num("0"), ":1": num("1"), ":2": num("2"), ":3": num("3"), ":5": num("5"), ":big": num("1E125"),
		":bin": item.Binary([]byte("b")), ":t": item.Bool(true), ":null": item.Null(),
		":ss": set(item.SS, "a", "b"), ":a1": set(item.SS, "a"), ":ns": set(item.NS, "1", "2"), ":bs": set(item.BS, "b"),
		":l": item.List([]item.Value{num("9")}), ":el": item.List([]item.Value{}), ":m": item.Map(item.Item{"k": num("1")}),
		":S": item.String("S"), ":NULL": item.String("NULL"), ":bad": item.String("STRING"),
	}
}

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

func params(t testing.TB) *Params {
	t.Helper()
	return NewParams(testNames, testValues())
}

// sample is the item that the conditions are asked of.
func sample() item.Item {
	return item.Item{
		"pk": item.String("p"), "tune": item.String("é𝄞"), "name": item.String("abc"), "a": num("1"), "b": num("2.50"), "x.y": num("3"),
		"bin": item.Binary([]byte("abc")), "yes": item.Bool(true), "nil": item.Null(),
		"ss": set(item.SS, "a", "b"), "ns": set(item.NS, "1", "2"), "bs": set(item.BS, "b"),
		"l": item.List([]item.Value{item.String("a"), num("7"), item.List([]item.Value{num("8")})}),
		"m": item.Map(item.Item{"k": num("1"), "deep": item.Map(item.Item{"name": item.String("z")}), "l": item.List([]item.Value{item.Map(item.Item{"x": num("5")})})}),
	}
}

func TestConditions(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       bool
	}{
		{"equal numbers, however written", "b = :2 OR b BETWEEN :2 AND :3", true},
		{"different", "a <> :2", true},
		{"not different", "a <> :1", false},
		{"less", "a < :2", true},
		{"less or equal", "a <= :1", true},
		{"greater", "a > :1", false},
		{"greater or equal", "a >= :1", true},
		{"another type is not equal", "a = :s", false},
		{"another type is different", "a <> :s", true},
		{"another type has no order", "a < :s", false},
		{"what is not there is not equal", "nowhere = :1", false},
		{"what is not there is different", "nowhere <> :1", true},
		{"what is not there has no order", "nowhere < :1", false},
		{"a path on the right", ":1 = a", true},
		{"two paths", "a < b", true},
		{"a nested map", "m.deep.#n = :z", true},
		{"a list's element", "l[1] > :5", true},
		{"an element of an element", "l[2][0] > :5", true},
		{"a map in a list in a map", "m.l[0].x = :5", true},
		{"past a list's end there is nothing", "attribute_not_exists(l[9])", true},
		{"an index into a map finds nothing", "attribute_exists(m[0])", false},
		{"a placeholder's dots are part of the name", "#dotted = :3", true},
		{"sets in another order are equal", "ss = :ss", true},
		{"maps are equal", "m.deep <> :m", true},
		{"null is null", "nil = :null", true},
		{"between includes its bounds", "a BETWEEN :1 AND :1", true},
		{"outside", "a BETWEEN :2 AND :3", false},
		{"in", "a IN (:5, :1)", true},
		{"not in", "a IN (:5, :s)", false},
		{"or", "a = :2 OR a = :1", true},
		{"and", "a = :1 AND b = :1", false},
		{"and binds tighter than or", "a = :1 OR a = :1 AND a = :2", true},
		{"parentheses bind tighter", "(a = :1 OR a = :1) AND a = :2", false},
		{"not binds tighter than and", "NOT a = :2 AND a = :1", true},
		{"twice not", "NOT NOT a = :1", true},
		{"the and of a between is not a condition's", "a BETWEEN :1 AND :2 AND b > :2", true},
		{"keywords in any case", "not a between :2 and :3 Or a iN (:3)", true},
		{"no blanks", "a=:1 AND(b>:1)", true},
		{"operands in parentheses", "(a) = (:1)", true},
		{"size in parentheses", "( ( ( size ( ss )) < #dotted ) AND ( a < :2 ) )", true},
		{"exists", "attribute_exists(m.deep)", true},
		{"exists not", "attribute_not_exists(m.deep)", false},
		{"the type of a text", "attribute_type(#n, :S)", true},
		{"the type of null", "attribute_type(nil, :NULL)", true},
		{"another type", "attribute_type(a, :S)", false},
		{"begins with", "begins_with(#n, :a)", true},
		{"begins not with", "begins_with(#n, :b)", false},
		{"a number begins with nothing", "begins_with(a, :a)", false},
		{"contains a text", "contains(#n, :b)", true},
		{"contains bytes", "contains(bin, :bin)", true},
		{"a set has a member", "contains(ss, :a)", true},
		{"a set of numbers has one", "contains(ns, :1)", true},
		{"a set of numbers has no text", "contains(ns, :a)", false},
		{"a set of bytes has one", "contains(bs, :bin)", true},
		{"a list has an element", "contains(l, :a)", true},
		{"a list has no such element", "contains(l, :b)", false},
		{"the size of a text", "size(#n) = :3", true},
		{"the size of a text is in UTF-16", "size(tune) = :3", true},
		{"the size of bytes", "size(bin) = :3", true},
		{"the size of a set", "size(ns) = :2", true},
		{"the size of a list", "size(l) = :3", true},
		{"the size of a map", "size(m) = :3", true},
		{"a number has no size", "size(a) <> :3 AND NOT size(a) = :3", true},
		{"functions joined", "attribute_exists(a) AND NOT contains(ss, :z)", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := ParseCondition(ConditionExpression, tt.text, params(t))
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Match(sample()); got != tt.want {
				t.Errorf("%s is %v", tt.text, got)
			}
			if got := c.Match(item.Encode(sample())); got != tt.want {
				t.Errorf("%s is %v of the stored item", tt.text, got)
			}
		})
	}
}

func TestConditionsThatAreRefused(t *testing.T) {
	long := strings.Repeat("a = :1 OR ", 420) + "a = :1"
	many := strings.Repeat("a = :1 OR ", 150) + "NOT a = :1"
	in := "a IN (:1" + strings.Repeat(",:1", 100) + ")"
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", "The expression can not be empty;"},
		{"blanks", "  ", "The expression can not be empty;"},
		{"too long", long, "Expression size has exceeded the maximum allowed size;"},
		{"301 operators or more", many, "The expression contains too many operators; operator count: 301"},
		{"101 operands of in", in, "The IN operator is provided with too many operands; number of operands: 101"},
		{"a hyphen", "a-b", `Syntax error; token: "-", near: "a-b"`},
		{"an underscore first", "_version = :1", `Syntax error; token: "_", near: "_version"`},
		{"two underscores first", "__typename <> :1", `Syntax error; token: "_", near: "__"`},
		{"an underscore after a keyword", "a = :1 AND _sortKey = :1", `Syntax error; token: "_", near: "AND _sortKey"`},
		{"an attribute alone", "attribute_exists(a) AND NOT #n", `Syntax error; token: "<EOF>", near: "#n"`},
		{"a function between operands", "#n attribute_not_exists :1", `Syntax error; token: "attribute_not_exists", near: "#n attribute_not_exists :1"`},
		{"a value glued to a name", "tenant:abc123-", `Syntax error; token: ":abc123", near: "tenant:abc123-"`},
		{"nothing in parentheses", "()", `Syntax error; token: ")", near: "()"`},
		{"a number", "a = 0 AND b = :1", `Syntax error; token: "0", near: "= 0 AND"`},
		{"a text", `a = "x"`, `Syntax error; token: """, near: "= "x"`},
		{"an operator is missing", "a AND b", `Syntax error; token: "AND", near: "a AND b"`},
		{"a keyword as an operand", "a = NOT b", `Syntax error; token: "NOT", near: "= NOT b"`},
		{"an operand is missing", "a =", `Syntax error; token: "<EOF>", near: "="`},
		{"a parenthesis is missing", "(a = :1", `Syntax error; token: "<EOF>", near: ":1"`},
		{"a parenthesis too many", "a = :1)", `Syntax error; token: ")", near: ":1)"`},
		{"a letter that is none of ours", "ä = :1", `Syntax error; token: "ä", near: "ä ="`},
		{"redundant parentheses", "((a = :1))", "The expression has redundant parentheses;"},
		{"redundant parentheses inside", "b = :1 OR ((a = :1))", "The expression has redundant parentheses;"},
		{"redundant parentheses around an operand", "((a)) = :1", "The expression has redundant parentheses;"},
		{"redundant parentheses around a value", "a = ((:1))", "The expression has redundant parentheses;"},
		{"a reserved word", "status = :1", "Attribute name is a reserved keyword; reserved keyword: status"},
		{"a reserved word further down", "m.Name = :1", "Attribute name is a reserved keyword; reserved keyword: Name"},
		{"an undefined name", "#x = :1", "An expression attribute name used in the document path is not defined; attribute name: #x"},
		{"an undefined value", "a = :x", "An expression attribute value used in expression is not defined; attribute value: :x"},
		{"an unknown function", "exists(a)", "Invalid function name; function: exists"},
		{"a function in the wrong case", "Size(a) = :1", "Invalid function name; function: Size"},
		{"a function of updates", "a = if_not_exists(b, :1)", "The function is not allowed in a condition expression; function: if_not_exists"},
		{"size is no condition", "size(a)", "The function is not allowed to be used this way in an expression; function: size"},
		{"a condition is no operand", "attribute_exists(a) = :t", "The function is not allowed to be used this way in an expression; function: attribute_exists"},
		{"too many operands", "size(a, b) = :1", "Incorrect number of operands for operator or function; operator or function: size, number of operands: 2"},
		{"too few operands", "contains(a)", "Incorrect number of operands for operator or function; operator or function: contains, number of operands: 1"},
		{"a path is needed", "attribute_exists(:1)", "Operator or function requires a document path; operator or function: attribute_exists"},
		{"begins with a number", "begins_with(#n, :1)", "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N"},
		{"an order of Booleans", "a < :t", "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL"},
		{"an order of maps", "a BETWEEN :m AND :m", "Incorrect operand type for operator or function; operator or function: BETWEEN, operand type: M"},
		{"the size of a number", "size(:1) = :1", "Incorrect operand type for operator or function; operator or function: size, operand type: N"},
		{"the size of a size", "size(size(a)) = :1", "Incorrect operand type for operator or function; operator or function: size, operand type: N"},
		{"begins with a size", "begins_with(#n, size(a))", "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N"},
		{"a type that is a size", "attribute_type(a, size(b))", "Incorrect operand type for operator or function; operator or function: attribute_type, operand type: N"},
		{"a type that is no text", "attribute_type(a, :1)", "Incorrect operand type for operator or function; operator or function: attribute_type, operand type: N"},
		{"a type that there is not", "attribute_type(a, :bad)", "Invalid attribute type name found; type: STRING, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"},
		{"the same operand twice", "#a = a", "The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [a]"},
		{"the same operand of a function", "contains(m.l[0], #m.l[0])", "The first operand must be distinct from the remaining operands for this operator or function; operator: contains, first operand: [m, l, [0]]"},
		{"bounds the wrong way round", "a BETWEEN :5 AND :1", "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:5}, upper bound operand: AttributeValue: {N:1}"},
		{"bounds of different types", "a BETWEEN :5 AND :s", "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {N:5}, upper bound operand: AttributeValue: {S:abc}"},
		{"an index that is too large", "a[99999999999999] = :1", "List index is not within the allowable range; index: [99999999999999]"},
		{"a path that is too deep", "a" + strings.Repeat("[0]", 32) + " = :1", "The document path has too many nesting levels; nesting levels: 33"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseCondition(FilterExpression, tt.text, params(t))
			want := "Invalid FilterExpression: " + tt.want
			if err == nil || err.Error() != want {
				t.Errorf("%.60s\n got: %v\nwant: %s", tt.text, err, want)
			}
		})
	}
}

func TestAttributesOfACondition(t *testing.T) {
	c, err := ParseCondition(FilterExpression, "m.deep = :1 AND size(#n) < b OR contains(m.l, ss)", params(t))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(c.Names(), " "); got != "m name b ss" {
		t.Errorf("it reads %s", got)
	}
}

func TestPlaceholders(t *testing.T) {
	values := map[string]item.Value{":v": num("1"), ":w": num("2")}
	for _, tt := range []struct {
		name   string
		names  map[string]string
		values map[string]item.Value
		want   string
	}{
		{"all used", map[string]string{"#n": "n"}, values, ""},
		{"none", nil, values, ""},
		{"a name too many", map[string]string{"#n": "n", "#x": "x"}, values, "Value provided in ExpressionAttributeNames unused in expressions: keys: {#x}"},
		{"two values too many", nil, map[string]item.Value{":v": num("1"), ":w": num("1"), ":y": num("1"), ":x": num("1")}, "Value provided in ExpressionAttributeValues unused in expressions: keys: {:x, :y}"},
		{"no names", map[string]string{}, nil, "ExpressionAttributeNames must not be empty"},
		{"no values", nil, map[string]item.Value{}, "ExpressionAttributeValues must not be empty"},
		{"a name without its sign", map[string]string{"n": "n"}, nil, `ExpressionAttributeNames contains invalid key: Syntax error; key: "n"`},
		{"a name with a hyphen", map[string]string{"#a-b": "n"}, nil, `ExpressionAttributeNames contains invalid key: Syntax error; key: "#a-b"`},
		{"a name without a character", map[string]string{"#n": ""}, nil, "ExpressionAttributeNames contains invalid value: Empty attribute name for key #n"},
		{"a placeholder too long, which is before its syntax", map[string]string{strings.Repeat("-", 256): "n"}, nil,
			`ExpressionAttributeNames contains invalid key: The key is too long; key: "` + strings.Repeat("-", 256) + `"`},
		{"a value's placeholder too long", nil, map[string]item.Value{":" + strings.Repeat("v", 255): num("1")},
			`ExpressionAttributeValues contains invalid key: The key is too long; key: ":` + strings.Repeat("v", 255) + `"`},
		{"a placeholder as long as it may be", map[string]string{"#" + strings.Repeat("n", 254): "n"}, values,
			"Value provided in ExpressionAttributeNames unused in expressions: keys: {#" + strings.Repeat("n", 254) + "}"},
		{"a value that is only its sign", nil, map[string]item.Value{":": num("1")}, `ExpressionAttributeValues contains invalid key: Syntax error; key: ":"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := useBoth(tt.names, tt.values)
			if got := fmt.Sprint(err); err != nil && got != tt.want || err == nil && tt.want != "" {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// useBoth parses two expressions of one request.
func useBoth(names map[string]string, values map[string]item.Value) error {
	if err := CheckPlaceholders(names, values); err != nil {
		return err
	}
	p := NewParams(names, values)
	text := "a = :v"
	if names["#n"] != "" {
		text = "#n = :v"
	}
	if _, err := ParseCondition(ConditionExpression, text, p); err != nil {
		return err
	}
	if _, err := ParseUpdate("SET b = :w, c = :v", p); err != nil {
		return err
	}
	return p.Unused()
}

func BenchmarkMatch(b *testing.B) {
	c, err := ParseCondition(FilterExpression, "a = :1 AND (begins_with(#n, :a) OR contains(ss, :z)) AND b < :3", params(b))
	if err != nil {
		b.Fatal(err)
	}
	stored := item.Encode(sample())
	b.Run("item", func(b *testing.B) {
		i := sample()
		b.ReportAllocs()
		for b.Loop() {
			c.Match(i)
		}
	})
	b.Run("stored", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c.Match(stored)
		}
	})
	b.Run("parse", func(b *testing.B) {
		p := params(b)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := ParseCondition(FilterExpression, "a = :1 AND (begins_with(#n, :a) OR contains(ss, :z)) AND b < :3", p); err != nil {
				b.Fatal(err)
			}
		}
	})
}
