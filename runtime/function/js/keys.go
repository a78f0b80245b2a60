package js

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"

	"github.com/dop251/goja"
)

// asymmetric is a key of a pair, as scripts hold it without seeing inside.
type asymmetric struct {
	private crypto.Signer // nil: only the public half is known
	secret  *ecdh.PrivateKey
	public  any // *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey or *ecdh.PublicKey (X25519)
}

func (k *asymmetric) isPrivate() bool { return k.private != nil || k.secret != nil }

// kind is Node's asymmetricKeyType.
func (k *asymmetric) kind() string {
	switch k.public.(type) {
	case *rsa.PublicKey:
		return "rsa"
	case *ecdsa.PublicKey:
		return "ec"
	case ed25519.PublicKey:
		return "ed25519"
	}
	return "x25519"
}

// newAsymmetric wraps what the standard library's parsers and generators return.
func newAsymmetric(k any) (*asymmetric, error) {
	switch k := k.(type) {
	case *rsa.PrivateKey:
		return &asymmetric{private: k, public: &k.PublicKey}, nil
	case *ecdsa.PrivateKey:
		return &asymmetric{private: k, public: &k.PublicKey}, nil
	case ed25519.PrivateKey:
		return &asymmetric{private: k, public: k.Public()}, nil
	case *ecdh.PrivateKey:
		return &asymmetric{secret: k, public: k.PublicKey()}, nil
	case *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey, *ecdh.PublicKey:
		return &asymmetric{public: k}, nil
	}
	return nil, fmt.Errorf("the js runtime does not provide keys of the type %T", k)
}

var errKey = sentence("error:1E08010C:DECODER routines::unsupported") // what Node says of what is no key

// parsePEM reads the first key of a PEM text: a private or public one, or a certificate's.
func parsePEM(text []byte) (*asymmetric, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errKey
	}
	return parseDER(block.Bytes, block.Type)
}

// parseDER reads a key by its PEM type, or by Node's name of its encoding.
func parseDER(der []byte, kind string) (*asymmetric, error) {
	var k any
	var err error
	switch kind {
	case "PRIVATE KEY", "pkcs8":
		k, err = x509.ParsePKCS8PrivateKey(der)
	case "RSA PRIVATE KEY", "pkcs1":
		k, err = x509.ParsePKCS1PrivateKey(der)
		if err != nil && kind == "pkcs1" {
			k, err = x509.ParsePKCS1PublicKey(der)
		}
	case "EC PRIVATE KEY", "sec1":
		k, err = x509.ParseECPrivateKey(der)
	case "PUBLIC KEY", "spki":
		k, err = x509.ParsePKIXPublicKey(der)
	case "RSA PUBLIC KEY":
		k, err = x509.ParsePKCS1PublicKey(der)
	case "CERTIFICATE":
		var c *x509.Certificate
		if c, err = x509.ParseCertificate(der); err == nil {
			k = c.PublicKey
		}
	case "ENCRYPTED PRIVATE KEY":
		return nil, errors.New("the js runtime does not provide private keys with a passphrase")
	default:
		return nil, errKey
	}
	if err != nil {
		return nil, fmt.Errorf("%w (%v)", errKey, err)
	}
	return newAsymmetric(k)
}

// curves are the elliptic curves by their names in JSON Web Keys; Node's other names follow.
var curves = map[string]elliptic.Curve{
	"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521(),
	"prime256v1": elliptic.P256(), "secp384r1": elliptic.P384(), "secp521r1": elliptic.P521(),
}

