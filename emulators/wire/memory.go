package wire

import "sync"

// memory is what the answer to a request over HTTP may be made of. Once that is sent it serves another request.
type memory struct {
	whole, free []byte
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
	if m != nil && len(m.whole) <= maxPooled {
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
