package item

import (
	"bytes"
	"maps"
	"strings"
	"testing"
)

// everything has a value of every kind.
func everything(t testing.TB) Item {
	t.Helper()
	set := func(kind Kind, members ...string) Value {
		v, err := NewSet(kind, members)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	return Item{
		"":       Null(),
		"text":   String("häuser"),
		"long":   String(strings.Repeat("x", 300)),
		"number": Num(numberOf("-12.5")),
		"bytes":  Binary([]byte{0, 0xff}),
		"yes":    Bool(true),
		"no":     Bool(false),
		"texts":  set(SS, "a", "b", ""),
		"nums":   set(NS, "1.0", "2"),
		"blobs":  set(BS, "\x00", "b"),
		"list":   List([]Value{String("a"), List([]Value{}), Map(Item{"deep": Num(numberOf("1"))})}),
		"map":    Map(Item{"a": Map(Item{}), "b": List([]Value{Null()}), "c": String(strings.Repeat("y", 200))}),
	}
}

func TestItemsSurviveTheirEncoding(t *testing.T) {
	want := everything(t)
	encoded := Append([]byte("before"), want)[len("before"):]
	got, err := Decode(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.EqualFunc(got, want, Value.Equal) {
		t.Errorf("decoded %v, want %v", got, want)
	}
	for name, v := range want {
		one, ok := Lookup(encoded, name)
		if !ok || !one.Equal(v) {
			t.Errorf("%q alone is %v, %v; want %v", name, one, ok, v)
		}
	}
	for _, name := range []string{"a", "textt", "zzz"} {
		if v, ok := Lookup(encoded, name); ok {
			t.Errorf("%q, which is not there, is %v", name, v)
		}
	}
}

func TestValuesDoNotShareTheEncodedMemory(t *testing.T) {
	encoded := Encode(Item{"a": String("one")})
	whole, err := Decode(encoded)
	if err != nil {
		t.Fatal(err)
	}
	one, _ := encoded.Lookup("a")
	clear(encoded)
	if whole["a"].Text() != "one" || one.Text() != "one" {
		t.Errorf("they changed with the memory: %q, %q", whole["a"].Text(), one.Text())
	}
}

func FuzzDecode(f *testing.F) {
	whole := Encode(everything(f))
	f.Add([]byte(whole), "map")
	f.Add([]byte(whole[:len(whole)/2]), "list")
	f.Add([]byte{format, 0}, "")
	f.Add([]byte{format, 1, 1, 'a', 2, byte(BOOL), 7}, "a")
	f.Fuzz(func(t *testing.T, encoded []byte, name string) {
		one, found := Lookup(encoded, name)
		i, err := Decode(encoded)
		if err != nil {
			return
		}
		if again := Append(nil, i); !bytes.Equal(again, encoded) {
			t.Errorf("%x is decoded and encoded as %x", encoded, again)
		}
		if v, ok := i[name]; ok != found || !v.Equal(one) {
			t.Errorf("%q is %v, %v in the item, %v, %v alone", name, v, ok, one, found)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	encoded := Encode(everything(b))
	for b.Loop() {
		if _, err := Decode(encoded); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	encoded := Encode(everything(b))
	for b.Loop() {
		if _, ok := encoded.Lookup("text"); !ok {
			b.Fatal("not found")
		}
	}
}

func TestWhatIsDoneWithoutDecoding(t *testing.T) {
	whole := everything(t)
	encoded := Encode(whole)
	if encoded.Len() != len(whole) || encoded.Size() != whole.Size() {
		t.Errorf("%d attributes of %d bytes, want %d of %d", encoded.Len(), encoded.Size(), len(whole), whole.Size())
	}
	for name, v := range whole {
		if one, ok := encoded.Peek(name); !ok || !one.Equal(v) {
			t.Errorf("%q is %v, %v; want %v", name, one, ok, v)
		}
	}
	selected, size := encoded.Select([]byte("before"), []string{"text", "map", "nowhere", "text"})
	want := Item{"text": whole["text"], "map": whole["map"]}
	if !bytes.Equal(selected[len("before"):], Encode(want)) || size != want.Size() {
		t.Errorf("selected %x of %d bytes, want %x of %d", selected, size, Encode(want), want.Size())
	}
	changes := Item{"": String("first"), "zzz": String("last"), "map": Null(), "middle": String("new")}
	names := []string{"zzz", "map", "list", "middle", "", "gone"}
	replaced, more := encoded.Replace(nil, names, changes)
	after := maps.Clone(whole)
	delete(after, "list")
	maps.Copy(after, changes)
	if !bytes.Equal(replaced, Encode(after)) || more != after.Size()-whole.Size() {
		t.Errorf("replaced %x with %d bytes more, want %x with %d", replaced, more, Encode(after), after.Size()-whole.Size())
	}
}

func TestItemsOfManyAttributes(t *testing.T) {
	many := Item{}
	for i := range 200 {
		many[strings.Repeat("n", i)] = Bool(i%2 == 0)
	}
	encoded := Encode(many)
	got, err := Decode(encoded)
	if err != nil || !maps.EqualFunc(got, many, Value.Equal) {
		t.Errorf("decoded %d attributes, %v", len(got), err)
	}
	written := encoded.AppendJSON(nil)
	if again, _, n := TakeJSON(written, 0); n != len(written) || !bytes.Equal(again, encoded) {
		t.Errorf("%s is encoded as %x, want %x", written, again, encoded)
	}
	if all, _ := encoded.Replace(nil, []string{"new"}, Item{"new": Null()}); Encoded(all).Len() != 201 {
		t.Errorf("%d attributes with one more", Encoded(all).Len())
	}
}

// kilobyte is an item such as applications have.
func kilobyte() Item {
	return Item{"customer": String("c000001"), "id": String("0001"), "status": String("PLACED"), "total": Num(numberOf("450")), "text": String(strings.Repeat("x", 1000))}
}

func BenchmarkAppendJSON(b *testing.B) {
	encoded, buf := Encode(kilobyte()), []byte(nil)
	for b.Loop() {
		buf = encoded.AppendJSON(buf[:0])
	}
}

func BenchmarkTakeJSON(b *testing.B) {
	text := Encode(kilobyte()).AppendJSON(nil)
	for b.Loop() {
		if _, _, n := TakeJSON(text, 4); n == 0 {
			b.Fatal("not taken")
		}
	}
}