// curveNames are Node's.
var curveNames = map[string]string{"P-256": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1"}

// webKey is a JSON Web Key.
//
// https://www.rfc-editor.org/rfc/rfc7517
type webKey struct {
	Kty string `json:"kty"`
	Crv string `json:"crv,omitempty"`
	N   string `json:"n,omitempty"`
	E   string `json:"e,omitempty"`
	X   string `json:"x,omitempty"`
	Y   string `json:"y,omitempty"`
	D   string `json:"d,omitempty"`
	P   string `json:"p,omitempty"`
	Q   string `json:"q,omitempty"`
	Dp  string `json:"dp,omitempty"`
	Dq  string `json:"dq,omitempty"`
	Qi  string `json:"qi,omitempty"`
}

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// parseJWK reads a JSON Web Key of a pair.
func parseJWK(text []byte) (*asymmetric, error) {
	var j webKey
	if err := json.Unmarshal(text, &j); err != nil {
		return nil, sentence("Invalid JWK data")
	}
	var bad error
	b := func(s string) []byte {
		out, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			bad = err
		}
		return out
	}
	n := func(s string) *big.Int { return new(big.Int).SetBytes(b(s)) }
	var k any
	var err error
	switch j.Kty {
	case "RSA":
		public := rsa.PublicKey{N: n(j.N), E: int(n(j.E).Int64())}
		if k = &public; j.D != "" {
			private := &rsa.PrivateKey{PublicKey: public, D: n(j.D), Primes: []*big.Int{n(j.P), n(j.Q)}}
			if k = private; bad == nil {
				err = private.Validate()
				private.Precompute()
			}
		}
	case "EC":
		curve := curves[j.Crv]
		if curve == nil {
			return nil, sentence(fmt.Sprintf("Invalid JWK EC key: unknown curve %q", j.Crv))
		}
		size := (curve.Params().BitSize + 7) / 8
		if j.D != "" {
			k, err = ecdsa.ParseRawPrivateKey(curve, padded(b(j.D), size))
		} else {
			k, err = ecdsa.ParseUncompressedPublicKey(curve, append([]byte{4}, append(padded(b(j.X), size), padded(b(j.Y), size)...)...))
		}
	case "OKP":
		return parseOKP(j, b(j.X), b(j.D))
	default:
		return nil, sentence(fmt.Sprintf("Unsupported JWK Key Type %q", j.Kty))
	}
	if err == nil {
		err = bad
	}
	if err != nil {
		return nil, sentence(fmt.Sprintf("Invalid JWK data: %v", err))
	}
	return newAsymmetric(k)
}

func parseOKP(j webKey, x, d []byte) (*asymmetric, error) {
	var k any
	var err error
	switch {
	case j.Crv == "Ed25519" && len(d) == ed25519.SeedSize:
		k = ed25519.NewKeyFromSeed(d)
	case j.Crv == "Ed25519" && j.D == "" && len(x) == ed25519.PublicKeySize:
		k = ed25519.PublicKey(x)
	case j.Crv == "X25519" && j.D != "":
		k, err = ecdh.X25519().NewPrivateKey(d)
	case j.Crv == "X25519":
		k, err = ecdh.X25519().NewPublicKey(x)
	default:
		err = sentence("Invalid JWK OKP key")
	}
	if err != nil {
		return nil, err
	}
	return newAsymmetric(k)
}

// padded returns b as size bytes, with zeros before it.
func padded(b []byte, size int) []byte {
	if len(b) >= size {
		return b
	}
	return append(make([]byte, size-len(b)), b...)
}

