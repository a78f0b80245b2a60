package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"
)

// Key encodes the parts of a composite key so that the order of the bytes is the order of the parts: strings and []byte
// by their bytes, int, int64 and time.Time by their value. No encoded part is a prefix of another of its kind, so
// the encoding of a key's first parts is a prefix of exactly the keys that begin with them.
func Key(parts ...any) []byte {
	var b []byte
	for _, part := range parts {
		switch p := part.(type) {
		case string:
			b = appendText(b, []byte(p))
		case []byte:
			b = appendText(b, p)
		case int:
			b = appendInt(b, int64(p))
		case int64:
			b = appendInt(b, p)
		case time.Time:
			b = appendInt(b, p.UnixNano())
		default:
			panic(fmt.Sprintf("store: a key part of type %T", part)) // a mistake in our own code
		}
	}
	return b
}

// appendText ends the text with 00 01 and writes a 00 inside it as 00 FF, so that a shorter text sorts first.
func appendText(b, text []byte) []byte {
	for {
		i := bytes.IndexByte(text, 0)
		if i < 0 {
			break
		}
		b = append(append(b, text[:i]...), 0, 0xff)
		text = text[i+1:]
	}
	return append(append(b, text...), 0, 1)
}

// appendInt flips the sign bit, so that negative numbers sort before the others.
func appendInt(b []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(n)^1<<63)
}
