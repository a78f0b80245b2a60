package jsonpath

import (
	"errors"
	"testing"

	"devstack/emulators/stepfunctions/value"
)

const store = `{"store":{"book":[{"title":"A","price":8.95,"tags":["x","y"]},{"title":"B","price":12.99,"isbn":"1"},{"title":"C","price":8}],"bicycle":{"price":19.95}},
	"limit":10,"n":[0,1,2,3,4],"odd-name":1,"":2,"it's":3,"none":null}`

func TestSelect(t *testing.T) {
	for _, tt := range []struct{ path, want string }{
		{"$.limit", `10`},
		{"$.odd-name", `1`},
		{"$['odd-name']", `1`},
		{`$["limit"]`, `10`},
		{`$['it\'s']`, `3`},
		{"$['']", `2`},
		{"$.none", `null`},
		{"$.n[0]", `0`},
		{"$.n[-1]", `4`},
		{"$.n[0,2]", `[0,2]`},
		{"$.n[0,9]", `[0]`},
		{"$.n[1:3]", `[1,2]`},
		{"$.n[:2]", `[0,1]`},
		{"$.n[-2:]", `[3,4]`},
		{"$.n[3:99]", `[3,4]`},
		{"$.n[*]", `[0,1,2,3,4]`},
		{"$.store.bicycle.*", `[19.95]`},
		{"$.store.book[*].title", `["A","B","C"]`},
		{"$.store.book[*].isbn", `["1"]`},
		{"$..price", `[8.95,12.99,8,19.95]`},
		{"$..book[0].title", `["A"]`},
		{"$..[0]", `[{"title":"A","price":8.95,"tags":["x","y"]},"x",0]`},
		{"$..nothing", `[]`},
		{"$['limit','odd-name']", `{"limit":10,"odd-name":1}`},
		{"$.store.book[?(@.price < 10)].title", `["A","C"]`},
		{"$.store.book[?(@.price < $.limit)].title", `["A","C"]`},
		{"$.store.book[?(@.isbn)].title", `["B"]`},
		{"$.store.book[?(!@.isbn)].title", `["A","C"]`},
		{"$.store.book[?(@.price == 8.0)].title", `["C"]`},
		{"$.store.book[?(@.price > 8 && @.price <= 8.95 || @.title == 'B')].title", `["A","B"]`},
		{"$.store.book[?((@.title == 'A' || @.title == 'B') && @.price > 10)].title", `["B"]`},
		{"$.store.book[?(@.title != 'A')].title", `["B","C"]`},
		{"$.store.book[?(@.title =~ /[ab]/i)].title", `["A","B"]`},
		{"$.store.book[?(@.title in ['A', \"C\"])].title", `["A","C"]`},
		{"$.store.book[?(@.title nin ['A'])].title", `["B","C"]`},
		{"$.store.book[?(@.tags size 2)].title", `["A"]`},
		{"$.store.book[?(@.tags contains 'x')].title", `["A"]`},
		{"$.store.book[?(@.tags empty false)].title", `["A"]`},
		{"$.store.book[?(@.tags[0] == 'x')].title", `["A"]`},
		{"$.store.book[?('A' == @.title)].title", `["A"]`},
		{"$.n[?(@ >= 3)]", `[3,4]`},
		{"$.n.length()", `5`},
		{"$.store.length()", `2`},
		{"$..price.max()", `19.95`},
		{"$.n.sum()", `10.0`},
		{"$.n.avg()", `2.0`},
		{"$.n.min()", `0.0`},
	} {
		t.Run(tt.path, func(t *testing.T) {
			root, err := value.Decode(store)
			if err != nil {
				t.Fatal(err)
			}
			p, err := Parse(tt.path)
			if err != nil {
				t.Fatal(err)
			}
			v, err := p.Eval(root)
			if err != nil {
				t.Fatal(err)
			}
			if got := value.Encode(v); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestNothingThere(t *testing.T) {
	for _, tt := range []struct{ path, reason string }{
		{"$.gone", "No results for path: $['gone']"},                                        // recorded
		{"$.gone.such.path", "Missing property in path $['gone']"},                          // recorded
		{"$.store.gone.x", "Missing property in path $['store']['gone']"},                   // from here on Jayway's words, from its source
		{"$.n[9]", "No results for path: $['n'][9]"},                                        //
		{"$.limit[0]", "Filter: [0] can only be applied to arrays. Current context is: 10"}, //
		{"$.limit.x", "Expected to find an object with property ['x'] in path $['limit'] but found 'com.fasterxml.jackson.databind.node.IntNode'. " +
			"This is not a json object according to the JsonProvider: 'com.jayway.jsonpath.spi.json.JacksonJsonNodeJsonProvider'."},
		{"$.gone[*]", "Missing property in path $['gone']"},
	} {
		root, _ := value.Decode(store)
		p, err := Parse(tt.path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.Eval(root)
		var nf *NotFound
		if !errors.As(err, &nf) || nf.Reason != tt.reason {
			t.Errorf("%s: %v, want %s", tt.path, err, tt.reason)
		}
	}
}

func TestParse(t *testing.T) {
	for _, bad := range []string{"", "x", "$.", "$.a.", "$..", "$...a", "$....a", "$[", "$[]", "$['a", "$['a'", "$.a b", "$[x]", "$.a[1", "$.a[?(@.x]", "$[?(1)]", "$.a.keys()",
		"$.a.length().b", "$.length(1)", "$[?(@.a =~ 'x')]", "$[?(@.a == /x/)]", "$[99999999999999999999]"} {
		if p, err := Parse(bad); err == nil {
			t.Errorf("%q was read as %+v", bad, p)
		}
	}
	if _, err := Parse("$name.x"); !errors.Is(err, ErrVariable) {
		t.Errorf("a variable: %v", err)
	}
	for path, want := range map[string]bool{"$": true, "$.a.b": true, "$['a'][0]": true, "$.a[-1]": false, "$.a[*]": false, "$..a": false, "$.a[0,1]": false, "$.a[0:1]": false,
		"$.a.length()": false, "$['a','b']": false, "$$.Execution.Id": true} {
		p, err := Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		if p.Reference() != want {
			t.Errorf("%s is a Reference Path: %v", path, p.Reference())
		}
	}
}

func TestPut(t *testing.T) {
	for _, tt := range []struct{ root, path, want string }{
		{`{"a":1,"b":2}`, "$.a", `{"a":"v","b":2}`},
		{`{"a":1}`, "$.b.c", `{"a":1,"b":{"c":"v"}}`},
		{`{"a":[1,{"x":2}]}`, "$.a[1].x", `{"a":[1,{"x":"v"}]}`},
		{`{"a":[1]}`, "$.a[1]", ``},
		{`{"a":1}`, "$.a.b", ``},
		{`[1]`, "$.a", ``},
		{`1`, "$", `"v"`},
	} {
		root, _ := value.Decode(tt.root)
		p, err := Parse(tt.path)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := p.Put(root, "v")
		if ok != (tt.want != "") || ok && value.Encode(got) != tt.want {
			t.Errorf("%s in %s: %v %v, want %s", tt.path, tt.root, got, ok, tt.want)
		}
		if again, _ := value.Decode(tt.root); !value.Equal(root, again) {
			t.Errorf("%s changed %s", tt.path, tt.root)
		}
	}
}

// FuzzParse: whatever can be read can be evaluated, and a Reference Path can be put to.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"$.a[0]['b'].c", "$..x[?(@.a == 'b' && !(@.c =~ /d/i))].length()", "$$.Map.Item", "$[1:2,3]", "$[?(@.a in [1,'x'])]", "$.n[-1:]", "$v"} {
		f.Add(s)
	}
	root, _ := value.Decode(store)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1000 {
			return
		}
		p, err := Parse(text)
		if err != nil {
			return
		}
		v, err := p.Eval(root)
		if err == nil {
			value.Encode(v)
			if _, isList := v.([]any); !p.Definite() && p.function == "" && !isList {
				t.Fatalf("%q selects no list", text)
			}
		}
		if p.Reference() {
			if out, ok := p.Put(root, true); ok {
				if v, err := p.Eval(out); err != nil || v != true {
					t.Fatalf("%q: put, and found %v, %v", text, v, err)
				}
			}
		}
	})
}
