package intrinsic

import (
	"errors"
	"strings"
	"testing"

	"devstack/emulators/stepfunctions/jsonpath"
	"devstack/emulators/stepfunctions/value"
)

type env struct{ root any }

func (e env) Path(p *jsonpath.Path) (any, error) { return p.Eval(e.root) }
func (e env) UUID() string                       { return "a uuid" }

func TestFunctions(t *testing.T) {
	const input = `{"list":[1,2,3,4,5],"o":{"a":1,"b":[true,null,"x"]},"s":"a.b+c","n":1.5,"mixed":[1,1,"1",{"a":1},{"a":1},[],[]],"long":"` // the string follows
	root, err := value.Decode(input + strings.Repeat("x", maxString+1) + `"}`)
	if err != nil {
		t.Fatal(err)
	}
	const invalid = "Invalid arguments"
	for _, tt := range []struct{ call, want string }{
		{`States.Array(1, 'a', $.n, null, true)`, `[1,"a",1.5,null,true]`},
		{`States.Array()`, `[]`},
		{`States.ArrayPartition($.list, 2)`, `[[1,2],[3,4],[5]]`},
		{`States.ArrayPartition($.list, 0)`, invalid},
		{`States.ArrayContains($.mixed, $.o)`, `false`},
		{`States.ArrayContains($.list, 3)`, `true`},
		{`States.ArrayRange(1, 9, 2)`, `[1,3,5,7,9]`},
		{`States.ArrayRange(3, 1, -1)`, `[3,2,1]`},
		{`States.ArrayRange(1, 2, 0)`, invalid},
		{`States.ArrayRange(1, 1000, 1)`, ``},
		{`States.ArrayRange(1, 1001, 1)`, `The generated array has more than 1000 items`},
		{`States.ArrayGetItem($.list, 4)`, `5`},
		{`States.ArrayGetItem($.list, 5)`, invalid},
		{`States.ArrayLength($.list)`, `5`},
		{`States.ArrayLength($.s)`, invalid},
		{`States.ArrayUnique($.mixed)`, `[1,"1",{"a":1},[]]`},
		{`States.Base64Encode('Data to encode')`, `"RGF0YSB0byBlbmNvZGU="`},
		{`States.Base64Decode('RGF0YSB0byBlbmNvZGU=')`, `"Data to encode"`},
		{`States.Base64Decode('?')`, invalid},
		{`States.Base64Encode($.long)`, invalid},
		{`States.Hash('input data', 'SHA-1')`, `"aaff4a450a104cd177d28d18d74485e8cae074b7"`}, // recorded
		{`States.Hash($.o, 'MD5')`, `"c5e91ef4cd87226435658d460220b7a2"`},
		{`States.Hash('x', 'SHA-3')`, invalid},
		{`States.JsonMerge($.o, States.StringToJson('{"c":2,"a":0}'), false)`, `{"a":0,"b":[true,null,"x"],"c":2}`},
		{`States.JsonMerge($.o, $.o, true)`, invalid},
		{`States.StringToJson('[1, {"a":null}]')`, `[1,{"a":null}]`},
		{`States.StringToJson('')`, `null`}, // recorded
		{`States.StringToJson('{')`, invalid},
		{`States.JsonToString($.o)`, `"{\"a\":1,\"b\":[true,null,\"x\"]}"`},
		{`States.MathAdd(1.49, 1.5)`, `3`},    // recorded
		{`States.MathAdd(-1.5, -1.51)`, `-3`}, // recorded
		{`States.MathAdd(2147483647, 1)`, invalid},
		{`States.MathRandom(5, 6)`, `5`},
		{`States.MathRandom(5, 5)`, invalid},
		{`States.StringSplit($.s, '.+')`, `["a","b","c"]`},
		{`States.StringSplit(',a,,b,', ',')`, `["a","b"]`}, // as recorded
		{`States.UUID()`, `"a uuid"`},
		{`States.Format('{} and {}', $.o, 'x')`, `"{a=1, b=[true, null, x]} and x"`}, // as recorded
		{`States.Format('\{\} it\'s {}\\', 1)`, `"{} it's 1\\"`},
		{`States.Format('{}')`, invalid},
		{`States.Format('x', 1)`, invalid},
		{`States.Format($.s)`, `"a.b+c"`},
		{`States.ArrayGetItem(States.StringSplit('a-b-c', '-'), States.MathAdd(States.ArrayLength(States.StringSplit('a-b-c', '-')), -1))`, `"c"`},
		{`States.ArrayLength($.mixed[?(@.a == 1)])`, `2`},
	} {
		t.Run(tt.call, func(t *testing.T) {
			c, err := Parse(tt.call)
			if err != nil {
				t.Fatal(err)
			}
			v, err := c.Eval(env{root})
			var f *Failure
			if errors.As(err, &f) {
				if tt.want == "" || !strings.HasPrefix(f.Reason, tt.want) || !strings.HasPrefix(err.Error(), "The function 'States.") {
					t.Errorf("failed: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := value.Encode(v); got != tt.want && tt.want != "" {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	if _, err := (&Call{name: "States.ArrayLength", args: []argument{{path: must(t, "$.gone")}}}).Eval(env{root}); err == nil {
		t.Error("a path that selects nothing is no error")
	}
}

func must(t *testing.T, text string) *jsonpath.Path {
	t.Helper()
	p, err := jsonpath.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSeededRandomRepeats(t *testing.T) {
	for _, bound := range []int64{1, 2, 3, 1000, 1 << 31} {
		for seed := range int64(50) {
			n := seeded(seed, bound)
			if n < 0 || n >= bound || n != seeded(seed, bound) {
				t.Fatalf("seed %d, bound %d: %d", seed, bound, n)
			}
		}
	}
}

func TestParse(t *testing.T) {
	for _, bad := range []string{"", "States.Nothing()", "States.Array(", "States.Array(1", "States.Array(1,)", "States.Array(1 2)", "States.Array('a)", `States.Array('a\"b')`, `States.Array('\n')`,
		"States.UUID(1)", "States.ArrayLength()", "States.Array(x)", "States.Array({})", "States.Array() x", "States.Array($.)", strings.Repeat("States.Array(", 11) + strings.Repeat(")", 11)} {
		if c, err := Parse(bad); err == nil {
			t.Errorf("%q was read as %v", bad, c)
		}
	}
	if _, err := Parse(strings.Repeat("States.Array(", 10) + strings.Repeat(")", 10)); err != nil {
		t.Errorf("ten nested calls: %v", err)
	}
	if _, err := Parse("States.Array($x)"); !errors.Is(err, jsonpath.ErrVariable) {
		t.Errorf("a variable: %v", err)
	}
}

// FuzzParse: whatever can be read can be evaluated.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`States.Format('{}\{', $.a['x)'])`, `States.ArrayRange(-3, 1e3, 2)`, `States.MathRandom(1, 2, $.n)`, `States.Array(States.UUID(),'',null)`, `States.StringToJson('[')`} {
		f.Add(s)
	}
	root, _ := value.Decode(`{"a":[1,"x"],"n":3}`)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse(text)
		if err != nil {
			return
		}
		if v, err := c.Eval(env{root}); err == nil {
			value.Encode(v)
		}
	})
}
