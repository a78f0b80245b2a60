package jsontext

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzString holds reading and writing against encoding/json.
func FuzzString(f *testing.F) {
	for _, s := range []string{`"`, `a"b`, `\u00e9\ud83d\ude00\n" more`, `\u12`, `\q"`, "a\x01\"", "1234567\x01\"", "\xff\"", `\ud800"`, `12345678\"90"`, `\`, "\\\xff\""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var want string
		end, escaped, ascii := End([]byte(s), 0)
		if end >= 0 {
			got, ok := Unescape(nil, []byte(s[:end]))
			err := json.Unmarshal([]byte(`"`+s[:end]+`"`), &want)
			if ok != (err == nil) || ok && strings.ToValidUTF8(string(got), "\ufffd") != strings.ToValidUTF8(want, "\ufffd") && utf8.ValidString(s) {
				t.Errorf("%q is read as %q, %v; encoding/json: %q, %v", s[:end], got, ok, want, err)
			}
			if ascii && strings.ContainsFunc(s[:end], func(r rune) bool { return r >= utf8.RuneSelf }) {
				t.Errorf("%q is taken for ASCII", s[:end])
			}
			if escaped != strings.Contains(s[:end], `\`) {
				t.Errorf("%q has escapes: %v", s[:end], escaped)
			}
		} else if err := json.Unmarshal([]byte(`"`+s), &want); err == nil {
			t.Errorf("%q is not read, by encoding/json it is %q", s, want)
		}
		written := AppendString(nil, s)
		if plain := string(written) == `"`+s+`"`; plain != Plain(s) {
			t.Errorf("%q needs no escape: %v", s, Plain(s))
		}
		if err := json.Unmarshal(written, &want); err != nil || want != strings.Map(func(r rune) rune { return r }, s) {
			t.Errorf("%q is written as %s, which is %q, %v", s, written, want, err)
		}
	})
}
