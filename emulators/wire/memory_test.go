package wire

import (
	"bytes"
	"strings"
	"testing"
)

func TestMemoryOfAnAnswerIsUsedAgainAndThatOfACallerIsNot(t *testing.T) {
	m := new(memory)
	a, b := m.alloc(10), m.alloc(20)
	copy(a, bytes.Repeat([]byte("a"), 10))
	copy(b, bytes.Repeat([]byte("b"), 20))
	if string(a) != "aaaaaaaaaa" || cap(a) != 10 {
		t.Errorf("the second part of the memory lies in the first: %s", a)
	}
	large := m.alloc(3 * leastMemory)
	if len(large) != 3*leastMemory || len(m.whole) != 3*leastMemory {
		t.Errorf("%d bytes of %d", len(large), len(m.whole))
	}
	r := &Request{memory: m}
	m.free = m.whole
	if x := r.Memory(1); &x[0] != &m.whole[0] {
		t.Error("the memory is not used again")
	}
	kept := (*Request)(nil).Memory(5)
	if len(kept) != 5 {
		t.Errorf("%d bytes", len(kept))
	}
}

func TestThePartOfAnAnswerIsSentFromWhereItWasWritten(t *testing.T) {
	r := &Request{memory: new(memory)}
	part := append(r.Part(), "[1]"...)
	second := append(r.Part(), "[2]"...)
	if b := append(AppendPart([]byte(`{"a":`), part), '}'); string(b) != `{"a":[1]}` || &b[5] != &part[partRoom] {
		t.Errorf("%s", b)
	}
	long := strings.Repeat(" ", partRoom+1)
	if b := AppendPart([]byte(long), second); string(b) != long+"[2]" || string(PartText(second)) != "[2]" {
		t.Errorf("%q", b)
	}
}
