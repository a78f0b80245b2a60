package js

import (
	"bytes"
	"testing"
)

// node:crypto and crypto.subtle. A script's last value is true.
func TestCrypto(t *testing.T) {
	for _, tt := range []struct{ name, body string }{
		{"AES in all modes, in pieces", `return ["cbc", "ctr", "ecb", "gcm"].every((m) => [128, 192, 256].every((n) => { const key = c.randomBytes(n / 8), iv = m === "ecb" ? null : c.randomBytes(m === "gcm" ? 12 : 16); const e: any = c.createCipheriv("aes-" + n + "-" + m, key, iv); const out = Buffer.concat([e.update("hello "), e.update("wörld, and more"), e.final()]); const d: any = c.createDecipheriv("aes-" + n + "-" + m, key, iv); if (m === "gcm") d.setAuthTag(e.getAuthTag()); return d.update(out.subarray(0, 7), null, "utf8") + d.update(out.subarray(7), null, "utf8") + d.final("utf8") === "hello wörld, and more" }))`},
		{"a known answer of AES-256-CBC", `const e = c.createCipheriv("aes-256-cbc", Buffer.alloc(32, 1), Buffer.alloc(16, 2)); return e.update("text", "utf8", "hex") + e.final("hex") === "` + knownCBC + `"`},
		{"GCM refuses what was changed", `const k = c.randomBytes(32), iv = c.randomBytes(12); const e = c.createCipheriv("aes-256-gcm", k, iv).setAAD(Buffer.from("a")); const out = Buffer.concat([e.update("x"), e.final()]); const d = c.createDecipheriv("aes-256-gcm", k, iv).setAAD(Buffer.from("b")); d.setAuthTag(e.getAuthTag()); d.update(out); try { d.final() } catch (err: any) { return err.message === "Unsupported state or unable to authenticate data" }`},
		{"a wrong key of CBC", `const e = c.createCipheriv("aes-128-cbc", Buffer.alloc(16, 1), Buffer.alloc(16)); const out = Buffer.concat([e.update("x"), e.final()]); const d = c.createDecipheriv("aes-128-cbc", Buffer.alloc(16, 2), Buffer.alloc(16)); try { d.update(out); d.final() } catch (err: any) { return /bad decrypt/.test(err.message) }`},
		{"pbkdf2, scrypt and hkdf", `const { promisify } = require("util"); return c.pbkdf2Sync("password", "salt", 1, 20, "sha1").toString("hex") === "0c60c80f961f0e71f3a9b524af6012062fe037a6" && c.scryptSync("", "", 64, { N: 16, r: 1, p: 1 }).toString("hex").startsWith("77d6576238657b20") && Buffer.from(c.hkdfSync("sha256", "k", "", "", 4)).equals(Buffer.from(await promisify(c.hkdf)("sha256", "k", "", "", 4))) && (await promisify(c.pbkdf2)("password", "salt", 2, 20, "sha1")).toString("hex").startsWith("ea6c014dc72d6f8c")`},
		{"RSA: signatures by PEM keys", `const { publicKey, privateKey } = c.generateKeyPairSync("rsa", { modulusLength: 2048, publicKeyEncoding: { type: "spki", format: "pem" }, privateKeyEncoding: { type: "pkcs1", format: "pem" } }); const s = c.createSign("RSA-SHA256").update("a").update("b").sign(privateKey, "base64"); return c.createVerify("sha256").update("ab").verify(publicKey, s, "base64") && !c.createVerify("sha256").update("x").verify(publicKey, s, "base64") && c.privateDecrypt(privateKey, c.publicEncrypt(publicKey, Buffer.from("m"))).toString() === "m" && privateKey.startsWith("-----BEGIN RSA PRIVATE KEY-----")`},
		{"EC and Ed25519", `const e = c.generateKeyPairSync("ec", { namedCurve: "prime256v1" }), d = c.generateKeyPairSync("ed25519"); const p = c.sign("sha256", Buffer.from("m"), { key: e.privateKey, dsaEncoding: "ieee-p1363" }); const jwk = e.privateKey.export({ format: "jwk" }); return p.length === 64 && c.verify("sha256", Buffer.from("m"), { key: c.createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" }, p) && c.verify(null, Buffer.from("m"), d.publicKey, c.sign(null, Buffer.from("m"), d.privateKey)) && e.privateKey.asymmetricKeyDetails.namedCurve === "prime256v1"`},
		{"subtle: HMAC, AES-GCM, PBKDF2", `const s = crypto.subtle, text = new TextEncoder(); const h = await s.importKey("raw", text.encode("k"), { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]); const mac = await s.sign("HMAC", h, text.encode("d")); const base = await s.importKey("raw", text.encode("pw"), "PBKDF2", false, ["deriveKey"]); const k = await s.deriveKey({ name: "PBKDF2", salt: text.encode("s"), iterations: 10, hash: "SHA-256" }, base, { name: "AES-GCM", length: 256 }, true, ["encrypt", "decrypt"]); const iv = crypto.getRandomValues(new Uint8Array(12)); const sealed = await s.encrypt({ name: "AES-GCM", iv, additionalData: text.encode("a") }, k, text.encode("secret")); let refused = ""; try { await s.decrypt({ name: "AES-GCM", iv }, k, sealed) } catch (e: any) { refused = e.name } return await s.verify("HMAC", h, mac, text.encode("d")) && Buffer.from(mac).toString("hex") === c.createHmac("sha256", "k").update("d").digest("hex") && sealed.byteLength === 22 && new TextDecoder().decode(await s.decrypt({ name: "AES-GCM", iv, additionalData: text.encode("a") }, k, sealed)) === "secret" && refused === "OperationError"`},
		{"subtle: pairs", `const s = crypto.subtle, m = new Uint8Array([1, 2]); for (const a of [{ name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" }, { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) }, { name: "RSA-PSS", saltLength: 32, hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) }, { name: "Ed25519" }]) { const p: any = await s.generateKey(a, true, ["sign", "verify"]); const pub = await s.importKey("spki", await s.exportKey("spki", p.publicKey), a, true, ["verify"]); if (!await s.verify(a, pub, await s.sign(a, p.privateKey, m), m)) return false } const x: any = await s.generateKey({ name: "ECDH", namedCurve: "P-256" }, false, ["deriveBits"]), y: any = await s.generateKey({ name: "ECDH", namedCurve: "P-256" }, false, ["deriveBits"]); const one = await s.deriveBits({ name: "ECDH", public: y.publicKey }, x.privateKey, 256), two = await s.deriveBits({ name: "ECDH", public: x.publicKey }, y.privateKey, 256); return Buffer.from(one).equals(Buffer.from(two))`},
		{"a hash as a stream", `const { pipeline } = require("stream/promises"); const h = c.createHash("sha256"); await pipeline(require("stream").Readable.from(["a", "b"]), h); return h.read().toString("hex") === c.createHash("sha256").update("ab").digest("hex")`},
		{"what is lacking says so", `try { c.createECDH("secp256k1") } catch (e: any) { try { c.createCipheriv("des-cbc", "k", "i") } catch (f: any) { return /crypto.createECDH is not provided/.test(e.message) && /Unknown cipher "des-cbc"/.test(f.message) } }`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := run(t, Options{}, "import * as c from 'node:crypto'; export const handler = async (event: any) => {\n"+tt.body+"\n}", `{}`)
			if err != nil || got != "true" {
				t.Errorf("got %s, %v", got, err)
			}
		})
	}
}

