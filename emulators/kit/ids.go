package kit

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"sync"
)

// IDs makes identifiers. Tests replace the source of bytes, so that golden conversations repeat.
type IDs struct {
	src io.Reader // nil: fast and good enough
}

// QuickIDs returns identifiers that differ, but that somebody might guess: of requests.
func QuickIDs() IDs { return IDs{} }

// RandomIDs returns identifiers from the operating system's randomness.
func RandomIDs() IDs { return IDs{rand.Reader} }

// SeededIDs returns the same identifiers at every run. For tests.
func SeededIDs(seed byte) IDs {
	return IDs{&lockedReader{r: mathrand.NewChaCha8([32]byte{seed})}}
}

// UUID returns a random UUID (version 4) in lower case.
func (g IDs) UUID() string {
	var b [16]byte
	if g.src == nil {
		binary.NativeEndian.PutUint64(b[:], mathrand.Uint64())
		binary.NativeEndian.PutUint64(b[8:], mathrand.Uint64())
	} else {
		copy(b[:], g.bytes(16))
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	text := make([]byte, 0, 36) // by hand: every request has one
	for i, part := range [...][]byte{b[:4], b[4:6], b[6:8], b[8:10], b[10:]} {
		if i > 0 {
			text = append(text, '-')
		}
		text = hex.AppendEncode(text, part)
	}
	return string(text)
}

// Hex returns n lower-case hexadecimal digits.
func (g IDs) Hex(n int) string { return hex.EncodeToString(g.bytes((n + 1) / 2))[:n] }

// From returns n characters of the alphabet, as in IAM's AIDA… identifiers and API Gateway's API ids.
func (g IDs) From(alphabet string, n int) string {
	b := g.bytes(n)
	for i := range b {
		b[i] = alphabet[int(b[i])%len(alphabet)]
	}
	return string(b)
}

func (g IDs) bytes(n int) []byte {
	b := make([]byte, n)
	if g.src == nil {
		for i := range b {
			b[i] = byte(mathrand.Uint32())
		}
		return b
	}
	if _, err := io.ReadFull(g.src, b); err != nil {
		panic(fmt.Sprintf("kit: no random bytes: %v", err)) // the operating system's source does not fail
	}
	return b
}

type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lockedReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(p)
}
