// Package jsontext reads and writes the strings of JSON, which is most of what a message in JSON is.
package jsontext

import (
	"encoding/binary"
	"math/bits"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// Eight bytes are looked at together: each of these has the same byte eight times.
const (
	ones      = 0x0101010101010101
	highs     = 0x8080808080808080
	quotes    = '"' * ones
	backs     = '\\' * ones
	firstText = ' ' * ones
)

// special marks, by their highest bit, those of eight bytes that are a quote, a backslash or a control character. Only the
// lowest mark is sure to be right.
func special(x uint64) uint64 {
	q, b := x^quotes, x^backs
	return ((q-ones)&^q | (b-ones)&^b | (x-firstText)&^x) & highs
}

// End finds the end of a string whose contents begin at i: the place of its closing quote, whether there are escapes before it,
// and whether it is surely of ASCII alone. It is -1 if the string does not end, or has a control character in it.
func End(b []byte, i int) (end int, escaped, ascii bool) {
	var all uint64
	for i < len(b) {
		if len(b)-i >= 8 {
			x := binary.LittleEndian.Uint64(b[i:])
			m := special(x)
			if m == 0 {
				all |= x
				i += 8
				continue
			}
			n := bits.TrailingZeros64(m) / 8
			all |= x & (1<<(8*n) - 1)
			i += n
		}
		switch c := b[i]; {
		case c == '"':
			return i, escaped, all&highs == 0
		case c == '\\':
			escaped = true
			if i++; i < len(b) {
				all |= uint64(b[i])
				i++
			}
		case c < ' ':
			return -1, escaped, false
		default:
			all |= uint64(c)
			i++
		}
	}
	return -1, escaped, false
}

// Plain tells whether a string is written as it is: UTF-8, and no character of it needs an escape.
func Plain(s string) bool {
	var all uint64
	i := 0
	for ; len(s)-i >= 8; i += 8 {
		x := binary.LittleEndian.Uint64(unsafe.Slice(unsafe.StringData(s), len(s))[i:])
		if special(x) != 0 {
			return false
		}
		all |= x
	}
	for ; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' {
			return false
		}
		all |= uint64(s[i])
	}
	return all&highs == 0 || utf8.ValidString(s)
}

// last returns the last eight bytes of a string, those that it does not have as others of its own. It is not empty.
func last(s string) uint64 {
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	switch n := len(b); {
	case n >= 8:
		return binary.LittleEndian.Uint64(b[n-8:])
	case n >= 4:
		return uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[n-4:]))<<32
	default:
		return uint64(b[0])*(ones&^0xffff) | uint64(b[n/2])<<8 | uint64(b[n-1])
	}
}

// Unescape appends what stands between the quotes of a string, its escapes resolved. It reports false if one is wrong.
func Unescape(dst, b []byte) ([]byte, bool) {
	from := 0
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' {
			continue
		}
		dst = append(dst, b[from:i]...)
		if i++; i == len(b) {
			return dst, false
		}
		switch c := b[i]; c {
		case '"', '\\', '/':
			dst = append(dst, c)
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r, n := Rune(b[i+1:])
			if n == 0 {
				return dst, false
			}
			i += n
			dst = utf8.AppendRune(dst, r)
		default:
			return dst, false
		}
		from = i + 1
	}
	return append(dst, b[from:]...), true
}

// Rune reads what follows \u: four digits, and the second half of a surrogate pair. n is 0 if there are none.
func Rune(b []byte) (r rune, n int) {
	hex := func(b []byte) rune {
		if len(b) < 4 {
			return -1
		}
		x, err := strconv.ParseUint(string(b[:4]), 16, 16)
		if err != nil || b[0] == '+' {
			return -1
		}
		return rune(x)
	}
	if r = hex(b); r < 0 {
		return 0, 0
	}
	if utf16.IsSurrogate(r) {
		if len(b) >= 10 && b[4] == '\\' && b[5] == 'u' {
			if pair := utf16.DecodeRune(r, hex(b[6:])); pair != utf8.RuneError {
				return pair, 10
			}
		}
		return utf8.RuneError, 4
	}
	return r, 4
}

const hexDigits = "0123456789abcdef"

// AppendString writes a string with its quotes. Bytes that are not UTF-8 become U+FFFD.
func AppendString(b []byte, s string) []byte {
	b = append(b, '"')
	from, i := 0, 0
	for i < len(s) {
		if len(s)-i < 8 {
			if x := last(s); special(x)|x&highs == 0 {
				break
			}
		} else {
			x := binary.LittleEndian.Uint64(unsafe.Slice(unsafe.StringData(s), len(s))[i:])
			m := special(x) | x&highs
			if m == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(m) / 8
		}
		c := s[i]
		switch {
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = append(append(b, s[from:i]...), "\ufffd"...)
				from = i + 1
			}
			i += n
			continue
		case c >= ' ' && c != '"' && c != '\\':
			i++
			continue
		}
		b = append(b, s[from:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		from = i
	}
	return append(append(b, s[from:]...), '"')
}
