package config

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"devstack/internal/clock"
)

var (
	cacheA = ID{"cache", "a"}
	cacheB = ID{"cache", "b"}
)

func allocator(t *testing.T, path string) *FileAllocator {
	t.Helper()
	a, err := NewFileAllocator(path, clock.Fixed(time.Date(2026, 3, 1, 12, 0, 0, 5e6, time.UTC)))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func port(t *testing.T, a Allocator, id ID, wanted int) int {
	t.Helper()
	p, err := a.Port(id, wanted)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestChoicesSurviveARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".devstack", "allocated.json")
	first := allocator(t, path)
	a, b, label := port(t, first, cacheA, 0), port(t, first, cacheB, 0), first.StreamLabel(ID{"table", "t"})
	if a == b || a < firstPort || a > lastPort {
		t.Errorf("got %d and %d", a, b)
	}
	if label != "2026-03-01T12:00:00.005" {
		t.Errorf("got label %q", label)
	}
	again := allocator(t, path)
	if port(t, again, cacheA, 0) != a || port(t, again, cacheB, 0) != b || again.StreamLabel(ID{"table", "t"}) != label {
		t.Error("a restart chose anew")
	}
	reader, err := ReadAllocator(path)
	if err != nil || port(t, reader, cacheA, 0) != a || reader.StreamLabel(ID{"table", "t"}) != label {
		t.Errorf("a reader sees other choices, %v", err)
	}
}

func TestPortThatSomebodyHasIsGivenUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "allocated.json")
	first := allocator(t, path)
	a := port(t, first, cacheA, 0)
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(a))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if port(t, first, cacheA, 0) != a {
		t.Error("the process that was given the port, and may hold it, gets another")
	}
	if port(t, allocator(t, path), cacheA, 0) == a {
		t.Error("a new process gets a port that is taken")
	}
}

func TestWantedPortIsNotGivenToAnother(t *testing.T) {
	a := allocator(t, filepath.Join(t.TempDir(), "allocated.json"))
	free := port(t, allocator(t, a.path+".other"), cacheA, 0)
	if port(t, a, cacheB, free) != free {
		t.Error("a wanted port is not granted")
	}
	if port(t, a, cacheA, 0) == free {
		t.Error("a wanted port is given to another")
	}
}

func TestDamagedFileSaysSo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "allocated.json")
	if err := os.WriteFile(path, []byte(`{"ports":`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := NewFileAllocator(path, clock.System()); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}

func TestAllocatorIsSafeForManyLoads(t *testing.T) {
	a := allocator(t, filepath.Join(t.TempDir(), "allocated.json"))
	var wg sync.WaitGroup
	ports := make([]int, 16)
	for i := range ports {
		wg.Go(func() {
			ports[i], _ = a.Port(ID{"cache", strconv.Itoa(i % 8)}, 0)
			a.StreamLabel(ID{"table", strconv.Itoa(i % 8)})
		})
	}
	wg.Wait()
	for i := range 8 {
		if ports[i] == 0 || ports[i] != ports[i+8] {
			t.Errorf("cache.%d has ports %d and %d", i, ports[i], ports[i+8])
		}
	}
}

func TestMemoryAllocatorAvoidsWantedPorts(t *testing.T) {
	m := NewMemoryAllocator()
	port(t, m, cacheA, firstPort)
	if got := port(t, m, cacheB, 0); got != firstPort+1 {
		t.Errorf("got %d", got)
	}
}

func TestAPassingAllocatorKeepsNoFile(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	a := NewPassingAllocator(dir, clock.System())
	id := ID{Type: "cache", Name: "c"}
	port, err := a.Port(id, 0)
	again, _ := a.Port(id, 0)
	if err != nil || port == 0 || again != port || a.StreamLabel(id) == "" {
		t.Errorf("ports %d and %d: %v", port, again, err)
	}
	if left, _ := filepath.Glob("*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