// jwk is the key as a JSON Web Key.
func (k *asymmetric) jwk() (webKey, error) {
	switch pub := k.public.(type) {
	case *rsa.PublicKey:
		j := webKey{Kty: "RSA", N: base64url(pub.N.Bytes()), E: base64url(big.NewInt(int64(pub.E)).Bytes())}
		if r, ok := k.private.(*rsa.PrivateKey); ok {
			r.Precompute()
			j.D, j.P, j.Q = base64url(r.D.Bytes()), base64url(r.Primes[0].Bytes()), base64url(r.Primes[1].Bytes())
			j.Dp, j.Dq, j.Qi = base64url(r.Precomputed.Dp.Bytes()), base64url(r.Precomputed.Dq.Bytes()), base64url(r.Precomputed.Qinv.Bytes())
		}
		return j, nil
	case *ecdsa.PublicKey:
		b, err := pub.Bytes()
		if err != nil {
			return webKey{}, err
		}
		half := (len(b) - 1) / 2
		j := webKey{Kty: "EC", Crv: pub.Curve.Params().Name, X: base64url(b[1 : 1+half]), Y: base64url(b[1+half:])}
		if e, ok := k.private.(*ecdsa.PrivateKey); ok {
			d, err := e.Bytes()
			if err != nil {
				return webKey{}, err
			}
			j.D = base64url(d)
		}
		return j, nil
	case ed25519.PublicKey:
		j := webKey{Kty: "OKP", Crv: "Ed25519", X: base64url(pub)}
		if e, ok := k.private.(ed25519.PrivateKey); ok {
			j.D = base64url(e.Seed())
		}
		return j, nil
	case *ecdh.PublicKey:
		j := webKey{Kty: "OKP", Crv: "X25519", X: base64url(pub.Bytes())}
		if k.secret != nil {
			j.D = base64url(k.secret.Bytes())
		}
		return j, nil
	}
	return webKey{}, errKey
}

// der is the key in one of Node's encodings, with the type that it has in PEM.
func (k *asymmetric) der(encoding string) ([]byte, string, error) {
	var private any = k.private
	if k.secret != nil {
		private = k.secret
	}
	switch {
	case encoding == "spki":
		b, err := x509.MarshalPKIXPublicKey(k.public)
		return b, "PUBLIC KEY", err
	case encoding == "pkcs8" && k.isPrivate():
		b, err := x509.MarshalPKCS8PrivateKey(private)
		return b, "PRIVATE KEY", err
	case encoding == "pkcs1":
		if r, ok := k.private.(*rsa.PrivateKey); ok {
			return x509.MarshalPKCS1PrivateKey(r), "RSA PRIVATE KEY", nil
		}
		if r, ok := k.public.(*rsa.PublicKey); ok {
			return x509.MarshalPKCS1PublicKey(r), "RSA PUBLIC KEY", nil
		}
	case encoding == "sec1":
		if e, ok := k.private.(*ecdsa.PrivateKey); ok {
			b, err := x509.MarshalECPrivateKey(e)
			return b, "EC PRIVATE KEY", err
		}
	case encoding == "raw":
		switch pub := k.public.(type) {
		case *ecdsa.PublicKey:
			b, err := pub.Bytes()
			return b, "", err
		case ed25519.PublicKey:
			return pub, "", nil
		case *ecdh.PublicKey:
			return pub.Bytes(), "", nil
		}
	}
	return nil, "", sentence(fmt.Sprintf("The key cannot be exported as %s", encoding))
}

// generate makes a pair: "rsa" of so many bits, "ec" on a curve, "ed25519" or "x25519".
func generate(kind string, bits int, curve string) (*asymmetric, error) {
	var k any
	var err error
	switch kind {
	case "rsa":
		k, err = rsa.GenerateKey(rand.Reader, bits)
	case "ec":
		c := curves[curve]
		if c == nil {
			return nil, sentence(fmt.Sprintf("Invalid EC curve name %q", curve))
		}
		k, err = ecdsa.GenerateKey(c, rand.Reader)
	case "ed25519":
		_, k, err = ed25519.GenerateKey(rand.Reader)
	case "x25519":
		k, err = ecdh.X25519().GenerateKey(rand.Reader)
	default:
		return nil, fmt.Errorf("the js runtime does not provide key pairs of the type %q", kind)
	}
	if err != nil {
		return nil, err
	}
	return newAsymmetric(k)
}

// asymmetricOf returns the key that a script holds.
func (s *sandbox) asymmetricOf(v goja.Value) *asymmetric {
	if k, ok := v.Export().(*asymmetric); ok {
		return k
	}
	s.throw("TypeError", "Invalid key object")
	return nil
}

