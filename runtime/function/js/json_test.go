package js

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/dop251/goja"

	"devstack/internal/clock"
)

// FuzzParse compares with the engine's own JSON.parse, which cannot do lone surrogates.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{"a":[1,-2.5e3,true,false,null,"é😀\n\u00e9\ud83d\ude00"]}`, `{"__proto__":{"x":1},"a":1,"a":2}`, `-0`, `1e999`, `01`, `1.`, `"\x"`, "\"\t\"",
		`[1,]`, `{"a"}`, ` [ ] `, `nul`, `12345678901234567890`, `""`, `"\ud83d"`, `{} {}`, `9007199254740993`, ``} {
		f.Add(seed)
	}
	s := newSandbox(New(Options{Clock: clock.System()}), &noFunction, nil, func(string, string) {})
	if err := s.setUp(); err != nil {
		f.Fatal(err)
	}
	s.Close()
	s.rt.ClearInterrupt()
	own := goja.New()
	f.Fuzz(func(t *testing.T, text string) {
		if err := own.Set("text", text); err != nil {
			t.Fatal(err)
		}
		want, err := own.RunString(`(() => { try { return JSON.stringify(JSON.parse(text)) } catch { return null } })()`)
		if err != nil {
			t.Fatal(err)
		}
		v, err := s.parse([]byte(text), nil)
		if (err == nil) != json.Valid([]byte(text)) {
			t.Fatalf("%q: error %v, but its validity is %v", text, err, json.Valid([]byte(text)))
		}
		if err != nil {
			return
		}
		if got, err := s.stringify(v); err != nil || got != want.String() && !loneSurrogate(text) {
			t.Errorf("%q: got %s, %v; want %s", text, got, err, want)
		}
	})
}

// loneSurrogate reports whether JSON text may have half a surrogate pair in it.
func loneSurrogate(text string) bool {
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return false
	}
	b, err := json.Marshal(v)
	return err == nil && strings.ContainsRune(string(b), '\ufffd')
}

func TestLoneSurrogatesStay(t *testing.T) {
	got, err := run(t, Options{}, `export const handler = async (e) => [e.length, e.charCodeAt(1).toString(16), e.charCodeAt(3)]`, `"a\ud800b\u0063"`)
	if err != nil || got != `[4,"d800",99]` {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestJSONParse(t *testing.T) {
	const source = `const tried = (f) => { try { return f() } catch (e) { return e.name + ": " + e.message } };
export const handler = async (text) => [
	JSON.parse("[1]")[0], JSON.parse("[1,2]", (k, v) => typeof v === "number" ? v * 2 : v), JSON.parse.name, JSON.parse.length, Object.keys(JSON).length,
	tried(() => JSON.parse(text)), tried(() => JSON.parse(text, (k, v) => v)), tried(() => JSON.parse()), tried(() => JSON.parse({})),
	tried(() => JSON.parse("[1]", () => { throw new SyntaxError("mine") })), tried(() => JSON.parse(Symbol("s"))),
]`
	got, err := run(t, Options{}, source, `"{\"a\":1,}"`)
	const mistake = `"SyntaxError: Expected double-quoted property name in JSON at position 7 (line 1 column 8)"`
	want := `[1,[2,4],"parse",2,0,` + mistake + `,` + mistake + `,"SyntaxError: \"undefined\" is not valid JSON","SyntaxError: \"[object Object]\" is not valid JSON","SyntaxError: mine","TypeError: Cannot convert a Symbol value to a string"]`
	if err != nil || got != want {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
}
