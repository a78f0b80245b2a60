package function_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"devstack/runtime/function"
)

func TestAFunctionIsFrozenWithItsSurroundings(t *testing.T) {
	b := newBench(t)
	b.put(t)
	root := filepath.Dir(filepath.Dir(b.fn.Source))
	dir := t.TempDir()
	frozen, err := b.Freeze(t.Context(), "f", root, dir)
	if err != nil {
		t.Fatal(err)
	}
	b.save(t, "two")
	copied := *b.fn
	copied.Version, copied.Source = "1", filepath.Join(dir, filepath.FromSlash(frozen.Source))
	if err := b.Put(t.Context(), &copied); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"f": `"two"`, "f:1": `"one"`} {
		if out, err := b.Invoke(t.Context(), key, function.Invocation{Payload: []byte(version)}); err != nil || string(out.Payload) != want {
			t.Errorf("%s answered %+v, %v, want %s", key, out, err, want)
		}
	}
}

func TestWhatCannotBeFrozen(t *testing.T) {
	b := newBench(t)
	b.put(t)
	venv := filepath.Join(filepath.Dir(b.fn.Source), "pyvenv.cfg")
	for _, tt := range []struct {
		name, root, want string
		prepare          func()
	}{
		{"outside of the stack", t.TempDir(), "is outside of", func() {}},
		{"a virtual environment", "", "virtual environment", func() {
			if err := os.WriteFile(venv, nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		tt.prepare()
		root := tt.root
		if root == "" {
			root = filepath.Dir(b.fn.Source)
		}
		var e *function.FreezeError
		if _, err := b.Freeze(t.Context(), "f", root, t.TempDir()); !errors.As(err, &e) || !strings.Contains(e.Text, tt.want) {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
	if _, err := b.Freeze(t.Context(), "nothing", "/", t.TempDir()); !errors.Is(err, function.ErrNoFunction) {
		t.Errorf("no such function: %v", err)
	}
}