// FuzzKeys: no bytes make the parsers of keys panic, and what they accept they write so that it reads the same.
func FuzzKeys(f *testing.F) {
	k, err := generate("ec", 0, "P-256")
	if err != nil {
		f.Fatal(err)
	}
	der, _, _ := k.der("pkcs8")
	f.Add("pkcs8", der)
	j, _ := k.jwk()
	f.Add("jwk", marshal(j))
	f.Add("pem", []byte("-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n"))
	f.Fuzz(func(t *testing.T, kind string, b []byte) {
		var k *asymmetric
		var err error
		switch kind {
		case "jwk":
			k, err = parseJWK(b)
		case "pem":
			k, err = parsePEM(b)
		default:
			if k, err = parseDER(b, kind); err != nil {
				k, err = parseRaw(kind, b)
			}
		}
		if err != nil {
			return
		}
		spki, _, err := k.der("spki")
		if err != nil {
			return // a key that the standard library reads and does not write
		}
		again, err := parseDER(spki, "spki")
		if err != nil {
			t.Fatal(err)
		}
		if twice, _, err := again.der("spki"); err != nil || !bytes.Equal(spki, twice) {
			t.Errorf("%x became %x, %v", spki, twice, err)
		}
	})
}

// FuzzCiphers: what was enciphered in pieces comes back, and no input makes a cipher panic.
func FuzzCiphers(f *testing.F) {
	f.Add("aes-128-cbc", []byte("some text that is longer than a block"), 7)
	f.Add("aes-128-gcm", []byte("x"), 0)
	f.Fuzz(func(t *testing.T, name string, text []byte, cut int) {
		key, iv := make([]byte, 16), make([]byte, 16)
		e, err := newBlock(name, true, key, iv, false)
		if err != nil {
			return
		}
		cut = min(max(cut, 0), len(text))
		out := append(e.update(text[:cut]), e.update(text[cut:])...)
		last, err := e.final()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, last...)
		d, _ := newBlock(name, false, key, iv, false)
		if g, ok := d.(*sealed); ok {
			g.tag = e.(*sealed).tag
		}
		cut = min(cut, len(out))
		back := append(d.update(out[:cut]), d.update(out[cut:])...)
		last, err = d.final()
		if back = append(back, last...); err != nil || !bytes.Equal(back, text) {
			t.Errorf("%s: %q became %q, %v", name, text, back, err)
		}
		d, _ = newBlock(name, false, key, iv, false)
		d.update(text)
		_, _ = d.final()
	})
}

// knownCBC is what OpenSSL makes of "text".
const knownCBC = "c8566ef834e2fc460fd4a41dccdd8631"
