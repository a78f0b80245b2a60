package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"

	"devstack/internal/clock"
)

// Allocator chooses what references need to know before anything runs. The same ID gets the same answer again.
type Allocator interface {
	// Port returns the loopback port of a resource: wanted, unless that is 0.
	Port(id ID, wanted int) (int, error)

	// StreamLabel returns the last part of the ARN of a table's stream.
	StreamLabel(id ID) string
}

// Ports that are chosen lie below those that operating systems hand out by themselves (32768 and up on Linux, 49152 on
// others), so that no outgoing connection takes one while devstack is down.
const firstPort, lastPort = 20000, 29999

// labelLayout is how AWS writes the instant of a stream's creation: 2026-03-01T12:00:00.000.
const labelLayout = "2006-01-02T15:04:05.000"

// allocations is what an allocator has chosen.
type allocations struct {
	Ports   map[string]int    `json:"ports"`   // by ID
	Streams map[string]string `json:"streams"` // labels by ID
}

func newAllocations() allocations {
	return allocations{map[string]int{}, map[string]string{}}
}

// MemoryAllocator is an Allocator for reading a stack that is not going to run here: it opens no socket and writes no
// file.
type MemoryAllocator struct {
	mu     sync.Mutex
	chosen allocations
}

// NewMemoryAllocator returns an allocator that hands out ports from 20000 upward.
func NewMemoryAllocator() *MemoryAllocator { return &MemoryAllocator{chosen: newAllocations()} }

// ReadAllocator returns a MemoryAllocator with the choices of a FileAllocator's file. A file that is not there has none.
func ReadAllocator(path string) (*MemoryAllocator, error) {
	chosen, err := readAllocations(path)
	return &MemoryAllocator{chosen: chosen}, err
}

// Port returns wanted, or the next port that nothing has.
func (m *MemoryAllocator) Port(id ID, wanted int) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if wanted != 0 {
		m.chosen.Ports[id.String()] = wanted
		return wanted, nil
	}
	if port := m.chosen.Ports[id.String()]; port != 0 {
		return port, nil
	}
	taken := slices.Collect(maps.Values(m.chosen.Ports))
	port := firstPort
	for slices.Contains(taken, port) {
		port++
	}
	m.chosen.Ports[id.String()] = port
	return port, nil
}

// StreamLabel returns a chosen label, or a fixed one.
func (m *MemoryAllocator) StreamLabel(id ID) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if label := m.chosen.Streams[id.String()]; label != "" {
		return label
	}
	return "2000-01-01T00:00:00.000"
}

// FileAllocator is the running stack's Allocator: it picks free ports and keeps its choices in a file.
type FileAllocator struct {
	path  string // of the file, "" for none
	place string // of the stack, that ports depend on
	clock clock.Clock

	mu     sync.Mutex
	chosen allocations
	proven map[string]bool // IDs whose port was free when this process first handed it out; we may hold it by now
}

// NewFileAllocator returns the allocator that keeps its choices in the file at path, by convention
// .devstack/allocated.json. It creates the file, and its folder, with the first choice.
func NewFileAllocator(path string, clk clock.Clock) (*FileAllocator, error) {
	chosen, err := readAllocations(path)
	if err != nil {
		return nil, err
	}
	return &FileAllocator{path: path, place: path, clock: clk, chosen: chosen, proven: map[string]bool{}}, nil
}

// NewPassingAllocator returns a FileAllocator without a file, for a stack in a folder that leaves nothing behind.
func NewPassingAllocator(dir string, clk clock.Clock) *FileAllocator {
	return &FileAllocator{place: dir, clock: clk, chosen: newAllocations(), proven: map[string]bool{}}
}

// readAllocations reads the file of choices.
func readAllocations(path string) (allocations, error) {
	chosen := newAllocations()
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return chosen, nil
	}
	if err != nil {
		return chosen, fmt.Errorf("read allocated ports: %w", err)
	}
	if err := json.Unmarshal(content, &chosen); err != nil {
		return newAllocations(), fmt.Errorf("%s is damaged (%w): delete it, and ports are chosen anew", path, err)
	}
	if chosen.Ports == nil {
		chosen.Ports = map[string]int{}
	}
	if chosen.Streams == nil {
		chosen.Streams = map[string]string{}
	}
	maps.DeleteFunc(chosen.Ports, func(_ string, port int) bool { return port < 1 || port > 65535 })
	return chosen, nil
}

// Port returns wanted as it is: that it is in use is for the one to say who opens it. A port of our own choice stays
// the same as long as it is free when the process first asks for it.
func (a *FileAllocator) Port(id ID, wanted int) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := id.String()
	if wanted != 0 {
		if a.chosen.Ports[key] == wanted {
			return wanted, nil
		}
		a.chosen.Ports[key], a.proven[key] = wanted, true
		return wanted, a.save()
	}
	if port := a.chosen.Ports[key]; port != 0 && (a.proven[key] || free(port)) {
		a.proven[key] = true
		return port, nil
	}
	port, err := a.pick(key)
	if err != nil {
		return 0, err
	}
	a.chosen.Ports[key], a.proven[key] = port, true
	return port, a.save()
}

// pick tries ports from one that the stack's place and the ID determine: two stacks rarely meet, and one that lost its
// file mostly finds its ports again.
func (a *FileAllocator) pick(key string) (int, error) {
	taken := slices.Collect(maps.Values(a.chosen.Ports))
	h := fnv.New32a()
	h.Write([]byte(a.place + "\x00" + key)) // never fails
	const count = lastPort - firstPort + 1
	for i := range count {
		port := firstPort + (int(h.Sum32()%count)+i)%count
		if !slices.Contains(taken, port) && free(port) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no free port from %d to %d for %s", firstPort, lastPort, key)
}

// free reports whether a loopback port can be listened on.
func free(port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	l.Close()
	return true
}

// StreamLabel returns the label of the table's stream; a new one is the present instant.
func (a *FileAllocator) StreamLabel(id ID) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := id.String()
	if label := a.chosen.Streams[key]; label != "" {
		return label
	}
	label := a.clock.Now().Format(labelLayout)
	a.chosen.Streams[key] = label
	// If it cannot be kept it is still good for this run; the next choice of a port tells of the disk's failure.
	_ = a.save()
	return label
}

// save replaces the file at once, so that a crash leaves the old choices or the new ones.
func (a *FileAllocator) save() error {
	if a.path == "" {
		return nil
	}
	content, err := json.MarshalIndent(a.chosen, "", "  ")
	if err != nil {
		return fmt.Errorf("keep allocated ports: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(a.path), 0o755); err != nil {
		return fmt.Errorf("keep allocated ports: %w", err)
	}
	if err := os.WriteFile(a.path+".new", append(content, '\n'), 0o644); err != nil {
		return fmt.Errorf("keep allocated ports: %w", err)
	}
	if err := os.Rename(a.path+".new", a.path); err != nil {
		return fmt.Errorf("keep allocated ports: %w", err)
	}
	return nil
}
