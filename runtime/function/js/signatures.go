package js

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/dop251/goja"
)

// hashes are the hash functions of signatures by Node's names.
var hashes = map[string]crypto.Hash{
	"md5": crypto.MD5, "sha1": crypto.SHA1, "sha224": crypto.SHA224, "sha256": crypto.SHA256, "sha384": crypto.SHA384, "sha512": crypto.SHA512,
}

// scheme is how a signature is made.
type scheme struct {
	hash crypto.Hash
	pss  bool
	salt int  // bytes, of PSS
	flat bool // an ECDSA signature is two numbers of the curve's size, not DER
}

// schemeOf reads {hash, pss, salt, flat}. A hash's name may have what it is for before it, "RSA-SHA256".
func (s *sandbox) schemeOf(v goja.Value) scheme {
	o := v.ToObject(s.rt)
	name := strings.ToLower(s.stringOf(o.Get("hash")))
	name = strings.ReplaceAll(strings.TrimPrefix(strings.TrimPrefix(name, "rsa-"), "ecdsa-"), "-", "")
	out := scheme{hash: hashes[name], pss: truth(o.Get("pss")), flat: truth(o.Get("flat")), salt: rsa.PSSSaltLengthAuto}
	if v := o.Get("salt"); v != nil && !goja.IsUndefined(v) {
		out.salt = int(v.ToInteger())
	}
	if out.hash == 0 && name != "" && name != "null" && name != "undefined" {
		s.throw("Error", "Invalid digest: %s", name)
	}
	return out
}

func truth(v goja.Value) bool { return v != nil && v.ToBoolean() }

// digest hashes data; an empty hash leaves it.
func (c scheme) digest(data []byte) []byte {
	if c.hash == 0 {
		return data
	}
	h := c.hash.New()
	h.Write(data)
	return h.Sum(nil)
}

// saltLength is a PSS salt's, in bytes; Node's -1 is the digest's, its -2 as much as fits.
func (c scheme) saltLength() int {
	switch c.salt {
	case -1:
		return rsa.PSSSaltLengthEqualsHash
	case -2:
		return rsa.PSSSaltLengthAuto
	}
	return c.salt
}

var errNeedsHash = errors.New("the signature needs a digest")

func (k *asymmetric) sign(c scheme, data []byte) ([]byte, error) {
	switch private := k.private.(type) {
	case *rsa.PrivateKey:
		if c.hash == 0 {
			return nil, errNeedsHash
		}
		if c.pss {
			return rsa.SignPSS(rand.Reader, private, c.hash, c.digest(data), &rsa.PSSOptions{SaltLength: c.saltLength()})
		}
		return rsa.SignPKCS1v15(nil, private, c.hash, c.digest(data))
	case *ecdsa.PrivateKey:
		if c.hash == 0 {
			return nil, errNeedsHash
		}
		der, err := ecdsa.SignASN1(rand.Reader, private, c.digest(data))
		if err != nil || !c.flat {
			return der, err
		}
		var pair struct{ R, S *big.Int }
		if _, err := asn1.Unmarshal(der, &pair); err != nil {
			return nil, err
		}
		size := (private.Curve.Params().BitSize + 7) / 8
		return append(padded(pair.R.Bytes(), size), padded(pair.S.Bytes(), size)...), nil
	case ed25519.PrivateKey:
		return ed25519.Sign(private, data), nil
	}
	return nil, errors.New("the key cannot sign")
}

func (k *asymmetric) verify(c scheme, data, signature []byte) (bool, error) {
	switch public := k.public.(type) {
	case *rsa.PublicKey:
		if c.hash == 0 {
			return false, errNeedsHash
		}
		if c.pss {
			return rsa.VerifyPSS(public, c.hash, c.digest(data), signature, &rsa.PSSOptions{SaltLength: c.saltLength()}) == nil, nil
		}
		return rsa.VerifyPKCS1v15(public, c.hash, c.digest(data), signature) == nil, nil
	case *ecdsa.PublicKey:
		if c.hash == 0 {
			return false, errNeedsHash
		}
		if c.flat {
			half := len(signature) / 2
			pair := struct{ R, S *big.Int }{new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])}
			if half != (public.Curve.Params().BitSize+7)/8 || len(signature)%2 != 0 {
				return false, nil
			}
			der, err := asn1.Marshal(pair)
			if err != nil {
				return false, nil
			}
			signature = der
		}
		return ecdsa.VerifyASN1(public, c.digest(data), signature), nil
	case ed25519.PublicKey:
		return ed25519.Verify(public, data, signature), nil
	}
	return false, errors.New("the key cannot verify")
}

