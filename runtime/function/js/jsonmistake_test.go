package js

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// whereabouts is what Node.js has said since version 22 only.
var whereabouts = regexp.MustCompile(` \(line \d+ column \d+\)$`)

// What is wrong with a text is said as Node.js says it.
func TestMistakesInJSONAreToldAsByNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("node is not in PATH")
	}
	texts := []string{
		"", "\t", "{", "[", "[1", "{\"a\":1", "{\"a\":1,", "{a:1}", `{"a" 1}`, `{"a":1,}`, "[1 2]", "[1,]", `{"a":1 "b"}`, "undefined", "NaN", "[object Object]", "nul",
		"n1", `n"`, "01", "-01", "1.", "1e", "-", "1e+", `"abc`, "\"a\nb\"", `"\x"`, `"\u12"`, `"\u`, `"\`, "{} x", "eyJuIjoxN30=", strings.Repeat("a", 50), "\u00e9", "é" + strings.Repeat("é", 30),
		`{"` + strings.Repeat("a", 30) + `":x,"` + strings.Repeat("b", 30) + `":1}`, `{"` + strings.Repeat("a", 30) + `":x}`, "-Infinity", `{"é":"ü" x}`, "\n{\n\r\"a\":\r\n x}",
	}
	const seed = `{"name":"té","list":[1,-2.5e3,true,false,null,{"a":"b\n\u00e9"}],"n":{"x":0.5}}`
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		runes := []rune(seed)
		for range 1 + r.IntN(3) {
			if len(runes) == 0 {
				break
			}
			i := r.IntN(len(runes))
			switch r.IntN(3) {
			case 0:
				runes = append(runes[:i:i], runes[i+1:]...)
			case 1:
				runes[i] = []rune("{}[]\",:\\01eE+-.tfnux \n\t")[r.IntN(22)]
			default:
				runes = runes[:i+1]
			}
		}
		texts = append(texts, string(runes))
	}
	in, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, "-e", `const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'));
		console.log(JSON.stringify(texts.map((text) => { try { JSON.parse(text); return ''; } catch (e) { return e.message; } })))`)
	cmd.Stdin = strings.NewReader(string(in))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatal(err)
	}
	wrong := 0
	for i, text := range texts {
		if got := jsonMistake(text); whereabouts.ReplaceAllString(got, "") != whereabouts.ReplaceAllString(want[i], "") {
			if wrong++; wrong < 10 {
				t.Errorf("%q: %q, want %q", text, got, want[i])
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d are told otherwise", wrong, len(texts))
	}
}

func TestMistakesHaveAPlace(t *testing.T) {
	for text, want := range map[string]string{
		"{\"a\":1,\n  b}":      "Expected double-quoted property name in JSON at position 10 (line 2 column 3)",
		"{\"😀\":1\r\n\r\n  b}": "Expected ',' or '}' after property value in JSON at position 13 (line 3 column 3)",
	} {
		if got := jsonMistake(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func FuzzMistake(f *testing.F) {
	for _, seed := range []string{`{"a":[1,-2.5e3,true,false,null,"é😀\n\u00e9\ud83d\ude00"]}`, "\xff", `"\ud83d"`, "{\"a\xf0\x9f\":x}", "[[[[1]]]] 😀"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if m := jsonMistake(text); (m == "") != json.Valid([]byte(text)) {
			t.Errorf("%q: %q, and its validity is %v", text, m, m != "")
		}
	})
}
