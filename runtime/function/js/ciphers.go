package js

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/pbkdf2"
	"crypto/subtle"
	"fmt"
	"strconv"
	"strings"

	"github.com/dop251/goja"
	"golang.org/x/crypto/scrypt"
)

// block is a cipher under way: what is given to update comes out of it as far as it can, the rest out of final.
type block interface {
	update(b []byte) []byte
	final() ([]byte, error)
}

var (
	errFinal   = sentence("error:1C80006B:Provider routines::wrong final block length")
	errDecrypt = sentence("error:1C800064:Provider routines::bad decrypt")
	errTag     = sentence("Unsupported state or unable to authenticate data")
)

// padding is a mode that works on whole blocks, CBC or ECB.
type padding struct {
	mode    cipher.BlockMode
	encrypt bool
	bare    bool // no padding
	rest    []byte
}

func (p *padding) update(b []byte) []byte {
	p.rest = append(p.rest, b...)
	n := len(p.rest) / aes.BlockSize * aes.BlockSize
	if !p.encrypt && !p.bare && n == len(p.rest) && n > 0 {
		n -= aes.BlockSize // the last may be the one with the padding
	}
	out := make([]byte, n)
	p.mode.CryptBlocks(out, p.rest[:n])
	p.rest = p.rest[n:]
	return out
}

func (p *padding) final() ([]byte, error) {
	if p.encrypt && !p.bare {
		n := aes.BlockSize - len(p.rest)%aes.BlockSize
		for range n {
			p.rest = append(p.rest, byte(n))
		}
	}
	if len(p.rest)%aes.BlockSize != 0 || !p.encrypt && !p.bare && len(p.rest) == 0 {
		return nil, errFinal
	}
	out := make([]byte, len(p.rest))
	p.mode.CryptBlocks(out, p.rest)
	if p.encrypt || p.bare {
		return out, nil
	}
	n := int(out[len(out)-1])
	if n == 0 || n > aes.BlockSize {
		return nil, errDecrypt
	}
	for _, c := range out[len(out)-n:] {
		if int(c) != n {
			return nil, errDecrypt
		}
	}
	return out[:len(out)-n], nil
}

// ecb is the mode that has none.
type ecb struct {
	cipher.Block
	encrypt bool
}

// CryptBlocks treats each block for itself.
func (e ecb) CryptBlocks(dst, src []byte) {
	for i := 0; i < len(src); i += aes.BlockSize {
		if e.encrypt {
			e.Encrypt(dst[i:], src[i:i+aes.BlockSize])
		} else {
			e.Decrypt(dst[i:], src[i:i+aes.BlockSize])
		}
	}
}

// flow is CTR.
type flow struct{ cipher.Stream }

func (f flow) update(b []byte) []byte {
	out := make([]byte, len(b))
	f.XORKeyStream(out, b)
	return out
}

func (f flow) final() ([]byte, error) { return nil, nil }

// sealed is GCM, which authenticates only at the end but gives its output at once, as Node does: the key stream is what the
// encryption of zeros yields.
type sealed struct {
	aead    cipher.AEAD
	iv      []byte
	encrypt bool
	aad     []byte
	tag     []byte // given, to decrypt; made, by final
	size    int    // bytes of the tag
	seen    []byte // all input
}

func (g *sealed) update(b []byte) []byte {
	at := len(g.seen)
	g.seen = append(g.seen, b...)
	stream := g.aead.Seal(nil, g.iv, make([]byte, len(g.seen)), nil)
	out := make([]byte, len(b))
	subtle.XORBytes(out, b, stream[at:])
	return out
}

func (g *sealed) final() ([]byte, error) {
	if g.encrypt {
		all := g.aead.Seal(nil, g.iv, g.seen, g.aad)
		g.tag = all[len(g.seen):][:g.size]
		return nil, nil
	}
	if len(g.tag) == 0 {
		return nil, errTag
	}
	stream := g.aead.Seal(nil, g.iv, make([]byte, len(g.seen)), nil)
	plain := make([]byte, len(g.seen))
	subtle.XORBytes(plain, g.seen, stream)
	made := g.aead.Seal(nil, g.iv, plain, g.aad)[len(plain):]
	if subtle.ConstantTimeCompare(made[:len(g.tag)], g.tag) != 1 {
		return nil, errTag
	}
	return nil, nil
}