// hostSign implements keys.sign(key, scheme, data) → ArrayBuffer.
func (s *sandbox) hostSign(call goja.FunctionCall) goja.Value {
	b, err := s.asymmetricOf(call.Argument(0)).sign(s.schemeOf(call.Argument(1)), s.bytes(call.Argument(2)))
	return s.or(s.arrayBuffer(b), err)
}

// hostVerify implements keys.verify(key, scheme, data, signature).
func (s *sandbox) hostVerify(call goja.FunctionCall) goja.Value {
	ok, err := s.asymmetricOf(call.Argument(0)).verify(s.schemeOf(call.Argument(1)), s.bytes(call.Argument(2)), s.bytes(call.Argument(3)))
	return s.or(s.rt.ToValue(ok), err)
}

// hostEncrypt implements keys.encrypt(key, hash, data, label) → ArrayBuffer, by RSA-OAEP; no hash means PKCS #1 v1.5.
func (s *sandbox) hostEncrypt(call goja.FunctionCall) goja.Value {
	public, ok := s.asymmetricOf(call.Argument(0)).public.(*rsa.PublicKey)
	if !ok {
		s.throw("Error", "only RSA keys can encrypt")
	}
	h := hashes[strings.ReplaceAll(strings.ToLower(call.Argument(1).String()), "-", "")]
	var b []byte
	var err error
	if h == 0 {
		//lint:ignore SA1019 Node has it, and a script that asks for it gets it
		b, err = rsa.EncryptPKCS1v15(rand.Reader, public, s.bytes(call.Argument(2)))
	} else {
		b, err = rsa.EncryptOAEP(h.New(), rand.Reader, public, s.bytes(call.Argument(2)), s.bytes(call.Argument(3)))
	}
	return s.or(s.arrayBuffer(b), err)
}

// hostDecrypt implements keys.decrypt(key, hash, data, label) → ArrayBuffer.
func (s *sandbox) hostDecrypt(call goja.FunctionCall) goja.Value {
	private, ok := s.asymmetricOf(call.Argument(0)).private.(*rsa.PrivateKey)
	if !ok {
		s.throw("Error", "only private RSA keys can decrypt")
	}
	h := hashes[strings.ReplaceAll(strings.ToLower(call.Argument(1).String()), "-", "")]
	var b []byte
	var err error
	if h == 0 {
		//lint:ignore SA1019 Node has it, and a script that asks for it gets it
		b, err = rsa.DecryptPKCS1v15(nil, private, s.bytes(call.Argument(2)))
	} else {
		b, err = rsa.DecryptOAEP(h.New(), nil, private, s.bytes(call.Argument(2)), s.bytes(call.Argument(3)))
	}
	return s.or(s.arrayBuffer(b), err)
}

// hostAgree implements keys.agree(private, public) → ArrayBuffer of the secret that both sides share.
func (s *sandbox) hostAgree(call goja.FunctionCall) goja.Value {
	b, err := agree(s.asymmetricOf(call.Argument(0)), s.asymmetricOf(call.Argument(1)))
	return s.or(s.arrayBuffer(b), err)
}

func agree(own, other *asymmetric) ([]byte, error) {
	private, public := own.secret, (*ecdh.PublicKey)(nil)
	var err error
	if e, ok := own.private.(*ecdsa.PrivateKey); ok {
		if private, err = e.ECDH(); err != nil {
			return nil, err
		}
	}
	switch p := other.public.(type) {
	case *ecdh.PublicKey:
		public = p
	case *ecdsa.PublicKey:
		if public, err = p.ECDH(); err != nil {
			return nil, err
		}
	}
	if private == nil || public == nil || private.Curve() != public.Curve() {
		return nil, fmt.Errorf("the keys cannot agree on a secret: they are %s and %s", own.kind(), other.kind())
	}
	return private.ECDH(public)
}
