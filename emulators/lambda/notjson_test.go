package lambda

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestWhyAPayloadIsNotJSON(t *testing.T) {
	at := func(line, column string) string {
		return "\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: " + line + ", column: " + column + "]"
	}
	const values = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
	for _, tt := range []struct{ payload, want string }{
		{"n\x87r\x9e\xe9\xb5\xd7I\xee\x9bmt", "Invalid UTF-8 start byte 0x87" + at("1", "3")},                                      // recorded
		{"\x99\xeb,j\x07\xa1zYh", "Unexpected character ((CTRL-CHAR, code 153)): expected a valid value " + values + at("1", "1")}, // recorded
		{"", "Unexpected end-of-input: expected a value" + at("1", "1")},
		{"abc", "Unrecognized token 'abc': was expecting " + values + at("1", "4")},
		{"{", "Unexpected end-of-input: expected close marker for Object (start marker at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 1])" + at("1", "2")},
		{"{\n a}", "Unexpected character ('a' (code 97)): was expecting double-quote to start field name" + at("2", "2")},
		{`{"a" 1}`, "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value" + at("1", "6")},
		{`{"a":1 2}`, "Unexpected character ('2' (code 50)): was expecting comma to separate Object entries" + at("1", "8")},
		{`[1 2]`, "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries" + at("1", "4")},
		{`"a`, "Unexpected end-of-input: was expecting closing quote for a string value" + at("1", "3")},
		{`"\x"`, "Unrecognized character escape 'x' (code 120)" + at("1", "4")},
		{"\"\xc3(\"", "Invalid UTF-8 middle byte 0x28" + at("1", "4")},
		{"-x", "Unexpected character ('x' (code 120)): expected digit (0-9) to follow minus sign, for valid numeric value" + at("1", "2")},
		{"01", "Invalid numeric value: Leading zeroes not allowed" + at("1", "2")},
		{"[€]", "Unexpected character ('€' (code 8364 / 0x20ac)): expected a valid value " + values + at("1", "2")},
	} {
		if got := notJSON([]byte(tt.payload)); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.payload, got, tt.want)
		}
	}
}

// FuzzNotJSON holds what is said of a payload against what Go's library says: there is a reason exactly for what is not JSON.
func FuzzNotJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e-3,true,null,"\u00e9\n"]}`, "nul", "[1,]", "{,}", "\"\xed\xa0\x80\"", "1.", strings.Repeat("[", 2000)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if why := notJSON(b); (why == "") != (utf8.Valid(b) && json.Valid(b)) {
			t.Errorf("%q: %q", b, why)
		}
	})
}