// newBlock makes a cipher by its name in Node: aes-128-cbc, aes-256-gcm …
func newBlock(name string, encrypt bool, key, iv []byte, bare bool) (block, error) {
	parts := strings.Split(strings.ToLower(strings.TrimPrefix(name, "id-")), "-")
	if len(parts) == 2 && strings.HasPrefix(parts[0], "aes") { // id-aes256-GCM
		parts = []string{"aes", strings.TrimPrefix(parts[0], "aes"), parts[1]}
	}
	if len(parts) != 3 || parts[0] != "aes" {
		return nil, sentence(fmt.Sprintf("Unknown cipher %q (the js runtime has aes-128, 192 and 256 with cbc, ctr, ecb and gcm)", name))
	}
	if bits, err := strconv.Atoi(parts[1]); err != nil || len(key)*8 != bits {
		return nil, sentence("Invalid key length")
	}
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, sentence("Invalid key length")
	}
	if parts[2] == "gcm" {
		if len(iv) == 0 {
			return nil, sentence("Invalid initialization vector")
		}
		aead, err := cipher.NewGCMWithNonceSize(b, len(iv))
		return &sealed{aead: aead, iv: iv, encrypt: encrypt, size: aead.Overhead()}, err
	}
	want := aes.BlockSize
	if parts[2] == "ecb" {
		want = 0
	}
	if len(iv) != want {
		return nil, sentence("Invalid initialization vector")
	}
	switch {
	case parts[2] == "ctr":
		return flow{cipher.NewCTR(b, iv)}, nil
	case parts[2] == "ecb":
		return &padding{mode: ecbMode{ecb{b, encrypt}}, encrypt: encrypt, bare: bare}, nil
	case parts[2] == "cbc" && encrypt:
		return &padding{mode: cipher.NewCBCEncrypter(b, iv), encrypt: true, bare: bare}, nil
	case parts[2] == "cbc":
		return &padding{mode: cipher.NewCBCDecrypter(b, iv), bare: bare}, nil
	}
	return nil, sentence(fmt.Sprintf("Unknown cipher %q (the js runtime has aes-128, 192 and 256 with cbc, ctr, ecb and gcm)", name))
}

// ecbMode makes a cipher.BlockMode of ecb.
type ecbMode struct{ ecb }

// BlockSize is that of the cipher.
func (m ecbMode) BlockSize() int { return aes.BlockSize }

// hostCipher implements host.cipher(name, encrypt, key, iv, bare) → {update, final, aad, setTag, tag, tagSize}.
func (s *sandbox) hostCipher(call goja.FunctionCall) goja.Value {
	own := func(i int) []byte { return append([]byte(nil), s.bytes(call.Argument(i))...) }
	b, err := newBlock(call.Argument(0).String(), call.Argument(1).ToBoolean(), own(2), own(3), call.Argument(4).ToBoolean())
	if err != nil {
		panic(s.hostError(err))
	}
	g, _ := b.(*sealed)
	obj := s.rt.NewObject()
	_ = obj.Set("update", func(call goja.FunctionCall) goja.Value { return s.arrayBuffer(b.update(s.bytes(call.Argument(0)))) })
	_ = obj.Set("final", func(goja.FunctionCall) goja.Value {
		out, err := b.final()
		return s.or(s.arrayBuffer(out), err)
	})
	if g == nil {
		return obj
	}
	_ = obj.Set("aad", func(call goja.FunctionCall) goja.Value {
		g.aad = append(g.aad, s.bytes(call.Argument(0))...)
		return goja.Undefined()
	})
	_ = obj.Set("setTag", func(call goja.FunctionCall) goja.Value {
		g.tag = append([]byte(nil), s.bytes(call.Argument(0))...)
		if n := len(g.tag); n > 16 || n < 4 {
			s.throw("TypeError", "Invalid authentication tag length: %d", n)
		}
		return goja.Undefined()
	})
	_ = obj.Set("tagSize", func(call goja.FunctionCall) goja.Value {
		if g.size = int(call.Argument(0).ToInteger()); g.size > 16 || g.size < 4 {
			s.throw("TypeError", "Invalid authentication tag length: %d", g.size)
		}
		return goja.Undefined()
	})
	_ = obj.Set("tag", func(goja.FunctionCall) goja.Value { return s.arrayBuffer(g.tag) })
	return obj
}

// maxDerived is how many bytes may be derived at once.
const maxDerived = 1 << 24

// hostDerive implements host.derive(kind, hash, secret, salt, info, length, n, r, p) → a promise of bytes, or bytes at once if kind
// ends with "Sync": of "pbkdf2" n is the iterations, of "scrypt" n, r and p are its own, of "hkdf" info is used.
func (s *sandbox) hostDerive(call goja.FunctionCall) goja.Value {
	own := func(i int) []byte { return append([]byte(nil), s.bytes(call.Argument(i))...) }
	kind, now := strings.CutSuffix(call.Argument(0).String(), "Sync")
	secret, salt, info := own(2), own(3), own(4)
	number := func(i int) int { return int(call.Argument(i).ToInteger()) }
	length, n, r, p := number(5), number(6), number(7), number(8)
	if length < 0 || length > maxDerived {
		s.throw("RangeError", `The value of "keylen" is out of range. Received %d`, length)
	}
	work := func() ([]byte, error) { return scrypt.Key(secret, salt, n, r, p, length) }
	switch kind {
	case "pbkdf2":
		h := s.hashOf(call.Argument(1).String())
		work = func() ([]byte, error) { return pbkdf2.Key(h, string(secret), salt, n, length) }
	case "hkdf":
		h := s.hashOf(call.Argument(1).String())
		work = func() ([]byte, error) { return hkdf.Key(h, secret, salt, string(info), length) }
	default:
		if int64(128)*int64(n)*int64(r) > int64(s.memoryLimit()) {
			s.throw("RangeError", "Invalid scrypt params: memory limit exceeded")
		}
	}
	if now {
		b, err := work()
		return s.or(s.arrayBuffer(b), err)
	}
	return s.async(func(context.Context) (func() goja.Value, error) {
		b, err := work()
		return func() goja.Value { return s.arrayBuffer(b) }, err
	})
}
