package js

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// What Intl says is what Node said when it wrote the golden file.
func TestIntl(t *testing.T) {
	source, err := os.ReadFile("testdata/intl.js")
	if err != nil {
		t.Fatal(err)
	}
	golden, err := os.ReadFile("testdata/intl.golden")
	if err != nil {
		t.Fatal(err)
	}
	got, err := call(t, newWorld(t, Options{}, map[string]string{"index.ts": `import { lines } from "./intl.js"; export const handler = async () => lines()`, "intl.js": string(source)}).mustStart(), `{}`)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	if err := json.Unmarshal([]byte(got), &lines); err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSpace(string(golden)), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d", len(lines), len(want))
	}
	for i, line := range lines {
		if line != want[i] {
			t.Errorf("got  %s\nwant %s", line, want[i])
		}
	}
}

func TestIntlRefusesWhatIsNotEnglish(t *testing.T) {
	got, err := run(t, Options{}, `export const handler = async () => [() => (5).toLocaleString("de-DE"), () => new Intl.DateTimeFormat(["fr"]), () => new Intl.Segmenter("en")].map((f) => { try { f(); return "" } catch (e: any) { return e.name } })`, `{}`)
	if err != nil || got != `["RangeError","RangeError","Error"]` {
		t.Errorf("got %s, %v", got, err)
	}
}