// keyValue is what a script gets of a key: {key, type, kind, curve, bits, exponent}.
func (s *sandbox) keyValue(k *asymmetric) goja.Value {
	obj := s.rt.NewObject()
	_ = obj.Set("key", k)
	kind := "public"
	if k.isPrivate() {
		kind = "private"
	}
	_ = obj.Set("type", kind)
	_ = obj.Set("kind", k.kind())
	switch pub := k.public.(type) {
	case *rsa.PublicKey:
		_ = obj.Set("bits", pub.N.BitLen())
		_ = obj.Set("exponent", pub.E)
	case *ecdsa.PublicKey:
		_ = obj.Set("curve", curveNames[pub.Curve.Params().Name])
	}
	return obj
}

// or returns a value, or throws.
func (s *sandbox) or(v goja.Value, err error) goja.Value {
	if err != nil {
		panic(s.hostError(err))
	}
	return v
}

// keyFunctions are host.group("keys").
func (s *sandbox) keyFunctions() map[string]any {
	value := func(k *asymmetric, err error) goja.Value {
		if err != nil {
			panic(s.hostError(err))
		}
		return s.keyValue(k)
	}
	return map[string]any{
		// pem(text), der(bytes, encoding), jwk(JSON), raw(curve, bytes) → a key
		"pem": func(call goja.FunctionCall) goja.Value { return value(parsePEM(s.bytes(call.Argument(0)))) },
		"der": func(call goja.FunctionCall) goja.Value {
			return value(parseDER(s.bytes(call.Argument(0)), call.Argument(1).String()))
		},
		"jwk": func(call goja.FunctionCall) goja.Value { return value(parseJWK([]byte(call.Argument(0).String()))) },
		"raw": func(call goja.FunctionCall) goja.Value {
			return value(parseRaw(call.Argument(0).String(), s.bytes(call.Argument(1))))
		},
		"generate": func(call goja.FunctionCall) goja.Value {
			return value(generate(call.Argument(0).String(), int(call.Argument(1).ToInteger()), call.Argument(2).String()))
		},
		"public": func(call goja.FunctionCall) goja.Value {
			return s.keyValue(&asymmetric{public: s.asymmetricOf(call.Argument(0)).public})
		},
		// toDER(key, encoding) → bytes, toPEM(key, encoding) → text, toJWK(key) → JSON
		"toDER": func(call goja.FunctionCall) goja.Value {
			b, _, err := s.asymmetricOf(call.Argument(0)).der(call.Argument(1).String())
			return s.or(s.arrayBuffer(b), err)
		},
		"toPEM": func(call goja.FunctionCall) goja.Value {
			b, kind, err := s.asymmetricOf(call.Argument(0)).der(call.Argument(1).String())
			return s.or(s.rt.ToValue(string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))), err)
		},
		"toJWK": func(call goja.FunctionCall) goja.Value {
			j, err := s.asymmetricOf(call.Argument(0)).jwk()
			return s.or(s.rt.ToValue(string(marshal(j))), err)
		},
		"sign":    s.hostSign,
		"verify":  s.hostVerify,
		"encrypt": s.hostEncrypt,
		"decrypt": s.hostDecrypt,
		"agree":   s.hostAgree,
	}
}

// parseRaw reads a public key's bare bytes.
func parseRaw(curve string, b []byte) (*asymmetric, error) {
	var k any
	var err error
	switch c := curves[curve]; {
	case c != nil:
		k, err = ecdsa.ParseUncompressedPublicKey(c, b)
	case curve == "Ed25519" && len(b) == ed25519.PublicKeySize:
		k = ed25519.PublicKey(b)
	case curve == "X25519":
		k, err = ecdh.X25519().NewPublicKey(b)
	default:
		err = errKey
	}
	if err != nil {
		return nil, err
	}
	return newAsymmetric(k)
}
