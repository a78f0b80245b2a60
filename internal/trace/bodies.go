package trace

import "strings"

// maxBody is how many bytes of an input or output a span keeps, maxBodies how many of them all spans keep together: the oldest
// are overwritten first.
const (
	maxBody   = 4 << 10
	maxBodies = 16 << 20
	chunkSize = 256 << 10
)

// bodies holds the inputs and outputs of all spans. It is made of chunks, each made when it is first written to, so that a daemon
// that was hardly called holds little, and what a call leaves behind is no work for the garbage collector.
type bodies struct {
	chunks  [maxBodies / chunkSize][]byte
	written int64 // bytes so far, and what was left free at the ends of chunks
}

// body is where an input or output is. The zero body is none.
type body struct {
	at      int64
	size    int32
	clipped bool
}

// keep copies the beginning of an input or output.
func (s *bodies) keep(b []byte) body {
	kept := body{clipped: len(b) > maxBody}
	b = b[:min(len(b), maxBody)]
	if free := chunkSize - s.written%chunkSize; int64(len(b)) > free {
		s.written += free
	}
	kept.at, kept.size = s.written, int32(len(b))
	chunk := &s.chunks[s.written/chunkSize%int64(len(s.chunks))]
	if *chunk == nil {
		*chunk = make([]byte, chunkSize)
	}
	copy((*chunk)[s.written%chunkSize:], b)
	s.written += int64(len(b))
	return kept
}

// text returns what was kept, "" if it was overwritten since. What is no text becomes one.
func (s *bodies) text(b body) string {
	if b.size == 0 || b.at < s.written-maxBodies {
		return ""
	}
	at := b.at % chunkSize
	text := string(s.chunks[b.at/chunkSize%int64(len(s.chunks))][at : at+int64(b.size)])
	if b.clipped {
		return strings.ToValidUTF8(text, "") + "…"
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
