package image_test

import (
	"strings"
	"testing"

	"devstack/runtime/function/image"
)

// FuzzOutput writes a text in two parts: cut where it may, the same lines come out, and belong to the request.
func FuzzOutput(f *testing.F) {
	f.Add("one\ntwo\r\n\nthree", 5)
	f.Add("\n", 0)
	f.Add(strings.Repeat("x", 70<<10)+"\n", 1000)
	f.Fuzz(func(t *testing.T, text string, cut int) {
		if cut < 0 || cut > len(text) || len(text) > 1<<19 {
			return
		}
		var got strings.Builder
		o := image.NewOutput("r-1", func(request, line string) {
			if request != "r-1" {
				t.Errorf("%q belongs to request %q", line, request)
			}
			got.WriteString(line + "\n")
		})
		o.Write([]byte(text[:cut]))
		o.Write([]byte(text[cut:]))
		o.Close()
		want := text
		if want != "" && !strings.HasSuffix(want, "\n") {
			want += "\n"
		}
		if want = strings.ReplaceAll(want, "\r\n", "\n"); got.String() != want {
			t.Errorf("got %q, want %q", got.String(), want)
		}
	})
}
