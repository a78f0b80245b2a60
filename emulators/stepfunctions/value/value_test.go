package value

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestDecodeAndEncode(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"members keep their order", `{"b":1, "a":{"z":null,"y":[true,false]}}`, `{"b":1,"a":{"z":null,"y":[true,false]}}`},
		{"a later member replaces an earlier one in its place", `{"a":1,"b":2,"a":3}`, `{"a":3,"b":2}`},
		{"numbers keep their digits", `[1.50,1e3,-0.0,12345678901234567890]`, `[1.50,1e3,-0.0,12345678901234567890]`},
		{"an integer has no negative zero", `-0`, `0`},
		{"escapes are read, and written only where they must be", `"\u0041\/\"\\\n\u0001é<\ud83c\udd97"`, `"A/\"\\\n\u0001é<🆗"`},
		{"half a surrogate pair is replaced", `"\ud83cx"`, `"�x"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := Decode(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if got := Encode(v); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestObjectsOfAnySize(t *testing.T) {
	o := &Object{}
	for i := range 30 {
		o.Set(fmt.Sprint(i), i)
		with := o.With("0", "new").With("x", "y")
		if got, _ := with.Get("0"); got != "new" || with.Len() != i+2 || with.Keys()[i+1] != "x" {
			t.Fatalf("%d members: a copy has %v", i+1, with.Keys())
		}
		for j := range i + 1 {
			if got, ok := o.Get(fmt.Sprint(j)); got != j || !ok || o.Keys()[j] != fmt.Sprint(j) {
				t.Fatalf("%d members: the member %d is %v", i+1, j, got)
			}
		}
		if _, ok := o.Get("x"); ok || o.Len() != i+1 {
			t.Fatalf("%d members: the copy changed it", i+1)
		}
	}
}

func TestSyntaxErrors(t *testing.T) {
	for _, tt := range []struct {
		in, want     string
		line, column int
	}{
		{"not a definition", "Unrecognized token 'not': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')", 1, 4}, // recorded
		{"{'a':1}", "Unexpected character (''' (code 39)): was expecting double-quote to start field name", 1, 3},                                     // recorded
		{"[1\n 2]", "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries", 2, 3},
		{`{"a" 1}`, "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value", 1, 7},
		{`{"a":1,}`, "Unexpected character ('}' (code 125)): was expecting double-quote to start field name", 1, 9},
		{`01`, "Invalid numeric value: Leading zeroes not allowed", 1, 3},
		{`"a`, "Unexpected end-of-input: was expecting closing quote for a string value", 1, 3},
		{``, "No content to map due to end-of-input", 1, 1},
		{strings.Repeat("[", 1002), "Document nesting depth (1001) exceeds the maximum allowed (1000)", 1, 1002},
	} {
		_, err := Decode(tt.in)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("%.20q: %v", tt.in, err)
		} else if syntax.Message != tt.want || syntax.Line != tt.line || syntax.Column != tt.column {
			t.Errorf("%.20q: %s at %d:%d, want %s at %d:%d", tt.in, syntax.Message, syntax.Line, syntax.Column, tt.want, tt.line, tt.column)
		}
	}
}

func TestHashOrder(t *testing.T) {
	// Recorded answers of payload templates, in the template's order and in the answer's. The second has more members than
	// the table's first size holds.
	for _, tt := range [][2]string{
		{"original_input iteration_input_value iteration_index from_input_constant", "iteration_input_value from_input_constant iteration_index original_input"},
		{"context_object execution execution_id execution_input execution_name execution_rolearn execution_starttime state state_enteredtime state_name statemachine statemachine_id statemachine_name",
			"execution execution_rolearn execution_name statemachine_id execution_id execution_input execution_starttime state_name state_enteredtime statemachine state context_object statemachine_name"},
	} {
		if got := strings.Join(HashOrder(strings.Fields(tt[0])), " "); got != tt[1] {
			t.Errorf("got  %s\nwant %s", got, tt[1])
		}
	}
}

func TestCompare(t *testing.T) {
	for _, tt := range []struct {
		a, b json.Number
		want int
	}{
		{"1", "1.0", 0}, {"9007199254740993", "9007199254740992", 1}, {"-1", "1e-3", -1}, {"1e400", "2", 1}, {"0", "0.0", 0},
	} {
		if got := Compare(tt.a, tt.b); got != tt.want {
			t.Errorf("%s and %s: %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

// FuzzDecode: what is read is written and read again alike, and is JSON to others as well.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e3,"x\n\u00e9",null,true]}`, `"\ud83c\udd97"`, `-0`, `[[]]`, `{'a':1}`, `01`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := Decode(text)
		if err != nil {
			return
		}
		out := Encode(v)
		if !json.Valid([]byte(out)) {
			t.Fatalf("%q became %q", text, out)
		}
		again, err := Decode(out)
		if d := Depth(text); d != Depth(out) || d > MaxDepth+1 {
			t.Fatalf("%q is %d deep, %q is %d", text, d, out, Depth(out))
		}
		if err != nil || !Equal(v, again) || Encode(again) != out {
			t.Fatalf("%q became %q became %q (%v)", text, out, Encode(again), err)
		}
	})
}
