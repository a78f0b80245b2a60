package js

import (
	"path/filepath"
	"strings"
	"testing"
)

// The modules of Node, each by what handlers and packages do with it. A script's last value is true.
func TestNodeModules(t *testing.T) {
	for _, tt := range []struct{ name, body string }{
		{"stream: pipeline, Transform, Readable.from", `const { pipeline, Transform, Readable, Writable } = require("stream"); const got: string[] = []; await require("stream/promises").pipeline(Readable.from(["a", "b"]), new Transform({ transform(c, _, done) { done(null, c.toString().toUpperCase()) } }), new Writable({ write(c, _, done) { got.push(c.toString()); done() } })); return got.join("") === "AB" && typeof pipeline === "function"`},
		{"stream: PassThrough, async iteration, objects", `const { PassThrough, Readable } = require("node:stream"); const p = new PassThrough(); p.write("x"); p.end("y"); let s = ""; for await (const c of p) s += c; const o = await Readable.from([{ a: 1 }, { a: 2 }]).map((x) => x.a).toArray(); return s === "xy" && o.join() === "1,2"`},
		{"stream: an error reaches the pipeline's callback", `const { pipeline, Readable, Writable } = require("stream"); const e: any = await new Promise((r) => pipeline(Readable.from(["a"]), new Writable({ write(_, __, done) { done(new Error("full")) } }), r)); return e.message === "full"`},
		{"stream: bridges to web streams", `const { Readable } = require("stream"); const web = Readable.toWeb(Readable.from([Buffer.from("ab")])); const { text } = require("stream/consumers"); return await text(Readable.fromWeb(web)) === "ab"`},
		{"web streams", `const t = new TransformStream({ transform(c, k) { k.enqueue(c * 2) } }); const w = t.writable.getWriter(); w.write(2); w.close(); const r = t.readable.getReader(); return (await r.read()).value === 4 && (await r.read()).done`},
		{"web streams are iterable", `let n = 0; for await (const x of new ReadableStream({ start(c) { c.enqueue(1); c.enqueue(2); c.close() } }) as any) n += x; return n === 3`},
		{"zlib", `const z = require("zlib"); const b = Buffer.from("hello ".repeat(100)); const { promisify } = require("util"); return ["gzip:gunzip", "deflate:inflate", "deflateRaw:inflateRaw", "brotliCompress:brotliDecompress", "gzip:unzip"].every((p) => { const [c, d] = p.split(":"); return z[d + "Sync"](z[c + "Sync"](b)).equals(b) }) && (await promisify(z.gunzip)(await promisify(z.gzip)("x"))).toString() === "x"`},
		{"zlib: streams, and what is no gzip", `const z = require("zlib"); const { Readable } = require("stream"); const { text } = require("stream/consumers"); const t = await text(Readable.from(["a", "b"]).pipe(z.createGzip()).pipe(z.createGunzip())); try { z.gunzipSync(Buffer.from("nonsense")) } catch (e: any) { return t === "ab" && e.code === "Z_DATA_ERROR" && e.message === "incorrect header check" }`},
		{"CompressionStream", `const c = new Response("hello").body!.pipeThrough(new CompressionStream("gzip")).pipeThrough(new DecompressionStream("gzip")); return await new Response(c).text() === "hello"`},
		{"async_hooks", `const { AsyncLocalStorage } = require("async_hooks"); const a = new AsyncLocalStorage(); const seen: any[] = []; await Promise.all([1, 2].map((n) => a.run(n, async () => { await null; seen.push(a.getStore()); await new Promise((r) => setTimeout(r, 2)); seen.push(a.getStore()); setTimeout(() => seen.push(a.getStore()), 1) }))); await new Promise((r) => setTimeout(r, 9)); return seen.sort().join() === "1,1,1,2,2,2" && a.getStore() === undefined`},
		{"async_hooks: bind, snapshot, AsyncResource", `const { AsyncLocalStorage, AsyncResource } = require("async_hooks"); const a = new AsyncLocalStorage(); const [f, s, r] = a.run("x", () => [AsyncLocalStorage.bind(() => a.getStore()), AsyncLocalStorage.snapshot(), new AsyncResource("T")]); return f() === "x" && s(() => a.getStore()) === "x" && r.runInAsyncScope(() => a.getStore()) === "x"`},
		{"string_decoder", `const { StringDecoder } = require("string_decoder"); const d = new StringDecoder("utf8"); const b = Buffer.from("é😀"); return d.write(b.subarray(0, 1)) + d.write(b.subarray(1, 4)) + d.write(b.subarray(4)) + d.end() === "é😀"`},
		{"os, perf_hooks, worker_threads, tty", `const os = require("os"); return os.EOL === "\n" && os.tmpdir() === "/tmp" && os.platform() === "linux" && require("perf_hooks").performance.now() >= 0 && require("worker_threads").isMainThread && !require("tty").isatty(1)`},
		{"module", `import { createRequire, builtinModules } from "node:module"; const r = createRequire(import.meta.url); return r("node:path").join("a", "b") === "a/b" && builtinModules.includes("fs") && !builtinModules.includes("redis")`},
		{"fs: the function's files", `const fs = require("fs"); return fs.readFileSync(__dirname + "/data.txt", "utf8") === "data" && fs.readFileSync(new URL("./data.txt", import.meta.url)).length === 4 && fs.existsSync("data.txt") && !fs.existsSync("/etc/passwd") && fs.readdirSync("/var/task").includes("index.ts") && fs.statSync("/var/task").isDirectory()`},
		{"fs: /var/task is read-only", `const fs = require("fs"); try { fs.writeFileSync("/var/task/x", "y") } catch (e: any) { return e.code === "EROFS" && e.message === "EROFS: read-only file system, open '/var/task/x'" && e.errno === -30 }`},
		{"fs: /tmp", `const fs = require("fs"), fsp = require("fs/promises"); const dir = await fsp.mkdtemp("/tmp/a-"); await fsp.writeFile(dir + "/f", "one"); await fsp.appendFile(dir + "/f", "two"); fs.mkdirSync(dir + "/x/y", { recursive: true }); fs.renameSync(dir + "/f", dir + "/x/y/g"); const text = await fsp.readFile(dir + "/x/y/g", "utf8"); const list = fs.readdirSync(dir, { recursive: true }); await fsp.rm(dir, { recursive: true }); return text === "onetwo" && list.join() === "x,x/y,x/y/g" && !fs.existsSync(dir)`},
		{"fs: nothing leads out of /tmp", `const fs = require("fs"); fs.symlinkSync("/etc", "/tmp/out"); for (const p of ["/tmp/../etc/passwd", "/tmp/out/passwd"]) { try { fs.readFileSync(p); return false } catch {} } return true`},
		{"fs: descriptors and streams", `const fs = require("fs"); const { pipeline } = require("stream/promises"); await pipeline(fs.createReadStream("/var/task/data.txt"), fs.createWriteStream("/tmp/copy")); const fd = fs.openSync("/tmp/copy", "r+"); fs.writeSync(fd, "X", 1); const b = Buffer.alloc(4); fs.readSync(fd, b, 0, 4, 0); fs.closeSync(fd); return b.toString() === "dXta" && fs.statSync("/tmp/copy").size === 4`},
		{"fs: callbacks and errors", `const fs = require("fs"); const e: any = await new Promise((r) => fs.readFile("/tmp/none", r)); return e.code === "ENOENT" && e.syscall === "open" && e.message === "ENOENT: no such file or directory, open '/tmp/none'"`},
		{"readline over a file", `const { createInterface } = require("readline"); const fs = require("fs"); fs.writeFileSync("/tmp/l", "a\nb\r\nc"); const lines: string[] = []; for await (const l of createInterface({ input: fs.createReadStream("/tmp/l"), crlfDelay: Infinity })) lines.push(l); return lines.join("|") === "a|b|c"`},
		{"import.meta", `return import.meta.url === "file:///var/task/index.ts" && import.meta.dirname === "/var/task" && __filename === "/var/task/index.ts"`},
		{"process", `const n: string[] = []; process.once("custom", () => n.push("x")); process.emit("custom" as any); process.on("SIGTERM", () => {}); return n.length === 1 && Number(process.versions.node.split(".")[0]) >= 20 && process.memoryUsage().rss > 0`},
		{"console.Console", `const { Console } = require("console"); let out = ""; new Console({ write: (t) => { out += t } }).log("a %d", 1); return out === "a 1\n"`},
		{"events: on, errorMonitor", `const { EventEmitter, on, errorMonitor } = require("events"); const e = new EventEmitter(); let seen = ""; e.on(errorMonitor, () => { seen += "m" }); e.on("error", () => { seen += "e" }); e.emit("error", new Error("x")); setTimeout(() => { e.emit("a", 1); e.emit("a", 2) }, 1); let n = 0; for await (const [v] of on(e, "a")) { n += v; if (n === 3) break } return seen === "me" && n === 3`},
		{"diagnostics_channel", `const d = require("diagnostics_channel"); let got; d.subscribe("c", (m) => { got = m }); d.channel("c").publish(5); return got === 5`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			imports, body := "", tt.body
			if rest, ok := strings.CutPrefix(body, "import {"); ok {
				i := strings.Index(rest, ";")
				imports, body = "import {"+rest[:i+1]+"\n", rest[i+1:]
			}
			w := newWorld(t, Options{}, map[string]string{"index.ts": imports + "export const handler = async (event: any) => {\n" + body + "\n}", "data.txt": "data"})
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

func TestModulesThatAwaitAtTheTop(t *testing.T) {
	w := newWorld(t, Options{}, map[string]string{
		"index.ts":  `import { x } from "./other"; import { createHash } from "node:crypto"; import path, { join } from "path"; const y = await Promise.resolve(2); export const handler = async () => [x, y, createHash("md5").update("").digest("hex").length, path.join === join]`,
		"other.mts": `import fs from "node:fs/promises"; export const x = (await fs.readFile(new URL("index.ts", import.meta.url), "utf8")).length > 10; for await (const _ of [1]) {}`,
	})
	w.write("other.ts", `export * from "./other.mts"`)
	for range 2 { // the second build knows it from the start
		if got, err := call(t, w.mustStart(), `{}`); err != nil || got != `[true,2,32,true]` {
			t.Errorf("got %s, %v", got, err)
		}
	}
	w.write("index.ts", `await Promise.reject(new TypeError("no")); export const handler = 1`)
	if _, err := w.start(); err == nil || !strings.Contains(err.Error(), `"errorType":"TypeError","errorMessage":"no"`) {
		t.Errorf("rejected: %v", err)
	}
	w.write("index.ts", `await new Promise(() => {}); export const handler = 1`)
	if _, err := w.start(); err == nil || !strings.Contains(err.Error(), "exit status 13") {
		t.Errorf("never settled: %v", err)
	}
}

func TestPackagesMayImportWhatTheyNeverUse(t *testing.T) {
	w := newWorld(t, Options{}, map[string]string{
		"index.ts":                      `import { ok, connect } from "pkg"; export const handler = async () => { try { connect() } catch (e: any) { return [ok, e.message] } }`,
		"node_modules/pkg/index.mjs":    `import net, { Socket } from "node:net"; import { spawn, nothing } from "child_process"; export const ok = typeof Socket + typeof spawn + typeof nothing; export const connect = () => net.connect(1)`,
		"node_modules/pkg/package.json": `{"main":"index.mjs"}`,
	})
	got, err := call(t, w.mustStart(), `{}`)
	if want := `["functionfunctionfunction","The js runtime does not provide connect of Node's module net; use runtime = \"nodejs22.x\" for functions that need it"]`; err != nil || got != want {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestTmpIsTheSandboxesOwnAndGoesWithIt(t *testing.T) {
	w := newWorld(t, Options{}, map[string]string{"index.ts": `import fs from "fs"; export const handler = async (n) => { if (n) fs.writeFileSync("/tmp/f", "x".repeat(n)); return fs.existsSync("/tmp/f") && fs.statSync("/tmp/f").size }`})
	w.fn.EphemeralStorage = 1
	one, two := w.mustStart(), w.mustStart()
	if got, err := call(t, one, `5`); err != nil || got != `5` {
		t.Errorf("written: %s, %v", got, err)
	}
	if got, err := call(t, two, `0`); err != nil || got != `false` {
		t.Errorf("the other's: %s, %v", got, err)
	}
	if _, err := call(t, one, `1048577`); err == nil || body(t, err)["errorMessage"] != "ENOSPC: no space left on device, open '/tmp/f'" {
		t.Errorf("too much: %v", err)
	}
	dir := one.(*sandbox).files.tmp.Name()
	one.Close()
	<-one.Done()
	waitFor(t, func() bool { return !exists(dir) })
}

func TestPlaces(t *testing.T) {
	root := filepath.FromSlash("/s/fn")
	for file, want := range map[string]string{"/s/fn/a/b.ts": "/var/task/a/b.ts", "/s/node_modules/x/i.js": "/var/task/node_modules/x/i.js", "/s/shared/c.ts": "/s/shared/c.ts"} {
		if got := taskPath(root, filepath.FromSlash(file)); got != want {
			t.Errorf("%s: %s", file, got)
		}
	}
	for source, want := range map[string]string{
		"f(1)":                            "",
		"#!/x\n'use strict';f(__dirname)": "#!/x\n'use strict';" + `var __devstack_file = { url: "file:///a/b%20c.js", dirname: "/a", filename: "/a/b c.js" }; f(__dirname)`,
		"// c\nimport.meta.url":           `var __devstack_file = { url: "file:///a/b%20c.js", dirname: "/a", filename: "/a/b c.js" }; ` + "// c\nimport.meta.url",
	} {
		if got := string(placed([]byte(source), "/a/b c.js")); got != want {
			t.Errorf("%q: %q", source, got)
		}
	}
}

// FuzzPrologue: what is put into a source leaves its lines and its text as they are.
func FuzzPrologue(f *testing.F) {
	for _, seed := range []string{"__dirname", "#!x\n__dirname", "'use strict'\n__dirname", "/* */ \"use strict\"; import.meta", "//\n__filename"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		got := string(placed([]byte(source), "/a"))
		if got == "" {
			return
		}
		i := strings.Index(got, "var "+fileObject)
		if i < 0 || strings.Count(got, "\n") != strings.Count(source, "\n") || !strings.HasPrefix(source, got[:i]) || !strings.HasSuffix(got, source[i:]) {
			t.Errorf("%q became %q", source, got)
		}
	})
}

// FuzzRecode: no input makes the decompressors panic or exceed the limit, and what was compressed comes back.
func FuzzRecode(f *testing.F) {
	for _, kind := range []string{"gunzip", "inflate", "inflateRaw", "unzip", "brotliDecompress"} {
		f.Add(kind, []byte("\x1f\x8b\x08"))
	}
	const limit = 1 << 16
	f.Fuzz(func(t *testing.T, kind string, in []byte) {
		if out, err := recode(kind, in, 1, limit); err == nil && !map[string]bool{"gzip": true, "deflate": true, "deflateRaw": true, "brotliCompress": true}[kind] && len(out) > limit {
			t.Errorf("%d bytes", len(out))
		}
		for back, there := range map[string]string{"gunzip": "gzip", "inflate": "deflate", "inflateRaw": "deflateRaw", "brotliDecompress": "brotliCompress"} {
			packed, err := recode(there, in, 1, limit)
			if err != nil {
				t.Fatal(err)
			}
			if out, err := recode(back, packed, 0, 1<<20); len(in) < 1<<20 && (err != nil || string(out) != string(in)) {
				t.Errorf("%s: %v", there, err)
			}
		}
	})
}
