package pipe

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"devstack/runtime/function"
)

// sink counts what is streamed to it.
type sink struct {
	begun []string
	bytes.Buffer
	fail bool
}

func (s *sink) Begin(contentType string) { s.begun = append(s.begun, contentType) }

func (s *sink) Write(b []byte) (int, error) {
	if s.fail {
		return 0, errors.New("gone")
	}
	return s.Buffer.Write(b)
}

// said is a sandbox whose process has said all this and has not ended.
func said(b []byte) *Sandbox {
	return &Sandbox{answers: bufio.NewReader(bytes.NewReader(b))}
}

func frames(parts ...string) []byte {
	var out []byte
	for _, p := range parts {
		out = append(appendHeader(out, p[0], len(p)-1), p[1:]...)
	}
	return out
}

func TestOutcome(t *testing.T) {
	stream := frames("Btext/html", "Ca", "C", "Cbc", "R")
	s := &sink{}
	f, collected, err := said(stream).outcome(t.Context(), s)
	if err != nil || f.kind != result || collected != nil || s.String() != "abc" || len(s.begun) != 1 || s.begun[0] != "text/html" {
		t.Errorf("%c %q %v, streamed %q %q", f.kind, collected, err, s.begun, s.String())
	}
	if f, collected, err := said(stream).outcome(t.Context(), nil); err != nil || f.kind != result || string(collected) != "abc" {
		t.Errorf("%c %q %v", f.kind, collected, err)
	}
	gone := &sink{fail: true}
	if f, _, err := said(stream).outcome(t.Context(), gone); err != nil || f.kind != result {
		t.Errorf("%c %v", f.kind, err)
	}
	cut := frames("Btext/html", "Ca", "E\x00\x05Error{}")
	if f, _, err := said(cut).outcome(t.Context(), s); err != nil || f.kind != failure {
		t.Errorf("%c %v", f.kind, err)
	}
}

func TestWhatIsCollectedHasABound(t *testing.T) {
	piece := "C" + strings.Repeat("x", 1<<20)
	parts := []string{"Btext/plain"}
	for range 8 {
		parts = append(parts, piece)
	}
	_, collected, err := said(frames(append(parts, "R")...)).outcome(t.Context(), nil)
	if err != nil || len(collected) != function.MaxResponse+1 {
		t.Errorf("%d bytes, %v", len(collected), err)
	}
}

func FuzzOutcome(f *testing.F) {
	f.Add(frames("Btext/html", "Ca", "R"))
	f.Add(frames("Ca", "B", "E\x00\x05Error{}"))
	f.Add(frames("R{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if !bytes.ContainsAny(b, "RED") { // it would wait for its process to end
			return
		}
		whole := 0
		for at := 0; at+header <= len(b); {
			n := int(binary.BigEndian.Uint32(b[at+1:]))
			if n > len(b) || at+header+n > len(b) {
				return
			}
			if k := b[at]; k != begin && k != chunk {
				whole = at + header + n
				break
			}
			at += header + n
		}
		if whole == 0 {
			return
		}
		s := &sink{}
		fr, _, err := said(b[:whole]).outcome(t.Context(), s)
		other, collected, err2 := said(b[:whole]).outcome(t.Context(), nil)
		if err != nil || err2 != nil || fr.kind != other.kind || !bytes.Equal(collected, s.Bytes()) {
			t.Fatalf("streamed %q, collected %q, %v, %v", s.Bytes(), collected, err, err2)
		}
	})
}
