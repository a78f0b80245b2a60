package js

import (
	"bufio"
	"reflect"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
)

func TestNodeRedis(t *testing.T) {
	for _, tt := range []struct{ name, body, want string }{
		{"set and get", `await c.set("a", "1"); return [await c.get("a"), await c.get("none")]`, `["1",null]`},
		{"set with options", `await c.set("a", 5, { EX: 100, NX: true }); return [await c.set("a", 6, { NX: true }), await c.get("a"), await c.ttl("a"), await c.set("b", 1, { PX: 5000, condition: "NX" })]`, `[null,"5",100,"OK"]`},
		{"counters", `return [await c.incr("n"), await c.incrBy("n", 5), await c.decr("n")]`, `[1,6,5]`},
		{"expiry", `await c.set("a", "1"); return [await c.expire("a", 10), await c.ttl("a"), await c.exists(["a", "b"]), await c.del("a"), await c.ttl("a")]`, `[1,10,1,1,-2]`},
		{"hashes", `await c.hSet("h", { a: 1, b: "x" }); await c.hSet("h", "c", "y"); return [await c.hGet("h", "b"), await c.hGetAll("h"), await c.hGetAll("none")]`, `["x",{"a":"1","b":"x","c":"y"},{}]`},
		{"lists", `await c.lPush("l", ["a", "b"]); await c.rPush("l", "c"); return [await c.lRange("l", 0, -1), await c.rPop("l"), await c.lLen("l")]`, `[["b","a","c"],"c",2]`},
		{"sets", `await c.sAdd("s", ["a", "b"]); return [(await c.sMembers("s")).sort(), await c.sIsMember("s", "a")]`, `[["a","b"],1]`},
		{"sorted sets", `await c.zAdd("z", [{ score: 2, value: "b" }, { score: 1, value: "a" }]); return [await c.zRange("z", 0, -1), await c.zRange("z", 0, -1, { REV: true }), await c.zRangeWithScores("z", 0, 0), await c.zScore("z", "b"), await c.zRange("z", 2, 9, { BY: "SCORE" })]`, `[["a","b"],["b","a"],[{"value":"a","score":1}],2,["b"]]`},
		{"keys and scan", `await c.mSet({ k1: "1", k2: "2" }); const seen: string[] = []; for await (const ks of c.scanIterator({ MATCH: "k*" })) seen.push(...ks); return [(await c.keys("k*")).sort(), seen.sort()]`, `[["k1","k2"],["k1","k2"]]`},
		{"a transaction", `return await c.multi().set("a", "1").incr("a").get("a").exec()`, `["OK",2,"2"]`},
		{"an error", `await c.set("a", "x"); try { await c.incr("a") } catch (e: any) { return [e.message, e instanceof ErrorReply] }`, `["ERR value is not an integer or out of range",true]`},
		{"a raw command", `return [await c.sendCommand(["SET", "r", "1"]), await c.ping(), await c.publish("ch", "m")]`, `["OK","PONG",0]`},
		{"what needs a connection of its own is refused", `try { await c.subscribe("ch", () => {}) } catch (e: any) { return e.message.startsWith("subscribe is not provided by the js runtime") }`, `true`},
		{"an unknown option is refused", `try { await c.set("a", "1", { FOO: 1 } as any) } catch (e: any) { return e.message.startsWith("option FOO of set is not provided") }`, `true`},
		{"parallel commands", `const r = await Promise.all(Array.from({ length: 20 }, (_, i) => c.set("p" + i, i))); return r.length`, `20`},
		{"after quit the client is closed", `const d = createClient({ url: process.env.REDIS_URL }); await d.connect(); await d.quit(); try { await d.get("a") } catch (e: any) { return [e.message, d.isOpen] }`, `["The client is closed",false]`},
		{"binary-safe words", `await c.set("b", Buffer.from("é\r\n")); return [await c.get("b"), await c.strLen("b")]`, `["é\r\n",4]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := miniredis.RunT(t)
			w := newWorld(t, Options{}, map[string]string{"index.ts": `import { createClient, ErrorReply } from "redis"
const c = createClient({ url: process.env.REDIS_URL }); c.on("error", () => {});
export const handler = async () => { if (!c.isOpen) await c.connect(); ` + tt.body + ` }`})
			w.env = []string{"REDIS_URL=redis://" + server.Addr()}
			s, err := w.start()
			if err != nil {
				t.Fatal(err)
			}
			if got, err := call(t, s, `{}`); err != nil || got != tt.want {
				t.Errorf("got %s, %v; want %s", got, err, tt.want)
			}
		})
	}
}

func TestIORedis(t *testing.T) {
	for _, tt := range []struct{ name, body, want string }{
		{"words as Redis takes them", `await r.set("a", "1", "EX", 10); return [await r.get("a"), await r.ttl("a"), await r.hset("h", { x: 1 }), await r.hgetall("h")]`, `["1",10,1,{"x":"1"}]`},
		{"a pipeline", `return await r.pipeline().set("a", 1).incr("a").lpush("a", 1).exec().then((l) => l!.map(([e, v]) => e ? e.message.slice(0, 9) : v))`, `["OK",2,"WRONGTYPE"]`},
		{"a transaction", `return await r.multi().set("a", 1).get("a").exec()`, `[[null,"OK"],[null,"1"]]`},
		{"a callback", `return await new Promise((ok) => r.incr("n", (err, v) => ok([err, v])))`, `[null,1]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := miniredis.RunT(t)
			w := newWorld(t, Options{}, map[string]string{"index.ts": `import Redis from "ioredis"
const r = new Redis(process.env.REDIS_URL!)
export const handler = async () => { ` + tt.body + ` }`})
			w.env = []string{"REDIS_URL=redis://" + server.Addr()}
			s, err := w.start()
			if err != nil {
				t.Fatal(err)
			}
			if got, err := call(t, s, `{}`); err != nil || got != tt.want {
				t.Errorf("got %s, %v; want %s", got, err, tt.want)
			}
		})
	}
}

