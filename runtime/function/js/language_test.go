package js

import (
	"strings"
	"testing"
)

// A script whose last value is true: written as the body of an async handler that returns it.
func TestLanguage(t *testing.T) {
	for _, tt := range []struct{ name, body string }{
		{"optional chaining", `const o: any = { a: { b: 1 } }; return o?.a?.b === 1 && o.x?.y === undefined`},
		{"nullish coalescing and assignment", `let a: any = null; a ??= 1; a &&= a + 1; return (a ?? 0) === 2`},
		{"class fields, private members, static blocks", `class A { x = 1; static y = 0; #z = 2; static { A.y = 3 } get z() { return this.#z } has(o) { return #z in o } } const a = new A(); return a.x + A.y + a.z === 6 && a.has(a)`},
		{"TypeScript enums, generics, satisfies, parameter properties", `enum E { A, B = "b" } class C<T> { constructor(public v: T) {} } const c = new C({ a: 1 } satisfies object); return E.B === "b" && c.v.a === 1`},
		{"class fields called get, set and async", `class A { get = 1; set = (x: number) => x + this.get; static async = 3; of = 4 } const a = new A(); return a.set(1) + A.async + a.of === 9`},
		{"decorators", `const seen: string[] = []; function d(_: any, ctx: any) { seen.push(String(ctx.name)) } class A { @d m() {} } new A(); return seen[0] === "m"`},
		{"generators", `function* g() { const x = yield 1; yield x } const i = g(); i.next(); return i.next(5).value === 5`},
		{"async generators and for await", `async function* g() { yield 1; yield 2 } let n = 0; for await (const x of g()) n += x; return n === 3`},
		{"for await over promises", `let n = 0; for await (const x of [Promise.resolve(1), 2]) n += x; return n === 3`},
		{"using", `let ended = false; { using x = { [Symbol.dispose]() { ended = true } } } return ended`},
		{"BigInt", `return 2n ** 64n === 18446744073709551616n && BigInt.asUintN(8, 257n) === 1n`},
		{"spread, rest, destructuring with defaults", `const { a, ...r } = { a: 1, b: 2, c: 3 }; const [x = 9, ...y] = [undefined, 2, 3]; return r.c === 3 && x === 9 && y.length === 2`},
		{"tagged templates", "const t = (s, ...v) => s.raw.join('|') + v.join(','); return t`a${1}\\n${2}` === 'a|\\\\n|1,2'"},
		{"labelled break, exponent, numeric separators", `let n = 0; outer: for (;;) { for (;;) { n = 2 ** 10 + 1_000; break outer } } return n === 2024`},
		{"Proxy and Reflect", `const p: any = new Proxy({}, { get: (_, k) => k }); return p.abc === "abc" && Reflect.has({ a: 1 }, "a")`},
		{"WeakMap and WeakRef", `const k = {}; const m = new WeakMap([[k, 1]]); return m.get(k) === 1 && new WeakRef(k).deref() === k`},
		{"Promise combinators", `const r = await Promise.allSettled([1, Promise.reject(2)]); const a = await Promise.any([Promise.reject(1), 2]); const w = Promise.withResolvers<number>(); w.resolve(3); return r[1].status === "rejected" && a === 2 && await w.promise === 3`},
		{"Error cause and AggregateError", `const e = new Error("a", { cause: "b" }); return e.cause === "b" && new AggregateError([1, 2]).errors.length === 2`},
		{"new array and object methods", `return [1, 2, 3].at(-1) === 3 && [3, 1].toSorted()[0] === 1 && Object.groupBy([1, 2], (x) => x % 2 ? "odd" : "even").odd[0] === 1 && Object.fromEntries(new Map([["a", 1]])).a === 1 && (await Array.fromAsync([1, Promise.resolve(2)]))[1] === 2`},
		{"new set methods", `return new Set([1, 2]).intersection(new Set([2, 3])).has(2)`},
		{"string methods", `return "a-b-c".replaceAll("-", "") === "abc" && [..."a1b2".matchAll(/\d/g)].length === 2 && "x".padStart(3, "ab") === "abx" && "\ud800".isWellFormed() === false`},
		{"regular expressions: groups, lookbehind, sticky, dotAll", `return /(?<y>\d{4})-(?<m>\d\d)/.exec("2026-01")!.groups!.m === "01" && /(?<=\$)\d+/.exec("$42")![0] === "42" && /a.b/s.test("a\nb")`},
		{"regular expressions: Unicode properties", `return /^\p{L}+$/u.test("éaΩ") && !/\p{L}/u.test("1") && /\P{L}/u.test("1") && /[\p{Lu}\d]+/u.exec("aÉ4")![0] === "É4" && /^\p{Script=Greek}$/u.test("α") && /\p{L}/u instanceof RegExp`},
		{"Symbol.asyncIterator by hand", `let n = 0; const it = { [Symbol.asyncIterator]() { return { next: async () => n++ < 2 ? { value: n, done: false } : { value: undefined, done: true } } } }; let s = 0; for await (const x of it) s += x; return s === 3`},
		{"dynamic import of a built-in module", `const { createHash } = await import("node:crypto"); return createHash("md5").update("a").digest("hex") === "0cc175b9c0f1b6a831c399e269772661"`},
		{"timers in order, cleared, with arguments", `const seen: any[] = []; setTimeout((x) => seen.push(x), 60, "b"); setTimeout(() => seen.push("a"), 1); clearTimeout(setTimeout(() => seen.push("never"), 1)); setImmediate(() => seen.push("i")); await new Promise((r) => setTimeout(r, 120)); return seen.filter((x) => x !== "i").join() === "a,b" && seen.includes("i")`},
		{"an interval until it is cleared", `let n = 0; await new Promise<void>((r) => { const t = setInterval(() => { if (++n === 3) { clearInterval(t); r() } }, 1) }); return n === 3`},
		{"microtasks before timers", `const seen: string[] = []; setTimeout(() => seen.push("t")); queueMicrotask(() => seen.push("m")); process.nextTick(() => seen.push("n")); await new Promise((r) => setTimeout(r, 3)); return seen[2] === "t"`},
		{"structuredClone", `const a: any = { d: new Date(5), m: new Map([[1, new Set([2])]]), b: new Uint8Array([1, 2]) }; a.self = a; const c = structuredClone(a); return c.self === c && c.d.getTime() === 5 && c.m.get(1).has(2) && c.b[1] === 2 && c.b !== a.b`},
		{"URL and URLSearchParams", `const u = new URL("../x y?a=1&b=%20#h", "HTTP://User:pw@Example.com:80/p/q/r"); u.searchParams.append("c", "ä&"); return u.href === "http://User:pw@example.com/p/x%20y?a=1&b=+&c=%C3%A4%26#h" && u.origin === "http://example.com" && new URLSearchParams({ a: "1" }).get("a") === "1" && !URL.canParse("nope")`},
		{"URL setters", `const u = new URL("https://a.b/c"); u.port = "8443"; u.pathname = "/d e"; u.search = "x=1"; u.hash = "z"; u.hostname = "h"; return u.toString() === "https://h:8443/d%20e?x=1#z"`},
		{"TextEncoder and TextDecoder", `const b = new TextEncoder().encode("é😀"); const d = new TextDecoder(); return b.length === 6 && d.decode(b.subarray(0, 3), { stream: true }) + d.decode(b.subarray(3)) === "é😀"`},
		{"Buffer", `const b = Buffer.from("héllo"); return b.toString("hex") === "68c3a96c6c6f" && Buffer.from("aGk=", "base64").toString() === "hi" && Buffer.concat([b, Buffer.from([33])]).toString() === "héllo!" && b.equals(Buffer.from("héllo")) && Buffer.isBuffer(b.subarray(1)) && JSON.stringify(Buffer.from("a")) === '{"type":"Buffer","data":[97]}' && Buffer.alloc(4).writeUInt32BE(7) === 4 && Buffer.from([1, 2]).readUInt16LE() === 513 && Buffer.byteLength("é") === 2 && b.indexOf("llo") === 3 && b instanceof Buffer`},
		{"atob and btoa", `return btoa("hi") === "aGk=" && atob("aGk=") === "hi"`},
		{"crypto", `const { createHmac, randomBytes, timingSafeEqual } = require("crypto"); return /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]/.test(crypto.randomUUID()) && createHmac("sha256", "k").update("d").digest("hex").length === 64 && randomBytes(8).length === 8 && crypto.getRandomValues(new Uint8Array(4)).length === 4 && timingSafeEqual(Buffer.from("a"), Buffer.from("a")) && Buffer.from(await crypto.subtle.digest("SHA-1", Buffer.from("abc"))).toString("hex") === "a9993e364706816aba3e25717850c26c9cd0d89d"`},
		{"events", `const { EventEmitter, once } = require("node:events"); class X extends EventEmitter {} const x = new X(); let n = 0; x.on("a", (v) => n += v); x.once("a", () => n += 10); x.emit("a", 1); x.emit("a", 1); setTimeout(() => x.emit("b", 7)); return n === 12 && (await once(x, "b"))[0] === 7`},
		{"util", `const { promisify, inspect, format, isDeepStrictEqual } = require("util"); const f = promisify((a, cb) => cb(null, a + 1)); return await f(1) === 2 && inspect({ a: [1, { b: { c: {} } }], s: "it's" }) === "{ a: [ 1, { b: [Object] } ], s: \"it's\" }" && format("%s-%d-%j", "a", 1, { b: 2 }, "c") === 'a-1-{"b":2} c' && isDeepStrictEqual({ a: [1] }, { a: [1] })`},
		{"path", `const p = require("path"); return p.join("/a", "../b", "c.txt") === "/b/c.txt" && p.extname("x.tar.gz") === ".gz" && p.relative("/a/b", "/a/c/d") === "../c/d" && p.basename("/q/w.js", ".js") === "w" && p.resolve("x") === "/var/task/x"`},
		{"querystring", `const q = require("querystring"); return q.stringify({ a: [1, 2], b: "x y" }) === "a=1&a=2&b=x%20y" && q.parse("a=1&a=2&b=x+y").a.length === 2`},
		{"assert", `const assert = require("node:assert"); assert.deepStrictEqual({ a: [1] }, { a: [1] }); try { assert.strictEqual(1, 2) } catch (e: any) { return e.code === "ERR_ASSERTION" && e.name === "AssertionError" }`},
		{"timers/promises", `const { setTimeout: sleep } = await import("node:timers/promises"); return await sleep(1, "v") === "v"`},
		{"AbortController and AbortSignal", `const c = new AbortController(); let heard = false; c.signal.addEventListener("abort", () => { heard = true }); c.abort(); return heard && c.signal.aborted && c.signal.reason.name === "AbortError" && AbortSignal.any([c.signal]).aborted`},
		{"process", `return process.env.NAME === "value" && process.cwd() === "/var/task" && process.env.NONE === undefined && typeof process.hrtime.bigint() === "bigint"`},
		{"captureStackTrace", `const o: any = { name: "X" }; Error.captureStackTrace(o); return typeof o.stack === "string" && o.stack.includes("    at ")`},
		{"globals can be replaced", `const real = globalThis.fetch; globalThis.fetch = (async () => 1) as any; const r = await (fetch as any)(); globalThis.fetch = real; return r === 1`},
		{"a subclass of Error keeps its name", `class NotFound extends Error { constructor(m: string) { super(m); this.name = "NotFound" } } try { throw new NotFound("x") } catch (e: any) { return e instanceof NotFound && String(e) === "NotFound: x" }`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, Options{}, map[string]string{"index.ts": "export const handler = async (event: any) => {\n" + tt.body + "\n}"})
			w.env = []string{"NAME=value"}
			s, err := w.start()
			if err != nil {
				t.Fatal(err)
			}
			if got, err := call(t, s, `{}`); err != nil || got != "true" {
				t.Errorf("got %s, %v", got, err)
			}
		})
	}
}

