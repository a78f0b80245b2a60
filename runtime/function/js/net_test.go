package js

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"devstack/internal/trace"
)

// mirror answers what it was asked.
func mirror(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/redirect":
		http.Redirect(w, r, "/end", http.StatusFound)
	case "/slow":
		select {
		case <-r.Context().Done():
		case <-time.After(10 * time.Second):
		}
	case "/missing":
		w.WriteHeader(http.StatusNotFound)
	case "/empty":
		w.WriteHeader(http.StatusNoContent)
	default:
		b, _ := io.ReadAll(r.Body)
		w.Header().Add("Set-Cookie", "a=1")
		w.Header().Add("Set-Cookie", "b=2")
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"method":%q,"path":%q,"body":%q,"type":%q,"trace":%q}`, r.Method, r.URL.RequestURI(), b, r.Header.Get("Content-Type"), r.Header.Get("X-Amzn-Trace-Id"))
	}
}

func TestFetch(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(mirror))
	defer server.Close()
	for _, tt := range []struct{ name, body, want string }{
		{"a GET", `const r = await fetch(base + "/x?y=1"); const j = await r.json(); return [r.ok, r.status, r.statusText, j.method, j.path, r.headers.get("content-type"), r.headers.getSetCookie()]`, `[true,200,"OK","GET","/x?y=1","application/json",["a=1","b=2"]]`},
		{"a POST of JSON", `const j = await (await fetch(base, { method: "post", headers: { "content-type": "application/json" }, body: JSON.stringify({ a: "é" }) })).json(); return [j.method, j.body, j.type]`, `["POST","{\"a\":\"é\"}","application/json"]`},
		{"a form", `const j = await (await fetch(base, { method: "PUT", body: new URLSearchParams({ a: "b c" }) })).json(); return [j.body, j.type]`, `["a=b+c","application/x-www-form-urlencoded;charset=UTF-8"]`},
		{"bytes", `const r = await fetch(new Request(base, { method: "POST", body: new Uint8Array([104, 105]) })); const c = r.clone(); return [(await r.bytes()).length > 10, (await c.json()).body]`, `[true,"hi"]`},
		{"a redirect", `const r = await fetch(base + "/redirect"); return [r.redirected, (await r.json()).path, (await fetch(base + "/redirect", { redirect: "manual" })).status]`, `[true,"/end",302]`},
		{"a status that is no success does not throw", `const r = await fetch(base + "/missing"); return [r.ok, r.status, await r.text()]`, `[false,404,""]`},
		{"an empty response", `const r = await fetch(base + "/empty"); return [r.status, r.body]`, `[204,null]`},
		{"a body is read once", `const r = await fetch(base); await r.text(); try { await r.text() } catch (e: any) { return [e.name, r.bodyUsed] }`, `["TypeError",true]`},
		{"aborted while it waits", `const c = new AbortController(); setTimeout(() => c.abort(), 5); try { await fetch(base + "/slow", { signal: c.signal }) } catch (e: any) { return e.name }`, `"AbortError"`},
		{"out of time", `try { await fetch(base + "/slow", { signal: AbortSignal.timeout(5) }) ; return "no" } catch (e: any) { return e.name }`, `"TimeoutError"`},
		{"nobody listens", `try { await fetch("http://127.0.0.1:1/") } catch (e: any) { return [e.name, e.message, e.cause.message.includes("connection refused")] }`, `["TypeError","fetch failed",true]`},
		{"a body as a stream", `const r = await fetch(base); const text = []; const d = new TextDecoder(); for (const reader = r.body!.getReader();;) { const { value, done } = await reader.read(); if (done) break; text.push(d.decode(value, { stream: true })) } return [JSON.parse(text.join("")).method, r.bodyUsed]`, `["GET",true]`},
		{"a stream as a body", `const body = new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode("a")); c.enqueue(new TextEncoder().encode("b")); c.close() } }); const r = await fetch(base, { method: "POST", body, duplex: "half" } as any); return (await r.json()).body`, `"ab"`},
		{"a body through transforms", `const r = await fetch(base); let n = 0; const t = r.body!.pipeThrough(new TextDecoderStream()); for (const reader = t.getReader();;) { const { value, done } = await reader.read(); if (done) break; n += value.length } return n > 10`, `true`},
		{"a clone of a response", `const r = await fetch(base); const c = r.clone(); return [(await r.json()).method, (await c.json()).method]`, `["GET","GET"]`},
		{"a form with a file", `const f = new FormData(); f.append("a", "b"); f.append("c", new Blob(["x"], { type: "text/plain" }), "n.txt"); const r = new Response(f); const g = await r.formData(); const file = g.get("c") as File; return [g.get("a"), file.name, file.type, await file.text()]`, `["b","n.txt","text/plain","x"]`},
		{"node:http", `const http = require("http"); return await new Promise((resolve, reject) => { const q = http.request(base + "/p?q=1", { method: "POST", headers: { "X-A": "1" } }, (r) => { let t = ""; r.setEncoding("utf8"); r.on("data", (c) => t += c); r.on("end", () => resolve([r.statusCode, r.headers["content-type"], JSON.parse(t).path, JSON.parse(t).body, r.headers["set-cookie"]])) }); q.on("error", reject); q.write("he"); q.end("llo") })`, `[200,"application/json","/p?q=1","hello",["a=1","b=2"]]`},
		{"node:http where nobody listens", `const http = require("http"); return await new Promise((resolve) => { http.get("http://127.0.0.1:1/").on("error", (e) => resolve(e.code)) })`, `"ECONNREFUSED"`},
		{"node:http out of time", `const http = require("http"); return await new Promise((resolve) => { const q = http.get(base + "/slow", { timeout: 5 }); q.on("timeout", () => q.destroy(new Error("too slow"))); q.on("error", (e) => resolve(e.message)) })`, `"too slow"`},
		{"other schemes are refused", `try { await fetch("file:///etc/passwd") } catch (e: any) { return e.message }`, `"fetch failed"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := run(t, Options{}, "export const handler = async (base: string) => {\n"+tt.body+"\n}", `"`+server.URL+`"`)
			if err != nil || got != tt.want {
				t.Errorf("got %s, %v; want %s", got, err, tt.want)
			}
		})
	}
}