func TestRedisConnectionsAreKeptAndReplaced(t *testing.T) {
	server := miniredis.RunT(t)
	w := newWorld(t, Options{}, map[string]string{"index.ts": `import { createClient } from "redis"
const c = createClient({ url: process.env.REDIS_URL })
export const handler = async () => { if (!c.isOpen) await c.connect(); return c.incr("n") }`})
	w.env = []string{"REDIS_URL=redis://" + server.Addr()}
	s := w.mustStart()
	for _, want := range []string{"1", "2"} {
		if got, err := call(t, s, `{}`); err != nil || got != want {
			t.Fatalf("got %s, %v", got, err)
		}
	}
	if n := server.TotalConnectionCount(); n != 1 {
		t.Errorf("%d connections for one client", n)
	}
	server.Close()
	if _, err := call(t, s, `{}`); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("without a server: %v", err)
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	if got, err := call(t, s, `{}`); err != nil || got != "3" {
		t.Errorf("after a restart: %s, %v", got, err)
	}
}

func TestRedisPasswordAndDatabase(t *testing.T) {
	server := miniredis.RunT(t)
	server.RequireUserAuth("u", "p")
	w := newWorld(t, Options{}, map[string]string{"index.ts": `import { createClient } from "redis"
export const handler = async (url: string) => { const c = createClient({ url }); await c.connect(); return c.set("a", "1") }`})
	s := w.mustStart()
	if got, err := call(t, s, `"redis://u:p@`+server.Addr()+`/3"`); err != nil || got != `"OK"` {
		t.Errorf("got %s, %v", got, err)
	}
	if !server.DB(3).Exists("a") {
		t.Error("not written to database 3")
	}
	if _, err := call(t, s, `"redis://u:wrong@`+server.Addr()+`"`); err == nil || !strings.Contains(err.Error(), "WRONGPASS") {
		t.Errorf("a wrong password: %v", err)
	}
}

func FuzzRedisReply(f *testing.F) {
	for _, seed := range []string{"+OK\r\n", "-ERR no\r\n", ":12\r\n", "$3\r\nabc\r\n", "$-1\r\n", "*2\r\n:1\r\n*1\r\n$0\r\n\r\n", "*-1\r\n", "$99999999999\r\n", "*999999999\r\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := readReply(bufio.NewReader(strings.NewReader(text)), 0)
		if again, err2 := readReply(bufio.NewReader(strings.NewReader(text)), 0); (err == nil) != (err2 == nil) || !reflect.DeepEqual(v, again) {
			t.Errorf("%q reads as %v, then as %v", text, v, again)
		}
	})
}
