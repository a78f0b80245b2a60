package plan

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"devstack/runtime/config"
)

// load reads a stack from its text.
func load(t *testing.T, allocator config.Allocator, text string) *config.Stack {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"stack.hcl": "stack \"test\" {}\n" + text, "f.js": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s, err := config.Load(dir, config.Options{Allocator: allocator})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range s.Resources { // two loads in two folders are the same stack
		if f, ok := r.(*config.Function); ok {
			f.Source = filepath.Base(f.Source)
		}
	}
	return s
}

// describe writes steps one a line: create function.f after table.items.
func describe(steps []Step) string {
	var b strings.Builder
	for _, s := range steps {
		fmt.Fprintf(&b, "%s %s", s.Action, s.ID)
		for i, id := range s.After {
			b.WriteString([]string{" after ", ", "}[min(i, 1)] + id.String())
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestDiff(t *testing.T) {
	const table = `table "items" { hash_key = "id" }` + "\n"
	function := func(env string) string {
		return "function \"f\" {\n runtime = \"js\"\n source = \"f.js\"\n environment = { TABLE = " + env + " }\n}\n"
	}
	const api = `api "a" {` + "\n" + ` port = 8080` + "\n" + ` route "GET /" { function = function.f }` + "\n}\n"
	for _, tt := range []struct{ name, old, new, want string }{
		{"nothing changes when the text only moves", table + function("table.items.name"), "\n\n" + function("table.items.name") + table, ""},
		{"a reference that becomes the same value is no change", table + function("table.items.name"), table + function(`"items"`), ""},
		{"everything is created after what it needs", "", api + function("table.items.name") + table,
			"create table.items\ncreate function.f after table.items\ncreate api.a after function.f\n"},
		{"everything is deleted before what it needs", api + function("table.items.name") + table, "",
			"delete api.a\ndelete function.f after api.a\ndelete table.items after function.f\n"},
		{"an update of a table does not restart its users", table + function("table.items.name") + api,
			"table \"items\" {\n hash_key = \"id\"\n ttl = \"at\"\n}\n" + function("table.items.name") + api, "update table.items\n"},
		{"a changed value updates", table + function(`"a"`), table + function(`"b"`), "update function.f\n"},
		{"a table goes after its user is updated", table + function("table.items.name"),
			`table "others" { hash_key = "id" }` + "\n" + function("table.others.name"),
			"create table.others\nupdate function.f after table.others\ndelete table.items after function.f\n"},
		{"a port is freed before it is taken", "cache \"a\" { port = 7000 }\n", "cache \"b\" { port = 7000 }\n",
			"delete cache.a\ncreate cache.b after cache.a\n"},
		{"a table under another label is taken over before the old block goes",
			table + function("table.items.name"),
			"table \"others\" {\n name = \"items\"\n hash_key = \"id\"\n}\n" + function("\"x-${table.others.name}\""),
			"create table.others\nupdate function.f after table.others\ndelete table.items after table.others, function.f\n"},
		{"a cache under another label keeps its port",
			"cache \"a\" { port = 7000 }\n", "cache \"b\" {\n name = \"a\"\n port = 7000\n}\n",
			"create cache.b\ndelete cache.a after cache.b\n"},
		{"a function's name is freed before it is taken",
			function(`"x"`), strings.Replace(function(`"x"`), `"f" {`, "\"g\" {\n name = \"f\"", 1),
			"delete function.f\ncreate function.g after function.f\n"},
		{"ports that are exchanged are no deadlock", "cache \"a\" { port = 7000 }\ncache \"b\" { port = 7001 }\n",
			"cache \"a\" { port = 7001 }\ncache \"b\" { port = 7000 }\n", "update cache.b\nupdate cache.a after cache.b\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := describe(Diff(load(t, nil, tt.old), load(t, nil, tt.new)))
			if got != tt.want {
				t.Errorf("got\n%swant\n%s", got, tt.want)
			}
		})
	}
}

func TestDiffFromNothing(t *testing.T) {
	s := load(t, nil, `table "items" { hash_key = "id" }`)
	if got := describe(Diff(nil, s)); got != "create table.items\n" {
		t.Errorf("from no stack: %s", got)
	}
	if got := describe(Diff(s, nil)); got != "delete table.items\n" {
		t.Errorf("to no stack: %s", got)
	}
}

// random returns a stack of some of the resources 0 to 11; each needs some of those before it in a random order.
func random(r *rand.Rand) *config.Stack {
	s := &config.Stack{}
	ids := r.Perm(12)
	for n, i := range ids {
		if r.IntN(3) == 0 {
			continue
		}
		c := &config.Cache{Block: config.Block{ID: config.ID{Type: "cache", Name: fmt.Sprint(i)}}, Name: fmt.Sprint(r.IntN(15)), Port: r.IntN(6)}
		for _, j := range ids[:n] {
			if need := (config.ID{Type: "cache", Name: fmt.Sprint(j)}); r.IntN(3) == 0 && s.Resource(need) != nil {
				c.Needs = append(c.Needs, need)
			}
		}
		s.Resources = append(s.Resources, c)
	}
	r.Shuffle(len(s.Resources), func(i, j int) { s.Resources[i], s.Resources[j] = s.Resources[j], s.Resources[i] })
	return s
}

func TestAnyOrderThatAfterAllowsIsSafe(t *testing.T) {
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		old, want := random(r), random(r)
		checkOrder(t, seed, r, old, want)
	}
}

// checkOrder carries the steps out in a random order that After allows and checks the world at each.
func checkOrder(t *testing.T, seed uint64, r *rand.Rand, old, want *config.Stack) {
	t.Helper()
	steps := Diff(old, want)
	pending := map[config.ID]*Step{}
	running := map[config.ID]config.Resource{}
	for _, s := range old.Resources {
		running[s.Base().ID] = s
	}
	for i := range steps {
		for _, id := range steps[i].After {
			if pending[id] == nil {
				t.Fatalf("seed %d: %s is listed before %s", seed, steps[i].ID, id)
			}
		}
		pending[steps[i].ID] = &steps[i]
	}
	for len(pending) > 0 {
		var can []*Step
		for _, s := range steps {
			if p := pending[s.ID]; p != nil && !slices.ContainsFunc(p.After, func(id config.ID) bool { return pending[id] != nil }) {
				can = append(can, p)
			}
		}
		if len(can) == 0 {
			t.Fatalf("seed %d: a deadlock of %d steps", seed, len(pending))
		}
		s := can[r.IntN(len(can))]
		delete(pending, s.ID)
		if s.Action == Delete {
			delete(running, s.ID)
			continue
		}
		for _, need := range s.New.Base().Needs {
			if running[need] == nil || pending[need] != nil {
				t.Fatalf("seed %d: %s %s before %s", seed, s.Action, s.ID, need)
			}
		}
		running[s.ID] = s.New
	}
	if len(running) != len(want.Resources) {
		t.Fatalf("seed %d: %d resources run, not %d", seed, len(running), len(want.Resources))
	}
	for _, res := range want.Resources {
		if got := running[res.Base().ID]; got == nil || !config.Equal(got, res) {
			t.Fatalf("seed %d: %s is not what is wanted", seed, res.Base().ID)
		}
	}
}
