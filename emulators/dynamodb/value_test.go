package dynamodb

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"devstack/emulators/dynamodb/item"
)

func TestValuesComeBackAsTheyWere(t *testing.T) {
	c := open(t)
	c.must(t, "CreateTable", createPK)
	for _, tt := range []struct{ name, value, want string }{
		{"a text", `{"S":"x\u0000é"}`, ""},
		{"an empty text", `{"S":""}`, ""},
		{"a number loses what it does not need", `{"N":"+001.50E1"}`, `{"N":"15"}`},
		{"bytes", `{"B":"AP8="}`, ""},
		{"no bytes", `{"B":""}`, ""},
		{"a set of texts", `{"SS":["b","a"]}`, ""},
		{"a set of numbers", `{"NS":["1","2.5"]}`, ""},
		{"a set of bytes", `{"BS":["AQ==","AA=="]}`, ""},
		{"a list", `{"L":[{"S":"a"},{"L":[]},{"M":{}}]}`, ""},
		{"a map", `{"M":{"a":{"BOOL":false},"b":{"NULL":true}}}`, ""},
		{"true", `{"BOOL":true}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.want == "" {
				tt.want = tt.value
			}
			c.must(t, "PutItem", `{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"v":`+tt.value+`}}`)
			c.want(t, "GetItem", `{"TableName":"things","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"ProjectionExpression":"v"}`, `{"Item":{"v":`+tt.want+`}}`)
		})
	}
}

func TestValuesThatAreNone(t *testing.T) {
	c := open(t)
	c.must(t, "CreateTable", createPK)
	for _, tt := range []struct{ name, value, want string }{
		{"two at once", `{"S":"a","N":"1"}`, "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"},
		{"NULL that is false", `{"NULL":false}`, "1 validation error detected: One or more parameter values were invalid: Null attribute value types must have the value of true"},
		{"a set with a member twice", `{"NS":["1","1.0"]}`, "1 validation error detected: Input collection contains duplicates"},
		{"a number that is none, and a text", `{"S":"a","N":"x"}`, "The parameter cannot be converted to a numeric value: x"},
		{"nothing inside of a list", `{"L":[{}]}`, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
		{"a number of 39 digits", `{"N":"` + strings.Repeat("1", 39) + `"}`, "Attempting to store more than 38 significant digits in a Number"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.want(t, "PutItem", `{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"v":`+tt.value+`}}`, "ValidationException: "+tt.want)
		})
	}
}

// FuzzAttributes holds what is encoded straight from JSON against the item that the plain way makes.
func FuzzAttributes(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"b":{"S":"x\u0000é"}, "a" : {"N":"-001.50E1"},"c":{"B":"AP8="},"d":{"BOOL":false},"e":{"NULL":true}}`,
		`{"m":{"M":{"z":{"L":[{"S":"a"},{"M":{}},{"L":[]}]},"y":{"NULL":true}}}}`, `{"s":{"SS":["b","a"]},"n":{"NS":["1","2.50"]},"x":{"BS":["AQ==","AA=="]}}`,
		`{"a":{"S":"1"},"a":{"S":"2"}}`, `{"a":{}}`, `{"a":{"S":"a","N":"1"}}`, `{"a":{"N":"x"}}`, `{"a":{"S":"` + strings.Repeat("long ", 60) + `"}} {`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var straight, plain, again Attributes
		n := straight.TakeJSON([]byte(s))
		if n == 0 {
			return
		}
		var m map[string]plainValue
		if err := json.Unmarshal([]byte(s[:n]), &m); err != nil {
			t.Fatalf("%s is taken for JSON: %v", s[:n], err)
		}
		if plain.SetPlain(m); utf8.ValidString(s) && !bytes.Equal(straight, plain) { // encoding/json repairs what is not
			t.Fatalf("%s is encoded as %x, and as %x the plain way", s[:n], straight, plain)
		}
		written := straight.AppendJSON(nil)
		if again.TakeJSON(written) != len(written) || utf8.ValidString(s) && !bytes.Equal(again, straight) {
			t.Fatalf("%s is written as %s, which is encoded as %x, not %x", s[:n], written, again, straight)
		}
		if m := again.Plain().(map[string]plainValue); !bytes.Equal(again, wireItem(must(newPlainItem(m, 0)))) {
			t.Fatalf("%s is not what its plain form is", written)
		}
	})
}

func must(i item.Item, err error) item.Item {
	if err != nil {
		panic(err)
	}
	return i
}
