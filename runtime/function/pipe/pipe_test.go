package pipe

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"devstack/runtime/function"
)

func TestAnEventIsSentByteForByte(t *testing.T) {
	payload := []byte(`{ "spaces" :  "stay" }`)
	b, err := eventFrame(&function.Event{RequestID: "id", Payload: payload, Timeout: 1500 * time.Millisecond, ARN: "arn"})
	if err != nil {
		t.Fatal(err)
	}
	f, err := readFrame(bufio.NewReader(bytes.NewReader(b)))
	if err != nil || f.kind != invoke {
		t.Fatalf("%c %v", f.kind, err)
	}
	end := 4 + binary.BigEndian.Uint32(f.body)
	var about facts
	if err := json.Unmarshal(f.body[4:end], &about); err != nil || about != (facts{RequestID: "id", Remaining: 1500, ARN: "arn"}) {
		t.Errorf("%+v %v", about, err)
	}
	if !bytes.Equal(f.body[end:], payload) {
		t.Errorf("the payload is %s", f.body[end:])
	}
}

func TestWhatAProcessPrints(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lines []string
		want  []line
	}{
		{"a line", []string{"plain"}, []line{{"r1", "plain"}}},
		{"a message of another request", []string{"\x00Pr0\x00late"}, []line{{"r0", "late"}}},
		{"a message of several lines", []string{"\x00Pr1\x00two\x00nlines"}, []line{{"r1", "two\nlines"}}},
		{"a message after what has no end", []string{"no end\x00Pr1\x00message"}, []line{{"r1", "no end"}, {"r1", "message"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []line
			s := &Sandbox{log: func(id, text string) { got = append(got, line{id, text}) }}
			id := "r1"
			s.request.Store(&id)
			for _, l := range tt.lines {
				s.Line(l)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("logged %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzReadFrame(f *testing.F) {
	f.Add([]byte("R\x00\x00\x00\x02{}"))
	f.Add([]byte("E\x00\x00\x00\x09\x00\x05Error{}"))
	f.Add([]byte("X\x00\x00\x00\x01\x00"))
	f.Add([]byte("D\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bufio.NewReader(bytes.NewReader(b))
		for {
			fr, err := readFrame(r)
			if err != nil {
				return
			}
			if typ, body := fr.typed(); len(typ)+len(body) > len(fr.body) {
				t.Fatalf("%d bytes became %q and %q", len(fr.body), typ, body)
			}
		}
	})
}

func FuzzLine(f *testing.F) {
	f.Add("plain")
	f.Add("a\x00Pid\x00b\x00nc")
	f.Add("\x00P")
	f.Fuzz(func(t *testing.T, text string) {
		var got []string
		s := &Sandbox{log: func(_, text string) { got = append(got, text) }}
		s.request.Store(&none)
		s.Line(text)
		if !strings.Contains(text, mark) && !slices.Equal(got, []string{text}) {
			t.Fatalf("%q became %q", text, got)
		}
	})
}
