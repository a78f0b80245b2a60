package pick

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestBest(t *testing.T) {
	const wanted = "22"
	for _, tt := range []struct {
		name       string
		candidates []string // their versions; "" is no interpreter
		want       string
		exact      bool
		err        error
	}{
		{"the one that is wanted, wherever it comes", []string{"18", "", "22", "24"}, "22", true, nil},
		{"the first that will do", []string{"", "24", "18"}, "24", false, nil},
		{"none", []string{"", ""}, "", false, ErrNone},
		{"no candidates", nil, "", false, ErrNone},
	} {
		got, exact, err := Best(t.Context(), tt.candidates, func(version string) (string, bool, bool) {
			return version, version == wanted, version != ""
		})
		if got != tt.want || exact != tt.exact || err != tt.err {
			t.Errorf("%s: %q, %v, %v", tt.name, got, exact, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, _, err := Best(ctx, []string{"18", "22"}, func(string) (string, bool, bool) { cancel(); return "", false, false }); !errors.Is(err, context.Canceled) {
		t.Errorf("given up, it says %v", err)
	}
}

func TestMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "node")
	if err := os.WriteFile(path, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	var m Memory[int]
	asked := 0
	missing := errors.New("it is not there")
	var err error
	ask := func(runtime string, want int, why string) {
		t.Helper()
		n, got := m.Of(runtime, func() (int, string, error) { asked++; return asked, path, err })
		if got != err || err == nil && n != want {
			t.Errorf("%s: %d, %v; want %d", why, n, got, want)
		}
	}
	err = missing
	ask("nodejs22.x", 0, "it is not installed")
	err = nil
	ask("nodejs22.x", 2, "it was installed")
	ask("nodejs22.x", 2, "it is remembered")
	ask("nodejs24.x", 3, "another runtime")
	t.Setenv("PATH", "/elsewhere")
	ask("nodejs22.x", 4, "another PATH")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	ask("nodejs22.x", 5, "it is gone")
}
