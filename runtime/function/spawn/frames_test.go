package spawn

import (
	"encoding/binary"
	"slices"
	"testing"
)

func frame(message string) []byte {
	b := binary.BigEndian.AppendUint32(nil, 0xa55a0003)
	b = binary.BigEndian.AppendUint32(b, uint32(len(message)))
	return append(binary.BigEndian.AppendUint64(b, 1), message...)
}

func TestFrames(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []byte
		want []string
	}{
		{"messages", append(frame("one\ntwo\n"), frame("")...), []string{"one\ntwo", ""}},
		{"what is no frame", []byte("a line that is no frame\n"), []string{"a line that is no frame"}},
		{"half a frame", frame("message")[:20], nil},
	} {
		for cut := range tt.in {
			var got []string
			o := &output{line: func(text string) { got = append(got, text) }}
			o.unframe(tt.in[:cut])
			o.unframe(tt.in[cut:])
			if tt.name == "what is no frame" && cut >= frameHeader {
				continue // its parts are delivered as they come
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%s, cut at %d: got %q, want %q", tt.name, cut, got, tt.want)
			}
		}
	}
}

// FuzzFrames delivers all of what was written as frames, however it is cut.
func FuzzFrames(f *testing.F) {
	f.Add("one", "two\nthree", 5)
	f.Fuzz(func(t *testing.T, one, two string, cut int) {
		in := append(frame(one), frame(two)...)
		if cut < 0 || cut > len(in) {
			return
		}
		n := 0
		o := &output{line: func(string) { n++ }}
		o.unframe(in[:cut])
		o.unframe(in[cut:])
		if n != 2 || len(o.partial) != 0 {
			t.Errorf("%d messages, and %d bytes are left", n, len(o.partial))
		}
	})
}