func TestWhatCannotBeBuiltSaysSo(t *testing.T) {
	for _, tt := range []struct{ name, source, want string }{
		{"a syntax error has file, line and code", "export const handler = async () => {\n  return 1 +\n}", "index.ts:3:0"},
		{"a missing file", `import { x } from "./gone"; export const handler = () => x`, `Could not resolve "./gone"`},
		{"a missing package", `import x from "left-pad"; export const handler = () => x`, `Could not resolve "left-pad"`},
		{"a module of Node's that is not there", `import v8 from "node:v8"; export const handler = () => v8`, `does not provide Node's module v8; use runtime = "nodejs22.x"`},
		{"one without its prefix", `const h = require("http2"); export const handler = () => h`, `does not provide Node's module http2`},
		{"a name that a built-in module lacks", `import { scriptSync } from "crypto"; export const handler = () => scriptSync`, `No matching export in "devstack:crypto" for import "scriptSync"`},
		{"an AWS client of a service that is not emulated", `import { EC2Client } from "@aws-sdk/client-ec2"; export const handler = () => EC2Client`, `"@aws-sdk/client-ec2": the js runtime has no client for this service`},
		{"another part of the AWS SDK", `import x from "@aws-sdk/credential-providers"; export const handler = () => x`, `does not provide this part of the AWS SDK`},
		{"a command that AWS does not have", `import { PutItmCommand } from "@aws-sdk/client-dynamodb"; export const handler = () => PutItmCommand`, `No matching export in "devstack:@aws-sdk/client-dynamodb" for import "PutItmCommand"`},
		{"what the engine cannot read", "const x = 1\nexport const handler = () => {\n  return x.#y\n}", `index.ts:3:`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, Options{Schema: testSchema{}}, map[string]string{"index.ts": tt.source})
			_, err := w.start()
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v; want it to say %s", err, tt.want)
			}
		})
	}
}