func TestFetchTellsWhichTraceItBelongsTo(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(mirror))
	defer server.Close()
	s := newWorld(t, Options{}, map[string]string{"index.ts": `export const handler = async (u) => (await (await fetch(u)).json()).trace`}).mustStart()
	ctx, span := trace.Start(trace.NewRing(4, time.Now).Context(t.Context()), "function", "test")
	out, err := s.Invoke(ctx, event(`"`+server.URL+`"`))
	if err != nil || !strings.HasPrefix(string(out), `"Root=`+span.TraceID()+`;Parent=`) {
		t.Errorf("got %s, %v", out, err)
	}
}

func TestURLParts(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"HTTPS://A.b:443/x/../y?q#f", "https://a.b/y?q#f"},
		{"http://a", "http://a/"},
		{"http://[::1]:8080/a", "http://[::1]:8080/a"},
		{"mailto:a@b.c", "mailto:a@b.c"},
		{"http://a/ä?ö#ü", "http://a/%C3%A4?%C3%B6#%C3%BC"},
		{"redis://u:p@h:6379/0", "redis://u:p@h:6379/0"},
	} {
		got, err := run(t, Options{}, `export const handler = async (u) => new URL(u).href`, `"`+tt.in+`"`)
		var href string
		if err == nil {
			err = json.Unmarshal([]byte(got), &href)
		}
		if err != nil || href != tt.want {
			t.Errorf("%s: got %s, %v; want %s", tt.in, got, err, tt.want)
		}
	}
}
