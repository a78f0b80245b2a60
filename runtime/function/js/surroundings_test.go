package js

import "testing"

func TestMessageChannel(t *testing.T) {
	got, err := run(t, Options{}, `import { MessageChannel as Same } from "worker_threads"
export const handler = async () => {
	const { port1, port2 } = new MessageChannel(), told = [];
	const sent = { a: [1] };
	const done = new Promise((ok) => { port2.onmessage = (e) => { told.push(e.data); if (told.length === 2) ok(); } });
	port1.postMessage(sent); sent.a.push(2); port1.postMessage("second");
	await done;
	const back = new Promise((ok) => port1.once("message", ok));
	port2.postMessage(3);
	port1.close();
	port2.postMessage("to nobody");
	return [told, await Promise.race([back, new Promise((ok) => setTimeout(ok, 50, "closed"))]), Same === MessageChannel, port1 instanceof MessagePort];
}`, `{}`)
	if want := `[[{"a":[1]},"second"],"closed",true,true]`; err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

func TestCallsWithoutNewInsideAConstructor(t *testing.T) {
	got, err := run(t, Options{}, `const lax = { make: () => RegExp("a.c", "u") };
class C {
	a = RegExp("x"); made: any;
	constructor() { this.made = [RegExp("b+").test("bb"), lax.make().test("abc"), Buffer("é").length, Intl.DateTimeFormat().resolvedOptions().locale, Intl.NumberFormat().format(1234)] }
}
class Own extends RegExp { own = true }
export const handler = async () => { const c = new C(); return [c.a instanceof RegExp, c.a.test("x"), c.made, new Own("y").test("y"), new Own("y").own] }`, `{}`)
	if want := `[true,true,[true,true,2,"en-US","1,234"],true,true]`; err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

func TestWhatPackagesDoWithout(t *testing.T) {
	got, err := run(t, Options{}, `const o: any = {};
o.__defineGetter__("x", () => 5);
class C { get y() { return 1 } }
export const handler = async () => [o.x, Object.keys(o), typeof (new C() as any).__lookupGetter__("y"), o.__lookupSetter__("x") === undefined, Object.keys({}).length,
	[...Uint8Array.from("012", (c: any) => c.charCodeAt(0))], [...Uint8Array.from([1, 2])], [...Uint16Array.from({ length: 2 }, (_, i) => i)], [...Buffer.from("a")]]`, `{}`)
	if want := `[5,["x"],"function",true,0,[48,49,50],[1,2],[0,1],[97]]`; err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}
