package wire

import "sync"

// memory is what the answer to a request over HTTP may be made of. Once that is sent it serves another request.
type memory struct {
	whole, free []byte
	part        *[]byte        // pooled, where the part lies that was begun, nil if none was
	head        [partRoom]byte // what the answer is begun in, if a part was
}

var memories = sync.Pool{New: func() any { return new(memory) }}

// leastMemory is how many bytes are made at least.
const leastMemory = 16 << 10

func (m *memory) alloc(n int) []byte {
	if len(m.free) < n {
		m.whole = make([]byte, max(n, 2*len(m.whole), leastMemory))
		m.free = m.whole
	}
	b := m.free[:n:n]
	m.free = m.free[n:]
	return b
}

// release gives the memory to the next request.
func (m *memory) release() {
	if m == nil {
		return
	}
	putBuffer(m.part) // of an answer that was not sent
	m.part = nil
	if len(m.whole) <= maxPooled {
		m.free = m.whole
		memories.Put(m)
	}
}

// Memory returns n bytes, with anything in them, for the output of the operation alone: over HTTP they are used again once the
// answer is sent.
func (r *Request) Memory(n int) []byte {
	if r == nil || r.memory == nil {
		return make([]byte, n)
	}
	return r.memory.alloc(n)
}

// partRoom is how many bytes a part leaves free for what stands before it in the answer: the names of its member and, in
// BatchGetItem's answer, of a table.
const partRoom = 320

// Part begins a part of the output's JSON, for a Compact that is written while the operation is at work. Over HTTP the first
// part lies where the answer is sent from, so that it need not be copied. What comes after it is appended.
func (r *Request) Part() []byte {
	if r == nil || r.memory == nil || r.memory.part != nil {
		return make([]byte, partRoom)
	}
	b := buffers.Get().(*[]byte)
	r.memory.part = b
	return (*b)[:partRoom]
}

// PartText is what was appended to a part.
func PartText(part []byte) []byte { return part[partRoom:] }

// AppendPart appends a part, once it is complete, to what stands before it in the answer.
func AppendPart(b, part []byte) []byte {
	if len(b) > partRoom {
		return append(b, part[partRoom:]...)
	}
	from := partRoom - len(b)
	copy(part[from:], b)
	return part[from:]
}
