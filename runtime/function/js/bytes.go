package js

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
	"unicode/utf16"

	"github.com/dop251/goja"
)

func (s *sandbox) bytesFunctions() map[string]any {
	return map[string]any{
		"encode": s.hostEncode,
		"decode": s.hostDecode,
		"digest": s.hostDigest,
		"hmac":   s.hostHMAC,
		"random": s.hostRandom,
		"uuid":   s.hostUUID,
		"cipher": s.hostCipher,
		"derive": s.hostDerive,
	}
}

// bytes returns the bytes of a string, an ArrayBuffer or a Uint8Array. They may be the script's own: not to be kept.
func (s *sandbox) bytes(v goja.Value) []byte {
	if obj, ok := v.(*goja.Object); ok {
		switch b := obj.Export().(type) {
		case goja.ArrayBuffer:
			return b.Bytes()
		case []byte:
			return b
		}
	}
	return []byte(v.String())
}

func (s *sandbox) arrayBuffer(b []byte) goja.Value { return s.rt.ToValue(s.rt.NewArrayBuffer(b)) }

// hostEncode implements host.encode(text, encoding) → ArrayBuffer, with Node's encodings.
func (s *sandbox) hostEncode(call goja.FunctionCall) goja.Value {
	text := call.Argument(0).String()
	switch call.Argument(1).String() {
	case "utf8":
		return s.arrayBuffer([]byte(text))
	case "hex": // as far as the digits go
		out := make([]byte, 0, len(text)/2)
		for i := 0; i+1 < len(text); i += 2 {
			b, err := hex.DecodeString(text[i : i+2])
			if err != nil {
				break
			}
			out = append(out, b[0])
		}
		return s.arrayBuffer(out)
	case "base64":
		return s.arrayBuffer(looseBase64(text))
	case "latin1":
		out := make([]byte, 0, len(text))
		for _, u := range utf16.Encode([]rune(text)) {
			out = append(out, byte(u))
		}
		return s.arrayBuffer(out)
	case "utf16le":
		var out []byte
		for _, u := range utf16.Encode([]rune(text)) {
			out = binary.LittleEndian.AppendUint16(out, u)
		}
		return s.arrayBuffer(out)
	}
	s.throw("TypeError", "Unknown encoding: %s", call.Argument(1))
	return nil
}

// looseBase64 decodes as Node does: either alphabet, padding or none, what is not of them passed over.
func looseBase64(text string) []byte {
	clean := make([]byte, 0, len(text))
	text, _, _ = strings.Cut(text, "=")
	for i := range len(text) {
		switch c := text[i]; {
		case c == '-':
			clean = append(clean, '+')
		case c == '_':
			clean = append(clean, '/')
		case c == '+' || c == '/' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
			clean = append(clean, c)
		}
	}
	if len(clean)%4 == 1 {
		clean = clean[:len(clean)-1]
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(clean)))
	n, _ := base64.RawStdEncoding.Decode(out, clean) // only letters of the alphabet are left
	return out[:n]
}

// hostDecode implements host.decode(bytes, encoding) → text.
func (s *sandbox) hostDecode(call goja.FunctionCall) goja.Value {
	b := s.bytes(call.Argument(0))
	switch call.Argument(1).String() {
	case "utf8":
		return s.rt.ToValue(string([]rune(string(b)))) // a U+FFFD for each byte that is no UTF-8
	case "hex":
		return s.rt.ToValue(hex.EncodeToString(b))
	case "base64":
		return s.rt.ToValue(base64.StdEncoding.EncodeToString(b))
	case "base64url":
		return s.rt.ToValue(base64.RawURLEncoding.EncodeToString(b))
	case "latin1", "ascii":
		var out strings.Builder
		for _, c := range b {
			if call.Argument(1).String() == "ascii" {
				c &= 0x7f
			}
			out.WriteRune(rune(c))
		}
		return s.rt.ToValue(out.String())
	case "utf16le":
		units := make([]uint16, len(b)/2)
		for i := range units {
			units[i] = binary.LittleEndian.Uint16(b[2*i:])
		}
		return s.rt.ToValue(string(utf16.Decode(units)))
	}
	s.throw("TypeError", "Unknown encoding: %s", call.Argument(1))
	return nil
}

// hashOf returns a hash function by its name in Node.
func (s *sandbox) hashOf(name string) func() hash.Hash {
	switch strings.ReplaceAll(strings.ToLower(name), "-", "") {
	case "md5":
		return md5.New
	case "sha1":
		return sha1.New
	case "sha224":
		return sha256.New224
	case "sha256":
		return sha256.New
	case "sha384":
		return sha512.New384
	case "sha512":
		return sha512.New
	}
	s.throw("Error", "Digest method not supported: %s (the js runtime has md5, sha1, sha224, sha256, sha384, sha512)", name)
	return nil
}

// hostDigest implements host.digest(algorithm, bytes) → ArrayBuffer.
func (s *sandbox) hostDigest(call goja.FunctionCall) goja.Value {
	h := s.hashOf(call.Argument(0).String())()
	h.Write(s.bytes(call.Argument(1)))
	return s.arrayBuffer(h.Sum(nil))
}

// hostHMAC implements host.hmac(algorithm, key, bytes) → ArrayBuffer.
func (s *sandbox) hostHMAC(call goja.FunctionCall) goja.Value {
	h := hmac.New(s.hashOf(call.Argument(0).String()), s.bytes(call.Argument(1)))
	h.Write(s.bytes(call.Argument(2)))
	return s.arrayBuffer(h.Sum(nil))
}

// hostRandom implements host.random(n) → ArrayBuffer of n random bytes.
func (s *sandbox) hostRandom(call goja.FunctionCall) goja.Value {
	n := call.Argument(0).ToInteger()
	if n < 0 || n > 1<<26 {
		s.throw("RangeError", `The value of "size" is out of range. Received %d`, n)
	}
	b := make([]byte, n)
	rand.Read(b) // never fails, since Go 1.24
	return s.arrayBuffer(b)
}

// hostUUID implements host.uuid() → a version 4 UUID.
func (s *sandbox) hostUUID(goja.FunctionCall) goja.Value {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return s.rt.ToValue(fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]))
}
