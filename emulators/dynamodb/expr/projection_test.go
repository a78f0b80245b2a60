package expr

import (
	"strings"
	"testing"

	"devstack/emulators/dynamodb/item"
)

func TestProjections(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"attributes", "a, b, nowhere", "(a:1 b:2.5)"},
		{"a placeholder", "#n", "(name:abc)"},
		{"a nested attribute", "m.deep.#n", "(m:(deep:(name:z)))"},
		{"two of one map", "m.k, m.deep", "(m:(deep:(name:z) k:1))"},
		{"two of one map, another between", "m.k, a, m.deep.#n", "(a:1 m:(deep:(name:z) k:1))"},
		{"an element", "l[1]", "(l:[7])"},
		{"elements in the order of the list", "l[2], l[0]", "(l:[a [8]])"},
		{"an element of an element", "l[2][0]", "(l:[[8]])"},
		{"a map in a list in a map", "m.l[0].x", "(m:(l:[(x:5)]))"},
		{"what is not there", "m.z, l[9], a.b, ss[0]", "()"},
		{"some of it is not there", "m.z, m.k", "(m:(k:1))"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := ParseProjection(tt.text, params(t))
			if err != nil {
				t.Fatal(err)
			}
			if got := renderItem(p.Apply(sample())); got != tt.want {
				t.Errorf("%s is %s, want %s", tt.text, got, tt.want)
			}
			if got := renderItem(p.Apply(item.Encode(sample()))); got != tt.want {
				t.Errorf("%s is %s of the stored item, want %s", tt.text, got, tt.want)
			}
			if _, whole := p.Whole(); whole != !strings.ContainsAny(tt.text, ".[") {
				t.Errorf("%s names whole attributes: %v", tt.text, whole)
			}
		})
	}
}

func TestProjectionsThatAreRefused(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", "The expression can not be empty;"},
		{"a comma at the end", "a,", `Syntax error; token: "<EOF>", near: ","`},
		{"a value", "a, :v", `Syntax error; token: ":v", near: ", :v"`},
		{"no comma", "a b", `Syntax error; token: "b", near: "a b"`},
		{"no index", "a[]", `Syntax error; token: "]", near: "[]"`},
		{"an index below nothing", "a[-1]", `Syntax error; token: "-", near: "[-1"`},
		{"a reserved word", "a, name", "Attribute name is a reserved keyword; reserved keyword: name"},
		{"an undefined name", "a, #x", "An expression attribute name used in the document path is not defined; attribute name: #x"},
		{"a path twice", "a, a", "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a]"},
		{"a path within another", "m.k.z, m.k", "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [m, k, z], path two: [m, k]"},
		{"a list and a map", "m[0], m.k", "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [m, [0]], path two: [m, k]"},
		{"an index that is too large", "a[99999999999999]", "List index is not within the allowable range; index: [99999999999999]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseProjection(tt.text, params(t))
			want := "Invalid ProjectionExpression: " + tt.want
			if err == nil || err.Error() != want {
				t.Errorf("%s\n got: %v\nwant: %s", tt.text, err, want)
			}
		})
	}
}
