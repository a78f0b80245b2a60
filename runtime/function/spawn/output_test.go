//go:build unix

package spawn

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// FuzzSplit prints anything, in two pieces: the lines are what was printed.
func FuzzSplit(f *testing.F) {
	f.Add([]byte("a\nb"), 1)
	f.Add([]byte("\r\n\n"), 2)
	f.Add(bytes.Repeat([]byte("x"), 1<<20+1), 5)
	f.Fuzz(func(t *testing.T, printed []byte, cut int) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		w.Close()
		var got []string
		o := newOutput(r, func(line string) { got = append(got, line) })
		cut = min(max(cut, 0), len(printed))
		o.split(printed[:cut])
		o.split(printed[cut:])
		o.close()
		want := strings.Split(strings.TrimSuffix(string(printed), "\n"), "\n")
		if len(printed) == 0 {
			want = nil
		}
		if len(printed) < longest && len(got) != len(want) {
			t.Fatalf("%d lines of %q, want %d", len(got), printed, len(want))
		}
		for _, line := range got {
			if strings.ContainsRune(line, '\n') || len(line) > longest+len(printed) {
				t.Fatalf("the line %q", line)
			}
		}
		if strings.NewReplacer("\n", "", "\r", "").Replace(strings.Join(got, "")) != strings.NewReplacer("\n", "", "\r", "").Replace(string(printed)) {
			t.Fatalf("%q became %q", printed, got)
		}
	})
}
