package config

import (
	"fmt"
	"strings"
	"testing"
)

func TestDotenv(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"plain", "A=1\nB = two words \n", `A="1" B="two words"`},
		{"no newline at the end", "A=1", `A="1"`},
		{"Windows", "A=1\r\nB=2\r\n", `A="1" B="2"`},
		{"comments and empty lines", "# c\n\n  # d\nA=1 # e\nB=1#2\nC=#f\n", `A="1" B="1#2" C=""`},
		{"export", "export A=1\nexport\tB=2\nexportC=3\n", `A="1" B="2" exportC="3"`},
		{"empty", "A=\nB=''\n", `A="" B=""`},
		{"equals signs", "URL=postgres://u:p@h/db?a=b\n", `URL="postgres://u:p@h/db?a=b"`},
		{"single quotes are literal", `A='a\n$B "c" #d' # e`, `A="a\\n$B \"c\" #d"`},
		{"double quotes have escapes", `A="a\n\t\"b\" \$C \x \\"`, `A="a\n\t\"b\" $C \\x \\"`},
		{"backquotes", "A=`it's \"so\"`\n", `A="it's \"so\""`},
		{"several lines", "KEY=\"-----BEGIN\nabc\n-----END\"\nB='x\ny'\nC=1\n", `KEY="-----BEGIN\nabc\n-----END" B="x\ny" C="1"`},
		{"quotes inside a plain value", `A=it's`, `A="it's"`},
		{"nothing is substituted", "A=$HOME\nB=${A}\n", `A="$HOME" B="${A}"`},
		{"dots and dashes", "a.b-c=1\n", `a.b-c="1"`},
		{"no assignment", "A=1\nhello\n", `line 2: "hello" is not NAME=value`},
		{"a name that is none", "A=1\n\n1A=2\n", `line 3: "1A" is not the name of a variable`},
		{"not closed", "A=1\nB=\"x\ny\n", `line 2: the value that begins with " is not closed`},
		{"something after the quote", "A='x' y\n", `line 1: "y" follows the closing '`},
		{"a backslash at the end", `A="\`, `line 1: the value that begins with " is not closed`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			vars, line, err := parseDotenv(tt.text)
			var parts []string
			for _, v := range vars {
				parts = append(parts, fmt.Sprintf("%s=%q", v.name, v.value))
			}
			got := strings.Join(parts, " ")
			if err != nil {
				got = fmt.Sprintf("line %d: %v", line, err)
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func FuzzDotenv(f *testing.F) {
	f.Add("A=1\nexport B=\"x\\n\" # c\nC='a\nb'\n")
	f.Add("A=\"\\")
	f.Fuzz(func(t *testing.T, text string) {
		vars, line, err := parseDotenv(text)
		if lines := strings.Count(text, "\n") + 1; err != nil && (line < 1 || line > lines) {
			t.Fatalf("an error at line %d of %d", line, lines)
		}
		for _, v := range vars {
			again, _, err := parseDotenv(v.name + "='" + strings.ReplaceAll(v.value, "'", "") + "'")
			if err != nil || len(again) != 1 || again[0].name != v.name || again[0].value != strings.ReplaceAll(strings.ReplaceAll(v.value, "'", ""), "\r\n", "\n") {
				t.Fatalf("%+v does not come back: %+v, %v", v, again, err)
			}
		}
	})
}
